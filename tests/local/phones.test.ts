import { spawn } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import * as fc from '../properties.ts';
import * as z from 'zod';
import { afterEach, describe, expect, test } from 'vitest';
import { acs3Headers, canonicalQuery } from '#shared/adapters/acs3-signature.ts';
import { aliyunSms, aliyunSmsCallback } from '#shared/adapters/aliyun-sms.ts';
import type { Inbound, SendRequest } from '#shared/ports/sender.ts';
import { verifyAcs3 } from '../../infra/local/phones/acs3.ts';
import { startPhones, type Phones, type PhonesOptions } from '../../infra/local/phones/phones.ts';

const key = { accessKeyId: 'sample-id', accessKeySecret: 'sample-secret' };
const start = Date.parse('2026-11-03T06:02:20.123Z');
const A = '19900000001';
const B = '19900000002';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const account = {
  port: 0,
  data: ':memory:',
  templates: [{ code: 'SMS_1', text: '新任务${number}：${place}。' }],
  keys: { [key.accessKeyId]: key.accessKeySecret },
  signName: '小脑',
};

async function phonesAt(clock: { now: number }, more: Partial<PhonesOptions> = {}): Promise<Phones> {
  const phones = await startPhones({ ...account, now: () => clock.now, ...more });
  cleanups.push(() => phones.stop());
  return phones;
}

let nonces = 0;
const senderTo = (
  phones: Pick<Phones, 'aliyunSmsEndpoint'>,
  clock: { now: number },
  secret = key.accessKeySecret,
  timeoutMs?: number,
) =>
  aliyunSms({
    endpoint: phones.aliyunSmsEndpoint,
    key: async () => ({ ...key, accessKeySecret: secret }),
    clock: { now: () => new Date(clock.now) },
    ids: { nonce: () => `nonce-${nonces++}` },
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });

const message = (
  template: { code: string; params: Record<string, string> },
  signName = '小脑',
): SendRequest['message'] => ({
  kind: 'ask',
  template: { ...template, order: Object.keys(template.params) },
  signName,
  text: '',
});

const text = (attemptId: string, to = A, more: Partial<SendRequest> = {}): SendRequest => ({
  attemptId,
  to,
  message: message({ code: 'SMS_1', params: { number: '8F3K2M', place: '河清路' } }),
  ...more,
});

const refused = (code: string, cause: string) => ({ kind: 'refused', code, cause, temporary: false });

const phoneWith = (number: string, at: string) => ({
  number,
  messages: [{ at, channel: 'sms', vendor: 'aliyun-sms', text: '【小脑】新任务8F3K2M：河清路。' }],
});

function urlOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://127.0.0.1:${address.port}`;
}

/** A server that takes receipts; `answers` are given in turn, the last one for ever. */
async function receiptTaker(
  answers: { status: number; body: unknown }[] = [{ status: 200, body: aliyunSmsCallback.ack }],
) {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      bodies.push(Buffer.concat(chunks).toString('utf8'));
      const answer = answers[Math.min(bodies.length, answers.length) - 1];
      response.writeHead(answer?.status ?? 500, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer?.body));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => {
    server.closeAllConnections();
    return server.close();
  });
  const receipts = (): Extract<Inbound, { kind: 'receipt' }>[] =>
    bodies
      .flatMap((body) => aliyunSmsCallback.parse(body, () => undefined))
      .filter((inbound) => inbound.kind === 'receipt');
  return { url: `${urlOf(server)}/receipts/aliyun-sms/sample-token`, bodies, receipts };
}

/** A server that answers everything with the same. Returns its URL. */
async function answering(status: number, body: string): Promise<string> {
  const server = createServer((_, response) => response.writeHead(status).end(body)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => server.close());
  return urlOf(server);
}

const fault = (phones: Phones, body: unknown) =>
  fetch(`${phones.url}/faults`, { method: 'POST', body: JSON.stringify(body) });

const hash = (data: string) => createHash('sha256').update(data).digest('hex');

const decode = (text: string) => decodeURIComponent(text.replaceAll('+', ' '));

