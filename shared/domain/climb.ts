import type { Hand, Hands } from './hands.ts';
import { isExpected, owes, personOf, type Climb, type Incident, type Instant } from './incident.ts';
import { spanOf } from './ladder.ts';
import { RUNGS, type Rung } from './rung.ts';

/** Kinds of steps by which a missed rung climbs; `call` is the reinforcement itself. */
export type Step = 'candidate' | 'responsible' | 'call' | 'leader' | 'duty' | 'street';

interface Way {
  steps: readonly Step[];
  /** Seconds after the rung's deadline, by place, not by step: an empty step lets its successors move up. */
  seconds: readonly number[];
}

const told: Way = { steps: ['responsible', 'leader', 'duty', 'street'], seconds: [0, 60, 120, 300] };

/** How each missed rung climbs. Accept asks; the others tell. */
export const CLIMBS: Record<Rung, Way> = {
  // Triage calls nobody higher: when its seconds are over, the default goes out (see `eventOf`).
  triage: { steps: [], seconds: [] },
  accept: { steps: ['candidate', 'leader', 'duty', 'street'], seconds: [0, 30, 60, 120] },
  depart: told,
  contact: told,
  arrive: told,
  reinforce: { steps: ['call', 'duty', 'street'], seconds: [0, 120, 300] },
  feedback: told,
  close: told,
  revisit: told,
  // The duty officer is asked with the return itself; his step is for a desk that was empty then.
  handback: { steps: ['duty', 'street'], seconds: [0, 0] },
};

/** Nagging of the duty officer about an incident nobody accepts: every so many seconds, so many times. */
export const NAG = { every: 300, most: 30 } as const;
/** After a decline the next climb comes at the earliest so many seconds after the substitute was asked. */
export const SUBSTITUTE_SECONDS = 30;
/** How often an unanswered incident looks for somebody newly on shift: seconds in the first hour, and later. */
export const RETRY = { soon: 60, later: 600, soonFor: 3_600 } as const;

/** A climb that has not begun. */
export const NOT_CLIMBED: Climb = { slot: 0, step: 0, shift: 0, nags: 0 };

const climbOf = (incident: Incident, rung: Rung): Climb => incident.climbs[rung] ?? NOT_CLIMBED;

/**
 * When a rung begins to climb: its deadline, or, for a late acceptor, his acceptance plus the rung's own span —
 * nobody is called overdue for time that passed before he said yes.
 */
export const baseOf = (incident: Incident, rung: Rung): Instant => {
  const deadline = incident.deadlines[rung] ?? Number.MAX_SAFE_INTEGER;
  if (rung === 'accept' || rung === 'handback' || rung === 'revisit') return deadline;
  const { acceptedAt } = incident;
  if (acceptedAt === undefined) return deadline;
  // Reinforcement comes at its limit, not later because the lead was late; only where he accepted after it does his span count.
  if (rung === 'reinforce' && (incident.reinforceAskedAt !== undefined || acceptedAt <= deadline))
    return deadline;
  return Math.max(deadline, acceptedAt + spanOf(incident.ladder ?? [], rung) * 1000);
};

/**
 * The instant before which a rung has to be done with climbing: when the next rung of the ladder begins. A finished one
 * still bounds, so that a climb that is over does not begin anew because somebody did a later thing. Reinforcement asked
 * for by a person stands outside the ladder: it neither bounds nor is bounded.
 */
const boundOf = (incident: Incident, rung: Rung): Instant => {
  const ladder = incident.ladder ?? [];
  const i = ladder.findIndex((r) => r.rung === rung);
  const byHand = incident.reinforceAskedAt !== undefined;
  if (i < 0 || rung === 'accept' || (rung === 'reinforce' && byHand)) return Number.MAX_SAFE_INTEGER;
  const base = baseOf(incident, rung);
  for (const { rung: next } of ladder.slice(i + 1)) {
    if (next === 'reinforce' && byHand) continue;
    const begins = baseOf(incident, next);
    if (owes(incident, next) || begins > base) return begins;
  }
  return Number.MAX_SAFE_INTEGER;
};

/** The squad that answers for the incident: the lead's, else that of the first person asked. */
export const squadOf = (incident: Incident, hands: Hands): string | undefined => {
  const lead = incident.lead === undefined ? undefined : personOf(incident, incident.lead);
  const first = lead ?? incident.people.find((p) => p.asked !== undefined && p.role === 'member');
  return first?.squad ?? hands.candidates[0]?.squad;
};

/** The squad leader on shift for this incident; where the squad has none, any leader on shift. */
const leaders = (incident: Incident, hands: Hands): Hand[] => {
  const squad = squadOf(incident, hands);
  const own = hands.leaders.filter((hand) => hand.squad === squad);
  return own.length > 0 ? own : hands.leaders;
};

/** Candidates who were never asked in this round, in routing's order. */
export const unasked = (incident: Incident, hands: readonly Hand[]): Hand[] =>
  hands.filter((hand) => personOf(incident, hand.id)?.asked === undefined);

