import { beforeEach, describe, expect, test } from 'vitest';
import { newDistrictSecret } from '#shared/adapters/new-district-secret.ts';
import { issueToken } from '#shared/adapters/tokens.ts';
import { incidentBodySchema, rosterEntrySchema } from '#shared/contracts/views.ts';
import { act, type Actor, type Request } from '#shared/domain/act.ts';
import { assign } from '#shared/domain/assign.ts';
import { classify } from '#shared/domain/classify.ts';
import { ladderFor } from '#shared/domain/district.ts';
import { handsAt } from '#shared/domain/hands.ts';
import { receive } from '#shared/domain/incident.ts';
import { TEXTLESS } from '#shared/domain/reply.ts';
import { onShift, type Member } from '#shared/domain/roster.ts';
import { deviceHash, type Route } from '#shared/lambda/http.ts';
import {
  listIncidents,
  listCodes,
  listRejected,
  showHealth,
  showIncident,
  showRoster,
} from '../../functions/console/console.ts';
import { NOON, call, frontOffice, type Answer, type FrontOffice } from './front-office.ts';

let office: FrontOffice;
let routes: Route[];
let crew: Member[];
beforeEach(async () => {
  office = await frontOffice('donghu');
  routes = [
    {
      method: 'GET',
      path: '/api/incidents',
      auth: 'any',
      handle: ({ bearer, query }) => listIncidents(office, bearer, query),
    },
    {
      method: 'GET',
      path: '/api/incidents/{id}',
      auth: 'any',
      handle: ({ bearer, params }) => showIncident(office, bearer, params['id'] ?? ''),
    },
    { method: 'GET', path: '/api/roster', auth: 'any', handle: ({ bearer }) => showRoster(office, bearer) },
    {
      method: 'GET',
      path: '/api/rejected',
      auth: 'desk',
      handle: ({ query }) => listRejected(office, query),
    },
    { method: 'GET', path: '/api/codes', auth: 'desk', handle: () => listCodes(office) },
    { method: 'GET', path: '/api/health', auth: 'none', handle: () => showHealth(office) },
  ];
  crew = (await office.store.roster()).filter(
    (m) => m.role === 'member' && onShift(m, office.district.shifts, new Date(NOON)),
  );
});

const who = (n: number): string => crew[n]?.id ?? '';
const get = (path: string, headers: Record<string, string>, query = {}): Promise<Answer> =>
  call(routes, office, { path, headers, query });
const asMember = (id: string) => office.bearer(id, 'member');
const asDesk = () => office.bearer('duty-1', 'desk');

/** An incident for which the first two of the crew are candidates; the first is asked. */
const incident = async (callNo: string, secret = false): Promise<string> => {
  const { store, district, ids } = office;
  const at = office.time.now;
  const told = { address: '横塘路12号', content: '楼上装修噪声很大，说了几次没有用。' };
  const fresh = receive({
    id: ids.ulid(),
    callNo,
    district: district.id,
    receivedAt: at,
    calledAt: at - 20_000,
    secret,
    mode: 'peace',
  });
  await store.create(
    fresh,
    {
      ...told,
      callNo,
      calledAt: at - 20_000,
      caller: { name: '王小明', phone: '19900001234' },
      location: { lng: 120.2, lat: 30.4 },
      receivedAt: at,
    },
    [{ at, kind: 'received', by: '110' }],
  );
  const { classification, reasons } = classify(district, told);
  const picked = [who(0), who(1)].map((id) => ({ id, reason: '包干道路' }));
  const change = assign(
    (await store.load(fresh.id))?.incident ?? fresh,
    {
      classification: { ...classification, sure: true },
      ladder: ladderFor(district, classification.category, 'peace'),
      place: { name: '横塘路' },
      picks: { picked: 2, rejected: 1 },
    },
    handsAt(await store.roster(), district.shifts, [who(0), who(1)], office.clock.now()),
    at,
  );
  const rejected = [{ id: who(2), reason: '不在班' }];
  await store.commit(change, { picks: { how: '地址写有路名', picked, rejected }, reasons });
  return fresh.id;
};

