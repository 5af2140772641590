import { describe, expect, test } from 'vitest';
import { act, type Request } from '#shared/domain/act.ts';
import type { Incident } from '#shared/domain/incident.ts';
import {
  ACTIONS,
  DESK_ACTIONS,
  MOVES,
  STATES,
  allows,
  movesDiagram,
  statesAllowing,
  type Action,
  type State,
} from '#shared/domain/moves.ts';
import { NO_HANDS } from '#shared/domain/hands.ts';
import {
  T0,
  checkRow,
  dutyRoom,
  everybody,
  everyday,
  ladderOf,
  type DutyRoom,
  type Setting,
} from './duty-room.ts';

/** One incident in each state, brought there by what people do. */
const IN: Record<State, () => Incident> = {
  // In triage: what is not even classified lets nobody say that it is something else.
  received: () => ({
    ...told((room) => room.at(10), { triage: 15, matter: { sure: false, disposition: 'joint' } }),
    // Nobody is asked yet; a person of the roster is here so that every cell can be tried by a member too.
    people: [{ id: 'a', role: 'member', squad: 'one', told: [], did: [] }],
  }),
  asking: () => told((room) => room.at(10)),
  unanswered: () => {
    const room = dutyRoom({
      hands: { ...NO_HANDS, candidates: [{ id: 'a', role: 'member', squad: 'one' }] },
    });
    room.at(10).member('a').declines();
    room.hears('0 a ask');
    // As after a restart of the shift: he was asked before, and his decline has been lifted.
    delete room.incident.people[0]?.declined;
    return room.incident;
  },
  accepted: () => told((room) => room.at(10).member('a').accepts()),
  onsite: () => told((room) => room.at(10).member('a').arrives()),
  paused: () =>
    told((room) => {
      room.at(10).member('a').accepts();
      room.desk.pauses(600);
    }),
  joined: () => {
    const joined = act(
      IN.accepted(),
      { kind: 'desk', id: 'duty' },
      request('join'),
      everybody(),
      T0 + 10_000,
    );
    if (joined.kind !== 'done') throw new Error('nothing was joined');
    return joined.change.incident;
  },
  closed: () =>
    told((room) => {
      room.at(10).member('a').accepts();
      room.member('a').closes('by_phone');
    }),
  finished: () =>
    told((room) => {
      room.at(10).member('a').accepts();
      room.member('a').closes('by_phone');
      room.desk.revisits();
    }),
  returned: () => told((room) => room.at(10).desk.returns()),
};

const told = (tale: (room: DutyRoom) => unknown, setting: Setting = {}): Incident => {
  const room = dutyRoom(setting);
  tale(room);
  room.hears(...room.unheard());
  return room.incident;
};

/** Another incident, to which one can be joined. */
const mainOne = (): Incident => ({ ...told((room) => room.at(5)), id: 'the-main-one' });

/** An action with everything it needs; another outcome than any before, so that it is no repeat. */
const request = (action: Action): Request => ({
  action,
  reason: '样例原因',
  text: '样例说明',
  until: T0 + 3600_000,
  ...(action === 'close' ? { outcome: 'handed_on' } : {}),
  ...(action === 'revisit' ? { outcome: 'unreachable' } : {}),
  ...(action === 'reassign' ? { member: 'b' } : {}),
  ...(action === 'join' ? { into: 'the-main-one', main: mainOne() } : {}),
  ...(action === 'classify'
    ? {
        decided: {
          classification: { ...everyday, category: 'noise_nuisance' },
          ladder: ladderOf('donghu'),
          place: { name: '样例路' },
          picks: { picked: 3, rejected: 0 },
        },
      }
    : {}),
});

/** Where a move may lead beside what the table says at first sight. */
const ALSO: Partial<Record<State, Partial<Record<Action, State>>>> = {
  // Others have come on shift meanwhile (`somebody`), and the next one is asked at once.
  unanswered: { decline: 'asking' },
};

describe.for(STATES)('%s', (state) => {
  test.for(ACTIONS)('%s', (action) => {
    const incident = IN[state]();
    expect(incident.state).toBe(state);
    const desk = DESK_ACTIONS.has(action);
    const result = act(
      incident,
      desk ? { kind: 'desk', id: 'duty' } : { kind: 'member', id: 'a' },
      request(action),
      everybody(),
      T0 + 11_000,
      { id: 'b', role: 'member', squad: 'one' },
    );
    const target = MOVES[state][action];
    if (target === undefined) {
      // A repeat is harmless anywhere; everything else is refused with a sentence for a member.
      if (result.kind === 'repeat') return expect(REPEATS).toContain(`${state} ${action}`);
      if (result.kind !== 'refused') throw new Error(`${state} + ${action} came to pass`);
      expect(result.refusal.code).toBe('impossible');
      return expect(result.refusal.message).toMatch(/^[\p{Script=Han}“”，。、0-9]{8,60}$/u);
    }
    if (result.kind === 'repeat') return expect(REPEATS).toContain(`${state} ${action}`);
    if (result.kind === 'refused') throw new Error(`${state} + ${action}: ${result.refusal.message}`);
    const after = result.change.incident;
    checkRow(after);
    expect(result.change.lines.length, 'a move that leaves no line').toBeGreaterThan(0);
    expect(after.version).toBe(incident.version + 1);
    const expected =
      ALSO[state]?.[action] ??
      (target === 'same'
        ? state
        : target === 'was'
          ? incident.paused?.was
          : target === 'before'
            ? incident.joined?.was
            : target);
    return expect(after.state).toBe(expected);
  });
});

/** Cells in which the sample's action has already had its effect. */
const REPEATS = [
  'accepted accept',
  'onsite accept',
  'paused accept',
  'onsite arrive',
  'closed accept',
  'finished accept',
  'accepted resume',
  'onsite resume',
  'returned return',
  'joined accept',
  'joined join',
];

test('the table is the only source: conditions of writes are read from it', () => {
  expect(statesAllowing('pause')).toEqual(['accepted', 'onsite']);
  expect(statesAllowing('reopen')).toEqual(['closed', 'finished']);
  expect(statesAllowing('decline')).toEqual(['asking', 'unanswered', 'accepted']);
  for (const state of STATES) expect(allows(state, 'note')).toBe(true);
});

test('every state can be reached and left, and every action is possible somewhere', () => {
  const diagram = movesDiagram();
  for (const state of STATES) {
    expect(diagram).toMatch(new RegExp(`--> ${state}:`));
    expect(diagram).toMatch(new RegExp(`^ {2}${state} -->`, 'm'));
  }
  for (const action of ACTIONS) expect(statesAllowing(action), action).not.toEqual([]);
});
