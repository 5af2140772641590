import * as z from 'zod';
import { vendorSchema, type Vendor } from './channel.ts';
import { instantSchema, type Instant } from './incident.ts';
import { districtDay } from './roster.ts';
import type { VendorFacts } from './vendors.ts';

/**
 * Where each vendor is tried out when nobody uses it: a telephone or an account that lies in the duty room. A vendor that does not stand
 * here is not tried. None by voice: a telephone that rings all night is switched off, and with it the alarm.
 */
export const canarySchema = z
  .partialRecord(vendorSchema, z.string().min(1).max(400))
  .refine((addresses) => addresses['aliyun-voice'] === undefined, {
    message: 'no vendor is tried out by voice',
    path: ['aliyun-voice'],
  });

/** What is remembered of a vendor between two looks. */
export const canaryStateSchema = z.object({
  /** Messages of the ledger's day, as they stood at the last look. */
  day: z.string(),
  n: z.int().nonnegative(),
  /** When traffic was last seen. */
  busyAt: instantSchema,
  /** When it was last tried out. */
  triedAt: instantSchema.optional(),
  /** Tries of that day. */
  tries: z.int().nonnegative(),
});
/** What is remembered of a vendor between two looks. */
export type CanaryState = z.infer<typeof canaryStateSchema>;

/**
 * A free channel is tried every two minutes; one that costs after an hour without traffic, at most twenty times a day. Neither more often than
 * one number or account may be written to (DingTalk: 500 times a day), or the vendor would seem dead from the afternoon on.
 */
const FREE_MS = 120_000;
/** Looks come every minute, some of them a few seconds early: without the slack that would make three minutes of two. */
const SLACK_MS = 15_000;
const QUIET_MS = 3_600_000;
const MOST_A_DAY = 20;

/**
 * One look at a vendor: what is remembered from now on, and whether it is tried out now. `sent`: messages of this day's ledger. A vendor
 * that was never looked at counts as used just now, so that a fresh start does not begin with a volley.
 */
export const lookAtVendor = (
  { channel, price, limits }: Pick<VendorFacts, 'channel' | 'price' | 'limits'>,
  before: CanaryState | undefined,
  sent: number,
  now: Instant,
): { state: CanaryState; due: boolean } => {
  const day = districtDay(now);
  const same = before?.day === day;
  const busy = !before || sent > (same ? before.n : 0);
  const tries = same ? before.tries : 0;
  const busyAt = busy ? now : before.busyAt;
  const quietSince = Math.max(busyAt, before?.triedAt ?? 0);
  const free = price.milli === 0;
  const sinceTry = now - (before?.triedAt ?? 0);
  const rested = limits.every(
    ({ per, seconds, most }) => per !== 'number' || sinceTry >= (seconds * 1000) / most,
  );
  const due =
    channel !== 'voice' &&
    rested &&
    (free ? sinceTry >= FREE_MS - SLACK_MS : now - quietSince >= QUIET_MS && tries < MOST_A_DAY);
  return {
    state: {
      day,
      n: sent,
      busyAt,
      ...(due ? { triedAt: now } : before?.triedAt === undefined ? {} : { triedAt: before.triedAt }),
      tries: tries + (due ? 1 : 0),
    },
    due,
  };
};

/** The owner by which the queue names a canary. */
export const CANARY = 'CANARY';
/** Seconds after which a vendor that can be asked must know that a canary has arrived. */
export const CANARY_ASKED_AFTER = 10;

/** Names a canary; receipts of it are left alone. */
export const canaryId = (vendor: Vendor, at: Instant): string => `${CANARY}.${vendor}.${at}`;
/** Is this a canary's id? */
export const isCanary = (attemptId: string | undefined): boolean =>
  attemptId?.startsWith(`${CANARY}.`) ?? false;
