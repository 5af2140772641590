import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newWebhookKey } from '#shared/adapters/new-district-secret.ts';
import { loadDistrict } from '#shared/districts/load.ts';
import { synthesize } from './assembly.ts';
import { CAST, DutyRoom, type Answer } from './duty-room.ts';

let built: Awaited<ReturnType<typeof synthesize>>;
beforeAll(async () => {
  built = await synthesize();
});
afterAll(() => built.remove());

const open = (district = 'donghu'): Promise<DutyRoom> =>
  DutyRoom.open({ assembly: built.assembly, district, roster: CAST('story', 'patrol') });
const idOf = (answer: Answer): string => answer.body.incidentId ?? '';
const refusal = ({ status, body }: Answer): [number, string | undefined] => [status, body.error?.code];
const rejected = async (room: DutyRoom): Promise<Record<string, unknown>[]> =>
  (await room.get('/api/rejected')).body.items ?? [];

describe("the call centre's door", () => {
  it('opens to a signature only: the current key, the next one, not a wrong, missing or stale one', async () => {
    const room = await open();
    const raw = JSON.stringify(room.report());
    const post = (headers: Record<string, string>, body = raw): Promise<Answer> =>
      room.send('/webhooks/110', { method: 'POST', headers, body });
    const json = { 'content-type': 'application/json' };
    expect(refusal(await post(json))).toEqual([401, 'signature_missing']);
    expect(refusal(await post(room.signed(raw, { key: newWebhookKey() })))).toEqual([401, 'signature_wrong']);
    expect(refusal(await post(room.signed(raw), `${raw} `))).toEqual([401, 'signature_wrong']);
    expect(refusal(await post(room.signed(raw, { late: 301 })))).toEqual([401, 'signature_stale']);
    expect(refusal(await post(room.signed(raw, { late: -302 })))).toEqual([401, 'signature_stale']);
    expect((await room.get('/api/incidents')).body.items).toEqual([]);

    const [, next = ''] = room.secret.webhookKeys;
    expect((await post(room.signed(raw, { key: next, late: 299 }))).status).toBe(202);
    await room.cloud.settle();
    room.expectRings(['a', 'ask', 0]);
    expect(await rejected(room)).toEqual([]);
    await room.leave();
  });

  it('keeps what is signed and cannot be taken, tells the duty officer within ten seconds, and lists it for the desk', async () => {
    const room = await open();
    const long = JSON.stringify(room.report({ note: '长'.repeat(22_000) }));
    expect(refusal(await room.send('/webhooks/110', { method: 'POST', body: long }))).toEqual([
      413,
      'too_large',
    ]);
    expect(await rejected(room)).toEqual([]);
    expect(refusal(await room.post(long))).toEqual([413, 'too_large']);
    await room.cloud.settle();
    room.expectRings(['duty', 'desk', 0]);

    await room.at(5);
    const bad = await room.post({
      callNo: '',
      calledAt: '昨天',
      address: '样例路1号',
      content: '字'.repeat(4_001),
      location: { lng: 200, lat: 30 },
    });
    expect(refusal(bad)).toEqual([400, 'invalid']);
    expect(bad.body.error?.details.map(({ field }) => field).toSorted()).toEqual([
      'callNo',
      'calledAt',
      'content',
      'location.lng',
    ]);
    // Newest first, and of one instant nothing is newer.
    await room.at(6);
    expect(refusal(await room.post('{"callNo":'))).toEqual([400, 'not_json']);
    await room.cloud.settle();
    room.expectRings(['duty', 'desk', 5], ['duty', 'desk', 6]);

    const kept = await rejected(room);
    expect(kept.map((one) => one['status'])).toEqual([400, 400, 413]);
    expect(kept[0]).toMatchObject({ body: '{"callNo":', problems: [expect.any(String)] });
    expect(kept[2]).toMatchObject({ bytes: Buffer.byteLength(long) });
    expect(long.startsWith(String(kept[2]?.['body']))).toBe(true);
    expect(refusal(await room.get('/api/rejected', 'a'))).toEqual([403, 'forbidden']);
    expect((await room.get('/api/incidents')).body.items).toEqual([]);
    await room.leave();
  });

  it('understands a point in each of the three systems as the same place', async () => {
    const room = await open();
    const gcj = { lng: 120.139, lat: 30.315 };
    const bd = { lng: 120.1454368, lat: 30.3211928 };
    const located = async (point: { lng: number; lat: number }, system: string): Promise<typeof point> => {
      const id = idOf(await room.call({ location: { ...point, system } }));
      const { location } = (await room.incident(id)).incident;
      await room.act('desk', id, 'close', { outcome: 'cancelled', text: '重复来电。' });
      if (!location) throw new Error(`${id} has lost its point.`);
      return location;
    };
    const fromGcj = await located(gcj, 'gcj02');
    const fromBd = await located(bd, 'bd09');
    const fromWgs = await located(fromGcj, 'wgs84');
    expect(fromWgs).toEqual(fromGcj);
    expect(fromBd.lng).toBeCloseTo(fromGcj.lng, 5);
    expect(fromBd.lat).toBeCloseTo(fromGcj.lat, 5);
    // The state's shift is some 500 m in Hangzhou.
    expect(Math.abs(fromGcj.lng - gcj.lng)).toBeGreaterThan(0.003);
    expect(room.rang().map(([who, kind]) => `${who} ${kind}`)).toEqual(
      [1, 2, 3].flatMap(() => ['a ask', 'a stand-down']).toSorted(),
    );
    await room.leave();
  });
});

