import * as fc from '../properties.ts';
import { describe, expect, test } from 'vitest';
import type { Classification } from '#shared/domain/classification.ts';
import { patternsOf, type Correction } from '#shared/domain/correction.ts';
import { correctionOf } from '#shared/domain/judgement.ts';
import { driftOf, lastWeek, weekName, weekOf } from '#shared/domain/drift.ts';
import { receive, type Incident } from '#shared/domain/incident.ts';
import { T0, everyday } from './duty-room.ts';

const classified = (matter: Partial<Classification> = {}, more: Partial<Incident> = {}): Incident => ({
  ...receive({
    id: 'x',
    callNo: 'sample',
    district: 'donghu',
    receivedAt: T0,
    calledAt: T0,
    secret: false,
    mode: 'peace',
  }),
  classification: { ...everyday, ...matter },
  ...more,
});
const many = (n: number, category: string): Incident[] =>
  Array.from({ length: n }, () => classified({ category }));

describe('weeks are those of ISO, in Beijing', () => {
  test('the names of their first and last instants', () => {
    const monday = Date.parse('2026-11-16T00:00:00+08:00');
    expect(weekOf('2026-W47')).toEqual({ from: monday, to: monday + 7 * 86_400_000 });
    expect([weekName(monday - 1), weekName(monday), lastWeek(monday)]).toEqual([
      '2026-W46',
      '2026-W47',
      '2026-W46',
    ]);
    // A year with 53 weeks, and a first of January that belongs to the year before.
    expect(weekName(Date.parse('2027-01-01T12:00:00+08:00'))).toBe('2026-W53');
    for (const none of ['2025-W53', '2026-W00', '2026-W54', '2026-47', 'W47'])
      expect(weekOf(none)).toBeUndefined();
  });

  test('every instant lies in the week of its name', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_102_444_800_000 }), (at) => {
        const span = weekOf(weekName(at));
        expect(span && span.from <= at && at < span.to).toBe(true);
      }),
    );
  });
});

describe('the drift of a week', () => {
  test('counts what was unclear, corrected and dangerous; one danger found is an alarm', () => {
    const corrected = {
      at: T0,
      by: 'duty-1',
      was: { category: 'noise', disposition: 'non-police', urgency: 'P3' },
    } as const;
    const week = [
      classified({}, { triage: { until: T0, by: 'duty-1' } }),
      classified({}, { triage: { until: T0, by: 'system' } }),
      classified({ danger: ['fire'] }),
      classified({ category: 'violent_crime', disposition: 'police' }, { corrected, dangerFoundAt: T0 }),
    ];
    const unclassified: Incident = { ...classified() };
    delete unclassified.classification;
    expect(driftOf([...week, unclassified], [])).toMatchObject({
      incidents: 4,
      triage: { k: 2, n: 4 },
      byDesk: { k: 1, n: 2 },
      corrected: { k: 1, n: 4 },
      guard: { k: 1, n: 4 },
      dangerFound: { k: 1, n: 4 },
      alarm: true,
      shift: null,
    });
    expect(driftOf(week.slice(0, 3), []).alarm).toBe(false);
  });

  test('the shift is the distance between the machine’s own first words', () => {
    const before = [...many(30, 'a'), ...many(10, 'b')];
    expect(driftOf([...many(3, 'a'), ...many(1, 'b')], before).shift).toBeCloseTo(0);
    expect(driftOf(many(4, 'c'), before).shift).toBeCloseTo(1);
    const drift = driftOf([...many(1, 'a'), ...many(3, 'b')], before);
    expect(drift.shift).toBeCloseTo(0.5);
    expect(drift.moved).toMatchObject([{ category: 'a' }, { category: 'b' }]);
    // People put it right: what drifts is the machine.
    const right = classified(
      { category: 'a' },
      { corrected: { at: T0, by: 'duty-1', was: { category: 'c', disposition: 'joint', urgency: 'P4' } } },
    );
    expect(driftOf([right], before).shift).toBeCloseTo(1);
  });

  test('of any two periods it lies between 0 and 1, and nothing drifts from itself', () => {
    const weeks = fc.array(
      fc.constantFrom('a', 'b', 'c', 'd').map((category) => classified({ category })),
      { minLength: 1, maxLength: 40 },
    );
    fc.assert(
      fc.property(weeks, weeks, (one, other) => {
        const { shift } = driftOf(one, other);
        expect(shift).toBeGreaterThanOrEqual(0);
        expect(shift).toBeLessThanOrEqual(1 + 1e-9);
        expect(driftOf(one, one).shift).toBeCloseTo(0);
      }),
    );
  });
});

describe('what may be learnt from corrections', () => {
  const correction = (by: string, words: string[], more: Partial<Correction> = {}): Correction => ({
    incidentId: 'x',
    at: T0,
    stage: 'after',
    text: '样例',
    was: { category: 'noise_nuisance', disposition: 'non-police', urgency: 'P3' },
    is: { category: 'neighbour_dispute', disposition: 'joint', urgency: 'P3' },
    by,
    why: '样例',
    words,
    ...more,
  });
  const words = (corrections: Correction[]) => patternsOf(corrections).agreed.map((pattern) => pattern.word);

  test('the words that decide: those of the machine’s evidence, without names, and what speaks for the person’s choice', () => {
    const content = '我叫王小明，楼上装修，物业不管';
    const kept = correctionOf({
      incidentId: 'x',
      at: T0,
      stage: 'after',
      content,
      reasons: [
        { rule: 'keyword', sentence: '', span: [6, 10] },
        { rule: 'keyword', sentence: '', span: [2, 5] },
        { rule: 'rival', sentence: '', span: [12, 14], against: true },
        { rule: 'none', sentence: '' },
      ],
      keywords: ['物业', '门禁'],
      was: everyday,
      is: { ...everyday, category: 'property_mgmt_dispute' },
      by: 'duty-1',
      why: '王小明说的',
      known: ['王小明'],
    });
    expect(kept.words).toEqual(['楼上装修', '物业'].toSorted());
    expect(JSON.stringify(kept)).not.toContain('王小明');
  });

  test('two people who agree on a word and on the change', () => {
    expect(words([correction('duty-1', ['装修', '吵']), correction('duty-2', ['吵'])])).toEqual(['吵']);
  });

  test('who agrees is told alike in whatever order the corrections come', () => {
    const [one, other] = [correction('duty-1', ['吵']), correction('duty-2', ['吵'])];
    for (const order of [
      [one, other],
      [other, one],
    ])
      expect(patternsOf(order).agreed[0]?.people).toEqual(['duty-1', 'duty-2']);
  });

  test('nobody alone, however often; nor with the shared sign-in; nor on another change or word', () => {
    const one = correction('duty-1', ['吵']);
    for (const other of [
      one,
      correction('desk', ['吵']),
      correction('duty-2', ['闹']),
      correction('duty-2', []),
      correction('duty-2', ['吵'], { is: { category: 'other', disposition: 'joint', urgency: 'P3' } }),
      correction('duty-2', ['吵'], {
        is: { category: 'neighbour_dispute', disposition: 'police', urgency: 'P1' },
      }),
    ])
      expect(words([one, other])).toEqual([]);
    expect(words([correction('duty-1', []), correction('duty-2', [])])).toEqual([]);
    expect(patternsOf([one, one])).toMatchObject({ lone: { patterns: 1, corrections: 2 } });
  });
});
