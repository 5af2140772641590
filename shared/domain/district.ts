import * as z from 'zod';
import { canarySchema } from './canary.ts';
import { dispositionSchema } from './classification.ts';
import { calibrationSchema } from './classify/calibrate.ts';
import type { Calibration } from './classify/calibrate.ts';
import { lexiconSchema } from './classify/category.ts';
import type { Lexicon } from './classify/category.ts';
import { dangerFileSchema } from './classify/guard.ts';
import type { Danger } from './classify/guard.ts';
import type { Learned } from './classify/learned.ts';
import { codesSchema, rulesSchema } from './classify/rules.ts';
import type { Rules } from './classify/rules.ts';
import { callerToldSchema } from './caller-notice.ts';
import { deliverySchema } from './delivery.ts';
import { ladderSchema, modeSchema } from './ladder.ts';
import { drillPolicySchema } from './drill.ts';
import { quietSince } from './quiet-hours.ts';
import type { Ladder, Mode } from './ladder.ts';
import { linksSchema } from './link.ts';
import { repliesSchema } from './reply.ts';
import { backTo110Schema } from './relay.ts';
import { pointSchema, shiftSchema } from './roster.ts';
import type { Point, Shift } from './roster.ts';
import { LANGUAGES } from './texts.ts';

/** An id inside district files: small letters, digits, hyphens, underscores. */
const idSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,47}$/, 'an id is 1–48 small letters, digits, hyphens or underscores');

const namesSchema = z.record(idSchema, z.string().min(1));

const ladderPairSchema = z.strictObject({ peace: ladderSchema, war: ladderSchema.optional() });

const squadSchema = z.strictObject({ id: idSchema, name: z.string().min(1), team: idSchema });

const stationSchema = z.strictObject({
  id: idSchema,
  name: z.string().min(1),
  at: pointSchema,
  squads: z.array(idSchema).nonempty(),
});

/** Our names that a field of a real 接警单 can be mapped to. */
export const REPORT_FIELDS = [
  'callNo',
  'calledAt',
  'caller.name',
  'caller.phone',
  'address',
  'location.lng',
  'location.lat',
  'content',
  'categoryCode',
  'level',
  'linkedCallNo',
  'secret',
] as const;
/** One of our report fields. */
export type ReportField = (typeof REPORT_FIELDS)[number];

/** How the stack of this district is deployed; read by infra at synth, never by a function. */
const deploySchema = z.strictObject({
  stage: z.enum(['pilot', 'production']),
  partition: z.enum(['aws', 'aws-cn']),
  region: z.string().optional(),
  architecture: z.enum(['arm64', 'x86_64']),
  /** `open`: the signature alone guards the webhook; `iam`: SigV4 as well (China, where open routes need an ICP licence). */
  webhookAuth: z.enum(['open', 'iam']),
  /**
   * `fixed`: vendors and 110 are called from addresses that can be filed with them (a network, two gateways, about 70 USD a month);
   * `open`: from any address of AWS.
   */
  egress: z.enum(['open', 'fixed']).default('open'),
  /** The notifier may send texts by SNS (vendor `sns`), which also needs a section `sns` in the secret. There is none in China. */
  snsTexts: z.boolean().default(false),
  /** X-Ray on Lambda does not exist in China. */
  xray: z.boolean(),
});

