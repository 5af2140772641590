import { randomInt } from 'node:crypto';
import * as z from 'zod';
import { AccessTokens } from './access-tokens.ts';
import type { StoredMessage } from './message-store.ts';
import type { EmulatedVendor, VendorAnswer, VendorRequest, VendorWorld } from './vendor.ts';

/** What the emulated organisation knows and allows. */
export interface DingtalkOrganisation {
  appKey: string;
  appSecret: string;
  agentId: number;
  /** User ids in the application's range; everybody if left out. */
  members?: readonly string[];
  /** Messages to one user on a day; as documented, 500, if left out. */
  perDay?: number;
}

const DAY_MS = 86_400_000;
const PER_DAY = 500;
const MOST_BYTES = 2_048;

const content = z.string().min(1);
const messageSchema = z.discriminatedUnion('msgtype', [
  z.object({ msgtype: z.literal('text'), text: z.object({ content }) }),
  z.object({
    msgtype: z.literal('action_card'),
    action_card: z.object({
      title: content,
      markdown: content,
      single_title: z.string().min(1).max(20),
      single_url: z.string().min(1).max(500),
    }),
  }),
]);
const sendSchema = z.object({
  agent_id: z.coerce.number(),
  userid_list: content,
  // In a form it is JSON once more.
  msg: z.preprocess((msg) => (typeof msg === 'string' ? json(msg) : msg), messageSchema),
});
const askSchema = z.object({ agent_id: z.coerce.number(), task_id: z.coerce.string() });

/**
 * DingTalk as its documents describe «获取企业内部应用的access_token», «发送工作通知» and «获取工作通知消息的发送结果»: sending begins a
 * task and says ok; that equal words went to somebody already today, or that there is no such user, stands in the result only.
 */
export class Dingtalk implements EmulatedVendor {
  readonly name = 'dingtalk';
  readonly channel = 'chat';
  readonly actions = ['asyncsend_v2', 'getsendresult', 'gettoken'] as const;
  readonly #organisation: DingtalkOrganisation;
  readonly #world: VendorWorld;
  readonly #tokens: AccessTokens;

  constructor(organisation: DingtalkOrganisation, world: VendorWorld) {
    this.#organisation = organisation;
    this.#world = world;
    this.#tokens = new AccessTokens(() => world.now());
  }

  /** The token in force is not any more. */
  endToken(): void {
    this.#tokens.end();
  }

  /** Somebody opens what has come last to him. */
  read(user: string): void {
    const [last] = this.#world.sentTo(user, 0, this.#world.now() + 1).filter((m) => m.state === 3);
    if (last) this.#world.note(last, { read: new Date(this.#world.now()).toISOString() });
  }

  answer(request: VendorRequest): VendorAnswer {
    const query = new URLSearchParams(request.query);
    switch (request.path) {
      case '/gettoken':
        return this.#gettoken(request, query);
      case '/topapi/message/corpconversation/asyncsend_v2':
        return this.#barred(query) ?? this.#send(request);
      case '/topapi/message/corpconversation/getsendresult':
        return this.#barred(query) ?? this.#result(request);
      default:
        return error(404, '请求的URI地址不存在');
    }
  }

