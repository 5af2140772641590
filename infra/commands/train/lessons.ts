import * as z from 'zod';
import type { Danger } from '#shared/domain/classify/guard.ts';
import type { HeadName } from '#shared/domain/classify/model.ts';
import type { Row } from '../eval/rows.ts';
import type { Call } from './calls.ts';

/** A text the model learns from: how much each label is right, for the questions that are answered about it. */
export type Lesson = {
  text: string;
  /** What puts variants of one sentence into the same fold: usually the text. */
  key: string;
  style: string;
  /** Where it comes from: the file's name without its ending. */
  source: string;
  weight: number;
  /** The labelled text that it was made from, when it can be measured as well. */
  row?: Row;
  is: Partial<Record<HeadName, Readonly<Record<string, number>>>>;
};

/** Share of a label that a careful reader could defend as well, all such labels together. */
const ALSO = 0.3;
/** Templates say the same four times, abstract questions a thousand times; neither may outweigh a text of its own. */
export const WEIGHTS = { row: 1, call: 0.7, statute: 0.1, pair: 0.5 } as const;

/** Texts as they reach an office are half letters; of questions we have five times as many. */
const STYLE_WEIGHTS: Readonly<Record<string, number>> = { letter: 1.6, headline: 1.6, question: 0.7 };

/** A labelled text as a lesson. */
export const lessonOf = (
  row: Row,
  source: string,
  weight: number = WEIGHTS.row * (STYLE_WEIGHTS[row.style] ?? 1),
): Lesson => {
  const also = row.alsoOk.slice(0, 2);
  return {
    text: row.text,
    key: row.text,
    row,
    style: row.style,
    source,
    weight,
    is: {
      category: {
        [row.category]: also.length > 0 ? 1 - ALSO : 1,
        ...Object.fromEntries(also.map((category) => [category, ALSO / also.length])),
      },
      disposition: { [row.disposition]: 1 },
      urgency: { [row.urgency]: 1 },
      risk: { [row.risk ? 'yes' : 'no']: 1 },
    },
  };
};

/** One of our calls that were made from slots. */
export const lessonOfCall = (call: Call): Lesson => ({
  ...lessonOf(
    { ...call, line: 0, alsoOk: [], risk: call.escalation_risk, style: 'call_report' },
    'calls',
    WEIGHTS.call,
  ),
  key: call.seed,
});

const pairSchema = z.object({
  danger: z.string(),
  harmless: z.string(),
  phenomenon: z.string(),
  kind: z.string(),
  goes: z.enum(['police', 'joint']),
});

/** What a harmless text of a pair is: advice or a matter for civilians, nobody said which. */
const HARMLESS = { 'non-police': 0.7, consult: 0.3 };

/** The minimal pairs: who goes is known of both texts, the category of the first where its sign names one. */
export const lessonsOfPairs = (content: string, signs: Danger): Lesson[] =>
  content
    .trim()
    .split('\n')
    .flatMap((line) => {
      const { danger, harmless, phenomenon, kind, goes } = pairSchema.parse(JSON.parse(line));
      const category = signs.guards.find(({ id }) => id === kind)?.category;
      const lesson = (text: string, is: Lesson['is']): Lesson => ({
        text,
        key: danger,
        style: 'call_report',
        source: 'danger-pairs',
        weight: WEIGHTS.pair,
        is,
      });
      const calm =
        phenomenon === 'past' ? { [goes]: 1 } : phenomenon === 'handled' ? { consult: 1 } : HARMLESS;
      return [
        lesson(danger, { disposition: { [goes]: 1 }, ...(category ? { category: { [category]: 1 } } : {}) }),
        lesson(harmless, { disposition: calm }),
      ];
    });

const labelSchema = z.object({
  id: z.string(),
  disposition: z.enum(['police', 'joint', 'non-police', 'consult']),
  category: z.string(),
  also_ok: z.array(z.string()).default([]),
  urgency: z.enum(['P1', 'P2', 'P3', 'P4']),
  escalation_risk: z.boolean(),
});

const linesOf = (content: string): unknown[] =>
  content
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line): unknown => JSON.parse(line));

const textSchema = z.object({ id: z.string(), text: z.string() });

/** Labels that are kept without their texts, with the texts from the data folder; labels without a text are left out. */
export const lessonsOfLabels = (labels: string, texts: string, source: string): Lesson[] => {
  const textOf = new Map(
    linesOf(texts)
      .map((line) => textSchema.parse(line))
      .map(({ id, text }) => [id, text]),
  );
  return linesOf(labels).flatMap((line, i) => {
    const { also_ok: alsoOk, escalation_risk: risk, ...label } = labelSchema.parse(line);
    const text = textOf.get(label.id);
    return text === undefined
      ? []
      : [lessonOf({ ...label, text, line: i + 1, alsoOk, risk, style: 'question' }, source)];
  });
};

/** Abstract questions about the law: advice, all of them. */
export const lessonsOfStatutes = (texts: string): Lesson[] =>
  linesOf(texts).map((line, i) => {
    const { id, text } = textSchema.parse(line);
    return lessonOf(
      {
        id,
        text,
        line: i + 1,
        disposition: 'consult',
        category: 'consult',
        alsoOk: [],
        urgency: 'P4',
        risk: false,
        style: 'question',
      },
      'statute-questions',
      WEIGHTS.statute,
    );
  });
