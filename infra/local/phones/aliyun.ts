import { randomBytes, randomUUID } from 'node:crypto';
import { verifyAcs3, type SignedRequest } from './acs3.ts';
import type { Faults } from './faults.ts';
import type { MessageStore, StoredMessage } from './message-store.ts';
import { chineseTime } from './receipts.ts';

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
  templates: ApprovedTemplate[];
  /** Texts per number and template within 24 h; unlimited if left out (the real one: 50). */
  perDay?: number;
  /** Words refused in the values of variables. */
  barredWords: string[];
}

/** HTTP status and JSON body; `undefined`: no answer at all. */
export type VendorAnswer = { status: number; body: Record<string, unknown> } | undefined;

const DAY_MS = 86_400_000;

/**
 * Aliyun SMS, version 2017-05-25, as far as its document describes SendSms and QuerySendDetails: signature first, then the call,
 * business errors with HTTP 200. `delivered` is called for each text that reaches a phone.
 */
export class AliyunSms {
  readonly #account: AliyunAccount;
  readonly #store: MessageStore;
  readonly #faults: Faults;
  readonly #now: () => number;
  readonly #delivered: (message: StoredMessage) => void;

  constructor(
    account: AliyunAccount,
    around: {
      store: MessageStore;
      faults: Faults;
      now: () => number;
      delivered: (message: StoredMessage) => void;
    },
  ) {
    this.#account = account;
    this.#store = around.store;
    this.#faults = around.faults;
    this.#now = around.now;
    this.#delivered = around.delivered;
  }

  answer(request: SignedRequest): VendorAnswer {
    const verdict = verifyAcs3(request, this.#account.keys, this.#now());
    if (!verdict.ok) return gatewayError(verdict.status, verdict.code, verdict.message, request);
    if (!this.#store.spendNonce(verdict.accessKeyId, verdict.nonce, this.#now()))
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
    const fault = this.#faults.take('SendSms', numbers[0] ?? '');
    if (fault?.mode === 'refuse') return business(fault.code ?? 'isp.SYSTEM_ERROR', '系统错误');
    if (fault?.mode === 'timeout' && !fault.recorded) return undefined;

    if (numbers.length > 1_000) return business('isv.MOBILE_COUNT_OVER_LIMIT', '手机号码数量超过限制');
    if (numbers.some((n) => !/^1\d{10}$/.test(n)))
      return business('isv.MOBILE_NUMBER_ILLEGAL', '手机号码格式错误');
    if (params.get('SignName') !== this.#account.signName)
      return business('isv.SMS_SIGNATURE_ILLEGAL', '签名不合法');
    const template = this.#account.templates.find((t) => t.code === params.get('TemplateCode'));
    if (!template) return business('isv.SMS_TEMPLATE_ILLEGAL', '模板不合法');
    const text = this.#render(template, params.get('TemplateParam'));
    if (typeof text !== 'string') return text;

    const now = this.#now();
    const { perDay } = this.#account;
    if (perDay !== undefined)
      for (const number of numbers)
        if (this.#store.count(number, template.code, now - DAY_MS) >= perDay)
          return business('isv.BUSINESS_LIMIT_CONTROL', `触发天级流控Permits:${perDay}`);

    const bizId = `${BigInt(`0x${randomBytes(7).toString('hex')}`)
      .toString()
      .padStart(17, '1')}^0`;
    for (const number of numbers) {
      const silent = fault?.mode === 'silent';
      const stored = this.#store.add({
        number,
        at: now,
        text,
        template: template.code,
        bizId,
        outId: params.get('OutId') ?? '',
        state: silent ? 1 : 3,
        deliveredAt: silent ? 0 : now,
      });
      if (!silent) this.#delivered(stored);
    }
    if (fault?.mode === 'timeout') return undefined;
    return { status: 200, body: { Code: 'OK', Message: 'OK', BizId: bizId, RequestId: requestId() } };
  }

  /** The text as it stands on the phone, or the vendor's refusal. */
  #render(template: ApprovedTemplate, json: string | undefined): string | NonNullable<VendorAnswer> {
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
    let text = `【${this.#account.signName}】`;
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
    const fault = this.#faults.take('QuerySendDetails', number);
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
    const all = this.#store.sentTo(number, start, start + DAY_MS).filter((m) => !bizId || m.bizId === bizId);
    const rows = all.slice((page - 1) * size, page * size).map((m) => ({
      PhoneNum: m.number,
      SendStatus: m.state,
      ErrCode: m.state === 3 ? 'DELIVERED' : '',
      TemplateCode: m.template,
      Content: m.text,
      SendDate: chineseTime(m.at),
      ReceiveDate: m.deliveredAt ? chineseTime(m.deliveredAt) : '',
      OutId: m.outId,
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
