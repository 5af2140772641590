import { fingerprint } from './budget.ts';
import type { Vendor } from './channel.ts';
import type { Instant } from './incident.ts';
import { districtDay } from './roster.ts';

/** One item for a day would be hot: 50 notices in a second conflict. */
const SHARDS = 8;

/** A day's ledger is kept for a year and a month. Milliseconds. */
export const LEDGER_MS = 400 * 86_400_000;

/** A receipt within this time is what a vendor that works gives. Milliseconds. */
const FAST_MS = 10_000;

const nameOf = (at: Instant, shard: number): string => `LEDGER-${districtDay(at)}-${shard}`;

/** The counters of the day's ledger that somebody's notices go into; days of the district. */
export const ledgerFor = (at: Instant, whom: string): string =>
  nameOf(at, Number.parseInt(fingerprint(whom), 36) % SHARDS);

/** All parts of a day's ledger. */
export const ledgersOf = (at: Instant): string[] =>
  Array.from({ length: SHARDS }, (_, shard) => nameOf(at, shard));

/** What an accepted message adds. `milli`: 1/1000 CNY. */
export const charged = (vendor: Vendor, milli: number): Record<string, number> => ({
  milli,
  [`${vendor}.n`]: 1,
  [`${vendor}.milli`]: milli,
});

/** What a message adds for the vendor that would have brought it, had it not been put off or out of budget. */
export const passed = (vendor: Vendor): Record<string, number> => ({ [`${vendor}.passed`]: 1 });

/** What a message adds that leaves less than a fifth of somebody's budget with this vendor. */
export const low = (vendor: Vendor, memberId: string): Record<string, number> => ({
  [`${vendor}.low.${memberId}`]: 1,
});

/** Who had less than a fifth of his budget left with this vendor on that day: ids, sorted. */
export const lowOf = (vendor: Vendor, day: Readonly<Record<string, number>>): string[] =>
  Object.keys(day)
    .filter((key) => key.startsWith(`${vendor}.low.`))
    .map((key) => key.slice(`${vendor}.low.`.length))
    .toSorted();

/** What a receipt adds: how many arrived, and how many within ten seconds. */
export const arrived = (vendor: Vendor, took: number): Record<string, number> => ({
  [`${vendor}.arrived`]: 1,
  [`${vendor}.fast`]: took <= FAST_MS ? 1 : 0,
});

/** The parts of a day added up. */
export const sumOf = (parts: readonly Readonly<Record<string, number>>[]): Record<string, number> => {
  const sum: Record<string, number> = { milli: 0 };
  for (const part of parts) for (const [key, n] of Object.entries(part)) sum[key] = (sum[key] ?? 0) + n;
  return sum;
};
