import { isDangerous, type Classification } from './classification.ts';
import { askFirst, askSecond } from './escalate.ts';
import {
  ask,
  draft,
  finish,
  fulfil,
  notify,
  owe,
  recordBreaches,
  standDown,
  write,
  type Change,
  type Draft,
} from './draft.ts';
import type { Hands } from './hands.ts';
import { personOf, type Incident, type Instant } from './incident.ts';
import { limitOf, type Ladder } from './ladder.ts';
import { NOT_CLIMBED } from './climb.ts';
import type { Rung } from './rung.ts';

/** The promise to 110: a returned matter is acknowledged within a minute. */
export const HANDBACK_SECONDS = 60;

/** What classification and routing found out. */
export interface Finding {
  classification: Classification;
  ladder: Ladder;
  place: NonNullable<Incident['place']>;
  /** How many were picked and how many rejected; the lists themselves are kept in a sibling item. */
  picks: { picked: number; rejected: number };
}

/** Every rung of the ladder becomes owed, counted from `from`; the call-back waits for the close. */
export const promise = (d: Draft, from: Instant): void => {
  for (const { rung, limit } of d.incident.ladder ?? []) {
    if (rung === 'revisit') continue;
    owe(d, rung, from + limit * 1000);
  }
};

/**
 * Takes an incident out of our hands: no civilian is asked, who was asked is sent home, the duty officer is asked at
 * once to hand it back and has a minute for it.
 */
export const giveBack = (d: Draft, by: string, text?: string): void => {
  const { incident } = d;
  incident.state = 'returned';
  delete incident.paused;
  delete incident.unansweredSince;
  write(d, { kind: 'returned', by, ...(text === undefined ? {} : { text }) });
  standDown(d, (person) => person.role === 'duty' || person.role === 'street');
  incident.owed = [];
  incident.climbs = {};
  owe(d, 'handback', d.now + HANDBACK_SECONDS * 1000);
  // A desk can return what was never classified; the minute has to be watched all the same.
  if (incident.workflow === 'none') incident.workflow = 'owed';
  const [duty] = d.hands.duty;
  // An empty step is skipped at once: with no duty officer on shift the street leader is asked now.
  const first = duty ?? d.hands.street[0];
  if (first) {
    ask(d, first, 'handback', duty ? 'returned' : 'handback');
    incident.climbs.handback = { ...NOT_CLIMBED, step: duty ? 1 : 2, slot: 1 };
  }
  if (!duty) write(d, { kind: 'skipped', by: 'system', rung: 'handback', facts: { step: 'duty' } });
};

/** Is a lone civilian not to be sent? Joint and dangerous, by a sign or by what it is, or joint because nobody knows what it is (rules §1). */
export const needsPair = (classification: Classification): boolean =>
  classification.disposition === 'joint' && (isDangerous(classification) || !classification.sure);

/** Opens the first decision about an incident: what was found out goes into the row, and the workflow is owed. */
const open = (incident: Incident, finding: Finding, hands: Hands, now: Instant): Draft => {
  const d = draft(incident, hands, now);
  const { classification, ladder, place } = finding;
  // A copy: a rule may change it later, and the finding is the caller's.
  Object.assign(d.incident, {
    classification: { ...classification },
    ladder,
    place,
    workflow: 'owed',
  } satisfies Partial<Incident>);
  write(d, {
    kind: 'classified',
    by: 'system',
    facts: {
      category: classification.category,
      disposition: classification.disposition,
      urgency: classification.urgency,
      sure: classification.sure,
    },
  });
  return d;
};

/** Writes who was picked; the lists themselves are kept beside the row and shown with this line. */
export const writePicks = (d: Draft, { picks, place }: Pick<Finding, 'picks' | 'place'>): void =>
  write(d, { kind: 'picked', by: 'system', facts: { ...picks, place: place.name } });

