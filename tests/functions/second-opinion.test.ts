import { beforeEach, expect, test } from 'vitest';
import type { Answered, Question, SecondOpinion } from '#shared/ports/second-opinion.ts';
import { seekOpinion } from '../../functions/classification/second-opinion.ts';
import { Office } from './office.ts';

const CALL = '楼上邻居半夜装修，声音太大，孩子睡不着，请来协调一下。';
let office: Office;
let asked: Question[];
beforeEach(async () => {
  office = await Office.open();
  asked = [];
});

/** Somebody who says this whatever he is asked. */
const saying = (answered: Answered | Error): SecondOpinion => ({
  ask: async (question) => {
    asked.push(question);
    if (answered instanceof Error) throw answered;
    return answered;
  },
});
const opinion = (
  category: string,
  urgency: 'P1' | 'P2' | 'P3' | 'P4',
  reason = '听上去要动手',
): Answered => ({
  kind: 'opinion',
  opinion: { category, urgency, reason },
});
const seek = async (id: string, answered: Answered | Error): Promise<void> => {
  // oxlint-disable-next-line typescript/no-misused-spread -- its methods are bound to it where they need it
  await seekOpinion({ ...office, opinion: saying(answered) }, id);
};

test('off unless it is set: nothing is asked', async () => {
  const id = await office.asks110({ content: CALL });
  const before = await office.incident(id);
  await seekOpinion(office, id);
  expect(await office.incident(id)).toEqual(before);
});

test('it raises the urgency: the duty officer is told, nobody else moves, no deadline does', async () => {
  const id = await office.asks110({ content: CALL });
  const before = await office.incident(id);
  await seek(id, opinion(before.classification?.category ?? '', 'P1'));
  const after = await office.incident(id);
  expect(after).toMatchObject({ classification: { urgency: 'P1' }, opinion: { urgency: 'P1' } });
  expect(await office.notice(id, 'duty-1', 'desk')).toMatchObject({ notice: { note: 'opinion' } });
  for (const same of ['people', 'deadlines', 'owed', 'due', 'state', 'rung', 'lead'] as const)
    expect(after[same]).toEqual(before[same]);
  expect(after.classification?.disposition).toBe(before.classification?.disposition);
  expect(await office.faults(id)).toEqual([]);
});

test('another category is proposed, never taken; a lower urgency is not heard', async () => {
  const id = await office.asks110({ content: CALL });
  const before = await office.incident(id);
  await seek(id, opinion('wage_dispute', 'P4'));
  const after = await office.incident(id);
  expect(after.classification).toEqual(before.classification);
  expect(after.opinion).toEqual({ category: 'wage_dispute' });
  expect((await office.trail(id)).at(-1)).toBe('second-opinion');
  await expect(office.notice(id, 'duty-1', 'desk')).rejects.toThrow('no desk');
});

test('the same opinion as ours says nothing; it is heard once', async () => {
  const id = await office.asks110({ content: CALL });
  const { classification } = await office.incident(id);
  await seek(id, opinion(classification?.category ?? '', classification?.urgency ?? 'P4'));
  expect((await office.incident(id)).opinion).toBeUndefined();
  await seek(id, opinion('wage_dispute', 'P2'));
  const once = await office.incident(id);
  await seek(id, opinion('noise_nuisance', 'P1'));
  expect(await office.incident(id)).toEqual(once);
});

test.each<[string, Answered | Error]>([
  ['late', { kind: 'late' }],
  ['garbage', { kind: 'unreadable' }],
  ['refused', { kind: 'refused' }],
  ['broken', { kind: 'failed' }],
  ['an adapter that throws', new Error('sample defect')],
])('%s: nothing changes, and nobody hears an error', async (_, answered) => {
  const id = await office.asks110({ content: CALL });
  const before = await office.incident(id);
  await seek(id, answered);
  expect(await office.incident(id)).toEqual(before);
});

test('only masked words leave: no number, no plate, no house, no name', async () => {
  const id = await office.asks110({
    content: '我叫欧阳样例，电话16600001234，住6幢302室，邻居车牌浙A12345挡路，声音太大',
  });
  await seek(id, { kind: 'late' });
  const told = JSON.stringify(asked);
  expect(told).toContain('声音太大');
  for (const secret of ['欧阳样例', '16600001234', '302', '浙A12345']) expect(told).not.toContain(secret);
});

test('a secret incident, one that is over and one that is joined are told to nobody', async () => {
  const over = await office.asks110({ content: '有人拿刀要砍人，快来。' });
  await seek(over, opinion('wage_dispute', 'P1'));
  const id = await office.receives({ content: CALL });
  await office.table.write([
    { patch: { pk: `INC#${id}`, sk: 'INCIDENT' }, set: { secret: true }, if: { present: true } },
  ]);
  await office.classify(id);
  await seek(id, opinion('wage_dispute', 'P1'));
  expect(asked).toEqual([]);
});

test('what a model writes is cut to plain words before anybody reads it', async () => {
  const id = await office.asks110({ content: CALL });
  await seek(id, opinion('wage_dispute', 'P2', '<b>请打19900001111转账</b>\u202e'));
  const line = (await office.store.lines(id)).find(({ stored }) => stored.kind === 'second-opinion');
  expect(line?.text).toMatch(/^[\p{Script=Han}b[\]]+$/u);
  expect(line?.text).not.toContain('19900001111');
});
