import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { redriveCommand } from '../../infra/commands/redrive.ts';
import { Activity } from '../../infra/local/activity.ts';
import { startSqs, type Sqs } from '../../infra/local/sqs.ts';
import { openOffice, type Office } from './office.ts';

describe('redrive on an engine', () => {
  let data: string;
  let engine: Sqs;
  let office: Office;
  beforeEach(async () => {
    data = mkdtempSync(join(tmpdir(), 'xiaonao-redrive-'));
    engine = await startSqs({ data, region: 'us-east-1', activity: new Activity() });
    office = openOffice();
    office.sqs = new SQSClient({
      region: 'us-east-1',
      endpoint: engine.endpoint,
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });
    for (const name of ['alerts', 'alerts-dead']) {
      engine.ensureQueue({ name, arn: `arn:aws:sqs:us-east-1:000000000000:${name}`, attributes: {} });
    }
    const url = (name: string) => `${engine.endpoint}/000000000000/${name}`;
    office.queues = { ...office.queues, alerts: { work: url('alerts'), dead: url('alerts-dead') } };
    for (let n = 0; n < 12; n += 1)
      await office.sqs.send(
        new SendMessageCommand({
          QueueUrl: office.queues.alerts.dead,
          MessageBody: `{"v":1,"n":${n}}`,
          MessageAttributes: { origin: { DataType: 'String', StringValue: 'sample' } },
        }),
      );
  });
  afterEach(async () => {
    office.sqs.destroy();
    await engine.stop();
    rmSync(data, { recursive: true });
  });

  it('sends every message as it was, and leaves the dead-letter queue empty', async () => {
    const { code, out } = await office.run(redriveCommand, 'alerts');
    expect({ code, out }).toEqual({ code: 0, out: ['12 of 12 messages were sent to alerts again.'] });
    expect(engine.depth('alerts-dead')).toEqual({ ready: 0, inFlight: 0, delayed: 0 });
    const bodies = new Set<string | undefined>();
    for (let n = 0; n < 2; n += 1) {
      const { Messages = [] } = await office.sqs.send(
        new ReceiveMessageCommand({
          QueueUrl: office.queues.alerts.work,
          MaxNumberOfMessages: 10,
          MessageAttributeNames: ['All'],
        }),
      );
      for (const { Body, MessageAttributes } of Messages) {
        bodies.add(Body);
        expect(MessageAttributes).toEqual({ origin: { DataType: 'String', StringValue: 'sample' } });
      }
    }
    expect(bodies).toEqual(new Set(Array.from({ length: 12 }, (_, n) => `{"v":1,"n":${n}}`)));
    expect((await office.run(redriveCommand, 'alerts')).out).toEqual([
      'The dead-letter queue of alerts is empty.',
    ]);
  });

  it('stops at the most that was asked for', async () => {
    await office.run(redriveCommand, 'alerts', '--max', '11');
    expect(engine.depth('alerts').ready).toBe(11);
    expect(engine.depth('alerts-dead').ready).toBe(1);
  });
});

it('keeps what could not be sent, says so, and deletes only what was sent', async () => {
  const office = openOffice();
  const sqs = mockClient(office.sqs);
  const message = (id: string) => ({ MessageId: id, ReceiptHandle: `handle-${id}`, Body: id });
  sqs
    .on(ReceiveMessageCommand)
    .resolvesOnce({ Messages: [message('a'), message('b')] })
    .resolves({});
  sqs.on(SendMessageCommand, { MessageBody: 'a' }).rejects(new Error('the queue is gone'));
  sqs.on(SendMessageCommand, { MessageBody: 'b' }).resolves({});
  sqs.on(DeleteMessageCommand).resolves({});
  const { code, out, err } = await office.run(redriveCommand, 'sweeps');
  expect({ code, out, err }).toEqual({
    code: 1,
    out: ['1 of 2 messages were sent to sweeps again.'],
    err: ['a stays where it is: the queue is gone'],
  });
  expect(sqs.commandCalls(DeleteMessageCommand).map((call) => call.args[0].input)).toEqual([
    { QueueUrl: office.queues.sweeps.dead, ReceiptHandle: 'handle-b' },
  ]);
});

it.each([
  [[], 'Which queue? One of reports, links, alerts, chatter, sweeps.'],
  [['letters'], "not 'letters'"],
  [['reports', 'alerts'], "not 'reports alerts'"],
  [['reports', '--max', '0'], '--max takes a whole number from 1'],
])('answers %j with a sentence and exit code 2', async (args, sentence) => {
  const { code, err } = await openOffice().run(redriveCommand, ...args);
  expect(code).toBe(2);
  expect(err[0]).toContain(sentence);
});
