import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { verifyAcs3, type SignedRequest } from './acs3.ts';
import type { StoredMessage } from './message-store.ts';
import { chineseTime, tookJson } from './posts.ts';
import type { EmulatedVendor, PhoneReply, VendorAnswer, VendorPosts, VendorWorld } from './vendor.ts';

/** A template as the vendor has approved it. */
export interface ApprovedTemplate {
  code: string;
  /** With ${name} for variables. */
  text: string;
}

/** What the emulated vendor account knows and allows. */
export interface AliyunAccount {
  keys: Record<string, string>;
  signName: string;
  /** Approved beside it; each has a number of its own, which the vendor makes. */
  furtherSigns?: readonly string[];
  templates: ApprovedTemplate[];
  /** Texts per number and template within 24 h; unlimited if left out (the real one: 50). */
  perDay?: number;
  /** Words refused in the values of variables. */
  barredWords: string[];
}

const DAY_MS = 86_400_000;

/** What the customer is told («SmsReport», «SmsUp»; HTTP 批量推送): JSON arrays, taken with `"code": 0`. */
const POSTS: VendorPosts = {
  batch: 50,
  receipts: (messages) => posted(messages.map(report)),
  reply: (reply) => posted([uplink(reply)]),
  took: tookJson('code', 0),
};

/**
 * Aliyun SMS, version 2017-05-25, as far as its document describes SendSms and QuerySendDetails: signature first, then the call,
 * business errors with HTTP 200.
 */
export class AliyunSms implements EmulatedVendor {
  readonly name = 'aliyun-sms';
  readonly channel = 'sms';
  readonly actions = ['SendSms', 'QuerySendDetails'] as const;
  readonly posts = POSTS;
  readonly #account: AliyunAccount;
  readonly #world: VendorWorld;

  constructor(account: AliyunAccount, world: VendorWorld) {
    this.#account = account;
    this.#world = world;
  }

