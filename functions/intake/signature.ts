import { createHmac, timingSafeEqual } from 'node:crypto';
import { Webhook } from 'standardwebhooks';

/** Standard Webhooks: how far the sender's clock may be from ours, in seconds. */
const TOLERANCE_SECONDS = 300;

/** What a signature is worth. */
export type Signature = 'valid' | 'missing' | 'stale' | 'wrong';

const textOf = (raw: Buffer): string | undefined => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(raw);
  } catch {
    return undefined;
  }
};

/** The signature of these very bytes. The package signs text only; bytes that are no text are signed here. */
const expected = (key: string, id: string, seconds: number, raw: Buffer): string => {
  const text = textOf(raw);
  if (text !== undefined) return new Webhook(key).sign(id, new Date(seconds * 1000), text);
  const secret = Buffer.from(key.slice('whsec_'.length), 'base64');
  return `v1,${createHmac('sha256', secret).update(`${id}.${seconds}.`).update(raw).digest('base64')}`;
};

const equal = (a: string, b: string): boolean => {
  const [one, other] = [Buffer.from(a), Buffer.from(b)];
  return one.length === other.length && timingSafeEqual(one, other);
};

/**
 * Checks a Standard Webhooks signature over the raw bytes under any of several keys. The package's own `verify` looks at
 * the machine's clock; ours is a port, so the time is checked here and only the signing is the package's.
 */
export const checkSignature = (
  keys: readonly string[],
  headers: Readonly<Record<string, string>>,
  raw: Buffer,
  now: Date,
): Signature => {
  const [id, timestamp, signatures] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map(
    (name) => headers[name] ?? '',
  );
  if (!id || !timestamp || !signatures) return 'missing';
  if (!/^\d{1,12}$/.test(timestamp)) return 'wrong';
  const seconds = Number(timestamp);
  if (Math.abs(Math.floor(now.getTime() / 1000) - seconds) > TOLERANCE_SECONDS) return 'stale';
  const given = signatures.split(' ').filter((one) => one.startsWith('v1,'));
  const wanted = keys.map((key) => expected(key, id, seconds, raw));
  return given.some((one) => wanted.some((want) => equal(one, want))) ? 'valid' : 'wrong';
};
