import { SQSClient, SendMessageBatchCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { REJECTS_OWNER } from '#shared/ports/store.ts';
import { synthesize } from './assembly.ts';
import { CAST, DutyRoom, person } from './duty-room.ts';

let built: Awaited<ReturnType<typeof synthesize>>;
beforeAll(async () => {
  built = await synthesize();
});
afterAll(() => built.remove());

const CROWD = 25;
const EACH = 20;

it('an alert behind five hundred messages that are only good to know overtakes them', async () => {
  const crowd = Array.from({ length: CROWD }, (_, i) =>
    person(`crowd-${i}`, 'member', { phone: `1660000${2000 + i}` }),
  );
  const room = await DutyRoom.open({
    assembly: built.assembly,
    district: 'donghu',
    // Of another team: nobody of the crowd is ever asked.
    roster: [...CAST('story', 'patrol'), ...crowd],
  });
  const notices = crowd.flatMap(({ id }, i) =>
    Array.from({ length: EACH }, (_, n) => ({
      id: `${String(i * EACH + n).padStart(5, '0')}.00`,
      to: id,
      kind: 'reassigned' as const,
      at: room.begin,
      round: 1,
    })),
  );
  await room.store.announce(notices);
  const sqs = new SQSClient({
    endpoint: room.cloud.endpoints.sqs,
    region: 'us-east-1',
    credentials: { accessKeyId: 'story', secretAccessKey: 'story' },
  });
  const [, QueueUrl] =
    Object.entries(room.cloud.refs).find(([id]) => /^ChatterQueue[0-9A-F]{8}$/.test(id)) ?? [];
  for (let i = 0; i < notices.length; i += 10)
    await sqs.send(
      new SendMessageBatchCommand({
        QueueUrl,
        Entries: notices.slice(i, i + 10).map(({ id }, n) => ({
          Id: String(n),
          MessageBody: JSON.stringify({ v: 1, owner: REJECTS_OWNER, noticeId: id }),
        })),
      }),
    );
  sqs.destroy();
  const before = room.phones.messages().length;
  expect(before).toBeLessThan(notices.length / 2);
  await room.call();
  const kinds = room.channels().map(([, , kind]) => kind);
  // Everything has rung, each once; and the one that somebody waits for came long before the last of the others.
  expect(kinds.filter((kind) => kind === 'reassigned')).toHaveLength(notices.length);
  expect(kinds.filter((kind) => kind === 'ask')).toHaveLength(1);
  expect(kinds.indexOf('ask')).toBeLessThan(notices.length * 0.8);
  await room.leave();
});
