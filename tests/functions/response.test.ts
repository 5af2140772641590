import { beforeEach, describe, expect, test } from 'vitest';
import { CLIMBS } from '#shared/domain/climb.ts';
import { ownerOf } from '#shared/ports/store.ts';
import { Office } from './office.ts';

let office: Office;
let id: string;
let first: string;

beforeEach(async () => {
  office = await Office.open('donghu');
  id = await office.asks110();
  [first = ''] = await office.asked(id);
});

const closes = { action: 'close', outcome: 'cancelled', text: '来电撤销' } as const;

describe('two people at the same moment', () => {
  test('both accept: one leads, the other helps, nobody is refused', async () => {
    office.time += 60_000;
    await office.escalate(id);
    const [, second = ''] = await office.asked(id);
    const answers = await Promise.all(
      [first, second].map((who) => office.does(who, id, { action: 'accept' })),
    );
    expect(answers.map((answer) => answer.kind)).toEqual(['done', 'done']);
    const { lead, people } = await office.incident(id);
    expect([first, second]).toContain(lead);
    expect(people.filter((person) => person.accepted !== undefined)).toHaveLength(2);
    expect(
      (await office.trail(id)).filter((kind) => kind === 'accepted' || kind === 'helper').sort(),
    ).toEqual(['accepted', 'helper']);
    expect(await office.faults(id)).toEqual([]);
  });

  test('who loses the race four times decides anew each time and is taken; after five he is told the truth', async () => {
    const note = (text: string) => () => office.does('duty-1', id, { action: 'note', text });
    office.races = [1, 2, 3, 4].map((n) => {
      const race = note(`抢先${n}`);
      // The racer's own commit must not race again.
      return async () => {
        const rest = office.races;
        office.races = [];
        await race();
        office.races = rest;
      };
    });
    expect((await office.does(first, id, { action: 'accept' })).kind).toBe('done');
    expect(office.backoffs).toEqual([1, 2, 3, 4]);
    expect(await office.incident(id)).toMatchObject({ lead: first, version: 6 });

    const again = Array.from({ length: 5 }, (_, n) => async () => {
      const rest = office.races;
      office.races = [];
      await note(`又抢先${n}`)();
      office.races = rest;
    });
    office.races = again;
    await expect(office.does(first, id, { action: 'depart' })).rejects.toThrow(/5 times/);
  });

  test('a move that became impossible meanwhile is refused by the table of moves, not by the race', async () => {
    office.races = [() => office.does('duty-1', id, closes)];
    expect(await office.does(first, id, { action: 'accept' })).toMatchObject({
      kind: 'refused',
      refusal: { code: 'impossible' },
    });
  });
});

describe('a repeat is harmless', () => {
  test('by its Idempotency-Key, also when both arrive at once; a key belongs to its owner', async () => {
    await office.does(first, id, { action: 'accept' });
    const feedback = (text: string) => office.does(first, id, { action: 'feedback', text }, 'key-1');
    // Another text under the same key is still the same request.
    const both = await Promise.all([feedback('双方已分开'), feedback('双方 已分开')]);
    expect(both.map((answer) => answer.kind).sort()).toEqual(['done', 'repeat']);
    const { version } = await office.incident(id);
    const third = await feedback('再说一次');
    expect(third).toMatchObject({ kind: 'repeat', incident: { version } });
    expect((await office.trail(id)).filter((kind) => kind === 'feedback')).toHaveLength(1);
    const other = await office.does('duty-1', id, { action: 'note', text: '值班台备注' }, 'key-1');
    expect(other.kind).toBe('done');
  });

  test('without a key: an equal note within a minute, also when both arrive at once', async () => {
    await office.does(first, id, { action: 'accept' });
    const note = () => office.does(first, id, { action: 'note', text: '门没有开' });
    const both = await Promise.all([note(), note()]);
    expect(both.map((answer) => answer.kind).sort()).toEqual(['done', 'repeat']);
    office.time += 61_000;
    expect((await note()).kind).toBe('done');
    expect((await office.trail(id)).filter((kind) => kind === 'noted')).toHaveLength(2);
  });
});

describe('what follows a commit never fails the person who acted', () => {
  test('with every queue and the workflow away he has his answer, and everything stands in the table as owed', async () => {
    await office.parks(id, 'token', 'accept');
    office.broken = new Set(['notices', 'start', 'wake']);
    office.time += 10_000;
    const answer = await office.does('duty-1', id, { action: 'reassign', member: 'p-008' });
    expect(answer.kind).toBe('done');
    const second = 'p-008';
    expect(office.log.lines.map((line) => line.code)).toEqual(['left-to-reconcile', 'left-to-reconcile']);
    const { notice } = await office.notice(id, second);
    const owed = await office.store.owed(office.time);
    expect(owed).toContainEqual({
      kind: 'notice',
      owner: ownerOf(id),
      noticeId: notice.id,
      lane: 'alerts',
      since: office.time,
    });
  });

  test('the notices of a move go out at once, in one go', async () => {
    await office.does(first, id, { action: 'decline', reason: '在处置另一起' });
    const [, second = ''] = await office.asked(id);
    const { notice } = await office.notice(id, second);
    expect(office.sent.notices).toEqual([
      { owner: ownerOf(id), noticeId: notice.id, lane: 'alerts', delay: 0 },
    ]);
  });
});

