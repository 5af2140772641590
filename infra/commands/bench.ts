// npm run bench: what the system does on this machine, as a table for the README. Not a test: it judges nothing by its exit code
// but a loss, a double, or a part that could not be measured.
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { listDistricts, loadDistrict } from '#shared/districts/load.ts';
import { limitOf } from '#shared/domain/ladder.ts';
import { ladderFor } from '#shared/domain/district.ts';
import { type ColdLoad, measureColdLoad } from './bench/cold-load.ts';
import type { CostResult } from './bench/cost.ts';
import { ms, percentile } from './bench/figures.ts';
import { type LoadPlan, type LoadResult, runLoad } from './bench/load.ts';
import { PAID, PRICES } from './bench/prices.ts';
import type { NoticesResult } from './bench/notices.ts';
import type { ReadingResult } from './bench/reading.ts';
import { measureRungs, type RungsResult } from './bench/rungs.ts';
import type { TimersResult } from './bench/timers.ts';
import { makeWorkplace, startSystem, type System, type Workplace } from './bench/workplace.ts';

const PARTS = [
  'start',
  'calls20',
  'calls100',
  'highest',
  'timers',
  'rungs',
  'notices',
  'reading',
  'cold',
  'cost',
] as const;
type Part = (typeof PARTS)[number];

/** The district whose war mode has the shortest ladder of all, and the busiest squads. */
const DISTRICT = 'xiaohe';
const SECONDS = 60;
const QUICK_SECONDS = 10;
/** Until the functions' code is compiled; a system that has run for a day is warm. */
const WARM_UP_SECONDS = 15;
const STARTS = 3;
const TIMERS = 5_000;
const RUNGS_RATE = 10;
const COST_INCIDENTS = 10;
const NOTICES_RATE = 50;
const NOTICES_SECONDS = 20;
const NOTICES = 10_000;
/** A rate is held when its backlog is gone this soon after the last call, and every call was acknowledged within a second. */
const HELD_DRAIN_MS = 5_000;
const HELD_ACK_MS = 1_000;
/** The search for the highest rate ends when the next step would be smaller, calls a second; and after so many tries. */
const STEP = 5;
const MOST_TRIES = 7;
const PROBE_SECONDS = 20;

interface Machine {
  cpu: string;
  cores: number;
  memoryGb: number;
  node: string;
  date: string;
  /** Load averages before the first and after the last part: the figures of a busy machine say little. */
  loadBefore: number;
  loadAfter: number;
}

interface Results {
  machine: Machine;
  seconds: number;
  start?: { first: number[]; again: number[] };
  calls20?: LoadResult;
  calls100?: LoadResult;
  highest?: { rate: number; held?: LoadResult; tried: { rate: number; held: boolean; seconds: number }[] };
  timers?: TimersResult;
  rungs?: RungsResult;
  notices?: NoticesResult;
  reading?: ReadingResult;
  cold?: ColdLoad[];
  cost?: CostResult[];
}

const held = (result: LoadResult): boolean =>
  Object.keys(result.refused).length === 0 &&
  result.lost === 0 &&
  result.doubled === 0 &&
  result.climbed === 0 &&
  result.drainMs <= HELD_DRAIN_MS &&
  result.ack.p99 <= HELD_ACK_MS;

const say = (sentence: string): void =>
  console.error(`${new Date().toISOString().slice(11, 19)} ${sentence}`);

let systems = 0;
const withSystem = async <T>(workplace: Workplace, work: (system: System) => Promise<T>): Promise<T> => {
  systems += 1;
  const system = await startSystem(workplace, { district: DISTRICT, data: `data-${systems}` });
  try {
    return await work(system);
  } finally {
    await system.stop();
  }
};

const load = async (workplace: Workplace, rate: number, seconds: number): Promise<LoadResult> => {
  const plan: LoadPlan = { district: DISTRICT, rate, seconds, warmUp: WARM_UP_SECONDS, accept: true };
  return withSystem(workplace, async (system) => {
    const { followed: _, ...result } = await runLoad(workplace, system, plan);
    say(
      `${rate}/s: ack p99 ${ms(result.ack.p99)} ms, phone p99 ${ms(result.phone.p99)} ms, drained in ${ms(result.drainMs)} ms, lost ${result.lost}, doubled ${result.doubled}, ${result.cores.toFixed(2)} cores${held(result) ? '' : ': not held'}`,
    );
    return result;
  });
};

