import type { RefusalCause, SendResult } from '#shared/ports/sender.ts';

/** An answer over HTTP, before anything in it is believed. */
export type Reply = { status: number; text: string };

/** One call to a vendor. Rejects on a time-out or a broken socket; follows no redirect, because the signature is for this host. */
export const callVendor = async (
  url: string | URL,
  init: {
    method: 'GET' | 'POST';
    headers: Record<string, string>;
    body?: string | Uint8Array<ArrayBuffer>;
    signal: AbortSignal;
  },
): Promise<Reply> => {
  const response = await fetch(url, { ...init, redirect: 'error' });
  return { status: response.status, text: await textOf(response) };
};

/** No vendor says as much. Some addresses are named by a device, and whoever is there must not fill our memory. */
const MOST_BYTES = 262_144;

const textOf = async ({ body }: Response): Promise<string> => {
  if (!body) return '';
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) break;
    chunks.push(chunk);
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
};

/** Failures before a byte of the request left us: surely not sent, nobody need be asked. */
const NEVER_CONNECTED = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT']);

/** The short name of a failed fetch (its cause's code where there is one), never the message: that may quote the URL with the number. */
export const codeOf = (error: unknown): string => {
  if (!(error instanceof Error)) return 'Error';
  const { cause } = error;
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string'
    ? cause.code
    : error.name;
};

/** What is known of a message when `callVendor` has failed. `platform`: the vendor in the words of the trail, as in 短信平台. */
export const withoutAnswer = (error: unknown, platform: string): SendResult => {
  const code = codeOf(error);
  return NEVER_CONNECTED.has(code)
    ? {
        kind: 'refused',
        temporary: true,
        cause: 'moment',
        code,
        sentence: `连不上${platform}（${code}），没有发出`,
      }
    : { kind: 'unknown', sentence: `${platform}没有答复（${code}），不知道发出没有` };
};

/** An answer that cannot be read (a page of something in between, a crash behind the gateway): it may have gone out all the same. */
export const unreadable = (status: number, platform: string): SendResult => ({
  kind: 'unknown',
  sentence: `${platform}的答复看不懂（HTTP ${status}），不知道发出没有`,
});

/** The vendor said no: who has to move, in the words of the trail. Only `moment` passes by itself, unless `temporary` says otherwise. */
export const refusedBy = (
  platform: string,
  cause: RefusalCause,
  code: string,
  temporary = cause === 'moment',
): SendResult => {
  const sentences: Record<RefusalCause, string> = {
    moment: `${platform}暂时发不出，稍后再试`,
    number: `这个号码或帐号${platform}不收，请核对花名册`,
    text: `内容没有通过${platform}的检查`,
    limit: `这个号码在${platform}的次数已到上限`,
    config: `${platform}的设置有问题（签名、模板、密钥或权限），请通知管理员`,
    money: `${platform}账户欠费，请通知管理员充值`,
  };
  return { kind: 'refused', temporary, cause, code, sentence: `${sentences[cause]}（${code}）` };
};

/** What an HTTP status other than a success says where a vendor gives no code of its own. */
export const refusedByStatus = (status: number, platform: string): SendResult => {
  if (status === 429 || status === 503) return refusedBy(platform, 'moment', `HTTP ${status}`);
  return status >= 400 && status < 500
    ? refusedBy(platform, 'config', `HTTP ${status}`)
    : unreadable(status, platform);
};

/** JSON, or `undefined` where there is none. */
export const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
