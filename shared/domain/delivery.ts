import * as z from 'zod';
import { CHANNELS, channelSchema, vendorSchema, type Channel, type Vendor } from './channel.ts';
import { isVendorsFault, type PassedOver } from './health.ts';
import type { Instant } from './incident.ts';
import {
  FIRST_ASKS,
  INSISTENT,
  genericOf,
  laneOf,
  type Attempt,
  type AttemptState,
  type Notice,
} from './notice.ts';
import { CALLER_KINDS, noticeKindSchema, type NoticeKind } from './notice-kind.ts';

const planSchema = z
  .array(z.strictObject({ channel: channelSchema, after: z.int().nonnegative() }))
  .nonempty()
  .superRefine((steps, ctx) => {
    steps.forEach((step, i) => {
      const before = steps[i - 1];
      if (!before) return;
      if (step.after <= before.after)
        ctx.addIssue({ code: 'custom', path: [i, 'after'], message: 'the plan does not rise' });
      if (CHANNELS.indexOf(step.channel) <= CHANNELS.indexOf(before.channel))
        ctx.addIssue({
          code: 'custom',
          path: [i, 'channel'],
          message: `'${step.channel}' is not louder than '${before.channel}'`,
        });
    });
  });
/** The way to a person: channels from quiet to loud, each with its second after the first. */
export type DeliveryPlan = z.infer<typeof planSchema>;

/** How a district brings notices to people: data of its policy. Every part has a default. */
export const deliverySchema = z.strictObject({
  plans: z
    .strictObject({
      alerts: planSchema.default([
        { channel: 'chat', after: 0 },
        { channel: 'sms', after: 15 },
        { channel: 'voice', after: 30 },
      ]),
      chatter: planSchema.default([
        { channel: 'push', after: 0 },
        { channel: 'chat', after: 5 },
        { channel: 'sms', after: 60 },
      ]),
      kinds: z.partialRecord(noticeKindSchema, planSchema).default({}),
      members: z.record(z.string(), planSchema).default({}),
    })
    .prefault({}),
  /** Vendors of each channel in order of preference; health and budgets only put the first ones off. */
  vendors: z
    .strictObject({
      push: z.array(vendorSchema).default(['jpush', 'webpush']),
      chat: z.array(vendorSchema).default(['wecom', 'dingtalk', 'webhook']),
      sms: z.array(vendorSchema).default(['aliyun-sms', 'tencent-sms', 'sns']),
      voice: z.array(vendorSchema).default(['aliyun-voice']),
    })
    .prefault({}),
  /** Seconds: delivered or read, and nothing was done: then the next louder channel anyway. */
  unacted: z.int().positive().default(20),
  /** Seconds without a receipt after which another vendor of the loudest channel is tried. */
  unproved: z.int().positive().default(15),
  /** Minutes of the day, district time, between which chatter waits; absent: never. */
  quiet: z.strictObject({ from: z.int().min(0).max(1439), to: z.int().min(0).max(1439) }).optional(),
  /** Members whose numbers stand on the vendor's white list: its daily limit does not hold for them (Aliyun: at most 300). */
  whiteList: z.array(z.string()).max(300).default([]),
  /** What a day may cost, 1/1000 CNY; above it chatter that costs stops. Notices that ask or warn never do. */
  softCap: z.int().positive().default(200_000),
});
/** How a district brings notices to people. */
export type Delivery = z.infer<typeof deliverySchema>;

/** What goes out as a text whatever the district's plan: an answer to one, a code to type, words to somebody who is not on the roster. */
export const TEXT_ONLY: ReadonlySet<NoticeKind> = new Set(['choose', 'answer', 'pin', ...CALLER_KINDS]);
/** A drill asks as a task would, but calls nobody up. */
const DRILL: DeliveryPlan = [
  { channel: 'chat', after: 0 },
  { channel: 'sms', after: 15 },
];
const BY_TEXT: DeliveryPlan = [{ channel: 'sms', after: 0 }];
/** Somebody stands there and waits for a code: what texts cannot bring comes to his own account of the work app. */
const CODE: DeliveryPlan = [
  { channel: 'sms', after: 0 },
  { channel: 'chat', after: 15 },
];

