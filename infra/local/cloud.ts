// The local cloud: runs one synthesized stack on embedded engines. Knows AWS resource types and nothing of our functions.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import * as z from 'zod';
import { Activity } from './activity.ts';
import type { Clock } from './clock.ts';
import {
  type ApiCall,
  apiCaller,
  type Dynamo,
  type DynamoEngine,
  ensureTable,
  startDynamo,
  sweepExpired,
} from './dynamodb.ts';
import { addressOf, type Front, listen, type Route, startFront } from './http.ts';
import { buildWorker, type CrashAt, FunctionError, LambdaHost, TooManyRequests } from './lambda.ts';
import { closeAll } from './close-all.ts';
import { lockDataDirectory } from './lock.ts';
import { periodOf, type Schedule, startSchedule } from './schedule.ts';
import { Secrets } from './secrets.ts';
import { type Received, startSqs } from './sqs.ts';
import { StatesEngine } from './states/engine.ts';
import { IntegrationError } from './states/failure.ts';
import { statesHandler } from './states/http.ts';
import { dynamodbFailure, type Invocation, lambdaIntegration } from './states/integration.ts';
import type { Integration } from './states/engine.ts';
import {
  classify,
  type Classification,
  functionArn,
  identities,
  integratedFunction,
  readStack,
  type Resource,
  Resolver,
  TemplateError,
} from './template.ts';

/** Any region will do; this one passes every check of an ARN's form. */
const REGION = 'us-east-1';

/** How often expired items are looked for, real time. AWS takes up to two days, so nobody may count on it. */
const SWEEP_MS = 600_000;

/** Something outside the cloud that may still call in, such as a vendor's emulator with receipts to post. */
export interface Neighbour {
  inFlight(): number;
  idle(): Promise<void>;
}

/** What to run, and where. */
export interface CloudOptions {
  /** Directory of the cloud assembly (cdk.out). */
  assembly: string;
  /** Name of the stack in it. */
  stack: string;
  /** Directory of everything that must survive; locked while the cloud runs. */
  data: string;
  /** The caller holds the lock of the data directory already. */
  locked?: boolean;
  /** Port of the HTTP front on 127.0.0.1; 0 takes any. */
  port: number;
  clock: Clock;
  /** First value of the stack's secret, stored as JSON; a stored one wins. */
  secret: unknown;
  /** Replaces environment variables wherever the template sets them, such as a vendor's address. */
  env?: Record<string, string>;
  /** Functions are loaded by their first call, as in AWS; default: all of them now, so that nobody waits for it. */
  coldStarts?: boolean;
  /** Somebody else shows the workflows to asl-validator, which takes two seconds to load; default: the first start of an assembly does. */
  accepted?: boolean;
  /** Default: dynoxide where installed. */
  engine?: DynamoEngine;
  /** Puts something between the stack and its table, such as a meter of what DynamoDB would bill. */
  beforeTable?: (engine: Dynamo) => Promise<Dynamo>;
  /** Hears of failures inside, one line each. */
  log?: (line: string) => void;
}

/** A running stack. */
export interface Cloud {
  /** Where the HTTP front listens. */
  readonly url: string;
  readonly table: { endpoint: string; name: string };
  readonly endpoints: { dynamodb: string; sqs: string; sfn: string; secretsmanager: string };
  /** Process group of the DynamoDB engine; it ends with this process, however that ends. */
  readonly enginePid: number;
  /** Physical names by logical id, as Ref gives them: queue URLs, table name, state machine and secret ARN. */
  readonly refs: Record<string, string>;
  /** The secret in force, as stored. */
  readonly secret: unknown;
  readonly clock: Clock;
  readonly states: StatesEngine;
  readonly resources: Classification;
  /** Lets settle() also wait for somebody outside. */
  addNeighbour(neighbour: Neighbour): void;
  /** Resolves when nothing goes on: no request, invocation, workflow step, and no message but delayed ones. */
  settle(): Promise<void>;
  /**
   * Moves a frozen clock (speed 0) to an instant, stopping at everything that is due on the way, each time until all is settled.
   * @param options `passes`: most firings of schedules in a row between two other dues; further ones are left out (default: none are).
   */
  advance(toVirtualMs: number, options?: { passes?: number }): Promise<void>;
  /** Calls a function by logical id or name, or the beginning of either. @throws FunctionError */
  invoke(name: string, event: unknown): Promise<unknown>;
  /** What lies in a queue, by logical id or name or the beginning of either; `dead`: what lies in its dead-letter queue. */
  queue(name: string): { depth: number; delayed: number; dead: number };
  /** The next `count` calls of a function die: at the start, at the end, or before an API call such as `AmazonSQS.SendMessage`; or the present ones, `now`. */
  injectFunctionCrash(name: string, crash?: { at?: CrashAt; count?: number }): void;
  /** Has an injected crash, or failure of a workflow's call, not struck yet? */
  readonly trapped: boolean;
  stop(): Promise<void>;
}

