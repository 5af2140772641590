import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { backTo110 } from '#shared/adapters/back-to-110.ts';
import { newWebhookKey } from '#shared/adapters/new-district-secret.ts';
import type { CentreAnswer, ForCentre } from '#shared/ports/centre.ts';
import { ownerOf } from '#shared/ports/store.ts';
import { isRelay } from '#shared/domain/relay.ts';
import { relay } from '../../functions/notification/relay.ts';
import { Back110 } from '../../infra/local/phones/back-110.ts';
import { startPhones, type Phones } from '../../infra/local/phones/phones.ts';
import { Office } from './office.ts';

/** Words that go back to 110 by the guard. */
const KNIFE = '有人拿着刀在小区门口威胁邻居，说要砍人，快来。';

/** An office of a district that reports back, with a centre that says what it is told to and acknowledges otherwise. */
const open = async () => {
  const office = await Office.open('xinjie');
  const told: ForCentre[] = [];
  const script: CentreAnswer[] = [];
  let meanwhile: () => Promise<unknown> = async () => {};
  const centre = {
    tell: async (message: ForCentre): Promise<CentreAnswer> => {
      told.push(message);
      await meanwhile();
      return script.shift() ?? { kind: 'acknowledged' };
    },
  };
  const { store, queues, workflow, clock, log, backoff, district } = office;
  const relayer = { store, queues, workflow, clock, log, backoff, district, centre };
  const waiting: { due: number; owner: string; noticeId: string }[] = [];
  /** Carries out all jobs for 110 up to an instant, each when it is due. */
  const until = async (seconds: number, begin: number): Promise<void> => {
    for (;;) {
      for (const { owner, noticeId, delay } of office.sent.notices.splice(0))
        if (isRelay(noticeId)) waiting.push({ owner, noticeId, due: office.time + delay * 1000 });
      waiting.sort((one, other) => one.due - other.due);
      const [next] = waiting;
      if (!next || next.due > begin + seconds * 1000) return;
      waiting.shift();
      office.time = Math.max(office.time, next.due);
      await relay(relayer, { incidentId: next.owner.slice('INC#'.length), relayId: next.noticeId });
    }
  };
  const kinds = async (id: string) =>
    (await office.store.lines(id))
      .map(({ stored }) => stored)
      .filter(({ kind }) => kind === 'relayed' || kind === 'handed-back')
      .map(({ kind, by, facts }) => [kind, by, facts?.['state'] ?? facts?.['tries']]);
  return {
    office,
    duty: office.members.find(({ role }) => role === 'duty')?.id ?? '',
    told,
    script,
    until,
    kinds,
    during: (what: () => Promise<unknown>) => void (meanwhile = what),
    rows: (id: string) => office.store.relays(ownerOf(id)),
    run: (id: string, relayId: string) => relay(relayer, { incidentId: id, relayId }),
  };
};

/** A call that is returned at once; its job for 110 is in the queue. */
const returns = async (room: Awaited<ReturnType<typeof open>>): Promise<string> => {
  const id = await room.office.receives({ content: KNIFE });
  await room.office.classify(id);
  expect((await room.office.incident(id)).state).toBe('returned');
  return id;
};

