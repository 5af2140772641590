import type { Vendor } from '#shared/domain/channel.ts';
import { handsAt } from '#shared/domain/hands.ts';
import type { Notice } from '#shared/domain/notice.ts';
import { districtDay } from '#shared/domain/roster.ts';
import { jobsOf } from '#shared/ports/queue.ts';
import { REJECTS_OWNER } from '#shared/ports/store.ts';
import type { Deliverer } from './deliverer.ts';

/**
 * Tells whoever has the desk, once a day, that a vendor wants to be paid. The text goes by another vendor; where there is none it stays
 * owed and comes when somebody has paid, and the alarm `VendorUnpaid` is all that rings.
 */
export const tellUnpaid = async (
  d: Pick<Deliverer, 'store' | 'clock' | 'district' | 'queues' | 'log'>,
  vendor: Vendor,
): Promise<void> => {
  const now = d.clock.now();
  const id = `UNPAID-${vendor}-${districtDay(now.getTime()).replaceAll('-', '')}`;
  try {
    if (await d.store.notice(REJECTS_OWNER, id)) return;
    const { duty, street } = handsAt(await d.store.roster(), d.district.shifts, [], now);
    const [desk] = [...duty, ...street];
    if (!desk) return;
    const notice: Notice = { id, to: desk.id, kind: 'desk', note: 'unpaid', at: now.getTime(), round: 1 };
    await d.store.announce([notice]);
    await d.queues.notices(jobsOf(REJECTS_OWNER, [notice]));
  } catch (error) {
    // What became of the notice that the vendor has refused matters more; what is announced is found by reconcile.
    d.log.error('unpaid-untold', error, { vendor });
  }
};
