import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
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
import { keepPace } from '../../infra/local/pace.ts';
import { synthesize } from '../stories/assembly.ts';

const MORNING = Date.parse('2026-03-04T02:00:00.000Z');
const stories = loadStories();

it('tells at least twelve different incidents, and the steps of each can all come', () => {
  expect(new Set(stories.map(({ id }) => id)).size).toBeGreaterThanOrEqual(12);
  expect(new Set(stories.map(({ content }) => content)).size).toBe(stories.length);
  for (const { id, steps, answers, reassigned, helpers, linked, ends } of stories) {
    const happens = new Set([
      'text:returned',
      'ask:street',
      'helper',
      'resume',
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
  expect([span(65_000), span(5_400_000)]).toEqual(['01:05', '1:30:00']);
  expect([60, 111, 180, 3600, 5400, 86_400, 92_698].map((s) => inWords(s * 1000))).toEqual([
    '60秒',
    '1分51秒',
    '3分钟',
    '60分钟',
    '1小时30分',
    '24小时',
    '25小时45分',
  ]);
  expect(table(['编号', 'x'], [['1', '接单']])).toEqual(['编号  x', '────  ────', '1     接单']);
});

it('says so when the system cannot be reached, and goes on', async () => {
  const clock = createClock({ at: MORNING, speed: 0 });
  const lines: string[] = [];
  const demo = startDemo({
    // The discard port: nobody listens there, and nobody without privileges can begin to.
    url: 'http://127.0.0.1:9',
    phones: { url: 'http://127.0.0.1:9', onMessage: () => () => {} },
    ready: {
      district: 'donghu',
      webhookSecret: `whsec_${btoa('sample'.repeat(5))}`,
      tokens: {},
      members: [],
    },
    clock,
    log: (line) => lines.push(line),
  });
  clock.jumpTo(MORNING + 4_000);
  await demo.idle();
  expect(lines.join('\n')).toMatch(/演示没能做到“男孩走失：110来电”：连不上系统/);
  demo.stop();
  expect((await demo.done).map(({ state }) => state)).toEqual(stories.map(() => undefined));
  const said = lines.length;
  clock.jumpTo(MORNING + 3_600_000);
  await demo.idle();
  expect(lines.length).toBe(said);
});

it('lets a fast clock run only while nothing goes on', async () => {
  const speeds: number[] = [];
  let working = Promise.withResolvers<void>();
  const stop = keepPace({ setSpeed: (speed) => speeds.push(speed) }, () => working.promise, 60);
  await vi.waitFor(() => expect(speeds).toEqual([60, 1]), 10_000);
  working.resolve();
  working = Promise.withResolvers();
  await vi.waitFor(() => expect(speeds).toEqual([60, 1, 60, 1]), 10_000);
  stop();
  expect(speeds.at(-1)).toBe(60);
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
    const local = await startLocal({
      district: 'donghu',
      assembly: built.assembly,
      data,
      port: 0,
      phonesPort: 0,
      clock,
    });
    const { cloud, phones, ready } = local;
    const lines: string[] = [];
    const demo = startDemo({ url: ready.url, phones, ready, clock, log: (line) => lines.push(line) });
    try {
      cloud.addNeighbour(demo);
      await cloud.advance(MORNING + 6 * 3_600_000, { passes: 1 });
      const results = Object.fromEntries((await demo.done).map(({ story, state }) => [story, state]));
      expect(results).toEqual(Object.fromEntries(stories.map(({ id, ends }) => [id, ends])));
      const told = lines.join('\n');
      // What the clock did to the late ones, to the second.
      expect(told).toMatch(/市场司机争吵 +\+01:00 +☎ 队员 .+ 手机响：前一位没有接单，再派一位/);
      expect(told).toMatch(/市场司机争吵 +\+01:15 +⚠ 队员 .+ 接单，晚了15秒（限60秒）/);
      expect(told).toMatch(/河水发黑 +\+01:30 +☎ 还是没人接单，督办升级：班组长 /);
      expect(told).toMatch(/河水发黑 +\+02:00 +☎ 还是没人接单，督办升级：值班员 /);
      expect(told).toMatch(/河水发黑 +\+03:00 +☎ 还是没人接单，督办升级：街道领导 /);
      expect(told).toMatch(/灭火器过期 +\+09:00 +☎ 督办：.+收到“到场”超时/);
      expect(told).toMatch(/租房押金纠纷 +\+00:35 +✓ 队员 .+ 接单，及时（限60秒）/);
      expect(told).toMatch(/保安拦下骗局 +\+00:38 +✓ 值班台 确认退回110，及时（限60秒）/);
      expect(told).toMatch(/协助找男孩 +\+1:31:\d\d +✓ 队员 .+ 办结（已解决）/);
      expect(told.match(/☎ 队员 .+ 手机响：新任务，两人同去/g)?.length).toBe(2);
      expect(told.match(/暂停到期，系统自动恢复计时/g)?.length).toBe(2);
      expect(told).toContain('14 起派给了队员：按时接单 11 起，按时到场 12 起');
      // Everything that people wanted to do was possible, and nothing lies undelivered.
      expect(lines.filter((line) => /演示没能|想“|没有收下/.test(line))).toEqual([]);
      expect(
        ['ReportsQueue', 'AlertsQueue', 'ChatterQueue', 'SweepsQueue'].map((name) => cloud.queue(name).dead),
      ).toEqual([0, 0, 0, 0]);
      // No caller's name or number in the terminal.
      for (const { caller } of stories) expect(told).not.toContain(caller.phone);
    } finally {
      demo.stop();
      await local.stop();
      rmSync(data, { recursive: true, force: true });
    }
  }, 120_000);
});
