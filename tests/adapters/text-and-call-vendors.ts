import { aliyunSms } from '#shared/adapters/aliyun-sms.ts';
import { aliyunVoice } from '#shared/adapters/aliyun-voice.ts';
import { snsSms } from '#shared/adapters/sns.ts';
import { tencentSms } from '#shared/adapters/tencent-sms.ts';
import { webhook } from '#shared/adapters/webhook.ts';
import type { Message } from '#shared/ports/sender.ts';
import { AliyunVoice } from '../../infra/local/phones/aliyun-voice.ts';
import { SnsTexts } from '../../infra/local/phones/sns.ts';
import { TencentSms } from '../../infra/local/phones/tencent.ts';
import { WebhookSystem } from '../../infra/local/phones/webhook.ts';
import { ALIYUN, type VendorUnderTest } from './sender-contract.ts';

const PHONE = '19900000001';
const BARRED = ['赌博', '调解'];
const text = '新任务8F3K2M：河清路。';

const message = (code: string): Message => ({
  kind: 'ask',
  template: { code, params: { number: '8F3K2M', place: '河清路' }, order: ['number', 'place'] },
  signName: '小脑',
  text,
});

const aliyunKey = (wrongKey: boolean) => ({
  accessKeyId: 'sample-id',
  accessKeySecret: wrongKey ? 'another-secret' : 'sample-secret',
});

const WEBHOOK_KEYS = [
  'whsec_bmV4dC1rZXktb2Ytc2FtcGxlLXN5c3RlbQ==',
  'whsec_Y3VycmVudC1rZXktb2Ytc2FtcGxlLXN5c3RlbQ==',
];

/** Voice: what is heard before and after the menu. */
export const VOICE = {
  keys: ALIYUN.keys,
  showNumbers: ['057100001111'],
  templates: [
    { code: 'TTS_1', text: '新任务${number}，${place}。接单请按1，退单请按2。' },
    { code: 'TTS_2', text: '已接单。' },
    { code: 'TTS_3', text: '已告知值班台。' },
  ],
  barredWords: BARRED,
};
/** The account of the other vendor of texts. */
export const TENCENT = {
  keys: { 'sample-id': 'sample-secret' },
  sdkAppId: '1400006666',
  signName: '小脑',
  templates: [{ id: '1110', text: '新任务{1}：{2}。' }],
  barredWords: BARRED,
};

