import { beforeEach, describe, expect, test } from 'vitest';
import { TEXTLESS, repliesSchema } from '#shared/domain/reply.ts';
import { shortNumber } from '#shared/domain/wording.ts';
import type { Inbound } from '#shared/ports/sender.ts';
import { ownerOf, REJECTS_OWNER } from '#shared/ports/store.ts';
import { takeReply } from '../../functions/receipt/reply.ts';
import { Office } from './office.ts';

let office: Office;
let messages: number;
beforeEach(async () => {
  office = await Office.open();
  messages = 0;
});

type Reply = Extract<Inbound, { kind: 'reply' }>;
const phoneOf = (who: string): string => office.members.find(({ id }) => id === who)?.phone ?? '';
const reply = (from: string, text: string, more: Partial<Reply> = {}): Reply => {
  messages += 1;
  return {
    kind: 'reply',
    messageId: `m-${messages}`,
    from,
    text,
    extension: '1',
    at: new Date(office.time),
    ...more,
  };
};
/** Somebody texts back, two seconds after whatever was before. */
const says = async (who: string, text: string, more: Partial<Reply> = {}): Promise<Reply> => {
  office.time += 2_000;
  const said = reply(phoneOf(who), text, more);
  await takeReply(office, 'aliyun-sms', said);
  return said;
};
const desk = (): string => office.members.find(({ role }) => role === 'duty')?.id ?? '';
/** One more task for the person whom the first one asked. */
const another = async (id: string, who: string): Promise<string> => {
  const next = await office.asks110();
  office.time += 500;
  if ((await office.asked(next))[0] !== who)
    await office.does(desk(), next, { action: 'reassign', member: who });
  expect(id).not.toBe(next);
  return next;
};
const firstAsked = async (id: string): Promise<string> => (await office.asked(id))[0] ?? '';
const answersTo = async (id: string, who: string) =>
  (await office.store.notices(ownerOf(id))).flatMap(({ notice }) =>
    notice.to === who && (notice.kind === 'answer' || notice.kind === 'choose') ? [notice] : [],
  );

