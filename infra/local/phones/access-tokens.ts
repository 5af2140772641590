import { randomBytes } from 'node:crypto';

const LIVES_S = 7_200;

/** A token is in force, was once, or has never been given. */
export type TokenState = 'good' | 'ended' | 'unknown';

/**
 * Access tokens as WeCom and DingTalk describe theirs: two hours, the same one for whoever asks meanwhile, and the vendor may end one
 * early. They die with the emulator, as all tokens would in a breakdown.
 */
export class AccessTokens {
  readonly #now: () => number;
  readonly #ended = new Set<string>();
  #current: { token: string; until: number } | undefined;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** The one in force, or a new one, with the seconds it has left. */
  give(): { token: string; seconds: number } {
    const now = this.#now();
    if (this.#current === undefined || this.#current.until <= now) {
      this.end();
      this.#current = { token: randomBytes(48).toString('base64url'), until: now + LIVES_S * 1_000 };
    }
    return { token: this.#current.token, seconds: Math.floor((this.#current.until - now) / 1_000) };
  }

  /** Ends the one in force before its time. */
  end(): void {
    if (this.#current) this.#ended.add(this.#current.token);
    this.#current = undefined;
  }

  state(token: string): TokenState {
    if (this.#current?.token === token) return this.#current.until > this.#now() ? 'good' : 'ended';
    return this.#ended.has(token) ? 'ended' : 'unknown';
  }
}
