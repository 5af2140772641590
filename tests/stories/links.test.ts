import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SAMPLE } from './accounts.ts';
import { synthesize } from './assembly.ts';
import { CAST, DutyRoom } from './duty-room.ts';

const DOMAIN = 't.sample.example';
const DRILL = [
  { channel: 'chat', after: 0 },
  { channel: 'voice', after: 15 },
];
let built: Awaited<ReturnType<typeof synthesize>>;
beforeAll(async () => {
  built = await synthesize({
    district: 'donghu',
    policy: {
      links: { domain: DOMAIN, desk: '0571-00000000' },
      callerTold: { on: true },
      // Wednesday at 10:02, two minutes after every story's beginning; here it may call people up.
      drill: { days: [3], at: 602 },
      delivery: { plans: { kinds: { drill: DRILL } } },
    },
  });
});
afterAll(() => built.remove());

const { secret } = SAMPLE;

const ROSTER = CAST('story', 'patrol').map((one) => (one.id === 'a' ? { ...one, wecom: 'wx-a' } : one));
const PHONE = { device: 'a-first-device-of-his-own' };
const TABLET = { device: 'a-second-one-bought-later' };
const CALLER = '16600001234';

const open = (options: { calls?: boolean } = {}): Promise<DutyRoom> => {
  return DutyRoom.open({
    assembly: built.assembly,
    district: 'donghu',
    roster: ROSTER,
    accounts: { wecom: secret.wecom, ...(options.calls ? { aliyunVoice: secret.aliyunVoice } : {}) },
  });
};
/** What a browser shows of a link. */
const browse = async (room: DutyRoom, link: string) => {
  const accept = 'text/html,application/xhtml+xml,*/*;q=0.8';
  const shown = await fetch(`${room.cloud.url}${new URL(link).pathname}`, { headers: { accept } });
  return { status: shown.status, headers: shown.headers, html: await shown.text() };
};
/** What somebody does with a link that he got. */
const exchange = (room: DutyRoom, link: string, body: object) =>
  room.send(`${new URL(link).pathname}/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

describe('a link', () => {
  it('opens one incident on one device; a second device asks for the code on his own phone; at the close it is dead', async () => {
    const room = await open();
    const id = (await room.call()).body.incidentId ?? '';
    const link = room.messages().at(-1)?.link ?? '';
    expect(link).toMatch(new RegExp(`^https://${DOMAIN}/t/[0-9A-Za-z]{11}$`));
    // Programs look at messages: nothing comes of it.
    expect((await room.send(new URL(link).pathname, {})).status).toBe(200);
    const before = await room.incident(id);
    const page = await browse(room, link);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'sha256-/);
    expect(page.html).toContain(`data-link="task" data-number="${id.slice(-6)}"`);
    expect(await room.incident(id)).toEqual(before);
    const opened = await exchange(room, link, PHONE);
    expect(opened.body).toMatchObject({ incidentId: id, member: 'a' });
    const session = { authorization: `Bearer ${String(opened.body['token'])}`, 'x-device': PHONE.device };
    const acts = (headers: Record<string, string>) =>
      room.send(`/api/incidents/${id}/actions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ action: 'accept' }),
      });
    expect((await acts({ ...session, 'x-device': TABLET.device })).status).toBe(403);
    expect((await acts(session)).body).toMatchObject({ role: 'lead' });
    expect((await room.send('/api/incidents', { headers: session })).status).toBe(403);

    expect((await exchange(room, link, TABLET)).status).toBe(401);
    await room.cloud.settle();
    const code = /验证码(\d{6})/.exec(room.messages().at(-1)?.text ?? '')?.[1];
    expect(code).toBeDefined();
    expect((await exchange(room, link, { ...TABLET, pin: code })).status).toBe(200);

    await room.act('a', id, 'close', { outcome: 'by_phone', text: '样例：电话里已经说清楚了。' });
    expect((await exchange(room, link, PHONE)).status).toBe(404);
    const dead = await browse(room, link);
    expect([dead.status, dead.html.includes('data-desk="0571-00000000"')]).toEqual([404, true]);
    room.rang();
    await room.leave();
  });
});

describe('a drill', () => {
  it('is answered on the page of its link, by a key in its call, by a text: once each, and opens nothing', async () => {
    const room = await open({ calls: true });
    const numberOf = (who: string): string => ROSTER.find(({ id }) => id === who)?.phone ?? '';
    await room.at(121);
    const rang = room.channels().map(([who, vendor, , at]) => `${who} ${vendor} ${at}`);
    expect(rang.toSorted()).toEqual([
      'a wecom 120',
      ...['b', 'c', 'duty', 'leader', 'street'].map((who) => `${who} aliyun-voice 120`),
    ]);
    const link = room.messages().find((message) => message.link)?.link ?? '';
    expect((await browse(room, link)).html).toContain('data-link="drill"');
    expect((await exchange(room, link, PHONE)).body).toEqual({ answered: true });
    expect((await exchange(room, link, TABLET)).body).toEqual({ answered: true });
    room.phones.answerCall(numberOf('b'), { keys: '1' });
    room.phones.answerCall(numberOf('duty'), 'voicemail');
    room.phones.reply({ number: numberOf('c'), text: '1', vendor: 'aliyun-sms', extension: '1' });
    await room.phones.idle();
    await room.cloud.settle();
    const { items = [] } = (await room.get('/api/drill')).body;
    expect(items.flatMap(({ member, over }) => (over === undefined ? [] : [[member, over]]))).toEqual([
      ['a', 'page'],
      ['b', 'keys'],
      ['c', 'text'],
    ]);
    room.channels();
    await room.leave();
  });
});

describe('the caller', () => {
  const answers = async (room: DutyRoom, text: string): Promise<void> => {
    room.phones.reply({ number: CALLER, text });
    await room.phones.idle();
    await room.cloud.settle();
  };

  it('hears who comes by his role, and how it ended; what he answers goes to the desk and moves nothing', async () => {
    const room = await open();
    const id = (await room.call()).body.incidentId ?? '';
    room.expectRings(['a', 'ask', 0]);
    await room.act('a', id, 'accept');
    await room.act('a', id, 'depart');
    await room.act('a', id, 'arrive');
    await room.act('a', id, 'close', { outcome: 'solved', text: '样例：双方已谈妥。' });
    room.expectRings(
      [CALLER, 'caller-accepted', 0],
      [CALLER, 'caller-coming', 0],
      [CALLER, 'caller-result', 0],
    );
    await answers(room, '1');
    room.expectRings(['duty', 'desk', 0]);
    await answers(room, 'TD');
    expect((await room.incident(id)).incident.state).toBe('closed');
    await room.leave();
  });

  it('of a secret matter hears nothing', async () => {
    const room = await open();
    const id = (await room.call({ secret: true })).body.incidentId ?? '';
    await room.act('a', id, 'accept');
    room.expectRings(['a', 'ask-secret', 0]);
    await room.leave();
  });
});
