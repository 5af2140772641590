import * as fc from '../properties.ts';
import { describe, expect, test } from 'vitest';
import { clausesOf } from '#shared/domain/classify/clauses.ts';
import { normalise, originalSpan } from '#shared/domain/classify/normalise.ts';

/** Any code point, halves of pairs among them. */
const character = fc.nat(0x10ffff).map((code) => String.fromCodePoint(code));

describe('a text in its plain form', () => {
  test.each([
    ['traditional', '他要殺人，樓下報警', '他要杀人,楼下报警'],
    ['full width', 'ＱＱ群１２３！', 'qq群123!'],
    ['zero width', '自\u200b杀\ufeff了', '自杀了'],
    ['blanks inside words', '拿 刀 砍 人', '拿刀砍人'],
    ['dots inside words', '自·杀 跳-楼', '自杀跳楼'],
    ['radicals that look like characters', '⼑和⽕', '刀和火'],
    ['quotes', '没有“打人”', '没有打人'],
    ['control characters', '打\u0000人\u0007', '打人'],
    ['blanks between other letters', 'ok 3 楼', 'ok 3 楼'],
    ['lines', '打人\r\n快来', '打人\n\n快来'],
  ])('%s', (_, text, plain) => {
    expect(normalise(text).text).toBe(plain);
  });

  test('remembers where each character comes from', () => {
    const text = '😀 他 拿\u200b ㎏ 着殺';
    const n = normalise(text);
    const at = n.text.indexOf('杀');
    expect(text.slice(...originalSpan(n, at, at + 1))).toBe('殺');
    const kilo = n.text.indexOf('kg');
    expect(text.slice(...originalSpan(n, kilo, kilo + 2))).toBe('㎏');
  });

  test('every stretch comes from a stretch of the original', () => {
    fc.assert(
      fc.property(fc.string({ unit: character }), fc.nat(), fc.nat(), (text, a, b) => {
        const n = normalise(text);
        expect(n.starts).toHaveLength(n.text.length);
        expect(n.ends).toHaveLength(n.text.length);
        if (n.text === '') return;
        const [from, to] = [a % n.text.length, b % n.text.length].sort((x, y) => x - y);
        const [start, end] = originalSpan(n, from ?? 0, (to ?? 0) + 1);
        expect(start).toBeLessThan(end);
        expect(end).toBeLessThanOrEqual(text.length);
        expect(normalise(text.slice(start, end)).text.length).toBeGreaterThan(0);
      }),
    );
  });

  test('being plain already, it stays', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...Array.from('他没拿刀但是有人受伤,。!?12ab')) }),
        (text) => {
          expect(normalise(text).text).toBe(text);
        },
      ),
    );
  });
});

describe('clauses', () => {
  const cut = (text: string): string[] => {
    const n = normalise(text);
    return clausesOf(n, ['但是', '但', '却']).clauses.map(([from, to]) => n.text.slice(from, to));
  };

  test.each([
    ['他没受伤，但对方有刀。快来', ['他没受伤,', '但对方有刀。', '快来']],
    ['没有着火、爆炸', ['没有着火、爆炸']],
    ['他没动手 隔壁动手了', ['他没动手', '隔壁动手了']],
    ['他 没 动 手', ['他没动手']],
    ['没事却哭', ['没事', '却哭']],
    ['', []],
  ])('%s', (text, clauses) => {
    expect(cut(text)).toEqual(clauses);
  });
});
