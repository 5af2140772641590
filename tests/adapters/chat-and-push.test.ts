import { createECDH } from 'node:crypto';
import { createServer } from 'node:http';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { dingtalk } from '#shared/adapters/dingtalk.ts';
import { jpush } from '#shared/adapters/jpush.ts';
import { everyDevice } from '#shared/adapters/every-device.ts';
import { encryptPush } from '#shared/adapters/push-encryption.ts';
import { webpush } from '#shared/adapters/webpush.ts';
import { wecom } from '#shared/adapters/wecom.ts';
import type { Sender } from '#shared/ports/sender.ts';
import { addressOf, listen } from '../../infra/local/http.ts';
import { Dingtalk } from '../../infra/local/phones/dingtalk.ts';
import { Jpush } from '../../infra/local/phones/jpush.ts';
import { startPhones, type Phones } from '../../infra/local/phones/phones.ts';
import type { EmulatedVendor, VendorWorld } from '../../infra/local/phones/vendor.ts';
import { WebPushService } from '../../infra/local/phones/webpush.ts';
import { Wecom } from '../../infra/local/phones/wecom.ts';
import { ALIYUN } from './sender-contract.ts';
import { DINGTALK, JPUSH, message, VAPID, WECOM } from './chat-and-push-vendors.ts';

const START = Date.parse('2026-11-03T06:02:20.000Z');
const MINUTE = 60_000;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** Phones with one vendor, and how often each of its paths was called. */
const open = async <V extends EmulatedVendor>(make: (world: VendorWorld) => V) => {
  const clock = { now: START };
  let vendor: V | undefined;
  const phones = await startPhones({
    port: 0,
    data: ':memory:',
    now: () => clock.now,
    templates: [],
    ...ALIYUN,
    vendors: [(world) => (vendor = make(world))],
  });
  cleanups.push(() => phones.stop());
  if (!vendor) throw new Error('no vendor was made');
  const emulated: EmulatedVendor = vendor;
  const calls = vi.spyOn(emulated, 'answer');
  return {
    vendor,
    calls,
    phones,
    clock,
    base: phones.endpoints[vendor.name] ?? '',
    at: { now: () => new Date(clock.now) },
    paths: () => calls.mock.calls.map(([{ path }]) => path.split('/').at(-1)),
    texts: (of: Pick<Phones, 'messages'> = phones) => of.messages().map(({ text }) => text),
  };
};

let attempts = 0;
const sendTo = (sender: Sender, to: string, more: Partial<typeof message> = {}) =>
  sender.send({ attemptId: `n.${attempts++}`, to, message: { ...message, ...more } });

