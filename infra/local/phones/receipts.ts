import { setTimeout as after } from 'node:timers/promises';
import { type Trouble, troubleWith } from '../disk.ts';
import type { MessageStore, StoredMessage } from './message-store.ts';

/** Real milliseconds before the second, third … try; the real vendor waits longer, which would only make the local system slow to test. */
const RETRIES_MS = [100, 500, 2_000];
const BATCH = 50;
const TIMEOUT_MS = 10_000;

/** 2017-01-01 00:00:00 in Chinese time, as the vendor writes it. */
export const chineseTime = (ms: number) =>
  new Date(ms + 8 * 3_600_000).toISOString().slice(0, 19).replace('T', ' ');

/**
 * Tells the sender what became of its texts («SmsReport», HTTP push): JSON arrays, in batches when they come faster than they are taken,
 * tried a few times and then given up. Receipts wait while no address is known and while the emulator is down.
 */
export class Receipts {
  readonly #store: MessageStore;
  readonly #stopped = new AbortController();
  readonly #queue: StoredMessage[] = [];
  readonly #waiting: (() => void)[] = [];
  #url: string | undefined;
  #inFlight = 0;
  #posting = false;
  readonly #trouble: Trouble;

  /** @param log hears when the store takes nothing, and when it does again. */
  constructor(store: MessageStore, log: (line: string) => void) {
    this.#store = store;
    this.#trouble = troubleWith("The vendor's memory of receipts", log);
  }

  /** Receipts that are on their way or about to be; those without an address to go to are not counted. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** From now on receipts go to this address; those that were owed before one was known go at once. */
  deliverTo(url: string): void {
    const first = this.#url === undefined;
    this.#url = url;
    if (first) for (const message of this.#store.receiptsOwed()) this.owe(message);
  }

  /** The text has reached the phone: the sender shall hear of it. Without an address the store alone remembers. */
  owe(message: StoredMessage): void {
    if (this.#url === undefined || this.#stopped.signal.aborted) return;
    this.#queue.push(message);
    this.#inFlight += 1;
    if (!this.#posting) void this.#postAll();
  }

  /** Resolves once nothing is in flight. */
  idle(): Promise<void> {
    return this.inFlight === 0 ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Stops posting; what was not told stays owed in the store. */
  stop(): void {
    this.#stopped.abort();
    this.#queue.length = 0;
    this.#inFlight = 0;
    this.#wake();
  }

  async #postAll(): Promise<void> {
    this.#posting = true;
    // Let the answer to the send go out first.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, BATCH);
      await this.#post(batch);
      if (this.#stopped.signal.aborted) break;
      try {
        this.#store.receiptsSettled(batch.map((m) => m.id));
        this.#trouble.worked();
      } catch (error) {
        // Still owed, then: told once more after the next start, as a real vendor may do at any time.
        this.#trouble.failed(error);
      }
      this.#inFlight -= batch.length;
      if (this.#inFlight === 0) this.#wake();
    }
    this.#posting = false;
  }

  async #post(batch: StoredMessage[]): Promise<void> {
    const body = JSON.stringify(
      batch.map((m) => ({
        phone_number: m.number,
        send_time: chineseTime(m.at),
        report_time: chineseTime(m.deliveredAt),
        success: true,
        err_code: 'DELIVERED',
        err_msg: '用户接收成功',
        sms_size: String(Math.max(1, Math.ceil(m.text.length / 70))),
        biz_id: m.bizId,
        out_id: m.outId,
      })),
    );
    for (let attempt = 0; !this.#stopped.signal.aborted; attempt++) {
      if (this.#url !== undefined && (await this.#taken(this.#url, body))) return;
      const wait = RETRIES_MS[attempt];
      if (wait === undefined) return;
      await after(wait, undefined, { signal: this.#stopped.signal }).catch(() => {});
    }
  }

  /** Taken means HTTP 2xx and `"code": 0`, as the vendor's document wants it. */
  async #taken(url: string, body: string): Promise<boolean> {
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json;charset=utf-8' },
        body,
        signal: AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), this.#stopped.signal]),
      });
      const answer: unknown = await response.json();
      return (
        response.ok && typeof answer === 'object' && answer !== null && 'code' in answer && answer.code === 0
      );
    } catch {
      return false;
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