  #gettoken(request: VendorRequest, query: URLSearchParams): VendorAnswer {
    const fault = this.#world.fault('gettoken', query.get('appkey') ?? '');
    if (fault?.mode === 'refuse') return error(Number(fault.code ?? -1), '系统繁忙');
    if (fault) return undefined;
    if (request.method !== 'GET') return error(43001, '需要GET请求');
    const { appKey, appSecret } = this.#organisation;
    if (query.get('appkey') !== appKey || query.get('appsecret') !== appSecret)
      return error(40089, '不合法的corpid或corpsecret');
    const { token, seconds } = this.#tokens.give();
    return { status: 200, body: { errcode: 0, errmsg: 'ok', access_token: token, expires_in: seconds } };
  }

  /** «88: 一般是用户的access_token不合法或者没有调用该接口的权限», the reason in `sub_code`. */
  #barred(query: URLSearchParams): VendorAnswer {
    const state = this.#tokens.state(query.get('access_token') ?? '');
    if (state === 'good') return undefined;
    const [code, why] =
      state === 'ended' ? ['42001', 'access_token已过期'] : ['40014', '不合法的access_token'];
    return {
      status: 200,
      body: {
        errcode: 88,
        sub_code: code,
        sub_msg: why,
        errmsg: `ding talk error[subcode=${code},submsg=${why}]`,
      },
    };
  }

  #send(request: VendorRequest): VendorAnswer {
    const parsed = sendSchema.safeParse(fields(request));
    if (!parsed.success) return error(40035, '不合法的参数');
    const { agent_id: agentId, userid_list: users, msg } = parsed.data;
    const fault = this.#world.fault('asyncsend_v2', users.split(',')[0] ?? '');
    if (fault?.mode === 'refuse') return error(Number(fault.code ?? -1), '系统繁忙');
    if (fault?.mode === 'timeout' && !fault.recorded) return undefined;
    if (agentId !== this.#organisation.agentId) return error(40056, '不合法的agentid');
    if (Buffer.byteLength(JSON.stringify(msg)) > MOST_BYTES) return error(34016, '消息内容长度超过限制');

    const task = `${randomInt(2 ** 40, 2 ** 41)}`;
    const card = msg.msgtype === 'action_card' ? msg.action_card : undefined;
    const text = msg.msgtype === 'text' ? msg.text.content : `${card?.title}\n${card?.markdown}`;
    const now = this.#world.now();
    for (const user of users.split(',')) {
      const failed = this.#failure(user, text, now);
      const came = failed === undefined && fault?.mode !== 'silent';
      this.#world.take({
        to: user,
        at: now,
        text,
        template: '',
        vendorId: task,
        ours: '',
        state: failed === undefined ? (came ? 3 : 1) : 2,
        endedAt: failed === undefined && !came ? 0 : now,
        code: failed ?? '',
        more: card ? { link: card.single_url } : {},
      });
    }
    return fault?.mode === 'timeout'
      ? undefined
      : { status: 200, body: { errcode: 0, errmsg: 'ok', task_id: Number(task) } };
  }

  /** Why it will not reach this user, although sending says ok. */
  #failure(user: string, text: string, now: number): string | undefined {
    const { members, perDay = PER_DAY } = this.#organisation;
    if (members !== undefined && !members.includes(user)) return 'invalid';
    const today = this.#world.sentTo(user, chineseMidnight(now), now + 1).filter((m) => m.state !== 2);
    if (today.some((m) => m.text === text)) return '143106';
    return today.length >= perDay ? '143105' : undefined;
  }

  #result(request: VendorRequest): VendorAnswer {
    const parsed = askSchema.safeParse(fields(request));
    if (!parsed.success) return error(40035, '不合法的参数');
    const messages = this.#world
      .byVendorId(parsed.data.task_id)
      .filter((m) => m.at > this.#world.now() - DAY_MS);
    const fault = this.#world.fault('getsendresult', messages[0]?.to ?? '');
    if (fault?.mode === 'refuse') return error(Number(fault.code ?? -1), '系统繁忙');
    if (fault) return undefined;
    const those = (is: (m: StoredMessage) => boolean) => messages.filter(is).map((m) => m.to);
    const limited = (m: StoredMessage) => m.code.startsWith('1431');
    return {
      status: 200,
      body: {
        errcode: 0,
        errmsg: 'ok',
        send_result: {
          read_user_id_list: those((m) => m.state === 3 && m.more['read'] !== undefined),
          unread_user_id_list: those((m) => m.state === 3 && m.more['read'] === undefined),
          failed_user_id_list: [],
          invalid_user_id_list: those((m) => m.code === 'invalid'),
          forbidden_user_id_list: those(limited),
          forbidden_list: messages.filter(limited).map((m) => ({
            code: m.code,
            count: m.code === '143106' ? 1 : (this.#organisation.perDay ?? PER_DAY),
            userid: m.to,
          })),
        },
      },
    };
  }
}

const chineseMidnight = (now: number) => {
  const ahead = 8 * 3_600_000;
  return Math.floor((now + ahead) / DAY_MS) * DAY_MS - ahead;
};

const error = (errcode: number, errmsg: string): NonNullable<VendorAnswer> => ({
  status: 200,
  body: { errcode, errmsg },
});

/** A body as JSON or as a form; both are in its documents. */
function fields({ headers, body }: VendorRequest): unknown {
  const text = body.toString('utf8');
  return (headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded')
    ? Object.fromEntries(new URLSearchParams(text))
    : json(text);
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