const does = async (id: string, actor: Actor, request: Request): Promise<void> => {
  const loaded = await office.store.load(id);
  if (!loaded) throw new Error('no incident');
  const hands = handsAt(
    await office.store.roster(),
    office.district.shifts,
    [who(0), who(1)],
    office.clock.now(),
  );
  const target = crew.find((member) => member.id === request.member);
  const acted = act(loaded.incident, actor, request, hands, office.time.now, target);
  if (acted.kind !== 'done') throw new Error(`${request.action}: ${acted.kind}`);
  await office.store.commit(acted.change);
};

describe('an incident', () => {
  test('is shown with its trail and its plan, as the contract says', async () => {
    const id = await incident('SAMPLE-1');
    office.time.now += 10_000;
    const { status, body } = await get(`/api/incidents/${id}`, await asDesk());
    expect(status).toBe(200);
    expect(incidentBodySchema.parse(body)).toEqual(body);
    expect(body.incident).toMatchObject({
      id,
      callNo: 'SAMPLE-1',
      state: 'asking',
      assignees: [who(0)],
      receivedAt: '2026-03-02T06:00:00.000Z',
      overdue: [],
      content: '楼上装修噪声很大，说了几次没有用。',
    });
    expect(body.incident.deadlines).toMatchObject({
      accept: '2026-03-02T06:01:00.000Z',
      depart: '2026-03-02T06:02:00.000Z',
    });
    const picked = body.trail.find((line: { kind: string }) => line.kind === 'picked');
    expect(picked.picks.rejected).toEqual([{ id: who(2), reason: '不在班' }]);
    expect(body.plan).toContainEqual({
      at: '2026-03-02T06:01:00.000Z',
      what: 'ask',
      rung: 'accept',
      whom: [who(1)],
    });
  });

  test('tells every attempt of its notices in the trail, in the order of time', async () => {
    const id = await incident('SAMPLE-1');
    const [row] = await office.store.notices(`INC#${id}`);
    if (!row) throw new Error('no notice');
    office.time.now += 1_000;
    await office.store.step(`INC#${id}`, row, {
      to: 'sending',
      at: office.time.now,
      facts: {},
    });
    office.time.now += 4_000;
    await does(id, { kind: 'member', id: who(0) }, { action: 'accept' });
    const { body } = await get(`/api/incidents/${id}`, await asDesk());
    const kinds = body.trail.map((line: { kind: string }) => line.kind);
    expect(kinds.indexOf('notice')).toBe(kinds.indexOf('accepted') - 1);
    const times: string[] = body.trail.map((line: { at: string }) => line.at);
    expect(times).toEqual([...times].sort());
    expect(body.incident.notices[0]).toMatchObject({ to: who(0), kind: 'ask', state: 'sending' });
  });

  test('masks the caller until this member has accepted, or the desk has given a reason', async () => {
    const id = await incident('SAMPLE-1');
    const masked = { name: '王*', phone: '199****1234', revealed: false };
    const open = { name: '王小明', phone: '19900001234', revealed: true };
    const callers = async (): Promise<unknown[]> => [
      (await get(`/api/incidents/${id}`, await asMember(who(0)))).body.incident.caller,
      (await get(`/api/incidents/${id}`, await asDesk())).body.incident.caller,
    ];
    expect(await callers()).toEqual([masked, masked]);
    await does(id, { kind: 'member', id: who(0) }, { action: 'accept' });
    expect(await callers()).toEqual([open, masked]);
    await does(id, { kind: 'desk', id: 'duty-1' }, { action: 'reveal', reason: '回电核实' });
    expect(await callers()).toEqual([open, open]);
  });

  test('tells the session of a link no more than the link itself once the task is over or somebody else’s', async () => {
    const session = async (id: string): Promise<Record<string, string>> => {
      const only = { incident: id, device: deviceHash('his-own-phone') };
      const made = { sub: who(0), role: 'member', district: 'donghu', hours: 1, only } as const;
      const token = await issueToken(office.secret, made, office.clock);
      return { authorization: `Bearer ${token}`, 'x-device': 'his-own-phone' };
    };
    const masked = { name: '王*', phone: '199****1234', revealed: false };
    const ends: Record<string, Parameters<typeof does>[2]> = {
      closed: { action: 'close', outcome: 'by_phone', text: '王小明说好了' },
      reassigned: { action: 'reassign', member: who(1), reason: '换人' },
    };
    for (const [how, end] of Object.entries(ends)) {
      const id = await incident(`SAMPLE-${how}`);
      await does(id, { kind: 'member', id: who(0) }, { action: 'accept' });
      const before = (await get(`/api/incidents/${id}`, await session(id))).body.incident;
      expect(before).toMatchObject({ caller: { revealed: true }, address: '横塘路12号' });
      await does(id, { kind: 'desk', id: 'duty-1' }, end);
      const { status, body } = await get(`/api/incidents/${id}`, await session(id));
      expect([how, status, body.incident.caller]).toEqual([how, 200, masked]);
      expect(JSON.stringify(body)).not.toMatch(/王小明|19900001234|横塘路12号|楼上装修|换人/);
    }
  });

  test('says in words what it is, what runs out next for whoever looks, and what time it is', async () => {
    const id = await incident('SAMPLE-1');
    office.time.now += 15_000;
    const of = async (headers: Record<string, string>) => (await get(`/api/incidents/${id}`, headers)).body;
    expect(await of(await asMember(who(0)))).toMatchObject({
      now: '2026-03-02T06:00:15.000Z',
      incident: {
        headline: { code: expect.stringMatching(/^[A-Z]\d+$/), matter: expect.stringContaining('噪') },
        promise: { rung: 'accept', at: '2026-03-02T06:01:00.000Z' },
      },
    });
    expect((await of(await asDesk())).incident.promise).toBeUndefined();
    await does(id, { kind: 'member', id: who(0) }, { action: 'accept' });
    expect((await of(await asMember(who(0)))).incident.promise).toEqual({
      rung: 'depart',
      at: '2026-03-02T06:02:00.000Z',
    });
  });

  test('that is secret shows what was told to the lead and the desk alone', async () => {
    const id = await incident('SAMPLE-1', true);
    const seen = async (headers: Record<string, string>): Promise<string> =>
      JSON.stringify((await get(`/api/incidents/${id}`, headers)).body);
    expect(await seen(await asMember(who(0)))).not.toMatch(/噪|12号|120\.2/);
    await does(id, { kind: 'member', id: who(0) }, { action: 'accept' });
    await does(id, { kind: 'member', id: who(0) }, { action: 'note', text: '邻居姓李' });
    expect(await seen(await asMember(who(0)))).toMatch(/噪声.*邻居姓李/s);
    expect(await seen(await asDesk())).toMatch(/噪声/);
    // Somebody told, not leading.
    const loaded = await office.store.load(id);
    if (!loaded) throw new Error('no incident');
    await office.store.commit({
      incident: {
        ...loaded.incident,
        version: loaded.incident.version + 1,
        people: [
          ...loaded.incident.people,
          { id: who(5), role: 'member', squad: 's', told: ['depart'], did: [] },
        ],
      },
      lines: [],
      notices: [],
    });
    expect(await seen(await asMember(who(5)))).not.toMatch(/噪声|12号|120\.2|邻居/);
  });

  test("is somebody else's: 403; unknown: 404", async () => {
    const id = await incident('SAMPLE-1');
    const stranger = await get(`/api/incidents/${id}`, await asMember(who(9)));
    expect([stranger.status, stranger.body.error.code]).toEqual([403, 'forbidden']);
    const nobody = await get('/api/incidents/01JQ8Z6V5N4K3H2G1F0E9D8C7B', await asMember(who(9)));
    expect([nobody.status, nobody.body.error.code]).toEqual([404, 'not_found']);
  });

  test('offers each viewer what the rules would take from him', async () => {
    const id = await incident('SAMPLE-1');
    const offers = async (headers: Record<string, string>): Promise<string[]> =>
      (await get(`/api/incidents/${id}`, headers)).body.incident.offers;
    expect(await offers(await asMember(who(0)))).toEqual(
      expect.arrayContaining(['accept', 'decline', 'arrive', 'note']),
    );
    expect(await offers(await asDesk())).toEqual(expect.arrayContaining(['reassign', 'return', 'reveal']));
    await does(id, { kind: 'member', id: who(0) }, { action: 'accept' });
    const member = await offers(await asMember(who(0)));
    expect(member).not.toContain('accept');
    expect(member).toEqual(expect.arrayContaining(['depart', 'reinforce', 'feedback', 'close']));
    expect(member).not.toContain('reassign');
    const { body } = await get(`/api/incidents/${id}`, await asMember(who(0)));
    expect([body.incident.role, body.incident.lead]).toEqual(['lead', who(0)]);
  });
});

