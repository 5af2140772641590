import { expect, test } from 'vitest';
import { ownerOf } from '#shared/ports/store.ts';
import { PERSONAL, sizeOf } from '../adapters/fixtures.ts';
import { Office } from './office.ts';

/** Lets the workflow climb until nothing new happens; gives the largest size the row had on the way. */
const climb = async (office: Office, id: string, most = 60): Promise<number> => {
  let largest = 0;
  for (let n = 0; n < most; n += 1) {
    const { next, due } = await office.escalate(id);
    const row = await office.table.get({ pk: ownerOf(id), sk: 'INCIDENT' });
    if (row) largest = Math.max(largest, sizeOf(row));
    if (next === 'finished') break;
    office.time = due[next] ?? office.time;
  }
  return largest;
};

test('the row stays within 2 KB through a whole climb of war: nobody accepts, then everything is missed', async () => {
  const office = await Office.open('xiaohe');
  const id = await office.asks110();
  expect(await office.incident(id)).toMatchObject({ mode: 'war' });
  let largest = await climb(office, id);
  expect((await office.asked(id)).length).toBe(5);
  expect(await office.trail(id)).toContain('nags-over');
  await office.does((await office.asked(id))[0] ?? '', id, { action: 'accept' });
  largest = Math.max(largest, await climb(office, id, 20));
  const { people, breached } = await office.incident(id);
  expect(people.length).toBeGreaterThan(6);
  expect(breached).toEqual(expect.arrayContaining(['accept', 'arrive', 'feedback', 'close']));
  expect(largest).toBeGreaterThan(1_000);
  expect(largest).toBeLessThanOrEqual(2_048);
});

test("nothing in the table shows a caller's name, number, address or words, whatever was done with them", async () => {
  const office = await Office.open('donghu');
  const id = await office.asks110();
  const [first = ''] = await office.asked(id);
  const words = '现场有一位穿红衣的老人';
  await office.deliver(ownerOf(id), (await office.notice(id, first)).notice.id);
  await office.does(first, id, { action: 'accept' }, 'key-1');
  await office.does(first, id, { action: 'note', text: words });
  await office.does(first, id, { action: 'arrive', location: { lng: 120.3, lat: 30.4 } });
  await office.does(first, id, { action: 'close', outcome: 'solved', text: words });
  const content = await office.store.content(id);
  if (!content) throw new Error('The content was kept.');
  // A second report, a rejected message, a matter without a known place.
  const loaded = await office.incident(id);
  await office.store.commit(
    { incident: { ...loaded, version: loaded.version + 1, reports: 2 }, lines: [], notices: [] },
    { report: content },
  );
  await office.store.reject(
    {
      id: 'r',
      at: office.time,
      status: 400,
      problems: [PERSONAL[1] ?? ''],
      body: JSON.stringify(content),
      bytes: 9,
    },
    [],
  );
  await office.asks110({ address: `无名巷${PERSONAL[2]}` });
  await office.asks110({ content: `有人拿刀砍${PERSONAL[0]}` });

  const everything = await office.all();
  expect(everything.length).toBeGreaterThan(150);
  const text = JSON.stringify(everything, (_, value: unknown) => (value instanceof Set ? [...value] : value));
  for (const personal of [...PERSONAL, '无名巷', '穿红衣']) expect(text).not.toContain(personal);
  // And yet nothing of it is lost.
  expect(content.caller.name).toBe(PERSONAL[0]);
  expect((await office.store.lines(id)).filter((line) => line.text === words)).toHaveLength(2);
  expect((await office.store.rejected(undefined, 1)).items[0]?.body).toContain(PERSONAL[0]);
});
