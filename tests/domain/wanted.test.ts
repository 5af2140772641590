import * as fc from '../properties.ts';
import { describe, expect, test } from 'vitest';
import { loadVendors } from '#shared/districts/load.ts';
import { budgetOf, fingerprint, freeAt, spend } from '#shared/domain/budget.ts';
import { backAt, badSignal, byHealth, isPutOff, passedOver } from '#shared/domain/health.ts';
import { CALLER } from '#shared/domain/caller-notice.ts';
import { personOf, type Incident } from '#shared/domain/incident.ts';
import type { Attempt, Notice } from '#shared/domain/notice.ts';
import { isUnreached } from '#shared/domain/unreached.ts';
import { CALLER_KINDS, NOTICE_KINDS } from '#shared/domain/notice-kind.ts';
import { priceOf } from '#shared/domain/vendors.ts';
import { expiryOf, isOffDuty, isOutdated, mootBecause, silentUntil } from '#shared/domain/wanted.ts';
import { T0, dutyRoom } from './duty-room.ts';
import { staffed } from './sample-district.ts';

const SECOND = 1_000;
const DAY = 86_400_000;
const notice = (kind: Notice['kind'], more: Partial<Notice> = {}): Notice => ({
  id: '00001.00',
  to: 'a',
  kind,
  at: T0,
  round: 1,
  ...more,
});
const why = (incident: Incident, kind: Notice['kind'], more: Partial<Notice> = {}): string | undefined =>
  mootBecause(incident, notice(kind, more));

describe('a notice is wanted until something makes it moot', () => {
  test("A's own answer ends what asks him; whoever accepts ends what asks the others", () => {
    const room = dutyRoom().at(60).hears('0 a ask', '60 b ask');
    const asked = room.incident;
    expect([why(asked, 'ask'), why(asked, 'ask', { to: 'b', at: T0 + 60_000 })]).toEqual([
      undefined,
      undefined,
    ]);
    room.member('b').accepts();
    room.hears('60 a stand-down');
    expect(why(room.incident, 'ask')).toBe('stood-down');
    expect(why(room.incident, 'ask', { to: 'b', at: T0 + 60_000 })).toBe('accepted');
    expect(why(room.incident, 'nag', { to: 'duty' })).toBe('accepted');
    expect(why(room.incident, 'stand-down')).toBeUndefined();
  });

  test('notes and reads end nothing; reinforcement is not ended by the acceptance of another', () => {
    const room = dutyRoom().hears('0 a ask');
    room.member('a').accepts();
    room.member('a').callsHelp();
    room.hears('0 b reinforce', '0 c reinforce', '0 leader reinforce');
    room.member('a').notes('门锁着');
    room.member('b').accepts();
    expect(why(room.incident, 'reinforce', { to: 'b' })).toBe('accepted');
    expect(why(room.incident, 'reinforce', { to: 'c' })).toBeUndefined();
  });

  test('close, return and reassign end what they make moot; what is told of it stays wanted', () => {
    const closed = dutyRoom().hears('0 a ask');
    closed.desk.closes();
    closed.hears('0 a stand-down');
    expect(why(closed.incident, 'ask')).toBe('closed');
    const returned = dutyRoom().hears('0 a ask');
    returned.desk.returns();
    returned.hears('0 a stand-down', '0 duty returned');
    expect(why(returned.incident, 'ask')).toBe('returned');
    expect(why(returned.incident, 'returned', { to: 'duty' })).toBeUndefined();
    returned.desk.handsBack();
    expect(why(returned.incident, 'returned', { to: 'duty' })).toBe('handed-back');
    const reassigned = dutyRoom().hears('0 a ask');
    reassigned.member('a').accepts();
    reassigned.desk.reassigns('b');
    reassigned.hears('0 a reassigned', '0 b ask');
    expect(why(reassigned.incident, 'ask')).toBeDefined();
  });

  test('nothing asks for what was joined to another call; parted again, only what is asked anew does', () => {
    const room = dutyRoom().at(60).hears('0 a ask', '60 b ask');
    const joined: Incident = {
      ...room.incident,
      state: 'joined',
      joined: {
        into: 'other',
        at: T0 + 61_000,
        by: 'system',
        was: 'asking',
        owed: room.incident.owed,
        stood: ['a', 'b'],
      },
    };
    for (const kind of ['ask', 'reinforce', 'nag'] as const) expect(why(joined, kind)).toBe('joined');
    expect(why(joined, 'stand-down', { at: T0 + 61_000 })).toBeUndefined();
    const parted: Incident = { ...room.incident, partedAt: T0 + 90_000 };
    expect(why(parted, 'ask')).toBe('parted');
    expect(why(parted, 'nag', { to: 'duty' })).toBe('parted');
    expect(why(parted, 'ask', { at: T0 + 90_000 })).toBeUndefined();
  });

  test('who is asked again, and what was opened again, hears no more of what was before', () => {
    const room = dutyRoom().hears('0 a ask').at(5);
    room.desk.reassigns('b');
    room.at(10).desk.reassigns('a');
    room.hears('5 a reassigned', '5 b ask', '10 b reassigned', '10 a ask');
    const gone = { at: T0 + 5_000 };
    expect([why(room.incident, 'stand-down', gone), why(room.incident, 'reassigned', gone)]).toEqual([
      'asked-again',
      'asked-again',
    ]);
    expect([why(room.incident, 'ask'), why(room.incident, 'ask', { at: T0 + 10_000 })]).toEqual([
      'asked-again',
      undefined,
    ]);
    expect(why(room.incident, 'stand-down', { ...gone, to: 'b' })).toBeUndefined();
    room.at(20).desk.closes();
    room.at(30).desk.reopens();
    room.hears('20 a stand-down', '30 a ask');
    const now = { at: T0 + 30_000 };
    for (const kind of ['ask', 'reinforce', 'nag', 'told', 'climb'] as const) {
      const rung = kind === 'told' || kind === 'climb' ? ({ rung: 'arrive' } as const) : {};
      expect([
        why(room.incident, kind, { at: T0 + 10_000, ...rung }),
        why(room.incident, kind, { ...now, ...rung }),
      ]).toEqual(['reopened', undefined]);
    }
  });

  test('a missed rung that was done meanwhile needs no word any more', () => {
    const room = dutyRoom().hears('0 a ask');
    room.member('a').accepts();
    room.at(120).hears('120 a told');
    expect(why(room.incident, 'told', { rung: 'depart', at: T0 + 120_000 })).toBeUndefined();
    room.member('a').departs();
    expect(why(room.incident, 'told', { rung: 'depart', at: T0 + 120_000 })).toBe('done');
  });
});

