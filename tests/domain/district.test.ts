import { describe, expect, test } from 'vitest';
import { ladderFor, parseDistrict } from '#shared/domain/district.ts';
import type { DistrictFiles } from '#shared/domain/district.ts';
import { loadDistrict } from '#shared/districts/load.ts';
import { filesOf } from './sample-district.ts';

/** The object at a path of a district's files. */
const at = (files: DistrictFiles, keys: readonly string[]): object =>
  keys.reduce<object>((place, key) => {
    const next: unknown = Reflect.get(place, key);
    if (typeof next !== 'object' || next === null)
      throw new Error(`the sample has nothing at ${keys.join('.')}`);
    return next;
  }, files);

/** Sets one value deep inside a district's files: `policy.shifts.0.to`. `undefined` removes it. */
const broken = (path: string, value: unknown): DistrictFiles => {
  const files = filesOf('xiaohe');
  const keys = path.split('.');
  Object.assign(at(files, keys.slice(0, -1)), { [keys.at(-1) ?? '']: value });
  return files;
};

const sentenceOf = (files: DistrictFiles): string => {
  try {
    parseDistrict('xiaohe', files);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return 'nothing was refused';
};

describe('a district file that breaks a rule is refused with a sentence naming the place', () => {
  test.each<[string, unknown, string]>([
    [
      'policy.ladders.default.war.2.limit',
      120,
      "xiaohe/policy.json ladders.default.war[2].limit: the ladder does not rise: 'reinforce' at 120 s comes after 'arrive' at 180 s",
    ],
    ['policy.ladders.default.peace.0.limit', 0, 'xiaohe/policy.json ladders.default.peace[0].limit: '],
    [
      'policy.ladders',
      { order: { peace: filesOf('donghu').policy } },
      'xiaohe/policy.json ladders.order.peace: ',
    ],
    [
      'policy.ladders.nonsense',
      { peace: [{ rung: 'accept', limit: 60, basis: 'default' }] },
      "xiaohe/policy.json ladders.nonsense.peace: the ladder has no rung 'feedback'",
    ],
    [
      'policy.shifts.2.to',
      300,
      'xiaohe/policy.json shifts: the shifts do not cover 24 hours: nobody is on at 05:00',
    ],
    ['policy.squads.1.id', 'patrol-1', "xiaohe/policy.json squads[1].id: the id 'patrol-1' stands twice"],
    ['policy.squads.0.team', 'ghosts', "xiaohe/policy.json squads[0].team: the team 'ghosts' does not exist"],
    [
      'policy.answering.patrol',
      [['ghosts']],
      "xiaohe/policy.json answering.patrol[0][0]: the team 'ghosts' does not exist",
    ],
    ['policy.danger.fire', 'ghosts', "xiaohe/policy.json danger.fire: the team 'ghosts' does not exist"],
    [
      'policy.codes.100300',
      'no_such',
      "xiaohe/policy.json codes.100300: the category 'no_such' does not exist",
    ],
    ['policy.fieldMap.jjbh', 'number', 'xiaohe/policy.json fieldMap.jjbh: '],
    ['policy.mode', 'alarm', 'xiaohe/policy.json mode: '],
    ['policy.surprise', 1, 'xiaohe/policy.json: '],
    ['policy.deploy.webhookAuth', 'none', 'xiaohe/policy.json deploy.webhookAuth: '],
    [
      'grids.features.3.properties.head',
      undefined,
      "xiaohe/grids.geojson features[3].properties.head: the grid 'g-004' (塘河第4网格) has no head",
    ],
    ['grids.features.3.properties.head', '', "the grid 'g-004' (塘河第4网格) has no head"],
    [
      'grids.features.3.properties.id',
      'g-001',
      "xiaohe/grids.geojson features[3].properties.id: the id 'g-001' stands twice",
    ],
    [
      'grids.features.0.properties.squads',
      ['ghosts'],
      "xiaohe/grids.geojson features[0].properties.squads[0]: the squad 'ghosts' does not exist",
    ],
    [
      'grids.features.0.geometry.coordinates',
      [[[120, 95]]],
      'xiaohe/grids.geojson features[0].geometry: a grid is a Polygon or MultiPolygon whose rings have at least 4',
    ],
    [
      'roads.features.2.properties.grids',
      ['g-999'],
      "xiaohe/roads.geojson features[2].properties.grids[0]: the road '和睦路' is in a grid that is not there: the grid 'g-999' does not exist",
    ],
    ['roads.features.2.properties.squads', ['ghosts'], "the squad 'ghosts' does not exist"],
    [
      'categories.categories.0.line',
      'ghosts',
      "categories.json categories[0].line: the line 'ghosts' of '暴力伤害' is neither a line nor a team of this district",
    ],
    [
      'categories.categories.0.team',
      'ghosts',
      "categories.json categories[0].team: the team 'ghosts' does not exist",
    ],
    [
      'categories.categories.0.group',
      'ghosts',
      "categories.json categories[0].group: the group 'ghosts' does not exist",
    ],
    [
      'danger.guards.0.category',
      'ghosts',
      "danger.json guards[0].category: the category 'ghosts' does not exist",
    ],
    [
      'danger.guards.0.words',
      ['{ghosts}打我'],
      "danger.json guards[0].words: the cue '{ghosts}打我' names no group of words",
    ],
    ['danger.guards.0.id', 'ghosts', "danger.json guards[0].id: nothing says who goes for 'ghosts'"],
    [
      'policy.dangerWords',
      { ghosts: ['鬼'] },
      "xiaohe/policy.json dangerWords.ghosts: the danger sign 'ghosts' does not exist",
    ],
    [
      'policy.id',
      'elsewhere',
      "xiaohe/policy.json id: the folder is 'xiaohe' but the district calls itself 'elsewhere'",
    ],
    ['grids', 'not json', 'xiaohe/grids.geojson: '],
  ])('%s', (path, value, sentence) => {
    expect(sentenceOf(broken(path, value))).toContain(sentence);
  });

  test('several faults are told at once, one line each', () => {
    const files = broken('policy.squads.0.team', 'ghosts');
    Object.assign(files, { danger: broken('danger.guards.0.category', 'ghosts').danger });
    expect(sentenceOf(files).split('\n')).toHaveLength(2);
  });

  test('an unknown district is refused with the list of the known ones', () => {
    expect(() => loadDistrict('atlantis')).toThrow(
      /no district 'atlantis'.*donghu, linjiang, xiaohe, xinjie/,
    );
  });
});

const ladder = (limit: number) => [
  { rung: 'accept', limit, basis: 'default' },
  { rung: 'feedback', limit: 3600, basis: 'default' },
  { rung: 'close', limit: 86_400, basis: 'default' },
  { rung: 'revisit', limit: 259_200, basis: 'default' },
];

describe('ladders', () => {
  test('are looked up by category, then group, then default; war falls back to peace', () => {
    const files = filesOf('xiaohe');
    Object.assign(at(files, ['policy', 'ladders']), {
      dispute: { peace: ladder(300) },
      wage_dispute: { peace: ladder(600), war: ladder(120) },
    });
    const district = parseDistrict('xiaohe', files);
    const acceptOf = (kind: string, mode: 'peace' | 'war') => ladderFor(district, kind, mode)[0]?.limit;
    expect(acceptOf('wage_dispute', 'peace')).toBe(600);
    expect(acceptOf('wage_dispute', 'war')).toBe(120);
    expect(acceptOf('rental_dispute', 'peace')).toBe(300);
    expect(acceptOf('rental_dispute', 'war')).toBe(300);
    expect(acceptOf('pollution', 'war')).toBe(60);
  });
});

test('no drill is planned for the quiet hours, in which it would be sent to nobody', () => {
  const planned = (minute: number): string => {
    const files = filesOf('xiaohe');
    Object.assign(at(files, ['policy']), {
      delivery: { quiet: { from: 1_320, to: 420 } },
      drill: { days: [1], at: minute },
    });
    return sentenceOf(files);
  };
  for (const minute of [1_320, 0, 419])
    expect(planned(minute)).toContain('xiaohe/policy.json drill.at: a drill at ');
  for (const minute of [420, 1_319]) expect(planned(minute)).toBe('nothing was refused');
});
