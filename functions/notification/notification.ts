import type { District } from '#shared/domain/district.ts';
import { OVER, personOf, type Incident, type Instant } from '#shared/domain/incident.ts';
import { ASKING_KINDS, type AttemptState } from '#shared/domain/notice.ts';
import {
  neutralCode,
  renderNotice,
  shortNumber,
  type NoticeFacts,
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

/** So often a vendor is tried for one notice before the desk is told that it does not get through. */
const MOST_ATTEMPTS = 6;
/** Seconds before the next try after a refusal that may pass; short, because the first rung is one minute. */
const RETRY_SECONDS = 2;
/** A vendor that gives no answer is asked about the attempt; another sender may be doing so at this moment. */
const BUSY_MS = 10_000;
/** What is still owed is looked at by reconcile after this long. */
const OWED_AGAIN_MS = 15_000;

const UNDONE: readonly AttemptState[] = ['pending', 'failed-temporary', 'unknown'];

/**
 * Delivers one notice: is it still wanted, claim it, call the vendor, write down what came of it. `sending` is written
 * before the call; who finds an abandoned `sending` asks the vendor first, because the vendor is not idempotent.
 * Never lost; doubled only after a crash or a vendor's time-out, and then counted.
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
      if (now - (row.sentAt ?? 0) < BUSY_MS) return undefined;
      return findOut(d, job.owner, row);
    case 'unknown':
      return findOut(d, job.owner, row);
    case 'sent':
    case 'delivered':
    case 'failed-permanent':
    case 'suppressed':
      return undefined;
  }
};

/** Is nobody helped any more by this notice? Checked immediately before the vendor is called. */
const isMoot = (incident: Incident | undefined, row: NoticeRow): boolean => {
  if (!incident) return false;
  const { kind, to, round } = row.notice;
  if (!ASKING_KINDS.has(kind)) return false;
  if (incident.round !== round && kind !== 'nag')
    return incident.round > round && incident.reopenedAt !== undefined;
  if (OVER.has(incident.state)) return true;
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
  const { code, params } = renderNotice(d.texts, notice.kind, factsOf(d.district, incident, row, at));
  const claimed = await store.step(owner, row, {
    from: UNDONE,
    to: 'sending',
    at,
    set: { attemptId, sentAt: at, attempts: n },
    owedAt: at + OWED_AGAIN_MS,
    facts: { attempt: n, channel: 'sms', vendor: 'aliyun-sms' },
  });
  // Somebody else holds it: SQS delivers at least once.
  if (!claimed) return;
  const result = await d.sender.send({
    attemptId,
    to: member.phone,
    template: { code, params },
    signName: d.texts.signName,
  });
  const held = await store.notice(owner, notice.id);
  if (held) await settle(d, owner, held, attemptId, result);
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
      if (!noted) return;
      const held = await store.notice(owner, row.notice.id);
      if (held) await findOut(d, owner, held);
      return;
    }
    case 'refused':
      if (!result.temporary || row.attempts >= MOST_ATTEMPTS) return giveUp(d, owner, row, result.code);
      await store.step(owner, row, {
        from: ['sending'],
        attemptId,
        to: 'failed-temporary',
        at,
        owedAt: at + RETRY_SECONDS * 1000,
        facts: { code: result.code },
      });
      await d.queues.notices([{ owner, noticeId: row.notice.id }], RETRY_SECONDS);
  }
};

/** Asks the vendor what became of an attempt whose answer never came, and goes on from there. */
const findOut = async (d: Deliverer, owner: string, row: NoticeRow): Promise<void> => {
  const { store, clock } = d;
  const { attemptId, sentAt } = row;
  const member = (await store.roster()).find((one) => one.id === row.notice.to);
  if (attemptId === undefined || sentAt === undefined || !member) return attempt(d, owner, row);
  const answer = await d.sender.ask({ attemptId, to: member.phone, sentAt: new Date(sentAt) });
  const at = clock.now().getTime();
  const from = ['sending', 'unknown'] as const;
  if (answer.kind === 'known') {
    const to =
      answer.state === 'delivered' ? 'delivered' : answer.state === 'failed' ? 'failed-permanent' : 'sent';
    await store.step(owner, row, {
      from,
      attemptId,
      to,
      at,
      facts: { asked: true, ...(answer.code ? { code: answer.code } : {}) },
    });
    if (to === 'failed-permanent') d.log.count('NoticeFailed');
    return;
  }
  if (row.attempts >= MOST_ATTEMPTS) return giveUp(d, owner, row, 'vendor-silent');
  // No other vendor is configured yet: a double is better than a loss, and it is counted.
  if (answer.kind === 'no-answer') d.log.count('NoticeDoubled');
  const freed = await store.step(owner, row, {
    from,
    attemptId,
    to: 'failed-temporary',
    at,
    owedAt: at,
    facts: { asked: true, answer: answer.kind },
  });
  if (!freed) return;
  const held = await store.notice(owner, row.notice.id);
  if (held) await attempt(d, owner, held);
};

/** The notice cannot be brought to this phone: written down, counted; the climb goes on without it. */
const giveUp = async (d: Deliverer, owner: string, row: NoticeRow, code: string): Promise<void> => {
  const at = d.clock.now().getTime();
  const noted = await d.store.step(owner, row, {
    from: [...UNDONE, 'sending'],
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
  const deadline = incident.deadlines[notice.rung ?? 'accept'];
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
