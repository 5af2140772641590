import { replace } from './act.ts';
import { draft, finish, recordBreaches, write, type Change } from './draft.ts';
import { askNext } from './escalate.ts';
import type { Hands } from './hands.ts';
import { isActive, owes, personOf, type Incident, type Instant } from './incident.ts';

/**
 * Somebody who was asked cannot be reached over any channel: no number works, no vendor would take it. His minute is not waited out:
 * the next one is asked at once, as after a decline, but nothing is taken from him — he may hear of it otherwise and come.
 * @returns undefined when nothing follows: he has answered, somebody else has, or it was known already.
 */
export const leaveUnreached = (
  incident: Incident,
  id: string,
  hands: Hands,
  now: Instant,
): Change | undefined => {
  const d = draft(incident, hands, now);
  const person = personOf(d.incident, id);
  if (!person || person.unreached !== undefined || person.accepted !== undefined) return undefined;
  if (!isActive(person) || person.stood) return undefined;
  if (!owes(d.incident, 'accept') && !person.called) return undefined;
  recordBreaches(d);
  person.unreached = now;
  write(d, { kind: 'unreached', by: 'system', whom: id, rung: person.called ? 'reinforce' : 'accept' });
  if (d.incident.lead === undefined) askNext(d);
  else replace(d, person);
  return finish(d);
};
