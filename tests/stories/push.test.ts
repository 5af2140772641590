import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebPushService, type Subscription } from '../../infra/local/phones/webpush.ts';
import { SAMPLE } from './accounts.ts';
import { synthesize } from './assembly.ts';
import { CAST, DutyRoom, type Answer } from './duty-room.ts';

let built: Awaited<ReturnType<typeof synthesize>>;
let asIs: Awaited<ReturnType<typeof synthesize>>;
beforeAll(async () => {
  // This district also asks by push; the others only tell by it what is good to know.
  const alerts = [
    { channel: 'push', after: 0 },
    { channel: 'sms', after: 15 },
  ];
  built = await synthesize({ district: 'donghu', policy: { delivery: { plans: { alerts } } } });
  asIs = await synthesize();
});
afterAll(async () => {
  await built.remove();
  await asIs.remove();
});

const accounts = { webpush: SAMPLE.secret.webpush, jpush: SAMPLE.secret.jpush };

/** What people do about their devices in a room with both push vendors, and what is told of it. */
const around = (room: DutyRoom) => {
  const asks = async (who: string, method: string, path: string, body?: object): Promise<Answer> =>
    room.send(path, {
      method,
      headers: { authorization: `Bearer ${await room.token(who)}`, 'content-type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
  return {
    room,
    asks,
    devices: async (who: string): Promise<unknown> => (await asks(who, 'GET', '/api/push')).body['devices'],
    /** What the trail says of the notices to somebody. */
    told: async (id: string, whom: string): Promise<unknown[]> =>
      (await room.incident(id)).trail
        .filter((line) => line.kind === 'notice' && line.whom === whom)
        .map((line) => line['facts']),
  };
};

/** The district that asks by push, and browsers that people have in their hands. */
const withBrowsers = async () => {
  let service: WebPushService | undefined;
  const room = await DutyRoom.open({
    assembly: built.assembly,
    district: 'donghu',
    roster: CAST('story', 'patrol'),
    vendors: SAMPLE.vendors.map((make) => (world) => {
      const vendor = make(world);
      if (vendor instanceof WebPushService) service = vendor;
      return vendor;
    }),
    accounts,
  });
  if (!service) throw new Error('There is no push service.');
  const browsers = service;
  const { asks, ...more } = around(room);
  return {
    ...more,
    asks,
    browsers,
    /** Somebody allows notifications on a page: it asks for the key, subscribes, registers. */
    allows: async (who: string, whose: string): Promise<{ id: string; subscription: Subscription }> => {
      const { body } = await asks(who, 'GET', '/api/push');
      const base = room.phones.endpoints['webpush'] ?? '';
      const subscription = browsers.subscribe(whose, base, String(body['publicKey']));
      const answer = await asks(who, 'POST', '/api/push/devices', {
        webpush: { ...subscription, expirationTime: null },
      });
      expect(answer.status).toBe(200);
      return { id: String(answer.body['id']), subscription };
    },
  };
};

describe('a browser that its owner has registered', () => {
  it('rings at once and says no more than a text; when it is gone the text goes out in the same second, and it is never tried again', async () => {
    const { room, browsers, asks, allows, devices, told } = await withBrowsers();
    // An address that leads inside is no push service, whatever a page claims.
    const { subscription: sample } = await allows('c', 'c');
    for (const endpoint of [
      'http://169.254.169.254/latest/meta-data',
      `${room.cloud.url}/api/health`,
      'https://localhost/',
    ]) {
      const refused = await asks('a', 'POST', '/api/push/devices', { webpush: { ...sample, endpoint } });
      expect(refused.status).toBe(400);
      expect(refused.body.error?.details).toEqual([
        { field: 'webpush.endpoint', message: '应为浏览器推送服务（谷歌、火狐、苹果、微软）的 https 地址' },
      ]);
    }

    const phone = await allows('a', 'a');
    const tablet = await allows('a', 'a-tablet');
    expect(await devices('a')).toMatchObject([{ id: phone.id }, { id: tablet.id, vendor: 'webpush' }]);
    expect(JSON.stringify(await devices('a'))).not.toContain('push/');
    expect(await devices('b')).toEqual([]);
    expect((await asks('b', 'DELETE', `/api/push/devices/${phone.id}`)).status).toBe(404);
    expect((await room.send('/api/push', {})).status).toBe(401);

    // Both of them, as one attempt; what the service carried the browsers have decrypted.
    const first = (await room.call()).body.incidentId ?? '';
    expect(room.channels()).toEqual([
      ['a', 'webpush', 'ask', 0],
      ['a-tablet', 'webpush', 'ask', 0],
    ]);
    expect(await told(first, 'a')).toMatchObject([
      { state: 'sending', attempt: 1, channel: 'push' },
      { state: 'sent', attempt: 1, vendor: 'webpush' },
    ]);
    await room.act('a', first, 'accept');

    // One has gone: the other one rings, and the trail says so.
    browsers.unsubscribe(tablet.subscription);
    const second = (await room.call({ address: '样例路2号', secret: true })).body.incidentId ?? '';
    expect(room.messages().at(-1)?.text).toBe('小脑\n您有新任务（10:00:00），请打开。');
    expect(room.channels()).toEqual([['a', 'webpush', 'ask-secret', 0]]);
    expect((await told(second, 'a'))[1]).toMatchObject({ state: 'sent', gone: 1 });
    expect(await devices('a')).toMatchObject([{ id: phone.id }]);
    await room.act('a', second, 'accept');

    // The last one has: the text, in the same second.
    browsers.unsubscribe(phone.subscription);
    const third = (await room.call({ address: '样例路3号' })).body.incidentId ?? '';
    expect(room.channels()).toEqual([['a', 'aliyun-sms', 'ask', 0]]);
    expect((await told(third, 'a')).slice(0, 3)).toMatchObject([
      { state: 'sending', vendor: 'webpush' },
      { state: 'failed-permanent', code: 'HTTP 410', cause: 'number', gone: 1 },
      { state: 'sending', vendor: 'aliyun-sms' },
    ]);
    expect(await devices('a')).toEqual([]);
    await room.act('a', third, 'accept');

    const fourth = (await room.call({ address: '样例路4号' })).body.incidentId ?? '';
    expect(room.channels()).toEqual([['a', 'aliyun-sms', 'ask', 0]]);
    expect((await told(fourth, 'a'))[0]).toMatchObject({ state: 'sending', vendor: 'aliyun-sms' });
    await room.act('a', fourth, 'accept');
    for (const { text } of room.messages()) expect(text).not.toMatch(/路\d+号|样例来电人|16600001234/);
    await room.leave();
  });
});

describe('an app', () => {
  it('tells what is good to know, and what JPush does not know any more is taken out as well', async () => {
    const { room, asks, devices, told } = around(
      await DutyRoom.open({
        assembly: asIs.assembly,
        district: 'xinjie',
        roster: CAST('story', 'patrol'),
        accounts,
      }),
    );
    const register = (jpush: string) => asks('a', 'POST', '/api/push/devices', { jpush });
    for (const id of ['sample-device-1', 'sample-device-2']) expect((await register(id)).status).toBe(200);
    const id = (await room.call()).body.incidentId ?? '';
    expect(room.channels()).toEqual([['a', 'aliyun-sms', 'ask', 0]]);
    await room.act('a', id, 'accept');
    await room.vendor('refuse', { vendor: 'jpush', number: 'sample-device-1', code: '1011' });
    await room.act('desk', id, 'reassign', { member: 'b', reason: '样例：他在另一处。' });
    expect(room.channels().toSorted(([a], [b]) => (a < b ? -1 : 1))).toEqual([
      ['b', 'aliyun-sms', 'ask', 0],
      ['sample-device-2', 'jpush', 'reassigned', 0],
    ]);
    expect(await told(id, 'a')).toContainEqual(
      expect.objectContaining({ notice: 'reassigned', state: 'sent', vendor: 'jpush', gone: 1 }),
    );
    expect(await devices('a')).toMatchObject([{ vendor: 'jpush' }]);
    await room.act('b', id, 'accept');
    await room.at(10);
    expect(await told(id, 'a')).toContainEqual(
      expect.objectContaining({ notice: 'reassigned', state: 'delivered', asked: true }),
    );
    await room.leave();
  });
});
