import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { VendorRequest } from './vendor.ts';

/** Who called what, or the vendor's error. */
export type Tc3Verdict =
  { ok: true; secretId: string; action: string } | { ok: false; code: string; message: string };

const MAX_SKEW_S = 5 * 60;
const no = (code: string, message: string): Tc3Verdict => ({ ok: false, code, message });
const hash = (data: Buffer | string) => createHash('sha256').update(data).digest('hex');
const mac = (key: Buffer | string, data: string) => createHmac('sha256', key).update(data).digest();

/**
 * The vendor's side of TC3-HMAC-SHA256, written from its document («签名方法 v3») and not from our adapter. At least Content-Type and
 * Host have to be signed; the clock may be five minutes off; there is no nonce.
 */
export function verifyTc3(
  request: Pick<VendorRequest, 'method' | 'headers' | 'query' | 'body'>,
  secrets: Record<string, string>,
  service: string,
  now: number,
): Tc3Verdict {
  const { headers, body } = request;
  const parts =
    /^TC3-HMAC-SHA256 Credential=([^/,\s]+)\/(\d{4}-\d\d-\d\d)\/([^/,\s]+)\/tc3_request, ?SignedHeaders=([^,\s]+), ?Signature=([0-9a-f]{64})$/.exec(
      headers.authorization ?? '',
    );
  if (!parts)
    return no(
      'AuthFailure.InvalidAuthorization',
      'The authorization header does not conform to the standard.',
    );
  const [, secretId = '', day = '', scope = '', signedHeaders = '', signature = ''] = parts;
  const secret = Object.hasOwn(secrets, secretId) ? secrets[secretId] : undefined;
  if (secret === undefined)
    return no(
      'AuthFailure.SecretIdNotFound',
      'The SecretId is not found, please ensure that your SecretId is correct.',
    );

  const timestamp = String(headers['x-tc-timestamp'] ?? '');
  if (!/^\d{1,10}$/.test(timestamp))
    return no('MissingParameter', 'The request is missing a required parameter `Timestamp`.');
  if (Math.abs(now / 1000 - Number(timestamp)) > MAX_SKEW_S)
    return no(
      'AuthFailure.SignatureExpire',
      'The provided credentials are expired: the difference between the timestamp and the server time is more than five minutes.',
    );
  const failure = no(
    'AuthFailure.SignatureFailure',
    'The provided credentials could not be validated. Please check your signature is correct.',
  );
  const utcDay = new Date(Number(timestamp) * 1000).toISOString().slice(0, 10);
  const names = signedHeaders.split(';');
  if (
    day !== utcDay ||
    scope !== service ||
    !names.includes('content-type') ||
    !names.includes('host') ||
    names.join() !== names.toSorted().join() ||
    names.some((name) => typeof headers[name] !== 'string')
  )
    return failure;
  const canonicalHeaders = names
    .map((name) => `${name.toLowerCase()}:${String(headers[name]).trim().toLowerCase()}\n`)
    .join('');
  const canonical = `${request.method}\n/\n${request.query}\n${canonicalHeaders}\n${signedHeaders}\n${hash(body)}`;
  const toSign = `TC3-HMAC-SHA256\n${timestamp}\n${day}/${scope}/tc3_request\n${hash(canonical)}`;
  const expected = mac(mac(mac(mac(`TC3${secret}`, day), scope), 'tc3_request'), toSign);
  if (!timingSafeEqual(expected, Buffer.from(signature, 'hex'))) return failure;
  return { ok: true, secretId, action: String(headers['x-tc-action'] ?? '') };
}
