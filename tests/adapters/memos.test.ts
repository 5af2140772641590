import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { tableMemos } from '#shared/adapters/memos.ts';
import type { Memos } from '#shared/ports/memos.ts';
import { ENGINES, type Engine } from './engines.ts';

const NOW = Date.parse('2026-03-04T02:00:00.000Z');

for (const name of ['memory', 'dynoxide'] as const)
  describe(`memos on ${name}`, () => {
    let engine: Engine;
    let memos: Memos;
    beforeAll(async () => {
      engine = await ENGINES[name]();
    });
    afterAll(() => engine?.stop());
    beforeEach(async () => {
      memos = tableMemos((await engine.fresh()).table);
    });

    test('are read as they were written, with a version that rises', async () => {
      expect(await memos.read('a', NOW)).toBeUndefined();
      expect(await memos.write('a', { version: 0, value: { list: ['x', 1, null] } }, NOW)).toBe(true);
      expect(await memos.read('a', NOW)).toEqual({ value: { list: ['x', 1, null] }, version: 1 });
      expect(await memos.write('a', { version: 1, value: 'second' }, NOW)).toBe(true);
      expect(await memos.read('a', NOW)).toEqual({ value: 'second', version: 2 });
      expect(await memos.read('b', NOW)).toBeUndefined();
    });

    test('of two who write at once one has written', async () => {
      const at = (version: number, value: string) => memos.write('a', { version, value }, NOW);
      expect((await Promise.all([at(0, 'x'), at(0, 'y')])).sort()).toEqual([false, true]);
      expect((await Promise.all([at(1, 'x'), at(1, 'y')])).sort()).toEqual([false, true]);
      expect(await at(1, 'stale')).toBe(false);
      expect((await memos.read('a', NOW))?.version).toBe(2);
    });

    test('are gone when their time is over, though the table has not removed them yet', async () => {
      await memos.write('a', { version: 0, value: 1, expires: NOW + 1_000 }, NOW);
      expect(await memos.read('a', NOW + 999)).toBeDefined();
      expect(await memos.read('a', NOW + 1_000)).toBeUndefined();
      expect(await memos.write('a', { version: 0, value: 2 }, NOW + 999)).toBe(false);
      expect(await memos.write('a', { version: 0, value: 2 }, NOW + 1_000)).toBe(true);
      expect((await memos.read('a', NOW + 99_000))?.value).toBe(2);
    });
  });
