import { beforeEach, describe, expect, test } from 'vitest';
import type { Content } from '#shared/ports/store.ts';
import { link } from '../../functions/classification/link.ts';
import { T0 } from '../adapters/fixtures.ts';
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
    for (const secret of ['样一二', '浙A', '501', '16600001005', '样例甲', '骂我'])
      expect(kept).not.toContain(secret);
  });
});
