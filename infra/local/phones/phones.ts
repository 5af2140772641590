import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import * as z from 'zod';
import { AliyunSms, type ApprovedTemplate } from './aliyun.ts';
import { Exchange } from './exchange.ts';
import { FaultError, Faults } from './faults.ts';
import { MessageStore, type StoredMessage } from './message-store.ts';
import { phoneCards, phonesPage } from './page.ts';
import type { CallEnd, VendorMaker } from './vendor.ts';

/** What the phones are started with. */
export interface PhonesOptions {
  /** 0 for any free port. Always on 127.0.0.1. */
  port: number;
  /** Folder for `phones.sqlite`, or ':memory:'. */
  data: string;
  /** Virtual ms since 1970: stamps texts, and is what the vendor holds a signature's date against. */
  now: () => number;
  /** Approved templates; any other code is refused as by the vendor. */
  templates: ApprovedTemplate[];
  /** Access key id → secret. */
  keys: Record<string, string>;
  signName: string;
  /** Signatures that are approved beside it. */
  furtherSigns?: readonly string[];
  /** Further vendors, each at `/vendors/<name>`; Aliyun's texts are always there. */
  vendors?: readonly VendorMaker[];
  /** Where Aliyun's delivery receipts are posted. May be set later; they wait. */
  receiptUrl?: string;
  /** `perDay`: texts per number and template in 24 h (the vendor's 50); unlimited if left out, so that benches run. */
  limits?: { perDay?: number };
  /** Words the vendor refuses in values. */
  barredWords?: string[];
  /** Whose phone it is, for the page only. */
  label?: (number: string) => string | undefined;
  /** Hears of failures inside, one line each. */
  log?: (line: string) => void;
}

/** One message on one phone. */
export interface PhoneMessage {
  /** A mobile number; for chat and push the vendor's name of the person. */
  number: string;
  /** Virtual time, ISO with milliseconds. */
  at: string;
  channel: StoredMessage['channel'];
  vendor: string;
  text: string;
  /** What it opens when tapped. */
  link?: string;
  /** Of a call: rings, or how it ended: which keys were pressed, nobody there, a machine. */
  call?: 'ringing' | 'no-answer' | 'voicemail' | `keys ${string}`;
}

/** The outside world of the local system: the vendors' accounts and everybody's phone. */
export interface Phones {
  /** `http://127.0.0.1:<port>`: the page; below it POST /faults, POST /phones/reply, POST /phones/call and the vendors' APIs. */
  url: string;
  /** What ALIYUN_SMS_ENDPOINT has to be. */
  aliyunSmsEndpoint: string;
  /** Base of the vendors' APIs by name. */
  endpoints: Readonly<Record<string, string>>;
  /** Everything on every phone, in order of arrival. */
  messages(): PhoneMessage[];
  /** Called for each message as it arrives, before its sender has his answer. Returns how to stop listening. */
  onMessage(listener: (message: PhoneMessage) => void): () => void;
  /**
   * Somebody texts back, to the vendor whose text he got last unless told otherwise.
   * @throws PhoneError if nobody takes the answer.
   */
  reply(reply: { number: string; text: string; vendor?: string; extension?: string }): void;
  /**
   * Somebody does something with the phone that rings for him.
   * @throws PhoneError if it does not ring.
   */
  answerCall(number: string, end: CallEnd): void;
  /** Receipts and answers that are on their way. */
  inFlight(): number;
  /** Resolves once none is on its way. */
  idle(): Promise<void>;
  /** Where Aliyun's receipts go. */
  setReceiptUrl(url: string): void;
  /** Where each vendor posts what it has to tell. */
  setReceiptUrls(urlOf: (vendor: string) => string): void;
  faults: Faults;
  stop(): Promise<void>;
}

/** Nothing that could be done with this phone; the sentence says why. */
export class PhoneError extends Error {
  override name = 'PhoneError';
}

