import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ownerOf } from '#shared/ports/store.ts';
import { SAMPLE } from './accounts.ts';
import { synthesize } from './assembly.ts';
import { CAST, DutyRoom } from './duty-room.ts';
import { Wire } from './wire.ts';

let built: Awaited<ReturnType<typeof synthesize>>;
beforeAll(async () => {
  built = await synthesize();
});
afterAll(() => built.remove());

const ROSTER = CAST('story', 'patrol');
const phoneOf = (id: string): string => ROSTER.find((one) => one.id === id)?.phone ?? '';

const { secret } = SAMPLE;
const accounts = { tencentSms: secret.tencentSms, aliyunVoice: secret.aliyunVoice };

const open = (wire?: Wire): Promise<DutyRoom> =>
  DutyRoom.open({
    assembly: built.assembly,
    district: 'donghu',
    roster: ROSTER,
    accounts,
    ...(wire ? { between: wire.between } : {}),
  });
/** Everything that the trail says of the notices to somebody. */
const deliveries = async (room: DutyRoom, id: string, whom = 'a'): Promise<unknown[]> =>
  (await room.incident(id)).trail
    .filter((line) => line.kind === 'notice' && line.whom === whom)
    .map((line) => line['facts']);
/** The attempts to reach somebody, with the ids that only the vendors and we know. */
const attempts = async (room: DutyRoom, id: string, whom = 'a') =>
  (await room.store.notices(ownerOf(id))).find(({ notice }) => notice.to === whom)?.attempts ?? [];

