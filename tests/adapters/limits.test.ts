import { afterEach, describe, expect, it } from 'vitest';
import type { Vendor } from '#shared/domain/channel.ts';
import type { Message } from '#shared/ports/sender.ts';
import { AliyunVoice } from '../../infra/local/phones/aliyun-voice.ts';
import { startPhones, type Phones } from '../../infra/local/phones/phones.ts';
import { TencentSms } from '../../infra/local/phones/tencent.ts';
import { ALIYUN } from './sender-contract.ts';
import { TENCENT, TEXT_AND_CALL_VENDORS, VOICE } from './text-and-call-vendors.ts';

const NUMBER = '19900000001';
/** Ten minutes before a Chinese midnight. */
const START = Date.parse('2026-11-03T15:50:00.000Z');

let phones: Phones | undefined;
afterEach(() => phones?.stop());

/** Both vendors with the limits of a new account, and whoever sends over them. */
const open = async () => {
  const clock = { now: START };
  phones = await startPhones({
    port: 0,
    data: ':memory:',
    now: () => clock.now,
    templates: [],
    ...ALIYUN,
    vendors: [
      (world) => new TencentSms({ ...TENCENT, longestValue: 12, limits: { sameIn30s: 1, perDay: 3 } }, world),
      (world) => new AliyunVoice({ ...VOICE, limits: { perMinute: 1, perHour: 5, perDay: 20 } }, world),
    ],
  });
  const { endpoints } = phones;
  let nonces = 0;
  const send = async (vendor: Vendor, change: (message: Message) => Partial<Message> = () => ({})) => {
    const row = TEXT_AND_CALL_VENDORS.find((one) => one.vendor === vendor);
    if (!row) throw new Error(`no ${vendor}`);
    const sent = await row
      .sender({
        base: endpoints[vendor] ?? '',
        clock: { now: () => new Date(clock.now) },
        ids: { nonce: () => `nonce-${nonces++}` },
        timeoutMs: 3_000,
        wrongKey: false,
      })
      .send({
        attemptId: `attempt-${nonces}`,
        to: NUMBER,
        message: { ...row.message, ...change(row.message) },
      });
    return sent.kind === 'refused' ? [sent.code, sent.cause, sent.temporary] : sent.kind;
  };
  const place = (value: string) => (message: Message) => ({
    template: { ...message.template, params: { ...message.template.params, place: value } },
  });
  return { clock, send, place };
};

describe('the emulated vendors keep their own limits', () => {
  it('Tencent: equal words once in 30 s, and so many on a Chinese calendar day', async () => {
    const { clock, send, place } = await open();
    expect(await send('tencent-sms')).toBe('accepted');
    expect(await send('tencent-sms')).toEqual(['LimitExceeded.PhoneNumberThirtySecondLimit', 'limit', true]);
    expect(await send('tencent-sms', place('长虹路'))).toBe('accepted');
    clock.now += 30_000;
    expect(await send('tencent-sms')).toBe('accepted');
    clock.now += 30_000;
    expect(await send('tencent-sms')).toEqual(['LimitExceeded.PhoneNumberDailyLimit', 'limit', false]);
    clock.now = Date.parse('2026-11-03T16:00:00.000Z');
    expect(await send('tencent-sms')).toBe('accepted');
  });

  it('Tencent: what a variable may hold', async () => {
    const { send, place } = await open();
    expect(await send('tencent-sms', place('一二三四五六七八九十一二三'))).toEqual([
      'InvalidParameterValue.TemplateParameterLengthLimit',
      'text',
      false,
    ]);
    expect(await send('tencent-sms', place('www.a.cn'))).toEqual([
      'InvalidParameterValue.ProhibitedUseUrlInTemplateParameter',
      'text',
      false,
    ]);
    expect(await send('tencent-sms', place('调解室'))).toEqual([
      'FailedOperation.ContainSensitiveWord',
      'text',
      false,
    ]);
    // As many values as the template has variables.
    expect(
      await send('tencent-sms', ({ template }) => ({ template: { ...template, order: ['number'] } })),
    ).toEqual(['FailedOperation.TemplateIncorrectOrUnapproved', 'config', false]);
  });

  it('calls: one a minute, five an hour; only the minute is worth waiting for', async () => {
    const { clock, send } = await open();
    for (let call = 1; call <= 5; call += 1) {
      expect(await send('aliyun-voice')).toBe('accepted');
      expect(await send('aliyun-voice')).toEqual(['isv.BUSINESS_LIMIT_CONTROL', 'limit', true]);
      clock.now += 60_000;
    }
    expect(await send('aliyun-voice')).toEqual(['isv.BUSINESS_LIMIT_CONTROL', 'limit', false]);
    clock.now = START + 3_600_000;
    expect(await send('aliyun-voice')).toBe('accepted');
  });

  it('calls: a text that is not approved, a variable without a value', async () => {
    const { send } = await open();
    expect(
      await send('aliyun-voice', ({ template }) => ({ template: { ...template, code: 'TTS_9' } })),
    ).toEqual(['isv.TTS_TEMPLATE_ILLEGAL', 'config', false]);
    expect(
      await send('aliyun-voice', ({ template }) => ({ template: { ...template, params: { number: '1' } } })),
    ).toEqual(['isv.TEMPLATE_PARAMS_ILLEGAL', 'text', false]);
  });
});
