import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type * as Clocks from '../../infra/local/clock.ts';
import { periodOf, startSchedule } from '../../infra/local/schedule.ts';
import { temporaryDirectory } from './cloud/stack.ts';

const MORNING = Date.parse('2026-01-05T08:00:00Z');
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

let createClock: (typeof Clocks)['createClock'];
let openClock: (typeof Clocks)['openClock'];
const load = async () => {
  vi.resetModules();
  ({ createClock, openClock } = await import('../../infra/local/clock.ts'));
};

describe('a clock', () => {
  // The module keeps the Date it was loaded under, so that a function's shifted Date cannot feed back into it.
  beforeEach(() => {
    vi.useFakeTimers({ now: MORNING });
    return load();
  });
  afterEach(() => vi.useRealTimers());

  test('runs at its speed, stands still at 0, and a change of speed is no jump', () => {
    const clock = createClock({ at: 1_000, speed: 60 });
    vi.advanceTimersByTime(1_000);
    expect(clock.now()).toBe(61_000);
    clock.setSpeed(0);
    vi.advanceTimersByTime(5_000);
    expect(clock.now()).toBe(61_000);
    clock.setSpeed(0.5);
    vi.advanceTimersByTime(1_000);
    expect(clock.now()).toBe(61_500);
  });

  test('wakes each timer at its virtual instant, also after 40 days, and never one that was taken back', () => {
    const clock = createClock({ at: 0, speed: 10 });
    const woken: [string, number][] = [];
    clock.at(40 * DAY, () => woken.push(['late', clock.now()]));
    clock.at(100, () => woken.push(['soon', clock.now()]));
    clock.at(50, () => woken.push(['taken back', clock.now()]))();
    clock.at(-5, () => woken.push(['past', clock.now()]));
    vi.advanceTimersByTime(4 * DAY - 1);
    expect(woken).toEqual([
      ['past', 0],
      ['soon', 100],
    ]);
    vi.advanceTimersByTime(1);
    expect(woken.at(-1)).toEqual(['late', 40 * DAY]);
  });

  test('a frozen one wakes only who is due after a jump, earliest first, and does not go back', () => {
    const clock = createClock({ at: 0, speed: 0 });
    const woken: number[] = [];
    for (const instant of [300, 100, 200, 900]) clock.at(instant, () => woken.push(instant));
    vi.advanceTimersByTime(DAY);
    expect(woken).toEqual([]);
    clock.jumpTo(300);
    expect([woken, clock.nextDue()]).toEqual([[100, 200, 300], 900]);
    expect(() => clock.jumpTo(299)).toThrow(RangeError);
  });

  test('a schedule beats on whole periods and once for all that a jump passed over', () => {
    const clock = createClock({ at: MORNING - 1, speed: 0 });
    const beats: number[] = [];
    const schedule = startSchedule(clock, periodOf('rate(1 minute)'), (due) => beats.push(due - MORNING));
    clock.jumpTo(MORNING);
    clock.jumpTo(MORNING + 5 * MINUTE + 1);
    schedule.skipTo(MORNING + 7 * MINUTE);
    clock.jumpTo(MORNING + 8 * MINUTE);
    schedule.stop();
    clock.jumpTo(MORNING + 9 * MINUTE);
    expect(beats).toEqual([0, 5 * MINUTE, 8 * MINUTE]);
    expect(() => periodOf('cron(0 8 * * ? *)')).toThrow('rate(…) schedules only');
  });

  test('a schedule of a sped-up clock beats at most four times in a real second', () => {
    const clock = createClock({ at: MORNING, speed: 3_600 });
    const beats: number[] = [];
    const schedule = startSchedule(clock, MINUTE, (due) => beats.push(due - MORNING));
    vi.advanceTimersByTime(1_000);
    schedule.stop();
    expect(beats).toEqual([1, 16, 31, 46].map((minutes) => minutes * MINUTE));
  });

  test('after a sped-up run the next one goes on where it was, killed or stopped, and never earlier', async () => {
    await using home = await temporaryDirectory();
    const file = join(home.path, 'clock.json');
    const first = openClock(file, 3_600);
    vi.advanceTimersByTime(10_500);
    const seen = first.clock.now();
    vi.clearAllTimers(); // killed: nothing is written any more
    const second = openClock(file, 1);
    expect(second.clock.now()).toBeGreaterThanOrEqual(seen);
    expect(second.clock.now()).toBeLessThan(seen + 2 * 3_600_000);
    const stopped = second.clock.now();
    second.close();
    vi.advanceTimersByTime(MINUTE);
    const third = openClock(file, 1);
    expect(third.clock.now()).toBe(stopped + MINUTE);
    third.close();
  });

  test('a lead that cannot be written is said once, and time goes on', async () => {
    await using home = await temporaryDirectory();
    const directory = join(home.path, 'data');
    mkdirSync(directory);
    const said: string[] = [];
    const { clock, close } = openClock(join(directory, 'clock.json'), 60, (line) => said.push(line));
    rmSync(directory, { recursive: true });
    vi.advanceTimersByTime(3_000);
    expect(clock.now()).toBe(MORNING + 3 * MINUTE);
    expect(said).toEqual([expect.stringMatching(/^The clock's lead .* cannot be written: ENOENT.*\.$/)]);
    mkdirSync(directory);
    vi.advanceTimersByTime(1_000);
    expect(said[1]).toMatch(/can be written again\.$/);
    rmSync(directory, { recursive: true });
    expect(close).not.toThrow();
  });
});

test('another thread reads the same instant through the shared memory', async () => {
  await load();
  const clock = createClock({ at: MORNING, speed: 0 });
  const module = new URL('../../infra/local/shared-time.ts', import.meta.url).href;
  const worker = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads');
     import(${JSON.stringify(module)}).then(({ sharedNow }) => {
       const now = sharedNow(workerData);
       parentPort.on('message', () => parentPort.postMessage(now()));
       parentPort.postMessage(now());
     });`,
    { eval: true, workerData: clock.shared, execArgv: [] },
  );
  const heard = () => new Promise((resolve) => worker.once('message', resolve));
  expect(await heard()).toBe(MORNING);
  clock.jumpTo(MORNING + DAY);
  const answer = heard();
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  worker.postMessage('again');
  expect(await answer).toBe(MORNING + DAY);
  await worker.terminate();
});
