import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { SendTaskSuccessCommand, SFNClient } from '@aws-sdk/client-sfn';
import { CfnResource } from 'aws-cdk-lib';
import * as z from 'zod';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createClock } from '../../infra/local/clock.ts';
import { type Cloud, type CloudOptions, startCloud } from '../../infra/local/cloud.ts';
import { synthesize, temporaryDirectory } from './cloud/stack.ts';

const MORNING = Date.parse('2026-01-05T08:00:00Z');
const SECOND = 1_000;
const MINUTE = 60 * SECOND;

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let assembly: string;
beforeAll(async () => {
  directory = await temporaryDirectory();
  assembly = await synthesize(directory.path);
});
afterAll(() => directory[Symbol.asyncDispose]());

/** A cloud on a frozen clock, stopped at the end of the test. */
async function cloudOn(data: string, options: Partial<CloudOptions> = {}): Promise<Cloud & AsyncDisposable> {
  const clock = options.clock ?? createClock({ at: MORNING, speed: 0 });
  const cloud = await startCloud({
    assembly,
    stack: 'Small',
    data,
    port: 0,
    secret: { of: 'the first start' },
    clock,
    ...options,
  });
  return {
    ...cloud,
    [Symbol.asyncDispose]: async () => {
      await cloud.stop();
      clock.stop();
    },
  };
}

const post = (url: string, body: unknown) =>
  fetch(`${url}/things`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });

const itemSchema = z
  .record(z.string(), z.object({ S: z.string().optional(), N: z.string().optional() }))
  .nullable();

/** What the table holds of a thing: attribute by attribute, numbers as numbers. */
async function thing(url: string, id: string): Promise<Record<string, string | number>> {
  const item = itemSchema.parse(await (await fetch(`${url}/things/${id}`)).json());
  return Object.fromEntries(Object.entries(item ?? {}).map(([name, { S, N }]) => [name, S ?? Number(N)]));
}

