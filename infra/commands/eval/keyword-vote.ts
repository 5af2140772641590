import * as z from 'zod';
import type { Classifier } from './prediction.ts';
import { dispositionSchema } from '#shared/domain/classification.ts';

/** A category as far as the naive vote reads it. */
export const votedSchema = z.object({
  id: z.string(),
  disposition: dispositionSchema,
  urgency: z.string(),
  keywords: z.array(z.string()),
});
/** A category as far as the naive vote reads it. */
export type Voted = z.infer<typeof votedSchema>;

/** How the vote decides between equals; printed beside its figures. */
export const TIE_BREAK =
  'most different keywords found; of equals the one that stands first in the list; none found: other';

/**
 * The baseline that anybody writes in ten minutes: every keyword found is a vote for its category, whose default
 * disposition and urgency follow. Nothing is masked, negated or asked of the desk.
 */
export const keywordVote =
  (categories: readonly Voted[]): Classifier =>
  (text) => {
    const none = categories.find(({ id }) => id === 'other') ?? categories[0];
    if (!none) throw new Error('a vote needs categories');
    let best = none;
    let most = 0;
    for (const category of categories) {
      const votes = category.keywords.filter((word) => text.includes(word)).length;
      if (votes > most) [best, most] = [category, votes];
    }
    return {
      category: best.id,
      disposition: best.disposition,
      urgency: best.urgency,
      risk: false,
      triage: false,
      // A vote knows no probability; a flat one keeps it out of the way of the Brier score's reader.
      confidence: { category: 0.5, disposition: 0.5, p1: best.urgency === 'P1' ? 0.5 : 0, risk: 0 },
      reasons: [],
    };
  };
