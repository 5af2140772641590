import { NAG, SUBSTITUTE_SECONDS } from './climb.ts';
import { DRILL_EXPIRES } from './drill.ts';
import { OVER, isExpected, owes, personOf, type Incident, type Instant, type Person } from './incident.ts';
import { limitOf } from './ladder.ts';
import { PIN_MS, isAlive } from './link.ts';
import { FIRST_ASKS, INSISTENT, laneOf, type Notice } from './notice.ts';
import { quietMinutes, quietSince, type QuietHours } from './quiet-hours.ts';
import { BEIJING_OFFSET, minuteOfDay, onShift, type Member, type Shift } from './roster.ts';
import { CALLER_KINDS, type NoticeKind } from './notice-kind.ts';

/** A told miss helps for an hour; by then later rungs speak. Chatter of yesterday helps nobody. Seconds. */
const ALERT_SECONDS = 3_600;
const CHATTER_SECONDS = 86_400;

/** The deadline a first ask speaks of: the promised one, or, where that is broken already, the person's own minute. */
export const askDeadline = (incident: Incident, notice: Pick<Notice, 'at' | 'rung'>): Instant => {
  const promised = incident.deadlines[notice.rung ?? 'accept'] ?? 0;
  if (promised > notice.at) return promised;
  return notice.at + (limitOf(incident.ladder ?? [], 'accept') ?? 60) * 1000;
};

/**
 * From when on a notice is not sent any more: the climb has asked others, and a late one would only confuse (an outage of the vendor
 * ends with what is still owed, not with all that was). Undefined: never too late, as for a return to 110 that nobody has confirmed.
 */
export const expiryOf = (incident: Incident | undefined, notice: Notice): Instant | undefined => {
  if (notice.kind === 'returned' || notice.kind === 'handback' || notice.kind === 'desk') return undefined;
  if (notice.kind === 'drill') return notice.at + DRILL_EXPIRES * 1000;
  if (notice.kind === 'pin') return notice.at + PIN_MS;
  if (notice.kind === 'nag') return notice.at + NAG.every * 1000;
  if (!FIRST_ASKS.has(notice.kind))
    return notice.at + (laneOf(notice.kind) === 'chatter' ? CHATTER_SECONDS : ALERT_SECONDS) * 1000;
  if (!incident) return undefined;
  return Math.max(askDeadline(incident, notice), notice.at + SUBSTITUTE_SECONDS * 1000);
};

/** What a duty officer is told to look at has been looked at, or is over. */
const deskMoot = (incident: Incident, { note, at }: Notice): string | undefined => {
  if (note === 'phone-110') return owes(incident, 'handback') ? undefined : 'handed-back';
  // A caller speaks after the close; only that it was opened again for him answers it.
  if (note === 'caller-unsatisfied') return later(incident, at);
  if (OVER.has(incident.state)) return incident.state;
  if (note === 'unsure' && incident.triage?.by !== undefined) return 'triaged';
  const asksWhatItIs = note === 'unsure' || note === 'untriaged' || note === 'opinion';
  return asksWhatItIs && incident.corrected && incident.corrected.at >= at ? 'corrected' : undefined;
};

/** Reopened since: what was said of the round before does not hold. */
const later = ({ reopenedAt }: Incident, at: Instant): string | undefined =>
  reopenedAt !== undefined && at < reopenedAt ? 'reopened' : undefined;

/** Was asked, and has nothing to do with it any more. */
const isGone = (person: Person | undefined): boolean =>
  person?.asked !== undefined && (person.released === true || !isExpected(person));

/**
 * Why a notice helps nobody any more, if so; asked immediately before every call of a vendor. A's accept, decline or depart ends what asks
 * A; somebody's accept ends what asks the others (they are stood down), reinforcement excepted; close, return and reassign end what
 * they make moot; notes, reads and a caller's reply end nothing.
 */