const replySchema = z.strictObject({
  number: z.string().min(1),
  text: z.string().min(1).max(500),
  vendor: z.string().optional(),
  extension: z
    .string()
    .regex(/^\d{0,12}$/)
    .optional(),
});
const callSchema = z.strictObject({
  number: z.string().min(1),
  end: z.union([
    z.literal(['no-answer', 'voicemail']),
    z.strictObject({ keys: z.string().regex(/^[\d*#]{1,8}$/) }),
  ]),
});

const VENDORS_PATH = '/vendors/';
const MAX_BODY = 256 * 1024;
/** Real milliseconds between two looks at what ends by itself. */
const PASS_MS = 1_000;
const PAGE_TEXTS = 3_000;

/**
 * Starts the phones. Rejects with Node's listen error (EADDRINUSE …) when the port is taken.
 */
export async function startPhones(options: PhonesOptions): Promise<Phones> {
  const store = new MessageStore(options.data);
  const listeners = new Set<(message: PhoneMessage) => void>();
  const watchers = new Set<ServerResponse>();
  const label = options.label ?? (() => undefined);
  const account = {
    keys: options.keys,
    signName: options.signName,
    ...(options.furtherSigns ? { furtherSigns: options.furtherSigns } : {}),
    templates: options.templates,
    barredWords: options.barredWords ?? ['赌博', '毒品', '暴力', '恐吓', '调解'],
    ...(options.limits?.perDay === undefined ? {} : { perDay: options.limits.perDay }),
  };
  const around = {
    store,
    // A clock that runs at another speed gives fractions of a millisecond.
    now: () => Math.floor(options.now()),
    seen: (message: StoredMessage, first: boolean) => {
      if (first) for (const listener of listeners) listener(phoneMessage(message));
      for (const watcher of watchers) watcher.write(`data: ${message.channel}\n\n`);
    },
    log: options.log ?? (() => undefined),
  };
  const makers: VendorMaker[] = [(world) => new AliyunSms(account, world), ...(options.vendors ?? [])];
  const exchanges = new Map<string, Exchange>();
  for (const make of makers) {
    const exchange = new Exchange(make, around, () => faults);
    exchanges.set(exchange.vendor.name, exchange);
  }
  const faults = new Faults([...exchanges.values()].map(({ vendor }) => vendor));
  const posts = [...exchanges.values()].flatMap((exchange) => exchange.posts ?? []);

  const pass = () => {
    try {
      for (const { vendor } of exchanges.values()) vendor.pass?.();
    } catch (error) {
      // A disk that takes nothing: the call rings on and ends at the next look.
      around.log(`A phone could not stop ringing: ${error instanceof Error ? error.message : 'unknown'}`);
    }
  };
  // Of no use while the clock stands still, and then harmless.
  const timer = setInterval(pass, PASS_MS).unref();

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      if (error instanceof FaultError) return refuse(response, 400, 'invalid_fault', error.message);
      if (error instanceof PhoneError) return refuse(response, 409, 'nobody_there', error.message);
      if (error instanceof TooLong) return refuse(response, 413, 'too_large', 'The body is too long.');
      if (!response.headersSent) refuse(response, 500, 'internal', 'The phones stumbled over this request.');
    });
  });
  // Longer than any pause between two texts of a story: a kept connection that closes under a sender reads as «unknown».
  server.keepAliveTimeout = 120_000;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = '/', query = ''] = (request.url ?? '/').split(/\?(.*)/s);
    const { method = 'GET' } = request;
    if (path.startsWith(VENDORS_PATH)) {
      const [name = '', rest = ''] = path.slice(VENDORS_PATH.length).split(/(?=\/)(.*)/s);
      const vendor = exchanges.get(name)?.vendor;
      if (!vendor)
        return refuse(
          response,
          404,
          'not_found',
          `There is no such vendor. There are ${[...exchanges.keys()].join(', ')}.`,
        );
      const body = await readBody(request);
      const answer = await vendor.answer({
        method,
        path: rest || '/',
        headers: request.headers,
        query,
        body,
      });
      // «Never answers»: the connection stays open until the caller has had enough.
      if (!answer) return undefined;
      if (typeof answer.body !== 'string') return json(response, answer.status, answer.body, answer.headers);
      response.writeHead(answer.status, { 'cache-control': 'no-store', ...answer.headers });
      return void response.end(answer.body);
    }
    if (path === '/phones/reply' || path === '/phones/call') {
      if (method !== 'POST') return refuse(response, 405, 'method_not_allowed', `Use POST on ${path}.`);
      const said = parsed((await readBody(request)).toString('utf8'));
      if (path === '/phones/reply') {
        const valid = replySchema.safeParse(said);
        if (!valid.success)
          return refuse(response, 400, 'invalid_reply', 'Example: {"number":"19900000001","text":"1"}.');
        reply(valid.data);
      } else {
        const valid = callSchema.safeParse(said);
        if (!valid.success)
          return refuse(
            response,
            400,
            'invalid_call',
            'Example: {"number":"19900000001","end":{"keys":"1"}}; end: keys, no-answer or voicemail.',
          );
        answerCall(valid.data.number, valid.data.end);
      }
      return json(response, 200, {});
    }
    if (path === '/faults') {
      if (method === 'GET') return json(response, 200, { faults: faults.list() });
      if (method !== 'POST')
        return refuse(response, 405, 'method_not_allowed', 'Use GET or POST on /faults.');
      const text = (await readBody(request)).toString('utf8');
      return json(response, 200, { faults: faults.set(parsed(text)) });
    }
    if (method !== 'GET' && method !== 'HEAD')
      return refuse(response, 405, 'method_not_allowed', `Use GET on ${path}.`);
    if (path === '/events') return watch(response);
    if (path === '/') return show(request, response, new URLSearchParams(query));
    return refuse(
      response,
      404,
      'not_found',
      'There is only / (the phones), /phones/reply, /phones/call, /faults and the vendors below /vendors/.',
    );
  }

  function show(request: IncomingMessage, response: ServerResponse, query: URLSearchParams): void {
    const number = query.get('number') ?? undefined;
    if ((request.headers.accept ?? '').includes('application/json'))
      return json(response, 200, byNumber(store.shown(number)));
    const messages = number === undefined ? store.newest(PAGE_TEXTS) : store.shown(number).toReversed();
    const cards = phoneCards(messages, label);
    const nonce = randomBytes(16).toString('base64');
    response.writeHead(200, {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      vary: 'accept',
      'x-content-type-options': 'nosniff',
      'content-security-policy': `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}'; connect-src 'self'; base-uri 'none'; form-action 'none'`,
    });
    response.end(
      query.get('part') === 'cards'
        ? cards
        : phonesPage(cards, nonce, { faultsUrl: `${url}/faults`, vendors: [...exchanges.keys()] }),
    );
  }

  function watch(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write('retry: 1000\n\n');
    watchers.add(response);
    response.on('close', () => watchers.delete(response));
  }

  function reply(said: Parameters<Phones['reply']>[0]): void {
    const last = store
      .shown(said.number)
      .findLast((m) => m.channel === 'sms' && (said.vendor ?? m.vendor) === m.vendor);
    const name = said.vendor ?? last?.vendor ?? '';
    const taken = exchanges.get(name)?.posts?.reply({
      id: String(randomBytes(6).readUIntBE(0, 6)),
      from: said.number,
      text: said.text,
      extension: said.extension ?? last?.more['extension'] ?? '',
      sign: last?.more['sign'] ?? options.signName,
      at: around.now(),
    });
    if (!taken)
      throw new PhoneError(
        'Nobody takes an answer from this number: no text came, or its vendor takes none.',
      );
  }

  function answerCall(number: string, end: CallEnd): void {
    if (![...exchanges.values()].some((exchange) => exchange.answerCall(number, end)))
      throw new PhoneError('This phone does not ring.');
  }

  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(options.port, '127.0.0.1', resolve);
    });
  } catch (error) {
    clearInterval(timer);
    store.close();
    throw error;
  }
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the phones have no port');
  const url = `http://127.0.0.1:${address.port}`;
  const aliyun = exchanges.get('aliyun-sms')?.posts;
  if (options.receiptUrl !== undefined) aliyun?.deliverTo(options.receiptUrl);

  return {
    url,
    aliyunSmsEndpoint: `${url}${VENDORS_PATH}aliyun-sms`,
    endpoints: Object.fromEntries(
      [...exchanges.keys()].map((name) => [name, `${url}${VENDORS_PATH}${name}`]),
    ),
    messages: () => store.shown().map(phoneMessage),
    onMessage: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    reply,
    answerCall,
    inFlight: () => posts.reduce((sum, one) => sum + one.inFlight, 0),
    idle: async () => {
      // Whoever waits has let time pass.
      pass();
      for (const one of posts) await one.idle();
    },
    setReceiptUrl: (receiptUrl) => aliyun?.deliverTo(receiptUrl),
    setReceiptUrls: (urlOf) => {
      for (const [name, exchange] of exchanges) exchange.posts?.deliverTo(urlOf(name));
    },
    faults,
    stop: async () => {
      clearInterval(timer);
      for (const one of posts) one.stop();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      store.close();
    },
  };
}