const policySchema = z.strictObject({
  id: idSchema,
  name: z.string().min(1),
  note: z.string(),
  /** The mode a fresh system starts in; afterwards the desk switches it. */
  mode: modeSchema,
  /** Kind (category id, group id or `default`) → mode → ladder. */
  ladders: z.record(z.string(), ladderPairSchema),
  /** Seconds from receipt in which the desk may say what an unclear matter is; 0: the default goes out at once. */
  triage: z
    .strictObject({ limit: z.int().min(0), basis: z.enum(['source', 'default']) })
    .default({ limit: 15, basis: 'default' }),
  shifts: z.array(shiftSchema).nonempty(),
  lines: namesSchema,
  teams: namesSchema,
  /**
   * Which teams of the roster answer a matter of a team: waves in order of asking, the teams of one wave side by side.
   * Without an entry the team itself; an empty list: nobody of ours.
   */
  answering: z.record(idSchema, z.array(z.array(idSchema).nonempty())),
  /** Which team is asked for a danger sign that does not go back to 110 (fire, gas …). */
  danger: z.record(z.string(), idSchema),
  squads: z.array(squadSchema).nonempty(),
  stations: z.array(stationSchema).default([]),
  fieldMap: z.record(z.string(), z.enum(REPORT_FIELDS)),
  codes: z.record(z.string(), idSchema),
  receiving: z.strictObject({
    /** What X and Y of the call centre mean. */
    coordinateSystem: z.enum(['wgs84', 'gcj02', 'bd09']),
    /** Offset of times that come without one. */
    timeOffset: z.string().regex(/^[+-]\d\d:\d\d$/, "an offset looks like '+08:00'"),
  }),
  /** Names of places beside roads and grids; masked before danger words are looked for (刀茅巷 is no knife). */
  placeNames: z.array(z.string().min(2)),
  /** Danger words of this district (dialect, local names of things), by kind of danger; they add to danger.json. */
  dangerWords: z.record(z.string(), z.array(z.string().min(1))).default({}),
  /** A second opinion by any service with the OpenAI interface, asked after dispatch; absent: nobody is asked. */
  secondOpinion: z
    .strictObject({ endpoint: z.url({ protocol: /^https$/ }), model: z.string().min(1) })
    .optional(),
  /** How notices reach people; without it the defaults hold. */
  delivery: deliverySchema.prefault({}),
  /** Language of notices over vendors that take words; approved templates are Chinese. */
  language: z.enum(LANGUAGES).default('zh-CN'),
  /** Numbers behind our own by which answers of members and of callers are told apart. */
  replies: repliesSchema.prefault({}),
  /** Links in notices; none without a registered domain. */
  links: linksSchema,
  /** Is the caller told what becomes of his report? Off unless switched on. */
  callerTold: callerToldSchema.prefault({}),
  /** Where the 110 centre takes returns and results; without it the desk tells them by telephone. */
  backTo110: backTo110Schema.optional(),
  /** Where each vendor is tried out when nobody uses it; without it only passive health is known. */
  canary: canarySchema.optional(),
  /** When it is tried out whether people can be reached; without it only by hand. */
  drill: drillPolicySchema.optional(),
  deploy: deploySchema,
});

/** [lng, lat] in WGS-84 degrees, as GeoJSON has it. */
export type Coordinate = readonly [number, number];

const isCoordinate = (x: unknown): x is Coordinate =>
  Array.isArray(x) &&
  Number.isFinite(x[0]) &&
  Number.isFinite(x[1]) &&
  Math.abs(x[0]) <= 180 &&
  Math.abs(x[1]) <= 90;

const isLine = (x: unknown, least: number): x is Coordinate[] =>
  Array.isArray(x) && x.length >= least && x.every(isCoordinate);
const isPolygon = (x: unknown): x is Coordinate[][] =>
  Array.isArray(x) && x.length > 0 && x.every((ring) => isLine(ring, 4));

type GridShape =
  { type: 'Polygon'; coordinates: Coordinate[][] } | { type: 'MultiPolygon'; coordinates: Coordinate[][][] };
type RoadShape =
  | { type: 'LineString'; coordinates: Coordinate[] }
  | { type: 'MultiLineString'; coordinates: Coordinate[][] };

const isShape = (x: unknown): x is { type: unknown; coordinates: unknown } =>
  typeof x === 'object' && x !== null && 'type' in x && 'coordinates' in x;
const isGridShape = (x: unknown): x is GridShape =>
  isShape(x) &&
  ((x.type === 'Polygon' && isPolygon(x.coordinates)) ||
    (x.type === 'MultiPolygon' &&
      Array.isArray(x.coordinates) &&
      x.coordinates.length > 0 &&
      x.coordinates.every(isPolygon)));
const isRoadShape = (x: unknown): x is RoadShape =>
  isShape(x) &&
  ((x.type === 'LineString' && isLine(x.coordinates, 2)) ||
    (x.type === 'MultiLineString' &&
      Array.isArray(x.coordinates) &&
      x.coordinates.length > 0 &&
      x.coordinates.every((line) => isLine(line, 2))));

