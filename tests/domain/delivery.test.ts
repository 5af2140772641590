import * as fc from '../properties.ts';
import { describe, expect, test } from 'vitest';
import { CHANNELS, type Channel, type Vendor } from '#shared/domain/channel.ts';
import {
  advances,
  deliverySchema,
  nextStep,
  planFor,
  standing,
  type Facts,
  type Step,
  type Way,
} from '#shared/domain/delivery.ts';
import { INSISTENT, type Attempt } from '#shared/domain/notice.ts';
import type { NoticeKind } from '#shared/domain/notice-kind.ts';

const T0 = Date.parse('2026-03-04T02:00:00.000Z');
const DEFAULTS = deliverySchema.parse({});

const way = (channel: Channel, vendor: Vendor, more: Partial<Way> = {}): Way => ({
  channel,
  vendor,
  poll: [],
  query: true,
  tells: true,
  ...more,
});
const WECOM = way('chat', 'wecom');
const ALIYUN = way('sms', 'aliyun-sms');
const TENCENT = way('sms', 'tencent-sms');
const VOICE = way('voice', 'aliyun-voice');
const ALL = [WECOM, ALIYUN, TENCENT, VOICE];

const facts = (more: Partial<Facts> = {}): Facts => ({
  notice: { kind: 'ask', at: T0 },
  attempts: [],
  plan: DEFAULTS.plans.alerts,
  unacted: DEFAULTS.unacted,
  unproved: DEFAULTS.unproved,
  ways: ALL,
  deadline: T0 + 60_000,
  ...more,
});

/** What becomes of one call: at once, and later by a receipt after so many seconds. */
type Told = 'waiting' | 'delivered' | 'failed' | 'no-record' | 'no-answer' | 'cannot';
type Fate = {
  answer: 'accepted' | 'temporary' | 'permanent' | 'unpaid' | 'text' | 'unknown';
  /** What the vendor says when asked: always, or in turn, the last for good. */
  asked: Told | readonly Told[];
  receipt?: { after: number; state: 'delivered' | 'read' | 'failed-permanent' } | undefined;
};
const GOOD: Fate = { answer: 'accepted', asked: 'waiting', receipt: { after: 1, state: 'delivered' } };
const SILENT: Fate = { answer: 'accepted', asked: 'waiting' };

interface Ring {
  vendor: Vendor;
  /** Seconds after the beginning. */
  second: number;
  generic: boolean;
  double: boolean;
}

