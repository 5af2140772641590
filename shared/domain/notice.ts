import * as z from 'zod';
import { REFUSAL_CAUSES, channelSchema, vendorSchema } from './channel.ts';
import { instantSchema } from './incident.ts';
import { rungSchema } from './rung.ts';
import { ANSWERS, CALLER_KINDS, DESK_NOTES, noticeKindSchema, type NoticeKind } from './notice-kind.ts';

/** Kinds that ask a person for the first time; each has the accept limit for his answer. */
export const FIRST_ASKS: ReadonlySet<NoticeKind> = new Set(['ask', 'ask-secret', 'reinforce', 'reopened']);

/** Kinds whose delivery only an action ends: a receipt proves that a phone lit up, not that somebody comes. */
export const INSISTENT: ReadonlySet<NoticeKind> = new Set([...FIRST_ASKS, 'nag', 'returned', 'handback']);

/** What has no point without its own words: a code to type, codes to choose from, what a stranger is told, a self-check. */
const OWN_WORDS: ReadonlySet<NoticeKind> = new Set(['pin', 'choose', ...CALLER_KINDS, 'canary']);

/**
 * The generic words that stand in for those of a kind when a vendor refuses them: nobody but who is asked is told that he has a new task.
 * Undefined: there are none, and another vendor gets the words as they are.
 */
export const genericOf = (kind: NoticeKind): 'plain' | 'news' | undefined => {
  if (FIRST_ASKS.has(kind)) return 'plain';
  return OWN_WORDS.has(kind) ? undefined : 'news';
};

/**
 * Keep their words whatever the matter: whoever has the desk or leads must telephone, and needs the number for it; who has texted must know
 * whether it counted.
 */
const NEEDED_WORDS: ReadonlySet<NoticeKind> = new Set([
  'climb',
  'nag',
  'returned',
  'handback',
  'desk',
  'answer-secret',
]);

/**
 * Whose words a notice of a secret or dangerous matter is written in. A member reads that there is a new task and how to answer, that
 * there is news of one, or whether his answer counted, and nothing else; when he was asked stands for the number.
 */
export const discreetOf = (kind: NoticeKind): NoticeKind => {
  if (FIRST_ASKS.has(kind)) return 'ask-secret';
  if (kind === 'answer') return 'answer-secret';
  return NEEDED_WORDS.has(kind) ? kind : (genericOf(kind) ?? kind);
};

/** Two ways to a phone: what somebody waits for, and what is good to know. Nothing of the second delays the first. */
export const LANES = ['alerts', 'chatter'] as const;
/** A notice's lane. */
export type Lane = (typeof LANES)[number];

/** Which lane a kind goes; complete at compile time. An alert somebody waits for with a clock running; chatter can wait for the morning. */
const LANE_OF: Record<NoticeKind, Lane> = {
  ask: 'alerts',
  'ask-secret': 'alerts',
  reinforce: 'alerts',
  reopened: 'alerts',
  nag: 'alerts',
  returned: 'alerts',
  handback: 'alerts',
  desk: 'alerts',
  // A rung is overdue: late, but its clock still runs.
  told: 'alerts',
  climb: 'alerts',
  // Danger may have changed: who is on the way must know before he arrives.
  changed: 'alerts',
  'stand-down': 'chatter',
  reassigned: 'chatter',
  // Stand in for whatever was refused; the notice keeps its own kind.
  plain: 'alerts',
  news: 'alerts',
  // Somebody has just texted or tapped and waits for it.
  choose: 'alerts',
  answer: 'alerts',
  'answer-secret': 'alerts',
  pin: 'alerts',
  // Good to know, and the first that a day's soft cap stops; quiet hours are the members' and do not hold here.
  'caller-accepted': 'chatter',
  'caller-coming': 'chatter',
  'caller-result': 'chatter',
  summary: 'chatter',
  drill: 'chatter',
  canary: 'chatter',
};
/** The lane of a kind of notice. */
export const laneOf = (kind: NoticeKind): Lane => LANE_OF[kind];

/** One line of a list to choose from: a task (`taskName`), the code to text back, and what it does, if not accept. */
export const choiceSchema = z.object({
  number: z.string(),
  code: z.string(),
  action: z.enum(['arrive', 'close']).optional(),
});
/** One line of a list to choose from. */
export type Choice = z.infer<typeof choiceSchema>;

/** One message to one person. Holds no caller's data: the text is made from it when it is sent. */
export const noticeSchema = z.object({
  /** Unique within its owner. */
  id: z.string(),
  to: z.string(),
  kind: noticeKindSchema,
  rung: rungSchema.optional(),
  /** What a `desk` notice is about. */
  note: z.enum(DESK_NOTES).optional(),
  /** Whom a `desk` notice that belongs to no incident is about: his id in the roster. */
  about: z.string().optional(),
  /** What an `answer` says. */
  answer: z.enum(ANSWERS).optional(),
  /** What a `choose` lists; of an `answer` that asks for words, the code that goes with them. */
  list: z.array(choiceSchema).optional(),
  /** To a caller: the desk let this one message go, whatever stands against it. */
  released: z.boolean().optional(),
  at: instantSchema,
  round: z.int().positive(),
});
/** One message to one person. */
export type Notice = z.infer<typeof noticeSchema>;

/**
 * Where a notice or one attempt to deliver it stands.
 * pending not begun · sending written before the vendor is called · sent taken by the vendor · delivered on the phone · read opened ·
 * failed-temporary may pass · failed-permanent will not · bundled told by a newer one · suppressed helps nobody, or would break silence ·
 * unknown no answer, and the vendor could not be asked · expired its time was over · cancelled an action ended it under way.
 */
export const ATTEMPT_STATES = [
  'pending',
  'sending',
  'sent',
  'delivered',
  'read',
  'failed-temporary',
  'failed-permanent',
  'bundled',
  'suppressed',
  'unknown',
  'expired',
  'cancelled',
] as const;
/** Where a notice or one attempt stands. */
export type AttemptState = (typeof ATTEMPT_STATES)[number];

/** States of one call of one vendor. */
const CALL_STATES = [
  'sending',
  'sent',
  'delivered',
  'read',
  'failed-temporary',
  'failed-permanent',
  'unknown',
] as const;

/** One attempt: one call of one vendor for one notice. */
export const attemptSchema = z.object({
  /** Ours; the vendor gets it veiled. */
  id: z.string(),
  /** Counts from 1 within the notice. */
  n: z.int().positive(),
  channel: channelSchema,
  vendor: vendorSchema,
  state: z.enum(CALL_STATES),
  /** When the vendor was called. */
  at: instantSchema,
  /** When the state was reached. */
  seen: instantSchema,
  /** The vendor's id, once it gave one. */
  vendorId: z.string().optional(),
  /** The vendor's or carrier's code of a failure. */
  code: z.string().optional(),
  cause: z.enum(REFUSAL_CAUSES).optional(),
  /** How often the vendor was asked what became of it. */
  asked: z.int().nonnegative(),
  /** The vendor stated that it never got it: sending again makes no double. */
  never: z.boolean().optional(),
  /** The vendor cannot tell what became of it, now or ever: nobody asks again. */
  mute: z.boolean().optional(),
  /** In the generic words, because the vendor refused the first ones. */
  generic: z.boolean().optional(),
  /** What it cost, 1/1000 CNY. */
  milli: z.int().nonnegative(),
});
/** One attempt: one call of one vendor for one notice. */
export type Attempt = z.infer<typeof attemptSchema>;
