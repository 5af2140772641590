import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Backoff } from '../ports/backoff.ts';
import type { Clock } from '../ports/clock.ts';
import type { Ids } from '../ports/ids.ts';

/** The machine's clock; the local cloud shifts `Date` for the functions it runs. */
export const systemClock: Clock = { now: () => new Date() };

const BASE32 = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

const base32 = (value: bigint, length: number): string => {
  let rest = value;
  let text = '';
  for (let i = 0; i < length; i += 1) {
    text = BASE32[Number(rest & 31n)] + text;
    rest >>= 5n;
  }
  return text;
};

/** A ULID (github.com/ulid/spec): 48 bits of time, 80 of chance, so that ids sort by their making. */
export const ulidAt = (ms: number, chance: Uint8Array): string =>
  base32(BigInt(ms), 10) + base32(BigInt(`0x${Buffer.from(chance).toString('hex')}`), 16);

/** Chance from the operating system, time from a clock. */
export const systemIds = (clock: Clock): Ids => ({
  ulid: () => ulidAt(clock.now().getTime(), randomBytes(10)),
  nonce: () => randomUUID(),
});

/** Full jitter, doubling from 10 ms: two people who tapped at once decide again at different moments. */
export const jitter: Backoff = (attempt) => sleep(Math.random() * 10 * 2 ** attempt);