const functionSchema = z.looseObject({
  Code: z.looseObject({ S3Key: z.string() }),
  Handler: z.string(),
  Runtime: z.string().startsWith('nodejs'),
  Timeout: z.coerce.number().default(3),
  MemorySize: z.coerce.number().default(128),
  Environment: z
    .object({ Variables: z.record(z.string(), z.coerce.string()).default({}) })
    .default({ Variables: {} }),
  Layers: z.never({ error: 'layers are not run here' }).optional(),
  PackageType: z.literal('Zip').optional(),
});
const queueSchema = z.looseObject({
  FifoQueue: z.literal(false, { error: 'FIFO queues are not run here' }).optional(),
  VisibilityTimeout: z.coerce.string().default('30'),
  DelaySeconds: z.coerce.string().default('0'),
  MessageRetentionPeriod: z.coerce.string().default('345600'),
  RedrivePolicy: z.object({ deadLetterTargetArn: z.string(), maxReceiveCount: z.coerce.number() }).optional(),
});
const mappingSchema = z.looseObject({
  EventSourceArn: z.string().regex(/^arn:aws:sqs:/, 'only queues are event sources here'),
  FunctionName: z.string(),
  BatchSize: z.coerce.number().default(10),
  Enabled: z.coerce.boolean().default(true),
  FunctionResponseTypes: z.array(z.string()).default([]),
  ScalingConfig: z.object({ MaximumConcurrency: z.coerce.number() }).default({ MaximumConcurrency: 1000 }),
  FilterCriteria: z.never({ error: 'filters are not run here' }).optional(),
});
const machineSchema = z.looseObject({
  StateMachineType: z.literal('STANDARD', { error: 'EXPRESS workflows are not run here' }).optional(),
  DefinitionString: z.string(),
});
const ruleSchema = z.looseObject({
  ScheduleExpression: z.string(),
  EventPattern: z.never({ error: 'event patterns are not run here' }).optional(),
  State: z.string().default('ENABLED'),
  Targets: z.array(z.looseObject({ Arn: z.string(), Input: z.string().optional() })).default([]),
});
const integrationSchema = z.looseObject({
  IntegrationType: z.literal('AWS_PROXY'),
  IntegrationUri: z.string(),
  PayloadFormatVersion: z.literal('2.0'),
});
const routeSchema = z.looseObject({
  RouteKey: z.string(),
  Target: z.string(),
  AuthorizationType: z.enum(['NONE', 'AWS_IAM'], { error: 'authorizers are not run here' }).default('NONE'),
});
const throttleSchema = z.looseObject({
  ThrottlingRateLimit: z.coerce.number().optional(),
  ThrottlingBurstLimit: z.coerce.number().optional(),
});
const stageSchema = z.looseObject({
  StageName: z.literal('$default'),
  DefaultRouteSettings: throttleSchema.optional(),
  RouteSettings: z.record(z.string(), throttleSchema).default({}),
});
const secretSchema = z.looseObject({ Name: z.string().optional() });
const tableSchema = z.looseObject({
  KeySchema: z.array(z.object({ AttributeName: z.string(), KeyType: z.string() })),
  TimeToLiveSpecification: z
    .looseObject({ AttributeName: z.string(), Enabled: z.coerce.boolean() })
    .optional(),
});

/**
 * Starts a stack on its data directory.
 * @throws TemplateError, DataDirectoryInUse or PortInUse, each with a sentence for the person who started it.
 */
