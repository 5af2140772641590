import { afterEach, expect } from 'vitest';
import { loadDistrict } from '#shared/districts/load.ts';
import { act, type Acted, type Request, type Said } from '#shared/domain/act.ts';
import { assign, waitForDesk } from '#shared/domain/assign.ts';
import type { Classification } from '#shared/domain/classification.ts';
import type { Change } from '#shared/domain/draft.ts';
import { escalate } from '#shared/domain/escalate.ts';
import type { Hand, Hands } from '#shared/domain/hands.ts';
import { incidentSchema, receive, type Incident, type Instant } from '#shared/domain/incident.ts';
import type { Ladder, Mode } from '#shared/domain/ladder.ts';
import { plan } from '#shared/domain/plan.ts';
import type { Role } from '#shared/domain/roster.ts';
import type { Rung } from '#shared/domain/rung.ts';
import type { Line } from '#shared/domain/trail.ts';
import { leaveUnreached } from '#shared/domain/unreached.ts';

/** The instant of receipt in every tale: a Monday afternoon in Beijing. */
export const T0: Instant = Date.UTC(2026, 0, 5, 6, 0, 0);
/** Seconds of a day. */
export const DAY = 86_400;

/** A person of the sample roster. */
export const hand = (id: string, role: Role = 'member', squad = 'one'): Hand => ({ id, role, squad });

/** Three members in routing's order, and one person on each step above them. */
export const everybody = (): Hands => ({
  candidates: [hand('a'), hand('b'), hand('c')],
  leaders: [hand('leader', 'leader')],
  duty: [hand('duty', 'duty', 'desk')],
  street: [hand('street', 'street', 'street')],
});

/** An everyday matter, nothing dangerous about it. */
export const everyday: Classification = {
  category: 'daily_help',
  disposition: 'non-police',
  urgency: 'P3',
  danger: [],
  line: 'grid',
  team: 'grid',
  sure: true,
  risk: false,
  confidence: { category: 0.9, disposition: 0.9, p1: 0.02, risk: 0.02 },
  versions: { rules: 'test', lexicon: 'test', model: 'none' },
};

/** The district's own default ladder, from its data. */
export const ladderOf = (district: string, mode: Mode = 'peace'): Ladder => {
  const ladders = loadDistrict(district).ladders['default'];
  const ladder = mode === 'war' ? ladders?.war : ladders?.peace;
  if (!ladder) throw new Error(`${district} has no ladder for ${mode}`);
  return ladder;
};

/** How a tale begins; everything has an everyday value. */
export interface Setting {
  district?: string;
  mode?: Mode;
  ladder?: Ladder;
  hands?: Partial<Hands>;
  matter?: Partial<Classification>;
  secret?: boolean;
  /** Seconds from receipt that the desk has, for a matter that is not clear. */
  triage?: number;
  /** Seconds that classification takes. */
  delay?: number;
}

/** What somebody may say with an action; the words are given where the rules ask for some. */
type Words = Partial<Omit<Request, 'action'>>;

const open: DutyRoom[] = [];

// A notice that nobody expected is a person disturbed, or a rule broken: no tale may end with one.
afterEach(() => {
  for (const room of open.splice(0)) expect(room.unheard(), 'notices that nobody expected').toEqual([]);
});

/**
 * A district's desk with one incident, told in seconds since receipt. Plays the workflow as the stack draws it: waits at
 * one rung until the row's `due`, walks on when it is finished, asks `escalate` otherwise. No engine, no I/O.
 */
export class DutyRoom {
  incident: Incident;
  hands: Hands;
  readonly trail: Line[] = [];
  /** How often the workflow asked what to do. */
  wakes = 0;
  private readonly ladder: Ladder;
  private time = 0;
  private notices: string[] = [];
  /** The rung that the workflow waits at, and until when (s); undefined when its execution has ended. */
  private waits: { rung: Rung; until: number } | undefined;

