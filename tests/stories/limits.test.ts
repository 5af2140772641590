import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { loadTexts } from '#shared/districts/load.ts';
import { ownerOf } from '#shared/ports/store.ts';
import { Dingtalk } from '../../infra/local/phones/dingtalk.ts';
import { sampleAccounts } from '../../infra/local/phones/sample-accounts.ts';
import { Wecom } from '../../infra/local/phones/wecom.ts';
import { synthesize } from './assembly.ts';
import { CAST, DutyRoom } from './duty-room.ts';

let built: Awaited<ReturnType<typeof synthesize>>;
beforeAll(async () => {
  // Tencent first: its ten texts a day are soon told.
  const delivery = { vendors: { sms: ['tencent-sms', 'aliyun-sms'] }, softCap: SOFT_CAP };
  built = await synthesize({ district: 'donghu', policy: { delivery } });
});
afterAll(() => built.remove());

/** 1/1000 CNY: thirteen texts of Tencent's and two of Aliyun's. */
const SOFT_CAP = 13 * 50 + 2 * 45;
const TEXTS = loadTexts();
const ROSTER = CAST('story', 'patrol');
const { vendors, secret } = sampleAccounts(TEXTS, { strict: true });
/** Instead of five hundred. */
const DING_A_DAY = 3;
/** Words that the harness knows, as another application of the same corporation would send them. */
const WORDS = TEXTS.templates.canary.text.replaceAll(/\$\{\w+\}/g, '1');

const accounts = { tencentSms: secret.tencentSms };
const twoVendors = (): Promise<DutyRoom> =>
  DutyRoom.open({ assembly: built.assembly, district: 'donghu', roster: ROSTER, vendors, accounts });