const starts = async (): Promise<{ first: number[]; again: number[] }> => {
  const first: number[] = [];
  const again: number[] = [];
  for (let round = 0; round < STARTS; round += 1) {
    const fresh = makeWorkplace([DISTRICT]);
    try {
      for (const times of [first, again]) {
        const system = await startSystem(fresh, { district: DISTRICT, data: 'data' });
        times.push(system.startMs);
        await system.stop();
      }
    } finally {
      fresh.remove();
    }
  }
  return { first, again };
};

/** Doubles and halves its way to the highest rate that holds in short runs, then lets it stand the whole time. */
const highest = async (
  workplace: Workplace,
  seconds: number,
  known: readonly LoadResult[],
): Promise<NonNullable<Results['highest']>> => {
  const tried: { rate: number; held: boolean; seconds: number }[] = known.map((result) => ({
    rate: result.rate,
    held: held(result),
    seconds,
  }));
  let good = Math.max(0, ...tried.filter((one) => one.held).map((one) => one.rate));
  let bad = Math.min(Infinity, ...tried.filter((one) => !one.held).map((one) => one.rate));
  let best = known.findLast((result) => held(result) && result.rate === good);
  const short = Math.min(seconds, PROBE_SECONDS);
  for (let n = 0; n < MOST_TRIES && bad - good > STEP; n += 1) {
    const middle = Number.isFinite(bad) ? (good + bad) / 2 : Math.max(20, good * 1.5);
    const rate = Math.round(middle / STEP) * STEP;
    if (rate <= good || rate >= bad) break;
    const result = await load(workplace, rate, short);
    tried.push({ rate, held: held(result), seconds: short });
    if (held(result)) good = rate;
    else bad = rate;
  }
  // What held for a while need not hold for a minute.
  while (good > 0 && best?.rate !== good) {
    const result = await load(workplace, good, seconds);
    tried.push({ rate: good, held: held(result), seconds });
    if (held(result)) best = result;
    else good = Math.floor((good - 1) / STEP) * STEP;
  }
  return { rate: good, tried, ...(best ? { held: best } : {}) };
};

const run = promisify(execFile);
/** What a part may say, bytes: why things were lost takes many lines. */
const MOST_SAID = 100 * 1024 * 1024;

/** A part that needs a process of its own, run from the copy; it prints one line of JSON. */
const part = async <T>(workplace: Workplace, file: string, args: string[]): Promise<T> => {
  const running = run(process.execPath, [join(workplace.directory, 'infra/commands/bench', file), ...args], {
    cwd: workplace.directory,
    maxBuffer: MOST_SAID,
  });
  running.child.stderr?.pipe(process.stderr);
  const { stdout } = await running;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own child, from the same sources
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as T;
};

const folder = (workplace: Workplace, name: string): string => {
  const path = join(workplace.directory, name);
  mkdirSync(path, { recursive: true });
  return path;
};

