import type { District } from '#shared/domain/district.ts';
import { beginDrill, drillDue, type Drill } from '#shared/domain/drill.ts';
import type { Clock } from '#shared/ports/clock.ts';
import { startDrill } from '#shared/ports/drills.ts';
import type { Memos } from '#shared/ports/memos.ts';
import type { Queues } from '#shared/ports/queue.ts';
import type { Store } from '#shared/ports/store.ts';

/** Begins the drill that the district's policy has for this minute, if any; a second call begins nothing. */
export const drillBySchedule = async (r: {
  store: Pick<Store, 'announce' | 'notice' | 'roster'>;
  memos: Memos;
  queues: Pick<Queues, 'notices'>;
  clock: Clock;
  district: Pick<District, 'drill' | 'shifts'>;
}): Promise<Drill | undefined> => {
  const { drill: policy, shifts } = r.district;
  const now = r.clock.now().getTime();
  const id = drillDue(policy, now);
  if (!policy || id === undefined) return undefined;
  return startDrill(r, beginDrill(id, await r.store.roster(), shifts, policy.window, now), now);
};
