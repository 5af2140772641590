import { beforeEach, describe, expect, test } from 'vitest';
import { issueToken, tokenSignIn } from '#shared/adapters/tokens.ts';
import { PIN_MS, tokenFrom } from '#shared/domain/link.ts';
import { isCodeLost, leaveWithoutCode } from '#shared/domain/unreached.ts';
import { deviceHash, httpDoor } from '#shared/lambda/http.ts';
import { ownerOf } from '#shared/ports/store.ts';
import { openLink, showLink, type Session } from '../../functions/receipt/link.ts';
import { SECRET } from '../adapters/fixtures.ts';
import { everybody } from '../domain/duty-room.ts';
import { Office } from './office.ts';

const PHONE = 'a-first-device-of-his-own';
const TABLET = 'a-second-one-bought-later';
const DOMAIN = 't.sample.example';

let office: Office;
let id: string;
let who: string;
beforeEach(async () => {
  office = await Office.open();
  office.district.links.domain = DOMAIN;
  // Chat carries links; his texts hold only codes to reply.
  const people = office.members.map((member) => ({ ...member, wecom: `wx-${member.id}` }));
  await office.store.saveRoster(people, office.time);
  office.configured = ['wecom', 'aliyun-sms'];
  id = await office.asks110();
  [who = ''] = await office.asked(id);
});

const opener = () => ({
  store: office.store,
  queues: office.queues,
  workflow: office.workflow,
  clock: office.clock,
  log: office.log,
  backoff: office.backoff,
  district: office.district,
  memos: office.memos,
  secrets: office.secrets,
  deviceHash,
  sign: ({ member, hours, ...only }: Session) =>
    issueToken(SECRET, { sub: member, role: 'member', district: 'xiaohe', hours, only }, office.clock),
});
/** The token of the link in the message that he got. */
const linked = async (incident = id): Promise<string> => {
  const { notice } = await office.notice(incident, who);
  await office.deliver(ownerOf(incident), notice.id);
  const link = office.sends.at(-1)?.message.link ?? '';
  expect(link).toMatch(new RegExp(`^https://${DOMAIN}/t/[0-9A-Za-z]{11}$`));
  return link.slice(-11);
};
const open = (token: string, device: string, pin?: string) =>
  openLink(opener(), token, Buffer.from(JSON.stringify({ device, ...(pin ? { pin } : {}) })));
/** The code that went to his own number last. */
const pinSent = async (): Promise<string> => {
  const rows = (await office.store.notices(ownerOf(id))).filter(({ notice }) => notice.kind === 'pin');
  const last = rows.at(-1);
  if (!last) throw new Error('no code was sent');
  await office.deliver(ownerOf(id), last.notice.id);
  const { to, message } = office.sends.at(-1) ?? {};
  expect(to).toBe(office.members.find((member) => member.id === who)?.phone);
  return message?.template.params['pin'] ?? '';
};

test('a token has at least 60 bits in at most 12 characters, and stands nowhere in the table', async () => {
  expect(11 * Math.log2(62)).toBeGreaterThan(60);
  expect(tokenFrom(new Uint8Array(16))).toBe('00000000000');
  expect(
    new Set(
      Array.from({ length: 500 }, (_, n) =>
        tokenFrom(Uint8Array.from({ length: 16 }, (_x, i) => (n * 31 + i * 7) % 256)),
      ),
    ).size,
  ).toBeGreaterThan(200);
  const token = await linked();
  expect(JSON.stringify(await office.all())).not.toContain(token);
  // Worded again, as after a failure, it is the same link.
  expect(await linked()).toBe(token);
});

test('GET changes nothing, however often a program looks', async () => {
  const token = await linked();
  const before = JSON.stringify(await office.all());
  for (let n = 0; n < 30; n += 1)
    expect(await showLink(opener(), token)).toMatchObject({ kind: 'done', body: { needsPin: false } });
  expect(await showLink(opener(), 'AAAAAAAAAAA')).toMatchObject({ kind: 'refused', code: 'not_found' });
  expect(JSON.stringify(await office.all())).toBe(before);
});

