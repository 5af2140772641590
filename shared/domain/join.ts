import { endPromises, giveBack } from './assign.ts';
import { isDangerous } from './classification.ts';
import { NOT_CLIMBED, baseOf } from './climb.ts';
import {
  askKind,
  draft,
  finish,
  notify,
  recordBreaches,
  standDown,
  write,
  type Change,
  type Draft,
} from './draft.ts';
import { grantSubstitute } from './escalate.ts';
import type { Hands } from './hands.ts';
import { OVER, isExpected, personOf, type Incident, type Instant, type Related } from './incident.ts';
import { STATE_NAMES } from './moves.ts';

/** So many calls can be joined to one incident: the row stays small, and who has a hundred calls has a catastrophe, not a merge. */
export const MOST_JOINED = 10;
/** So many incidents beside it are remembered on a row. */
const MOST_RELATED = 3;

/** Who joins or parts, and why. `by`: the desk's id, or `system`. */
export interface Because {
  by: string;
  sentence: string;
}

/** Why one incident may not become part of the other: a sentence for the desk; undefined when it may. Source: domain.md 15. */
export const joinFault = (incident: Incident, main: Incident): string | undefined => {
  if (incident.id === main.id) return '不能并入自己。';
  if (main.state === 'joined') return '要并入的警情自己已并入另一起，请直接并入那一起。';
  if (main.state === 'received') return '要并入的警情还在研判，请稍候。';
  if (OVER.has(main.state)) return `要并入的警情${STATE_NAMES[main.state]}，不能再并入。`;
  // Each keeps its own guard: what is dangerous is answered by itself.
  if ([incident, main].some(({ classification }) => classification && isDangerous(classification)))
    return '有危险信号或判为危险的警情只能关联，不能并案，各按各的处置。';
  if ((main.joins ?? []).length >= MOST_JOINED) return `一起警情最多并入${MOST_JOINED}起来电。`;
  return undefined;
};

/**
 * The later incident becomes part of the first: it keeps its row, number and trail, its people are sent home, and it owes
 * nothing until the main one ends or somebody parts them. What had been joined to it stays joined to it, and goes its way. `joinFault` has been asked.
 */
export const joinIn = (d: Draft, main: Incident, { by, sentence }: Because): void => {
  const { incident } = d;
  const { state } = incident;
  if (state !== 'asking' && state !== 'unanswered' && state !== 'accepted' && state !== 'onsite')
    throw new Error(`An incident that is ${state} cannot be joined.`);
  const stood = incident.people.filter((person) => isExpected(person) && !person.stood).map(({ id }) => id);
  write(d, { kind: 'joined', by, facts: { into: main.id, callNo: main.callNo }, text: sentence });
  standDown(d, () => false);
  incident.joined = { into: main.id, at: d.now, by, was: state, owed: incident.owed, stood };
  incident.state = 'joined';
  incident.owed = [];
};

/** The main incident takes another in. Its clocks and its state stay; the lead is told, as of a further report, when the address differs. */
export const takeIn = (
  main: Incident,
  joined: Pick<Incident, 'id' | 'callNo'>,
  { by, sentence }: Because,
  otherAddress: boolean,
  hands: Hands,
  now: Instant,
): Change => {
  const d = draft(main, hands, now);
  d.incident.joins = [...(main.joins ?? []), joined.id];
  write(d, { kind: 'joined', by, facts: { from: joined.id, callNo: joined.callNo }, text: sentence });
  if (otherAddress && main.lead !== undefined && !main.paused) notify(d, main.lead, 'changed');
  return noted(d);
};

/**
 * Takes a joining back: state, promises and deadlines are as they were, whoever was sent home for it is called again, and a
 * new execution watches. A climb that was due meanwhile goes on from now; what was missed meanwhile is a miss.
 */