describe.each([
  {
    name: 'wecom',
    make: (world: VendorWorld): Wecom | Dingtalk => new Wecom(WECOM, world),
    sender: (base: string, clock: { now(): Date }, secret: () => string) =>
      wecom({ endpoint: base, clock, account: async () => ({ ...WECOM, secret: secret() }) }),
    sends: 'send',
    unknownToken: '40014',
  },
  {
    name: 'dingtalk',
    make: (world: VendorWorld): Wecom | Dingtalk => new Dingtalk(DINGTALK, world),
    sender: (base: string, clock: { now(): Date }, secret: () => string) =>
      dingtalk({ endpoint: base, clock, account: async () => ({ ...DINGTALK, appSecret: secret() }) }),
    sends: 'asyncsend_v2',
    unknownToken: '40014',
  },
])('the access token of $name', ({ make, sender: senderAt, sends, unknownToken, name }) => {
  const people = ['a', 'b', 'c', 'd', 'e'];

  it('is fetched once, by however many at the same time, and anew before it ends', async () => {
    const { base, at, clock, paths, phones } = await open(make);
    const sender = senderAt(base, at, () => 'sample-secret');
    await Promise.all(people.map((to) => sendTo(sender, to)));
    expect(paths().filter((path) => path === 'gettoken')).toHaveLength(1);
    clock.now += 7_139_000;
    await sendTo(sender, 'a');
    expect(paths().filter((path) => path === 'gettoken')).toHaveLength(1);
    clock.now += 2_000;
    await sendTo(sender, 'b');
    expect(paths().filter((path) => path === 'gettoken')).toHaveLength(2);
    expect(phones.messages()).toHaveLength(people.length + 2);
  });

  it('that the vendor has ended early is renewed in the same call, and the message comes once', async () => {
    const { base, at, vendor, paths, phones } = await open(make);
    const sender = senderAt(base, at, () => 'sample-secret');
    await sendTo(sender, 'a');
    vendor.endToken();
    expect(await Promise.all([sendTo(sender, 'b'), sendTo(sender, 'c')])).toMatchObject([
      { kind: 'accepted' },
      { kind: 'accepted' },
    ]);
    expect(paths().filter((path) => path === 'gettoken')).toHaveLength(2);
    expect(phones.messages().map(({ number }) => number)).toEqual(['a', 'b', 'c']);
  });

  it('that is refused again and again is renewed once, then it is the operator’s affair', async () => {
    const { base, at, phones, paths } = await open(make);
    const sender = senderAt(base, at, () => 'sample-secret');
    phones.faults.set({ vendor: name, mode: 'refuse', code: unknownToken, count: 9 });
    expect(await sendTo(sender, 'a')).toMatchObject({ kind: 'refused', cause: 'config', code: unknownToken });
    expect(paths()).toEqual(['gettoken', sends, 'gettoken', sends]);
  });

  it('of a rotated secret is another one', async () => {
    const { base, at, paths } = await open(make);
    let secret = 'sample-secret';
    const sender = senderAt(base, at, () => secret);
    await sendTo(sender, 'a');
    secret = 'revoked';
    expect(await sendTo(sender, 'b')).toMatchObject({ kind: 'refused', cause: 'config' });
    secret = 'sample-secret';
    expect(await sendTo(sender, 'c')).toMatchObject({ kind: 'accepted' });
    expect(paths()).toEqual(['gettoken', sends, 'gettoken', sends]);
  });

  it('not given in time: nothing was sent, so another try is harmless', async () => {
    const { base, at, phones } = await open(make);
    const sender = senderAt(base, at, () => 'sample-secret');
    phones.faults.set({ vendor: name, mode: 'refuse', action: 'gettoken' });
    expect(await sendTo(sender, 'a')).toMatchObject({ kind: 'refused', cause: 'moment', temporary: true });
    expect(await sendTo(sender, 'a')).toMatchObject({ kind: 'accepted' });
    expect(phones.messages()).toHaveLength(1);
  });
});

