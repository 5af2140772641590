import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { synthesize } from './assembly.ts';
import { CAST, DutyRoom } from './duty-room.ts';

let built: Awaited<ReturnType<typeof synthesize>>;
beforeAll(async () => {
  built = await synthesize();
});
afterAll(() => built.remove());

const open = (): Promise<DutyRoom> =>
  DutyRoom.open({ assembly: built.assembly, district: 'donghu', roster: CAST('story', 'patrol') });
/** What the trail says of the texts to somebody, in order. */
const deliveries = async (room: DutyRoom, id: string, whom = 'a'): Promise<unknown[]> =>
  (await room.incident(id)).trail
    .filter((line) => line.kind === 'notice' && line.whom === whom)
    .map((line) => line['facts']);

describe('the vendor', () => {
  it('refuses: it is tried again and rings', async () => {
    const room = await open();
    await room.vendor('refuse', { count: 1 });
    const id = (await room.call()).body.incidentId ?? '';
    room.expectRings();
    // The next try waits in the queue: two seconds.
    await room.at(2);
    room.expectRings(['a', 'ask', 2]);
    const facts = await deliveries(room, id);
    expect(facts.slice(0, 3)).toMatchObject([
      { state: 'sending', attempt: 1 },
      { state: 'failed-temporary', code: 'isp.SYSTEM_ERROR' },
      { state: 'sending', attempt: 2 },
    ]);
    expect(facts.at(-1)).toMatchObject({ state: 'delivered', receipt: true });
    await room.leave();
  });

  it('does not answer and knows of nothing: it is sent again and rings once', async () => {
    const room = await open();
    await room.vendor('timeout', { count: 1 });
    const id = (await room.call()).body.incidentId ?? '';
    room.expectRings(['a', 'ask', 0]);
    const facts = await deliveries(room, id);
    expect(facts.slice(0, 4)).toMatchObject([
      { state: 'sending', attempt: 1 },
      { state: 'unknown' },
      { state: 'failed-temporary', asked: true, answer: 'no-record' },
      { state: 'sending', attempt: 2 },
    ]);
    expect(facts.at(-1)).toMatchObject({ state: 'delivered', receipt: true });
    await room.leave();
  });

  it('does not answer, but has sent it: he is asked, nothing rings twice', async () => {
    const room = await open();
    // Without receipts: only asking can find it out.
    room.phones.setReceiptUrl(`${room.cloud.url}/receipts/aliyun-sms/lost`);
    await room.vendor('timeout', { count: 1, recorded: true });
    const id = (await room.call()).body.incidentId ?? '';
    await room.at(59);
    room.expectRings(['a', 'ask', 0]);
    expect(await deliveries(room, id)).toMatchObject([
      { state: 'sending', attempt: 1 },
      { state: 'unknown' },
      { state: 'delivered', asked: true },
    ]);
    await room.leave();
  });

  it('takes it and delivers nothing: the climb goes on as if he had', async () => {
    const room = await open();
    await room.vendor('silent', { count: 1 });
    const id = (await room.call()).body.incidentId ?? '';
    await room.at(91);
    room.expectRings(['b', 'ask', 60], ['leader', 'ask', 90]);
    // A minute without a receipt: the vendor was asked, and that nothing is known is written down.
    await room.at(121);
    room.expectRings(['duty', 'ask', 120]);
    expect(await deliveries(room, id)).toContainEqual(
      expect.objectContaining({ state: 'sent', receipt: 'none' }),
    );
    // He may have heard of it otherwise; his word counts.
    expect((await room.act('a', id, 'accept')).body).toMatchObject({ role: 'lead' });
    room.expectRings(['b', 'stand-down', 121], ['duty', 'stand-down', 121], ['leader', 'stand-down', 121]);
    await room.leave();
  });
});

describe('a receipt', () => {
  it('of the vendor stands in the trail; of a forger it changes nothing; without the token there is no such address', async () => {
    const room = await open();
    const id = (await room.call()).body.incidentId ?? '';
    const before = await deliveries(room, id);
    expect(before.at(-1)).toMatchObject({ state: 'delivered', receipt: true, code: 'DELIVERED' });
    const [notice] = await room.store.notices(`INC#${id}`);
    const receipt = (out: string, success: boolean): string =>
      JSON.stringify([
        {
          phone_number: '19900001234',
          send_time: '2026-03-04 10:00:00',
          report_time: '2026-03-04 10:00:01',
          success,
          err_code: success ? 'DELIVERED' : 'MOBILE_NOT_ON_SERVICE',
          err_msg: '',
          sms_size: '1',
          biz_id: 'forged^0',
          out_id: out,
        },
      ]);
    const post = (token: string, body: string, vendor = 'aliyun-sms'): Promise<number> =>
      room
        .send(`/receipts/${vendor}/${token}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body,
        })
        .then(({ status }) => status);
    const { receiptToken } = room.secret;
    expect(await post(receiptToken, receipt('nobody.knows.1', false))).toBe(200);
    expect(await post(receiptToken, receipt(`${id}.99999.00.1`, false))).toBe(200);
    // Delivered never goes back.
    expect(await post(receiptToken, receipt(notice?.attempts[0]?.id ?? '', false))).toBe(200);
    expect(await post(receiptToken, 'no receipts')).toBe(200);
    expect(await post('wrong', receipt(notice?.attempts[0]?.id ?? '', false))).toBe(404);
    expect(await post(receiptToken, receipt('x', true), 'another-vendor')).toBe(404);
    expect(await deliveries(room, id)).toEqual(before);
    room.expectRings(['a', 'ask', 0]);
    await room.leave();
  });
});
