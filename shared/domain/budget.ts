import type { Vendor } from './channel.ts';
import type { Instant } from './incident.ts';
import { districtDay } from './roster.ts';
import type { Limit } from './vendors.ts';

/** A window is counted in so many slices: the sum over one slice more than a window is never less than what the vendor counts. */
const SLICES = 24;
/** Share of a budget that is kept for accept notices and P1; from here on others wait, and the desk is warned. */
const RESERVE = 0.2;

/** What a message is counted by. `text`: a short fingerprint of its words. */
export type Subject = { template: string; text: string };

/** The days of the district that a limit looks at: no window is longer than one; the counters of each stand in one item. */
export const budgetDays = (now: Instant): string[] => [now, now - 86_400_000].map((at) => districtDay(at));

const sliceMs = ({ seconds }: Limit): number => (seconds * 1000) / SLICES;
const keyOf = (vendor: Vendor, limit: Limit, subject: Subject, slice: number): string => {
  const what = limit.per === 'number' ? '' : subject[limit.per];
  return `${vendor}|${limit.seconds}|${what}|${slice}`;
};

/** The counters that one message raises. */
export const spend = (
  vendor: Vendor,
  limits: readonly Limit[],
  subject: Subject,
  now: Instant,
): Record<string, number> =>
  Object.fromEntries(
    limits.map((limit) => [keyOf(vendor, limit, subject, Math.floor(now / sliceMs(limit))), 1]),
  );

/**
 * May another message of this vendor go to this number? `warn`: 80 % are spent; `reserved`: what is left is kept for those whose
 * minute runs; `spent`: the vendor would refuse it, or worse, drop it silently.
 */
export const budgetOf = (
  vendor: Vendor,
  limits: readonly Limit[],
  subject: Subject,
  counters: Readonly<Record<string, number>>,
  now: Instant,
): 'free' | 'warn' | 'reserved' | 'spent' => {
  const verdicts = limits.map((limit) => {
    const last = Math.floor(now / sliceMs(limit));
    let used = 0;
    for (let slice = last - SLICES; slice <= last; slice += 1)
      used += counters[keyOf(vendor, limit, subject, slice)] ?? 0;
    if (used >= limit.most) return 'spent';
    const open = limit.most - Math.floor(limit.most * RESERVE);
    if (used >= open) return 'reserved';
    return limit.most > 4 && used + 1 >= open ? 'warn' : 'free';
  });
  return (['spent', 'reserved', 'warn'] as const).find((verdict) => verdicts.includes(verdict)) ?? 'free';
};

/** When the number may be sent to again, if nothing more is sent to it; `now`, if it may be now. */
export const freeAt = (
  vendor: Vendor,
  limits: readonly Limit[],
  subject: Subject,
  counters: Readonly<Record<string, number>>,
  now: Instant,
): Instant =>
  limits.reduce((latest, limit) => {
    const slice = sliceMs(limit);
    let at = now;
    while (budgetOf(vendor, [limit], subject, counters, at) === 'spent')
      at = (Math.floor(at / slice) + 1) * slice;
    return Math.max(latest, at);
  }, now);

/** The counter of a day's tries with a vendor: of two that are booked at once, the second finds it raised. */
export const triesOf = (vendor: Vendor, day: string): string => `${vendor}|tries|${day}`;

/** A fingerprint of words (FNV-1a, 32 bit): equal words, equal fingerprint; nobody can read it back. */
export const fingerprint = (words: string): string => {
  let hash = 0x811c9dc5;
  for (let i = 0; i < words.length; i += 1) hash = Math.imul(hash ^ words.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(36);
};
