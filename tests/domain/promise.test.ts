import { expect, test } from 'vitest';
import { promiseOf } from '#shared/domain/promise.ts';
import { T0, dutyRoom } from './duty-room.ts';

type Room = ReturnType<typeof dutyRoom>;
/** The rung that counts down for somebody, and the seconds from the call at which it is due. */
const counts = (room: Room, id: string): string => {
  const promise = promiseOf(room.incident, id);
  return promise ? `${promise.rung} ${(promise.at - T0) / 1000}` : 'nothing';
};

test('each who is asked has his own minute; then whoever leads sees rung after rung, the missed one first', () => {
  const room = dutyRoom().at(60).hears('0 a ask', '60 b ask');
  expect([counts(room, 'a'), counts(room, 'b')]).toEqual(['accept 60', 'accept 120']);
  expect(counts(room, 'nobody')).toBe('nothing');
  room.member('b').accepts();
  room.hears('60 a stand-down');
  expect([counts(room, 'a'), counts(room, 'b')]).toEqual(['nothing', 'depart 120']);
  room.at(130).hears('120 b told');
  expect(counts(room, 'b')).toBe('depart 120');
  room.member('b').arrives();
  expect(counts(room, 'b')).toBe('feedback 3600');
});

test('nothing counts down while the clocks rest', () => {
  const room = dutyRoom().hears('0 a ask');
  room.member('a').accepts();
  room.desk.pauses(3_600);
  expect(counts(room, 'a')).toBe('nothing');
});