/** The plan for one person and kind: his own, else the kind's, else the lane's. Chatter never takes the loud plan of a person. */
export const planFor = ({ plans }: Delivery, kind: NoticeKind, to: string): DeliveryPlan => {
  if (TEXT_ONLY.has(kind)) return plans.kinds[kind] ?? (kind === 'pin' ? CODE : BY_TEXT);
  if (kind === 'drill') return plans.kinds.drill ?? DRILL;
  const lane = laneOf(kind);
  return (lane === 'alerts' ? plans.members[to] : undefined) ?? plans.kinds[kind] ?? plans[lane];
};

/** A vendor that could bring this notice to this person now. Configured, with an address, within its budget. */
export type Way = {
  channel: Channel;
  vendor: Vendor;
  /** Seconds after sending at which the vendor has to be asked because it posts no receipts. */
  poll: readonly number[];
  /** Can it be asked at all? */
  query: boolean;
  /** Does it ever tell that something has arrived? */
  tells: boolean;
  /** Not called again before: its limits count every try. */
  free?: Instant | undefined;
  /** Who would have been called first, were he not put off or out of budget; for the trail only. */
  instead?: PassedOver | undefined;
};

/** All that the next step depends on. */
export type Facts = {
  notice: Pick<Notice, 'kind' | 'at'>;
  attempts: readonly Attempt[];
  plan: DeliveryPlan;
  /** Seconds, see `Delivery`. */
  unacted: number;
  unproved: number;
  /** In order of preference. */
  ways: readonly Way[];
  /** Why it helps nobody any more, if so. */
  moot?: string | undefined;
  /** Not sent at or after this instant: the climb has gone on. */
  deadline?: Instant | undefined;
};

/** What has to be done now. */
export type Step =
  /** `double`: an earlier call may have gone out as well. */
  | { do: 'call'; way: Way; generic?: true; double?: true }
  | { do: 'ask'; attempt: Attempt }
  /** `exact`: on the second; otherwise whenever somebody comes by. */
  | { do: 'wait'; until: Instant; exact: boolean }
  | { do: 'end'; state: AttemptState; why: string };

/** So long after `sending` another deliverer may still be in the middle of the call, which takes 3 s at most. */
const BUSY_MS = 10_000;
/** A receipt comes within seconds; after this long its absence is a fact for the trail. */
const RECEIPT_MS = 60_000;
/**
 * Seconds before the same vendor is tried again after a refusal that may pass. Dense, because the first rung is one minute and a vendor
 * that comes back after fifty seconds still helps; then by the minute, as long as it is owed.
 */
const RETRY_SECONDS = [2, 4, 8, 10, 10, 10, 10] as const;
const LATER_SECONDS = 60;
/** Calls of one vendor for one notice, half an hour long if nothing ends it before: what an outage held up is still owed after it. */
const MOST_CALLS = 40;
/** Questions about one call, at the same seconds as calls and as long. */
const MOST_ASKED = 40;
/** After so many questions without an answer somebody who has to act gets a call that may ring twice. */
const ENOUGH_ASKED = 3;

/** How far an attempt got; the furthest of all attempts is where the notice stands. */
const RANK: Record<Attempt['state'], number> = {
  'failed-permanent': 0,
  'failed-temporary': 1,
  unknown: 2,
  sending: 3,
  sent: 4,
  delivered: 5,
  read: 6,
};

/** Where a notice stands: where the furthest of its attempts does. */
export const standing = (attempts: readonly Attempt[]): AttemptState =>
  attempts.reduce<AttemptState & (Attempt['state'] | 'pending')>(
    (best, { state }) => (best === 'pending' || RANK[state] >= RANK[best] ? state : best),
    'pending',
  );

