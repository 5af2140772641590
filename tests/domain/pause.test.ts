import { expect, test } from 'vitest';
import { escalate } from '#shared/domain/escalate.ts';
import { DAY, T0, dutyRoom, outcome } from './duty-room.ts';

const accepted = () => {
  const room = dutyRoom();
  room.at(30).member('a').accepts();
  room.hears('0 a ask');
  return room;
};

test('open deadlines move by the paused length, and everything stands still meanwhile', () => {
  const room = accepted();
  room.at(100).desk.pauses(7 * DAY);
  room.at(1100).desk.resumes();
  expect([room.deadline('accept'), room.deadline('depart'), room.deadline('close')]).toEqual([
    60,
    1120,
    DAY + 1000,
  ]);
  expect(room.lines('paused', 'resumed')).toEqual(['100 paused', '1100 resumed']);
  room.at(1130).hears('1120 a told');
  room.member('a').arrives();
});

test('resumes by itself at its end, to the second', () => {
  const room = accepted();
  room.at(100).desk.pauses(900);
  expect(room.waitsUntil).toBe(1000);
  room.at(1019).hears();
  expect(room.incident.state).toBe('accepted');
  expect(room.lines('resumed')).toEqual(['1000 resumed']);
  room.at(1020).hears('1020 a told');
  room.member('a').arrives();
});

test('however late the wake, the pause ended at its end', () => {
  const room = accepted();
  room.at(100).desk.pauses(900);
  const late = escalate(room.incident, room.hands, T0 + 1499_000);
  expect(late?.incident.deadlines.depart).toBe(T0 + 1020_000);
  expect(late?.incident).toMatchObject({ state: 'accepted' });
  expect(late?.incident.paused).toBeUndefined();
  // depart and contact have begun meanwhile and bound each other; the later one climbs.
  expect(late?.notices.map((n) => `${n.to} ${n.kind} ${n.rung}`)).toEqual([
    'a told depart',
    'a told contact',
    'leader climb contact',
    'duty climb contact',
    'a told arrive',
    'leader climb arrive',
  ]);
});

test('a climb under way goes on where it stood; the passed deadline stays passed', () => {
  const room = dutyRoom({ district: 'xinjie' });
  room.at(30).member('a').accepts();
  room.at(330).hears('0 a ask', '300 a told');
  room.desk.pauses(DAY);
  room.at(1330).desk.resumes();
  expect(room.deadline('arrive')).toBe(300);
  room.at(2000).hears('1360 leader climb', '1420 duty climb', '1600 street climb');
});

test('a late acceptor’s span is put off once, not twice', () => {
  const room = dutyRoom({ district: 'xinjie' });
  room.at(200).hears('0 a ask', '60 b ask', '90 leader ask', '120 duty ask', '180 street ask');
  room.member('b').accepts();
  room.hears('200 a stand-down', '200 leader stand-down', '200 duty stand-down', '200 street stand-down');
  // arrive climbs from 200 + 240.
  room.at(450).hears('440 b told');
  room.desk.pauses(DAY);
  room.at(550).desk.resumes();
  room.at(1000).hears('600 leader climb', '660 duty climb', '840 street climb');
});

test('what may be paused, and for how long', () => {
  const room = dutyRoom();
  expect(outcome(room.desk.pauses(60))).toBe('impossible');
  room.at(30).member('a').accepts();
  expect(outcome(room.desk.pauses(60, ''))).toBe('invalid');
  expect(outcome(room.desk.pauses(0))).toBe('invalid');
  expect(outcome(room.desk.pauses(7 * DAY + 1))).toBe('invalid');
  expect(outcome(room.desk.does('pause', { reason: '等' }))).toBe('invalid');
  expect(outcome(room.desk.resumes())).toBe('impossible');
  expect(outcome(room.desk.pauses(7 * DAY))).toBe('done');
  expect(outcome(room.desk.pauses(7 * DAY))).toBe('repeat');
  expect(outcome(room.desk.pauses(60))).toBe('impossible');
  expect(outcome(room.desk.resumes())).toBe('done');
  expect(outcome(room.desk.resumes())).toBe('repeat');
  room.hears('0 a ask');
});

test('who arrives or closes during a pause', () => {
  const room = accepted();
  room.at(100).desk.pauses(DAY);
  room.at(200).member('a').arrives();
  expect(room.incident).toMatchObject({ state: 'paused', paused: { was: 'onsite' } });
  room.at(300).desk.resumes();
  expect(room.incident.state).toBe('onsite');
  room.desk.pauses(DAY);
  room.at(400).member('a').closes();
  expect(room.incident).toMatchObject({ state: 'closed', owed: ['revisit'] });
  expect(room.lines('paused', 'resumed')).toEqual(['100 paused', '300 resumed', '300 paused', '400 resumed']);
});
