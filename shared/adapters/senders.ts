import type { DistrictSecret } from '../contracts/secret.ts';
import { VENDOR_SECTIONS } from '../contracts/vendor-sections.ts';
import type { Vendor } from '../domain/channel.ts';
import type { Clock } from '../ports/clock.ts';
import type { Ids } from '../ports/ids.ts';
import type { Secrets } from '../ports/secrets.ts';
import type { Sender, Senders } from '../ports/sender.ts';
import { aliyunSms } from './aliyun-sms.ts';
import { aliyunVoice } from './aliyun-voice.ts';
import { ownRole, type AwsCredentials } from './aws-signature.ts';
import { dingtalk } from './dingtalk.ts';
import { everyDevice } from './every-device.ts';
import { jpush } from './jpush.ts';
import { plainOriginsOf } from './outside-address.ts';
import { snsSms } from './sns.ts';
import { tencentSms } from './tencent-sms.ts';
import { webhook } from './webhook.ts';
import { webpush } from './webpush.ts';
import { wecom } from './wecom.ts';

/** What every vendor's adapter is built from. */
export interface SendersOptions {
  secrets: Pick<Secrets, 'district'>;
  clock: Clock;
  ids: Pick<Ids, 'nonce'>;
  /** `real`, or an address below which every vendor has its own path: emulators, or a relay with a fixed mainland address. */
  at: string;
  /** The role that signs for the vendor that is AWS itself; the function's own if left out. */
  credentials?: () => AwsCredentials;
}

/**
 * All vendors that the district's secret has a section for. Asked before every delivery, so that a section added to the secret is
 * in use five minutes later, and one taken out is not called any more.
 */
export const configuredSenders = ({
  secrets,
  clock,
  ids,
  at,
  credentials = ownRole,
}: SendersOptions): (() => Promise<Senders>) => {
  const base = at.replace(/\/$/, '');
  const endpoint = (vendor: Vendor, real: string): string => (at === 'real' ? real : `${base}/${vendor}`);
  const plainOrigins = plainOriginsOf(at);
  const section =
    <Name extends (typeof VENDOR_SECTIONS)[Vendor]>(name: Name) =>
    async (): Promise<NonNullable<DistrictSecret[Name]>> => {
      const account = (await secrets.district())[name];
      // Between the look at the sections and the call the secret may have been changed.
      if (account === undefined) throw new Error(`The district's secret has no section ${name} any more.`);
      return account;
    };
  const all: Record<Vendor, Sender> = {
    'aliyun-sms': aliyunSms({
      endpoint: endpoint('aliyun-sms', 'https://dysmsapi.aliyuncs.com'),
      key: section('aliyunSms'),
      clock,
      ids,
    }),
    'tencent-sms': tencentSms({
      endpoint: endpoint('tencent-sms', 'https://sms.tencentcloudapi.com'),
      key: section('tencentSms'),
      clock,
    }),
    sns: snsSms({
      endpoint: (region) => endpoint('sns', `https://sns.${region}.amazonaws.com`),
      account: section('sns'),
      credentials,
      clock,
    }),
    'aliyun-voice': aliyunVoice({
      endpoint: endpoint('aliyun-voice', 'https://dyvmsapi.aliyuncs.com'),
      key: section('aliyunVoice'),
      clock,
      ids,
    }),
    wecom: wecom({
      endpoint: endpoint('wecom', 'https://qyapi.weixin.qq.com'),
      account: section('wecom'),
      clock,
    }),
    dingtalk: dingtalk({
      endpoint: endpoint('dingtalk', 'https://oapi.dingtalk.com'),
      account: section('dingtalk'),
      clock,
    }),
    jpush: everyDevice(
      jpush({
        endpoint: endpoint('jpush', 'https://api.jpush.cn'),
        reportEndpoint: endpoint('jpush', 'https://report.jpush.cn'),
        account: section('jpush'),
        clock,
      }),
    ),
    webpush: everyDevice(webpush({ account: section('webpush'), clock, plainOrigins })),
    webhook: webhook({ keys: async () => (await section('webhook')()).keys, clock, plainOrigins }),
  };
  return async () => {
    const secret = await secrets.district();
    return Object.fromEntries(
      Object.entries(all).filter(([vendor]) =>
        Object.entries(VENDOR_SECTIONS).some(([name, is]) => name === vendor && secret[is] !== undefined),
      ),
    );
  };
};
