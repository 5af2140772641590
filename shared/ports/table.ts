/** A key of the district's one table. */
export interface Key {
  pk: string;
  sk: string;
}

/** A scalar, list, map or string set as the table keeps it. `undefined` fields are left out. */
export type Value =
  | string
  | number
  | boolean
  | null
  | readonly Value[]
  | ReadonlySet<string>
  | { readonly [name: string]: Value | undefined };

/** One item: its key and attributes. */
export type Item = Key & Record<string, Value | undefined>;

/** When a write may happen. All parts must hold. */
export interface Condition {
  /** The item must not exist. */
  absent?: true;
  /** The item must exist. */
  present?: true;
  equals?: Record<string, string | number | boolean>;
  oneOf?: Record<string, readonly (string | number)[]>;
  /** None of these attributes may be there. */
  lacks?: readonly string[];
}

/** One write of a transaction. `patch` sets and removes single attributes and leaves the others alone. */
export type Write =
  | { put: Item; if?: Condition }
  | {
      patch: Key;
      set: Record<string, Value | undefined>;
      remove?: string[];
      add?: Record<string, number>;
      if?: Condition;
    }
  | { delete: Key; if?: Condition }
  | { check: Key; if: Condition };

/** What came of a transaction: done, or which write's condition failed, with the item that stood in the way. */
export type Written = { ok: true } | { ok: false; index: number; item?: Item };

/** A query in one partition of the table or of an index, in sort-key order. Bounds are inclusive. */
export interface Query {
  index?: 'owed' | 'open' | 'byMember' | 'byMonth';
  pk: string;
  from?: string;
  to?: string;
  startsWith?: string;
  descending?: boolean;
  limit?: number;
  /** Strongly consistent; not possible on an index. */
  consistent?: boolean;
}

/** Names of the key attributes of the table's indexes. */
export const INDEX_KEYS = {
  owed: { pk: 'owedPk', sk: 'owedAt' },
  open: { pk: 'openPk', sk: 'openAt' },
  byMember: { pk: 'memberPk', sk: 'memberAt' },
  byMonth: { pk: 'monthPk', sk: 'monthAt' },
} as const;

/**
 * The district's table as the store needs it: a document table with transactions. Indexes hold keys only.
 * Two implementations pass one contract suite: DynamoDB and memory.
 */
export interface Table {
  /** Strongly consistent read. */
  get(key: Key): Promise<Item | undefined>;
  /** Eventually consistent reads of up to hundreds of items; order as asked, missing ones left out. */
  getMany(keys: readonly Key[]): Promise<Item[]>;
  /** All items up to `limit`; pages are followed. On an index only keys are returned. */
  query(query: Query): Promise<Item[]>;
  /** All or nothing, at most 100 writes. Retries only transaction conflicts and throttling, with jitter. */
  write(writes: readonly Write[]): Promise<Written>;
}
