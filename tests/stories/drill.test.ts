import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { synthesize } from './assembly.ts';
import { CAST, DutyRoom, person, type Ring } from './duty-room.ts';

let built: Awaited<ReturnType<typeof synthesize>>;
beforeAll(async () => {
  built = await synthesize();
});
afterAll(() => built.remove());

/** Monday, two minutes before nine in Beijing: the drill of this district is at nine. */
const BEFORE_NINE = Date.parse('2026-03-02T00:58:00.000Z');
const CREW = CAST('story', 'patrol');
const OFF = person('Night', 'member', { shifts: ['night'] });

describe('the drill of Monday at nine', () => {
  it('reaches everybody on shift, once; each has a result, and it disturbs no incident', async () => {
    const room = await DutyRoom.open({
      assembly: built.assembly,
      district: 'xinjie',
      roster: [...CREW, OFF],
      begin: BEFORE_NINE,
    });
    const phone = (id: string): string => CREW.find((one) => one.id === id)?.phone ?? '';
    expect((await room.get('/api/drill')).status).toBe(404);
    await room.vendor('silent', { number: phone('c') });
    const id = (await room.call()).body.incidentId ?? '';
    room.expectRings(['a', 'ask', 0]);
    await room.act('a', id, 'accept');
    await room.act('a', id, 'arrive');
    await room.at(119);
    room.expectRings();
    await room.at(121);
    const all = ['a', 'b', 'duty', 'leader', 'street'].map((who): Ring => [who, 'drill', 120]);
    room.expectRings(...all);

    // One answers by text, twice; one on his page; one who was never tried.
    room.phones.reply({ number: phone('a'), text: '１' });
    room.phones.reply({ number: phone('a'), text: '1' });
    await room.cloud.settle();
    const answer = async (who: string): Promise<number> =>
      (
        await room.send('/api/drill/answer', {
          method: 'POST',
          headers: { authorization: `Bearer ${await room.token(who)}` },
        })
      ).status;
    expect(await answer('b')).toBe(200);
    expect(await answer('b')).toBe(200);
    expect(await answer('night')).toBe(409);
    expect((await room.get('/api/drill', 'a')).status).toBe(403);

    const results = async (): Promise<Record<string, unknown>> =>
      Object.fromEntries(
        ((await room.get('/api/drill')).body.items ?? []).map(({ member, result }) => [
          String(member),
          result,
        ]),
      );
    expect(await results()).toEqual({
      a: 'answered',
      b: 'answered',
      c: 'waiting',
      duty: 'waiting',
      leader: 'waiting',
      street: 'waiting',
    });
    // The beats of the next minutes begin nothing anew, and the window closes.
    await room.at(721);
    room.expectRings();
    expect(await results()).toEqual({
      a: 'answered',
      b: 'answered',
      c: 'not-known',
      duty: 'delivered',
      leader: 'delivered',
      street: 'delivered',
    });
    expect(await answer('duty')).toBe(409);
    // His answer to the drill was none to the task.
    expect((await room.incident(id)).incident).toMatchObject({ state: 'onsite' });
    await room.leave();
  });
});
