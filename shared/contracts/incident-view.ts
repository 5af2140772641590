import { DESK_ACTIONS, ACTIONS, allows, type Action } from '../domain/moves.ts';
import { REOPEN_MS } from '../domain/act.ts';
import { isDangerous, type Reason } from '../domain/classification.ts';
import type { District } from '../domain/district.ts';
import { handsAt } from '../domain/hands.ts';
import { assignees, owes, personOf, type Incident, type Instant, type Person } from '../domain/incident.ts';
import { isAlive } from '../domain/link.ts';
import type { Attempt, AttemptState, Notice } from '../domain/notice.ts';
import { plan } from '../domain/plan.ts';
import { promiseOf } from '../domain/promise.ts';
import type { Member, Point } from '../domain/roster.ts';
import { rungSchema, type Rung } from '../domain/rung.ts';
import { neutralCode } from '../domain/wording.ts';
import type { Line, StoredLine } from '../domain/trail.ts';
import { iso } from './time.ts';
import type { IncidentBody, IncidentSummary, IncidentView, PlannedView, TrailLine } from './views.ts';

/** Who looks: a member of the roster or the desk. */
export interface Viewer {
  kind: 'member' | 'desk';
  id: string;
  /** Looks with the session of a link, which tells no more than the link once that is dead. */
  only?: object;
}

/** One report as far as a view shows it. */
interface Told {
  caller: { name: string; phone: string };
  address: string;
  location?: Point;
  content: string;
  categoryCode?: string;
  level?: string;
  linkedCallNo?: string;
  receivedAt: Instant;
}

/** Everything that is known of an incident, before it is decided what of it this viewer may see. */
export interface Known {
  incident: Incident;
  content: Told | undefined;
  reports: readonly Told[];
  /** Lines of all chains. */
  lines: readonly { stored: StoredLine; text?: string }[];
  picks:
    | { how: string; picked: { id: string; reason: string }[]; rejected: { id: string; reason: string }[] }
    | undefined;
  reasons: readonly Reason[];
  notices: readonly { notice: Notice; state: AttemptState; attempts: readonly Pick<Attempt, 'milli'>[] }[];
  roster: readonly Member[];
  district: Pick<District, 'shifts' | 'categories' | 'roads' | 'grids'>;
  viewer: Viewer;
  now: Date;
}

/** 王小明 → 王*: the family name alone. */
export const maskName = (name: string): string => {
  const [first] = Array.from(name);
  return first === undefined ? '' : `${first}*`;
};

/** 19900001234 → 199****1234; of shorter numbers only the last two characters stay. */
export const maskPhone = (phone: string): string =>
  phone.length >= 11
    ? `${phone.slice(0, 3)}****${phone.slice(-4)}`
    : `${'*'.repeat(Math.max(0, phone.length - 2))}${phone.length > 2 ? phone.slice(-2) : '*'.repeat(phone.length)}`;

/** May this viewer read the incident? A member only where he was asked or told, in whatever round. */
export const mayRead = (
  incident: Incident,
  lines: readonly { stored: Line | StoredLine }[],
  viewer: Viewer,
): boolean =>
  viewer.kind === 'desk' ||
  personOf(incident, viewer.id) !== undefined ||
  lines.some(
    ({ stored }) => stored.whom === viewer.id && (stored.kind === 'asked' || stored.kind === 'told'),
  );

const times = (instants: Partial<Record<Rung, Instant>>): IncidentSummary['deadlines'] =>
  Object.fromEntries(
    rungSchema.options.flatMap((rung) => {
      const at = instants[rung];
      return at === undefined ? [] : [[rung, iso(at)]];
    }),
  );

/** What everybody who may read an incident sees in a list: nothing that the caller told. */
export const incidentSummary = (incident: Incident, now: Instant): IncidentSummary => ({
  id: incident.id,
  callNo: incident.callNo,
  district: incident.district,
  state: incident.state,
  round: incident.round,
  receivedAt: iso(incident.receivedAt),
  calledAt: iso(incident.calledAt),
  secret: incident.secret,
  mode: incident.mode,
  ...(incident.classification ? { classification: incident.classification } : {}),
  ...(incident.place ? { place: incident.place } : {}),
  ...(incident.lead === undefined ? {} : { lead: incident.lead }),
  assignees: assignees(incident),
  deadlines: times(incident.deadlines),
  done: times(incident.done),
  owed: incident.owed,
  ...(incident.triage ? { triage: { ...incident.triage, until: iso(incident.triage.until) } } : {}),
  ...(incident.corrected ? { corrected: { ...incident.corrected, at: iso(incident.corrected.at) } } : {}),
  overdue: incident.paused
    ? []
    : incident.owed.filter((rung) => rung !== 'reinforce' && (incident.deadlines[rung] ?? now) < now),
  ...(incident.closed ? { closed: { at: iso(incident.closed.at), outcome: incident.closed.outcome } } : {}),
  ...(incident.revisit ? { revisit: incident.revisit } : {}),
  ...(incident.paused ? { paused: { at: iso(incident.paused.at), until: iso(incident.paused.until) } } : {}),
  ...(incident.joined
    ? { joined: { into: incident.joined.into, at: iso(incident.joined.at), by: incident.joined.by } }
    : {}),
  ...(incident.opinion ? { opinion: incident.opinion } : {}),
  joins: incident.joins ?? [],
  related: incident.related ?? [],
  ...(incident.repeat
    ? {
        repeat: {
          kind: incident.repeat.kind,
          times: incident.repeat.times,
          ...(incident.repeat.before === undefined ? {} : { before: iso(incident.repeat.before) }),
        },
      }
    : {}),
  ...(incident.unansweredSince === undefined ? {} : { unansweredSince: iso(incident.unansweredSince) }),
  reports: incident.reports,
});

