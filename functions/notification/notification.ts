import {
  budgetDays,
  budgetOf,
  fingerprint,
  freeAt,
  spend,
  triesOf,
  type Subject,
} from '#shared/domain/budget.ts';
import { CALLER_KINDS } from '#shared/domain/caller-notice.ts';
import { CHANNELS, type Channel, type Vendor } from '#shared/domain/channel.ts';
import {
  TEXT_ONLY,
  advances,
  nextStep,
  planFor,
  standing,
  type DeliveryPlan,
  type Facts,
  type Step,
  type Way,
} from '#shared/domain/delivery.ts';
import {
  badSignal,
  byHealth,
  healthName,
  isPutOff,
  isVendorsFault,
  passedOver,
  type PassedOver,
} from '#shared/domain/health.ts';
import type { Incident, Instant } from '#shared/domain/incident.ts';
import { LEDGER_MS, charged, ledgerFor, ledgersOf, passed, sumOf } from '#shared/domain/ledger.ts';
import {
  FIRST_ASKS,
  INSISTENT,
  genericOf,
  laneOf,
  type Attempt,
  type AttemptState,
  type Notice,
} from '#shared/domain/notice.ts';
import { withoutTexts } from '#shared/domain/reply.ts';
import type { PushDevice } from '#shared/domain/push-device.ts';
import { addressOf, type Member } from '#shared/domain/roster.ts';
import { carries, renderNotice, signOf, type NoticeFacts, type Texts } from '#shared/domain/texts.ts';
import { leaveUnreached } from '#shared/domain/unreached.ts';
import { priceOf, type Vendors } from '#shared/domain/vendors.ts';
import {
  expiryOf,
  isOffDuty,
  isOutdated,
  mayBeOutdated,
  mootBecause,
  silentUntil,
} from '#shared/domain/wanted.ts';
import { move, type Mover } from '#shared/ports/move.ts';
import { delayUntil, jobsOf } from '#shared/ports/queue.ts';
import type { Memos } from '#shared/ports/memos.ts';
import type { Secrets } from '#shared/ports/secrets.ts';
import type { Message, SendResult, Senders } from '#shared/ports/sender.ts';
import { changeDevices, type PushDevices } from '#shared/ports/push-devices.ts';
import { rememberSent } from '#shared/ports/sent-name.ts';
import {
  REJECTS_OWNER,
  incidentIdOf,
  type Counting,
  type NoticeRow,
  type NoticeStep,
} from '#shared/ports/store.ts';
import { factsFor } from './facts.ts';
import { ownFacts, recipientOf } from './recipient.ts';
import { tellUnpaid } from './unpaid.ts';

/** What delivering needs. */
export interface Deliverer extends Mover {
  senders(): Promise<Senders>;
  vendors: Vendors;
  secrets: Pick<Secrets, 'vault'>;
  memos: Memos;
  pushDevices: PushDevices;
  /** Names an attempt so that its receipt leads back to the notice. */
  attemptId(owner: string, noticeId: string, n: number): string;
  texts: Texts;
  /** Words and vendors that are not approved are passed over: a district for production. */
  approvedOnly?: boolean;
  /** Counters of all that were read a moment ago, by name; kept as long as the function lives. Without it every notice reads them. */
  lately?: Map<string, { at: Instant; counters: Promise<Readonly<Record<string, number>>> }>;
}

/** A notice and its owner, as the queue names it. */
export interface Job {
  owner: string;
  noticeId: string;
}

/** Steps of one run: more would be a loop. */
const MOST_STEPS = 24;
/** A run that has taken this long hands the rest to another message, so that no vendor can hold a function until it is killed. */
const PATIENCE_MS = 5_000;
/** A race is lost to a receipt or to a twin, seldom more than once. */
const RACES = 6;
/** So many failed calls for one notice are more than a hiccup of one vendor; within ten seconds of the first. */
const ALARMING_TRIES = 3;
/** Bad signals of one minute that are counted. */
const ENOUGH_SIGNALS = 5;
/** So long a look at a vendor's health or at the day's costs is good for all notices of an environment. */
const LATELY_MS = 1_000;
/** A vendor that tells of arrivals tells within this time, or stands in doubt. */
const PROOF_MS = 10_000;
const DAY_MS = 86_400_000;

