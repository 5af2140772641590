import * as z from 'zod';
import { describe, expect, test } from 'vitest';
import { jsonLog, listLog } from '#shared/adapters/log.ts';
import { noticeJobSchema } from '#shared/contracts/jobs.ts';
import type { Route } from '#shared/lambda/http.ts';
import { queueDoor } from '#shared/lambda/queue.ts';
import { scheduleDoor } from '#shared/lambda/schedule.ts';
import { keptWarm } from '#shared/lambda/warm.ts';
import { workflowDoor } from '#shared/lambda/workflow.ts';
import { call, frontOffice } from './front-office.ts';

const context: any = {};
const record = (messageId: string, body: unknown, attempt = 1): object => ({
  messageId,
  body: typeof body === 'string' ? body : JSON.stringify(body),
  attributes: { ApproximateReceiveCount: String(attempt) },
});

test('a door that is kept warm reads ahead when the schedule wakes it, bears that nothing can be read, and answers others', async () => {
  const looks: number[] = [];
  const door = keptWarm(
    async (event) => ({ event }),
    async () => {
      looks.push(looks.length);
      if (looks.length > 1) throw new Error('sample outage');
    },
  );
  for (let n = 0; n < 2; n += 1) expect(await door({ warm: true }, context)).toBeUndefined();
  const request = { rawPath: '/receipts/aliyun-voice/x', body: '{"warm":true}' };
  expect(await door(request, context)).toEqual({ event: request });
  // Nobody outside can say it: what comes by the gateway is never this and nothing else.
  expect(await door({ ...request, warm: true }, context)).toMatchObject({ event: request });
  expect(looks).toHaveLength(2);
});

describe('the queue door', () => {
  test('lets a bad record fail alone, and tells how often each has come', async () => {
    const log = listLog();
    const seen: unknown[] = [];
    const door = queueDoor(
      noticeJobSchema,
      async ({ noticeId }, { attempt }) => {
        if (noticeId === 'bad') throw new Error('vendor down');
        seen.push([noticeId, attempt]);
      },
      { log },
    );
    const job = (noticeId: string): object => ({ v: 1, owner: 'INC#1', noticeId });
    const reply = await door(
      {
        Records: [
          record('m1', job('a')),
          record('m2', 'no json'),
          record('m3', { v: 2 }),
          record('m4', job('bad')),
          record('m5', job('b'), 3),
        ],
      },
      context,
    );
    expect(seen).toEqual([
      ['a', 1],
      ['b', 3],
    ]);
    expect(reply.batchItemFailures.map((f) => f.itemIdentifier).sort()).toEqual(['m2', 'm3', 'm4']);
    expect(log.lines).toHaveLength(3);
  });

  test('works on all records of a batch at once: one that waits for a silent vendor holds up no other', async () => {
    let now = 0;
    let most = 0;
    const door = queueDoor(
      z.object({ n: z.number() }),
      async () => {
        now += 1;
        most = Math.max(most, now);
        await new Promise(setImmediate);
        now -= 1;
      },
      { log: listLog() },
    );
    await door({ Records: Array.from({ length: 10 }, (_, n) => record(`m${n}`, { n })) }, context);
    expect(most).toBe(10);
  });
});

test("the workflow's door reads version 1 and gives defects back to the workflow", async () => {
  const log = listLog();
  const door = workflowDoor(async ({ round }) => ({ next: 'accept', due: { accept: round } }), {
    log,
  });
  const step = { version: 1, incidentId: 'X', round: 2, rung: 'accept', cause: 'missed' };
  expect(await door(step, context)).toEqual({ next: 'accept', due: { accept: 2 } });
  await expect(door({ ...step, version: 7 }, context)).rejects.toThrow();
  expect(log.lines.map(({ code }) => code)).toEqual(['workflow-defect']);
});

test("the schedule's door tells the minute's beat from the passes between", async () => {
  const beats: string[] = [];
  const door = scheduleDoor(async (beat) => void beats.push(beat), { log: listLog() });
  await door({ 'detail-type': 'Scheduled Event', time: '2026-03-02T06:00:00Z' }, context);
  await door({ Records: [record('m', { v: 1, after: 15 })] }, context);
  expect(beats).toEqual(['minute', 'between']);
  await expect(door({}, context)).rejects.toThrow();
});

test('a JSON route answers what is no JSON 400 and what is too long 413, before the use case sees it', async () => {
  const office = await frontOffice();
  const routes: Route[] = [
    {
      method: 'POST',
      path: '/api/incidents/{id}/actions',
      auth: 'member',
      json: true,
      handle: async ({ params, bearer }, body) => ({
        kind: 'done',
        body: { id: params['id'], who: bearer.id, body },
      }),
    },
  ];
  const headers = await office.bearer('m-001', 'member');
  const post = (body: string | Buffer, as = headers) =>
    call(routes, office, { method: 'POST', path: '/api/incidents/a%20b/actions', headers: as, body });
  expect((await post('{"action":"note"}')).body).toEqual({
    id: 'a b',
    who: 'm-001',
    body: { action: 'note' },
  });
  for (const bad of ['', '{', Buffer.from([0x22, 0xff, 0x22])])
    expect((await post(bad)).body.error.code).toBe('not_json');
  expect((await post(JSON.stringify('x'.repeat(65_536)))).status).toBe(413);
  expect((await post('{}', await office.bearer('duty-1', 'desk'))).status).toBe(403);
});

test('a log line is one JSON object; a count is a metric that CloudWatch reads', () => {
  const lines: unknown[] = [];
  const clock = { now: () => new Date('2026-03-02T06:00:00Z') };
  const log = jsonLog({ district: 'xiaohe', stage: 'pilot', verb: 'intake' }, clock, (line) =>
    lines.push(JSON.parse(line)),
  );
  log.info('hello', { n: 1 });
  log.error('broken', new TypeError('why'), { incident: 'X' });
  log.count('Rejected', 2);
  expect(lines).toMatchObject([
    { level: 'info', code: 'hello', district: 'xiaohe', n: 1, at: '2026-03-02T06:00:00.000Z' },
    { level: 'error', code: 'broken', incident: 'X', error: { name: 'TypeError', message: 'why' } },
    {
      _aws: {
        Timestamp: Date.parse('2026-03-02T06:00:00Z'),
        CloudWatchMetrics: [
          {
            Namespace: 'Xiaonao',
            Dimensions: [['District', 'Stage']],
            Metrics: [{ Name: 'Rejected', Unit: 'Count' }],
          },
        ],
      },
      District: 'xiaohe',
      Stage: 'pilot',
      Rejected: 2,
    },
  ]);
});