// One check per shape instead of a schema per number: a thousand numbers are parsed at every cold start.
const gridShapeSchema = z.custom<GridShape>(
  isGridShape,
  'a grid is a Polygon or MultiPolygon whose rings have at least 4 [lng, lat] pairs in degrees',
);
const roadShapeSchema = z.custom<RoadShape>(
  isRoadShape,
  'a road is a LineString or MultiLineString whose lines have at least 2 [lng, lat] pairs in degrees',
);

const gridFileSchema = z.object({
  type: z.literal('FeatureCollection'),
  features: z
    .array(
      z.object({
        type: z.literal('Feature'),
        properties: z.strictObject({
          id: idSchema,
          name: z.string().min(2),
          community: z.string().min(1),
          /** 网格长: roster id of the person who heads this grid. */
          head: z.string().optional(),
          /** Squads that answer in this grid. */
          squads: z.array(idSchema),
          /** Other names people say for this place: estates, markets. */
          names: z.array(z.string().min(2)).default([]),
        }),
        geometry: gridShapeSchema,
      }),
    )
    .nonempty(),
});

const roadFileSchema = z.object({
  type: z.literal('FeatureCollection'),
  features: z.array(
    z.object({
      type: z.literal('Feature'),
      properties: z.strictObject({
        id: idSchema,
        name: z.string().min(2),
        /** Grids the road runs through. */
        grids: z.array(idSchema).nonempty('a road runs through at least one grid'),
        /** 责任班组. The named crew (包干队员) is on the roster. */
        squads: z.array(idSchema),
        names: z.array(z.string().min(2)).default([]),
      }),
      geometry: roadShapeSchema,
    }),
  ),
});

const categorySchema = z.strictObject({
  id: idSchema,
  name: z.string().min(1),
  group: idSchema,
  disposition: dispositionSchema,
  /** The responsible authority (条线), or the team itself where no line stands behind the matter. */
  line: idSchema,
  /** Who is asked; see `answering`. */
  team: idSchema,
  urgency: z.enum(['P1', 'P2', 'P3', 'P4']),
  keywords: z.array(z.string().min(1)),
});
/** One kind of matter. */
export type Category = z.output<typeof categorySchema>;

const categoryFileSchema = z.strictObject({
  note: z.string(),
  groups: namesSchema,
  categories: z.array(categorySchema).nonempty(),
});

const filesSchema = z.object({
  policy: policySchema,
  grids: gridFileSchema,
  roads: roadFileSchema,
  categories: categoryFileSchema,
  danger: dangerFileSchema,
  lexicon: lexiconSchema,
  rules: rulesSchema,
  codes: codesSchema,
  calibration: calibrationSchema,
});
type Files = z.output<typeof filesSchema>;

/** West, south, east, north in WGS-84 degrees. */
export type Box = readonly [number, number, number, number];

/** A grid (网格). Rings are even-odd: a hole is simply another ring. */
export type Grid = {
  id: string;
  name: string;
  community: string;
  head: string;
  squads: readonly string[];
  names: readonly string[];
  rings: readonly (readonly Coordinate[])[];
  box: Box;
  centre: Point;
};

/** A road (道路), the smallest unit of the districts that work by roads. */
export type Road = {
  id: string;
  name: string;
  grids: readonly string[];
  squads: readonly string[];
  names: readonly string[];
  lines: readonly (readonly Coordinate[])[];
  box: Box;
  centre: Point;
};

/** A squad (班组) with the roads and grids it answers for. */
export type Squad = {
  id: string;
  name: string;
  team: string;
  roads: readonly string[];
  grids: readonly string[];
};

/** A street office (街道) as data: everything about it that is not the people. */
export type District = Omit<Files['policy'], 'squads'> & {
  squads: readonly Squad[];
  grids: readonly Grid[];
  roads: readonly Road[];
  categories: readonly Category[];
  groups: Readonly<Record<string, string>>;
  /** What danger.json says. */
  signs: Danger;
  /** What lexicon.json, rules.json and calibration.json say. */
  lexicon: Lexicon;
  rules: Rules;
  calibration: Calibration;
  /** Codes of 110 and the province that all districts share → our category; the district's own `codes` win. */
  sharedCodes: Readonly<Record<string, string>>;
  /** Meanings and the trained model, opened when they are first asked for. @throws when their files are damaged. */
  learned: () => Learned;
};

