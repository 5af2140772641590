import { act, type Acted, type Actor, type Request } from '#shared/domain/act.ts';
import { letGo, takeIn } from '#shared/domain/join.ts';
import type { Mover } from '#shared/ports/move.ts';
import { moveTwo } from '#shared/ports/move-two.ts';
import type { Responded } from './response.ts';

/**
 * The desk says that two incidents are one event, or that they are not: both rows and both trails change together.
 * Who may, and when, is told by the table of moves and `joinFault`.
 */
export const joinOrPart = async (
  mover: Mover,
  id: string,
  actor: Actor,
  request: Request,
  key?: string,
): Promise<Responded> => {
  const { store } = mover;
  const joins = request.action === 'join';
  const moved = await moveTwo<Acted>(
    mover,
    id,
    (loaded) => (joins ? request.into : loaded.incident.joined?.into),
    async (one, other) => {
      if (key !== undefined && (await store.done(id, key))) return { result: { kind: 'repeat' } };
      const main = joins && request.into === id ? one.incident : other?.incident;
      const result = act(one.incident, actor, { ...request, main }, one.hands, one.now);
      if (result.kind !== 'done' || !other) return { result };
      const because = { by: actor.id, sentence: request.reason ?? '' };
      const onMain = joins
        ? takeIn(
            other.incident,
            one.incident,
            because,
            await hasOtherAddress(mover, id, other.incident.id),
            other.hands,
            other.now,
          )
        : letGo(other.incident, one.incident, because, other.hands, other.now);
      return {
        changes: [result.change, onMain],
        result,
        ...(key === undefined ? {} : { beside: { idempotencyKey: key } }),
      };
    },
  );
  if (!moved.found) return { kind: 'unknown' };
  if (moved.result.kind === 'refused') return { kind: 'refused', refusal: moved.result.refusal };
  if (moved.changed) mover.log.count(joins ? 'Joined' : 'Parted');
  const loaded = await store.load(id);
  return loaded
    ? { kind: moved.result.kind === 'done' ? 'done' : 'repeat', incident: loaded.incident }
    : { kind: 'unknown' };
};

/** Does the other call name another address? Then the lead has to know. */
const hasOtherAddress = async ({ store }: Mover, id: string, mainId: string): Promise<boolean> => {
  const [one, main] = await Promise.all([store.content(id), store.content(mainId)]);
  return one?.address !== main?.address;
};