describe('a member answers a text', () => {
  test('one waits: 1 accepts, as by a tap; the trail says by what; he hears that he leads', async () => {
    const id = await office.asks110();
    const who = await firstAsked(id);
    await says(who, ' １。');
    expect(await office.incident(id)).toMatchObject({ state: 'accepted', lead: who });
    const lines = (await office.store.lines(id)).map(({ stored }) => stored);
    expect(lines.find(({ kind }) => kind === 'accepted')).toMatchObject({ by: who, facts: { over: 'sms' } });
    expect(await answersTo(id, who)).toMatchObject([{ kind: 'answer', answer: 'lead' }]);
    expect(await office.faults(id)).toEqual([]);
  });

  test('2 declines: the next one is asked at once', async () => {
    const id = await office.asks110();
    const who = await firstAsked(id);
    await says(who, '2');
    expect((await office.asked(id)).length).toBeGreaterThan(1);
    expect(await answersTo(id, who)).toMatchObject([{ answer: 'declined' }]);
  });

  test('two wait: nothing is done and the codes are listed; the code then takes exactly that one', async () => {
    const first = await office.asks110();
    const who = await firstAsked(first);
    office.time += 1_000;
    const second = await another(first, who);
    await says(who, '1');
    expect((await office.incident(first)).lead).toBeUndefined();
    expect((await office.incident(second)).lead).toBeUndefined();
    expect(await answersTo(first, who)).toMatchObject([
      {
        kind: 'choose',
        list: [
          { number: shortNumber(second), code: '21' },
          { number: shortNumber(first), code: '11' },
        ],
      },
    ]);
    await says(who, '回21接单');
    expect((await office.incident(first)).lead).toBeUndefined();
    expect((await office.incident(second)).lead).toBe(who);
    // Now one is left.
    await says(who, '1');
    expect((await office.incident(first)).lead).toBe(who);
  });

  test('the same message twice, late, or after things have moved, does once what it meant then', async () => {
    const first = await office.asks110();
    const who = await firstAsked(first);
    const said = await says(who, '1');
    const second = await another(first, who);
    office.time += 5_000;
    await takeReply(office, 'aliyun-sms', said);
    expect((await office.incident(second)).lead).toBeUndefined();
    expect(await answersTo(first, who)).toHaveLength(1);
    // Another id with the time of then: the vendor is late, and means the first one all the same.
    await takeReply(office, 'aliyun-sms', { ...said, messageId: 'late' });
    expect((await office.incident(second)).lead).toBeUndefined();
  });

  test('a list that was sent stays a list: the same message, posted again when one task is left, takes nothing', async () => {
    const first = await office.asks110();
    const who = await firstAsked(first);
    office.time += 1_000;
    const second = await another(first, who);
    const said = await says(who, '1');
    const other = office.members.find((member) => member.id !== who && member.role === 'member')?.id;
    await office.does(desk(), first, { action: 'reassign', member: other });
    await takeReply(office, 'aliyun-sms', said);
    expect((await office.incident(second)).lead).toBeUndefined();
    expect(await answersTo(first, who)).toHaveLength(1);
  });

  test('his code comes after somebody else took it: he is told so, and does not come as well', async () => {
    const first = await office.asks110();
    const who = await firstAsked(first);
    office.time += 1_000;
    await another(first, who);
    await says(who, '1');
    office.time += 60_000;
    await office.escalate(first);
    const [, next = ''] = await office.asked(first);
    await office.does(next, first, { action: 'accept' });
    await says(who, '11');
    expect((await answersTo(first, who)).at(-1)).toMatchObject({ kind: 'answer', answer: 'gone' });
    const { lead, people } = await office.incident(first);
    expect([lead, people.find(({ id }) => id === who)?.accepted]).toEqual([next, undefined]);
  });

  test('two posts of one message at once do it once', async () => {
    const id = await office.asks110();
    const who = await firstAsked(id);
    office.time += 2_000;
    const said = reply(phoneOf(who), '1');
    await Promise.all([takeReply(office, 'aliyun-sms', said), takeReply(office, 'aliyun-sms', said)]);
    expect((await office.trail(id)).filter((kind) => kind === 'accepted')).toHaveLength(1);
    expect(await answersTo(id, who)).toHaveLength(1);
  });

  test('a failure in between is made good by the next post of the message', async () => {
    const id = await office.asks110();
    const who = await firstAsked(id);
    office.time += 2_000;
    const said = reply(phoneOf(who), '1');
    office.races.push(() => Promise.reject(new Error('sample outage')));
    await expect(takeReply(office, 'aliyun-sms', said)).rejects.toThrow('sample outage');
    await takeReply(office, 'aliyun-sms', said);
    expect((await office.incident(id)).lead).toBe(who);
  });

  test('after a reassign he takes nothing back, and is told so', async () => {
    const id = await office.asks110();
    const asked = await firstAsked(id);
    const other = office.members.find((member) => member.id !== asked && member.role === 'member')?.id;
    await office.does(asked, id, { action: 'accept' });
    await office.does(desk(), id, { action: 'reassign', member: other });
    await says(asked, '1');
    expect((await office.incident(id)).lead).toBeUndefined();
    expect(await answersTo(id, asked)).toMatchObject([{ kind: 'answer', answer: 'gone' }]);
  });

  test('what means nothing is answered with how to answer, five times a day and not more', async () => {
    const id = await office.asks110();
    const who = await firstAsked(id);
    for (let n = 0; n < 7; n += 1) await says(who, '收到');
    const answers = await answersTo(id, who);
    expect(answers).toHaveLength(5);
    expect(answers[0]).toMatchObject({ kind: 'choose', list: [{ number: shortNumber(id), code: '1' }] });
    expect((await office.incident(id)).lead).toBeUndefined();
  });

  test('five auto-replies do not silence him: his 1 with two waiting is still answered with the codes', async () => {
    const first = await office.asks110();
    const who = await firstAsked(first);
    for (let n = 0; n < 6; n += 1) await says(who, '我正在开车，稍后联系');
    const second = await another(first, who);
    await says(who, '1');
    expect(await answersTo(first, who)).toHaveLength(6);
    expect((await answersTo(first, who)).at(-1)?.list).toHaveLength(2);
    expect([(await office.incident(first)).lead, (await office.incident(second)).lead]).toEqual([
      undefined,
      undefined,
    ]);
    // A machine that says 1 for ever comes to an end as well.
    for (let n = 0; n < 32; n += 1) await says(who, '1');
    expect(await answersTo(first, who)).toHaveLength(5 + 30);
  });

  test.each([2, 5, 30])(
    'a vendor’s clock %i s behind ours: he is told how to answer, and then it counts',
    async (behind) => {
      const id = await office.asks110();
      const who = await firstAsked(id);
      const at = () => ({ at: new Date(office.time - behind * 1000) });
      office.time += 1_000;
      await takeReply(office, 'aliyun-sms', reply(phoneOf(who), '1', at()));
      expect((await office.incident(id)).lead).toBeUndefined();
      expect(await answersTo(id, who)).toMatchObject([
        { kind: 'choose', list: [{ number: shortNumber(id), code: '1' }] },
      ]);
      office.time += behind * 1000;
      await takeReply(office, 'aliyun-sms', reply(phoneOf(who), '1', at()));
      expect((await office.incident(id)).lead).toBe(who);
    },
  );

  test('a stranger, an old message and one from the future change nothing and say nothing', async () => {
    const id = await office.asks110();
    const who = await firstAsked(id);
    await takeReply(office, 'aliyun-sms', reply('16600009999', '1'));
    office.time += 2_000;
    const at = (ms: number) => ({ at: new Date(office.time + ms) });
    await takeReply(office, 'aliyun-sms', reply(phoneOf(who), '1', at(-3_700_000)));
    await takeReply(office, 'aliyun-sms', reply(phoneOf(who), '1', at(600_000)));
    expect((await office.incident(id)).lead).toBeUndefined();
    expect(office.looked().sent.notices).toEqual([]);
    expect(office.log.lines.map(({ code }) => code)).toEqual(
      expect.arrayContaining(['reply-of-a-stranger', 'reply-out-of-time']),
    );
    expect(JSON.stringify(office.log.lines)).not.toContain('16600009999');
  });

  test('arrives and closes by text, with what the rules ask for; the trail holds his words, nothing else does', async () => {
    const id = await office.asks110();
    const who = await firstAsked(id);
    const told = async () => (await answersTo(id, who)).map(({ answer }) => answer);
    await says(who, '接单');
    // Solved needs somebody on site, and words.
    await says(who, '办结 双方谈妥');
    expect((await office.incident(id)).state).toBe('accepted');
    await says(who, ' 到　场 ');
    expect(await office.incident(id)).toMatchObject({ state: 'onsite', done: { arrive: office.time } });
    await says(who, '3');
    await says(who, '4');
    await says(who, '办结不了');
    expect((await office.incident(id)).state).toBe('onsite');
    const said = await says(who, '办结 双方谈妥，样例密语');
    await takeReply(office, 'aliyun-sms', said);
    expect(await office.incident(id)).toMatchObject({ state: 'closed', closed: { outcome: 'solved' } });
    await says(who, '3');
    expect(await told()).toEqual([
      'lead',
      'not-there',
      'arrived',
      'arrived',
      'no-words',
      'no-words',
      'closed',
      'over',
    ]);
    const lines = await office.store.lines(id);
    const of = (kind: string) => lines.filter(({ stored }) => stored.kind === kind);
    expect(of('arrived').map(({ stored }) => [stored.by, stored.facts])).toEqual([[who, { over: 'sms' }]]);
    expect(of('closed').map(({ text }) => text)).toEqual(['双方谈妥，样例密语']);
    expect(JSON.stringify([await office.all(), office.log.lines])).not.toContain('样例密语');
    expect(await office.faults(id)).toEqual([]);
  });

  test('a close by somebody who has meanwhile declined does not ask him to arrive', async () => {
    const id = await office.asks110();
    const who = await firstAsked(id);
    await office.does(who, id, { action: 'accept' });
    office.time += 2_000;
    const said = reply(phoneOf(who), '办结 双方谈妥');
    office.races.push(() => office.does(who, id, { action: 'decline', reason: '车坏了' }));
    await takeReply(office, 'aliyun-sms', said);
    expect((await answersTo(id, who)).map(({ answer }) => answer)).toEqual(['gone']);
  });

  test('two in hand: an arrival or a close does nothing but list the codes, which say what they do', async () => {
    const first = await office.asks110();
    const who = await firstAsked(first);
    await says(who, '1');
    const second = await another(first, who);
    await says(who, '1');
    await says(who, '3');
    expect([(await office.incident(first)).state, (await office.incident(second)).state]).toEqual([
      'accepted',
      'accepted',
    ]);
    const listed = (await answersTo(first, who)).at(-1);
    expect(listed).toMatchObject({
      kind: 'choose',
      list: [
        { number: shortNumber(second), code: '23', action: 'arrive' },
        { number: shortNumber(first), code: '13', action: 'arrive' },
      ],
    });
    await says(who, '回23到场');
    await says(who, '13');
    await says(who, '办结 已清理');
    await says(who, '24');
    expect((await answersTo(second, who)).at(-1)).toMatchObject({
      answer: 'no-words',
      list: [{ code: '24' }],
    });
    await says(who, '24办结 已清理');
    expect([(await office.incident(first)).state, (await office.incident(second)).state]).toEqual([
      'onsite',
      'closed',
    ]);
    // Only one is left: no code is needed. What he is asked but has not accepted is not what he has done.
    const third = await another(first, who);
    await says(who, '办结 也清理了');
    expect([(await office.incident(first)).state, (await office.incident(third)).state]).toEqual([
      'closed',
      'asking',
    ]);
  });

  test('two members on one number: whoever was asked is meant; if both were, the codes decide', async () => {
    const id = await office.asks110();
    const who = await firstAsked(id);
    const twin = office.members.find((member) => member.id !== who && member.role === 'member');
    if (!twin) throw new Error('no second member');
    const shared = office.members.map((member) =>
      member.id === twin.id ? { ...member, phone: phoneOf(who) } : member,
    );
    await office.store.saveRoster(shared, office.time);
    await says(who, '1');
    expect((await office.incident(id)).lead).toBe(who);
    // Now each has a task of his own: which of the two is meant is told by the code.
    const his = await another(id, who);
    office.time += 1_000;
    const hers = await another(id, twin.id);
    await says(who, '1');
    expect([(await office.incident(his)).lead, (await office.incident(hers)).lead]).toEqual([
      undefined,
      undefined,
    ]);
    await says(who, '21');
    expect([(await office.incident(his)).lead, (await office.incident(hers)).lead]).toEqual([
      undefined,
      twin.id,
    ]);
  });
});

