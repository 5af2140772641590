// npm start: one district on one machine, with no account, no docker and no network. Set-up and main job in one command.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { DistrictSecret } from '#shared/contracts/secret.ts';
import { listDistricts, loadTexts } from '#shared/districts/load.ts';
import type { Member } from '#shared/domain/roster.ts';
import { bundle } from '../bundle.ts';
import { firstSecret, issueTokens, loadRoster, phoneLabel, readSecret } from '../commands/first-start.ts';
import { readyForCommands, type ReadyForCommands } from '../commands/ready.ts';
import { type Clock, openClock } from './clock.ts';
import { type Cloud, type CloudOptions, startCloud } from './cloud.ts';
import type { Demo } from './demo.ts';
import { PortInUse } from './http.ts';
import { closeAll } from './close-all.ts';
import { isDiskTrouble } from './disk.ts';
import { DataDirectoryInUse, DataDirectoryUnusable, lockDataDirectory } from './lock.ts';
import { keepPace } from './pace.ts';
import { type Phones, startPhones } from './phones/phones.ts';
import { sampleAccounts } from './phones/sample-accounts.ts';
import { TemplateError } from './template.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const ASSEMBLIES = join(ROOT, 'cdk.out/local');
/** Older assemblies stay a while: a running system still loads its functions from there. */
const KEPT_ASSEMBLIES = 4;
/** The emulated vendor's one customer. Worthless elsewhere. */
const VENDOR_ACCOUNT = { accessKeyId: 'sample-key-id', accessKeySecret: 'sample-key-secret' };
/** Tokens of a local system outlive any demo, also a sped-up one. */
const TOKEN_HOURS = 24 * 365;

/** What a start can be told. */
export interface LocalOptions {
  district: string;
  /** Port of the API; 0 takes any. */
  port: number;
  /** Port of the phones; 0 takes any. */
  phonesPort: number;
  data: string;
  /** Virtual seconds per real second; `clock` instead for a clock of one's own. */
  speed?: number;
  clock?: Clock;
  /** Default: synthesized now. */
  assembly?: string;
  engine?: CloudOptions['engine'];
  log?: (line: string) => void;
}

/** What `ready.json` holds. */
export interface Ready extends ReadyForCommands {
  url: string;
  phonesUrl: string;
  district: string;
  webhookSecret: string;
  /** Bearer tokens by member id, and `desk`. */
  tokens: Record<string, string>;
  members: Pick<Member, 'id' | 'name' | 'role' | 'phone'>[];
  /** The virtual instant, ISO. */
  now: string;
}

/** A running district with its phones. */
export interface Local {
  cloud: Cloud;
  phones: Phones;
  clock: Clock;
  secret: DistrictSecret;
  members: Member[];
  ready: Ready;
  stop(): Promise<void>;
}

/**
 * Synthesizes the stack of a district, or of all, unless this was done for the very same sources before.
 * @returns the directory of the assembly.
 */
export async function assemble(district?: string): Promise<string> {
  await bundle();
  const name = district ?? 'all';
  const directory = join(ASSEMBLIES, `${name}-${await fingerprint()}`);
  if (existsSync(directory)) return directory;
  await mkdir(ASSEMBLIES, { recursive: true });
  const draft = `${directory}.${process.pid}`;
  // Only now: CDK takes longer to load than all else here together.
  const { buildApp } = await import('../app.ts');
  // The checks judge the template without changing it; tests and every deployment run them.
  buildApp({
    outdir: draft,
    ...(district === undefined ? {} : { districts: [district] }),
    checks: false,
  }).synth();
  await rename(draft, directory).catch(async (error: NodeJS.ErrnoException) => {
    await rm(draft, { recursive: true, force: true });
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error; // somebody else was faster
  });
  await forgetOldAssemblies(name);
  return directory;
}

