import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import * as z from 'zod';

/** A text the vendor has taken over. */
export interface StoredMessage {
  /** Row number; grows with time. */
  id: number;
  number: string;
  /** Virtual ms since 1970, when the vendor took it. */
  at: number;
  text: string;
  template: string;
  bizId: string;
  outId: string;
  /** As the vendor counts them: 1 waiting, 2 failed, 3 delivered. Only delivered ones are seen on the phone. */
  state: 1 | 2 | 3;
  /** Virtual ms of delivery; 0 while waiting. */
  deliveredAt: number;
}

const rowSchema = z
  .object({
    id: z.int(),
    number: z.string(),
    at: z.int(),
    text: z.string(),
    template: z.string(),
    biz_id: z.string(),
    out_id: z.string(),
    state: z.literal([1, 2, 3]),
    delivered_at: z.int(),
  })
  .transform(({ biz_id, out_id, delivered_at, ...row }): StoredMessage => ({
    ...row,
    bizId: biz_id,
    outId: out_id,
    deliveredAt: delivered_at,
  }));
const countSchema = z.object({ n: z.int() });

/**
 * The vendor's memory: texts, receipts still owed, spent nonces. One SQLite file, so that it survives kill -9
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
    this.#insert = this.#db.prepare(
      `INSERT INTO message (number, at, text, template, biz_id, out_id, state, delivered_at, receipt_owed)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#spend = this.#db.prepare('INSERT OR IGNORE INTO nonce (value, at) VALUES (?, ?)');
    this.#forget = this.#db.prepare('DELETE FROM nonce WHERE at < ?');
    this.#posted = this.#db.prepare('UPDATE message SET receipt_owed = 0 WHERE id = ?');
  }

  /** Writes a text; a delivered one owes a receipt from now on. */
  add(m: Omit<StoredMessage, 'id'>): StoredMessage {
    const { lastInsertRowid } = this.#insert.run(
      m.number,
      m.at,
      m.text,
      m.template,
      m.bizId,
      m.outId,
      m.state,
      m.deliveredAt,
      m.state === 3 ? 1 : 0,
    );
    return { ...m, id: Number(lastInsertRowid) };
  }

  /** False if this key has used the nonce before. Nonces older than an hour are forgotten: their dates are refused anyway. */
  spendNonce(accessKeyId: string, nonce: string, now: number): boolean {
    this.#forget.run(now - 3_600_000);
    return this.#spend.run(`${accessKeyId} ${nonce}`, now).changes === 1;
  }

  /** How many texts of a template this number was sent after `since` (virtual ms). */
  count(number: string, template: string, since: number): number {
    const row = this.#db
      .prepare('SELECT count(*) AS n FROM message WHERE number = ? AND template = ? AND at > ?')
      .get(number, template, since);
    return countSchema.parse(row).n;
  }

  /** Everything sent to a number within [from, to), newest first, delivered or not: what QuerySendDetails shows. */
  sentTo(number: string, from: number, to: number): StoredMessage[] {
    return this.#all('WHERE number = ? AND at >= ? AND at < ? ORDER BY id DESC', number, from, to);
  }

  /** What the phones show, in order of arrival. */
  delivered(number?: string): StoredMessage[] {
    return number === undefined
      ? this.#all('WHERE state = 3 ORDER BY id')
      : this.#all('WHERE state = 3 AND number = ? ORDER BY id', number);
  }

  /** The newest delivered texts, newest first. */
  newest(limit: number): StoredMessage[] {
    return this.#all('WHERE state = 3 ORDER BY id DESC LIMIT ?', limit);
  }

  /** Delivered, but the sender has not been told. */
  receiptsOwed(): StoredMessage[] {
    return this.#all('WHERE receipt_owed = 1 ORDER BY id');
  }

  /** The sender was told, or the vendor has given up telling him. */
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
