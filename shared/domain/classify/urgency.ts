import * as z from 'zod';
import { placesOf, wordsSchema } from './words.ts';

/** rules.json `urgency`: words that make a matter more or less pressing. */
export const urgencyRulesSchema = z.strictObject({
  /** It happens now. */
  now: wordsSchema,
  /** It has just happened. */
  recent: wordsSchema,
  /** It is long over. */
  long: wordsSchema,
  /** Somebody asks about it rather than calls for help. */
  asking: wordsSchema,
  /** Somebody asks what law and insurance make of it: the fight is over. */
  advice: wordsSchema,
  /** Something that is no crime is hurting people, or can at any time. */
  harming: wordsSchema,
  /** Somebody should come and look today. */
  visit: wordsSchema,
  /** A wish or a complaint about how things are. */
  routine: wordsSchema,
});
/** The words of urgency. */
export type UrgencyRules = z.output<typeof urgencyRulesSchema>;

/** Whether somebody asks about a matter, and nothing says that it happens now. */
export const isAsked = ({ now, asking }: UrgencyRules, text: string): boolean =>
  placesOf(text, now).length === 0 && (text.includes('?') || placesOf(text, asking).length > 0);