async function fingerprint(): Promise<string> {
  const hash = createHash('sha256').update(await readFile(join(ROOT, 'dist/.sources.sha256')));
  const sources = (await readdir(join(ROOT, 'infra'), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter(
      (file) => !file.startsWith(join(ROOT, 'infra/local')) && !file.startsWith(join(ROOT, 'infra/commands')),
    )
    .sort();
  for (const file of [...sources, join(ROOT, 'cdk.json')])
    hash.update(relative(ROOT, file)).update(await readFile(file));
  return hash.digest('hex').slice(0, 16);
}

async function forgetOldAssemblies(of: string): Promise<void> {
  const names = (await readdir(ASSEMBLIES)).filter((name) => new RegExp(`^${of}-[0-9a-f]{16}$`).test(name));
  const dated = await Promise.all(
    names.map(async (name) => ({ name, at: (await stat(join(ASSEMBLIES, name))).mtimeMs })),
  );
  const old = dated.sort((a, b) => b.at - a.at).slice(KEPT_ASSEMBLIES);
  await Promise.all(old.map(({ name }) => rm(join(ASSEMBLIES, name), { recursive: true, force: true })));
}

/**
 * Starts a district: lock, stack, engines, phones, roster.
 * @throws DataDirectoryInUse, DataDirectoryUnusable, PortInUse, TemplateError, WrongDistrict: each a sentence for the person at the keyboard.
 */
export async function startLocal(options: LocalOptions): Promise<Local> {
  const data = resolve(options.data);
  const closing: (() => void | Promise<void>)[] = [lockDataDirectory(data)];
  const stop = () => closeAll(closing);
  try {
    await keepToOneDistrict(data, options.district);
    const assembly = options.assembly ?? (await assemble(options.district));
    const clock = options.clock ?? ownClock();
    const texts = loadTexts();
    const accounts = sampleAccounts(texts);
    const labels = new Map<string, string>();
    const phones = await startPhones({
      port: options.phonesPort,
      data,
      now: () => clock.now(),
      templates: Object.values(texts.templates),
      keys: { [VENDOR_ACCOUNT.accessKeyId]: VENDOR_ACCOUNT.accessKeySecret },
      signName: texts.signName,
      furtherSigns: texts.callers ? [texts.callers.signName] : [],
      vendors: accounts.vendors,
      label: (number) => labels.get(number),
      ...(options.log ? { log: options.log } : {}),
    }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE') throw error;
      throw new PortInUse(
        `Port ${options.phonesPort} is in use. Choose another one for the phones with --phones-port, or 0 for any.`,
      );
    });
    closing.push(() => phones.stop());
    const cloud = await startCloud({
      assembly,
      stack: `Xiaonao-${options.district}`,
      data,
      locked: true,
      port: options.port,
      clock,
      secret: firstSecret({ ...VENDOR_ACCOUNT, signName: texts.signName }, accounts.secret),
      env: { VENDORS_URL: `${phones.url}/vendors` },
      ...(options.engine ? { engine: options.engine } : {}),
      ...(options.log ? { log: options.log } : {}),
    });
    closing.push(() => cloud.stop());
    cloud.addNeighbour(phones);
    const secret = readSecret(cloud.secret);
    phones.setReceiptUrls((vendor) => `${cloud.url}/receipts/${vendor}/${secret.receiptToken}`);

    const client = new DynamoDBClient({
      endpoint: cloud.table.endpoint,
      region: 'local',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });
    closing.push(() => client.destroy());
    const now = clock.now();
    const members = await loadRoster({
      client,
      tableName: cloud.table.name,
      secret,
      district: options.district,
      now,
    });
    for (const member of members) labels.set(member.phone, phoneLabel(member));
    const ready: Ready = {
      url: cloud.url,
      phonesUrl: phones.url,
      district: options.district,
      webhookSecret: secret.webhookKeys[0] ?? '',
      tokens: await issueTokens(secret, members, { district: options.district, now, hours: TOKEN_HOURS }),
      members: members.map(({ id, name, role, phone }) => ({ id, name, role, phone })),
      now: new Date(now).toISOString(),
      ...readyForCommands(cloud),
    };
    await writePrivately(join(data, 'ready.json'), `${JSON.stringify(ready, null, 2)}\n`);
    return { cloud, phones, clock, secret, members, ready, stop };
  } catch (error) {
    await stop();
    throw error;
  }

  function ownClock(): Clock {
    const { clock, close } = openClock(join(data, 'clock.json'), options.speed ?? 1, options.log);
    closing.push(close);
    return clock;
  }
}

/** The data directory holds another district. */
export class WrongDistrict extends Error {
  override name = 'WrongDistrict';
}

/** One data directory, one district: its secret, texts and people belong together. */
async function keepToOneDistrict(data: string, district: string): Promise<void> {
  const file = join(data, 'district');
  if (!existsSync(file)) return writePrivately(file, `${district}\n`);
  const stored = readFileSync(file, 'utf8').trim();
  if (stored === district) return undefined;
  throw new WrongDistrict(
    `${data} holds the district ${stored}. Start ${stored}, or give ${district} its own directory with --data.`,
  );
}

/** Whole or not at all, and for its owner only. */
async function writePrivately(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

/** What the command line asks for. */
export interface Arguments extends Required<
  Pick<LocalOptions, 'district' | 'port' | 'phonesPort' | 'data' | 'speed'>
> {
  demo: boolean;
}

/** The command line cannot be followed; the message says what to write instead. */
export class WrongArguments extends Error {
  override name = 'WrongArguments';
}

const USAGE = `npm start -- [--district ID] [--port 8110] [--phones-port 8111] [--data .xiaonao] [--no-demo] [--speed N]`;

const help = (): string => `${USAGE}

Runs one district on this machine and plays a morning of sample calls.

  --district ID       ${listDistricts().join(', ')} (default: the first)
  --port N            port of the API, 0 for any (default: 8110)
  --phones-port N     port of the page with everybody's texts, 0 for any (default: 8111)
  --data DIRECTORY    where everything is kept between starts (default: .xiaonao)
  --no-demo           starts and waits for your calls
  --speed N           how many times as fast as life, 0.1 to 3600 (default: 1)`;

/** Reads the command line. @throws WrongArguments */
export function readArguments(args: string[]): Arguments {
  let values;
  try {
    ({ values } = parseArgs({
      args,
      strict: true,
      options: {
        district: { type: 'string' },
        port: { type: 'string', default: '8110' },
        'phones-port': { type: 'string', default: '8111' },
        data: { type: 'string', default: '.xiaonao' },
        'no-demo': { type: 'boolean', default: false },
        speed: { type: 'string', default: '1' },
      },
    }));
  } catch (error) {
    const [what = ''] = (error instanceof Error ? error.message : '').split('. ');
    throw new WrongArguments(`${what}. Write ${USAGE}`);
  }
  const known = listDistricts();
  const district = values.district ?? known[0] ?? '';
  if (!known.includes(district)) {
    throw new WrongArguments(
      `There is no district '${district}'. Choose one of ${known.join(', ')} with --district.`,
    );
  }
  if (values.data.trim() === '')
    throw new WrongArguments('--data needs the name of a directory, such as .xiaonao.');
  return {
    district,
    port: portOf('--port', values.port),
    phonesPort: portOf('--phones-port', values['phones-port']),
    data: values.data,
    speed: speedOf(values.speed),
    demo: !values['no-demo'],
  };
}

function portOf(option: string, text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new WrongArguments(`${option} takes a number from 0 (any free port) to 65535, not '${text}'.`);
}

function speedOf(text: string): number {
  const speed = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && speed >= 0.1 && speed <= 3600) return speed;
  throw new WrongArguments(
    `--speed takes a number from 0.1 to 3600 (60: a minute passes in a second), not '${text}'.`,
  );
}

function greet({ cloud, ready }: Local, { data, speed }: Arguments, tookMs: number): void {
  console.log(`Not run here, because one machine is not AWS:`);
  for (const { type, count, why } of cloud.resources.inert) console.log(`  ${count} × ${type}: ${why}`);
  console.log(
    `\n小脑 ${ready.district} is ready after ${(tookMs / 1000).toFixed(1)} s${speed === 1 ? '' : `, ${speed} times as fast as life`}.`,
  );
  console.log(`  API     ${ready.url}  (contract: ${ready.url}/openapi.json)`);
  console.log(`  Phones  ${ready.phonesUrl}  (every text that anybody gets)`);
  console.log(
    `  Keys    ${join(data, 'ready.json')}  (webhook secret, tokens, ${ready.members.length} people)`,
  );
  console.log(`  Logs    ${join(data, 'logs')}`);
  console.log(`Stop with Ctrl-C. Everything is kept in ${data}.`);
}

/** How often a start under npm looks whether npm is still there, real ms. */
const PARENT_LOOK_MS = 250;

/**
 * Calls back when npm is gone: killed by SIGKILL it cannot tell us, and whoever starts and kills npm means all of this.
 * Without npm a lost parent is nothing unusual, as behind `nohup` or a shell's `&`.
 */
function whenNpmIsGone(stop: () => void): void {
  if (process.env['npm_lifecycle_event'] === undefined) return;
  const parent = process.ppid;
  const look = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(look);
    stop();
  }, PARENT_LOOK_MS).unref();
}

