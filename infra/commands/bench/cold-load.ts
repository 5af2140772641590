import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { percentile } from './figures.ts';

/** One bundle: how big, and how long a fresh process takes to load it. */
export interface ColdLoad {
  verb: string;
  /** Of the code, KB of 1,000 bytes; the district data lie beside it. */
  kb: number;
  gzKb: number;
  /** Median, ms. */
  loadMs: number;
}

const ROUNDS = 8;
const LOAD = `
const began = performance.now();
const { handler } = await import(process.argv[1]);
if (typeof handler !== 'function') throw new Error('no handler');
process.stdout.write(String(performance.now() - began));
process.exit(0);
`;

const run = promisify(execFile);

/** Everything any function may be told; nothing listens there, and loading calls nothing. */
const environment = (district: string, taskRoot: string): NodeJS.ProcessEnv => ({
  DISTRICT: district,
  STAGE: 'bench',
  TABLE_NAME: 'bench',
  SECRET_ID: 'bench',
  REPORTS_QUEUE_URL: 'http://127.0.0.1:9/reports',
  LINKS_QUEUE_URL: 'http://127.0.0.1:9/links',
  ALERTS_QUEUE_URL: 'http://127.0.0.1:9/alerts',
  CHATTER_QUEUE_URL: 'http://127.0.0.1:9/chatter',
  SWEEPS_QUEUE_URL: 'http://127.0.0.1:9/sweeps',
  STATE_MACHINE_ARN: 'arn:aws:states:us-east-1:000000000000:stateMachine:bench',
  VENDORS_URL: 'http://127.0.0.1:9/',
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'bench',
  AWS_SECRET_ACCESS_KEY: 'bench',
  AWS_LAMBDA_FUNCTION_NAME: 'bench',
  LAMBDA_TASK_ROOT: taskRoot,
});

/** Loads every bundle under `dist` eight times, each in a process of its own and without a compile cache. */
export const measureColdLoad = async (dist: string, district: string): Promise<ColdLoad[]> => {
  const loads: ColdLoad[] = [];
  for (const verb of readdirSync(dist).sort()) {
    const file = join(dist, verb, 'index.mjs');
    if (!existsSync(file)) continue;
    const code = readFileSync(file);
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const { stdout } = await run(process.execPath, ['--input-type=module', '-e', LOAD, file], {
        env: environment(district, join(dist, verb)),
      });
      times.push(Number(stdout));
    }
    loads.push({
      verb,
      kb: code.length / 1000,
      gzKb: gzipSync(code).length / 1000,
      loadMs: percentile(times, 50),
    });
  }
  return loads;
};