/** A receipt as Aliyun posts it. */
const report = (outId: string, bizId: string, success: boolean): object => ({
  phone_number: phoneOf('a'),
  send_time: '2026-03-04 10:00:00',
  report_time: '2026-03-04 10:00:05',
  success,
  err_code: success ? 'DELIVERED' : 'MOBILE_NOT_ON_SERVICE',
  err_msg: '',
  sms_size: '1',
  biz_id: bizId,
  out_id: outId,
});
/** Somebody who knows the unguessable path posts; everything that follows has happened when this returns. */
const post = async (room: DutyRoom, entries: object[], vendor = 'aliyun-sms'): Promise<unknown> => {
  const response = await fetch(`${room.cloud.url}/receipts/${vendor}/${room.secret.receiptToken}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(entries),
  });
  const answer: unknown = await response.json();
  await room.cloud.settle();
  return answer;
};
/** What Aliyun wants to hear. */
const TAKEN = { code: 0, msg: '接收成功' };

describe('a receipt', () => {
  it('that comes before the vendor has answered the call, and twice: he is rung once, and it stays delivered', async () => {
    const wire = new Wire();
    const room = await open(wire);
    // The answer to the call waits until the receipt was taken.
    wire.hold = () => room.phones.idle();
    const id = (await room.call()).body.incidentId ?? '';
    const once = await deliveries(room, id);
    expect(once).toMatchObject([
      { state: 'sending' },
      { state: 'delivered', receipt: true },
      { state: 'delivered' },
    ]);
    const [attempt] = await attempts(room, id);
    expect(attempt).toMatchObject({ state: 'delivered', vendorId: expect.any(String) });
    const again = report(attempt?.id ?? '', attempt?.vendorId ?? '', true);
    expect(await post(room, [again, again])).toEqual(TAKEN);
    expect(await deliveries(room, id)).toEqual(once);
    await room.act('a', id, 'accept');
    await room.at(100);
    expect(room.channels()).toEqual([['a', 'aliyun-sms', 'ask', 0]]);
    await room.leave();
    wire.stop();
  });

  it('forged, unknown, of another vendor’s attempt, out of order: the call and the climb go on to the second', async () => {
    const room = await open();
    const both = ['aliyun-sms', 'tencent-sms'];
    for (const vendor of both) await room.vendor('silent', { vendor, number: phoneOf('a') });
    const id = (await room.call()).body.incidentId ?? '';
    await room.at(5);
    const [first] = await attempts(room, id);
    const { id: ours = '', vendorId: his = '' } = first ?? {};
    const before = await deliveries(room, id);
    const forged = [report(ours, 'forged^0', true), report(`${id}.99999.00.1`, his, true)];
    expect(await post(room, forged)).toEqual(TAKEN);
    const foreign = { sid: his, mobile: phoneOf('a'), report_status: 'SUCCESS', errmsg: '', description: '' };
    expect(await post(room, [foreign], 'tencent-sms')).toEqual({ result: 0, errmsg: 'OK' });
    expect(await deliveries(room, id)).toEqual(before);
    expect(room.counted('ReceiptUnknown')).toBe(3);

    // It has failed: the other vendor in the same second. It has come all the same, twice, and it has failed again.
    const standing = async () => (await attempts(room, id)).map(({ vendor, state }) => `${vendor} ${state}`);
    await post(room, [report(ours, his, false)]);
    expect(await standing()).toEqual(['aliyun-sms failed-permanent', 'tencent-sms sent']);
    await room.at(7);
    await post(
      room,
      [true, true, false].map((came) => report(ours, his, came)),
    );
    expect(await standing()).toEqual(['aliyun-sms delivered', 'tencent-sms sent']);
    expect((await deliveries(room, id)).length).toBe(before.length + 4);

    // Nobody has it on his phone, whatever is said: the call comes 15 s after the text, and the next one is asked at his second.
    await room.at(61);
    const rang = room.channels();
    expect(rang).toEqual([
      ['a', 'aliyun-voice', 'ask', 20],
      ['b', 'aliyun-sms', 'ask', 60],
    ]);
    for (const vendor of both) await room.vendor('none', { vendor });
    await room.act('b', id, 'accept');
    room.expectRings(['a', 'stand-down', 61]);
    await room.leave();
  });
});

describe('a phone that rings already', () => {
  const end = async (room: DutyRoom, how: Parameters<typeof room.phones.answerCall>[1]): Promise<void> => {
    room.phones.answerCall(phoneOf('a'), how);
    await room.phones.idle();
    await room.cloud.settle();
  };
  /** The calls to a, as the trail tells them. */
  const called = async (room: DutyRoom, id: string): Promise<unknown[]> =>
    (await deliveries(room, id)).filter((facts) => JSON.stringify(facts).includes('aliyun-voice'));

  it('rings on when he accepts by text, or declines and another one goes; it stands in the trail, and nothing follows', async () => {
    const room = await open();
    const id = (await room.call()).body.incidentId ?? '';
    await room.at(25);
    room.phones.reply({ number: phoneOf('a'), text: '1' });
    await room.phones.idle();
    await room.cloud.settle();
    expect((await room.incident(id)).incident['lead']).toBe('a');
    const ringing = async (incident: string): Promise<unknown[]> =>
      (await room.incident(incident)).trail.flatMap((line) =>
        line.kind === 'ringing' ? [[line.whom, line['facts']]] : [],
      );
    const call = { vendor: 'aliyun-voice', attempt: 2 };
    expect(await ringing(id)).toMatchObject([['a', { ...call, why: 'accepted' }]]);
    room.expectRings(['a', 'ask', 0], ['a', 'ask', 20], ['a', 'answer', 25]);
    expect(await called(room, id)).toMatchObject([{ state: 'sending', channel: 'voice' }, { state: 'sent' }]);
    await room.at(30);
    await end(room, 'no-answer');
    expect((await deliveries(room, id)).slice(-2)).toMatchObject([
      { state: 'failed-permanent', vendor: 'aliyun-voice', receipt: true },
      { state: 'cancelled', why: 'accepted' },
    ]);
    await room.act('a', id, 'close', { outcome: 'by_phone', text: '已电话答复。' });
    await room.at(110);
    room.expectRings();

    const other = (await room.call({ address: '样例路9号' })).body.incidentId ?? '';
    await room.at(145);
    await room.act('a', other, 'decline', { reason: '正在处理另一起' });
    await room.act('b', other, 'accept');
    expect(await ringing(other)).toMatchObject([['a', { ...call, why: 'declined' }]]);
    room.expectRings(['a', 'ask', 110], ['a', 'ask', 130], ['b', 'ask', 145]);
    await end(room, { keys: '1' });
    // Key 1 in the call that rings on after his decline is told what he is, and takes nothing from the one who goes.
    await room.at(229);
    room.expectRings(['a', 'answer', 145]);
    expect(await called(room, other)).toHaveLength(3);
    expect((await room.incident(other)).incident).toMatchObject({ lead: 'b', assignees: ['b'] });
    await room.leave();
  });
});
