import type { Classification, Reason } from './classification.ts';

/** Probability of P1 from which an unclear matter does not wait: one in seven may be life at risk. */
const POSSIBLE_P1 = 0.15;

/**
 * May this matter wait some seconds for the desk? Only what is not clear, and only as long as nothing speaks of danger: a
 * danger sign, even one that was taken back ("没有刀"), and whatever may be P1 or P2 goes out at once by its default, and
 * the desk corrects it afterwards.
 */
export const mayWait = (
  { sure, disposition, urgency, danger, confidence }: Classification,
  reasons: readonly Pick<Reason, 'rule'>[],
): boolean =>
  !sure &&
  disposition !== 'police' &&
  urgency !== 'P1' &&
  urgency !== 'P2' &&
  confidence.p1 < POSSIBLE_P1 &&
  danger.length === 0 &&
  !reasons.some(({ rule }) => rule.startsWith('danger:'));
