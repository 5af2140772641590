import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SAMPLE } from './accounts.ts';
import { synthesize } from './assembly.ts';
import { CAST, DutyRoom } from './duty-room.ts';

let built: Awaited<ReturnType<typeof synthesize>>;
beforeAll(async () => {
  built = await synthesize();
});
afterAll(() => built.remove());

const { secret } = SAMPLE;

/** A duty room with one further vendor, who posts back to it. */
const open = async (section: 'tencentSms' | 'aliyunVoice'): Promise<DutyRoom> => {
  const room = await DutyRoom.open({
    assembly: built.assembly,
    district: 'donghu',
    roster: CAST('story', 'patrol'),
    accounts: { [section]: secret[section] },
  });
  room.phones.setReceiptUrls((vendor) => `${room.cloud.url}/receipts/${vendor}/${room.secret.receiptToken}`);
  return room;
};
const phoneOf = (id: string): string => CAST('story', 'patrol').find((one) => one.id === id)?.phone ?? '';

describe('what a vendor posts who knows us by his own ids only', () => {
  it('the other vendor’s text: that it arrived stands in the trail', async () => {
    const room = await open('tencentSms');
    await room.vendor('refuse', { code: 'isv.OUT_OF_SERVICE' });
    const id = (await room.call()).body.incidentId ?? '';
    // Whoever pays hears of it twice: an alarm of the stack rings, and the duty officer gets a note.
    expect(room.channels()).toEqual([
      ['a', 'tencent-sms', 'ask', 0],
      ['duty', 'aliyun-sms', 'desk', 0],
    ]);
    expect(room.counted('VendorUnpaid')).toBe(1);
    const { trail } = await room.incident(id);
    expect(trail.filter((line) => line.kind === 'notice' && line.whom === 'a').at(-1)).toMatchObject({
      facts: { state: 'delivered', vendor: 'tencent-sms', receipt: true, code: 'DELIVRD' },
    });
    await room.act('a', id, 'accept');
    await room.leave();
  });

  it('a call: key 1 accepts', async () => {
    const room = await open('aliyunVoice');
    const id = (await room.call()).body.incidentId ?? '';
    await room.at(31);
    expect(room.channels()).toMatchObject([
      ['a', 'aliyun-sms', 'ask', 0],
      ['a', 'aliyun-voice', 'ask', expect.any(Number)],
    ]);
    room.phones.answerCall(phoneOf('a'), { keys: '1' });
    await room.cloud.settle();
    const { incident, trail } = await room.incident(id);
    expect(incident.state).toBe('accepted');
    expect(trail).toContainEqual(expect.objectContaining({ kind: 'accepted', by: 'a' }));
    await room.at(100);
    expect(room.channels().filter(([who]) => who !== 'a')).toEqual([]);
    await room.leave();
  });

  it.each(['voicemail', 'no-answer'] as const)(
    'a call: %s accepts nothing, and the climb goes on',
    async (end) => {
      const room = await open('aliyunVoice');
      const id = (await room.call()).body.incidentId ?? '';
      await room.at(31);
      room.phones.answerCall(phoneOf('a'), end);
      await room.cloud.settle();
      expect((await room.incident(id)).incident.state).toBe('asking');
      await room.at(61);
      expect(room.channels()).toContainEqual(['b', 'aliyun-sms', 'ask', 60]);
      expect((await room.act('b', id, 'accept')).body).toMatchObject({ role: 'lead' });
      room.channels();
      await room.leave();
    },
  );
});
