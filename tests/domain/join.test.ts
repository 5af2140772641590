import { describe, expect, test } from 'vitest';
import { act, type Request } from '#shared/domain/act.ts';
import { escalate } from '#shared/domain/escalate.ts';
import type { Incident } from '#shared/domain/incident.ts';
import { T0, checkRow, dutyRoom, everybody, type DutyRoom, type Setting } from './duty-room.ts';

/** An incident as people brought it there; its notices have been heard. */
const told = (tale: (room: DutyRoom) => unknown, setting: Setting = {}): Incident => {
  const room = dutyRoom(setting);
  tale(room);
  room.hears(...room.unheard());
  return room.incident;
};
const main: Incident = { ...told((room) => room.at(1)), id: '01JSAMPLE0000000000000000M' };

/** The desk does it at this second. */
const desk = (incident: Incident, second: number, request: Request) => {
  const acted = act(incident, { kind: 'desk', id: 'duty' }, request, everybody(), T0 + second * 1000);
  if (acted.kind !== 'done') throw new Error(JSON.stringify(acted));
  checkRow(acted.change.incident);
  return acted.change;
};
const joined = (incident: Incident, second: number): Incident =>
  desk(incident, second, { action: 'join', into: main.id, main, reason: '是同一件事' }).incident;
const parted = (incident: Incident, second: number) =>
  desk(incident, second, { action: 'unjoin', main, reason: '是两件事' });

/** All that may differ after a joining was taken back: the lock, the round and what belongs to it, the trail, a mark. */
const kept = ({ version, round, workflow, trail, partedAt, due, rung, ...rest }: Incident) => {
  void [version, round, workflow, trail, partedAt, due, rung];
  return { ...rest, owed: rest.owed.toSorted() };
};

describe('a joining taken back at once leaves everything as it was', () => {
  test.each<[string, (room: DutyRoom) => unknown]>([
    ['asking', (room) => room.at(10)],
    ['accepted', (room) => room.at(10).member('a').accepts()],
    [
      'with a helper',
      (room) => {
        room.at(61).member('a').accepts();
        room.member('b').accepts();
      },
    ],
    ['on site', (room) => room.at(10).member('a').arrives()],
  ])('%s', (_, tale) => {
    const before = told(tale);
    const after = parted(joined(before, 100), 100).incident;
    const { climbs: was, breached: missedBefore, people: crewBefore, ...restBefore } = kept(before);
    const { climbs, breached, people, ...restAfter } = kept(after);
    expect(restAfter).toEqual(restBefore);
    expect(people.map(({ id, accepted, stood }) => ({ id, accepted, stood }))).toEqual(
      crewBefore.map(({ id, accepted, stood }) => ({ id, accepted, stood })),
    );
    // What passed until then is a miss, whether it was joined or not.
    expect(breached).toEqual(expect.arrayContaining(missedBefore));
    expect(Object.keys(was).every((rung) => rung in climbs)).toBe(true);
    expect(after).toMatchObject({ round: before.round + 1, workflow: 'owed' });
  });
});

test('while it is joined no clock rings for it', () => {
  const incident = joined(
    told((room) => room.at(10)),
    20,
  );
  expect(incident).toMatchObject({ state: 'joined', owed: [], due: {} });
  expect(escalate(incident, everybody(), T0 + 30 * 86_400_000)).toBeUndefined();
});

test('parted hours later the climb goes on from now, a step after the other, and not all at once', () => {
  const change = parted(
    joined(
      told((room) => room.at(10)),
      20,
    ),
    7200,
  );
  expect(change.notices.map(({ to, kind }) => `${to} ${kind}`)).toEqual(['a ask']);
  expect(change.incident.deadlines.accept).toBe(T0 + 60_000);
  expect(change.incident.breached).toContain('accept');
  const rings: string[] = [];
  let { incident } = change;
  while (rings.length < 3) {
    const at = incident.due[incident.rung ?? 'accept'] ?? 0;
    const next = escalate(incident, everybody(), at);
    if (!next) break;
    for (const { to } of next.notices) rings.push(`${to} ${(at - T0) / 1000}`);
    ({ incident } = next);
  }
  // Half a minute for whoever was called again, then the steps as in any climb.
  expect(rings).toEqual(['b 7230', 'leader 7260', 'duty 7290']);
});

test('its own people hear one thing: that they can stay', () => {
  const led = told((room) => room.at(10).member('a').accepts());
  const change = desk(led, 20, { action: 'join', into: main.id, main, reason: '是同一件事' });
  expect(change.notices.map(({ to, kind }) => `${to} ${kind}`)).toEqual(['a stand-down']);
  expect(change.lines.map(({ kind }) => kind)).toEqual(['joined', 'stand-down']);
});

test.each<[string, Partial<Incident>, Partial<Incident>, string]>([
  ['itself', { id: main.id }, {}, '自己'],
  ['a joined one', {}, { state: 'joined' }, '直接并入那一起'],
  ['a closed one', {}, { state: 'closed' }, '已办结'],
  ['one that is not classified yet', {}, { state: 'received' }, '还在研判'],
  ['a full one', {}, { joins: Array.from({ length: 12 }, (_, n) => `i-${n}`) }, '最多'],
])('it cannot be joined to %s', (_, own, theirs, sentence) => {
  const incident = { ...told((room) => room.at(10)), ...own };
  const acted = act(
    incident,
    { kind: 'desk', id: 'duty' },
    { action: 'join', into: main.id, main: { ...main, ...theirs }, reason: '是同一件事' },
    everybody(),
    T0 + 20_000,
  );
  expect(acted).toMatchObject({
    kind: 'refused',
    refusal: { code: 'impossible', message: expect.stringContaining(sentence) },
  });
});
