import { createHash } from 'node:crypto';
import { default as middy } from '@middy/core';
import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { refused } from '../contracts/errors.ts';
import type { ErrorBody, ErrorCode, Outcome, Refused } from '../contracts/errors.ts';
import type { Page } from '../contracts/page.ts';
import { API_ROUTES, LARGEST_BODY } from '../contracts/routes.ts';
import type { ApiPath } from '../contracts/routes.ts';
import type { Log } from '../ports/log.ts';
import type { Bearer, SignIn } from '../ports/sign-in.ts';

/** A request as a use case sees it. Header names are small letters. */
export interface HttpRequest {
  method: string;
  path: string;
  params: Record<string, string>;
  query: Record<string, string>;
  headers: Record<string, string>;
  /** The body byte for byte: signatures cover these. */
  raw: Buffer;
}

/** A request whose bearer is known. */
export interface KnownRequest extends HttpRequest {
  bearer: Bearer;
}

/** One route, a plain object. `json` routes get the parsed body; what it holds is for the use case to parse. */
export type Route = { method: 'GET' | 'POST' | 'DELETE'; path: ApiPath } & (
  | { auth: 'none'; json?: false; handle(request: HttpRequest): Promise<Outcome | Page> }
  | { auth: Bearer['kind'] | 'any'; json?: false; handle(request: KnownRequest): Promise<Outcome | Page> }
  | {
      auth: Bearer['kind'] | 'any';
      json: true;
      handle(request: KnownRequest, body: unknown): Promise<Outcome>;
    }
);

/** What the HTTP door needs from its surroundings. `signIn` may be left out where every route is `none`. */
export interface HttpSurroundings {
  log: Log;
  signIn?: SignIn;
}

/** A reply as the gateway takes it (payload format 2.0). */
export interface HttpReply {
  statusCode: number;
  headers: Record<string, string>;
  body: string;
}

/** The status of every error code: the only place where the two meet. */
export const STATUS: Record<ErrorCode, number> = {
  invalid: 400,
  not_json: 400,
  signature_missing: 401,
  signature_wrong: 401,
  signature_stale: 401,
  unauthorized: 401,
  token_expired: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  impossible: 409,
  too_large: 413,
  defect: 500,
  busy: 503,
};

const eventSchema = z.object({
  rawPath: z.string(),
  headers: z.record(z.string(), z.string().optional()).default({}),
  queryStringParameters: z.record(z.string(), z.string().optional()).nullish(),
  requestContext: z.object({ http: z.object({ method: z.string() }) }),
  body: z.string().nullish(),
  isBase64Encoded: z.boolean().default(false),
});

const HEADERS = {
  'content-type': 'application/json; charset=utf-8',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
} as const;

const reply = (statusCode: number, body: unknown, headers: Record<string, string> = {}): HttpReply => ({
  statusCode,
  headers: { ...HEADERS, ...headers },
  body: JSON.stringify(body),
});

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** A page may run and show only what it holds, ask only us, and be framed by nobody; where it was read is nobody's business. */
const pageReply = ({ status, html, runs: { script, style } }: Page): HttpReply => ({
  statusCode: status,
  headers: {
    ...HEADERS,
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': [
      "default-src 'none'",
      ...(script === undefined ? [] : [`script-src ${hashOf(script)}`, "connect-src 'self'"]),
      `style-src ${hashOf(style)}`,
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
    'referrer-policy': 'no-referrer',
    'x-robots-tag': 'noindex, nofollow',
    vary: 'accept',
  },
  body: html,
});

const replyTo = (outcome: Outcome | Page, headers?: Record<string, string>): HttpReply => {
  if (outcome.kind === 'page') return pageReply(outcome);
  if (outcome.kind !== 'refused') return reply(outcome.kind === 'accepted' ? 202 : 200, outcome.body);
  const { code, message, details } = outcome;
  return reply(STATUS[code], { error: { code, message, details } } satisfies ErrorBody, {
    ...(code === 'unauthorized' || code === 'token_expired' ? { 'www-authenticate': 'Bearer' } : {}),
    ...(code === 'busy' ? { 'retry-after': '1' } : {}),
    ...headers,
  });
};

const defined = (record: Record<string, string | undefined> | null | undefined): [string, string][] =>
  Object.entries(record ?? {}).filter((entry): entry is [string, string] => entry[1] !== undefined);

const decoded = (part: string): string => {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
};