const phoneMessage = (m: StoredMessage): PhoneMessage => ({
  number: m.to,
  at: new Date(m.at).toISOString(),
  channel: m.channel,
  vendor: m.vendor,
  text: m.text,
  ...(m.more['link'] ? { link: m.more['link'] } : {}),
  ...(m.channel === 'voice' ? { call: callOf(m) } : {}),
});

/** How a call stands, in the words of the page. */
const callOf = (m: StoredMessage): NonNullable<PhoneMessage['call']> => {
  if (m.state === 1) return 'ringing';
  if (m.more['voicemail']) return 'voicemail';
  return m.state === 2 ? 'no-answer' : `keys ${m.more['keys'] ?? ''}`;
};

function byNumber(messages: StoredMessage[]) {
  const phones = new Map<string, Omit<PhoneMessage, 'number'>[]>();
  for (const { number, ...message } of messages.map(phoneMessage)) {
    const texts = phones.get(number);
    if (texts) texts.push(message);
    else phones.set(number, [message]);
  }
  return [...phones].map(([number, texts]) => ({ number, messages: texts }));
}

class TooLong extends Error {}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY) throw new TooLong();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function json(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    vary: 'accept',
    ...headers,
  });
  response.end(JSON.stringify(body));
}

const refuse = (response: ServerResponse, status: number, code: string, message: string) =>
  json(response, status, { error: { code, message, details: [] } });