/** Actions of one person that make no sense (any more), although the table of moves would allow them. */
const isPointless = (incident: Incident, action: Action, person: Person | undefined): boolean => {
  const mine = incident.lead === person?.id;
  switch (action) {
    case 'accept':
      return person === undefined || mine || person.accepted !== undefined || person.declined !== undefined;
    case 'decline':
      return person?.asked === undefined || person.declined !== undefined;
    case 'depart':
    case 'contact':
    case 'arrive':
      return person === undefined || person.did.includes(action) || person.declined !== undefined;
    case 'feedback':
      return person === undefined || person.declined !== undefined;
    case 'close':
      return person?.declined !== undefined;
    case 'reinforce':
      return (
        incident.lead === undefined ||
        (owes(incident, 'reinforce') && incident.climbs.reinforce !== undefined)
      );
    case 'handback':
      return !owes(incident, 'handback');
    case 'classify':
      // Between receipt and classification there is nothing to correct yet.
      return incident.classification === undefined;
    case 'join':
      // What is dangerous is answered by itself.
      return incident.classification !== undefined && isDangerous(incident.classification);
    case 'unjoin':
    case 'revisit':
    case 'reopen':
    case 'reassign':
    case 'pause':
    case 'resume':
    case 'return':
    case 'reveal':
    case 'tell':
    case 'note':
      return false;
    default:
      return action satisfies never;
  }
};

/** What this viewer can do now: a button each. The desk acts for the lead, or for the duty officer who was asked. */
const offers = (incident: Incident, viewer: Viewer, now: Instant): Action[] => {
  const own = personOf(incident, viewer.id);
  const desk = viewer.kind === 'desk';
  const person =
    own ??
    (desk
      ? (personOf(incident, incident.lead ?? '') ?? incident.people.find((p) => p.role === 'duty'))
      : undefined);
  if (!desk && !own) return [];
  return ACTIONS.filter(
    (action) =>
      allows(incident.state, action) &&
      (desk || !DESK_ACTIONS.has(action)) &&
      !isPointless(incident, action, person) &&
      (action !== 'reopen' || now - (incident.closed?.at ?? 0) <= REOPEN_MS),
  );
};

/** Facts that hold an instant are written as times. */
const INSTANTS: ReadonlySet<string> = new Set(['deadline', 'until', 'calledAt']);
const factsOf = (facts: NonNullable<Line['facts']>): NonNullable<TrailLine['facts']> =>
  Object.fromEntries(
    Object.entries(facts).map(([name, value]) => [
      name,
      INSTANTS.has(name) && typeof value === 'number' ? iso(value) : value,
    ]),
  );

const byTime = (a: StoredLine, b: StoredLine): number =>
  a.at - b.at ||
  Number(a.chain !== 'main') - Number(b.chain !== 'main') ||
  (a.chain < b.chain ? -1 : a.chain > b.chain ? 1 : a.seq - b.seq);

const trailOf = (known: Known, open: boolean): TrailLine[] =>
  [...known.lines]
    .sort((a, b) => byTime(a.stored, b.stored))
    .map(({ stored, text }) => {
      const { at, kind, by, onBehalf, rung, whom, facts, chain, seq, hash } = stored;
      return {
        at: iso(at),
        kind,
        by,
        ...(onBehalf === undefined ? {} : { onBehalf }),
        ...(rung === undefined ? {} : { rung }),
        ...(whom === undefined ? {} : { whom }),
        ...(text === undefined || !open ? {} : { text }),
        ...(facts === undefined ? {} : { facts: factsOf(facts) }),
        ...(kind === 'picked' && known.picks ? { picks: known.picks } : {}),
        ...(kind === 'classified' && open ? { reasons: [...known.reasons] } : {}),
        chain,
        seq,
        hash,
      };
    });

/** The ledger of pauses, read out of the trail: every stop of the clocks with its reason and its end. */
const pausesOf = ({ lines }: Known): IncidentView['pauses'] => {
  const ledger: IncidentView['pauses'] = [];
  const main = lines
    .filter(({ stored }) => stored.chain === 'main')
    .toSorted((a, b) => a.stored.seq - b.stored.seq);
  for (const { stored, text } of main) {
    const { at, by, kind, facts } = stored;
    const until = facts?.['until'];
    if (kind === 'paused')
      ledger.push({
        at: iso(at),
        by,
        ...(typeof until === 'number' ? { until: iso(until) } : {}),
        ...(text === undefined ? {} : { reason: text }),
      });
    const last = ledger.at(-1);
    if (kind === 'resumed' && last) Object.assign(last, { resumedAt: iso(at), resumedBy: by });
  }
  return ledger;
};