describe('the list', () => {
  test('is newest first, paged, and loses nothing between the pages', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 5; i += 1) {
      ids.unshift(await incident(`SAMPLE-${i}`));
      office.time.now += 1_000;
    }
    const seen: string[] = [];
    let before: string | undefined;
    do {
      const { status, body } = await get('/api/incidents', await asDesk(), {
        limit: '2',
        ...(before ? { before } : {}),
      });
      expect(status).toBe(200);
      expect(body.items.length).toBeLessThanOrEqual(2);
      seen.push(...body.items.map((item: { id: string }) => item.id));
      before = body.next ?? undefined;
    } while (before !== undefined);
    expect(seen).toEqual(ids);
  });

  test('holds nothing that the caller told, and filters by state', async () => {
    const id = await incident('SAMPLE-1');
    await does(id, { kind: 'member', id: who(0) }, { action: 'accept' });
    await incident('SAMPLE-2');
    const { body } = await get('/api/incidents', await asDesk(), { state: 'accepted' });
    expect(body.items.map((item: { id: string }) => item.id)).toEqual([id]);
    expect(JSON.stringify(body)).not.toMatch(/王|1990000|噪声|12号/);
  });

  test('of a member is his own; of somebody else 403', async () => {
    const id = await incident('SAMPLE-1');
    expect((await get('/api/incidents', await asMember(who(0)))).body.items).toMatchObject([{ id }]);
    expect((await get('/api/incidents', await asMember(who(9)))).body.items).toEqual([]);
    expect((await get('/api/incidents', await asMember(who(9)), { member: who(0) })).status).toBe(403);
    expect((await get('/api/incidents', await asDesk(), { member: who(0) })).body.items).toHaveLength(1);
  });

  test('refuses what it does not understand, naming it', async () => {
    const query = { state: 'lost', before: 'yesterday', limit: '0' };
    const { status, body } = await get('/api/incidents', await asDesk(), query);
    expect(status).toBe(400);
    expect(body.error.details.map((d: { field: string }) => d.field).sort()).toEqual([
      'before',
      'limit',
      'state',
    ]);
  });
});

