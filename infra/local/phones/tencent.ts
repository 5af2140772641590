import { randomBytes, randomUUID } from 'node:crypto';
import * as z from 'zod';
import type { StoredMessage } from './message-store.ts';
import { chineseTime, tookJson } from './posts.ts';
import { verifyTc3 } from './tc3.ts';
import type {
  EmulatedVendor,
  PhoneReply,
  VendorAnswer,
  VendorPosts,
  VendorRequest,
  VendorWorld,
} from './vendor.ts';

/** What the emulated account knows and allows. */
export interface TencentAccount {
  /** Secret id → secret key. */
  keys: Record<string, string>;
  sdkAppId: string;
  signName: string;
  /** Approved beside it. */
  furtherSigns?: readonly string[];
  /** With {1}, {2} … for variables, which are counted from one. */
  templates: { id: string; text: string }[];
  barredWords: string[];
  /** Most characters of a variable's value; unlimited if left out, as for companies. */
  longestValue?: number;
  /** The console's limits of frequency; none if left out, so that benches run. */
  limits?: {
    /** Equal texts to one number within 30 s. */
    sameIn30s?: number;
    /** Texts of one template to one number on a calendar day. */
    perDay?: number;
  };
}

const DAY_MS = 86_400_000;
const CHINA_MS = 8 * 3_600_000;

const sendSchema = z.object({
  PhoneNumberSet: z.array(z.string()).min(1),
  SmsSdkAppId: z.string(),
  TemplateId: z.string(),
  SignName: z.string().default(''),
  TemplateParamSet: z.array(z.string()).default([]),
  SessionContext: z.string().default(''),
  ExtendCode: z.string().default(''),
});
const pullSchema = z.object({
  PhoneNumber: z.string(),
  SmsSdkAppId: z.string(),
  BeginTime: z.int(),
  EndTime: z.int().optional(),
  Offset: z.literal(0),
  Limit: z.int().min(1).max(100),
});

/** +8619900000001, 8619900000001, 008619900000001 or 19900000001 of the mainland. */
const mainland = (number: string) => /^(?:\+86|0086|86)?(1\d{10})$/.exec(number)?.[1];

const JSON_TYPE = { 'content-type': 'application/json' };

/** «短信下发状态通知»: an array of at most 100; «短信回复»: one object. Taken with `"result": 0`. */
const postsOf = (signName: string): VendorPosts => ({
  batch: 100,
  receipts: (messages) => ({ headers: JSON_TYPE, body: JSON.stringify(messages.map(report)) }),
  reply: (reply) => ({ headers: JSON_TYPE, body: JSON.stringify(answerOf(reply, reply.sign || signName)) }),
  took: tookJson('result', 0),
});

const report = (m: StoredMessage) => ({
  user_receive_time: chineseTime(m.endedAt),
  nationcode: '86',
  mobile: m.to,
  report_status: m.state === 3 ? 'SUCCESS' : 'FAIL',
  errmsg: m.code,
  description: m.state === 3 ? '用户短信送达成功' : '用户短信送达失败',
  sid: m.vendorId,
});

const answerOf = (reply: PhoneReply, sign: string) => ({
  extend: reply.extension,
  mobile: reply.from,
  nationcode: '86',
  sign,
  text: reply.text,
  time: Math.floor(reply.at / 1000),
});

/**
 * Tencent SMS, version 2021-01-11, as far as its documents describe SendSms and PullSmsSendStatusByPhoneNumber: every answer is HTTP 200,
 * the call's own errors stand in Response.Error, those of one number in SendStatusSet. `ext` is not switched on, as in a new account.
 */
export class TencentSms implements EmulatedVendor {
  readonly name = 'tencent-sms';
  readonly channel = 'sms';
  readonly actions = ['SendSms', 'PullSmsSendStatusByPhoneNumber'] as const;
  readonly posts: VendorPosts;
  readonly #account: TencentAccount;
  readonly #world: VendorWorld;

  constructor(account: TencentAccount, world: VendorWorld) {
    this.#account = account;
    this.#world = world;
    this.posts = postsOf(account.signName);
  }

  answer(request: VendorRequest): VendorAnswer {
    const verdict = verifyTc3(request, this.#account.keys, 'sms', this.#world.now());
    if (!verdict.ok) return failed(verdict.code, verdict.message);
    if (request.headers['x-tc-version'] !== '2021-01-11')
      return failed('NoSuchVersion', 'The API version does not exist.');
    if (!request.headers['x-tc-region'])
      return failed('MissingParameter', 'The request is missing a required parameter `Region`.');
    let body: unknown;
    try {
      body = JSON.parse(request.body.toString('utf8'));
    } catch {
      return failed('FailedOperation.JsonParseFail', 'The request body cannot be parsed.');
    }
    switch (verdict.action) {
      case 'SendSms':
        return this.#send(body);
      case 'PullSmsSendStatusByPhoneNumber':
        return this.#pull(body);
      default:
        return failed('InvalidAction', 'The API does not exist.');
    }
  }

  #send(body: unknown): VendorAnswer {
    const parsed = sendSchema.safeParse(body);
    if (!parsed.success) return failed('InvalidParameter', 'The parameter is invalid.');
    const call = parsed.data;
    const account = this.#account;
    if (call.PhoneNumberSet.length > 200)
      return failed('LimitExceeded.PhoneNumberCountLimit', 'More than 200 numbers in one request.');
    if (call.SmsSdkAppId !== account.sdkAppId)
      return failed('UnauthorizedOperation.SmsSdkAppIdVerifyFail', 'SmsSdkAppId verification failed.');
    const statuses = [];
    for (const number of call.PhoneNumberSet) {
      const status = this.#sendOne(number, call);
      // One number that gets no answer leaves the whole call without.
      if (status === undefined) return undefined;
      statuses.push({
        ...status,
        PhoneNumber: number,
        SessionContext: call.SessionContext,
        IsoCode: 'CN',
      });
    }
    return { status: 200, body: { Response: { SendStatusSet: statuses, RequestId: randomUUID() } } };
  }