/** The vendors of texts and calls, and plain signed webhooks. */
export const TEXT_AND_CALL_VENDORS: readonly VendorUnderTest[] = [
  {
    vendor: 'aliyun-sms',
    sender: ({ base, wrongKey, ...world }) =>
      aliyunSms({ ...world, endpoint: base, key: async () => aliyunKey(wrongKey) }),
    to: () => PHONE,
    phone: PHONE,
    message: message('SMS_1'),
    shown: `【小脑】${text}`,
    calls: { send: 'SendSms', ask: 'QuerySendDetails' },
    signed: { what: 'bytes', skewSeconds: 900, replay: 'refused' },
    afterTimeout: { lost: 'no-record', recorded: 'known' },
    afterwards: {
      arrived: { kind: 'known', state: 'delivered', code: 'DELIVERED' },
      silent: { kind: 'known', state: 'waiting' },
    },
    refusals: [
      ['isv.MOBILE_NUMBER_ILLEGAL', 'number'],
      ['isv.BLACK_KEY_CONTROL_LIMIT', 'text'],
      ['isv.BUSINESS_LIMIT_CONTROL', 'limit'],
      ['isv.SMS_SIGNATURE_ILLEGAL', 'config'],
      ['isv.OUT_OF_SERVICE', 'money'],
      ['isp.NOBODY_KNOWS', 'moment', true],
      ['isv.NOBODY_KNOWS', 'config'],
    ],
    wrongKey: 'SignatureDoesNotMatch',
  },
  {
    vendor: 'tencent-sms',
    make: (world) => new TencentSms(TENCENT, world),
    sender: ({ base, wrongKey, clock, timeoutMs }) =>
      tencentSms({
        endpoint: base,
        clock,
        timeoutMs,
        key: async () => ({
          secretId: 'sample-id',
          secretKey: wrongKey ? 'another-secret' : 'sample-secret',
          sdkAppId: '1400006666',
          extensions: true,
        }),
      }),
    to: () => PHONE,
    phone: PHONE,
    message: message('1110'),
    shown: `【小脑】${text}`,
    calls: { send: 'SendSms', ask: 'PullSmsSendStatusByPhoneNumber' },
    signed: { what: 'bytes', skewSeconds: 300, replay: 'taken' },
    // Its record lists reports only: that a text is missing there proves nothing, but it may still come.
    afterTimeout: { lost: 'no-answer', recorded: 'known' },
    afterwards: {
      arrived: { kind: 'known', state: 'delivered', code: 'DELIVRD' },
      silent: { kind: 'known', state: 'waiting' },
    },
    refusals: [
      ['InvalidParameterValue.IncorrectPhoneNumber', 'number'],
      ['FailedOperation.ContainSensitiveWord', 'text'],
      ['LimitExceeded.PhoneNumberSameContentDailyLimit', 'limit'],
      ['LimitExceeded.PhoneNumberThirtySecondLimit', 'limit', true],
      ['FailedOperation.TemplateIncorrectOrUnapproved', 'config'],
      ['FailedOperation.InsufficientBalanceInSmsPackage', 'money'],
      ['RequestLimitExceeded.IPLimitExceeded', 'moment', true],
      ['FailedOperation.NobodyKnows', 'config'],
    ],
    wrongKey: 'AuthFailure.SignatureFailure',
  },
  {
    vendor: 'aliyun-voice',
    make: (world) => new AliyunVoice(VOICE, world),
    sender: ({ base, wrongKey, ...world }) =>
      aliyunVoice({
        ...world,
        endpoint: base,
        key: async () => ({
          ...aliyunKey(wrongKey),
          showNumber: '057100001111',
          keyCodes: { accept: 'TTS_2', decline: 'TTS_3' },
        }),
      }),
    to: () => PHONE,
    phone: PHONE,
    message: message('TTS_1'),
    shown: '新任务8F3K2M，河清路。接单请按1，退单请按2。',
    calls: { send: 'IvrCall', ask: 'QueryCallDetailByCallId' },
    signed: { what: 'bytes', skewSeconds: 900, replay: 'refused' },
    afterTimeout: { lost: 'cannot', recorded: 'cannot' },
    afterwards: {
      arrived: { kind: 'known', state: 'delivered', code: '200000' },
      silent: { kind: 'known', state: 'waiting' },
    },
    until: (phones, clock) => {
      phones.answerCall(PHONE, { keys: '1' });
      clock.now += 240_000;
    },
    refusals: [
      ['isv.COMPLAINT_REJECT', 'number'],
      ['isv.TEMPLATE_PARAMS_ILLEGAL', 'text'],
      ['isv.BUSINESS_LIMIT_CONTROL', 'limit'],
      ['isv.TTS_TEMPLATE_ILLEGAL', 'config'],
      ['isv.AMOUNT_NOT_ENOUGH', 'money'],
      ['isv.VOICE_CALL_FAIL', 'moment', true],
    ],
    wrongKey: 'SignatureDoesNotMatch',
  },
  {
    vendor: 'sns',
    make: (world) => new SnsTexts({ keys: { AKIDSAMPLE: 'sample-secret' }, region: 'ap-southeast-1' }, world),
    sender: ({ base, wrongKey, clock, timeoutMs }) =>
      snsSms({
        endpoint: () => base,
        account: async () => ({ region: 'ap-southeast-1', senderId: 'XIAONAO' }),
        clock,
        timeoutMs,
        credentials: () => ({
          accessKeyId: 'AKIDSAMPLE',
          secretAccessKey: wrongKey ? 'another-secret' : 'sample-secret',
          sessionToken: 'sample-token',
        }),
      }),
    to: () => PHONE,
    phone: PHONE,
    message: { ...message('none'), link: 'https://sample.example/t/abc' },
    shown: `【小脑】${text} https://sample.example/t/abc`,
    calls: { send: 'Publish' },
    signed: { what: 'bytes', skewSeconds: 900, replay: 'taken' },
    afterTimeout: { lost: 'cannot', recorded: 'cannot' },
    afterwards: { arrived: { kind: 'cannot' }, silent: { kind: 'cannot' } },
    refusals: [
      ['OptedOut', 'number'],
      ['InvalidParameter', 'number'],
      ['InvalidParameterValue', 'text'],
      ['AuthorizationError', 'config'],
      ['Throttled', 'moment', true],
    ],
    wrongKey: 'SignatureDoesNotMatch',
  },
  {
    vendor: 'webhook',
    make: (world) => new WebhookSystem({ keys: WEBHOOK_KEYS.slice(1) }, world),
    sender: ({ base, wrongKey, clock, timeoutMs }) =>
      webhook({
        keys: async () => (wrongKey ? WEBHOOK_KEYS.slice(0, 1) : WEBHOOK_KEYS),
        plainOrigins: [new URL(base).origin],
        clock,
        timeoutMs,
      }),
    to: (base) => `${base}/street-hall`,
    phone: 'street-hall',
    message: { ...message('none'), link: 'https://sample.example/t/abc' },
    shown: text,
    calls: { send: 'POST' },
    signed: { what: 'bytes', skewSeconds: 300, replay: 'same' },
    afterTimeout: { lost: 'cannot', recorded: 'cannot' },
    afterwards: { arrived: { kind: 'cannot' }, silent: { kind: 'cannot' } },
    refusals: [
      ['410', 'number'],
      ['400', 'config'],
      ['429', 'moment', true],
    ],
    wrongKey: 'HTTP 401',
  },
];
