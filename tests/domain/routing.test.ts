import * as fc from '../properties.ts';
import { describe, expect, test } from 'vitest';
import { onShift } from '#shared/domain/roster.ts';
import type { Member } from '#shared/domain/roster.ts';
import { candidates, leaderOf } from '#shared/domain/routing.ts';
import { listDistricts } from '#shared/districts/load.ts';
import { staffed } from './sample-district.ts';

const { district, members } = staffed('xiaohe');
const road = district.roads.find((r) => r.name === '古运路');
const grid = district.grids.find((g) => road?.grids.includes(g.id));
if (!road || !grid) throw new Error('the sample has lost its 古运路');
const place = { roadId: road.id, gridId: grid.id, point: grid.centre, name: '', how: '' };
const morning = new Date('2026-03-02T10:00:00+08:00');
const night = new Date('2026-03-02T23:30:00+08:00');
const by = (id: string): Member => {
  const member = members.find((m) => m.id === id);
  if (!member) throw new Error(`${id} is not on the roster`);
  return member;
};
const pick = (team: string, at = morning, where: Parameters<typeof candidates>[2]['place'] = place) =>
  candidates(district, members, { place: where, classification: { team }, at });

describe('who is asked', () => {
  test('road crew, then the grid, then the squad of the place, then the others, nearest first', () => {
    const tiers = pick('patrol').picked.map(({ id }) => {
      const m = by(id);
      if (m.roads.includes(road.id)) return 0;
      if (m.grids.includes(grid.id)) return 1;
      return road.squads.includes(m.squad) || grid.squads.includes(m.squad) ? 2 : 3;
    });
    expect(tiers).toEqual(tiers.toSorted((a, b) => a - b));
    expect([...new Set(tiers)]).toEqual([0, 1, 2, 3]);
  });

  test('each pick says why: the road by name, the grid by name, how far away', () => {
    const { picked } = pick('patrol');
    expect(picked[0]?.reason).toMatch(/^包干道路古运路，约\d/);
    expect(picked.find((p) => by(p.id).grids.includes(grid.id))?.reason).toContain(grid.name);
  });

  test('the crew of another shift is not asked, and the desk sees why', () => {
    const crew = members.filter((m) => m.roads.includes(road.id));
    const off = crew.filter((m) => !onShift(m, district.shifts, morning));
    const { picked, rejected } = pick('patrol');
    expect(off.length).toBeGreaterThan(0);
    for (const m of off) {
      expect(picked.map((p) => p.id)).not.toContain(m.id);
      expect(rejected.find((r) => r.id === m.id)?.reason).toBe('包干道路，不在班');
    }
  });

  test('leaders are climbed to, not asked first; only a grid head answers in his own grid', () => {
    const leaders = pick('patrol').picked.filter((p) => by(p.id).role !== 'member');
    expect(leaders.map((p) => p.id)).toEqual([grid.head]);
  });

  test('police matters pick nobody of ours', () => {
    expect(pick('police')).toMatchObject({ picked: [] });
  });

  test('an unknown place still finds people of the team, in a steady order', () => {
    const nowhere = pick('patrol', morning, { name: '', how: '' });
    expect(nowhere.picked.length).toBeGreaterThan(3);
    expect(nowhere).toEqual(
      candidates(district, members.toReversed(), {
        place: { name: '', how: '' },
        classification: { team: 'patrol' },
        at: morning,
      }),
    );
  });

  test('an empty roster answers with nobody', () => {
    expect(candidates(district, [], { place, classification: { team: 'patrol' }, at: morning })).toEqual({
      picked: [],
      rejected: [],
      more: { picked: 0, rejected: 0 },
    });
  });

  test('新街: officer and social worker of the same grid stand first (一格一警)', () => {
    const xinjie = staffed('xinjie');
    // A grid whose two are on shift at the same time.
    const both = xinjie.district.grids.flatMap((g) => {
      const here = xinjie.members.filter(
        (m) => m.role === 'member' && m.grids.includes(g.id) && onShift(m, xinjie.district.shifts, morning),
      );
      return here.some((m) => m.team === 'patrol') && here.some((m) => m.team === 'grid') ? [g] : [];
    });
    expect(both.length).toBeGreaterThan(0);
    for (const g of both) {
      const { picked } = candidates(xinjie.district, xinjie.members, {
        place: { gridId: g.id, point: g.centre, name: '', how: '' },
        classification: { team: 'patrol' },
        at: morning,
      });
      const teams = picked.slice(0, 2).map((p) => xinjie.members.find((m) => m.id === p.id)?.team);
      expect(teams).toEqual(['patrol', 'grid']);
    }
  });

  test('东湖: a dispute goes to the mediators of the nearest point before the patrol', () => {
    const donghu = staffed('donghu');
    const g = donghu.district.grids[0];
    if (!g) throw new Error('donghu has no grids');
    const { picked } = candidates(donghu.district, donghu.members, {
      place: { gridId: g.id, point: g.centre, name: '', how: '' },
      classification: { team: 'mediation' },
      at: morning,
    });
    expect(picked[0]?.id).toMatch(/^(m|full)-/);
    expect(donghu.members.find((m) => m.id === picked[0]?.id)?.squad).toBe('point-1');
  });
});