export const partFrom = (d: Draft, { by, sentence }: Because): void => {
  const { incident } = d;
  const { joined } = incident;
  if (!joined) throw new Error('An incident that is not joined cannot part.');
  write(d, { kind: 'parted', by, facts: { from: joined.into }, text: sentence });
  incident.state = joined.was;
  incident.owed = joined.owed;
  incident.partedAt = d.now;
  delete incident.joined;
  anew(d);
  for (const rung of incident.owed) {
    const climb = incident.climbs[rung] ?? { ...NOT_CLIMBED };
    const slept = d.now - Math.max(joined.at, baseOf(incident, rung) + climb.shift);
    if (slept <= 0) continue;
    climb.shift += slept;
    if (climb.from !== undefined) climb.from += slept;
    incident.climbs[rung] = climb;
  }
  for (const id of joined.stood) {
    const person = personOf(incident, id);
    if (!person) continue;
    delete person.stood;
    notify(d, id, person.accepted === undefined ? askKind(incident) : 'reopened', 'accept');
  }
  recordBreaches(d);
  if (joined.stood.length > 0) grantSubstitute(d);
};

/** The main incident lets another go, whether it parted or came to its own end. */
export const letGo = (
  main: Incident,
  parted: Pick<Incident, 'id' | 'callNo'>,
  because: Because | undefined,
  hands: Hands,
  now: Instant,
): Change => {
  const d = draft(main, hands, now);
  d.incident.joins = (main.joins ?? []).filter((id) => id !== parted.id);
  if (because)
    write(d, {
      kind: 'parted',
      by: because.by,
      facts: { from: parted.id, callNo: parted.callNo },
      text: because.sentence,
    });
  return noted(d);
};

/**
 * The main incident has ended: what was joined to it ends with it, handed on, and its own caller is called back; what went
 * back to 110 takes along every number that was joined to it. Undefined when the main one goes on.
 */
export const endAlong = (
  incident: Incident,
  main: Incident,
  hands: Hands,
  now: Instant,
): Change | undefined => {
  if (incident.state !== 'joined' || incident.joined?.into !== main.id || !OVER.has(main.state))
    return undefined;
  const d = draft(incident, hands, now);
  anew(d);
  if (main.state === 'returned') {
    giveBack(d, 'system', '并入的主警情已退回110，这一起一并退回。');
    return finish(d);
  }
  d.incident.state = 'closed';
  const ended = main.closed?.main ?? main.closed?.outcome ?? 'handed_on';
  d.incident.closed = { at: now, outcome: 'handed_on', main: ended };
  write(d, {
    kind: 'closed',
    by: 'system',
    rung: 'close',
    facts: { outcome: 'handed_on', into: main.id, main: ended },
  });
  endPromises(d);
  return finish(d);
};

/**
 * Notes on an incident that another one may be about the same event: `propose` waits for the desk's word, `link` only has
 * them looked at together. Undefined when it stands there already.
 */
export const relate = (
  incident: Incident,
  other: Pick<Incident, 'id' | 'callNo'>,
  verdict: Related['verdict'],
  facts: Record<string, number>,
  sentence: string,
  now: Instant,
): Change | undefined => {
  if ((incident.related ?? []).some(({ id }) => id === other.id)) return undefined;
  const d = draft(incident, { candidates: [], leaders: [], duty: [], street: [] }, now);
  d.incident.related = [...(incident.related ?? []), { id: other.id, verdict }].slice(-MOST_RELATED);
  write(d, {
    kind: 'related',
    by: 'system',
    facts: { verdict, with: other.id, callNo: other.callNo, ...facts },
    text: sentence,
  });
  return noted(d);
};

/** The execution of the round before has come to its end: another one has to watch. */
const anew = (d: Draft): void => {
  d.incident.round += 1;
  d.incident.workflow = 'owed';
};

/** A change that moves no clock: whoever waits goes on waiting. */
const noted = (d: Draft): Change => {
  d.incident.version += 1;
  return { incident: d.incident, lines: d.lines, notices: d.notices };
};
