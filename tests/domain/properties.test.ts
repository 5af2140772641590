import * as fc from '../properties.ts';
import { describe, expect, test } from 'vitest';
import { act, type Actor, type Request } from '#shared/domain/act.ts';
import { assign, waitForDesk, type Finding } from '#shared/domain/assign.ts';
import type { Classification } from '#shared/domain/classification.ts';
import type { Change } from '#shared/domain/draft.ts';
import { escalate } from '#shared/domain/escalate.ts';
import { NO_HANDS, type Hand, type Hands } from '#shared/domain/hands.ts';
import { OVER, receive, type Incident } from '#shared/domain/incident.ts';
import type { Ladder } from '#shared/domain/ladder.ts';
import { ACTIONS, DESK_ACTIONS, MOVES } from '#shared/domain/moves.ts';
import type { Notice } from '#shared/domain/notice.ts';
import { plan } from '#shared/domain/plan.ts';
import { T0, checkRow, everyday, hand, ladderOf } from './duty-room.ts';

const RUNS = { numRuns: 250 };

const LADDERS: Ladder[] = [
  ladderOf('donghu'),
  ladderOf('xiaohe', 'war'),
  ladderOf('xinjie'),
  ladderOf('linjiang'),
];

const hands: fc.Arbitrary<Hands> = fc
  .record({
    candidates: fc.nat({ max: 4 }),
    leaders: fc.nat({ max: 2 }),
    duty: fc.nat({ max: 2 }),
    street: fc.nat({ max: 1 }),
  })
  .map((n) => {
    const some = (count: number, name: string, role: Hand['role']): Hand[] =>
      Array.from({ length: count }, (_, i) => hand(`${name}${i}`, role));
    return {
      candidates: some(n.candidates, 'm', 'member'),
      leaders: some(n.leaders, 'leader', 'leader'),
      duty: some(n.duty, 'duty', 'duty'),
      street: some(n.street, 'street', 'street'),
    };
  });

/** Something happens after so many seconds: a person's action, the clock alone, or a change of shift. */
const step = fc.record({
  after: fc.oneof(fc.nat({ max: 90 }), fc.nat({ max: 4000 }), fc.nat({ max: 400_000 })),
  what: fc.oneof(
    { weight: 1, arbitrary: fc.constant('clock' as const) },
    { weight: 6, arbitrary: fc.constantFrom(...ACTIONS) },
  ),
  who: fc.nat({ max: 9 }),
  shift: fc.option(hands, { freq: 12 }),
});

const setting = fc.record({
  ladder: fc.constantFrom(...LADDERS),
  hands,
  disposition: fc.constantFrom(
    'non-police' as const,
    'non-police' as const,
    'joint' as const,
    'police' as const,
  ),
  danger: fc.boolean(),
  /** Not clear: it waits for the desk until so many seconds after receipt. */
  triage: fc.option(fc.constantFrom(5, 15, 45), { freq: 3 }),
  secret: fc.boolean(),
  delay: fc.nat({ max: 100 }),
});

type Setting = typeof setting extends fc.Arbitrary<infer S> ? S : never;
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** What was committed, one change after the other, and by whom. */
interface Tale {
  changes: { change: Change; before: Incident; by: 'clock' | 'person' }[];
  incident: Incident;
  hands: Hands;
  now: number;
}

const findingOf = (ladder: Ladder, matter: Partial<Classification>): Finding => ({
  classification: { ...everyday, ...matter },
  ladder,
  place: { name: '样例路' },
  picks: { picked: 3, rejected: 0 },
});

const begin = ({ ladder, hands, disposition, danger, triage, secret, delay }: Setting): Tale => {
  const fresh = receive({
    id: '01JSAMPLE0000000000000000A',
    callNo: 'sample-1',
    district: 'sample',
    receivedAt: T0,
    calledAt: T0,
    secret,
    mode: 'peace',
  });
  const now = T0 + delay * 1000;
  const finding = findingOf(ladder, { disposition, danger: danger ? ['threat'] : [] });
  const until = T0 + (triage ?? 0) * 1000;
  const change =
    triage === null || now >= until
      ? assign(fresh, finding, hands, now)
      : waitForDesk(fresh, findingOf(ladder, { disposition: 'joint', sure: false }), hands, now, until);
  return { changes: [{ change, before: fresh, by: 'clock' }], incident: change.incident, hands, now };
};

