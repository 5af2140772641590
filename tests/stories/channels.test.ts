import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Member } from '#shared/domain/roster.ts';
import { SAMPLE } from './accounts.ts';
import { synthesize } from './assembly.ts';
import { CAST, DutyRoom } from './duty-room.ts';

let built: Awaited<ReturnType<typeof synthesize>>;
beforeAll(async () => {
  built = await synthesize();
});
afterAll(() => built.remove());

const { secret } = SAMPLE;

type Section = keyof typeof SAMPLE.secret;

/** A duty room with these vendors beside Aliyun's texts; `chat`: who is found in WeCom, `ding`: in DingTalk. */
const open = (
  sections: readonly Section[],
  {
    chat = [],
    ding = [],
    roster = CAST('story', 'patrol'),
  }: { chat?: string[]; ding?: string[]; roster?: Member[] } = {},
): Promise<DutyRoom> => {
  const accounts = Object.fromEntries(
    Object.entries(secret).filter(([name]) => sections.some((one) => one === name)),
  );
  return DutyRoom.open({
    assembly: built.assembly,
    district: 'donghu',
    roster: roster.map((one) => ({
      ...one,
      ...(chat.includes(one.id) ? { wecom: `wecom-${one.id}` } : {}),
      ...(ding.includes(one.id) ? { dingtalk: `ding-${one.id}` } : {}),
    })),
    accounts,
  });
};
/** A call about a door; two about one door would be one event. */
const called = async (room: DutyRoom, address = '样例路1号'): Promise<string> =>
  (await room.call({ address })).body.incidentId ?? '';
const phoneOf = (id: string): string => CAST('story', 'patrol').find((one) => one.id === id)?.phone ?? '';
/** Everything that the trail says of the notices to somebody. */
const deliveries = async (room: DutyRoom, id: string, whom = 'a'): Promise<unknown[]> =>
  (await room.incident(id)).trail
    .filter((line) => line.kind === 'notice' && line.whom === whom)
    .map((line) => line['facts']);

describe('one minute, three channels', () => {
  it('WeCom says nothing, the text never comes: the phone rings at 30, the next one at 60', async () => {
    const room = await open(['wecom', 'aliyunVoice'], { chat: ['a'] });
    await room.vendor('silent', { vendor: 'aliyun-sms', number: phoneOf('a') });
    const id = await called(room);
    await room.at(59);
    expect(room.channels()).toEqual([
      ['a', 'wecom', 'ask', 0],
      ['a', 'aliyun-voice', 'ask', 30],
    ]);
    expect(await deliveries(room, id)).toMatchObject([
      { state: 'sending', channel: 'chat', vendor: 'wecom' },
      { state: 'sent' },
      { state: 'sending', channel: 'sms', vendor: 'aliyun-sms' },
      { state: 'sent' },
      { state: 'sending', channel: 'voice', vendor: 'aliyun-voice' },
      { state: 'sent' },
    ]);
    await room.at(61);
    expect(room.channels()).toEqual([['b', 'aliyun-sms', 'ask', 60]]);
    await room.act('b', id, 'accept');
    expect(room.channels()).toEqual([['a', 'wecom', 'stand-down', 61]]);
    await room.leave();
  });

  it('the text arrives and nobody moves: it rings all the same; who accepts while it rings ends everything', async () => {
    const room = await open(['aliyunVoice']);
    const id = await called(room);
    await room.at(19);
    expect(room.channels()).toEqual([['a', 'aliyun-sms', 'ask', 0]]);
    await room.at(21);
    expect(room.channels()).toEqual([['a', 'aliyun-voice', 'ask', 20]]);
    expect((await room.act('a', id, 'accept')).body).toMatchObject({ role: 'lead' });
    await room.at(100);
    expect(room.channels()).toEqual([]);
    await room.leave();
  });

  it('DingTalk tells when it is asked: delivered is no answer, the text follows twenty seconds later', async () => {
    const room = await open(['dingtalk'], { ding: ['a'] });
    const id = await called(room);
    await room.at(45);
    const rang = room.channels();
    expect(rang.map(([who, vendor]) => `${who} ${vendor}`)).toEqual(['a dingtalk', 'a aliyun-sms']);
    // Asked after three seconds; from then on it is known to have arrived.
    expect(rang[1]?.[3]).toBeGreaterThanOrEqual(20);
    expect(rang[1]?.[3]).toBeLessThanOrEqual(24);
    expect(await deliveries(room, id)).toContainEqual(
      expect.objectContaining({ vendor: 'dingtalk', state: 'delivered', asked: true }),
    );
    await room.leave();
  });

  it('who accepts after the first text is never rung', async () => {
    const room = await open(['wecom', 'aliyunVoice'], { chat: ['a'] });
    const id = await called(room);
    await room.at(14);
    await room.act('a', id, 'accept');
    await room.at(100);
    expect(room.channels()).toEqual([['a', 'wecom', 'ask', 0]]);
    await room.leave();
  });
});