/**
 * Carries out what `nextStep` says until it says to wait or to stop: load, decide, write `sending`, one call of one vendor, write
 * what came of it, decide again. Nothing is cancelled by hand: whoever wakes up looks first whether the notice is still wanted. Who
 * finds an abandoned `sending` asks the vendor before anything else, because most vendors are not idempotent.
 */
export const deliver = async (d: Deliverer, job: Job): Promise<void> => {
  const began = d.clock.now().getTime();
  for (let n = 0; n < MOST_STEPS; n += 1) {
    const [row, loaded] = await Promise.all([
      d.store.notice(job.owner, job.noticeId),
      job.owner === REJECTS_OWNER ? undefined : d.store.load(incidentIdOf(job.owner)),
    ]);
    if (!row) throw new Error(`There is no notice ${job.noticeId} of ${job.owner}.`);
    if (row.over !== undefined) return;
    const about = await lookAt(d, job.owner, row, loaded?.incident);
    const now = d.clock.now().getTime();
    if (about.held !== undefined && about.held > now && !about.newer) return hold(d, about, about.held);
    if (about.newer && row.attempts.length === 0) {
      if ((await finish(d, about, { do: 'end', state: 'bundled', why: 'newer' }, now)) === 'rest') return;
      continue;
    }
    const step = nextStep(about.facts, now);
    if (n > 0 && now - began > PATIENCE_MS && (step.do === 'call' || step.do === 'ask'))
      return wakeAt(d, about, now);
    if ((await take(d, about, step, now)) === 'rest') return;
  }
  throw new Error(`The notice ${job.noticeId} of ${job.owner} took ${MOST_STEPS} steps in one run.`);
};

/** Everything that one step needs to know. */
interface About {
  owner: string;
  row: NoticeRow;
  incident: Incident | undefined;
  member: Member | undefined;
  /** That he has registered for pushes; looked up only where his plan has one. */
  devices: readonly PushDevice[];
  /** What only this person's message may hold. */
  own: Pick<NoticeFacts, 'token' | 'pin'>;
  senders: Senders;
  facts: Facts;
  /** Chatter waits until then. */
  held: Instant | undefined;
  /** A newer one tells the same person more. */
  newer: boolean;
  /** It stands for others that quiet hours have held back. */
  others: boolean;
  /** Of the number or user id by vendor: what was sent there lately. */
  budgets: Readonly<Record<string, number>>;
}

const lookAt = async (
  d: Deliverer,
  owner: string,
  row: NoticeRow,
  incident: Incident | undefined,
): Promise<About> => {
  const { store, district, vendors } = d;
  const { delivery } = district;
  const { notice } = row;
  const now = d.clock.now().getTime();
  const chatter = laneOf(notice.kind) === 'chatter';
  const [senders, { member, textless, barred }, own, siblings] = await Promise.all([
    d.senders(),
    recipientOf(d, incident, notice, now),
    ownFacts(d, owner, incident, notice, now),
    // What concerns no incident has no course of events in which one could be newer.
    mayBeOutdated(notice.kind) && owner !== REJECTS_OWNER ? store.notices(owner) : [],
  ]);
  const moot =
    barred ??
    mootBecause(incident, notice) ??
    (member && isOffDuty(member, district.shifts, incident, notice, now) ? 'off-duty' : undefined);
  const plan = planFor(delivery, notice.kind, notice.to);
  const [night, devices, budgets] = await Promise.all([
    chatter && moot === undefined ? heldBack(d, owner, row) : undefined,
    member ? devicesOf(d, member, plan, senders, now) : [],
    member && moot === undefined ? budgetsOf(d, member, now) : {},
  ]);
  const having = (channel: Channel): Vendor[] =>
    member
      ? delivery.vendors[channel].filter(
          (vendor) =>
            senders[vendor] && vendors.vendors[vendor] && addressOf(member, vendor, devices) !== undefined,
        )
      : [];
  const ways: Way[] = [];
  // A quieter channel of the plan that has no budget left for this person: the next one stands in for it.
  let skipped: PassedOver | undefined;
  for (const channel of CHANNELS) {
    const preferred = having(channel);
    const inOrder = await ordered(d, preferred, now);
    const spent = new Set<Vendor>();
    for (const vendor of inOrder) {
      const is = vendors.vendors[vendor];
      if (!is) continue;
      const called = row.attempts.some((attempt) => attempt.vendor === vendor);
      if (!carries(d.texts, notice.kind, vendor, d.approvedOnly)) continue;
      // Who is called already may be asked about and, if it said that it has nothing, called again.
      if (!called && !withinBudget(d, { row, incident, member, own, budgets }, vendor, now)) {
        spent.add(vendor);
        continue;
      }
      const instead = passedOver(vendor, preferred, inOrder, spent) ?? skipped;
      const free =
        called && is.counts === 'tries'
          ? againAt(d, { row, incident, member, own, budgets }, vendor, now)
          : undefined;
      ways.push({
        channel,
        vendor,
        poll: is.poll,
        query: is.query,
        tells: is.tells.delivered,
        free,
        instead,
      });
    }
    const [first] = preferred;
    const planned = plan.some((step) => step.channel === channel);
    if (first && planned && spent.size === preferred.length) skipped = { vendor: first, because: 'budget' };
  }
  return {
    owner,
    row,
    incident,
    member,
    devices,
    own,
    senders,
    budgets,
    held: moot === undefined ? silentUntil(delivery.quiet, incident, notice, now) : undefined,
    newer:
      isOutdated(
        notice,
        siblings.map((one) => one.notice),
      ) ||
      (night?.newer ?? false),
    others: night?.others ?? false,
    facts: {
      notice,
      attempts: row.attempts,
      plan,
      unacted: delivery.unacted,
      unproved: delivery.unproved,
      // What answers a text comes as one.
      ways: textless && !TEXT_ONLY.has(notice.kind) ? withoutTexts(ways) : ways,
      moot,
      deadline: expiryOf(incident, notice),
    },
  };
};

