import { relayedAnswerSchema } from '../contracts/back-to-110.ts';
import type { Centre, CentreAnswer } from '../ports/centre.ts';
import type { Clock } from '../ports/clock.ts';
import { callVendor, codeOf, jsonOf } from './vendor-call.ts';
import { webhookHeaders } from './webhook-signature.ts';

/** What the adapter is built from. */
export type BackTo110Options = {
  /** Where the centre listens. */
  address: string;
  /** `whsec_…`, the current one first; while keys are rotated every message bears a signature by each. Empty: not configured. */
  keys: () => Promise<readonly string[]>;
  clock: Clock;
  /** Milliseconds for one try, in real time. */
  timeoutMs?: number;
};

/**
 * The 110 centre over a signed webhook (Standard Webhooks): POST with `webhook-id`, `webhook-timestamp` and `webhook-signature`. It
 * acknowledges by 2xx and `{ "id": "<webhook-id>" }`.
 */
export const backTo110 = ({ address, keys, clock, timeoutMs = 3_000 }: BackTo110Options): Centre => ({
  async tell({ id, body }): Promise<CentreAnswer> {
    try {
      const held = await keys();
      if (held.length === 0) return { kind: 'not', code: 'no-keys' };
      const { status, text } = await callVendor(address, {
        method: 'POST',
        headers: webhookHeaders({ id, at: clock.now(), body }, held),
        body,
        signal: AbortSignal.timeout(timeoutMs),
      });
      if (status < 200 || status >= 300) return { kind: 'not', code: `HTTP ${status}` };
      const answer = relayedAnswerSchema.safeParse(jsonOf(text));
      return answer.success && answer.data.id === id
        ? { kind: 'acknowledged' }
        : { kind: 'not', code: 'no-acknowledgement' };
    } catch (error) {
      return { kind: 'not', code: codeOf(error) };
    }
  },
});