describe.each(['donghu', 'linjiang', 'xinjie', 'xiaohe'])(
  'a 接警单 as the 110 centre of %s writes it',
  (district) => {
    it('is understood by the names of the district; another district is not spoken for', async () => {
      const room = await open(district);
      const names = Object.fromEntries(
        Object.entries(loadDistrict(district).fieldMap)
          // Two of theirs may mean the same of ours; the first is what the caller's time is called.
          .toReversed()
          .map(([theirs, ours]) => [ours, theirs]),
      );
      const their = (ours: string): string => names[ours] ?? ours;
      const day = new Date(room.begin).toISOString().slice(0, 10);
      const paper = {
        [their('callNo')]: `J3301-${district}-1`,
        [their('calledAt')]: `${day} 09:59:30`,
        [their('caller.name')]: '样例来电人',
        [their('caller.phone')]: '16600001234',
        [their('address')]: '样例路1号',
        [their('location.lng')]: '120.139',
        [their('location.lat')]: '30.315',
        [their('content')]: '楼上邻居晚上装修，声音太大，请来协调。',
        [their('categoryCode')]: '100600',
        [their('level')]: '3',
        [their('secret')]: '0',
      };
      const answer = await room.call({
        callNo: undefined,
        calledAt: undefined,
        caller: undefined,
        address: undefined,
        content: undefined,
        ...paper,
      });
      expect(answer.status).toBe(202);
      const { incident } = await room.incident(idOf(answer));
      expect(incident).toMatchObject({
        callNo: `J3301-${district}-1`,
        calledAt: `${day}T01:59:30.000Z`,
        address: '样例路1号',
        secret: false,
        caller: { name: '样*', phone: '166****1234', revealed: false },
      });
      expect(Math.abs((incident.location?.lng ?? 0) - 120.139)).toBeGreaterThan(0.003);
      room.expectRings(['a', 'ask', 0]);

      const other = district === 'xiaohe' ? 'donghu' : 'xiaohe';
      const foreign = await room.token('desk', { district: other });
      expect(
        refusal(await room.send('/api/incidents', { headers: { authorization: `Bearer ${foreign}` } })),
      ).toEqual([401, 'unauthorized']);
      await room.leave();
    });
  },
);