export async function startCloud(options: CloudOptions): Promise<Cloud> {
  const stack = readStack(options.assembly, options.stack);
  const resources = classify(stack);
  const closing: (() => void | Promise<void>)[] = [];
  const close = async () => {
    await closeAll(closing);
  };
  try {
    return await run();
  } catch (error) {
    await close();
    throw error;
  }

  async function run(): Promise<Cloud> {
    const { clock, data } = options;
    const log = options.log ?? (() => {});
    mkdirSync(data, { recursive: true, mode: 0o700 });
    if (!options.locked) closing.push(lockDataDirectory(data));

    // ── Engines ──────────────────────────────────────────────────────────────────────────────────────────────────────
    const activity = new Activity();
    const building = buildWorker(data);
    building.catch(() => {}); // told where it is awaited
    const [dynamo, sqs] = await bothOrNone(
      startDynamo({
        data: join(data, 'dynamodb'),
        ...(options.engine ? { engine: options.engine } : {}),
      }).then(options.beforeTable),
      startSqs({ data: join(data, 'sqs'), region: REGION, activity, clock, log }),
      closing,
    );
    const names = identities(stack, { region: REGION, sqs: sqs.endpoint });
    const resolver = new Resolver(stack, names, REGION);
    const all = <T>(type: string, schema: z.ZodType<T>) =>
      [...stack.resources.values()]
        .filter((r) => r.type === type)
        .map((r) => ({ ...identityOf(r), is: parsed(resolver, r, schema) }));
    const identityOf = (r: Resource) => {
      const known = names.get(r.id);
      if (!known) throw new TemplateError(`${r.id} has no name here.`);
      return {
        id: r.id,
        ref: known.ref,
        arn: known.attributes['Arn'] ?? known.ref,
        attributes: known.attributes,
      };
    };

    // ── What it remembers ────────────────────────────────────────────────────────────────────────────────────────────
    const tables = all('AWS::DynamoDB::Table', tableSchema);
    await Promise.all(tables.map((table) => ensureTable(dynamo.client, table.ref, table.is)));
    closing.push(sweepRegularly(dynamo, tables, clock, log));
    const secrets = new Secrets(join(data, 'secrets.json'), clock.now);
    const first = () => JSON.stringify(options.secret);
    const stored = all('AWS::SecretsManager::Secret', secretSchema).map((s) =>
      secrets.ensure(s.arn, s.is.Name ?? s.id, first),
    );

    // ── Functions ────────────────────────────────────────────────────────────────────────────────────────────────────
    const host = new LambdaHost({
      worker: await building,
      clock,
      activity,
      log,
      logs: join(data, 'logs'),
      // With the assembly: every data directory runs the same bundles.
      compileCache: join(options.assembly, '.compiled'),
    });
    closing.push(() => host.stop());
    const table = apiCaller(dynamo.endpoint);
    closing.push(table.close);
    const states = new StatesEngine({
      file: join(data, 'states.db'),
      now: clock.now,
      timer: { schedule: (instant, wake) => clock.at(instant, wake) },
      onActivity: () => activity.check(),
      log,
      integrations: {
        ...dynamodbIntegrations(table.call),
        ...lambdaIntegration((functionName, payload) => invocation(host, functionName, payload)),
      },
    });
    closing.push(() => states.stop());
    activity.alsoBusy(() => states.inFlight > 0);
    const api = await startApi(states, secrets, host);
    closing.push(api.stop);
    sqs.onRequest((action, userAgent) => host.struckBefore(action, userAgent));

    const functions = all('AWS::Lambda::Function', functionSchema);
    const mappings = all('AWS::Lambda::EventSourceMapping', mappingSchema);
    const drained = new Set(mappings.map(({ is }) => functionArn(is.FunctionName, REGION)));
    for (const { id, ref, arn, is } of functions) {
      const taskRoot = stack.assets.get(is.Code.S3Key);
      if (taskRoot === undefined)
        throw new TemplateError(`${id}: the assembly holds no asset ${is.Code.S3Key}.`);
      const replaced = Object.fromEntries(
        Object.entries(options.env ?? {}).filter(([key]) => key in is.Environment.Variables),
      );
      host.add({
        name: ref,
        arn,
        taskRoot,
        handler: is.Handler,
        timeoutMs: is.Timeout * 1000,
        memoryMb: is.MemorySize,
        behind: drained.has(arn),
        environment: {
          ...surroundings({ dynamodb: dynamo.endpoint, sqs: sqs.endpoint, api: api.url }),
          ...is.Environment.Variables,
          ...replaced,
        },
      });
    }

    const loaded = options.coldStarts ? undefined : host.warm();

    // ── Work that waits ──────────────────────────────────────────────────────────────────────────────────────────────
    const queues = all('AWS::SQS::Queue', queueSchema);
    const rules = all('AWS::Events::Rule', ruleSchema).filter(({ is }) => is.State === 'ENABLED');
    // A beat that asks for more beats: whoever jumps an hour does not want to stop at each of them.
    const beaten = new Set(rules.flatMap(({ is }) => is.Targets.map(({ Arn }) => functionArn(Arn, REGION))));
    const beats = new Set(
      mappings
        .filter(({ is }) => beaten.has(functionArn(is.FunctionName, REGION)))
        .map(({ is }) => is.EventSourceArn),
    );
    for (const { arn, attributes, is } of queues) {
      const { VisibilityTimeout, DelaySeconds, MessageRetentionPeriod, RedrivePolicy } = is;
      sqs.ensureQueue({
        name: String(attributes['QueueName']),
        arn,
        attributes: {
          VisibilityTimeout,
          DelaySeconds,
          MessageRetentionPeriod,
          ...(RedrivePolicy ? { RedrivePolicy: JSON.stringify(RedrivePolicy) } : {}),
        },
        realDelays: beats.has(arn),
      });
    }
    for (const { arn, ref, is } of all('AWS::StepFunctions::StateMachine', machineSchema)) {
      const machine = { arn, name: ref.split(':').at(-1) ?? ref, definition: is.DefinitionString };
      if (options.accepted) await states.createStateMachine({ ...machine, accepted: true });
      else await createOnceChecked(states, options.assembly, machine);
    }

    // ── What sets it going ───────────────────────────────────────────────────────────────────────────────────────────
    await loaded;
    const front = await startFront({
      ...apiOf(),
      port: options.port,
      now: clock.now,
      activity,
      invoke: (arn, event) => host.invoke(arn, event),
    });
    closing.push(() => front.stop());
    for (const { is } of mappings) {
      if (!is.Enabled) continue;
      const target = functionArn(is.FunctionName, REGION);
      const partial = is.FunctionResponseTypes.includes('ReportBatchItemFailures');
      // AWS has environments for all of them. Here a queue that may have fewer at once waits for one that may have more.
      const rank = is.ScalingConfig.MaximumConcurrency;
      sqs.consume(is.EventSourceArn, {
        batchSize: is.BatchSize,
        concurrency: rank,
        room: () => host.room(target, rank),
        handle: async (messages) => {
          const answer = await host.invoke(
            target,
            JSON.stringify(sqsEvent(messages, is.EventSourceArn, clock)),
            rank,
          );
          return partial ? failedOnes(answer, messages) : new Set();
        },
      });
    }
    closing.push(() => sqs.pause());
    const schedules: Schedule[] = rules.map(({ arn, is }) =>
      startSchedule(clock, periodOf(is.ScheduleExpression), (due) => {
        for (const target of is.Targets) {
          const event = target.Input ?? JSON.stringify(scheduledEvent(arn, due));
          // Its failure is in the function's log; the next beat comes anyway.
          host.invoke(functionArn(target.Arn, REGION), event).catch(() => {});
        }
      }),
    );
    closing.push(() => {
      for (const schedule of schedules) schedule.stop();
    });

    function apiOf(): { apiId: string; routes: Route[] } {
      const [api, second] = all('AWS::ApiGatewayV2::Api', z.looseObject({ ProtocolType: z.literal('HTTP') }));
      if (second)
        throw new TemplateError(`The local cloud has one front; ${second.id} would be a second API.`);
      const integrations = new Map(
        all('AWS::ApiGatewayV2::Integration', integrationSchema).map(({ ref, is }) => [
          `integrations/${ref}`,
          is,
        ]),
      );
      const [stage] = all('AWS::ApiGatewayV2::Stage', stageSchema);
      const routes = all('AWS::ApiGatewayV2::Route', routeSchema).map(({ id, is }): Route => {
        const integration = integrations.get(is.Target);
        if (!integration)
          throw new TemplateError(`${id} leads to ${is.Target}, which is no integration of the template.`);
        if (is.AuthorizationType === 'AWS_IAM') log(`${is.RouteKey}: IAM signatures are not checked here.`);
        const own = stage?.is.RouteSettings[is.RouteKey] ?? stage?.is.DefaultRouteSettings;
        const rate = own?.ThrottlingRateLimit;
        return {
          key: is.RouteKey,
          target: integratedFunction(integration.IntegrationUri, REGION),
          ...(rate === undefined ? {} : { throttle: { rate, burst: own?.ThrottlingBurstLimit ?? rate } }),
        };
      });
      return { apiId: api?.id ?? 'none', routes };
    }

    return finish({
      options,
      close,
      activity,
      dynamo,
      sqs,
      api,
      front,
      host,
      states,
      resources,
      schedules,
      stored,
      tables,
      queues,
      functions,
      names,
    });
  }
}

