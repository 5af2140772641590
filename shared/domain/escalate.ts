import {
  anybodyUnasked,
  CLIMBS,
  NAG,
  NOT_CLIMBED,
  nagged,
  SUBSTITUTE_SECONDS,
  nextEvent,
  peopleFor,
  somebodyLeft,
  type Event,
} from './climb.ts';
import {
  ask,
  draft,
  finish,
  fulfil,
  notify,
  recordBreaches,
  tell,
  write,
  type Change,
  type Draft,
} from './draft.ts';
import type { Hands } from './hands.ts';
import { isExpected, personOf, type Incident, type Instant } from './incident.ts';
import { resumeIn } from './pause.ts';

const climbOf = (d: Draft, rung: Event['rung']) => (d.incident.climbs[rung] ??= { ...NOT_CLIMBED });

/** Nobody at all could be asked: the desk list, an alarm, and another try as people come on shift. */
export const leaveUnanswered = (d: Draft): void => {
  if (d.incident.unansweredSince !== undefined) return;
  d.incident.unansweredSince = d.now;
  climbOf(d, 'accept').from = d.now;
  d.incident.state = 'unanswered';
  write(d, { kind: 'unanswered', by: 'system', rung: 'accept' });
};

/** Somebody has come: an unanswered incident is asked about again, and its climb begins anew. */
const findAnswer = (d: Draft): void => {
  if (d.incident.unansweredSince === undefined) return;
  delete d.incident.unansweredSince;
  d.incident.state = 'asking';
  d.incident.climbs.accept = { ...NOT_CLIMBED };
  write(d, { kind: 'answered', by: 'system', rung: 'accept' });
};

/**
 * Puts a substitute's 30 seconds before the next climb: it comes at the later of the deadline and askedAt + 30,
 * and what follows is put off equally.
 */
export const grantSubstitute = (d: Draft): void => {
  const next = nextEvent(d.incident, d.hands);
  if (next?.rung !== 'accept' || next.what === 'retry') return;
  const earliest = d.now + SUBSTITUTE_SECONDS * 1000;
  if (next.at >= earliest) return;
  const climb = climbOf(d, 'accept');
  if (next.what === 'nag') climb.from = earliest - NAG.every * 1000;
  else climb.shift += earliest - next.at;
};

/** Nags the duty officer about an incident that nobody accepts. */
const nag = (d: Draft, at: Instant): void => {
  const climb = climbOf(d, 'accept');
  climb.nags += 1;
  // After an outage one nag is owed, not one for every five minutes that were missed.
  climb.from = at + Math.floor((d.now - at) / (NAG.every * 1000)) * NAG.every * 1000;
  write(d, { kind: 'nag', by: 'system', rung: 'accept', facts: { n: climb.nags, of: NAG.most } });
  for (const hand of nagged(d.incident, d.hands)) {
    // Whoever is called to it again may act, even if it was once given to somebody else.
    delete personOf(d.incident, hand.id)?.released;
    notify(d, hand.id, 'nag', 'accept');
  }
  if (climb.nags === NAG.most) write(d, { kind: 'nags-over', by: 'system', rung: 'accept' });
};

/** Carries out one event of the clock. */
export const play = (d: Draft, event: Event): void => {
  const climb = climbOf(d, event.rung);
  switch (event.what) {
    case 'step': {
      const way = CLIMBS[event.rung];
      for (const skipped of way.steps.slice(climb.step, event.index))
        write(d, { kind: 'skipped', by: 'system', rung: event.rung, facts: { step: skipped } });
      climb.step = event.index + 1;
      climb.slot += 1;
      climb.from = event.at;
      if (event.step === 'call' && d.incident.reinforceAskedAt === undefined)
        write(d, { kind: 'reinforcement', by: 'system', rung: 'reinforce' });
      for (const hand of event.people) {
        if (event.step === 'call') ask(d, hand, 'reinforce', 'reinforce');
        else if (event.rung === 'accept') ask(d, hand, 'accept');
        else if (event.rung === 'handback')
          ask(d, hand, 'handback', event.step === 'duty' ? 'returned' : 'handback');
        else tell(d, hand, event.rung, event.step === 'responsible' ? 'told' : 'climb');
      }
      return;
    }
    case 'default':
      return endTriage(d);
    case 'nag':
      return nag(d, event.at);
    case 'retry': {
      climb.from = d.now;
      if (somebodyLeft(d.incident, d.hands)) askNext(d);
      return;
    }
  }
};

/**
 * Asks the next candidate at once; where none is left, the next climb step at once, the last of which is nagging the
 * duty officer; where nobody is left, the incident is unanswered. Used for the first ask, after a decline, and when
 * people come on shift again.
 */
export const askNext = (d: Draft): void => {
  for (const [index, step] of CLIMBS.accept.steps.entries()) {
    const [hand] = peopleFor(d.incident, d.hands, 'accept', step);
    if (!hand) continue;
    findAnswer(d);
    ask(d, hand, 'accept');
    if (step !== 'candidate') climbOf(d, 'accept').step = Math.max(climbOf(d, 'accept').step, index + 1);
    grantSubstitute(d);
    return;
  }
  if (d.incident.people.some(isExpected)) return;
  if (somebodyLeft(d.incident, d.hands)) {
    findAnswer(d);
    nag(d, d.now);
  } else leaveUnanswered(d);
};

/** The second of a pair, from the next step if need be; undefined matters are asked of one. */
export const askSecond = (d: Draft): void => {
  if (d.incident.pair && anybodyUnasked(d.incident, d.hands)) askNext(d);
};

/** Two are asked together where a lone civilian would be in danger; otherwise one. */
export const askFirst = (d: Draft): void => {
  askNext(d);
  askSecond(d);
};

/**
 * Nobody at the desk has said what it is, or it has become dangerous meanwhile: the default of triage goes out (rules §1),
 * joint, a pair asked, the desk copied.
 */
export const endTriage = (d: Draft): void => {
  const { incident } = d;
  fulfil(d, 'triage');
  if (incident.triage) incident.triage.by = 'system';
  if (incident.classification) incident.classification.disposition = 'joint';
  incident.pair = true;
  incident.state = 'asking';
  write(d, { kind: 'triaged', by: 'system', rung: 'triage', facts: { disposition: 'joint' } });
  askFirst(d);
  const [duty] = d.hands.duty;
  if (duty && !personOf(incident, duty.id)) notify(d, duty.id, 'desk', undefined, 'untriaged');
};

/**
 * What the clock does to an incident by `now`: resumes a pause that is over, records misses and takes every step
 * that is due. Idempotent: a second call at the same instant changes nothing.
 * @returns undefined when nothing happened.
 */
export const escalate = (incident: Incident, hands: Hands, now: Instant): Change | undefined => {
  const d = draft(incident, hands, now);
  if (d.incident.paused && d.incident.paused.until <= now) resumeIn(d, 'system');
  recordBreaches(d);
  for (
    let event = nextEvent(d.incident, hands);
    event && event.at <= now;
    event = nextEvent(d.incident, hands)
  )
    play(d, event);
  const change = finish(d);
  const silent = d.lines.length === 0 && d.notices.length === 0;
  return silent &&
    JSON.stringify(change.incident.due) === JSON.stringify(incident.due) &&
    change.incident.rung === incident.rung
    ? undefined
    : change;
};