describe('when a vendor fails', () => {
  it('refuses: the other vendor brings it in the same second', async () => {
    const room = await open(['tencentSms']);
    await room.vendor('refuse', { vendor: 'aliyun-sms' });
    const id = await called(room);
    expect(room.channels()).toEqual([['a', 'tencent-sms', 'ask', 0]]);
    expect((await deliveries(room, id)).slice(0, 3)).toMatchObject([
      { state: 'sending', vendor: 'aliyun-sms' },
      { state: 'failed-temporary', code: 'isp.SYSTEM_ERROR' },
      { state: 'sending', vendor: 'tencent-sms' },
    ]);
    await room.leave();
  });

  it('never answers, nor when it is asked: the other vendor, never the same one, and the double is in the trail', async () => {
    const room = await open(['tencentSms']);
    // Without receipts: one that comes while the vendor is asked would settle it.
    room.phones.setReceiptUrls((vendor) => `${room.cloud.url}/receipts/${vendor}/lost`);
    await room.vendor('timeout', { vendor: 'aliyun-sms', recorded: true });
    await room.vendor('timeout', { vendor: 'aliyun-sms', action: 'QuerySendDetails' });
    const id = await called(room);
    expect(room.channels()).toEqual([
      ['a', 'aliyun-sms', 'ask', 0],
      ['a', 'tencent-sms', 'ask', 0],
    ]);
    expect(await deliveries(room, id)).toContainEqual(
      expect.objectContaining({ state: 'sending', vendor: 'tencent-sms', double: true }),
    );
    await room.leave();
  });

  it('does not let us in (WeCom knows its addresses): the text goes out in the same second', async () => {
    const room = await open(['wecom'], { chat: ['a'] });
    await room.vendor('refuse', { vendor: 'wecom', code: '60020' });
    const id = await called(room);
    expect(room.channels()).toEqual([['a', 'aliyun-sms', 'ask', 0]]);
    expect((await deliveries(room, id))[1]).toMatchObject({ state: 'failed-permanent', cause: 'config' });
    await room.leave();
  });

  it('bars the words: the generic ones go out in the same second, by the same vendor', async () => {
    const room = await open([]);
    await room.vendor('refuse', { vendor: 'aliyun-sms', code: 'isv.BLACK_KEY_CONTROL_LIMIT' });
    await called(room);
    expect(room.channels()).toEqual([['a', 'aliyun-sms', 'plain', 0]]);
    await room.leave();
  });

  it('does not know the number, and there is no other channel: the next one is asked at once', async () => {
    const room = await open([]);
    await room.vendor('refuse', {
      vendor: 'aliyun-sms',
      number: phoneOf('a'),
      code: 'isv.MOBILE_NUMBER_ILLEGAL',
    });
    const id = await called(room);
    expect(room.channels()).toEqual([['b', 'aliyun-sms', 'ask', 0]]);
    const { incident, trail } = await room.incident(id);
    expect(trail).toContainEqual(expect.objectContaining({ kind: 'unreached', whom: 'a' }));
    expect(incident.assignees).toEqual(['a', 'b']);
    expect(incident['people']).toContainEqual(
      expect.objectContaining({ id: 'a', unreached: new Date(room.begin).toISOString() }),
    );
    // He heard of it otherwise: his word counts.
    expect((await room.act('a', id, 'accept')).body).toMatchObject({ role: 'lead' });
    expect(room.channels()).toEqual([['b', 'aliyun-sms', 'stand-down', 0]]);
    await room.leave();
  });

  it('all of them: the desk has the list within ten seconds; afterwards only what is still owed goes out', async () => {
    const room = await open(['tencentSms', 'wecom'], { chat: ['a'] });
    for (const vendor of ['aliyun-sms', 'tencent-sms', 'wecom'])
      await room.vendor('refuse', { vendor, count: 1_000 });
    const id = await called(room);
    await room.at(9);
    const { body } = await room.get('/api/unreached');
    expect(body.items).toMatchObject([
      { incidentId: id, member: { id: 'a', phone: phoneOf('a') }, kind: 'ask' },
    ]);
    expect(body['print']).toContain(phoneOf('a'));
    const headers = { accept: 'text/html', authorization: `Bearer ${await room.token('desk')}` };
    const paper = await fetch(`${room.cloud.url}/api/unreached`, { headers });
    expect(await paper.text()).toContain(`<td class="n">${phoneOf('a')}</td>`);
    await room.at(130);
    expect(room.channels()).toEqual([]);
    const many = (await room.get('/api/unreached')).body.items ?? [];
    // The minutes of a and b are over: the climb has asked others, and they are not told to hurry now.
    expect(many.map((one) => one['member'])).toMatchObject([{ id: 'leader' }, { id: 'duty' }]);
    for (const vendor of ['aliyun-sms', 'tencent-sms', 'wecom']) await room.vendor('none', { vendor });
    await room.at(179);
    const rang = room.channels();
    expect(new Set(rang.map(([who, , kind]) => `${who} ${kind}`))).toEqual(
      new Set(['duty ask', 'leader ask']),
    );
    expect(rang).toHaveLength(2);
    expect((await room.get('/api/unreached')).body.items).toEqual([]);
    const states = (await room.store.notices(`INC#${id}`)).map(({ notice, state }) => [notice.to, state]);
    expect(states.slice(0, 2)).toEqual([
      ['a', 'expired'],
      ['b', 'expired'],
    ]);
    await room.leave();
  });

  it('three times: it is put behind the other one, and comes back after ten good minutes', async () => {
    const room = await open(['tencentSms']);
    await room.vendor('refuse', { vendor: 'aliyun-sms', count: 3 });
    for (let n = 0; n < 4; n += 1) {
      const id = await called(room, `样例路${n + 1}号`);
      await room.act('a', id, 'accept');
    }
    expect(room.channels().map(([, vendor]) => vendor)).toEqual(Array(4).fill('tencent-sms'));
    await room.at(11 * 60, { passes: 1 });
    await room.act('a', await called(room, '样例路9号'), 'accept');
    expect(room.channels().map(([, vendor]) => vendor)).toContain('aliyun-sms');
    await room.leave();
  });
});

it('two members on one number: both are asked, each for himself, and an answer is the last one’s who was asked', async () => {
  const roster = CAST('story', 'patrol').map((one) =>
    one.id === 'b' ? { ...one, phone: phoneOf('a') } : one,
  );
  const room = await open([], { roster });
  const id = await called(room);
  await room.at(61);
  const rang = room.channels();
  expect(rang.map(([, , kind, second]) => [kind, second])).toEqual([
    ['ask', 0],
    ['ask', 60],
  ]);
  const notices = await room.store.notices(`INC#${id}`);
  expect(notices.map(({ notice, state }) => [notice.to, state])).toEqual([
    ['a', 'delivered'],
    ['b', 'delivered'],
  ]);
  room.phones.reply({ number: phoneOf('a'), text: '1' });
  await room.phones.idle();
  await room.cloud.settle();
  expect((await room.incident(id)).incident).toMatchObject({ lead: 'b', state: 'accepted' });
  // One phone, two texts: what has become of his answer, and that the other one is not needed.
  expect(room.channels().map(([, , kind]) => kind)).toEqual(expect.arrayContaining(['answer', 'stand-down']));
  await room.leave();
});
