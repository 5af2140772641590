import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import * as z from 'zod';

const CHANNELS = ['push', 'chat', 'sms', 'voice'] as const;

/** A message that a vendor has taken over. */
export interface StoredMessage {
  /** Row number; grows with time. */
  id: number;
  /** Who took it, as in `/vendors/<name>`. */
  vendor: string;
  channel: (typeof CHANNELS)[number];
  /** A mobile number, a user id, an alias: as the vendor addresses people. */
  to: string;
  /** Virtual ms since 1970, when the vendor took it. */
  at: number;
  /** As it stands on the phone, or is spoken. */
  text: string;
  /** The vendor's code of the template; empty if he takes words. */
  template: string;
  /** The vendor's own id. */
  vendorId: string;
  /** What the customer gave to be told again in the receipt. */
  ours: string;
  /** 1 under way, or ringing · 2 failed · 3 arrived. */
  state: 1 | 2 | 3;
  /** Virtual ms of the end; 0 while under way. */
  endedAt: number;
  /** The carrier's code of the end. */
  code: string;
  /** Is it to be seen on the phone? What has arrived, and a call from its first ring. */
  shown: boolean;
  /** Whatever else the vendor has to remember of it: link, keys pressed, when it was read. */
  more: Record<string, string>;
}

/** A message as its vendor hands it over. Those of state 3 are shown, others only if they ring. */
export type NewMessage = Omit<StoredMessage, 'id' | 'vendor' | 'channel' | 'shown' | 'more' | 'code'> & {
  code?: string;
  more?: Record<string, string>;
  rings?: boolean;
  /** Of a failed one: is the customer told? */
  report?: boolean;
};

const rowSchema = z
  .object({
    id: z.int(),
    vendor: z.string(),
    channel: z.enum(CHANNELS),
    number: z.string(),
    at: z.int(),
    text: z.string(),
    template: z.string(),
    biz_id: z.string(),
    out_id: z.string(),
    state: z.literal([1, 2, 3]),
    delivered_at: z.int(),
    code: z.string(),
    shown: z.int(),
    more: z.string(),
  })
  .transform(({ number, biz_id, out_id, delivered_at, shown, more, ...row }): StoredMessage => ({
    ...row,
    to: number,
    vendorId: biz_id,
    ours: out_id,
    endedAt: delivered_at,
    shown: shown === 1,
    more: moreSchema.parse(JSON.parse(more)),
  }));
const moreSchema = z.record(z.string(), z.string());
const countSchema = z.object({ n: z.int() });
const columnSchema = z.object({ name: z.string() });

/** What was added since there was only one vendor; a data directory of that time is taken over. */
const ADDED = {
  vendor: `TEXT NOT NULL DEFAULT 'aliyun-sms'`,
  channel: `TEXT NOT NULL DEFAULT 'sms'`,
  code: `TEXT NOT NULL DEFAULT 'DELIVERED'`,
  shown: 'INTEGER NOT NULL DEFAULT 1',
  more: `TEXT NOT NULL DEFAULT '{}'`,
};

/**
 * The vendors' memory: messages, receipts still owed, spent nonces. One SQLite file, so that it survives kill -9
 * (WAL: what was committed is with the kernel) and a restart goes on with the receipts it owed.
 */
export class MessageStore {
  readonly #db: DatabaseSync;
  readonly #insert;
  readonly #spend;
  readonly #forget;
  readonly #posted;

