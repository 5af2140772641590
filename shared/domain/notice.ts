import * as z from 'zod';
import { instantSchema } from './incident.ts';
import { rungSchema } from './rung.ts';
import { DESK_NOTES, noticeKindSchema, type NoticeKind } from './texts.ts';

/** Kinds that ask somebody to act; moot as soon as the incident is over. */
export const ASKING_KINDS: ReadonlySet<NoticeKind> = new Set([
  'ask',
  'ask-secret',
  'reinforce',
  'reopened',
  'nag',
]);

/** One message to one person. Holds no caller's data: the text is made from it when it is sent. */
export const noticeSchema = z.object({
  /** Unique within its owner. */
  id: z.string(),
  to: z.string(),
  kind: noticeKindSchema,
  rung: rungSchema.optional(),
  /** What a `desk` notice is about. */
  note: z.enum(DESK_NOTES).optional(),
  at: instantSchema,
  round: z.int().positive(),
});
/** One message to one person. */
export type Notice = z.infer<typeof noticeSchema>;

/** Where an attempt to deliver stands. `sending` is written before the vendor is called. */
export const ATTEMPT_STATES = [
  'pending',
  'sending',
  'sent',
  'delivered',
  'failed-temporary',
  'failed-permanent',
  'suppressed',
  'unknown',
] as const;
/** Where an attempt to deliver stands. */
export type AttemptState = (typeof ATTEMPT_STATES)[number];