/** Who would be asked or told by this step now; empty = the step is skipped. */
export const peopleFor = (incident: Incident, hands: Hands, rung: Rung, step: Step): Hand[] => {
  const untold = (some: readonly Hand[]): Hand[] =>
    some.filter((hand) => !personOf(incident, hand.id)?.told.includes(rung));
  const open = (some: readonly Hand[]): Hand[] =>
    (rung === 'accept' ? unasked(incident, some) : untold(some)).slice(0, 1);
  // The call-back is the desk's own duty.
  const lead =
    rung === 'revisit' || incident.lead === undefined ? undefined : personOf(incident, incident.lead);
  const by: Record<Step, () => Hand[]> = {
    candidate: () => unasked(incident, hands.candidates).slice(0, 1),
    responsible: () => open(lead ? [lead] : hands.duty),
    call: () => [
      ...unasked(incident, hands.candidates).slice(0, 2),
      ...unasked(incident, leaders(incident, hands)).slice(0, 1),
    ],
    leader: () => open(leaders(incident, hands).slice(0, 1)),
    duty: () => open(hands.duty),
    street: () => open(hands.street),
  };
  return by[step]();
};

/** Whom the default of triage will ask: the first two, from the next steps where there are no two candidates. */
const firstPair = (incident: Incident, hands: Hands): Hand[] =>
  [
    ...new Map(
      [...hands.candidates, ...leaders(incident, hands).slice(0, 1), ...hands.duty, ...hands.street].map(
        (hand) => [hand.id, hand],
      ),
    ).values(),
  ].slice(0, 2);

/** Who is nagged about an incident that nobody accepts: the duty officer on shift who has not refused it himself. */
export const nagged = (incident: Incident, hands: Hands): Hand[] =>
  hands.duty.filter((hand) => personOf(incident, hand.id)?.declined === undefined).slice(0, 1);

/** The next thing that the clock will do for one rung. */
export type Event =
  | { at: Instant; rung: Rung; what: 'step'; index: number; step: Step; people: Hand[] }
  | { at: Instant; rung: 'triage'; what: 'default'; people: Hand[] }
  | { at: Instant; rung: 'accept'; what: 'nag'; people: Hand[] }
  | { at: Instant; rung: 'accept'; what: 'retry' };

/** What happens next for this rung if nobody does anything, or undefined when its climb is over or not begun. */
export const eventOf = (incident: Incident, hands: Hands, rung: Rung): Event | undefined => {
  if (!owes(incident, rung) || incident.paused) return undefined;
  const climb = climbOf(incident, rung);
  const base = baseOf(incident, rung);
  if (rung === 'triage') return { at: base, rung, what: 'default', people: firstPair(incident, hands) };
  // Nobody is asked yet, so that nobody can be late.
  if (owes(incident, 'triage')) return undefined;
  if (rung === 'accept' && incident.unansweredSince !== undefined) {
    const from = climb.from ?? incident.unansweredSince;
    const soon = from - incident.unansweredSince < RETRY.soonFor * 1000;
    return { at: from + (soon ? RETRY.soon : RETRY.later) * 1000, rung, what: 'retry' };
  }
  // Until somebody accepts only accept climbs; handback and revisit have no lead to wait for.
  if (rung !== 'accept' && rung !== 'handback' && rung !== 'revisit' && incident.lead === undefined)
    return undefined;
  const way = CLIMBS[rung];
  for (const [index, step] of way.steps.entries()) {
    if (index < climb.step) continue;
    const people = peopleFor(incident, hands, rung, step);
    if (people.length === 0) continue;
    const seconds = way.seconds[Math.min(climb.slot, way.seconds.length - 1)] ?? 0;
    const at = base + climb.shift + seconds * 1000;
    return at < boundOf(incident, rung) ? { at, rung, what: 'step', index, step, people } : undefined;
  }
  if (rung !== 'accept' || climb.nags >= NAG.most) return undefined;
  return {
    at: (climb.from ?? base + climb.shift) + NAG.every * 1000,
    rung,
    what: 'nag',
    people: nagged(incident, hands),
  };
};

/** The earliest event of all owed rungs; of two at the same instant the earlier rung's. */
export const nextEvent = (incident: Incident, hands: Hands): Event | undefined =>
  RUNGS.map((rung) => eventOf(incident, hands, rung)).reduce<Event | undefined>(
    (best, event) => (event && (!best || event.at < best.at) ? event : best),
    undefined,
  );

/** Is there anybody whom the accept climb has not asked in this round? */
export const anybodyUnasked = (incident: Incident, hands: Hands): boolean =>
  CLIMBS.accept.steps.some((step) => peopleFor(incident, hands, 'accept', step).length > 0);

/** Is there anybody left: expected, still to be asked, or to be nagged? */
export const somebodyLeft = (incident: Incident, hands: Hands): boolean =>
  incident.people.some(isExpected) || nagged(incident, hands).length > 0 || anybodyUnasked(incident, hands);
