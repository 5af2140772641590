import { createHash, timingSafeEqual } from 'node:crypto';
import { refused, type Outcome } from '#shared/contracts/errors.ts';
import { isCanary } from '#shared/domain/canary.ts';
import { vendorSchema, type Vendor } from '#shared/domain/channel.ts';
import { advances, standing } from '#shared/domain/delivery.ts';
import { LEDGER_MS, arrived, ledgerFor } from '#shared/domain/ledger.ts';
import type { Attempt } from '#shared/domain/notice.ts';
import { jobsOf } from '#shared/ports/queue.ts';
import type { Secrets } from '#shared/ports/secrets.ts';
import type { Callback, Inbound } from '#shared/ports/sender.ts';
import { sentAs } from '#shared/ports/sent-name.ts';
import type { NoticeRow } from '#shared/ports/store.ts';
import { takeReply, type ReplyTaker } from './reply.ts';
import type { CountUnknown } from './unknown.ts';

/** What became of one attempt, as a vendor tells it. */
type Receipt = Extract<Inbound, { kind: 'receipt' }>;

/** What taking receipts needs. */
export interface ReceiptTaker extends ReplyTaker {
  secrets: Secrets;
  vendors: Readonly<Partial<Record<Vendor, Callback>>>;
  unknown: CountUnknown;
}

const TRIES = 5;
/** Receipts of one post that are worked on at the same time. */
const AT_ONCE = 10;

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/**
 * Takes the receipts that a vendor posts to the unguessable path. Always answers what the vendor wants to hear: a
 * receipt that we do not know is counted, not refused, because the vendor would only send it again.
 */
export const takeReceipts = async (
  taker: ReceiptTaker,
  path: { vendor?: string; token?: string },
  raw: Buffer,
): Promise<Outcome> => {
  const { receiptToken } = await taker.secrets.district();
  const vendor = vendorSchema.safeParse(path.vendor).data;
  const callback = vendor && taker.vendors[vendor];
  // Of equal length and in constant time: an answer's duration must not tell how much of the token was right.
  const known = timingSafeEqual(digest(path.token ?? ''), digest(receiptToken));
  if (!callback || !known) return refused('not_found', '没有这个地址。');
  const all = read(taker, callback, raw);
  // A vendor posts as many as a hundred at once, and posts them again when that takes long; they concern different notices.
  const receipts = all.filter((one) => one.kind === 'receipt').values();
  const hand = async (): Promise<void> => {
    for (const receipt of receipts) await take(taker, vendor, receipt);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, hand));
  // What people answer counts in the order in which they said it.
  for (const inbound of all) if (inbound.kind === 'reply') await takeReply(taker, vendor, inbound);
  return { kind: 'done', body: callback.ack };
};

const read = ({ unknown }: ReceiptTaker, callback: Callback, raw: Buffer): Inbound[] => {
  const unreadable = (sentence: string): void => unknown({ sentence });
  try {
    return callback.parse(raw.toString('utf8'), unreadable);
  } catch {
    // The parser's message may quote the body, which holds phone numbers.
    unreadable('the body holds no receipts');
    return [];
  }
};

/** What a receipt is about: a known attempt of this very vendor. Anything else is a mistake or a forgery. */
const attemptOf = (row: NoticeRow | undefined, vendor: Vendor, receipt: Receipt): Attempt | undefined => {
  const attempt = row?.attempts.find(({ id }) => id === receipt.attemptId);
  if (attempt?.vendor !== vendor) return undefined;
  const foreign =
    attempt.vendorId !== undefined && receipt.vendorId !== undefined && attempt.vendorId !== receipt.vendorId;
  return foreign ? undefined : attempt;
};

/**
 * Our attempt that a receipt is about: by our id, or by the vendor's own where he does not bring ours back. He may be quicker than we
 * write his id down.
 */
const idOf = async (
  { memos, secrets, clock, backoff }: ReceiptTaker,
  vendor: Vendor,
  { attemptId, vendorId }: Receipt,
): Promise<string | undefined> => {
  // What was sent before vendors got veiled names comes back as it was.
  if (attemptId !== undefined) return (await secrets.vault()).unveil(attemptId) ?? attemptId;
  if (vendorId === undefined) return undefined;
  for (let look = 1; look <= TRIES; look += 1) {
    const found = await sentAs(memos, vendor, vendorId, clock.now().getTime());
    if (found !== undefined) return found;
    await backoff(look);
  }
  return undefined;
};

/** A receipt only advances a known attempt. It never touches the incident, so that a forged one cannot stop the climb. */
const take = async (taker: ReceiptTaker, vendor: Vendor, said: Receipt): Promise<void> => {
  const attemptId = await idOf(taker, vendor, said);
  const receipt = { ...said, ...(attemptId === undefined ? {} : { attemptId }) };
  // Whoever sent it asks for itself.
  if (isCanary(receipt.attemptId)) return;
  const { store, clock, log } = taker;
  const found = receipt.attemptId === undefined ? undefined : await store.byAttempt(receipt.attemptId);
  const to = receipt.state === 'failed' ? 'failed-permanent' : receipt.state;
  for (let race = 1; race <= TRIES; race += 1) {
    const row = found && (await store.notice(found.owner, found.noticeId));
    const before = attemptOf(row, vendor, receipt);
    if (!row || !before) {
      return taker.unknown({ vendor, ...(receipt.code ? { code: receipt.code } : {}) });
    }
    if (!advances(before.state, to)) return;
    const at = clock.now().getTime();
    const attempt: Attempt = {
      ...before,
      state: to,
      seen: at,
      ...(receipt.code ? { code: receipt.code } : {}),
    };
    const attempts = row.attempts.map((one) => (one.id === attempt.id ? attempt : one));
    const failed = to === 'failed-permanent';
    // Bad news of an older attempt changes nothing while the latest one is under way.
    const last = attempts.at(-1)?.state;
    const idle = last === 'failed-permanent' || last === 'failed-temporary';
    // A receipt without anything louder left is all that could be hoped for.
    const over = row.over ?? (failed || row.louder ? undefined : 'arrived');
    const stepped = await store.step(found.owner, row, {
      to: row.over !== undefined && failed ? row.state : standing(attempts),
      at,
      attempts,
      ...(over === undefined ? {} : { over }),
      ...(over !== undefined ? {} : { owedAt: failed && idle ? at : 'same' }),
      facts: { state: to, attempt: attempt.n, vendor, receipt: true, code: receipt.code },
      ...(failed
        ? {}
        : {
            counters: [
              {
                name: ledgerFor(at, row.notice.to),
                add: arrived(vendor, at - before.at),
                expires: at + LEDGER_MS,
              },
            ],
          }),
    });
    if (!stepped) {
      // Somebody took a step between our read and our write: look again.
      await taker.backoff(race);
      continue;
    }
    if (
      !failed &&
      before.never &&
      attempts.some((one) => one.n > attempt.n && one.channel === attempt.channel)
    ) {
      log.count('NoticeDoubled');
      log.info('notice-doubled', { cause: 'denied-by-vendor', vendor });
    }
    if (failed && idle && over === undefined)
      await taker.queues.notices(jobsOf(found.owner, [row.notice])).catch((error: unknown) => {
        // Written as owed: reconcile finds it.
        log.error('left-to-reconcile', error, { notice: row.notice.id });
      });
    return;
  }
  // The notice stays `sent`, which is where it was without the receipt.
  log.error('receipt-raced', new Error(`lost ${TRIES} races in a row`), { code: receipt.code });
};
