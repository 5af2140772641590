import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ScanCommand, type AttributeValue } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { dynamoTable } from '#shared/adapters/dynamo-table.ts';
import { memoryTable } from '#shared/adapters/memory-table.ts';
import { INDEX_KEYS, type Item, type Table } from '#shared/ports/table.ts';
import { ensureTable, startDynamo, type DynamoEngine } from '../../infra/local/dynamodb.ts';

/** A place to keep tables in. */
export interface Engine {
  /** A fresh, empty table; `all` reads everything in it. */
  fresh: () => Promise<{ table: Table; all: () => Promise<Item[]> }>;
  stop(): Promise<void>;
}

const memory = async (): Promise<Engine> => ({
  async fresh() {
    const written = new Map<string, { pk: string; sk: string }>();
    const table = memoryTable();
    const watched: Table = {
      ...table,
      write: async (writes) => {
        for (const write of writes) {
          const { pk, sk } = 'put' in write ? write.put : 'patch' in write ? write.patch : { pk: '', sk: '' };
          written.set(`${pk}\n${sk}`, { pk, sk });
        }
        return table.write(writes);
      },
    };
    return { table: watched, all: () => table.getMany([...written.values()]) };
  },
  stop: async () => {},
});

const dynamo = async (engine: DynamoEngine): Promise<Engine> => {
  const data = mkdtempSync(join(tmpdir(), 'xiaonao-table-'));
  const running = await startDynamo({ data, engine });
  let n = 0;
  return {
    async fresh() {
      n += 1;
      const name = `table-${n}`;
      await ensureTable(running.client, name, TABLE);
      return {
        table: dynamoTable(running.client, name),
        async all() {
          const items: Item[] = [];
          let from: Record<string, AttributeValue> | undefined;
          do {
            const page = await running.client.send(
              new ScanCommand({ TableName: name, ConsistentRead: true, ExclusiveStartKey: from }),
            );
            for (const raw of page.Items ?? []) {
              const { pk, sk, ...rest } = unmarshall(raw);
              items.push({ ...rest, pk, sk });
            }
            from = page.LastEvaluatedKey;
          } while (from);
          return items;
        },
      };
    },
    async stop() {
      await running.stop();
      rmSync(data, { recursive: true, force: true });
    },
  };
};

/** The keys of the stack's table; tests/infra compares the template with the same INDEX_KEYS. */
const TABLE = {
  BillingMode: 'PAY_PER_REQUEST',
  KeySchema: [
    { AttributeName: 'pk', KeyType: 'HASH' },
    { AttributeName: 'sk', KeyType: 'RANGE' },
  ],
  AttributeDefinitions: [{ pk: 'pk', sk: 'sk' }, ...Object.values(INDEX_KEYS)]
    .flatMap(({ pk, sk }) => [pk, sk])
    .map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
  GlobalSecondaryIndexes: Object.entries(INDEX_KEYS).map(([IndexName, { pk, sk }]) => ({
    IndexName,
    KeySchema: [
      { AttributeName: pk, KeyType: 'HASH' },
      { AttributeName: sk, KeyType: 'RANGE' },
    ],
    Projection: { ProjectionType: 'KEYS_ONLY' },
  })),
};

const hasJava = (): boolean => {
  try {
    execFileSync('java', ['-version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

/** What stands in the report when there is no Java: DynamoDB Local is the second opinion, not the engine of the product. */
export const WITHOUT_JAVA = hasJava() ? undefined : 'DynamoDB Local needs Java, which is not installed here';

/** Every engine that the store may stand on. */
export const ENGINES = {
  memory,
  dynoxide: () => dynamo('dynoxide'),
  'dynamodb-local': () => dynamo('dynamodb-local'),
} as const;
