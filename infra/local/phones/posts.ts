import { setTimeout as after } from 'node:timers/promises';
import { type Trouble, troubleWith } from '../disk.ts';
import type { MessageStore, StoredMessage } from './message-store.ts';
import type { PhoneReply, Post, VendorPosts } from './vendor.ts';

/** Real milliseconds before the second, third … try; the real vendors wait longer, which would only make the local system slow to test. */
const RETRIES_MS = [100, 500, 2_000];
const TIMEOUT_MS = 10_000;

/** 2017-01-01 00:00:00 in Chinese time, as vendors write it. */
export const chineseTime = (ms: number) =>
  new Date(ms + 8 * 3_600_000).toISOString().slice(0, 19).replace('T', ' ');

/**
 * Tells a vendor's customer what became of his messages, and what people answered: receipts in batches when they come faster
 * than they are taken, tried a few times and then given up. They wait while no address is known and while the emulator is down.
 */
export class Posts {
  readonly #vendor: string;
  readonly #how: VendorPosts;
  readonly #store: MessageStore;
  readonly #stopped = new AbortController();
  readonly #queue: (StoredMessage | { reply: PhoneReply })[] = [];
  readonly #waiting: (() => void)[] = [];
  #url: string | undefined;
  #inFlight = 0;
  #posting = false;
  readonly #trouble: Trouble;

  /** @param log hears when the store takes nothing, and when it does again. */
  constructor(vendor: string, how: VendorPosts, store: MessageStore, log: (line: string) => void) {
    this.#vendor = vendor;
    this.#how = how;
    this.#store = store;
    this.#trouble = troubleWith("The vendor's memory of receipts", log);
  }

  /** Posts that are on their way or about to be; those without an address to go to are not counted. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** From now on posts go to this address; receipts that were owed before one was known go at once. */
  deliverTo(url: string): void {
    const first = this.#url === undefined;
    this.#url = url;
    if (first) for (const message of this.#store.receiptsOwed(this.#vendor)) this.owe(message);
  }

  /** The message has ended: its sender shall hear of it. Without an address the store alone remembers. */
  owe(message: StoredMessage): void {
    this.#add(message);
  }

  /** Somebody has answered. False: this vendor takes no answers, or nobody to tell is known. */
  reply(reply: PhoneReply): boolean {
    if (this.#how.reply === undefined || this.#url === undefined) return false;
    this.#add({ reply });
    return true;
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

  #add(what: StoredMessage | { reply: PhoneReply }): void {
    if (this.#url === undefined || this.#stopped.signal.aborted) return;
    this.#queue.push(what);
    this.#inFlight += 1;
    if (!this.#posting) void this.#postAll();
  }

  async #postAll(): Promise<void> {
    this.#posting = true;
    // Let the answer to the send go out first.
    await new Promise((resolve) => setImmediate(resolve));
    for (let first = this.#queue[0]; first !== undefined; first = this.#queue[0]) {
      if ('reply' in first) {
        this.#queue.shift();
        const post = this.#how.reply?.(first.reply);
        if (post) await this.#post(post);
        if (this.#stopped.signal.aborted) break;
        this.#inFlight -= 1;
      } else {
        const batch = this.#batch();
        await this.#post(this.#how.receipts(batch));
        if (this.#stopped.signal.aborted) break;
        try {
          this.#store.receiptsSettled(batch.map((m) => m.id));
          this.#trouble.worked();
        } catch (error) {
          // Still owed, then: told once more after the next start, as a real vendor may do at any time.
          this.#trouble.failed(error);
        }
        this.#inFlight -= batch.length;
      }
      if (this.#inFlight === 0) this.#wake();
    }
    this.#posting = false;
  }

  /** As many receipts as one post may hold, up to the next answer of a person. */
  #batch(): StoredMessage[] {
    const batch: StoredMessage[] = [];
    for (let next = this.#queue[0]; next !== undefined && !('reply' in next); next = this.#queue[0]) {
      if (batch.length === this.#how.batch) break;
      batch.push(next);
      this.#queue.shift();
    }
    return batch;
  }

  async #post(post: Post): Promise<void> {
    for (let attempt = 0; !this.#stopped.signal.aborted; attempt++) {
      if (this.#url !== undefined && (await this.#taken(this.#url, post))) return;
      const wait = RETRIES_MS[attempt];
      if (wait === undefined) return;
      await after(wait, undefined, { signal: this.#stopped.signal }).catch(() => {});
    }
  }

  async #taken(url: string, post: Post): Promise<boolean> {
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: post.headers,
        body: post.body,
        signal: AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), this.#stopped.signal]),
      });
      return this.#how.took(response.status, await response.text());
    } catch {
      return false;
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** An acknowledgement that is JSON with one certain field, and HTTP 2xx. */
export const tookJson =
  (field: string, value: unknown): VendorPosts['took'] =>
  (status, body) => {
    try {
      const answer: unknown = JSON.parse(body);
      return (
        status >= 200 &&
        status < 300 &&
        typeof answer === 'object' &&
        answer !== null &&
        Object.entries(answer).some(([name, said]) => name === field && said === value)
      );
    } catch {
      return false;
    }
  };
