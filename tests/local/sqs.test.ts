import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SQSClient, SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Activity } from '../../infra/local/activity.ts';
import { createClock, type Clock } from '../../infra/local/clock.ts';
import { startSqs, type Sqs } from '../../infra/local/sqs.ts';

/** Years away from real time: whoever compares the two gives himself away. */
const LONG_AGO = Date.parse('2020-01-01T00:00:00Z');
const FAR_AHEAD = Date.parse('2040-01-01T00:00:00Z');
const arn = (name: string): string => `arn:aws:sqs:us-east-1:000000000000:${name}`;

let data: string;
let sqs: Sqs;
let clock: Clock;
let got: string[];
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'xiaonao-sqs-'));
});
afterEach(async () => {
  await sqs.stop();
  clock.stop();
  rmSync(data, { recursive: true });
});

const open = async (at: number): Promise<void> => {
  clock = createClock({ at, speed: 0 });
  sqs = await startSqs({ data, region: 'us-east-1', activity: new Activity(), clock });
  got = [];
  for (const [name, realDelays] of [
    ['work', false],
    ['beats', true],
  ] as const)
    sqs.ensureQueue({ name, arn: arn(name), attributes: { VisibilityTimeout: '30' }, realDelays });
};
const consume = (): void =>
  sqs.consume(arn('work'), {
    batchSize: 10,
    concurrency: 1,
    handle: async (messages) => {
      got.push(...messages.map(({ body }) => body));
      return new Set();
    },
  });
const send = async (MessageBody: string, DelaySeconds: number, name = 'work'): Promise<void> => {
  const client = new SQSClient({
    endpoint: sqs.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  await client.send(
    new SendMessageCommand({ QueueUrl: `${sqs.endpoint}/000000000000/${name}`, MessageBody, DelaySeconds }),
  );
  client.destroy();
};
/** All that the clock has set free has been taken. */
const idle = async (): Promise<void> => {
  while (sqs.depth('work').ready > 0 || sqs.depth('work').inFlight > 0)
    await new Promise((resolve) => setImmediate(resolve));
};

test.each([LONG_AGO, FAR_AHEAD])(
  'a delay passes by the clock alone (%i): not a second early, in order',
  async (begin) => {
    await open(begin);
    consume();
    await send('later', 30);
    await send('soon', 15);
    await send('now', 0);
    await idle();
    expect(got).toEqual(['now']);
    expect(clock.nextDue()).toBe(begin + 15_000);
    clock.jumpTo(begin + 14_999);
    await idle();
    expect(got).toEqual(['now']);
    clock.jumpTo(begin + 15_000);
    await idle();
    expect(got).toEqual(['now', 'soon']);
    clock.jumpTo(begin + 900_000);
    await idle();
    expect(got).toEqual(['now', 'soon', 'later']);
    expect(sqs.depth('work')).toEqual({ ready: 0, inFlight: 0, delayed: 0 });
  },
);

test.each([LONG_AGO, FAR_AHEAD])(
  'what waits outlives a restart, until its own instant (%i)',
  async (begin) => {
    await open(begin);
    await send('soon', 15);
    await send('later', 60);
    await sqs.stop();
    clock.stop();
    await open(begin + 20_000);
    consume();
    await idle();
    expect(got).toEqual(['soon']);
    expect(clock.nextDue()).toBe(begin + 60_000);
    clock.jumpTo(begin + 60_000);
    await idle();
    expect(got).toEqual(['soon', 'later']);
  },
);

test('work stays in its queue while nobody has room for it, and a batch grows there', async () => {
  await open(LONG_AGO);
  const batches: string[][] = [];
  let makeRoom = (): void => {};
  const room = new Promise<void>((resolve) => (makeRoom = resolve));
  sqs.consume(arn('work'), {
    batchSize: 10,
    concurrency: 20,
    room: () => room,
    handle: async (messages) => {
      batches.push(messages.map(({ body }) => body));
      return new Set();
    },
  });
  for (const body of ['a', 'b', 'c']) await send(body, 0);
  expect(sqs.depth('work')).toEqual({ ready: 3, inFlight: 0, delayed: 0 });
  makeRoom();
  await idle();
  expect(batches).toEqual([['a', 'b', 'c']]);
});

test('a queue of beats keeps real time: whoever jumps an hour does not stop at each', async () => {
  await open(FAR_AHEAD);
  await send('beat', 30, 'beats');
  expect(clock.nextDue()).toBeUndefined();
  expect(sqs.depth('beats')).toEqual({ ready: 0, inFlight: 0, delayed: 1 });
});