interface Named {
  id: string;
  ref: string;
  arn: string;
  attributes: Record<string, string>;
}

function finish(parts: {
  options: CloudOptions;
  close: () => Promise<void>;
  activity: Activity;
  dynamo: Dynamo;
  sqs: Awaited<ReturnType<typeof startSqs>>;
  api: { url: string };
  front: Front;
  host: LambdaHost;
  states: StatesEngine;
  resources: Classification;
  schedules: Schedule[];
  stored: string[];
  tables: Named[];
  queues: (Named & { is: z.infer<typeof queueSchema> })[];
  functions: Named[];
  names: ReturnType<typeof identities>;
}): Cloud {
  const { options, activity, dynamo, sqs, api, front, host, states, schedules, queues } = parts;
  const { clock } = options;
  const neighbours: Neighbour[] = [];

  const settle = async () => {
    for (;;) {
      // A timer whose instant has come fires on a later turn of the loop: nobody here waits for that turn.
      const due = clock.nextDue();
      if (due !== undefined && due <= clock.now()) clock.jumpTo(clock.now());
      const before = activity.begun;
      await activity.quiet();
      await states.idle();
      for (const neighbour of neighbours) await neighbour.idle();
      await new Promise((resolve) => setImmediate(resolve));
      const still =
        activity.busy ||
        neighbours.some((neighbour) => neighbour.inFlight() > 0) ||
        activity.begun !== before;
      const next = clock.nextDue();
      if (!still && (next === undefined || next > clock.now())) return;
    }
  };

  const advance: Cloud['advance'] = async (to, { passes = Infinity } = {}) => {
    if (clock.speed !== 0) throw new Error('advance() moves a frozen clock; set its speed to 0 first.');
    let inARow = 0;
    await settle();
    for (;;) {
      const next = Math.min(clock.nextDue() ?? Infinity, states.nextDue() ?? Infinity);
      if (next > to) break;
      const scheduled = schedules.some((schedule) => schedule.next === next);
      inARow = scheduled ? inARow + 1 : 0;
      if (inARow > passes) {
        const others = Math.min(states.nextDue() ?? Infinity, to);
        for (const schedule of schedules) schedule.skipTo(others);
        inARow = 0;
        continue;
      }
      clock.jumpTo(Math.max(next, clock.now()));
      states.tick();
      await settle();
    }
    if (to > clock.now()) clock.jumpTo(to);
    await settle();
  };

  const functionNamed = (name: string) => theOne(parts.functions, name, 'function');
  return {
    url: front.url,
    table: { endpoint: dynamo.endpoint, name: parts.tables[0]?.ref ?? '' },
    endpoints: { dynamodb: dynamo.endpoint, sqs: sqs.endpoint, sfn: api.url, secretsmanager: api.url },
    enginePid: dynamo.pid,
    refs: Object.fromEntries([...parts.names].map(([id, { ref }]) => [id, ref])),
    secret: parts.stored[0] === undefined ? undefined : (JSON.parse(parts.stored[0]) as unknown),
    clock,
    states,
    resources: parts.resources,
    addNeighbour: (neighbour) => void neighbours.push(neighbour),
    settle,
    advance,
    invoke: async (name, event) =>
      JSON.parse(await host.invoke(functionNamed(name).arn, JSON.stringify(event))) as unknown,
    queue(name) {
      const { attributes, is } = theOne(queues, name, 'queue');
      const { ready, inFlight, delayed } = sqs.depth(String(attributes['QueueName']));
      const dead = queues.find((queue) => queue.arn === is.RedrivePolicy?.deadLetterTargetArn);
      return {
        depth: ready + inFlight,
        delayed,
        dead: dead ? sqs.depth(String(dead.attributes['QueueName'])).ready : 0,
      };
    },
    injectFunctionCrash(name, { at = 'start', count = 1 } = {}) {
      host.injectCrash(functionNamed(name).arn, at, count);
    },
    get trapped() {
      return host.crashesWaiting || states.faultsWaiting > 0;
    },
    stop: parts.close,
  };
}