/** Another incident, open and harmless, that this one can be joined to. */
const mainOf = ({ ladder = ladderOf('donghu') }: Incident): Incident =>
  assign(
    receive({
      id: 'main',
      callNo: 'sample-0',
      district: 'sample',
      receivedAt: T0,
      calledAt: T0,
      secret: false,
      mode: 'peace',
    }),
    findingOf(ladder, {}),
    NO_HANDS,
    T0,
  ).incident;

const take = (tale: Tale, change: Change | undefined, by: 'clock' | 'person'): void => {
  if (!change) return;
  tale.changes.push({ change, before: tale.incident, by });
  tale.incident = change.incident;
};

/** Lets the clock do what it must up to an instant, each event at its own. */
const pass = (tale: Tale, until: number): void => {
  for (let n = 0; n < 2000; n += 1) {
    const { rung, due } = tale.incident;
    const at = rung === undefined ? undefined : due[rung];
    if (at === undefined || at > until) break;
    tale.now = Math.max(tale.now, at);
    const change = escalate(tale.incident, tale.hands, tale.now);
    take(tale, change, 'clock');
    if (!change && at <= tale.now) break;
  }
  tale.now = until;
};

const request = (tale: Tale, { what, who }: Step): [Actor, Request, Hand | undefined] | undefined => {
  if (what === 'clock') return undefined;
  const everybody = Object.values(tale.hands).flat();
  const known = tale.incident.people[who % Math.max(1, tale.incident.people.length)];
  const target = everybody[who % Math.max(1, everybody.length)];
  const actor: Actor =
    DESK_ACTIONS.has(what) || who === 0 || !known
      ? { kind: 'desk', id: 'duty0' }
      : { kind: 'member', id: known.id };
  return [
    actor,
    {
      action: what,
      reason: '样例原因',
      text: `样例 ${tale.now}`,
      outcome: what === 'revisit' ? 'satisfied' : who % 2 ? 'solved' : 'by_phone',
      until: tale.now + (who + 1) * 900_000,
      ...(what === 'join' ? { into: 'main', main: mainOf(tale.incident) } : {}),
      ...(what === 'reassign' && target ? { member: target.id } : {}),
      ...(what === 'classify' && tale.incident.ladder
        ? {
            decided: findingOf(tale.incident.ladder, {
              category: `sample_${who}`,
              disposition: (['non-police', 'joint', 'consult', 'police'] as const)[who % 4] ?? 'joint',
              urgency: who % 3 === 0 ? 'P1' : 'P3',
            }),
          }
        : {}),
    },
    target,
  ];
};

const play = (from: Setting, steps: Step[]): Tale => {
  const tale = begin(from);
  for (const one of steps) {
    pass(tale, tale.now + one.after * 1000);
    if (one.shift) tale.hands = one.shift;
    const asked = request(tale, one);
    if (!asked) continue;
    const [actor, said, target] = asked;
    const acted = act(tale.incident, actor, said, tale.hands, tale.now, target);
    if (acted.kind === 'done') take(tale, acted.change, 'person');
    if (acted.kind === 'refused') expect(acted.refusal.message).toMatch(/\p{Script=Han}/u);
  }
  return tale;
};

const expectAlways = (check: (tale: Tale) => void): void =>
  fc.assert(
    fc.property(setting, fc.array(step, { minLength: 1, maxLength: 14 }), (from, steps) =>
      check(play(from, steps)),
    ),
    RUNS,
  );

const byRound = (tale: Tale): Map<number, { notice: Notice; reassigned: boolean }[]> => {
  const rounds = new Map<number, { notice: Notice; reassigned: boolean }[]>();
  for (const { change } of tale.changes)
    for (const notice of change.notices) {
      const reassigned = change.lines.some((line) => line.kind === 'reassigned' && line.whom === notice.to);
      rounds.set(notice.round, [...(rounds.get(notice.round) ?? []), { notice, reassigned }]);
    }
  return rounds;
};