export const mootBecause = (incident: Incident | undefined, notice: Notice): string | undefined => {
  if (!incident) return undefined;
  const { kind, to, at, rung } = notice;
  const person = personOf(incident, to);
  if (kind === 'returned' || kind === 'handback')
    return owes(incident, 'handback') ? undefined : 'handed-back';
  if (kind === 'desk') return deskMoot(incident, notice);
  if (kind === 'told' || kind === 'climb') {
    if (rung !== undefined && !owes(incident, rung)) return 'done';
    // A leader is told of it as a leader, whatever he has answered as somebody who was asked.
    // The call-back is the desk's own duty, even if its officer was sent home from the incident itself.
    const his = kind === 'climb' || rung === 'revisit' || !isGone(person);
    return later(incident, at) ?? (his ? undefined : 'not-his');
  }
  if (kind === 'changed' || kind === 'pin') {
    if (OVER.has(incident.state)) return incident.state;
    // A code goes to whoever's link leads anywhere: also to a leader who was sent home and told later.
    const his = kind === 'pin' ? isAlive(incident, { member: to }) : !isGone(person);
    return his ? undefined : 'not-his';
  }
  // The others say what stands fast; that it is his does not.
  if (kind === 'answer' && (notice.answer === 'lead' || notice.answer === 'helper'))
    return isGone(person) ? 'not-his' : undefined;
  if (kind === 'stand-down' || kind === 'reassigned')
    return person?.asked !== undefined && person.asked > at && !person.stood ? 'asked-again' : undefined;
  if (!INSISTENT.has(kind)) return undefined;
  if (OVER.has(incident.state) || incident.state === 'joined') return incident.state;
  // Whoever was sent home when it was joined has been asked anew.
  if (incident.partedAt !== undefined && at < incident.partedAt) return 'parted';
  // By time, not by round: a restarted workflow raises the round too, and takes nothing back that was asked.
  if (incident.reopenedAt !== undefined && at < incident.reopenedAt) return 'reopened';
  if (kind === 'nag') return incident.lead === undefined ? undefined : 'accepted';
  if (person?.accepted !== undefined) return 'accepted';
  if (person?.declined !== undefined) return 'declined';
  if (person?.released) return 'reassigned';
  if (person?.stood) return 'stood-down';
  if (person?.asked !== undefined && person.asked > at) return 'asked-again';
  return undefined;
};

const MINUTE_MS = 60_000;

/** How long after he was asked somebody still hears at once how it ended: who has gone off duty, and who is on his way at night. Milliseconds. */
const RECENT_MS = 12 * 3_600_000;

/**
 * Until when chatter has to wait so that nobody is woken for it; undefined: it may go now. Alerts never wait: the ladder, an area
 * call-out or reinforcement has named the person. Whoever was woken for the incident is told at once that he may sleep on, and
 * whoever had said that he comes, and is not there yet, that he need not.
 */
export const silentUntil = (
  quiet: QuietHours | undefined,
  incident: Incident | undefined,
  notice: Notice,
  now: Instant,
): Instant | undefined => {
  if (!quiet || laneOf(notice.kind) === 'alerts' || CALLER_KINDS.has(notice.kind)) return undefined;
  const since = quietSince(quiet, minuteOfDay(new Date(now), BEIJING_OFFSET));
  if (since === undefined) return undefined;
  const start = Math.floor(now / MINUTE_MS) * MINUTE_MS - since * MINUTE_MS;
  const person = incident && personOf(incident, notice.to);
  const said = person?.accepted !== undefined || notice.kind === 'reassigned';
  const coming = said && !person?.did.includes('arrive');
  const from = coming ? Math.min(start, now - RECENT_MS) : start;
  if (person?.asked !== undefined && person.asked >= from) return undefined;
  return start + quietMinutes(quiet) * MINUTE_MS;
};

/** Off duty is silent: chatter only reaches who was asked on this incident a short while ago. */
export const isOffDuty = (
  member: Member,
  shifts: readonly Shift[],
  incident: Incident | undefined,
  notice: Notice,
  now: Instant,
): boolean => {
  if (laneOf(notice.kind) === 'alerts' || onShift(member, shifts, new Date(now))) return false;
  const asked = incident && personOf(incident, notice.to)?.asked;
  return asked === undefined || now - asked > RECENT_MS;
};

const NOT_NEEDED: readonly NoticeKind[] = ['stand-down', 'reassigned'];
const TO_CALLER: readonly NoticeKind[] = [...CALLER_KINDS];

/**
 * Which newer notice to the same person about the same incident says the same or more, so that the older one is not sent any more. What
 * is not listed is never dropped: of an alert the older one may be what the newer one relies on, and a code or an answer says nothing
 * of what somebody still has to know.
 */
const SUPERSEDED_BY: Partial<Record<NoticeKind, ReadonlySet<NoticeKind>>> = {
  'stand-down': new Set([...NOT_NEEDED, ...FIRST_ASKS]),
  reassigned: new Set([...NOT_NEEDED, ...FIRST_ASKS]),
  // Both only say that the task has to be opened; whoever is sent home need not open it.
  changed: new Set<NoticeKind>(['changed', ...NOT_NEEDED]),
  'caller-accepted': new Set(TO_CALLER),
  'caller-coming': new Set(TO_CALLER.slice(1)),
  'caller-result': new Set(TO_CALLER.slice(2)),
};

/** Is there anything newer that could stand for a notice of this kind? */
export const mayBeOutdated = (kind: NoticeKind): boolean => SUPERSEDED_BY[kind] !== undefined;

/** Does a newer notice to the same person say the same or more? Ids rise with every commit. */
export const isOutdated = (notice: Notice, others: readonly Notice[]): boolean =>
  others.some(
    (other) =>
      other.to === notice.to && other.id > notice.id && SUPERSEDED_BY[notice.kind]?.has(other.kind) === true,
  );