/** What he has registered for pushes, where one of his plan could go out. */
const devicesOf = async (
  { pushDevices, district }: Deliverer,
  member: Member,
  plan: DeliveryPlan,
  senders: Senders,
  now: Instant,
): Promise<PushDevice[]> =>
  plan.some(({ channel }) => channel === 'push') &&
  district.delivery.vendors.push.some((vendor) => senders[vendor] !== undefined)
    ? (await pushDevices.of(member, now)).devices
    : [];

/** Devices that their vendor does not know any more are taken out at once: no later notice tries them again. */
const forget = async (d: Deliverer, member: Member, gone: readonly string[], now: Instant): Promise<void> => {
  try {
    await changeDevices(d.pushDevices, member, now, (devices) =>
      devices.some(({ address }) => gone.includes(address))
        ? devices.filter(({ address }) => !gone.includes(address))
        : undefined,
    );
  } catch (error) {
    // What became of the notice matters more; the next one finds them gone again.
    d.log.error('device-not-forgotten', error, { devices: gone.length });
  }
};

/** The list of what a person's quiet hours hold back until an instant. */
const heldName = (until: Instant, whom: string): string => `HELD-${until}-${whom}`;

/** What else quiet hours have held back for the same person: one message in the morning stands for all of it. */
const heldBack = async (
  { store }: Deliverer,
  owner: string,
  { notice, owedAt: until, version, attempts }: NoticeRow,
): Promise<{ newer: boolean; others: boolean } | undefined> => {
  // Never touched: it was not held back.
  if (version === 0 || attempts.length > 0 || until === undefined) return undefined;
  const held = Object.entries(await store.counters(heldName(until, notice.to)));
  const own = `${owner}|${notice.id}`;
  if (!held.some(([key]) => key === own)) return undefined;
  const [newest] = held.toSorted(([a, at], [b, bt]) => bt - at || (a < b ? 1 : -1));
  return { newer: newest?.[0] !== own, others: held.length > 1 };
};

/** The vendors of a channel, those in trouble last. One alone is not looked at: it would be used anyway. */
const ordered = async (d: Deliverer, vendors: Vendor[], now: Instant): Promise<Vendor[]> => {
  if (vendors.length < 2) return vendors;
  const counters = await Promise.all(vendors.map((vendor) => lately(d, healthName(vendor), now)));
  return byHealth(vendors, new Set(vendors.filter((_, i) => isPutOff(counters[i] ?? {}, now))));
};

