import * as z from 'zod';

/** What happens with a matter: 警务 · 联合 · 非警务 · 咨询. */
export const dispositionSchema = z.enum(['police', 'joint', 'non-police', 'consult']);
/** 警务 · 联合 · 非警务 · 咨询. */
export type Disposition = z.infer<typeof dispositionSchema>;

/** Why the classifier decided so: the rule, what it saw (offsets into the content) and a sentence for the desk. */
export const reasonSchema = z.object({
  rule: z.string(),
  sentence: z.string(),
  /** [start, end) offsets into the original content, in UTF-16 units; absent for rules that do not quote. */
  span: z.tuple([z.int(), z.int()]).optional(),
});
/** One reason of a classification. */
export type Reason = z.infer<typeof reasonSchema>;

/** What the incident is. `sure` false → joint, with the desk told. `danger` lists guard hits (weapon, injury …). */
export const classificationSchema = z.object({
  category: z.string(),
  disposition: dispositionSchema,
  urgency: z.enum(['P1', 'P2', 'P3', 'P4']),
  danger: z.array(z.string()),
  line: z.string(),
  team: z.string(),
  sure: z.boolean(),
});
/** What the incident is. Reasons are kept apart, in a sibling item, because the incident row stays small. */
export type Classification = z.infer<typeof classificationSchema>;
