import { expect, test } from 'vitest';
import { plan } from '#shared/domain/plan.ts';
import { NO_HANDS } from '#shared/domain/hands.ts';
import { T0, dutyRoom, hand } from './duty-room.ts';

test('the page shows the golden row before it happens', () => {
  const room = dutyRoom({ hands: { candidates: [hand('a'), hand('b')] } });
  expect(room.plan().slice(0, 6)).toEqual([
    '60 ask b',
    '90 ask leader',
    '120 ask duty',
    '180 ask street',
    '480 nag duty',
    '780 nag duty',
  ]);
  expect(plan(room.incident, room.hands, T0).filter((p) => p.what === 'deadline')).toEqual(
    (['accept', 'depart', 'contact', 'arrive', 'feedback', 'close'] as const).map((rung) => ({
      at: room.incident.deadlines[rung],
      what: 'deadline',
      rung,
      whom: [],
    })),
  );
  room.hears('0 a ask');
});

test('reinforcement, pause and another look are in it', () => {
  const room = dutyRoom({ district: 'xiaohe', mode: 'war' });
  room.at(10).member('a').accepts();
  expect(room.plan().slice(0, 5)).toEqual([
    '180 tell a',
    '240 tell leader',
    '300 reinforce b c leader',
    '420 tell duty',
    '600 tell street',
  ]);
  room.at(20).desk.pauses(100);
  expect(room.plan().slice(0, 2)).toEqual(['120 resume', '280 tell a']);
  room.hears('0 a ask');
  expect(dutyRoom({ hands: NO_HANDS }).plan()).toEqual(['60 retry']);
});

test('two things of one instant are both shown', () => {
  // Reinforcement asked for at 60: its duty officer at 180 meets contact's first step.
  const room = dutyRoom();
  room.at(10).member('a').accepts();
  room.at(60).member('a').callsHelp();
  expect(room.plan().slice(0, 3)).toEqual(['120 tell a', '180 tell a', '180 tell duty']);
  room
    .at(180)
    .hears(
      '0 a ask',
      '60 b reinforce',
      '60 c reinforce',
      '60 leader reinforce',
      '120 a told',
      '180 a told',
      '180 duty climb',
    );
  room.member('a').arrives();
});

test('what is overdue is shown as happening now', () => {
  const room = dutyRoom();
  const asked = plan(room.incident, room.hands, T0 + 100_000).filter((p) => p.what === 'ask');
  expect(asked.map((p) => [(p.at - T0) / 1000, ...p.whom])).toEqual([
    [100, 'b'],
    [100, 'leader'],
    [120, 'duty'],
    [180, 'street'],
  ]);
  room.hears('0 a ask');
});

test('nothing left to do: an empty plan', () => {
  const room = dutyRoom();
  room.member('a').arrives();
  room.member('a').closes();
  room.desk.revisits();
  expect(plan(room.incident, room.hands, room.now)).toEqual([]);
  room.hears('0 a ask');
});

test('where nobody is left but the desk, the pair that triage ends with is two of its people', () => {
  const duty = [hand('duty', 'duty', 'desk'), hand('duty-2', 'duty', 'desk')];
  const room = dutyRoom({ triage: 15, hands: { ...NO_HANDS, duty } });
  expect(room.plan()[0]).toBe('15 ask duty duty-2');
  room.at(15).hears('0 duty desk', '15 duty ask', '15 duty-2 ask');
});