describe('the roster', () => {
  test('is whole and with phones for the desk, the own squad without phones for a member', async () => {
    const desk = await get('/api/roster', await asDesk());
    expect(desk.body.items).toHaveLength((await office.store.roster()).length);
    for (const entry of desk.body.items) expect(rosterEntrySchema.parse(entry).phone).toMatch(/^1\d{10}$/);
    const own = await get('/api/roster', await asMember(who(0)));
    expect(own.body.items.length).toBeGreaterThan(1);
    expect(new Set(own.body.items.map((m: { squad: string }) => m.squad))).toEqual(new Set([crew[0]?.squad]));
    expect(JSON.stringify(own.body)).not.toMatch(/1\d{10}/);
  });

  test('tells the desk who wants no texts', async () => {
    const hash = (await office.secrets.vault()).hash('phone', crew[0]?.phone ?? '');
    await office.memos.write(TEXTLESS, { version: 0, value: [hash] }, NOON);
    const { body } = await get('/api/roster', await asDesk());
    const textless = body.items.filter((entry: { textless?: boolean }) => entry.textless);
    expect(textless.map((entry: { id: string }) => entry.id)).toEqual([who(0)]);
  });
});

describe('who may come in', () => {
  test("nobody without a token, with an old one, another district's, or one signed by somebody else", async () => {
    const codes: unknown[] = [];
    const attempt = async (headers: Record<string, string>): Promise<void> => {
      const { status, body, headers: back } = await get('/api/incidents', headers);
      expect([status, back['www-authenticate']]).toEqual([401, 'Bearer']);
      codes.push(body.error.code);
    };
    await attempt({});
    await attempt({ authorization: 'Basic abc' });
    await attempt({ authorization: 'Bearer not.a.token' });
    const { clock, secret } = office;
    const sign = (of: typeof secret, district: string): Promise<string> =>
      issueToken(of, { sub: who(0), role: 'member', district, hours: 1 }, clock);
    await attempt({ authorization: `Bearer ${await sign(secret, 'xiaohe')}` });
    const other = newDistrictSecret(secret.aliyunSms);
    await attempt({ authorization: `Bearer ${await sign(other, 'donghu')}` });
    const [head, payload] = (await sign(secret, 'donghu')).split('.');
    await attempt({ authorization: `Bearer ${head}.${payload}.AAAA` });
    const none = Buffer.from('{"alg":"none","kid":"t1"}').toString('base64url');
    await attempt({ authorization: `Bearer ${none}.${payload}.` });
    const old = await asMember(who(0));
    office.time.now += 3_601_000;
    await attempt(old);
    expect(codes).toEqual([...Array.from({ length: 7 }, () => 'unauthorized'), 'token_expired']);
  });

  test('codes that no table knows are listed for the desk; everybody else sees how many', async () => {
    for (const [code, at] of [
      ['X1', NOON],
      ['X2', NOON + 1],
      ['X1', NOON + 2],
    ] as const)
      await office.store.countCode(code, at);
    expect((await get('/api/codes', await asMember(who(0)))).status).toBe(403);
    expect((await get('/api/codes', await asDesk())).body).toEqual({
      items: [
        { code: 'X1', times: 2, lastAt: '2026-03-02T06:00:00.002Z' },
        { code: 'X2', times: 1, lastAt: '2026-03-02T06:00:00.001Z' },
      ],
      next: null,
    });
    expect((await get('/api/health', {})).body).toMatchObject({ unknownCodes: 2 });
  });

  test('the rejected messages are for the desk alone', async () => {
    await office.store.reject(
      { id: 'R1', at: NOON, status: 400, problems: ['callNo：必填'], body: '{}', bytes: 2 },
      [],
    );
    expect((await get('/api/rejected', await asMember(who(0)))).status).toBe(403);
    const { body } = await get('/api/rejected', await asDesk());
    expect(body).toEqual({
      items: [
        {
          id: 'R1',
          at: '2026-03-02T06:00:00.000Z',
          status: 400,
          problems: ['callNo：必填'],
          body: '{}',
          bytes: 2,
        },
      ],
      next: null,
    });
  });
});