/** Counters that no single notice changes much, as they stood a moment ago at most. */
const lately = (
  { store, lately: known }: Deliverer,
  name: string,
  now: Instant,
): Promise<Readonly<Record<string, number>>> => {
  const before = known?.get(name);
  if (before && now >= before.at && now - before.at < LATELY_MS) return before.counters;
  const counters = store.counters(name);
  known?.set(name, { at: now, counters });
  // Whoever waits for it hears of the failure; the next one asks again.
  counters.catch(() => known?.delete(name));
  return counters;
};

/** Budgets are kept by number, under its keyed hash: two members may share one. */
const budgetName = async (d: Deliverer, member: Member, day: string): Promise<string> =>
  `BUDGET-${day}-${(await d.secrets.vault()).hash('phone', member.phone)}`;

const budgetsOf = async (d: Deliverer, member: Member, now: Instant): Promise<Record<string, number>> => {
  const days = await Promise.all(
    budgetDays(now).map(async (day) => d.store.counters(await budgetName(d, member, day))),
  );
  return Object.assign({}, ...days);
};

const subjectOf = (message: Message): Subject => ({
  template: message.template.code,
  text: fingerprint(message.text),
});

const withinBudget = (
  d: Deliverer,
  about: Pick<About, 'row' | 'incident' | 'member' | 'own' | 'budgets'>,
  vendor: Vendor,
  now: Instant,
): boolean => {
  const limits = limitsOf(d, about.member, vendor);
  if (limits.length === 0) return true;
  const { kind } = about.row.notice;
  const verdict = budgetOf(vendor, limits, subjectOf(wordsOf(d, about, vendor, now)), about.budgets, now);
  if (verdict === 'warn') d.log.count('BudgetLow');
  if (verdict === 'spent') return false;
  const first = INSISTENT.has(kind) || about.incident?.classification?.urgency === 'P1';
  return verdict !== 'reserved' || first;
};

/** From when on a vendor that counts every try may be called again for this number. */
const againAt = (
  d: Deliverer,
  about: Pick<About, 'row' | 'incident' | 'member' | 'own' | 'budgets'>,
  vendor: Vendor,
  now: Instant,
): Instant =>
  freeAt(
    vendor,
    limitsOf(d, about.member, vendor),
    subjectOf(wordsOf(d, about, vendor, now)),
    about.budgets,
    now,
  );

/** A number on the vendor's white list has no limit by the day. */
const limitsOf = (d: Deliverer, member: Member | undefined, vendor: Vendor) => {
  const limits = d.vendors.vendors[vendor]?.limits ?? [];
  return member && d.district.delivery.whiteList.includes(member.id)
    ? limits.filter((limit) => limit.per !== 'template')
    : limits;
};

/** What is said, in the words of the notice's kind or in the generic ones. */
const wordsOf = (
  d: Deliverer,
  { row, incident, own, others = false }: Pick<About, 'row' | 'incident' | 'own'> & { others?: boolean },
  vendor: Vendor,
  now: Instant,
  generic = false,
): Message => {
  const { notice } = row;
  const caller = CALLER_KINDS.has(notice.kind);
  const kind = (generic ? genericOf(notice.kind) : undefined) ?? (others ? 'summary' : notice.kind);
  const facts = { ...factsFor(d.district, incident, notice, now), ...own };
  const { domain } = d.district.links;
  const link = domain !== undefined && own.token !== undefined && d.vendors.vendors[vendor]?.links === 'yes';
  const { code, params, text } = renderNotice(d.texts, kind, facts, vendor, d.district.language);
  return {
    kind,
    template: { code, params, order: d.texts.templates[kind].params.filter((name) => name in params) },
    signName: signOf(d.texts, notice.kind),
    text,
    extension: d.district.replies[caller ? 'callers' : 'members'],
    ...(link ? { link: `https://${domain}/t/${own.token}` } : {}),
  };
};

const take = async (d: Deliverer, about: About, step: Step, now: Instant): Promise<'rest' | 'on'> => {
  const { row } = about;
  switch (step.do) {
    case 'wait': {
      // While a twin is in the middle of its call nothing is written beside it.
      const busy = row.attempts.at(-1)?.state === 'sending';
      if (!busy && row.owedAt === step.until) return 'rest';
      if (!busy) {
        const noted = await write(d, about, { to: row.state, at: now, owedAt: step.until });
        if (!noted) return 'on';
      }
      if (step.exact) await wakeAt(d, about, step.until);
      return 'rest';
    }
    case 'end':
      return finish(d, about, step, now);
    case 'ask':
      return findOut(d, about, step.attempt);
    case 'call':
      return call(d, about, step, now);
    default:
      return step satisfies never;
  }
};

