import { createHmac } from 'node:crypto';
import * as fc from '../properties.ts';
import { beforeEach, describe, expect, test } from 'vitest';
import { toWgs84 } from '#shared/adapters/coordinates.ts';
import { newWebhookKey } from '#shared/adapters/new-district-secret.ts';
import { Webhook } from 'standardwebhooks';
import { onShift } from '#shared/domain/roster.ts';
import type { Route } from '#shared/lambda/http.ts';
import { REJECTS_OWNER, ownerOf } from '#shared/ports/store.ts';
import { classifyIncident } from '../../functions/classification/classification.ts';
import { takeBeat } from '../../functions/intake/heartbeat.ts';
import { takeReport } from '../../functions/intake/intake.ts';
import { NOON, call, frontOffice, type Answer, type FrontOffice } from './front-office.ts';

const REPORT = {
  callNo: 'SAMPLE-1',
  calledAt: '2026-03-02T13:59:30+08:00',
  caller: { name: '王小明', phone: '19900001234' },
  address: '清河路88号',
  content: '两辆车在菜场门口擦碰，双方争执不下。',
};

let office: FrontOffice;
let routes: Route[];
beforeEach(async () => {
  office = await frontOffice('xiaohe');
  const intake = { ...office, toWgs84 };
  routes = [
    { method: 'POST', path: '/webhooks/110', auth: 'none', handle: (request) => takeReport(intake, request) },
    {
      method: 'POST',
      path: '/webhooks/110/heartbeat',
      auth: 'none',
      handle: (request) => takeBeat(intake, request),
    },
  ];
});

const post = (body: string | Buffer, headers = office.signed(body)): Promise<Answer> =>
  call(routes, office, { method: 'POST', path: '/webhooks/110', headers, body });
const report = (changes: object = {}): Promise<Answer> => post(JSON.stringify({ ...REPORT, ...changes }));

/** A signature over bytes, as a sender makes it who does not think in text. */
const signedBytes = (raw: Buffer): Record<string, string> => {
  const seconds = Math.floor(office.time.now / 1000);
  const key = Buffer.from((office.secret.webhookKeys[0] ?? '').slice(6), 'base64');
  return {
    'webhook-id': 'msg_bytes',
    'webhook-timestamp': String(seconds),
    'webhook-signature': `v1,${createHmac('sha256', key).update(`msg_bytes.${seconds}.`).update(raw).digest('base64')}`,
  };
};

describe('a signed report', () => {
  test('is answered 202 after the commit and handed on', async () => {
    const { status, body } = await report();
    expect(status).toBe(202);
    expect(body).toEqual({ incidentId: expect.stringMatching(/^[0-9A-Z]{26}$/), duplicate: false });
    const loaded = await office.store.load(body.incidentId);
    expect(loaded?.incident).toMatchObject({
      state: 'received',
      callNo: 'SAMPLE-1',
      receivedAt: NOON,
      calledAt: NOON - 30_000,
      mode: 'war',
    });
    expect(await office.store.content(body.incidentId)).toMatchObject({ caller: REPORT.caller });
    const lines = await office.store.lines(body.incidentId);
    expect(lines.map(({ stored }) => [stored.kind, stored.by])).toEqual([['received', '110']]);
    expect(office.sent).toEqual({ reports: [{ incidentId: body.incidentId }], notices: [] });
  });

  test('has its point turned into WGS-84', async () => {
    const { body } = await report({ location: { lng: 120.139, lat: 30.315, system: 'gcj02' } });
    const { location } = (await office.store.content(body.incidentId)) ?? {};
    // The state's shift is some 500 m in Hangzhou: surely moved, surely not far.
    expect(Math.abs((location?.lng ?? 0) - 120.139)).toBeGreaterThan(0.003);
    expect(Math.abs((location?.lng ?? 0) - 120.139)).toBeLessThan(0.006);
  });

  test('is taken although its queue fails: reconcile finds it in the table', async () => {
    office.queues.reports = () => Promise.reject(new Error('queue down'));
    const { status, body } = await report();
    expect(status).toBe(202);
    expect(await office.store.owed(NOON + 1)).toEqual([
      { kind: 'report', incidentId: body.incidentId, since: NOON },
    ]);
  });

  test('under the next key is valid as well: rotation without downtime', async () => {
    const next = newWebhookKey();
    office.secret.webhookKeys.push(next);
    const raw = JSON.stringify(REPORT);
    const signature = new Webhook(next).sign('m', new Date(NOON), raw);
    const headers = { 'webhook-id': 'm', 'webhook-timestamp': String(NOON / 1000) };
    expect((await post(raw, { ...headers, 'webhook-signature': `v1,AAAA v2,x ${signature}` })).status).toBe(
      202,
    );
  });
});

