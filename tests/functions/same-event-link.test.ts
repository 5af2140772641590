import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Content } from '#shared/ports/store.ts';
import { link } from '../../functions/linking/linking.ts';
import { T0, sizeOf } from '../adapters/fixtures.ts';
import { Office } from './office.ts';

const DAY = 86_400_000;
let office: Office;
beforeEach(async () => {
  office = await Office.open();
});

/** A call that comes so many days after the first, classified and compared with the others. */
const calls = async (day: number, words: Partial<Content>): Promise<string> => {
  office.time = T0 + day * DAY;
  return office.hears(words);
};
const QUARREL = '楼上邻居又故意跺脚，找他理论就骂人，两家吵起来了。';
const LONELY = '一个人在家，腿脚不好，想请人来帮忙买点菜，说说话。';
const caller = (phone: string) => ({ caller: { name: '样例甲', phone } });

describe('the third time in thirty days', () => {
  test('a quarrel is a conflict: a risk, the duty officer told once, the lead sees why', async () => {
    await calls(0, { content: QUARREL, ...caller('16600001001') });
    const second = await calls(10, { content: QUARREL, ...caller('16600001001') });
    expect(await office.incident(second)).toMatchObject({ repeat: { kind: 'again', times: 2, before: T0 } });
    const third = await calls(20, { content: QUARREL, ...caller('16600001001') });
    expect(await office.incident(third)).toMatchObject({
      repeat: { kind: 'conflict', times: 3, before: T0 + 10 * DAY },
      classification: { risk: true },
    });
    expect(await office.notice(third, 'duty-1', 'desk')).toMatchObject({ notice: { note: 'frequent' } });
    const line = (await office.store.lines(third)).find(({ stored }) => stored.kind === 'repeated');
    expect(line?.text).toContain('30天内第3次反映');
    expect(office.log.counts['Repeat']).toBe(1);
    // The queue may bring the same job twice.
    office.looked();
    await link(office, third);
    expect(office.looked().sent.notices).toEqual([]);
    expect(await office.faults(third)).toEqual([]);
  });

  test('a lonely caller needs care: on the list, and no phone rings for it', async () => {
    for (const day of [0, 5]) await calls(day, { content: LONELY, ...caller('16600001002') });
    const third = await calls(9, { content: LONELY, ...caller('16600001002') });
    expect(await office.incident(third)).toMatchObject({
      repeat: { kind: 'care', times: 3 },
      classification: { risk: false },
    });
    await expect(office.notice(third, 'duty-1', 'desk')).rejects.toThrow('no desk');
  });

  test('after thirty days, and for another caller elsewhere, it is the first time', async () => {
    for (const day of [0, 1]) await calls(day, { content: QUARREL, ...caller('16600001003') });
    const late = await calls(32, { content: QUARREL, ...caller('16600001003') });
    expect((await office.incident(late)).repeat).toBeUndefined();
    const other = await calls(33, {
      content: '路口井盖松了，过车哐当响',
      address: '样例外路3号',
      location: { lng: 120.1425, lat: 30.3222 },
      ...caller('16600001004'),
    });
    expect((await office.incident(other)).repeat).toBeUndefined();
  });

  test('the other party is enough: three neighbours about one flat', async () => {
    const content = '501室又在楼道里堆东西，说了就吵。';
    for (const [day, phone] of [
      [0, '16600001011'],
      [3, '16600001012'],
    ] as const)
      await calls(day, { content, address: '和睦路987号6幢302室', ...caller(phone) });
    const third = await calls(6, {
      content: '和501室的人吵起来了，他骂我。',
      address: '和睦路987号6幢402室',
      ...caller('16600001013'),
    });
    expect((await office.incident(third)).repeat?.times).toBe(3);
  });

  test('a number that everybody uses is nobody', async () => {
    const phone = '16600001099';
    const most = office.repeating.likeness.reportsPerKey;
    for (let n = 0; n <= most; n += 1) {
      office.time = T0 + n * 3_600_000;
      await office.asks110({
        content: `第${n}件：${'东南西北中'[n % 5] ?? ''}门外有人吵架${n}`,
        address: `样例外路${n}号`,
        caller: { name: `样例${n}`, phone },
      });
    }
    const last = await calls(10, {
      content: '路灯不亮了，请来修',
      address: '样例外路999号',
      location: { lng: 121, lat: 31 },
      caller: { name: '样例末', phone },
    });
    expect((await office.incident(last)).repeat).toBeUndefined();
  });

  test('what the history keeps can be read by nobody', async () => {
    await calls(0, { content: '501室名叫样一二的人骂我，车牌浙A·12345', ...caller('16600001005') });
    const kept = JSON.stringify((await office.all()).filter((item) => item.pk.startsWith('HIST#')));
    expect(kept).toContain('party:');
    for (const secret of ['样一二', '浙A', '501室', '16600001005', '样例甲', '骂我'])
      expect(kept).not.toContain(secret);
  });
});