  answer(request: SignedRequest): VendorAnswer {
    const verdict = verifyAcs3(request, this.#account.keys, this.#world.now());
    if (!verdict.ok) return gatewayError(verdict.status, verdict.code, verdict.message, request);
    if (!this.#world.spendNonce(verdict.accessKeyId, verdict.nonce))
      return gatewayError(400, 'SignatureNonceUsed', 'Specified signature nonce was used already.', request);
    if (request.headers['x-acs-version'] !== '2017-05-25')
      return gatewayError(400, 'InvalidVersion', 'Specified parameter Version is not valid.', request);

    const form = (request.headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded');
    const params = new Map([
      ...new URLSearchParams(request.query),
      ...(form ? new URLSearchParams(request.body.toString('utf8')) : []),
    ]);
    switch (String(request.headers['x-acs-action'])) {
      case 'SendSms':
        return this.#send(params, request);
      case 'QuerySendDetails':
        return this.#details(params, request);
      default:
        return gatewayError(
          404,
          'InvalidAction.NotFound',
          'Specified api is not found, please check your url and method.',
          request,
        );
    }
  }

  #send(params: Map<string, string>, request: SignedRequest): VendorAnswer {
    for (const name of ['PhoneNumbers', 'SignName', 'TemplateCode'])
      if (!params.get(name))
        return gatewayError(400, `Missing${name}`, `${name} is mandatory for this action.`, request);
    const numbers = (params.get('PhoneNumbers') ?? '').split(',');
    const fault = this.#world.fault('SendSms', numbers[0] ?? '');
    if (fault?.mode === 'refuse') return business(fault.code ?? 'isp.SYSTEM_ERROR', '系统错误');
    if (fault?.mode === 'timeout' && !fault.recorded) return undefined;

    if (numbers.length > 1_000) return business('isv.MOBILE_COUNT_OVER_LIMIT', '手机号码数量超过限制');
    if (numbers.some((n) => !/^1\d{10}$/.test(n)))
      return business('isv.MOBILE_NUMBER_ILLEGAL', '手机号码格式错误');
    const sign = params.get('SignName') ?? '';
    if (![this.#account.signName, ...(this.#account.furtherSigns ?? [])].includes(sign))
      return business('isv.SMS_SIGNATURE_ILLEGAL', '签名不合法');
    // «扩展码是生成签名时系统自动默认生成的»: whatever somebody makes up himself belongs to no signature.
    if (params.get('SmsUpExtendCode')) return business('isv.EXTEND_CODE_ERROR', '扩展码使用错误');
    const template = this.#account.templates.find((t) => t.code === params.get('TemplateCode'));
    if (!template) return business('isv.SMS_TEMPLATE_ILLEGAL', '模板不合法');
    const text = this.#render(sign, template, params.get('TemplateParam'));
    if (typeof text !== 'string') return text;

    const now = this.#world.now();
    const { perDay } = this.#account;
    if (perDay !== undefined)
      for (const number of numbers)
        if (this.#world.count(number, { template: template.code }, now - DAY_MS) >= perDay)
          return business('isv.BUSINESS_LIMIT_CONTROL', `触发天级流控Permits:${perDay}`);

    const bizId = `${BigInt(`0x${randomBytes(7).toString('hex')}`)
      .toString()
      .padStart(17, '1')}^0`;
    for (const number of numbers) {
      const silent = fault?.mode === 'silent';
      this.#world.take({
        to: number,
        at: now,
        text,
        template: template.code,
        vendorId: bizId,
        ours: params.get('OutId') ?? '',
        state: silent ? 1 : 3,
        endedAt: silent ? 0 : now,
        code: silent ? '' : 'DELIVERED',
        more: { sign },
      });
    }
    if (fault?.mode === 'timeout') return undefined;
    return { status: 200, body: { Code: 'OK', Message: 'OK', BizId: bizId, RequestId: requestId() } };
  }

  /** The text as it stands on the phone, or the vendor's refusal. */
  #render(
    sign: string,
    template: ApprovedTemplate,
    json: string | undefined,
  ): string | NonNullable<VendorAnswer> {
    let values = new Map<string, unknown>();
    if (json) {
      try {
        const parsed: unknown = JSON.parse(json);
        if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
          throw new TypeError('no object');
        values = new Map(Object.entries(parsed));
      } catch {
        return business('isv.INVALID_JSON_PARAM', 'JSON参数不合法，只接受字符串值');
      }
    }
    let text = `【${sign}】`;
    let end = 0;
    for (const variable of template.text.matchAll(/\$\{(\w+)\}/g)) {
      const value = values.get(variable[1] ?? '');
      if (value === undefined || value === '')
        return business('isv.TEMPLATE_MISSING_PARAMETERS', '模板缺少变量');
      if (typeof value !== 'string')
        return business('isv.INVALID_JSON_PARAM', 'JSON参数不合法，只接受字符串值');
      if (value.length > 35) return business('isv.PARAM_LENGTH_LIMIT', '参数超过长度限制');
      if (/https?:\/\/|www\./i.test(value)) return business('isv.PARAM_NOT_SUPPORT_URL', '不支持URL');
      if (/[【】]/.test(value) || this.#account.barredWords.some((word) => value.includes(word)))
        return business('isv.BLACK_KEY_CONTROL_LIMIT', '变量中包含黑名单关键字');
      text += template.text.slice(end, variable.index) + value;
      end = variable.index + variable[0].length;
    }
    return text + template.text.slice(end);
  }

  #details(params: Map<string, string>, request: SignedRequest): VendorAnswer {
    for (const name of ['PhoneNumber', 'SendDate', 'PageSize', 'CurrentPage'])
      if (!params.get(name))
        return gatewayError(400, `Missing${name}`, `${name} is mandatory for this action.`, request);
    const number = params.get('PhoneNumber') ?? '';
    const fault = this.#world.fault('QuerySendDetails', number);
    if (fault?.mode === 'refuse') return business(fault.code ?? 'isp.SYSTEM_ERROR', '系统错误');
    if (fault) return undefined;

    const day = /^(\d{4})(\d\d)(\d\d)$/.exec(params.get('SendDate') ?? '');
    const size = Number(params.get('PageSize'));
    const page = Number(params.get('CurrentPage'));
    const start = day ? Date.parse(`${day[1]}-${day[2]}-${day[3]}T00:00:00+08:00`) : Number.NaN;
    if (
      Number.isNaN(start) ||
      !(size >= 1 && size <= 50) ||
      !Number.isInteger(size) ||
      !(page >= 1) ||
      !Number.isInteger(page)
    )
      return business('isv.INVALID_PARAMETERS', '参数异常');
    const bizId = params.get('BizId');
    const all = this.#world
      .sentTo(number, start, start + DAY_MS)
      .filter((m) => !bizId || m.vendorId === bizId);
    const rows = all.slice((page - 1) * size, page * size).map((m) => ({
      PhoneNum: m.to,
      SendStatus: m.state,
      ErrCode: m.code,
      TemplateCode: m.template,
      Content: m.text,
      SendDate: chineseTime(m.at),
      ReceiveDate: m.endedAt ? chineseTime(m.endedAt) : '',
      OutId: m.ours,
    }));
    return {
      status: 200,
      body: {
        Code: 'OK',
        Message: 'OK',
        RequestId: requestId(),
        TotalCount: String(all.length),
        SmsSendDetailDTOs: { SmsSendDetailDTO: rows },
      },
    };
  }
}

const posted = (entries: Record<string, unknown>[]) => ({
  headers: { 'content-type': 'application/json;charset=utf-8' },
  body: JSON.stringify(entries),
});

const report = (m: StoredMessage) => ({
  phone_number: m.to,
  send_time: chineseTime(m.at),
  report_time: chineseTime(m.endedAt),
  success: m.state === 3,
  err_code: m.code,
  err_msg: m.state === 3 ? '用户接收成功' : '发送失败',
  sms_size: String(Math.max(1, Math.ceil(m.text.length / 70))),
  biz_id: m.vendorId,
  out_id: m.ours,
});

const uplink = (reply: PhoneReply) => ({
  phone_number: reply.from,
  content: reply.text,
  send_time: chineseTime(reply.at),
  sign_name: reply.sign,
  dest_code: codeOf(reply.sign),
  sequence_id: reply.id,
});

/** The number that the vendor has made for a signature. */
const codeOf = (sign: string): string =>
  String(createHash('sha256').update(sign).digest().readUInt16BE(0)).padStart(5, '0');

const requestId = () => randomUUID().toUpperCase();

const business = (Code: string, Message: string): NonNullable<VendorAnswer> => ({
  status: 200,
  body: { Code, Message, RequestId: requestId() },
});

const gatewayError = (
  status: number,
  Code: string,
  Message: string,
  request: SignedRequest,
): VendorAnswer => ({
  status,
  body: { Code, Message, RequestId: requestId(), HostId: request.headers.host ?? '' },
});