const wait = (until: Instant, exact: boolean): Step => ({ do: 'wait', until, exact });
/** A notice that was sent stays what it is; one that never was ends as `otherwise`. */
const end = (attempts: readonly Attempt[], otherwise: AttemptState, why: string): Step => ({
  do: 'end',
  state: attempts.some(({ state }) => RANK[state] >= RANK.sent) ? standing(attempts) : otherwise,
  why,
});

/** Place of a channel in the plan; a channel that the plan no longer names stands before all. */
const levelOf = (plan: DeliveryPlan, channel: Channel): number =>
  plan.findIndex((step) => step.channel === channel);

/** Ways that were not tried yet, in the plan's order. */
const untried = ({ plan, ways, attempts }: Facts): { level: number; way: Way }[] =>
  plan.flatMap(({ channel }, level) =>
    ways
      .filter((way) => way.channel === channel && !attempts.some(({ vendor }) => vendor === way.vendor))
      .map((way) => ({ level, way })),
  );

/** When a vendor that did not say what became of a call is asked again. */
const askedAgain = ({ seen, asked }: Attempt): Instant => {
  let seconds = 0;
  for (let n = 0; n < asked; n += 1) seconds += RETRY_SECONDS[n] ?? LATER_SECONDS;
  return seen + seconds * 1000;
};

/**
 * What delivering one notice needs now. Pure; the one place that knows when a vendor may be called: first every channel of the plan
 * in turn, each with all its vendors; a failure goes on at once, silence at t1 (the plan's own seconds), a receipt without an action at
 * t2 (`unacted`). No vendor is called again that took the notice, or that may have taken it: where it can be asked it is asked again
 * until it knows, and called again only when it says that it never got it. Only where nothing else is left, and three questions brought
 * no answer, does somebody who is asked to act get a second call that may ring twice, because a double is better than a loss.
 */
export const nextStep = (facts: Facts, now: Instant): Step => {
  const { attempts, notice } = facts;
  const last = attempts.at(-1);
  // What is under way comes first, whatever has become of the incident: its end has to be known.
  if (last?.state === 'sending')
    return now - last.at < BUSY_MS ? wait(last.at + BUSY_MS, true) : { do: 'ask', attempt: last };
  if (last?.state === 'unknown' && last.asked === 0) return { do: 'ask', attempt: last };
  const insists = INSISTENT.has(notice.kind);
  if (!insists && attempts.some(({ state }) => RANK[state] >= RANK.delivered))
    return end(attempts, 'delivered', 'arrived');
  const late = facts.deadline !== undefined && now >= facts.deadline;
  const stop = facts.moot ?? (late ? 'too-late' : undefined);
  if (!last) {
    if (stop !== undefined) return end(attempts, facts.moot === undefined ? 'expired' : 'suppressed', stop);
    const [first] = untried(facts);
    return first ? { do: 'call', way: first.way } : noWay(facts, 'failed-permanent', 'unreachable', now);
  }
  switch (last.state) {
    case 'failed-temporary':
    case 'failed-permanent':
    case 'unknown':
      if (stop === undefined) return afterFailure(facts, last, now);
      if (facts.moot !== undefined) return end(attempts, 'cancelled', stop);
      return end(attempts, last.state === 'unknown' ? 'unknown' : 'expired', stop);
    case 'sent':
      // Nobody is called any more, but what became of this one is still found out.
      return stop === undefined ? unproved(facts, last, now) : proof(facts, last, now);
    case 'delivered':
    case 'read':
      return stop === undefined ? unacted(facts, last, now) : end(attempts, last.state, stop);
    default:
      return last.state satisfies never;
  }
};

/**
 * Nothing is left to try. Behind who is asked first stands somebody else; what only this person can do (a return that nobody has
 * confirmed, a nag) stays owed and on the desk's list, and every minute somebody looks whether there is a way by now.
 */
