import * as z from 'zod';
import { instantSchema } from './incident.ts';
import { rungSchema } from './rung.ts';

/**
 * Kinds of trail lines (全程留痕): moves, notices, picks, breaches and non-events. A non-event is written too:
 * that nobody could be asked is as much a fact as that somebody was.
 */
export const LINE_KINDS = [
  'received',
  'report',
  'rejected',
  'classified',
  'triage',
  'triaged',
  'corrected',
  'danger-found',
  'repeated',
  'second-opinion',
  'related',
  'joined',
  'parted',
  'picked',
  'asked',
  'told',
  'skipped',
  'accepted',
  'helper',
  'declined',
  'departed',
  'contacted',
  'arrived',
  'reinforcement',
  'reinforced',
  'feedback',
  'closed',
  'revisited',
  'reopened',
  'reassigned',
  'paused',
  'resumed',
  'returned',
  'handed-back',
  'relayed',
  'revealed',
  'noted',
  'implied',
  'stand-down',
  'breach',
  'nag',
  'nags-over',
  'unanswered',
  'answered',
  'climb-over',
  'restarted',
  'unreached',
  'ringing',
  'reply',
  'caller-told',
  'notice',
] as const;
/** Kind of a trail line. */
export type LineKind = (typeof LINE_KINDS)[number];

/** One line of the trail before it is chained. `by`: member id, `desk`, `110` or `system`. */
export const lineSchema = z.object({
  at: instantSchema,
  kind: z.enum(LINE_KINDS),
  by: z.string(),
  onBehalf: z.string().optional(),
  rung: rungSchema.optional(),
  whom: z.string().optional(),
  /** Small facts without personal data. */
  facts: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
  /** Free words of people: sealed before they are stored; the chain covers the sealed form. */
  text: z.string().optional(),
});
/** One line of the trail before it is chained. */
export type Line = z.infer<typeof lineSchema>;

/** A line as stored: words sealed, chained to the line before it in the same chain. */
export const storedLineSchema = lineSchema.omit({ text: true }).extend({
  /** `main`, or the id of the notice whose attempts it tells. */
  chain: z.string(),
  seq: z.int().positive(),
  sealed: z.string().optional(),
  prev: z.string(),
  hash: z.string(),
});
/** A line as stored. */
export type StoredLine = z.infer<typeof storedLineSchema>;

/** Canonical text of what a line's hash covers: fixed key order, so that any copy can be checked by anybody. */
export const canonical = (incidentId: string, line: Omit<StoredLine, 'hash'>): string =>
  JSON.stringify([
    incidentId,
    line.chain,
    line.seq,
    line.prev,
    line.at,
    line.kind,
    line.by,
    line.onBehalf ?? null,
    line.rung ?? null,
    line.whom ?? null,
    line.facts ? Object.entries(line.facts).sort(([a], [b]) => (a < b ? -1 : 1)) : null,
    line.sealed ?? null,
  ]);