  constructor({
    district = 'donghu',
    mode = 'peace',
    ladder,
    hands,
    matter,
    secret = false,
    triage,
    delay = 0,
  }: Setting) {
    open.push(this);
    this.hands = { ...everybody(), ...hands };
    this.ladder = ladder ?? ladderOf(district, mode);
    this.incident = receive({
      id: '01JSAMPLE0000000000000000A',
      callNo: 'sample-1',
      district,
      receivedAt: T0,
      calledAt: T0,
      secret,
      mode,
    });
    this.time = delay;
    const finding = {
      classification: { ...everyday, ...matter },
      ladder: this.ladder,
      place: { name: '东湖公园', grid: 'g-1' },
      picks: { picked: this.hands.candidates.length, rejected: 0 },
    };
    this.commit(
      triage === undefined
        ? assign(this.incident, finding, this.hands, this.now)
        : waitForDesk(this.incident, finding, this.hands, this.now, T0 + triage * 1000),
    );
    this.park(this.incident.rung);
  }

  get now(): Instant {
    return T0 + this.time * 1000;
  }

  /** Lets time pass to this second; whatever the clock demands on the way happens at its own instant. */
  at(second: number): this {
    if (second < this.time) throw new Error(`it is ${this.time} s already, not ${second} s`);
    while (this.waits && this.waits.until <= second) {
      this.time = this.waits.until;
      this.escalate();
    }
    this.time = second;
    return this;
  }

  member(id: string) {
    const does = (action: Request['action'], words: Words = {}) =>
      this.act({ kind: 'member', id }, { action, ...words });
    return {
      accepts: () => does('accept'),
      declines: (reason: string | undefined = '正在处置另一起') => does('decline', { reason }),
      departs: () => does('depart'),
      contacts: () => does('contact'),
      arrives: () => does('arrive'),
      feedsBack: (text: string | undefined = '双方已分开') => does('feedback', { text }),
      callsHelp: () => does('reinforce'),
      closes: (outcome = 'solved', text: string | undefined = '已当场解决') =>
        does('close', { outcome, text }),
      notes: (text: string, said?: Said[]) =>
        this.act({ kind: 'member', id }, { action: 'note', text }, said),
      does,
    };
  }

  get desk() {
    const does = (action: Request['action'], words: Words = {}, said?: Said[]) =>
      this.act({ kind: 'desk', id: 'duty' }, { action, ...words }, said);
    return {
      reassigns: (member: string) => does('reassign', { member }),
      says: (matter: Partial<Classification>, reason: string | undefined = '听录音') =>
        does('classify', {
          reason,
          decided: {
            classification: { ...everyday, ...matter },
            ladder: this.ladder,
            place: { name: '东湖公园', grid: 'g-1' },
            picks: { picked: this.hands.candidates.length, rejected: 0 },
          },
        }),
      pauses: (seconds: number, reason: string | undefined = '等鉴定结果') =>
        does('pause', { reason, until: this.now + seconds * 1000 }),
      resumes: () => does('resume'),
      returns: (reason: string | undefined = '涉嫌违法') => does('return', { reason }),
      handsBack: () => does('handback'),
      revisits: (outcome = 'satisfied') => does('revisit', { outcome }),
      reopens: (reason: string | undefined = '又吵起来了') => does('reopen', { reason }),
      closes: (outcome = 'cancelled', text: string | undefined = '来电撤销') =>
        does('close', { outcome, text }),
      does,
    };
  }

  /** No channel reaches him, and that is known now. */
  noChannelReaches(id: string): this {
    const before = structuredClone(this.incident);
    const change = leaveUnreached(this.incident, id, this.hands, this.now);
    if (change) {
      this.commit(change);
      this.wake(before);
    }
    return this;
  }

  /** Takes notice of every message sent so far; each is `second person kind`, in the order they were sent. */
  hears(...lines: string[]): this {
    expect(this.notices.splice(0)).toEqual(lines);
    return this;
  }

  /** Messages that no tale has taken notice of. */
  unheard(): string[] {
    return [...this.notices];
  }

  /** Trail lines of these kinds: `second kind rung-or-person`. */
  lines(...kinds: Line['kind'][]): string[] {
    return this.trail
      .filter((line) => kinds.includes(line.kind))
      .map((line) =>
        [(line.at - T0) / 1000, line.kind, line.rung ?? line.whom].filter((x) => x !== undefined).join(' '),
      );
  }

  /** Deadline of a rung, in seconds since receipt. */
  deadline(rung: Rung): number | undefined {
    const at = this.incident.deadlines[rung];
    return at === undefined ? undefined : (at - T0) / 1000;
  }

