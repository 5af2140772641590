import * as z from 'zod';

/** Where an incident stands. `unanswered`, `paused` and `returned` lie beside the straight way. */
export const STATES = [
  'received',
  'asking',
  'unanswered',
  'accepted',
  'onsite',
  'paused',
  'joined',
  'closed',
  'finished',
  'returned',
] as const;
/** Parses a state. */
export const stateSchema = z.enum(STATES);
/** 已接收 · 待接单 · 无人应答 · 已接单 · 已到场 · 已暂停 · 已并案 · 已办结 · 已终结 · 已回流. */
export type State = z.infer<typeof stateSchema>;

/** What the duty room calls the states (zh-CN). */
export const STATE_NAMES: Record<State, string> = {
  received: '已接收',
  asking: '待接单',
  unanswered: '无人应答',
  accepted: '已接单',
  onsite: '已到场',
  paused: '已暂停',
  joined: '已并案',
  closed: '已办结',
  finished: '已终结',
  returned: '已回流110',
};

/** What a person can do with an incident, by name of the API. */
export const ACTIONS = [
  'accept',
  'decline',
  'depart',
  'contact',
  'arrive',
  'reinforce',
  'feedback',
  'close',
  'revisit',
  'reopen',
  'reassign',
  'pause',
  'resume',
  'classify',
  'join',
  'unjoin',
  'return',
  'handback',
  'reveal',
  'tell',
  'note',
] as const;
/** An action of a person. */
export type Action = (typeof ACTIONS)[number];

/** What people call each action (zh-CN). */
export const ACTION_NAMES: Record<Action, string> = {
  accept: '接单',
  decline: '退单',
  depart: '出发',
  contact: '联系当事人',
  arrive: '到场',
  reinforce: '请求增援',
  feedback: '反馈',
  close: '办结',
  revisit: '回访',
  reopen: '重启',
  reassign: '改派',
  pause: '暂停',
  resume: '恢复',
  classify: '研判',
  join: '并案',
  unjoin: '拆开',
  return: '退回110',
  handback: '确认回流',
  reveal: '查看当事人',
  tell: '告知来电人',
  note: '备注',
};

/** Actions that only the desk may take; everything else is for the people asked or told, and the desk on their behalf. */
export const DESK_ACTIONS: ReadonlySet<Action> = new Set([
  'revisit',
  'reopen',
  'reassign',
  'pause',
  'resume',
  'classify',
  'join',
  'unjoin',
  'return',
  'handback',
  'reveal',
  'tell',
]);

/** What moves an incident: people's actions, and what the system finds by itself. */
export type Move = Action | 'assign' | 'nobody' | 'somebody' | 'close-along' | 'return-along';

/**
 * Target of a move; `same`: recorded, but the incident stays; `was`: the state before the pause; `before`: the state
 * before it was joined.
 */
export type Target = State | 'same' | 'was' | 'before';

const working = {
  depart: 'same',
  contact: 'same',
  feedback: 'same',
  reinforce: 'same',
  tell: 'same',
} as const;
const talk = { note: 'same', reveal: 'same' } as const;
// To correct what it is moves nothing by itself; corrected to police, it is returned.
const corrected = { classify: 'same' } as const;
const asked = {
  ...talk,
  ...corrected,
  accept: 'accepted',
  decline: 'same',
  // Somebody asked who is already on the way has accepted, whatever he forgot to tap (`implied`).
  depart: 'accepted',
  contact: 'accepted',
  feedback: 'accepted',
  arrive: 'onsite',
  close: 'closed',
  reassign: 'asking',
  join: 'joined',
  return: 'returned',
} as const;

/**
 * The moves of an incident, in one table: what is missing here is impossible (409).
 * The state condition of every write and the diagram in the README are made from it.
 */
export const MOVES: Record<State, Partial<Record<Move, Target>>> = {
  received: { ...talk, classify: 'asking', assign: 'asking', nobody: 'unanswered', return: 'returned' },
  asking: { ...asked, nobody: 'unanswered' },
  unanswered: { ...asked, somebody: 'asking' },
  accepted: {
    ...talk,
    ...corrected,
    ...working,
    accept: 'same',
    decline: 'asking',
    arrive: 'onsite',
    close: 'closed',
    reassign: 'asking',
    pause: 'paused',
    join: 'joined',
    return: 'returned',
  },
  onsite: {
    ...talk,
    ...corrected,
    ...working,
    accept: 'same',
    arrive: 'same',
    close: 'closed',
    reassign: 'asking',
    pause: 'paused',
    join: 'joined',
    return: 'returned',
  },
  paused: {
    ...talk,
    ...corrected,
    ...working,
    accept: 'same',
    arrive: 'same',
    resume: 'was',
    close: 'closed',
    return: 'returned',
  },
  // Part of another one: it goes with that one, or parts from it.
  joined: { ...talk, unjoin: 'before', 'close-along': 'closed', 'return-along': 'returned' },
  closed: { ...talk, ...corrected, tell: 'same', revisit: 'finished', reopen: 'asking' },
  finished: { ...talk, ...corrected, tell: 'same', reopen: 'asking' },
  returned: { ...talk, handback: 'same' },
};

/** May this move be made in this state? */
export const allows = (state: State, move: Move): boolean => MOVES[state][move] !== undefined;

/** The states in which a move may be made; conditions of writes are built from it, never typed by hand. */
export const statesAllowing = (move: Move): State[] => STATES.filter((state) => allows(state, move));

/** The way of an incident as a mermaid state diagram; the README holds its output and a test compares. */
export const movesDiagram = (): string => {
  const edges = new Map<string, string[]>();
  for (const state of STATES)
    for (const [move, target] of Object.entries(MOVES[state])) {
      if (target === 'same') continue;
      const to =
        target === 'was'
          ? ['accepted', 'onsite']
          : target === 'before'
            ? ['asking', 'unanswered', 'accepted', 'onsite']
            : [target];
      for (const one of to) {
        if (one === state) continue;
        const key = `${state} --> ${one}`;
        edges.set(key, [...(edges.get(key) ?? []), move]);
      }
    }
  return [
    'stateDiagram-v2',
    '  [*] --> received: signed 110 call',
    ...[...edges].map(([edge, moves]) => `  ${edge}: ${moves.join(' · ')}`),
    '  finished --> [*]',
    '  returned --> [*]: handback',
  ].join('\n');
};