/** The one that bears the name, or whose logical id or name alone begins with it. */
function theOne<T extends Named>(candidates: T[], name: string, what: string): T {
  const nameOf = (candidate: T) => candidate.attributes['QueueName'] ?? candidate.ref;
  const exact = candidates.find((candidate) =>
    [candidate.id, candidate.arn, nameOf(candidate)].includes(name),
  );
  if (exact) return exact;
  const beginning = name.toLowerCase();
  const found = candidates.filter(
    (c) => c.id.toLowerCase().startsWith(beginning) || nameOf(c).toLowerCase().startsWith(beginning),
  );
  if (found.length === 1 && found[0]) return found[0];
  const known = candidates.map((candidate) => candidate.id).join(', ');
  throw new Error(
    `${found.length === 0 ? 'No' : 'More than one'} ${what} is called ${name}; there are ${known}.`,
  );
}

function parsed<T>(resolver: Resolver, resource: Resource, schema: z.ZodType<T>): T {
  const result = schema.safeParse(resolver.properties(resource));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new TemplateError(
    `${resource.id} (${resource.type}) ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'unknown'}.`,
  );
}

/** A workflow's call of a function: the function's own failure is an answer, a refusal of the host a failed integration. */
async function invocation(host: LambdaHost, functionName: string, payload: unknown): Promise<Invocation> {
  try {
    const answer = await host.invoke(functionArn(functionName, REGION), JSON.stringify(payload));
    return { payload: JSON.parse(answer), executedVersion: '1' };
  } catch (error) {
    if (error instanceof TooManyRequests)
      throw new IntegrationError({ error: 'Lambda.TooManyRequestsException', cause: error.message });
    if (!(error instanceof FunctionError)) throw error;
    return {
      payload: null,
      functionError: { errorType: error.errorType, errorMessage: error.message, trace: error.trace },
    };
  }
}

