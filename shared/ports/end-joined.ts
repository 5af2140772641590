import { tellCaller } from '../domain/caller-notice.ts';
import { endAlong, letGo } from '../domain/join.ts';
import { OVER } from '../domain/incident.ts';
import type { Mover } from './move.ts';
import { moveTwo } from './move-two.ts';

/**
 * Ends what is joined to an incident that is over, one after another, each together with its place on the main row: what
 * a crash leaves undone still stands there, and reconcile goes on with it. Idempotent. True when anything was ended.
 */
export const endJoined = async (mover: Mover, mainId: string): Promise<boolean> => {
  const main = (await mover.store.load(mainId))?.incident;
  if (!main || !OVER.has(main.state)) return false;
  let ended = false;
  for (const id of main.joins ?? []) {
    const moved = await moveTwo(mover, id, mainId, (one, other) => {
      if (!other?.incident.joins?.includes(id)) return { result: undefined };
      const change = endAlong(one.incident, other.incident, one.hands, one.now);
      return change
        ? {
            changes: [
              // Its caller has waited for the same result as the main one's.
              tellCaller(mover.district.callerTold, one.incident, change, one.now),
              letGo(other.incident, one.incident, undefined, other.hands, other.now),
            ],
            result: undefined,
          }
        : { result: undefined };
    });
    ended ||= moved.found && moved.changed;
    // What was joined to it before it was joined itself goes the same way.
    await endJoined(mover, id);
  }
  return ended;
};
