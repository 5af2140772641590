import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { synthesize } from './assembly.ts';
import { CAST, DutyRoom, type Answer, type Ring } from './duty-room.ts';

let built: Awaited<ReturnType<typeof synthesize>>;
beforeAll(async () => {
  built = await synthesize();
});
afterAll(() => built.remove());

const open = (): Promise<DutyRoom> =>
  DutyRoom.open({ assembly: built.assembly, district: 'donghu', roster: CAST('story', 'patrol') });
const kindsOf = async (room: DutyRoom, id: string): Promise<string[]> =>
  (await room.incident(id)).trail.map((line) => line.kind);
const idOf = (answer: Answer | undefined): string => answer?.body.incidentId ?? '';

describe('the same call', () => {
  it('twice in a row is one incident and one ring', async () => {
    const room = await open();
    const body = room.report();
    const first = await room.call(body);
    const before = await kindsOf(room, idOf(first));
    await room.at(5);
    const second = await room.call(body);
    expect([first.status, second.status]).toEqual([202, 200]);
    expect(second.body).toEqual({ incidentId: idOf(first), duplicate: true });
    expect(await kindsOf(room, idOf(first))).toEqual(before);
    room.expectRings(['a', 'ask', 0]);
    await room.leave();
  });

  it.each([2, 10])('%i times at the same moment is one incident and one ring', async (times) => {
    const room = await open();
    const body = room.report();
    const answers = await Promise.all(Array.from({ length: times }, () => room.post(body)));
    await room.cloud.settle();
    expect(answers.map((answer) => answer.status).toSorted((a, b) => a - b)).toEqual([
      ...Array.from({ length: times - 1 }, () => 200),
      202,
    ]);
    expect(new Set(answers.map(idOf)).size).toBe(1);
    expect((await room.get('/api/incidents')).body.items).toHaveLength(1);
    await room.at(59);
    room.expectRings(['a', 'ask', 0]);
    await room.leave();
  });

  it('is not what many calls at the same moment are: each is an incident with its own ring and its own clock', async () => {
    const room = await open();
    // Twelve doors: twelve calls about one door would be one event.
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, n) => room.post(room.report({ address: `样例路${n + 1}号` }))),
    );
    await room.cloud.settle();
    expect(new Set(answers.map(idOf)).size).toBe(12);
    room.expectRings(...answers.map((): Ring => ['a', 'ask', 0]));
    await Promise.all(answers.map((answer) => room.tap('a', idOf(answer), 'accept')));
    await room.at(125);
    room.expectRings(...answers.map((): Ring => ['a', 'told', 120]));
    await room.leave();
  });

  it('with other content is a second report; the lead hears of another address or a danger, and of nothing else', async () => {
    const room = await open();
    const body = room.report();
    const id = idOf(await room.call(body));
    // Nobody leads yet: nobody hears of it.
    const moved = { ...body, address: '样例路99号' };
    expect(await room.call(moved)).toMatchObject({ status: 200, body: { incidentId: id, duplicate: true } });
    await room.act('a', id, 'accept');
    room.expectRings(['a', 'ask', 0]);

    await room.at(10);
    await room.call({ ...moved, content: '楼上装修还没有停，请快一点来。' });
    expect(room.rang()).toEqual([]);
    await room.call(body);
    await room.call({ ...body, address: '样例路7号' });
    room.expectRings(['a', 'changed', 10]);
    await room.at(20);
    const dangerous = { ...body, address: '样例路7号', content: '对方扬言要打人，请快来。' };
    await room.call(dangerous);
    await room.call(dangerous);
    room.expectRings(['a', 'changed', 20]);

    const { incident, trail } = await room.incident(id);
    expect(incident).toMatchObject({ state: 'accepted', lead: 'a', reports: 5 });
    expect(incident['further']).toHaveLength(4);
    expect(trail.filter((line) => line.kind === 'report').map((line) => line['facts'])).toEqual([
      { report: 2, address: true, danger: false },
      { report: 3, address: false, danger: false },
      { report: 4, address: true, danger: false },
      { report: 5, address: false, danger: true },
    ]);
    await room.leave();
  });
});

describe('the same tap', () => {
  it('again, or many times at once, changes nothing and is no error', async () => {
    const room = await open();
    const id = idOf(await room.call());
    const taps = await Promise.all(Array.from({ length: 5 }, () => room.tap('a', id, 'accept')));
    await room.cloud.settle();
    expect(taps.map(({ status, body }) => [status, body.role, body.lead])).toEqual(
      Array.from({ length: 5 }, () => [200, 'lead', 'a']),
    );
    await room.at(30);
    const once: [string, 'depart' | 'contact' | 'arrive' | 'feedback' | 'close', Record<string, unknown>][] =
      [
        ['a', 'depart', {}],
        ['a', 'contact', {}],
        ['a', 'arrive', { location: { lng: 120.1, lat: 30.3 } }],
        ['a', 'feedback', { text: '双方都在。' }],
        ['a', 'close', { outcome: 'solved', text: '已谈妥。' }],
      ];
    for (const [who, action, more] of once) {
      expect((await room.act(who, id, action, more)).status).toBe(200);
      const after = await room.incident(id);
      await room.at((room.cloud.clock.now() - room.begin) / 1000 + 5);
      const again = await room.act(who, id, action, more);
      expect([again.status, again.body.incident?.state]).toEqual([200, after.incident.state]);
      expect((await room.incident(id)).trail).toEqual(after.trail);
    }
    expect((await kindsOf(room, id)).filter((kind) => kind === 'accepted')).toHaveLength(1);
    room.expectRings(['a', 'ask', 0]);
    await room.leave();
  });

  it('of an equal note counts within a minute; an Idempotency-Key counts longer, and only for its owner', async () => {
    const room = await open();
    const id = idOf(await room.call());
    await room.act('a', id, 'accept');
    const notes = async (): Promise<number> =>
      (await kindsOf(room, id)).filter((kind) => kind === 'noted').length;
    const note = async (who: string, key?: string): Promise<number> => {
      const answer = await room.act(
        who,
        id,
        'note',
        { text: '门禁要刷卡。' },
        key === undefined ? {} : { 'idempotency-key': key },
      );
      expect(answer.status).toBe(200);
      return notes();
    };
    expect(await note('a')).toBe(1);
    await room.at(60);
    expect(await note('a')).toBe(1);
    await room.at(61);
    expect(await note('a', 'k-1')).toBe(2);
    await room.at(150);
    expect(await note('a', 'k-1')).toBe(2);
    expect(await note('desk', 'k-1')).toBe(3);
    expect(await note('a', 'k-2')).toBe(4);
    room.expectRings(['a', 'ask', 0], ['a', 'told', 120]);
    await room.leave();
  });

  it('of a decline asks one substitute only', async () => {
    const room = await open();
    const id = idOf(await room.call());
    await room.at(5);
    const reason = { reason: '正在处理另一起' };
    const taps = await Promise.all([1, 2, 3].map(() => room.tap('a', id, 'decline', reason)));
    await room.cloud.settle();
    expect(taps.map(({ status }) => status)).toEqual([200, 200, 200]);
    room.expectRings(['a', 'ask', 0], ['b', 'ask', 5]);
    await room.leave();
  });
});
