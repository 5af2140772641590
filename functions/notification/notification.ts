import { advances, nextStep, standing, type Facts, type Step } from '#shared/domain/delivery.ts';
import type { Instant } from '#shared/domain/incident.ts';
import { FIRST_ASKS, laneOf, type Attempt, type AttemptState, type Notice } from '#shared/domain/notice.ts';
import { addressOf, type Member } from '#shared/domain/roster.ts';
import { CALLER_KINDS } from '#shared/domain/notice-kind.ts';
import {
  TAKEN_MS,
  isCodeLost,
  isUnreached,
  leaveUnreached,
  leaveWithoutCode,
} from '#shared/domain/unreached.ts';
import { priceOf } from '#shared/domain/vendors.ts';
import { move } from '#shared/ports/move.ts';
import { changeDevices } from '#shared/ports/push-devices.ts';
import { delayUntil, jobsOf } from '#shared/ports/queue.ts';
import type { SendResult } from '#shared/ports/sender.ts';
import { rememberSent } from '#shared/ports/sent-name.ts';
import {
  REJECTS_OWNER,
  incidentIdOf,
  type Counting,
  type NoticeRow,
  type NoticeStep,
} from '#shared/ports/store.ts';
import type { Deliverer } from './deliverer.ts';
import { lookAt, heldName, type About } from './look.ts';
import { bookingOf, countersOf, overCap } from './spending.ts';
import { signals, distrust } from './vendor-trouble.ts';
import { wordsOf, lengthOf } from './words.ts';

/** Steps of one run: more would be a loop. */
const MOST_STEPS = 24;
/** A run that has taken this long hands the rest to another message, so that no vendor can hold a function until it is killed. */
const PATIENCE_MS = 5_000;
/** A race is lost to a receipt or to a twin, seldom more than once. */
const RACES = 6;
/** So many failed calls for one notice are more than a hiccup of one vendor; within ten seconds of the first. */
const ALARMING_TRIES = 3;
/** A vendor that tells of arrivals tells within this time, or stands in doubt. */
const PROOF_MS = 10_000;
const DAY_MS = 86_400_000;

/** A notice and its owner, as the queue names it. */
export interface Job {
  owner: string;
  noticeId: string;
}

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
    if (n === 0 && about.facts.moot === undefined) alarm(d, row, step, now);
    if (n > 0 && now - began > PATIENCE_MS && (step.do === 'call' || step.do === 'ask'))
      return wakeAt(d, about, now);
    if ((await take(d, about, step, now)) === 'rest') return;
  }
  throw new Error(`The notice ${job.noticeId} of ${job.owner} took ${MOST_STEPS} steps in one run.`);
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

/** Ten seconds, and no vendor has it: the desk has to telephone, and somebody has to look at the vendors. */
const alarm = (d: Deliverer, row: NoticeRow, step: Step, now: Instant): void => {
  // Left in the middle of a call: the vendor may have it, and is asked now.
  const left = step.do === 'ask' && step.attempt.state === 'sending';
  if (now - row.notice.at >= TAKEN_MS && step.do !== 'end' && !left && isUnreached(row, now))
    d.log.count('Unreached');
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
  // Not his phone but his number's budget: whoever reads that he was passed over must see that.
  const because = gone === 'unreachable' && about.spent.length > 0 ? ('budget' as const) : undefined;
  if (why === 'unreachable' && owner !== REJECTS_OWNER && FIRST_ASKS.has(row.notice.kind))
    await move(d, incidentIdOf(owner), ({ incident, hands, now: at }) => {
      const change = leaveUnreached(incident, row.notice.to, hands, at, because);
      return { ...(change ? { change } : {}), result: undefined };
    });
  if (owner !== REJECTS_OWNER && isCodeLost(row, gone)) await tellWithoutCode(d, about);
  // What was cut short is told as such, although the notice stays as far as it got.
  const told = row.attempts.length > 0 && about.facts.moot !== undefined ? 'cancelled' : state;
  const noted = await write(d, about, {
    to: state,
    at: now,
    over: gone,
    facts: { state: told, why: gone, ...(because ? { because, with: about.spent.join(' ') } : {}) },
  });
  if (!noted) return 'on';
  ended(d, row.notice, state, gone);
  return 'rest';
};

/** Told before the notice is over, because nobody comes back to one that is; and once, because whoever comes back would tell it again. */
const tellWithoutCode = async (d: Deliverer, { owner, row }: About): Promise<void> => {
  const id = incidentIdOf(owner);
  const idempotencyKey = `without-code/${row.notice.id}`;
  await move(d, id, async ({ incident, hands, now }) =>
    (await d.store.done(id, idempotencyKey))
      ? { result: undefined }
      : {
          change: leaveWithoutCode(incident, row.notice.to, hands, now),
          beside: { idempotencyKey },
          result: undefined,
        },
  );
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
  if (laneOf(row.notice.kind) === 'chatter' && is.price.milli > 0 && (await overCap(d, now))) {
    const sent = row.attempts.length > 0 ? standing(row.attempts) : 'pending';
    const state = sent === 'sent' || sent === 'delivered' || sent === 'read' ? sent : 'suppressed';
    return finish(d, about, { do: 'end', state, why: 'soft-cap' }, now);
  }
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
  const result = await sender.send({ attemptId: await veiled(d, attempt), to, message });
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

/** An attempt as its vendor gets it: the incident's id stands in ours, and is none of his business. */
const veiled = async (d: Deliverer, { id }: Attempt): Promise<string> => (await d.secrets.vault()).veil(id);

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

/** Asks the vendor what became of an attempt whose answer or receipt never came. */
const findOut = async (d: Deliverer, about: About, asked: Attempt): Promise<'rest' | 'on'> => {
  const { member, devices, senders } = about;
  const sender = senders[asked.vendor];
  const to = member && addressOf(member, asked.vendor, devices);
  const answer =
    sender && to !== undefined
      ? await sender.ask({
          attemptId: await veiled(d, asked),
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
    // Who has to be told of its end is told by `finish`, which comes next.
    const failed =
      next.do === 'end' && (next.why === 'unreachable' || isCodeLost({ ...row, attempts }, next.why));
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
    // Vendors that hang use up the time that those who refuse leave for a third try: somebody looks at the tenth second.
    const tenth = noted.notice.at + TAKEN_MS;
    if (attempt.state === 'unknown' && attempt.asked === 1 && now < tenth && isUnreached(noted, tenth))
      await wakeAt(d, { ...about, row: noted }, tenth);
    if (next.do === 'end' && !failed) {
      ended(d, row.notice, next.state, next.why);
      return 'rest';
    }
    if (next.do !== 'wait') return 'on';
    // Every way has failed, three times and for seconds: nobody waits for the tenth.
    if (attempts.length >= ALARMING_TRIES && isUnreached(noted, now)) d.log.count('Unreached');
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
