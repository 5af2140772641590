import { act, type Acted, type Actor, type Request, type Said } from '#shared/domain/act.ts';
import { tellCaller } from '#shared/domain/caller-notice.ts';
import type { Incident } from '#shared/domain/incident.ts';
import { move, type Mover } from '#shared/ports/move.ts';
import type { Store } from '#shared/ports/store.ts';

/** What came of a person's action. */
export type Responded =
  | { kind: 'done' | 'repeat'; incident: Incident }
  | { kind: 'unknown' }
  | { kind: 'refused'; refusal: Extract<Acted, { kind: 'refused' }>['refusal'] };

/**
 * Takes what a person does. A repeat is harmless, whether it is known by its Idempotency-Key or by what it says;
 * refusals come from the table of moves alone.
 */
export const respond = async (
  mover: Mover,
  id: string,
  actor: Actor,
  request: Request,
  idempotencyKey?: string,
): Promise<Responded> => {
  const { store } = mover;
  // A key belongs to the person who sent it: nobody can use up another's.
  const key = idempotencyKey === undefined ? undefined : `${actor.id}/${idempotencyKey}`;
  const wordy = request.action === 'note' || request.action === 'feedback';
  const moved = await move<Acted>(mover, id, async ({ incident, hands, members, now }) => {
    // Both are read after the row, on every try: the double of a tap may have been committed a moment ago.
    if (key !== undefined && (await store.done(id, key))) return { result: { kind: 'repeat' } };
    const said = wordy ? await saidOn(store, id) : [];
    const target =
      request.member === undefined ? undefined : members.find((member) => member.id === request.member);
    const result = act(incident, actor, request, hands, now, target, said);
    return result.kind === 'done'
      ? {
          change: tellCaller(mover.district.callerTold, incident, result.change, now),
          result,
          ...(key === undefined ? {} : { beside: { idempotencyKey: key } }),
        }
      : { result };
  });
  if (!moved.found) return { kind: 'unknown' };
  if (moved.result.kind === 'refused') return { kind: 'refused', refusal: moved.result.refusal };
  if (moved.result.kind === 'done') return { kind: 'done', incident: moved.incident };
  // Its first time may have been committed after our reading.
  return { kind: 'repeat', incident: (await store.load(id))?.incident ?? moved.incident };
};

/** What people have said on this incident so far. */
const saidOn = async (store: Store, id: string): Promise<Said[]> =>
  (await store.lines(id)).map(({ stored, text }) => ({
    kind: stored.kind,
    by: stored.onBehalf ?? stored.by,
    text,
    at: stored.at,
  }));
