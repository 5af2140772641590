import { createHash, randomBytes } from 'node:crypto';
import * as z from 'zod';
import { AccessTokens } from './access-tokens.ts';
import type { EmulatedVendor, VendorAnswer, VendorRequest, VendorWorld } from './vendor.ts';

/** What the emulated corporation knows and allows. */
export interface WecomCorporation {
  corpId: string;
  secret: string;
  agentId: number;
  /** Members in the application's range; everybody if left out. */
  members?: readonly string[];
  /** Members without a licence for the interface (基础接口许可). */
  unlicensed?: readonly string[];
  /** False: calls come from an address that is not among the trusted ones. */
  trustedAddress?: boolean;
}

const MINUTE_MS = 60_000;
const PER_MINUTE = 30;
const PER_HOUR = 1_000;
const DUPLICATE_S = 1_800;
const DUPLICATE_MOST_S = 4 * 3_600;

const content = z.string().min(1);
const messageSchema = z.looseObject({
  touser: z.string().default(''),
  toparty: z.string().default(''),
  totag: z.string().default(''),
  msgtype: z.string(),
  agentid: z.number(),
  enable_duplicate_check: z.number().default(0),
  duplicate_check_interval: z.number().default(DUPLICATE_S),
  text: z.object({ content }).optional(),
  textcard: z
    .object({
      title: content,
      description: content,
      url: content,
      btntxt: z.string().max(4).optional(),
    })
    .optional(),
});

/**
 * WeCom as its documents describe «获取access_token», «发送应用消息» and «访问频率限制»: HTTP 200 always, `errcode` says it. Of more
 * than 30 messages a minute or 1,000 an hour for one member the rest is dropped without a word.
 */
export class Wecom implements EmulatedVendor {
  readonly name = 'wecom';
  readonly channel = 'chat';
  readonly actions = ['message/send', 'gettoken'] as const;
  readonly #corporation: WecomCorporation;
  readonly #world: VendorWorld;
  readonly #tokens: AccessTokens;
  readonly #seen = new Map<string, number>();

  constructor(corporation: WecomCorporation, world: VendorWorld) {
    this.#corporation = corporation;
    this.#world = world;
    this.#tokens = new AccessTokens(() => world.now());
  }

  /** «企业微信可能会出于运营需要，提前使access_token失效»: the token in force is not any more. */
  endToken(): void {
    this.#tokens.end();
  }

  answer(request: VendorRequest): VendorAnswer {
    const query = new URLSearchParams(request.query);
    switch (request.path) {
      case '/cgi-bin/gettoken':
        return this.#gettoken(request, query);
      case '/cgi-bin/message/send':
        return this.#send(request, query);
      default:
        return { status: 404, body: '' };
    }
  }

