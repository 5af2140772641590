import {
  INDEX_KEYS,
  type Condition,
  type Item,
  type Key,
  type Table,
  type Value,
  type Write,
} from '../ports/table.ts';

const idOf = (key: Key): string => `${key.pk}\n${key.sk}`;

const holds = (condition: Condition | undefined, item: Item | undefined): boolean =>
  !condition ||
  ((!condition.absent || item === undefined) &&
    (!condition.present || item !== undefined) &&
    Object.entries(condition.equals ?? {}).every(([name, value]) => item?.[name] === value) &&
    Object.entries(condition.oneOf ?? {}).every(([name, values]) =>
      values.some((value) => value === item?.[name]),
    ) &&
    (condition.lacks ?? []).every((name) => item?.[name] === undefined));

const keyOf = (write: Write): Key =>
  'put' in write
    ? write.put
    : 'patch' in write
      ? write.patch
      : 'delete' in write
        ? write.delete
        : write.check;

/** What DynamoDB would keep of a value: no undefined fields at any depth, and nothing shared with the caller. */
const kept = (value: Value): Value => {
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof Set) return structuredClone(value);
  if (Array.isArray(value)) return value.map(kept);
  return stored(Object.fromEntries(Object.entries(value)));
};

const stored = (fields: Readonly<Record<string, Value | undefined>>): Record<string, Value> =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[name, kept(value)]])),
  );

const MOST_WRITES = 100;

/** The table in memory, for tests of what is built on it. Passes the same contract suite as DynamoDB. */
export const memoryTable = (): Table => {
  const items = new Map<string, Item>();
  return {
    get: async (key) => structuredClone(items.get(idOf(key))),
    getMany: async (keys) => keys.flatMap((key) => structuredClone(items.get(idOf(key))) ?? []),
    async query(query) {
      const keys = query.index ? INDEX_KEYS[query.index] : { pk: 'pk', sk: 'sk' };
      // Sort keys are texts; an item without one is in no index.
      const sort = (item: Item): string => {
        const key = item[keys.sk];
        return typeof key === 'string' ? key : '';
      };
      const found = [...items.values()]
        .filter(
          (item) =>
            item[keys.pk] === query.pk &&
            sort(item) !== '' &&
            (query.startsWith === undefined || sort(item).startsWith(query.startsWith)) &&
            (query.from === undefined || sort(item) >= query.from) &&
            (query.to === undefined || sort(item) <= query.to),
        )
        .sort((a, b) => (sort(a) < sort(b) ? -1 : sort(a) > sort(b) ? 1 : 0));
      if (query.descending) found.reverse();
      return found
        .slice(0, query.limit ?? found.length)
        .map((item) =>
          query.index
            ? { pk: item.pk, sk: item.sk, [keys.pk]: item[keys.pk], [keys.sk]: item[keys.sk] }
            : structuredClone(item),
        );
    },
    async write(writes) {
      const named = writes.map((write) => ({ write, id: idOf(keyOf(write)) }));
      if (new Set(named.map(({ id }) => id)).size !== named.length)
        throw new Error('A transaction may touch an item only once.');
      if (named.length > MOST_WRITES) throw new Error(`A transaction has at most ${MOST_WRITES} writes.`);
      for (const [index, { write, id }] of named.entries()) {
        const item = items.get(id);
        if (!holds(write.if, item))
          return { ok: false, index, ...(item ? { item: structuredClone(item) } : {}) };
      }
      for (const { write, id } of named) {
        if ('put' in write) items.set(id, { ...stored(write.put), pk: write.put.pk, sk: write.put.sk });
        else if ('delete' in write) items.delete(id);
        else if ('patch' in write) {
          const item: Item = { ...write.patch, ...items.get(id), ...stored(write.set) };
          for (const name of write.remove ?? []) delete item[name];
          for (const [name, n] of Object.entries(write.add ?? {})) item[name] = Number(item[name] ?? 0) + n;
          items.set(id, item);
        }
      }
      return { ok: true };
    },
  };
};
