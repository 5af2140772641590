import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { synthesize } from './assembly.ts';
import { CAST, DutyRoom, person } from './duty-room.ts';

let built: Awaited<ReturnType<typeof synthesize>>;
beforeAll(async () => {
  built = await synthesize();
});
afterAll(() => built.remove());

const open = (roster = CAST('story', 'patrol'), begin?: number): Promise<DutyRoom> =>
  DutyRoom.open({
    assembly: built.assembly,
    district: 'donghu',
    roster,
    ...(begin === undefined ? {} : { begin }),
  });
const called = async (room: DutyRoom, body: Record<string, unknown> = {}): Promise<string> =>
  (await room.call(body)).body.incidentId ?? '';

/** Midnight in Beijing, when the late shift of 东湖 goes home and the night shift comes. */
const MIDNIGHT = Date.parse('2026-03-04T16:00:00.000Z');
const place = { squad: 'story', team: 'patrol' };
const TWO_SHIFTS = [
  person('A', 'member', { ...place, shifts: ['late'] }),
  person('B', 'member', { ...place, shifts: ['late'] }),
  person('N', 'member', { ...place, shifts: ['night'] }),
  person('LateDuty', 'duty', { ...place, shifts: ['late'] }),
  person('NightDuty', 'duty', { ...place, shifts: ['night'] }),
  person('Leader', 'leader', place),
  person('Street', 'street', place),
];

describe('midnight', () => {
  it('lies between the ask and the climb: whoever is on shift then is asked, who has gone home may still come', async () => {
    const room = await open(TWO_SHIFTS, MIDNIGHT - 30_000);
    const id = await called(room);
    await room.at(125);
    // B was the next candidate at the call; at 60 he is at home.
    room.expectRings(['a', 'ask', 0], ['n', 'ask', 60], ['leader', 'ask', 90], ['nightduty', 'ask', 120]);
    expect((await room.act('a', id, 'accept')).body).toMatchObject({ role: 'lead', lead: 'a' });
    expect(
      room
        .rang()
        .map(([who, kind]) => `${who} ${kind}`)
        .toSorted(),
    ).toEqual(['leader stand-down', 'n stand-down', 'nightduty stand-down']);
    await room.leave();
  });

  it('lies between the climb and the nag: the duty officer of the night is nagged', async () => {
    const room = await open(TWO_SHIFTS, MIDNIGHT - 300_000);
    await called(room);
    await room.at(800);
    room.expectRings(
      ['a', 'ask', 0],
      ['b', 'ask', 60],
      ['leader', 'ask', 90],
      ['lateduty', 'ask', 120],
      ['street', 'ask', 180],
      ['nightduty', 'nag', 480],
      ['nightduty', 'nag', 780],
    );
    await room.leave();
  });
});

describe('danger that is not for the police', () => {
  it('two are asked together without a word of it; the first leads, the second helps, then the third goes home', async () => {
    const room = await open();
    const id = await called(room, { content: '老人早上出门后走失，家里人找不到。' });
    room.expectRings(['a', 'ask-secret', 0], ['b', 'ask-secret', 0]);
    await room.at(70);
    room.expectRings(['c', 'ask-secret', 60]);
    expect((await room.act('a', id, 'accept')).body).toMatchObject({ role: 'lead', lead: 'a' });
    room.expectRings();
    await room.at(80);
    expect((await room.act('b', id, 'accept')).body).toMatchObject({ role: 'helper', lead: 'a' });
    room.expectRings(['c', 'news', 80]);
    const { incident } = await room.incident(id);
    expect(incident).toMatchObject({
      assignees: ['a', 'b'],
      classification: { disposition: 'joint', danger: expect.arrayContaining(['missing-person']) },
    });
    await room.leave();
  });
});

describe('who else has a say', () => {
  it('declines shortly before the climb: his substitute has thirty seconds, and all that follows moves with it', async () => {
    const room = await open();
    const id = await called(room);
    await room.at(50);
    await room.act('a', id, 'decline', { reason: '车坏了' });
    await room.at(205);
    room.expectRings(
      ['a', 'ask', 0],
      ['b', 'ask', 50],
      ['c', 'ask', 80],
      ['leader', 'ask', 110],
      ['duty', 'ask', 140],
      ['street', 'ask', 200],
    );
    await room.leave();
  });

  it('everybody declines: nobody is left, it stands on the desk list, and the desk finds somebody', async () => {
    const room = await open();
    const id = await called(room);
    for (const [i, who] of ['a', 'b', 'c', 'leader', 'duty', 'street'].entries()) {
      await room.at(2 * (i + 1));
      expect((await room.act(who, id, 'decline', { reason: '走不开' })).status).toBe(200);
    }
    room.expectRings(
      ['a', 'ask', 0],
      ['b', 'ask', 2],
      ['c', 'ask', 4],
      ['leader', 'ask', 6],
      ['duty', 'ask', 8],
      ['street', 'ask', 10],
    );
    expect((await room.get('/api/incidents?state=unanswered')).body.items).toMatchObject([{ id }]);
    // Nobody new comes on shift: nobody is called in vain, and nobody who refused is called again.
    await room.at(400);
    room.expectRings();
    const { trail } = await room.incident(id);
    expect(trail.map((line) => line.kind)).toContain('unanswered');
    expect((await room.act('desk', id, 'reassign', { member: 'b' })).status).toBe(200);
    room.expectRings(['b', 'ask', 400]);
    // The desk's word lifts his decline.
    expect((await room.act('b', id, 'accept')).body).toMatchObject({ role: 'lead', lead: 'b' });
    await room.leave();
  });

  it('whoever is told of a miss may read and act like one asked', async () => {
    const room = await open();
    const id = await called(room);
    await room.act('a', id, 'accept');
    expect((await room.get(`/api/incidents/${id}`, 'leader')).status).toBe(403);
    await room.at(245);
    room.expectRings(['a', 'ask', 0], ['a', 'told', 120], ['a', 'told', 180], ['leader', 'climb', 240]);
    expect((await room.get(`/api/incidents/${id}`, 'leader')).status).toBe(200);
    const arrived = await room.act('leader', id, 'arrive');
    expect(arrived.body.incident).toMatchObject({ state: 'onsite', lead: 'a' });
    await room.at(600);
    expect((await room.get(`/api/incidents/${id}`, 'b')).status).toBe(403);
    await room.leave();
  });

  it('the desk acts on behalf of a member, and the trail says so', async () => {
    const room = await open();
    const id = await called(room);
    const accepted = await room.act('desk', id, 'accept', { member: 'a' });
    expect(accepted.body).toMatchObject({ role: 'lead', lead: 'a' });
    const line = (await room.incident(id)).trail.find((one) => one.kind === 'accepted');
    expect(line).toMatchObject({ by: 'desk', onBehalf: 'a' });
    room.expectRings(['a', 'ask', 0]);
    await room.leave();
  });
});
