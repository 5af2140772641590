import { createHmac } from 'node:crypto';

/**
 * The headers of a message signed by Standard Webhooks, version 1 (HMAC-SHA256 over id, seconds and raw body), once by each key (`whsec_…`).
 * By hand, because the library carries a hash function of its own into every bundle that only signs.
 */
export const webhookHeaders = (
  { id, at, body }: { id: string; at: Date; body: string },
  keys: readonly string[],
): Record<string, string> => {
  const seconds = Math.floor(at.getTime() / 1000);
  const sign = (key: string) =>
    createHmac('sha256', Buffer.from(key.replace(/^whsec_/, ''), 'base64'))
      .update(`${id}.${seconds}.${body}`, 'utf8')
      .digest('base64');
  return {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': `${seconds}`,
    'webhook-signature': keys.map((key) => `v1,${sign(key)}`).join(' '),
  };
};
