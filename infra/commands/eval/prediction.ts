import type { District } from '#shared/domain/district.ts';
import { classify } from '#shared/domain/classify.ts';
import type { Classification, Disposition, Reason } from '#shared/domain/classification.ts';

/** What a classifier says about a text, as far as it is measured. */
export interface Prediction {
  category: string;
  disposition: Disposition;
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

/**
 * What was classified, as the desk's clock runs it: an abstention counts with its safe default, which is joint unless
 * the police were named.
 */
export const predictionOf = ({
  classification: { category, disposition, urgency, risk, sure, confidence },
  reasons,
}: {
  classification: Classification;
  reasons: readonly Reason[];
}): Prediction => ({
  category,
  disposition: sure || disposition === 'police' ? disposition : 'joint',
  urgency,
  risk,
  triage: !sure,
  confidence,
  reasons,
});

/** Our classifier. @see predictionOf */
export const ours =
  (district: District): Classifier =>
  (text) =>
    predictionOf(classify(district, { content: text, address: '' }));
