import { afterAll, beforeAll, expect, it } from 'vitest';
import { ownerOf } from '#shared/ports/store.ts';
import { synthesize } from './assembly.ts';
import { CAST, DutyRoom } from './duty-room.ts';

let built: Awaited<ReturnType<typeof synthesize>>;
beforeAll(async () => {
  // From ten at night to seven.
  built = await synthesize({ district: 'donghu', policy: { delivery: { quiet: { from: 1320, to: 420 } } } });
});
afterAll(() => built.remove());

/** Two minutes before ten in Beijing. */
const EVENING = Date.parse('2026-03-04T13:58:00.000Z');
const TEN = 120;
const SEVEN = TEN + 9 * 3_600;
const NIGHT = TEN + 4 * 3_600;

it('quiet hours: chatter waits and is one message at seven; whoever the ladder names is rung at night all the same', async () => {
  const room = await DutyRoom.open({
    assembly: built.assembly,
    district: 'donghu',
    roster: CAST('story', 'patrol'),
    begin: EVENING,
  });
  const called = async (n: number): Promise<string> =>
    (await room.call({ address: `样例路${n}号` })).body.incidentId ?? '';

  // Asked before ten, stood down after it: twice. He sleeps, and nobody wakes him for that.
  const evening = [await called(1), await called(2)];
  await room.at(TEN - 1);
  room.expectRings(
    ['a', 'ask', 0],
    ['a', 'ask', 0],
    ['b', 'ask', 60],
    ['b', 'ask', 60],
    ['leader', 'ask', 90],
    ['leader', 'ask', 90],
  );
  await room.at(TEN + 5);
  room.expectRings(['duty', 'ask', TEN], ['duty', 'ask', TEN]);
  for (const id of evening) await room.act('b', id, 'accept');
  for (const id of evening) await room.act('b', id, 'close', { outcome: 'by_phone', text: '已电话答复。' });
  // Whom it has woken is told at once that he may sleep on.
  room.expectRings(['duty', 'stand-down', TEN + 5], ['duty', 'stand-down', TEN + 5]);

  // At two the ladder names him again: he is rung, and, being awake, told at once that another one goes.
  await room.at(NIGHT, { passes: 1 });
  room.expectRings();
  const night = await called(3);
  await room.at(NIGHT + 61);
  await room.act('b', night, 'accept');
  room.expectRings(['a', 'ask', NIGHT], ['b', 'ask', NIGHT + 60], ['a', 'stand-down', NIGHT + 61]);
  await room.act('b', night, 'close', { outcome: 'by_phone', text: '已电话答复。' });
  await room.at(SEVEN - 5, { passes: 1 });
  room.expectRings();
  await room.at(SEVEN + 60);
  // One message each for both evenings, with the beat after seven.
  const rang = room.rang();
  expect(rang.map(([who, kind]) => `${who} ${kind}`)).toEqual(['a summary', 'leader summary']);
  for (const [, , second] of rang) expect(Math.abs(second - SEVEN - 30)).toBeLessThanOrEqual(35);
  const told = (await Promise.all(evening.map((id) => room.store.notices(ownerOf(id))))).flat();
  const ends = told
    .filter(({ notice }) => notice.kind === 'stand-down' && notice.to !== 'duty')
    .map(({ notice, state }) => `${notice.to} ${state}`);
  // Of the same instant: either may be the one that stands for both.
  expect(ends.toSorted()).toEqual(['a bundled', 'a delivered', 'leader bundled', 'leader delivered']);
  await room.at(SEVEN + 600);
  await room.leave();
});
