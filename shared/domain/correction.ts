import * as z from 'zod';
import { classificationSchema } from './classification.ts';
import { instantSchema } from './incident.ts';

const judgedSchema = classificationSchema.pick({ category: true, disposition: true, urgency: true });
type Judged = z.infer<typeof judgedSchema>;

/** A person said that an incident is something else than what stood there. Kept to learn from; names nobody. */
export const correctionSchema = z.object({
  incidentId: z.string(),
  at: instantSchema,
  /** In triage, before anybody was asked, or afterwards. */
  stage: z.enum(['triage', 'after']),
  /** What was told, masked. */
  text: z.string(),
  was: judgedSchema,
  is: judgedSchema,
  by: z.string(),
  /** The person's reason, masked. */
  why: z.string(),
  /** What decides: words that the machine's evidence quoted, masked, and keywords of the new category that were told. */
  words: z.array(z.string()),
});
/** A person said that an incident is something else than what stood there. */
export type Correction = z.infer<typeof correctionSchema>;

/** What people agree on: the same change, decided by the same word. */
export interface Pattern {
  was: Pick<Judged, 'category' | 'disposition'>;
  is: Pick<Judged, 'category' | 'disposition'>;
  word: string;
  corrections: Correction[];
  /** Staff ids, in order of the alphabet: the table hands corrections out in no order of its own. */
  people: string[];
}

/** The desk's shared id is nobody in particular: it never makes a second person. */
const SHARED = 'desk';

/**
 * Corrections by pattern: one for every word that had decided, so that two corrections agree as soon as they share one.
 * A pattern may be learnt from when two different people stand behind it; what only one says may be his habit, and what no
 * word decided is no pattern.
 */
export const patternsOf = (
  corrections: readonly Correction[],
): { agreed: Pattern[]; lone: { patterns: number; corrections: number } } => {
  const patterns = new Map<string, Pattern>();
  for (const correction of corrections)
    for (const word of correction.words) {
      const { was, is, by } = correction;
      const key = JSON.stringify([was.category, was.disposition, is.category, is.disposition, word]);
      const pattern = patterns.get(key) ?? {
        was: { category: was.category, disposition: was.disposition },
        is: { category: is.category, disposition: is.disposition },
        word,
        corrections: [],
        people: [],
      };
      patterns.set(key, pattern);
      pattern.corrections.push(correction);
      if (by !== SHARED && !pattern.people.includes(by)) pattern.people = [...pattern.people, by].toSorted();
    }
  const all = [...patterns.values()];
  const agreed = all.filter(({ people }) => people.length >= 2);
  const learnt = new Set(agreed.flatMap((pattern) => pattern.corrections));
  return {
    agreed,
    lone: {
      patterns: all.length - agreed.length,
      corrections: corrections.filter((correction) => !learnt.has(correction)).length,
    },
  };
};
