// The HTTP front: the routes of an AWS::ApiGatewayV2::Api, payload format 2.0. What the gateway itself answers (413, 429,
// 500, 503) has the gateway's own shape `{"message"}`; everything else is the functions' word (rules.md §4).
import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import * as z from 'zod';
import type { Activity } from './activity.ts';
import { TooManyRequests } from './lambda.ts';
import { ACCOUNT } from './template.ts';

/** One route of the API. */
export interface Route {
  /** `METHOD /path/{parameter}` or `$default`. */
  key: string;
  /** ARN of the function that answers. */
  target: string;
  throttle?: { rate: number; burst: number };
}

/** What the front needs. */
export interface FrontOptions {
  apiId: string;
  routes: Route[];
  port: number;
  now: () => number;
  invoke: (arn: string, event: string) => Promise<string>;
  activity: Activity;
}

/** A listening front. */
export interface Front {
  url: string;
  stop(): Promise<void>;
}

/** The port that was asked for belongs to another program. */
export class PortInUse extends Error {
  override name = 'PortInUse';
}

/** API Gateway's limit for a request body. */
const LARGEST_BODY = 10 * 1024 * 1024;

interface Compiled extends Route {
  method: string;
  segments: string[];
  take: () => boolean;
}

/** Starts listening on 127.0.0.1. @throws PortInUse */
export async function startFront(options: FrontOptions): Promise<Front> {
  const routes = options.routes.map(compile);
  const server = createServer((request, response) => {
    const end = options.activity.begin();
    serve(options, routes, request, response).then(end, (error: unknown) => {
      end();
      if (response.headersSent) response.destroy();
      else gatewaySays(response, 500, 'Internal Server Error', String(error));
    });
  });
  server.keepAliveTimeout = 65_000; // longer than clients keep theirs: no request meets a socket that is just closing
  await listen(server, options.port);
  return {
    url: addressOf(server),
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      setTimeout(() => server.closeAllConnections(), 1_000).unref();
      await closed;
    },
  };
}

/** `http://127.0.0.1:<port>` of a listening server. */
export function addressOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server does not listen.');
  return `http://127.0.0.1:${address.port}`;
}

/** Listens on 127.0.0.1. @throws PortInUse with a sentence. */
export async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE';
      reject(
        taken ? new PortInUse(`Port ${port} is in use. Choose another one, or 0 for any free port.`) : error,
      );
    });
    server.listen(port, '127.0.0.1', resolve);
  });
}

function compile(route: Route): Compiled {
  const [method = '', path = ''] = route.key.split(' ');
  return { ...route, method, segments: path.split('/').slice(1), take: bucket(route.throttle) };
}

/** A token bucket on real time, as the stage's throttling is one. */
function bucket(throttle: Route['throttle']): () => boolean {
  if (!throttle) return () => true;
  let tokens = throttle.burst;
  let last = performance.now();
  return () => {
    const now = performance.now();
    tokens = Math.min(throttle.burst, tokens + ((now - last) / 1000) * throttle.rate);
    last = now;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
}

/** The most specific route wins: literal before parameter before greedy, exact method before ANY, `$default` last. */
function match(
  routes: Compiled[],
  method: string,
  path: string,
): { route: Compiled; parameters: Record<string, string> } | undefined {
  const parts = path.split('/').slice(1);
  let best: { route: Compiled; parameters: Record<string, string>; score: number } | undefined;
  for (const route of routes) {
    if (route.key === '$default') {
      best ??= { route, parameters: {}, score: -1 };
      continue;
    }
    if (route.method !== method && route.method !== 'ANY') continue;
    const fit = fitting(route.segments, parts);
    if (!fit) continue;
    const score = fit.score * 2 + (route.method === method ? 1 : 0);
    if (!best || score > best.score) best = { route, parameters: fit.parameters, score };
  }
  return best;
}

function fitting(
  segments: string[],
  parts: string[],
): { parameters: Record<string, string>; score: number } | undefined {
  const parameters: Record<string, string> = {};
  let score = 0;
  for (const [index, segment] of segments.entries()) {
    const part = parts[index];
    if (part === undefined) return undefined;
    const [, name, greedy] = /^\{([^+}]+)(\+?)\}$/.exec(segment) ?? [];
    if (name === undefined) {
      if (segment !== part) return undefined;
      score += 3;
    } else if (greedy) {
      parameters[name] = decoded(parts.slice(index).join('/'));
      return { parameters, score };
    } else {
      if (part === '') return undefined;
      parameters[name] = decoded(part);
      score += 1;
    }
  }
  return segments.length === parts.length ? { parameters, score } : undefined;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a lone % is the function's to refuse, not a reason for a 5xx
  }
}

