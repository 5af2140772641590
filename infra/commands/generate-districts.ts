import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import * as z from 'zod';
import type { Coordinate } from '#shared/domain/district.ts';
import { isInside } from '#shared/domain/place.ts';
import type { Point } from '#shared/domain/roster.ts';
import { listDistricts } from '#shared/districts/load.ts';

/**
 * Makes the sample geography and roster of every district from its `sample.json` (sizes as in the published documents,
 * names and numbers invented). Seeded: the same plan gives the same bytes, so that a review sees what really changed.
 */

const groupSchema = z.strictObject({
  /** Prefix of the ids: `m` gives m-001, m-002 … */
  ids: z.string(),
  team: z.string(),
  squads: z.array(z.string()).nonempty(),
  people: z.int().positive(),
  /** `each-shift`: one leader per squad and shift; `always`: one per squad, always on; `all`: everybody leads. */
  leaders: z.enum(['each-shift', 'always', 'all', 'none']),
  /** Shifts of the others in turn, each a `;` list; an empty string is always on. */
  shifts: z.array(z.string()).nonempty(),
  holds: z.enum(['roads', 'grids', 'none']),
  /** These people head the grids they hold. */
  heads: z.boolean().default(false),
});
type Group = z.infer<typeof groupSchema>;

const planSchema = z.strictObject({
  note: z.string(),
  seed: z.int(),
  centre: z.strictObject({ lng: z.number(), lat: z.number() }),
  areaKm2: z.number().positive(),
  grids: z.int().positive(),
  communities: z.array(z.string()).nonempty(),
  /** Bands of the street office, south to north; each names the squads of its grids and of its roads. */
  areas: z.array(z.strictObject({ grids: z.array(z.string()), roads: z.array(z.string()) })).nonempty(),
  roads: z.array(z.string()).nonempty(),
  /** Extra names of a grid, beside the invented estate: grid number (from 1) → names. */
  landmarks: z.record(z.string(), z.array(z.string())).default({}),
  phones: z.strictObject({ prefix: z.string().length(7), from: z.int() }),
  groups: z.array(groupSchema).nonempty(),
});
type Plan = z.infer<typeof planSchema>;

