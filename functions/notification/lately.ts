import type { Instant } from '#shared/domain/incident.ts';
import type { Deliverer } from './deliverer.ts';

/** So long a look at a vendor's health or at the day's costs is good for all notices of an environment. */
const LATELY_MS = 1_000;

/** Counters that no single notice changes much, as they stood a moment ago at most. */
export const lately = (
  { store, lately: known }: Deliverer,
  name: string,
  now: Instant,
): Promise<Readonly<Record<string, number>>> => {
  const before = known?.get(name);
  if (before && now >= before.at && now - before.at < LATELY_MS) return before.counters;
  const counters = store.counters(name);
  known?.set(name, { at: now, counters });
  // Whoever waits for it hears of the failure; the next one asks again.
  counters.catch(() => known?.delete(name));
  return counters;
};