describe('wecom', () => {
  const account = async () => WECOM;
  const withUsers = (more: object) => open((world) => new Wecom({ ...WECOM, ...more }, world));

  it('says who cannot be reached: not a member, without licence, or from an address it does not trust', async () => {
    const { base, at, phones } = await withUsers({ members: ['MemberA', 'b'], unlicensed: ['b'] });
    const sender = wecom({ endpoint: base, clock: at, account });
    expect(await sendTo(sender, 'stranger')).toMatchObject({ cause: 'number', code: '81013' });
    expect(await sendTo(sender, 'b')).toMatchObject({ cause: 'number', code: '81013' });
    // User ids know no case.
    expect(await sendTo(sender, 'membera')).toMatchObject({ kind: 'accepted' });
    expect(phones.messages()).toHaveLength(1);
    const outside = await withUsers({ trustedAddress: false });
    expect(await sendTo(wecom({ endpoint: outside.base, clock: at, account }), 'a')).toMatchObject({
      cause: 'config',
      code: '60020',
    });
  });

  it.each([
    ['invaliduser', { invaliduser: 'membera' }],
    ['unlicenseduser', { unlicenseduser: 'someone|membera' }],
  ])('«ok» with the only receiver among %s is a refusal', async (code, lists) => {
    const { base, at, calls } = await withUsers({});
    const body = { errcode: 0, errmsg: 'ok', access_token: 't', expires_in: 7_200, msgid: 'm-1', ...lists };
    calls.mockReturnValue({ status: 200, body });
    expect(await sendTo(wecom({ endpoint: base, clock: at, account }), 'MemberA')).toMatchObject({
      kind: 'refused',
      cause: 'number',
      code,
    });
  });

  it('drops what goes beyond 30 a minute for one member, and says «ok» to it', async () => {
    const { base, at, clock, phones } = await withUsers({});
    const sender = wecom({ endpoint: base, clock: at, account });
    for (let n = 1; n <= 31; n++)
      expect(await sendTo(sender, 'a', { text: `第${n}条` })).toMatchObject({ kind: 'accepted' });
    expect(await sendTo(sender, 'b')).toMatchObject({ kind: 'accepted' });
    expect(phones.messages().filter(({ number }) => number === 'a')).toHaveLength(30);
    clock.now += MINUTE + 1_000;
    await sendTo(sender, 'a');
    expect(phones.messages().filter(({ number }) => number === 'a')).toHaveLength(31);
  });

  it('takes the same call twice as one, but not a second notice with the same words', async () => {
    const { base, at, clock, phones } = await withUsers({});
    const sender = wecom({ endpoint: base, clock: at, account });
    await sendTo(sender, 'a');
    clock.now += 20_000;
    expect(await sendTo(sender, 'a')).toMatchObject({ kind: 'accepted' });
    expect(phones.messages()).toHaveLength(1);
    clock.now += 41_000;
    await sendTo(sender, 'a');
    expect(phones.messages()).toHaveLength(2);
  });

  it('shows words as words: without a link as a text, in a card without markup', async () => {
    const { base, at, texts, phones } = await withUsers({});
    const sender = wecom({ endpoint: base, clock: at, account });
    const { link: _, ...bare } = message;
    await sender.send({ attemptId: 'x.1', to: 'a', message: bare });
    await sendTo(sender, 'b', { text: '<div class="highlight">河清路</div>' });
    expect(texts()).toEqual([message.text, '小脑\n＜div class="highlight"＞河清路＜/div＞']);
    expect(phones.messages().map(({ link }) => link)).toEqual([undefined, message.link]);
  });
});

describe('dingtalk', () => {
  const account = async () => DINGTALK;

  it('brings equal words twice on one day, because each says when it was sent', async () => {
    const { base, at, clock, texts } = await open((world) => new Dingtalk(DINGTALK, world));
    const sender = dingtalk({ endpoint: base, clock: at, account });
    await sendTo(sender, 'a');
    clock.now += 5 * MINUTE;
    await sendTo(sender, 'a');
    expect(texts()).toEqual([14, 19].map((m) => `小脑\n${message.text}（14:${m === 14 ? '02' : '07'}:20）`));
  });

  it('is asked: read, not there, and what it has silently refused', async () => {
    const { base, at, vendor, phones } = await open(
      (world) => new Dingtalk({ ...DINGTALK, members: ['a', 'b'] }, world),
    );
    const sender = dingtalk({ endpoint: base, clock: at, account });
    const ask = (to: string, vendorId: string) =>
      sender.ask({ attemptId: 'x', to, vendorId, sentAt: new Date(START) });
    const idOf = async (to: string): Promise<string> => {
      const sent = await sendTo(sender, to);
      return sent.kind === 'accepted' ? sent.vendorId : '';
    };
    const first = await idOf('a');
    expect(await ask('a', first)).toEqual({ kind: 'known', state: 'delivered' });
    vendor.read('a');
    expect(await ask('a', first)).toEqual({ kind: 'known', state: 'read' });
    // The same second, the same words.
    expect(await ask('a', await idOf('a'))).toEqual({ kind: 'known', state: 'failed', code: '143106' });
    expect(await ask('c', await idOf('c'))).toEqual({
      kind: 'known',
      state: 'failed',
      code: 'invalid_user_id_list',
    });
    expect(phones.messages()).toHaveLength(1);
  });

  it('knows of nothing after a day', async () => {
    const { base, at, clock } = await open((world) => new Dingtalk(DINGTALK, world));
    const sender = dingtalk({ endpoint: base, clock: at, account });
    const sent = await sendTo(sender, 'a');
    clock.now += 24 * 60 * MINUTE + 1_000;
    expect(
      await sender.ask({
        attemptId: 'x',
        to: 'a',
        sentAt: new Date(START),
        vendorId: sent.kind === 'accepted' ? sent.vendorId : '',
      }),
    ).toEqual({ kind: 'known', state: 'waiting' });
  });
});

