import type { District } from '#shared/domain/district.ts';
import { limitOf } from '#shared/domain/ladder.ts';
import { OVER, personOf, type Incident, type Instant } from '#shared/domain/incident.ts';
import { ASKING_KINDS, type AttemptState } from '#shared/domain/notice.ts';
import {
  neutralCode,
  renderNotice,
  shortNumber,
  type NoticeFacts,
  type NoticeKind,
  type Texts,
} from '#shared/domain/texts.ts';
import type { Clock } from '#shared/ports/clock.ts';
import type { Log } from '#shared/ports/log.ts';
import type { NoticeJob, Queues } from '#shared/ports/queue.ts';
import type { SendResult, Sender } from '#shared/ports/sender.ts';
import { REJECTS_OWNER, type NoticeRow, type Store } from '#shared/ports/store.ts';

/** What delivering needs. */
export interface Deliverer {
  store: Store;
  queues: Pick<Queues, 'notices'>;
  sender: Sender;
  /** Names an attempt so that its receipt leads back to the notice. */
  attemptId(owner: string, noticeId: string, n: number): string;
  clock: Clock;
  log: Log;
  district: District;
  texts: Texts;
}

/** Kinds that ask a person for the first time. */
const FIRST_ASKS: ReadonlySet<NoticeKind> = new Set(['ask', 'ask-secret', 'reinforce', 'reopened']);
/**
 * Seconds before the next try after a refusal that may pass. Short at first, because the first rung is one minute; together
 * three minutes, because a vendor's flow control by the minute lasts that long. One try more than there are waits; whoever
 * cannot be reached then is a failure that is counted and alarmed, and the climb goes on.
 */
const RETRY_SECONDS = [2, 4, 8, 16, 30, 60, 60] as const;
const MOST_ATTEMPTS = RETRY_SECONDS.length + 1;
/** So long after `sending` another deliverer may still be in the middle of the call, which takes 3 s at most. */
const BUSY_MS = 10_000;

/** A receipt comes within seconds; after this long its absence is a fact for the trail. */
const RECEIPT_MS = 60_000;

const UNDONE: readonly AttemptState[] = ['pending', 'failed-temporary'];

/**
 * Delivers one notice: is it still wanted, claim it, call the vendor, write down what came of it. `sending` is written
 * before the call; who finds an abandoned `sending` asks the vendor first, because the vendor is not idempotent.
 * Never lost; doubled only after a crash or a vendor's time-out, and then counted. One call of the vendor's each time: a
 * further one is another message of the queue, so that no vendor can hold a function until it is killed.
 */
export const deliver = async (d: Deliverer, job: NoticeJob): Promise<void> => {
  const row = await d.store.notice(job.owner, job.noticeId);
  if (!row) throw new Error(`There is no notice ${job.noticeId} of ${job.owner}.`);
  const now = d.clock.now().getTime();
  switch (row.state) {
    case 'pending':
    case 'failed-temporary':
      return attempt(d, job.owner, row);
    case 'sending':
      if (now - (row.sentAt ?? 0) < BUSY_MS) return lookAgain(d, job, (row.sentAt ?? 0) + BUSY_MS - now);
      return findOut(d, job.owner, row);
    case 'unknown':
      return findOut(d, job.owner, row);
    case 'sent':
      return now - (row.sentAt ?? 0) < RECEIPT_MS ? undefined : missReceipt(d, job.owner, row);
    case 'delivered':
    case 'failed-permanent':
    case 'suppressed':
      return undefined;
  }
};

const lookAgain = (d: Deliverer, job: NoticeJob, ms: number): Promise<void> =>
  d.queues.notices([{ owner: job.owner, noticeId: job.noticeId }], Math.ceil(ms / 1000));

/** Is nobody helped any more by this notice? Checked immediately before the vendor is called. */
const isMoot = (incident: Incident | undefined, row: NoticeRow): boolean => {
  if (!incident) return false;
  const { kind, to, at } = row.notice;
  if (!ASKING_KINDS.has(kind)) return false;
  if (OVER.has(incident.state)) return true;
  // By time, not by round: a restarted workflow raises the round too, and takes nothing back that was asked.
  if (incident.reopenedAt !== undefined && at < incident.reopenedAt) return true;
  const person = personOf(incident, to);
  if (kind === 'nag') return incident.lead !== undefined;
  return person?.accepted !== undefined || person?.declined !== undefined || person?.stood === true;
};

