import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** A request as it came in, before anything in it is believed. */
export interface SignedRequest {
  method: string;
  headers: IncomingHttpHeaders;
  /** Raw query string without `?`. */
  query: string;
  body: Buffer;
}

/** Who signed and which nonce was spent, or the vendor's error. */
export type Verdict =
  | { ok: true; accessKeyId: string; nonce: string }
  | { ok: false; status: number; code: string; message: string };

const MAX_SKEW_MS = 15 * 60_000;
const hash = (data: Buffer | string) => createHash('sha256').update(data).digest('hex');
const no = (status: number, code: string, message: string): Verdict => ({ ok: false, status, code, message });

/** A plus is a blank, as in every query string. Throws URIError on half an escape. */
const decode = (text: string) => decodeURIComponent(text.replaceAll('+', ' '));

/** The vendor's own encoding rule: everything but A–Z a–z 0–9 - _ . ~ by its UTF-8 bytes. Written without encodeURIComponent on purpose. */
function encode(text: string): string {
  let out = '';
  for (const byte of Buffer.from(text, 'utf8')) {
    const c = String.fromCharCode(byte);
    out += /[A-Za-z0-9\-_.~]/.test(c) ? c : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}

/**
 * The vendor's side of ACS3-HMAC-SHA256, written from its document («V3 request structure and signature») and not from our adapter.
 * Every x-acs-* header, Host and Content-Type have to be signed; the clock may be 15 minutes off. The nonce is left to the caller to spend.
 */
export function verifyAcs3(request: SignedRequest, secrets: Record<string, string>, now: number): Verdict {
  const { headers } = request;
  const authorization = headers.authorization ?? '';
  const parts =
    /^ACS3-HMAC-SHA256 Credential=([^,\s]+),SignedHeaders=([^,\s]+),Signature=([0-9a-f]{64})$/.exec(
      authorization,
    );
  if (!parts)
    return no(400, 'IncompleteSignature', 'The request signature does not conform to Aliyun standards.');
  const [, accessKeyId = '', signedHeaders = '', signature = ''] = parts;

  const secret = Object.hasOwn(secrets, accessKeyId) ? secrets[accessKeyId] : undefined;
  if (secret === undefined)
    return no(404, 'InvalidAccessKeyId.NotFound', 'Specified access key is not found.');

  const names = signedHeaders.split(';');
  const mustBeSigned = Object.keys(headers).filter(
    (n) => n === 'host' || n === 'content-type' || n.startsWith('x-acs-'),
  );
  const needed = [
    'host',
    'x-acs-action',
    'x-acs-content-sha256',
    'x-acs-date',
    'x-acs-signature-nonce',
    'x-acs-version',
  ];
  if (
    [...mustBeSigned, ...needed].some((n) => !names.includes(n)) ||
    names.join() !== names.toSorted().join()
  )
    return no(400, 'IncompleteSignature', 'The request signature does not conform to Aliyun standards.');
  for (const name of names)
    if (typeof headers[name] !== 'string' || headers[name] === '')
      return no(400, 'MissingParameter', `The header ${name} is mandatory for this action.`);

  const date = String(headers['x-acs-date']);
  const at = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(date) ? Date.parse(date) : Number.NaN;
  if (Number.isNaN(at))
    return no(400, 'InvalidTimeStamp.Format', 'Specified time stamp or date value is not well formatted.');
  if (Math.abs(now - at) > MAX_SKEW_MS)
    return no(400, 'InvalidTimeStamp.Expired', 'Specified time stamp or date value is expired.');

  const pairs = request.query === '' ? [] : request.query.split('&').map((pair) => pair.split(/=(.*)/s));
  let decoded: [string, string][];
  try {
    decoded = pairs.map(([name = '', value = '']) => [decode(name), decode(value)]);
  } catch {
    return no(400, 'InvalidParameter', 'The query string is not well encoded.');
  }
  const query = decoded
    .toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .join('&');
  const bodyHash = hash(request.body);
  const canonicalHeaders = names.map((name) => `${name}:${String(headers[name]).trim()}\n`).join('');
  // RPC style: the canonical URI is a slash, whatever the path.
  const canonical = `${request.method}\n/\n${query}\n${canonicalHeaders}\n${signedHeaders}\n${bodyHash}`;
  const toSign = `ACS3-HMAC-SHA256\n${hash(canonical)}`;
  const expected = createHmac('sha256', secret).update(toSign).digest();
  if (
    bodyHash !== headers['x-acs-content-sha256'] ||
    !timingSafeEqual(expected, Buffer.from(signature, 'hex'))
  )
    return no(
      400,
      'SignatureDoesNotMatch',
      `Specified signature is not matched with our calculation. server string to sign is:${toSign}`,
    );
  return { ok: true, accessKeyId, nonce: String(headers['x-acs-signature-nonce']) };
}
