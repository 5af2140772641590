import { randomBytes, randomUUID } from 'node:crypto';
import { verifyAcs3, type SignedRequest } from './acs3.ts';
import type { StoredMessage } from './message-store.ts';
import { chineseTime, tookJson } from './posts.ts';
import type { CallEnd, EmulatedVendor, VendorAnswer, VendorPosts, VendorWorld } from './vendor.ts';

/** What the emulated account knows and allows. */
export interface VoiceAccount {
  keys: Record<string, string>;
  /** Bought numbers. */
  showNumbers: string[];
  /** Approved spoken texts, with ${name} for variables. */
  templates: { code: string; text: string }[];
  barredWords: string[];
  /** Calls to one number in a minute, an hour, a day (1, 5, 20 in service); unlimited if left out. */
  limits?: { perMinute?: number; perHour?: number; perDay?: number };
}

/** So long a phone rings before the network gives up. */
const RING_MS = 60_000;
/** So long after its end a call can be looked up («3 到 5 分钟»). */
const FILED_MS = 180_000;
/** Seconds that somebody listens before he presses a key, or a machine before it is full. */
const TALK_S = 8;
const IVR = '11000000300005';
/** Key of the row under which calls to a number are counted, whatever is spoken. */
const CALL = 'call';

/** VoiceReport, posted when a call has ended; taken with `"code": 0`. */
const POSTS: VendorPosts = {
  batch: 50,
  receipts: (messages) => ({
    headers: { 'content-type': 'application/json;charset=utf-8' },
    body: JSON.stringify(messages.map(report)),
  }),
  took: tookJson('code', 0),
};

const report = (m: StoredMessage) => {
  const talked = m.state === 3 ? TALK_S : 0;
  return {
    status_code: m.code,
    status_msg: m.state === 3 ? '执行完成' : '未接通',
    callee: m.to,
    caller: m.more['caller'] ?? '',
    call_id: m.vendorId,
    out_id: m.ours,
    voice_type: 'voice',
    toll_type: 'LOCAL',
    originate_time: chineseTime(m.at),
    ring_time: chineseTime(m.at),
    b_start_time: talked ? chineseTime(m.endedAt) : '',
    end_time: chineseTime(m.endedAt),
    duration: String(talked),
    dtmf: m.more['keys'] ?? '',
  };
};

/**
 * Aliyun's voice service, version 2017-05-25, as far as its document describes IvrCall and QueryCallDetailByCallId. A call rings until
 * somebody does something with it on the page of phones, for a minute at most.
 */
export class AliyunVoice implements EmulatedVendor {
  readonly name = 'aliyun-voice';
  readonly channel = 'voice';
  readonly actions = ['IvrCall', 'QueryCallDetailByCallId'] as const;
  readonly posts = POSTS;
  readonly #account: VoiceAccount;
  readonly #world: VendorWorld;

  constructor(account: VoiceAccount, world: VendorWorld) {
    this.#account = account;
    this.#world = world;
  }

