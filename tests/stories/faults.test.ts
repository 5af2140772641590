import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { synthesize } from './assembly.ts';
import { CAST, DutyRoom, MORNING, type Answer } from './duty-room.ts';
import { missEverything } from './misses.ts';

let built: Awaited<ReturnType<typeof synthesize>>;
beforeAll(async () => {
  built = await synthesize();
});
afterAll(() => built.remove());

const cast = CAST('story', 'patrol');
/** @param look how many seconds after the beginning reconcile first looks; then every minute. */
const open = (look = 60, district = 'donghu'): Promise<DutyRoom> =>
  DutyRoom.open({
    assembly: built.assembly,
    district,
    roster: cast,
    begin: MORNING + (60 - look) * 1000,
  });
const idOf = (answer: Answer): string => answer.body.incidentId ?? '';
const called = async (room: DutyRoom): Promise<string> => idOf(await room.call());
const machineOf = (room: DutyRoom): string =>
  Object.values(room.cloud.refs).find((ref) => ref.includes(':stateMachine:')) ?? '';

/** What the service may answer when a rung wants to park its token, none of it the row's own word. */
const ERRORS = [
  'DynamoDb.TransactionConflictException',
  'DynamoDb.ThrottlingException',
  'DynamoDb.InternalServerErrorException',
  'Xiaonao.Rearm',
  'DynamoDb.SomethingNobodyHasSeenYet',
];
const LADDER = ['Accept', 'Depart', 'Contact', 'Arrive', 'Feedback', 'Close', 'Revisit'];

/** Each of the errors meets each of these states once, one after the other: five tries within some eight seconds. */
const injectAll = (room: DutyRoom, states: readonly string[]): void => {
  for (const state of states)
    for (const error of ERRORS) room.cloud.states.injectFault({ state, error, count: 1 });
};
/** The executions of this story, newest first. */
const executionsOf = (room: DutyRoom) =>
  room.cloud.states
    .listExecutions({ stateMachineArn: machineOf(room) })
    .executions.filter(({ startDate }) => startDate >= room.begin);
/** How often each error stands in the histories of all executions. */
const met = (room: DutyRoom): Record<string, number> => {
  const told = JSON.stringify(
    executionsOf(room).map(({ executionArn }) => room.cloud.states.getExecutionHistory({ executionArn })),
  );
  return Object.fromEntries(ERRORS.map((error) => [error, told.split(`"error":"${error}"`).length - 1]));
};
const each = (times: number): Record<string, number> =>
  Object.fromEntries(ERRORS.map((error) => [error, times]));

describe('the table refuses the token, the clocks are moved, and worse', () => {
  it('at every rung that parks: the climb stays to the second', async () => {
    const room = await open();
    injectAll(room, LADDER);
    await missEverything(room);
    expect(met(room)).toEqual(each(LADDER.length));
    expect(executionsOf(room).map(({ status }) => status)).toEqual(['SUCCEEDED']);
    await room.leave();
  });

  it('where reinforcement and the return to 110 are waited for: likewise', async () => {
    const room = await open(60, 'xiaohe');
    injectAll(room, ['Reinforce', 'Handback']);
    const id = await called(room);
    await room.at(30);
    await room.act('a', id, 'accept');
    await room.at(500);
    room.expectRings(
      ['a', 'ask', 0],
      ['a', 'told', 180],
      ['leader', 'climb', 240],
      ['b', 'reinforce', 300],
      ['c', 'reinforce', 300],
      ['leader', 'reinforce', 300],
      ['duty', 'climb', 420],
    );
    await room.call({ content: '楼下两个人吵起来了，其中一个手里拿着刀。' });
    await room.at(565);
    room.expectRings(['duty', 'returned', 500], ['street', 'handback', 560]);
    expect(met(room)).toEqual(each(2));
    await room.leave();
  });
});

describe('the table refuses the token for minutes', () => {
  it('nobody is forgotten, and no step is more than twenty seconds late', async () => {
    const room = await open(45);
    const error = 'DynamoDb.InternalServerErrorException';
    room.cloud.states.injectFault({ state: 'Accept', error, count: 1_000 });
    await called(room);
    await room.at(205);
    const rang = room.rang();
    expect(rang.map(([who, kind]) => `${who} ${kind}`)).toEqual([
      'a ask',
      'b ask',
      'leader ask',
      'duty ask',
      'street ask',
    ]);
    const late = rang.map(([, , second], i) => second - ([0, 60, 90, 120, 180][i] ?? 0));
    expect(Math.min(...late)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...late)).toBeLessThanOrEqual(20);
    await room.leave();
  });
});