test('the desk hears of a missed call-back although its officer was sent home from the incident', () => {
  const room = dutyRoom().at(120);
  room.member('a').accepts();
  room.desk.closes();
  room.at(120 + 259_200);
  room.hears(...room.unheard());
  const at = room.now;
  expect(personOf(room.incident, 'duty')).toMatchObject({ stood: true, told: ['revisit'] });
  expect(why(room.incident, 'told', { to: 'duty', rung: 'revisit', at })).toBeUndefined();
});

describe('a notice that comes after an outage', () => {
  const desk = (room: { incident: Incident }, note: Notice['note'], at: number): string | undefined =>
    why(room.incident, 'desk', { to: 'duty', note, at: T0 + at * SECOND });

  test('does not ask the desk what it has decided, nor what went out by default, nor what is over', () => {
    const room = dutyRoom({ matter: { sure: false }, triage: 15 });
    room.hears('0 duty desk');
    expect(desk(room, 'unsure', 0)).toBeUndefined();
    const decided = dutyRoom({ matter: { sure: false }, triage: 15 }).at(5);
    decided.desk.says({ category: 'noise' });
    decided.hears('0 duty desk', '5 a ask');
    expect(desk(decided, 'unsure', 0)).toBe('triaged');
    room.at(15).hears('15 a ask', '15 b ask', '15 duty desk');
    expect([desk(room, 'unsure', 0), desk(room, 'untriaged', 15)]).toEqual(['triaged', undefined]);
    room.at(20).desk.says({ category: 'noise' });
    room.hears(...room.unheard());
    expect([desk(room, 'untriaged', 15), desk(room, 'danger-found', 15)]).toEqual(['corrected', undefined]);
    room.desk.closes();
    room.hears(...room.unheard());
    expect([desk(room, 'danger-found', 15), desk(room, 'caller-unsatisfied', 21)]).toEqual([
      'closed',
      undefined,
    ]);
    room.at(30).desk.reopens();
    room.hears(...room.unheard());
    expect(desk(room, 'caller-unsatisfied', 21)).toBe('reopened');
  });

  test('does not send the desk to the telephone once 110 knows', () => {
    const room = dutyRoom().hears('0 a ask');
    room.desk.returns();
    room.hears('0 a stand-down', '0 duty returned');
    expect(desk(room, 'phone-110', 30)).toBeUndefined();
    room.desk.handsBack();
    expect(desk(room, 'phone-110', 30)).toBe('handed-back');
  });

  test('blames nobody for what is somebody else’s by now, and promises him nothing; his leader hears of it', () => {
    const room = dutyRoom().hears('0 a ask');
    room.member('a').accepts();
    const late = { rung: 'depart' as const, at: T0 + 120_000 };
    const said = (incident: Incident) => [
      why(incident, 'told', late),
      why(incident, 'changed', late),
      why(incident, 'answer', { answer: 'lead' }),
      why(incident, 'answer', { answer: 'gone' }),
      why(incident, 'climb', { ...late, to: 'leader' }),
    ];
    expect(said(room.incident)).toEqual([undefined, undefined, undefined, undefined, undefined]);
    room.desk.reassigns('b');
    room.hears('0 a reassigned', '0 b ask');
    expect(said(room.incident)).toEqual(['not-his', 'not-his', 'not-his', undefined, undefined]);
    room.member('b').accepts();
    room.desk.closes();
    room.hears(...room.unheard());
    for (const kind of ['changed', 'pin'] as const)
      expect(why(room.incident, kind, { to: 'b' })).toBe('closed');
  });
});