/** What a query string says, however it is spelled; itself if it cannot be read. */
function meaning(query: string): string {
  try {
    return JSON.stringify(query.split('&').map((pair) => pair.split(/=(.*)/s).slice(0, 2).map(decode)));
  } catch {
    return query;
  }
}

describe('the signature', () => {
  /** help.aliyun.com, «V3版本请求体&签名机制», section 固定参数示例 (RunInstances); the same example stands in the English page. */
  const published = {
    method: 'POST' as const,
    host: 'ecs.cn-shanghai.aliyuncs.com',
    action: 'RunInstances',
    version: '2014-05-26',
    query: { RegionId: 'cn-shanghai', ImageId: 'win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd' },
    nonce: '3156853299f313e23d1673dc12e1703d',
    date: new Date('2023-10-26T10:22:32Z'),
  };
  const publishedKey = { accessKeyId: 'YourAccessKeyId', accessKeySecret: 'YourAccessKeySecret' };
  const publishedAuthorization =
    'ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;' +
    'x-acs-signature-nonce;x-acs-version,Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0';

  test('our side makes the example the vendor published', () => {
    expect(acs3Headers(published, publishedKey).authorization).toBe(publishedAuthorization);
  });

  test('the emulated side accepts the example the vendor published', () => {
    const verdict = verifyAcs3(
      {
        method: 'POST',
        query: 'ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai',
        body: Buffer.alloc(0),
        headers: {
          host: published.host,
          'x-acs-action': 'RunInstances',
          'x-acs-version': '2014-05-26',
          'x-acs-date': '2023-10-26T10:22:32Z',
          'x-acs-signature-nonce': published.nonce,
          'x-acs-content-sha256': 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
          authorization: publishedAuthorization,
        },
      },
      { YourAccessKeyId: 'YourAccessKeySecret' },
      Date.parse('2023-10-26T10:22:32Z'),
    );
    expect(verdict).toEqual({ ok: true, accessKeyId: 'YourAccessKeyId', nonce: published.nonce });
  });

  /** A signed call with a body: our adapter sends none, the vendor signs it all the same. */
  function signedCall(query: Record<string, string>, body: string) {
    const headers: Record<string, string> = {
      host: '127.0.0.1:8111',
      ...acs3Headers(
        {
          method: 'POST',
          host: '127.0.0.1:8111',
          action: 'SendSms',
          version: '2017-05-25',
          query,
          body,
          nonce: 'n',
          date: new Date(start),
        },
        key,
      ),
    };
    return { method: 'POST', query: canonicalQuery(query), body: Buffer.from(body), headers };
  }
  const secrets = { [key.accessKeyId]: key.accessKeySecret };
  const anyCall = fc.tuple(
    fc.dictionary(fc.string({ minLength: 1, unit: 'grapheme-ascii' }), fc.string({ unit: 'binary' }), {
      maxKeys: 6,
    }),
    fc.string({ unit: 'binary', minLength: 1 }),
  );

  test('both sides agree on every query and body', () => {
    fc.assert(
      fc.property(anyCall, ([query, body]) => {
        expect(verifyAcs3(signedCall(query, body), secrets, start)).toMatchObject({ ok: true });
      }),
    );
  });

  test('one changed byte anywhere in query, body or a signed header is refused', () => {
    const parts = ['query', 'body', 'host', 'x-acs-action', 'x-acs-content-sha256', 'x-acs-date'] as const;
    const more = ['x-acs-signature-nonce', 'x-acs-version', 'authorization'] as const;
    fc.assert(
      fc.property(
        anyCall.filter(([query]) => Object.keys(query).length > 0),
        fc.constantFrom(...parts, ...more),
        fc.nat(),
        fc.integer({ min: 1, max: 127 }),
        ([query, body], part, position, flip) => {
          const call = signedCall(query, body);
          const bytes = Buffer.from(
            part === 'query' ? call.query : part === 'body' ? call.body : (call.headers[part] ?? ''),
          );
          const index = position % bytes.length;
          bytes[index] = (bytes[index] ?? 0) ^ flip;
          // latin1 keeps the changed byte one byte; HTTP strips blanks around a header, which the signature may not notice.
          const changed = bytes.toString('latin1');
          fc.pre(part === 'query' || part === 'body' || changed.trim() === changed);
          // «%2f» for «%2F» means the same to the vendor: only what is said is signed, not how the client spelled it.
          fc.pre(part !== 'query' || meaning(changed) !== meaning(call.query));
          if (part === 'query') call.query = changed;
          else if (part === 'body') call.body = bytes;
          else call.headers[part] = changed;
          expect(verifyAcs3(call, secrets, start)).toMatchObject({ ok: false });
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test('a header that is not signed, a clock sixteen minutes off and an unknown key are refused by name', () => {
    const call = signedCall({ a: '1' }, 'x');
    expect(verifyAcs3(call, secrets, start + 14 * 60_000)).toMatchObject({ ok: true });
    expect(verifyAcs3(call, secrets, start + 16 * 60_000)).toMatchObject({
      code: 'InvalidTimeStamp.Expired',
    });
    expect(verifyAcs3(call, secrets, start - 16 * 60_000)).toMatchObject({
      code: 'InvalidTimeStamp.Expired',
    });
    expect(verifyAcs3(call, {}, start)).toMatchObject({ status: 404, code: 'InvalidAccessKeyId.NotFound' });
    const unsigned = { ...call, headers: { ...call.headers, 'x-acs-security-token': 'slipped in' } };
    expect(verifyAcs3(unsigned, secrets, start)).toMatchObject({ code: 'IncompleteSignature' });
  });
});

describe('the adapter against the vendor', () => {
  test('a text arrives with its signature, and the receipt names our attempt', async () => {
    const clock = { now: start };
    const taker = await receiptTaker();
    const phones = await phonesAt(clock, { receiptUrl: taker.url });
    const heard: string[] = [];
    phones.onMessage((message) => heard.push(message.text));

    const sent = await senderTo(phones, clock).send(text('attempt-1'));
    await phones.idle();

    expect(phones.messages()).toEqual([
      {
        number: A,
        at: '2026-11-03T06:02:20.123Z',
        channel: 'sms',
        vendor: 'aliyun-sms',
        text: '【小脑】新任务8F3K2M：河清路。',
      },
    ]);
    expect(heard).toEqual(['【小脑】新任务8F3K2M：河清路。']);
    expect(sent.kind).toBe('accepted');
    expect(taker.receipts()).toEqual([
      {
        kind: 'receipt',
        vendorId: sent.kind === 'accepted' ? sent.vendorId : '',
        attemptId: 'attempt-1',
        state: 'delivered',
        code: 'DELIVERED',
      },
    ]);
    expect(phones.inFlight()).toBe(0);
  });

  test('refusals say whether another try can help and who has to move', async () => {
    const clock = { now: start };
    const phones = await phonesAt(clock, { limits: { perDay: 1 } });
    const sender = senderTo(phones, clock);
    const params = { number: '1', place: '2' };

    expect(await sender.send(text('1', A, { message: message({ code: 'SMS_9', params }) }))).toMatchObject(
      refused('isv.SMS_TEMPLATE_ILLEGAL', 'config'),
    );
    expect(
      await sender.send(text('2', A, { message: message({ code: 'SMS_1', params: { number: '1' } }) })),
    ).toMatchObject(refused('isv.TEMPLATE_MISSING_PARAMETERS', 'text'));
    expect(
      await sender.send(
        text('3', A, { message: message({ code: 'SMS_1', params: { ...params, place: '调解室' } }) }),
      ),
    ).toMatchObject(refused('isv.BLACK_KEY_CONTROL_LIMIT', 'text'));
    expect(await sender.send(text('4', '12345'))).toMatchObject(
      refused('isv.MOBILE_NUMBER_ILLEGAL', 'number'),
    );
    expect(
      await sender.send(text('5', A, { message: message({ code: 'SMS_1', params }, '别人') })),
    ).toMatchObject(refused('isv.SMS_SIGNATURE_ILLEGAL', 'config'));
    expect(await senderTo(phones, clock, 'wrong-secret').send(text('6'))).toMatchObject(
      refused('SignatureDoesNotMatch', 'config'),
    );
    expect(phones.messages()).toEqual([]);

    expect((await sender.send(text('7'))).kind).toBe('accepted');
    expect(await sender.send(text('8'))).toMatchObject(refused('isv.BUSINESS_LIMIT_CONTROL', 'limit'));
    expect((await sender.send(text('9', B))).kind).toBe('accepted');
    clock.now += 86_400_001;
    expect((await sender.send(text('10'))).kind).toBe('accepted');
  });

  test('a nonce is good for one call', async () => {
    const clock = { now: start };
    const phones = await phonesAt(clock);
    const stuck = aliyunSms({
      endpoint: phones.aliyunSmsEndpoint,
      key: async () => key,
      clock: { now: () => new Date(clock.now) },
      ids: { nonce: () => 'always the same' },
    });
    expect((await stuck.send(text('1'))).kind).toBe('accepted');
    expect(await stuck.send(text('2'))).toMatchObject({
      kind: 'refused',
      code: 'SignatureNonceUsed',
      temporary: true,
    });
    expect(phones.messages()).toHaveLength(1);
  });

  test('a time-out is unknown; asked afterwards, the vendor says whether it went out', async () => {
    const clock = { now: start };
    const phones = await phonesAt(clock);
    const hurried = senderTo(phones, clock, key.accessKeySecret, 150);
    const patient = senderTo(phones, clock);
    const sentAt = new Date(start);
    phones.faults.set({ vendor: 'aliyun-sms', mode: 'timeout', count: 1 });
    expect(await hurried.send(text('lost'))).toMatchObject({ kind: 'unknown' });
    expect(await patient.ask({ attemptId: 'lost', to: A, sentAt })).toEqual({ kind: 'no-record' });

    phones.faults.set({ vendor: 'aliyun-sms', mode: 'timeout', count: 1, recorded: true });
    // Time enough for the vendor to have read it.
    const slower = senderTo(phones, clock, key.accessKeySecret, 1_000);
    expect(await slower.send(text('gone out'))).toMatchObject({ kind: 'unknown' });
    await expect.poll(() => phones.messages(), { timeout: 10_000 }).toHaveLength(1);
    expect(await patient.ask({ attemptId: 'gone out', to: A, sentAt })).toEqual({
      kind: 'known',
      state: 'delivered',
      code: 'DELIVERED',
    });

    phones.faults.set({ vendor: 'aliyun-sms', mode: 'timeout', count: 1, action: 'QuerySendDetails' });
    expect(await hurried.ask({ attemptId: 'gone out', to: A, sentAt })).toEqual({ kind: 'no-answer' });
  });

  test('an attempt is found behind fifty others and on the day after a midnight', async () => {
    const clock = { now: Date.parse('2026-11-03T15:59:59.900Z') }; // 23:59:59.9 in China
    const phones = await phonesAt(clock);
    const sender = senderTo(phones, clock);
    const sentAt = new Date(clock.now);
    clock.now += 2_000;
    for (let i = 0; i <= 60; i++) await sender.send(text(`attempt-${i}`));
    expect(await sender.ask({ attemptId: 'attempt-0', to: A, sentAt })).toMatchObject({ state: 'delivered' });
    expect(await sender.ask({ attemptId: 'attempt-61', to: A, sentAt })).toEqual({ kind: 'no-record' });
  });

  test('nobody listening: surely not sent, and not to be asked', async () => {
    const clock = { now: start };
    const phones = await phonesAt(clock);
    const sender = senderTo(phones, clock);
    await phones.stop();
    cleanups.length = 0;
    expect(await sender.send(text('1'))).toMatchObject({
      kind: 'refused',
      temporary: true,
      code: 'ECONNREFUSED',
    });
    expect(await sender.ask({ attemptId: '1', to: A, sentAt: new Date(start) })).toEqual({
      kind: 'no-answer',
    });
  });

  test('the answer the vendor documents is read: a failed delivery with the carrier’s code', async () => {
    const endpoint = await answering(
      200,
      '{"TotalCount":1,"Message":"OK","RequestId":"0F8F57E7","SmsSendDetailDTOs":{"SmsSendDetailDTO":[{"OutId":"123",' +
        '"SendDate":"2026-11-03 14:19:30","SendStatus":2,"ReceiveDate":"2026-11-03 14:19:35","ErrCode":"MOBILE_NOT_ON_SERVICE",' +
        '"TemplateCode":"SMS_1","Content":"【小脑】样例","PhoneNum":"19900000001"}]},"Code":"OK"}',
    );
    const sender = senderTo({ aliyunSmsEndpoint: endpoint }, { now: start });
    expect(await sender.ask({ attemptId: '123', to: A, sentAt: new Date(start) })).toEqual({
      kind: 'known',
      state: 'failed',
      code: 'MOBILE_NOT_ON_SERVICE',
    });
  });

  test.each([
    [200, '<html>a proxy</html>'],
    [200, '{"Code":"OK","Message":"OK"}'],
    [500, '{"Code":"InternalError","Message":"boom"}'],
  ])('an answer nobody can read (%i %s) is unknown', async (status, body) => {
    const sender = senderTo({ aliyunSmsEndpoint: await answering(status, body) }, { now: start });
    expect(await sender.send(text('1'))).toMatchObject({ kind: 'unknown' });
    expect(await sender.ask({ attemptId: '1', to: A, sentAt: new Date(start) })).toEqual({
      kind: 'no-answer',
    });
  });
});

describe('receipts', () => {
  test('one unreadable entry does not take the others with it', () => {
    const good = {
      biz_id: '1^0',
      out_id: 'a',
      success: false,
      err_code: 'MK:0001',
      report_time: '2026-11-03 14:02:20',
    };
    const said: string[] = [];
    expect(
      aliyunSmsCallback.parse(JSON.stringify([{ ...good, success: 'maybe' }, good]), (sentence) =>
        said.push(sentence),
      ),
    ).toEqual([
      {
        kind: 'receipt',
        vendorId: '1^0',
        attemptId: 'a',
        state: 'failed',
        code: 'MK:0001',
      },
    ]);
    expect(said).toEqual([expect.stringContaining('success')]);
    expect(() => aliyunSmsCallback.parse('{"biz_id":"1"}', () => undefined)).toThrow(z.ZodError);
    expect(() => aliyunSmsCallback.parse('not json', () => undefined)).toThrow(SyntaxError);
  });

  test('they are told again until they are taken', async () => {
    const clock = { now: start };
    const taker = await receiptTaker([
      { status: 503, body: {} },
      { status: 200, body: { code: 1 } },
      { status: 200, body: aliyunSmsCallback.ack },
    ]);
    const phones = await phonesAt(clock, { receiptUrl: taker.url });
    await senderTo(phones, clock).send(text('1'));
    await phones.idle();
    expect(taker.bodies).toHaveLength(3);
    expect(new Set(taker.bodies).size).toBe(1);
  });

  test('texts, receipts owed and spent nonces outlive kill -9', async () => {
    const data = mkdtempSync(join(tmpdir(), 'phones-'));
    cleanups.push(() => rmSync(data, { recursive: true }));
    const clock = { now: start };
    const child = spawn(
      process.execPath,
      [
        '--input-type=module',
        '--eval',
        `import { startPhones } from ${JSON.stringify(new URL('../../infra/local/phones/phones.ts', import.meta.url))};
         const phones = await startPhones({ ...${JSON.stringify({ ...account, data })}, now: () => ${start} });
         console.log(phones.aliyunSmsEndpoint);`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    cleanups.push(() => child.kill('SIGKILL'));
    const [line] = z.tuple([z.instanceof(Buffer)]).parse(await once(child.stdout, 'data'));
    const before = senderTo({ aliyunSmsEndpoint: line.toString().trim() }, clock);
    expect((await before.send(text('1'))).kind).toBe('accepted');
    expect((await before.send(text('2', B))).kind).toBe('accepted');
    child.kill('SIGKILL');
    await once(child, 'exit');

    const phones = await phonesAt(clock, { data });
    expect(phones.messages().map((m) => m.number)).toEqual([A, B]);
    expect(phones.inFlight()).toBe(0);
    nonces -= 1;
    expect(await senderTo(phones, clock).send(text('3'))).toMatchObject({ code: 'SignatureNonceUsed' });
    const taker = await receiptTaker();
    phones.setReceiptUrl(taker.url);
    await phones.idle();
    expect(taker.receipts().map((r) => r.attemptId)).toEqual(['1', '2']);
  });
});

test('a data directory of the time of one vendor is taken over: what was delivered is shown, what was owed is told', async () => {
  const data = mkdtempSync(join(tmpdir(), 'phones-'));
  cleanups.push(() => rmSync(data, { recursive: true }));
  const old = new DatabaseSync(join(data, 'phones.sqlite'));
  old.exec(`CREATE TABLE message (
      id INTEGER PRIMARY KEY, number TEXT NOT NULL, at INTEGER NOT NULL, text TEXT NOT NULL, template TEXT NOT NULL,
      biz_id TEXT NOT NULL, out_id TEXT NOT NULL, state INTEGER NOT NULL, delivered_at INTEGER NOT NULL, receipt_owed INTEGER NOT NULL
    ) STRICT;
    INSERT INTO message VALUES (1, '${A}', ${start}, '【小脑】旧短信', 'SMS_1', '1^0', 'attempt-1', 3, ${start}, 1),
      (2, '${A}', ${start}, '【小脑】没到的', 'SMS_1', '2^0', 'attempt-2', 1, 0, 0);`);
  old.close();
  const taker = await receiptTaker();
  const phones = await phonesAt({ now: start }, { data, receiptUrl: taker.url });
  await phones.idle();
  expect(phones.messages().map(({ text, vendor }) => [text, vendor])).toEqual([
    ['【小脑】旧短信', 'aliyun-sms'],
  ]);
  expect(taker.receipts()).toMatchObject([{ attemptId: 'attempt-1', state: 'delivered', code: 'DELIVERED' }]);
});

describe('faults', () => {
  test('refuse and silent hit as many texts as asked, then all is well', async () => {
    const clock = { now: start };
    const taker = await receiptTaker();
    const phones = await phonesAt(clock, { receiptUrl: taker.url });
    const sender = senderTo(phones, clock);

    expect((await fault(phones, { vendor: 'aliyun-sms', mode: 'refuse', count: 2 })).status).toBe(200);
    expect(await sender.send(text('1'))).toMatchObject({
      kind: 'refused',
      temporary: true,
      code: 'isp.SYSTEM_ERROR',
    });
    expect(await (await fetch(`${phones.url}/faults`)).json()).toMatchObject({
      faults: [{ mode: 'refuse', count: 1 }],
    });
    expect(await sender.send(text('2'))).toMatchObject({ kind: 'refused' });

    await fault(phones, { vendor: 'aliyun-sms', mode: 'silent', count: 1, number: B });
    expect((await sender.send(text('3'))).kind).toBe('accepted');
    expect((await sender.send(text('4', B))).kind).toBe('accepted');
    expect(await sender.ask({ attemptId: '4', to: B, sentAt: new Date(start) })).toMatchObject({
      state: 'waiting',
    });

    // By the vendor's short name, and once unless told otherwise.
    await fault(phones, { vendor: 'aliyun', mode: 'refuse', code: 'isv.AMOUNT_NOT_ENOUGH' });
    expect(await sender.send(text('5'))).toMatchObject({ temporary: false, cause: 'money' });
    expect((await sender.send(text('6', B))).kind).toBe('accepted');
    for (const none of [{ count: 0 }, {}]) {
      await fault(phones, { vendor: 'aliyun-sms', mode: 'timeout', count: 100 });
      const answer = await fault(phones, { vendor: 'aliyun', mode: 'none', ...none });
      expect([answer.status, await answer.json()]).toEqual([200, { faults: [] }]);
    }
    expect((await sender.send(text('7', B))).kind).toBe('accepted');

    await phones.idle();
    expect(phones.messages().map((m) => m.number)).toEqual([A, B, B]);
    expect(taker.receipts().map((r) => r.attemptId)).toEqual(['3', '6', '7']);
  });

  test.each([
    [{ vendor: 'pigeon', mode: 'refuse', count: 1 }, 'vendor must be one of aliyun-sms'],
    [{ vendor: 'aliyun-sms', mode: 'explode' }, 'mode must be one of refuse, timeout, silent, none'],
    [{ vendor: 'aliyun-sms', mode: 'refuse', count: 0 }, 'count must be a whole number'],
    [{ vendor: 'aliyun-sms', mode: 'silent', count: 1.5 }, 'count must be a whole number'],
    ['not an object', 'the body must be an object'],
  ])('%j is refused with what is allowed', async (body, sentence) => {
    const phones = await phonesAt({ now: start });
    const response = await fault(phones, body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: { code: 'invalid_fault', message: expect.stringContaining(sentence), details: [] },
    });
    expect(phones.faults.list()).toEqual([]);
  });
});

describe('what people see', () => {
  test('as JSON every number with its texts, one number if asked for', async () => {
    const clock = { now: start };
    const phones = await phonesAt(clock);
    const sender = senderTo(phones, clock);
    await sender.send(text('1'));
    clock.now += 1_500;
    await sender.send(text('2', B));
    const json = async (path: string) =>
      (await fetch(phones.url + path, { headers: { accept: 'application/json' } })).json();
    expect(await json('/')).toEqual([
      phoneWith(A, '2026-11-03T06:02:20.123Z'),
      phoneWith(B, '2026-11-03T06:02:21.623Z'),
    ]);
    expect(await json(`/?number=${B}`)).toEqual([phoneWith(B, '2026-11-03T06:02:21.623Z')]);
  });

  test('the page shows a text as text, and is told of new ones', async () => {
    const clock = { now: start };
    const phones = await phonesAt(clock, { label: () => '<i>样例队员</i>' });
    const events = await fetch(`${phones.url}/events`);
    const reader = events.body?.getReader();
    await reader?.read();
    const params = { number: '<script>alert(1)</script>', place: '"河清路"' };
    await senderTo(phones, clock).send(text('1', A, { message: message({ code: 'SMS_1', params }) }));
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('data: sms\n\n');

    const page = await fetch(phones.url, { headers: { accept: 'text/html' } });
    const html = await page.text();
    expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;：&quot;河清路&quot;');
    expect(html).toContain('&lt;i&gt;样例队员&lt;/i&gt;');
    expect(html).not.toContain('<script>alert');
    expect(html).toContain('lang="zh-CN"');
    expect(html).toContain(`${phones.url}/faults</code>`);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    await reader?.cancel();
  });
});

test('the test signs by itself what the vendor accepts, so that not only our adapter is understood', async () => {
  const phones = await phonesAt({ now: start });
  const host = new URL(phones.url).host;
  const query =
    'OutId=own&PhoneNumbers=19900000001&SignName=%E5%B0%8F%E8%84%91&TemplateCode=SMS_1&TemplateParam=' +
    '%7B%22number%22%3A%221%22%2C%22place%22%3A%22%E6%A1%A5%22%7D';
  const headers = {
    'x-acs-action': 'SendSms',
    'x-acs-content-sha256': hash(''),
    'x-acs-date': '2026-11-03T06:02:20Z',
    'x-acs-signature-nonce': 'own-nonce',
    'x-acs-version': '2017-05-25',
  };
  const names = `host;${Object.keys(headers).join(';')}`;
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`);
  const canonical = `POST\n/\n${query}\nhost:${host}\n${lines.join('')}\n${names}\n${hash('')}`;
  const signature = createHmac('sha256', key.accessKeySecret)
    .update(`ACS3-HMAC-SHA256\n${hash(canonical)}`)
    .digest('hex');
  const response = await fetch(`${phones.aliyunSmsEndpoint}/?${query}`, {
    method: 'POST',
    headers: {
      ...headers,
      authorization: `ACS3-HMAC-SHA256 Credential=sample-id,SignedHeaders=${names},Signature=${signature}`,
    },
  });
  expect(await response.json()).toMatchObject({ Code: 'OK', BizId: expect.stringMatching(/^\d+\^0$/) });
  expect(phones.messages().map((m) => m.text)).toEqual(['【小脑】新任务1：桥。']);
});
