import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from '../properties.ts';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import {
  confirm,
  hear,
  judge,
  mergeRulesSchema,
  undo,
  type Gathering,
  type Heard,
} from '#shared/domain/merge.ts';

const root = join(import.meta.dirname, '../..');
const rules = mergeRulesSchema.parse(
  JSON.parse(readFileSync(join(root, 'shared/districts/merge.json'), 'utf8')),
);

const burstSchema = z.object({
  id: z.string(),
  about: z.string(),
  calls: z.array(
    z.object({
      callNo: z.string(),
      event: z.string(),
      minute: z.number(),
      x: z.number().optional(),
      y: z.number().optional(),
      address: z.string(),
      content: z.string(),
      category: z.string(),
      group: z.string(),
      danger: z.array(z.string()),
      caller: z.string().optional(),
    }),
  ),
});
const bursts = readFileSync(join(root, 'tests/corpus/bursts.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => burstSchema.parse(JSON.parse(line)));
const heardSchema = burstSchema.shape.calls.element.omit({ event: true, minute: true, x: true, y: true });
type Told = z.infer<typeof burstSchema>['calls'][number];

const METRES_PER_DEGREE = 111_320;
const START = Date.parse('2026-11-21T10:00:00Z');
const heard = ({ minute, x, y, ...call }: Told): Heard => ({
  ...heardSchema.parse(call),
  at: START + minute * 60_000,
  ...(x === undefined || y === undefined
    ? {}
    : {
        point: {
          lng: 120 + x / (METRES_PER_DEGREE * Math.cos((30 * Math.PI) / 180)),
          lat: 30 + y / METRES_PER_DEGREE,
        },
      }),
});
const hearAll = (calls: readonly Heard[]) => {
  let events: Gathering[] = [];
  const placings = calls.map((call) => {
    const heardNow = hear(events, call, rules);
    events = heardNow.events;
    return heardNow.placing;
  });
  return { events, placings };
};
const call = (more: Partial<Heard> = {}): Heard => ({
  callNo: 'S1',
  at: START,
  address: '样例路5号',
  content: '样例路5号楼下水管爆裂',
  category: 'public_facility_safety',
  group: 'safety',
  danger: [],
  ...more,
});

describe('sixty invented bursts', () => {
  const outcome = bursts.map(({ id, calls }) => ({ id, calls, ...hearAll(calls.map(heard)) }));
  const eventOf = (calls: readonly Told[], callNo: string | undefined) =>
    calls.find((one) => one.callNo === callNo)?.event;

  test('there are sixty, and a third of them hold different events', () => {
    expect(bursts).toHaveLength(60);
    const mixed = bursts.filter(({ calls }) => new Set(calls.map(({ event }) => event)).size > 1);
    expect(mixed.length).toBeGreaterThanOrEqual(20);
  });

  test('no call joins another event, and no call with a danger sign joins at all', () => {
    const wrong = outcome.flatMap(({ calls, placings }) =>
      placings.filter(
        ({ callNo, verdict, into }) =>
          verdict === 'join' &&
          (eventOf(calls, into) !== eventOf(calls, callNo) ||
            calls.some((one) => [callNo, into].includes(one.callNo) && one.danger.length > 0)),
      ),
    );
    expect(wrong).toEqual([]);
  });

  test('no call is dropped, and each keeps its number and its signs', () => {
    for (const { calls, events } of outcome)
      expect(events.flatMap((event) => event.calls).sort((a, b) => a.callNo.localeCompare(b.callNo))).toEqual(
        calls.map(heard),
      );
  });

  test('calls about one event are brought together, calls about others are let alone', () => {
    let [together, same, alone, other] = [0, 0, 0, 0];
    const misses: string[] = [];
    for (const { calls, placings } of outcome)
      for (const [index, { callNo, verdict, into, beside, sentence }] of placings.entries()) {
        const mine = eventOf(calls, callNo);
        const target = eventOf(calls, verdict === 'join' ? into : beside[0]?.id);
        if (calls.slice(0, index).some(({ event }) => event === mine)) {
          same += 1;
          if (verdict !== 'new' && target === mine) together += 1;
          else misses.push(`${callNo} ${verdict} ${sentence}`);
        } else if (index > 0) {
          other += 1;
          if (verdict === 'new') alone += 1;
          else misses.push(`${callNo} ${verdict} ${sentence}`);
        }
      }
    expect(same + other).toBeGreaterThan(60);
    // 40 of 42 and 27 of 28 when this was written; the misses are listed when it gets worse.
    expect(together / same, misses.join('\n')).toBeGreaterThanOrEqual(0.9);
    expect(alone / other, misses.join('\n')).toBeGreaterThanOrEqual(0.9);
  });
});

describe('one call and another', () => {
  test.each<[string, Partial<Heard>, Partial<Heard>, string]>([
    ['the same words at the same door join', {}, { callNo: 'S2', at: START + 60_000 }, 'join'],
    ['a danger sign is linked, whatever is alike', {}, { callNo: 'S2', danger: ['injury'] }, 'link'],
    ['another door with the same words is a question', {}, { callNo: 'S2', address: '样例路9号' }, 'propose'],
    ['21 minutes are too many', {}, { callNo: 'S2', at: START + 21 * 60_000 }, 'apart'],
    ['an unknown place is nowhere near', {}, { callNo: 'S2', address: '别处街1号' }, 'apart'],
    [
      'a white car is not the black one',
      { content: '白色轿车堵住门口', category: 'illegal_parking', group: 'order' },
      { callNo: 'S2', content: '黑色轿车堵住门口', category: 'illegal_parking', group: 'order' },
      'apart',
    ],
    [
      'the same phone about the same thing joins with other words',
      { caller: 'phone:sample' },
      { callNo: 'S2', caller: 'phone:sample', content: '还没人来，越漏越大' },
      'join',
    ],
  ])('%s', (_, known, later, verdict) => {
    const point = { lng: 120, lat: 30 };
    const place = later.address === '别处街1号' ? {} : { point };
    const judgement = judge(call({ ...place, ...known }), call({ ...place, ...later }), rules);
    expect(judgement.verdict).toBe(verdict);
    expect(judgement.sentence).not.toBe('');
  });

  test('300 metres away the same words are another event, and the sentence says how far', () => {
    const away = { lng: 120, lat: 30 + 300 / METRES_PER_DEGREE };
    const judgement = judge(
      call({ point: { lng: 120, lat: 30 } }),
      call({ callNo: 'S2', point: away }),
      rules,
    );
    expect(judgement).toMatchObject({ verdict: 'apart', metres: 300 });
    expect(judgement.sentence).toContain('300米');
  });
});

describe('joining by hand', () => {
  const near = (metres: number) => ({ lng: 120, lat: 30 + metres / METRES_PER_DEGREE });
  const first = call({ point: near(0) });
  const second = call({ callNo: 'S2', address: '样例路', content: '楼下水管漏水漏到路面', point: near(80) });

  test('a confirmed proposal is one event; undone, the events are as before', () => {
    const { events, placings } = hearAll([first, second]);
    expect(placings.map(({ verdict }) => verdict)).toEqual(['new', 'propose']);
    const confirmed = confirm(events, 'S2');
    expect(confirmed?.events).toEqual([{ id: 'S1', calls: [first, second], beside: [] }]);
    expect(confirmed && undo(confirmed.events, confirmed.placing)).toEqual(events);
  });

  test('a call with a danger sign is not joined by hand either', () => {
    const { events } = hearAll([first, second]);
    const marked = events.map((event) => ({
      ...event,
      calls: event.calls.map((one) => ({ ...one, danger: one.callNo === 'S1' ? ['weapon'] : [] })),
    }));
    expect(confirm(marked, 'S2')).toBeUndefined();
    expect(confirm(events, 'S1')).toBeUndefined();
  });
});

test('any row of calls: none is lost, no danger joins, and every placing can be undone in place', () => {
  const any = fc.record({
    minute: fc.integer({ min: 0, max: 40 }),
    metres: fc.integer({ min: 0, max: 400 }),
    content: fc.constantFrom('楼下水管爆裂', '水管爆裂漏水', '黑色小车堵门', '店里着火了', '', '😀'),
    address: fc.constantFrom('样例路5号', '样例路9号', '样例路', ''),
    category: fc.constantFrom('public_facility_safety', 'illegal_parking'),
    danger: fc.constantFrom<string[]>([], [], [], ['fire']),
    caller: fc.constantFrom(undefined, 'phone:a', 'phone:b'),
  });
  fc.assert(
    fc.property(fc.array(any, { maxLength: 8 }), (list) => {
      const calls = list.map(({ minute, metres, caller, ...one }, n): Heard => ({
        ...one,
        callNo: `S${n}`,
        at: START + minute * 60_000,
        group: one.category,
        point: { lng: 120, lat: 30 + metres / METRES_PER_DEGREE },
        ...(caller === undefined ? {} : { caller }),
      }));
      let events: Gathering[] = [];
      for (const one of calls) {
        const { events: after, placing } = hear(events, one, rules);
        const undone = undo(after, placing);
        expect(undone).toEqual([...events, { id: one.callNo, calls: [one], beside: [] }]);
        events = after;
      }
      expect(events.flatMap((event) => event.calls.map(({ callNo }) => callNo)).sort()).toEqual(
        calls.map(({ callNo }) => callNo).sort(),
      );
      for (const event of events)
        if (event.calls.length > 1) expect(event.calls.flatMap(({ danger }) => danger)).toEqual([]);
    }),
  );
});
