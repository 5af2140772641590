import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { AliyunSms, type ApprovedTemplate } from './aliyun.ts';
import { FaultError, Faults } from './faults.ts';
import { MessageStore, type StoredMessage } from './message-store.ts';
import { phoneCards, phonesPage } from './page.ts';
import { Receipts } from './receipts.ts';

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
  /** Where delivery receipts are posted. May be set later; they wait. */
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

/** One text on one phone. */
export interface PhoneMessage {
  number: string;
  /** Virtual time, ISO with milliseconds. */
  at: string;
  channel: 'sms';
  text: string;
}

/** The outside world of the local system: a vendor account and everybody's phone. */
export interface Phones {
  /** `http://127.0.0.1:<port>`: the page; below it POST /faults and the vendor's API. */
  url: string;
  /** What ALIYUN_SMS_ENDPOINT has to be. */
  aliyunSmsEndpoint: string;
  /** Every text on every phone, in order of arrival. */
  messages(): PhoneMessage[];
  /** Called for each text as it arrives, before its sender has his answer. Returns how to stop listening. */
  onMessage(listener: (message: PhoneMessage) => void): () => void;
  /** Receipts that are on their way. */
  inFlight(): number;
  /** Resolves once no receipt is on its way. */
  idle(): Promise<void>;
  setReceiptUrl(url: string): void;
  faults: Faults;
  stop(): Promise<void>;
}

const VENDOR_PATH = '/vendors/aliyun-sms';
const MAX_BODY = 256 * 1024;
const PAGE_TEXTS = 3_000;

/**
 * Starts the phones. Rejects with Node's listen error (EADDRINUSE …) when the port is taken.
 */
export async function startPhones(options: PhonesOptions): Promise<Phones> {
  const store = new MessageStore(options.data);
  const receipts = new Receipts(store, options.log ?? (() => undefined));
  const faults = new Faults();
  const listeners = new Set<(message: PhoneMessage) => void>();
  const watchers = new Set<ServerResponse>();
  const label = options.label ?? (() => undefined);

  const vendor = new AliyunSms(
    {
      keys: options.keys,
      signName: options.signName,
      templates: options.templates,
      barredWords: options.barredWords ?? ['赌博', '毒品', '暴力', '恐吓', '调解'],
      ...(options.limits?.perDay === undefined ? {} : { perDay: options.limits.perDay }),
    },
    {
      store,
      faults,
      // A clock that runs at another speed gives fractions of a millisecond.
      now: () => Math.floor(options.now()),
      delivered: (message) => {
        receipts.owe(message);
        for (const listener of listeners) listener(phoneMessage(message));
        for (const watcher of watchers) watcher.write('data: sms\n\n');
      },
    },
  );

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      if (error instanceof FaultError) return refuse(response, 400, 'invalid_fault', error.message);
      if (error instanceof TooLong) return refuse(response, 413, 'too_large', 'The body is too long.');
      if (!response.headersSent) refuse(response, 500, 'internal', 'The phones stumbled over this request.');
    });
  });
  // Longer than any pause between two texts of a story: a kept connection that closes under a sender reads as «unknown».
  server.keepAliveTimeout = 120_000;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = '/', query = ''] = (request.url ?? '/').split(/\?(.*)/s);
    const { method = 'GET' } = request;
    if (path === VENDOR_PATH || path.startsWith(`${VENDOR_PATH}/`)) {
      const answer = vendor.answer({
        method,
        headers: request.headers,
        query,
        body: await readBody(request),
      });
      // «Never answers»: the connection stays open until the caller has had enough.
      return answer && json(response, answer.status, answer.body);
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
      'There is only / (the phones), /faults and the vendor below /vendors/aliyun-sms.',
    );
  }

  function show(request: IncomingMessage, response: ServerResponse, query: URLSearchParams): void {
    const number = query.get('number') ?? undefined;
    if ((request.headers.accept ?? '').includes('application/json'))
      return json(response, 200, byNumber(store.delivered(number)));
    const messages = number === undefined ? store.newest(PAGE_TEXTS) : store.delivered(number).toReversed();
    const cards = phoneCards(messages, label);
    const nonce = randomBytes(16).toString('base64');
    response.writeHead(200, {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      vary: 'accept',
      'x-content-type-options': 'nosniff',
      'content-security-policy': `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}'; connect-src 'self'; base-uri 'none'; form-action 'none'`,
    });
    response.end(query.get('part') === 'cards' ? cards : phonesPage(cards, nonce, `${url}/faults`));
  }

  function watch(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write('retry: 1000\n\n');
    watchers.add(response);
    response.on('close', () => watchers.delete(response));
  }

  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(options.port, '127.0.0.1', resolve);
    });
  } catch (error) {
    store.close();
    throw error;
  }
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the phones have no port');
  const url = `http://127.0.0.1:${address.port}`;
  if (options.receiptUrl !== undefined) receipts.deliverTo(options.receiptUrl);

  return {
    url,
    aliyunSmsEndpoint: url + VENDOR_PATH,
    messages: () => store.delivered().map(phoneMessage),
    onMessage: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    inFlight: () => receipts.inFlight,
    idle: () => receipts.idle(),
    setReceiptUrl: (receiptUrl) => receipts.deliverTo(receiptUrl),
    faults,
    stop: async () => {
      receipts.stop();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      store.close();
    },
  };
}

const phoneMessage = (m: StoredMessage): PhoneMessage => ({
  number: m.number,
  at: new Date(m.at).toISOString(),
  channel: 'sms',
  text: m.text,
});

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

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    vary: 'accept',
  });
  response.end(JSON.stringify(body));
}

const refuse = (response: ServerResponse, status: number, code: string, message: string) =>
  json(response, status, { error: { code, message, details: [] } });