/** Plays one notice to its end: steps as the function would take them, receipts as they come. */
const play = (
  begin: Facts,
  fate: (call: number, vendor: Vendor) => Fate,
  acts?: { second: number },
): {
  rings: Ring[];
  /** When vendors were asked, seconds after the beginning. */
  asks: number[];
  end: Extract<Step, { do: 'end' }>;
  attempts: Attempt[];
  second: number;
} => {
  let attempts: Attempt[] = [...begin.attempts];
  const rings: Ring[] = [];
  const asks: number[] = [];
  const receipts: { at: number; id: string; state: Attempt['state'] }[] = [];
  const fates = new Map<string, Fate>();
  let now = T0;
  const learn = (id: string, more: Partial<Attempt>): void => {
    attempts = attempts.map((one) =>
      one.id === id
        ? { ...one, ...more, seen: more.state && more.state !== one.state ? now : one.seen }
        : one,
    );
  };
  for (let n = 0; n < 5_000; n += 1) {
    const moot = acts && now >= T0 + acts.second * 1000 ? 'accepted' : undefined;
    const step = nextStep({ ...begin, attempts, moot }, now);
    switch (step.do) {
      case 'end':
        return { rings, asks, end: step, attempts, second: (now - T0) / 1000 };
      case 'call': {
        const id = `${attempts.length + 1}`;
        const what = fate(attempts.length, step.way.vendor);
        fates.set(id, what);
        rings.push({
          vendor: step.way.vendor,
          second: (now - T0) / 1000,
          generic: step.generic === true,
          double: step.double === true,
        });
        attempts = [
          ...attempts,
          {
            id,
            n: attempts.length + 1,
            channel: step.way.channel,
            vendor: step.way.vendor,
            state: 'sending',
            at: now,
            seen: now,
            asked: 0,
            milli: 0,
            ...(step.generic ? { generic: true } : {}),
          },
        ];
        if (what.answer === 'accepted') learn(id, { state: 'sent' });
        if (what.answer === 'unknown') learn(id, { state: 'unknown' });
        if (what.answer === 'temporary') learn(id, { state: 'failed-temporary', cause: 'moment' });
        if (what.answer === 'permanent') learn(id, { state: 'failed-permanent', cause: 'number' });
        if (what.answer === 'unpaid') learn(id, { state: 'failed-permanent', cause: 'money' });
        if (what.answer === 'text') learn(id, { state: 'failed-permanent', cause: 'text' });
        if (what.receipt && (what.answer === 'accepted' || what.answer === 'unknown'))
          receipts.push({ at: now + what.receipt.after * 1000, id, state: what.receipt.state });
        break;
      }
      case 'ask': {
        const { asked: says } = fates.get(step.attempt.id) ?? SILENT;
        const asked = typeof says === 'string' ? says : (says[step.attempt.asked] ?? says.at(-1));
        asks.push((now - T0) / 1000);
        const open = step.attempt.state === 'unknown' || step.attempt.state === 'sending';
        learn(step.attempt.id, { asked: step.attempt.asked + 1 });
        if (asked === 'delivered' || asked === 'failed') {
          const to = asked === 'failed' ? 'failed-permanent' : 'delivered';
          if (advances(step.attempt.state, to)) learn(step.attempt.id, { state: to });
        } else if (open && asked === 'no-record')
          learn(step.attempt.id, { state: 'failed-temporary', never: true });
        else if (open && asked === 'waiting') learn(step.attempt.id, { state: 'sent' });
        else if (open)
          learn(step.attempt.id, { state: 'unknown', ...(asked === 'cannot' ? { mute: true } : {}) });
        break;
      }
      case 'wait': {
        expect(step.until).toBeGreaterThan(now);
        const next = receipts.sort((a, b) => a.at - b.at)[0];
        const acted = acts && T0 + acts.second * 1000 > now ? T0 + acts.second * 1000 : Infinity;
        if (next && next.at <= Math.min(step.until, acted)) {
          receipts.shift();
          now = Math.max(now, next.at);
          const before = attempts.find(({ id }) => id === next.id);
          if (before && advances(before.state, next.state)) learn(next.id, { state: next.state });
        } else now = Math.min(step.until, acted);
        break;
      }
    }
  }
  throw new Error('it never ends');
};

const rang = (rings: readonly Ring[]): unknown[] => rings.map(({ vendor, second }) => [vendor, second]);

