import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadTexts } from '#shared/districts/load.ts';
import { sampleAccounts } from '../../infra/local/phones/sample-accounts.ts';
import { synthesize } from './assembly.ts';
import { CAST, DutyRoom } from './duty-room.ts';

const DOMAIN = 't.sample.example';
let built: Awaited<ReturnType<typeof synthesize>>;
beforeAll(async () => {
  built = await synthesize({
    district: 'donghu',
    policy: { links: { domain: DOMAIN }, callerTold: { on: true } },
  });
});
afterAll(() => built.remove());

const ROSTER = CAST('story', 'patrol').map((one) => (one.id === 'a' ? { ...one, wecom: 'wx-a' } : one));
const PHONE = { device: 'a-first-device-of-his-own' };
const TABLET = { device: 'a-second-one-bought-later' };
const CALLER = '16600001234';

const open = (): Promise<DutyRoom> => {
  const { vendors, secret } = sampleAccounts(loadTexts());
  return DutyRoom.open({
    assembly: built.assembly,
    district: 'donghu',
    roster: ROSTER,
    vendors,
    accounts: { wecom: secret.wecom },
  });
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
    const link = room.phones.messages().at(-1)?.link ?? '';
    expect(link).toMatch(new RegExp(`^https://${DOMAIN}/t/[0-9A-Za-z]{11}$`));
    // Programs look at messages: nothing comes of it.
    expect((await room.send(new URL(link).pathname, {})).status).toBe(200);
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
    const code = /验证码(\d{6})/.exec(room.phones.messages().at(-1)?.text ?? '')?.[1];
    expect(code).toBeDefined();
    expect((await exchange(room, link, { ...TABLET, pin: code })).status).toBe(200);

    await room.act('a', id, 'close', { outcome: 'by_phone', text: '样例：电话里已经说清楚了。' });
    expect((await exchange(room, link, PHONE)).status).toBe(404);
    room.rang();
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