const measure = async (parts: ReadonlySet<Part>, seconds: number): Promise<Results> => {
  const machine: Machine = {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGb: totalmem() / 2 ** 30,
    node: process.version,
    date: new Date().toISOString().slice(0, 10),
    loadBefore: loadavg()[0] ?? Number.NaN,
    loadAfter: Number.NaN,
  };
  const results: Results = { machine, seconds };
  const workplace = makeWorkplace(listDistricts());
  try {
    if (parts.has('start')) {
      say(`Starting ${STARTS} times from bare sources, and again`);
      results.start = await starts();
    }
    if (parts.has('calls20')) {
      say(`20 calls a second for ${seconds} s`);
      results.calls20 = await load(workplace, 20, seconds);
    }
    if (parts.has('calls100')) {
      say(`100 calls a second for ${seconds} s`);
      results.calls100 = await load(workplace, 100, seconds);
    }
    if (parts.has('highest')) {
      say('Looking for the highest rate that is held');
      const known = [results.calls20, results.calls100].filter((result) => result !== undefined);
      results.highest = await highest(workplace, seconds, known);
    }
    if (parts.has('timers')) {
      say(`${TIMERS} deadlines over ${seconds} s`);
      results.timers = await part<TimersResult>(workplace, 'timers.ts', [
        folder(workplace, 'timers'),
        `${TIMERS}`,
        `${seconds}`,
      ]);
    }
    if (parts.has('rungs')) {
      const district = loadDistrict(DISTRICT);
      const acceptSeconds = limitOf(ladderFor(district, 'noise_nuisance', district.mode), 'accept') ?? 60;
      say(`${RUNGS_RATE * seconds} calls that nobody accepts, then their deadlines`);
      results.rungs = await withSystem(workplace, (system) =>
        measureRungs(workplace, system, { district: DISTRICT, rate: RUNGS_RATE, seconds, acceptSeconds }),
      );
    }
    if (parts.has('notices')) {
      const share = seconds / SECONDS;
      const many = Math.round(NOTICES * share);
      say(
        `${NOTICES_RATE} notices a second, alone and behind ${many} that can wait; then a storm of ${many}`,
      );
      results.notices = await part<NoticesResult>(workplace, 'notices.ts', [
        folder(workplace, 'notices'),
        DISTRICT,
        `${NOTICES_RATE}`,
        `${Math.ceil(NOTICES_SECONDS * share)}`,
        `${many}`,
        `${many}`,
      ]);
    }
    if (parts.has('reading')) {
      say('Reading texts');
      results.reading = await part<ReadingResult>(workplace, 'reading.ts', [DISTRICT]);
    }
    if (parts.has('cold')) {
      say('Loading each bundle 8 times in a fresh process');
      // A start makes the bundles.
      await withSystem(workplace, async () => {});
      results.cold = await measureColdLoad(join(workplace.directory, 'dist'), DISTRICT);
    }
    if (parts.has('cost')) {
      results.cost = [];
      for (const district of listDistricts()) {
        say(`${COST_INCIDENTS} incidents without a breach in ${district}`);
        const directory = folder(workplace, `cost-${district}`);
        results.cost.push(
          await part<CostResult>(workplace, 'cost.ts', [directory, district, `${COST_INCIDENTS}`]),
        );
      }
    }
  } finally {
    workplace.remove();
  }
  machine.loadAfter = loadavg()[0] ?? Number.NaN;
  return results;
};

const row = (...cells: string[]): string => `| ${cells.join(' | ')} |`;

const seconds1 = (value: number): string => `${(value / 1000).toFixed(1)} s`;
const dollars = (value: number): string => `$${value.toFixed(value < 0.01 ? 4 : 3)}`;