/** Starts what the command line asks for and stays until it is told to stop. */
async function main(): Promise<void> {
  const started = performance.now();
  process.env.TZ = 'UTC'; // as in Lambda
  const args = process.argv.slice(2);
  if (args.includes('--help') || args.includes('-h')) return console.log(help());
  const wanted = readArguments(args);
  // Whoever read what we say may have gone, or what it goes into is full: no reason to stop.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  let local: Local | undefined;
  let demo: Demo | undefined;
  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    demo?.stop();
    try {
      await local?.stop();
      console.log(`Stopped. Everything is kept in ${wanted.data}.`);
      process.exit(0);
    } catch (error) {
      console.error(`Stopped, but not in order: ${error instanceof Error ? error.message : String(error)}`);
      process.exit(1);
    }
  };
  const starting = startLocal({ ...wanted, log: (line) => console.error(line) });
  // A start that is under way is let to its end first: half-started engines could not be stopped in order.
  const stopWhenStarted = () => void starting.then(stop, () => {});
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stopWhenStarted);
  whenNpmIsGone(stopWhenStarted);
  local = await starting;
  greet(local, wanted, performance.now() - started);
  if (wanted.demo) {
    // Only now: a start without the demo does not load it.
    const { startDemo } = await import('./demo.ts');
    const { cloud, phones, ready, clock } = local;
    const letGo = wanted.speed > 1 ? keepPace(clock, () => cloud.settle(), wanted.speed) : () => {};
    demo = startDemo({
      url: ready.url,
      phones,
      ready,
      clock,
      speed: wanted.speed,
      log: (line) => console.log(line),
      colour: process.stdout.isTTY,
    });
    void demo.done.then(letGo);
  }
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    const ofThePerson = error instanceof WrongArguments || error instanceof DataDirectoryUnusable;
    const expected =
      ofThePerson ||
      isDiskTrouble(error) ||
      [WrongDistrict, DataDirectoryInUse, PortInUse, TemplateError].some((kind) => error instanceof kind);
    console.error(expected && error instanceof Error ? error.message : error);
    process.exitCode = ofThePerson ? 2 : 1;
  }
}
