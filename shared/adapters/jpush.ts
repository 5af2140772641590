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
import {
  callVendor,
  codeOf,
  jsonOf,
  refusedBy,
  unreadable,
  withoutAnswer,
  type Reply,
} from './vendor-call.ts';

/** An application at JPush. */
export type JpushAccount = NonNullable<DistrictSecret['jpush']>;

/** What the adapter is built from. */
export type JpushOptions = {
  /** `https://api.jpush.cn` in service. */
  endpoint: string;
  /** `https://report.jpush.cn` in service: what has arrived is asked elsewhere. */
  reportEndpoint: string;
  /** Asked before every call, so that a rotated secret is taken up without a restart. */
  account: () => Promise<JpushAccount>;
  clock: Clock;
  /** Milliseconds for one whole `send` or `ask`, in real time. */
  timeoutMs?: number;
};

const PLATFORM = '极光推送';
/** A phone that is off for longer has been reached otherwise, or is not asked any more. */
const LIVES_S = 60;
/** As many as an application that pays nothing gets at once. */
const CIDS = 10;
/** A cid holds for a day; one is not used that might end on its way. */
const CIDS_LIVE_MS = 23 * 3_600_000;
/** Devices of attempts whose cid is remembered, for the case that one is sent again. */
const REMEMBERED = 200;

const cidsSchema = z.object({ cidlist: z.array(z.string().min(1)).min(1) });
const sentSchema = z.object({ msg_id: z.coerce.string().min(1), error: z.undefined().optional() });
const errorSchema = z.object({ error: z.object({ code: z.coerce.string() }) });
const count = z.number().nullish();
const reportSchema = z.array(
  z.object({
    msg_id: z.coerce.string(),
    jpush_received: count,
    android_pns_received: count,
    ios_apns_received: count,
    hmos_hmpns_received: count,
  }),
);

/** No device has this registration id, or it was not seen for 255 days. */
const GONE = '1011';
/** «调用返回» of Push API v3. Others need the operator. */
const CAUSES: Record<string, RefusalCause> = {
  1005: 'text',
  [GONE]: 'number',
  2002: 'moment',
  2005: 'limit',
};

/**
 * JPush notifications to one device (Push API v3). A cid makes the second sending of one attempt to one device harmless within a day, but only
 * such as JPush itself has handed out; so they are fetched a few at a time. Written for the day on which there is an app.
 */
export const jpush = (options: JpushOptions): Sender => {
  const base = (address: string): string => address.replace(/\/$/, '');
  const timeoutMs = options.timeoutMs ?? 3_000;
  const used = new Map<string, string>();
  let pool: { of: string; until: number; cids: string[] } = { of: '', until: 0, cids: [] };

  const call = (account: JpushAccount, url: string, signal: AbortSignal, body?: unknown): Promise<Reply> =>
    callVendor(url, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${account.appKey}:${account.masterSecret}`).toString('base64')}`,
        'content-type': 'application/json',
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal,
    });

  const refusal = (code: string): SendResult => refusedBy(PLATFORM, CAUSES[code] ?? 'config', code);

  /** The cid of an attempt at a device, or why there is none: nothing has been sent then. */
  const cidOf = async (
    account: JpushAccount,
    sending: string,
    signal: AbortSignal,
  ): Promise<{ cid: string } | { none: SendResult }> => {
    const now = options.clock.now().getTime();
    if (now >= pool.until) used.clear();
    const known = used.get(sending);
    if (known !== undefined) return { cid: known };
    if (pool.of !== account.appKey || pool.cids.length === 0 || now >= pool.until) {
      let reply: Reply;
      try {
        reply = await call(account, `${base(options.endpoint)}/v3/push/cid?count=${CIDS}`, signal);
      } catch (error) {
        return { none: refusedBy(PLATFORM, 'moment', codeOf(error)) };
      }
      const json = jsonOf(reply.text);
      const given = cidsSchema.safeParse(json);
      if (!given.success) {
        const error = errorSchema.safeParse(json);
        return {
          none: error.success
            ? refusal(error.data.error.code)
            : refusedBy(PLATFORM, 'moment', `HTTP ${reply.status}`),
        };
      }
      pool = { of: account.appKey, until: now + CIDS_LIVE_MS, cids: given.data.cidlist };
    }
    const cid = pool.cids.shift() ?? '';
    used.set(sending, cid);
    const [oldest] = used.keys();
    if (used.size > REMEMBERED && oldest !== undefined) used.delete(oldest);
    return { cid };
  };

  const send = async ({ attemptId, to, message }: SendRequest): Promise<SendResult> => {
    const account = await options.account();
    const signal = AbortSignal.timeout(timeoutMs);
    const taken = await cidOf(account, `${attemptId} ${to}`, signal);
    if ('none' in taken) return taken.none;
    const extras = { attempt: attemptId, ...(message.link === undefined ? {} : { link: message.link }) };
    let reply: Reply;
    try {
      reply = await call(account, `${base(options.endpoint)}/v3/push`, signal, {
        cid: taken.cid,
        platform: 'all',
        audience: { registration_id: [to] },
        notification: {
          android: { alert: message.text, title: message.signName, extras },
          ios: { alert: message.text, sound: 'default', extras },
        },
        options: { time_to_live: LIVES_S, apns_production: true },
      });
    } catch (error) {
      return withoutAnswer(error, PLATFORM);
    }
    const json = jsonOf(reply.text);
    const sent = sentSchema.safeParse(json);
    if (reply.status === 200 && sent.success) return { kind: 'accepted', vendorId: sent.data.msg_id };
    const error = errorSchema.safeParse(json);
    // 500 and 503 are also said after a time-out inside: it may have gone out.
    if (!error.success || reply.status >= 500) return unreadable(reply.status, PLATFORM);
    const { code } = error.data.error;
    return { ...refusal(code), ...(code === GONE ? { gone: [to] } : {}) };
  };

  const ask = async ({ vendorId }: AskRequest): Promise<AskResult> => {
    if (vendorId === undefined) return { kind: 'cannot' };
    const account = await options.account();
    const url = `${base(options.reportEndpoint)}/v3/received/detail?msg_ids=${encodeURIComponent(vendorId)}`;
    try {
      const reply = await call(account, url, AbortSignal.timeout(timeoutMs));
      const report = reportSchema.safeParse(jsonOf(reply.text));
      if (!report.success) return { kind: 'no-answer' };
      // One of our ids stands for a message to each of his devices.
      const sent = vendorId.split(',');
      const devices = report.data
        .filter((one) => sent.includes(one.msg_id))
        .flatMap((one) => [
          one.jpush_received ?? 0,
          one.android_pns_received ?? 0,
          one.ios_apns_received ?? 0,
          one.hmos_hmpns_received ?? 0,
        ])
        .reduce((sum, n) => sum + n, 0);
      // Counts come late and only from phones that report: none is no proof that nothing came.
      return { kind: 'known', state: devices > 0 ? 'delivered' : 'waiting' };
    } catch {
      return { kind: 'no-answer' };
    }
  };

  return { send, ask };
};