const PIPE = '楼下水管爆了，水往车库里灌，车要淹了。';
const HERE = '和睦路987号6幢302室';
const by = (phone: string) => ({ caller: { name: '样例乙', phone }, address: HERE });

/** Two calls about one event; the second is joined to the first. */
const twoCalls = async (): Promise<[string, string]> => {
  const first = await calls(0, { content: PIPE, ...by('16600002001') });
  office.time += 60_000;
  const second = await office.hears({ content: `${PIPE}快来人`, ...by('16600002002') });
  return [first, second];
};

describe('calls about one event', () => {
  test('the later one is joined: its people stay at home, both trails say why, nothing is dropped', async () => {
    const [first, second] = await twoCalls();
    const joined = await office.incident(second);
    expect(joined).toMatchObject({ state: 'joined', joined: { into: first, by: 'system' }, owed: [] });
    expect(joined.callNo).not.toBe((await office.incident(first)).callNo);
    expect(await office.incident(first)).toMatchObject({ state: 'asking', joins: [second] });
    for (const id of [first, second]) {
      const line = (await office.store.lines(id)).find(({ stored }) => stored.kind === 'joined');
      expect(line?.text).toContain('并为一件');
      expect(await office.faults(id)).toEqual([]);
    }
    const [asked] = await office.asked(second);
    expect(await office.notice(second, asked ?? '', 'stand-down')).toBeDefined();
    expect(office.log.counts).toMatchObject({ Joined: 1 });
    // It owes nothing, so no sweep wakes anybody for it.
    office.looked();
    office.time += 3_600_000;
    await office.sweep();
    expect((await office.incident(second)).state).toBe('joined');
  });

  test('the queue brings the job again: nothing changes', async () => {
    const [, second] = await twoCalls();
    const before = await office.incident(second);
    await link(office, second);
    expect(await office.incident(second)).toEqual(before);
  });

  test('two calls of one second are classified side by side: whichever is looked at last finds the other', async () => {
    const first = await office.asks110({ content: PIPE, ...by('16600002001') });
    office.time += 10;
    const second = await office.asks110({ content: PIPE, ...by('16600002002') });
    await link(office, first);
    expect(await office.incident(second)).toMatchObject({ state: 'joined', joined: { into: first } });
    await link(office, second);
    expect(await office.incident(first)).toMatchObject({ joins: [second] });
  });

  test('compared late, behind many others: it meets its neighbours, and not the latest of all', async () => {
    const first = await office.asks110({ content: PIPE, ...by('16600002001') });
    office.time += 1_000;
    const second = await office.asks110({ content: PIPE, ...by('16600002002') });
    for (let n = 0; n < 30; n += 1) {
      office.time += 1_000;
      await office.receives({ content: '路灯不亮了', address: `样例外路${n}号` });
    }
    await link(office, second);
    expect(await office.incident(second)).toMatchObject({ state: 'joined', joined: { into: first } });
  });

  test('two that were classified last: both are found, and what was gathered around a later one comes along', async () => {
    const told = { content: PIPE, ...by('16600002001') };
    const ids: string[] = [];
    for (let n = 0; n < 4; n += 1) {
      office.time += 10;
      ids.push(await office.receives(told));
    }
    const [first = '', second = '', third = '', fourth = ''] = ids;
    for (const id of [third, fourth]) await office.classify(id);
    await link(office, fourth);
    expect(await office.incident(fourth)).toMatchObject({ joined: { into: third } });
    for (const id of [first, second]) await office.classify(id);
    await link(office, first);
    for (const id of [second, third])
      expect(await office.incident(id)).toMatchObject({ state: 'joined', joined: { into: first } });
    await link(office, second);
    expect(await office.incident(first)).toMatchObject({ state: 'asking', joins: [second, third] });
  });

  test('a danger sign is linked, never joined, not even by the desk', async () => {
    const first = await calls(0, { content: PIPE, ...by('16600002001') });
    office.time += 60_000;
    const second = await office.hears({
      content: '楼下水管爆了，水灌进配电箱，冒烟着火了',
      ...by('16600002002'),
    });
    expect(await office.incident(second)).toMatchObject({ related: [{ id: first, verdict: 'link' }] });
    expect(await office.incident(first)).toMatchObject({ related: [{ id: second, verdict: 'link' }] });
    const tried = await office.does('duty-1', second, { action: 'join', into: first, reason: '是同一件' });
    expect(tried).toMatchObject({
      kind: 'refused',
      refusal: { code: 'impossible', message: expect.stringContaining('危险信号') },
    });
  });

  test('a sign that the whole text made look harmless is linked as well: no person has judged it', async () => {
    const told = { content: '卖菜刀的天天占道摆摊，垃圾满地，没人清运', ...by('16600002001') };
    const first = await calls(0, told);
    office.time += 60_000;
    const second = await office.hears(told);
    expect(await office.incident(second)).toMatchObject({
      classification: { danger: [] },
      related: [{ id: first, verdict: 'link' }],
    });
  });

  test('so is what the desk has judged dangerous, although no word of it shows a sign', async () => {
    const first = await calls(0, { content: PIPE, ...by('16600002001') });
    const judgement = { category: 'fire_gas_emergency', disposition: 'joint', urgency: 'P1' } as const;
    await office.does('duty-1', first, { action: 'classify', reason: '水灌进了配电箱', judgement });
    office.time += 60_000;
    const second = await office.hears({ content: `${PIPE}快来人`, ...by('16600002002') });
    expect(await office.incident(second)).toMatchObject({
      state: 'asking',
      related: [{ id: first, verdict: 'link' }],
    });
  });

  test('other doors of one street are other events; alike words there are a question to the desk', async () => {
    const first = await calls(0, { content: PIPE, ...by('16600002001') });
    office.time += 60_000;
    const other = await office.hears({
      content: '隔壁烧烤店油烟太大，熏得睡不着',
      caller: { name: '样例丙', phone: '16600002003' },
      address: '和睦路501号',
    });
    expect(await office.incident(other)).toMatchObject({ state: expect.not.stringMatching('joined') });
    expect((await office.incident(other)).related).toBeUndefined();
    const alike = await office.hears({ content: PIPE, ...by('16600002004'), address: '和睦路987号9幢' });
    expect(await office.incident(alike)).toMatchObject({ related: [{ id: first, verdict: 'propose' }] });
    const confirmed = await office.does('duty-1', alike, {
      action: 'join',
      into: first,
      reason: '同一根水管',
    });
    expect(confirmed).toMatchObject({ kind: 'done', incident: { state: 'joined' } });
    expect(
      await office.does('duty-1', alike, { action: 'join', into: first, reason: '同一根水管' }),
    ).toMatchObject({
      kind: 'repeat',
    });
  });

  test('who has accepted is not sent home by a machine: it is proposed', async () => {
    const first = await calls(0, { content: PIPE, ...by('16600002001') });
    office.time += 60_000;
    const second = await office.asks110({ content: PIPE, ...by('16600002002') });
    const [asked = ''] = await office.asked(second);
    await office.does(asked, second, { action: 'accept' });
    await link(office, second);
    expect(await office.incident(second)).toMatchObject({
      state: 'accepted',
      related: [{ id: first, verdict: 'propose' }],
    });
  });

  test('undone: state, promises and people are as before, under a new round; a second undoing is a repeat', async () => {
    const [first, second] = await twoCalls();
    const [asked = ''] = await office.asked(second);
    office.looked();
    office.time += 10_000;
    const parted = await office.does('duty-1', second, { action: 'unjoin', reason: '是两件事' });
    expect(parted).toMatchObject({
      kind: 'done',
      incident: { state: 'asking', round: 2, workflow: 'started' },
    });
    const incident = await office.incident(second);
    expect(incident.owed).toContain('accept');
    expect(incident.deadlines.accept).toBe(incident.receivedAt + 60_000);
    expect(incident.people.find(({ id }) => id === asked)?.stood).toBeUndefined();
    expect(office.looked()).toMatchObject({
      sent: { notices: [{ noticeId: expect.any(String) }] },
      told: ['start 2'],
    });
    expect((await office.incident(first)).joins).toEqual([]);
    expect(await office.does('duty-1', second, { action: 'unjoin', reason: '是两件事' })).toMatchObject({
      kind: 'repeat',
    });
    // The machine does not join again what a person has parted.
    await link(office, second);
    expect((await office.incident(second)).state).toBe('asking');
  });

  test('closed with the main one: handed on, each caller is called back', async () => {
    const [first, second] = await twoCalls();
    const [lead = ''] = await office.asked(first);
    await office.does(lead, first, { action: 'accept' });
    await office.does(lead, first, { action: 'arrive' });
    await office.does(lead, first, { action: 'close', outcome: 'solved', text: '水阀关了' });
    expect(await office.incident(second)).toMatchObject({
      state: 'closed',
      closed: { outcome: 'handed_on' },
      owed: ['revisit'],
      round: 2,
    });
    expect((await office.incident(first)).joins).toEqual([]);
    const revisited = await office.does('duty-1', second, { action: 'revisit', outcome: 'satisfied' });
    expect(revisited).toMatchObject({ kind: 'done', incident: { state: 'finished' } });
  });

  test('a crash between the close and what is joined: reconcile ends it', async () => {
    const [first, second] = await twoCalls();
    const [lead = ''] = await office.asked(first);
    const commitBoth = office.store.commitBoth.bind(office.store);
    office.store.commitBoth = async () => {
      throw new Error('sample crash');
    };
    await office.does(lead, first, { action: 'close', outcome: 'by_phone', text: '电话里说好了' });
    expect((await office.incident(second)).state).toBe('joined');
    office.store.commitBoth = commitBoth;
    office.time += 6_000;
    expect(await office.sweep()).toMatchObject({ joins: 1 });
    expect((await office.incident(second)).state).toBe('closed');
    office.time += 6_000;
    expect(await office.sweep()).toMatchObject({ joins: 0 });
  });

  test('back to 110 with the main one, number by number', async () => {
    const [first, second] = await twoCalls();
    await office.does('duty-1', first, { action: 'return', reason: '现场有人持械' });
    expect(await office.incident(second)).toMatchObject({ state: 'returned', owed: ['handback'], round: 2 });
  });
});

