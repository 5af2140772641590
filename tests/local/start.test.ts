import { type ChildProcess, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test, vi } from 'vitest';
import * as z from 'zod';
import { readArguments, WrongArguments } from '../../infra/local/main.ts';
import { listDistricts } from '../../shared/districts/load.ts';
import { temporaryDirectory } from './cloud/stack.ts';

const MAIN = join(import.meta.dirname, '../../infra/local/main.ts');
const start = (...args: string[]) =>
  spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });

/** Resolves when the process has said this, or rejects with all it said when it ends before. */
function says(child: ChildProcess, what: string): Promise<void> {
  let said = '';
  return new Promise((resolve, reject) => {
    child.stdout?.on('data', (chunk) => {
      said += String(chunk);
      if (said.includes(what)) resolve();
    });
    child.stderr?.on('data', (chunk) => (said += String(chunk)));
    child.once('exit', () => reject(new Error(said)));
  });
}

const readySchema = z.object({
  url: z.string().startsWith('http://127.0.0.1:'),
  phonesUrl: z.string().startsWith('http://127.0.0.1:'),
  district: z.string(),
  webhookSecret: z.string().startsWith('whsec_'),
  tokens: z.record(z.string(), z.string()),
  members: z
    .array(z.object({ id: z.string(), name: z.string(), role: z.string(), phone: z.string() }))
    .nonempty(),
});

test('a start tells where everything is, keeps a second one out, and stops cleanly with nothing left behind', async () => {
  await using home = await temporaryDirectory();
  const args = ['--port', '0', '--phones-port', '0', '--data', home.path, '--no-demo'];
  const first = start(...args);
  await says(first, 'is ready after');
  const file = join(home.path, 'ready.json');
  const ready = readySchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(ready.district).toBe(listDistricts()[0]);
  expect(new Set(Object.keys(ready.tokens))).toEqual(new Set(['desk', ...ready.members.map(({ id }) => id)]));
  const roster = await fetch(`${ready.url}/api/roster`, {
    headers: { authorization: `Bearer ${ready.tokens['desk']}` },
  });
  expect(roster.status).toBe(200);
  expect((await fetch(ready.phonesUrl, { headers: { accept: 'application/json' } })).status).toBe(200);

  const second = start(...args);
  const complaint = text(second.stderr);
  expect(await once(second, 'exit')).toEqual([1, null]);
  expect(await complaint).toContain(`is in use by process ${first.pid}.`);

  // A report in GBK, signed over its very bytes, reaches the function as these bytes: it can say what is wrong with it.
  const gbk = Buffer.concat([Buffer.from('{"address":"'), Buffer.of(0xc4, 0xe3), Buffer.from('"}')]);
  const at = String(Math.floor(Date.now() / 1000));
  const key = Buffer.from(ready.webhookSecret.slice('whsec_'.length), 'base64');
  const report = await fetch(`${ready.url}/webhooks/110`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'webhook-id': 'msg_gbk',
      'webhook-timestamp': at,
      'webhook-signature': `v1,${createHmac('sha256', key).update(`msg_gbk.${at}.`).update(gbk).digest('base64')}`,
    },
    body: gbk,
  });
  expect([report.status, await report.json()]).toMatchObject([400, { error: { code: 'not_json' } }]);
  const rejected = await fetch(`${ready.url}/api/rejected`, {
    headers: { authorization: `Bearer ${ready.tokens['desk']}` },
  });
  expect(await rejected.json()).toMatchObject({ items: [{ status: 400, bytes: gbk.length }] });

  const goodbye = text(first.stdout);
  first.kill('SIGTERM');
  expect(await once(first, 'exit')).toEqual([0, null]);
  expect(await goodbye).toContain(`Stopped. Everything is kept in ${home.path}.\n`);
  await expect(fetch(ready.url)).rejects.toThrow();

  const other = listDistricts()[1] ?? '';
  const third = start(...args, '--district', other);
  const refusal = text(third.stderr);
  expect(await once(third, 'exit')).toEqual([1, null]);
  expect(await refusal).toContain(`holds the district ${ready.district}`);
});

