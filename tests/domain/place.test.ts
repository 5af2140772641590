import * as fc from '../properties.ts';
import { describe, expect, test } from 'vitest';
import { toWgs84 } from '#shared/adapters/coordinates.ts';
import { listDistricts, loadDistrict } from '#shared/districts/load.ts';
import { isInside, locate, metresBetween, metresToLine } from '#shared/domain/place.ts';
import type { Coordinate } from '#shared/domain/district.ts';

const xiaohe = loadDistrict('xiaohe');
const square: Coordinate[] = [
  [0, 0],
  [4, 0],
  [4, 4],
  [0, 4],
  [0, 0],
];
const hole: Coordinate[] = [
  [1, 1],
  [2, 1],
  [2, 2],
  [1, 2],
  [1, 1],
];
const grid = { rings: [square, hole], box: [0, 0, 4, 4] as const };

describe('a point in a grid', () => {
  test.each([
    [3, 3, true],
    [1.5, 1.5, false],
    [0, 2, true],
    [4, 4, true],
    [2, 4, true],
    [1, 1.5, true],
    [4.000_001, 2, false],
    [-1, 0, false],
  ])('(%d, %d) inside: %s', (lng, lat, inside) => {
    expect(isInside({ lng, lat }, grid)).toBe(inside);
  });

  test('no point of a district, border or not, falls between its grids', () => {
    for (const id of listDistricts()) {
      const district = loadDistrict(id);
      const corners = district.grids.flatMap((g) => g.rings.flat());
      const west = Math.min(...corners.map((c) => c[0]));
      const east = Math.max(...corners.map((c) => c[0]));
      const south = Math.min(...corners.map((c) => c[1]));
      const north = Math.max(...corners.map((c) => c[1]));
      const spot = fc.record({
        lng: fc.double({ min: west, max: east, noNaN: true }),
        lat: fc.double({ min: south, max: north, noNaN: true }),
      });
      const corner = fc.constantFrom(...corners).map(([lng, lat]) => ({ lng, lat }));
      // A spot on a slanted wall is, up to rounding, on neither side of it; the nearest grid takes it.
      const belongs = fc.property(
        fc.oneof(spot, corner),
        (location) => locate(district, { location, address: '' }).gridId !== undefined,
      );
      expect(fc.check(belongs, { numRuns: 300 })).toMatchObject({ failed: false, numRuns: 300 });
    }
  });
});

describe('distances', () => {
  test('a hundredth of a degree of latitude is 1,113 m', () => {
    expect(metresBetween({ lng: 120, lat: 30 }, { lng: 120, lat: 30.01 })).toBeCloseTo(1113.2, 0);
  });

  test('to a line: beside it the perpendicular, beyond its end the end; a line of one spot is a spot', () => {
    const line: Coordinate[] = [
      [120, 30],
      [120.01, 30],
    ];
    expect(metresToLine({ lng: 120.005, lat: 30.001 }, line)).toBeCloseTo(111.3, 0);
    expect(metresToLine({ lng: 120.02, lat: 30 }, line)).toBeCloseTo(964, 0);
    expect(
      metresToLine({ lng: 120, lat: 30.001 }, [
        [120, 30],
        [120, 30],
      ]),
    ).toBeCloseTo(111.3, 0);
  });
});

describe('finding the place of a matter', () => {
  const road = xiaohe.roads.find((r) => r.name === '古运路');
  const home = xiaohe.grids.find((g) => g.id === 'g-042');
  if (!road || !home) throw new Error('the sample has lost its 古运路 or g-042');

  test('the point tells the grid, the address the road', () => {
    const found = locate(xiaohe, { location: road.centre, address: '拱墅区古运路18号便利店' });
    expect(found).toMatchObject({ roadId: road.id, name: '古运路' });
    expect(road.grids).toContain(found.gridId);
    expect(found.how).toContain('地址写有“古运路”');
  });

  test('without a point the name of an estate tells the grid', () => {
    const [estate = ''] = home.names;
    expect(locate(xiaohe, { address: `${estate}3幢` })).toMatchObject({
      gridId: 'g-042',
      point: home.centre,
    });
  });

  test('a spoken road far from the point is not believed, and the desk is told', () => {
    const far = xiaohe.grids[0]?.centre;
    const found = locate(xiaohe, { ...(far ? { location: far } : {}), address: '古运路' });
    expect(found.roadId).not.toBe(road.id);
    expect(found.how).toContain('以坐标为准');
  });

  test('the longest name wins: 小河直街 is not 小河路', () => {
    expect(locate(xiaohe, { address: '小河直街5号' }).gridId).toBe('g-012');
    expect(locate(xiaohe, { address: '小河路5号' }).name).toBe('小河路');
  });

  test('a point outside the street office does not move anybody; the address still helps', () => {
    const found = locate(xiaohe, { location: { lng: 121.5, lat: 31.2 }, address: '古运路' });
    expect(found).toMatchObject({ roadId: road.id, point: road.centre });
    expect(found.how).toContain('不在本街道范围内');
  });

  test('nothing known is said, not guessed', () => {
    expect(locate(xiaohe, { address: '不知道在哪' })).toEqual({
      name: '地点待核',
      how: '地址和坐标都认不出道路或网格，请值班员核对',
    });
  });
});

describe('coordinates of Chinese maps', () => {
  const spot = { lng: 120.139, lat: 30.315 };
  test('GPS is left alone; the shifted systems are some hundred metres off and come back', () => {
    expect(toWgs84(spot, 'wgs84')).toEqual(spot);
    expect(metresBetween(toWgs84(spot, 'gcj02'), spot)).toBeGreaterThan(300);
    expect(metresBetween(toWgs84(spot, 'gcj02'), spot)).toBeLessThan(700);
    // Baidu shifts the shifted system once more.
    expect(metresBetween(toWgs84(spot, 'bd09'), toWgs84(spot, 'gcj02'))).toBeGreaterThan(500);
  });
});