/** mulberry32: a small public-domain generator; equal on every machine and Node version. */
const randomFrom = (seed: number) => {
  let state = seed >>> 0;
  return (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
};
type Random = ReturnType<typeof randomFrom>;

const round5 = (n: number) => Math.round(n * 100_000) / 100_000;
const at = <T>(items: readonly T[], i: number): T => {
  const item = items[i % items.length];
  if (item === undefined) throw new Error('a list of the sample plan is empty');
  return item;
};
const number3 = (n: number) => String(n).padStart(3, '0');

const ESTATE_FIRST = Array.from('云春和清景瑞泰安康宁秋兰竹松荷桂枫柳雅文');
const ESTATE_SECOND = Array.from('澜庭栖语溪岸荫屏原潮浦渚澄霖晖映序禾歌帆');
const ESTATE_LAST = ['苑', '里', '公寓', '新村', '家园', '小区'];

type SampleGrid = {
  id: string;
  name: string;
  community: string;
  area: number;
  head: string;
  names: string[];
  ring: Coordinate[];
  centre: Point;
};
type SampleRoad = {
  id: string;
  name: string;
  grids: string[];
  area: number;
  line: Coordinate[];
  centre: Point;
};
type Person = {
  id: string;
  name: string;
  phone: string;
  role: string;
  squad: string;
  team: string;
  shifts: string;
  grids: string[];
  roads: string[];
  base: Point;
};

const drawGrids = (plan: Plan, random: Random): SampleGrid[] => {
  const height = Math.sqrt(plan.areaKm2) / 111.32;
  const width = height / Math.cos((plan.centre.lat * Math.PI) / 180);
  const [west, south] = [plan.centre.lng - width / 2, plan.centre.lat - height / 2];
  const rows = Math.max(plan.areas.length, Math.round(Math.sqrt(plan.grids)));
  const grids: SampleGrid[] = [];
  const estates = new Set<string>();
  for (let row = 0; row < rows; row++) {
    const columns = Math.floor(((row + 1) * plan.grids) / rows) - Math.floor((row * plan.grids) / rows);
    const [low, high] = [round5(south + (height * row) / rows), round5(south + (height * (row + 1)) / rows)];
    // Slanted walls between neighbours, straight walls between rows: no gaps and no overlaps.
    const wall = Array.from({ length: columns + 1 }, (_, c) => {
      const x = west + (width * c) / columns;
      const lean = c === 0 || c === columns ? 0 : ((random() - 0.5) * 0.4 * width) / columns;
      return [round5(x - lean), round5(x + lean)] as const;
    });
    for (let column = 0; column < columns; column++) {
      // Every other row runs back, so that neighbours in number are neighbours on the ground.
      const c = row % 2 === 0 ? column : columns - 1 - column;
      const [w, e] = [at(wall, c), at(wall, c + 1)];
      const n = grids.length;
      const community = Math.floor((n * plan.communities.length) / plan.grids);
      const inCommunity = grids.filter((g) => g.community === at(plan.communities, community)).length + 1;
      let estate;
      do
        estate =
          at(ESTATE_FIRST, Math.floor(random() * ESTATE_FIRST.length)) +
          at(ESTATE_SECOND, Math.floor(random() * ESTATE_SECOND.length)) +
          at(ESTATE_LAST, Math.floor(random() * ESTATE_LAST.length));
      while (estates.has(estate));
      estates.add(estate);
      grids.push({
        id: `g-${number3(n + 1)}`,
        name: `${at(plan.communities, community)}第${inCommunity}网格`,
        community: at(plan.communities, community),
        area: Math.floor((row * plan.areas.length) / rows),
        head: '',
        names: [estate, ...(plan.landmarks[String(n + 1)] ?? [])],
        ring: [
          [w[0], low],
          [e[0], low],
          [e[1], high],
          [w[1], high],
          [w[0], low],
        ],
        centre: { lng: round5((w[0] + w[1] + e[0] + e[1]) / 4), lat: round5((low + high) / 2) },
      });
    }
  }
  return grids;
};

const gridAt = (grids: readonly SampleGrid[], point: Point): SampleGrid | undefined =>
  grids.find((g) => isInside(point, { rings: [g.ring], box: [-180, -90, 180, 90] }));

const drawRoads = (plan: Plan, grids: readonly SampleGrid[], random: Random): SampleRoad[] => {
  const all = grids.flatMap((g) => g.ring);
  const [west, east] = [Math.min(...all.map((p) => p[0])), Math.max(...all.map((p) => p[0]))];
  const [south, north] = [Math.min(...all.map((p) => p[1])), Math.max(...all.map((p) => p[1]))];
  const across = Math.ceil(plan.roads.length / 2);
  return plan.roads.map((name, i): SampleRoad => {
    const eastWest = i < across;
    const [rank, ranks] = eastWest ? [i, across] : [i - across, plan.roads.length - across];
    const line = Array.from({ length: 6 }, (_, k): Coordinate => {
      // Ends stay inside the street office: a road that leaves it is somebody else's from there on.
      const along = 0.04 + (0.92 * k) / 5;
      const aside = (rank + 0.5) / ranks + (random() - 0.5) * (0.3 / ranks);
      const [x, y] = eastWest ? [along, aside] : [aside, along];
      return [round5(west + (east - west) * x), round5(south + (north - south) * y)];
    });
    const through = new Set<string>();
    line.slice(1).forEach((end, k) => {
      const start = at(line, k);
      for (let t = 0; t <= 20; t++) {
        const grid = gridAt(grids, {
          lng: start[0] + ((end[0] - start[0]) * t) / 20,
          lat: start[1] + ((end[1] - start[1]) * t) / 20,
        });
        if (grid) through.add(grid.id);
      }
    });
    const middle = at(line, 3);
    const centre = { lng: middle[0], lat: middle[1] };
    // Roads across all bands are shared out in turn, so that every squad has roads of its own.
    const area = eastWest ? (gridAt(grids, centre)?.area ?? 0) : rank % plan.areas.length;
    return { id: `r-${number3(i + 1).slice(1)}`, name, grids: [...through].sort(), area, line, centre };
  });
};

const SURNAMES = Array.from(
  '赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛奚范彭郎鲁韦昌马苗凤花方俞任袁柳',
);
const GIVEN = Array.from(
  '明华建国丽芳伟强敏静秀兰勇军杰娟涛艳超英霞平刚玲桂辉鹏红飞波宁亮琴梅宏斌凯洁丹林峰浩欣晨雨佳嘉博文子轩思远志成思琪若彤',
);

/** Fresh lists every time: a crew pushes its roads into them. */
const nothing = () => ({ grids: [], roads: [] });

const spread = (random: Random, { lng, lat }: Point): Point => ({
  lng: round5(lng + (random() - 0.5) * 0.001),
  lat: round5(lat + (random() - 0.5) * 0.001),
});

const drawPeople = (
  plan: Plan,
  shifts: readonly string[],
  grids: readonly SampleGrid[],
  roads: readonly SampleRoad[],
  random: Random,
  phones: { prefixes: readonly string[]; from: number },
): Person[] => {
  const people: Person[] = [];
  const names = new Set<string>();
  const newName = (): string => {
    for (;;) {
      const [a, b, c] = [SURNAMES, GIVEN, GIVEN].map((list) => at(list, Math.floor(random() * list.length)));
      const name = `${a}${b}${c}`;
      if (b !== c && !names.has(name)) {
        names.add(name);
        return name;
      }
    }
  };
  const add = (person: Omit<Person, 'name' | 'phone'>): Person => {
    const n = phones.from + people.length;
    const prefix = phones.prefixes[Math.floor(n / 10_000)];
    if (!prefix) throw new Error('there are no sample numbers left for so many people');
    const whole = { ...person, name: newName(), phone: `${prefix}${String(n % 10_000).padStart(4, '0')}` };
    people.push(whole);
    return whole;
  };
  const areaOfSquad = (squad: string): number =>
    plan.areas.findIndex((a) => a.grids.includes(squad) || a.roads.includes(squad));
  const baseOfSquad = (squad: string): Point => {
    const own = grids.filter((g) => g.area === areaOfSquad(squad));
    return spread(random, own.length > 0 ? at(own, Math.floor(random() * own.length)).centre : plan.centre);
  };

  const drawSquads = (group: Group): void => {
    let leaders = 0;
    for (const squad of group.squads) {
      const on = group.leaders === 'each-shift' ? shifts : group.leaders === 'always' ? [''] : [];
      for (const shift of on) {
        const n = people.filter((p) => p.id.startsWith('leader-')).length + 1;
        add({
          id: `leader-${n}`,
          role: 'leader',
          squad,
          team: group.team,
          shifts: shift,
          ...nothing(),
          base: baseOfSquad(squad),
        });
        leaders++;
      }
    }
    const own: Person[] = [];
    for (let k = 0; k < group.people - leaders; k++) {
      const squad = at(group.squads, k);
      const shift = at(group.shifts, Math.floor(k / group.squads.length));
      own.push(
        add({
          id: `${group.ids}-${number3(k + 1)}`,
          role: 'member',
          squad,
          team: group.team,
          shifts: shift,
          ...nothing(),
          base: baseOfSquad(squad),
        }),
      );
    }
    if (group.holds !== 'roads') return;
    for (const squad of group.squads)
      for (const shift of group.shifts) {
        const crew = own.filter((p) => p.squad === squad && p.shifts === shift);
        const theirs = roads.filter((r) => plan.areas[r.area]?.roads.includes(squad));
        // Two per road and shift: the second is the next candidate when the first does not answer.
        theirs.forEach((road, j) =>
          [...new Set([j % crew.length, (j + 1) % crew.length])].forEach((i) => crew[i]?.roads.push(road.id)),
        );
        for (const person of crew) {
          const first = theirs.find((r) => person.roads.includes(r.id));
          if (first)
            person.base = spread(
              random,
              at(
                first.line.map(([lng, lat]) => ({ lng, lat })),
                Math.floor(random() * 6),
              ),
            );
        }
      }
  };

  const drawHolders = (group: Group): void => {
    const led = new Set<string>();
    for (let k = 0; k < group.people; k++) {
      const from = Math.floor((k * grids.length) / group.people);
      const to = Math.max(from + 1, Math.floor(((k + 1) * grids.length) / group.people));
      const held = grids.slice(from, to);
      const first = at(held, 0);
      const squad =
        group.squads.find((s) => plan.areas[first.area]?.grids.includes(s)) ?? at(group.squads, 0);
      const leads = group.leaders === 'all' || (group.leaders === 'always' && !led.has(squad));
      led.add(squad);
      const person = add({
        id: `${group.ids}-${number3(k + 1)}`,
        role: leads ? 'leader' : 'member',
        squad,
        team: group.team,
        shifts: leads ? '' : at(group.shifts, k),
        grids: held.map((g) => g.id),
        roads: [],
        base: spread(random, first.centre),
      });
      if (group.heads) for (const grid of held) grid.head = person.id;
    }
  };

  shifts.forEach((shift, i) =>
    add({
      id: `duty-${i + 1}`,
      role: 'duty',
      squad: 'desk',
      team: 'desk',
      shifts: shift,
      ...nothing(),
      base: plan.centre,
    }),
  );
  add({
    id: 'street-1',
    role: 'street',
    squad: 'street',
    team: 'street',
    shifts: '',
    ...nothing(),
    base: plan.centre,
  });
  for (const group of plan.groups)
    if (group.holds === 'grids') drawHolders(group);
    else drawSquads(group);
  return people;
};

const collection = (features: readonly unknown[]): string =>
  `{"type":"FeatureCollection","features":[\n${features.map((f) => JSON.stringify(f)).join(',\n')}\n]}\n`;

const csv = (people: readonly Person[]): string =>
  [
    '# 示例花名册：姓名和号码均为虚构，由 infra/commands/generate-districts.ts 生成',
    'id,name,phone,role,squad,team,shifts,grids,roads,lng,lat',
    ...people.map((p) =>
      [
        p.id,
        p.name,
        p.phone,
        p.role,
        p.squad,
        p.team,
        p.shifts,
        p.grids.join(';'),
        p.roads.join(';'),
        p.base.lng,
        p.base.lat,
      ].join(','),
    ),
    '',
  ].join('\n');

/** Enlarges the groups that head no grid until the roster has at least this many people. */
const enlarge = (plan: Plan, fixed: number, members: number): Plan => {
  const heads = plan.groups.filter((g) => g.heads).reduce((n, g) => n + g.people, fixed);
  const rest = plan.groups.filter((g) => !g.heads).reduce((n, g) => n + g.people, 0);
  const factor = Math.max(1, (members - heads) / rest);
  return {
    ...plan,
    groups: plan.groups.map((g) => (g.heads ? g : { ...g, people: Math.ceil(g.people * factor) })),
  };
};

/**
 * The generated files of one district, name → text. With `members` the roster is enlarged to at least so many people
 * (for the bench); the geography stays the same.
 */
export const generateDistrict = (
  root: string,
  id: string,
  members?: number,
): Record<'grids.geojson' | 'roads.geojson' | 'roster.sample.csv', string> => {
  const read = (name: string): unknown => JSON.parse(readFileSync(join(root, id, name), 'utf8'));
  const small = planSchema.parse(read('sample.json'));
  const shifts = z
    .object({ shifts: z.array(z.object({ id: z.string() })) })
    .parse(read('policy.json'))
    .shifts.map((s) => s.id);
  const plan = members === undefined ? small : enlarge(small, shifts.length + 1, members);
  const random = randomFrom(plan.seed);
  const grids = drawGrids(plan, random);
  const roads = drawRoads(plan, grids, random);
  const phones =
    members === undefined
      ? { prefixes: [plan.phones.prefix], from: plan.phones.from }
      : { prefixes: ['1660000', '1990000'], from: 0 };
  const people = drawPeople(plan, shifts, grids, roads, random, phones);
  return {
    'grids.geojson': collection(
      grids.map((g) => ({
        type: 'Feature',
        properties: {
          id: g.id,
          name: g.name,
          community: g.community,
          head: g.head,
          squads: plan.areas[g.area]?.grids ?? [],
          names: g.names,
        },
        geometry: { type: 'Polygon', coordinates: [g.ring] },
      })),
    ),
    'roads.geojson': collection(
      roads.map((r) => ({
        type: 'Feature',
        properties: { id: r.id, name: r.name, grids: r.grids, squads: plan.areas[r.area]?.roads ?? [] },
        geometry: { type: 'LineString', coordinates: r.line },
      })),
    ),
    'roster.sample.csv': csv(people),
  };
};

/** Files under the root that differ from what the script makes; empty when everything is as generated. */
export const staleFiles = (root: string): string[] =>
  listDistricts(root).flatMap((id) =>
    Object.entries(generateDistrict(root, id))
      .filter(([name, text]) => {
        try {
          return readFileSync(join(root, id, name), 'utf8') !== text;
        } catch {
          return true;
        }
      })
      .map(([name]) => `${id}/${name}`),
  );

const usage = (sentence: string): never => {
  console.error(sentence);
  process.exit(2);
};

const main = (): void => {
  const root = join(import.meta.dirname, '../../shared/districts');
  const { values } = parseArgs({
    options: {
      check: { type: 'boolean', default: false },
      district: { type: 'string' },
      members: { type: 'string' },
      out: { type: 'string' },
    },
  });
  if (values.check) {
    const stale = staleFiles(root);
    for (const file of stale) console.error(`${file} is not what the script makes; run it without --check`);
    process.exitCode = stale.length === 0 ? 0 : 1;
    return;
  }
  if (values.members !== undefined) {
    const members = Number(values.members);
    if (!Number.isInteger(members) || members < 1)
      usage(`--members wants a whole number, not '${values.members}'`);
    if (!values.district || !values.out) return usage('--members needs --district <id> and --out <file>');
    writeFileSync(values.out, generateDistrict(root, values.district, members)['roster.sample.csv']);
    return;
  }
  for (const id of values.district ? [values.district] : listDistricts(root))
    for (const [name, text] of Object.entries(generateDistrict(root, id)))
      writeFileSync(join(root, id, name), text);
};

if (import.meta.main) main();
