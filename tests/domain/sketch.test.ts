import * as fc from '../properties.ts';
import { describe, expect, test } from 'vitest';
import { aesVault } from '#shared/adapters/vault.ts';
import { counterParties } from '#shared/domain/counter-party.ts';
import { SKETCH_SIZE, sketchLikeness } from '#shared/domain/sketch.ts';
import { SECRET } from '../adapters/fixtures.ts';

const vault = aesVault(SECRET);

describe('a sketch of a text', () => {
  test('another district cannot compare, and cannot look a word up', () => {
    const other = aesVault({ ...SECRET, pepper: Buffer.alloc(32, 7).toString('base64') });
    const text = '楼上半夜拖桌子，孩子睡不着';
    expect(sketchLikeness(vault.sketch(text), other.sketch(text))).toBe(0);
    expect(sketchLikeness(vault.sketch(text), vault.sketch(`${text}！！`))).toBe(1);
  });

  test('the same story in other words is nearer than another story', () => {
    const [told, again, other] = [
      '青石巷豆腐坊凌晨三点开机器磨豆子，震得床都在抖',
      '又是青石巷豆腐坊，凌晨开机器磨豆子，全家睡不着',
      '青石巷口路灯坏了，晚上走路看不见',
    ].map((text) => vault.sketch(text));
    expect(sketchLikeness(told ?? [], again ?? [])).toBeGreaterThanOrEqual(0.3);
    expect(sketchLikeness(told ?? [], other ?? [])).toBeLessThan(0.15);
  });

  test('any texts: never more than 64 numbers, likeness within 0 and 1 and the same both ways', () => {
    const text = fc.string({ unit: 'binary', maxLength: 300 });
    fc.assert(
      fc.property(text, text, (a, b) => {
        const [first, second] = [vault.sketch(a), vault.sketch(b)];
        expect(first.length).toBeLessThanOrEqual(SKETCH_SIZE);
        const alike = sketchLikeness(first, second);
        expect(alike).toBe(sketchLikeness(second, first));
        expect(alike >= 0 && alike <= 1).toBe(true);
        expect(sketchLikeness(first, first)).toBe(first.length === 0 ? 0 : 1);
      }),
      { numRuns: 40 },
    );
  });
});

describe('whom a call is about', () => {
  test.each<[string, string, string, ReturnType<typeof counterParties>]>([
    [
      'a number and a plate, but not the own number',
      '房东电话19900001111，车牌浙A·12345，我的电话16600001234',
      '样例路1号',
      [
        { kind: 'party', value: '19900001111' },
        { kind: 'party', value: '浙A12345' },
      ],
    ],
    [
      'a flat means one only in its house',
      '楼上502室漏水',
      '样例路1号402室',
      [{ kind: 'party', value: '样例路1号/502' }],
    ],
    ['the own flat is nobody else', '我家402室被水淹了', '样例路1号402室', []],
    [
      'a firm with a name',
      '样例星光烧烤店油烟太大',
      '样例路1号',
      [{ kind: 'firm', value: '样例星光烧烤店' }],
    ],
    ['the property management of no name is nobody', '小区物业不管，隔壁饭店太吵', '样例路1号', []],
    ['a name that is said to be one', '他名叫样一二，欠我钱', '', [{ kind: 'party', value: '样一二' }]],
    ['nothing', '', '', []],
  ])('%s', (_, content, address, expected) => {
    expect(counterParties(content, address, '16600001234')).toEqual(expected);
  });

  test('any text: at most eight, none empty, never an exception', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (content, address) => {
        const found = counterParties(content, address, '');
        expect(found.length).toBeLessThanOrEqual(8);
        for (const { value } of found) expect(value).not.toBe('');
      }),
    );
  });
});
