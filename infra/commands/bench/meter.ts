// Counts what DynamoDB would bill, between the stack and its local engine. Requests pass one at a time: what an item was
// before a write and is after it decides the units, and nobody may write in between.
import { createServer, type IncomingMessage } from 'node:http';
import {
  type AttributeValue,
  DescribeTableCommand,
  DynamoDBClient,
  GetItemCommand,
} from '@aws-sdk/client-dynamodb';
import * as z from 'zod';
import type { Dynamo } from '../../local/dynamodb.ts';
import { addressOf, listen } from '../../local/http.ts';

type Raw = Record<string, AttributeValue>;

/** Capacity units and calls since the last look. */
export interface Bill {
  /** Write request units, indexes included. */
  writes: number;
  /** Of them: what the indexes cost. */
  indexWrites: number;
  /** Read request units. */
  reads: number;
  /** API calls by name. */
  calls: Record<string, number>;
}

/** Calls of the function that runs by the minute, whether there are incidents or not, are passed on uncounted. */
const BY_THE_MINUTE = /app\/\S*Reconcile/i;

/** A DynamoDB engine with a meter before it. */
export interface Metered extends Dynamo {
  /** Reads the meter and sets it to nothing. */
  take(): Bill;
}

const WRITE_UNIT = 1024;
const READ_UNIT = 4096;

/** Size of a value as DynamoDB's manual counts it, bytes. */
const sizeOf = (value: AttributeValue): number => {
  if (value.S !== undefined) return Buffer.byteLength(value.S);
  if (value.N !== undefined) return Math.ceil(value.N.replace(/^-|\.|^0+/g, '').length / 2) + 1;
  if (value.SS !== undefined) return value.SS.reduce((n, text) => n + Buffer.byteLength(text), 0);
  if (value.L !== undefined) return 3 + value.L.reduce((n, one) => n + 1 + sizeOf(one), 0);
  if (value.M !== undefined)
    return (
      3 + Object.entries(value.M).reduce((n, [key, one]) => n + 1 + Buffer.byteLength(key) + sizeOf(one), 0)
    );
  if (value.B !== undefined) return value.B.length;
  return 1; // BOOL and NULL; the other sets are not used
};

/** Size of an item, bytes; 0 for none. */
export const itemSize = (item: Raw | undefined): number =>
  item === undefined
    ? 0
    : Object.entries(item).reduce((n, [name, value]) => n + Buffer.byteLength(name) + sizeOf(value), 0);

const writeUnits = (bytes: number) => Math.max(1, Math.ceil(bytes / WRITE_UNIT));
const readUnits = (bytes: number) => Math.max(1, Math.ceil(bytes / READ_UNIT));

interface Index {
  keys: string[];
}

const entryOf = (item: Raw | undefined, tableKeys: string[], index: Index): Raw | undefined => {
  if (item === undefined || index.keys.some((key) => item[key] === undefined)) return undefined;
  return Object.fromEntries(
    [...new Set([...tableKeys, ...index.keys])].flatMap((key) => {
      const value = item[key];
      return value === undefined ? [] : [[key, value] as const];
    }),
  );
};

/** Units of one KEYS_ONLY index for a change of an item: nothing when its entry stays, two when it moves. */
export const indexUnits = (
  before: Raw | undefined,
  after: Raw | undefined,
  tableKeys: string[],
  index: Index,
): number => {
  const [old, fresh] = [entryOf(before, tableKeys, index), entryOf(after, tableKeys, index)];
  if (JSON.stringify(old) === JSON.stringify(fresh)) return 0;
  return (old ? writeUnits(itemSize(old)) : 0) + (fresh ? writeUnits(itemSize(fresh)) : 0);
};

const rawSchema = z.record(
  z.string(),
  z.custom<AttributeValue>((value) => typeof value === 'object'),
);
const requestSchema = z.looseObject({
  TableName: z.string().optional(),
  Key: rawSchema.optional(),
  Item: rawSchema.optional(),
  ConsistentRead: z.boolean().optional(),
  TransactItems: z
    .array(
      z.record(
        z.string(),
        z.looseObject({ TableName: z.string(), Key: rawSchema.optional(), Item: rawSchema.optional() }),
      ),
    )
    .optional(),
});
const responseSchema = z.looseObject({
  Item: rawSchema.optional(),
  Items: z.array(rawSchema).optional(),
  Responses: z.record(z.string(), z.array(rawSchema)).optional(),
});