describe('jpush', () => {
  const account = async () => JPUSH;

  it('an attempt that is sent again rings once and has the same number', async () => {
    const { base, at, phones, paths } = await open((world) => new Jpush(JPUSH, world));
    const sender = jpush({ endpoint: base, reportEndpoint: base, clock: at, account, timeoutMs: 1_000 });
    const request = { attemptId: 'n.1', to: 'device-01', message };
    phones.faults.set({ vendor: 'jpush', mode: 'timeout', recorded: true });
    expect(await sender.send(request)).toMatchObject({ kind: 'unknown' });
    const again = await sender.send(request);
    expect(again).toMatchObject({ kind: 'accepted' });
    expect(await sender.send(request)).toEqual(again);
    expect(phones.messages()).toHaveLength(1);
    expect(paths()).toEqual(['cid', 'push', 'push', 'push']);
  });

  it('takes only numbers that it has handed out, and asks for ten at a time', async () => {
    const { base, at, paths, phones } = await open((world) => new Jpush(JPUSH, world));
    const sender = jpush({ endpoint: base, reportEndpoint: base, clock: at, account });
    for (let n = 0; n < 11; n++)
      expect(await sendTo(sender, 'device-01')).toMatchObject({ kind: 'accepted' });
    expect(paths().filter((path) => path === 'cid')).toHaveLength(2);
    expect(phones.messages()).toHaveLength(11);
    const response = await fetch(`${base}/v3/push`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${JPUSH.appKey}:${JPUSH.masterSecret}`).toString('base64')}`,
      },
      body: JSON.stringify({
        cid: `${JPUSH.appKey}-00000000-0000-4000-8000-000000000000`,
        platform: 'all',
        audience: { registration_id: ['device-01'] },
        notification: { alert: 'x' },
      }),
    });
    expect([response.status, await response.json()]).toMatchObject([400, { error: { code: 1003 } }]);
  });

  it('a registration that it does not know is gone', async () => {
    const { base, at } = await open((world) => new Jpush({ ...JPUSH, registered: ['device-01'] }, world));
    const sender = jpush({ endpoint: base, reportEndpoint: base, clock: at, account });
    expect(await sendTo(sender, 'device-02')).toMatchObject({
      cause: 'number',
      code: '1011',
      temporary: false,
      gone: ['device-02'],
    });
  });

  it('several devices: one attempt, each rings once, delivered if one has it; who is gone is told', async () => {
    const { base, at, phones } = await open(
      (world) => new Jpush({ ...JPUSH, registered: ['device-01', 'device-02'] }, world),
    );
    const sender = everyDevice(jpush({ endpoint: base, reportEndpoint: base, clock: at, account }));
    const request = {
      attemptId: 'n.all',
      to: JSON.stringify(['device-00', 'device-01', 'device-02']),
      message,
    };
    phones.faults.set({ vendor: 'jpush', mode: 'silent', number: 'device-01' });
    const result = await sender.send(request);
    expect(result).toMatchObject({ kind: 'accepted', gone: ['device-00'] });
    expect(await sender.send(request)).toMatchObject({ kind: 'accepted' });
    expect(phones.messages().map(({ number }) => number)).toEqual(['device-02']);
    const vendorId = result.kind === 'accepted' ? result.vendorId : '';
    expect(await sender.ask({ ...request, sentAt: at.now(), vendorId })).toEqual({
      kind: 'known',
      state: 'delivered',
    });
  });

  it('uses no number that is older than a day', async () => {
    const { base, at, clock } = await open((world) => new Jpush(JPUSH, world));
    const sender = jpush({ endpoint: base, reportEndpoint: base, clock: at, account });
    for (let day = 0; day < 3; day++, clock.now += 24 * 60 * MINUTE)
      expect(await sendTo(sender, 'device-01')).toMatchObject({ kind: 'accepted' });
  });
});

