import type { District } from '#shared/domain/district.ts';
import { classify } from '#shared/domain/classify.ts';
import { dispositionSchema, type Reason } from '#shared/domain/classification.ts';
import * as z from 'zod';

/** What a classifier says about a text, as far as it is measured. */
export interface Prediction {
  category: string;
  disposition: z.infer<typeof dispositionSchema>;
  urgency: string;
  risk: boolean;
  /** The desk is asked; the values beside it are what happens when the desk does not answer. */
  triage: boolean;
  /** Probability, as the classifier sees it, that its category and its disposition are right, that it is P1, a risk. */
  confidence: { category: number; disposition: number; p1: number; risk: number };
  reasons: readonly Reason[];
}

/** Anything that reads a text and answers. */
export type Classifier = (text: string) => Prediction;

// Fields that a classifier may not have yet are given a plain default: measuring must not wait for them.
const answerSchema = z.object({
  category: z.string(),
  disposition: dispositionSchema,
  urgency: z.string(),
  sure: z.boolean(),
  risk: z.boolean().default(false),
  confidence: z
    .object({ category: z.number(), disposition: z.number(), p1: z.number(), risk: z.number() })
    .optional(),
});

/**
 * Our classifier as the desk's clock runs it: an abstention counts with its safe default, which is joint unless the
 * police were named. Without calibrated confidence 0.9 stands for sure and 0.5 for unsure.
 */
export const ours =
  (district: District): Classifier =>
  (text) => {
    const { classification, reasons } = classify(district, { content: text, address: '' });
    const answer = answerSchema.parse(classification);
    const half = answer.sure ? 0.9 : 0.5;
    return {
      category: answer.category,
      disposition: answer.sure || answer.disposition === 'police' ? answer.disposition : 'joint',
      urgency: answer.urgency,
      risk: answer.risk,
      triage: !answer.sure,
      confidence: answer.confidence ?? {
        category: half,
        disposition: half,
        p1: answer.urgency === 'P1' ? 0.9 : 0.1,
        risk: answer.risk ? 0.9 : 0.1,
      },
      reasons,
    };
  };
