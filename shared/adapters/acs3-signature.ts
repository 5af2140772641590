import { createHash, createHmac } from 'node:crypto';

/** What is signed. Host and path of an RPC-style Aliyun API: the path is always `/` in the signature, whatever the URL's is. */
export type Acs3Request = {
  method: 'GET' | 'POST';
  /** Host header exactly as sent, with the port if there is one. */
  host: string;
  action: string;
  version: string;
  query: Record<string, string>;
  body?: string;
  /** Fresh for every request; the vendor refuses a second use. */
  nonce: string;
  /** The vendor refuses a clock that is more than 15 minutes off. */
  date: Date;
};

const ALGORITHM = 'ACS3-HMAC-SHA256';

/** RFC 3986: encodeURIComponent leaves !'()* alone, the vendor's canonical form does not. */
const percent = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

const sha256 = (text: string) => createHash('sha256').update(text, 'utf8').digest('hex');

/** The query string in the vendor's canonical form; sent as it is signed, so that no proxy's idea of encoding comes between. */
export function canonicalQuery(query: Record<string, string>): string {
  return Object.keys(query)
    .sort()
    .map((name) => `${percent(name)}=${percent(query[name] ?? '')}`)
    .join('&');
}

/**
 * The headers of a request signed by Aliyun's V3 mechanism (ACS3-HMAC-SHA256; help.aliyun.com «V3 版本请求体&签名机制»),
 * without `host`, which the HTTP client sets itself. One HMAC with the plain secret: there is no derived key as in AWS or Tencent.
 */
export function acs3Headers(
  request: Acs3Request,
  key: { accessKeyId: string; accessKeySecret: string },
): Record<string, string> {
  const payload = sha256(request.body ?? '');
  const headers: Record<string, string> = {
    'x-acs-action': request.action,
    'x-acs-content-sha256': payload,
    'x-acs-date': request.date.toISOString().replace(/\.\d+Z$/, 'Z'),
    'x-acs-signature-nonce': request.nonce,
    'x-acs-version': request.version,
  };
  const signed = [['host', request.host] as const, ...Object.entries(headers)].sort(([a], [b]) =>
    a < b ? -1 : 1,
  );
  const names = signed.map(([name]) => name).join(';');
  const canonical = [
    request.method,
    '/',
    canonicalQuery(request.query),
    ...signed.map(([name, value]) => `${name}:${value.trim()}`),
    '',
    names,
    payload,
  ].join('\n');
  const signature = createHmac('sha256', key.accessKeySecret)
    .update(`${ALGORITHM}\n${sha256(canonical)}`, 'utf8')
    .digest('hex');
  return {
    ...headers,
    authorization: `${ALGORITHM} Credential=${key.accessKeyId},SignedHeaders=${names},Signature=${signature}`,
  };
}
