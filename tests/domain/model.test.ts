import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as fc from '../properties.ts';
import { describe, expect, test } from 'vitest';
import { loadDistrict } from '#shared/districts/load.ts';
import { classify } from '#shared/domain/classify.ts';
import { conceptsIn, conceptsSchema } from '#shared/domain/classify/concepts.ts';
import { eachGram } from '#shared/domain/classify/grams.ts';
import { modelFileSchema, openModel } from '#shared/domain/classify/model.ts';
import { lessonOf, type Lesson } from '../../infra/commands/train/lessons.ts';
import { modelFrom, readAll } from '../../infra/commands/train/model-file.ts';
import { dangerPairs } from './danger-corpus.ts';

const district = loadDistrict('xiaohe');
const { concepts } = district.learned();
const file = readFileSync(join(import.meta.dirname, '../../shared/districts/model.json'));
const shipped = modelFileSchema.parse(JSON.parse(file.toString()));
const say = (content: string) => classify(district, { content, address: '' }).classification;

describe('the shipped model', () => {
  test('keeps every danger pair: who has to go goes, whatever the model thinks', () => {
    const lost = dangerPairs()
      .filter(({ danger, goes }) => {
        const { disposition } = say(danger);
        return goes === 'police' ? disposition !== 'police' : !['police', 'joint'].includes(disposition);
      })
      .map(({ id }) => id);
    expect(lost).toEqual([]);
  });

  test('does not take the harmless halves of the pairs for police work', () => {
    const calm = dangerPairs().filter(({ phenomenon }) => phenomenon !== 'past');
    const alarms = calm.filter(({ harmless }) => say(harmless).disposition === 'police');
    expect(alarms.length / calm.length).toBeLessThan(0.1);
  });

  test('is no larger than 400 KB when it is sent', () => {
    expect(gzipSync(file).length).toBeLessThanOrEqual(400_000);
  });

  test('is refused when its weights do not fit its words', () => {
    expect(() => openModel({ ...shipped, signals: shipped.signals.slice(1) })).toThrow(/do not fit/u);
    expect(() => openModel({ ...shipped, heads: undefined })).toThrow();
  });
});

describe('training', () => {
  const row = (text: string, category: string) => ({
    id: text,
    line: 1,
    text,
    disposition: 'non-police' as const,
    category,
    alsoOk: [],
    urgency: 'P4' as const,
    risk: false,
    style: 'letter',
  });
  const lessons: Lesson[] = Array.from({ length: 12 }, (_, i) => [
    lessonOf(row(`第${String(i)}栋半夜装修太吵了`, 'noise_nuisance'), 'test'),
    lessonOf(row(`第${String(i)}栋门口垃圾没人清运`, 'city_appearance'), 'test'),
  ]).flat();
  const trained = () =>
    modelFrom(readAll(district, concepts, lessons), ['noise_nuisance', 'city_appearance'], {
      version: 'test',
      seed: 7,
    });

  test('is the same to the byte from the same texts and seed, and has learnt what it was told', () => {
    const [one, two] = [trained(), trained()];
    expect(JSON.stringify(one) === JSON.stringify(two)).toBe(true);
    const small = { ...district, learned: () => ({ concepts, model: openModel(one) }) };
    const said = (content: string) => classify(small, { content, address: '' }).classification.category;
    expect([said('楼上装修吵得头疼'), said('垃圾堆在路口')]).toEqual(['noise_nuisance', 'city_appearance']);
  });
});

describe('reading', () => {
  test('a longer word hides the ones inside it, and blockers are told of nobody', () => {
    const groups = conceptsSchema.parse({
      version: '1',
      note: '',
      concepts: {
        _no: { name: '无关', words: '打电话' },
        hit: { name: '打人', words: '打 打人' },
      },
    });
    expect(
      conceptsIn(groups, '打电话说有人打人')
        .get('hit')
        ?.map(({ word }) => word),
    ).toEqual(['打人']);
    expect(conceptsIn(groups, '打电话').size).toBe(0);
  });

  test('runs of characters stand where they say, numbers and masked districts count as one', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('刀', '12', 'a3区', ',', '\0', '家') }), (text) => {
        eachGram(text, (gram, start, end) => {
          const plain = gram.replace(/[\^$]/gu, '');
          if (/^[刀家,]+$/u.test(plain)) expect(text.slice(start, end)).toBe(plain);
          expect(end).toBeGreaterThanOrEqual(start);
        });
      }),
    );
    const seen: string[] = [];
    eachGram('a3区12元', (gram) => seen.push(gram));
    expect(seen).toContain('某区0');
  });
});
