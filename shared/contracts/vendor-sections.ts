import type { Vendor } from '../domain/channel.ts';
import type { DistrictSecret } from './secret.ts';

/** The section of the secret that configures a vendor; complete at compile time. */
export const VENDOR_SECTIONS = {
  'aliyun-sms': 'aliyunSms',
  'tencent-sms': 'tencentSms',
  sns: 'sns',
  'aliyun-voice': 'aliyunVoice',
  wecom: 'wecom',
  dingtalk: 'dingtalk',
  jpush: 'jpush',
  webpush: 'webpush',
  webhook: 'webhook',
} as const satisfies Record<Vendor, keyof DistrictSecret>;
