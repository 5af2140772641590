import { PurgeQueueCommand, SQSClient, SendMessageBatchCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { laneOf, type Notice } from '#shared/domain/notice.ts';
import { ownerOf } from '#shared/ports/store.ts';
import { synthesize } from './assembly.ts';
import { CAST, DutyRoom, person } from './duty-room.ts';

let built: Awaited<ReturnType<typeof synthesize>>;
beforeAll(async () => {
  built = await synthesize();
});
afterAll(() => built.remove());

const INCIDENTS = 5;
/** People of each incident, three notices for each. */
const EACH = 20;
/** So often all the chatter is queued once more. */
const AGAIN = 5;

/** On shift, of no team: nobody of them is ever asked. */
const CROWD = Array.from({ length: INCIDENTS * EACH }, (_, i) =>
  person(`crowd-${i}`, 'member', { phone: `1660000${2000 + i}`, team: 'crowd' }),
);

type Job = { v: 1; owner: string; noticeId: string };

it('three hundred notices in a second, then an alert behind a thousand messages', async () => {
  const room = await DutyRoom.open({
    assembly: built.assembly,
    district: 'donghu',
    roster: [...CAST('story', 'patrol'), ...CROWD],
  });
  const sqs = new SQSClient({
    endpoint: room.cloud.endpoints.sqs,
    region: 'us-east-1',
    credentials: { accessKeyId: 'story', secretAccessKey: 'story' },
  });
  const urlOf = (name: string): string =>
    Object.entries(room.cloud.refs).find(([id]) => new RegExp(`^${name}[0-9A-F]{8}$`).test(id))?.[1] ?? '';
  const queue = async (name: string, jobs: readonly Job[]): Promise<void> => {
    const QueueUrl = urlOf(name);
    const batch = (from: number) => ({
      QueueUrl,
      Entries: jobs
        .slice(from, from + 10)
        .map((job, n) => ({ Id: String(n), MessageBody: JSON.stringify(job) })),
    });
    for (let i = 0; i < jobs.length; i += 40)
      await Promise.all(
        [i, i + 10, i + 20, i + 30]
          .filter((from) => from < jobs.length)
          .map((from) => sqs.send(new SendMessageBatchCommand(batch(from)))),
      );
  };

  // Everybody of an incident is told that it is another's, once more that it is another's, and that something has changed.
  const jobs: (Job & { lane: string })[] = [];
  for (let n = 0; n < INCIDENTS; n += 1) {
    const id = (await room.call({ address: `样例路${n + 1}号` })).body.incidentId ?? '';
    const incident = (await room.store.load(id))?.incident;
    if (!incident) throw new Error('no incident');
    const version = incident.version + 1;
    const notices = (['reassigned', 'reassigned', 'changed'] as const).flatMap((kind, turn) =>
      CROWD.slice(n * EACH, (n + 1) * EACH).map(({ id: to }, i): Notice => ({
        id: `${String(version).padStart(5, '0')}.${String(turn * EACH + i).padStart(2, '0')}`,
        to,
        kind,
        at: room.begin,
        round: 1,
      })),
    );
    expect(await room.store.commit({ incident: { ...incident, version }, lines: [], notices })).toBe(true);
    for (const { id: noticeId, kind } of notices)
      jobs.push({ v: 1, owner: ownerOf(id), noticeId, lane: laneOf(kind) });
  }
  expect(room.channels().map(([who]) => who)).toEqual(Array(INCIDENTS).fill('a'));
  const bare = (lane: string): Job[] =>
    jobs.filter((job) => job.lane === lane).map(({ v, owner, noticeId }) => ({ v, owner, noticeId }));
  await Promise.all([queue('AlertsQueue', bare('alerts')), queue('ChatterQueue', bare('chatter'))]);
  await room.cloud.settle();

  // Each phone once by each of the two that are worth telling; the oldest was told by the one after it.
  const rang = room.channels();
  expect(rang).toHaveLength(2 * CROWD.length);
  const byPerson = Map.groupBy(rang, ([who]) => who);
  expect([...byPerson.keys()].toSorted()).toEqual(CROWD.map(({ id }) => id).toSorted());
  for (const rings of byPerson.values())
    expect(rings.map(([, , kind]) => kind).toSorted()).toEqual(['changed', 'reassigned']);
  const states = new Map<string, string[]>();
  for (const owner of new Set(jobs.map((job) => job.owner)))
    for (const { notice, state, attempts } of await room.store.notices(owner))
      if (notice.to !== 'a')
        states.set(notice.to, [...(states.get(notice.to) ?? []), `${state} ${attempts.length}`]);
  for (const { id } of CROWD) expect(states.get(id)).toEqual(['bundled 0', 'delivered 1', 'delivered 1']);

  // All chatter once more and over again, as after a redrive: nothing rings twice, and who is asked now is rung long before it is through.
  // (The bench plays ten thousand that all ring.)
  const chatter = bare('chatter');
  await queue('ChatterQueue', Array<Job[]>(AGAIN).fill(chatter).flat());
  const before = room.cloud.queue('ChatterQueue').depth;
  expect(before).toBeGreaterThan(chatter.length);
  const left = room.nextRing().then(() => room.cloud.queue('ChatterQueue').depth);
  await room.post(room.report({ address: '样例路99号' }));
  expect(await left).toBeGreaterThan(before / 2);
  await sqs.send(new PurgeQueueCommand({ QueueUrl: urlOf('ChatterQueue') }));
  sqs.destroy();
  await room.cloud.settle();
  room.expectRings(['a', 'ask', 0]);
  await room.leave();
});
