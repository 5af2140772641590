import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
    expect(rang.filter((ring) => ring === 'a ask')).toHaveLength(6);
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
