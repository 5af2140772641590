import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import { transform } from 'esbuild';
import { expect, test } from 'vitest';
import { listLog } from '#shared/adapters/log.ts';
import { refused, type Outcome } from '#shared/contracts/errors.ts';
import { wantsPage } from '#shared/contracts/page.ts';
import type { LinkState } from '#shared/contracts/session.ts';
import { httpDoor } from '#shared/lambda/http.ts';
import { linkPage } from '../../functions/receipt/page.ts';

const SOURCE = readFileSync(new URL('../../functions/receipt/page.html', import.meta.url), 'utf8');
const DEAD = refused('not_found', '这个链接已经失效。');
const ALIVE: Outcome<LinkState> = { kind: 'done', body: { number: 'AB12CD', needsPin: false } };

/** What comes through the real door for a link in this state. */
const get = async (shown: Outcome<LinkState>, desk?: string) => {
  const page = linkPage(SOURCE, desk);
  const door = httpDoor(
    [
      {
        method: 'GET',
        path: '/t/{token}',
        auth: 'none',
        handle: async ({ headers }) => (wantsPage(headers) ? page(shown) : shown),
      },
    ],
    { log: listLog() },
  );
  const event = {
    rawPath: '/t/AAAAAAAAAAA',
    headers: { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' },
    requestContext: { http: { method: 'GET' } },
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the door looks at nothing of the context
  return door(event, {} as Parameters<typeof door>[1]);
};
const inner = (html: string, tag: string): string =>
  new RegExp(`<${tag}>(.*)</${tag}>`, 's').exec(html)?.[1] ?? '';

test('browsers ask for a page by name; programs take anything and get JSON', () => {
  const wants = (accept?: string): boolean => wantsPage(accept === undefined ? {} : { accept });
  expect(['text/html', 'text/html,*/*;q=0.8', 'application/xml , TEXT/HTML;q=0.9'].map(wants)).toEqual([
    true,
    true,
    true,
  ]);
  expect(
    [undefined, '*/*', 'application/json', 'text/*', 'text/html;q=0, */*', 'application/text/html'].map(
      wants,
    ),
  ).toEqual([false, false, false, false, false, false]);
});

test('the page may run what it holds and nothing else, is kept nowhere, and tells nobody where it was read', async () => {
  const { statusCode, headers, body } = await get(ALIVE, '0571-00000000');
  expect(statusCode).toBe(200);
  expect(headers).toMatchObject({
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-robots-tag': 'noindex, nofollow',
    'x-content-type-options': 'nosniff',
    vary: 'accept',
  });
  const hashed = (tag: string): string =>
    `'sha256-${createHash('sha256').update(inner(body, tag)).digest('base64')}'`;
  expect(headers['content-security-policy']).toBe(
    `default-src 'none'; script-src ${hashed('script')}; connect-src 'self'; style-src ${hashed('style')}; ` +
      "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  );
  expect(body).not.toMatch(/ style=| on\w+="|src=|url\(|@import|https?:|innerHTML/);
  expect(Buffer.byteLength(body)).toBeLessThanOrEqual(20 * 1024);
});

test('its script is understood by a web view of 2016, and its buttons are large enough for a wet thumb', async () => {
  const script = inner(SOURCE, 'script');
  const [old, young] = await Promise.all(
    ['chrome51', 'esnext'].map((target) => transform(script, { target, charset: 'utf8' })),
  );
  expect(young?.code.length).toBeGreaterThan(5_000);
  expect(old?.code).toBe(young?.code);
  expect(/\n\s*button,[^}]*min-height: (\d+)px/.exec(inner(SOURCE, 'style'))?.[1]).toBe('56');
});

test('what it is about stands in it as words, whatever they are; a dead link has the number of the desk', async () => {
  expect((await get(ALIVE, '0571-00000000')).body).toContain('<body data-link="task" data-number="AB12CD">');
  const drill: Outcome<LinkState> = {
    kind: 'done',
    body: { number: '"><i>$&', needsPin: false, drill: true },
  };
  expect((await get(drill)).body).toContain(
    '<body data-link="drill" data-number="&quot;&gt;&lt;i&gt;$&amp;">',
  );
  const dead = await get(DEAD, '0571-00000000');
  expect([dead.statusCode, dead.headers['content-type']]).toEqual([404, 'text/html; charset=utf-8']);
  expect(dead.body).toContain('<body data-link="dead" data-desk="0571-00000000">');
  expect((await get(DEAD)).body).toContain('<body data-link="dead">');
});

/** As much of a browser as the script needs to ask and to say. */
class Part {
  hidden = true;
  value = '';
  className = '';
  textContent = '';
  disabled = false;
  readonly children: Part[] = [];
  readonly dataset: Record<string, string> = {};
  onclick?: () => void;
  onsubmit?: (event: { preventDefault: () => void }) => void;
  appendChild(one: Part): void {
    this.children.push(one);
  }
}

/** The page of a task's link in a browser, whose server says what it is told to; nothing waits in real time. */
const opened = (answers: readonly (readonly [status: number, body?: object])[]) => {
  const parts = new Map<string, Part>();
  const part = (id: string): Part => {
    const known = parts.get(id) ?? new Part();
    parts.set(id, known);
    return known;
  };
  const later: { run: () => void; ms: number }[] = [];
  const asked: string[] = [];
  const script = [...answers];
  class Request {
    status = 0;
    responseText = '';
    onloadend?: () => void;
    open(method: string, url: string): void {
      asked.push(`${method} ${url}`);
    }
    setRequestHeader(): void {}
    send(): void {
      const [status, body = {}] = script.shift() ?? [0];
      this.status = status;
      this.responseText = JSON.stringify(body);
      this.onloadend?.();
    }
  }
  const body = part('body');
  Object.assign(body.dataset, { link: 'task', number: 'AB12CD' });
  const document = {
    body,
    hidden: false,
    getElementById: part,
    createElement: () => new Part(),
    querySelectorAll: () => [],
    addEventListener: () => {},
  };
  runInNewContext(inner(SOURCE, 'script'), {
    document,
    location: { pathname: '/t/AAAAAAAAAAA' },
    crypto: { getRandomValues: (bytes: Uint8Array) => bytes.fill(7) },
    performance: { now: () => 0 },
    XMLHttpRequest: Request,
    setTimeout: (run: () => void, ms: number) => later.push({ run, ms }),
    setInterval: () => 0,
    clearTimeout: () => {},
    clearInterval: () => {},
    addEventListener: () => {},
  });
  return {
    part,
    asked,
    said: (): string => part('say').textContent,
    /** What waits next happens now; returns how long it would have waited. Milliseconds. */
    next: (): number | undefined => {
      const one = later.shift();
      one?.run();
      return one?.ms;
    },
  };
};

test('a network that is gone and a server that cannot answer are two sentences; both are tried again', () => {
  const page = opened([[0], [503], [500], [404, { error: { code: 'not_found', message: '', details: [] } }]]);
  expect(page.part('open').hidden).toBe(false);
  page.part('enter').onclick?.();
  expect(page.said()).toMatch(/^没有网络，“打开”还没有送到/u);
  for (const _ of ['503', '500']) {
    expect(page.next()).toBe(3_000);
    expect(page.said()).toMatch(/^系统现在答不上来，“打开”还没有送到/u);
  }
  page.next();
  expect(page.part('dead').hidden).toBe(false);
  expect(page.asked).toEqual(Array(4).fill('POST /t/AAAAAAAAAAA/session'));
});

test('who gets no more codes reads why, before the field of the code, and nothing is tried again', () => {
  const message = '验证码一小时最多发三个。';
  const error = { code: 'forbidden', message, details: [{ field: 'pin', message: '' }] };
  const page = opened([[403, { error }]]);
  page.part('enter').onclick?.();
  expect([page.part('pin').hidden, page.part('open').hidden, page.said()]).toEqual([false, true, message]);
  expect(page.next()).toBeUndefined();
});

test('who waits for a code that has not gone out is told so, without asking', () => {
  const wants = (field: string, message: string): [number, object] => [
    401,
    { error: { code: 'unauthorized', message, details: [{ field, message }] } },
  ];
  const page = opened([
    wants('pin', '请输入发到您手机上的六位验证码。'),
    wants('sent', '验证码还没有发出去，打电话给值班台。'),
    wants('pin', ''),
  ]);
  page.part('enter').onclick?.();
  expect([page.part('pin').hidden, page.said()]).toEqual([false, '']);
  expect([page.next(), page.said()]).toEqual([4_000, '验证码还没有发出去，打电话给值班台。']);
  // It has gone out after all.
  expect([page.next(), page.said()]).toEqual([12_000, '']);
  expect(page.next()).toBeUndefined();
});