/** The parameters of a path under a template, or undefined where it does not fit. */
const fit = (template: string, path: string): Record<string, string> | undefined => {
  const wanted = template.split('/');
  const parts = path.split('/');
  if (wanted.length !== parts.length) return undefined;
  const params: Record<string, string> = {};
  for (const [i, want] of wanted.entries()) {
    const part = parts[i] ?? '';
    if (want.startsWith('{')) {
      if (part === '') return undefined;
      params[want.slice(1, -1)] = decoded(part);
    } else if (want !== part) return undefined;
  }
  return params;
};

const parsed = (event: unknown): HttpRequest => {
  const e = eventSchema.parse(event);
  return {
    method: e.requestContext.http.method.toUpperCase(),
    path: e.rawPath,
    params: {},
    query: Object.fromEntries(defined(e.queryStringParameters)),
    headers: Object.fromEntries(defined(e.headers).map(([name, value]) => [name.toLowerCase(), value])),
    raw: Buffer.from(e.body ?? '', e.isBase64Encoded ? 'base64' : 'utf8'),
  };
};

/** No route of ours: another method of a known path, or nothing at all. */
const nothingHere = ({ method, path }: HttpRequest): HttpReply => {
  const methods = API_ROUTES.filter((route) => fit(route.path, path)).map((route) => route.method);
  if (methods.length === 0 || methods.some((known) => known === method))
    return replyTo(refused('not_found', '没有这个地址。'));
  return replyTo(refused('method_not_allowed', `这个地址只接受 ${methods.join('、')}。`), {
    allow: methods.join(', '),
  });
};

/** Hash by which a device is known again: of the secret that it made for itself. */
export const deviceHash = (device: string): string => createHash('sha256').update(device).digest('base64url');

/** A session from a link opens one incident on one device, and no list. */
const isWithin = (
  only: NonNullable<Bearer['only']>,
  params: Record<string, string>,
  headers: Record<string, string>,
): boolean =>
  params['id'] === only.incident &&
  headers['x-device'] !== undefined &&
  deviceHash(headers['x-device']) === only.device;

const bearerOf = async (
  { headers, params }: HttpRequest,
  auth: Bearer['kind'] | 'any',
  signIn: SignIn | undefined,
): Promise<Bearer | Refused> => {
  if (!signIn) throw new Error('A route asks who is there, but the door was given no way to know.');
  const [, token] = /^Bearer +(\S+)$/i.exec(headers['authorization'] ?? '') ?? [];
  if (token === undefined) return refused('unauthorized', '请先登录。');
  const who = await signIn.who(token);
  if (who === 'expired') return refused('token_expired', '登录已过期，请重新登录。');
  if (who === 'wrong') return refused('unauthorized', '登录无效，请重新登录。');
  if (who.only && !isWithin(who.only, params, headers))
    return refused('forbidden', '这个链接只能在打开它的设备上查看这一起警情。');
  if (auth !== 'any' && who.kind !== auth)
    return refused('forbidden', auth === 'desk' ? '只有值班台可以查看或操作。' : '只有队员可以查看或操作。');
  return who;
};

const jsonOf = (raw: Buffer): { body: unknown } | Refused => {
  if (raw.length > LARGEST_BODY) return refused('too_large', '内容太大，最多 64 KB。');
  try {
    return { body: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(raw)) as unknown };
  } catch {
    return refused('not_json', '内容不是 JSON。');
  }
};

const serve = async (
  event: unknown,
  routes: readonly Route[],
  { signIn }: HttpSurroundings,
): Promise<HttpReply> => {
  const request = parsed(event);
  for (const route of routes) {
    const params = route.method === request.method ? fit(route.path, request.path) : undefined;
    if (!params) continue;
    const found = { ...request, params };
    if (route.auth === 'none') return replyTo(await route.handle(found));
    const bearer = await bearerOf(found, route.auth, signIn);
    if (bearer.kind === 'refused') return replyTo(bearer);
    const known: KnownRequest = { ...found, bearer };
    if (!route.json) return replyTo(await route.handle(known));
    const json = jsonOf(known.raw);
    return replyTo('kind' in json ? json : await route.handle(known, json.body));
  }
  return nothingHere(request);
};

/**
 * The HTTP door: a gateway event becomes a request, an outcome becomes a reply. Every refusal has the one error shape;
 * a defect is logged and answered 500 in that shape, without a word of what went wrong inside.
 */
export const httpDoor = (
  routes: readonly Route[],
  surroundings: HttpSurroundings,
): ((event: unknown, context: Context) => Promise<HttpReply>) => {
  return middy<unknown, HttpReply>()
    .use({
      onError: ({ error }) => {
        surroundings.log.error('http-defect', error);
        return replyTo(refused('defect', '系统出错，请稍后再试；如仍不行请联系值班台。'));
      },
    })
    .handler((event: unknown) => serve(event, routes, surroundings));
};
