import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseRoster } from '#shared/adapters/roster-csv.ts';
import { listDistricts, loadDistrict } from '#shared/districts/load.ts';
import { ladderFor } from '#shared/domain/district.ts';
import type { Ladder, Mode } from '#shared/domain/ladder.ts';
import { candidates, dutyOfficers, leaderOf, streetLeaders } from '#shared/domain/routing.ts';
import { generateDistrict, staleFiles } from '../../infra/commands/generate-districts.ts';
import { DISTRICTS, rosterText, staffed, startOf } from './sample-district.ts';

const spoken = (ladder: Ladder): string =>
  ladder.map((r) => `${r.rung} ${r.limit}${r.basis === 'source' ? '*' : ''}`).join(' · ');

describe('the promises of the four districts, as published (* = from the documents)', () => {
  test.each<[string, Mode, string]>([
    [
      'xiaohe',
      'war',
      'accept 60* · arrive 180* · reinforce 300* · feedback 3600 · close 86400 · revisit 259200',
    ],
    ['xiaohe', 'peace', 'accept 60 · arrive 600 · feedback 3600 · close 86400 · revisit 259200'],
    [
      'donghu',
      'peace',
      'accept 60* · depart 120* · contact 180* · arrive 480* · feedback 3600 · close 86400 · revisit 259200',
    ],
    ['xinjie', 'peace', 'accept 60 · arrive 300* · feedback 3600 · close 86400 · revisit 259200'],
    [
      'linjiang',
      'peace',
      'accept 60* · contact 180* · arrive 600* · feedback 3600* · close 86400* · revisit 259200',
    ],
  ])('%s in %s', (id, mode, ladder) => {
    expect(spoken(ladderFor(loadDistrict(id), 'other', mode))).toBe(ladder);
  });

  test('only 小河 starts in war mode', () => {
    expect(listDistricts().filter((id) => loadDistrict(id).mode === 'war')).toEqual(['xiaohe']);
  });
});

const size = (id: string, team: string, prefix = '') =>
  staffed(id).members.filter((m) => m.team === team && m.id.startsWith(prefix)).length;
/** Shoelace area of a ring in square degrees. */
const area = (ring: readonly (readonly [number, number])[]) =>
  Math.abs(
    ring.slice(1).reduce((sum, [x, y], i) => sum + (ring[i]?.[0] ?? x) * y - x * (ring[i]?.[1] ?? y), 0),
  ) / 2;

describe('the sizes that the documents name', () => {
  test('小河: 50 in the squad, 76 grids, 34 heads, 152 grid workers, 39 advisers', () => {
    const { district } = staffed('xiaohe');
    expect(district.grids).toHaveLength(76);
    expect(new Set(district.grids.map((g) => g.head)).size).toBe(34);
    expect([size('xiaohe', 'patrol'), size('xiaohe', 'grid', 'grid-'), size('xiaohe', 'advisers')]).toEqual([
      50, 152, 39,
    ]);
  });

  test('东湖: 43 communities, 20 patrol, 20 mediators and 5 full-time ones at 4 points', () => {
    const { district } = staffed('donghu');
    expect(new Set(district.grids.map((g) => g.community)).size).toBe(43);
    expect([
      size('donghu', 'patrol'),
      size('donghu', 'mediation') - size('donghu', 'mediation', 'full-'),
      size('donghu', 'mediation', 'full-'),
    ]).toEqual([20, 20, 5]);
    expect(district.squads.filter((s) => s.team === 'mediation')).toHaveLength(4);
  });

  test('新街: 28 villages and communities, 128 grids, 53 officers, 102 social workers; every grid has both', () => {
    const { district, members } = staffed('xinjie');
    expect(new Set(district.grids.map((g) => g.community)).size).toBe(28);
    expect([district.grids.length, size('xinjie', 'patrol'), size('xinjie', 'grid')]).toEqual([128, 53, 102]);
    for (const grid of district.grids)
      for (const team of ['patrol', 'grid'])
        expect(members.filter((m) => m.team === team && m.grids.includes(grid.id)).length).toBeGreaterThan(0);
  });

  test('临江: one centre, five stations, each with a squad of its own', () => {
    expect(loadDistrict('linjiang').stations.map((s) => s.squads.length)).toEqual([1, 1, 1, 1, 1]);
  });

  test('小河 covers 6.38 km², and its grids lie side by side without gaps', () => {
    const { grids } = loadDistrict('xiaohe');
    const degrees = grids.reduce((sum, g) => sum + g.rings.reduce((n, ring) => n + area(ring), 0), 0);
    const km2 = degrees * 111.32 ** 2 * Math.cos((30.315 * Math.PI) / 180);
    expect(km2).toBeCloseTo(6.38, 1);
  });
});

