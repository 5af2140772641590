import { beforeEach, describe, expect, test } from 'vitest';
import { CALLER } from '#shared/domain/caller-notice.ts';
import { callerToldSchema } from '#shared/domain/caller-notice.ts';
import { addReport } from '#shared/domain/further-report.ts';
import { NO_HANDS } from '#shared/domain/hands.ts';
import type { Inbound } from '#shared/ports/sender.ts';
import { ownerOf, type Content, type NoticeRow } from '#shared/ports/store.ts';
import { takeReply } from '../../functions/receipt/reply.ts';
import { CONTENT } from '../adapters/fixtures.ts';
import { Office } from './office.ts';

let office: Office;
beforeEach(async () => {
  office = await Office.open();
  office.district.callerTold = callerToldSchema.parse({ on: true });
});

const PHONE = CONTENT.caller.phone;
/** Of nobody whom a text must not tell of. */
const ORDINARY = '楼上邻居半夜装修，声音太大，睡不着，请来协调一下。';
const desk = (): string => office.members.find(({ role }) => role === 'duty')?.id ?? '';
const toCaller = async (id: string): Promise<NoticeRow[]> =>
  (await office.store.notices(ownerOf(id))).filter(({ notice }) => notice.to === CALLER);
/** The matter goes its whole way, every notice to the caller is delivered at once. */
const goes = async (words: Partial<Content> = {}): Promise<string> => {
  const id = await office.asks110({ content: ORDINARY, ...words });
  await runs(id);
  return id;
};
const runs = async (id: string): Promise<void> => {
  const [who = ''] = await office.asked(id);
  for (const action of ['accept', 'depart', 'arrive'] as const) {
    office.time += 10_000;
    await office.does(who, id, { action });
    await deliver(id);
  }
  await office.does(who, id, { action: 'close', outcome: 'solved', text: '样例说明' });
  await deliver(id);
};
const deliver = async (id: string): Promise<void> => {
  for (const { notice, over } of await toCaller(id))
    if (over === undefined) await office.deliver(ownerOf(id), notice.id);
};
const heard = (): string[] =>
  office.sends.filter(({ to }) => to === PHONE).map(({ message }) => message.text);

test('the caller hears that it is taken on, who comes by his role, and the result with the codes to rate', async () => {
  const id = await goes();
  const number = id.slice(-6);
  expect(heard()).toEqual([
    `您反映的事项${number}已有人受理。`,
    `您反映的事项${number}由队员负责，正在路上。`,
    `您反映的事项${number}已办完：已处理。请回1到5评分，5最满意；要重新办请回6。`,
  ]);
  for (const { message } of office.sends.filter(({ to }) => to === PHONE)) {
    expect(message.extension).toBe('2');
    for (const member of office.members) expect(message.text).not.toContain(member.name);
  }
  expect(await office.faults(id)).toEqual([]);
});

test('whoever called about the same event hears how it ended, in his own matter’s number, and under his own bars', async () => {
  const content = '路面水管爆裂，水漫了半条街，快来修。';
  const main = await office.hears({ content, caller: { name: '样例甲', phone: '16600002001' } });
  const joined = await office.hears({
    content: `${content}快来人`,
    caller: { name: '样例乙', phone: '16600002002' },
  });
  const barred = await office.hears({
    content: `${content}我是物业`,
    caller: { name: '样例丙', phone: '16600002003' },
  });
  for (const id of [joined, barred]) expect((await office.incident(id)).joined?.into).toBe(main);
  const [who = ''] = await office.asked(main);
  await office.does(who, main, { action: 'accept' });
  await office.does(who, main, { action: 'arrive' });
  await office.does(who, main, { action: 'close', outcome: 'solved', text: '样例说明' });
  for (const id of [main, joined, barred]) await deliver(id);
  const said = office.sends.filter(({ message }) => message.kind === 'caller-result');
  expect(
    said.map(({ to, message }) => [to, message.template.params['number'], message.template.params['result']]),
  ).toEqual([
    ['16600002001', main.slice(-6), '已处理'],
    ['16600002002', joined.slice(-6), '已处理'],
  ]);
  expect((await toCaller(barred)).map(({ over }) => over)).toEqual(['third-party']);
  for (const id of [main, joined, barred]) expect(await office.faults(id)).toEqual([]);
});

test('off by default: nothing is even written', async () => {
  office.district.callerTold = callerToldSchema.parse({});
  const id = await goes();
  expect(await toCaller(id)).toEqual([]);
});