/** What workflows may ask of DynamoDB. */
const DYNAMODB_OPERATIONS = ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'Query'] as const;

/** Straight over the wire: the SDK's client would take more of the main thread than all else a step does. */
function dynamodbIntegrations(call: ApiCall): Record<string, Integration> {
  return Object.fromEntries(
    DYNAMODB_OPERATIONS.map((operation): [string, Integration] => [
      `aws-sdk:dynamodb:${operation[0]?.toLowerCase()}${operation.slice(1)}`,
      (input) =>
        call(operation, input).catch((error: unknown) => {
          throw dynamodbFailure(error);
        }),
    ]),
  );
}

/** The mark that asl-validator has seen a definition lies with the assembly: every data directory runs the same one. */
async function createOnceChecked(
  states: StatesEngine,
  assembly: string,
  machine: { arn: string; name: string; definition: string },
): Promise<void> {
  const mark = join(
    assembly,
    '.compiled',
    `accepted-${createHash('sha256').update(machine.definition).digest('hex')}`,
  );
  const accepted = existsSync(mark);
  await states.createStateMachine({ ...machine, accepted });
  if (!accepted) writeFileSync(mark, '');
}

/** Starts two engines at once; when one fails the other one is not left running. */
async function bothOrNone<A extends { stop(): Promise<void> }, B extends { stop(): Promise<void> }>(
  first: Promise<A>,
  second: Promise<B>,
  closing: (() => void | Promise<void>)[],
): Promise<[A, B]> {
  const both = await Promise.allSettled([first, second]);
  for (const result of both) if (result.status === 'fulfilled') closing.push(() => result.value.stop());
  const [a, b] = both;
  if (a.status === 'rejected') throw a.reason;
  if (b.status === 'rejected') throw b.reason;
  return [a.value, b.value];
}