  /** The plan as the page shows it, without the plain deadlines: `second what people`. */
  plan(): string[] {
    return plan(this.incident, this.hands, this.now)
      .filter((p) => p.what !== 'deadline')
      .map((p) => [(p.at - T0) / 1000, p.what, ...p.whom].join(' '));
  }

  /** The rung that the workflow waits at. */
  get waitsAt(): Rung | undefined {
    return this.waits?.rung;
  }

  /** The next instant at which the workflow wakes by itself, in seconds since receipt. */
  get waitsUntil(): number | undefined {
    return this.waits?.until;
  }

  private act(actor: { kind: 'member' | 'desk'; id: string }, request: Request, said?: Said[]): Acted {
    const target =
      request.member === undefined
        ? undefined
        : Object.values(this.hands)
            .flat()
            .find((one: Hand) => one.id === request.member);
    const before = structuredClone(this.incident);
    const acted = act(this.incident, actor, request, this.hands, this.now, target, said);
    expect(this.incident, 'a rule wrote into the row that it was given').toEqual(before);
    if (acted.kind === 'done') {
      this.commit(acted.change);
      this.wake(before);
    }
    return acted;
  }

  private escalate(): void {
    this.wakes += 1;
    const change = escalate(this.incident, this.hands, this.now);
    if (change) {
      this.commit(change);
      expect(
        escalate(this.incident, this.hands, this.now),
        'a second look at the same instant',
      ).toBeUndefined();
    }
    this.park(this.incident.rung);
  }

  private commit(change: Change): void {
    checkRow(change.incident);
    this.incident = change.incident;
    this.trail.push(...change.lines);
    expect(new Set(change.notices.map((n) => n.id)).size).toBe(change.notices.length);
    for (const notice of change.notices) this.notices.push(`${this.time} ${notice.to} ${notice.kind}`);
  }

  /** As `shared/ports/move.ts` does after a commit: finished walks on, a moved clock asks anew. */
  private wake(before: Incident): void {
    const { incident } = this;
    if (!this.waits || incident.round !== before.round) return this.park(incident.rung);
    const { rung } = this.waits;
    if (!incident.owed.includes(rung)) {
      // Reinforcement and handback are asides of the drawing: escalate says where to go.
      if (rung === 'reinforce' || incident.owed.includes('handback')) return this.escalate();
      const walk = this.ladder.map((r) => r.rung).filter((r) => r !== 'reinforce');
      return this.park(
        walk.slice(walk.findIndex((r) => r === rung) + 1).find((r) => incident.owed.includes(r)),
      );
    }
    const next = incident.rung === undefined ? undefined : incident.due[incident.rung];
    if (before.due[rung] !== next) this.escalate();
  }

  private park(rung: Rung | undefined): void {
    if (rung === undefined) {
      this.waits = undefined;
      return;
    }
    const due = this.incident.due[rung];
    if (due === undefined) throw new Error(`the workflow waits at ${rung}, but the row says not until when`);
    // Whole seconds, at least one: a deadline that has passed is noticed a second late.
    this.waits = { rung, until: Math.max((due - T0) / 1000, this.time + 1) };
  }
}

/** Opens a duty room on a classified incident. */
export const dutyRoom = (setting: Setting = {}): DutyRoom => new DutyRoom(setting);

/** What holds for every row that was ever committed. */
export const checkRow = (incident: Incident): void => {
  expect(incidentSchema.parse(incident)).toEqual(incident);
  const allowed = new Set<Rung>([
    ...(incident.ladder ?? []).map((r) => r.rung),
    'triage',
    'reinforce',
    'handback',
    'revisit',
  ]);
  expect(incident.owed.filter((rung) => !allowed.has(rung))).toEqual([]);
  expect(Object.keys(incident.due).toSorted(), 'every owed rung has an instant').toEqual(
    incident.owed.toSorted(),
  );
  expect(
    incident.owed.filter((rung) => incident.done[rung] !== undefined),
    'owed and done',
  ).toEqual([]);
  expect(incident.rung === undefined).toBe(incident.owed.length === 0);
  for (const person of incident.people)
    expect(new Set(person.told).size, `${person.id} was told twice`).toBe(person.told.length);
};

/** The sentence of a refusal, or what else came of an action. */
export const outcome = (acted: Acted): string => (acted.kind === 'refused' ? acted.refusal.code : acted.kind);
