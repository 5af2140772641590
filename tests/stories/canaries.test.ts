import { afterAll, beforeAll, expect, it } from 'vitest';
import { SAMPLE } from './accounts.ts';
import { synthesize } from './assembly.ts';
import { CAST, DutyRoom } from './duty-room.ts';

let built: Awaited<ReturnType<typeof synthesize>>;
beforeAll(async () => {
  built = await synthesize({ district: 'donghu', policy: { canary: LINES } });
});
afterAll(() => built.remove());

/** Lines that lie in the duty room: a telephone and an account. */
const LINES = { 'aliyun-sms': '19900009999', wecom: 'duty-room' };
/** Half a minute after midnight in Beijing. */
const EARLY = Date.parse('2026-03-03T16:00:30.000Z');
const MINUTE = 60;

it('vendors are tried out while nobody uses them; one that fails stands behind the other for ten good minutes', async () => {
  const { secret } = SAMPLE;
  const room = await DutyRoom.open({
    assembly: built.assembly,
    district: 'donghu',
    roster: CAST('story', 'patrol').map((one) =>
      one.id === 'a' ? { ...one, wecom: 'wecom-a', dingtalk: 'ding-a' } : one,
    ),
    begin: EARLY,
    accounts: { wecom: secret.wecom, dingtalk: secret.dingtalk, aliyunVoice: secret.aliyunVoice },
  });
  const wecom = async (): Promise<unknown> =>
    ((await room.get('/api/vendors')).body.items ?? []).find(({ vendor }) => vendor === 'wecom');
  /** A call that a takes at once and ends: which vendor asked him? */
  const askedBy = async (n: number): Promise<string | undefined> => {
    const id = (await room.call({ address: `样例路${n}号` })).body.incidentId ?? '';
    await room.act('a', id, 'accept');
    await room.act('a', id, 'close', { outcome: 'by_phone', text: '已电话答复。' });
    return room.channels().find(([, , kind]) => kind === 'ask')?.[1];
  };

  // What costs nothing: every two minutes. What costs: nothing yet.
  await room.at(6 * MINUTE);
  expect(room.channels()).toEqual([30, 150, 270].map((second) => ['duty-room', 'wecom', 'canary', second]));
  expect(await askedBy(1)).toBe('wecom');

  await room.vendor('refuse', { vendor: 'wecom', number: LINES.wecom, count: 3 });
  await room.at(10 * MINUTE);
  expect(await wecom()).toMatchObject({ putOff: false });
  await room.at(11 * MINUTE);
  expect(await wecom()).toMatchObject({
    putOff: true,
    backAt: new Date(room.begin + (22 * MINUTE - 30) * 1000).toISOString(),
  });
  expect(room.counted('VendorSwitched')).toBe(1);
  expect(await askedBy(2)).toBe('dingtalk');
  await room.at(21 * MINUTE);
  expect(await askedBy(3)).toBe('dingtalk');
  await room.at(22 * MINUTE);
  expect(await askedBy(4)).toBe('wecom');
  expect(await wecom()).toMatchObject({ putOff: false, today: { passed: 2 } });
  expect(room.counted('VendorBack')).toBe(1);

  // An hour without a text: one to the telephone that lies there, at most twenty a day, and never a call.
  const tries: string[][] = [];
  for (let n = 1; n <= 25; n += 1) {
    await room.at((22 + n * 61) * MINUTE, { passes: 1 });
    tries.push(room.channels().map(([who, vendor, kind]) => `${who} ${vendor} ${kind}`));
  }
  const chat = 'duty-room wecom canary';
  const both = [`${LINES['aliyun-sms']} aliyun-sms canary`, chat];
  expect(tries.map((one) => one.toSorted())).toEqual([
    [chat],
    ...Array.from({ length: 20 }, () => both),
    // The day's twenty are spent; the next day begins at midnight.
    ...Array.from({ length: 3 }, () => [chat]),
    both,
  ]);
  await room.leave();
});
