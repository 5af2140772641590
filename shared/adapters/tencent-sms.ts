import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { Clock } from '#shared/ports/clock.ts';
import type {
  AskRequest,
  AskResult,
  Callback,
  Inbound,
  RefusalCause,
  Sender,
  SendRequest,
  SendResult,
} from '#shared/ports/sender.ts';
import { readEntries } from './posted-entries.ts';
import { tc3Headers } from './tc3-signature.ts';
import { callVendor, jsonOf, refusedBy, unreadable, withoutAnswer, type Reply } from './vendor-call.ts';

/** An account with Tencent's text service. */
export type TencentSmsKey = {
  secretId: string;
  secretKey: string;
  sdkAppId: string;
  /** Their support has switched extensions on for this account; before that nobody says whether an ExtendCode is passed over or refused. */
  extensions?: boolean | undefined;
};

/** What the adapter is built from. */
export type TencentSmsOptions = {
  /** `https://sms.tencentcloudapi.com` in service. A path is allowed: it is called but not signed. */
  endpoint: string;
  /** Asked before every call, so that a rotated key is taken up without a restart. */
  key: () => Promise<TencentSmsKey>;
  clock: Clock;
  /** Milliseconds for one `send` and for one `ask`, in real time. */
  timeoutMs?: number;
};

const VERSION = '2021-01-11';
/** Mainland texts are sent from here whatever the region; the parameter is mandatory all the same. */
const REGION = 'ap-guangzhou';
const PLATFORM = '备用短信平台';
/** The vendor's clock may be behind ours. */
const SKEW_SECONDS = 60;
/** So long a carrier may take to report on a text, and the text to stand in the record. */
const REPORTED_MS = 60_000;

const answerSchema = z.object({
  Response: z.union([
    z.object({ Error: z.object({ Code: z.string(), Message: z.string().default('') }) }),
    z.object({
      SendStatusSet: z.tuple([z.object({ SerialNo: z.string().default(''), Code: z.string() })]),
    }),
  ]),
});
const statesSchema = z.object({
  Response: z.object({
    PullSmsSendStatusSet: z.array(
      z.object({
        SerialNo: z.string().default(''),
        ReportStatus: z.enum(['SUCCESS', 'FAIL']),
        Description: z.string().default(''),
        SessionContext: z.string().default(''),
      }),
    ),
  }),
});

/** By whole code or by what a code begins with; the longest one that fits counts (cloud.tencent.com document/api/382/59177 and 52075). */
const ERRORS: Record<string, RefusalCause> = {
  InternalError: 'moment',
  'InternalError.OtherError': 'moment',
  RequestLimitExceeded: 'moment',
  LimitExceeded: 'limit',
  'LimitExceeded.AppMainlandChinaDailyLimit': 'config',
  'LimitExceeded.AppDailyLimit': 'config',
  'FailedOperation.ContainSensitiveWord': 'text',
  'FailedOperation.PhoneNumberInBlacklist': 'number',
  'FailedOperation.PhoneNumberParseFail': 'number',
  'FailedOperation.InsufficientBalanceInSmsPackage': 'money',
  'InvalidParameterValue.IncorrectPhoneNumber': 'number',
  'InvalidParameterValue.ContentLengthLimit': 'text',
  'InvalidParameterValue.TemplateParameterFormatError': 'text',
  'InvalidParameterValue.TemplateParameterLengthLimit': 'text',
  'InvalidParameterValue.ProhibitedUseUrlInTemplateParameter': 'text',
  'UnsupportedOperation.UnsuportedRegion': 'number',
  'UnauthorizedOperation.ServiceSuspendDueToArrears': 'money',
  // An old date belongs to this one call: but a clock that is wrong stays wrong.
  'AuthFailure.SignatureExpire': 'config',
};

/** Limits that pass within the minute. */
const SHORT_LIMITS = new Set([
  'LimitExceeded.PhoneNumberThirtySecondLimit',
  'LimitExceeded.DeliveryFrequencyLimit',
]);

const refusal = (code: string): SendResult => {
  const known = Object.keys(ERRORS)
    .filter((name) => code === name || code.startsWith(`${name}.`))
    .toSorted((a, b) => b.length - a.length)[0];
  const cause = (known === undefined ? undefined : ERRORS[known]) ?? 'config';
  return refusedBy(PLATFORM, cause, code, cause === 'moment' || SHORT_LIMITS.has(code));
};

/** Whoever gave no country is in the mainland. */
const international = (number: string) => (number.startsWith('+') ? number : `+86${number}`);

/**
 * Tencent SMS (2021-01-11: SendSms, PullSmsSendStatusByPhoneNumber), straight over fetch. Not idempotent. The record that is asked
 * holds texts with a receipt only: that one is missing there says nothing, so `ask` never answers `no-record`; whose answer was lost may
 * still come to stand there for a minute.
 */