/** Processes whose command line names this text, by /proc; a zombie has none. */
function processesWith(text: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text);
    } catch {
      return false; // gone since the listing
    }
  });
}

test('when npm is killed everything it started ends in order, and the next start goes on with the same data', async () => {
  await using home = await temporaryDirectory();
  const args = ['--port', '0', '--phones-port', '0', '--data', home.path, '--no-demo'];
  // Stands for npm: starts the system with npm's mark in its environment, and waits.
  const npm = `require('node:child_process').spawn(process.execPath, process.argv.slice(1), { stdio: 'inherit' })`;
  const parent = spawn(process.execPath, ['-e', npm, MAIN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, npm_lifecycle_event: 'start' },
  });
  let said = '';
  parent.stdout.on('data', (chunk) => (said += String(chunk)));
  await says(parent, 'is ready after');
  expect(processesWith(home.path).length).toBeGreaterThan(2); // npm's stand-in, the system, its engine and the guard
  parent.kill('SIGKILL');
  await vi.waitUntil(() => processesWith(home.path).length === 0, { timeout: 10_000, interval: 50 });
  expect(said).toContain('Stopped. Everything is kept in');

  const next = start(...args);
  await says(next, 'is ready after');
  next.kill('SIGTERM');
  expect(await once(next, 'exit')).toEqual([0, null]);
});

test.each([
  ['a file', (home: string) => join(home, 'file'), 'it is a file'],
  ['below a file', (home: string) => join(home, 'file/below'), 'ENOTDIR'],
  ['where the kernel lets nobody make a directory', () => '/proc/xiaonao/data', 'ENOENT'],
])('--data %s ends with exit code 2 and one sentence', async (_, place, why) => {
  await using home = await temporaryDirectory();
  writeFileSync(join(home.path, 'file'), '');
  const child = start('--data', place(home.path));
  const complaint = text(child.stderr);
  expect(await once(child, 'exit')).toEqual([2, null]);
  expect(await complaint).toMatch(/^Nothing can be kept in .* with --data\.\n$/);
  expect(await complaint).toContain(why);
});

test('--help tells every option and starts nothing', async () => {
  const child = start('--help');
  const help = text(child.stdout);
  expect(await once(child, 'exit')).toEqual([0, null]);
  for (const option of ['--district', '--port', '--phones-port', '--data', '--no-demo', '--speed'])
    expect(await help).toContain(`\n  ${option} `);
});

test('a wrong command line ends with exit code 2 and one sentence', async () => {
  const child = start('--district', 'nowhere');
  const complaint = text(child.stderr);
  expect(await once(child, 'exit')).toEqual([2, null]);
  expect(await complaint).toBe(
    `There is no district 'nowhere'. Choose one of ${listDistricts().join(', ')} with --district.\n`,
  );
});

test.each([
  [['--port', 'http'], "--port takes a number from 0 (any free port) to 65535, not 'http'."],
  [['--phones-port', '65536'], "--phones-port takes a number from 0 (any free port) to 65535, not '65536'."],
  [['--speed', '0'], '--speed takes a number from 0.1 to 3600'],
  [['--speed', 'fast'], '--speed takes a number from 0.1 to 3600'],
  [['--data', ' '], '--data needs the name of a directory'],
  [['--prot', '1'], "Unknown option '--prot'"],
  [['demo'], 'demo'],
  [['--port'], '--port'],
])('%j is answered with a sentence that helps', (args, sentence) => {
  expect(() => readArguments(args)).toThrow(WrongArguments);
  expect(() => readArguments(args)).toThrow(sentence);
});

test('without arguments the documented defaults hold', () => {
  expect(readArguments([])).toEqual({
    district: listDistricts()[0],
    port: 8110,
    phonesPort: 8111,
    data: '.xiaonao',
    speed: 1,
    demo: true,
  });
});