describe('never told', () => {
  test.each([
    [
      'somebody who reports for others',
      { content: '我是物业，替邻居反映，楼上半夜装修声音太大，请来协调一下。' },
      'third-party',
    ],
    ['a minor', { content: '楼上装修声音太大，中学生在家没法写作业，请来协调一下。' }, 'protected'],
    [
      'violence in the family',
      { content: '楼上半夜装修，声音太大，还听说他家有家暴，请来协调一下。' },
      undefined,
    ],
    ['a call without a number', { caller: { name: '', phone: '' } }, 'no-number'],
  ])('%s', async (_, words, why) => {
    const id = await office.asks110(words);
    const [who = ''] = await office.asked(id);
    await office.does(who, id, { action: 'accept' });
    await deliver(id);
    expect(heard()).toEqual([]);
    if (why !== undefined)
      expect((await toCaller(id)).map(({ state, over }) => [state, over])).toEqual([['suppressed', why]]);
  });

  test('what a second call of the same number says counts as well', async () => {
    const id = await office.asks110({ content: ORDINARY });
    const [who = ''] = await office.asked(id);
    const incident = await office.incident(id);
    const further = addReport(
      incident,
      { address: false, danger: false, secret: false },
      NO_HANDS,
      office.time,
    );
    const { callNo } = incident;
    const report = { ...CONTENT, content: '他家中学生也在吵', callNo, receivedAt: office.time };
    await office.store.commit(further, { report });
    await office.does(who, id, { action: 'accept' });
    await deliver(id);
    expect((await toCaller(id)).map(({ over }) => over)).toEqual(['protected']);
  });

  test('what became secret, or was taken away from its lead, between the tap and the sending', async () => {
    const id = await office.asks110();
    const [who = ''] = await office.asked(id);
    await office.does(who, id, { action: 'accept' });
    await office.does(who, id, { action: 'decline', reason: '样例' });
    await deliver(id);
    expect(heard()).toEqual([]);
    expect((await toCaller(id))[0]?.over).toBe('nobody-leads');
  });

  test('unless the desk releases that one message, with a reason that stands in the trail', async () => {
    office.district.callerTold = callerToldSchema.parse({});
    const id = await goes();
    expect(await office.does(desk(), id, { action: 'tell' })).toMatchObject({ kind: 'refused' });
    const [who = ''] = await office.asked(id);
    expect(await office.does(who, id, { action: 'tell', reason: '样例' })).toMatchObject({
      refusal: { code: 'forbidden' },
    });
    await office.does(desk(), id, { action: 'tell', reason: '来电人本人要求' });
    await deliver(id);
    expect(heard()).toEqual([expect.stringContaining('已办完')]);
    expect(await office.trail(id)).toContain('caller-told');
  });
});

