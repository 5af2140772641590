import type { Vendor } from '#shared/domain/channel.ts';
import { badSignal, healthName, isPutOff, isVendorsFault } from '#shared/domain/health.ts';
import type { SendResult } from '#shared/ports/sender.ts';
import type { Deliverer } from './deliverer.ts';
import { tellUnpaid } from './unpaid.ts';

/** Bad signals of one minute that are counted. */
const ENOUGH_SIGNALS = 5;
const DAY_MS = 86_400_000;

/** Troubles of a vendor are counted for all deliverers; three put it behind the others of its channel. */
export const signals = async (d: Deliverer, vendor: Vendor, result: SendResult): Promise<void> => {
  if (result.kind === 'refused' && result.cause === 'money') {
    d.log.count('VendorUnpaid');
    await tellUnpaid(d, vendor);
  }
  const bad = result.kind === 'unknown' || (result.kind === 'refused' && isVendorsFault(result.cause));
  if (bad) await distrust(d, vendor, result.kind === 'refused' ? result.code : 'no-answer');
};

/** One bad signal of a vendor: a refusal that is its own fault, no answer, or no receipt where it gives some. */
export const distrust = async (d: Deliverer, vendor: Vendor, code: string): Promise<void> => {
  d.log.count('VendorTrouble');
  d.log.info('vendor-trouble', { vendor, code });
  const now = d.clock.now().getTime();
  const name = healthName(vendor);
  const key = badSignal(now);
  try {
    const before = await d.store.counters(name);
    // In an outage every call would meet at this one item, and more than enough says no more than enough.
    if ((before[key] ?? 0) >= ENOUGH_SIGNALS) return;
    await d.store.count({ name, add: { [key]: 1 }, expires: now + DAY_MS });
    d.lately?.delete(name);
    if (isPutOff(before, now) || !isPutOff({ ...before, [key]: (before[key] ?? 0) + 1 }, now)) return;
    d.log.count('VendorSwitched');
    d.log.info('vendor-put-off', { vendor });
  } catch (error) {
    // What became of the notice matters more than what is thought of its vendor.
    d.log.error('signal-lost', error, { vendor });
  }
};
