import { createDecipheriv, createECDH, createPublicKey, hkdfSync, randomBytes, verify } from 'node:crypto';
import * as z from 'zod';
import type { EmulatedVendor, VendorAnswer, VendorRequest, VendorWorld } from './vendor.ts';

/** What a page hands to its server after `pushManager.subscribe`, as JSON. */
export interface Subscription {
  endpoint: string;
  keys: { p256dh: string; auth: string };
}

/** What a browser makes up for a subscription. */
export interface BrowserKeys {
  pair: ReturnType<typeof createECDH>;
  auth: Buffer;
}

interface Browser extends BrowserKeys {
  whose: string;
  /** The `applicationServerKey` it subscribed with: nobody else's messages are taken (RFC 8292 §4). */
  serverKey: string;
  gone: boolean;
}

const DAY_S = 86_400;
const MOST_BYTES = 4_096;
const payloadSchema = z.object({
  title: z.string().default(''),
  text: z.string(),
  tag: z.string().optional(),
  link: z.string().optional(),
});
const claimsSchema = z.object({ aud: z.string(), exp: z.number(), sub: z.string().optional() });

/**
 * A push service with the browsers behind it, from RFC 8030 (TTL, Urgency, Topic), 8291 and 8188 (aes128gcm) and 8292 (VAPID). The
 * service sees ciphertext only; the browser decrypts, and shows nothing that it cannot read. Subscriptions die with the emulator.
 */
export class WebPushService implements EmulatedVendor {
  readonly name = 'webpush';
  readonly channel = 'push';
  readonly actions = ['push'] as const;
  readonly #world: VendorWorld;
  readonly #browsers = new Map<string, Browser>();

  constructor(world: VendorWorld) {
    this.#world = world;
  }

  /**
   * Somebody allows notifications. `base`: where this service is found; `serverKey`: the VAPID public key that the page named; `keys`:
   * new ones unless given.
   */
  subscribe(whose: string, base: string, serverKey: string, keys: BrowserKeys = newKeys()): Subscription {
    const id = randomBytes(24).toString('base64url');
    this.#browsers.set(id, { whose, serverKey, ...keys, gone: false });
    const { pair, auth } = keys;
    return {
      endpoint: `${base}/push/${id}`,
      keys: { p256dh: pair.getPublicKey('base64url'), auth: auth.toString('base64url') },
    };
  }

  /** He takes the permission back: the service says 410 from now on. */
  unsubscribe(subscription: Pick<Subscription, 'endpoint'>): void {
    const browser = this.#browsers.get(subscription.endpoint.split('/').at(-1) ?? '');
    if (browser) browser.gone = true;
  }

