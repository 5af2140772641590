import * as fc from '../properties.ts';
import { describe, expect, it } from 'vitest';
import {
  beginDrill,
  drillDue,
  drillResultOf,
  withAnswer,
  type Drill,
  type DrillNotice,
} from '#shared/domain/drill.ts';
import type { Attempt } from '#shared/domain/notice.ts';
import type { Member } from '#shared/domain/roster.ts';

/** Monday, nine in the morning in Beijing. */
const MONDAY_NINE = Date.parse('2026-03-02T01:00:00.000Z');
const POLICY = { days: [1], at: 540, window: 600 };
const MINUTE = 60_000;

const somebody = (id: string, shifts: string[] = []): Member => ({
  id,
  name: '样例',
  phone: '19900001000',
  role: 'member',
  squad: 's',
  team: 't',
  shifts,
  grids: [],
  roads: [],
});
const drill: Drill = {
  id: '20260302T0900',
  startedAt: MONDAY_NINE,
  until: MONDAY_NINE + 600_000,
  members: ['a', 'b'],
  answers: {},
};
const attempt = (state: Attempt['state']): Attempt => ({
  id: 'x',
  n: 1,
  channel: 'sms',
  vendor: 'aliyun-sms',
  state,
  at: MONDAY_NINE,
  seen: MONDAY_NINE,
  asked: 0,
  milli: 0,
});

describe('a scheduled drill', () => {
  it('is due in the minutes after its time on its day, always under the name of that minute', () => {
    fc.assert(
      fc.property(fc.integer({ min: -7 * 1440, max: 7 * 1440 - 1 }), (minute) => {
        const due = drillDue(POLICY, MONDAY_NINE + minute * MINUTE);
        const late = ((minute % 10_080) + 10_080) % 10_080;
        expect(due === undefined).toBe(late >= 10);
      }),
    );
    expect(drillDue(POLICY, MONDAY_NINE + 3 * MINUTE + 12_345)).toBe('20260302T0900');
    expect(drillDue(undefined, MONDAY_NINE)).toBeUndefined();
  });

  it('leaves those alone who are off duty', () => {
    const shifts = [
      { id: 'day', name: '白班', from: 480, to: 1200 },
      { id: 'night', name: '夜班', from: 1200, to: 480 },
    ];
    const begun = beginDrill(
      'x',
      [somebody('a', ['day']), somebody('b', ['night']), somebody('c')],
      shifts,
      60,
      MONDAY_NINE,
    );
    expect(begun.members).toEqual(['a', 'c']);
    expect(begun.until).toBe(MONDAY_NINE + 60_000);
  });
});

describe('an answer', () => {
  it('counts once, within the window, of whoever was tried', () => {
    const first = withAnswer(drill, 'a', 'text', MONDAY_NINE + 30_000);
    expect(first?.answers).toEqual({ a: { at: MONDAY_NINE + 30_000, over: 'text' } });
    expect(first && withAnswer(first, 'a', 'page', MONDAY_NINE + 40_000)).toBeUndefined();
    expect(withAnswer(drill, 'z', 'text', MONDAY_NINE + 1)).toBeUndefined();
    expect(withAnswer(drill, 'a', 'text', MONDAY_NINE - 1)).toBeUndefined();
    expect(withAnswer(drill, 'a', 'text', drill.until + 1)).toBeUndefined();
  });
});

describe('a result', () => {
  it('says delivered only where a vendor said so', () => {
    const after = drill.until;
    const of = (...states: Attempt['state'][]) =>
      drillResultOf(
        drill,
        'b',
        { state: states.at(-1) ?? 'failed-permanent', attempts: states.map(attempt) },
        after,
      ).result;
    expect(of()).toBe('unreachable');
    expect(of('failed-permanent')).toBe('unreachable');
    expect(of('sent')).toBe('not-known');
    expect(of('unknown')).toBe('not-known');
    expect(of('failed-permanent', 'delivered')).toBe('delivered');
    expect(of('read', 'delivered')).toBe('read');
    expect(
      drillResultOf(drill, 'b', { state: 'delivered', attempts: [attempt('delivered')] }, after - 1).result,
    ).toBe('waiting');
    const answered = withAnswer(drill, 'b', 'keys', MONDAY_NINE + 61_400) ?? drill;
    expect(drillResultOf(answered, 'b', { state: 'sent', attempts: [attempt('sent')] }, after)).toMatchObject(
      {
        result: 'answered',
        over: 'keys',
        seconds: 61,
      },
    );
  });

  it('is none where nothing was sent: that says nothing of him', () => {
    const of = (state: DrillNotice['state'], ...attempts: Attempt[]) =>
      drillResultOf(drill, 'b', { state, attempts }, drill.until).result;
    for (const state of ['pending', 'suppressed', 'expired', 'bundled'] as const)
      expect(of(state)).toBe('not-sent');
    expect(of('suppressed', attempt('failed-permanent'))).toBe('not-sent');
    expect(of('expired', attempt('failed-temporary'))).toBe('unreachable');
    expect(drillResultOf(drill, 'b', undefined, drill.until).result).toBe('not-sent');
  });
});
