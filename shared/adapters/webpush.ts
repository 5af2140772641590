import { createHash, createPrivateKey, sign } from 'node:crypto';
import * as z from 'zod';
import type { DistrictSecret } from '#shared/contracts/secret.ts';
import type { Clock } from '#shared/ports/clock.ts';
import type { Message, Sender, SendRequest, SendResult } from '#shared/ports/sender.ts';
import { encryptPush } from './push-encryption.ts';
import { pushServiceAddress } from './push-service-address.ts';
import { callVendor, refusedBy, refusedByStatus, withoutAnswer, type Reply } from './vendor-call.ts';

/** Our key pair for push services, base64url as `web-push generate-vapid-keys` writes it, and who answers for it. */
export type VapidAccount = NonNullable<DistrictSecret['webpush']>;

/** What the adapter is built from. */
export type WebpushOptions = {
  /** Asked before every call, so that a rotated key is taken up without a restart; subscriptions are bound to the old one, though. */
  account: () => Promise<VapidAccount>;
  clock: Clock;
  /** Origins that may be posted to without TLS; none in service. A subscription's address is whatever a browser has told us. */
  plainOrigins?: readonly string[];
  /** Milliseconds for one `send`, in real time. */
  timeoutMs?: number;
};

const PLATFORM = '浏览器推送';
/** A browser that is off for longer has been reached otherwise, or is not asked any more. */
const LIVES_S = 60;
/** RFC 8292 §2 allows a day; shorter is enough for one call. */
const TOKEN_S = 600;

/** A `PushSubscription` as the browser writes it as JSON. */
const subscriptionSchema = z.object({
  endpoint: z.string(),
  keys: z.object({ p256dh: z.string(), auth: z.string() }),
});

const subscriptionIn = (to: string): z.infer<typeof subscriptionSchema> | undefined => {
  try {
    return subscriptionSchema.parse(JSON.parse(to));
  } catch {
    return undefined;
  }
};

/** What our service worker shows; `tag`: a second one with the same replaces the first on the screen. */
const payloadOf = (attemptId: string, { signName, text, link }: Message): string =>
  JSON.stringify({ title: signName, text, tag: attemptId, ...(link === undefined ? {} : { link }) });

/** `Authorization` by RFC 8292: a token for this push service, signed with our key. @throws Error if the secret holds no pair of keys. */
const vapid = (account: VapidAccount, origin: string, now: Date): string => {
  const point = Buffer.from(account.publicKey, 'base64url');
  const key = createPrivateKey({
    key: {
      kty: 'EC',
      crv: 'P-256',
      x: point.subarray(1, 33).toString('base64url'),
      y: point.subarray(33).toString('base64url'),
      d: account.privateKey,
    },
    format: 'jwk',
  });
  const part = (json: unknown): string => Buffer.from(JSON.stringify(json)).toString('base64url');
  const exp = Math.floor(now.getTime() / 1000) + TOKEN_S;
  const signed = `${part({ typ: 'JWT', alg: 'ES256' })}.${part({ aud: origin, exp, sub: account.subject })}`;
  const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' });
  return `vapid t=${signed}.${signature.toString('base64url')}, k=${account.publicKey}`;
};

/**
 * Web Push (RFC 8030, 8291, 8292). The push service takes it and never says what became of it. Sent again, an attempt replaces itself
 * while it waits (`Topic`) and on the screen (`tag`), so that nobody is rung twice by one. In mainland China only some browsers have a
 * push service that can be reached: never the only channel.
 */
export const webpush = (options: WebpushOptions): Sender => {
  const timeoutMs = options.timeoutMs ?? 3_000;

  const send = async ({ attemptId, to, message }: SendRequest): Promise<SendResult> => {
    const subscription = subscriptionIn(to);
    const url = subscription && pushServiceAddress(subscription.endpoint, options.plainOrigins ?? []);
    if (!subscription || !url) return refusedBy(PLATFORM, 'number', 'subscription');
    const account = await options.account();
    let body: Buffer<ArrayBuffer>;
    try {
      body = encryptPush(payloadOf(attemptId, message), subscription.keys);
    } catch {
      return refusedBy(PLATFORM, 'number', 'keys');
    }
    let authorization: string;
    try {
      authorization = vapid(account, url.origin, options.clock.now());
    } catch {
      return refusedBy(PLATFORM, 'config', 'VAPID');
    }
    let reply: Reply;
    try {
      reply = await callVendor(url, {
        method: 'POST',
        headers: {
          authorization,
          'content-type': 'application/octet-stream',
          'content-encoding': 'aes128gcm',
          ttl: `${LIVES_S}`,
          urgency: 'high',
          topic: createHash('sha256').update(attemptId).digest('base64url').slice(0, 32),
        },
        body,
        signal: AbortSignal.timeout(timeoutMs),
      });
    } catch (error) {
      return withoutAnswer(error, PLATFORM);
    }
    const { status } = reply;
    if (status >= 200 && status < 300) return { kind: 'accepted', vendorId: attemptId };
    if (status === 404 || status === 410)
      return {
        kind: 'refused',
        temporary: false,
        cause: 'number',
        code: `HTTP ${status}`,
        sentence: `这台设备的推送订阅已失效，请重新开启通知（HTTP ${status}）`,
        gone: [to],
      };
    if (status === 413) return refusedBy(PLATFORM, 'text', 'HTTP 413');
    return refusedByStatus(status, PLATFORM);
  };

  return { send, ask: async () => ({ kind: 'cannot' }) };
};
