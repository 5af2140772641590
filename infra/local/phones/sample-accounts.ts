import { createECDH } from 'node:crypto';
import { AliyunVoice } from './aliyun-voice.ts';
import { Back110 } from './back-110.ts';
import { Dingtalk } from './dingtalk.ts';
import { Jpush } from './jpush.ts';
import { SnsTexts } from './sns.ts';
import { TencentSms } from './tencent.ts';
import type { VendorMaker } from './vendor.ts';
import { WebhookSystem } from './webhook.ts';
import { WebPushService } from './webpush.ts';
import { Wecom } from './wecom.ts';

/** What the vendors have approved: the texts of a district, as far as they matter here. */
export interface ApprovedTexts {
  signName: string;
  callers?: { signName: string } | undefined;
  barred: readonly string[];
  templates: Readonly<
    Record<
      string,
      {
        text: string;
        voice?: string | undefined;
        params: readonly string[];
        vendors: Readonly<Partial<Record<string, { code: string } | undefined>>>;
      }
    >
  >;
}

/** The emulated vendors' one customer. All of it is worthless elsewhere. */
const KEY = { id: 'sample-key-id', secret: 'sample-key-secret' };
const SDK_APP_ID = '1400000000';
const SHOW_NUMBER = '057100000000';
const KEY_CODES = { accept: 'TTS_900000001', decline: 'TTS_900000002' };
const REGION = 'ap-southeast-1';
/** Of the 110 centre that takes returns and results. */
const CENTRE_KEY: `whsec_${string}` = 'whsec_c2FtcGxlLWtleS1vZi10aGUtMTEwLWNlbnRyZQ==';
const WEBHOOK_KEY: `whsec_${string}` = 'whsec_c2FtcGxlLWtleS1vZi1hLXNhbXBsZS1zeXN0ZW0=';

const WECOM = { corpId: 'wwsample000000000000', agentId: 1000002, secret: KEY.secret };
const DINGTALK = { appKey: 'dingsample0000000000', appSecret: KEY.secret, agentId: 1000003 };
const JPUSH = { appKey: 'sample000000000000000000', masterSecret: KEY.secret };

/** VAPID keys of whoever sends pushes; the browsers' service takes any. */
const vapid = () => {
  const pair = createECDH('prime256v1');
  return {
    publicKey: pair.generateKeys('base64url'),
    privateKey: pair.getPrivateKey('base64url'),
    subject: 'https://sample.example',
  };
};

/** ${name} as {1}: Tencent counts variables instead of naming them. */
const counted = (text: string, params: readonly string[]): string =>
  text.replaceAll(/\$\{(\w+)\}/g, (whole, name: string) =>
    params.includes(name) ? `{${params.indexOf(name) + 1}}` : whole,
  );

/**
 * Accounts with all emulated vendors but Aliyun's texts, which the phones have anyway: how they are made, and the sections of the
 * district's secret that open them. Whoever wants fewer leaves sections out; a vendor nobody has a key for is never called.
 * @param strict with the limits that Tencent and Aliyun's voice have in service; without, benches and long demos run.
 */
export const sampleAccounts = (texts: ApprovedTexts, { strict = false } = {}) => {
  const keys = { [KEY.id]: KEY.secret };
  const barredWords = [...texts.barred];
  const all = Object.values(texts.templates);
  const vendors: VendorMaker[] = [
    (world) =>
      new TencentSms(
        {
          keys,
          barredWords,
          sdkAppId: SDK_APP_ID,
          signName: texts.signName,
          furtherSigns: texts.callers ? [texts.callers.signName] : [],
          templates: all.flatMap(({ text, params, vendors: { 'tencent-sms': is } }) =>
            is ? [{ id: is.code, text: counted(text, params) }] : [],
          ),
          ...(strict ? { limits: { sameIn30s: 1, perDay: 10 } } : {}),
        },
        world,
      ),
    (world) =>
      new AliyunVoice(
        {
          keys,
          barredWords,
          showNumbers: [SHOW_NUMBER],
          templates: [
            ...all.flatMap(({ voice, vendors: { 'aliyun-voice': is } }) =>
              is && voice !== undefined ? [{ code: is.code, text: voice }] : [],
            ),
            { code: KEY_CODES.accept, text: '已接单。' },
            { code: KEY_CODES.decline, text: '已告知值班台。' },
          ],
          ...(strict ? { limits: { perMinute: 1, perHour: 5, perDay: 20 } } : {}),
        },
        world,
      ),
    // Signed by the function's own role: in the local cloud everybody is this one.
    (world) => new SnsTexts({ keys: { local: 'local' }, region: REGION }, world),
    (world) => new Wecom(WECOM, world),
    (world) => new Dingtalk(DINGTALK, world),
    (world) => new Jpush(JPUSH, world),
    (world) => new WebPushService(world),
    (world) => new WebhookSystem({ keys: [WEBHOOK_KEY] }, world),
    (world) => new Back110({ keys: [CENTRE_KEY] }, world),
  ];
  return {
    vendors,
    secret: {
      tencentSms: { secretId: KEY.id, secretKey: KEY.secret, sdkAppId: SDK_APP_ID },
      aliyunVoice: {
        accessKeyId: KEY.id,
        accessKeySecret: KEY.secret,
        showNumber: SHOW_NUMBER,
        keyCodes: KEY_CODES,
      },
      sns: { region: REGION },
      wecom: WECOM,
      dingtalk: DINGTALK,
      jpush: JPUSH,
      webpush: vapid(),
      webhook: { keys: [WEBHOOK_KEY] },
      centre110: { keys: [CENTRE_KEY] },
    },
  };
};
