import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SAMPLE } from './accounts.ts';
import { synthesize } from './assembly.ts';
import { CAST, DutyRoom } from './duty-room.ts';

let built: Awaited<ReturnType<typeof synthesize>>;
beforeAll(async () => {
  built = await synthesize();
});
afterAll(() => built.remove());

const { secret } = SAMPLE;

const ROSTER = CAST('story', 'patrol');
const phoneOf = (id: string): string => ROSTER.find((one) => one.id === id)?.phone ?? '';

const open = (voice = false, roster = ROSTER): Promise<DutyRoom> => {
  return DutyRoom.open({
    assembly: built.assembly,
    district: 'donghu',
    roster,
    ...(voice ? { accounts: { aliyunVoice: secret.aliyunVoice } } : {}),
  });
};
/** A call about a door; two about one door would be one event. */
const called = async (room: DutyRoom, address = '样例路1号'): Promise<string> =>
  (await room.call({ address })).body.incidentId ?? '';
/** Somebody texts back to the text he got last; everything that follows has happened when this returns. */
const texts = async (room: DutyRoom, who: string, text: string): Promise<void> => {
  room.phones.reply({ number: phoneOf(who), text });
  await room.phones.idle();
  await room.cloud.settle();
};
const lead = async (room: DutyRoom, id: string): Promise<unknown> =>
  (await room.incident(id)).incident['lead'];
/** The words on somebody's phone, newest last. */
const shown = (room: DutyRoom, who: string): string =>
  room.messages().findLast(({ number }) => number === phoneOf(who))?.text ?? '';

