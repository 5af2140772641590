import { createServer, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import type { Vendor } from '#shared/domain/channel.ts';
import type { AskResult, Message, RefusalCause, Sender } from '#shared/ports/sender.ts';
import { startPhones, type Phones } from '../../infra/local/phones/phones.ts';
import type { VendorMaker } from '../../infra/local/phones/vendor.ts';

/** What an adapter gets from the suite. */
export interface SenderWorld {
  /** Address of the vendor's API: the emulator, or the wire in between. */
  base: string;
  clock: { now(): Date };
  ids: { nonce(): string };
  timeoutMs: number;
  /** The account's key is not the vendor's. */
  wrongKey: boolean;
}

/** One vendor as the suite drives it. */
export interface VendorUnderTest {
  vendor: Vendor;
  /** The emulated account; left out for Aliyun's texts, which are always there. */
  make?: VendorMaker;
  sender(world: SenderWorld): Sender;
  /** Whom to reach; for webhooks an address below `base`. */
  to(base: string): string;
  /** The same person as the phones show him. */
  phone: string;
  message: Message;
  /** The words on the phone. */
  shown: string;
  /** Calls that send, and that ask: as faults name them. */
  calls: { send: string; ask?: string };
  /** Something is fetched before anything is sent: where that cannot be read, nothing was sent. */
  asksFirst?: 'token' | 'cid';
  /**
   * `bytes`: every request is signed whole · `none`: a token or password is all there is. `skewSeconds`: a clock further off is refused;
   * left out if the vendor does not look at the clock. `replay`: the same request once more is refused, taken again, or known as the same.
   */
  signed: { what: 'bytes' | 'none'; skewSeconds?: number; replay: 'refused' | 'taken' | 'same' };
  /** What `ask` says of a call that got no answer: never received, and received. */
  afterTimeout: { lost: AskResult['kind']; recorded: AskResult['kind'] };
  /** What `ask` says of what has arrived; of what was accepted and came nowhere. */
  afterwards: { arrived: AskResult; silent: AskResult };
  /** Codes the vendor documents, and who has to move. `none` of them may be sent again at once unless it says so. */
  refusals: readonly [code: string, cause: RefusalCause, temporary?: true][];
  /** Code of a wrong key, as the trail shows it. */
  wrongKey: string;
  /** Lets time pass or somebody act until the vendor knows the end, before it is asked. */
  until?(phones: Phones, clock: { now: number }): void;
}

const START = Date.parse('2026-11-03T06:02:20.000Z');

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** A request on the wire. */
interface Passing {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** A wire between adapter and vendor, on which somebody may change or record what passes. Headers stay as they are, Host among them. */
const wireTo = async (phones: Phones) => {
  const passed: Passing[] = [];
  const tap = { change: (passing: Passing) => passing };
  const forward = (passing: Passing): Promise<{ status: number; text: string }> =>
    new Promise((resolve, reject) => {
      const { hostname, port } = new URL(phones.url);
      const { method, url: path, headers, body } = passing;
      const request = httpRequest({ hostname, port, method, path, headers, setHost: false }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
        );
      });
      request.on('error', reject);
      request.end(body);
    });
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const passing = { method, url, headers, body: Buffer.concat(chunks) };
      passed.push(passing);
      void forward(tap.change(passing)).then(({ status, text }) => response.writeHead(status).end(text));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => {
    server.closeAllConnections();
    return server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { url: `http://127.0.0.1:${address.port}`, passed, tap, forward };
};

/** A server that answers everything with the same. */
const answering = async (status: number, body: string): Promise<string> => {
  const server = createServer((_, response) => response.writeHead(status).end(body)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://127.0.0.1:${address.port}`;
};

/** The account of Aliyun's texts that every set of phones has. */
export const ALIYUN = { keys: { 'sample-id': 'sample-secret' }, signName: '小脑' };

/** What every adapter promises, shown against the emulation of its vendor. */
export const describeSender = (v: VendorUnderTest): void => {
  let nonces = 0;
  const open = async () => {
    const clock = { now: START };
    const phones = await startPhones({
      port: 0,
      data: ':memory:',
      now: () => clock.now,
      templates: [{ code: 'SMS_1', text: '新任务${number}：${place}。' }],
      ...ALIYUN,
      vendors: v.make ? [v.make] : [],
    });
    cleanups.push(() => phones.stop());
    const path = `/vendors/${v.vendor}`;
    const senderAt = (origin: string, more: Partial<SenderWorld> = {}) => {
      const base = origin + path;
      const sender = v.sender({
        base,
        clock: { now: () => new Date(clock.now) },
        ids: { nonce: () => `${v.vendor}-${nonces++}` },
        timeoutMs: 3_000,
        wrongKey: false,
        ...more,
      });
      const to = v.to(base);
      return {
        send: (attemptId: string) => sender.send({ attemptId, to, message: v.message }),
        ask: (attemptId: string, vendorId?: string) =>
          sender.ask({
            attemptId,
            to,
            sentAt: new Date(START),
            ...(vendorId === undefined ? {} : { vendorId }),
          }),
      };
    };
    const rung = () => phones.messages().map(({ number, text, vendor }) => ({ number, text, vendor }));
    const fault = (mode: string, more: object = {}) => phones.faults.set({ vendor: v.vendor, mode, ...more });
    return { clock, phones, senderAt, rung, fault };
  };
  const arrived = { number: v.phone, text: v.shown, vendor: v.vendor };

  describe(`${v.vendor} as a sender`, () => {
    it('brings the words to the phone, once, and has an id for them', async () => {
      const { phones, clock, senderAt, rung } = await open();
      const sender = senderAt(phones.url);
      const sent = await sender.send('attempt-1');
      expect(sent).toEqual({ kind: 'accepted', vendorId: expect.stringMatching(/./) });
      expect(rung()).toEqual([arrived]);
      v.until?.(phones, clock);
      expect(await sender.ask('attempt-1', sent.kind === 'accepted' ? sent.vendorId : '')).toEqual(
        v.afterwards.arrived,
      );
    });

    it('accepted, and silently dropped: nobody claims that it arrived', async () => {
      const { phones, senderAt, rung, fault } = await open();
      fault('silent');
      const sender = senderAt(phones.url);
      const sent = await sender.send('attempt-1');
      expect(rung()).toEqual([]);
      expect(await sender.ask('attempt-1', sent.kind === 'accepted' ? sent.vendorId : '')).toEqual(
        v.afterwards.silent,
      );
    });

    it('a refusal says who has to move and whether another try can help', async () => {
      const { phones, senderAt, rung, fault } = await open();
      const sender = senderAt(phones.url);
      fault('refuse');
      expect(await sender.send('first')).toMatchObject({ kind: 'refused', temporary: true, cause: 'moment' });
      for (const [code, cause, temporary = false] of v.refusals) {
        fault('refuse', { code });
        const refused = await sender.send(`attempt-${code}`);
        expect(refused).toMatchObject({ kind: 'refused', cause, temporary });
        expect(refused.kind === 'refused' && refused.code).toContain(code);
      }
      expect(rung()).toEqual([]);
    });

    it('no answer in time is unknown; what can be known is known by asking', async () => {
      const { phones, senderAt, rung, fault } = await open();
      // Only who gets no answer is hurried: on a busy machine an answer may take longer than a short wait.
      const hurried = senderAt(phones.url, { timeoutMs: 150 });
      const patient = senderAt(phones.url);
      fault('timeout');
      expect(await hurried.send('lost')).toMatchObject({ kind: 'unknown' });
      expect(rung()).toEqual([]);
      expect((await patient.ask('lost')).kind).toBe(v.afterTimeout.lost);
      fault('timeout', { recorded: true });
      // Time enough for the vendor to have read it.
      expect(await senderAt(phones.url, { timeoutMs: 1_000 }).send('recorded')).toMatchObject({
        kind: 'unknown',
      });
      await expect.poll(rung, { timeout: 10_000 }).toEqual([arrived]);
      expect((await patient.ask('recorded')).kind).toBe(v.afterTimeout.recorded);
      if (v.calls.ask === undefined) return;
      fault('timeout', { action: v.calls.ask });
      expect((await hurried.ask('recorded', 'any-id')).kind).toBe('no-answer');
    });

    it('a vendor that cannot be reached has surely sent nothing', async () => {
      const { phones, senderAt } = await open();
      const sender = senderAt(phones.url);
      await phones.stop();
      cleanups.pop();
      expect(await sender.send('1')).toMatchObject({
        kind: 'refused',
        temporary: true,
        cause: 'moment',
        code: 'ECONNREFUSED',
      });
      expect((await sender.ask('1', 'any-id')).kind).toBe(v.calls.ask === undefined ? 'cannot' : 'no-answer');
    });

    it.each([
      [500, '<html>a crash</html>'],
      [302, 'elsewhere'],
    ])('an answer that nobody can read (%i %s) is unknown', async (status, body) => {
      const { senderAt } = await open();
      expect(await senderAt(await answering(status, body)).send('1')).toMatchObject(
        v.asksFirst === undefined
          ? { kind: 'unknown' }
          : { kind: 'refused', cause: 'moment', temporary: true },
      );
    });

    it('the wrong key is refused, and is the operator’s affair', async () => {
      const { phones, senderAt, rung } = await open();
      expect(await senderAt(phones.url, { wrongKey: true }).send('1')).toMatchObject({
        kind: 'refused',
        temporary: false,
        cause: 'config',
        code: v.wrongKey,
      });
      expect(rung()).toEqual([]);
    });

    const { what, skewSeconds, replay } = v.signed;

    it.each(what === 'bytes' ? [v.vendor] : [])('one flipped byte anywhere is refused by %s', async () => {
      const { phones, senderAt, rung } = await open();
      const wire = await wireTo(phones);
      const sender = senderAt(wire.url);
      // How long a request is, to reach its last byte too; this one goes astray.
      wire.tap.change = (passing) => ({ ...passing, url: '/nowhere' });
      await sender.send('length');
      const [first] = wire.passed;
      const inBody = (first?.body.length ?? 0) > 0;
      const start = inBody ? 0 : (first?.url.indexOf('?') ?? 0) + 1;
      const length = inBody ? (first?.body.length ?? 0) : (first?.url.length ?? 0) - start;
      expect(length).toBeGreaterThan(50);
      for (let at = length - 1; at >= 0; at -= 13) {
        wire.tap.change = (passing) => {
          const bytes = Buffer.from(inBody ? passing.body : passing.url.slice(start));
          bytes[at] = (bytes[at] ?? 0) ^ 1;
          const { 'content-length': _, ...headers } = passing.headers;
          return inBody
            ? { ...passing, body: bytes, headers: { ...headers, 'content-length': `${bytes.length}` } }
            : { ...passing, url: passing.url.slice(0, start) + bytes.toString('latin1') };
        };
        expect({ at, ...(await sender.send(`flipped-${at}`)) }).toMatchObject({ at, kind: 'refused' });
      }
      expect(rung()).toEqual([]);
    });

    it.each(skewSeconds === undefined ? [] : [skewSeconds])(
      'a clock that is more than %i s off is refused, a little less is taken',
      async (allowed) => {
        const { phones, senderAt, clock, rung } = await open();
        const shifted = (seconds: number) =>
          senderAt(phones.url, { clock: { now: () => new Date(clock.now + seconds * 1000) } });
        const far = allowed + 30;
        for (const seconds of [far, -far])
          expect(await shifted(seconds).send(`off by ${seconds}`)).toMatchObject({
            kind: 'refused',
            cause: 'config',
          });
        expect(rung()).toEqual([]);
        expect((await shifted(30 - allowed).send('in time')).kind).toBe('accepted');
      },
    );

    it(`a request that was recorded and sent again is ${replay}`, async () => {
      const { phones, senderAt, rung } = await open();
      const wire = await wireTo(phones);
      expect((await senderAt(wire.url).send('1')).kind).toBe('accepted');
      const recorded = wire.passed.at(-1);
      if (!recorded) throw new Error('nothing passed');
      await wire.forward(recorded);
      expect(rung()).toHaveLength(replay === 'taken' ? 2 : 1);
    });
  });
};