describe('what a vendor drops without a word', () => {
  /** Another application sends messages to somebody until the vendor takes no more for him. */
  const flood = async (
    base: string,
    token: string,
    send: string,
    bodies: readonly object[],
  ): Promise<void> => {
    const granted = await fetch(`${base}${token}`);
    const { access_token: key } = z.object({ access_token: z.string() }).parse(await granted.json());
    await Promise.all(
      bodies.map(async (body) => {
        const response = await fetch(`${base}${send}?access_token=${key}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        });
        expect(await response.json()).toMatchObject({ errcode: 0 });
      }),
    );
  };

  it('WeCom above thirty a minute, DingTalk above its number a day: the text comes at its second', async () => {
    const room = await DutyRoom.open({
      assembly: built.assembly,
      district: 'donghu',
      roster: ROSTER.map((one) => ({
        ...one,
        ...(one.id === 'a' ? { wecom: 'wecom-a' } : {}),
        ...(one.id === 'b' || one.id === 'leader' ? { dingtalk: `ding-${one.id}` } : {}),
      })),
      vendors: [
        (world) => new Wecom(secret.wecom, world),
        (world) => new Dingtalk({ ...secret.dingtalk, perDay: DING_A_DAY }, world),
      ],
      accounts: { wecom: secret.wecom, dingtalk: secret.dingtalk },
    });
    const { wecom, dingtalk } = secret;
    await flood(
      room.phones.endpoints['wecom'] ?? '',
      `/cgi-bin/gettoken?corpid=${wecom.corpId}&corpsecret=${wecom.secret}`,
      '/cgi-bin/message/send',
      Array.from({ length: 30 }, () => ({
        touser: 'wecom-a',
        agentid: wecom.agentId,
        msgtype: 'text',
        text: { content: WORDS },
      })),
    );
    await flood(
      room.phones.endpoints['dingtalk'] ?? '',
      `/gettoken?appkey=${dingtalk.appKey}&appsecret=${dingtalk.appSecret}`,
      '/topapi/message/corpconversation/asyncsend_v2',
      Array.from({ length: DING_A_DAY }, (_, n) => ({
        agent_id: dingtalk.agentId,
        userid_list: 'ding-b',
        msg: {
          msgtype: 'text',
          text: { content: `${WORDS}（00:00:${10 + (n % 50)}）${'\n'.repeat(n / 50)}` },
        },
      })),
    );
    room.channels();
    await room.vendor('silent', { vendor: 'dingtalk', number: 'ding-leader' });
    const id = (await room.call()).body.incidentId ?? '';
    await room.at(119);
    // DingTalk is asked after three seconds and says that it dropped b's; of the leader's it says nothing.
    expect(room.channels()).toEqual([
      ['a', 'aliyun-sms', 'ask', 15],
      ['b', 'aliyun-sms', 'ask', 63],
      ['leader', 'aliyun-sms', 'ask', 105],
    ]);
    const ways = (await room.store.notices(ownerOf(id))).map(({ attempts }) =>
      attempts.map(({ vendor, state, code }) =>
        [vendor, state, ...(code === undefined ? [] : [code])].join(' '),
      ),
    );
    expect(ways).toEqual([
      ['wecom sent', 'aliyun-sms delivered DELIVERED'],
      ['dingtalk failed-permanent 143105', 'aliyun-sms delivered DELIVERED'],
      ['dingtalk sent', 'aliyun-sms delivered DELIVERED'],
    ]);
    await room.leave();
  });
});

it('ten texts a day: warned at eighty per cent, then chatter goes another way, and the rest is for P1 and for who is asked', async () => {
  const room = await twoVendors();
  /** What came since, in any order: all of it at one instant. */
  const came = (): string[] =>
    room
      .channels()
      .map(([who, vendor, kind]) => `${who} ${vendor} ${kind}`)
      .toSorted();
  const asked = async (n: number, more: Record<string, unknown> = {}): Promise<string> => {
    const id = (await room.call({ address: `样例路${n}号`, ...more })).body.incidentId ?? '';
    await room.act('a', id, 'accept');
    return id;
  };
  const ids: string[] = [];
  for (let n = 1; n <= 7; n += 1) ids.push(await asked(n));
  expect(room.counted('BudgetLow')).toBe(0);
  ids.push(await asked(8));
  expect(came()).toEqual(Array(8).fill('a tencent-sms ask'));
  expect(room.counted('BudgetLow')).toBe(1);
  // The desk sees with whom it is.
  const { items = [] } = (await room.get('/api/vendors')).body;
  expect(items.filter(({ vendor }) => String(vendor).endsWith('-sms'))).toMatchObject([
    { vendor: 'aliyun-sms', today: { low: [] } },
    { vendor: 'tencent-sms', today: { low: ['a'] } },
  ]);

  await room.act('desk', ids[0] ?? '', 'reassign', { member: 'b' });
  expect(came()).toEqual(['a aliyun-sms reassigned', 'b tencent-sms ask']);
  const { trail } = await room.incident(ids[0] ?? '');
  expect(trail.map((line) => line['facts'])).toContainEqual(
    expect.objectContaining({ vendor: 'aliyun-sms', instead: 'tencent-sms', because: 'budget' }),
  );
  ids.push(await asked(9, { content: '家里有很浓的煤气味，老人一个人在家，头晕。' }));
  expect((await room.incident(ids[8] ?? '')).incident['classification']).toMatchObject({ urgency: 'P1' });
  await room.act('desk', ids[8] ?? '', 'reassign', { member: 'c' });
  expect(came()).toEqual([
    'a tencent-sms ask-secret',
    'a tencent-sms news',
    'b tencent-sms ask-secret',
    'c tencent-sms ask-secret',
  ]);
  ids.push(await asked(10));
  expect(came()).toEqual(['a aliyun-sms ask']);

  // What the day may cost is spent: chatter stops, and who is asked still is.
  expect((await room.get('/api/vendors')).body).toMatchObject({ milli: SOFT_CAP, softCap: SOFT_CAP });
  // A look at the day's costs is good for a second.
  await room.at(2);
  await room.act('desk', ids[9] ?? '', 'reassign', { member: 'b' });
  expect(came()).toEqual(['b tencent-sms ask']);
  expect(room.counted('ChatterStopped')).toBe(1);
  const ends = (await Promise.all(ids.map((id) => room.store.notices(ownerOf(id))))).flat();
  const stopped = ends.filter(({ state }) => state !== 'delivered');
  expect(stopped).toMatchObject([
    { notice: { to: 'a' }, state: 'suppressed', over: 'soft-cap', attempts: [] },
  ]);
  // Nothing was ever tried that a vendor had to refuse.
  expect(ends.flatMap(({ attempts }) => attempts).filter(({ state }) => state !== 'delivered')).toEqual([]);
  await room.leave();
});

it('all vendors of texts want money: nobody counts as unreachable, the desk has the list, and what is owed goes out once paid', async () => {
  const room = await twoVendors();
  await room.vendor('refuse', { vendor: 'aliyun-sms', code: 'isv.OUT_OF_SERVICE', count: 1_000 });
  const code = 'FailedOperation.InsufficientBalanceInSmsPackage';
  await room.vendor('refuse', { vendor: 'tencent-sms', code, count: 1_000 });
  const id = (await room.call()).body.incidentId ?? '';
  await room.at(9);
  const unreached = async (): Promise<unknown[]> => (await room.get('/api/unreached')).body.items ?? [];
  expect(await unreached()).toMatchObject([{ incidentId: id, member: { id: 'a' }, kind: 'ask' }]);
  await room.at(20);
  room.expectRings();
  for (const vendor of ['aliyun-sms', 'tencent-sms']) await room.vendor('none', { vendor });
  // The next try is at 24. The duty officer hears once of each.
  await room.at(59);
  room.expectRings(['a', 'ask', 24], ['duty', 'desk', 24], ['duty', 'desk', 24]);
  expect(await unreached()).toEqual([]);
  const { incident, trail } = await room.incident(id);
  expect(incident.assignees).toEqual(['a']);
  expect(trail.map(({ kind }) => kind)).not.toContain('unreached');
  expect(room.counted('VendorUnpaid')).toBeGreaterThan(1);
  await room.act('a', id, 'accept');
  await room.leave();
});
