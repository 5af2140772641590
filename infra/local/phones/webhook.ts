import { createHmac, timingSafeEqual } from 'node:crypto';
import * as z from 'zod';
import type { EmulatedVendor, VendorAnswer, VendorRequest, VendorWorld } from './vendor.ts';

/** What the listener knows. */
export interface WebhookListener {
  /** `whsec_…`; a message signed by any of them is taken. */
  keys: string[];
}

const MAX_SKEW_S = 5 * 60;
const bodySchema = z.object({
  type: z.string(),
  timestamp: z.iso.datetime(),
  data: z.object({ text: z.string(), link: z.string().optional() }),
});

/**
 * A system of somebody else's that listens to Standard Webhooks, written from the specification: HMAC over id, time and raw body, five
 * minutes of tolerance, an id taken once and acknowledged again. The listener's name is what stands behind `/`.
 */
export class WebhookSystem implements EmulatedVendor {
  readonly name = 'webhook';
  readonly channel = 'chat';
  readonly actions = ['POST'] as const;
  readonly #listener: WebhookListener;
  readonly #world: VendorWorld;

  constructor(listener: WebhookListener, world: VendorWorld) {
    this.#listener = listener;
    this.#world = world;
  }

  answer(request: VendorRequest): VendorAnswer {
    const to = decodeURIComponent(request.path.slice(1));
    if (request.method !== 'POST' || to === '') return { status: 404, body: '' };
    const fault = this.#world.fault('POST', to);
    if (fault?.mode === 'refuse') return { status: Number(fault.code ?? 503) || 503, body: '' };
    if (fault?.mode === 'timeout' && !fault.recorded) return undefined;

    const id = String(request.headers['webhook-id'] ?? '');
    const timestamp = String(request.headers['webhook-timestamp'] ?? '');
    const now = this.#world.now();
    if (id === '' || !/^\d{1,10}$/.test(timestamp) || Math.abs(now / 1000 - Number(timestamp)) > MAX_SKEW_S)
      return { status: 401, body: '' };
    const signatures = String(request.headers['webhook-signature'] ?? '').split(' ');
    if (
      !this.#listener.keys.some((key) =>
        signatures.some((one) => isOf(key, one, id, timestamp, request.body)),
      )
    )
      return { status: 401, body: '' };
    const body = bodySchema.safeParse(parsed(request.body));
    if (!body.success) return { status: 400, body: '' };
    const { text, link } = body.data.data;
    // Known already: acknowledged, not shown twice.
    if (this.#world.spendNonce('id', id))
      this.#world.take({
        to,
        at: now,
        text,
        template: body.data.type,
        vendorId: id,
        ours: id,
        state: fault?.mode === 'silent' ? 1 : 3,
        endedAt: fault?.mode === 'silent' ? 0 : now,
        more: link === undefined ? {} : { link },
      });
    return fault?.mode === 'timeout' ? undefined : { status: 204, body: '' };
  }
}

function isOf(key: string, signature: string, id: string, timestamp: string, body: Buffer): boolean {
  const [version, given = ''] = signature.split(',');
  const secret = Buffer.from(key.replace(/^whsec_/, ''), 'base64');
  const expected = createHmac('sha256', secret).update(`${id}.${timestamp}.`).update(body).digest();
  const bytes = Buffer.from(given, 'base64');
  // Compared as text as well: base64 of other spelling is another signature.
  return (
    version === 'v1' &&
    bytes.length === expected.length &&
    given === expected.toString('base64') &&
    timingSafeEqual(bytes, expected)
  );
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