describe('the same call number', () => {
  test('with the same content is the same incident, and nothing more', async () => {
    const first = await report();
    office.time.now += 5_000;
    const again = await report();
    expect([again.status, again.body]).toEqual([200, { ...first.body, duplicate: true }]);
    expect(await office.store.lines(first.body.incidentId)).toHaveLength(1);
    expect(office.sent.reports).toHaveLength(1);
  });

  test('twice at the same moment is one incident', async () => {
    const answers = await Promise.all([report(), report(), report()]);
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 200, 202]);
    expect(new Set(answers.map(({ body }) => body.incidentId)).size).toBe(1);
  });

  test('with other content is a second report; the same second report again is not a third', async () => {
    const { body } = await report();
    const second = await report({ content: '又来电：还是没有人来。' });
    expect([second.status, second.body]).toEqual([200, { ...body, duplicate: true }]);
    await report({ content: '又来电：还是没有人来。' });
    const loaded = await office.store.load(body.incidentId);
    expect(loaded?.incident.reports).toBe(2);
    expect((await office.store.reports(body.incidentId)).map((r) => r.content)).toEqual([
      '又来电：还是没有人来。',
    ]);
    const lines = await office.store.lines(body.incidentId);
    expect(lines.map(({ stored }) => stored.kind)).toEqual(['received', 'report']);
    expect(office.sent.notices).toEqual([]);
  });

  test.each([
    ['the address', { address: '另一条路9号' }, 1],
    ['the danger', { content: '其中一个人掏出一把刀，扬言要砍人。' }, 1],
    ['neither', { content: '双方已经不吵了。' }, 0],
  ])('with %s changed: the lead is told as the rules say', async (_, changes, notices) => {
    const { body } = await report();
    const loaded = await office.store.load(body.incidentId);
    if (!loaded) throw new Error('no incident');
    await office.store.commit({
      incident: {
        ...loaded.incident,
        version: loaded.incident.version + 1,
        state: 'accepted',
        lead: 'm-001',
        people: [{ id: 'm-001', role: 'member', squad: 's', asked: NOON, accepted: NOON, told: [], did: [] }],
      },
      lines: [],
      notices: [],
    });
    await report(changes);
    const rows = await office.store.notices(ownerOf(body.incidentId));
    expect(rows.map(({ notice }) => [notice.kind, notice.to])).toEqual(
      Array.from({ length: notices }, () => ['changed', 'm-001']),
    );
    expect(office.sent.notices).toHaveLength(notices);
  });

  test('asking for secrecy makes the incident secret, and nothing makes it open again', async () => {
    const { body } = await report();
    await report({ secret: true });
    await report({ content: '又来电。' });
    expect((await office.store.load(body.incidentId))?.incident.secret).toBe(true);
  });
});

