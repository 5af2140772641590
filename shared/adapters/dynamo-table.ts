import {
  BatchGetItemCommand,
  GetItemCommand,
  QueryCommand,
  TransactWriteItemsCommand,
  TransactionCanceledException,
  type AttributeValue,
  type DynamoDBClient,
  type TransactWriteItem,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  INDEX_KEYS,
  type Condition,
  type Item,
  type Key,
  type Table,
  type Value,
  type Write,
  type Written,
} from '../ports/table.ts';

/** Collects names and values so that no attribute name can meet a reserved word. */
class Expression {
  readonly names: Record<string, string> = {};
  readonly values: Record<string, AttributeValue> = {};
  name(attribute: string): string {
    // A counter's name may hold what a placeholder may not.
    const short = /^\w+$/.test(attribute) ? `#${attribute}` : `#x${Buffer.from(attribute).toString('hex')}`;
    this.names[short] = attribute;
    return short;
  }
  value(value: Value): string {
    const short = `:v${Object.keys(this.values).length}`;
    Object.assign(this.values, marshall({ [short]: value }, { removeUndefinedValues: true }));
    return short;
  }
  parts(): {
    ExpressionAttributeNames?: Record<string, string>;
    ExpressionAttributeValues?: Record<string, AttributeValue>;
  } {
    return {
      ...(Object.keys(this.names).length > 0 ? { ExpressionAttributeNames: this.names } : {}),
      ...(Object.keys(this.values).length > 0 ? { ExpressionAttributeValues: this.values } : {}),
    };
  }
}

const conditionText = (condition: Condition, e: Expression): string =>
  [
    ...(condition.absent ? [`attribute_not_exists(${e.name('pk')})`] : []),
    ...(condition.present ? [`attribute_exists(${e.name('pk')})`] : []),
    ...Object.entries(condition.equals ?? {}).map(([name, value]) => `${e.name(name)} = ${e.value(value)}`),
    ...Object.entries(condition.oneOf ?? {}).map(
      ([name, values]) => `${e.name(name)} IN (${values.map((value) => e.value(value)).join(', ')})`,
    ),
    ...(condition.lacks ?? []).map((name) => `attribute_not_exists(${e.name(name)})`),
  ].join(' AND ');

const toItem = (raw: Record<string, AttributeValue>): Item => {
  const { pk, sk, ...rest } = unmarshall(raw);
  return { ...rest, pk, sk };
};
const nameOf = ({ pk, sk }: Key): string => `${pk}\n${sk}`;
const toRaw = (item: Record<string, Value | undefined>) => marshall(item, { removeUndefinedValues: true });

const transactItem = (TableName: string, write: Write): TransactWriteItem => {
  const e = new Expression();
  const condition = write.if ? { ConditionExpression: conditionText(write.if, e) } : {};
  // The item in the way tells a refusal's reason without another read.
  const old = { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const };
  if ('put' in write)
    return { Put: { TableName, Item: toRaw(write.put), ...condition, ...e.parts(), ...old } };
  if ('delete' in write)
    return { Delete: { TableName, Key: toRaw({ ...write.delete }), ...condition, ...e.parts(), ...old } };
  if ('check' in write)
    return {
      ConditionCheck: {
        TableName,
        Key: toRaw({ ...write.check }),
        ConditionExpression: condition.ConditionExpression ?? '',
        ...e.parts(),
        ...old,
      },
    };
  const set = Object.entries(write.set).flatMap(([name, value]) =>
    value === undefined ? [] : [`${e.name(name)} = ${e.value(value)}`],
  );
  const UpdateExpression = [
    ...(set.length > 0 ? [`SET ${set.join(', ')}`] : []),
    ...(write.remove?.length ? [`REMOVE ${write.remove.map((name) => e.name(name)).join(', ')}`] : []),
    ...(write.add
      ? [
          `ADD ${Object.entries(write.add)
            .map(([name, n]) => `${e.name(name)} ${e.value(n)}`)
            .join(', ')}`,
        ]
      : []),
  ].join(' ');
  return {
    Update: {
      TableName,
      Key: toRaw({ ...write.patch }),
      UpdateExpression,
      ...condition,
      ...e.parts(),
      ...old,
    },
  };
};

/** Reasons that pass by themselves; everything else is the caller's to decide. */
const PASSING = new Set(['TransactionConflict', 'ThrottlingError', 'ProvisionedThroughputExceeded']);
const TRIES = 6;

/** Which of the items are there: for every key the item, or undefined. */
type Fetch = (keys: readonly Key[], ConsistentRead: boolean) => Promise<(Item | undefined)[]>;

