import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseRoster } from '#shared/adapters/roster-csv.ts';
import { parseReport } from '#shared/contracts/report.ts';
import { listDistricts, loadDistrict } from '#shared/districts/load.ts';
import { classify } from '#shared/domain/classify.ts';
import { locate } from '#shared/domain/place.ts';
import { candidates } from '#shared/domain/routing.ts';
import { createClock } from '../../infra/local/clock.ts';
import { callOf, loadStories } from '../../infra/local/demo/script.ts';
import { columns, inWords, padded, shortened, span, table } from '../../infra/local/demo/timeline.ts';
import { startDemo } from '../../infra/local/demo.ts';
import { startLocal } from '../../infra/local/main.ts';
import { synthesize } from '../stories/assembly.ts';

const MORNING = Date.parse('2026-03-04T02:00:00.000Z');
const stories = loadStories();

it('tells at least twelve different incidents, and the steps of each can all come', () => {
  expect(new Set(stories.map(({ id }) => id)).size).toBeGreaterThanOrEqual(12);
  expect(new Set(stories.map(({ content }) => content)).size).toBe(stories.length);
  for (const { id, steps, answers, reassigned, helpers, linked, ends } of stories) {
    const happens = new Set([
      ...['text:returned', 'ask:street', 'helper', 'resume'],
      ...(answers.some((answer) => answer.do === 'accept') || reassigned ? ['accept'] : []),
      ...steps.flatMap((step) => [step.as ?? step.do, `${step.as ?? step.do}-over`]),
    ]);
    expect(steps.filter((step) => !happens.has(step.on)).map((step) => `${id}: ${step.on}`)).toEqual([]);
    expect(steps.at(-1)?.do, id).toBe(ends === 'returned' ? 'handback' : 'revisit');
    expect(helpers.length > 0, id).toBe(steps.some((step) => step.do === 'reinforce'));
    if (linked) expect(stories.map((story) => story.id)).toContain(linked);
  }
});

describe.each(listDistricts())('the calls of the demo in %s', (id) => {
  const district = loadDistrict(id);
  const file = join(import.meta.dirname, `../../shared/districts/${id}/roster.sample.csv`);
  const { members } = parseRoster(readFileSync(file, 'utf8'), district);

  it.each(stories)('$id is understood, found and classified as the story needs', (story) => {
    const body = callOf(district, story, { callNo: 'SAMPLE-1', linkedCallNo: undefined, now: MORNING });
    const read = parseReport(district, body);
    if (!read.ok) throw new Error(JSON.stringify(read.problems));
    const { report } = read;
    expect(report).toMatchObject({ callNo: 'SAMPLE-1', calledAt: MORNING - 25_000, caller: story.caller });
    const place = locate(district, report);
    expect(place.roadId ?? place.gridId).toBeDefined();
    const { classification } = classify(district, report);
    expect(classification).toMatchObject({ ...story.expect, sure: true });
    if (story.expect.disposition === 'police') return;
    // As many as the story needs, at every hour: the demo can be started at night.
    const needed = story.answers.length + Math.min(2, story.helpers.length);
    for (let hour = 0; hour < 24; hour += 4) {
      const at = new Date(MORNING + hour * 3_600_000);
      const { picked } = candidates(district, members, { place, classification, at });
      expect(picked.length, `${id} ${String(hour)}`).toBeGreaterThanOrEqual(Math.max(2, needed));
    }
  });
});

it('names nobody real: every number is of the ranges kept for samples', () => {
  const text = readFileSync(join(import.meta.dirname, '../../infra/local/demo/calls.json'), 'utf8');
  const numbers = text.match(/1\d{10}/g) ?? [];
  expect(numbers.length).toBe(stories.length);
  expect(numbers.filter((number) => !/^(1660000|1990000)\d{4}$/.test(number))).toEqual([]);
  // The people whom the documents name.
  expect(text).not.toMatch(
    /陈琼|王晨|刘松|张建勇|刘旺|郭小川|李奶奶|许女士|江先生|陈先生|陈女士|小郭|郑国锋|张萧|翁小芳/,
  );
});

it('writes columns as a terminal shows them', () => {
  expect(columns('110来电：a')).toBe(3 + 4 + 2 + 1);
  expect(padded('男孩', 6)).toBe('男孩  ');
  expect(shortened('一二三四五', 8)).toBe('一二三……');
  expect([span(65_000), span(5_400_000), inWords(60_000), inWords(180_000), inWords(86_400_000)]).toEqual([
    '01:05',
    '1:30:00',
    '60秒',
    '3分钟',
    '24小时',
  ]);
  expect(table(['编号', 'x'], [['1', '签收']])).toEqual(['编号  x', '────  ────', '1     签收']);
});

describe('the scripted day', () => {
  let built: Awaited<ReturnType<typeof synthesize>>;
  beforeAll(async () => {
    built = await synthesize();
  });
  afterAll(() => built.remove());

  it('ends every incident as told, with the climbs and the misses that belong to it', async () => {
    const data = mkdtempSync(join(tmpdir(), 'xiaonao-demo-'));
    const clock = createClock({ at: MORNING, speed: 0 });
    const { cloud, phones, ready, stop } = await startLocal({
      district: 'donghu',
      assembly: built.assembly,
      data,
      port: 0,
      phonesPort: 0,
      clock,
    });
    const lines: string[] = [];
    const demo = startDemo({ url: ready.url, phones, ready, clock, log: (line) => lines.push(line) });
    try {
      cloud.addNeighbour(demo);
      await cloud.advance(MORNING + 6 * 3_600_000, { passes: 1 });
      const results = Object.fromEntries((await demo.done).map(({ story, state }) => [story, state]));
      expect(results).toEqual(Object.fromEntries(stories.map(({ id, ends }) => [id, ends])));
    } finally {
      if (process.env['SHOW']) console.log(lines.join('\n'));
      demo.stop();
      await stop();
      rmSync(data, { recursive: true, force: true });
    }
  }, 120_000);
});
