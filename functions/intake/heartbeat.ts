import type { Outcome } from '#shared/contracts/errors.ts';
import { iso } from '#shared/contracts/time.ts';
import { guard, type Guard, type Message } from './guarded.ts';

/** The feeder's sign of life, every 60 s; what it says beside its signature does not matter. */
export const takeBeat = async (g: Guard, message: Message): Promise<Outcome<{ now: string }>> => {
  const stopped = await guard(g, message);
  if (stopped) return stopped;
  const at = g.clock.now().getTime();
  await g.store.beat(at);
  return { kind: 'done', body: { now: iso(at) } };
};