describe('keys in a call', () => {
  const call = (text: string, more: Partial<Reply> = {}): Partial<Reply> => ({
    text,
    vendorId: 'call-1',
    ...more,
  });
  /** A call was made about the first of two tasks. */
  const ringing = async (
    state: 'sending' | 'sent' | 'delivered' = 'sent',
  ): Promise<{ who: string; first: string; second: string }> => {
    const first = await office.asks110();
    const who = await firstAsked(first);
    office.time += 1_000;
    const second = await another(first, who);
    const row = await office.notice(first, who);
    await office.store.step(ownerOf(first), row, {
      to: 'sent',
      at: office.time,
      owedAt: office.time,
      attempts: [
        {
          id: office.attemptId(ownerOf(first), row.notice.id, 1),
          n: 1,
          channel: 'voice',
          vendor: 'aliyun-voice',
          state,
          at: office.time,
          seen: office.time,
          vendorId: 'call-1',
          asked: 0,
          milli: 0,
        },
      ],
    });
    return { who, first, second };
  };

  test('1 accepts the task of the call, whatever else waits', async () => {
    const { who, first, second } = await ringing();
    office.time += 2_000;
    await takeReply(office, 'aliyun-voice', reply(phoneOf(who), '1', call('1')));
    expect((await office.incident(first)).lead).toBe(who);
    expect((await office.incident(second)).lead).toBeUndefined();
    const lines = (await office.store.lines(first)).map(({ stored }) => stored);
    expect(lines.find(({ kind }) => kind === 'accepted')?.facts).toMatchObject({ over: 'voice' });
  });

  test('a call that rings while he takes it otherwise, or somebody else does, is written down as such', async () => {
    const { who, first, second } = await ringing();
    await says(who, '11');
    const rang = async (id: string) =>
      (await office.store.lines(id)).flatMap(({ stored }) =>
        stored.kind === 'ringing' ? [{ whom: stored.whom, ...stored.facts }] : [],
      );
    const { notice } = await office.notice(first, who);
    const call = { notice: notice.id, attempt: 1, vendor: 'aliyun-voice' };
    expect(await rang(first)).toEqual([{ whom: who, ...call, why: 'accepted' }]);
    expect(await rang(second)).toEqual([]);
    // Once is enough; and a call that has ended rings no more.
    await office.does(who, first, { action: 'arrive' });
    expect(await rang(first)).toHaveLength(1);
    expect(await office.faults(first)).toEqual([]);
  });

  test('of a matter that is closed, returned or given to somebody else as well; an ended call is none', async () => {
    for (const [state, request, why] of [
      ['sending', { action: 'close', outcome: 'cancelled', text: '来电撤销' }, 'closed'],
      ['sent', { action: 'return', reason: '属警务' }, 'returned'],
      ['delivered', { action: 'close', outcome: 'cancelled', text: '来电撤销' }, undefined],
    ] as const) {
      office = await Office.open();
      const { first } = await ringing(state);
      await office.does(desk(), first, request);
      const lines = (await office.store.lines(first)).map(({ stored }) => stored);
      expect(lines.find(({ kind }) => kind === 'ringing')?.facts?.why, state).toBe(why);
    }
  });

  test('0 is no STOP, 3 is nothing; and a key in a call that asked nothing accepts nothing else', async () => {
    const { who, first, second } = await ringing();
    office.time += 2_000;
    await takeReply(office, 'aliyun-voice', reply(phoneOf(who), '0', call('0')));
    await takeReply(office, 'aliyun-voice', reply(phoneOf(who), '3', call('3')));
    expect(await office.memos.read(TEXTLESS, office.time)).toBeUndefined();
    const row = await office.notice(first, who);
    await office.store.commit({
      incident: { ...(await office.incident(first)), version: (await office.incident(first)).version + 1 },
      lines: [{ at: office.time, kind: 'told', by: 'system', whom: who }],
      notices: [{ ...row.notice, id: '00090.00', kind: 'told' }],
    });
    const told = await office.store.notice(ownerOf(first), '00090.00');
    if (!told) throw new Error('no notice');
    const attempts = row.attempts.map((attempt) => ({ ...attempt, id: 'x', vendorId: 'call-2' }));
    await office.store.step(ownerOf(first), told, { to: 'sent', at: office.time, attempts });
    await takeReply(office, 'aliyun-voice', reply(phoneOf(who), '1', { vendorId: 'call-2' }));
    expect([(await office.incident(first)).lead, (await office.incident(second)).lead]).toEqual([
      undefined,
      undefined,
    ]);
  });
});

