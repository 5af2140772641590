import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { synthesize } from './assembly.ts';
import { CAST, DutyRoom, person, type Ring } from './duty-room.ts';

let built: Awaited<ReturnType<typeof synthesize>>;
beforeAll(async () => {
  built = await synthesize();
});
afterAll(() => built.remove());

const cast = CAST('story', 'patrol');
const open = (district = 'donghu', roster = cast): Promise<DutyRoom> =>
  DutyRoom.open({ assembly: built.assembly, district, roster });
const called = async (room: DutyRoom, body: Record<string, unknown> = {}): Promise<string> =>
  (await room.call(body)).body.incidentId ?? '';

describe('nobody answers', () => {
  it.each(['donghu', 'linjiang', 'xinjie', 'xiaohe'])(
    'climbs to the second in %s, then nags',
    async (district) => {
      const room = await open(district);
      const id = await called(room);
      await room.at(800);
      room.expectRings(
        ['a', 'ask', 0],
        ['b', 'ask', 60],
        ['leader', 'ask', 90],
        ['duty', 'ask', 120],
        ['street', 'ask', 180],
        ['duty', 'nag', 480],
        ['duty', 'nag', 780],
      );
      const { incident, plan, trail } = await room.incident(id);
      expect(incident.state).toBe('asking');
      expect(incident.assignees).toEqual(['a', 'b', 'leader', 'duty', 'street']);
      expect(plan.find((one) => one.what === 'nag')).toMatchObject({ whom: ['duty'] });
      expect(trail.filter((line) => line.kind === 'breach').map((line) => line.rung)).toContain('accept');
      await room.leave();
    },
  );

  it('nags thirty times, then leaves it to the desk list', async () => {
    const room = await open();
    const id = await called(room);
    await room.at(180 + 300 * 40, { passes: 1 });
    const nags = room.rang().filter(([, kind]) => kind === 'nag');
    expect(nags.map(([, , second]) => second)).toEqual(
      Array.from({ length: 30 }, (_, i) => 180 + 300 * (i + 1)),
    );
    expect((await room.incident(id)).trail.at(-1)).toMatchObject({ kind: expect.any(String) });
    await room.leave();
  });

  it('shows its future before it comes', async () => {
    const room = await open();
    const id = await called(room);
    const { plan } = await room.incident(id);
    const asks = plan
      .filter((one) => one.what === 'ask' || one.what === 'nag')
      .slice(0, 5)
      .map((one) => [one.whom[0], one.what, (Date.parse(one.at) - room.begin) / 1000]);
    expect(asks).toEqual([
      ['b', 'ask', 60],
      ['leader', 'ask', 90],
      ['duty', 'ask', 120],
      ['street', 'ask', 180],
      ['duty', 'nag', 480],
    ]);
    room.expectRings(['a', 'ask', 0]);
    await room.leave();
  });
});

