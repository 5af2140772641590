import { act, type Acted, type Actor, type Request, type Said } from '#shared/domain/act.ts';
import { tellCaller } from '#shared/domain/caller-notice.ts';
import { OVER, type Incident } from '#shared/domain/incident.ts';
import type { Action } from '#shared/domain/moves.ts';
import { withRinging } from '#shared/domain/ringing.ts';
import { endJoined } from '#shared/ports/end-joined.ts';
import { move, type Mover } from '#shared/ports/move.ts';
import { ownerOf, type Store } from '#shared/ports/store.ts';
import { joinOrPart } from './join.ts';
import { judged } from './judged.ts';

/** What came of a person's action. */
export type Responded =
  | { kind: 'done' | 'repeat'; incident: Incident }
  | { kind: 'unknown' }
  | { kind: 'refused'; refusal: Extract<Acted, { kind: 'refused' }>['refusal'] };

/** What makes no notice pointless. */
const IDLE: ReadonlySet<Action> = new Set(['note', 'reveal', 'tell', 'revisit', 'pause', 'resume']);

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
  if (request.action === 'join' || request.action === 'unjoin')
    return joinOrPart(mover, id, actor, request, key);
  const wordy = request.action === 'note' || request.action === 'feedback';
  const moved = await move<Acted>(mover, id, async (situation) => {
    const { incident, members, now } = situation;
    // Both are read after the row, on every try: the double of a tap may have been committed a moment ago.
    if (key !== undefined && (await store.done(id, key))) return { result: { kind: 'repeat' } };
    const said = wordy ? await saidOn(store, id) : [];
    const target =
      request.member === undefined ? undefined : members.find((member) => member.id === request.member);
    // Only the desk's word is completed: nobody else learns by it what is told in an incident that is not his.
    const judgement =
      request.action === 'classify' && actor.kind === 'desk'
        ? await judged(mover, situation, actor, request)
        : undefined;
    if (judgement && 'code' in judgement) return { result: { kind: 'refused', refusal: judgement } };
    const { request: asked, hands, beside } = { request, hands: situation.hands, beside: {}, ...judgement };
    const result = act(incident, actor, asked, hands, now, target, said);
    const rows = result.kind === 'done' && !IDLE.has(request.action) ? await store.notices(ownerOf(id)) : [];
    return result.kind === 'done'
      ? {
          change: withRinging(
            incident,
            tellCaller(mover.district.callerTold, incident, result.change, now),
            rows,
            now,
          ),
          result,
          beside: { ...beside, ...(key === undefined ? {} : { idempotencyKey: key }) },
        }
      : { result };
  });
  if (!moved.found) return { kind: 'unknown' };
  if (moved.result.kind === 'refused') return { kind: 'refused', refusal: moved.result.refusal };
  if (moved.result.kind === 'done') {
    if (OVER.has(moved.incident.state) && (moved.incident.joins ?? []).length > 0)
      // It stands on the row until it is done: a failure here is left to reconcile.
      await endJoined(mover, id).catch((error: unknown) =>
        mover.log.error('left-to-reconcile', error, { incident: id }),
      );
    return { kind: 'done', incident: moved.incident };
  }
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
