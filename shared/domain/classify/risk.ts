import * as z from 'zod';
import { placesOf, wordsSchema, type Place } from './words.ts';

/** rules.json `risk`: what ties two parties, and what shows that it can come to blows. */
export const riskRulesSchema = z.strictObject({
  /** Words for people who know each other or are bound by a dispute. */
  ties: wordsSchema,
  /** Categories whose parties are bound anyway. */
  bound: wordsSchema,
  triggers: wordsSchema,
  /** Danger signs that are triggers. */
  kinds: wordsSchema,
  /** A plain complaint to government is no quarrel between two parties. */
  never: wordsSchema,
});
/** The words of risk. */
export type RiskRules = z.output<typeof riskRulesSchema>;

/** What was found: `points` 0–4 is what the calibration reads. */
export type Risk = { risk: boolean; points: 0 | 1 | 2 | 3 | 4; tie?: Place; trigger?: Place };

/**
 * Whether a civil dispute can turn criminal (民转刑): people who are tied to each other, and violence, threats, damage,
 * drink, a crowd or self-help between them. Strangers and complaints about an office are none.
 */
export const riskOf = (
  rules: RiskRules,
  text: string,
  matter: { category: string; consult: boolean; dangers: readonly string[] },
): Risk => {
  const bound = rules.bound.includes(matter.category);
  const ties = placesOf(text, rules.ties);
  const triggers = placesOf(text, rules.triggers);
  const kind = matter.dangers.some((d) => rules.kinds.includes(d));
  const [tie] = ties;
  const [trigger] = triggers;
  const tied = bound || tie !== undefined;
  const violent = kind || trigger !== undefined;
  const complaint = placesOf(text, rules.never).length > 0;
  const risk = tied && violent && !matter.consult && !complaint;
  const points =
    !tied || !violent ? 0 : !risk ? 1 : kind && trigger && (bound || ties.length > 1) ? 4 : kind ? 3 : 2;
  return { risk, points, ...(tie ? { tie } : {}), ...(trigger ? { trigger } : {}) };
};
