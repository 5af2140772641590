import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { synthesize } from './assembly.ts';
import { patternsOf } from '#shared/domain/correction.ts';
import { CAST, DutyRoom, MORNING, person } from './duty-room.ts';

let built: Awaited<ReturnType<typeof synthesize>>;
beforeAll(async () => {
  built = await synthesize();
});
afterAll(() => built.remove());

const cast = [...CAST('story', 'patrol'), person('Duty2', 'duty', { squad: 'story', team: 'desk' })];
/** @param look how many seconds after the beginning reconcile first looks; then every minute. */
const open = (look = 60, more: { stops?: boolean } = {}): Promise<DutyRoom> =>
  DutyRoom.open({
    assembly: built.assembly,
    district: 'donghu',
    roster: cast,
    begin: MORNING + (60 - look) * 1000,
    ...more,
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

  it('is decided by the desk after eight seconds: the right one is asked, and every clock is that of the receipt', async () => {
    const room = await open();
    const id = await unclear(room);
    await room.at(8);
    const said = await room.act('duty', id, 'classify', {
      category: 'noise_nuisance',
      disposition: 'non-police',
      reason: '回拨问清，是楼上装修',
    });
    expect(said).toMatchObject({
      status: 200,
      body: {
        incident: {
          state: 'asking',
          assignees: ['a'],
          classification: { category: 'noise_nuisance', sure: true },
          deadlines: { accept: iso(room, 60), arrive: iso(room, 480) },
          triage: { by: 'duty' },
          corrected: { by: 'duty', was: { category: 'other' } },
        },
      },
    });
    room.expectRings(['duty', 'desk', 0], ['a', 'ask', 8]);
    await room.at(89);
    room.expectRings(['b', 'ask', 60]);
    await room.act('a', id, 'accept');
    room.expectRings(['b', 'stand-down', 89]);
    const { trail } = await room.incident(id);
    expect(trail.find((line) => line.kind === 'triaged')).toMatchObject({
      by: 'duty',
      text: '回拨问清，是楼上装修',
    });
    await room.leave();
  });

  it('is not for members to decide, and every wrong field is named', async () => {
    const room = await open();
    const id = await unclear(room);
    await room.at(16);
    const word = { category: 'noise_nuisance', disposition: 'non-police', reason: '样例' };
    expect(await room.act('a', id, 'classify', word)).toMatchObject({
      status: 403,
      body: { error: { message: expect.stringContaining('值班台') } },
    });
    for (const [field, wrong] of Object.entries({
      category: 'nothing',
      disposition: 'maybe',
      urgency: 'P9',
      reason: '',
    }))
      expect(await room.act('desk', id, 'classify', { ...word, [field]: wrong })).toMatchObject({
        status: 400,
        body: { error: { details: [{ field }] } },
      });
    room.expectRings(['duty', 'desk', 0], ['a', 'ask', 15], ['b', 'ask', 15], ['duty', 'desk', 15]);
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
      'duty desk 5',
      'duty news 5',
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
    room.expectRings(['duty', 'desk', 0], ['duty', 'returned', 5]);
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
      const first = await open(60, { stops: true });
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

  it('the wake of the decision is lost: the workflow learns it at the end of triage, and climbs in time', async () => {
    const room = await open();
    const id = await unclear(room);
    await room.at(8);
    room.cloud.injectFunctionCrash('Response', { at: { call: 'AWSStepFunctions.SendTaskSuccess' } });
    const word = { category: 'noise_nuisance', disposition: 'non-police', reason: '样例' };
    expect((await room.act('desk', id, 'classify', word)).status).toBe(500);
    // Said again it is the same decision.
    expect(await room.act('desk', id, 'classify', word)).toMatchObject({
      status: 200,
      body: { incident: { state: 'asking' } },
    });
    await room.at(89);
    room.expectRings(['duty', 'desk', 0], ['a', 'ask', 8], ['b', 'ask', 60]);
    await room.leave();
  });

  it('the table refuses the token again and again: the default goes out all the same', async () => {
    const room = await open(30);
    room.cloud.states.injectFault({
      state: 'Triage',
      error: 'DynamoDb.InternalServerErrorException',
      count: 1_000,
    });
    await unclear(room);
    await room.at(36);
    const asked = room.rang().filter(([, kind]) => kind === 'ask');
    expect(asked.map(([who]) => who)).toEqual(['a', 'b']);
    expect(Math.max(...asked.map(([, , second]) => second))).toBeLessThanOrEqual(35);
    await room.leave();
  });
});

describe('the desk corrects', () => {
  it('to police after somebody was sent: back to 110, he is sent home, and one such find is counted', async () => {
    const room = await open();
    const id = (await room.call()).body.incidentId ?? '';
    await room.at(20);
    await room.act('a', id, 'accept');
    await room.at(40);
    const word = {
      category: 'violent_crime',
      disposition: 'police',
      urgency: 'P1',
      reason: '队员电话说有人被打伤',
    };
    expect(await room.act('duty', id, 'classify', word)).toMatchObject({
      status: 200,
      body: {
        incident: { state: 'returned', classification: { disposition: 'police' }, owed: ['handback'] },
      },
    });
    room.expectRings(['a', 'ask', 0], ['a', 'news', 40], ['duty', 'returned', 40]);
    const { trail } = await room.incident(id);
    expect(trail.filter((line) => line.kind === 'danger-found')).toHaveLength(1);
    // From here on it is the police's: taking it back is refused with a sentence.
    const back = { category: 'noise_nuisance', disposition: 'non-police', reason: '看错了' };
    expect(await room.act('duty', id, 'classify', back)).toMatchObject({
      status: 409,
      body: { error: { message: expect.stringContaining('110') } },
    });
    await room.at(101);
    room.expectRings(['street', 'handback', 100]);
    await room.act('desk', id, 'handback', { text: '110已接' });
    expect(room.cloud.states.nextDue()).toBeUndefined();
    await room.leave();
  });

  it('what two people correct alike may be learnt from, what one says alone may not', async () => {
    const room = await open();
    const word = { category: 'property_mgmt_dispute', disposition: 'non-police', reason: '物业的事' };
    const correct = async (who: string): Promise<void> => {
      const id = (await room.call()).body.incidentId ?? '';
      expect((await room.act(who, id, 'classify', word)).status).toBe(200);
    };
    const month = new Date(room.begin).toISOString().slice(0, 7);
    const agreed = async () => patternsOf(await room.store.corrections(month)).agreed;
    await correct('duty');
    await correct('duty');
    await correct('desk');
    expect(await agreed()).toEqual([]);
    await correct('duty2');
    const [pattern] = await agreed();
    expect(pattern).toMatchObject({
      was: { category: 'noise_nuisance' },
      is: { category: 'property_mgmt_dispute' },
      people: ['duty', 'duty2'],
    });
    expect(JSON.stringify(pattern)).not.toMatch(/16600001234|样例来电人|样例路1号/u);
    room.expectRings(
      ...Array.from(
        { length: 4 },
        () =>
          [
            ['a', 'ask', 0],
            ['a', 'changed', 0],
          ] as const,
      )
        .flat()
        .toSorted((one, other) => (one[1] < other[1] ? -1 : one[1] > other[1] ? 1 : 0)),
    );
    await room.leave();
  });
});
