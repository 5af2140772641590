import { SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sqsQueues } from '#shared/adapters/queues.ts';
import { synthesize } from './assembly.ts';
import { CAST, DutyRoom } from './duty-room.ts';

let built: Awaited<ReturnType<typeof synthesize>>;
beforeAll(async () => {
  built = await synthesize();
});
afterAll(() => built.remove());

const cast = CAST('story', 'patrol');
const open = (): Promise<DutyRoom> =>
  DutyRoom.open({ assembly: built.assembly, district: 'donghu', roster: cast });
const NOISE = '楼上邻居晚上装修，声音太大，请来协调。';
const called = async (room: DutyRoom, body: Record<string, unknown> = {}): Promise<string> =>
  (await room.call({ content: NOISE, ...body })).body.incidentId ?? '';

describe('one event, two callers', () => {
  it('joined at once, closed together, and each caller is called back', async () => {
    const room = await open();
    const first = await called(room);
    await room.at(20);
    await room.act('a', first, 'accept');
    await room.at(40);
    const second = await called(room, { address: '样例路1号2幢' });
    // Dispatch did not wait: somebody was asked, and sent home a moment later. The lead learns of another address.
    room.expectRings(['a', 'ask', 0], ['a', 'ask', 40], ['a', 'changed', 40], ['a', 'stand-down', 40]);
    expect((await room.incident(second)).incident).toMatchObject({
      state: 'joined',
      joined: { into: first },
    });
    expect((await room.incident(first)).incident).toMatchObject({ joins: [second] });
    // No clock of the joined call is left to ring: its whole first hour passes in silence, and only the lead's do.
    const tap = await room.act('a', second, 'accept');
    expect(tap).toMatchObject({
      status: 409,
      body: { error: { message: expect.stringContaining('已并入另一起') } },
    });
    await room.at(60);
    await room.act('a', first, 'arrive');
    await room.act('a', first, 'close', { outcome: 'solved', text: '已停工。' });
    expect((await room.incident(second)).incident).toMatchObject({
      state: 'closed',
      closed: { outcome: 'handed_on' },
      owed: ['revisit'],
    });
    for (const id of [first, second]) await room.act('desk', id, 'revisit', { outcome: 'satisfied' });
    expect(room.cloud.states.nextDue()).toBeUndefined();
    await room.leave();
  });

  it('killed between dispatch and comparison, and at both ends of it: compared all the same, nobody asked twice', async () => {
    const room = await open();
    const first = await called(room);
    await room.at(20);
    await room.act('a', first, 'accept');
    // The first time it dies with the ask in its hands, the second time with the job for the comparison.
    room.cloud.injectFunctionCrash('Classification', { at: { call: 'AmazonSQS.SendMessage' }, count: 2 });
    room.cloud.injectFunctionCrash('Linking', { at: 'start' });
    room.cloud.injectFunctionCrash('Linking', { at: 'end' });
    const second = await called(room);
    expect(room.cloud.trapped).toBe(false);
    const { incident, trail } = await room.incident(second);
    expect(incident).toMatchObject({ state: 'joined', joined: { into: first } });
    for (const once of ['classified', 'asked', 'joined'])
      expect(trail.filter(({ kind }) => kind === once)).toHaveLength(1);
    // The ask was never handed on, and reconcile finds it when it is wanted no more.
    await room.at(80);
    room.expectRings(['a', 'ask', 0], ['a', 'stand-down', 20]);
    await room.leave();
  });

  it('while many calls wait to be compared, the next one is dispatched', async () => {
    const room = await open();
    const first = await called(room);
    const url = Object.entries(room.cloud.refs).find(([id]) => id.startsWith('LinksQueue'))?.[1] ?? '';
    const client = new SQSClient({
      endpoint: room.cloud.endpoints.sqs,
      region: 'us-east-1',
      credentials: { accessKeyId: 'story', secretAccessKey: 'story' },
    });
    const many = Array.from({ length: 60 }, () => ({ incidentId: first }));
    await sqsQueues(client, { links: url }).links(many);
    client.destroy();
    const rings = room.nextRing();
    await room.post(room.report({ content: '路口井盖松动，路灯也不亮，晚上不安全。' }));
    await rings;
    // One of them is its own.
    expect(room.cloud.queue('LinksQueue').depth).toBeGreaterThan(1);
    await room.cloud.settle();
    room.expectRings(['a', 'ask', 0], ['a', 'ask', 0]);
    await room.leave();
  });

  it('parted by the desk: asked again, and the clock of the second call goes on', async () => {
    const room = await open();
    const first = await called(room);
    await room.at(5);
    const second = await called(room);
    room.expectRings(['a', 'ask', 0], ['a', 'ask', 5], ['a', 'stand-down', 5]);
    expect((await room.act('a', second, 'unjoin', { reason: '我要拆' })).status).toBe(403);
    await room.at(20);
    const parted = await room.act('desk', second, 'unjoin', { reason: '两户各装修各的' });
    expect(parted.body.incident).toMatchObject({ state: 'asking', round: 2 });
    await room.act('a', first, 'accept');
    await room.at(66);
    // Of the second call the limit is 65 still.
    room.expectRings(['a', 'ask', 20], ['b', 'ask', 65]);
    await room.act('b', second, 'accept');
    room.expectRings(['a', 'stand-down', 66]);
    for (const [who, id] of [
      ['a', first],
      ['b', second],
    ] as const)
      await room.act(who, id, 'close', { outcome: 'by_phone', text: '电话里说好了。' });
    for (const id of [first, second]) await room.act('desk', id, 'revisit', { outcome: 'satisfied' });
    expect(room.cloud.states.nextDue()).toBeUndefined();
    await room.leave();
  });

  it('six callers of one moment: one event, five joined, one lead', async () => {
    const room = await open();
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => room.post(room.report({ content: NOISE }))),
    );
    await room.cloud.settle();
    const views = await Promise.all(
      answers.map(async ({ body }) => (await room.incident(body.incidentId ?? '')).incident),
    );
    const [main, ...others] = views.filter(({ state }) => state === 'asking');
    expect(others).toEqual([]);
    // Who was looked at first may have taken one in before it was joined itself: then they go together.
    expect(views.filter(({ state }) => state === 'joined')).toHaveLength(5);
    const rang = room.rang().map(([who, kind]) => `${who} ${kind}`);
    expect(rang.filter((ring) => ring === 'a stand-down')).toHaveLength(5);
    // An ask that was taken back before it left does not ring any more: how many do is a matter of milliseconds.
    const asks = rang.filter((ring) => ring === 'a ask').length;
    expect(asks).toBeGreaterThanOrEqual(1);
    expect(asks).toBeLessThanOrEqual(6);
    // What is joined has nothing left to wait for: of six executions one goes on.
    const machine = Object.values(room.cloud.refs).find((ref) => ref.includes(':stateMachine:')) ?? '';
    const { executions } = room.cloud.states.listExecutions({ stateMachineArn: machine });
    const own = executions.filter(({ name }) => views.some(({ id }) => name.startsWith(id)));
    expect(own.map(({ status }) => status).toSorted()).toEqual([
      'RUNNING',
      ...Array.from({ length: 5 }, () => 'SUCCEEDED'),
    ]);
    await room.act('a', main?.id ?? '', 'accept');
    await room.act('a', main?.id ?? '', 'close', { outcome: 'by_phone', text: '电话里说好了。' });
    for (const { id } of views) await room.act('desk', id, 'revisit', { outcome: 'satisfied' });
    expect(room.cloud.states.nextDue()).toBeUndefined();
    await room.leave();
  });

  it('one street, two events: each gets its own people', async () => {
    const room = await open();
    const first = await called(room);
    await room.at(5);
    const second = await called(room, { content: '路口井盖松动，路灯也不亮，晚上不安全。' });
    expect((await room.incident(second)).incident.state).not.toBe('joined');
    expect((await room.incident(first)).incident['joins']).toEqual([]);
    room.rang();
    await room.leave();
  });
});