describe('who is not 110', () => {
  test.each([
    ['no signature', () => ({}), 'signature_missing'],
    ['a wrong one', () => ({ ...office.signed('{}') }), 'signature_wrong'],
    ['no number as time', () => ({ ...office.signed(RAW), 'webhook-timestamp': 'now' }), 'signature_wrong'],
    ['one 301 s old', () => office.signed(RAW, NOON - 301_000), 'signature_stale'],
    ['one from 301 s ahead', () => office.signed(RAW, NOON + 301_000), 'signature_stale'],
  ])('is answered 401 for %s, counted, and nothing is kept', async (_, headers, code) => {
    const { status, body } = await post(RAW, headers());
    expect([status, body.error.code]).toEqual([401, code]);
    expect(office.log.counts).toEqual({ Unsigned: 1 });
    expect((await office.store.rejected(undefined, 10)).items).toEqual([]);
  });

  const RAW = JSON.stringify(REPORT);

  test('but five minutes either way are allowed', async () => {
    expect((await post(RAW, office.signed(RAW, NOON - 300_000))).status).toBe(202);
    expect((await post(RAW, office.signed(RAW, NOON + 300_000))).status).toBe(200);
  });

  test('one flipped bit of the body is no valid signature', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(Buffer.byteLength(RAW) - 1), fc.nat(7), async (at, bit) => {
        const raw = Buffer.from(RAW);
        raw[at] = (raw[at] ?? 0) ^ (1 << bit);
        expect((await post(raw, office.signed(RAW))).status).toBe(401);
      }),
      { numRuns: 60 },
    );
  });
});

test('a further report that makes an unclear call police work takes it back to 110, and 110 is told', async () => {
  office = await frontOffice('xiaohe');
  const district = {
    ...office.district,
    backTo110: { address: 'https://110.example/xiaonao', results: false },
  };
  const intake = { ...office, district, toWgs84 };
  routes = [
    { method: 'POST', path: '/webhooks/110', auth: 'none', handle: (request) => takeReport(intake, request) },
  ];
  const unclear = { content: '喂，你们过来一趟吧，说不清楚' };
  const { incidentId: id } = (await report(unclear)).body;
  const workflow = {
    start: async () => {},
    finished: async () => 'woken' as const,
    rearm: async () => 'woken' as const,
    runs: async () => true,
  };
  await classifyIncident({ ...intake, workflow }, id);
  expect((await office.store.load(id))?.incident).toMatchObject({ state: 'received', rung: 'triage' });
  office.sent.notices.length = 0;
  await report({ content: '他拿刀捅了人，流了很多血，快来' });
  expect((await office.store.load(id))?.incident.state).toBe('returned');
  const relays = await office.store.relays(ownerOf(id));
  expect(relays.map(({ relay }) => relay.kind)).toEqual(['returned']);
  expect(office.sent.notices).toContainEqual({
    owner: ownerOf(id),
    noticeId: relays[0]?.relay.id,
    lane: 'alerts',
  });
});