describe('codes of 110 and the province', () => {
  test('a known code decides and is not counted, an unknown one is kept, counted and shown', async () => {
    const [known = ''] = Object.keys(office.district.sharedCodes);
    await calls(0, { content: '请来看看', categoryCode: known });
    expect(await office.store.unknownCodes()).toEqual([]);
    const id = await calls(1, { content: '请来看看', categoryCode: 'SAMPLE-9' });
    await calls(2, { content: '请来看看', categoryCode: 'SAMPLE-9' });
    expect(await office.store.unknownCodes()).toEqual([{ code: 'SAMPLE-9', times: 2, lastAt: T0 + 2 * DAY }]);
    expect((await office.store.content(id))?.categoryCode).toBe('SAMPLE-9');
    expect((await office.store.reasons(id)).map(({ rule }) => rule)).toContain('code-unknown');
    expect(office.log.counts).toMatchObject({ CodeUnknown: 2 });
  });
});

test('ten callers of one second: one event, nine joined, none lost, whatever overtakes what', async () => {
  const ids: string[] = [];
  for (let n = 0; n < 10; n += 1) {
    office.time += 20;
    ids.push(await office.asks110({ content: PIPE, ...by(`166000030${String(n).padStart(2, '0')}`) }));
  }
  await Promise.all(ids.map((id) => link(office, id)));
  const states = await Promise.all(ids.map(async (id) => (await office.incident(id)).state));
  expect(states).toEqual(['asking', ...Array.from({ length: 9 }, () => 'joined')]);
  expect(new Set((await office.incident(ids[0] ?? '')).joins)).toEqual(new Set(ids.slice(1)));
  for (const id of ids) expect(await office.faults(id)).toEqual([]);
  const row = await office.table.get({ pk: `INC#${ids[0]}`, sk: 'INCIDENT' });
  expect(row && sizeOf(row)).toBeLessThanOrEqual(2_048);
});

