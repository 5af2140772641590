import type { RefusalCause, Vendor } from './channel.ts';
import type { Instant } from './incident.ts';

/** So many bad signals within the time below put a vendor behind the others of its channel. */
const BAD_SIGNALS = 3;
/** So many minutes without a bad signal bring it back. */
const GOOD_MINUTES = 10;

const minute = (at: Instant): number => Math.floor(at / 60_000);

/** The counters of a vendor's bad signals. */
export const healthName = (vendor: Vendor): string => `HEALTH-${vendor}`;

/** The counter of a bad signal at an instant. */
export const badSignal = (at: Instant): string => `bad.${minute(at)}`;

/** Refusals that say something about the vendor; a wrong number or barred words say nothing about it. */
export const isVendorsFault = (cause: RefusalCause): boolean =>
  cause === 'moment' || cause === 'config' || cause === 'money';

/** The minutes in which something went wrong, oldest first, with how often. */
const badMinutes = (counters: Readonly<Record<string, number>>): [at: number, times: number][] =>
  Object.entries(counters)
    .flatMap(([key, times]): [number, number][] =>
      key.startsWith('bad.') ? [[Number(key.slice('bad.'.length)), times]] : [],
    )
    .sort(([a], [b]) => a - b);

/**
 * Is the vendor put off? By its counters of bad signals: three within ten minutes put it off, and every further one while it is
 * off begins its ten good minutes anew.
 */
export const isPutOff = (counters: Readonly<Record<string, number>>, now: Instant): boolean => {
  const past = (since: number, m: number): boolean => m - since > GOOD_MINUTES;
  let off = false;
  let recent: [at: number, times: number][] = [];
  for (const signal of badMinutes(counters)) {
    const [m] = signal;
    if (m > minute(now)) break;
    recent = [...recent.filter(([at]) => !past(at, m)), signal];
    const within = recent.reduce((sum, [, times]) => sum + times, 0);
    off = within >= BAD_SIGNALS || (off && recent.length > 1);
  }
  const [last = -Infinity] = recent.at(-1) ?? [];
  return off && !past(last, minute(now));
};

/** When a vendor that is put off comes back if nothing more goes wrong; undefined: it is not put off. */
export const backAt = (counters: Readonly<Record<string, number>>, now: Instant): Instant | undefined => {
  if (!isPutOff(counters, now)) return undefined;
  let m = minute(now) + 1;
  while (isPutOff(counters, m * 60_000)) m += 1;
  return m * 60_000;
};

/** A vendor that would have been called first, and why another one is. */
export type PassedOver = { vendor: Vendor; because: 'put-off' | 'budget' };

/**
 * Whom a call of `vendor` passes over, if anybody: the first of those that the district puts before it that stands behind it now, or has
 * no budget left for this person.
 */
export const passedOver = (
  vendor: Vendor,
  preferred: readonly Vendor[],
  ordered: readonly Vendor[],
  spent: ReadonlySet<Vendor>,
): PassedOver | undefined => {
  const before = preferred.slice(0, preferred.indexOf(vendor));
  const putOff = before.find((one) => ordered.indexOf(one) > ordered.indexOf(vendor));
  const over = before.find((one) => spent.has(one));
  if (putOff) return { vendor: putOff, because: 'put-off' };
  return over ? { vendor: over, because: 'budget' } : undefined;
};

/** The vendors of one channel, those that are put off last; none is left out, so that a channel never falls below one. */
export const byHealth = (vendors: readonly Vendor[], putOff: ReadonlySet<Vendor>): Vendor[] => [
  ...vendors.filter((vendor) => !putOff.has(vendor)),
  ...vendors.filter((vendor) => putOff.has(vendor)),
];
