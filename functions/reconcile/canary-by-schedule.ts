import * as z from 'zod';
import { CANARY, canaryStateSchema, lookAtVendor, type CanaryState } from '#shared/domain/canary.ts';
import { vendorSchema } from '#shared/domain/channel.ts';
import type { District } from '#shared/domain/district.ts';
import { ledgersOf, sumOf } from '#shared/domain/ledger.ts';
import type { Vendors } from '#shared/domain/vendors.ts';
import type { Clock } from '#shared/ports/clock.ts';
import type { Memos } from '#shared/ports/memos.ts';
import type { Queues } from '#shared/ports/queue.ts';
import type { Store } from '#shared/ports/store.ts';

const statesSchema = z.partialRecord(vendorSchema, canaryStateSchema);

/**
 * Has every vendor that nobody uses tried out: passive health knows nothing of a vendor without traffic. What is due is written down before
 * it is sent: two beats at once try a vendor once.
 */
export const canaryBySchedule = async ({
  store,
  memos,
  queues,
  clock,
  district,
  vendors,
}: {
  store: Pick<Store, 'counters'>;
  memos: Memos;
  queues: Pick<Queues, 'notices'>;
  clock: Clock;
  district: Pick<District, 'canary'>;
  vendors: Vendors;
}): Promise<void> => {
  const tried = vendorSchema.options.filter((vendor) => district.canary?.[vendor] !== undefined);
  if (tried.length === 0) return;
  const now = clock.now().getTime();
  const [memo, ...parts] = await Promise.all([
    memos.read(CANARY, now),
    ...ledgersOf(now).map((name) => store.counters(name)),
  ]);
  const sums = sumOf(parts);
  const before = memo ? statesSchema.parse(memo.value) : {};
  const after: Partial<Record<string, CanaryState>> = {};
  const due: string[] = [];
  for (const vendor of tried) {
    const is = vendors.vendors[vendor];
    if (!is) continue;
    const look = lookAtVendor(is, before[vendor], sums[`${vendor}.n`] ?? 0, now);
    after[vendor] = look.state;
    if (look.due) due.push(vendor);
  }
  // Most minutes nothing has changed.
  if (JSON.stringify(after) === JSON.stringify(before)) return;
  if (!(await memos.write(CANARY, { version: memo?.version ?? 0, value: after }, now))) return;
  await queues.notices(due.map((vendor) => ({ owner: CANARY, noticeId: vendor, lane: 'chatter' })));
};