describe('push encryption', () => {
  /** RFC 8291 §5 and appendix A: all values are published there. */
  const RFC = {
    browser: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
    auth: 'BTBZMqHH6r4Tts7J_aSIgg',
    privateKey: 'yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw',
    salt: 'DGv6ra1nlYgDCS1FRnbzlw',
    body: 'DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN',
  };

  it('makes the published example', () => {
    const body = encryptPush(
      'When I grow up, I want to be a watermelon',
      { p256dh: RFC.browser, auth: RFC.auth },
      { privateKey: Buffer.from(RFC.privateKey, 'base64url'), salt: Buffer.from(RFC.salt, 'base64url') },
    );
    expect(body.toString('base64url')).toBe(RFC.body);
  });

  it('never makes the same twice, and says what it cannot take', () => {
    const keys = { p256dh: RFC.browser, auth: RFC.auth };
    expect(encryptPush('x', keys)).not.toEqual(encryptPush('x', keys));
    expect(encryptPush('x'.repeat(3_993), keys)).toHaveLength(4_096);
    expect(() => encryptPush('x'.repeat(3_994), keys)).toThrow(RangeError);
    expect(() => encryptPush('x', { ...keys, auth: 'AAAA' })).toThrow(RangeError);
    expect(() => encryptPush('x', { ...keys, p256dh: Buffer.alloc(65, 4).toString('base64url') })).toThrow();
  });
});