test('after its own minute a first ask is too late, a return to 110 never is', () => {
  const { incident } = dutyRoom().hears('0 a ask');
  const second = (kind: Notice['kind'], at: number): number | undefined => {
    const until = expiryOf(incident, notice(kind, { at: T0 + at * SECOND }));
    return until === undefined ? undefined : (until - T0) / SECOND;
  };
  expect(second('ask', 0)).toBe(60);
  // Asked when the promise is broken he has his own; a substitute has at least thirty seconds.
  expect(second('ask', 90)).toBe(150);
  expect(second('ask', 50)).toBe(80);
  expect(second('nag', 480)).toBe(780);
  // A code holds five minutes; a drill that comes later than that only disturbs. What is told helps for an hour, chatter for a day.
  expect([second('pin', 7), second('drill', 7)]).toEqual([307, 307]);
  expect([second('told', 0), second('stand-down', 0)]).toEqual([3_600, 86_400]);
  expect([second('returned', 0), second('handback', 0), second('desk', 0)]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

describe('silence', () => {
  // 22:00 to 07:00 in Beijing; T0 is 14:00.
  const quiet = { from: 1_320, to: 420 };
  const night = T0 + 10 * 3_600_000;
  const morning = T0 + 17 * 3_600_000;
  test('chatter waits for the morning, an alert never does', () => {
    const { incident } = dutyRoom().hears('0 a ask');
    const chatter = notice('stand-down', { at: night });
    expect(silentUntil(quiet, incident, chatter, night)).toBe(morning);
    expect(silentUntil(quiet, incident, chatter, morning)).toBeUndefined();
    expect(silentUntil(quiet, incident, chatter, T0)).toBeUndefined();
    expect(silentUntil(undefined, incident, chatter, night)).toBeUndefined();
    expect(silentUntil(quiet, incident, notice('ask', { at: night }), night)).toBeUndefined();
  });
  test('whoever was woken for it is told at once that he may sleep on', () => {
    const { incident } = dutyRoom().hears('0 a ask');
    const woken = structuredClone(incident);
    for (const person of woken.people) person.asked = night - 60_000;
    expect(silentUntil(quiet, woken, notice('stand-down', { at: night }), night)).toBeUndefined();
  });
  test('whoever is on his way hears at once that it was taken from him, although he said so before the night', () => {
    const room = dutyRoom().hears('0 a ask');
    room.member('a').accepts();
    const accepted = structuredClone(room.incident);
    room.desk.reassigns('b');
    room.hears('0 a reassigned', '0 b ask');
    for (const [incident, kind] of [
      [accepted, 'stand-down'],
      [room.incident, 'reassigned'],
    ] as const) {
      const held = (asked: number): number | undefined => {
        const evening = structuredClone(incident);
        for (const person of evening.people) person.asked = asked;
        return silentUntil(quiet, evening, notice(kind, { at: night }), night);
      };
      expect(held(night - 3 * 3_600_000)).toBeUndefined();
      expect(held(night - 13 * 3_600_000)).toBe(morning);
    }
    const there = structuredClone(accepted);
    for (const person of there.people) {
      person.asked = night - 3 * 3_600_000;
      person.did = ['arrive'];
    }
    // Whoever has been there for hours is not on his way.
    expect(silentUntil(quiet, there, notice('stand-down', { at: night }), night)).toBe(morning);
  });
  test('quiet hours are the members’: a caller is told at any hour what became of his report', () => {
    const { incident } = dutyRoom().hears('0 a ask');
    for (const kind of CALLER_KINDS)
      expect(silentUntil(quiet, incident, notice(kind, { to: CALLER, at: night }), night)).toBeUndefined();
  });
  test('off duty only who was asked within twelve hours hears how it ended; who is on duty always, and of an alert', () => {
    const { incident } = dutyRoom().hears('0 a ask');
    const { district, members } = staffed('donghu');
    const [member] = members;
    if (!member) throw new Error('nobody is on the roster');
    const a = { ...member, id: 'a', shifts: ['late'] };
    const { shifts } = { ...district, shifts: [{ id: 'late', name: '样例班', from: 1_320, to: 420 }] };
    const silent = (hours: number, who = a, kind: Notice['kind'] = 'stand-down'): boolean =>
      isOffDuty(who, shifts, incident, notice(kind, { to: who.id }), T0 + hours * 3_600_000);
    // On from 22:00 to 7:00; asked at 14:00.
    expect([silent(1), silent(24 * 2 + 1), silent(9), silent(24 + 9)]).toEqual([false, true, false, false]);
    expect([silent(20, { ...a, shifts: ['none'] }), silent(12, { ...a, shifts: ['none'] })]).toEqual([
      true,
      false,
    ]);
    expect([silent(0, { ...a, id: 'b' }), silent(48, a, 'ask')]).toEqual([true, false]);
  });
});

test('only what says the same or more stands for an older notice to the same person', () => {
  const swallows = (kind: Notice['kind'], more: Partial<Notice> = {}): Notice['kind'][] =>
    NOTICE_KINDS.filter((newer) => isOutdated(notice(kind), [notice(newer, { id: '00003.00', ...more })]));
  const asks = ['ask', 'ask-secret', 'reinforce', 'reopened'] as const;
  // A code for a link, a note for the desk or an answer tells nobody that he may go home.
  for (const kind of ['stand-down', 'reassigned'] as const)
    expect(new Set(swallows(kind))).toEqual(new Set([...asks, 'stand-down', 'reassigned']));
  expect(swallows('changed')).toEqual(['stand-down', 'reassigned', 'changed']);
  expect(swallows('caller-coming')).toEqual(['caller-coming', 'caller-result']);
  const alone = NOTICE_KINDS.filter((kind) => swallows(kind).length === 0);
  expect(alone).toEqual(
    expect.arrayContaining([...asks, 'nag', 'returned', 'desk', 'answer', 'pin', 'drill']),
  );
  expect(swallows('stand-down', { to: 'b' })).toEqual([]);
  expect(swallows('stand-down', { id: '00001.00' })).toEqual([]);
});

describe('somebody whom no channel reaches', () => {
  test('is not waited for: the next one is asked at once, and the deadline stands', () => {
    const room = dutyRoom().hears('0 a ask').at(3).noChannelReaches('a').hears('3 b ask');
    expect(room.deadline('accept')).toBe(60);
    expect(room.incident.people.find(({ id }) => id === 'a')).toMatchObject({ unreached: T0 + 3_000 });
    // Once: a second failure of the same person asks nobody else.
    room.noChannelReaches('a').hears();
    room.at(60).hears('60 c ask');
    expect(room.lines('unreached')).toEqual(['3 unreached accept']);
  });

  test('nobody at all: everybody is named once, then the duty officer is nagged, and it stays on the list', () => {
    const room = dutyRoom().hears('0 a ask');
    for (const id of ['a', 'b', 'c', 'leader', 'duty', 'street']) room.noChannelReaches(id);
    room.hears('0 b ask', '0 c ask', '0 leader ask', '0 duty ask', '0 street ask');
    expect(room.incident.state).toBe('asking');
    room.at(600).hears('360 duty nag');
  });

  test('may still come: his word counts, and after it he is nobody to replace', () => {
    const room = dutyRoom().noChannelReaches('a').hears('0 a ask', '0 b ask');
    room.member('a').accepts();
    room.hears('0 b stand-down');
    room.noChannelReaches('a').noChannelReaches('b').hears();
    expect(room.incident.lead).toBe('a');
  });

  test('is on the list to telephone: at once when all have failed, after ten seconds otherwise', () => {
    const state = (kind: Notice['kind'], states: Attempt['state'][], after: number): boolean =>
      isUnreached(
        {
          notice: notice(kind),
          attempts: states.map((one) => ({ state: one })),
        },
        T0 + after * SECOND,
      );
    expect(state('ask', ['failed-temporary'], 0)).toBe(true);
    expect(state('ask', ['failed-temporary', 'sent'], 60)).toBe(false);
    expect([state('ask', [], 9), state('ask', [], 10)]).toEqual([false, true]);
    expect([state('ask', ['unknown'], 9), state('ask', ['unknown'], 10)]).toEqual([false, true]);
    expect(state('told', ['failed-permanent'], 60)).toBe(false);
    // Whoever waits for a code stands before a page; after five minutes he stands there no more.
    expect([
      state('pin', ['failed-permanent'], 1),
      state('pin', ['sent'], 60),
      state('pin', [], 300),
    ]).toEqual([true, false, false]);
  });
});

describe('budgets', () => {
  const subject = { template: 'SMS_1', text: fingerprint('words') };
  const add = (into: Record<string, number>, more: Record<string, number>): void => {
    for (const [key, n] of Object.entries(more)) into[key] = (into[key] ?? 0) + n;
  };

  test('never more than the vendor counts, whatever the rhythm', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.constantFrom(60, 3_600, 86_400),
        fc.array(fc.nat({ max: 9_000 }), { minLength: 1, maxLength: 150 }),
        (most, seconds, gaps) => {
          const limits = [{ per: 'template' as const, seconds, most }];
          const counters: Record<string, number> = {};
          const sent: number[] = [];
          let now = T0;
          for (const gap of gaps) {
            now += Math.floor((gap / 9_000) * seconds * 100);
            if (budgetOf('aliyun-sms', limits, subject, counters, now) === 'spent') continue;
            add(counters, spend('aliyun-sms', limits, subject, now));
            sent.push(now);
            expect(sent.filter((at) => at > now - seconds * 1000).length).toBeLessThanOrEqual(most);
          }
          // And it comes back: a window later the number may be sent to again.
          now += Math.ceil(seconds * 1000 * (1 + 1 / 24)) + 1;
          expect(budgetOf('aliyun-sms', limits, subject, counters, now)).not.toBe('spent');
        },
      ),
    );
  });

  test('80 % is a warning; the last fifth is kept for those whose minute runs', () => {
    const limits = [{ per: 'template' as const, seconds: 86_400, most: 50 }];
    const counters: Record<string, number> = {};
    const verdicts = Array.from({ length: 51 }, () => {
      const verdict = budgetOf('aliyun-sms', limits, subject, counters, T0);
      add(counters, spend('aliyun-sms', limits, subject, T0));
      return verdict;
    });
    expect(verdicts.indexOf('warn')).toBe(39);
    expect(verdicts.indexOf('reserved')).toBe(40);
    expect(verdicts.indexOf('spent')).toBe(50);
    // Other words, another template, another vendor have their own.
    expect(budgetOf('aliyun-sms', limits, { ...subject, template: 'SMS_2' }, counters, T0)).toBe('free');
    expect(budgetOf('tencent-sms', limits, subject, counters, T0)).toBe('free');
  });

  test('a small budget has no reserve: one call a minute is one for everybody', () => {
    const limits = [{ per: 'number' as const, seconds: 60, most: 1 }];
    expect(budgetOf('aliyun-voice', limits, subject, {}, T0)).toBe('free');
    const counters = spend('aliyun-voice', limits, subject, T0);
    expect(budgetOf('aliyun-voice', limits, subject, counters, T0 + 59_000)).toBe('spent');
    expect(budgetOf('aliyun-voice', limits, subject, counters, T0 + 63_000)).toBe('free');
  });

  test('equal words: one in half a minute and two a day, as Tencent counts them; other words have their own', () => {
    const limits = loadVendors().vendors['tencent-sms']?.limits ?? [];
    const counters: Record<string, number> = {};
    const verdict = (seconds: number, more = {}): string =>
      budgetOf('tencent-sms', limits, { ...subject, ...more }, counters, T0 + seconds * SECOND);
    expect(verdict(0)).toBe('free');
    add(counters, spend('tencent-sms', limits, subject, T0));
    expect(verdict(29)).toBe('spent');
    expect(verdict(29, { text: fingerprint('other words') })).toBe('free');
    expect(verdict(32)).toBe('free');
    add(counters, spend('tencent-sms', limits, subject, T0 + 32 * SECOND));
    expect(verdict(3_600)).toBe('spent');
    expect(verdict(3_600, { template: 'SMS_2' })).toBe('spent');
    expect(verdict(26 * 3_600)).toBe('free');
  });

  test('when it is spent, it is known to the slice when it is free again', () => {
    const limits = [
      { per: 'number' as const, seconds: 60, most: 1 },
      { per: 'number' as const, seconds: 3_600, most: 2 },
    ];
    const counters: Record<string, number> = {};
    const free = (at: number): number => freeAt('aliyun-voice', limits, subject, counters, T0 + at) - T0;
    expect(free(0)).toBe(0);
    add(counters, spend('aliyun-voice', limits, subject, T0));
    expect(free(1_000)).toBe(62_500);
    add(counters, spend('aliyun-voice', limits, subject, T0 + 62_500));
    expect(free(63_000)).toBe(3_750_000);
    expect(budgetOf('aliyun-voice', limits, subject, counters, T0 + 3_749_999)).toBe('spent');
  });

  test('a long text is billed in parts', () => {
    const price = { milli: 45, per: 'segment' } as const;
    expect([70, 71, 134, 135].map((length) => priceOf({ price }, length))).toEqual([45, 90, 90, 135]);
  });
});

