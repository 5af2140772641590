import { SendMessageBatchCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, expect, it } from 'vitest';
import { tableMemos } from '#shared/adapters/memos.ts';
import { answerDrill } from '#shared/ports/drills.ts';
import { drillCommand } from '../../infra/commands/drill.ts';
import { person } from '../stories/duty-room.ts';
import { openOffice } from './office.ts';

const sqs = mockClient(SQSClient);
afterAll(() => sqs.restore());

it('begins a drill by hand, once at a time, and shows each person’s result', async () => {
  sqs.on(SendMessageBatchCommand).resolves({});
  sqs.on(SendMessageCommand).resolves({});
  const office = openOffice();
  expect(await office.run(drillCommand, 'start')).toMatchObject({
    code: 1,
    all: expect.stringContaining('Nobody is on shift'),
  });
  await office.store.saveRoster([person('A'), person('B')], office.now.getTime());
  expect(await office.run(drillCommand, 'result')).toMatchObject({
    code: 1,
    all: expect.stringContaining('There was no drill yet'),
  });
  expect((await office.run(drillCommand, 'start', '--window', '30')).all).toContain('60 to 3600');
  const begun = await office.run(drillCommand, 'start', '--window', '120');
  expect(begun.out).toEqual(['20261121T1200: 2 people, until 2026-11-21T04:02:00.000Z']);
  expect((await office.run(drillCommand, 'start')).all).toContain('is under way until');

  office.now = new Date(office.now.getTime() + 60_000);
  expect(await answerDrill({ memos: tableMemos(office.table) }, ['a'], 'text', office.now.getTime())).toBe(
    true,
  );
  office.now = new Date(office.now.getTime() + 61_000);
  const { out, err, code } = await office.run(drillCommand, 'result');
  expect(out).toEqual(['a\tanswered by text after 60 s\tno channel', 'b\tnot-sent\tno channel']);
  expect(err.at(-1)).toContain('1 of 2 answered');
  expect(code).not.toBe(0);
  expect((await office.run(drillCommand, 'result', '20261121T1200')).out).toEqual(out);
  // What was begun is in the queue of what can wait.
  const bodies = [...sqs.commandCalls(SendMessageBatchCommand), ...sqs.commandCalls(SendMessageCommand)].map(
    (call) => JSON.stringify(call.args[0].input),
  );
  expect(bodies.join()).toContain('DRILL-20261121T1200-a');
  expect(bodies.every((body) => body.includes('/q/chatter'))).toBe(true);
});