describe('webpush', () => {
  const room = async () => {
    const opened = await open((world) => new WebPushService(world));
    const { base, at, vendor } = opened;
    return {
      ...opened,
      sender: webpush({
        clock: at,
        account: async () => VAPID,
        plainOrigins: [new URL(base).origin],
      }),
      subscription: vendor.subscribe('browser-a', base, VAPID.publicKey),
    };
  };

  it('the emulated browser reads what the library web-push writes, and believes its token', async () => {
    // Made with web-push 3.6.7 (generateRequestDetails) on 2026-11-22 for a browser with this private key; it is no dependency.
    const made = {
      at: '2026-11-22T01:17:51.417Z',
      browserKey: '-XR4nl2ZxA_W3JHE6suMtyXWXcBS350hdR-8e9bCceo',
      auth: '2eruAPpxoCmQ-sleXPONeQ',
      authorization:
        'vapid t=eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJodHRwOi8vcHVzaC5leGFtcGxlIiwiZXhwIjoxNzk1MzUzNDcxLCJzdWIiOiJodHRwczovL2Rlc2suZXhhbXBsZSJ9.2HNbRtXxNikTo5YtcMG31Su9HXS4Xx7xQEmcHR9F7yLh-LdVM9nbDnTwRa0XW77-LbANLakIZynDOP9PQUbQTQ, k=BEXQ0wzBT-aztv8dkV_4pGU8vKYEWkrzn5_SARhWf2W7yzeE7blSV0Qy_nlfbJzjCJ3HgAtPkukw6I_ywX4Q7rw',
      body: 'hssZNTaO2bhWZftgp06ukwAAEABBBNifMQD6aOkZgvSjBQCJLriQoVcM1mAchRrgdGW3Z16qWSEeeK6HzFsWPIP1tB3QQI_aJDerQfSXMhjT-sXL4XAazON1YLbzPK4_ymLWDKY5mf8NUgwi7P_zLcpn7CXkvyEO5EgmpRI4ycoL3UwY9X8eIhxjJ1EUj9kz_vKixusbrbhCMtUtKguFZ2IfRVx6Dv52hRhtKXw',
    };
    const { vendor, clock, texts } = await room();
    clock.now = Date.parse(made.at);
    const pair = createECDH('prime256v1');
    pair.setPrivateKey(Buffer.from(made.browserKey, 'base64url'));
    const { endpoint } = vendor.subscribe('browser-b', 'http://push.example', VAPID.publicKey, {
      pair,
      auth: Buffer.from(made.auth, 'base64url'),
    });
    const answer = vendor.answer({
      method: 'POST',
      path: new URL(endpoint).pathname,
      query: '',
      headers: {
        host: 'push.example',
        authorization: made.authorization,
        ttl: '60',
        urgency: 'high',
        'content-encoding': 'aes128gcm',
      },
      body: Buffer.from(made.body, 'base64url'),
    });
    expect(answer).toMatchObject({ status: 201 });
    expect(texts()).toEqual([`小脑\n${message.text}`]);
  });

  it('asks the service to hold it for a minute, with urgency, under a topic of its own', async () => {
    const { sender, subscription, calls } = await room();
    await sendTo(sender, JSON.stringify(subscription));
    await sendTo(sender, JSON.stringify(subscription));
    const [first, second] = calls.mock.calls.map(([{ headers }]) => headers);
    expect(first).toMatchObject({ ttl: '60', urgency: 'high', 'content-encoding': 'aes128gcm' });
    expect(first?.['topic']).toMatch(/^[\w-]{32}$/);
    expect(first?.['topic']).not.toBe(second?.['topic']);
  });

  it('a subscription that is gone is dropped: nobody is asked to try it again', async () => {
    const { sender, subscription, vendor, base } = await room();
    vendor.unsubscribe(subscription);
    const refused = { kind: 'refused', temporary: false, cause: 'number' };
    const was = JSON.stringify(subscription);
    expect(await sendTo(sender, was)).toMatchObject({ ...refused, code: 'HTTP 410', gone: [was] });
    const never = JSON.stringify({ ...subscription, endpoint: `${base}/push/never-there` });
    expect(await sendTo(sender, never)).toMatchObject({ ...refused, code: 'HTTP 404', gone: [never] });
  });

  it('one device took it: taken; one never answers: not known; all gone: refused for good', async () => {
    const { base, at, vendor, phones } = await room();
    const sender = everyDevice(
      webpush({
        clock: at,
        account: async () => VAPID,
        plainOrigins: [new URL(base).origin],
        timeoutMs: 1_000,
      }),
    );
    const [first, second, third] = ['browser-1', 'browser-2', 'browser-3'].map((whose) =>
      vendor.subscribe(whose, base, VAPID.publicKey),
    );
    if (!first || !second || !third) throw new Error('no browser');
    const texts = [first, second, third].map((one) => JSON.stringify(one));
    const all = JSON.stringify(texts);
    vendor.unsubscribe(first);
    phones.faults.set({ vendor: 'webpush', mode: 'timeout', number: 'browser-2' });
    expect(await sendTo(sender, all)).toMatchObject({ kind: 'accepted', gone: [texts[0]] });
    expect(phones.messages().map(({ number }) => number)).toEqual(['browser-3']);
    vendor.unsubscribe(third);
    phones.faults.set({ vendor: 'webpush', mode: 'timeout', number: 'browser-2' });
    expect(await sendTo(sender, all)).toMatchObject({ kind: 'unknown', gone: [texts[0], texts[2]] });
    phones.faults.set({ vendor: 'webpush', mode: 'refuse', number: 'browser-2' });
    expect(await sendTo(sender, all)).toMatchObject({ kind: 'refused', temporary: true });
    vendor.unsubscribe(second);
    expect(await sendTo(sender, all)).toMatchObject({ kind: 'refused', temporary: false, gone: texts });
  });

  it('posts nothing to addresses that are no push service’s: a browser may claim any', async () => {
    const { at, subscription, paths } = await room();
    const sender = webpush({ clock: at, account: async () => VAPID });
    for (const endpoint of [
      subscription.endpoint,
      'http://169.254.169.254/latest/meta-data',
      'https://127.0.0.1/x',
      'https://[::1]/x',
      'https://localhost/x',
      'https://metadata.google.internal/x',
      'https://printer.local/x',
      'https://user@fcm.googleapis.com/x',
      'https://db.default.svc/x',
      'https://push.example/x',
      'no address',
    ])
      expect(await sendTo(sender, JSON.stringify({ ...subscription, endpoint }))).toMatchObject({
        kind: 'refused',
        cause: 'number',
        code: 'subscription',
      });
    expect(await sendTo(sender, 'no json')).toMatchObject({ cause: 'number', code: 'subscription' });
    expect(paths()).toEqual([]);
  });

  it('whoever answers without end is not listened to', async () => {
    const { subscription, at } = await room();
    const stranger = createServer((_, answer) => {
      answer.writeHead(201);
      const more = () => {
        while (!answer.destroyed && answer.write(Buffer.alloc(65_536)));
      };
      answer.on('drain', more);
      more();
    });
    cleanups.push(() => stranger.close());
    const left = new Promise((resolve) => stranger.on('connection', (socket) => socket.on('close', resolve)));
    await listen(stranger, 0);
    const base = addressOf(stranger);
    const sender = webpush({ clock: at, account: async () => VAPID, plainOrigins: [base] });
    const to = JSON.stringify({ ...subscription, endpoint: `${base}/push` });
    expect(await sendTo(sender, to)).toMatchObject({ kind: 'accepted' });
    await left;
  });

  it('a flipped byte in the ciphertext is shown to nobody; in the token, a clock far off, another service: refused', async () => {
    const { sender, subscription, vendor, calls, phones, clock } = await room();
    await sendTo(sender, JSON.stringify(subscription));
    const [call] = calls.mock.calls;
    if (!call) throw new Error('nothing came');
    const [request] = call;
    expect(phones.messages()).toHaveLength(1);
    for (let at = 0; at < request.body.length; at += 7) {
      const body = Buffer.from(request.body);
      body[at] = (body[at] ?? 0) ^ 1;
      vendor.answer({ ...request, body });
    }
    const authorization = request.headers.authorization ?? '';
    const start = authorization.indexOf('.') + 1;
    const statusOf = (change: object) =>
      vendor.answer({ ...request, headers: { ...request.headers, ...change } })?.status;
    for (let at = start; at < authorization.indexOf(',') - 1; at += 11) {
      const flipped = authorization[at] === 'A' ? 'B' : 'A';
      expect(
        statusOf({ authorization: authorization.slice(0, at) + flipped + authorization.slice(at + 1) }),
      ).toBe(401);
    }
    expect(statusOf({ host: 'another.example' })).toBe(401);
    expect(statusOf({ ttl: undefined })).toBe(400);
    clock.now += 11 * MINUTE;
    expect(statusOf({})).toBe(401);
    clock.now -= 26 * 60 * MINUTE;
    expect(statusOf({})).toBe(401);
    expect(phones.messages()).toHaveLength(1);
  });

  it.each([
    ['no pair', { privateKey: Buffer.alloc(32, 7).toString('base64url') }, 'HTTP 401'],
    ['no keys', { publicKey: 'bm8ga2V5' }, 'VAPID'],
  ])('keys that are %s are the operator’s affair', async (_, keys, code) => {
    const { at, base, subscription } = await room();
    const sender = webpush({
      clock: at,
      plainOrigins: [new URL(base).origin],
      account: async () => ({ ...VAPID, ...keys }),
    });
    expect(await sendTo(sender, JSON.stringify(subscription))).toMatchObject({ cause: 'config', code });
  });
});
