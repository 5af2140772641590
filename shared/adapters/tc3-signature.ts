import { createHash, createHmac } from 'node:crypto';

/** What is signed: one JSON action of a Tencent Cloud API. The path is always `/` in the signature, whatever the URL's is. */
export type Tc3Request = {
  /** Host header exactly as sent, with the port if there is one. */
  host: string;
  service: string;
  action: string;
  version: string;
  region: string;
  body: string;
  /** The vendor refuses a clock that is more than five minutes off. */
  date: Date;
};

const ALGORITHM = 'TC3-HMAC-SHA256';
const CONTENT_TYPE = 'application/json; charset=utf-8';

const sha256 = (text: string) => createHash('sha256').update(text, 'utf8').digest('hex');
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text, 'utf8').digest();

/**
 * The headers of a request signed by Tencent's method v3 (TC3-HMAC-SHA256; cloud.tencent.com document/api/362/4208), without
 * `host`, which the HTTP client sets itself. The key is derived for day and service; there is no nonce, so that a replayed request
 * is taken for five minutes.
 */
export const tc3Headers = (
  request: Tc3Request,
  key: { secretId: string; secretKey: string },
): Record<string, string> => {
  const { host, service, action, version, region, body, date } = request;
  const timestamp = Math.floor(date.getTime() / 1000);
  const day = new Date(timestamp * 1000).toISOString().slice(0, 10);
  const names = 'content-type;host;x-tc-action';
  const canonical = [
    'POST',
    '/',
    '',
    `content-type:${CONTENT_TYPE}`,
    `host:${host}`,
    `x-tc-action:${action.toLowerCase()}`,
    '',
    names,
    sha256(body),
  ].join('\n');
  const scope = `${day}/${service}/tc3_request`;
  const derived = hmac(hmac(hmac(`TC3${key.secretKey}`, day), service), 'tc3_request');
  const signature = hmac(derived, `${ALGORITHM}\n${timestamp}\n${scope}\n${sha256(canonical)}`).toString(
    'hex',
  );
  return {
    'content-type': CONTENT_TYPE,
    'x-tc-action': action,
    'x-tc-version': version,
    'x-tc-region': region,
    'x-tc-timestamp': `${timestamp}`,
    authorization: `${ALGORITHM} Credential=${key.secretId}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
  };
};