const attempt = async (d: Deliverer, owner: string, row: NoticeRow): Promise<void> => {
  const { store, clock } = d;
  const { notice } = row;
  const incident =
    owner === REJECTS_OWNER ? undefined : (await store.load(owner.slice('INC#'.length)))?.incident;
  const at = clock.now().getTime();
  if (isMoot(incident, row)) {
    await store.step(owner, row, { from: UNDONE, to: 'suppressed', at });
    return;
  }
  const member = (await store.roster()).find((one) => one.id === notice.to);
  if (!member) {
    await giveUp(d, owner, row, 'left-the-roster');
    return;
  }
  const n = row.attempts + 1;
  const attemptId = d.attemptId(owner, notice.id, n);
  const { code, params, text } = renderNotice(d.texts, notice.kind, factsOf(d.district, incident, row, at));
  const claimed = await store.step(owner, row, {
    from: UNDONE,
    to: 'sending',
    at,
    set: { attemptId, sentAt: at, attempts: n },
    // Found by reconcile at once should we die in the call: ten seconds later the vendor is asked.
    owedAt: at,
    facts: { attempt: n, channel: 'sms', vendor: 'aliyun-sms' },
  });
  // Somebody else holds it: SQS delivers at least once.
  if (!claimed) return;
  const result = await d.sender.send({
    attemptId,
    to: member.phone,
    message: {
      kind: notice.kind,
      template: { code, params, order: d.texts.templates[notice.kind].params },
      signName: d.texts.signName,
      text,
    },
  });
  await settle(d, owner, claimed, attemptId, result);
};

const settle = async (
  d: Deliverer,
  owner: string,
  row: NoticeRow,
  attemptId: string,
  result: SendResult,
): Promise<void> => {
  const { store, clock } = d;
  const at = clock.now().getTime();
  switch (result.kind) {
    case 'accepted':
      // A receipt may have overtaken the answer; then the notice is delivered already and stays so.
      await store.step(owner, row, {
        from: ['sending'],
        attemptId,
        to: 'sent',
        at,
        set: { vendorId: result.vendorId },
        owedAt: at + RECEIPT_MS,
      });
      return;
    case 'unknown': {
      const noted = await store.step(owner, row, {
        from: ['sending'],
        attemptId,
        to: 'unknown',
        at,
        owedAt: at,
        facts: { why: result.sentence },
      });
      if (noted) await findOut(d, owner, noted);
      return;
    }
    case 'refused':
      if (!result.temporary || row.attempts >= MOST_ATTEMPTS)
        return giveUp(d, owner, row, result.code, attemptId);
      await tryAgain(d, owner, row, waitOf(row), { code: result.code });
  }
};

/** Milliseconds until the attempt after this row's latest one. */
const waitOf = (row: NoticeRow): number => (RETRY_SECONDS[row.attempts - 1] ?? 60) * 1000;

/** The latest attempt has failed and another one is due after so many milliseconds. False: somebody else knew better. */
const tryAgain = async (
  d: Deliverer,
  owner: string,
  row: NoticeRow,
  ms: number,
  facts: Record<string, string | boolean>,
): Promise<boolean> => {
  const at = d.clock.now().getTime();
  const noted = await d.store.step(owner, row, {
    from: ['sending', 'unknown'],
    ...(row.attemptId === undefined ? {} : { attemptId: row.attemptId }),
    to: 'failed-temporary',
    at,
    owedAt: at + ms,
    facts,
  });
  if (noted) await lookAgain(d, { owner, noticeId: row.notice.id }, ms);
  return noted !== undefined;
};

/**
 * The vendor took a text and no receipt came: he is asked once, and that nothing is known stands in the trail. It is not
 * sent again, because the climb goes on anyway and a double would only disturb.
 */
