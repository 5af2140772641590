import { createHmac, timingSafeEqual } from 'node:crypto';
import * as z from 'zod';
import type { EmulatedVendor, VendorAnswer, VendorRequest, VendorWorld } from './vendor.ts';

/** What the 110 centre knows of us. */
export interface Centre110 {
  /** `whsec_…`; a message signed by any of them is taken. */
  keys: string[];
}

const MAX_SKEW_S = 5 * 60;
const bodySchema = z.object({
  type: z.enum(['incident.returned', 'incident.closed', 'incident.reopened']),
  timestamp: z.iso.datetime(),
  data: z.looseObject({ callNo: z.string().min(1), sequence: z.int().positive() }),
});

/**
 * The 110 centre's end of the line, written from the Standard Webhooks specification and from the table in `functions/README.md`: HMAC over id, time and raw body, five minutes of tolerance, a known id acknowledged again. What it took stands on the phone `110`.
 * Failures: refuse answers 503 (or `code`) · timeout says nothing · silent answers 200 as some proxy would, without the acknowledgement.
 */
export class Back110 implements EmulatedVendor {
  readonly name = 'back-110';
  readonly channel = 'push';
  readonly actions = ['POST'] as const;
  readonly #centre: Centre110;
  readonly #world: VendorWorld;
  readonly #latest = new Map<string, number>();

  constructor(centre: Centre110, world: VendorWorld) {
    this.#centre = centre;
    this.#world = world;
  }

  /** What was taken, each once, in order of arrival. */
  readonly taken: { id: string; type: string; data: Record<string, unknown> }[] = [];
  /** How often a message came that was older than what 110 knew of its call already. */
  outOfOrder = 0;

  answer(request: VendorRequest): VendorAnswer {
    if (request.method !== 'POST' || request.path !== '/') return { status: 404, body: '' };
    const fault = this.#world.fault('POST', '110');
    if (fault?.mode === 'refuse') return { status: Number(fault.code ?? 503) || 503, body: '' };
    if (fault?.mode === 'timeout' && !fault.recorded) return undefined;
    if (fault?.mode === 'silent') return { status: 200, body: '<html>ok</html>' };

    const id = String(request.headers['webhook-id'] ?? '');
    const timestamp = String(request.headers['webhook-timestamp'] ?? '');
    const now = this.#world.now();
    if (id === '' || !/^\d{1,10}$/.test(timestamp) || Math.abs(now / 1000 - Number(timestamp)) > MAX_SKEW_S)
      return { status: 401, body: '' };
    if (!this.#signed(id, timestamp, request)) return { status: 401, body: '' };
    const body = bodySchema.safeParse(parsed(request.body));
    if (!body.success) return { status: 400, body: '' };
    const { type, data } = body.data;
    // Known already: acknowledged, not shown twice.
    if (this.#world.spendNonce('id', id)) {
      const latest = this.#latest.get(data.callNo) ?? 0;
      if (data.sequence < latest) this.outOfOrder += 1;
      this.#latest.set(data.callNo, Math.max(latest, data.sequence));
      this.taken.push({ id, type, data });
      this.#world.take({
        to: '110',
        at: now,
        text: `${type} ${data.callNo}`,
        template: type,
        vendorId: id,
        ours: id,
        state: 3,
        endedAt: now,
      });
    }
    return fault?.mode === 'timeout' ? undefined : { status: 200, body: { id } };
  }

  #signed(id: string, timestamp: string, { headers, body }: VendorRequest): boolean {
    const given = String(headers['webhook-signature'] ?? '').split(' ');
    return this.#centre.keys.some((key) => {
      const secret = Buffer.from(key.slice('whsec_'.length), 'base64');
      const mac = createHmac('sha256', secret).update(`${id}.${timestamp}.`).update(body).digest('base64');
      return given.some(
        (one) => one.length === mac.length + 3 && timingSafeEqual(Buffer.from(one), Buffer.from(`v1,${mac}`)),
      );
    });
  }
}

const parsed = (body: Buffer): unknown => {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
};
