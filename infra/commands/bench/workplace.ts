import { type ChildProcess, spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import * as z from 'zod';
import { vendorsSchema } from '#shared/domain/vendors.ts';
import { generateDistrict } from '../generate-districts.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const SOURCES = ['functions', 'infra', 'shared', 'package.json', 'package-lock.json', 'cdk.json'];
/** The bench's districts have at least so many people. */
const MEMBERS = 1_000;
const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 20_000;

/** What must not outlive the bench when that is interrupted: systems and copies. */
const leftovers = new Set<() => void>();
const leave = (code: number) => {
  for (const end of leftovers) end();
  process.exit(code);
};
process.once('SIGINT', () => leave(130));
process.once('SIGTERM', () => leave(143));

/**
 * A copy of the sources in a temporary directory, with nothing built, rosters of at least a thousand and vendors without limits. What is
 * measured there is what a fresh clone does, and nobody who edits meanwhile changes it.
 */
export interface Workplace {
  directory: string;
  remove(): void;
}

/** Makes the copy. @param districts whose rosters are enlarged */
export const makeWorkplace = (districts: readonly string[]): Workplace => {
  const directory = mkdtempSync(join(tmpdir(), 'xiaonao-bench-'));
  for (const name of SOURCES) cpSync(join(ROOT, name), join(directory, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
  const data = join(directory, 'shared/districts');
  for (const district of districts)
    writeFileSync(
      join(data, district, 'roster.sample.csv'),
      generateDistrict(data, district, MEMBERS)['roster.sample.csv'],
    );
  // A vendor lets a number have fifty texts a day, and what they cost would stop chatter: the system is measured here, not its vendors.
  const table = join(data, 'vendors.json');
  const { vendors, ...rest } = vendorsSchema.parse(JSON.parse(readFileSync(table, 'utf8')));
  const unlimited = Object.fromEntries(
    Object.entries(vendors).map(([name, facts]) => [
      name,
      { ...facts, limits: [], price: { ...facts.price, milli: 0 } },
    ]),
  );
  writeFileSync(table, JSON.stringify({ ...rest, vendors: unlimited }));
  const remove = () => {
    leftovers.delete(remove);
    rmSync(directory, { recursive: true, force: true });
  };
  leftovers.add(remove);
  return { directory, remove };
};

const readySchema = z.object({
  url: z.url(),
  phonesUrl: z.url(),
  webhookSecret: z.string(),
  tokens: z.record(z.string(), z.string()),
  members: z.array(z.object({ id: z.string(), role: z.string(), phone: z.string() })),
});
type Ready = z.infer<typeof readySchema>;

/** A running system in a process of its own. */
export interface System extends Ready {
  /** Its data directory. */
  data: string;
  /** From the call of npm start to its being ready, ms. */
  startMs: number;
  /** Memory of the process and its engines, MB: now, and at most. */
  memory(): { now: number; most: number };
  /** Lines it wrote to stderr. */
  complaints(): string[];
  /** Processor seconds used so far by the process and its engines. */
  cpuSeconds(): number;
  stop(): Promise<void>;
}

const READY = / is ready after /;

/** Starts a district as `npm start -- --no-demo` does, on a data directory below the workplace. */
export const startSystem = async (
  workplace: Workplace,
  options: { district: string; data: string },
): Promise<System> => {
  const data = join(workplace.directory, options.data);
  const began = performance.now();
  const child = spawn(
    process.execPath,
    [
      join(workplace.directory, 'infra/local/main.ts'),
      '--no-demo',
      `--district=${options.district}`,
      '--port=0',
      '--phones-port=0',
      `--data=${data}`,
    ],
    { cwd: workplace.directory, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  // It ends its engines itself when it is killed.
  const kill = () => void child.kill('SIGKILL');
  leftovers.add(kill);
  child.once('exit', () => leftovers.delete(kill));
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  await readyLine(child, () => errors);
  const startMs = performance.now() - began;
  const ready = readySchema.parse(JSON.parse(readFileSync(join(data, 'ready.json'), 'utf8')));
  return {
    ...ready,
    data,
    startMs,
    memory: () => {
      const family = familyOf(child.pid ?? 0).map(statusOf);
      const sum = (name: 'VmRSS' | 'VmHWM') =>
        family.reduce((n, status) => n + (status[name] ?? 0), 0) / 1024;
      return { now: sum('VmRSS'), most: sum('VmHWM') };
    },
    cpuSeconds: () => familyOf(child.pid ?? 0).reduce((n, pid) => n + cpuOf(pid), 0),
    complaints: () => errors.split('\n').filter((line) => line !== ''),
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = new Promise<void>((done) => child.once('exit', () => done()));
      child.kill('SIGTERM');
      const impatient = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
      await gone;
      clearTimeout(impatient);
    },
  };
};

const readyLine = (child: ChildProcess, errors: () => string): Promise<void> =>
  new Promise((done, fail) => {
    let said = '';
    const limit = setTimeout(() => {
      child.kill('SIGKILL');
      fail(new Error(`The system was not ready within ${START_LIMIT_MS / 1000} s. It said: ${errors()}`));
    }, START_LIMIT_MS);
    child.stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (!READY.test(said)) return;
      clearTimeout(limit);
      done();
    });
    child.once('exit', (code) => {
      clearTimeout(limit);
      fail(new Error(`The system ended with code ${code}. It said: ${errors()}`));
    });
  });

/** A process and all that descend from it, as Linux tells; elsewhere none, and the figures stay empty. */
const familyOf = (root: number): number[] => {
  if (!existsSync('/proc/self/stat')) return [];
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const parent = Number(statOf(pid)[1]);
    children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const family = [root];
  for (const pid of family) family.push(...(children.get(pid) ?? []));
  return family;
};

/** Fields of /proc/<pid>/stat after the name: state, parent … */
const statOf = (pid: number): string[] => {
  const text = readProc(pid, 'stat');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
};

/** User and system time, seconds; Linux counts in hundredths. */
const cpuOf = (pid: number): number => {
  const fields = statOf(pid);
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / 100;
};

const statusOf = (pid: number): Record<string, number> =>
  Object.fromEntries(
    [...readProc(pid, 'status').matchAll(/^(\w+):\s+(\d+) kB$/gm)].map(([, name = '', kb]) => [
      name,
      Number(kb),
    ]),
  );

const readProc = (pid: number, file: string): string => {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return ''; // gone meanwhile
  }
};
