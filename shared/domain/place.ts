import type { Box, Coordinate, District, Grid, Road } from './district.ts';
import type { Point } from './roster.ts';

/** A point further than this from every road stands on none of them, in metres. */
const ROAD_REACH = 150;
/** An address that names a road is believed as long as the given point is not further from that road, in metres. */
const NAME_REACH = 800;
/** A point just outside the map still belongs to the nearest grid, in metres: phones are no better than this. */
const GRID_REACH = 200;

const METRES_PER_DEGREE = 111_320;

/** Distance in metres between two WGS-84 points; plane approximation, exact to < 0.1 % inside one street office. */
export const metresBetween = (a: Point, b: Point): number =>
  Math.hypot((a.lng - b.lng) * Math.cos(((a.lat + b.lat) / 2) * (Math.PI / 180)), a.lat - b.lat) *
  METRES_PER_DEGREE;

const insideBox = ({ lng, lat }: Point, [west, south, east, north]: Box): boolean =>
  lng >= west && lng <= east && lat >= south && lat <= north;

const onSegment = ({ lng, lat }: Point, [x1, y1]: Coordinate, [x2, y2]: Coordinate): boolean =>
  (x2 - x1) * (lat - y1) === (y2 - y1) * (lng - x1) &&
  lng >= Math.min(x1, x2) &&
  lng <= Math.max(x1, x2) &&
  lat >= Math.min(y1, y2) &&
  lat <= Math.max(y1, y2);

/** Pairs of neighbouring points of a line or ring. */
const segments = (points: readonly Coordinate[]): [Coordinate, Coordinate][] =>
  points.slice(1).map((end, i) => [points[i] ?? end, end]);

/** Does the point lie in the grid? A point exactly on the border counts as inside, so that no point falls between two grids. */
export const isInside = (point: Point, grid: Pick<Grid, 'rings' | 'box'>): boolean => {
  if (!insideBox(point, grid.box)) return false;
  let inside = false;
  for (const ring of grid.rings)
    for (const [a, b] of segments(ring)) {
      if (onSegment(point, a, b)) return true;
      if (
        a[1] > point.lat !== b[1] > point.lat &&
        point.lng < ((b[0] - a[0]) * (point.lat - a[1])) / (b[1] - a[1]) + a[0]
      )
        inside = !inside;
    }
  return inside;
};

/** Metres from a point to the nearest spot of a line. */
export const metresToLine = (point: Point, line: readonly Coordinate[]): number => {
  const squeeze = Math.cos(point.lat * (Math.PI / 180));
  let least = Number.POSITIVE_INFINITY;
  for (const [a, b] of segments(line)) {
    // Metres from the point, so that the point is the origin.
    const [ax, ay] = [
      (a[0] - point.lng) * squeeze * METRES_PER_DEGREE,
      (a[1] - point.lat) * METRES_PER_DEGREE,
    ];
    const [bx, by] = [
      (b[0] - point.lng) * squeeze * METRES_PER_DEGREE,
      (b[1] - point.lat) * METRES_PER_DEGREE,
    ];
    const [dx, dy] = [bx - ax, by - ay];
    const length = dx * dx + dy * dy;
    const along = length === 0 ? 0 : Math.min(1, Math.max(0, -(ax * dx + ay * dy) / length));
    least = Math.min(least, Math.hypot(ax + along * dx, ay + along * dy));
  }
  return least;
};

const metresToRoad = (point: Point, road: Road): number =>
  Math.min(...road.lines.map((line) => metresToLine(point, line)));
const metresToGrid = (point: Point, grid: Grid): number =>
  isInside(point, grid) ? 0 : Math.min(...grid.rings.map((ring) => metresToLine(point, ring)));

/** Where a matter is, as far as it can be known. */
export type Place = {
  gridId?: string;
  roadId?: string;
  /** The best point for "nearest first": the given one, else the middle of the road or grid. WGS-84. */
  point?: Point;
  /** What to call it in a notice: the road, else the grid, else 地点待核. Never the caller's own words. */
  name: string;
  /** How it was found, a sentence for the desk. */
  how: string;
};

type Named = { id: string; name: string; names: readonly string[] };

/** The place whose name or other name stands in the text; of several the longest name wins, then the first in the text. */
const named = <T extends Named>(
  text: string,
  places: readonly T[],
): { place: T; name: string } | undefined => {
  let best: { place: T; name: string; at: number } | undefined;
  for (const place of places)
    for (const name of [place.name, ...place.names]) {
      const at = text.indexOf(name);
      if (at < 0) continue;
      if (!best || name.length > best.name.length || (name.length === best.name.length && at < best.at))
        best = { place, name, at };
    }
  return best;
};

/** The one nearest to the point within reach; the first in the file wins a tie, so that the answer never wavers. */
const nearest = <T>(items: readonly T[], distance: (item: T) => number, reach: number): T | undefined => {
  let best: T | undefined;
  let least = reach;
  for (const item of items) {
    const metres = distance(item);
    if (metres < least || (metres === least && !best)) [best, least] = [item, metres];
  }
  return best;
};

/**
 * Finds grid and road of a matter from its point (WGS-84) and the words of its address. The point decides the grid; the
 * address decides the road as long as the point does not contradict it. Nothing found is an answer too: the desk sees why.
 */
export const locate = (
  district: District,
  { location, address }: { location?: Point; address: string },
): Place => {
  const spokenRoad = named(address, district.roads);
  const spokenGrid = named(address, district.grids);
  const how: string[] = [];

  let grid: Grid | undefined;
  let road: Road | undefined;
  if (location) {
    grid =
      district.grids.find((g) => isInside(location, g)) ??
      nearest(district.grids, (g) => metresToGrid(location, g), GRID_REACH);
    how.push(grid ? `坐标在${grid.name}` : '坐标不在本街道范围内');
  }
  if (!grid && spokenGrid) {
    grid = spokenGrid.place;
    how.push(`地址写有“${spokenGrid.name}”，属${grid.name}`);
  }
  const pointHolds = location !== undefined && grid !== undefined;
  if (spokenRoad && (!pointHolds || metresToRoad(location, spokenRoad.place) <= NAME_REACH)) {
    road = spokenRoad.place;
    how.push(`地址写有“${spokenRoad.name}”`);
  } else if (pointHolds) {
    road = nearest(district.roads, (r) => metresToRoad(location, r), ROAD_REACH);
    if (spokenRoad) how.push(`地址写有“${spokenRoad.name}”，但坐标离它很远，以坐标为准`);
    if (road) how.push(`离${road.name}最近`);
  }
  // A road that lies in one grid only tells the grid as well.
  if (!grid && road?.grids.length === 1) grid = district.grids.find((g) => g.id === road?.grids[0]);

  // A point outside the street office would order people by their distance to nowhere.
  const point = pointHolds ? location : (grid?.centre ?? road?.centre);
  return {
    ...(grid ? { gridId: grid.id } : {}),
    ...(road ? { roadId: road.id } : {}),
    ...(point ? { point } : {}),
    name: road?.name ?? grid?.name ?? '地点待核',
    how: how.length === 0 ? '地址和坐标都认不出道路或网格，请值班员核对' : how.join('；'),
  };
};
