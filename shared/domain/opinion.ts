import * as z from 'zod';
import { urgencySchema, type Urgency } from './classification.ts';
import { draft, notify, write, type Change } from './draft.ts';
import type { Hands } from './hands.ts';
import { OVER, isUnclassified, type Incident, type Instant } from './incident.ts';

/** Longest reason of an opinion, in UTF-16 units: a line on a page. */
export const LONGEST_REASON = 60;

/**
 * What a second opinion may say, and nothing else: one of our categories, one of four urgencies, a short reason. Whatever
 * a caller's words made a model write beside it does not parse.
 */
export const opinionSchema = z.strictObject({
  category: z.string().regex(/^[a-z][a-z0-9_]{0,47}$/),
  urgency: urgencySchema,
  reason: z.string().min(1).max(LONGEST_REASON),
});
/** A second opinion. */
export type Opinion = z.infer<typeof opinionSchema>;

/** Is `a` more urgent than `b`? P1 is the most urgent. */
const isMoreUrgent = (a: Urgency, b: Urgency): boolean => a < b;

/**
 * What a second opinion does: it may raise the urgency, and propose another category to the desk. It never lowers
 * anything, never changes who goes or by when, and is heard once. The desk is rung only when life may be at risk.
 * Undefined when there is nothing to change.
 */
export const hearOpinion = (
  incident: Incident,
  { category, urgency, reason }: Opinion,
  hands: Hands,
  now: Instant,
): Change | undefined => {
  const { classification } = incident;
  if (!classification || isUnclassified(incident) || OVER.has(incident.state) || incident.opinion)
    return undefined;
  const raised = isMoreUrgent(urgency, classification.urgency);
  const other = category !== classification.category;
  if (!raised && !other) return undefined;
  const d = draft(incident, hands, now);
  const was = classification.urgency;
  d.incident.opinion = { ...(raised ? { urgency } : {}), ...(other ? { category } : {}) };
  if (raised && d.incident.classification) d.incident.classification.urgency = urgency;
  write(d, {
    kind: 'second-opinion',
    by: 'system',
    facts: { ...(raised ? { urgency, was } : {}), ...(other ? { category } : {}) },
    text: reason,
  });
  const [duty] = hands.duty;
  if (raised && (urgency === 'P1' || urgency === 'P2') && duty)
    notify(d, duty.id, 'desk', undefined, 'opinion');
  d.incident.version += 1;
  return { incident: d.incident, lines: d.lines, notices: d.notices };
};