/** Puts a message into the queue for an instant; what lies further away than the queue can hold is found by reconcile. */
const wakeAt = async (d: Deliverer, { owner, row }: About, until: Instant): Promise<void> => {
  const seconds = delayUntil(until, d.clock.now().getTime());
  if (seconds !== undefined) await d.queues.notices(jobsOf(owner, [row.notice]), seconds);
};

const write = (d: Deliverer, { owner, row }: About, step: NoticeStep): Promise<NoticeRow | undefined> =>
  d.store.step(owner, row, step);

const hold = async (d: Deliverer, about: About, until: Instant): Promise<void> => {
  const at = d.clock.now().getTime();
  if (about.row.owedAt === until) return;
  const { owner, row } = about;
  await write(d, about, {
    to: 'pending',
    at,
    owedAt: until,
    facts: { held: 'quiet-hours' },
    counters: [
      {
        name: heldName(until, row.notice.to),
        add: { [`${owner}|${row.notice.id}`]: row.notice.at },
        expires: until + DAY_MS,
      },
    ],
  });
};

/** Nothing more is tried: written down with its reason, counted where somebody was not reached. */
const finish = async (
  d: Deliverer,
  about: About,
  { state, why }: Extract<Step, { do: 'end' }>,
  now: Instant,
): Promise<'rest' | 'on'> => {
  const { row, owner, member } = about;
  const gone = member || about.facts.moot !== undefined ? why : 'left-the-roster';
  if (why === 'unreachable' && owner !== REJECTS_OWNER && FIRST_ASKS.has(row.notice.kind))
    await move(d, incidentIdOf(owner), ({ incident, hands, now: at }) => {
      const change = leaveUnreached(incident, row.notice.to, hands, at);
      return { ...(change ? { change } : {}), result: undefined };
    });
  // What was cut short is told as such, although the notice stays as far as it got.
  const told = row.attempts.length > 0 && about.facts.moot !== undefined ? 'cancelled' : state;
  const noted = await write(d, about, {
    to: state,
    at: now,
    over: gone,
    facts: { state: told, why: gone },
  });
  if (!noted) return 'on';
  ended(d, row.notice, state, gone);
  return 'rest';
};

const ended = (d: Deliverer, notice: Notice, state: AttemptState, why: string): void => {
  // Nobody waits for a caller to have read something: no alarm rings for it.
  if (CALLER_KINDS.has(notice.kind)) return;
  if (state === 'expired') d.log.count('NoticeExpired');
  if (state === 'failed-permanent' || state === 'unknown') {
    d.log.count('NoticeFailed');
    d.log.info('notice-failed', { notice: notice.id, kind: notice.kind, why });
  }
};