  #sendOne(number: string, call: z.infer<typeof sendSchema>) {
    const to = mainland(number);
    const fault = this.#world.fault('SendSms', to ?? number);
    if (fault?.mode === 'refuse') return refused(fault.code ?? 'InternalError.OtherError', 'other error');
    if (fault?.mode === 'timeout' && !fault.recorded) return undefined;
    const account = this.#account;
    if (to === undefined)
      return refused('InvalidParameterValue.IncorrectPhoneNumber', 'incorrect phone number');
    if (![account.signName, ...(account.furtherSigns ?? [])].includes(call.SignName))
      return refused('FailedOperation.SignatureIncorrectOrUnapproved', 'signature incorrect or unapproved');
    const template = account.templates.find(({ id }) => id === call.TemplateId);
    const used = new Set(Array.from(template?.text.matchAll(/\{(\d+)\}/g) ?? [], (m) => m[1]));
    if (!template || used.size !== call.TemplateParamSet.length)
      return refused('FailedOperation.TemplateIncorrectOrUnapproved', 'template incorrect or unapproved');
    if (call.TemplateParamSet.some((value) => /https?:\/\/|www\./i.test(value)))
      return refused(
        'InvalidParameterValue.ProhibitedUseUrlInTemplateParameter',
        'URL is prohibited in template parameters',
      );
    const { longestValue = Infinity } = account;
    if (call.TemplateParamSet.some((value) => value.length > longestValue))
      return refused('InvalidParameterValue.TemplateParameterLengthLimit', 'template parameter too long');
    const words = template.text.replaceAll(
      /\{(\d+)\}/g,
      (_, n) => call.TemplateParamSet[Number(n) - 1] ?? '',
    );
    const text = `【${call.SignName}】${words}`;
    if (account.barredWords.some((word) => words.includes(word)))
      return refused('FailedOperation.ContainSensitiveWord', 'contain sensitive word');
    const now = this.#world.now();
    const { sameIn30s, perDay } = account.limits ?? {};
    if (sameIn30s !== undefined && this.#world.count(to, { text }, now - 30_000) >= sameIn30s)
      return refused('LimitExceeded.PhoneNumberThirtySecondLimit', 'thirty second limit');
    const midnight = Math.floor((now + CHINA_MS) / DAY_MS) * DAY_MS - CHINA_MS;
    if (perDay !== undefined && this.#world.count(to, { template: template.id }, midnight - 1) >= perDay)
      return refused('LimitExceeded.PhoneNumberDailyLimit', 'daily limit');

    const silent = fault?.mode === 'silent';
    const SerialNo = `5000:${now}${randomBytes(6).readUIntBE(0, 6)}`;
    this.#world.take({
      to,
      at: now,
      text,
      template: template.id,
      vendorId: SerialNo,
      ours: call.SessionContext,
      state: silent ? 1 : 3,
      endedAt: silent ? 0 : now,
      code: silent ? '' : 'DELIVRD',
      more: { extension: call.ExtendCode, sign: call.SignName },
    });
    if (fault?.mode === 'timeout') return undefined;
    return { SerialNo, Fee: Math.max(1, Math.ceil(text.length / 67)), Code: 'Ok', Message: 'send success' };
  }

  #pull(body: unknown): VendorAnswer {
    const parsed = pullSchema.safeParse(body);
    if (!parsed.success) return failed('InvalidParameter', 'The parameter is invalid.');
    const { PhoneNumber, SmsSdkAppId, BeginTime, EndTime, Limit } = parsed.data;
    if (SmsSdkAppId !== this.#account.sdkAppId)
      return failed('UnauthorizedOperation.SmsSdkAppIdVerifyFail', 'SmsSdkAppId verification failed.');
    const to = mainland(PhoneNumber) ?? PhoneNumber;
    const fault = this.#world.fault('PullSmsSendStatusByPhoneNumber', to);
    if (fault?.mode === 'refuse') return failed(fault.code ?? 'InternalError', 'internal error');
    if (fault) return undefined;
    const until = EndTime === undefined ? Infinity : EndTime * 1000 + 999;
    const rows = this.#world
      .sentTo(to, BeginTime * 1000, until)
      // Only what the carrier has reported on.
      .filter(({ state }) => state !== 1)
      .slice(0, Limit)
      .map((m) => ({
        UserReceiveTime: Math.floor(m.endedAt / 1000),
        CountryCode: '86',
        SubscriberNumber: m.to,
        PhoneNumber: `+86${m.to}`,
        SerialNo: m.vendorId,
        ReportStatus: m.state === 3 ? 'SUCCESS' : 'FAIL',
        Description: m.code,
        SessionContext: m.ours,
      }));
    return { status: 200, body: { Response: { PullSmsSendStatusSet: rows, RequestId: randomUUID() } } };
  }
}

const refused = (Code: string, Message: string) => ({ SerialNo: '', Fee: 0, Code, Message });

const failed = (Code: string, Message: string): VendorAnswer => ({
  status: 200,
  body: { Response: { Error: { Code, Message }, RequestId: randomUUID() } },
});