describe('a signed message that cannot be taken', () => {
  test('names each field, is kept for the desk, and the duty officer on shift is told', async () => {
    const raw = JSON.stringify({ ...REPORT, callNo: undefined, content: '' });
    const { status, body } = await post(raw);
    expect(status).toBe(400);
    expect(body.error.code).toBe('invalid');
    expect(body.error.details.map((d: { field: string }) => d.field)).toEqual(['callNo', 'content']);
    const { items } = await office.store.rejected(undefined, 10);
    expect(items).toMatchObject([{ status: 400, body: raw, bytes: Buffer.byteLength(raw), at: NOON }]);
    expect(items[0]?.problems).toHaveLength(2);
    const rows = await office.store.notices(REJECTS_OWNER);
    const duty = (await office.store.roster()).find(
      (m) => m.role === 'duty' && onShift(m, office.district.shifts, new Date(NOON)),
    );
    expect(duty).toBeDefined();
    expect(rows.map(({ notice }) => [notice.kind, notice.note, notice.to])).toEqual([
      ['desk', 'rejected', duty?.id],
    ]);
    expect(office.sent.notices).toEqual([
      { owner: REJECTS_OWNER, noticeId: rows[0]?.notice.id, lane: 'alerts' },
    ]);
  });

  test('one after the other: ten texts in five minutes, every message kept', async () => {
    for (let i = 0; i < 12; i += 1) await post(`no json ${i}`);
    expect(office.sent.notices).toHaveLength(10);
    expect((await office.store.rejected(undefined, 50)).items).toHaveLength(12);
    office.time.now += 5 * 60_000;
    await post('no json');
    expect(office.sent.notices).toHaveLength(11);
  });

  test('longer than 65,536 bytes is 413: signed its first 64 KB are kept, unsigned nothing', async () => {
    const long = JSON.stringify({ ...REPORT, note: '汉'.repeat(22_000) });
    const signed = await post(long);
    expect([signed.status, signed.body.error.code]).toEqual([413, 'too_large']);
    const [kept] = (await office.store.rejected(undefined, 10)).items;
    expect(long.startsWith(kept?.body ?? 'x')).toBe(true);
    expect(Buffer.byteLength(kept?.body ?? '')).toBeGreaterThan(65_530);
    expect(kept).toMatchObject({ status: 413, bytes: Buffer.byteLength(long) });
    expect((await post(long, {})).status).toBe(413);
    expect((await office.store.rejected(undefined, 10)).items).toHaveLength(1);
    const text = JSON.stringify(REPORT);
    const exactly = text + ' '.repeat(65_536 - Buffer.byteLength(text));
    expect((await post(exactly)).status).toBe(202);
  });

  test('that is no text is kept byte for byte', async () => {
    const raw = Buffer.from([0x7b, 0xff, 0xfe, 0x00, 0x7d]);
    expect((await post(raw, signedBytes(raw))).status).toBe(400);
    const [kept] = (await office.store.rejected(undefined, 10)).items;
    expect(kept?.body).toBe(`data:application/octet-stream;base64,${raw.toString('base64')}`);
  });

  test.each([
    ['null', 'null'],
    ['a list', '[]'],
    ['a number', '1e999'],
    ['nothing', ''],
    ['nested brackets', '['.repeat(65_536)],
    ['nested brackets in a field', `{"content":${'['.repeat(30_000)}${']'.repeat(30_000)}}`],
    ['zero bytes', '\0'.repeat(65_536)],
    ['half a character', '{"callNo":"\\ud800"}'],
  ])('%s is 400, kept within what the table can hold', async (_, raw) => {
    expect((await post(raw)).status).toBe(400);
    const [kept] = (await office.store.rejected(undefined, 10)).items;
    // DynamoDB holds 400 KB an item; sealing adds a third.
    expect(Buffer.byteLength(JSON.stringify(kept))).toBeLessThan(290_000);
  });

  test('whatever the bytes, the answer is never a 5xx', async () => {
    const bodies = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      fc.json().map((text) => Buffer.from(text)),
      fc
        .jsonValue()
        .map((value) => Buffer.from(JSON.stringify({ ...REPORT, address: value, callNo: value }))),
    );
    await fc.assert(
      fc.asyncProperty(bodies, async (raw) => {
        expect([200, 202, 400]).toContain((await post(raw, signedBytes(raw))).status);
      }),
      { numRuns: 150 },
    );
  });
});

test('a heartbeat is signed, remembered, and answered with our time', async () => {
  const beat = (headers: Record<string, string>): Promise<Answer> =>
    call(routes, office, { method: 'POST', path: '/webhooks/110/heartbeat', headers, body: '' });
  expect((await beat({})).status).toBe(401);
  expect(await office.store.lastBeat()).toBeUndefined();
  const { status, body } = await beat(office.signed(''));
  expect([status, body]).toEqual([200, { now: new Date(NOON).toISOString() }]);
  expect(await office.store.lastBeat()).toBe(NOON);
});