const noWay = (
  { notice, attempts, deadline }: Facts,
  state: AttemptState,
  why: string,
  now: Instant,
): Step => {
  if (!INSISTENT.has(notice.kind) || FIRST_ASKS.has(notice.kind)) return end(attempts, state, why);
  const from = attempts.at(-1)?.seen ?? notice.at;
  const minute = LATER_SECONDS * 1000;
  const next = from + (Math.floor((now - from) / minute) + 1) * minute;
  return wait(Math.min(next, deadline ?? next), true);
};

const afterFailure = (facts: Facts, last: Attempt, now: Instant): Step => {
  const { attempts, ways, notice } = facts;
  const sameWay = ways.find(({ vendor }) => vendor === last.vendor);
  // The words were refused, not the person: the same vendor gets the generic ones in the same second.
  if (
    sameWay &&
    last.cause === 'text' &&
    !last.generic &&
    genericOf(notice.kind) !== undefined &&
    now >= (sameWay.free ?? 0)
  )
    return { do: 'call', way: sameWay, generic: true };
  const calls = (vendor: Vendor): Attempt[] => attempts.filter((one) => one.vendor === vendor);
  const again = sameWay && last.never ? secondTries(sameWay, calls(last.vendor), false, true)[0] : undefined;
  if (again && again.at <= now) return { do: 'call', way: again.way };
  const level = levelOf(facts.plan, last.channel);
  const fresh = untried(facts);
  const other = fresh.find((one) => one.level >= level) ?? fresh[0];
  const rings = (channel: Channel): boolean =>
    attempts.some((one) => one.state === 'unknown' && one.channel === channel);
  if (other)
    return { do: 'call', way: other.way, ...(rings(other.way.channel) ? { double: true as const } : {}) };
  const insists = INSISTENT.has(notice.kind);
  // What is good to know was taken by a quieter channel: that is enough.
  if (!insists && attempts.some(({ state }) => RANK[state] >= RANK.sent))
    return end(attempts, standing(attempts), 'nothing-louder');
  // A number that is wrong stays so: whoever stands behind him is not kept waiting until a vendor is mended.
  const own = attempts.some(({ cause }) => cause === 'number');
  const [next] = ways
    .flatMap((way) => secondTries(way, calls(way.vendor), insists, own))
    .sort((a, b) => a.at - b.at);
  // A vendor has brought it, and what is louder failed (he did not pick up): he is not out of reach, his minute runs on.
  const taken = attempts.findLast(({ state }) => RANK[state] >= RANK.sent);
  if (!next && taken?.state === 'sent') return proof(facts, taken, now);
  if (!next && taken) return end(attempts, standing(attempts), 'nothing-louder');
  if (!next)
    return attempts.some(({ state }) => state === 'unknown')
      ? noWay(facts, 'unknown', 'silent', now)
      : noWay(facts, 'failed-permanent', 'unreachable', now);
  if (now < next.at) return wait(Math.min(next.at, facts.deadline ?? next.at), true);
  if (next.ask) return { do: 'ask', attempt: next.ask };
  return { do: 'call', way: next.way, ...(rings(next.way.channel) ? { double: true as const } : {}) };
};

/**
 * What may still be tried with a vendor that was called and did not take it: another question, another call. A refusal for its own fault
 * (nobody has paid, a key is revoked) makes nobody unreachable: it is tried again until somebody has mended it.
 * @param gone there is no way to this person that mending a vendor would open
 */
