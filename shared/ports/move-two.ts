import type { Change } from '../domain/draft.ts';
import { handsFor } from '../domain/hands.ts';
import { relayOf } from '../domain/relay.ts';
import type { Beside, Loaded } from './store.ts';
import { TRIES, carryOut, type Mover, type Situation } from './move.ts';

/** A decision about two incidents: both changes are committed together, or none. */
export interface DecisionOnTwo<R> {
  changes?: readonly [Change, Change];
  beside?: Beside;
  result: R;
}

/** What a move of two came to. `missing`: the first is not there; whether the second is, the decision sees. */
export type MovedTwo<R> = { found: false } | { found: true; result: R; changed: boolean };

/**
 * Moves two incidents at once, as `move` does with one: load, decide, commit both or none, and carry out what follows.
 * @param otherId known before, or told by the first incident's row
 * @param tries   how often at most; who has nobody waiting may have more patience than a person's tap
 * @throws when so many commits in a row lost their race, or the table cannot be reached.
 */
export const moveTwo = async <R>(
  mover: Mover,
  id: string,
  otherId: string | ((loaded: Loaded) => string | undefined),
  decide: (one: Situation, other: Situation | undefined) => DecisionOnTwo<R> | Promise<DecisionOnTwo<R>>,
  tries = TRIES,
): Promise<MovedTwo<R>> => {
  const { store, district, clock } = mover;
  const members = await store.roster();
  const situationOf = async ({ incident }: Loaded, at: Date): Promise<Situation> => {
    const stored = (await store.picks(incident.id))?.picked.map((pick) => pick.id) ?? [];
    return { incident, members, hands: handsFor(district, members, incident, stored, at), now: at.getTime() };
  };
  for (let attempt = 1; ; attempt += 1) {
    const one = await store.load(id);
    if (!one) return { found: false };
    const second = typeof otherId === 'string' ? otherId : otherId(one);
    const other = second === undefined || second === id ? undefined : await store.load(second);
    const at = clock.now();
    const { changes, beside, result } = await decide(
      await situationOf(one, at),
      other && (await situationOf(other, at)),
    );
    if (!changes || !other) return { found: true, result, changed: false };
    const [relay, otherRelay] = [
      relayOf(changes[0], district.backTo110),
      relayOf(changes[1], district.backTo110),
    ];
    if (
      await store.commitBoth(
        ...changes,
        relay ? { ...beside, relay } : beside,
        otherRelay && { relay: otherRelay },
      )
    ) {
      await Promise.all([
        carryOut(mover, one, changes[0], relay),
        carryOut(mover, other, changes[1], otherRelay),
      ]);
      return { found: true, result, changed: true };
    }
    if (attempt >= tries)
      throw new Error(
        `The incidents ${id} and ${other.incident.id} were changed by others ${tries} times in a row.`,
      );
    // It doubles each time: patience is many short waits, not one of minutes.
    await mover.backoff(Math.min(attempt, TRIES));
  }
};