describe('the plan', () => {
  test('no receipt: the next channel at its second', () => {
    const { rings, end } = play(facts(), () => SILENT);
    expect(rang(rings)).toEqual([
      ['wecom', 0],
      ['aliyun-sms', 15],
      ['aliyun-voice', 30],
    ]);
    expect(end).toMatchObject({ state: 'sent', why: 'no-receipt' });
  });

  test('delivered or read and nothing done: the next louder channel all the same', () => {
    for (const state of ['delivered', 'read'] as const)
      expect(rang(play(facts(), () => ({ ...GOOD, receipt: { after: 1, state } })).rings)).toEqual([
        ['wecom', 0],
        ['aliyun-sms', 21],
        ['aliyun-voice', 42],
      ]);
  });

  test('who has the text and does not pick up is not out of reach: nobody else is asked before his minute is over', () => {
    const unheard: Fate = {
      answer: 'accepted',
      asked: 'waiting',
      receipt: { after: 5, state: 'failed-permanent' },
    };
    const { rings, end } = play(facts({ ways: [ALIYUN, VOICE] }), (_, vendor) =>
      vendor === 'aliyun-voice' ? unheard : GOOD,
    );
    expect(rang(rings)).toEqual([
      ['aliyun-sms', 0],
      ['aliyun-voice', 21],
    ]);
    expect(end).toMatchObject({ state: 'delivered', why: 'nothing-louder' });
  });

  test('nor is he of whom one vendor has taken it and no receipt says more, whatever becomes of the louder ones', () => {
    const limit: Fate = { answer: 'permanent', asked: 'no-answer' };
    const chat = play(facts({ ways: [WECOM, ALIYUN] }), (_, vendor) => (vendor === 'wecom' ? SILENT : limit));
    expect(rang(chat.rings)).toEqual([
      ['wecom', 0],
      ['aliyun-sms', 15],
    ]);
    expect(chat.end).toMatchObject({ state: 'sent' });
    const lost: Fate = { ...SILENT, receipt: { after: 25, state: 'failed-permanent' } };
    const unheard: Fate = { ...SILENT, receipt: { after: 5, state: 'failed-permanent' } };
    // Only once the text has failed as well has he nothing: in that second, not at the end of his minute.
    const none = play(facts({ ways: [ALIYUN, VOICE] }), (_, vendor) =>
      vendor === 'aliyun-voice' ? unheard : lost,
    );
    expect(none).toMatchObject({ second: 25, end: { state: 'failed-permanent', why: 'unreachable' } });
  });

  test('what only he can do ends with his deed, not with the vendors: every minute somebody looks for a way', () => {
    const wrong: Fate = { answer: 'permanent', asked: 'no-answer' };
    const returned = { ways: [ALIYUN], notice: { kind: 'returned', at: T0 } as const, deadline: undefined };
    const { attempts, end, second } = play(facts(returned), () => wrong, { second: 200 });
    expect({ end, second }).toMatchObject({ end: { state: 'cancelled', why: 'accepted' }, second: 200 });
    const again = (at: number, more: Partial<Facts>): Step =>
      nextStep(facts({ ...returned, ...more }), T0 + at);
    // Whoever comes by at any time of the minute waits for the same instant; a way that has opened is taken.
    for (const at of [0, 1, 59_999]) {
      const until = { do: 'wait', until: T0 + 60_000, exact: true };
      expect([again(at, { attempts }), again(at, { ways: [] })]).toEqual([until, until]);
    }
    expect(again(60_000, { attempts, ways: [ALIYUN, VOICE] })).toMatchObject({ do: 'call', way: VOICE });
    // A nag is over with the next one, and behind who is asked first stands somebody else.
    expect(again(59_999, { ways: [], notice: { kind: 'nag', at: T0 }, deadline: T0 + 30 })).toMatchObject({
      do: 'end',
    });
    expect(again(0, { ways: [], notice: { kind: 'nag', at: T0 }, deadline: T0 + 30 })).toMatchObject({
      until: T0 + 30,
    });
    expect(again(0, { ways: [], notice: { kind: 'reinforce', at: T0 } })).toMatchObject({
      why: 'unreachable',
    });
  });

  test('a channel that somebody lacks takes no time', () => {
    expect(rang(play(facts({ ways: [ALIYUN, VOICE] }), () => SILENT).rings)).toEqual([
      ['aliyun-sms', 0],
      ['aliyun-voice', 15],
    ]);
    expect(rang(play(facts({ ways: [VOICE] }), () => SILENT).rings)).toEqual([['aliyun-voice', 0]]);
    expect(nextStep(facts({ ways: [] }), T0)).toEqual({
      do: 'end',
      state: 'failed-permanent',
      why: 'unreachable',
    });
  });

  test('a vendor that nobody has paid is tried again, because it makes nobody unreachable; a wrong number does', () => {
    const unpaid: Fate = { answer: 'unpaid', asked: 'no-answer' };
    const both = facts({ ways: [ALIYUN, TENCENT] });
    const paidAt2 = play(both, (call) => (call < 4 ? unpaid : GOOD));
    expect(paidAt2.end).toMatchObject({ state: 'delivered' });
    expect(rang(paidAt2.rings)).toEqual([
      ['aliyun-sms', 0],
      ['tencent-sms', 0],
      ['aliyun-sms', 2],
      ['tencent-sms', 2],
      ['aliyun-sms', 6],
    ]);
    const wrong = play(both, (call) => (call === 0 ? unpaid : { answer: 'permanent', asked: 'no-answer' }));
    expect(wrong).toMatchObject({ second: 0, end: { state: 'failed-permanent', why: 'unreachable' } });
    expect(wrong.rings).toHaveLength(2);
  });

  test('a failure goes on in the same second, to the other vendor before the louder channel', () => {
    for (const answer of ['temporary', 'permanent'] as const)
      expect(
        rang(
          play(facts(), (_, vendor) => (vendor === 'aliyun-voice' ? SILENT : { answer, asked: 'no-answer' }))
            .rings,
        ),
      ).toEqual([
        ['wecom', 0],
        ['aliyun-sms', 0],
        ['tencent-sms', 0],
        ['aliyun-voice', 0],
      ]);
  });

  test('a carrier that says no is a failure like any other', () => {
    const failed: Fate = { ...GOOD, receipt: { after: 4, state: 'failed-permanent' } };
    const { rings } = play(facts({ ways: [ALIYUN, VOICE] }), (call) => (call === 0 ? failed : GOOD));
    expect(rang(rings)).toEqual([
      ['aliyun-sms', 0],
      ['aliyun-voice', 4],
    ]);
  });

  test('a code whose words are refused goes to another vendor as it is: generic ones would not hold it', () => {
    const pin = facts({ notice: { kind: 'pin', at: T0 }, plan: [{ channel: 'sms', after: 0 }] });
    const { rings } = play(pin, (call) => (call === 0 ? { ...GOOD, answer: 'text' } : GOOD));
    expect(rings).toMatchObject([
      { vendor: 'aliyun-sms', second: 0, generic: false },
      { vendor: 'tencent-sms', second: 0, generic: false },
    ]);
  });

  test('words that are refused are replaced by the generic ones in the same second, once', () => {
    const { rings } = play(facts({ ways: [ALIYUN, TENCENT] }), (call) =>
      call < 2 ? { answer: 'text', asked: 'no-answer' } : GOOD,
    );
    expect(rings.slice(0, 3)).toMatchObject([
      { vendor: 'aliyun-sms', second: 0, generic: false },
      { vendor: 'aliyun-sms', second: 0, generic: true },
      { vendor: 'tencent-sms', second: 0, generic: false },
    ]);
  });

  test('after a time-out without an answer the next vendor, never the same one', () => {
    const { rings } = play(facts({ ways: [ALIYUN, TENCENT] }), (call) =>
      call === 0 ? { answer: 'unknown', asked: 'no-answer' } : GOOD,
    );
    expect(rings).toMatchObject([
      { vendor: 'aliyun-sms', second: 0, double: false },
      { vendor: 'tencent-sms', second: 0, double: true },
    ]);
  });

  test('the vendor states that it has nothing: the same one again, and that is no double', () => {
    const { rings } = play(facts({ ways: [ALIYUN, TENCENT] }), (call) =>
      call === 0 ? { answer: 'unknown', asked: 'no-record' } : GOOD,
    );
    expect(rings.slice(0, 2)).toMatchObject([
      { vendor: 'aliyun-sms', double: false },
      { vendor: 'aliyun-sms', double: false },
    ]);
  });

  test('nobody can be called and one vendor has not answered: it is asked until it tells', () => {
    const told = facts({ notice: { kind: 'told', at: T0 }, ways: [ALIYUN, TENCENT] });
    const asked = ['no-answer', 'no-answer', 'no-answer', 'no-answer', 'delivered'] as const;
    const late = play(told, (_, vendor) =>
      vendor === 'aliyun-sms' ? { answer: 'unknown', asked } : { answer: 'permanent', asked: 'no-answer' },
    );
    expect(rang(late.rings)).toEqual([
      ['aliyun-sms', 0],
      ['tencent-sms', 0],
    ]);
    expect(late.asks).toEqual([0, 2, 6, 14, 24]);
    expect(late.end).toMatchObject({ state: 'delivered' });
    // It never got it: now a call makes no double.
    const denied = play(told, (call) =>
      call < 2 ? { answer: 'unknown', asked: ['no-answer', 'no-answer', 'no-record'] } : GOOD,
    );
    expect(rang(denied.rings)).toEqual([
      ['aliyun-sms', 0],
      ['tencent-sms', 0],
      ['aliyun-sms', 6],
    ]);
    // Who can never tell is not asked twice, and not called twice for what nobody has to act on.
    const mute = play(told, () => ({ answer: 'unknown', asked: 'cannot' }));
    expect([rang(mute.rings).length, mute.asks, mute.end]).toEqual([
      2,
      [0, 0],
      { do: 'end', state: 'unknown', why: 'silent' },
    ]);
  });

  test('who has to act gets a second call that may ring twice only after three questions without an answer', () => {
    const { rings, asks } = play(facts({ ways: [ALIYUN] }), (call) =>
      call === 0 ? { answer: 'unknown', asked: 'no-answer' } : GOOD,
    );
    expect(asks.slice(0, 3)).toEqual([0, 2, 6]);
    expect(rings).toMatchObject([
      { second: 0, double: false },
      { second: 6, double: true },
    ]);
  });

  test('only an action ends it: what he did stops every later channel', () => {
    expect(rang(play(facts(), () => GOOD, { second: 5 }).rings)).toEqual([['wecom', 0]]);
    expect(rang(play(facts(), () => SILENT, { second: 16 }).rings)).toEqual([
      ['wecom', 0],
      ['aliyun-sms', 15],
    ]);
    expect(nextStep(facts({ moot: 'accepted' }), T0)).toMatchObject({ state: 'suppressed' });
  });

  test('what is good to know ends with its receipt; a vendor that cannot tell is enough for chatter', () => {
    const told = facts({ notice: { kind: 'told', at: T0 } });
    expect(rang(play(told, () => GOOD).rings)).toEqual([['wecom', 0]]);
    const chatter = facts({
      notice: { kind: 'stand-down', at: T0 },
      plan: DEFAULTS.plans.chatter,
      ways: [way('chat', 'wecom', { tells: false }), ALIYUN],
    });
    expect(rang(play(chatter, () => SILENT).rings)).toEqual([['wecom', 0]]);
    expect(rang(play({ ...chatter, ways: [WECOM, ALIYUN] }, () => SILENT).rings)).toEqual([
      ['wecom', 0],
      ['aliyun-sms', 55],
    ]);
  });

  test('a vendor that posts nothing is asked at its seconds; what it says counts like a receipt', () => {
    const polled = facts({ ways: [way('chat', 'dingtalk', { poll: [3, 8] }), ALIYUN] });
    const { rings, attempts } = play(polled, () => ({ answer: 'accepted', asked: 'delivered' }));
    expect(rang(rings)).toEqual([
      ['dingtalk', 0],
      ['aliyun-sms', 23],
    ]);
    expect(attempts[0]).toMatchObject({ state: 'delivered', asked: 1 });
  });

  test('after an outage nothing is sent that came too late', () => {
    expect(nextStep(facts(), T0 + 60_000)).toEqual({ do: 'end', state: 'expired', why: 'too-late' });
    const { rings, end } = play(facts({ ways: [ALIYUN] }), () => ({
      answer: 'temporary',
      asked: 'no-answer',
    }));
    expect(rang(rings)).toEqual([
      ['aliyun-sms', 0],
      ['aliyun-sms', 2],
      ['aliyun-sms', 6],
      ['aliyun-sms', 14],
      ['aliyun-sms', 24],
      ['aliyun-sms', 34],
      ['aliyun-sms', 44],
      ['aliyun-sms', 54],
    ]);
    expect(end).toMatchObject({ state: 'expired' });
  });

  test('of a district, a kind, a person', () => {
    const own = deliverySchema.parse({
      plans: {
        kinds: { nag: [{ channel: 'voice', after: 0 }] },
        members: { m: [{ channel: 'sms', after: 0 }] },
      },
    });
    const first = (kind: NoticeKind, to: string): unknown => planFor(own, kind, to)[0]?.channel;
    expect([first('ask', 'x'), first('nag', 'x'), first('nag', 'm'), first('stand-down', 'm')]).toEqual([
      'chat',
      'voice',
      'sms',
      'push',
    ]);
    // A code that no text brings comes to the same person's work app; a district may want it otherwise.
    expect(planFor(own, 'pin', 'm').map(({ channel }) => channel)).toEqual(['sms', 'chat']);
    expect(planFor(own, 'answer', 'm').map(({ channel }) => channel)).toEqual(['sms']);
    const quieter = [
      { channel: 'sms', after: 0 },
      { channel: 'chat', after: 5 },
    ];
    expect(deliverySchema.safeParse({ plans: { alerts: quieter } }).success).toBe(false);
  });
});

