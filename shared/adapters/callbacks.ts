import type { Vendor } from '../domain/channel.ts';
import type { Callback } from '../ports/sender.ts';
import { aliyunSmsCallback } from './aliyun-sms.ts';
import { aliyunVoiceCallback } from './aliyun-voice.ts';
import { tencentSmsCallback } from './tencent-sms.ts';

/** The vendors that post what became of a message or what a person answered, each to its own path. The others are asked, or cannot tell. */
export const CALLBACKS: Readonly<Partial<Record<Vendor, Callback>>> = {
  'aliyun-sms': aliyunSmsCallback,
  'tencent-sms': tencentSmsCallback,
  'aliyun-voice': aliyunVoiceCallback,
};