describe('a link is exchanged', () => {
  test('for a session of this incident on this device, again on the same device', async () => {
    const token = await linked();
    const opened = await open(token, PHONE);
    expect(opened).toMatchObject({ kind: 'done', body: { incidentId: id, member: who } });
    expect(await open(token, PHONE)).toMatchObject({ kind: 'done' });
    expect(await showLink(opener(), token)).toMatchObject({ body: { needsPin: true } });
  });

  test('the session opens that incident on that device, and nothing else', async () => {
    const opened = await open(await linked(), PHONE);
    const session = opened.kind === 'done' && 'token' in opened.body ? opened.body.token : '';
    const door = httpDoor(
      [
        {
          method: 'GET',
          path: '/api/incidents/{id}',
          auth: 'any',
          handle: async ({ bearer }) => ({ kind: 'done', body: bearer.id }),
        },
        {
          method: 'GET',
          path: '/api/incidents',
          auth: 'any',
          handle: async () => ({ kind: 'done', body: [] }),
        },
      ],
      { log: office.log, signIn: tokenSignIn(office.secrets, 'xiaohe', office.clock) },
    );
    const get = async (path: string, device?: string): Promise<number> => {
      const headers = { authorization: `Bearer ${session}`, ...(device ? { 'x-device': device } : {}) };
      const event = { rawPath: path, headers, requestContext: { http: { method: 'GET' } } };
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the door looks at nothing of the context
      return (await door(event, {} as Parameters<typeof door>[1])).statusCode;
    };
    expect(await get(`/api/incidents/${id}`, PHONE)).toBe(200);
    expect(await get(`/api/incidents/${id}`, TABLET)).toBe(403);
    expect(await get(`/api/incidents/${id}`)).toBe(403);
    expect(await get('/api/incidents/another', PHONE)).toBe(403);
    expect(await get('/api/incidents', PHONE)).toBe(403);
  });

  test('on a second device only with the code that goes to his own number', async () => {
    const token = await linked();
    await open(token, PHONE);
    expect(await open(token, TABLET)).toMatchObject({ kind: 'refused', code: 'unauthorized' });
    const pin = await pinSent();
    expect(pin).toMatch(/^\d{6}$/);
    expect(JSON.stringify(await office.all())).not.toContain(pin);
    const wrong = pin === '000000' ? '000001' : '000000';
    expect(await open(token, TABLET, wrong)).toMatchObject({ kind: 'refused', code: 'invalid' });
    expect(await open(token, TABLET, pin)).toMatchObject({ kind: 'done' });
    // Used up: a third one needs its own.
    office.time += 61_000;
    expect(await open(token, 'a-third-device-of-a-thief', pin)).toMatchObject({ code: 'unauthorized' });
  });

  test('when no text brings the code it comes by chat; when nothing does he reads whom to ask, and the desk hears of it', async () => {
    office.district.links.desk = '0571-00000000';
    const token = await linked();
    await open(token, PHONE);
    const refusal = { kind: 'refused', temporary: false, cause: 'number', code: 'x', sentence: '' } as const;
    const asked = async (): Promise<string> => {
      expect(await open(token, TABLET)).toMatchObject({ code: 'unauthorized', details: [{ field: 'pin' }] });
      const rows = await office.store.notices(ownerOf(id));
      return rows.findLast(({ notice }) => notice.kind === 'pin')?.notice.id ?? '';
    };
    const before = office.called.length;
    office.script.send = [refusal];
    await office.deliver(ownerOf(id), await asked());
    expect(office.called.slice(before)).toEqual(['aliyun-sms', 'wecom']);
    expect(await open(token, TABLET)).toMatchObject({ details: [{ field: 'pin' }] });

    office.time += 301_000;
    const second = await asked();
    office.script.send = [refusal, refusal];
    await office.deliver(ownerOf(id), second);
    expect(await open(token, TABLET)).toMatchObject({
      kind: 'refused',
      code: 'unauthorized',
      message: expect.stringContaining('值班台0571-00000000'),
      details: [{ field: 'sent' }],
    });
    expect((await office.notice(id, 'duty-1', 'desk')).notice.note).toBe('unsent');
    const lines = (await office.store.lines(id)).map(({ stored }) => stored);
    expect(lines.find(({ kind }) => kind === 'unreached')).toMatchObject({
      whom: who,
      facts: { what: 'pin' },
    });
    // Brought twice by the queue, it is told once.
    await office.deliver(ownerOf(id), second);
    expect(lines).toHaveLength((await office.store.lines(id)).length);

    // So many codes and no more: he is not left to wait for one that nobody sends.
    office.time += 301_000;
    await asked();
    office.time += 301_000;
    expect(await open(token, TABLET)).toMatchObject({ code: 'forbidden', details: [{ field: 'pin' }] });
  });

  describe('a code that no vendor took', () => {
    const asksCode = async (): Promise<string> => {
      const token = await linked();
      await open(token, PHONE);
      await open(token, TABLET);
      const rows = await office.store.notices(ownerOf(id));
      return rows.findLast(({ notice }) => notice.kind === 'pin')?.notice.id ?? '';
    };
    const refusal = { kind: 'refused', temporary: false, cause: 'number', code: 'x', sentence: '' } as const;
    const told = async (): Promise<string[]> =>
      (await office.store.notices(ownerOf(id))).flatMap(({ notice }) =>
        notice.note === 'unsent' ? [notice.to] : [],
      );
    const over = async (pin: string) => (await office.store.notice(ownerOf(id), pin))?.over;

    test('the desk hears of it once, wherever the deliverer dies', async () => {
      const pin = await asksCode();
      office.script.send = [refusal, refusal];
      const outage = () => Promise.reject(new Error('sample outage'));
      office.races.push(outage);
      await expect(office.deliver(ownerOf(id), pin)).rejects.toThrow('sample outage');
      expect([await told(), await over(pin)]).toEqual([[], undefined]);
      // The next time it dies after the telling, before the notice is written over.
      const { store } = office;
      const step = store.step.bind(store);
      store.step = outage;
      await expect(office.deliver(ownerOf(id), pin)).rejects.toThrow('sample outage');
      store.step = step;
      await office.deliver(ownerOf(id), pin);
      expect([await told(), await over(pin)]).toEqual([['duty-1'], 'unreachable']);
    });

    test('too late, or without an answer from any vendor, is told as well', async () => {
      const pin = await asksCode();
      const busy = { ...refusal, temporary: true, cause: 'moment' } as const;
      office.script.send = [busy, busy];
      await office.deliver(ownerOf(id), pin);
      expect(await told()).toEqual([]);
      office.time += PIN_MS;
      await office.deliver(ownerOf(id), pin);
      expect([await told(), await over(pin)]).toEqual([['duty-1'], 'too-late']);
      const row = await office.store.notice(ownerOf(id), pin);
      if (!row) throw new Error('no notice');
      const been = (state: 'unknown' | 'sent') => ({ ...row, attempts: [{ state }] });
      expect([isCodeLost(been('unknown'), 'silent'), isCodeLost(been('sent'), 'silent')]).toEqual([
        true,
        false,
      ]);
    });

    test('never the very person who cannot be reached', async () => {
      const hands = everybody();
      const [desk, next] = [...hands.duty, ...hands.street].map((hand) => hand.id);
      const { notices } = leaveWithoutCode(await office.incident(id), desk ?? '', hands, office.time);
      expect([next, ...notices.map(({ to }) => to)]).toEqual([expect.any(String), next]);
    });
  });

  test('nobody guesses: five wrong codes, ten tries a minute, three codes an hour', async () => {
    const token = await linked();
    await open(token, PHONE);
    await open(token, TABLET);
    const pin = await pinSent();
    const wrong = (n: number) => String((Number(pin) + 1 + n) % 1_000_000).padStart(6, '0');
    for (let n = 0; n < 5; n += 1) await open(token, TABLET, wrong(n));
    expect(await open(token, TABLET, pin)).toMatchObject({ kind: 'refused', code: 'forbidden' });
    for (let n = 0; n < 3; n += 1) await open(token, TABLET, pin);
    expect(await open(token, TABLET, pin)).toMatchObject({
      code: 'forbidden',
      message: expect.stringContaining('一分钟后再试'),
    });
    for (let n = 0; n < 6; n += 1) {
      office.time += 301_000;
      await open(token, TABLET);
    }
    const sent = (await office.store.notices(ownerOf(id))).filter(({ notice }) => notice.kind === 'pin');
    expect(sent.length).toBeLessThanOrEqual(4);
  });

  test('never once the task is somebody else’s: not on the device that had it open, nor with a code', async () => {
    const token = await linked();
    await office.does(who, id, { action: 'accept' });
    expect(await open(token, PHONE)).toMatchObject({ kind: 'done' });
    office.time += 1_000;
    const member = office.members.find((one) => one.role === 'member' && one.id !== who)?.id ?? '';
    await office.does('duty-1', id, { action: 'reassign', member, reason: '换人' });
    expect(await showLink(opener(), token)).toMatchObject({ kind: 'refused', code: 'not_found' });
    for (const device of [PHONE, TABLET])
      expect(await open(token, device)).toMatchObject({ kind: 'refused', code: 'not_found' });
    expect((await office.store.notices(ownerOf(id))).filter(({ notice }) => notice.kind === 'pin')).toEqual(
      [],
    );
    // Given back to him, it is his link again.
    await office.does('duty-1', id, { action: 'reassign', member: who, reason: '还是他' });
    expect(await open(token, PHONE)).toMatchObject({ kind: 'done', body: { member: who } });
  });

  test('never when it is dead: closed, unknown, no token at all', async () => {
    const token = await linked();
    await office.does(who, id, { action: 'accept' });
    await office.does(who, id, { action: 'arrive' });
    await office.does(who, id, { action: 'close', outcome: 'solved', text: '样例' });
    expect(await open(token, PHONE)).toMatchObject({ kind: 'refused', code: 'not_found' });
    expect(await showLink(opener(), token)).toMatchObject({ kind: 'refused', code: 'not_found' });
    for (const other of ['AAAAAAAAAAA', '../../../x', '', 'aaaaaaaaaaaa'])
      expect(await open(other, PHONE)).toMatchObject({ kind: 'refused', code: 'not_found' });
  });

  test('never again after a reopening, but for whoever is asked once more', async () => {
    const token = await linked();
    await office.does(who, id, { action: 'accept' });
    expect(await open(token, PHONE)).toMatchObject({ kind: 'done' });
    const [other = ''] = office.members.flatMap((one) =>
      one.role === 'member' && one.id !== who ? [one.id] : [],
    );
    await office.does('duty-1', id, { action: 'reassign', member: other });
    const first = who;
    who = other;
    const his = await linked();
    await office.does(other, id, { action: 'accept' });
    await office.does('duty-1', id, { action: 'close', outcome: 'cancelled', text: '样例' });
    expect(await showLink(opener(), his)).toMatchObject({ kind: 'refused', code: 'not_found' });
    await office.does('duty-1', id, { action: 'reopen', reason: '样例' });
    expect(await office.asked(id)).toEqual([other]);
    // He was sent away before the close: he stands among the people, and has nothing to do with it.
    expect((await office.incident(id)).people.map((person) => person.id)).toContain(first);
    for (const device of [PHONE, TABLET])
      expect(await open(token, device)).toMatchObject({ kind: 'refused', code: 'not_found' });
    expect(await open(his, PHONE)).toMatchObject({ kind: 'done', body: { member: other } });
  });

  test('on three devices and not on a fourth, whatever code it knows', async () => {
    const token = await linked();
    await open(token, PHONE);
    for (const device of [TABLET, 'a-third-one-that-he-borrowed']) {
      await open(token, device);
      const pin = await pinSent();
      expect(await open(token, device, pin)).toMatchObject({ kind: 'done' });
    }
    office.time += 61_000;
    expect(await open(token, 'a-fourth-one-in-an-office')).toMatchObject({
      kind: 'refused',
      code: 'forbidden',
    });
    expect(await open(token, TABLET)).toMatchObject({ kind: 'done' });
  });

  test('never without a device, and a body that is none is a sentence', async () => {
    const token = await linked();
    expect(await openLink(opener(), token, Buffer.from('{}'))).toMatchObject({ code: 'invalid' });
    expect(await openLink(opener(), token, Buffer.from('<'))).toMatchObject({ code: 'not_json' });
  });
});

test('a vendor that refuses links gets codes to reply only', async () => {
  office.configured = ['aliyun-sms'];
  const { notice } = await office.notice(id, who);
  await office.deliver(ownerOf(id), notice.id);
  const message = office.sends.at(-1)?.message;
  expect(message?.link).toBeUndefined();
  expect(message?.text).toContain('回1接单');
});

test('in a district that speaks English, whoever takes words says them in English', async () => {
  office.district.language = 'en';
  await linked();
  expect(office.sends.at(-1)?.message.text).toMatch(/^Task \S{6}: .*1 yes, 2 no, by/);
});
