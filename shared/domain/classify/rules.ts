import * as z from 'zod';
import { comboSchema } from './category.ts';
import { riskRulesSchema } from './risk.ts';
import { urgencyRulesSchema } from './urgency.ts';

/** rules.json: combinations of words for categories, and the words of urgency and risk. A clerk may change it. */
export const rulesSchema = z.strictObject({
  version: z.string().min(1),
  note: z.string(),
  combos: z.array(comboSchema),
  urgency: urgencyRulesSchema,
  risk: riskRulesSchema,
});
/** The rules as parsed. */
export type Rules = z.output<typeof rulesSchema>;

/** codes.json: codes of the call centre's and the province's systems that all districts share; a district's own win. */
export const codesSchema = z.strictObject({
  note: z.string(),
  version: z.string().min(1),
  systems: z.record(z.string(), z.record(z.string(), z.string())),
});