describe('the same people, again and again', () => {
  const DAY = 86_400;
  /** A call that is handled by telephone within the minute and called back. */
  const handled = async (room: DutyRoom, day: number, body: Record<string, unknown>): Promise<string> => {
    if (day > 0) await room.at(day * DAY, { passes: 2 });
    const id = await called(room, body);
    await room.act('a', id, 'accept');
    await room.act('a', id, 'close', { outcome: 'by_phone', text: '电话里说好了。' });
    await room.act('desk', id, 'revisit', { outcome: 'satisfied' });
    return id;
  };

  it('the third quarrel in thirty days: the duty officer is told, and the lead reads why', async () => {
    const room = await open();
    const quarrel = { content: '和楼上邻居为漏水的事吵起来了，请来调解一下，说了好几次都不修。' };
    await handled(room, 0, quarrel);
    await handled(room, 5, quarrel);
    room.expectRings(['a', 'ask', 0], ['a', 'ask', 5 * DAY]);
    await room.at(9 * DAY, { passes: 2 });
    const third = await called(room, quarrel);
    room.expectRings(['a', 'ask', 9 * DAY], ['duty', 'desk', 9 * DAY]);
    await room.act('a', third, 'accept');
    const { body } = await room.get(`/api/incidents/${third}`, 'a');
    expect(body.incident).toMatchObject({
      repeat: { kind: 'conflict', times: 3 },
      classification: { risk: true },
    });
    expect(body.trail?.find(({ kind }) => kind === 'repeated')?.['text']).toContain('30天内第3次反映');
    await room.act('a', third, 'close', { outcome: 'by_phone', text: '约好明天上门。' });
    await room.act('desk', third, 'revisit', { outcome: 'satisfied' });
    await room.leave();
  });

  it('the third call of somebody who is alone: on the list as care, and nobody is rung for it', async () => {
    const room = await open();
    const lonely = { content: '一个人在家，腿脚不好，想请人来帮忙买点菜，说说话。' };
    for (const day of [0, 4]) await handled(room, day, lonely);
    const third = await handled(room, 8, lonely);
    expect((await room.incident(third)).incident).toMatchObject({ repeat: { kind: 'care', times: 3 } });
    expect(room.rang().map(([, kind]) => kind)).not.toContain('desk');
    await room.leave();
  });
});
