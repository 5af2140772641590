import * as z from 'zod';

/** What happens with a matter: 警务 · 联合 · 非警务 · 咨询. */
export const dispositionSchema = z.enum(['police', 'joint', 'non-police', 'consult']);
/** 警务 · 联合 · 非警务 · 咨询. */
export type Disposition = z.infer<typeof dispositionSchema>;

/** How soon somebody has to be there, P1 (life at risk now) to P4 (routine). */
export const urgencySchema = z.enum(['P1', 'P2', 'P3', 'P4']);
/** P1 to P4. */
export type Urgency = z.infer<typeof urgencySchema>;

/** Why the classifier decided so: the rule, what it saw (offsets into the content) and a sentence for the desk. */
export const reasonSchema = z.object({
  rule: z.string(),
  sentence: z.string(),
  /** [start, end) offsets into the original content, in UTF-16 units; absent for rules that do not quote. */
  span: z.tuple([z.int(), z.int()]).optional(),
  /** Present when the words speak against what was decided: a danger word that is denied, a rival category. */
  against: z.literal(true).optional(),
});
/** One reason of a classification. */
export type Reason = z.infer<typeof reasonSchema>;

const shareSchema = z.number().min(0).max(1);

/**
 * How often a result that looks like this one was right on labelled texts, 0–1, two decimals. `p1` and `risk` are the
 * probabilities that the matter is P1, and that it can turn criminal, whatever was decided.
 */
export const confidenceSchema = z.object({
  category: shareSchema,
  disposition: shareSchema,
  p1: shareSchema,
  risk: shareSchema,
});
/** Calibrated confidence of a classification. */
export type Confidence = z.infer<typeof confidenceSchema>;

/** Which rule set, word list and model decided, so that a decision can be repeated years later. */
export const versionsSchema = z.object({ rules: z.string(), lexicon: z.string(), model: z.string() });
/** Versions behind a classification. */
export type Versions = z.infer<typeof versionsSchema>;

/**
 * What the incident is. `sure` false → joint, with the desk told. `danger` lists guard hits (weapon, injury …).
 * The defaults are for rows written before there was a confidence: they say that nothing is known.
 */
export const classificationSchema = z.object({
  category: z.string(),
  /** The next likely category; absent when no other one was in question. */
  runnerUp: z.string().optional(),
  disposition: dispositionSchema,
  urgency: urgencySchema,
  danger: z.array(z.string()),
  /** Dangerous whether or not the guard saw it: police work by its category, or so judged by a person. The row has to tell without the district. */
  grave: z.literal(true).optional(),
  line: z.string(),
  team: z.string(),
  sure: z.boolean(),
  /** 民转刑: a dispute between people who are tied to each other that can turn criminal. */
  risk: z.boolean().default(false),
  confidence: confidenceSchema.default({ category: 0, disposition: 0, p1: 0, risk: 0 }),
  versions: versionsSchema.default({ rules: 'none', lexicon: 'none', model: 'none' }),
});
/** What the incident is. Reasons are kept apart, in a sibling item, because the incident row stays small. */
export type Classification = z.infer<typeof classificationSchema>;

/** Dangerous by what a person says of it: police work, or joint and urgent. */
export const isJudgedDangerous = ({
  disposition,
  urgency,
}: Pick<Classification, 'disposition'> & Partial<Classification>): boolean =>
  disposition === 'police' || (disposition === 'joint' && (urgency === 'P1' || urgency === 'P2'));

/** Dangerous, by the signs in the words or by what the matter is. */
export const isDangerous = ({ danger, grave }: Pick<Classification, 'danger' | 'grave'>): boolean =>
  danger.length > 0 || grave === true;