describe('the row says that a rung is done', () => {
  it('before the workflow has parked there: it walks through finished rungs in no time, escalating nothing', async () => {
    const room = await open();
    room.cloud.states.injectFault({ state: 'Accept', error: 'DynamoDb.ThrottlingException', count: 1 });
    const id = await called(room);
    await room.act('a', id, 'accept');
    await room.act('a', id, 'depart');
    await room.act('a', id, 'contact');
    await room.act('a', id, 'arrive');
    await room.act('a', id, 'feedback', { text: '双方都在。' });
    await room.at(2);
    const [execution] = executionsOf(room);
    const { events } = room.cloud.states.getExecutionHistory({
      executionArn: execution?.executionArn ?? '',
    });
    const entered = JSON.stringify(events).match(/(?<="type":"TaskStateEntered"[^}]*"name":")\w+/g);
    expect(entered).toEqual(['Load', 'Accept', 'Depart', 'Contact', 'Arrive', 'Feedback', 'Close']);
    await room.act('a', id, 'close', { outcome: 'solved', text: '已谈妥。' });
    await room.act('desk', id, 'revisit', { outcome: 'satisfied' });
    expect(room.cloud.states.describeExecution({ executionArn: execution?.executionArn ?? '' }).status).toBe(
      'SUCCEEDED',
    );
    room.expectRings(['a', 'ask', 0]);
    await room.leave();
  });

  it('while its token has just run out: the late wake is no error to the person', async () => {
    const room = await open();
    const id = await called(room);
    await room.at(59);
    // At 60 the rung runs out and is parked anew a moment later: until then the row holds a token that is over.
    room.cloud.states.injectFault({ state: 'Accept', error: 'DynamoDb.ThrottlingException', count: 1 });
    await room.at(60);
    expect((await room.act('b', id, 'accept')).body).toMatchObject({ role: 'lead', lead: 'b' });
    await room.at(125);
    room.expectRings(['a', 'ask', 0], ['a', 'stand-down', 60], ['b', 'ask', 60], ['b', 'told', 120]);
    await room.leave();
  });
});

describe('a function dies', () => {
  it('intake, after the commit and before the queue: 110 has no answer and asks again; it rings, once', async () => {
    const room = await open(10);
    room.cloud.injectFunctionCrash('Intake', { at: { call: 'AmazonSQS.SendMessage' } });
    const body = room.report();
    expect((await room.call(body)).status).toBe(500);
    const again = await room.call(body);
    expect([again.status, again.body.duplicate]).toEqual([200, true]);
    await room.at(59);
    room.expectRings(['a', 'ask', 10]);
    // The deadline counts from the first receipt, whatever happened after it.
    await room.at(61);
    room.expectRings(['b', 'ask', 60]);
    await room.leave();
  });

  it.each([
    ['at its start', 'start', 0],
    ['after the commit, before the queue', { call: 'AmazonSQS.SendMessage' }, 10],
    ['after everything', 'end', 0],
  ] as const)('classification, %s: it rings once, and the climb stays', async (_, at, second) => {
    const room = await open(10);
    room.cloud.injectFunctionCrash('Classification', { at });
    await called(room);
    await room.at(61);
    room.expectRings(['a', 'ask', second], ['b', 'ask', 60]);
    await room.leave();
  });

  it('classification, before it starts the workflow: reconcile starts it and the climb stays', async () => {
    const room = await open(10);
    room.cloud.injectFunctionCrash('Classification', { at: { call: 'AWSStepFunctions.StartExecution' } });
    await called(room);
    await room.at(61);
    const rang = room.rang().map(([who, kind, second]) => `${who} ${kind} ${second >= 60 ? 'later' : 'now'}`);
    expect(rang).toEqual(['a ask now', 'b ask later']);
    expect(room.cloud.states.nextDue()).toBeDefined();
    await room.leave();
  });

  it('classification, for more than twenty seconds: the default ladder and the duty officer', async () => {
    const room = await open(25);
    room.cloud.injectFunctionCrash('Classification', { count: 5 });
    const id = await called(room);
    expect(room.cloud.queue('ReportsQueue').dead).toBe(1);
    await room.at(30);
    room.expectRings(['duty', 'ask', 25]);
    const { incident } = await room.incident(id);
    expect(incident).toMatchObject({ state: 'asking', assignees: ['duty'] });
    expect(incident.deadlines['accept']).toBe(new Date(room.begin + 60_000).toISOString());
    expect((await room.act('duty', id, 'accept')).body).toMatchObject({ role: 'lead', lead: 'duty' });
    await room.leave({ dead: 1 });
  });

  it('notification, while the vendor had the text but not yet answered: he is asked, nothing rings twice', async () => {
    const room = await open(25);
    room.phones.setReceiptUrl(`${room.cloud.url}/receipts/aliyun-sms/lost`);
    await room.vendor('timeout', { recorded: true, count: 1 });
    const rings = room.nextRing();
    const posted = room.post(room.report());
    await rings;
    room.cloud.injectFunctionCrash('Notification', { at: 'now' });
    const id = idOf(await posted);
    await room.at(59);
    room.expectRings(['a', 'ask', 0]);
    const { trail } = await room.incident(id);
    expect(trail.filter((line) => line.kind === 'notice').map((line) => line['facts'])).toMatchObject([
      { state: 'sending', attempt: 1 },
      { state: 'delivered', asked: true },
    ]);
    await room.leave();
  });

  it('escalation: the workflow tries again, and nobody is asked twice', async () => {
    const room = await open();
    await called(room);
    await room.at(59);
    room.cloud.injectFunctionCrash('Escalation', { count: 2 });
    await room.at(89);
    const rang = room.rang();
    expect(rang.map(([who, kind]) => `${who} ${kind}`)).toEqual(['a ask', 'b ask']);
    // Two retries: at most one and two seconds.
    expect(rang[1]?.[2]).toBeGreaterThanOrEqual(60);
    expect(rang[1]?.[2]).toBeLessThanOrEqual(64);
    await room.at(91);
    room.expectRings(['leader', 'ask', 90]);
    await room.leave();
  });

  it('escalation, after the commit and before the queue: reconcile sends what is owed', async () => {
    const room = await open(10);
    await called(room);
    await room.at(59);
    room.cloud.injectFunctionCrash('Escalation', { at: { call: 'AmazonSQS.SendMessage' } });
    await room.at(91);
    room.expectRings(['a', 'ask', 0], ['b', 'ask', 70], ['leader', 'ask', 90]);
    await room.leave();
  });

  it('response, after the commit and before the wake: the row decides, the workflow learns it at the deadline', async () => {
    const room = await open();
    const id = await called(room);
    await room.at(20);
    room.cloud.injectFunctionCrash('Response', { at: { call: 'AWSStepFunctions.SendTaskSuccess' } });
    expect((await room.act('a', id, 'accept')).status).toBe(500);
    expect(await room.act('a', id, 'accept')).toMatchObject({
      status: 200,
      body: { role: 'lead', lead: 'a' },
    });
    await room.at(125);
    room.expectRings(['a', 'ask', 0], ['a', 'told', 120]);
    await room.leave();
  });

  it('response, after a decline was committed: the substitute is asked by reconcile', async () => {
    const room = await open(25);
    const id = await called(room);
    await room.at(10);
    room.cloud.injectFunctionCrash('Response', { at: { call: 'AmazonSQS.SendMessage' } });
    expect((await room.act('a', id, 'decline', { reason: '车坏了' })).status).toBe(500);
    await room.at(61);
    room.expectRings(['a', 'ask', 0], ['b', 'ask', 25], ['c', 'ask', 60]);
    await room.leave();
  });
});

describe('the workflow is lost', () => {
  it('stopped by hand: reconcile takes the step that is due, and a new round climbs on', async () => {
    const room = await open(10);
    const id = await called(room);
    const [execution] = executionsOf(room);
    await room.cloud.states.stopExecution({ executionArn: execution?.executionArn ?? '' });
    await room.at(121);
    room.expectRings(['a', 'ask', 0], ['b', 'ask', 70], ['leader', 'ask', 90], ['duty', 'ask', 120]);
    const { incident, trail } = await room.incident(id);
    expect(incident).toMatchObject({ round: 2, assignees: ['a', 'b', 'leader', 'duty'] });
    expect(trail.map((line) => line.kind)).toContain('restarted');
    expect((await room.act('b', id, 'accept')).body).toMatchObject({ role: 'lead' });
    expect(
      room
        .rang()
        .map(([who, kind]) => `${who} ${kind}`)
        .toSorted(),
    ).toEqual(['a stand-down', 'duty stand-down', 'leader stand-down']);
    await room.leave();
  });
});