describe('a caller answers', () => {
  let n = 0;
  const says = async (
    text: string,
    more: Partial<Extract<Inbound, { kind: 'reply' }>> = {},
  ): Promise<void> => {
    n += 1;
    office.time += 2_000;
    await takeReply(office, 'aliyun-sms', {
      kind: 'reply',
      messageId: `c-${n}`,
      from: `86${PHONE}`,
      text,
      extension: '2',
      at: new Date(office.time),
      ...more,
    });
  };
  const told = async (id: string) =>
    (await office.store.notices(ownerOf(id))).filter(({ notice }) => notice.note === 'caller-unsatisfied');
  const replies = async (id: string) =>
    (await office.store.lines(id)).flatMap(({ stored }) => (stored.kind === 'reply' ? [stored.facts] : []));

  test('5: written down, nothing moves', async () => {
    const id = await goes();
    const before = await office.incident(id);
    await says('５');
    expect(await replies(id)).toEqual([{ score: 5 }]);
    expect(await told(id)).toEqual([]);
    expect((await office.incident(id)).owed).toEqual(before.owed);
  });

  test('1, or 6: the duty officer hears of it; reopening stays the desk’s; the same message counts once', async () => {
    const id = await goes();
    await says('1', { messageId: 'once' });
    await says('1', { messageId: 'once' });
    expect(await told(id)).toHaveLength(1);
    expect((await office.incident(id)).state).toBe('closed');
  });

  test('not content forty times: the desk hears of it once a day, and each word stands in the trail', async () => {
    const id = await goes();
    for (let n = 0; n < 40; n += 1) await says('没解决');
    expect(await told(id)).toHaveLength(1);
    expect(await replies(id)).toHaveLength(40);
    office.time += 86_400_000;
    await says('6');
    expect(await told(id)).toHaveLength(2);
    // With no duty officer on shift somebody hears of it all the same.
    office.time += 86_400_000;
    await office.store.saveRoster(
      office.members.filter(({ role }) => role !== 'duty'),
      office.time,
    );
    await says('1');
    expect((await told(id)).map(({ notice }) => notice.to)).toEqual([desk(), desk(), 'street-1']);
  });

  test('two matters: it is of the one whose result he got last, not of the one that came last', async () => {
    const earlier = await office.asks110({ content: ORDINARY });
    office.time += 60_000;
    const later = await goes();
    office.time += 3_600_000;
    await runs(earlier);
    await says('2');
    expect([await replies(earlier), await replies(later)]).toEqual([[{ score: 2 }], []]);
  });

  test('of a matter that goes on, or whose result was kept from him, it is nobody’s', async () => {
    const open = await office.asks110({ content: ORDINARY });
    const [who = ''] = await office.asked(open);
    await office.does(who, open, { action: 'accept' });
    await deliver(open);
    expect(heard()).toHaveLength(1);
    const kept = await goes({ content: `${ORDINARY}我是物业` });
    expect((await toCaller(kept)).map(({ notice }) => notice.kind)).toContain('caller-result');
    await says('5');
    expect([await replies(open), await replies(kept)]).toEqual([[], []]);
  });

  test('TD: for good', async () => {
    const first = await office.asks110();
    await says('TD');
    const id = await goes();
    expect(heard()).toEqual([]);
    expect((await toCaller(id)).map(({ over }) => over)).toContain('stopped');
    expect(first).not.toBe(id);
  });

  test('to the members’ number, or to one that no vendor names: it is his rating all the same', async () => {
    const id = await goes();
    await says('4', { extension: '1' });
    await says('5', { extension: undefined });
    expect(await replies(id)).toEqual([{ score: 4 }, { score: 5 }]);
    await says('TD', { extension: '1' });
    await goes();
    expect(heard()).toHaveLength(3);
  });

  test('under a signature of the callers’ own it is told apart without any extension', async () => {
    office.texts.callers = { signName: '示例回访', registrations: {} };
    const id = await goes();
    // A member who had called himself answers the one or the other.
    const [who = ''] = await office.asked(id);
    const phone = office.members.find((member) => member.id === who)?.phone ?? '';
    const own = await goes({ caller: { name: '样例', phone } });
    const task = await office.asks110();
    if (!(await office.asked(task)).includes(who))
      await office.does(desk(), task, { action: 'reassign', member: who });
    const taker = Object.assign(office, { callersSign: '示例回访' });
    const answers = async (signature: string, text: string) => {
      n += 1;
      office.time += 2_000;
      const at = new Date(office.time);
      await takeReply(taker, 'aliyun-sms', {
        kind: 'reply',
        messageId: `s-${n}`,
        from: phone,
        text,
        signature,
        at,
      });
    };
    await answers('示例回访', '1');
    expect([await replies(own), (await office.incident(task)).lead]).toEqual([[{ score: 1 }], undefined]);
    await answers('小脑', '1');
    expect([await replies(own), (await office.incident(task)).lead]).toEqual([[{ score: 1 }], who]);
    const { notice } = await office.notice(task, who, 'answer');
    await office.deliver(ownerOf(task), notice.id);
    const signed = office.sends.map(({ message }) => `${message.kind} ${message.signName}`);
    expect([...new Set(signed)].sort()).toEqual([
      'answer 小脑',
      'caller-accepted 示例回访',
      'caller-coming 示例回访',
      'caller-result 示例回访',
    ]);
  });

  test('a member’s 1 to the callers’ number is his yes, and he hears so; where he had called himself, it is his rating', async () => {
    const own = await goes();
    const id = await office.asks110();
    const [who = ''] = await office.asked(id);
    const phone = office.members.find((member) => member.id === who)?.phone ?? '';
    await says('1', { from: phone });
    expect(await office.incident(id)).toMatchObject({ state: 'accepted', lead: who });
    expect((await office.notice(id, who, 'answer')).notice.answer).toBe('lead');
    expect(await replies(own)).toEqual([]);

    const called = await goes({ caller: { name: '样例', phone } });
    const task = await office.asks110();
    if (!(await office.asked(task)).includes(who))
      await office.does(desk(), task, { action: 'reassign', member: who });
    await says('1', { from: phone });
    expect(await replies(called)).toEqual([{ score: 1 }]);
    expect((await office.incident(task)).lead).toBeUndefined();
    await says('1', { from: phone, extension: '1' });
    expect((await office.incident(task)).lead).toBe(who);
  });

  test('a rating of something of which he was never told is nobody’s', async () => {
    const id = await office.asks110();
    await says('5');
    expect(await replies(id)).toEqual([]);
  });
});
