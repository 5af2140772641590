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
      (values as readonly unknown[]).includes(item?.[name]),
    ));

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
  if (value instanceof Set) return new Set(value as ReadonlySet<string>);
  if (Array.isArray(value)) return value.map(kept);
  return stored(value as Record<string, Value | undefined>);
};

const stored = (fields: Record<string, Value | undefined>): Record<string, Value> =>
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
      const sort = (item: Item): string => String(item[keys.sk]);
      const found = [...items.values()]
        .filter(
          (item) =>
            item[keys.pk] === query.pk &&
            item[keys.sk] !== undefined &&
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
      const ids = writes.map((write) => idOf(keyOf(write)));
      if (new Set(ids).size !== ids.length) throw new Error('A transaction may touch an item only once.');
      if (ids.length > MOST_WRITES) throw new Error(`A transaction has at most ${MOST_WRITES} writes.`);
      const index = writes.findIndex((write, i) => !holds(write.if, items.get(ids[i] as string)));
      if (index >= 0) {
        const item = items.get(ids[index] as string);
        return { ok: false, index, ...(item ? { item: structuredClone(item) } : {}) };
      }
      writes.forEach((write, i) => {
        const id = ids[i] as string;
        if ('put' in write) items.set(id, stored(write.put) as Item);
        else if ('delete' in write) items.delete(id);
        else if ('patch' in write) {
          const item: Item = { ...write.patch, ...items.get(id), ...stored(write.set) };
          for (const name of write.remove ?? []) delete item[name];
          for (const [name, n] of Object.entries(write.add ?? {})) item[name] = Number(item[name] ?? 0) + n;
          items.set(id, item);
        }
      });
      return { ok: true };
    },
  };
};
