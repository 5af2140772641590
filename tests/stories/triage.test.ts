import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { synthesize } from './assembly.ts';
import { CAST, DutyRoom, MORNING } from './duty-room.ts';

let built: Awaited<ReturnType<typeof synthesize>>;
beforeAll(async () => {
  built = await synthesize();
});
afterAll(() => built.remove());

const cast = CAST('story', 'patrol');
/** @param look how many seconds after the beginning reconcile first looks; then every minute. */
const open = (look = 60): Promise<DutyRoom> =>
  DutyRoom.open({
    assembly: built.assembly,
    district: 'donghu',
    roster: cast,
    begin: MORNING + (60 - look) * 1000,
  });

/** A call from which nobody can tell what it is about. */
const UNCLEAR = '喂，你们过来一趟吧，说不清楚';
const unclear = async (room: DutyRoom): Promise<string> =>
  (await room.call({ content: UNCLEAR })).body.incidentId ?? '';
const iso = (room: DutyRoom, second: number): string => new Date(room.begin + second * 1000).toISOString();

describe('a call that nobody can make out', () => {
  it('waits for the desk; nobody decides: at fifteen seconds a pair is asked, the desk is copied', async () => {
    const room = await open();
    const id = await unclear(room);
    room.expectRings(['duty', 'desk', 0]);
    const waiting = await room.incident(id);
    expect(waiting.incident).toMatchObject({
      state: 'received',
      assignees: [],
      // The receipt clocks run all the same.
      deadlines: { triage: iso(room, 15), accept: iso(room, 60) },
      classification: { category: 'other', disposition: 'joint', sure: false },
    });
    expect(waiting.plan.find((step) => step.what === 'ask')).toMatchObject({
      at: iso(room, 15),
      whom: ['a', 'b'],
    });
    const { items } = (await room.get('/api/incidents?state=received')).body;
    expect(items).toMatchObject([
      {
        id,
        triage: { until: iso(room, 15) },
        reasons: [{ rule: 'unsure' }],
        owed: expect.arrayContaining(['triage']),
      },
    ]);
    await room.at(14);
    room.expectRings();
    await room.at(16);
    room.expectRings(['a', 'ask', 15], ['b', 'ask', 15], ['duty', 'desk', 15]);
    const { incident, trail } = await room.incident(id);
    expect(incident).toMatchObject({ state: 'asking', assignees: ['a', 'b'], triage: { by: 'system' } });
    expect(trail.map((line) => line.kind)).toEqual(expect.arrayContaining(['triage', 'triaged']));
    expect(trail.map((line) => line.kind)).not.toContain('breach');
    await room.at(61);
    room.expectRings(['c', 'ask', 60]);
    await room.leave();
  });

  it('with a danger word in it never waits, not even with one that is denied', async () => {
    const room = await open();
    await room.call({ content: '没有刀，就是有点事情要讲' });
    room.expectRings(['a', 'ask', 0], ['b', 'ask', 0], ['duty', 'desk', 0]);
    await room.leave();
  });

  it('becomes dangerous while it waits, by a further report: it waits no longer', async () => {
    const room = await open();
    const body = room.report({ content: UNCLEAR });
    await room.post(body);
    await room.cloud.settle();
    await room.at(5);
    await room.call({ ...body, content: '楼道里着火了，烟很大' });
    const rang = room.rang().map(([who, kind, second]) => `${who} ${kind} ${Math.floor(second)}`);
    expect(rang.slice(1).toSorted()).toEqual([
      'a ask-secret 5',
      'b ask-secret 5',
      'duty changed 5',
      'duty desk 5',
    ]);
    await room.at(61);
    room.expectRings(['c', 'ask-secret', 60]);
    await room.leave();
  });

  it('turns out to be police work while it waits: nobody is sent, it goes back to 110', async () => {
    const room = await open();
    const body = room.report({ content: UNCLEAR });
    await room.post(body);
    await room.cloud.settle();
    await room.at(5);
    await room.call({ ...body, content: '有人拿刀要砍人，快来。' });
    room.expectRings(['duty', 'desk', 0], ['duty', 'changed', 5], ['duty', 'returned', 5]);
    await room.at(66);
    room.expectRings(['street', 'handback', 65]);
    await room.leave();
  });
});

describe('in triage', () => {
  it('the machine stops and comes back: the default goes out at its instant, or at once when that has passed', async () => {
    for (const [second, asked] of [
      [10, 15],
      [40, 40],
    ] as const) {
      const first = await open();
      await unclear(first);
      first.expectRings(['duty', 'desk', 0]);
      const data = await first.close();
      const room = await DutyRoom.open({
        assembly: built.assembly,
        district: 'donghu',
        roster: cast,
        begin: first.begin,
        now: first.begin + second * 1000,
        data,
      });
      await room.cloud.settle();
      await room.at(asked + 1);
      room.expectRings(['a', 'ask', asked], ['b', 'ask', asked], ['duty', 'desk', asked]);
      await room.leave();
    }
  });

  it('the function dies before the workflow began: reconcile begins it, nobody is asked twice', async () => {
    const room = await open(12);
    room.cloud.injectFunctionCrash('Classification', { at: { call: 'AWSStepFunctions.StartExecution' } });
    await unclear(room);
    await room.at(16);
    room.expectRings(['duty', 'desk', 0], ['a', 'ask', 15], ['b', 'ask', 15], ['duty', 'desk', 15]);
    await room.leave();
  });

  it('the function dies at the default: within twenty seconds of the end of triage somebody is asked', async () => {
    const room = await open(20);
    await unclear(room);
    await room.at(14);
    room.cloud.injectFunctionCrash('Escalation', { count: 50 });
    await room.at(36);
    const asked = room.rang().filter(([, kind]) => kind === 'ask');
    expect(asked.map(([who]) => who)).toEqual(['a', 'b']);
    expect(Math.max(...asked.map(([, , second]) => second))).toBeLessThanOrEqual(35);
    await room.leave();
  });
});
