/** The AWS JSON 1.0 face of the engine, so that `@aws-sdk/client-sfn` works against it unchanged. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { StatesEngine } from './engine.ts';
import { StatesError } from './failure.ts';
import type { ExecutionStatus } from './store.ts';

type Request = Record<string, unknown>;
type Operation = (engine: StatesEngine, request: Fields) => unknown;

/** Longest request AWS takes. */
const longestBody = 1_048_576;

const operations: Record<string, Operation> = {
  StartExecution: async (engine, request) => {
    const { executionArn, startDate } = await engine.startExecution({
      stateMachineArn: request.text('stateMachineArn'),
      name: request.optionalText('name'),
      input: request.optionalText('input'),
    });
    return { executionArn, startDate: startDate / 1000 };
  },
  DescribeExecution: (engine, request) => {
    const { startDate, stopDate, ...rest } = engine.describeExecution({
      executionArn: request.text('executionArn'),
    });
    return { ...rest, startDate: startDate / 1000, ...seconds(stopDate), inputDetails: { included: true } };
  },
  StopExecution: async (engine, request) => {
    const { stopDate } = await engine.stopExecution({
      executionArn: request.text('executionArn'),
      error: request.optionalText('error'),
      cause: request.optionalText('cause'),
    });
    return { stopDate: stopDate / 1000 };
  },
  ListExecutions: (engine, request) => {
    const { executions, nextToken } = engine.listExecutions({
      stateMachineArn: request.text('stateMachineArn'),
      statusFilter: request.status('statusFilter'),
      maxResults: request.optionalNumber('maxResults'),
      nextToken: request.optionalText('nextToken'),
    });
    return {
      executions: executions.map(({ startDate, stopDate, ...rest }) => ({
        ...rest,
        startDate: startDate / 1000,
        ...seconds(stopDate),
      })),
      nextToken,
    };
  },
  GetExecutionHistory: (engine, request) => {
    const { events, nextToken } = engine.getExecutionHistory({
      executionArn: request.text('executionArn'),
      maxResults: request.optionalNumber('maxResults'),
      nextToken: request.optionalText('nextToken'),
      reverseOrder: request.flag('reverseOrder'),
    });
    return { events: events.map((event) => ({ ...event, timestamp: event.timestamp / 1000 })), nextToken };
  },
  SendTaskSuccess: async (engine, request) => {
    await engine.sendTaskSuccess({ taskToken: request.text('taskToken'), output: request.text('output') });
    return {};
  },
  SendTaskFailure: async (engine, request) => {
    await engine.sendTaskFailure({
      taskToken: request.text('taskToken'),
      error: request.optionalText('error'),
      cause: request.optionalText('cause'),
    });
    return {};
  },
  SendTaskHeartbeat: async (engine, request) => {
    await engine.sendTaskHeartbeat({ taskToken: request.text('taskToken') });
    return {};
  },
};

/** A listener for node:http that answers the calls above; everything else is UnknownOperationException. */
export function statesHandler(
  engine: StatesEngine,
): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => void reply(engine, request, response);
}

async function reply(
  engine: StatesEngine,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { status, body } = await answer(engine, request);
  const json = Buffer.from(JSON.stringify(body));
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0', 'content-length': json.length });
  response.end(json);
}

async function answer(
  engine: StatesEngine,
  request: IncomingMessage,
): Promise<{ status: number; body: unknown }> {
  try {
    const target = String(request.headers['x-amz-target'] ?? '');
    const [service, name = ''] = target.split('.');
    const operation =
      service === 'AWSStepFunctions' && Object.hasOwn(operations, name) ? operations[name] : undefined;
    const body = await read(request);
    if (operation === undefined) {
      throw new StatesError('UnknownOperationException', `The operation "${target}" is not implemented here`);
    }
    return { status: 200, body: await operation(engine, new Fields(body)) };
  } catch (thrown) {
    if (thrown instanceof StatesError) {
      return {
        status: 400,
        body: { __type: `com.amazonaws.states#${thrown.name}`, message: thrown.message },
      };
    }
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return { status: 500, body: { __type: 'com.amazonaws.states#InternalServerError', message } };
  }
}

async function read(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const bytes of request as AsyncIterable<Buffer>) {
    length += bytes.length;
    if (length > longestBody)
      throw new StatesError('ValidationException', `The request is longer than ${longestBody} bytes`);
    chunks.push(bytes);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
  } catch {
    throw new StatesError('ValidationException', 'The request is not JSON');
  }
}

function seconds(stopDate: number | undefined): { stopDate?: number } {
  return stopDate === undefined ? {} : { stopDate: stopDate / 1000 };
}

const statuses: readonly ExecutionStatus[] = ['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED'];

function isRequest(value: unknown): value is Request {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reads the fields of a request, refusing wrong types as AWS does. */
class Fields {
  readonly #request: Request;

  constructor(request: unknown) {
    if (!isRequest(request))
      throw new StatesError('ValidationException', 'The request must be a JSON object');
    this.#request = request;
  }

  text(name: string): string {
    return this.optionalText(name) ?? this.#refuse(name, 'is missing');
  }

  optionalText(name: string): string | undefined {
    const value = this.#request[name] ?? undefined;
    return value === undefined || typeof value === 'string' ? value : this.#refuse(name, 'must be a string');
  }

  optionalNumber(name: string): number | undefined {
    const value = this.#request[name] ?? undefined;
    return value === undefined || typeof value === 'number' ? value : this.#refuse(name, 'must be a number');
  }

  flag(name: string): boolean {
    return this.#request[name] === true;
  }

  status(name: string): ExecutionStatus | undefined {
    const value = this.optionalText(name);
    if (value === undefined) return undefined;
    return (
      statuses.find((status) => status === value) ??
      this.#refuse(name, `must be one of ${statuses.join(', ')}`)
    );
  }

  #refuse(name: string, problem: string): never {
    throw new StatesError('ValidationException', `1 validation error detected: "${name}" ${problem}`);
  }
}
