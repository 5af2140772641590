import * as z from 'zod';
import { wordsSchema } from './words.ts';

/** rules.json `risk`: what ties two parties, and what shows that it can come to blows. */
export const riskRulesSchema = z.strictObject({
  /** Words for people who know each other or are bound by a dispute. */
  ties: wordsSchema,
  triggers: wordsSchema,
  /** A plain complaint to government is no quarrel between two parties. */
  never: wordsSchema,
});
/** The words of risk. */
export type RiskRules = z.output<typeof riskRulesSchema>;