/** Files that all districts share: `<name>.json` beside the districts' folders. */
export const SHARED_FILES = ['categories', 'danger', 'lexicon', 'rules', 'codes', 'calibration'] as const;

/** The raw contents of a district's files. */
export type DistrictFiles = Record<'policy' | 'grids' | 'roads' | (typeof SHARED_FILES)[number], unknown>;

type Complain = (path: readonly (string | number)[], message: string) => void;

const checkUnique = (
  items: readonly { id: string }[],
  path: readonly string[],
  at: readonly string[],
  complain: Complain,
) => {
  const seen = new Set<string>();
  items.forEach(({ id }, i) => {
    if (seen.has(id)) complain([...path, i, ...at, 'id'], `the id '${id}' stands twice`);
    seen.add(id);
  });
};

/** The first minute of the day that no shift covers, or undefined when the shifts cover 24 hours. */
const firstUncovered = (shifts: readonly Shift[]): number | undefined => {
  let minute = 0;
  // Each step either reaches midnight, finds a gap or moves to the furthest end of a shift that covers this minute.
  while (minute < 1440) {
    const ends = shifts
      .filter((s) => (s.from < s.to ? minute >= s.from && minute < s.to : minute >= s.from || minute < s.to))
      .map((s) => (s.from < s.to || minute < s.to ? s.to : 1440));
    if (ends.length === 0) return minute;
    minute = Math.max(...ends);
  }
  return undefined;
};

