import * as z from 'zod';
import { channelSchema, vendorSchema, type Channel, type Vendor } from './channel.ts';
import { instantSchema, type Instant } from './incident.ts';
import { attemptSchema, type Attempt, type AttemptState, type Notice } from './notice.ts';
import { BEIJING_OFFSET, minuteOfDay, onShift, type Member, type Shift } from './roster.ts';

/** When a district tries out whether its people can be reached (通讯演练): data of its policy. */
export const drillPolicySchema = z.strictObject({
  /** Days of the week, 1 Monday to 7 Sunday, district time. */
  days: z.array(z.int().min(1).max(7)).nonempty(),
  /** Minute of the day at which it begins, district time. */
  at: z.int().min(0).max(1439),
  /** Seconds within which people answer. */
  window: z.int().min(60).max(3_600).default(600),
});
/** When a district tries out whether its people can be reached. */
export type DrillPolicy = z.infer<typeof drillPolicySchema>;

/** The ways in which somebody can answer. */
const OVER = ['text', 'keys', 'page'] as const;
/** A drill: who was tried, and who has answered. */
export const drillSchema = z.object({
  id: z.string().regex(/^\d{8}T\d{4}$/, 'a drill is named by day and minute, such as 20260304T0900'),
  startedAt: instantSchema,
  /** Answers count until then. */
  until: instantSchema,
  members: z.array(z.string()),
  answers: z.record(z.string(), z.object({ at: instantSchema, over: z.enum(OVER) })),
});
/** A drill: who was tried, and who has answered. */
export type Drill = z.infer<typeof drillSchema>;
/** How somebody has answered. */
export type AnsweredOver = (typeof OVER)[number];

/** A beat that comes late still begins the drill of its minute; one that comes later than this lets it be. Minutes. */
const LATE_MINUTES = 10;
/** Seconds after which a notice of a drill is not sent any more: late it would only disturb. */
export const DRILL_EXPIRES = 300;

const local = (at: Instant): Date => new Date(at + BEIJING_OFFSET * 60_000);

/** The name of a drill that begins at an instant: local day and minute. */
export const drillIdAt = (at: Instant): string => local(at).toISOString().slice(0, 16).replace(/[-:]/g, '');

/** The scheduled drill that has to run now, if any. Its name is the scheduled minute, so that it runs once. */
export const drillDue = (policy: DrillPolicy | undefined, now: Instant): string | undefined => {
  if (!policy) return undefined;
  const late = minuteOfDay(new Date(now), BEIJING_OFFSET) - policy.at;
  const day = local(now).getUTCDay() || 7;
  if (late < 0 || late >= LATE_MINUTES || !policy.days.includes(day)) return undefined;
  return drillIdAt(now - late * 60_000);
};

/** A fresh drill of everybody on shift: off duty is silent, also for a drill. */
export const beginDrill = (
  id: string,
  members: readonly Member[],
  shifts: readonly Shift[],
  window: number,
  now: Instant,
): Drill => ({
  id,
  startedAt: now,
  until: now + window * 1000,
  members: members.filter((member) => onShift(member, shifts, new Date(now))).map(({ id: one }) => one),
  answers: {},
});

/** Names the notice of a drill to somebody. */
export const drillNoticeId = (drill: string, member: string): string => `DRILL-${drill}-${member}`;

/** The drill that a notice is of, by the notice's id; undefined: of none. */
export const drillOfNotice = (noticeId: string): string | undefined =>
  /^DRILL-(\d{8}T\d{4})-/.exec(noticeId)?.[1];

/** May this person still answer it? */
export const isOpen = ({ members, startedAt, until }: Drill, member: string, at: Instant): boolean =>
  members.includes(member) && at >= startedAt && at <= until;

/** What a drill sends. */
export const drillNotices = (drill: Drill): Notice[] =>
  drill.members.map((member) => ({
    id: drillNoticeId(drill.id, member),
    to: member,
    kind: 'drill',
    at: drill.startedAt,
    round: 1,
  }));

/** The drill with somebody's answer; undefined: it is not his, was over, or he had answered already. */
export const withAnswer = (
  drill: Drill,
  member: string,
  over: AnsweredOver,
  at: Instant,
): Drill | undefined =>
  !isOpen(drill, member, at) || drill.answers[member]
    ? undefined
    : { ...drill, answers: { ...drill.answers, [member]: { at, over } } };

/**
 * How far a drill came with one person. answered · read, delivered: it arrived, he did not answer · not-known: a vendor took it and cannot
 * tell more · unreachable: there is no way to him, or every one failed · not-sent: it was held back (the day's soft cap, quiet hours, a
 * standstill), which says nothing of him · waiting: the window is still open.
 */
export const DRILL_RESULTS = [
  'answered',
  'read',
  'delivered',
  'not-known',
  'unreachable',
  'not-sent',
  'waiting',
] as const;
/** One person's result. */
export const drillResultSchema = z.object({
  member: z.string(),
  result: z.enum(DRILL_RESULTS),
  /** Of an answer: over what, and how many seconds after the beginning. */
  over: z.enum(OVER).optional(),
  seconds: z.int().nonnegative().optional(),
  /** What each call of a vendor came to. */
  channels: z.array(
    z.object({ channel: channelSchema, vendor: vendorSchema, state: attemptSchema.shape.state }),
  ),
});
/** One person's result. */
export type DrillResult = z.infer<typeof drillResultSchema>;

/** How far the notice of a drill got, as it is kept. */
export interface DrillNotice {
  state: AttemptState;
  attempts: readonly Attempt[];
}

const reached = (notice: DrillNotice | undefined): Exclude<DrillResult['result'], 'answered' | 'waiting'> => {
  const states = new Set(notice?.attempts.map(({ state }) => state));
  if (states.has('read')) return 'read';
  if (states.has('delivered')) return 'delivered';
  if (states.has('sent') || states.has('unknown') || states.has('sending')) return 'not-known';
  if (states.size === 0 && notice?.state !== 'failed-permanent') return 'not-sent';
  return notice?.state === 'suppressed' ? 'not-sent' : 'unreachable';
};

/** One person's result now. `notice`: his; undefined if it was never written. */
export const drillResultOf = (
  drill: Drill,
  member: string,
  notice: DrillNotice | undefined,
  now: Instant,
): DrillResult => {
  const answer = drill.answers[member];
  const attempts = notice?.attempts ?? [];
  const channels = attempts.map(
    ({ channel, vendor, state }: { channel: Channel; vendor: Vendor; state: Attempt['state'] }) => ({
      channel,
      vendor,
      state,
    }),
  );
  if (answer)
    return {
      member,
      result: 'answered',
      over: answer.over,
      seconds: Math.round((answer.at - drill.startedAt) / 1000),
      channels,
    };
  return { member, result: now < drill.until ? 'waiting' : reached(notice), channels };
};
