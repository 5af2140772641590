import { expect } from 'vitest';
import type { Action } from '#shared/domain/moves.ts';
import type { DutyRoom, Ring } from './duty-room.ts';

/** From the call to the feedback in each district, when the lead accepts at 30 and then is late with everything. */
const UNTIL_ARRIVAL: Record<string, Ring[]> = {
  donghu: [
    ['a', 'ask', 0],
    // Depart: the leader would be told at 180, when contact begins.
    ['a', 'told', 120],
    ['a', 'told', 180],
    ['leader', 'climb', 240],
    ['duty', 'climb', 300],
    // Contact: the street leader would be told at 480, when the arrival begins.
    ['a', 'told', 480],
    ['leader', 'climb', 540],
    ['duty', 'climb', 600],
    ['street', 'climb', 780],
  ],
  linjiang: [
    ['a', 'ask', 0],
    ['a', 'told', 180],
    ['leader', 'climb', 240],
    ['duty', 'climb', 300],
    ['street', 'climb', 480],
    ['a', 'told', 600],
    ['leader', 'climb', 660],
    ['duty', 'climb', 720],
    ['street', 'climb', 900],
  ],
  xinjie: [
    ['a', 'ask', 0],
    ['a', 'told', 300],
    ['leader', 'climb', 360],
    ['duty', 'climb', 420],
    ['street', 'climb', 600],
  ],
  xiaohe: [
    ['a', 'ask', 0],
    ['a', 'told', 180],
    // The duty officer would be told at 300, when reinforcement is called.
    ['leader', 'climb', 240],
    ['b', 'reinforce', 300],
    ['c', 'reinforce', 300],
    ['leader', 'reinforce', 300],
    ['duty', 'climb', 420],
    ['street', 'climb', 600],
  ],
};

const climb = (from: number): Ring[] => [
  ['a', 'told', from],
  ['leader', 'climb', from + 60],
  ['duty', 'climb', from + 120],
  ['street', 'climb', from + 300],
];

/** When the desk closes; the call-back is promised for three days later. */
const CLOSED = 87_000;
const REVISIT = CLOSED + 259_200;

/** Who was called as reinforcement and never came is sent home with the close. */
const CALLED: Record<string, string[]> = { xiaohe: ['b', 'c', 'leader'] };

/** What rings in each district when nothing after the acceptance is done in its time. */
export const MISSES: Record<string, Ring[]> = Object.fromEntries(
  Object.entries(UNTIL_ARRIVAL).map(([district, rings]) => [
    district,
    [
      ...rings,
      ...climb(3_600),
      ...climb(86_400),
      ...(CALLED[district] ?? []).map((who): Ring => [who, 'stand-down', CLOSED]),
      // The call-back is the desk's own: its step in the middle is empty, so the street leader moves up.
      ['duty', 'told', REVISIT],
      ['leader', 'climb', REVISIT + 60],
      ['street', 'climb', REVISIT + 120],
    ],
  ]),
);

/** Takes one call through its whole life, everything after the acceptance too late, and looks at every ring. */
export const missEverything = async (room: DutyRoom): Promise<string> => {
  const id = (await room.call()).body.incidentId ?? '';
  const life: [number, string, Action, Record<string, unknown>?][] = [
    [30, 'a', 'accept'],
    [1_000, 'a', 'arrive'],
    [4_000, 'a', 'feedback', { text: '双方都在，正在谈。' }],
    [CLOSED, 'a', 'close', { outcome: 'solved', text: '已谈妥。' }],
    [REVISIT + 1_000, 'desk', 'revisit', { outcome: 'satisfied' }],
  ];
  for (const [second, who, action, more] of life) {
    await room.at(second, { passes: 1 });
    expect([action, (await room.act(who, id, action, more)).status]).toEqual([action, 200]);
  }
  room.expectRings(...(MISSES[room.district] ?? []));
  return id;
};