/** One call of one vendor: `sending` is written first, by one deliverer only. */
const call = async (
  d: Deliverer,
  about: About,
  { way, generic, double }: Extract<Step, { do: 'call' }>,
  now: Instant,
): Promise<'rest' | 'on'> => {
  const { row, owner, member, devices, senders } = about;
  const sender = senders[way.vendor];
  const is = d.vendors.vendors[way.vendor];
  const to = member && addressOf(member, way.vendor, devices);
  if (!sender || !is || to === undefined) throw new Error(`${way.vendor} is no way to ${row.notice.to}.`);
  if (laneOf(row.notice.kind) === 'chatter' && (await overCap(d, now)))
    return finish(d, about, { do: 'end', state: 'suppressed', why: 'soft-cap' }, now);
  const message = wordsOf(d, about, way.vendor, now, generic);
  const tried = row.attempts.some(({ vendor }) => vendor === way.instead?.vendor);
  const instead = tried ? undefined : way.instead;
  const n = row.attempts.length + 1;
  const booking = is.counts === 'tries' ? await bookingOf(d, about, way.vendor, message, now) : undefined;
  const attempt: Attempt = {
    id: d.attemptId(owner, row.notice.id, n),
    n,
    channel: way.channel,
    vendor: way.vendor,
    state: 'sending',
    at: now,
    seen: now,
    asked: 0,
    milli: 0,
    ...(generic ? { generic } : {}),
  };
  const claimed = await write(d, about, {
    to: standing([...row.attempts, attempt]),
    at: now,
    attempts: [...row.attempts, attempt],
    // A receipt may come before the answer, and must know whether it ends the matter.
    louder: goesOn({ ...about.facts, attempts: [...row.attempts, attempt] }, attempt, now),
    // Found by reconcile at once should we die in the call: ten seconds later the vendor is asked.
    owedAt: now,
    facts: {
      state: 'sending',
      attempt: n,
      channel: way.channel,
      vendor: way.vendor,
      ...(generic ? { generic } : {}),
      ...(double ? { double } : {}),
      ...(instead ? { instead: instead.vendor, because: instead.because } : {}),
    },
    ...(booking ? { counters: [booking] } : {}),
  });
  // Somebody else holds it, SQS delivers at least once; or is calling this number for another notice, which changes the ways to it.
  if (!claimed) return booking ? 'on' : 'rest';
  if (instead) d.log.count('Rerouted');
  const last = row.attempts.at(-1);
  if (last?.state === 'sent' && now - last.at >= PROOF_MS && d.vendors.vendors[last.vendor]?.tells.delivered)
    await distrust(d, last.vendor, 'no-receipt');
  if (double) d.log.count('NoticeDoubled');
  const result = await sender.send({ attemptId: attempt.id, to, message });
  if (member && result.gone) await forget(d, member, result.gone, now);
  const milli = result.kind === 'accepted' ? priceOf(is, lengthOf(message, is)) : 0;
  if (result.kind === 'accepted' && is.callback && !is.echoes)
    await rememberSent(
      d.memos,
      { vendor: way.vendor, vendorId: result.vendorId, attemptId: attempt.id },
      now,
    ).catch((error: unknown) => d.log.error('receipt-unfindable', error, { vendor: way.vendor }));
  await signals(d, way.vendor, result);
  const counters = await countersOf(d, about, { ...way, instead }, message, result, milli);
  return settle(d, { ...about, row: claimed }, attempt.id, resultOf(result, milli), counters);
};

/** Characters as they are billed: with 【signature】, and with the link where it stands in the text. */
const lengthOf = ({ text, signName, link }: Message, { channel }: { channel: Channel }): number =>
  text.length + signName.length + 2 + (channel === 'sms' && link !== undefined ? link.length + 1 : 0);

/** What an attempt learns from the answer, and the facts of its trail line. */
type Learnt = (attempt: Attempt) => { attempt: Attempt; facts: Record<string, string | number | boolean> };

const resultOf =
  (result: SendResult, milli: number): Learnt =>
  (attempt): ReturnType<Learnt> => {
    const gone: Record<string, number> = result.gone ? { gone: result.gone.length } : {};
    switch (result.kind) {
      case 'accepted':
        // A receipt may have overtaken the answer; then it is delivered already and stays so.
        return {
          attempt: {
            ...attempt,
            ...(attempt.state === 'sending' || attempt.state === 'unknown' ? { state: 'sent' as const } : {}),
            vendorId: result.vendorId,
            milli,
          },
          facts: gone,
        };
      case 'unknown':
        return {
          attempt: attempt.state === 'sending' ? { ...attempt, state: 'unknown' } : attempt,
          facts: { why: result.sentence, ...gone },
        };
      case 'refused':
        return {
          attempt: {
            ...attempt,
            // Says no and brings it all the same: what has arrived stays so.
            ...(advances('sending', attempt.state)
              ? {}
              : {
                  state: result.temporary ? ('failed-temporary' as const) : ('failed-permanent' as const),
                }),
            code: result.code,
            cause: result.cause,
          },
          facts: { code: result.code, cause: result.cause, ...gone },
        };
      default:
        return result satisfies never;
    }
  };

/** Troubles of a vendor are counted for all deliverers; three put it behind the others of its channel. */
export const signals = async (d: Deliverer, vendor: Vendor, result: SendResult): Promise<void> => {
  if (result.kind === 'refused' && result.cause === 'money') {
    d.log.count('VendorUnpaid');
    await tellUnpaid(d, vendor);
  }
  const bad = result.kind === 'unknown' || (result.kind === 'refused' && isVendorsFault(result.cause));
  if (bad) await distrust(d, vendor, result.kind === 'refused' ? result.code : 'no-answer');
};

