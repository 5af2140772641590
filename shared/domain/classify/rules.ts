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
  /** What a caller says before anything is said (喂, 请问, 听得到吗): alone it asks nothing. */
  greetings: wordsSchema,
  /** Longest text that is read so, in characters: whoever writes more tells a story. */
  longest: z.int().positive(),
  points: z.number().positive(),
});

/** Different Chinese characters, beside greetings, that a question has at least: 喂？, numbers and other languages ask nothing here. */
const SHORTEST = 5;

/** How many different Chinese characters a text has beside its greetings; only short texts are asked about. */
const substance = (rules: Rules['consult'], text: string): number => {
  let rest = text;
  for (const greeting of rules.greetings) rest = rest.replaceAll(greeting, '\n');
  return new Set(rest.match(/\p{Script=Han}/gu)).size;
};

/** Whether a text says nothing in Chinese beside greetings: not even two different characters. */
export const isHollow = (rules: Rules['consult'], text: string): boolean =>
  text.length <= rules.longest && substance(rules, text) < 2;

/** Where a text shows that it only asks what the rules say; undefined when it tells of somebody. */
export const abstractQuestion = (rules: Rules['consult'], text: string): Place | undefined =>
  text.length > rules.longest || placesOf(text, rules.people).length > 0 || substance(rules, text) < SHORTEST
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