const fate: fc.Arbitrary<Fate> = fc.record({
  answer: fc.constantFrom(
    'accepted',
    'accepted',
    'accepted',
    'temporary',
    'permanent',
    'unpaid',
    'text',
    'unknown',
  ),
  asked: fc.constantFrom('waiting', 'delivered', 'failed', 'no-record', 'no-answer'),
  receipt: fc.option(
    fc.record({
      after: fc.nat({ max: 40 }),
      state: fc.constantFrom('delivered', 'read', 'failed-permanent'),
    }),
    { nil: undefined },
  ),
});

test('whatever the vendors do: it ends, in order, and no vendor that took it is called again', () => {
  fc.assert(
    fc.property(
      fc.subarray(ALL),
      fc.constantFrom<NoticeKind>('ask', 'reinforce', 'nag', 'told', 'stand-down'),
      fc.array(fate, { minLength: 40, maxLength: 40 }),
      fc.option(fc.nat({ max: 70 }), { nil: undefined }),
      fc.option(fc.integer({ min: 1, max: 400 }), { nil: undefined }),
      (ways, kind, fates, acted, deadline) => {
        const begin = facts({
          ways,
          notice: { kind, at: T0 },
          // A nag has always one: the next nag.
          deadline:
            deadline === undefined && kind !== 'nag' ? undefined : T0 + Math.min(deadline ?? 300, 300) * 1000,
        });
        const { rings, end, attempts } = play(
          begin,
          (call) => fates[call] ?? GOOD,
          acted === undefined ? undefined : { second: acted },
        );
        // Nothing after the action, nothing after the deadline.
        for (const { second } of rings) {
          if (acted !== undefined) expect(second).toBeLessThan(Math.max(acted, 1));
          if (deadline !== undefined) expect(second).toBeLessThan(deadline);
        }
        for (const [i, attempt] of attempts.entries()) {
          const later = attempts.slice(i + 1).filter((one) => one.vendor === attempt.vendor);
          // Taken over: never again by the same vendor.
          if (['sent', 'delivered', 'read'].includes(attempt.state) && !attempt.never)
            expect(later.filter((one) => one.at > attempt.seen)).toEqual([]);
          // Perhaps taken over: again only where somebody has to act, and then it is counted.
          if (attempt.state === 'unknown' && later.length > 0) {
            expect(INSISTENT.has(kind)).toBe(true);
            expect(rings[i + 1 + attempts.slice(i + 1).indexOf(later[0] ?? attempt)]?.double).toBe(true);
          }
        }
        // Channels are begun from quiet to loud.
        const begun = [...new Set(attempts.map(({ channel }) => CHANNELS.indexOf(channel)))];
        expect(begun).toEqual([...begun].sort((one, other) => one - other));
        // Nobody acted and there was time: every channel that he has was tried.
        if (acted === undefined && deadline === undefined && INSISTENT.has(kind))
          expect(new Set(attempts.map(({ channel }) => channel))).toEqual(
            new Set(ways.map(({ channel }) => channel)),
          );
        // Where it stands is never less than the best that is known.
        if (attempts.some(({ state }) => ['sent', 'delivered', 'read'].includes(state)))
          expect(end.state).toBe(standing(attempts));
      },
    ),
    { numRuns: 2_000 },
  );
});

