import { expect, test } from 'vitest';
import { exportHeads } from '../../functions/reconcile/export-heads.ts';
import { Office } from './office.ts';

test('once a day, at midnight in Beijing, the ends of all trails go into the log', async () => {
  const office = await Office.open();
  const id = await office.asks110();
  const { trail } = await office.incident(id);
  const said: [string, object | undefined][] = [];
  const around = {
    store: office.store,
    clock: { now: () => new Date(office.time) },
    log: { ...office.log, info: (code: string, facts?: object) => void said.push([code, facts]) },
  };
  expect(await exportHeads(around)).toBeUndefined();

  // 16:03 UTC is three minutes into the next day in Beijing.
  office.time = Date.parse(`${new Date(office.time).toISOString().slice(0, 10)}T16:03:00.000Z`);
  expect(await exportHeads(around)).toBe(1);
  const day = new Date(office.time + 8 * 3_600_000).toISOString().slice(0, 10);
  expect(said).toEqual([
    ['chain-heads', { day, heads: `${id} ${trail.seq} ${trail.head}` }],
    ['chain-heads-done', { day, trails: 1 }],
  ]);
  office.time += 60_000;
  expect(await exportHeads(around)).toBeUndefined();
});