  #gettoken(request: VendorRequest, query: URLSearchParams): VendorAnswer {
    const fault = this.#world.fault('gettoken', query.get('corpid') ?? '');
    if (fault?.mode === 'refuse') return error(Number(fault.code ?? -1), 'system busy');
    if (fault) return undefined;
    if (request.method !== 'GET') return error(43001, 'require GET method');
    if (!query.get('corpid')) return error(41002, 'corpid missing');
    if (!query.get('corpsecret')) return error(41004, 'corpsecret missing');
    if (query.get('corpid') !== this.#corporation.corpId) return error(40013, 'invalid corpid');
    if (query.get('corpsecret') !== this.#corporation.secret) return error(40001, 'invalid credential');
    const { token, seconds } = this.#tokens.give();
    return { status: 200, body: { errcode: 0, errmsg: 'ok', access_token: token, expires_in: seconds } };
  }

  #send(request: VendorRequest, query: URLSearchParams): VendorAnswer {
    if (request.method !== 'POST') return error(43002, 'require POST method');
    const token = query.get('access_token');
    if (!token) return error(41001, 'access_token missing');
    const state = this.#tokens.state(token);
    if (state === 'unknown') return error(40014, 'invalid access_token');
    if (state === 'ended') return error(42001, 'access_token expired');
    if (this.#corporation.trustedAddress === false) return error(60020, 'not allow to access from your ip');

    const parsed = messageSchema.safeParse(json(request.body));
    if (!parsed.success) return error(47001, 'data format error');
    const message = parsed.data;
    const fault = this.#world.fault('message/send', message.touser);
    if (fault?.mode === 'refuse') return error(Number(fault.code ?? -1), 'system busy');
    if (fault?.mode === 'timeout' && !fault.recorded) return undefined;

    if (message.agentid !== this.#corporation.agentId) return error(40056, 'invalid agentid');
    const shown = words(message);
    if (shown === undefined) return error(40008, 'invalid message type');
    if (shown.text === '') return error(44004, 'empty content');
    if (Buffer.byteLength(shown.text) > 2_048) return error(45002, 'content size out of limit');

    const wanted = message.touser.split('|').filter(Boolean);
    const { members, unlicensed } = this.#corporation;
    const same = (user: string) => (other: string) => other.toLowerCase() === user.toLowerCase();
    const invalid = wanted.filter((user) => members !== undefined && !members.some(same(user)));
    const barred = wanted.filter((user) => !invalid.includes(user) && unlicensed?.some(same(user)));
    const reached = wanted.filter((user) => !invalid.includes(user) && !barred.includes(user));
    const lists = { invaliduser: lower(invalid), unlicenseduser: lower(barred) };
    if (reached.length === 0)
      return { status: 200, body: { errcode: 81013, errmsg: 'user & party & tag all invalid', ...lists } };

    const msgid = randomBytes(40).toString('base64url');
    const now = this.#world.now();
    if (!this.#isRepeat(message, request.body, now))
      for (const user of reached) {
        const dropped = fault?.mode === 'silent' || this.#isFlooded(user, now);
        this.#world.take({
          to: user,
          at: now,
          text: shown.text,
          template: '',
          vendorId: msgid,
          ours: '',
          state: dropped ? 1 : 3,
          endedAt: dropped ? 0 : now,
          more: shown.link === undefined ? {} : { link: shown.link },
        });
      }
    if (fault?.mode === 'timeout') return undefined;
    return { status: 200, body: { errcode: 0, errmsg: 'ok', ...lists, msgid } };
  }

  /** «同样内容（请求json）的消息，不会重复收到»: only if asked for, within the interval asked for. */
  #isRepeat(message: z.infer<typeof messageSchema>, body: Buffer, now: number): boolean {
    if (message.enable_duplicate_check !== 1) return false;
    const hash = createHash('sha256').update(body).digest('hex');
    const seconds = Math.min(message.duplicate_check_interval, DUPLICATE_MOST_S);
    const last = this.#seen.get(hash);
    if (last !== undefined && now - last < seconds * 1_000) return true;
    this.#seen.set(hash, now);
    return false;
  }

  #isFlooded(user: string, now: number): boolean {
    const came = (since: number) =>
      this.#world.sentTo(user, since, now + 1).filter((m) => m.state === 3).length;
    return came(now - MINUTE_MS) >= PER_MINUTE || came(now - 60 * MINUTE_MS) >= PER_HOUR;
  }
}

/** What the phone shows; undefined for a kind of message that is not emulated. */
function words(message: z.infer<typeof messageSchema>): { text: string; link?: string } | undefined {
  if (message.msgtype === 'text') return { text: message.text?.content ?? '' };
  if (message.msgtype !== 'textcard') return undefined;
  const card = message.textcard;
  return card ? { text: `${card.title}\n${card.description}`, link: card.url } : { text: '' };
}

/** «返回包中的userid，不区分大小写，统一转为小写». */
const lower = (users: string[]) => users.map((user) => user.toLowerCase()).join('|');

const error = (errcode: number, errmsg: string): NonNullable<VendorAnswer> => ({
  status: 200,
  body: {
    errcode,
    errmsg: `${errmsg}, more info at https://open.work.weixin.qq.com/devtool/query?e=${errcode}`,
  },
});

function json(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
