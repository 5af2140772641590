import { randomInt, randomUUID } from 'node:crypto';
import * as z from 'zod';
import type { EmulatedVendor, VendorAnswer, VendorRequest, VendorWorld } from './vendor.ts';

/** What the emulated application knows and allows. */
export interface JpushApplication {
  appKey: string;
  masterSecret: string;
  /** Registration ids that were given out; every one if left out. */
  registered?: readonly string[];
}

const DAY_MS = 86_400_000;
const MOST_BYTES = 4_000;
/** HTTP status of an error; 400 for the others. */
const STATUS: Record<number, number> = {
  1000: 500,
  1004: 401,
  1030: 503,
  2002: 429,
  2003: 403,
  2004: 403,
  2005: 403,
};

const pushSchema = z.object({
  cid: z.string().optional(),
  platform: z.union([z.literal('all'), z.array(z.enum(['android', 'ios', 'quickapp', 'hmos']))]),
  audience: z.strictObject({ registration_id: z.array(z.string().min(1)).min(1).max(1_000) }),
  notification: z.object({
    alert: z.string().optional(),
    android: z
      .object({
        alert: z.string().min(1),
        title: z.string().optional(),
        extras: z.record(z.string(), z.string()).optional(),
      })
      .optional(),
  }),
  options: z
    .object({
      time_to_live: z
        .int()
        .min(0)
        .max(10 * 86_400)
        .optional(),
      sendno: z.int().optional(),
    })
    .loose()
    .optional(),
});

/**
 * JPush as its documents describe Push API v3, its cid and «送达统计详情»: Basic authentication, errors by HTTP status and
 * `error.code`; a cid that is used again is answered with the first result and sends nothing.
 */
export class Jpush implements EmulatedVendor {
  readonly name = 'jpush';
  readonly channel = 'push';
  readonly actions = ['push', 'cid', 'received'] as const;
  readonly #application: JpushApplication;
  readonly #world: VendorWorld;
  /** Given cids, with the answer that their first use got. */
  readonly #cids = new Map<string, { at: number; answer?: Record<string, unknown> }>();

  constructor(application: JpushApplication, world: VendorWorld) {
    this.#application = application;
    this.#world = world;
  }

  answer(request: VendorRequest): VendorAnswer {
    const { appKey, masterSecret } = this.#application;
    const expected = `Basic ${Buffer.from(`${appKey}:${masterSecret}`).toString('base64')}`;
    if (request.headers.authorization !== expected) return error(401, 1004, 'Basic authentication failed');
    switch (`${request.method} ${request.path}`) {
      case 'POST /v3/push':
        return this.#push(request);
      case 'GET /v3/push':
        return error(405, 1001, 'Only support HTTP Post method');
      case 'GET /v3/push/cid':
        return this.#give(new URLSearchParams(request.query));
      case 'GET /v3/received/detail':
        return this.#received(new URLSearchParams(request.query));
      default:
        return { status: 404, body: '' };
    }
  }

  #give(query: URLSearchParams): VendorAnswer {
    const fault = this.#world.fault('cid', this.#application.appKey);
    if (fault?.mode === 'refuse') return error(429, Number(fault.code ?? 2002), 'Rate limit exceeded');
    if (fault) return undefined;
    const count = Math.min(10, Math.max(1, Number(query.get('count') ?? 1) || 1));
    const cidlist = Array.from({ length: count }, () => `${this.#application.appKey}-${randomUUID()}`);
    for (const cid of cidlist) this.#cids.set(cid, { at: this.#world.now() });
    return { status: 200, body: { cidlist } };
  }

  #push(request: VendorRequest): VendorAnswer {
    if (request.body.length > MOST_BYTES) return error(400, 1005, 'The message is too long');
    const parsed = pushSchema.safeParse(json(request.body));
    if (!parsed.success) return error(400, 1003, 'Invalid parameter');
    const { cid, audience, notification, options } = parsed.data;
    const text = notification.android?.alert ?? notification.alert;
    if (text === undefined) return error(400, 1002, 'Missing required parameters');
    const fault = this.#world.fault('push', audience.registration_id[0] ?? '');
    if (fault?.mode === 'refuse') {
      const code = Number(fault.code ?? 2002);
      return error(STATUS[code] ?? 400, code, 'Refused');
    }
    if (fault?.mode === 'timeout' && !fault.recorded) return undefined;

    const now = this.#world.now();
    const given = cid === undefined ? undefined : this.#cids.get(cid);
    if (cid !== undefined && (given === undefined || now - given.at > DAY_MS))
      return error(400, 1003, 'cid is invalid');
    if (given?.answer) return { status: 200, body: given.answer };

    const { registered } = this.#application;
    const reached = audience.registration_id.filter((id) => registered?.includes(id) ?? true);
    if (reached.length === 0)
      return error(
        400,
        1011,
        'cannot find user by this audience or has been inactive for more than 255 days',
      );
    const body = { sendno: `${options?.sendno ?? 0}`, msg_id: `${randomInt(2 ** 46, 2 ** 47)}` };
    if (given) given.answer = body;
    const silent = fault?.mode === 'silent';
    const link = notification.android?.extras?.['link'];
    for (const id of reached)
      this.#world.take({
        to: id,
        at: now,
        text: notification.android?.title ? `${notification.android.title}\n${text}` : text,
        template: '',
        vendorId: body.msg_id,
        ours: cid ?? '',
        state: silent ? 1 : 3,
        endedAt: silent ? 0 : now,
        more: link === undefined ? {} : { link },
      });
    return fault?.mode === 'timeout' ? undefined : { status: 200, body };
  }

  #received(query: URLSearchParams): VendorAnswer {
    const ids = (query.get('msg_ids') ?? '').split(',').filter(Boolean);
    if (ids.length === 0 || ids.length > 100) return error(400, 3002, 'msg_ids is invalid');
    const fault = this.#world.fault('received', this.#world.byVendorId(ids[0] ?? '')[0]?.to ?? '');
    if (fault?.mode === 'refuse') return error(500, Number(fault.code ?? 1000), 'Internal error');
    if (fault) return undefined;
    const rows = ids.map((id) => {
      const devices = this.#world.byVendorId(id).filter((m) => m.state === 3).length;
      return {
        msg_id: id,
        jpush_received: devices || null,
        android_pns_received: null,
        ios_apns_received: null,
      };
    });
    return { status: 200, body: JSON.stringify(rows), headers: { 'content-type': 'application/json' } };
  }
}

const error = (status: number, code: number, message: string): NonNullable<VendorAnswer> => ({
  status,
  body: { error: { code, message } },
});

function json(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
