import { replace } from './act.ts';
import { draft, finish, notify, recordBreaches, write, type Change } from './draft.ts';
import { askNext } from './escalate.ts';
import type { Hands } from './hands.ts';
import { PIN_MS } from './link.ts';
import { INSISTENT, type Attempt, type Notice } from './notice.ts';
import { isActive, owes, personOf, type Incident, type Instant } from './incident.ts';

/**
 * Somebody who was asked cannot be reached over any channel: no number works, no vendor would take it. His minute is not waited out:
 * the next one is asked at once, as after a decline, but nothing is taken from him — he may hear of it otherwise and come.
 * @param because of a channel that would work his number has no budget left
 * @returns undefined when nothing follows: he has answered, somebody else has, or it was known already.
 */
export const leaveUnreached = (
  incident: Incident,
  id: string,
  hands: Hands,
  now: Instant,
  because?: 'budget',
): Change | undefined => {
  const d = draft(incident, hands, now);
  const person = personOf(d.incident, id);
  if (!person || person.unreached !== undefined || person.accepted !== undefined) return undefined;
  if (!isActive(person) || person.stood) return undefined;
  if (!owes(d.incident, 'accept') && !person.called) return undefined;
  recordBreaches(d);
  person.unreached = now;
  write(d, {
    kind: 'unreached',
    by: 'system',
    whom: id,
    rung: person.called ? 'reinforce' : 'accept',
    ...(because ? { facts: { because } } : {}),
  });
  if (d.incident.lead === undefined) askNext(d);
  else replace(d, person);
  return finish(d);
};

/** A vendor that works has taken a notice long before. Milliseconds. */
export const TAKEN_MS = 10_000;

/** Has no vendor taken this notice: have all failed so far, or ten seconds passed? */
export const isUntaken = (
  { notice, attempts }: { notice: Notice; attempts: readonly Pick<Attempt, 'state'>[] },
  now: Instant,
): boolean => {
  if (attempts.some(({ state }) => state === 'sent' || state === 'delivered' || state === 'read'))
    return false;
  const last = attempts.at(-1)?.state;
  return last === 'failed-temporary' || last === 'failed-permanent' || now - notice.at >= TAKEN_MS;
};

/** Must the desk telephone this person? Somebody has to act, or stands before a page that wants a code, and no vendor has taken his notice. */
export const isUnreached = (row: Parameters<typeof isUntaken>[0], now: Instant): boolean => {
  const { kind, at } = row.notice;
  return (INSISTENT.has(kind) || (kind === 'pin' && now < at + PIN_MS)) && isUntaken(row, now);
};

/** Why a notice ends that no vendor has taken, and that somebody still waits for. */
const LOST: ReadonlySet<string> = new Set(['unreachable', 'silent', 'too-late']);

/** Does a code for a second device end like this without any vendor having it? */
export const isCodeLost = (
  { notice, attempts }: { notice: Notice; attempts: readonly Pick<Attempt, 'state'>[] },
  why: string,
): boolean =>
  notice.kind === 'pin' &&
  LOST.has(why) &&
  !attempts.some(({ state }) => state === 'sent' || state === 'delivered' || state === 'read');

/**
 * The code for a second device could not be sent over any channel: whoever has the desk is told, because its owner may be standing in the
 * street; if he has the desk himself, whoever has it beside or above him.
 */
export const leaveWithoutCode = (incident: Incident, id: string, hands: Hands, now: Instant): Change => {
  const d = draft(incident, hands, now);
  write(d, { kind: 'unreached', by: 'system', whom: id, facts: { what: 'pin' } });
  const desk = [...hands.duty, ...hands.street].find((hand) => hand.id !== id);
  if (desk) notify(d, desk.id, 'desk', undefined, 'unsent');
  d.incident.version += 1;
  return { incident: d.incident, lines: d.lines, notices: d.notices };
};
