import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { VendorRequest } from './vendor.ts';

/** Who signed for which region, or the service's error. */
export type Aws4Verdict =
  { ok: true; accessKeyId: string; region: string } | { ok: false; code: string; message: string };

const MAX_SKEW_MS = 15 * 60_000;
const no = (code: string, message: string): Aws4Verdict => ({ ok: false, code, message });
const hash = (data: Buffer | string) => createHash('sha256').update(data).digest('hex');
const mac = (key: Buffer | string, data: string) => createHmac('sha256', key).update(data).digest();

/**
 * The service's side of Signature Version 4 for forms posted to `/`, written from its document («Create a signed AWS API request»).
 * Host and every x-amz-* header have to be signed; the clock may be 15 minutes off; a replay within them is taken.
 */
export function verifyAws4(
  request: Pick<VendorRequest, 'method' | 'headers' | 'query' | 'body'>,
  secrets: Record<string, string>,
  service: string,
  now: number,
): Aws4Verdict {
  const { headers, body } = request;
  const parts =
    /^AWS4-HMAC-SHA256 Credential=([^/,\s]+)\/(\d{8})\/([\w-]+)\/([\w-]+)\/aws4_request, ?SignedHeaders=([^,\s]+), ?Signature=([0-9a-f]{64})$/.exec(
      headers.authorization ?? '',
    );
  if (!parts) return no('IncompleteSignature', 'The request signature does not conform to AWS standards.');
  const [, accessKeyId = '', day = '', region = '', scope = '', signedHeaders = '', signature = ''] = parts;
  const secret = Object.hasOwn(secrets, accessKeyId) ? secrets[accessKeyId] : undefined;
  if (secret === undefined)
    return no('InvalidClientTokenId', 'The security token included in the request is invalid.');
  const stamp = String(headers['x-amz-date'] ?? '');
  const at = /^\d{8}T\d{6}Z$/.test(stamp)
    ? Date.parse(stamp.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z'))
    : Number.NaN;
  const differs = no(
    'SignatureDoesNotMatch',
    'The request signature we calculated does not match the signature you provided.',
  );
  if (Number.isNaN(at) || !stamp.startsWith(day) || scope !== service) return differs;
  if (Math.abs(now - at) > MAX_SKEW_MS) return no('SignatureDoesNotMatch', `Signature expired: ${stamp}`);
  const names = signedHeaders.split(';');
  const needed = ['host', ...Object.keys(headers).filter((name) => name.startsWith('x-amz-'))];
  if (
    needed.some((name) => !names.includes(name)) ||
    names.join() !== names.toSorted().join() ||
    names.some((name) => typeof headers[name] !== 'string')
  )
    return differs;
  const canonicalHeaders = names
    .map((name) => `${name}:${String(headers[name]).trim().replaceAll(/ +/g, ' ')}\n`)
    .join('');
  const canonical = `${request.method}\n/\n${request.query}\n${canonicalHeaders}\n${signedHeaders}\n${hash(body)}`;
  const toSign = `AWS4-HMAC-SHA256\n${stamp}\n${day}/${region}/${scope}/aws4_request\n${hash(canonical)}`;
  const derived = mac(mac(mac(mac(`AWS4${secret}`, day), region), scope), 'aws4_request');
  if (!timingSafeEqual(mac(derived, toSign), Buffer.from(signature, 'hex'))) return differs;
  return { ok: true, accessKeyId, region };
}
