import { createHash } from 'node:crypto';
import { openModel, type Model } from '#shared/domain/classify/model.ts';
import { readingOf } from '#shared/domain/classify/reading.ts';
import { weigh, type Weighed } from '#shared/domain/classify.ts';
import { believe, rankOf } from '#shared/domain/classify/belief.ts';
import { vectorOf } from '#shared/domain/classify/model.ts';
import type { Concepts } from '#shared/domain/classify/concepts.ts';
import type { District } from '#shared/domain/district.ts';
import type { Row } from '../eval/rows.ts';
import { modelFrom, type Read } from './model-file.ts';

/** A fifth of the texts is answered by a model that learnt from the other four. */
export const FOLDS = 5;

/** The fold of a text: by its hash, so that the same words never stand on both sides. */
export const foldOf = (key: string): number =>
  Number.parseInt(createHash('sha256').update(key).digest('hex').slice(0, 8), 16) % FOLDS;

/** The district as it reads with another model. */
export const readingWith = (district: District, concepts: Concepts, model: Model): District => ({
  ...district,
  learned: () => ({ concepts, model }),
});

/** What was said about a row by a model that had not seen it, and by its parts. */
export type HeldOut = {
  row: Row;
  weighed: Weighed;
  rulesOnly: { category: string };
  modelOnly: { category: string };
};

/** The category that the word list and the danger signs name, without any model. */
const byRules = (district: District, concepts: Concepts, text: string): string => {
  const { seen, scores } = readingOf(district, concepts, text);
  const sign = seen.handled ? undefined : seen.hits.find((hit) => !hit.cancelledBy && hit.category);
  const [best] = scores;
  return sign?.category ?? (best && best.points > 0 ? best.category : 'other');
};

/** Answers rows with a model and with its parts. */
export const answersOf = (
  district: District,
  concepts: Concepts,
  rows: readonly Row[],
  { whole, gramsOnly }: { whole: Model; gramsOnly: Model },
): HeldOut[] => {
  const reader = readingWith(district, concepts, whole);
  return rows.map((row) => {
    const reading = readingOf(district, concepts, row.text);
    const plain = believe(gramsOnly, vectorOf(gramsOnly, reading.text, new Map()));
    return {
      row,
      weighed: weigh(reader, { content: row.text, address: '' }),
      rulesOnly: { category: byRules(district, concepts, row.text) },
      modelOnly: { category: rankOf(plain)[0]?.category ?? 'other' },
    };
  });
};

/** Answers every row by the model of the folds that it is not in. `keyOf` puts variants of one sentence together. */
export const crossValidate = (
  district: District,
  concepts: Concepts,
  reads: readonly Read[],
  rows: readonly Row[],
  { version, seed }: { version: string; seed: number },
): HeldOut[] => {
  const categories = district.categories.map(({ id }) => id);
  return Array.from({ length: FOLDS }, (_, fold) => {
    const learnt = reads.filter(({ lesson }) => foldOf(lesson.key) !== fold);
    const held = rows.filter((row) => foldOf(row.text) === fold);
    const model = (parts: { grams: boolean; signals: boolean }): Model =>
      openModel(modelFrom(learnt, categories, { version, seed, parts }));
    return answersOf(district, concepts, held, {
      whole: model({ grams: true, signals: true }),
      gramsOnly: model({ grams: true, signals: false }),
    });
  }).flat();
};