const clockTime = (minute: number) =>
  `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;

const check = (files: Files, complain: Complain): void => {
  const { policy, grids, roads, categories, danger, lexicon, rules, codes } = files;
  const known = (set: ReadonlySet<string>, path: readonly (string | number)[], what: string, id: string) => {
    if (!set.has(id)) complain(path, `${what} '${id}' does not exist`);
  };
  const lines = new Set(Object.keys(policy.lines));
  const teams = new Set(Object.keys(policy.teams));
  const squads = new Set(policy.squads.map((s) => s.id));
  const gridIds = new Set(grids.features.map((f) => f.properties.id));
  const categoryIds = new Set(categories.categories.map((c) => c.id));
  const groupIds = new Set(Object.keys(categories.groups));
  const guardIds = new Set(danger.guards.map((g) => g.id));

  if (!policy.ladders.default) complain(['policy', 'ladders'], "there is no ladder 'default'");
  for (const kind of Object.keys(policy.ladders))
    if (kind !== 'default' && !groupIds.has(kind) && !categoryIds.has(kind))
      complain(
        ['policy', 'ladders', kind],
        `'${kind}' is neither 'default' nor a category nor a group of categories`,
      );

  for (const [kind, pair] of Object.entries(policy.ladders))
    for (const [mode, ladder] of Object.entries(pair)) {
      const accept = ladder?.find((r) => r.rung === 'accept')?.limit ?? Infinity;
      if (policy.triage.limit >= accept)
        complain(
          ['policy', 'triage', 'limit'],
          `triage until ${policy.triage.limit} s leaves nobody time to accept: 'accept' is due at ${accept} s in ${kind}.${mode}`,
        );
    }

  const gap = firstUncovered(policy.shifts);
  if (gap !== undefined)
    complain(['policy', 'shifts'], `the shifts do not cover 24 hours: nobody is on at ${clockTime(gap)}`);

  const { quiet } = policy.delivery;
  // A drill is no alarm: it would be sent to nobody.
  if (policy.drill && quiet && quietSince(quiet, policy.drill.at) !== undefined)
    complain(
      ['policy', 'drill', 'at'],
      `a drill at ${clockTime(policy.drill.at)} is in the quiet hours: it would be sent to nobody`,
    );

  checkUnique(policy.shifts, ['policy', 'shifts'], [], complain);
  checkUnique(policy.squads, ['policy', 'squads'], [], complain);
  checkUnique(policy.stations, ['policy', 'stations'], [], complain);
  checkUnique(categories.categories, ['categories', 'categories'], [], complain);
  checkUnique(danger.guards, ['danger', 'guards'], [], complain);
  checkUnique(
    grids.features.map((f) => f.properties),
    ['grids', 'features'],
    ['properties'],
    complain,
  );
  checkUnique(
    roads.features.map((f) => f.properties),
    ['roads', 'features'],
    ['properties'],
    complain,
  );

  policy.squads.forEach((s, i) => known(teams, ['policy', 'squads', i, 'team'], 'the team', s.team));
  policy.stations.forEach((s, i) =>
    s.squads.forEach((id, j) => known(squads, ['policy', 'stations', i, 'squads', j], 'the squad', id)),
  );
  for (const [team, answering] of Object.entries(policy.answering)) {
    known(teams, ['policy', 'answering', team], 'the team', team);
    answering.forEach((wave, i) =>
      wave.forEach((id, j) => known(teams, ['policy', 'answering', team, i, j], 'the team', id)),
    );
  }
  for (const [guard, team] of Object.entries(policy.danger)) {
    known(guardIds, ['policy', 'danger', guard], 'the danger sign', guard);
    known(teams, ['policy', 'danger', guard], 'the team', team);
  }
  for (const [code, category] of Object.entries(policy.codes))
    known(categoryIds, ['policy', 'codes', code], 'the category', category);

  categories.categories.forEach((c, i) => {
    const path = ['categories', 'categories', i];
    known(groupIds, [...path, 'group'], 'the group', c.group);
    if (!lines.has(c.line) && !teams.has(c.line))
      complain(
        [...path, 'line'],
        `the line '${c.line}' of '${c.name}' is neither a line nor a team of this district`,
      );
    known(teams, [...path, 'team'], 'the team', c.team);
  });
  for (const id of Object.keys(lexicon.categories))
    known(categoryIds, ['lexicon', 'categories', id], 'the category', id);
  rules.combos.forEach((combo, i) =>
    known(categoryIds, ['rules', 'combos', i, 'category'], 'the category', combo.category),
  );
  for (const [system, table] of Object.entries(codes.systems))
    for (const [code, category] of Object.entries(table))
      known(categoryIds, ['codes', 'systems', system, code], 'the category', category);
  if (!categoryIds.has('other'))
    complain(['categories', 'categories'], "there is no category 'other' to fall back on");
  danger.guards.forEach((g, i) => {
    if (g.category !== undefined)
      known(categoryIds, ['danger', 'guards', i, 'category'], 'the category', g.category);
    if (danger.send[g.id] === undefined)
      complain(['danger', 'guards', i, 'id'], `nothing says who goes for '${g.id}'`);
    if (g.under)
      known(guardIds, ['danger', 'guards', i, 'under', 'otherwise'], 'the danger sign', g.under.otherwise);
    for (const word of g.words)
      for (const [, group = ''] of word.matchAll(/\{([^}]*)\}/g))
        if (!danger.groups[group])
          complain(['danger', 'guards', i, 'words'], `the cue '${word}' names no group of words`);
  });
  for (const guard of Object.keys(policy.dangerWords))
    known(guardIds, ['policy', 'dangerWords', guard], 'the danger sign', guard);
  for (const guard of Object.keys(danger.send))
    known(guardIds, ['danger', 'send', guard], 'the danger sign', guard);

  grids.features.forEach(({ properties: grid }, i) => {
    if (!grid.head)
      complain(
        ['grids', 'features', i, 'properties', 'head'],
        `the grid '${grid.id}' (${grid.name}) has no head`,
      );
    grid.squads.forEach((id, j) =>
      known(squads, ['grids', 'features', i, 'properties', 'squads', j], 'the squad', id),
    );
  });
  roads.features.forEach(({ properties: road }, i) => {
    const path = ['roads', 'features', i, 'properties'];
    road.grids.forEach((id, j) =>
      known(
        gridIds,
        [...path, 'grids', j],
        `the road '${road.name}' is in a grid that is not there: the grid`,
        id,
      ),
    );
    road.squads.forEach((id, j) => known(squads, [...path, 'squads', j], 'the squad', id));
  });
};

const boxOf = (parts: readonly (readonly Coordinate[])[]): Box => {
  let [west, south, east, north] = [180, 90, -180, -90];
  for (const [lng, lat] of parts.flat()) {
    west = Math.min(west, lng);
    east = Math.max(east, lng);
    south = Math.min(south, lat);
    north = Math.max(north, lat);
  }
  return [west, south, east, north];
};

const centreOf = ([west, south, east, north]: Box): Point => ({
  lng: (west + east) / 2,
  lat: (south + north) / 2,
});

const holding = (places: readonly { id: string; squads: readonly string[] }[], squad: string): string[] =>
  places.filter((p) => p.squads.includes(squad)).map((p) => p.id);

const assemble = (files: Files): District => {
  const { policy, grids, roads, categories, danger, lexicon, rules, codes, calibration } = files;
  const theGrids = grids.features.map(({ properties, geometry }): Grid => {
    const rings = geometry.type === 'Polygon' ? geometry.coordinates : geometry.coordinates.flat();
    const box = boxOf(rings);
    return { ...properties, head: properties.head ?? '', rings, box, centre: centreOf(box) };
  });
  const theRoads = roads.features.map(({ properties, geometry }): Road => {
    const lines = geometry.type === 'LineString' ? [geometry.coordinates] : geometry.coordinates;
    const box = boxOf(lines);
    // A road's centre is a point of the road: the middle of a box can lie streets away from a bent line.
    const longest = lines.reduce((a, b) => (b.length > a.length ? b : a));
    const [lng, lat] = longest[Math.floor(longest.length / 2)] ?? [box[0], box[1]];
    return { ...properties, lines, box, centre: { lng, lat } };
  });
  return {
    ...policy,
    squads: policy.squads.map((s) => ({
      ...s,
      roads: holding(theRoads, s.id),
      grids: holding(theGrids, s.id),
    })),
    grids: theGrids,
    roads: theRoads,
    categories: categories.categories,
    groups: categories.groups,
    signs: danger,
    lexicon,
    rules,
    calibration,
    sharedCodes: Object.assign({}, ...Object.values(codes.systems)),
    learned: () => {
      throw new Error('this district was parsed without a trained model');
    },
  };
};

/**
 * A district's files as one value. Every rule that a district file can break is here, so that synth, tests and a cold
 * start refuse the same files with the same sentence.
 */
export const districtSchema = filesSchema
  .superRefine((files, ctx) =>
    check(files, (path, message) => ctx.addIssue({ code: 'custom', path: [...path], message })),
  )
  .transform(assemble);

const fileName = (id: string, file: PropertyKey | undefined): string => {
  switch (file) {
    case 'policy':
      return `${id}/policy.json`;
    case 'grids':
    case 'roads':
      return `${id}/${file}.geojson`;
    case 'categories':
    case 'danger':
    case 'lexicon':
    case 'rules':
    case 'codes':
    case 'calibration':
      return `${file}.json`;
    case undefined:
    default:
      return id;
  }
};

const placeOf = (id: string, path: readonly PropertyKey[]): string => {
  const [file, ...rest] = path;
  const name = fileName(id, file);
  const where = rest.map((p) => (typeof p === 'number' ? `[${p}]` : `.${String(p)}`)).join('');
  return where === '' ? name : `${name} ${where.replace(/^\./, '')}`;
};

/**
 * Parses a district. Throws one Error whose message has one sentence per fault, each naming file, path and what is wrong:
 * `x/policy.json ladders.default.war[2].limit: the ladder does not rise: …`.
 */
export const parseDistrict = (id: string, files: DistrictFiles): District => {
  const parsed = districtSchema.safeParse(files, { jitless: true });
  if (!parsed.success)
    throw new Error(
      parsed.error.issues.map((issue) => `${placeOf(id, issue.path)}: ${issue.message}`).join('\n'),
    );
  if (parsed.data.id !== id)
    throw new Error(
      `${id}/policy.json id: the folder is '${id}' but the district calls itself '${parsed.data.id}'`,
    );
  return parsed.data;
};

/** The ladder that an incident of this category gets now: category, else its group, else default; war falls back to peace. */
export const ladderFor = (district: District, categoryId: string, mode: Mode): Ladder => {
  const group = district.categories.find((c) => c.id === categoryId)?.group;
  const pair =
    district.ladders[categoryId] ??
    (group === undefined ? undefined : district.ladders[group]) ??
    district.ladders.default;
  // parseDistrict has refused a district without a default ladder.
  if (!pair) throw new Error(`the district '${district.id}' has no default ladder`);
  return mode === 'war' ? (pair.war ?? pair.peace) : pair.peace;
};

/** The waves of teams that answer a matter of this team, in order of asking. */
export const answeringWaves = (district: District, team: string): readonly (readonly string[])[] =>
  district.answering[team] ?? [[team]];