/** A kilometre and more from each other. */
const far = (n: number) => ({ location: { lng: 120.1 + n * 0.02, lat: 30.3 } });

test('eleven callers of a minute about eleven things: each is read once for all the others, and anew after a minute', async () => {
  const read = vi.spyOn(office.table, 'getMany');
  const opened = (id: string) =>
    read.mock.calls.flat(2).filter(({ pk, sk }) => pk === `INC#${id}` && sk === 'CONTENT').length;
  const ids: string[] = [];
  for (let n = 0; n < 11; n += 1) {
    office.time += 4_000;
    ids.push(
      await office.hears({ content: PIPE, address: `样例${'东南西北'[n % 4] ?? ''}路${n}号`, ...far(n) }),
    );
  }
  expect(ids.slice(0, -1).map(opened)).toEqual(Array.from({ length: 10 }, () => 1));
  office.time += 60_000;
  await office.hears({ content: PIPE, address: '样例中路1号', ...far(12) });
  expect(ids.map(opened)).toEqual([...Array.from({ length: 10 }, () => 2), 1]);
});

test('what had others joined to it is joined itself: all of them end together', async () => {
  const [first, second] = await twoCalls();
  office.time += 60_000;
  // The desk sees that an earlier matter in another street is the same water main.
  const earlier = await office.asks110({ content: '马路上水管爆了', address: '和睦路1号' });
  expect(
    await office.does('duty-1', first, { action: 'join', into: earlier, reason: '同一根总管' }),
  ).toMatchObject({ kind: 'done' });
  expect(await office.does('duty-1', earlier, { action: 'join', into: second, reason: '圈' })).toMatchObject({
    kind: 'refused',
  });
  const [lead = ''] = await office.asked(earlier);
  await office.does(lead, earlier, { action: 'close', outcome: 'by_phone', text: '总阀已关' });
  for (const id of [first, second])
    expect(await office.incident(id)).toMatchObject({ state: 'closed', closed: { outcome: 'handed_on' } });
});
