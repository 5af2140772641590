import { RETRY, baseOf, eventOf, nextEvent } from './climb.ts';
import type { Hand, Hands } from './hands.ts';
import {
  isActive,
  isConfidential,
  owes,
  personOf,
  type Incident,
  type Instant,
  type Person,
} from './incident.ts';
import type { Notice } from './notice.ts';
import { RUNGS, type Rung } from './rung.ts';
import type { DeskNote, NoticeKind } from './notice-kind.ts';
import type { Line } from './trail.ts';

/** What one decision changes: the new row, its trail lines and its notices. They are committed together or not at all. */
export interface Change {
  incident: Incident;
  lines: Line[];
  notices: Notice[];
}

/** A decision in the making. Rules write into a copy; nobody outside sees it before it is finished. */
export interface Draft extends Change {
  readonly now: Instant;
  readonly hands: Hands;
}

/** How long the workflow may sleep when nothing is left to climb; it then only looks again. */
const LONG_LOOK = 86_400_000;

/** Opens a decision on a copy of the incident. */
export const draft = (incident: Incident, hands: Hands, now: Instant): Draft => ({
  incident: structuredClone(incident),
  lines: [],
  notices: [],
  now,
  hands,
});

/** Adds a trail line at the decision's instant. */
export const write = (d: Draft, line: Omit<Line, 'at'>): void => {
  d.lines.push({ at: d.now, ...line });
};

/** Adds a notice. Its id is unique within the incident because every commit raises the version. */
export const notify = (d: Draft, to: string, kind: NoticeKind, rung?: Rung, note?: DeskNote): void => {
  const n = String(d.notices.length).padStart(2, '0');
  d.notices.push({
    id: `${String(d.incident.version + 1).padStart(5, '0')}.${n}`,
    to,
    kind,
    ...(rung ? { rung } : {}),
    ...(note ? { note } : {}),
    at: d.now,
    round: d.incident.round,
  });
};

const entry = (d: Draft, hand: Hand): Person => {
  const known = personOf(d.incident, hand.id);
  if (known) return known;
  const fresh: Person = { id: hand.id, role: hand.role, squad: hand.squad, told: [], did: [] };
  d.incident.people.push(fresh);
  return fresh;
};

/** What a first notice may say: where content is secret or dangerous only that there is a task. */
export const askKind = (incident: Incident): NoticeKind => (isConfidential(incident) ? 'ask-secret' : 'ask');

/** Asks a person: names him as assignee and sends his first notice. */
export const ask = (d: Draft, hand: Hand, rung: Rung, kind: NoticeKind = askKind(d.incident)): void => {
  const person = entry(d, hand);
  person.asked = d.now;
  // Asked anew he begins anew: what he reported before was another errand.
  person.did = [];
  delete person.accepted;
  delete person.declined;
  delete person.stood;
  delete person.released;
  delete person.unreached;
  if (rung === 'reinforce') person.called = true;
  // The return is asked of people who may have been asked before; being told of it keeps it to once.
  if (rung === 'handback') person.told.push('handback');
  write(d, { kind: 'asked', by: 'system', whom: hand.id, rung });
  notify(d, hand.id, kind, rung);
};

/** Tells a person of a missed rung, once; he may then read and act like one asked. */
export const tell = (d: Draft, hand: Hand, rung: Rung, kind: NoticeKind): void => {
  const person = entry(d, hand);
  person.told.push(rung);
  delete person.released;
  write(d, { kind: 'told', by: 'system', whom: hand.id, rung });
  notify(d, hand.id, kind, rung);
};

/** Sends people home who were asked and are not needed: one notice each; `kind` says why. */
export const standDown = (
  d: Draft,
  except: (person: Person) => boolean,
  kind: 'stand-down' | 'reassigned' = 'stand-down',
): void => {
  for (const person of d.incident.people) {
    if (!isActive(person) || person.stood || except(person)) continue;
    person.stood = true;
    write(d, { kind: 'stand-down', by: 'system', whom: person.id });
    notify(d, person.id, kind);
  }
};

/** A rung is done: no longer owed, and its time is kept. */
export const fulfil = (d: Draft, rung: Rung): void => {
  d.incident.done[rung] ??= d.now;
  d.incident.owed = d.incident.owed.filter((r) => r !== rung);
  delete d.incident.climbs[rung];
};

/** Makes a rung owed (again) by an instant, with a fresh climb. */
export const owe = (d: Draft, rung: Rung, deadline: Instant): void => {
  const { incident } = d;
  if (!owes(incident, rung)) incident.owed.push(rung);
  incident.owed.sort((a, b) => RUNGS.indexOf(a) - RUNGS.indexOf(b));
  incident.deadlines[rung] = deadline;
  incident.breached = incident.breached.filter((r) => r !== rung);
  delete incident.done[rung];
  delete incident.climbs[rung];
};

/** Writes the misses that have happened by now. Until somebody accepts they are silent: a line, no notice. */
export const recordBreaches = (d: Draft): void => {
  const { incident } = d;
  if (incident.paused) return;
  for (const rung of incident.owed) {
    const deadline = incident.deadlines[rung];
    // Reaching the reinforcement limit calls reinforcement, and the end of triage its default: no broken promises.
    if (
      rung === 'reinforce' ||
      rung === 'triage' ||
      deadline === undefined ||
      deadline > d.now ||
      incident.breached.includes(rung)
    )
      continue;
    incident.breached.push(rung);
    write(d, { kind: 'breach', by: 'system', rung, facts: { deadline } });
  }
};

/**
 * Closes a decision: works out at which rung the workflow has to wait and until when, raises the version.
 * A rung without an event of its own still gets a time, because the workflow may walk into it when
 * somebody acts before the token is parked.
 */
export const finish = (d: Draft): Change => {
  const { incident, hands, now } = d;
  // A return that nobody could be asked to hand back is looked at again soon: somebody may have come on shift.
  const lost =
    incident.owed.includes('handback') && !incident.people.some((p) => p.told.includes('handback'));
  const far = now + (lost ? RETRY.later * 1000 : LONG_LOOK);
  incident.due = {};
  // Whoever waits at a rung must not sleep through a later one, nor through reinforcement, which stands outside the ladder.
  let soonest = eventOf(incident, hands, 'reinforce')?.at ?? Infinity;
  for (const rung of incident.owed.toReversed()) {
    const own = eventOf(incident, hands, rung)?.at;
    const base = baseOf(incident, rung);
    soonest = Math.min(soonest, own ?? Infinity);
    incident.due[rung] = incident.paused?.until ?? Math.min(soonest, own ?? (base > now ? base : far));
  }
  const next = incident.paused ? undefined : nextEvent(incident, hands)?.rung;
  const rung = next ?? incident.owed[0];
  if (rung) incident.rung = rung;
  else delete incident.rung;
  if (incident.owed.length === 0 && incident.workflow !== 'none') incident.workflow = 'ended';
  incident.version += 1;
  return { incident, lines: d.lines, notices: d.notices };
};
