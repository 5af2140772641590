import { VENDORS } from '#shared/domain/channel.ts';
import { healthName, isPutOff } from '#shared/domain/health.ts';
import type { Vendors } from '#shared/domain/vendors.ts';
import type { Clock } from '#shared/ports/clock.ts';
import type { Log } from '#shared/ports/log.ts';
import type { Store } from '#shared/ports/store.ts';

const MINUTE_MS = 60_000;

/**
 * Says which vendors are called first again since this minute. Nothing happens at that instant, ten good minutes are only over: without
 * somebody who looks, a switch away would be seen and the way back would not. Once a minute; a beat that is missed says nothing.
 */
export const tellVendorsBack = async ({
  store,
  clock,
  log,
  vendors: { vendors },
}: {
  store: Pick<Store, 'counters'>;
  clock: Clock;
  log: Pick<Log, 'info' | 'count'>;
  vendors: Vendors;
}): Promise<void> => {
  const now = clock.now().getTime();
  const used = VENDORS.filter((vendor) => vendors[vendor] !== undefined);
  const health = await Promise.all(used.map((vendor) => store.counters(healthName(vendor))));
  for (const [i, vendor] of used.entries()) {
    const counters = health[i] ?? {};
    if (!isPutOff(counters, now - MINUTE_MS) || isPutOff(counters, now)) continue;
    log.count('VendorBack');
    log.info('vendor-back', { vendor });
  }
};