/**
 * The first decision about an incident: what it is, by when, and who is asked. Police signs return it to 110.
 * Deadlines count from our receipt, however long classification took.
 */
export const assign = (
  incident: Incident,
  finding: Finding,
  hands: Hands,
  now: Instant,
  pair = needsPair(finding.classification),
): Change => {
  const d = open(incident, finding, hands, now);
  const { classification } = finding;
  d.incident.pair = pair;
  if (classification.disposition === 'police') {
    giveBack(d, 'system');
    return finish(d);
  }
  writePicks(d, finding);
  d.incident.state = 'asking';
  promise(d, d.incident.receivedAt);
  recordBreaches(d);
  askFirst(d);
  // Whatever the classifier is not sure of, the desk sees at once.
  const [duty] = hands.duty;
  if (!classification.sure && duty && !personOf(d.incident, duty.id))
    notify(d, duty.id, 'desk', undefined, 'unsure');
  return finish(d);
};

/**
 * The first decision about a matter that is not clear: it stays `received`, promises and workflow begin, nobody is asked
 * before the desk has said what it is, or until `until` at the latest. The receipt clocks do not wait.
 */
export const waitForDesk = (
  incident: Incident,
  finding: Finding,
  hands: Hands,
  now: Instant,
  until: Instant,
): Change => {
  const d = open(incident, finding, hands, now);
  d.incident.triage = { until };
  writePicks(d, finding);
  write(d, { kind: 'triage', by: 'system', rung: 'triage', facts: { deadline: until } });
  promise(d, d.incident.receivedAt);
  owe(d, 'triage', until);
  const [duty] = hands.duty;
  if (duty) notify(d, duty.id, 'desk', undefined, 'unsure');
  return finish(d);
};

/**
 * The safety net: an incident that classification did not finish in time gets the district's default ladder and the
 * duty officer, so that somebody holds it while the cause is looked for.
 */
export const assignToDuty = (incident: Incident, finding: Finding, hands: Hands, now: Instant): Change =>
  assign(incident, finding, { ...hands, candidates: hands.duty }, now, false);

/** Starts a new round after a close: fresh deadlines from now, the former lead asked first. */
export const startRound = (d: Draft, by: string, text?: string): void => {
  const { incident } = d;
  const former = incident.people.find((p) => p.id === incident.lead);
  incident.round += 1;
  incident.state = 'asking';
  incident.workflow = 'owed';
  incident.reopenedAt = d.now;
  // Who was asked or told before may still read; nobody is asked yet in this round.
  incident.people = incident.people.map(({ id, role, squad }) => ({ id, role, squad, told: [], did: [] }));
  incident.done = {};
  incident.breached = [];
  incident.owed = [];
  incident.climbs = {};
  incident.deadlines = {};
  for (const key of [
    'lead',
    'acceptedAt',
    'closed',
    'revisit',
    'reinforceAskedAt',
    'resumedAt',
    'joined',
    'unansweredSince',
  ] as const)
    delete incident[key];
  write(d, {
    kind: 'reopened',
    by,
    facts: { round: incident.round },
    ...(text === undefined ? {} : { text }),
  });
  promise(d, d.now);
  const { candidates, leaders, duty, street } = d.hands;
  const here = [...candidates, ...leaders, ...duty, ...street].some((hand) => hand.id === former?.id);
  if (former && here) {
    ask(d, former, 'accept', 'reopened');
    askSecond(d);
  } else askFirst(d);
};

/** The limit of a rung in milliseconds; the accept limit for anybody asked anew. */
export const limitMs = (incident: Incident, rung: Rung): number =>
  (limitOf(incident.ladder ?? [], rung) ?? 60) * 1000;

/** Ends every promise but the call-back. */
export const endPromises = (d: Draft): void => {
  const { incident } = d;
  fulfil(d, 'close');
  incident.owed = [];
  incident.climbs = {};
  owe(d, 'revisit', d.now + limitMs(incident, 'revisit'));
};
