import { createECDH } from 'node:crypto';
import { beforeEach, expect, test } from 'vitest';
import { subscriptionFault } from '#shared/adapters/subscription-fault.ts';
import { givenSecrets } from '#shared/adapters/secrets.ts';
import { showPush } from '../../functions/console/push.ts';
import { registerDevice, removeDevice, type Registrar } from '../../functions/response/push-device.ts';
import { SECRET } from '../adapters/fixtures.ts';
import { Office } from './office.ts';

const pair = createECDH('prime256v1');
const KEYS = { p256dh: pair.generateKeys('base64url'), auth: 'BTBZMqHH6r4Tts7J_aSIgg' };
const at = (endpoint: string, keys = KEYS) => ({ webpush: { endpoint, keys, expirationTime: null } });
const browser = (n: number) => at(`https://fcm.googleapis.com/fcm/send/sample-${n}`);
const APP = { jpush: '18071adc030sample01' };

let office: Office;
let registrar: Registrar;
let who: string;
beforeEach(async () => {
  office = await Office.open();
  who = office.members[0]?.id ?? '';
  registrar = {
    store: office.store,
    clock: office.clock,
    pushDevices: office.pushDevices,
    secrets: givenSecrets({
      ...SECRET,
      webpush: { publicKey: 'sample-key', privateKey: 'sample', subject: 'https://desk.example' },
    }),
    subscriptionFault: (subscription) => subscriptionFault(subscription, []),
  };
});
const idOf = async (body: unknown, of = who): Promise<string> => {
  const outcome = await registerDevice(registrar, of, body);
  if (outcome.kind !== 'done') throw new Error(JSON.stringify(outcome));
  return outcome.body.id;
};
const ids = async (of = who): Promise<string[]> => {
  const outcome = await showPush(registrar, of);
  if (outcome.kind !== 'done') throw new Error(JSON.stringify(outcome));
  expect(outcome.body.publicKey).toBe('sample-key');
  return outcome.body.devices.map(({ id }) => id);
};

const USELESS: [what: string, body: unknown, field: string][] = [
  ['no TLS', at('http://fcm.googleapis.com/x'), 'webpush.endpoint'],
  ["a cloud's own data", at('http://169.254.169.254/latest/meta-data'), 'webpush.endpoint'],
  ['an address by number', at('https://10.0.0.1/x'), 'webpush.endpoint'],
  ['written otherwise', at('https://0x7f.1/x'), 'webpush.endpoint'],
  ['the machine itself', at('https://[::1]/x'), 'webpush.endpoint'],
  ['a name from inside', at('https://db.internal/x'), 'webpush.endpoint'],
  ['a service of a cluster', at('https://db.default.svc/x'), 'webpush.endpoint'],
  ['a public name that may lead anywhere', at('https://push.example/x'), 'webpush.endpoint'],
  ['a name made to look like one', at('https://fcm.googleapis.com.push.example/x'), 'webpush.endpoint'],
  ['its end alone', at('https://xpush.apple.com/x'), 'webpush.endpoint'],
  ['another port', at('https://fcm.googleapis.com:8443/x'), 'webpush.endpoint'],
  ['somebody signed in', at('https://user:word@fcm.googleapis.com/x'), 'webpush.endpoint'],
  ['no address', at('push'), 'webpush.endpoint'],
  ['too long', at(`https://fcm.googleapis.com/${'x'.repeat(1_000)}`), 'webpush.endpoint'],
  ['a short key', at('https://fcm.googleapis.com/x', { ...KEYS, p256dh: 'BNif' }), 'webpush.keys.p256dh'],
  [
    'a key that is no point',
    at('https://fcm.googleapis.com/x', { ...KEYS, p256dh: Buffer.alloc(65, 4).toString('base64url') }),
    'webpush.keys.p256dh',
  ],
  ['a short secret', at('https://fcm.googleapis.com/x', { ...KEYS, auth: 'abcd' }), 'webpush.keys.auth'],
  ['no id of an app', { jpush: '../../x' }, 'jpush'],
  ['both', { ...browser(1), ...APP }, 'webpush'],
  ['neither', {}, 'webpush'],
  ['no object', [], 'body'],
];

test('what cannot be a device is refused with the field that is wrong, and nothing is kept', async () => {
  for (const [what, body, field] of USELESS)
    expect(await registerDevice(registrar, who, body), what).toMatchObject({
      kind: 'refused',
      code: 'invalid',
      details: [{ field }],
    });
  expect(await ids()).toEqual([]);
});

test('the push services of browsers are taken, wherever they are', async () => {
  const hosts = ['updates.push.services.mozilla.com', 'web.push.apple.com', 'wns2-par02p.notify.windows.com'];
  for (const host of hosts) await idOf(at(`https://${host}/x`));
  expect(await ids()).toHaveLength(hosts.length);
});

test('six browsers: the oldest makes room; the same one again, with new keys, is the same', async () => {
  const first = await idOf(browser(1));
  const rest = [];
  for (const n of [2, 3, 4, 5, 6]) rest.push(await idOf(browser(n)));
  expect(await ids()).toEqual(rest);
  const renewed = at(browser(2).webpush.endpoint, { ...KEYS, auth: 'AAAAAAAAAAAAAAAAAAAAAA' });
  expect(await idOf(renewed)).toBe(rest[0]);
  expect(await ids()).toEqual([...rest.slice(1), rest[0]]);
  expect(await ids()).not.toContain(first);
});

test('somebody else sees nothing of it and takes nothing out; its owner does, once', async () => {
  const id = await idOf(browser(1));
  const other = office.members[1]?.id ?? '';
  expect(await ids(other)).toEqual([]);
  expect(await removeDevice(registrar, other, id)).toMatchObject({ code: 'not_found' });
  expect(await ids()).toEqual([id]);
  expect(await removeDevice(registrar, who, id)).toMatchObject({ body: { removed: true } });
  expect(await removeDevice(registrar, who, id)).toMatchObject({ code: 'not_found' });
  expect(await ids()).toEqual([]);
});

test('whoever gets no notices, and a vendor without an account, are refused with a sentence', async () => {
  for (const outcome of [
    await registerDevice(registrar, 'desk', browser(1)),
    await removeDevice(registrar, 'desk', 'x'),
  ])
    expect(outcome).toMatchObject({
      code: 'forbidden',
      message: expect.stringContaining('花名册'),
    });
  expect(await ids('desk')).toEqual([]);
  expect(await registerDevice(registrar, who, APP)).toMatchObject({
    code: 'impossible',
    message: expect.stringContaining('极光推送'),
  });
});