const fetchFrom =
  (client: DynamoDBClient, TableName: string): Fetch =>
  async (keys, ConsistentRead) => {
    const found = new Map<string, Record<string, AttributeValue>>();
    // DynamoDB refuses a batch that names an item twice.
    const once = [...new Map(keys.map((key) => [nameOf(key), key])).values()];
    for (let i = 0; i < once.length; i += 100) {
      let open = once.slice(i, i + 100).map((key) => toRaw({ pk: key.pk, sk: key.sk }));
      while (open.length > 0) {
        const { Responses, UnprocessedKeys } = await client.send(
          new BatchGetItemCommand({ RequestItems: { [TableName]: { Keys: open, ConsistentRead } } }),
        );
        for (const raw of Responses?.[TableName] ?? [])
          found.set(nameOf({ pk: raw.pk?.S ?? '', sk: raw.sk?.S ?? '' }), raw);
        open = UnprocessedKeys?.[TableName]?.Keys ?? [];
        if (open.length > 0) await sleep(20 + Math.random() * 80);
      }
    }
    return keys.map((key) => {
      const raw = found.get(nameOf(key));
      return raw && toItem(raw);
    });
  };

/**
 * Strongly consistent reads of single items. Those asked for in one turn of the event loop, by whatever hands, go out as one request:
 * a step of delivery looks at five items, a batch of ten has ten hands, and a request costs more than an item.
 */
const gathering = (client: DynamoDBClient, TableName: string, fetch: Fetch): Table['get'] => {
  let waiting: { key: Key; resolve: (item: Item | undefined) => void; reject: (error: unknown) => void }[] =
    [];
  const alone = async (key: Key): Promise<Item | undefined> => {
    const { Item } = await client.send(
      new GetItemCommand({ TableName, Key: toRaw({ ...key }), ConsistentRead: true }),
    );
    return Item && toItem(Item);
  };
  const send = async (): Promise<void> => {
    const asked = waiting;
    waiting = [];
    const keys = asked.map(({ key }) => key);
    try {
      const [only] = keys;
      const items = only && keys.length === 1 ? [await alone(only)] : await fetch(keys, true);
      for (const [i, { resolve }] of asked.entries()) resolve(items[i]);
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  };
  return (key) =>
    new Promise((resolve, reject) => {
      if (waiting.push({ key, resolve, reject }) === 1) setImmediate(() => void send());
    });
};

/** The district's table on DynamoDB. */
export const dynamoTable = (client: DynamoDBClient, TableName: string): Table => {
  const fetch = fetchFrom(client, TableName);
  return {
    get: gathering(client, TableName, fetch),

    async getMany(keys) {
      return (await fetch(keys, false)).filter((item) => item !== undefined);
    },

    async query(query) {
      const e = new Expression();
      const keys = query.index ? INDEX_KEYS[query.index] : { pk: 'pk', sk: 'sk' };
      const sk = e.name(keys.sk);
      const range =
        query.startsWith !== undefined
          ? ` AND begins_with(${sk}, ${e.value(query.startsWith)})`
          : query.from !== undefined && query.to !== undefined
            ? ` AND ${sk} BETWEEN ${e.value(query.from)} AND ${e.value(query.to)}`
            : query.from !== undefined
              ? ` AND ${sk} >= ${e.value(query.from)}`
              : query.to !== undefined
                ? ` AND ${sk} <= ${e.value(query.to)}`
                : '';
      if (range === '') delete e.names[sk];
      const KeyConditionExpression = `${e.name(keys.pk)} = ${e.value(query.pk)}${range}`;
      const items: Item[] = [];
      let ExclusiveStartKey: Record<string, AttributeValue> | undefined;
      do {
        const page = await client.send(
          new QueryCommand({
            TableName,
            IndexName: query.index,
            KeyConditionExpression,
            ...e.parts(),
            ScanIndexForward: !query.descending,
            ...(query.limit === undefined ? {} : { Limit: query.limit - items.length }),
            ...(query.consistent ? { ConsistentRead: true } : {}),
            ...(ExclusiveStartKey ? { ExclusiveStartKey } : {}),
          }),
        );
        items.push(...(page.Items ?? []).map(toItem));
        ExclusiveStartKey = page.LastEvaluatedKey;
      } while (ExclusiveStartKey && (query.limit === undefined || items.length < query.limit));
      return items;
    },

    async write(writes): Promise<Written> {
      const TransactItems = writes.map((write) => transactItem(TableName, write));
      for (let attempt = 1; ; attempt += 1) {
        try {
          await client.send(new TransactWriteItemsCommand({ TransactItems }));
          return { ok: true };
        } catch (error) {
          if (!(error instanceof TransactionCanceledException)) throw error;
          const reasons = error.CancellationReasons ?? [];
          const index = reasons.findIndex((reason) => reason.Code === 'ConditionalCheckFailed');
          if (index >= 0) {
            const raw = reasons[index]?.Item;
            return { ok: false, index, ...(raw ? { item: toItem(raw) } : {}) };
          }
          if (attempt >= TRIES || !reasons.some((reason) => PASSING.has(reason.Code ?? ''))) throw error;
          await sleep(Math.random() * 20 * 2 ** attempt);
        }
      }
    },
  };
};