describe('a return', () => {
  it('takes along every call that was joined: 110 is told of each number, and each is handed back', async () => {
    const room = await open();
    const { office } = room;
    const content = '路面水管爆裂，水漫了半条街，快来修。';
    const first = await office.hears({ content, caller: { name: '样例甲', phone: '16600002001' } });
    const second = await office.hears({
      content: `${content}快来人`,
      caller: { name: '样例乙', phone: '16600002002' },
    });
    expect((await office.incident(second)).state).toBe('joined');
    office.looked();
    await office.does(room.duty, first, { action: 'return', reason: '有人故意砸坏' });
    await room.until(1, office.time);
    const callNos = await Promise.all([first, second].map(async (id) => (await office.incident(id)).callNo));
    expect(
      room.told.map(({ body }) => JSON.parse(body)).map(({ type, data }) => [type, data.callNo]),
    ).toEqual(callNos.map((callNo) => ['incident.returned', callNo]));
    for (const id of [first, second]) expect(await room.kinds(id)).toEqual([['handed-back', '110', 1]]);
  });

  it('is told at once, and 110’s word ends it: handed back, by 110', async () => {
    const room = await open();
    const id = await returns(room);
    await room.until(1, room.office.time);
    expect(room.told.map((message) => message.id)).toEqual([
      `${id}.${(await room.rows(id))[0]?.relay.sequence}`,
    ]);
    expect(await room.kinds(id)).toEqual([['handed-back', '110', 1]]);
    const incident = await room.office.incident(id);
    expect(incident.owed).toEqual([]);
    expect(incident.done.handback).toBeDefined();
  });

  it('keeps its id through every try; at 30 s the desk is told to telephone, once', async () => {
    const room = await open();
    room.script.push(...Array.from({ length: 7 }, () => ({ kind: 'not' as const, code: 'HTTP 503' })));
    const begin = room.office.time;
    const id = await returns(room);
    await room.until(120, begin);
    expect(new Set(room.told.map((message) => message.id)).size).toBe(1);
    expect(new Set(room.told.map((message) => message.body)).size).toBe(1);
    expect(room.told.length).toBe(8);
    expect(await room.kinds(id)).toEqual([
      ['relayed', 'system', 'unacknowledged'],
      ['handed-back', '110', 8],
    ]);
    const desk = (await room.office.store.notices(ownerOf(id))).filter(
      ({ notice }) => notice.note === 'phone-110',
    );
    expect(desk.map(({ notice }) => notice.at - begin)).toEqual([30_000]);
  });

  it('is not tried any more once the desk has handed it back', async () => {
    const room = await open();
    room.script.push({ kind: 'not', code: 'HTTP 503' });
    const begin = room.office.time;
    const id = await returns(room);
    room.during(() => room.office.does(room.duty, id, { action: 'handback', text: '已电话告知' }));
    await room.until(120, begin);
    expect(room.told.length).toBe(1);
    expect((await room.rows(id)).map(({ state }) => state)).toEqual(['moot']);
  });

  it('is taken over after a crash in the middle of a try, by the sweep alone, under the same id', async () => {
    const room = await open();
    const begin = room.office.time;
    const id = await returns(room);
    room.during(() => Promise.reject(new Error('killed')));
    await expect(room.until(1, begin)).rejects.toThrow('killed');
    room.during(async () => {});
    room.office.sent.notices = [];
    room.office.time += 16_000;
    await room.office.sweep();
    expect(room.office.sent.notices.filter((job) => isRelay(job.noticeId)).length).toBe(1);
    await room.until(60, begin);
    expect(new Set(room.told.map((message) => message.id)).size).toBe(1);
    expect(await room.kinds(id)).toEqual([['handed-back', '110', 2]]);
    // Nothing is owed any more.
    room.office.time += 3_600_000;
    await room.office.sweep();
    expect(room.office.sent.notices.filter((job) => isRelay(job.noticeId))).toEqual([]);
  });

  it('delivered twice by the queue is told once', async () => {
    const room = await open();
    const id = await returns(room);
    const [row] = await room.rows(id);
    const relayId = row?.relay.id ?? '';
    room.during(() => {
      room.during(async () => {});
      return room.run(id, relayId);
    });
    await room.run(id, relayId);
    await room.run(id, relayId);
    expect(room.told.length).toBe(1);
  });
});

describe('results', () => {
  it('carry the words of whoever closed it without the people in them', async () => {
    const room = await open();
    const id = await room.office.asks110({ caller: { name: '样例甲', phone: '16600002001' } });
    const [lead = ''] = await room.office.asked(id);
    const text = '已与租客张伟（19900007777）谈妥，地址东湖花园3栋502室，来电人样例甲也在场。';
    await room.office.does(lead, id, { action: 'accept' });
    await room.office.does(lead, id, { action: 'close', outcome: 'by_phone', text });
    await room.until(1, room.office.time);
    expect(room.told.map(({ body }) => JSON.parse(body).data.text)).toEqual([
      '已与租客[姓名]（[号码]）谈妥，地址东湖花园[门牌]，来电人[某]也在场。',
    ]);
  });

  it('go in order, and an older one that never arrived is superseded', async () => {
    const room = await open();
    const begin = room.office.time;
    const id = await room.office.asks110();
    const incident = await room.office.incident(id);
    const lead = incident.people[0]?.id ?? '';
    room.script.push({ kind: 'not', code: 'TimeoutError' });
    await room.office.does(lead, id, { action: 'accept' });
    await room.office.does(lead, id, { action: 'close', outcome: 'by_phone', text: '已电话答复' });
    await room.until(1, begin);
    expect(room.told.length).toBe(1);
    await room.office.does(room.duty, id, { action: 'reopen', text: '又来电' });
    await room.office.does(lead, id, { action: 'accept' });
    await room.office.does(lead, id, { action: 'close', outcome: 'handed_on', text: '已转物业' });
    await room.until(60, begin);
    expect((await room.rows(id)).map(({ relay: one, state }) => [one.kind, state])).toEqual([
      ['closed', 'superseded'],
      ['reopened', 'superseded'],
      ['closed', 'acknowledged'],
    ]);
    expect(room.told.map(({ body }) => JSON.parse(body).data.outcome)).toEqual(['by_phone', 'handed_on']);
    expect(await room.kinds(id)).toEqual([['relayed', '110', 'acknowledged']]);
  });
});

