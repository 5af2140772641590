import * as fc from '../properties.ts';
import { describe, expect, it } from 'vitest';
import { loadVendors } from '#shared/districts/load.ts';
import { vendorSchema } from '#shared/domain/channel.ts';
import { canarySchema, lookAtVendor, type CanaryState } from '#shared/domain/canary.ts';

const SMS = { channel: 'sms' as const, price: { milli: 45, per: 'segment' as const }, limits: [] };
const CHAT = { channel: 'chat' as const, price: { milli: 0, per: 'message' as const }, limits: [] };
const MINUTE = 60_000;
/** Of the district's day. */
const MIDNIGHT = Date.parse('2026-03-03T16:00:00.000Z');

/** Looks every minute of some hours, with traffic in the given minutes; the minutes in which the vendor was tried. */
const tries = (
  is: Parameters<typeof lookAtVendor>[0],
  minutes: number,
  traffic: ReadonlySet<number>,
): number[] => {
  let state: CanaryState | undefined;
  let sent = 0;
  const tried: number[] = [];
  for (let minute = 0; minute < minutes; minute += 1) {
    // A ledger begins anew with its day.
    if (minute % 1_440 === 0) sent = 0;
    if (traffic.has(minute)) sent += 1;
    const look = lookAtVendor(is, state, sent, MIDNIGHT + minute * MINUTE);
    state = look.state;
    // A try stands in the ledger as well.
    if (look.due) {
      tried.push(minute);
      sent += 1;
    }
  }
  return tried;
};

describe('a vendor that costs', () => {
  it('is never tried within an hour of traffic, nor more than twenty times a day', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 2_879 }), { maxLength: 40 }), (busy) => {
        const tried = tries(SMS, 2_880, new Set(busy));
        for (const minute of tried)
          expect(busy.filter((one) => one <= minute && minute - one < 60)).toEqual([]);
        for (const day of [0, 1])
          expect(tried.filter((minute) => Math.floor(minute / 1_440) === day).length).toBeLessThanOrEqual(20);
      }),
      { numRuns: 30 },
    );
  });

  it('that nobody uses is tried about every hour, until twenty', () => {
    const tried = tries(SMS, 1_440, new Set());
    expect(tried.length).toBe(20);
    expect(tried[0]).toBe(60);
    expect(tried.slice(1).every((minute, i) => minute - (tried[i] ?? 0) <= 61)).toBe(true);
  });
});

describe('a free channel', () => {
  it('is tried every two minutes, used or not', () => {
    expect(tries(CHAT, 11, new Set([3, 5]))).toEqual([0, 2, 4, 6, 8, 10]);
    const { state } = lookAtVendor(CHAT, undefined, 0, MIDNIGHT + 5_000);
    expect(lookAtVendor(CHAT, state, 1, MIDNIGHT + 2 * MINUTE).due).toBe(true);
    expect(lookAtVendor(CHAT, state, 1, MIDNIGHT + MINUTE + 10_000).due).toBe(false);
  });
});

it('no vendor is tried so often that its own limit blinds it before the day is over', () => {
  const { vendors } = loadVendors();
  for (const vendor of vendorSchema.options) {
    const is = vendors[vendor];
    if (!is) continue;
    const tried = tries(is, 1_440, new Set());
    for (const { per, seconds, most } of is.limits) {
      if (per !== 'number') continue;
      const minutes = seconds / 60;
      for (const first of tried)
        expect(tried.filter((one) => one >= first && one < first + minutes).length).toBeLessThanOrEqual(most);
    }
  }
  expect(vendors.dingtalk?.price.milli).toBe(0);
});

it('nobody is tried out by voice', () => {
  expect(canarySchema.safeParse({ 'aliyun-voice': '19900001000' }).success).toBe(false);
  expect(canarySchema.safeParse({ 'aliyun-sms': '19900001000' }).success).toBe(true);
});
