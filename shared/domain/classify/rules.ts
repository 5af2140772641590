import * as z from 'zod';
import { comboSchema } from './category.ts';
import { riskRulesSchema } from './risk.ts';
import { urgencyRulesSchema } from './urgency.ts';
import { placesOf, wordsSchema, type Place } from './words.ts';

/** rules.json `consult`: a short question in which nobody real does anything is a question about rules. */
const consultRulesSchema = z.strictObject({
  questions: wordsSchema,
  /** Words of somebody to whom something happens, or who wants something done. */
  people: wordsSchema,
  /** Longest text that is read so, in characters: whoever writes more tells a story. */
  longest: z.int().positive(),
  points: z.number().positive(),
});

/** A greeting asks nothing (喂？). */
const SHORTEST = 6;

/** Where a text shows that it only asks what the rules say; undefined when it tells of somebody. */
export const abstractQuestion = (rules: Rules['consult'], text: string): Place | undefined =>
  text.length < SHORTEST || text.length > rules.longest || placesOf(text, rules.people).length > 0
    ? undefined
    : placesOf(text, rules.questions)[0];

/** rules.json: combinations of words for categories, and the words of urgency and risk. A clerk may change it. */
export const rulesSchema = z.strictObject({
  version: z.string().min(1),
  note: z.string(),
  combos: z.array(comboSchema),
  consult: consultRulesSchema,
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