const planOf = ({ incident, roster, picks, district, now }: Known): PlannedView[] => {
  const candidates = picks?.picked.map((pick) => pick.id) ?? [];
  const hands = handsAt(roster, district.shifts, candidates, now);
  return plan(incident, hands, now.getTime()).map(({ at, what, rung, whom }) => ({
    at: iso(at),
    what,
    ...(rung === undefined ? {} : { rung }),
    whom,
  }));
};

const toldOf = (told: Told, open: boolean, revealed: boolean): Partial<IncidentView> => ({
  caller: revealed
    ? { ...told.caller, revealed }
    : { name: maskName(told.caller.name), phone: maskPhone(told.caller.phone), revealed },
  ...(open ? { address: told.address, content: told.content } : {}),
  ...(open && told.location ? { location: told.location } : {}),
  ...(told.categoryCode === undefined ? {} : { categoryCode: told.categoryCode }),
  ...(told.level === undefined ? {} : { level: told.level }),
  ...(told.linkedCallNo === undefined ? {} : { linkedCallNo: told.linkedCallNo }),
});

/** What it is and where, in words. Of a secret matter no more than its notices tell: the code. */
const headlineOf = ({ incident, district }: Known, open: boolean): IncidentView['headline'] => {
  const { categories, roads, grids } = district;
  const category = categories.find(({ id }) => id === incident.classification?.category);
  const code = category && neutralCode(categories, category.id);
  const road = roads.find(({ id }) => id === incident.place?.road)?.name;
  const grid = grids.find(({ id }) => id === incident.place?.grid)?.name;
  return {
    ...(code === undefined ? {} : { code }),
    ...(category === undefined || !open ? {} : { matter: category.name }),
    ...(road === undefined || !open ? {} : { road }),
    ...(grid === undefined || !open ? {} : { grid }),
  };
};

/**
 * The incident as this viewer may see it (rules §1 "Seeing"): the caller masked until a line `revealed` of this viewer
 * stands in the trail; what was told in a secret incident for the lead and the desk only, and never by the session of a dead
 * link. Ask `mayRead` first.
 */
export const incidentView = (known: Known): IncidentBody => {
  const { incident, content, reports, reasons, notices, roster, viewer } = known;
  const now = known.now.getTime();
  const inKnow = !incident.secret || viewer.kind === 'desk' || incident.lead === viewer.id;
  // A session outlives the task by hours, on a phone that may be anybody's by then.
  const dead = viewer.only !== undefined && !isAlive(incident, { member: viewer.id });
  const open = inKnow && !dead;
  const revealed =
    !dead && known.lines.some(({ stored }) => stored.kind === 'revealed' && stored.by === viewer.id);
  const person = personOf(incident, viewer.id);
  const role = incident.lead === viewer.id ? 'lead' : person?.accepted === undefined ? undefined : 'helper';
  const names = new Map(roster.map((member) => [member.id, member.name]));
  const promise = promiseOf(incident, viewer.id);
  return {
    incident: {
      ...incidentSummary(incident, now),
      ...(content ? toldOf(content, open, revealed) : {}),
      further: open
        ? reports.map((report) => ({
            receivedAt: iso(report.receivedAt),
            address: report.address,
            content: report.content,
          }))
        : [],
      pauses: pausesOf(known),
      reasons: open ? [...reasons] : [],
      ladder: incident.ladder ?? [],
      people: incident.people.map((p) => ({
        id: p.id,
        name: names.get(p.id) ?? '',
        role: p.role,
        squad: p.squad,
        ...(p.asked === undefined ? {} : { asked: iso(p.asked) }),
        ...(p.accepted === undefined ? {} : { accepted: iso(p.accepted) }),
        ...(p.declined === undefined ? {} : { declined: iso(p.declined) }),
        ...(p.unreached === undefined ? {} : { unreached: iso(p.unreached) }),
        stoodDown: p.stood ?? false,
      })),
      notices: notices.map(({ notice, state, attempts }) => ({
        id: notice.id,
        to: notice.to,
        kind: notice.kind,
        ...(notice.rung ? { rung: notice.rung } : {}),
        at: iso(notice.at),
        state,
        attempts: attempts.length,
      })),
      ...(viewer.kind === 'desk'
        ? {
            spentMilli: notices
              .flatMap(({ attempts }) => attempts)
              .reduce((sum, { milli }) => sum + milli, 0),
          }
        : {}),
      ...(role === undefined ? {} : { role }),
      offers: offers(incident, viewer, now),
      headline: headlineOf(known, inKnow),
      ...(promise ? { promise: { rung: promise.rung, at: iso(promise.at) } } : {}),
    },
    trail: trailOf(known, open),
    plan: planOf(known),
    now: iso(now),
  };
};
