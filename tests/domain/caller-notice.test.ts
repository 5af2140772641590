import { describe, expect, test } from 'vitest';
import { loadDistrict } from '#shared/districts/load.ts';
import {
  CALLER,
  callerBarred,
  callerMoot,
  callerToldSchema,
  tellCaller,
} from '#shared/domain/caller-notice.ts';
import type { Incident } from '#shared/domain/incident.ts';
import { dutyRoom, everyday, T0 } from './duty-room.ts';

const ON = callerToldSchema.parse({ on: true });
const { minors } = loadDistrict('xiaohe').signs;
const said = (words: string) => ({ words, minors });

/** An accepted incident, with something about it changed. */
const accepted = (more: Partial<Incident> = {}): Incident => {
  const room = dutyRoom();
  room.at(10).member('a').accepts();
  room.hears(...room.unheard());
  return { ...room.incident, ...more };
};

describe('a caller', () => {
  test('of an everyday matter may be told, where the district wants it', () => {
    for (const words of [
      '楼上太吵，请来协调',
      '我今年六十五岁，房东不退押金',
      '老人二十五岁的房子漏水，25岁',
    ])
      expect(callerBarred(ON, accepted(), {}, said(words))).toBeUndefined();
    expect(callerBarred(callerToldSchema.parse({}), accepted(), {})).toBe('not-wanted');
  });

  test.each([
    ['secret', { secret: true }],
    ['police', { classification: { ...everyday, disposition: 'police' } }],
    ['police', { state: 'returned' }],
    ['danger', { classification: { ...everyday, danger: ['sexual'] } }],
    ['danger', { classification: { ...everyday, danger: ['domestic'] } }],
    ['danger', { classification: { ...everyday, grave: true } }],
    ['unsure', { classification: { ...everyday, sure: false } }],
    ['unsure', { classification: undefined }],
  ] as const)('never: %s %j', (why, more) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a row that the rules would not make must be barred as well
    const incident = accepted(more as Partial<Incident>);
    expect(callerBarred(ON, incident, {})).toBe(why);
    // Only the desk, and only this one message.
    expect(callerBarred(ON, incident, { released: true })).toBeUndefined();
  });

  test.each([
    ['third-party', '我是物业，替业主反映楼上漏水'],
    ['third-party', '路过看到有人在吵架'],
    ['protected', '初二的中学生在楼道里哭'],
    ['protected', '隔壁老公打老婆'],
    ['third-party', '我看见有人在楼道里吵架，声音很大，请来看看'],
    ['third-party', '我发现对面楼有两个人在吵架，请来协调'],
    ['third-party', '帮我妈问一下，她家楼上漏水，邻居不肯修'],
    ['third-party', '我同事被房东扣了押金，请你们来协调'],
    ['protected', '我女儿在幼儿园门口被人推了一下，现在在吵'],
    ['protected', '我儿子上初中，同学老是欺负他，学校不管'],
    ['protected', '一个小孩在小区里玩水枪，弄湿了我的衣服'],
    ['protected', '我今年十五岁，房东不退我押金'],
    ['protected', '我16周岁，老板不发工资'],
    ['protected', '他老是摸我，我是他员工'],
    ['protected', '我今年１５ 岁，房东不退我押金'],
    ['protected', '邻居打我，还打我电话骂人'],
    [undefined, '请帮我处理一下楼上漏水，物业打我电话说不管，我六十五岁了'],
  ])('never: %s, by the words %s', (why, words) => {
    expect(callerBarred(ON, accepted(), {}, said(words))).toBe(why);
  });

  test('hears nothing that is no longer true', () => {
    const closed = accepted({ closed: { at: T0, outcome: 'solved' } });
    expect(callerMoot(closed, { kind: 'caller-accepted' })).toBe('closed');
    expect(callerMoot(closed, { kind: 'caller-result' })).toBeUndefined();
    expect(callerMoot(accepted(), { kind: 'caller-result' })).toBe('reopened');
    expect(callerMoot(accepted({ lead: undefined }), { kind: 'caller-coming' })).toBe('nobody-leads');
    expect(callerMoot(accepted({ done: { arrive: T0 } }), { kind: 'caller-coming' })).toBe('arrived');
    // Joined to another call its own people were sent home.
    expect(callerMoot(accepted({ state: 'joined' }), { kind: 'caller-accepted' })).toBe('joined');
  });

  test('hears of each step once: a second acceptance, a note, an arrival say nothing', () => {
    const before = accepted();
    const step = (after: Incident) =>
      tellCaller(ON, before, { incident: after, lines: [], notices: [] }, T0).notices;
    expect(step(before)).toEqual([]);
    expect(step({ ...before, done: { ...before.done, depart: T0 } })).toMatchObject([
      { to: CALLER, kind: 'caller-coming' },
    ]);
    expect(step({ ...before, done: { ...before.done, depart: T0, arrive: T0 } })).toEqual([]);
    expect(step({ ...before, closed: { at: T0, outcome: 'solved' } })).toMatchObject([
      { kind: 'caller-result' },
    ]);
  });
});