  /** @param dir folder for `phones.sqlite`, or ':memory:'. */
  constructor(dir: string) {
    if (dir !== ':memory:') mkdirSync(dir, { recursive: true });
    this.#db = new DatabaseSync(dir === ':memory:' ? dir : join(dir, 'phones.sqlite'));
    this.#db.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = NORMAL;
      PRAGMA busy_timeout = 2000;
      CREATE TABLE IF NOT EXISTS message (
        id INTEGER PRIMARY KEY, number TEXT NOT NULL, at INTEGER NOT NULL, text TEXT NOT NULL, template TEXT NOT NULL,
        biz_id TEXT NOT NULL, out_id TEXT NOT NULL, state INTEGER NOT NULL, delivered_at INTEGER NOT NULL, receipt_owed INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX IF NOT EXISTS message_by_number ON message (number, template, at);
      CREATE INDEX IF NOT EXISTS receipt_owed ON message (id) WHERE receipt_owed = 1;
      CREATE TABLE IF NOT EXISTS nonce (value TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
      CREATE INDEX IF NOT EXISTS nonce_at ON nonce (at);
    `);
    const there = this.#db
      .prepare('PRAGMA table_info(message)')
      .all()
      .map((row) => columnSchema.parse(row).name);
    const missing = Object.entries(ADDED).filter(([name]) => !there.includes(name));
    for (const [name, column] of missing) this.#db.exec(`ALTER TABLE message ADD COLUMN ${name} ${column}`);
    if (missing.length > 0) this.#db.exec('UPDATE message SET shown = 0 WHERE state <> 3');
    this.#db.exec(`
      CREATE INDEX IF NOT EXISTS message_by_vendor_id ON message (biz_id);
      CREATE INDEX IF NOT EXISTS ringing ON message (vendor) WHERE state = 1 AND shown = 1;
    `);
    this.#insert = this.#db.prepare(
      `INSERT INTO message (vendor, channel, number, at, text, template, biz_id, out_id, state, delivered_at, code, shown, more, receipt_owed)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#spend = this.#db.prepare('INSERT OR IGNORE INTO nonce (value, at) VALUES (?, ?)');
    this.#forget = this.#db.prepare('DELETE FROM nonce WHERE at < ?');
    this.#posted = this.#db.prepare('UPDATE message SET receipt_owed = 0 WHERE id = ?');
  }

  /** Writes a message. `owes`: its receipt has to be posted from now on. */
  add(m: Omit<StoredMessage, 'id'>, owes: boolean): StoredMessage {
    const { lastInsertRowid } = this.#insert.run(
      m.vendor,
      m.channel,
      m.to,
      m.at,
      m.text,
      m.template,
      m.vendorId,
      m.ours,
      m.state,
      m.endedAt,
      m.code,
      m.shown ? 1 : 0,
      JSON.stringify(m.more),
      owes ? 1 : 0,
    );
    return { ...m, id: Number(lastInsertRowid) };
  }

  /** Writes down what has become of a message. `owes`: as above. */
  change(m: StoredMessage, owes: boolean): StoredMessage {
    this.#db
      .prepare(
        'UPDATE message SET state = ?, delivered_at = ?, code = ?, shown = ?, more = ?, receipt_owed = max(receipt_owed, ?) WHERE id = ?',
      )
      .run(m.state, m.endedAt, m.code, m.shown ? 1 : 0, JSON.stringify(m.more), owes ? 1 : 0, m.id);
    return m;
  }

  /** False if this key has used the nonce before. Nonces older than an hour are forgotten: their dates are refused anyway. */
  spendNonce(key: string, nonce: string, now: number): boolean {
    this.#forget.run(now - 3_600_000);
    return this.#spend.run(`${key} ${nonce}`, now).changes === 1;
  }

  /** How many messages of a template or of one text a vendor has sent to this address after `since` (virtual ms). */
  count(vendor: string, to: string, by: { template: string } | { text: string }, since: number): number {
    const [column, value] = 'text' in by ? ['text', by.text] : ['template', by.template];
    const row = this.#db
      .prepare(
        `SELECT count(*) AS n FROM message WHERE number = ? AND ${column} = ? AND at > ? AND vendor = ?`,
      )
      .get(to, value, since, vendor);
    return countSchema.parse(row).n;
  }

  /** Everything a vendor sent to an address within [from, to), newest first, arrived or not. */
  sentTo(vendor: string, to: string, from: number, until: number): StoredMessage[] {
    return this.#all(
      'WHERE number = ? AND at >= ? AND at < ? AND vendor = ? ORDER BY id DESC',
      to,
      from,
      until,
      vendor,
    );
  }

  /** By the vendor's own id, in order of arrival. */
  byVendorId(vendor: string, vendorId: string): StoredMessage[] {
    return this.#all('WHERE biz_id = ? AND vendor = ? ORDER BY id', vendorId, vendor);
  }

  /** A vendor's calls that nobody has taken yet, in order of their beginning. */
  ringing(vendor: string): StoredMessage[] {
    return this.#all('WHERE state = 1 AND shown = 1 AND vendor = ? ORDER BY id', vendor);
  }

  /** What the phones show, in order of arrival. */
  shown(to?: string): StoredMessage[] {
    return to === undefined
      ? this.#all('WHERE shown = 1 ORDER BY id')
      : this.#all('WHERE shown = 1 AND number = ? ORDER BY id', to);
  }

  /** The newest that the phones show, newest first. */
  newest(limit: number): StoredMessage[] {
    return this.#all('WHERE shown = 1 ORDER BY id DESC LIMIT ?', limit);
  }

  /** A vendor's messages that have ended, but whose customer has not been told. */
  receiptsOwed(vendor: string): StoredMessage[] {
    return this.#all('WHERE receipt_owed = 1 AND vendor = ? ORDER BY id', vendor);
  }

  /** The customer was told, or the vendor has given up telling him. */
  receiptsSettled(ids: number[]): void {
    this.#db.exec('BEGIN');
    try {
      for (const id of ids) this.#posted.run(id);
      this.#db.exec('COMMIT');
    } finally {
      // After a failure: without it every later write would belong to a transaction that nobody ends.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
    }
  }

  close(): void {
    this.#db.close();
  }

  #all(where: string, ...values: (string | number)[]): StoredMessage[] {
    return this.#db
      .prepare(`SELECT * FROM message ${where}`)
      .all(...values)
      .map((row) => rowSchema.parse(row));
  }
}