async function serve(
  options: FrontOptions,
  routes: Compiled[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const method = request.method ?? 'GET';
  const [path = '/', query = ''] = split(request.url ?? '/', '?');
  const body = await read(request);
  if (body === undefined) {
    response.setHeader('connection', 'close');
    gatewaySays(response, 413, 'Request Entity Too Large');
    return;
  }
  const found = match(routes, method, path);
  if (!found) return gatewaySays(response, 404, 'Not Found');
  if (!found.route.take()) return gatewaySays(response, 429, 'Too Many Requests');
  const event = eventOf(options, found.route.key, found.parameters, request, { method, path, query, body });
  let answer: string;
  try {
    answer = await options.invoke(found.route.target, JSON.stringify(event));
  } catch (error) {
    if (error instanceof TooManyRequests) return gatewaySays(response, 503, 'Service Unavailable');
    return gatewaySays(response, 500, 'Internal Server Error');
  }
  pass(response, answer);
}

function split(text: string, separator: string): string[] {
  const at = text.indexOf(separator);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

/** The body, or undefined when it is longer than the gateway takes. */
async function read(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LARGEST_BODY) return undefined;
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
}

function eventOf(
  options: FrontOptions,
  routeKey: string,
  pathParameters: Record<string, string>,
  request: IncomingMessage,
  { method, path, query, body }: { method: string; path: string; query: string; body: Buffer },
): object {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (name !== 'cookie' && value !== undefined)
      headers[name] = Array.isArray(value) ? value.join(',') : value;
  }
  const queryStringParameters: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(query)) {
    queryStringParameters[name] =
      queryStringParameters[name] === undefined ? value : `${queryStringParameters[name]},${value}`;
  }
  const now = options.now();
  // What is no UTF-8 would come out of a string changed, and a signature is over the bytes.
  const asText = isUtf8(body) && isText(request.headers['content-type'], request.headers['content-encoding']);
  return {
    version: '2.0',
    routeKey,
    rawPath: path,
    rawQueryString: query,
    ...(request.headers.cookie ? { cookies: request.headers.cookie.split('; ') } : {}),
    headers,
    ...(query ? { queryStringParameters } : {}),
    requestContext: {
      accountId: ACCOUNT,
      apiId: options.apiId,
      domainName: request.headers.host ?? '127.0.0.1',
      domainPrefix: options.apiId,
      http: {
        method,
        path,
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp: request.socket.remoteAddress ?? '127.0.0.1',
        userAgent: request.headers['user-agent'] ?? '',
      },
      requestId: randomUUID(),
      routeKey,
      stage: '$default',
      time: new Date(now).toUTCString(),
      timeEpoch: now,
    },
    ...(Object.keys(pathParameters).length > 0 ? { pathParameters } : {}),
    ...(body.length > 0 ? { body: body.toString(asText ? 'utf8' : 'base64') } : {}),
    isBase64Encoded: body.length > 0 && !asText,
  };
}

/** The gateway hands text over as it is and everything else, a form among it, as base64. */
function isText(type: string | undefined, encoding: string | undefined): boolean {
  if (encoding !== undefined && encoding !== 'identity') return false;
  return (
    type === undefined ||
    /^\s*(text\/|application\/(json|javascript|xml|[^;]+\+(json|xml))\s*(;|$))/i.test(type)
  );
}

const answerSchema = z.object({
  statusCode: z.coerce.number().int().min(100).max(599),
  headers: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
  cookies: z.array(z.string()).optional(),
  body: z.string().default(''),
  isBase64Encoded: z.boolean().default(false),
});

function pass(response: ServerResponse, answer: string): void {
  const result: unknown = JSON.parse(answer);
  if (typeof result !== 'object' || result === null || !('statusCode' in result)) {
    // Format 2.0: an answer without a status is a body of its own.
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(typeof result === 'string' ? result : answer);
    return;
  }
  const proxied = answerSchema.safeParse(result);
  if (!proxied.success)
    return gatewaySays(response, 500, 'Internal Server Error', 'the answer has no right form');
  const { statusCode, headers, cookies, body, isBase64Encoded } = proxied.data;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, String(value));
  if (cookies) response.setHeader('set-cookie', cookies);
  if (!response.hasHeader('content-type')) response.setHeader('content-type', 'text/plain;charset=utf-8');
  const content = isBase64Encoded ? Buffer.from(body, 'base64') : Buffer.from(body);
  response.setHeader('content-length', content.length);
  response.writeHead(statusCode).end(content);
}

function gatewaySays(response: ServerResponse, status: number, message: string, why?: string): void {
  if (why !== undefined) response.setHeader('x-local-reason', encodeURIComponent(why).slice(0, 500));
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ message }));
}