describe('the door', () => {
  test('answers what has no route 404, another method 405, a defect 500 without a word of it', async () => {
    const nowhere = await call(routes, office, { path: '/api/nowhere' });
    expect([nowhere.status, nowhere.body.error.code]).toEqual([404, 'not_found']);
    const method = await call(routes, office, { method: 'PUT', path: '/api/incidents/x/actions' });
    expect([method.status, method.headers['allow']]).toEqual([405, 'POST']);
    office.store.lastBeat = () => Promise.reject(new Error('secret inner thing'));
    const defect = await call(routes, office, { path: '/api/health' });
    expect([defect.status, defect.body.error.code]).toEqual([500, 'defect']);
    expect(JSON.stringify(defect.body)).not.toContain('inner');
    expect(office.log.lines.map(({ code }) => code)).toContain('http-defect');
    for (const { headers } of [nowhere, method, defect])
      expect(headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
  });
});

test('health tells our time, and that the feeder is silent after three missed heartbeats', async () => {
  const health = async (): Promise<any> => (await call(routes, office, { path: '/api/health' })).body;
  expect(await health()).toMatchObject({
    ok: true,
    now: '2026-03-02T06:00:00.000Z',
    district: 'donghu',
    feeder: { lastBeat: null, silent: false },
  });
  await office.store.beat(NOON);
  office.time.now += 180_000;
  expect((await health()).feeder).toEqual({ lastBeat: '2026-03-02T06:00:00.000Z', silent: false });
  office.time.now += 1;
  expect((await health()).feeder.silent).toBe(true);
});
