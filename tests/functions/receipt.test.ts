import { beforeEach, describe, expect, test } from 'vitest';
import { aliyunSmsCallback } from '#shared/adapters/aliyun-sms.ts';
import { tencentSmsCallback } from '#shared/adapters/tencent-sms.ts';
import { attemptIdOf } from '#shared/adapters/store.ts';
import { receive } from '#shared/domain/incident.ts';
import { ledgersOf, sumOf } from '#shared/domain/ledger.ts';
import type { Attempt, AttemptState } from '#shared/domain/notice.ts';
import type { NoticeJob } from '#shared/ports/queue.ts';
import type { Route } from '#shared/lambda/http.ts';
import { rememberSent } from '#shared/ports/sent-name.ts';
import { ownerOf } from '#shared/ports/store.ts';
import { takeReceipts } from '../../functions/receipt/receipt.ts';
import { countUnknown } from '../../functions/receipt/unknown.ts';
import { NOON, call, frontOffice, type Answer, type FrontOffice } from './front-office.ts';

const ID = '01JQ8Z6V5N4K3H2G1F0E9D8C7B';
const NOTICE = '00001.00';
const OWNER = ownerOf(ID);

let office: FrontOffice;
let routes: Route[];
/** Notices whose deliverer was called. */
let woken: NoticeJob[];
beforeEach(async () => {
  office = await frontOffice('xiaohe');
  const vendors = { 'aliyun-sms': aliyunSmsCallback, 'tencent-sms': tencentSmsCallback };
  woken = [];
  const queues = { notices: async (jobs: readonly NoticeJob[]) => void woken.push(...jobs) };
  const nobody = async () => 'woken' as const;
  const workflow = { start: async () => {}, finished: nobody, rearm: nobody, runs: async () => true };
  const taker = { ...office, queues, vendors, workflow, unknown: countUnknown(office) };
  routes = [
    {
      method: 'POST',
      path: '/receipts/{vendor}/{token}',
      auth: 'none',
      handle: ({ params, raw }) => takeReceipts(taker, params, raw),
    },
  ];
  const incident = receive({
    id: ID,
    callNo: 'SAMPLE-1',
    district: 'xiaohe',
    receivedAt: NOON,
    calledAt: NOON,
    secret: false,
    mode: 'war',
  });
  const content = {
    callNo: 'SAMPLE-1',
    calledAt: NOON,
    caller: { name: '', phone: '' },
    address: '某路',
    content: '某事',
    receivedAt: NOON,
  };
  await office.store.create(incident, content, []);
  await office.store.commit({
    incident: { ...incident, version: 1 },
    lines: [],
    notices: [{ id: NOTICE, to: 'm-001', kind: 'ask', at: NOON, round: 1 }],
  });
});

const state = async (): Promise<AttemptState | undefined> =>
  (await office.store.notice(OWNER, NOTICE))?.state;

/** Brings the notice to where an attempt's receipt finds it. */
const attempt = async (
  n: number,
  to: Attempt['state'],
  more: Partial<Attempt> & { louder?: boolean } = {},
): Promise<void> => {
  const row = await office.store.notice(OWNER, NOTICE);
  if (!row) throw new Error('no notice');
  const { louder = false, ...facts } = more;
  const one: Attempt = {
    id: attemptIdOf(OWNER, NOTICE, n),
    n,
    channel: 'sms',
    vendor: 'aliyun-sms',
    state: to,
    at: NOON,
    seen: NOON,
    asked: 0,
    milli: 0,
    ...facts,
  };
  const attempts = [...row.attempts.filter((other) => other.n !== n), one];
  await office.store.step(OWNER, row, { to, at: NOON, attempts, louder, owedAt: NOON + 60_000, facts: {} });
};

const entry = (attemptId: string, success: boolean): object => ({
  phone_number: '19900001234',
  send_time: '2026-03-02 14:00:01',
  report_time: '2026-03-02 14:00:03',
  success,
  err_code: success ? 'DELIVERED' : 'MK:0001',
  err_msg: '',
  sms_size: '1',
  biz_id: '900619746936498440^0',
  out_id: attemptId,
});