/** One bad signal of a vendor: a refusal that is its own fault, no answer, or no receipt where it gives some. */
const distrust = async (d: Deliverer, vendor: Vendor, code: string): Promise<void> => {
  d.log.count('VendorTrouble');
  d.log.info('vendor-trouble', { vendor, code });
  const now = d.clock.now().getTime();
  const name = healthName(vendor);
  const key = badSignal(now);
  try {
    const before = await d.store.counters(name);
    // In an outage every call would meet at this one item, and more than enough says no more than enough.
    if ((before[key] ?? 0) >= ENOUGH_SIGNALS) return;
    await d.store.count({ name, add: { [key]: 1 }, expires: now + DAY_MS });
    d.lately?.delete(name);
    if (isPutOff(before, now) || !isPutOff({ ...before, [key]: (before[key] ?? 0) + 1 }, now)) return;
    d.log.count('VendorSwitched');
    d.log.info('vendor-put-off', { vendor });
  } catch (error) {
    // What became of the notice matters more than what is thought of its vendor.
    d.log.error('signal-lost', error, { vendor });
  }
};

const dayOf = (at: Instant): string => new Date(at).toISOString().slice(0, 10);

/** What an accepted message costs and uses up: the day's ledger, and the number's budget. */
const countersOf = async (
  d: Deliverer,
  { member, row }: About,
  { vendor, instead }: Way,
  message: Message,
  result: SendResult,
  milli: number,
): Promise<Counting[]> => {
  if (result.kind !== 'accepted' || !member) return [];
  const now = d.clock.now().getTime();
  const booked = d.vendors.vendors[vendor]?.counts === 'tries';
  const budget = booked ? {} : spend(vendor, limitsOf(d, member, vendor), subjectOf(message), now);
  return [
    {
      name: ledgerFor(now, row.notice.to),
      add: { ...charged(vendor, milli), ...(instead ? passed(instead.vendor) : {}) },
      expires: now + LEDGER_MS,
    },
    ...(Object.keys(budget).length > 0
      ? [{ name: await budgetName(d, member, dayOf(now)), add: budget, expires: now + 3 * DAY_MS }]
      : []),
  ];
};

/**
 * What one try uses up of the number's budget, booked before the vendor is called because it counts those that fail, too; and only if
 * nobody has booked one since the budget was read: of two calls to one number within a second it would block both.
 */
const bookingOf = async (
  d: Deliverer,
  { member, budgets }: About,
  vendor: Vendor,
  message: Message,
  now: Instant,
): Promise<Counting | undefined> => {
  if (!member) return undefined;
  const day = dayOf(now);
  const tries = triesOf(vendor, day);
  return {
    name: await budgetName(d, member, day),
    add: { ...spend(vendor, limitsOf(d, member, vendor), subjectOf(message), now), [tries]: 1 },
    expires: now + 3 * DAY_MS,
    was: { key: tries, n: budgets[tries] ?? 0 },
  };
};

/** Has the day cost more than the district allows for what is only good to know? */
const overCap = async (d: Deliverer, now: Instant): Promise<boolean> => {
  const parts = await Promise.all(ledgersOf(now).map((name) => lately(d, name, now)));
  const over = (sumOf(parts).milli ?? 0) >= d.district.delivery.softCap;
  if (over) d.log.count('ChatterStopped');
  return over;
};