const missReceipt = async (d: Deliverer, owner: string, row: NoticeRow): Promise<void> => {
  const { attemptId, sentAt } = row;
  const member = (await d.store.roster()).find((one) => one.id === row.notice.to);
  const answer =
    member && attemptId !== undefined && sentAt !== undefined
      ? await d.sender.ask({ attemptId, to: member.phone, sentAt: new Date(sentAt) })
      : ({ kind: 'no-answer' } as const);
  const state = answer.kind === 'known' ? answer.state : 'waiting';
  const to = state === 'delivered' ? 'delivered' : state === 'failed' ? 'failed-permanent' : 'sent';
  const noted = await d.store.step(owner, row, {
    from: ['sent'],
    ...(attemptId === undefined ? {} : { attemptId }),
    to,
    at: d.clock.now().getTime(),
    facts: { receipt: 'none', asked: true, answer: answer.kind === 'known' ? answer.state : answer.kind },
  });
  if (noted && to === 'failed-permanent') d.log.count('NoticeFailed');
};

/** Asks the vendor what became of an attempt whose answer never came, and goes on from there. */
const findOut = async (d: Deliverer, owner: string, row: NoticeRow): Promise<void> => {
  const { store, clock } = d;
  const { attemptId, sentAt } = row;
  const member = (await store.roster()).find((one) => one.id === row.notice.to);
  if (!member) return giveUp(d, owner, row, 'left-the-roster', attemptId);
  if (attemptId === undefined || sentAt === undefined)
    throw new Error(`The notice ${row.notice.id} of ${owner} is being sent, but no attempt is written.`);
  const answer = await d.sender.ask({ attemptId, to: member.phone, sentAt: new Date(sentAt) });
  const at = clock.now().getTime();
  const from = ['sending', 'unknown'] as const;
  if (answer.kind === 'known') {
    const to =
      answer.state === 'delivered' ? 'delivered' : answer.state === 'failed' ? 'failed-permanent' : 'sent';
    const noted = await store.step(owner, row, {
      from,
      attemptId,
      to,
      at,
      facts: { asked: true, ...(answer.code ? { code: answer.code } : {}) },
    });
    if (noted && to === 'failed-permanent') d.log.count('NoticeFailed');
    return;
  }
  if (row.attempts >= MOST_ATTEMPTS) return giveUp(d, owner, row, 'vendor-silent', attemptId);
  const never = answer.kind === 'no-record';
  const freed = await tryAgain(d, owner, row, never ? 0 : waitOf(row), { asked: true, answer: answer.kind });
  // No other vendor is configured yet: a double is better than a loss, and it is counted.
  if (freed && !never) d.log.count('NoticeDoubled');
};

/** The notice cannot be brought to this phone: written down, counted; the climb goes on without it. */
const giveUp = async (
  d: Deliverer,
  owner: string,
  row: NoticeRow,
  code: string,
  attemptId?: string,
): Promise<void> => {
  const at = d.clock.now().getTime();
  const noted = await d.store.step(owner, row, {
    from: attemptId === undefined ? UNDONE : ['sending', 'unknown'],
    ...(attemptId === undefined ? {} : { attemptId }),
    to: 'failed-permanent',
    at,
    facts: { code },
  });
  if (!noted) return;
  d.log.count('NoticeFailed');
  d.log.info('notice-failed', { notice: row.notice.id, kind: row.notice.kind, code });
};

const factsOf = (
  district: District,
  incident: Incident | undefined,
  row: NoticeRow,
  now: Instant,
): NoticeFacts => {
  const { notice } = row;
  const at = new Date(now);
  if (!incident) return { number: shortNumber(notice.id), note: notice.note, at };
  const promised = incident.deadlines[notice.rung ?? 'accept'];
  // Who is asked when the promise is already broken has his own minute; "too late" would only discourage him.
  const own = notice.at + (limitOf(incident.ladder ?? [], 'accept') ?? 60) * 1000;
  const deadline = FIRST_ASKS.has(notice.kind) && (promised ?? 0) <= notice.at ? own : promised;
  const hidden = incident.secret || (incident.classification?.danger.length ?? 0) > 0;
  return {
    number: shortNumber(incident.id),
    place: hidden ? undefined : incident.place?.name,
    code: neutralCode(district.categories, incident.classification?.category ?? ''),
    rung: notice.rung,
    deadline: deadline === undefined ? undefined : new Date(deadline),
    note: notice.note,
    at,
  };
};
