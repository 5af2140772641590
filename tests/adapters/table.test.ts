import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Item, Table } from '#shared/ports/table.ts';
import { ENGINES, WITHOUT_JAVA, type Engine } from './engines.ts';

const A = { pk: 'P', sk: 'a' };
const B = { pk: 'P', sk: 'b' };
const n = (i: number): string => String(i).padStart(4, '0');
const sks = (items: readonly Item[]): string[] => items.map((item) => item.sk);

/** Puts many items, some hundred a transaction. */
const fill = async (table: Table, items: readonly Item[]): Promise<void> => {
  for (let i = 0; i < items.length; i += 50)
    await table.write(items.slice(i, i + 50).map((put) => ({ put })));
};

for (const [name, start] of Object.entries(ENGINES)) {
  const skip = name === 'dynamodb-local' ? WITHOUT_JAVA : undefined;
  describe.skipIf(skip !== undefined)(`a table on ${name}${skip ? ` (${skip})` : ''}`, () => {
    let engine: Engine;
    let table: Table;
    let all: () => Promise<Item[]>;
    beforeAll(async () => {
      engine = await start();
    });
    afterAll(() => engine?.stop());
    beforeEach(async () => {
      ({ table, all } = await engine.fresh());
    });

    test('keeps every kind of value, and leaves out what is undefined at any depth', async () => {
      const item = {
        ...A,
        text: '',
        n: 120.29345678,
        whole: 1_772_589_600_123,
        yes: true,
        nothing: null,
        set: new Set(['accept', 'arrive']),
        list: [1, { deep: 'x', gone: undefined }],
        map: { 'a.b': 1, gone: undefined, 汉字: '字' },
        gone: undefined,
      };
      expect(await table.write([{ put: item }])).toEqual({ ok: true });
      const read = await table.get(A);
      expect(read).toStrictEqual({
        ...A,
        text: '',
        n: 120.29345678,
        whole: 1_772_589_600_123,
        yes: true,
        nothing: null,
        set: new Set(['accept', 'arrive']),
        list: [1, { deep: 'x' }],
        map: { 'a.b': 1, 汉字: '字' },
      });
      // What was read belongs to the reader.
      Object.assign(read?.map ?? {}, { 'a.b': 2 });
      expect((await table.get(A))?.map).toEqual({ 'a.b': 1, 汉字: '字' });
      expect(await table.get(B)).toBeUndefined();
    });

    test('conditions: absent, present, equals, oneOf, lacks; the item in the way comes back with the refusal', async () => {
      const stored = { ...A, state: 'asking', round: 2, flag: false };
      const absent = { put: stored, if: { absent: true as const } };
      expect(await table.write([absent])).toEqual({ ok: true });
      expect(await table.write([absent])).toEqual({ ok: false, index: 0, item: stored });
      const holds = async (condition: object, key = A): Promise<boolean> =>
        (await table.write([{ check: key, if: condition }])).ok;
      expect(await holds({ present: true })).toBe(true);
      expect(await holds({ present: true }, B)).toBe(false);
      expect(await holds({ absent: true }, B)).toBe(true);
      expect(await holds({ equals: { state: 'asking', round: 2, flag: false } })).toBe(true);
      expect(await holds({ equals: { state: 'asking', round: 1 } })).toBe(false);
      expect(await holds({ equals: { never: 'there' } })).toBe(false);
      expect(await holds({ equals: { round: '2' } })).toBe(false);
      expect(await holds({ lacks: ['never', 'neither'] })).toBe(true);
      expect(await holds({ lacks: ['never', 'flag'] })).toBe(false);
      expect(await holds({ oneOf: { state: ['accepted', 'asking'], round: [2, 3] } })).toBe(true);
      expect(await holds({ oneOf: { state: ['accepted'] } })).toBe(false);
      expect(await holds({ oneOf: { state: ['asking'] }, equals: { round: 1 } })).toBe(false);
      expect(await holds({ equals: { state: 'asking' } }, B)).toBe(false);
      // A refused write on an item that is not there has nothing in its way.
      expect(await table.write([{ delete: B, if: { present: true } }])).toEqual({ ok: false, index: 0 });
    });

    test('a transaction is done whole or not at all, and names the first refused write', async () => {
      await table.write([{ put: { ...B, state: 'old' } }]);
      const written = await table.write([
        { put: { ...A, state: 'new' } },
        { patch: B, set: { state: 'newer' }, if: { equals: { state: 'other' } } },
        { delete: { pk: 'P', sk: 'c' }, if: { present: true } },
      ]);
      expect(written).toEqual({ ok: false, index: 1, item: { ...B, state: 'old' } });
      expect(await all()).toEqual([{ ...B, state: 'old' }]);
      await expect(table.write([{ put: { ...A } }, { patch: A, set: { x: 1 } }])).rejects.toThrow();
      await expect(
        table.write(Array.from({ length: 101 }, (_, i) => ({ put: { pk: 'P', sk: n(i) } }))),
      ).rejects.toThrow();
      expect(
        await table.write(Array.from({ length: 100 }, (_, i) => ({ put: { pk: 'Q', sk: n(i) } }))),
      ).toEqual({
        ok: true,
      });
    });

    test('patch sets, removes and adds single attributes, whatever they are called, and leaves the rest', async () => {
      await table.write([
        { put: { ...A, keep: new Set(['x']), state: 1, status: 2, data: 'out', count: 5 } },
      ]);
      await table.write([
        {
          patch: A,
          set: { state: 'accepted', name: 'n', values: [1], order: { by: 'x' }, size: undefined },
          remove: ['data', 'status', 'never'],
          add: { count: 2, year: 1 },
        },
      ]);
      expect(await table.get(A)).toStrictEqual({
        ...A,
        keep: new Set(['x']),
        state: 'accepted',
        name: 'n',
        values: [1],
        order: { by: 'x' },
        count: 7,
        year: 1,
      });
      // Patching what is not there makes it, as DynamoDB does.
      await table.write([{ patch: B, set: {}, add: { n: 1 } }]);
      expect(await table.get(B)).toEqual({ ...B, n: 1 });
      await table.write([{ put: { ...A, only: true } }, { delete: B }]);
      expect(await all()).toEqual([{ ...A, only: true }]);
    });

    test('queries one partition in order: from, to, startsWith, descending, limit', async () => {
      await fill(
        table,
        [...Array.from({ length: 9 }, (_, i) => `line#${i}`), 'a', 'z', 'line'].map((sk) => ({
          pk: 'P',
          sk,
          big: sk,
        })),
      );
      await table.write([{ put: { pk: 'OTHER', sk: 'line#0' } }]);
      const query = async (more: object): Promise<string[]> =>
        sks(await table.query({ pk: 'P', consistent: true, ...more }));
      expect(await query({ startsWith: 'line#' })).toEqual(Array.from({ length: 9 }, (_, i) => `line#${i}`));
      expect(await query({ from: 'line#7' })).toEqual(['line#7', 'line#8', 'z']);
      expect(await query({ to: 'line#0' })).toEqual(['a', 'line', 'line#0']);
      expect(await query({ from: 'line#2', to: 'line#4' })).toEqual(['line#2', 'line#3', 'line#4']);
      expect(await query({ from: 'line#2', to: 'line#8', descending: true, limit: 2 })).toEqual([
        'line#8',
        'line#7',
      ]);
      expect(await query({ limit: 3 })).toEqual(['a', 'line', 'line#0']);
      expect(await table.query({ pk: 'NOBODY' })).toEqual([]);
      expect((await table.query({ pk: 'P', limit: 1 }))[0]).toEqual({ pk: 'P', sk: 'a', big: 'a' });
    });

    test('indexes are sparse and hold keys only; an item leaves one with its attribute', async () => {
      await fill(
        table,
        [3, 1, 2].map((i) => ({
          pk: `INC#${i}`,
          sk: 'INCIDENT',
          owedPk: 'OWED#0',
          owedAt: n(i),
          openPk: 'OPEN#0',
          memberPk: 'MEMBER#a',
          memberAt: n(i),
          monthPk: 'MONTH#1',
          monthAt: n(i),
          content: 'sealed',
        })),
      );
      const owed = await table.query({ index: 'owed', pk: 'OWED#0', to: n(2) });
      expect(owed).toEqual(
        [1, 2].map((i) => ({ pk: `INC#${i}`, sk: 'INCIDENT', owedPk: 'OWED#0', owedAt: n(i) })),
      );
      // With the partition attribute alone an item is in no index.
      expect(await table.query({ index: 'open', pk: 'OPEN#0' })).toEqual([]);
      expect(
        sks(await table.query({ index: 'byMember', pk: 'MEMBER#a', descending: true, limit: 1 })),
      ).toEqual(['INCIDENT']);
      await table.write([{ patch: { pk: 'INC#1', sk: 'INCIDENT' }, set: {}, remove: ['owedPk', 'owedAt'] }]);
      const rest = await table.query({ index: 'owed', pk: 'OWED#0' });
      expect(rest.map((item) => item.pk)).toEqual(['INC#2', 'INC#3']);
      expect(
        (await table.query({ index: 'byMonth', pk: 'MONTH#1', from: n(1) })).map((item) => item.pk),
      ).toEqual(['INC#1', 'INC#2', 'INC#3']);
    });

    test('a partition of more than 1 MB is read across its pages; a limit counts items, not pages', async () => {
      const body = 'x'.repeat(20_000);
      await fill(
        table,
        Array.from({ length: 130 }, (_, i) => ({ pk: 'P', sk: n(i), body })),
      );
      expect(sks(await table.query({ pk: 'P', consistent: true }))).toEqual(
        Array.from({ length: 130 }, (_, i) => n(i)),
      );
      expect(sks(await table.query({ pk: 'P', descending: true, limit: 110 }))).toEqual(
        Array.from({ length: 110 }, (_, i) => n(129 - i)),
      );
    });

    test('getMany reads hundreds, in the order asked, without those that are missing', async () => {
      await fill(
        table,
        Array.from({ length: 230 }, (_, i) => ({ pk: `P#${i % 7}`, sk: n(i) })),
      );
      const keys = Array.from({ length: 240 }, (_, i) => ({ pk: `P#${(239 - i) % 7}`, sk: n(239 - i) }));
      expect(sks(await table.getMany(keys))).toEqual(Array.from({ length: 230 }, (_, i) => n(229 - i)));
      expect(await table.getMany([])).toEqual([]);
      const twice = { pk: 'P#0', sk: n(0) };
      expect(sks(await table.getMany([twice, twice]))).toEqual([n(0), n(0)]);
    });

    test('of 32 who write at once exactly one wins, thirty times over', async () => {
      for (let round = 0; round < 30; round += 1) {
        const key = { pk: 'RACE', sk: n(round) };
        const written = await Promise.all(
          Array.from({ length: 32 }, (_, by) => table.write([{ put: { ...key, by }, if: { absent: true } }])),
        );
        const winners = written.flatMap((one, by) => (one.ok ? [by] : []));
        expect(winners).toHaveLength(1);
        expect(await table.get(key)).toEqual({ ...key, by: winners[0] });
        // Everybody else is shown the winner's item.
        for (const one of written) if (!one.ok) expect(one.item?.by).toBe(winners[0]);
      }
    });
  });
}