/** The figures as markdown, ready for the README. */
export const report = (results: Results): string => {
  const {
    machine,
    start,
    calls20,
    calls100,
    highest: best,
    timers,
    rungs,
    notices,
    reading,
    cold,
    cost,
  } = results;
  const lines: string[] = [
    `Measured ${machine.date} on ${machine.cores} cores (${machine.cpu}), ${machine.memoryGb.toFixed(0)} GB, Node ${machine.node}, load average ${machine.loadBefore.toFixed(1)} before and ${machine.loadAfter.toFixed(1)} after; the caller and the phones share the cores with the system. Runs of ${results.seconds} s at a fixed rate, each after ${WARM_UP_SECONDS} s of warm-up, latencies from the instant a call was due; at least 1,000 members, who accept within 10 s.`,
    '',
    row('What', 'Figure', 'Aim'),
    row('---', '---', '---'),
  ];
  if (start)
    lines.push(
      row('ready after `npm start`, nothing built yet', seconds1(percentile(start.first, 50)), '6 s'),
      row('ready again on the same data', seconds1(percentile(start.again, 50)), '6 s'),
    );
  const rate = (result: LoadResult, aims?: { ack: string; phone: string }) => {
    const at = `at ${result.rate} calls/s`;
    const refusals = Object.entries(result.refused).map(([what, n]) => `${n} × ${what}`);
    lines.push(
      row(
        `${at}: call → 202, p50 / p99`,
        `${ms(result.ack.p50)} / ${ms(result.ack.p99)} ms`,
        aims?.ack ?? '',
      ),
      row(
        `${at}: call → phone, p50 / p99`,
        `${ms(result.phone.p50)} / ${ms(result.phone.p99)} ms`,
        aims?.phone ?? '',
      ),
      row(`${at}: tap → accepted, p50 / p99`, `${ms(result.accept.p50)} / ${ms(result.accept.p99)} ms`, ''),
      row(
        `${at}: lost / doubled of ${result.calls}`,
        `${result.lost} / ${result.doubled}${refusals.length > 0 ? ` (${refusals.join(', ')})` : ''}`,
        '0 / 0',
      ),
      row(
        `${at}: last call → last phone; incidents that climbed for lateness; cores; memory`,
        `${ms(result.drainMs)} ms; ${result.climbed}; ${result.cores.toFixed(1)}; ${Math.round(result.memory.most)} MB`,
        '',
      ),
    );
  };
  if (calls20) rate(calls20, { ack: 'p99 ≤ 40 ms', phone: '≤ 80 / 300 ms' });
  if (calls100) rate(calls100);
  if (best) {
    lines.push(
      row(`highest rate held for ${results.seconds} s`, best.rate > 0 ? `${best.rate} calls/s` : 'none', ''),
    );
    if (best.held && best.held.rate !== 20 && best.held.rate !== 100) rate(best.held);
  }
  if (timers)
    lines.push(
      row(
        `${timers.late.n.toLocaleString('en')} deadlines of the interpreter, late p50 / p99`,
        `${ms(timers.late.p50)} / ${ms(timers.late.p99)} ms`,
        'p99 ≤ 100 ms',
      ),
    );
  if (rungs)
    lines.push(
      row(
        `${rungs.decided.n.toLocaleString('en')} accept deadlines: deadline → decision, p50 / p99`,
        `${ms(rungs.decided.p50)} / ${ms(rungs.decided.p99)} ms`,
        'p99 ≤ 1,300 ms',
      ),
      row(
        'the same: deadline → next phone, p50 / p99',
        `${ms(rungs.phone.p50)} / ${ms(rungs.phone.p99)} ms`,
        '',
      ),
      row('deadlines missed / early', `${rungs.missed} / ${rungs.early}`, '0 / 0'),
    );
  if (notices) {
    const { storm } = notices;
    const counted = (counts: Record<string, number>): string =>
      Object.entries(counts)
        .map(([what, n]) => `${n} × ${what}`)
        .join(', ') || 'none';
    lines.push(
      row(
        `notices at ${notices.rate}/s: queue → phone, p50 / p99, alone`,
        `${ms(notices.alone.p50)} / ${ms(notices.alone.p99)} ms`,
        '',
      ),
      row(
        `the same behind ${notices.chatter.toLocaleString('en')} that can wait`,
        `${ms(notices.behind.p50)} / ${ms(notices.behind.p99)} ms`,
        '',
      ),
      row(
        `next channel after its second, p50 / max of ${notices.fallback.n}`,
        `${ms(notices.fallback.p50)} / ${ms(notices.fallback.max)} ms`,
        '≤ 1,000 ms',
      ),
      row(
        `storm: ${storm.notices.toLocaleString('en')} notices, a fifth of the calls to vendors fails, one kill -9 of the process: lost / still owed; time`,
        `${storm.lost} / ${storm.owed}; ${storm.seconds.toFixed(0)} s`,
        '0 lost',
      ),
      row(
        'the same: one attempt twice on a phone; a notice twice by one vendor; further messages by their reason',
        `${storm.repeated}; ${counted(storm.sameVendor)}; ${counted(storm.doubled)}`,
        '0 attempts twice',
      ),
    );
  }
  if (reading)
    lines.push(
      row(
        `classify ${reading.text.n} texts of 500 characters, p50 / p99`,
        `${ms(reading.text.p50)} / ${ms(reading.text.p99)} ms`,
        '≤ 1 / ≤ 5 ms',
      ),
      row('the same: model and indexes, once per process', `${ms(reading.open)} ms`, ''),
      row(
        'the same: hostile texts',
        reading.hostile.map((one) => `${one.what} ${ms(one.ms)} ms`).join(' · '),
        '',
      ),
    );
  if (cost) {
    lines.push(
      row(
        'state transitions of an incident without a breach',
        cost.map((one) => `${one.district} ${one.units.transitions.toFixed(0)}`).join(' · '),
        '≤ 10',
      ),
    );
  }
  if (cold) {
    lines.push(
      '',
      row('Bundle', 'KB', 'KB gzipped', 'Cold load, median of 8'),
      row('---', '---:', '---:', '---:'),
    );
    for (const one of cold)
      lines.push(row(one.verb, one.kb.toFixed(0), one.gzKb.toFixed(0), `${one.loadMs.toFixed(0)} ms`));
  }
  if (cost) lines.push(...costTable(cost));
  return lines.join('\n');
};