const secondTries = (
  way: Way,
  own: readonly Attempt[],
  insists: boolean,
  gone: boolean,
): { way: Way; at: Instant; ask?: Attempt }[] => {
  const latest = own.at(-1);
  // A receipt may have come for an earlier call: then it has the notice, whatever the later one says.
  if (!latest || own.some(({ state }) => RANK[state] >= RANK.sent)) return [];
  const tells = latest.state === 'unknown' && way.query && !latest.mute;
  const ask = tells && latest.asked < MOST_ASKED;
  const blind = latest.state === 'unknown' && insists && (!tells || latest.asked >= ENOUGH_ASKED);
  const mended = latest.state === 'failed-permanent' && latest.cause && isVendorsFault(latest.cause) && !gone;
  const call = (latest.state === 'failed-temporary' || mended || blind) && own.length < MOST_CALLS;
  const pause = latest.never ? 0 : (RETRY_SECONDS[own.length - 1] ?? LATER_SECONDS) * 1000;
  return [
    ...(call ? [{ way, at: Math.max(latest.seen + pause, way.free ?? 0) }] : []),
    ...(ask ? [{ way, at: askedAgain(latest), ask: latest }] : []),
  ];
};

/** Taken by a vendor, and no receipt yet. */
const unproved = (facts: Facts, last: Attempt, now: Instant): Step => {
  const { plan, notice, ways } = facts;
  const level = levelOf(plan, last.channel);
  const fresh = untried(facts);
  const insists = INSISTENT.has(notice.kind);
  // Where a vendor can never tell, chatter would ring everywhere.
  const enough =
    laneOf(notice.kind) === 'chatter' && !ways.some((way) => way.vendor === last.vendor && way.tells);
  const louder = enough ? undefined : fresh.find((one) => one.level > level);
  // Words for the record need no second ring from another vendor.
  const beside = insists ? fresh.find((one) => one.level === level) : undefined;
  const next = louder ?? beside;
  if (!next) return proof(facts, last, now);
  const gap = louder ? (plan[louder.level]?.after ?? 0) - (plan[level]?.after ?? 0) : facts.unproved;
  const at = last.at + gap * 1000;
  const asking = polled(facts, last);
  if (asking !== undefined && asking < at) {
    if (now >= asking) return { do: 'ask', attempt: last };
    return wait(asking, true);
  }
  return now < at ? wait(at, true) : { do: 'call', way: next.way };
};

/** When a vendor that posts nothing has to be asked next. */
const polled = ({ ways }: Facts, last: Attempt): Instant | undefined => {
  const seconds = ways.find(({ vendor }) => vendor === last.vendor)?.poll[last.asked];
  return seconds === undefined ? undefined : last.at + seconds * 1000;
};

/** Nothing louder is left: the receipt is waited for, then the vendor is asked once, and what is known stands in the trail. */
const proof = (facts: Facts, last: Attempt, now: Instant): Step => {
  const way = facts.ways.find(({ vendor }) => vendor === last.vendor);
  const asking = polled(facts, last);
  if (asking !== undefined && asking < last.at + RECEIPT_MS)
    return now < asking ? wait(asking, false) : { do: 'ask', attempt: last };
  if (now < last.at + RECEIPT_MS) return wait(last.at + RECEIPT_MS, false);
  if (way?.query && last.asked <= way.poll.length) return { do: 'ask', attempt: last };
  return end(facts.attempts, 'sent', 'no-receipt');
};

/** On the phone, and nothing was done: the next louder channel, whatever the receipt says. */
const unacted = (facts: Facts, last: Attempt, now: Instant): Step => {
  const level = levelOf(facts.plan, last.channel);
  const louder = untried(facts).find((one) => one.level > level);
  if (!louder) return end(facts.attempts, last.state, 'arrived');
  const at = last.seen + facts.unacted * 1000;
  return now < at ? wait(at, true) : { do: 'call', way: louder.way };
};

/** What is known of an attempt may only grow: nothing that arrived is unsaid, and a failure of what arrived is a lie. */
export const advances = (from: Attempt['state'], to: Attempt['state']): boolean => {
  if (from === 'delivered' || from === 'read') return RANK[to] > RANK[from];
  // The carrier may bring what the vendor had given up.
  if (from === 'failed-permanent' || from === 'failed-temporary') return RANK[to] >= RANK.delivered;
  return to === 'failed-permanent' || to === 'failed-temporary' || RANK[to] > RANK[from];
};