  answer(request: VendorRequest): VendorAnswer {
    const id = /^\/push\/([\w-]+)$/.exec(request.path)?.[1] ?? '';
    const browser = this.#browsers.get(id);
    if (!browser) return refused(404, 'There is no such subscription.');
    if (request.method !== 'POST') return refused(405, 'POST only.');
    const fault = this.#world.fault('push', browser.whose);
    if (fault?.mode === 'refuse') return refused(Number(fault.code ?? 503) || 503, 'Refused.');
    if (fault?.mode === 'timeout' && !fault.recorded) return undefined;
    if (browser.gone) return refused(410, 'The subscription is gone.');

    const barred = this.#barred(request, browser);
    if (barred) return barred;
    const ttl = header(request, 'ttl');
    if (!/^\d+$/.test(ttl)) return refused(400, 'TTL is missing.');
    if (!['', 'very-low', 'low', 'normal', 'high'].includes(header(request, 'urgency')))
      return refused(400, 'Urgency is not known.');
    if (!/^[\w-]{0,32}$/.test(header(request, 'topic'))) return refused(400, 'Topic is too long.');
    if (header(request, 'content-encoding') !== 'aes128gcm') return refused(400, 'Only aes128gcm.');
    if (request.body.length > MOST_BYTES) return refused(413, 'Payload too large.');

    const message = randomBytes(16).toString('base64url');
    const payload = payloadSchema.safeParse(decrypted(request.body, browser));
    const now = this.#world.now();
    // With the same tag the browser replaces a notification that is still shown: nobody sees two.
    const tag = payload.data?.tag ?? '';
    const shown = tag !== '' && this.#world.sentTo(browser.whose, 0, now + 1).some((m) => m.ours === tag);
    if (!shown)
      this.#world.take({
        to: browser.whose,
        at: now,
        text: payload.data ? `${payload.data.title}\n${payload.data.text}` : '',
        template: '',
        vendorId: message,
        ours: tag,
        state: fault?.mode === 'silent' ? 1 : payload.data ? 3 : 2,
        endedAt: fault?.mode === 'silent' ? 0 : now,
        more: payload.data?.link === undefined ? {} : { link: payload.data.link },
      });
    if (fault?.mode === 'timeout') return undefined;
    return { status: 201, body: '', headers: { location: `${origin(request)}/m/${message}`, ttl } };
  }

  /** RFC 8292: a token for this origin, not older than a day may be, by the key that the browser subscribed with. */
  #barred(request: VendorRequest, { serverKey }: Browser): VendorAnswer {
    const [, token = '', key = ''] =
      /^vapid t=([\w.-]+), ?k=([\w-]+)$/.exec(header(request, 'authorization')) ?? [];
    const [head = '', claims = '', signature = ''] = token.split('.');
    if (key !== serverKey) return refused(403, 'Another key than that of the subscription.');
    const point = Buffer.from(key, 'base64url');
    const jwk = {
      kty: 'EC',
      crv: 'P-256',
      x: point.subarray(1, 33).toString('base64url'),
      y: point.subarray(33).toString('base64url'),
    };
    const signed = verify(
      'sha256',
      Buffer.from(`${head}.${claims}`),
      { key: createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' },
      Buffer.from(signature, 'base64url'),
    );
    const said = claimsSchema.safeParse(json(Buffer.from(claims, 'base64url')));
    const now = this.#world.now() / 1_000;
    if (!signed || !said.success) return refused(401, 'The token is not signed by this key.');
    if (said.data.exp < now || said.data.exp > now + DAY_S)
      return refused(401, 'The token is out of its time.');
    return said.data.aud === origin(request) ? undefined : refused(401, 'The token is for another service.');
  }
}

function newKeys(): BrowserKeys {
  const pair = createECDH('prime256v1');
  pair.generateKeys();
  return { pair, auth: randomBytes(16) };
}

/** RFC 8188 §2 with the keys of RFC 8291 §3.4; undefined for what this browser cannot read. */
function decrypted(body: Buffer, { pair, auth }: Browser): unknown {
  try {
    const salt = body.subarray(0, 16);
    const theirs = body.subarray(21, 21 + body.readUInt8(20));
    const sealed = body.subarray(21 + theirs.length);
    const derive = (secret: Buffer, with_: Buffer, info: Buffer, bytes: number) =>
      Buffer.from(hkdfSync('sha256', secret, with_, info, bytes));
    const info = Buffer.concat([Buffer.from('WebPush: info\0'), pair.getPublicKey(), theirs]);
    const secret = derive(pair.computeSecret(theirs), auth, info, 32);
    const key = derive(secret, salt, Buffer.from('Content-Encoding: aes128gcm\0'), 16);
    const nonce = derive(secret, salt, Buffer.from('Content-Encoding: nonce\0'), 12);
    const decipher = createDecipheriv('aes-128-gcm', key, nonce);
    decipher.setAuthTag(sealed.subarray(-16));
    const padded = Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
    const end = padded.lastIndexOf(2);
    return end === -1 || padded.subarray(end + 1).some((byte) => byte !== 0)
      ? undefined
      : json(padded.subarray(0, end));
  } catch {
    return undefined;
  }
}

const header = (request: VendorRequest, name: string) => {
  const value = request.headers[name];
  return typeof value === 'string' ? value : '';
};

const origin = (request: VendorRequest) => `http://${request.headers.host ?? ''}`;

const refused = (status: number, message: string): NonNullable<VendorAnswer> => ({
  status,
  body: { message },
});

function json(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