/** Asks the vendor what became of an attempt whose answer or receipt never came. */
const findOut = async (d: Deliverer, about: About, asked: Attempt): Promise<'rest' | 'on'> => {
  const { member, devices, senders } = about;
  const sender = senders[asked.vendor];
  const to = member && addressOf(member, asked.vendor, devices);
  const answer =
    sender && to !== undefined
      ? await sender.ask({
          attemptId: asked.id,
          to,
          sentAt: new Date(asked.at),
          ...(asked.vendorId === undefined ? {} : { vendorId: asked.vendorId }),
        })
      : ({ kind: 'cannot' } as const);
  return settle(d, about, asked.id, (attempt) => {
    const heard = answer.kind === 'known' ? answer.state : answer.kind;
    const facts = { asked: true, answer: heard };
    const open = attempt.state === 'sending' || attempt.state === 'unknown';
    const next: Attempt = { ...attempt, asked: attempt.asked + 1 };
    if (answer.kind === 'known') {
      const told =
        answer.state === 'waiting' ? 'sent' : answer.state === 'failed' ? 'failed-permanent' : answer.state;
      return {
        attempt: {
          ...next,
          ...(advances(attempt.state, told) ? { state: told } : {}),
          ...(answer.code ? { code: answer.code } : {}),
        },
        facts: { ...facts, ...(answer.code ? { code: answer.code } : {}) },
      };
    }
    if (!open) return { attempt: next, facts };
    // It states that it never got it: another call makes no double.
    if (answer.kind === 'no-record')
      return { attempt: { ...next, state: 'failed-temporary', never: true }, facts };
    return {
      attempt: { ...next, state: 'unknown', ...(answer.kind === 'cannot' ? { mute: true } : {}) },
      facts,
    };
  });
};

/**
 * Writes what is now known of one attempt, together with when the notice is owed next. A receipt may have written in between: then
 * what it found is kept and what we learnt is added.
 */
const settle = async (
  d: Deliverer,
  about: About,
  attemptId: string,
  learn: Learnt,
  counters: readonly Counting[] = [],
): Promise<'rest' | 'on'> => {
  let { row } = about;
  for (let race = 1; race <= RACES; race += 1) {
    const now = d.clock.now().getTime();
    const before = row.attempts.find(({ id }) => id === attemptId);
    if (!before) throw new Error(`The attempt ${attemptId} was never begun.`);
    const { attempt, facts } = learn(before);
    if (attempt.state !== before.state) attempt.seen = now;
    const attempts = row.attempts.map((one) => (one.id === attemptId ? attempt : one));
    const known: Facts = { ...about.facts, attempts };
    const next = nextStep(known, now);
    const failed = next.do === 'end' && next.why === 'unreachable';
    const standingNow =
      row.over !== undefined
        ? // A receipt was quicker than the answer and has ended it: what the answer tells and costs is kept all the same.
          { to: row.state }
        : {
            to: next.do === 'end' && !failed ? next.state : standing(attempts),
            louder: goesOn(known, attempt, now),
            ...(next.do === 'end' && !failed ? { over: next.why } : {}),
            ...(next.do === 'end' && !failed ? {} : { owedAt: next.do === 'wait' ? next.until : now }),
          };
    const noted = await d.store.step(about.owner, row, {
      ...standingNow,
      at: now,
      attempts,
      ...(row.over !== undefined && attempt.state === before.state
        ? {}
        : {
            facts: {
              state: attempt.state,
              attempt: attempt.n,
              vendor: attempt.vendor,
              ...facts,
              ...(next.do === 'end' && next.why === 'no-receipt' ? { receipt: 'none' } : {}),
            },
          }),
      counters,
    });
    if (!noted) {
      await d.backoff(race);
      const fresh = await d.store.notice(about.owner, row.notice.id);
      if (!fresh) return 'rest';
      row = fresh;
      continue;
    }
    if (row.over !== undefined) return 'rest';
    if (next.do === 'end' && !failed) {
      ended(d, row.notice, next.state, next.why);
      return 'rest';
    }
    if (next.do !== 'wait') return 'on';
    // Every way has failed, three times and for seconds: the desk has to telephone, and somebody has to look at the vendors.
    const taken = attempts.some(({ state }) => state === 'sent' || state === 'delivered' || state === 'read');
    if (INSISTENT.has(row.notice.kind) && !taken && attempts.length >= ALARMING_TRIES)
      d.log.count('Unreached');
    if (next.exact) await wakeAt(d, { ...about, row: noted }, next.until);
    return 'rest';
  }
  throw new Error(`The attempt ${attemptId} lost ${RACES} races in a row.`);
};

/** Would something still follow if this attempt arrived now? Then a receipt alone does not end the notice. */
const goesOn = (facts: Facts, attempt: Attempt, now: Instant): boolean =>
  nextStep(
    {
      ...facts,
      attempts: facts.attempts.map((one) =>
        one.id === attempt.id ? { ...one, state: 'delivered', seen: now } : one,
      ),
    },
    now,
  ).do !== 'end';