describe('the doors of the people', () => {
  it('know who is there: no token, a broken one, an expired one', async () => {
    const room = await open();
    const look = (token?: string): Promise<Answer> =>
      room.send(
        '/api/incidents',
        token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } },
      );
    expect(refusal(await look())).toEqual([401, 'unauthorized']);
    const token = await room.token('a', { hours: 1 });
    expect((await look(token)).status).toBe(200);
    expect(refusal(await look(`${token.slice(0, -4)}AAAA`))).toEqual([401, 'unauthorized']);
    await room.at(3_700, { passes: 1 });
    expect(refusal(await look(token))).toEqual([401, 'token_expired']);
    await room.leave();
  });

  it('show a member his own incidents and no others', async () => {
    const room = await open();
    const id = idOf(await room.call());
    expect((await room.get(`/api/incidents/${id}`, 'a')).status).toBe(200);
    expect(refusal(await room.get(`/api/incidents/${id}`, 'b'))).toEqual([403, 'forbidden']);
    expect(refusal(await room.act('b', id, 'accept'))).toEqual([403, 'forbidden']);
    expect(refusal(await room.act('a', id, 'return', { reason: '有刀' }))).toEqual([403, 'forbidden']);
    const unknown = '01ARZ3NDEKTSV4RRFFQ69G5FAV';
    expect(refusal(await room.get(`/api/incidents/${unknown}`, 'a'))).toEqual([404, 'not_found']);
    expect(refusal(await room.act('a', unknown, 'accept'))).toEqual([404, 'not_found']);
    const listed = async (who: string, query = ''): Promise<unknown[]> =>
      ((await room.get(`/api/incidents${query}`, who)).body.items ?? []).map((item) => item['id']);
    expect([await listed('a'), await listed('b'), await listed('desk', '?member=a')]).toEqual([
      [id],
      [],
      [id],
    ]);
    expect(refusal(await room.get('/api/incidents?member=a', 'b'))).toEqual([403, 'forbidden']);
    room.expectRings(['a', 'ask', 0]);
    await room.leave();
  });

  it('hide the caller until somebody accepts, and from the desk until it says why', async () => {
    const room = await open();
    const id = idOf(await room.call());
    const callerFor = async (who: string): Promise<unknown> =>
      (await room.get(`/api/incidents/${id}`, who)).body.incident?.['caller'];
    const masked = { name: '样*', phone: '166****1234', revealed: false };
    const revealed = { name: '样例来电人', phone: '16600001234', revealed: true };
    expect([await callerFor('a'), await callerFor('desk')]).toEqual([masked, masked]);
    await room.act('a', id, 'accept');
    expect([await callerFor('a'), await callerFor('desk')]).toEqual([revealed, masked]);
    expect(refusal(await room.act('desk', id, 'reveal'))).toEqual([400, 'invalid']);
    expect(await callerFor('desk')).toEqual(masked);
    await room.act('desk', id, 'reveal', { reason: '队员联系不上当事人' });
    expect(await callerFor('desk')).toEqual(revealed);
    const { trail } = await room.incident(id);
    expect(trail.filter((line) => line.kind === 'revealed').map((line) => [line.by, line['text']])).toEqual([
      ['a', undefined],
      ['desk', '队员联系不上当事人'],
    ]);
    room.expectRings(['a', 'ask', 0]);
    await room.leave();
  });

  it('tell of a secret incident only that there is one, except to the lead and the desk', async () => {
    const room = await open();
    const id = idOf(await room.call({ secret: true, address: '样例路77号' }));
    const [text] = room.messages();
    expect(text?.text).not.toMatch(/样例路|77|装修|邻居/u);
    await room.at(65);
    room.expectRings(['a', 'ask-secret', 0], ['b', 'ask-secret', 60]);
    const told = async (who: string): Promise<unknown[]> => {
      const { incident } = (await room.get(`/api/incidents/${id}`, who)).body;
      return [incident?.['content'], incident?.['address']];
    };
    const all = ['楼上邻居晚上装修，声音太大，请来协调。', '样例路77号'];
    expect([await told('a'), await told('b'), await told('desk')]).toEqual([
      [undefined, undefined],
      [undefined, undefined],
      all,
    ]);
    await room.act('b', id, 'accept');
    await room.act('a', id, 'accept');
    // B leads; A, who only helps, does not need to know.
    expect([await told('a'), await told('b')]).toEqual([[undefined, undefined], all]);
    room.expectRings(['a', 'news', 65]);
    // What comes later names nothing either. Who must telephone has the number, and not the rung that is missed.
    await room.at(240);
    room.expectRings(['b', 'news', 125], ['b', 'news', 180], ['leader', 'climb', 240]);
    const naming = room.messages().filter(({ text }) => text.includes(id.slice(-6)));
    expect(naming.map((message) => message.text)).toEqual([
      expect.stringMatching(/：地点见任务详情，该在10:03:00前完成“本环节”，请您过问。$/u),
    ]);
    await room.leave();
  });

  it('answer everything in one shape, and say that the feeder is silent', async () => {
    const room = await open();
    const shape = { error: { code: 'not_found', message: expect.any(String), details: [] } };
    for (const path of ['/', '/api/unknown', '/api/incidents/x/y', '/webhooks/111'])
      expect(await room.send(path, {})).toEqual({ status: 404, body: shape });
    expect(refusal(await room.send('/api/health', { method: 'POST', body: '{}' }))).toEqual([
      405,
      'method_not_allowed',
    ]);
    const health = async (): Promise<Answer['body']> => (await room.send('/api/health', {})).body;
    expect(await health()).toMatchObject({
      ok: true,
      district: 'donghu',
      now: new Date(room.begin).toISOString(),
      feeder: { lastBeat: null, silent: false },
    });
    expect(refusal(await room.send('/webhooks/110/heartbeat', { method: 'POST', body: '{}' }))).toEqual([
      401,
      'signature_missing',
    ]);
    expect((await room.post({}, '/webhooks/110/heartbeat')).status).toBe(200);
    await room.at(179);
    expect(await health()).toMatchObject({ feeder: { silent: false } });
    await room.at(181);
    expect(await health()).toMatchObject({
      feeder: { lastBeat: new Date(room.begin).toISOString(), silent: true },
    });
    await room.post({}, '/webhooks/110/heartbeat');
    expect(await health()).toMatchObject({ feeder: { silent: false } });
    await room.leave();
  });
});