  answer(request: SignedRequest): VendorAnswer {
    const verdict = verifyAcs3(request, this.#account.keys, this.#world.now());
    if (!verdict.ok) return gateway(verdict.status, verdict.code, verdict.message);
    if (!this.#world.spendNonce(verdict.accessKeyId, verdict.nonce))
      return gateway(400, 'SignatureNonceUsed', 'Specified signature nonce was used already.');
    if (request.headers['x-acs-version'] !== '2017-05-25')
      return gateway(400, 'InvalidVersion', 'Specified parameter Version is not valid.');
    const params = new URLSearchParams(request.query);
    switch (String(request.headers['x-acs-action'])) {
      case 'IvrCall':
        return this.#call(params);
      case 'QueryCallDetailByCallId':
        return this.#detail(params);
      default:
        return gateway(404, 'InvalidAction.NotFound', 'Specified api is not found.');
    }
  }

  hangUp(call: StoredMessage, end: CallEnd): void {
    if (end === 'no-answer') this.#world.end(call, 2, '200003');
    else if (end === 'voicemail') this.#world.end(call, 3, '200000', { voicemail: 'yes' });
    // Keys outside the menu are told as well; what they mean is the customer's affair.
    else this.#world.end(call, 3, '200000', { keys: end.keys });
  }

  pass(): void {
    const now = this.#world.now();
    for (const call of this.#world.ringing())
      if (now - call.at >= RING_MS) this.#world.end(call, 2, '200003');
  }

  #call(params: URLSearchParams): VendorAnswer {
    for (const name of ['CalledShowNumber', 'CalledNumber', 'StartCode', 'MenuKeyMap.1.Key'])
      if (!params.get(name)) return gateway(400, `Missing${name}`, `${name} is mandatory for this action.`);
    const to = params.get('CalledNumber') ?? '';
    const fault = this.#world.fault('IvrCall', to);
    if (fault?.mode === 'refuse') return said(fault.code ?? 'isp.SYSTEM_ERROR', '系统错误');
    if (fault?.mode === 'timeout' && !fault.recorded) return undefined;

    const account = this.#account;
    if (!/^(1\d{10}|0\d{9,11})$/.test(to)) return said('isv.MOBILE_NUMBER_ILLEGAL', '号码格式非法');
    const caller = params.get('CalledShowNumber') ?? '';
    if (!account.showNumbers.includes(caller)) return said('isv.DISPLAY_NUMBER_ILLEGAL', '号显不合法');
    const ours = params.get('OutId') ?? '';
    if (Buffer.byteLength(ours) > 15) return said('isv.INVALID_PARAMETERS', '参数异常');
    const codes = [...params].filter(([name]) => /^(ByeCode|MenuKeyMap\.\d+\.Code)$/.test(name));
    const template = account.templates.find(({ code }) => code === params.get('StartCode'));
    if (!template || codes.some(([, code]) => !account.templates.some((t) => t.code === code)))
      return said('isv.TTS_TEMPLATE_ILLEGAL', 'TTS模板不合法');
    const text = spoken(template.text, params.get('StartTtsParams'));
    if (text === undefined) return said('isv.TEMPLATE_PARAMS_ILLEGAL', '模板变量非法');
    if (account.barredWords.some((word) => text.includes(word)))
      return said('isv.BLACK_KEY_CONTROL_LIMIT', '模板变量中存在黑名单关键字');

    const now = this.#world.now();
    const { perMinute, perHour, perDay } = account.limits ?? {};
    for (const [most, ms, what] of [
      [perMinute, 60_000, '分钟级'],
      [perHour, 3_600_000, '小时级'],
      [perDay, 86_400_000, '天级'],
    ] as const)
      if (most !== undefined && this.#world.count(to, { template: CALL }, now - ms) >= most)
        return said('isv.BUSINESS_LIMIT_CONTROL', `触发${what}流控Permits:${most}`);

    const vendorId = `${now}${randomBytes(3).readUIntBE(0, 3)}^${randomBytes(5).readUIntBE(0, 5)}`;
    this.#world.take({
      to,
      at: now,
      text,
      template: CALL,
      vendorId,
      ours,
      state: 1,
      endedAt: 0,
      rings: fault?.mode !== 'silent',
      more: { caller },
    });
    if (fault?.mode === 'timeout') return undefined;
    return { status: 200, body: { Code: 'OK', Message: 'OK', CallId: vendorId, RequestId: randomUUID() } };
  }

  #detail(params: URLSearchParams): VendorAnswer {
    for (const name of ['CallId', 'ProdId', 'QueryDate'])
      if (!params.get(name)) return gateway(400, `Missing${name}`, `${name} is mandatory for this action.`);
    const [call] = this.#world.byVendorId(params.get('CallId') ?? '');
    const fault = this.#world.fault('QueryCallDetailByCallId', call?.to ?? '');
    if (fault?.mode === 'refuse') return said(fault.code ?? 'isp.SYSTEM_ERROR', '系统错误');
    if (fault) return undefined;
    const now = this.#world.now();
    const from = Number(params.get('QueryDate'));
    const filed =
      call &&
      call.state !== 1 &&
      now - call.endedAt >= FILED_MS &&
      params.get('ProdId') === IVR &&
      call.at < from + 86_400_000 &&
      call.at > from - 86_400_000;
    return {
      status: 200,
      body: {
        Code: 'OK',
        Message: 'OK',
        RequestId: randomUUID(),
        ...(filed
          ? {
              Data: JSON.stringify({
                caller: call.more['caller'] ?? '',
                callee: call.to,
                startDate: chineseTime(call.at),
                endDate: chineseTime(call.endedAt),
                duration: call.state === 3 ? TALK_S : 0,
                state: call.code,
                stateDesc: call.state === 3 ? '用户听完语音' : '用户未接听',
                dtmf: call.more['keys'] ?? '',
              }),
            }
          : {}),
      },
    };
  }
}

/** The words as spoken; undefined if a variable has no value. */
function spoken(template: string, json: string | null): string | undefined {
  let values = new Map<string, unknown>();
  try {
    const parsed: unknown = JSON.parse(json ?? '{}');
    if (typeof parsed === 'object' && parsed !== null) values = new Map(Object.entries(parsed));
  } catch {
    return undefined;
  }
  const names = Array.from(template.matchAll(/\$\{(\w+)\}/g), (m) => m[1] ?? '');
  if (names.some((name) => typeof values.get(name) !== 'string' || values.get(name) === '')) return undefined;
  return template.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => String(values.get(name)));
}

const said = (Code: string, Message: string): NonNullable<VendorAnswer> => ({
  status: 200,
  body: { Code, Message, RequestId: randomUUID() },
});

const gateway = (status: number, Code: string, Message: string): NonNullable<VendorAnswer> => ({
  status,
  body: { Code, Message, RequestId: randomUUID() },
});