describe('somebody answers, but not as planned', () => {
  it('declines: the next is asked at once and the deadline stands', async () => {
    const room = await open();
    const id = await called(room);
    await room.at(10);
    expect((await room.act('a', id, 'decline', { reason: '正在处理另一起' })).status).toBe(200);
    await room.at(100);
    room.expectRings(['a', 'ask', 0], ['b', 'ask', 10], ['c', 'ask', 60], ['leader', 'ask', 90]);
    expect((await room.act('a', id, 'accept')).status).toBe(409);
    expect((await room.act('b', id, 'accept')).body).toMatchObject({ role: 'lead', lead: 'b' });
    room.expectRings(['c', 'stand-down', 100], ['leader', 'stand-down', 100]);
    await room.leave();
  });

  it('accepts one second late: he leads, who was asked meanwhile is sent home', async () => {
    const room = await open();
    const id = await called(room);
    await room.at(61);
    expect((await room.act('a', id, 'accept')).body).toMatchObject({ role: 'lead', lead: 'a' });
    await room.at(119);
    room.expectRings(['a', 'ask', 0], ['b', 'ask', 60], ['b', 'stand-down', 61]);
    await room.leave();
  });

  it('two accept at once: one leads, the other helps, nobody rings twice', async () => {
    const room = await open();
    const id = await called(room);
    await room.at(60);
    const answers = await Promise.all([room.tap('a', id, 'accept'), room.tap('b', id, 'accept')]);
    await room.cloud.settle();
    expect(answers.map((answer) => answer.status)).toEqual([200, 200]);
    expect(new Set(answers.map((answer) => answer.body.role))).toEqual(new Set(['helper', 'lead']));
    const rang = room.rang().filter(([, kind]) => kind !== 'stand-down');
    expect(rang.map(([who, kind]) => [who, kind])).toEqual([
      ['a', 'ask'],
      ['b', 'ask'],
    ]);
    // A repeat by either is harmless and says the same.
    const again = await room.act('a', id, 'accept');
    expect(again).toMatchObject({ status: 200, body: { role: answers[0]?.body.role } });
    await room.leave();
  });

  it('misses the rungs after accepting: the member, his leader, the duty officer are told before the next rung', async () => {
    const room = await open();
    const id = await called(room);
    await room.at(30);
    await room.act('a', id, 'accept');
    await room.at(479);
    room.expectRings(
      ['a', 'ask', 0],
      ['a', 'told', 120],
      ['a', 'told', 180],
      ['leader', 'climb', 240],
      ['duty', 'climb', 300],
    );
    await room.act('a', id, 'arrive');
    const { incident, trail } = await room.incident(id);
    expect(incident.state).toBe('onsite');
    expect(trail.filter((line) => line.kind === 'implied').map((line) => line.rung)).toEqual([
      'depart',
      'contact',
    ]);
    await room.leave();
  });

  it('acts before the workflow has parked its token', async () => {
    const room = await open();
    // The table is busy for the workflow alone: the token comes a second or two later.
    room.cloud.states.injectFault({ state: 'Accept', error: 'DynamoDb.ThrottlingException', count: 1 });
    const id = await called(room);
    await room.act('a', id, 'accept');
    await room.at(121);
    room.expectRings(['a', 'ask', 0], ['a', 'told', 120]);
    await room.leave();
  });

  it('reassigned by the desk: the new one has a minute, the old one is told', async () => {
    const room = await open();
    const id = await called(room);
    await room.at(20);
    await room.act('a', id, 'accept');
    await room.at(40);
    expect(
      (await room.act('desk', id, 'reassign', { member: 'c', reason: '更近' })).body.incident?.state,
    ).toBe('asking');
    await room.at(105);
    room.expectRings(['a', 'ask', 0], ['a', 'reassigned', 40], ['c', 'ask', 40], ['b', 'ask', 100]);
    // A stale tap of the old lead must not undo what the desk decided.
    expect(await room.act('a', id, 'depart')).toMatchObject({
      status: 409,
      body: { error: { message: expect.stringContaining('改派') } },
    });
    await room.act('c', id, 'accept');
    room.expectRings(['b', 'stand-down', 105]);
    await room.leave();
  });

  it('a lead who declines gives the next one a fresh minute', async () => {
    const room = await open();
    const id = await called(room);
    await room.at(20);
    await room.act('a', id, 'accept');
    await room.at(50);
    await room.act('a', id, 'decline', { reason: '车坏了' });
    await room.at(112);
    room.expectRings(['a', 'ask', 0], ['b', 'ask', 50], ['c', 'ask', 110]);
    await room.leave();
  });
});

describe('nobody is there', () => {
  it('an empty roster leaves it unanswered on the desk list, and the first who comes on shift is asked', async () => {
    const room = await open('donghu', []);
    const id = await called(room);
    await room.at(30);
    expect((await room.get('/api/incidents?state=unanswered')).body.items).toHaveLength(1);
    await room.loadRoster(cast);
    await room.at(125);
    const rang: Ring[] = room.rang();
    expect(rang[0]?.slice(0, 2)).toEqual(['a', 'ask']);
    expect((await room.incident(id)).incident.state).toBe('asking');
    await room.leave();
  });

  it('empty steps are skipped at once and later ones move up', async () => {
    const room = await open('donghu', [
      person('A', 'member', { team: 'patrol' }),
      person('Duty', 'duty'),
      person('Street', 'street'),
    ]);
    await called(room);
    await room.at(100);
    room.expectRings(['a', 'ask', 0], ['duty', 'ask', 60], ['street', 'ask', 90]);
    await room.leave();
  });
});