describe.each(listDistricts())('the sample roster of %s', (id) => {
  const { district, members } = staffed(id);

  test('has no warnings, sample numbers only, and every id, phone and name once', () => {
    expect(parseRoster(rosterText(id), district).warnings).toEqual([]);
    for (const key of ['id', 'phone', 'name'] as const)
      expect(new Set(members.map((m) => m[key])).size).toBe(members.length);
    expect(members.filter((m) => !/^(1990000|1660000)\d{4}$/.test(m.phone))).toEqual([]);
  });

  test('has on every shift a duty officer, a street leader and a leader of every squad with members', () => {
    for (const at of district.shifts.map(startOf)) {
      expect(dutyOfficers(members, district.shifts, at)).toHaveLength(1);
      expect(streetLeaders(members, district.shifts, at)).toHaveLength(1);
      for (const squad of new Set(members.filter((m) => m.role === 'member').map((m) => m.squad)))
        expect(leaderOf(district, members, squad, at), `${squad} at ${at.toISOString()}`).toBeDefined();
    }
  });

  test('has at least three candidates for every road and grid, on every shift, for every kind of matter', () => {
    const places = [
      ...district.roads.map((r) => ({ roadId: r.id, point: r.centre })),
      ...district.grids.map((g) => ({ gridId: g.id, point: g.centre })),
    ];
    const teams = new Set(district.categories.map((c) => c.team).filter((team) => team !== 'police'));
    const thin = district.shifts.map(startOf).flatMap((at) =>
      places.flatMap((place) =>
        [...teams].flatMap((team) => {
          const where = { ...place, name: '', how: '' };
          const { picked } = candidates(district, members, { place: where, classification: { team }, at });
          return picked.length < 3
            ? [`${JSON.stringify(place)} ${team}: ${picked.length} at ${at.toISOString()}`]
            : [];
        }),
      ),
    );
    expect(places.length * teams.size).toBeGreaterThan(100);
    expect(thin).toEqual([]);
  });
});

describe('the generator', () => {
  test('makes the committed files byte by byte', () => {
    expect(staleFiles(DISTRICTS)).toEqual([]);
  });

  test('sees a file that was changed by hand', () => {
    const copy = mkdtempSync(join(tmpdir(), 'districts-'));
    try {
      cpSync(DISTRICTS, copy, { recursive: true });
      const file = join(copy, 'xiaohe/roads.geojson');
      writeFileSync(file, readFileSync(file, 'utf8').replace('登云路', '登月路'));
      expect(staleFiles(copy)).toEqual(['xiaohe/roads.geojson']);
    } finally {
      rmSync(copy, { recursive: true });
    }
  });

  test('makes a big roster for the bench that fits the same map', () => {
    const text = generateDistrict(DISTRICTS, 'xiaohe', 1_000)['roster.sample.csv'];
    const { members, problems, warnings } = parseRoster(text, loadDistrict('xiaohe'));
    expect([problems, warnings]).toEqual([[], []]);
    expect(members.length).toBeGreaterThanOrEqual(1_000);
    expect(members.length).toBeLessThan(1_020);
  });
});