describe('properties', () => {
  const anyTime = fc.date({ min: new Date('2026-01-01'), max: new Date('2027-01-01'), noInvalidDate: true });
  const edges = fc
    .constantFrom(
      '00:00:00',
      '05:59:59',
      '06:00:00',
      '13:59:59',
      '14:00:00',
      '21:59:59',
      '22:00:00',
      '23:59:59',
    )
    .map((t) => new Date(`2026-05-01T${t}+08:00`));

  test.each(listDistricts())(
    '%s: never an off-shift person, nobody twice, nobody both picked and rejected, lists capped',
    (id) => {
      const sample = staffed(id);
      const ids = new Map(sample.members.map((m) => [m.id, m]));
      fc.assert(
        fc.property(
          fc.oneof(anyTime, edges),
          fc.option(fc.constantFrom(...sample.district.roads), { nil: undefined }),
          fc.option(fc.constantFrom(...sample.district.grids), { nil: undefined }),
          fc.constantFrom(...Object.keys(sample.district.teams)),
          fc.shuffledSubarray(sample.members),
          (at, r, g, team, roster) => {
            const point = r?.centre ?? g?.centre;
            const where = {
              ...(r ? { roadId: r.id } : {}),
              ...(g ? { gridId: g.id } : {}),
              ...(point ? { point } : {}),
              name: '',
              how: '',
            };
            const { picked, rejected, more } = candidates(sample.district, roster, {
              place: where,
              classification: { team },
              at,
            });
            for (const p of picked) {
              const m = ids.get(p.id);
              expect(m && onShift(m, sample.district.shifts, at)).toBe(true);
            }
            const all = [...picked, ...rejected].map((p) => p.id);
            expect(new Set(all).size).toBe(all.length);
            expect(Math.max(picked.length, rejected.length)).toBeLessThanOrEqual(40);
            expect(more.picked === 0 || picked.length === 40).toBe(true);
          },
        ),
        { numRuns: 60 },
      );
    },
  );
});

const leaderAt = (time: string) => leaderOf(district, members, 'patrol-1', new Date(time))?.id;

describe('who is climbed to', () => {
  test('the leader of the shift, at midnight too', () => {
    expect(leaderAt('2026-03-02T21:59:59+08:00')).toBe('leader-2');
    expect(leaderAt('2026-03-02T22:00:00+08:00')).toBe('leader-3');
    expect(leaderAt('2026-03-03T00:00:00+08:00')).toBe('leader-3');
    expect(leaderAt('2026-03-03T05:59:59+08:00')).toBe('leader-3');
    expect(leaderAt('2026-03-03T06:00:00+08:00')).toBe('leader-1');
  });

  test('a squad without a leader on shift is an empty step', () => {
    const without = members.filter((m) => m.id !== 'leader-3');
    expect(leaderOf(district, without, 'patrol-1', night)).toBeUndefined();
  });
});