/** Puts a meter before an engine; stopping it stops the engine too. */
export const meterTable = async (engine: Dynamo): Promise<Metered> => {
  let bill: Bill = { writes: 0, indexWrites: 0, reads: 0, calls: {} };
  let tableKeys: string[] | undefined;
  let indexes: Index[] = [];
  const describe = async (TableName: string): Promise<string[]> => {
    if (tableKeys) return tableKeys;
    const { Table } = await engine.client.send(new DescribeTableCommand({ TableName }));
    const names = (schema: { AttributeName?: string | undefined }[] | undefined) =>
      (schema ?? []).flatMap(({ AttributeName }) => AttributeName ?? []);
    tableKeys = names(Table?.KeySchema);
    indexes = (Table?.GlobalSecondaryIndexes ?? []).map((index) => ({ keys: names(index.KeySchema) }));
    return tableKeys;
  };
  const stored = async (TableName: string, Key: Raw) =>
    (await engine.client.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }))).Item;

  const passOn = async (request: IncomingMessage, body: Buffer) => {
    const headers = Object.fromEntries(
      Object.entries(request.headers).flatMap(([name, value]) =>
        typeof value === 'string' && !['host', 'connection', 'content-length'].includes(name)
          ? [[name, value]]
          : [],
      ),
    );
    const response = await fetch(engine.endpoint, { method: 'POST', headers, body: new Uint8Array(body) });
    return { status: response.status, text: await response.text() };
  };

  const metered = async (request: IncomingMessage, body: Buffer) => {
    if (BY_THE_MINUTE.test(request.headers['user-agent'] ?? '')) return passOn(request, body);
    const action =
      String(request.headers['x-amz-target'] ?? '')
        .split('.')
        .at(-1) ?? '';
    const parsed = requestSchema.safeParse(JSON.parse(body.toString() || '{}'));
    const ask = parsed.success ? parsed.data : {};
    const writes = [
      ...(['PutItem', 'UpdateItem', 'DeleteItem'].includes(action)
        ? [{ TableName: ask.TableName ?? '', ...ask }]
        : []),
      ...(ask.TransactItems ?? []).flatMap((item) => Object.values(item)),
    ];
    const touched: { TableName: string; key: Raw; before: Raw | undefined }[] = [];
    for (const write of writes) {
      const keys = await describe(write.TableName);
      const whole = write.Key ?? write.Item ?? {};
      const key = Object.fromEntries(Object.entries(whole).filter(([name]) => keys.includes(name)));
      touched.push({ TableName: write.TableName, key, before: await stored(write.TableName, key) });
    }
    const answer = await passOn(request, body);
    bill.calls[action] = (bill.calls[action] ?? 0) + 1;
    const factor = ask.TransactItems ? 2 : 1;
    for (const { TableName, key, before } of touched) {
      const after = await stored(TableName, key);
      // A refused write is billed too. Index entries follow after the commit and are written once.
      bill.writes += factor * writeUnits(Math.max(itemSize(before), itemSize(after)));
      for (const index of indexes) {
        const units = indexUnits(before, after, tableKeys ?? [], index);
        bill.writes += units;
        bill.indexWrites += units;
      }
    }
    if (['GetItem', 'Query', 'BatchGetItem'].includes(action)) {
      const told = responseSchema.safeParse(JSON.parse(answer.text || '{}'));
      const found = told.success ? told.data : {};
      const sizes =
        action === 'Query'
          ? [(found.Items ?? []).reduce((n, item) => n + itemSize(item), 0)]
          : action === 'GetItem'
            ? [itemSize(found.Item)]
            : Object.values(found.Responses ?? {}).flatMap((items) => items.map(itemSize));
      for (const size of sizes) bill.reads += readUnits(size) * (ask.ConsistentRead === true ? 1 : 0.5);
    }
    return answer;
  };

  let last: Promise<unknown> = Promise.resolve();
  const server = createServer((request, response) => {
    const serve = async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
      const { status, text } = await metered(request, Buffer.concat(chunks));
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(text);
    };
    last = last
      .then(serve)
      .catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
  server.keepAliveTimeout = 65_000;
  await listen(server, 0);
  const endpoint = addressOf(server);
  const client = new DynamoDBClient({
    endpoint,
    region: 'local',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
  return {
    ...engine,
    endpoint,
    client,
    take: () => {
      const taken = bill;
      bill = { writes: 0, indexWrites: 0, reads: 0, calls: {} };
      return taken;
    },
    stop: async () => {
      client.destroy();
      const closed = new Promise((done) => server.close(done));
      server.closeAllConnections();
      await closed;
      await engine.stop();
    },
  };
};
