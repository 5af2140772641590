import * as z from 'zod';

/**
 * Why somebody gets a text.
 * ask 派单 · ask-secret the same for secret or dangerous matters (no place) · reinforce asked to come as well · stand-down the lead was found ·
 * told the responsible member: your rung is overdue · climb leader, duty officer, street leader: a rung is overdue · nag nobody has accepted yet ·
 * reassigned somebody else was asked instead of him · returned duty: hand this back to 110 · handback street leader: nobody handed it back ·
 * desk a note to the duty officer · changed address or danger changed · reopened the former lead is asked again ·
 * plain what is left of an ask whose words were refused · news the same of anything else · choose which of several tasks did you mean · answer what came of a text back ·
 * answer-secret the same for secret or dangerous matters · pin a link is opened on a second device · caller-accepted, caller-coming, caller-result to whoever had called ·
 * summary what quiet hours held back, in one · drill can you be reached? · canary does this vendor still work?
 */
export const NOTICE_KINDS = [
  'ask',
  'ask-secret',
  'reinforce',
  'stand-down',
  'told',
  'climb',
  'nag',
  'reassigned',
  'returned',
  'handback',
  'desk',
  'changed',
  'reopened',
  'plain',
  'news',
  'choose',
  'answer',
  'answer-secret',
  'pin',
  'caller-accepted',
  'caller-coming',
  'caller-result',
  'summary',
  'drill',
  'canary',
] as const;
/** Why somebody gets a text. */
export type NoticeKind = (typeof NOTICE_KINDS)[number];
/** Parses a notice kind. */
export const noticeKindSchema = z.enum(NOTICE_KINDS);

/** The kinds that go to whoever has called, in the order in which things happen. */
export const CALLER_KINDS: ReadonlySet<NoticeKind> = new Set([
  'caller-accepted',
  'caller-coming',
  'caller-result',
]);

/** What a `desk` text can be about; a closed set, so that nothing a caller wrote gets into a text. */
export const DESK_NOTES = [
  'rejected',
  'unanswered',
  'unsure',
  'untriaged',
  'danger-found',
  'unsent',
  'stuck',
  'nags-spent',
  'feeder-silent',
  'phone-110',
  'decline',
  'frequent',
  'opinion',
  'sms-stopped',
  'unpaid',
  'caller-unsatisfied',
  'other',
] as const;
/** What a `desk` text is about. */
export type DeskNote = (typeof DESK_NOTES)[number];

/** What somebody is told who has texted back; a closed set, worded by the district. */
export const ANSWERS = [
  'lead',
  'helper',
  'declined',
  'arrived',
  'closed',
  'no-words',
  'not-there',
  'done',
  'gone',
  'over',
  'late',
  'refused',
] as const;
/** What somebody is told who has texted back. */
export type Answer = (typeof ANSWERS)[number];
