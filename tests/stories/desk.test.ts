import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { synthesize } from './assembly.ts';
import { CAST, DutyRoom } from './duty-room.ts';

let built: Awaited<ReturnType<typeof synthesize>>;
beforeAll(async () => {
  built = await synthesize();
});
afterAll(() => built.remove());

const cast = CAST('story', 'patrol');
const open = (district = 'donghu'): Promise<DutyRoom> =>
  DutyRoom.open({ assembly: built.assembly, district, roster: cast });
const called = async (room: DutyRoom, body: Record<string, unknown> = {}): Promise<string> =>
  (await room.call(body)).body.incidentId ?? '';
const iso = (room: DutyRoom, second: number): string => new Date(room.begin + second * 1000).toISOString();

describe('danger', () => {
  it('a knife in the text goes back to 110: the duty officer is asked, no civilian is sent', async () => {
    const room = await open();
    const id = await called(room, { content: '楼下两个人吵起来了，其中一个手里拿着刀。' });
    room.expectRings(['duty', 'returned', 0]);
    await room.at(61);
    room.expectRings(['street', 'handback', 60]);
    const done = await room.act('desk', id, 'handback', { text: '110已接，单号已记' });
    expect(done.body.incident?.state).toBe('returned');
    expect((await room.act('a', id, 'accept')).status).toBe(403);
    await room.at(4000, { passes: 2 });
    expect(room.cloud.states.nextDue()).toBeUndefined();
    await room.leave();
  });

  it('returned by the desk in the middle: the lead is sent home, later taps are refused with a sentence', async () => {
    const room = await open();
    const id = await called(room);
    await room.at(20);
    await room.act('a', id, 'accept');
    await room.at(40);
    await room.act('desk', id, 'return', { reason: '现场发现有人受伤' });
    room.expectRings(['a', 'ask', 0], ['a', 'stand-down', 40], ['duty', 'returned', 40]);
    const tap = await room.act('a', id, 'arrive');
    expect(tap).toMatchObject({
      status: 409,
      body: {
        error: { code: expect.any(String), message: expect.stringContaining('110') },
      },
    });
    await room.at(101);
    room.expectRings(['street', 'handback', 100]);
    await room.act('desk', id, 'handback', { text: '已移交' });
    expect(room.cloud.states.nextDue()).toBeUndefined();
    await room.leave();
  });
});

describe('pause', () => {
  it('stops the clocks, resumes by itself, and shifts what is open', async () => {
    const room = await open();
    const id = await called(room);
    await room.at(30);
    await room.act('a', id, 'accept');
    await room.at(60);
    const paused = await room.act('desk', id, 'pause', { reason: '等当事人回来', until: iso(room, 660) });
    expect(paused.body.incident?.state).toBe('paused');
    await room.at(661);
    const { incident, trail } = await room.incident(id);
    expect(incident.state).toBe('accepted');
    // Depart was due at 120; ten minutes of pause make it 720.
    expect(incident.deadlines['depart']).toBe(iso(room, 720));
    expect(trail.map((line) => line.kind)).toEqual(expect.arrayContaining(['paused', 'resumed']));
    await room.at(721);
    room.expectRings(['a', 'ask', 0], ['a', 'told', 720]);
    await room.leave();
  });

  it('is refused before anybody has accepted, and resumed by hand at once', async () => {
    const room = await open();
    const id = await called(room);
    expect((await room.act('desk', id, 'pause', { reason: '等', until: iso(room, 600) })).status).toBe(409);
    await room.act('a', id, 'accept');
    await room.act('desk', id, 'pause', { reason: '等', until: iso(room, 6000) });
    await room.at(100);
    await room.act('desk', id, 'resume');
    await room.at(221);
    room.expectRings(['a', 'ask', 0], ['a', 'told', 220]);
    await room.leave();
  });
});

describe('after the close', () => {
  it('reopened: a new round from now, the former lead first', async () => {
    const room = await open();
    const id = await called(room);
    await room.at(20);
    await room.act('a', id, 'accept');
    await room.at(60);
    await room.act('a', id, 'close', { outcome: 'by_phone', text: '电话里说好了。' });
    await room.at(600);
    const opened = await room.act('desk', id, 'reopen', { reason: '来电人说没有解决' });
    expect(opened.body.incident).toMatchObject({ state: 'asking', round: 2 });
    await room.at(661);
    room.expectRings(['a', 'ask', 0], ['a', 'reopened', 600], ['b', 'ask', 660]);
    await room.act('a', id, 'accept');
    room.expectRings(['b', 'stand-down', 661]);
    await room.at(665);
    await room.act('a', id, 'arrive');
    await room.act('a', id, 'close', { outcome: 'solved', text: '已解决。' });
    await room.act('desk', id, 'revisit', { outcome: 'satisfied' });
    expect(room.cloud.states.nextDue()).toBeUndefined();
    await room.leave();
  });

  it('called back and not satisfied: what was finished is opened again, and climbs anew', async () => {
    const room = await open();
    const id = await called(room);
    await room.at(20);
    await room.act('a', id, 'accept');
    await room.act('a', id, 'close', { outcome: 'by_phone', text: '电话里说好了。' });
    const revisited = await room.act('desk', id, 'revisit', { outcome: 'unsatisfied' });
    expect(revisited.body.incident).toMatchObject({ state: 'finished', revisit: 'unsatisfied' });
    expect(revisited.body.incident?.['offers']).toContain('reopen');
    expect(room.cloud.states.nextDue()).toBeUndefined();
    await room.at(200);
    const opened = await room.act('desk', id, 'reopen', { reason: '来电人不满意' });
    expect(opened.body.incident).toMatchObject({ state: 'asking', round: 2 });
    await room.at(295);
    room.expectRings(['a', 'ask', 0], ['a', 'reopened', 200], ['b', 'ask', 260], ['leader', 'ask', 290]);
    await room.leave();
  });

  it('solved needs somebody on site; close needs words', async () => {
    const room = await open();
    const id = await called(room);
    await room.act('a', id, 'accept');
    expect((await room.act('a', id, 'close', { outcome: 'solved', text: '好了' })).status).toBe(409);
    expect((await room.act('a', id, 'close', { outcome: 'by_phone' })).status).toBe(400);
    room.expectRings(['a', 'ask', 0]);
    await room.leave();
  });
});

describe('reinforcement', () => {
  it('in war mode comes by itself at 300 when nobody is on site', async () => {
    const room = await open('xiaohe');
    const id = await called(room);
    await room.at(30);
    await room.act('a', id, 'accept');
    await room.at(310);
    room.expectRings(
      ['a', 'ask', 0],
      ['a', 'told', 180],
      ['leader', 'climb', 240],
      ['b', 'reinforce', 300],
      ['c', 'reinforce', 300],
      ['leader', 'reinforce', 300],
    );
    expect((await room.act('b', id, 'accept')).body).toMatchObject({ role: 'helper', lead: 'a' });
    await room.at(900);
    const { trail } = await room.incident(id);
    expect(trail.map((line) => line.kind)).toContain('reinforced');
    await room.leave();
  });

  it('asked for: two more and the leader at once; the arrival ends the wait', async () => {
    const room = await open();
    const id = await called(room);
    await room.at(30);
    await room.act('a', id, 'accept');
    await room.at(50);
    await room.act('a', id, 'reinforce', { text: '人多' });
    room.expectRings(
      ['a', 'ask', 0],
      ['b', 'reinforce', 50],
      ['c', 'reinforce', 50],
      ['leader', 'reinforce', 50],
    );
    await room.at(100);
    await room.act('a', id, 'arrive');
    await room.at(400);
    await room.leave();
  });
});