const post = (body: unknown, token = office.secret.receiptToken, vendor = 'aliyun-sms'): Promise<Answer> =>
  call(routes, office, {
    method: 'POST',
    path: `/receipts/${vendor}/${token}`,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
const receipt = (success: boolean, n = 1): Promise<Answer> =>
  post([entry(attemptIdOf(OWNER, NOTICE, n), success)]);

describe('a receipt', () => {
  test('of a text that arrived makes its notice delivered, and the trail says so', async () => {
    await attempt(1, 'sent');
    const { status, body } = await receipt(true);
    expect([status, body]).toEqual([200, { code: 0, msg: '接收成功' }]);
    expect(await state()).toBe('delivered');
    const lines = await office.store.lines(ID);
    expect(lines.at(-1)?.stored).toMatchObject({
      chain: NOTICE,
      kind: 'notice',
      facts: { state: 'delivered', receipt: true, code: 'DELIVERED' },
    });
    expect(await office.store.owed(NOON + 60_000)).not.toContainEqual(
      expect.objectContaining({ kind: 'notice' }),
    );
  });

  test('may come before the vendor has answered our call', async () => {
    await attempt(1, 'sending');
    await receipt(true);
    expect(await state()).toBe('delivered');
  });

  test('that knows only the vendor’s id is found by it, also when it is quicker than we write that id down', async () => {
    const report = (sid: string): Promise<Answer> =>
      post(
        [{ sid, mobile: '19900001234', report_status: 'SUCCESS', errmsg: 'DELIVRD', description: '' }],
        office.secret.receiptToken,
        'tencent-sms',
      );
    await attempt(1, 'sent', { vendor: 'tencent-sms', vendorId: '5000:1' });
    const { status, body } = await report('5000:1');
    expect([status, body]).toEqual([200, { result: 0, errmsg: 'OK' }]);
    expect(await state()).toBe('sent');
    const sent = {
      vendor: 'tencent-sms',
      vendorId: '5000:1',
      attemptId: attemptIdOf(OWNER, NOTICE, 1),
    } as const;
    const posted = report('5000:1');
    await rememberSent(office.memos, sent, NOON);
    await posted;
    expect(await state()).toBe('delivered');
    // The id of one vendor is nothing to another.
    await rememberSent(office.memos, { ...sent, vendorId: '5000:2' }, NOON);
    expect((await report('5000:3')).status).toBe(200);
  });

  test('does not end what a louder channel has to go on with: only an action does', async () => {
    await attempt(1, 'sent', { louder: true });
    await receipt(true);
    expect(await office.store.notice(OWNER, NOTICE)).toMatchObject({
      state: 'delivered',
      owedAt: NOON + 60_000,
    });
    expect((await office.store.notice(OWNER, NOTICE))?.over).toBeUndefined();
  });

  test('of a text that did not arrive calls the deliverer at once', async () => {
    await attempt(1, 'sent');
    await receipt(false);
    expect(await office.store.notice(OWNER, NOTICE)).toMatchObject({
      state: 'failed-permanent',
      attempts: [{ state: 'failed-permanent', code: 'MK:0001' }],
      owedAt: NOON,
    });
    expect(woken).toEqual([{ owner: OWNER, noticeId: NOTICE, lane: 'alerts' }]);
  });

  test('never takes a delivery back, and a repeated one changes nothing', async () => {
    await attempt(1, 'sent');
    await receipt(true);
    await receipt(false);
    await receipt(true);
    expect(await state()).toBe('delivered');
    expect((await office.store.lines(ID)).filter(({ stored }) => stored.chain === NOTICE)).toHaveLength(2);
    expect(office.log.counts).toEqual({});
    expect(woken).toEqual([]);
  });

  test('of an older attempt: good news counts, bad news does not', async () => {
    await attempt(1, 'unknown');
    await attempt(2, 'sent');
    await receipt(false, 1);
    expect(await state()).toBe('sent');
    expect(woken).toEqual([]);
    expect(await office.store.owed(NOON + 59_999)).not.toContainEqual(
      expect.objectContaining({ kind: 'notice' }),
    );
    await receipt(true, 1);
    expect(await state()).toBe('delivered');
  });

  test('of an older attempt, after the louder one has failed: he has nothing any more, and somebody else is asked', async () => {
    await attempt(1, 'sent');
    await attempt(2, 'failed-permanent', { channel: 'voice', vendor: 'aliyun-voice' });
    await receipt(false, 1);
    expect(await state()).toBe('failed-permanent');
    expect(woken).toEqual([expect.objectContaining({ owner: OWNER, noticeId: NOTICE })]);
  });

  test('of an attempt that the vendor had denied is a double, and counted as one', async () => {
    await attempt(1, 'failed-temporary', { never: true });
    await attempt(2, 'sent');
    await receipt(true, 1);
    expect(await state()).toBe('delivered');
    expect(office.log.counts).toEqual({ NoticeDoubled: 1 });
  });

  test('of another vendor, or with another id than it gave us, is no receipt of ours', async () => {
    await attempt(1, 'sent', { vendor: 'tencent-sms' });
    await receipt(true);
    expect(await state()).toBe('sent');
    await attempt(1, 'sent', { vendorId: 'another^0' });
    await receipt(true);
    expect(await state()).toBe('sent');
    expect(office.log.counts).toEqual({ ReceiptUnknown: 2 });
  });

  test('comes back with the name that the vendor got, which says nothing to him', async () => {
    await attempt(1, 'sent');
    const veiled = (await office.secrets.vault()).veil(attemptIdOf(OWNER, NOTICE, 1));
    expect(veiled).not.toContain(ID.slice(-6));
    await post([entry(veiled, true)]);
    expect(await state()).toBe('delivered');
  });

  test('that loses a race looks again', async () => {
    await attempt(1, 'sending');
    const { store } = office;
    const step = store.step.bind(store);
    let races = 0;
    store.step = async (owner, row, next) => {
      races += 1;
      if (races > 1) return step(owner, row, next);
      await step(owner, row, { to: 'sent', at: NOON, facts: {} });
      return undefined;
    };
    await receipt(true);
    expect(await state()).toBe('delivered');
  });

  test('is counted for the vendor: how many arrived, and how many within ten seconds', async () => {
    await attempt(1, 'sent', { at: NOON - 9_000 });
    await receipt(true);
    await attempt(1, 'sent', { at: NOON - 11_000 });
    await receipt(true);
    const day = await Promise.all(ledgersOf(NOON).map((name) => office.store.counters(name)));
    expect(sumOf(day)).toMatchObject({ 'aliyun-sms.arrived': 2, 'aliyun-sms.fast': 1 });
  });
});

test('a flood of forged receipts is counted to the last one, in a few lines', () => {
  let time = NOON;
  const told: number[] = [];
  const log = { ...office.log, count: (_: string, n = 1) => void told.push(n) };
  const unknown = countUnknown({ log, clock: { now: () => new Date(time) } });
  for (let n = 0; n < 100_000; n += 1) unknown({ vendor: 'aliyun-sms' });
  expect(told.length).toBeLessThan(25);
  expect(told.slice(0, 11)).toEqual([...Array(10).fill(1), 10]);
  time += 60_000;
  unknown({ vendor: 'aliyun-sms' });
  unknown({ vendor: 'aliyun-sms' });
  expect(told.at(-1)).toBe(1);
  expect(told.reduce((sum, n) => sum + n, 0)).toBe(100_002);
});

describe('the vendor always hears what it wants to hear', () => {
  test.each([
    ['an attempt we do not know', [entry('01JQ8Z6V5N4K3H2G1F0E9D8C7B.00009.00.1', true)]],
    ['an id that is none of ours', [entry('hello', true)]],
    ['an entry that cannot be read', [{ success: 'maybe' }]],
    ['no receipts at all', 'hello'],
  ])('%s: 200, and counted', async (_, body) => {
    const answer = await post(body);
    expect([answer.status, answer.body]).toEqual([200, aliyunSmsCallback.ack]);
    expect(office.log.counts).toEqual({ ReceiptUnknown: 1 });
  });

  test('one unreadable entry does not take the others with it', async () => {
    await attempt(1, 'sent');
    await post([{}, entry(attemptIdOf(OWNER, NOTICE, 1), true)]);
    expect(await state()).toBe('delivered');
  });
});

test.each([
  ['a wrong token', 'wrong', 'aliyun-sms'],
  ['an unknown vendor', undefined, 'carrier-pigeon'],
  ['a vendor named like a part of every object', undefined, 'constructor'],
])('%s is 404 and changes nothing', async (_, token, vendor) => {
  await attempt(1, 'sent');
  const answer = await post([entry(attemptIdOf(OWNER, NOTICE, 1), true)], token, vendor);
  expect([answer.status, answer.body.error.code]).toEqual([404, 'not_found']);
  expect(await state()).toBe('sent');
});