/** A vendor as a storm leaves it: so many calls go wrong, each in its way, then all is well. Questions may go unanswered, but never lie. */
const struck = fc.record({
  works: fc.constant(true),
  calls: fc.array(
    fc.record({
      what: fc.constantFrom('temporary', 'swallowed', 'taken'),
      deaf: fc.nat({ max: 6 }),
    }),
    { maxLength: 12 },
  ),
});
const broken = fc.constantFrom<Fate>(
  { answer: 'permanent', asked: 'no-answer' },
  { answer: 'unknown', asked: 'cannot' },
  { answer: 'unknown', asked: 'no-answer' },
);

test('as long as one vendor works in the end, the notice is taken, and no vendor has it twice unless that was counted', () => {
  fc.assert(
    fc.property(
      fc.subarray([WECOM, ALIYUN, TENCENT, VOICE], { minLength: 1 }),
      fc.constantFrom<NoticeKind>('ask', 'returned', 'told', 'stand-down'),
      fc.array(struck, { minLength: 4, maxLength: 4 }),
      fc.array(fc.option(broken, { nil: undefined }), { minLength: 4, maxLength: 4 }),
      fc.nat({ max: 3 }),
      (ways, kind, storms, fails, spared) => {
        const called = new Map<Vendor, number>();
        const has = new Map<Vendor, number>();
        const { end, rings, attempts } = play(
          facts({ ways, notice: { kind, at: T0 }, deadline: undefined }),
          (_, vendor) => {
            const i = ways.findIndex((one) => one.vendor === vendor);
            const n = called.get(vendor) ?? 0;
            called.set(vendor, n + 1);
            const bad = i === spared % ways.length ? undefined : fails[i];
            if (bad) return bad;
            const { what, deaf } = storms[i]?.calls[n] ?? { what: 'accepted', deaf: 0 };
            if (what === 'temporary') return { answer: 'temporary', asked: 'no-answer' };
            if (what !== 'swallowed') has.set(vendor, (has.get(vendor) ?? 0) + 1);
            if (what === 'accepted') return SILENT;
            const truth = what === 'taken' ? 'waiting' : 'no-record';
            return {
              answer: 'unknown',
              asked: [...Array.from({ length: deaf }, () => 'no-answer' as const), truth],
            };
          },
        );
        expect(end.state).toBe('sent');
        expect(attempts.some(({ state }) => state === 'sent')).toBe(true);
        for (const [vendor, times] of has) {
          if (!INSISTENT.has(kind)) expect(times).toBe(1);
          else if (times > 1)
            expect(rings.filter((ring) => ring.vendor === vendor && ring.double)).not.toEqual([]);
        }
      },
    ),
    { numRuns: 1_000 },
  );
});

test('what is known of an attempt only grows, in whatever order receipts come', () => {
  const states = ['sending', 'sent', 'delivered', 'read', 'failed-permanent', 'unknown'] as const;
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...states)), (told) => {
      let state: Attempt['state'] = 'sending';
      for (const to of told) {
        const before: Attempt['state'] = state;
        if (advances(state, to)) state = to;
        if (before === 'read') expect(state).toBe('read');
        if (before === 'delivered') expect(['delivered', 'read']).toContain(state);
      }
    }),
  );
});
