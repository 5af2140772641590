import { beforeEach, describe, expect, test } from 'vitest';
import { aliyunSmsCallback } from '#shared/adapters/aliyun-sms.ts';
import { attemptIdOf } from '#shared/adapters/store.ts';
import { receive } from '#shared/domain/incident.ts';
import type { AttemptState } from '#shared/domain/notice.ts';
import type { Route } from '#shared/lambda/http.ts';
import { ownerOf } from '#shared/ports/store.ts';
import { takeReceipts } from '../../functions/receipt/receipt.ts';
import { NOON, call, frontOffice, type Answer, type FrontOffice } from './front-office.ts';

const ID = '01JQ8Z6V5N4K3H2G1F0E9D8C7B';
const NOTICE = '00001.00';
const OWNER = ownerOf(ID);

let office: FrontOffice;
let routes: Route[];
beforeEach(async () => {
  office = await frontOffice('xiaohe');
  const vendors = { 'aliyun-sms': aliyunSmsCallback };
  const taker = { ...office, vendors };
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
const attempt = async (n: number, to: AttemptState): Promise<void> => {
  const row = await office.store.notice(OWNER, NOTICE);
  if (!row) throw new Error('no notice');
  const set = { attemptId: attemptIdOf(OWNER, NOTICE, n), attempts: n };
  await office.store.step(OWNER, row, { from: [row.state], to, at: NOON, set });
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

  test('of a text that did not arrive fails its notice, and is counted', async () => {
    await attempt(1, 'sent');
    await receipt(false);
    expect(await state()).toBe('failed-permanent');
    expect(office.log.counts).toEqual({ NoticeFailed: 1 });
  });

  test('never takes a delivery back, and a repeated one changes nothing', async () => {
    await attempt(1, 'sent');
    await receipt(true);
    await receipt(false);
    await receipt(true);
    expect(await state()).toBe('delivered');
    expect((await office.store.lines(ID)).filter(({ stored }) => stored.chain === NOTICE)).toHaveLength(2);
    expect(office.log.counts).toEqual({});
  });

  test('of an older attempt: good news counts, and is counted as a double; bad news does not', async () => {
    await attempt(1, 'unknown');
    await attempt(2, 'sent');
    await receipt(false, 1);
    expect(await state()).toBe('sent');
    await receipt(true, 1);
    expect(await state()).toBe('delivered');
    expect(office.log.counts).toEqual({ NoticeDoubled: 1 });
  });

  test('that loses a race looks again', async () => {
    await attempt(1, 'sending');
    const { store } = office;
    const step = store.step.bind(store);
    let races = 0;
    store.step = async (owner, row, next) => {
      races += 1;
      if (races > 1) return step(owner, row, next);
      await step(owner, row, { from: ['sending'], to: 'sent', at: NOON });
      return undefined;
    };
    await receipt(true);
    expect(await state()).toBe('delivered');
  });
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