describe('STOP', () => {
  test('is remembered for the number and told to the desk once; KT takes it back', async () => {
    const id = await office.asks110();
    const who = await firstAsked(id);
    await says(who, 'td');
    await says(who, '0');
    const told = (await office.store.notices(REJECTS_OWNER)).map(({ notice }) => notice);
    expect(told).toMatchObject([{ kind: 'desk', note: 'sms-stopped' }]);
    // Who it is, as the roster names him.
    await office.deliver(REJECTS_OWNER, told[0]?.id ?? '');
    expect(office.sends.at(-1)?.message.text).toContain(`编号${who.replace('-', '')}，`);
    const textless = async () => (await office.memos.read(TEXTLESS, office.time))?.value;
    expect(await textless()).toEqual([(await office.secrets.vault()).hash('phone', phoneOf(who))]);
    await says(who, 'KT');
    expect(await textless()).toEqual([]);
    await says(who, 'TD');
    expect(await textless()).toHaveLength(1);
  });

  test('with no duty officer on shift, or of himself, the street leader hears of it', async () => {
    const told = async () =>
      (await office.store.notices(REJECTS_OWNER)).map(({ notice: { to, note } }) => [to, note]);
    await says('duty-1', 'TD');
    expect(await told()).toEqual([['street-1', 'sms-stopped']]);
    await office.store.saveRoster(
      office.members.filter(({ role }) => role !== 'duty'),
      office.time,
    );
    await says('leader-1', 'TD');
    expect(await told()).toEqual([
      ['street-1', 'sms-stopped'],
      ['street-1', 'sms-stopped'],
    ]);
  });

  test('his last channel stays: a text still comes', async () => {
    const before = await office.asks110();
    const who = await firstAsked(before);
    await says(who, 'TD');
    const id = await another(before, who);
    const { notice } = await office.notice(id, who);
    await office.deliver(ownerOf(id), notice.id);
    expect(office.sends.map(({ to }) => to)).toEqual([phoneOf(who)]);
  });

  test('nor the last one of a plan: a telephone that it never rings is none; a code still comes as a text', async () => {
    office.configured = ['wecom', 'aliyun-sms', 'aliyun-voice'];
    const id = await office.asks110();
    const who = await firstAsked(id);
    await says(who, 'TD');
    const delivered = async (notice: string): Promise<string | undefined> => {
      await office.deliver(ownerOf(id), notice);
      return office.called.at(-1);
    };
    const { notice } = await office.notice(id, who);
    office.district.delivery.plans.members[who] = [{ channel: 'sms', after: 0 }];
    expect(await delivered(notice.id)).toBe('aliyun-sms');
    const people = office.members.map((member) => ({ ...member, wecom: `wx-${member.id}` }));
    await office.store.saveRoster(people, office.time);
    const more = (['told', 'pin'] as const).map((kind, n) => ({ ...notice, id: `00090.0${n}`, kind }));
    const incident = await office.incident(id);
    await office.store.commit({
      incident: { ...incident, version: incident.version + 1 },
      lines: [{ at: office.time, kind: 'told', by: 'system', whom: who }],
      notices: more,
    });
    delete office.district.delivery.plans.members[who];
    expect([await delivered('00090.00'), await delivered('00090.01')]).toEqual(['wecom', 'aliyun-sms']);
  });
});

test('the extension of members goes out with every text to them', async () => {
  const id = await office.asks110();
  const { notice } = await office.notice(id, await firstAsked(id));
  await office.deliver(ownerOf(id), notice.id);
  expect(office.sends[0]?.message.extension).toBe(repliesSchema.parse({}).members);
});
