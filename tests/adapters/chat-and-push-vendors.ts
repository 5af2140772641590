import { createHash, createECDH } from 'node:crypto';
import { dingtalk } from '#shared/adapters/dingtalk.ts';
import { jpush } from '#shared/adapters/jpush.ts';
import { webpush } from '#shared/adapters/webpush.ts';
import { wecom } from '#shared/adapters/wecom.ts';
import type { Message } from '#shared/ports/sender.ts';
import { Dingtalk } from '../../infra/local/phones/dingtalk.ts';
import { Jpush } from '../../infra/local/phones/jpush.ts';
import type { VendorWorld } from '../../infra/local/phones/vendor.ts';
import { WebPushService } from '../../infra/local/phones/webpush.ts';
import { Wecom } from '../../infra/local/phones/wecom.ts';
import type { VendorUnderTest } from './sender-contract.ts';

/** Accounts of the vendors of work software and pushes. */
export const WECOM = { corpId: 'ww-sample', secret: 'sample-secret', agentId: 1_000_002 };
export const DINGTALK = { appKey: 'ding-sample', appSecret: 'sample-secret', agentId: 2_000_003 };
export const JPUSH = { appKey: 'sample-app-key', masterSecret: 'sample-secret' };

const vapidKey = (of: string) => {
  const pair = createECDH('prime256v1');
  pair.setPrivateKey(createHash('sha256').update(of).digest());
  return { publicKey: pair.getPublicKey('base64url'), privateKey: pair.getPrivateKey('base64url') };
};
export const VAPID = { ...vapidKey('sample vapid key'), subject: 'https://desk.example' };
/** Somebody else's. */
const OTHER_VAPID = { ...vapidKey('another vapid key'), subject: 'https://other.example' };

const text = '新任务8F3K2M：河清路。';
export const message: Message = {
  kind: 'ask',
  template: { code: 'none', params: {}, order: [] },
  signName: '小脑',
  text,
  link: 'https://sample.example/t/abc',
};

const webPush = () => {
  let service: WebPushService | undefined;
  return {
    make: (world: VendorWorld) => (service = new WebPushService(world)),
    to: (base: string) => JSON.stringify(service?.subscribe('browser-a', base, VAPID.publicKey)),
  };
};

/** The vendors of work software and pushes. */
export const CHAT_AND_PUSH_VENDORS: readonly VendorUnderTest[] = [
  {
    vendor: 'wecom',
    make: (world) => new Wecom(WECOM, world),
    sender: ({ base, wrongKey, clock, timeoutMs }) =>
      wecom({
        endpoint: base,
        clock,
        timeoutMs,
        account: async () => ({ ...WECOM, secret: wrongKey ? 'another-secret' : WECOM.secret }),
      }),
    to: () => 'MemberA',
    phone: 'MemberA',
    message,
    shown: `小脑\n${text}`,
    calls: { send: 'message/send' },
    asksFirst: 'token',
    signed: { what: 'none', replay: 'same' },
    afterTimeout: { lost: 'cannot', recorded: 'cannot' },
    afterwards: { arrived: { kind: 'cannot' }, silent: { kind: 'cannot' } },
    refusals: [
      ['81013', 'number'],
      ['60111', 'number'],
      ['45002', 'text'],
      ['45009', 'limit'],
      ['60020', 'config'],
      ['48002', 'config'],
      ['45033', 'moment', true],
      ['99999', 'config'],
    ],
    wrongKey: '40001',
  },
  {
    vendor: 'dingtalk',
    make: (world) => new Dingtalk(DINGTALK, world),
    sender: ({ base, wrongKey, clock, timeoutMs }) =>
      dingtalk({
        endpoint: base,
        clock,
        timeoutMs,
        account: async () => ({ ...DINGTALK, appSecret: wrongKey ? 'another-secret' : DINGTALK.appSecret }),
      }),
    to: () => 'member-a',
    phone: 'member-a',
    message,
    shown: `小脑\n${text}（14:02:20）`,
    calls: { send: 'asyncsend_v2', ask: 'getsendresult' },
    asksFirst: 'token',
    signed: { what: 'none', replay: 'same' },
    // A task is asked for by its number, which a lost answer has taken with it.
    afterTimeout: { lost: 'cannot', recorded: 'cannot' },
    afterwards: {
      arrived: { kind: 'known', state: 'delivered' },
      silent: { kind: 'known', state: 'waiting' },
    },
    refusals: [
      ['33012', 'number'],
      ['1430002', 'text'],
      ['143105', 'limit'],
      ['60020', 'config'],
      ['143103', 'moment', true],
      ['99999', 'config'],
    ],
    wrongKey: '40089',
  },
  {
    vendor: 'jpush',
    make: (world) => new Jpush(JPUSH, world),
    sender: ({ base, wrongKey, clock, timeoutMs }) =>
      jpush({
        clock,
        endpoint: base,
        reportEndpoint: base,
        timeoutMs,
        account: async () => ({ ...JPUSH, masterSecret: wrongKey ? 'another-secret' : JPUSH.masterSecret }),
      }),
    to: () => 'device-01',
    phone: 'device-01',
    message,
    shown: `小脑\n${text}`,
    calls: { send: 'push', ask: 'received' },
    asksFirst: 'cid',
    signed: { what: 'none', replay: 'same' },
    afterTimeout: { lost: 'cannot', recorded: 'cannot' },
    afterwards: {
      arrived: { kind: 'known', state: 'delivered' },
      silent: { kind: 'known', state: 'waiting' },
    },
    refusals: [
      ['1011', 'number'],
      ['1005', 'text'],
      ['2005', 'limit'],
      ['2004', 'config'],
      ['2002', 'moment', true],
    ],
    wrongKey: '1004',
  },
  {
    vendor: 'webpush',
    ...webPush(),
    sender: ({ base, wrongKey, clock, timeoutMs }) =>
      webpush({
        clock,
        timeoutMs,
        plainOrigins: [new URL(base).origin],
        account: async () => (wrongKey ? OTHER_VAPID : VAPID),
      }),
    phone: 'browser-a',
    message,
    shown: `小脑\n${text}`,
    calls: { send: 'push' },
    // The service sees ciphertext only: that a flipped byte in it is not shown, and one in the token refused, has a test of its own.
    signed: { what: 'none', replay: 'same' },
    afterTimeout: { lost: 'cannot', recorded: 'cannot' },
    afterwards: { arrived: { kind: 'cannot' }, silent: { kind: 'cannot' } },
    refusals: [
      ['410', 'number'],
      ['404', 'number'],
      ['413', 'text'],
      ['403', 'config'],
      ['429', 'moment', true],
    ],
    wrongKey: 'HTTP 403',
  },
];