/** Tells whether something becomes so before the test ends, looking again after each real 20 ms. */
async function becomes<T>(look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('the way of an event', () => {
  test('a request runs through function, queue, function and table, once', async () => {
    await using home = await temporaryDirectory();
    await using cloud = await cloudOn(home.path);
    const response = await post(cloud.url, { id: 'a' });
    expect([response.status, await response.json()]).toEqual([202, { id: 'a' }]);
    await cloud.settle();
    expect(await thing(cloud.url, 'a')).toMatchObject({
      stored: 1,
      done: 1,
      storedAt: MORNING,
      doneAt: MORNING,
    });
    expect(cloud.queue('Work')).toEqual({ depth: 0, delayed: 0, dead: 0 });
  });

  test('one bad message of a batch goes to the dead-letter queue, its neighbours are done once', async () => {
    await using home = await temporaryDirectory();
    await using cloud = await cloudOn(home.path);
    const ids = Array.from({ length: 12 }, (_, i) => `n${i}`);
    await Promise.all(ids.map((id) => post(cloud.url, { id, mode: id === 'n5' ? 'fail' : 'go' })));
    await cloud.settle();
    const done = await Promise.all(ids.map(async (id) => (await thing(cloud.url, id))['done']));
    expect(done).toEqual(ids.map((id) => (id === 'n5' ? undefined : 1)));
    expect(cloud.queue('Work')).toEqual({ depth: 0, delayed: 0, dead: 1 });
  });

  test('a function that dies after its write and before its send leaves the write; its caller gets a 500 of the gateway', async () => {
    await using home = await temporaryDirectory();
    await using cloud = await cloudOn(home.path);
    cloud.injectFunctionCrash('Door', { at: { call: 'AmazonSQS.SendMessage' } });
    const response = await post(cloud.url, { id: 'torn' });
    expect([response.status, await response.json()]).toEqual([500, { message: 'Internal Server Error' }]);
    expect((await post(cloud.url, { id: 'whole' })).status).toBe(202);
    await cloud.settle();
    expect(await thing(cloud.url, 'torn')).toEqual({ pk: 'torn', stored: 1, storedAt: MORNING });
    expect(await thing(cloud.url, 'whole')).toMatchObject({ stored: 1, done: 1 });
  });

  test('the front follows the routes, hands binary over as base64, throttles, and cuts off what is too long', async () => {
    await using home = await temporaryDirectory();
    await using cloud = await cloudOn(home.path);
    const unknown = await fetch(`${cloud.url}/nowhere`, {
      method: 'POST',
      body: '你好',
      headers: { 'content-type': 'text/plain' },
    });
    expect([unknown.status, await unknown.json()]).toEqual([
      404,
      { error: { code: 'not_found', body: '你好', base64: false } },
    ]);
    const binary = await fetch(`${cloud.url}/nowhere`, {
      method: 'POST',
      body: Buffer.of(0, 255),
      headers: { 'content-type': 'image/png' },
    });
    expect(await binary.json()).toEqual({ error: { code: 'not_found', body: 'AP8=', base64: true } });
    // «你» in GBK, called text.
    const foreign = await fetch(`${cloud.url}/nowhere`, {
      method: 'POST',
      body: Buffer.of(0xc4, 0xe3),
      headers: { 'content-type': 'application/json' },
    });
    expect(await foreign.json()).toEqual({ error: { code: 'not_found', body: 'xOM=', base64: true } });
    const limited = [];
    for (let i = 0; i < 3; i += 1)
      limited.push((await fetch(`${cloud.url}/limited`, { method: 'PUT' })).status);
    expect(limited).toEqual([404, 404, 429]);
    const long = await fetch(`${cloud.url}/things`, {
      method: 'POST',
      body: Buffer.alloc(10 * 1024 * 1024 + 1),
    });
    expect([long.status, await long.json()]).toEqual([413, { message: 'Request Entity Too Large' }]);
  });

  test('a function out of time is ended and the next caller is served', async () => {
    await using home = await temporaryDirectory();
    await using cloud = await cloudOn(home.path);
    await expect(cloud.invoke('Door', { routeKey: 'GET /slow' })).rejects.toMatchObject({
      errorType: 'Sandbox.Timedout',
    });
    expect((await fetch(`${cloud.url}/clock`)).status).toBe(200);
  });

  test('functions see the virtual instant and their own environment only', async () => {
    await using home = await temporaryDirectory();
    await using cloud = await cloudOn(home.path);
    await cloud.advance(MORNING + 90 * MINUTE, { passes: 1 });
    expect(await (await fetch(`${cloud.url}/clock`)).json()).toEqual({
      now: MORNING + 90 * MINUTE,
      made: MORNING + 90 * MINUTE,
      fixed: '1970-01-01T00:00:00.000Z',
      isDate: true,
      region: 'us-east-1',
      home: null,
    });
    expect(await (await fetch(`${cloud.url}/secret`)).json()).toEqual({ of: 'the first start' });
  });
});

describe('waiting', () => {
  test('a token in time ends the wait; without one it ends to the second', async () => {
    await using home = await temporaryDirectory();
    await using cloud = await cloudOn(home.path);
    await post(cloud.url, { id: 'answered', mode: 'watch', seconds: 60 });
    await post(cloud.url, { id: 'missed', mode: 'watch', seconds: 60 });
    await cloud.settle();
    const workflows = new SFNClient({
      endpoint: cloud.endpoints.sfn,
      region: 'local',
      credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
    });
    await cloud.advance(MORNING + 59_999);
    const { token } = await thing(cloud.url, 'answered');
    await workflows.send(new SendTaskSuccessCommand({ taskToken: String(token), output: '{}' }));
    await cloud.settle();
    expect(await thing(cloud.url, 'missed')).not.toHaveProperty('missed');
    await cloud.advance(MORNING + 10 * MINUTE);
    expect(await thing(cloud.url, 'missed')).toMatchObject({ missed: 1, missedAt: MORNING + 60 * SECOND });
    expect(await thing(cloud.url, 'answered')).not.toHaveProperty('missed');
    workflows.destroy();
  });

  test('the schedule beats on whole minutes of the virtual clock, each one or as few as asked for', async () => {
    await using home = await temporaryDirectory();
    await using cloud = await cloudOn(home.path, {
      clock: createClock({ at: MORNING - 10 * SECOND, speed: 0 }),
    });
    await cloud.advance(MORNING + 4 * MINUTE);
    expect(await thing(cloud.url, 'beat')).toMatchObject({ missed: 5, missedAt: MORNING + 4 * MINUTE });
    await cloud.advance(MORNING + 100 * MINUTE + 1, { passes: 2 });
    expect(await thing(cloud.url, 'beat')).toMatchObject({ missed: 7, missedAt: MORNING + 6 * MINUTE });
    await cloud.advance(MORNING + 101 * MINUTE);
    expect(await thing(cloud.url, 'beat')).toMatchObject({ missed: 8, missedAt: MORNING + 101 * MINUTE });
  });

  test('waits, messages, secret and items outlive a restart on the same data', async () => {
    await using home = await temporaryDirectory();
    {
      await using cloud = await cloudOn(home.path);
      await post(cloud.url, { id: 'kept', mode: 'watch', seconds: 120 });
      await cloud.settle();
    }
    const clock = createClock({ at: MORNING + 30 * SECOND, speed: 0 });
    await using cloud = await cloudOn(home.path, { clock, secret: { of: 'the second start' } });
    expect(cloud.secret).toEqual({ of: 'the first start' });
    await cloud.advance(MORNING + 3 * MINUTE);
    expect(await thing(cloud.url, 'kept')).toMatchObject({
      stored: 1,
      done: 1,
      missed: 1,
      missedAt: MORNING + 120 * SECOND,
    });
  });
});

const templateSchema = z.object({ Resources: z.record(z.string(), z.unknown()) });

describe('what stands around it', () => {
  test('a resource of an unknown type stops the start with a sentence that names it', async () => {
    await using home = await temporaryDirectory();
    const strange = await synthesize(home.path, (stack) => {
      // oxlint-disable-next-line no-new -- a construct attaches itself to its scope
      new CfnResource(stack, 'Pool', { type: 'AWS::Cognito::UserPool' });
    });
    await expect(cloudOn(join(home.path, 'data'), { assembly: strange })).rejects.toThrow(
      /Pool \(AWS::Cognito::UserPool\)/,
    );
  });

  test('what is left out is told with its reason', async () => {
    await using home = await temporaryDirectory();
    await using cloud = await cloudOn(home.path);
    const template = readFileSync(join(assembly, 'Small.template.json'), 'utf8');
    expect(cloud.resources.inert).toContainEqual({
      type: 'AWS::IAM::Role',
      count: 3,
      why: 'permissions are not checked here',
    });
    expect(
      cloud.resources.run.length + cloud.resources.inert.reduce((sum, { count }) => sum + count, 0),
    ).toBe(Object.keys(templateSchema.parse(JSON.parse(template)).Resources).length);
  });

  test('a second start on the same data is refused with the process id, and allowed after the first has gone', async () => {
    await using home = await temporaryDirectory();
    {
      await using first = await cloudOn(home.path);
      expect(first.url).toMatch(/^http:\/\/127\.0\.0\.1:/);
      await expect(cloudOn(home.path)).rejects.toThrow(`in use by process ${process.pid}.`);
    }
    await using again = await cloudOn(home.path);
    expect((await fetch(`${again.url}/clock`)).status).toBe(200);
  });

  test('a port in use is said in a sentence', async () => {
    await using one = await temporaryDirectory();
    await using two = await temporaryDirectory();
    await using cloud = await cloudOn(one.path);
    const port = Number(new URL(cloud.url).port);
    await expect(cloudOn(two.path, { port })).rejects.toThrow(`Port ${port} is in use.`);
  });

  test('secrets and directories are for their owner only', async () => {
    await using home = await temporaryDirectory();
    const data = join(home.path, 'data');
    await using cloud = await cloudOn(data);
    expect(cloud.secret).toEqual({ of: 'the first start' });
    expect(statSync(join(data, 'secrets.json')).mode & 0o777).toBe(0o600);
    expect(statSync(data).mode & 0o777).toBe(0o700);
  });
});

const childSchema = z.object({ url: z.string(), engine: z.number() });

describe('kill -9', () => {
  test('loses nothing acknowledged, leaves no orphan, and waits go on at their old deadline', async () => {
    await using home = await temporaryDirectory();
    const data = join(home.path, 'data');
    const child = spawn(process.execPath, [join(import.meta.dirname, 'cloud/child.ts'), assembly, data], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    const { url, engine } = childSchema.parse(JSON.parse((await lines.next()).value ?? '{}'));

    // Post until the process is gone, and remember every 202.
    const acknowledged: string[] = [];
    const posting = Array.from({ length: 4 }, async (_, lane) => {
      for (let i = 0; ; i += 1) {
        const id = `${lane}-${i}`;
        const response = await post(url, { id, mode: 'watch', seconds: 300 }).catch(() => undefined);
        if (response?.status !== 202) return;
        acknowledged.push(id);
        if (acknowledged.length === 60) child.kill('SIGKILL');
      }
    });
    await Promise.all([...posting, once(child, 'exit')]);
    expect(acknowledged.length).toBeGreaterThanOrEqual(60);
    await becomes(async () => ((await groupOf(engine)).length === 0 ? true : undefined));

    const clock = createClock({ at: Date.now(), speed: 0 });
    await using cloud = await cloudOn(data, { clock });
    await cloud.settle();
    expect(cloud.queue('Work')).toEqual({ depth: 0, delayed: 0, dead: 0 });
    const after = await Promise.all(acknowledged.map((id) => thing(cloud.url, id)));
    // A message may come twice, as from SQS; the workflow's name lets it start once.
    expect(after.filter(({ stored, done }) => stored !== 1 || !(Number(done) >= 1))).toEqual([]);
    const due = Math.max(...after.map(({ doneAt }) => Number(doneAt))) + 300 * SECOND;
    await cloud.advance(due, { passes: 1 });
    const missed = await Promise.all(acknowledged.map((id) => thing(cloud.url, id)));
    expect(missed.filter((item) => item['missed'] !== 1)).toEqual([]);
  });
});

/** The living processes of a process group. */
async function groupOf(group: number): Promise<string[]> {
  const alive: string[] = [];
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
      if (Number(fields[2]) === group && fields[0] !== 'Z')
        alive.push(await readlink(`/proc/${pid}/exe`).catch(() => pid));
    } catch {
      // It ended while we looked.
    }
  }
  return alive;
}
