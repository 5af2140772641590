import type { Clock } from '#shared/ports/clock.ts';
import type { Sender, SendRequest, SendResult } from '#shared/ports/sender.ts';
import { outsideAddress } from './outside-address.ts';
import { callVendor, refusedBy, refusedByStatus, withoutAnswer, type Reply } from './vendor-call.ts';
import { webhookHeaders } from './webhook-signature.ts';

/** What the adapter is built from. */
export type WebhookOptions = {
  /** `whsec_…`, the current one first; while keys are rotated every message bears a signature by each. */
  keys: () => Promise<readonly string[]>;
  clock: Clock;
  /** Origins that may be posted to without TLS; none in service. Names within our own network must not be reachable by a roster's cell. */
  plainOrigins?: readonly string[];
  /** Milliseconds for one `send`, in real time. */
  timeoutMs?: number;
};

const PLATFORM = '对方系统';

/**
 * A notice for another system, signed by Standard Webhooks: id, time and words, nothing personal. The id is our attempt's: a post that
 * something in between repeats is known as one by it. It cannot be asked.
 */
export const webhook = (options: WebhookOptions): Sender => {
  const timeoutMs = options.timeoutMs ?? 3_000;

  const send = async ({ attemptId, to, message }: SendRequest): Promise<SendResult> => {
    const url = outsideAddress(to, options.plainOrigins ?? []);
    if (!url) return refusedBy(PLATFORM, 'number', 'address');
    const at = options.clock.now();
    const body = JSON.stringify({
      type: `notice.${message.kind}`,
      timestamp: at.toISOString(),
      data: { text: message.text, ...(message.link === undefined ? {} : { link: message.link }) },
    });
    const headers = webhookHeaders({ id: attemptId, at, body }, await options.keys());
    let reply: Reply;
    try {
      reply = await callVendor(url, {
        method: 'POST',
        headers,
        body,
        signal: AbortSignal.timeout(timeoutMs),
      });
    } catch (error) {
      return withoutAnswer(error, PLATFORM);
    }
    const { status } = reply;
    if (status >= 200 && status < 300) return { kind: 'accepted', vendorId: attemptId };
    // 410: whoever listened there does not want to any more.
    if (status === 410 || status === 404) return refusedBy(PLATFORM, 'number', `HTTP ${status}`);
    return refusedByStatus(status, PLATFORM);
  };

  return { send, ask: async () => ({ kind: 'cannot' }) };
};
