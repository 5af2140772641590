import * as z from 'zod';

/** Ways to reach a person, from the quietest to the loudest. The order is the order of loudness. */
export const CHANNELS = ['push', 'chat', 'sms', 'voice'] as const;
/** push 应用推送 · chat 工作软件（企业微信、钉钉） · sms 短信 · voice 电话. */
export type Channel = (typeof CHANNELS)[number];
/** Parses a channel. */
export const channelSchema = z.enum(CHANNELS);

/** Everyone who can bring a notice to a person; the names are those of `/receipts/{vendor}` and of the emulators. */
export const VENDORS = [
  'aliyun-sms',
  'tencent-sms',
  'sns',
  'aliyun-voice',
  'wecom',
  'dingtalk',
  'jpush',
  'webpush',
  'webhook',
] as const;
/** A vendor's name. */
export type Vendor = (typeof VENDORS)[number];
/** Parses a vendor's name. */
export const vendorSchema = z.enum(VENDORS);

/**
 * Who has to move when a vendor refuses: nobody (`moment`, it passes by itself), the roster (`number`), whoever wrote the text
 * (`text`), the number's budget for a template (`limit`), the operator (`config`) or whoever pays (`money`).
 */
export const REFUSAL_CAUSES = ['moment', 'number', 'text', 'limit', 'config', 'money'] as const;
/** Who has to move when a vendor refuses. */
export type RefusalCause = (typeof REFUSAL_CAUSES)[number];