test('three bad signals put a vendor behind the others, ten minutes without any bring it back', () => {
  const bad = (...seconds: number[]): Record<string, number> => {
    const counters: Record<string, number> = {};
    for (const second of seconds) {
      const key = badSignal(T0 + second * SECOND);
      counters[key] = (counters[key] ?? 0) + 1;
    }
    return counters;
  };
  const at = (second: number): number => T0 + second * SECOND;
  expect(isPutOff(bad(0, 1), at(2))).toBe(false);
  expect(isPutOff(bad(0, 1, 2), at(2))).toBe(true);
  expect(isPutOff(bad(0, 1, 2), at(600))).toBe(true);
  expect(isPutOff(bad(0, 1, 2), at(661))).toBe(false);
  expect(isPutOff(bad(0, 1, 2), T0 + DAY)).toBe(false);
  // Ten minutes since the last one, not since the first: at 0, 5 and 9 minutes is back at 20, not at 11.
  expect(backAt(bad(0, 300, 540), at(540))).toBe(at(1_200));
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 3_600 }), { maxLength: 12 }), fc.nat({ max: 7_200 }), (drawn, s) => {
      const seconds = drawn.filter((second) => second <= s);
      const minutes = seconds.map((second) => Math.floor(second / 60));
      const since = Math.floor(s / 60) - Math.max(...minutes);
      // Never back within ten minutes of a bad signal that found it put off, never off after them.
      if (since > 10) expect(isPutOff(bad(...seconds), at(s))).toBe(false);
      const before = seconds.filter((second) => Math.floor(second / 60) < Math.max(...minutes));
      if (since <= 10 && isPutOff(bad(...before), at(Math.max(...minutes) * 60)))
        expect(isPutOff(bad(...seconds), at(s))).toBe(true);
    }),
  );
  // Whoever asks when it comes back is told the very instant.
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 1_800 }), { maxLength: 12 }), fc.nat({ max: 3_600 }), (seconds, s) => {
      const back = backAt(bad(...seconds), at(s));
      expect(back !== undefined).toBe(isPutOff(bad(...seconds), at(s)));
      if (back === undefined) return;
      expect(isPutOff(bad(...seconds), back - 1)).toBe(true);
      expect(isPutOff(bad(...seconds), back)).toBe(false);
    }),
  );
  expect(byHealth(['aliyun-sms', 'tencent-sms', 'sns'], new Set(['aliyun-sms']))).toEqual([
    'tencent-sms',
    'sns',
    'aliyun-sms',
  ]);
  // What the trail says of it: the first that was passed over, and nothing where nobody was.
  const three = ['aliyun-sms', 'tencent-sms', 'sns'] as const;
  const order = byHealth(three, new Set(['aliyun-sms']));
  expect(passedOver('tencent-sms', three, order, new Set())).toEqual({
    vendor: 'aliyun-sms',
    because: 'put-off',
  });
  expect(passedOver('sns', three, three, new Set(['tencent-sms']))).toEqual({
    vendor: 'tencent-sms',
    because: 'budget',
  });
  expect(passedOver('aliyun-sms', three, order, new Set(['sns']))).toBeUndefined();
  // Never below one: with all of them in trouble all stay in use, in their own order.
  expect(byHealth(['aliyun-sms'], new Set(['aliyun-sms']))).toEqual(['aliyun-sms']);
});