describe('the workflow is woken after the commit', () => {
  test('a finished rung: success, with the deadlines of now', async () => {
    await office.parks(id, 'T', 'accept');
    await office.does(first, id, { action: 'accept' });
    expect(office.told).toHaveLength(1);
    expect(office.told[0]).toMatch(/^finished T .*depart/);
  });

  test('a clock that was moved: rearm', async () => {
    await office.does(first, id, { action: 'accept' });
    await office.parks(id, 'T', 'depart');
    office.looked();
    await office.does('duty-1', id, { action: 'pause', reason: '等鉴定', until: office.time + 3_600_000 });
    expect(office.looked().told).toEqual(['rearm T']);
    await office.does('duty-1', id, { action: 'resume' });
    expect(office.looked().told).toEqual(['rearm T']);
  });

  test('nothing that it waits for has changed: it sleeps on', async () => {
    await office.parks(id, 'T', 'accept');
    await office.does('duty-1', id, { action: 'note', text: '已电话提醒' });
    expect(office.told).toEqual([]);
  });

  test('the token that it parked between our reading and our commit is the one that is woken', async () => {
    office.races = [() => office.parks(id, 'T', 'accept')];
    await office.does(first, id, { action: 'accept' });
    expect(office.told[0]).toMatch(/^finished T /);
  });

  test('so early that nobody has written down yet that it runs', async () => {
    const early = await office.receives();
    office.broken.add('start');
    await office.classify(early);
    office.broken.clear();
    expect(await office.incident(early)).toMatchObject({ workflow: 'owed' });
    await office.parks(early, 'T', 'accept');
    office.looked();
    await office.does((await office.asked(early))[0] ?? '', early, { action: 'accept' });
    expect(office.told).toContain('start 1');
    expect(office.told.some((told) => told.startsWith('finished T '))).toBe(true);
    expect(await office.incident(early)).toMatchObject({ workflow: 'started' });
  });

  test('a reopened incident: the execution of the old round is sent home, never that of the new one', async () => {
    await office.does('duty-1', id, closes);
    await office.parks(id, 'OLD', 'revisit');
    office.looked();
    const { commit } = office.store;
    office.store.commit = async (...args) => {
      const taken = await commit(...args);
      // The new execution is quick: its token stands in the row before anybody looks for one to wake.
      await office.parks(id, 'NEW', 'accept', 2);
      return taken;
    };
    await office.does('duty-1', id, { action: 'reopen', reason: '又吵起来了' });
    expect(office.looked().told.sort()).toEqual(['rearm OLD', 'start 2']);
    expect(await office.escalate(id, 1)).toEqual({ next: 'finished', due: {} });
  });

  test('a token that is closed already is normal: counted, no error', async () => {
    office.late = true;
    await office.parks(id, 'T', 'accept');
    expect((await office.does(first, id, { action: 'accept' })).kind).toBe('done');
    expect(office.log.counts.TokenLate).toBe(1);
    expect(office.log.lines.some((line) => line.code === 'left-to-reconcile')).toBe(false);
  });

  test('after the last rung nothing waits, and nobody is called', async () => {
    await office.does('duty-1', id, closes);
    await office.parks(id, 'T', 'revisit');
    office.looked();
    await office.does('duty-1', id, { action: 'revisit', outcome: 'satisfied' });
    expect(office.looked().told).toEqual(['finished T ']);
    expect(await office.incident(id)).toMatchObject({ state: 'finished', workflow: 'ended' });
    await office.does('duty-1', id, { action: 'note', text: '归档' });
    expect(office.looked().told).toEqual([]);
  });
});

test('strangers, unknown incidents and strange members are told apart', async () => {
  const stranger = office.members.find((member) => member.role === 'member' && member.id !== first);
  expect(await office.does(stranger?.id ?? '', id, { action: 'accept' })).toMatchObject({
    kind: 'refused',
    refusal: { code: 'forbidden' },
  });
  expect(await office.does(first, '01JSAMPLE0000000000000000A', { action: 'accept' })).toEqual({
    kind: 'unknown',
  });
  expect(await office.does('duty-1', id, { action: 'reassign', member: 'nobody' })).toMatchObject({
    kind: 'refused',
    refusal: { code: 'invalid', details: [{ field: 'member' }] },
  });
});

test('moves that an alarm watches are counted as they are committed', async () => {
  // At 240 s accept, depart and contact of this district have been missed.
  for (const seconds of CLIMBS.accept.seconds) {
    office.time = (await office.incident(id)).receivedAt + (60 + seconds) * 1000;
    await office.escalate(id);
  }
  await office.does('duty-1', id, { action: 'return', reason: '涉嫌违法' });
  expect(office.log.counts).toMatchObject({ Breach: 3, Returned: 1 });
});