describe('whatever people do and whenever the clock looks', () => {
  test('every row parses, owes only what its ladder promises, and knows when it is due', () => {
    const states = new Set<string>();
    expectAlways((tale) => {
      for (const { change, before } of tale.changes) {
        checkRow(change.incident);
        expect(change.incident.version).toBe(before.version + 1);
        states.add(change.incident.state);
      }
    });
    // The tales are worth something only if they get everywhere; the end takes three right steps in a row, which luck may not find.
    expect([...states, 'finished']).toEqual(expect.arrayContaining(Object.keys(MOVES)));
  });

  test('a state changes only along the table', () => {
    expectAlways((tale) => {
      for (const { change, before } of tale.changes) {
        const to = change.incident.state;
        if (to === before.state || before.state === 'received') continue;
        const targets = new Set<string>(Object.values(MOVES[before.state]));
        if (targets.has('was')) targets.add('accepted').add('onsite');
        if (targets.has('before')) targets.add(before.joined?.was ?? 'asking');
        // Nobody left is found within the same decision: accepted → asking → unanswered.
        if (targets.has('asking')) targets.add('unanswered');
        // A reassigned incident on whose site somebody was already is on site again once it is accepted.
        if (before.done.arrive !== undefined) targets.add('onsite');
        expect(targets, `${before.state} → ${to}`).toContain(to);
      }
    });
  });

  test('nobody is asked twice in a round, except by the desk’s reassign', () => {
    expectAlways((tale) => {
      for (const notices of byRound(tale).values()) {
        const asked = notices
          .filter(
            ({ notice, reassigned }) =>
              ['ask', 'ask-secret', 'reinforce', 'reopened'].includes(notice.kind) && !reassigned,
          )
          .map(({ notice }) => notice.to);
        expect(asked.filter((one, i) => asked.indexOf(one) !== i)).toEqual([]);
      }
    });
  });

  test('everybody is told once of a missed rung, and at most thirty nags go out before somebody new is there', () => {
    expectAlways((tale) => {
      for (const notices of byRound(tale).values()) {
        const told = notices
          .filter(({ notice }) => ['told', 'climb'].includes(notice.kind))
          .map(({ notice }) => `${notice.to} ${notice.rung}`);
        expect(told.filter((one, i) => told.indexOf(one) !== i)).toEqual([]);
      }
      for (const { change } of tale.changes)
        expect(change.incident.climbs.accept?.nags ?? 0).toBeLessThanOrEqual(30);
    });
  });

  test('a second look at the same instant changes nothing', () => {
    expectAlways((tale) => {
      const once = escalate(tale.incident, tale.hands, tale.now)?.incident ?? tale.incident;
      expect(escalate(once, tale.hands, tale.now)).toBeUndefined();
    });
  });

  test('the clock sends nothing about an incident that is over, but for the call-back and the way back to 110', () => {
    expectAlways((tale) => {
      for (const { change, before, by } of tale.changes)
        if (by === 'clock' && OVER.has(before.state))
          for (const notice of change.notices) expect(['revisit', 'handback']).toContain(notice.rung);
    });
  });

  test('the clock tells nobody but the accept climb’s people before somebody leads', () => {
    expectAlways((tale) => {
      for (const { change, before, by } of tale.changes)
        if (by === 'clock' && before.lead === undefined && !OVER.has(before.state))
          for (const notice of change.notices)
            if (notice.rung !== undefined) expect(['accept', 'handback']).toContain(notice.rung);
    });
  });

  test('the workflow never sleeps past the next thing to do', () => {
    expectAlways((tale) => {
      const { incident } = { incident: tale.incident, ...escalate(tale.incident, tale.hands, tale.now) };
      const next = plan(incident, tale.hands, tale.now).find((p) => p.what !== 'deadline');
      if (!next) return;
      // It waits at `rung`, or, having walked through finished ones, at the first that is owed.
      const first = incident.owed.find((rung) => rung !== 'reinforce');
      for (const rung of [incident.rung, first])
        if (rung) expect(incident.due[rung], rung).toBeLessThanOrEqual(next.at);
      expect(incident.rung).toBeDefined();
    });
  });

  test('the plan is what then happens when nobody does anything', () => {
    expectAlways((tale) => {
      // Put the clock right first: overdue things happen at once.
      take(tale, escalate(tale.incident, tale.hands, tale.now), 'clock');
      const planned = plan(tale.incident, tale.hands, tale.now).filter((p) => p.what !== 'deadline');
      const last = planned.at(-1)?.at ?? tale.now;
      const from = tale.changes.length;
      pass(tale, last);
      const happened = tale.changes
        .slice(from)
        // The copy for the desk at the end of triage asks and tells nobody who is in the plan.
        .flatMap(({ change }) =>
          change.notices.filter((n) => n.kind !== 'desk').map((n) => `${n.at} ${n.to}`),
        );
      const expected = planned.flatMap((p) => p.whom.map((to) => `${p.at} ${to}`));
      // The last instant may hold more than the plan has room for.
      const cut = (lines: string[]) => lines.filter((line) => !line.startsWith(`${last} `)).toSorted();
      const retried = planned.some((p) => p.what === 'retry');
      if (!retried) expect(cut(happened)).toEqual(cut(expected));
    });
  });
});
