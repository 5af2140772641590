import { createHash, timingSafeEqual } from 'node:crypto';
import { refused, type Outcome } from '#shared/contracts/errors.ts';
import type { AttemptState } from '#shared/domain/notice.ts';
import type { Backoff } from '#shared/ports/backoff.ts';
import type { Clock } from '#shared/ports/clock.ts';
import type { Log } from '#shared/ports/log.ts';
import type { Secrets } from '#shared/ports/secrets.ts';
import type { Callback, Inbound } from '#shared/ports/sender.ts';
import type { Store } from '#shared/ports/store.ts';

/** What became of one attempt, as a vendor tells it. */
type Receipt = Extract<Inbound, { kind: 'receipt' }>;

/** What taking receipts needs. */
export interface ReceiptTaker {
  store: Store;
  secrets: Secrets;
  clock: Clock;
  log: Log;
  backoff: Backoff;
  vendors: Readonly<Record<string, Callback>>;
}

/** A receipt may come before the vendor's answer to the call: then the attempt is still `sending`. */
const OPEN: readonly AttemptState[] = ['sending', 'sent', 'unknown'];
const TRIES = 5;

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
  const vendor = Object.hasOwn(taker.vendors, path.vendor ?? '')
    ? taker.vendors[path.vendor ?? '']
    : undefined;
  // Of equal length and in constant time: an answer's duration must not tell how much of the token was right.
  const known = timingSafeEqual(digest(path.token ?? ''), digest(receiptToken));
  if (!vendor || !known) return refused('not_found', '没有这个地址。');
  for (const inbound of read(taker, vendor, raw)) {
    if (inbound.kind === 'receipt') await take(taker, inbound);
    // What a person answers is taken elsewhere; here it is only counted that it came.
    else taker.log.info('reply', { vendor: path.vendor ?? '' });
  }
  return { kind: 'done', body: vendor.ack };
};

const read = ({ log }: ReceiptTaker, vendor: Callback, raw: Buffer): Inbound[] => {
  const unreadable = (sentence: string): void => {
    log.count('ReceiptUnknown');
    log.info('receipt-unreadable', { sentence });
  };
  try {
    return vendor.parse(raw.toString('utf8'), unreadable);
  } catch {
    // The parser's message may quote the body, which holds phone numbers.
    unreadable('the body holds no receipts');
    return [];
  }
};

const take = async (taker: ReceiptTaker, receipt: Receipt): Promise<void> => {
  const delivered = receipt.state !== 'failed';
  const { store, clock, log } = taker;
  const found = receipt.attemptId === undefined ? undefined : await store.byAttempt(receipt.attemptId);
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const row = found && (await store.notice(found.owner, found.noticeId));
    if (!row) {
      log.count('ReceiptUnknown');
      log.info('receipt-unknown', { code: receipt.code });
      return;
    }
    const latest = row.attemptId === receipt.attemptId;
    // Of an older attempt only good news counts: the latest one is still under way.
    if (!latest && !delivered) return;
    const twice = !latest && (row.state === 'sent' || row.state === 'delivered');
    if (twice && attempt === 1) log.count('NoticeDoubled');
    // Delivered never goes back, and what failed for good stays failed unless the carrier says it arrived after all.
    const from: readonly AttemptState[] = delivered
      ? [...OPEN, 'failed-temporary', 'failed-permanent']
      : OPEN;
    if (!from.includes(row.state)) return;
    const stepped = await store.step(found.owner, row, {
      from,
      ...(row.attemptId === undefined ? {} : { attemptId: row.attemptId }),
      to: delivered ? 'delivered' : 'failed-permanent',
      at: clock.now().getTime(),
      facts: { receipt: true, code: receipt.code },
    });
    if (stepped) {
      if (!delivered) log.count('NoticeFailed');
      return;
    }
    // Somebody took a step between our read and our write: look again.
    await taker.backoff(attempt);
  }
  // The notice stays `sent`, which is where it was without the receipt.
  log.error('receipt-raced', new Error(`lost ${TRIES} races in a row`), { code: receipt.code });
};