export const tencentSms = (options: TencentSmsOptions): Sender => {
  const endpoint = new URL(options.endpoint);
  const timeoutMs = options.timeoutMs ?? 3_000;

  const call = (
    key: TencentSmsKey,
    action: string,
    parameters: object,
    signal: AbortSignal,
  ): Promise<Reply> => {
    const body = JSON.stringify({ SmsSdkAppId: key.sdkAppId, ...parameters });
    const headers = tc3Headers(
      {
        host: endpoint.host,
        service: 'sms',
        action,
        version: VERSION,
        region: REGION,
        body,
        date: options.clock.now(),
      },
      key,
    );
    return callVendor(endpoint, { method: 'POST', headers, body, signal });
  };

  const send = async ({ attemptId, to, message }: SendRequest): Promise<SendResult> => {
    // Outside the try: a secret that cannot be read is a defect of ours, not an answer of the vendor's.
    const key = await options.key();
    let reply: Reply;
    try {
      reply = await call(
        key,
        'SendSms',
        {
          PhoneNumberSet: [international(to)],
          SignName: message.signName,
          TemplateId: message.template.code,
          // Variables are counted here, not named.
          TemplateParamSet: message.template.order.map((name) => message.template.params[name] ?? ''),
          SessionContext: attemptId,
          ...(key.extensions && message.extension ? { ExtendCode: message.extension } : {}),
        },
        AbortSignal.timeout(timeoutMs),
      );
    } catch (error) {
      return withoutAnswer(error, PLATFORM);
    }
    const answer = answerSchema.safeParse(jsonOf(reply.text));
    if (!answer.success) return unreadable(reply.status, PLATFORM);
    const { Response: said } = answer.data;
    if ('Error' in said)
      // 60008: «processing timed out» on their side; nobody knows whether before or after the carrier.
      return said.Error.Code === 'InternalError.Timeout'
        ? unreadable(reply.status, PLATFORM)
        : refusal(said.Error.Code);
    const [{ Code: code, SerialNo: vendorId }] = said.SendStatusSet;
    if (code !== 'Ok')
      return code === 'InternalError.Timeout' ? unreadable(reply.status, PLATFORM) : refusal(code);
    return vendorId === '' ? unreadable(reply.status, PLATFORM) : { kind: 'accepted', vendorId };
  };

  const ask = async ({ attemptId, to, sentAt, vendorId }: AskRequest): Promise<AskResult> => {
    const key = await options.key();
    try {
      const { text } = await call(
        key,
        'PullSmsSendStatusByPhoneNumber',
        {
          PhoneNumber: international(to),
          BeginTime: Math.floor(sentAt.getTime() / 1000) - SKEW_SECONDS,
          EndTime: Math.floor(options.clock.now().getTime() / 1000) + SKEW_SECONDS,
          Offset: 0,
          Limit: 100,
        },
        AbortSignal.timeout(timeoutMs),
      );
      const states = statesSchema.safeParse(jsonOf(text));
      if (!states.success) return { kind: 'no-answer' };
      const found = states.data.Response.PullSmsSendStatusSet.find(
        (row) => row.SessionContext === attemptId || (row.SerialNo !== '' && row.SerialNo === vendorId),
      );
      if (found)
        return {
          kind: 'known',
          state: found.ReportStatus === 'SUCCESS' ? 'delivered' : 'failed',
          ...(found.Description === '' ? {} : { code: found.Description }),
        };
      if (vendorId !== undefined) return { kind: 'known', state: 'waiting' };
      const young = options.clock.now().getTime() - sentAt.getTime() < REPORTED_MS;
      return { kind: young ? 'no-answer' : 'cannot' };
    } catch {
      return { kind: 'no-answer' };
    }
  };

  return { send, ask };
};

const reportSchema = z
  .object({
    sid: z.string().min(1),
    /** Our SessionContext; only after their support has switched it on. */
    ext: z.string().optional(),
    report_status: z.enum(['SUCCESS', 'FAIL']),
    errmsg: z.string().default(''),
  })
  .transform((r): Inbound => ({
    kind: 'receipt',
    vendorId: r.sid,
    ...(r.ext ? { attemptId: r.ext } : {}),
    state: r.report_status === 'SUCCESS' ? 'delivered' : 'failed',
    code: r.errmsg,
  }));

/** The vendor gives an answer no id: the same words of the same phone in the same second are the same answer. */
const replyIdOf = (mobile: string, time: number, text: string): string =>
  createHash('sha256').update(`${mobile}\n${time}\n${text}`).digest('base64url').slice(0, 22);

const replySchema = z
  .object({
    mobile: z.string().min(1),
    text: z.string(),
    /** Seconds since 1970. */
    time: z.number().int().nonnegative(),
    extend: z.string().default(''),
    sign: z.string().default(''),
  })
  .transform((r): Inbound => ({
    kind: 'reply',
    messageId: replyIdOf(r.mobile, r.time, r.text),
    from: r.mobile,
    text: r.text,
    ...(r.extend === '' ? {} : { extension: r.extend }),
    ...(r.sign === '' ? {} : { signature: r.sign }),
    at: new Date(r.time * 1000),
  }));

/**
 * Reads what Tencent posts about texts: an array of what became of ours («短信下发状态通知»), or one answer of a person («短信回复»). One
 * unreadable entry does not take the others with it. A body that is neither throws z.ZodError or SyntaxError.
 */
export const tencentSmsCallback: Callback = {
  parse(body, onUnreadable) {
    const posted = z
      .union([z.array(z.unknown()), z.looseObject({ text: z.unknown() })])
      .parse(JSON.parse(body));
    const entries = Array.isArray(posted) ? posted : [posted];
    return readEntries(entries, () => (Array.isArray(posted) ? reportSchema : replySchema), onUnreadable);
  },
  ack: { result: 0, errmsg: 'OK' },
};
