import { expect, test } from 'vitest';
import { jitter, systemClock, systemIds, ulidAt } from '#shared/adapters/system.ts';
import { T0 } from './fixtures.ts';

test('ids are ULIDs: the time of the specification, 26 signs of its alphabet, sorted by their making', () => {
  // github.com/ulid/spec: ulid(1469918176385) begins with 01ARYZ6S41.
  expect(ulidAt(1_469_918_176_385, Buffer.alloc(10))).toBe('01ARYZ6S410000000000000000');
  expect(ulidAt(2 ** 48 - 1, Buffer.alloc(10, 0xff))).toBe('7ZZZZZZZZZZZZZZZZZZZZZZZZZ');
  let now = T0;
  const ids = systemIds({ now: () => new Date(now) });
  const made = Array.from({ length: 50 }, () => {
    now += 1;
    return ids.ulid();
  });
  expect(made.toSorted()).toEqual(made);
  for (const id of made) expect(id).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/);
  now = T0;
  expect(new Set(Array.from({ length: 1_000 }, () => ids.ulid())).size).toBe(1_000);
  expect(ids.nonce()).not.toBe(ids.nonce());
});

test('the clock follows a shifted Date, and a short wait ends', async () => {
  const before = Date.now();
  await jitter(1);
  expect(systemClock.now().getTime()).toBeGreaterThanOrEqual(before);
  expect(Date.now() - before).toBeLessThan(5_000);
});