describe('the wire', () => {
  const now = Date.parse('2026-03-04T02:00:00.000Z');
  const key = newWebhookKey();
  let phones: Phones;
  let emulator: Back110;
  beforeEach(async () => {
    phones = await startPhones({
      port: 0,
      data: ':memory:',
      now: () => now,
      templates: [],
      keys: {},
      signName: '样例',
      vendors: [(world) => (emulator = new Back110({ keys: [key] }, world))],
    });
  });
  afterEach(() => phones.stop());

  const body = JSON.stringify({
    type: 'incident.returned',
    timestamp: new Date(now).toISOString(),
    data: { callNo: 'SAMPLE-1', sequence: 2 },
  });
  const centre = (keys: string[] = [key], at = now, timeoutMs = 3_000) =>
    backTo110({
      address: phones.endpoints['back-110'] ?? '',
      keys: async () => keys,
      clock: { now: () => new Date(at) },
      timeoutMs,
    });

  it('is acknowledged by id, shown once however often it comes, by either key of a rotation', async () => {
    expect(await centre().tell({ id: 'x.2', body })).toEqual({ kind: 'acknowledged' });
    expect(await centre([newWebhookKey(), key]).tell({ id: 'x.2', body })).toEqual({ kind: 'acknowledged' });
    expect(phones.messages().map(({ number, text }) => [number, text])).toEqual([
      ['110', 'incident.returned SAMPLE-1'],
    ]);
    expect(emulator.outOfOrder).toBe(0);
  });

  it('is refused with a foreign key and with a wrong clock', async () => {
    expect(await centre([newWebhookKey()]).tell({ id: 'x.2', body })).toEqual({
      kind: 'not',
      code: 'HTTP 401',
    });
    expect(await centre([key], now - 301_000).tell({ id: 'x.2', body })).toEqual({
      kind: 'not',
      code: 'HTTP 401',
    });
    expect(await centre([]).tell({ id: 'x.2', body })).toEqual({ kind: 'not', code: 'no-keys' });
    expect(phones.messages()).toEqual([]);
  });

  it('does not take the page of a proxy, a refusal or silence for an acknowledgement', async () => {
    const outcome = async (mode: string): Promise<CentreAnswer> => {
      phones.faults.set({ vendor: 'back-110', mode });
      return centre([key], now, mode === 'timeout' ? 300 : undefined).tell({ id: 'x.2', body });
    };
    expect(await outcome('silent')).toEqual({ kind: 'not', code: 'no-acknowledgement' });
    expect(await outcome('refuse')).toEqual({ kind: 'not', code: 'HTTP 503' });
    expect(await outcome('timeout')).toEqual({ kind: 'not', code: 'TimeoutError' });
  });

  it('refuses one flipped byte of the body', async () => {
    const post = async (sent: string) =>
      (
        await fetch(phones.endpoints['back-110'] ?? '', {
          method: 'POST',
          headers: {
            'webhook-id': 'x.2',
            'webhook-timestamp': String(now / 1000),
            'webhook-signature': new Webhook(key).sign('x.2', new Date(now), body),
          },
          body: sent,
        })
      ).status;
    expect(await post(body.replace('SAMPLE-1', 'SAMPLE-2'))).toBe(401);
    expect(await post(body)).toBe(200);
  });
});