/** The one address of the AWS JSON services that live in this process. */
async function startApi(
  states: StatesEngine,
  secrets: Secrets,
  host: LambdaHost,
): Promise<{ url: string; stop: () => Promise<void> }> {
  const workflows = statesHandler(states);
  const server = createServer((request, response) => {
    const target = String(request.headers['x-amz-target'] ?? '');
    if (host.struckBefore(target, request.headers['user-agent'] ?? '')) {
      request.socket.destroy();
      return;
    }
    if (target.startsWith('secretsmanager.'))
      void secretsAnswer(secrets, target.slice('secretsmanager.'.length), request, response);
    else workflows(request, response);
  });
  server.keepAliveTimeout = 65_000;
  await listen(server, 0);
  return {
    url: addressOf(server),
    stop: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

const requestSchema = z.record(z.string(), z.unknown());

async function secretsAnswer(
  secrets: Secrets,
  action: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  let answer;
  try {
    answer = secrets.answer(action, requestSchema.parse(JSON.parse(Buffer.concat(chunks).toString())));
  } catch (error) {
    answer = { status: 400, body: { __type: 'SerializationException', Message: String(error) } };
  }
  response
    .writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.1' })
    .end(JSON.stringify(answer.body));
}

/** What AWS puts around a function's own variables; the endpoints are all that is local about it. */
function surroundings(endpoints: { dynamodb: string; sqs: string; api: string }): Record<string, string> {
  return {
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    // The person's own AWS settings must not reach a function.
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_ENDPOINT_URL_DYNAMODB: endpoints.dynamodb,
    AWS_ENDPOINT_URL_SQS: endpoints.sqs,
    AWS_ENDPOINT_URL_SFN: endpoints.api,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoints.api,
    TZ: ':UTC',
  };
}

function sqsEvent(messages: Received[], arn: string, clock: Clock): object {
  // Sent and received in real time; the function compares with its own, shifted Date.
  const lead = clock.now() - Date.now();
  return {
    Records: messages.map((message) => ({
      messageId: message.messageId,
      receiptHandle: message.receiptHandle,
      body: message.body,
      attributes: {
        ApproximateReceiveCount: `${message.receiveCount}`,
        SentTimestamp: `${message.sentAt + lead}`,
        SenderId: 'local',
        ApproximateFirstReceiveTimestamp: `${message.firstReceivedAt + lead}`,
      },
      messageAttributes: Object.fromEntries(
        Object.entries(message.messageAttributes).map(([name, value]) => [
          name,
          { stringValue: value.StringValue, binaryValue: value.BinaryValue, dataType: value.DataType },
        ]),
      ),
      md5OfBody: message.md5OfBody,
      eventSource: 'aws:sqs',
      eventSourceARN: arn,
      awsRegion: REGION,
    })),
  };
}

const reportSchema = z
  .object({ batchItemFailures: z.array(z.object({ itemIdentifier: z.string() })).nullish() })
  .nullable();

/** The messages a function reports as failed. As in AWS, a report that makes no sense means that all of them failed. */
function failedOnes(answer: string, messages: Received[]): Set<string> {
  const all = new Set(messages.map((message) => message.messageId));
  const report = reportSchema.safeParse(JSON.parse(answer));
  if (!report.success) return all;
  const failed = new Set(report.data?.batchItemFailures?.map(({ itemIdentifier }) => itemIdentifier));
  return [...failed].every((id) => all.has(id)) ? failed : all;
}

function scheduledEvent(rule: string, due: number): object {
  return {
    version: '0',
    id: `${due}`,
    'detail-type': 'Scheduled Event',
    source: 'aws.events',
    account: rule.split(':')[4],
    time: new Date(due).toISOString().replace('.000', ''),
    region: REGION,
    resources: [rule],
    detail: {},
  };
}

function sweepRegularly(
  dynamo: Dynamo,
  tables: (Named & { is: z.infer<typeof tableSchema> })[],
  clock: Clock,
  log: (line: string) => void,
): () => Promise<void> {
  let running = Promise.resolve();
  const sweep = async () => {
    for (const { ref: name, is } of tables) {
      const ttl = is.TimeToLiveSpecification;
      if (!ttl?.Enabled) continue;
      const keys = is.KeySchema.map((key) => key.AttributeName);
      await sweepExpired(dynamo.client, { name, keys, ttl: ttl.AttributeName }, clock.now());
    }
  };
  const timer = setInterval(() => {
    running = sweep().catch((error: unknown) => log(`Expired items could not be removed: ${String(error)}`));
  }, SWEEP_MS).unref();
  return async () => {
    clearInterval(timer);
    await running;
  };
}
