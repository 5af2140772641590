import * as z from 'zod';
import type { DistrictSecret } from '#shared/contracts/secret.ts';
import type { Clock } from '#shared/ports/clock.ts';
import type { RefusalCause, Sender, SendRequest, SendResult } from '#shared/ports/sender.ts';
import { accessTokens, grantIn, NoToken, type Grant } from './access-token.ts';
import { callVendor, jsonOf, refusedBy, unreadable, withoutAnswer, type Reply } from './vendor-call.ts';

/** An application of a WeCom corporation. */
export type WecomAccount = NonNullable<DistrictSecret['wecom']>;

/** What the adapter is built from. */
export type WecomOptions = {
  /** `https://qyapi.weixin.qq.com` in service. */
  endpoint: string;
  /** Asked before every call, so that a rotated secret is taken up without a restart. */
  account: () => Promise<WecomAccount>;
  clock: Clock;
  /** Milliseconds for one whole `send`, in real time. */
  timeoutMs?: number;
};

const PLATFORM = '企业微信';
/**
 * Equal requests within so many seconds reach a member once. Long enough for a call that a queue has handed out twice; shorter than any
 * second notice that is meant (a reassign, a nag), which has the same words.
 */
const DUPLICATE_S = 60;

const answerSchema = z.object({
  errcode: z.int(),
  msgid: z.string().min(1).optional(),
  /** Members that it was not sent to, in lower case, joined by |. */
  invaliduser: z.string().default(''),
  unlicenseduser: z.string().default(''),
});
const errorSchema = z.object({ errcode: z.int() });

/** The token is not known or has ended (全局错误码). WeCom may end one early: fetch it anew. */
const DEAD_TOKEN = new Set([40014, 42001]);

/** 全局错误码 (developer.work.weixin.qq.com/document/path/90455); those that are not listed need the operator. */
const CAUSES: Record<string, RefusalCause> = {
  '-1': 'moment',
  // One corporation calls one API too often at once.
  45033: 'moment',
  40003: 'number',
  40031: 'number',
  46004: 'number',
  60111: 'number',
  81013: 'number',
  44004: 'text',
  45002: 'text',
  45003: 'text',
  45004: 'text',
  // Blocked for a minute, an hour or the day: other channels are quicker.
  45009: 'limit',
};

const refusal = (errcode: number | string): SendResult =>
  refusedBy(PLATFORM, CAUSES[errcode] ?? 'config', `${errcode}`);

const names = (list: string, to: string): boolean => list.toLowerCase().split('|').includes(to.toLowerCase());

/** A card's description understands markup; what a caller's words brought in must not become any. */
const plain = (text: string): string => text.replaceAll('<', '＜').replaceAll('>', '＞');

const bodyOf = ({ to, message }: SendRequest, agentId: number): string =>
  JSON.stringify({
    touser: to,
    agentid: agentId,
    ...(message.link === undefined
      ? { msgtype: 'text', text: { content: message.text } }
      : {
          msgtype: 'textcard',
          textcard: {
            title: message.signName,
            description: plain(message.text),
            url: message.link,
            btntxt: '打开',
          },
        }),
    enable_duplicate_check: 1,
    duplicate_check_interval: DUPLICATE_S,
  });

/**
 * WeCom application messages (获取access_token, 发送应用消息). Accepted is all it ever tells: no receipt, no query, and beyond 30 a minute
 * for a member it drops without a word. Calls only from the application's trusted addresses (60020 elsewhere).
 */
export const wecom = (options: WecomOptions): Sender => {
  const endpoint = options.endpoint.replace(/\/$/, '');
  const timeoutMs = options.timeoutMs ?? 3_000;

  const grant = async ({ corpId, secret }: WecomAccount, signal: AbortSignal): Promise<Grant> => {
    const query = new URLSearchParams({ corpid: corpId, corpsecret: secret });
    const { status, text } = await callVendor(`${endpoint}/cgi-bin/gettoken?${query.toString()}`, {
      method: 'GET',
      headers: {},
      signal,
    });
    const json = jsonOf(text);
    const given = grantIn(json);
    if (given) return given;
    const error = errorSchema.safeParse(json);
    throw new NoToken(
      error.success && error.data.errcode !== 0 ? `${error.data.errcode}` : `HTTP ${status}`,
      error.success,
    );
  };
  const tokens = accessTokens(options.clock, grant);

  const send = async (request: SendRequest): Promise<SendResult> => {
    const account = await options.account();
    const body = bodyOf(request, account.agentId);
    const signal = AbortSignal.timeout(timeoutMs);
    let reply: Reply;
    try {
      reply = await tokens.use(
        account,
        signal,
        (token) =>
          callVendor(`${endpoint}/cgi-bin/message/send?access_token=${encodeURIComponent(token)}`, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body,
            signal,
          }),
        ({ text }) => DEAD_TOKEN.has(errorSchema.safeParse(jsonOf(text)).data?.errcode ?? 0),
      );
    } catch (error) {
      if (!(error instanceof NoToken)) return withoutAnswer(error, PLATFORM);
      return error.said ? refusal(error.code) : refusedBy(PLATFORM, 'moment', error.code);
    }
    const answer = answerSchema.safeParse(jsonOf(reply.text));
    if (!answer.success) return unreadable(reply.status, PLATFORM);
    const { errcode, msgid, invaliduser, unlicenseduser } = answer.data;
    if (errcode !== 0) return refusal(errcode);
    // It says «ok» although the only one it was meant for does not get it.
    if (names(invaliduser, request.to)) return refusedBy(PLATFORM, 'number', 'invaliduser');
    if (names(unlicenseduser, request.to)) return refusedBy(PLATFORM, 'number', 'unlicenseduser');
    return msgid === undefined ? unreadable(reply.status, PLATFORM) : { kind: 'accepted', vendorId: msgid };
  };

  return { send, ask: async () => ({ kind: 'cannot' }) };
};