const costTable = (cost: CostResult[]): string[] => {
  const lines = [
    '',
    `Per incident from the call to the call-back, every rung done in time, ${cost[0]?.incidents ?? 0} incidents each; US dollars per 1,000 incidents in brackets. Writes in transactions count twice, index writes once; a warm call of 30 ms at 512 MB and three requests per message are assumed; people looking at pages, the reconcile that runs by the minute, idle polling, keys and texts are left out.`,
    '',
    row('Per incident', ...cost.map((one) => one.district), 'Unit price', 'Source'),
    row('---', ...cost.map(() => '---:'), '---', '---'),
  ];
  for (const what of PAID) {
    const price = PRICES[what];
    const amount = (units: number) =>
      what === 'logs'
        ? `${((units * 1e9) / 1000).toFixed(1)} KB`
        : what === 'compute'
          ? units.toFixed(2)
          : units.toFixed(1);
    lines.push(
      row(
        `${price.what}: ${what === 'logs' ? 'written' : price.unit}`,
        ...cost.map((one) => `${amount(one.units[what])} (${dollars(one.dollarsPerThousand[what])})`),
        `$${price.dollars} per ${price.per === 1 ? '' : 'million '}${price.unit}`,
        `${price.source}, ${price.read}`,
      ),
    );
  }
  lines.push(
    row('**all, per 1,000 incidents**', ...cost.map((one) => `**${dollars(one.totalPerThousand)}**`), '', ''),
  );
  return lines;
};

const USAGE = `npm run bench -- [--quick] [--only ${PARTS.join(',')}] [--json FILE]`;

const readOptions = () =>
  parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      json: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  }).values;

const refuse = (sentence: string): void => {
  console.error(`${sentence} Write ${USAGE}`);
  process.exitCode = 2;
};

const help = (): string => `${USAGE}

Measures the system on this machine and prints the table of the README. It works in a copy below the system's directory
for temporary files and removes it at the end.

  --quick       runs of ${QUICK_SECONDS} s instead of ${SECONDS} s
  --only PARTS  some of ${PARTS.join(', ')}, with commas between
  --json FILE   writes the figures there as well

Exit code 1: something was lost or came twice.`;

const main = async (): Promise<void> => {
  let values: ReturnType<typeof readOptions>;
  try {
    values = readOptions();
  } catch (error) {
    const [what = ''] = (error instanceof Error ? error.message : '').split('. ');
    return refuse(`${what}.`);
  }
  if (values.help) return console.log(help());
  const wanted = values.only === undefined ? [...PARTS] : values.only.split(',');
  const parts = new Set(PARTS.filter((name) => wanted.includes(name)));
  if (parts.size !== new Set(wanted).size)
    return refuse(`--only takes some of ${PARTS.join(',')}, not '${values.only}'.`);
  const results = await measure(parts, values.quick ? QUICK_SECONDS : SECONDS);
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
  console.log(report(results));
  const runs = [results.calls20, results.calls100, results.highest?.held].filter((one) => one !== undefined);
  if (
    runs.some((one) => one.lost > 0 || one.doubled > 0) ||
    (results.rungs?.missed ?? 0) > 0 ||
    (results.notices?.storm.lost ?? 0) + (results.notices?.storm.repeated ?? 0) > 0
  ) {
    console.error('Something was lost or came twice.');
    process.exitCode = 1;
  }
};

if (import.meta.main) await main();