describe('a text back', () => {
  it('1: he leads, without opening anything; nobody else is ever asked', async () => {
    const room = await open();
    const id = await called(room);
    await room.at(20);
    room.expectRings(['a', 'ask', 0]);
    await texts(room, 'a', ' １ ');
    expect(await lead(room, id)).toBe('a');
    expect(shown(room, 'a')).toContain('您负责，请打开，到场回3');
    await room.at(59);
    room.expectRings(['a', 'answer', 20]);
    const accepted = (await room.incident(id)).trail.find(({ kind }) => kind === 'accepted');
    expect(accepted).toMatchObject({ by: 'a', facts: { over: 'sms' } });
    await room.leave();
  });

  it('2: the next one rings in the same second', async () => {
    const room = await open();
    await called(room);
    await room.at(10);
    await texts(room, 'a', '2');
    room.expectRings(['a', 'ask', 0], ['a', 'answer', 10], ['b', 'ask', 10]);
    await room.leave();
  });

  it('two tasks: 1 does nothing and lists the codes, the code takes the one that is meant', async () => {
    const room = await open();
    const first = await called(room);
    await room.at(5);
    const second = await called(room, '样例路9号');
    await room.at(10);
    room.expectRings(['a', 'ask', 0], ['a', 'ask', 5]);
    await texts(room, 'a', '1');
    expect([await lead(room, first), await lead(room, second)]).toEqual([undefined, undefined]);
    room.expectRings(['a', 'choose', 10]);
    expect(shown(room, 'a')).toContain(`${second.slice(-6)}回21接单，${first.slice(-6)}回11接单，谢谢。`);
    await texts(room, 'a', '回 21 接单');
    expect([await lead(room, first), await lead(room, second)]).toEqual([undefined, 'a']);
    room.expectRings(['a', 'answer', 10]);
    await texts(room, 'a', '11');
    expect(await lead(room, first)).toBe('a');
    room.expectRings(['a', 'answer', 10]);
    // On site and done, still without opening anything.
    await room.at(70);
    await texts(room, 'a', '到场');
    expect(shown(room, 'a')).toContain(`${second.slice(-6)}回23到场，${first.slice(-6)}回13到场，谢谢。`);
    await texts(room, 'a', '23到场');
    await texts(room, 'a', '24');
    expect(shown(room, 'a')).toContain(`任务${second.slice(-6)}：请回“24办结 情况”。`);
    await texts(room, 'a', '２４办结　双方谈妥');
    const { incident, trail } = await room.incident(second);
    expect(incident.state).toBe('closed');
    expect(
      trail.filter(({ by, kind }) => by === 'a' && (kind === 'arrived' || kind === 'closed')),
    ).toMatchObject([
      { facts: { over: 'sms' } },
      { facts: { over: 'sms', outcome: 'solved' }, text: '双方谈妥' },
    ]);
    expect((await room.incident(first)).incident.state).toBe('accepted');
    const answers = Array.from({ length: 3 }, () => ['a', 'answer', 70] as const);
    room.expectRings(...answers, ['a', 'choose', 70]);
    await room.leave();
  });

  it('after a reassign: nothing is taken back, and he is told', async () => {
    const room = await open();
    const id = await called(room);
    await room.act('a', id, 'accept');
    await room.at(5);
    await room.act('desk', id, 'reassign', { member: 'b' });
    room.expectRings(['a', 'ask', 0], ['a', 'reassigned', 5], ['b', 'ask', 5]);
    await texts(room, 'a', '1');
    expect(await lead(room, id)).toBeUndefined();
    room.expectRings(['a', 'answer', 5]);
    await texts(room, 'b', '1');
    expect(await lead(room, id)).toBe('b');
    room.expectRings(['b', 'answer', 5]);
    await room.leave();
  });

  it('of a stranger, or forged without the token, changes nothing', async () => {
    const room = await open();
    const id = await called(room);
    const post = (token: string, from: string): Promise<number> =>
      room
        .send(`/receipts/aliyun-sms/${token}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify([
            {
              phone_number: from,
              content: '1',
              send_time: '2026-03-04 10:00:00',
              dest_code: '1',
              sequence_id: '77',
            },
          ]),
        })
        .then(({ status }) => status);
    expect(await post('wrong', phoneOf('a'))).toBe(404);
    expect(await post(room.secret.receiptToken, '16600007777')).toBe(200);
    expect(await lead(room, id)).toBeUndefined();
    room.expectRings(['a', 'ask', 0]);
    await room.leave();
  });
});

describe('STOP', () => {
  it('of the sole way to somebody: the desk is warned, and the next alarm still rings', async () => {
    const room = await open();
    await called(room);
    await texts(room, 'a', 'TD');
    room.expectRings(['a', 'ask', 0], ['duty', 'desk', 0]);
    expect(shown(room, 'duty')).toContain('有队员停收了短信');
    await room.at(5);
    await called(room, '样例路9号');
    room.expectRings(['a', 'ask', 5]);
    await room.leave();
  });

  it('of the sole candidate: he is called up instead, the desk is warned, and the climb waits for his minute', async () => {
    const room = await open(
      true,
      ROSTER.filter(({ id }) => id !== 'b' && id !== 'c'),
    );
    const first = await called(room);
    await texts(room, 'a', '退订');
    room.expectRings(['a', 'ask', 0], ['duty', 'desk', 0]);
    await room.act('a', first, 'accept');
    await room.at(5);
    const id = await called(room, '样例路9号');
    expect(room.channels()).toEqual([['a', 'aliyun-voice', 'ask', 5]]);
    await room.at(64);
    room.expectRings();
    // Nobody else is a candidate: his leader is the next.
    await room.at(66);
    room.expectRings(['leader', 'ask', 65]);
    expect((await room.incident(id)).trail.map(({ kind }) => kind)).not.toContain('unreached');
    await room.leave();
  });
});

describe('a call', () => {
  const ringing = async (): Promise<{ room: DutyRoom; id: string }> => {
    const room = await open(true);
    await room.vendor('silent', { number: phoneOf('a') });
    const id = await called(room);
    await room.at(16);
    expect(room.channels()).toEqual([['a', 'aliyun-voice', 'ask', 15]]);
    return { room, id };
  };
  const end = async (room: DutyRoom, how: Parameters<typeof room.phones.answerCall>[1]): Promise<void> => {
    room.phones.answerCall(phoneOf('a'), how);
    await room.phones.idle();
    await room.cloud.settle();
  };

  it('key 1 accepts', async () => {
    const { room, id } = await ringing();
    await end(room, { keys: '1' });
    expect(await lead(room, id)).toBe('a');
    const accepted = (await room.incident(id)).trail.find(({ kind }) => kind === 'accepted');
    expect(accepted).toMatchObject({ facts: { over: 'voice' } });
    room.expectRings(['a', 'answer', 16]);
    await room.leave();
  });

  it('a machine that takes it accepts nothing: the next one is asked at his second', async () => {
    const { room, id } = await ringing();
    await end(room, 'voicemail');
    expect(await lead(room, id)).toBeUndefined();
    await room.at(61);
    expect(room.channels()).toContainEqual(['b', 'aliyun-sms', 'ask', 60]);
    await room.leave();
  });
});
