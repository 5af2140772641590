import { describe, expect, test } from 'vitest';
import { act } from '#shared/domain/act.ts';
import { escalate } from '#shared/domain/escalate.ts';
import { assignToDuty } from '#shared/domain/assign.ts';
import { NO_HANDS } from '#shared/domain/hands.ts';
import { receive } from '#shared/domain/incident.ts';
import { DAY, T0, checkRow, dutyRoom, everybody, everyday, hand, ladderOf, outcome } from './duty-room.ts';

describe('nobody at all', () => {
  test('unanswered, looked at every minute of the first hour and every ten later, asked as people come on shift', () => {
    const room = dutyRoom({ hands: NO_HANDS });
    expect(room.incident.state).toBe('unanswered');
    expect(room.lines('unanswered')).toEqual(['0 unanswered accept']);
    room.at(3600);
    expect(room.wakes).toBe(60);
    room.at(7200);
    expect(room.wakes).toBe(66);
    room.hands = { ...NO_HANDS, leaders: everybody().leaders, street: everybody().street };
    room.at(7900).hears('7800 leader ask', '7830 street ask');
    expect(room.incident.state).toBe('asking');
    expect(room.lines('answered')).toEqual(['7800 answered accept']);
    expect(outcome(room.member('leader').accepts())).toBe('done');
    room.hears('7900 street stand-down');
    room.at(7901).member('leader').arrives();
  });

  test('the last one declines', () => {
    const room = dutyRoom({ hands: { ...NO_HANDS, candidates: [hand('a')], duty: [hand('duty', 'duty')] } });
    room.at(10).member('a').declines();
    room.hears('0 a ask', '10 duty ask');
    room.at(20).desk.does('decline', { reason: '一个人守台' });
    expect(room.incident.state).toBe('unanswered');
    expect(room.lines('unanswered')).toEqual(['20 unanswered accept']);
    room.at(60 + 20);
    room.hands = { ...room.hands, candidates: [hand('a'), hand('b')] };
    room.at(150).hears('140 b ask');
  });
});

describe('late wakes', () => {
  test('an outage: one nag is owed, not one for every five minutes', () => {
    const room = dutyRoom();
    room.at(180).hears('0 a ask', '60 b ask', '90 leader ask', '120 duty ask', '180 street ask');
    const late = escalate(room.incident, room.hands, T0 + 4000_000);
    expect(late?.notices.map((n) => n.kind)).toEqual(['nag']);
    // And the next one keeps to the rhythm: 180 + 13 × 300.
    expect(late?.incident.due.accept).toBe(T0 + 4080_000);
  });

  test('a rung that is finished never climbs, however late the wake', () => {
    const room = dutyRoom();
    room.at(59).member('a').arrives();
    expect(escalate(room.incident, room.hands, T0 + 3599_000)).toBeUndefined();
    room.hears('0 a ask');
  });

  test('classified late: the deadline is the receipt’s, but whoever is asked has 30 s', () => {
    const room = dutyRoom({ delay: 45 });
    expect(room.deadline('accept')).toBe(60);
    room.at(120).hears('45 a ask', '75 b ask', '105 leader ask');
  });

  test('not classified at all within 20 s: the duty officer holds it', () => {
    const fresh = receive({
      id: 'x',
      callNo: 'sample-2',
      district: 'donghu',
      receivedAt: T0,
      calledAt: T0,
      secret: false,
      mode: 'peace',
    });
    const finding = {
      classification: { ...everyday, sure: false },
      ladder: ladderOf('donghu'),
      place: { name: '地点待核' },
      picks: { picked: 0, rejected: 0 },
    };
    const { incident, notices } = assignToDuty(fresh, finding, everybody(), T0 + 20_000);
    checkRow(incident);
    expect(notices.map((n) => `${n.to} ${n.kind}`)).toEqual(['duty ask']);
    expect(incident.due.accept).toBe(T0 + 60_000);
  });
});

test('whatever happens after the new acceptance, the workflow sleeps through no earlier-begun rung', () => {
  // arrive is long overdue and told; the reassigned lead's feedback must still be noticed at its instant.
  const room = dutyRoom();
  room.at(10).member('a').arrives();
  room.at(20).desk.reassigns('b');
  room.at(30).member('b').accepts();
  expect(room.waitsAt).toBe('feedback');
  room.at(3600).hears('0 a ask', '20 a reassigned', '20 b ask', '3600 b told');
  room.member('b').feedsBack();
  room.at(DAY).hears(`${DAY} b told`);
});

test('a note on an incident still in classification does not end its workflow', () => {
  const fresh = receive({
    id: 'x',
    callNo: 'sample-3',
    district: 'donghu',
    receivedAt: T0,
    calledAt: T0,
    secret: false,
    mode: 'peace',
  });
  const noted = act(
    fresh,
    { kind: 'desk', id: 'duty' },
    { action: 'note', text: '同一人来电' },
    everybody(),
    T0,
  );
  expect(noted).toMatchObject({
    kind: 'done',
    change: { incident: { workflow: 'none', state: 'received' } },
  });
  const returned = act(
    fresh,
    { kind: 'desk', id: 'duty' },
    { action: 'return', reason: '有人持刀' },
    everybody(),
    T0,
  );
  expect(returned).toMatchObject({
    kind: 'done',
    change: { incident: { workflow: 'owed', owed: ['handback'] } },
  });
});
