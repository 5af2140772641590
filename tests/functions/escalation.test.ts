import { beforeEach, describe, expect, test } from 'vitest';
import { Office } from './office.ts';

let office: Office;
let id: string;
let begin: number;

beforeEach(async () => {
  office = await Office.open('donghu');
  begin = office.time;
  id = await office.asks110();
});

/** The instants at which something happens if nobody does anything, in seconds, up to a limit. */
const climb = async (limit: number): Promise<{ second: number; asked: string[] }[]> => {
  const steps = [{ second: 0, asked: await office.asked(id) }];
  for (;;) {
    const { next, due } = await office.escalate(id);
    if (next === 'finished') return steps;
    office.time = due[next] ?? Number.NaN;
    const second = (office.time - begin) / 1000;
    if (second > limit) return steps;
    await office.escalate(id);
    steps.push({ second, asked: await office.asked(id) });
  }
};

test('nobody answers: the workflow is told the next instant each time, and each person is asked once', async () => {
  const steps = await climb(800);
  expect(steps.map(({ second, asked }) => [second, asked.length])).toEqual([
    [0, 1],
    [60, 2],
    [90, 3],
    [120, 4],
    [180, 5],
    [480, 5],
    [780, 5],
  ]);
  expect(new Set(steps.at(-1)?.asked).size).toBe(5);
  expect(
    (await office.store.notices(`INC#${id}`)).filter(({ notice }) => notice.kind === 'nag'),
  ).toHaveLength(2);
  expect(await office.faults(id)).toEqual([]);
});

test('asked twice at the same instant it climbs once, also when both come at once', async () => {
  office.time += 60_000;
  const both = await Promise.all([office.escalate(id), office.escalate(id)]);
  expect(both[0]).toEqual(both[1]);
  const { version } = await office.incident(id);
  expect(await office.escalate(id)).toEqual(both[0]);
  expect(await office.incident(id)).toMatchObject({ version });
  expect(await office.asked(id)).toHaveLength(2);
});

test('a rung that was finished meanwhile is not climbed for', async () => {
  const [first = ''] = await office.asked(id);
  office.races = [() => office.does(first, id, { action: 'accept' })];
  office.time += 60_000;
  const onward = await office.escalate(id);
  expect(onward.next).toBe('depart');
  expect(await office.asked(id)).toEqual([first]);
  expect(await office.trail(id)).toContain('accepted');
});

describe('where the workflow is sent', () => {
  test('an execution of an older round goes home and touches nothing', async () => {
    office.time += 600_000;
    const { version } = await office.incident(id);
    expect(await office.escalate(id, 2)).toEqual({ next: 'finished', due: {} });
    expect(await office.incident(id)).toMatchObject({ version });
  });

  test('a returned incident waits for its handback, and ends with it', async () => {
    await office.does('duty-1', id, { action: 'return', reason: '涉嫌违法' });
    expect(await office.escalate(id)).toMatchObject({ next: 'handback', due: { handback: begin + 60_000 } });
    await office.does('duty-1', id, { action: 'handback' });
    expect(await office.escalate(id)).toEqual({ next: 'finished', due: {} });
  });

  test('an unknown incident is a defect, which the workflow tries again', async () => {
    await expect(office.escalate('01JSAMPLE0000000000000000A')).rejects.toThrow(/no incident/);
  });
});

test('it does not wake itself: the token of the state that asks is spent', async () => {
  await office.parks(id, 'SPENT', 'accept');
  office.time += 60_000;
  await office.escalate(id);
  expect(office.told).toEqual([]);
  expect(office.sent.notices).toHaveLength(1);
});
