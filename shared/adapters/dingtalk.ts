import * as z from 'zod';
import type { DistrictSecret } from '#shared/contracts/secret.ts';
import type { Clock } from '#shared/ports/clock.ts';
import type {
  AskRequest,
  AskResult,
  RefusalCause,
  Sender,
  SendRequest,
  SendResult,
} from '#shared/ports/sender.ts';
import { accessTokens, grantIn, NoToken, type Grant } from './access-token.ts';
import { callVendor, jsonOf, refusedBy, unreadable, withoutAnswer, type Reply } from './vendor-call.ts';

/** A micro application of a DingTalk organisation. */
export type DingtalkAccount = NonNullable<DistrictSecret['dingtalk']>;

/** What the adapter is built from. */
export type DingtalkOptions = {
  /** `https://oapi.dingtalk.com` in service. */
  endpoint: string;
  /** Asked before every call, so that a rotated secret is taken up without a restart. */
  account: () => Promise<DingtalkAccount>;
  clock: Clock;
  /** Milliseconds for one whole `send` or `ask`, in real time. */
  timeoutMs?: number;
};

const PLATFORM = '钉钉';

/** 88 is a wrapper: what is meant stands in `sub_code` (全局错误码). */
const codeSchema = z
  .object({ errcode: z.int(), sub_code: z.coerce.string().optional() })
  .transform(({ errcode, sub_code }) => (errcode === 88 && sub_code ? sub_code : `${errcode}`));
const sentSchema = z.object({ errcode: z.literal(0), task_id: z.coerce.string().min(1) });
const list = z.array(z.string()).nullish();
const resultSchema = z.object({
  errcode: z.literal(0),
  send_result: z.object({
    read_user_id_list: list,
    unread_user_id_list: list,
    failed_user_id_list: list,
    invalid_user_id_list: list,
    forbidden_user_id_list: list,
    forbidden_list: z.array(z.object({ code: z.coerce.string(), userid: z.string() })).nullish(),
  }),
});

/** The token is not known, not this application's, or has ended (全局错误码). */
const DEAD_TOKEN = new Set(['40001', '40014', '42001']);

/** 全局错误码 and those of the work notices; codes that are not listed need the operator. */
const CAUSES: Record<string, RefusalCause> = {
  '-1': 'moment',
  // Application or organisation, per minute.
  143103: 'moment',
  143104: 'moment',
  33012: 'number',
  40003: 'number',
  1430000: 'number',
  143105: 'limit',
  143106: 'limit',
  34016: 'text',
  1430002: 'text',
};

const refusal = (code: string): SendResult => refusedBy(PLATFORM, CAUSES[code] ?? 'config', code);

const codeOfReply = ({ text }: Reply): string | undefined => codeSchema.safeParse(jsonOf(text)).data;

/** 14:03:20 by Chinese clocks. */
const chineseClock = (at: Date): string => new Date(at.getTime() + 8 * 3_600_000).toISOString().slice(11, 19);

/**
 * Equal words reach a person once a day, the second time it is told that all went well and nothing comes. So each message says when it
 * was sent.
 */
const messageOf = ({ message }: SendRequest, at: Date): Record<string, unknown> => {
  const words = `${message.text}（${chineseClock(at)}）`;
  return message.link === undefined
    ? { msgtype: 'text', text: { content: words } }
    : {
        msgtype: 'action_card',
        action_card: {
          title: message.signName,
          markdown: words,
          single_title: '打开',
          single_url: message.link,
        },
      };
};

/**
 * DingTalk work notices (工作通知: gettoken, asyncsend_v2, getsendresult). Sending only begins a task; what became of it has to be asked
 * for, and is known for 24 hours. Calls only from the application's listed addresses.
 */
export const dingtalk = (options: DingtalkOptions): Sender => {
  const endpoint = options.endpoint.replace(/\/$/, '');
  const timeoutMs = options.timeoutMs ?? 3_000;

  const grant = async ({ appKey, appSecret }: DingtalkAccount, signal: AbortSignal): Promise<Grant> => {
    const query = new URLSearchParams({ appkey: appKey, appsecret: appSecret });
    const reply = await callVendor(`${endpoint}/gettoken?${query.toString()}`, {
      method: 'GET',
      headers: {},
      signal,
    });
    const given = grantIn(jsonOf(reply.text));
    if (given) return given;
    const code = codeOfReply(reply);
    throw code === undefined || code === '0'
      ? new NoToken(`HTTP ${reply.status}`, false)
      : new NoToken(code, true);
  };
  const tokens = accessTokens(options.clock, grant);

  const post = (account: DingtalkAccount, api: string, body: Record<string, unknown>): Promise<Reply> => {
    const signal = AbortSignal.timeout(timeoutMs);
    return tokens.use(
      account,
      signal,
      (token) =>
        callVendor(
          `${endpoint}/topapi/message/corpconversation/${api}?access_token=${encodeURIComponent(token)}`,
          {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify(body),
            signal,
          },
        ),
      (reply) => DEAD_TOKEN.has(codeOfReply(reply) ?? ''),
    );
  };

  const send = async (request: SendRequest): Promise<SendResult> => {
    const account = await options.account();
    let reply: Reply;
    try {
      reply = await post(account, 'asyncsend_v2', {
        agent_id: account.agentId,
        userid_list: request.to,
        msg: messageOf(request, options.clock.now()),
      });
    } catch (error) {
      if (!(error instanceof NoToken)) return withoutAnswer(error, PLATFORM);
      return error.said ? refusal(error.code) : refusedBy(PLATFORM, 'moment', error.code);
    }
    const sent = sentSchema.safeParse(jsonOf(reply.text));
    if (sent.success) return { kind: 'accepted', vendorId: sent.data.task_id };
    const code = codeOfReply(reply);
    return code === undefined || code === '0' ? unreadable(reply.status, PLATFORM) : refusal(code);
  };

  const ask = async ({ to, vendorId }: AskRequest): Promise<AskResult> => {
    // A task is found by its number only: after a lost answer there is nothing to ask by.
    if (vendorId === undefined) return { kind: 'cannot' };
    const account = await options.account();
    try {
      const reply = await post(account, 'getsendresult', {
        agent_id: account.agentId,
        task_id: Number(vendorId),
      });
      const result = resultSchema.safeParse(jsonOf(reply.text));
      if (!result.success) return { kind: 'no-answer' };
      const said = result.data.send_result;
      if (said.read_user_id_list?.includes(to)) return { kind: 'known', state: 'read' };
      if (said.unread_user_id_list?.includes(to)) return { kind: 'known', state: 'delivered' };
      const barred = said.forbidden_list?.find(({ userid }) => userid === to);
      if (barred) return { kind: 'known', state: 'failed', code: barred.code };
      for (const how of ['forbidden_user_id_list', 'failed_user_id_list', 'invalid_user_id_list'] as const)
        if (said[how]?.includes(to)) return { kind: 'known', state: 'failed', code: how };
      return { kind: 'known', state: 'waiting' };
    } catch {
      return { kind: 'no-answer' };
    }
  };

  return { send, ask };
};
