import { refused, type Refused } from '#shared/contracts/errors.ts';
import { LARGEST_BODY } from '#shared/contracts/routes.ts';
import { handsAt } from '#shared/domain/hands.ts';
import type { District } from '#shared/domain/district.ts';
import type { Clock } from '#shared/ports/clock.ts';
import type { Ids } from '#shared/ports/ids.ts';
import type { Log } from '#shared/ports/log.ts';
import { jobsOf, type Queues } from '#shared/ports/queue.ts';
import type { Secrets } from '#shared/ports/secrets.ts';
import { REJECTS_OWNER, type Store } from '#shared/ports/store.ts';
import { checkSignature, type Signature } from './signature.ts';

/** A signed message, byte for byte. Header names are small letters. */
export interface Message {
  headers: Record<string, string>;
  raw: Buffer;
}

/** What guarding the webhooks needs. */
export interface Guard {
  store: Store;
  queues: Pick<Queues, 'notices'>;
  secrets: Secrets;
  clock: Clock;
  ids: Pick<Ids, 'ulid'>;
  log: Log;
  district: District;
}

/** Individual texts about rejected messages in one window; a broken sender must not flood the duty officer. */
const TEXTS_PER_WINDOW = 10;
const WINDOW_MS = 5 * 60_000;
/** Problems kept with a message; more do not help anybody to repair it. */
const MOST_PROBLEMS = 20;
/** A kept body grows when it is sealed; what would become larger than this is kept as base64 instead. Bytes. */
const LARGEST_KEPT = 160_000;

const UNSIGNED: Record<Exclude<Signature, 'valid'>, Refused> = {
  missing: refused(
    'signature_missing',
    '缺少签名：需要 webhook-id、webhook-timestamp 和 webhook-signature。',
  ),
  stale: refused('signature_stale', '签名时间与本系统时间相差超过 5 分钟，请核对时钟后重新签名。'),
  wrong: refused('signature_wrong', '签名不正确，请核对密钥。'),
};

/**
 * Lets only signed messages of a bearable size through. Too long is 413 whoever sent it; the signature decides only
 * whether it is kept. Unsigned messages are counted, not kept.
 * @returns the refusal, or undefined when the message may be read.
 */
export const guard = async (g: Guard, { headers, raw }: Message): Promise<Refused | undefined> => {
  const { webhookKeys } = await g.secrets.district();
  const signature = checkSignature(webhookKeys, headers, raw, g.clock.now());
  if (signature !== 'valid') g.log.count('Unsigned');
  if (raw.length > LARGEST_BODY) {
    const message = `内容有 ${raw.length} 字节，超过上限 ${LARGEST_BODY} 字节。`;
    if (signature === 'valid') await keep(g, 413, [message], raw);
    return refused('too_large', message);
  }
  return signature === 'valid' ? undefined : UNSIGNED[signature];
};

/** The message as text where it is text; otherwise as a data URL, so that no byte of it is lost. */
const keepable = (raw: Buffer): string => {
  const head = raw.subarray(0, LARGEST_BODY);
  try {
    // A cut through the middle of a character takes that character away, not the whole text.
    const text = new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: raw.length > head.length });
    if (Buffer.byteLength(JSON.stringify(text)) <= LARGEST_KEPT) return text;
  } catch {
    // No text: below.
  }
  return `data:application/octet-stream;base64,${head.toString('base64')}`;
};

/** Keeps a signed message that cannot be taken, and tells the duty officer: nothing from 110 is thrown away. */
export const keep = async (
  { store, queues, clock, ids, log, district }: Guard,
  status: 400 | 413,
  problems: readonly string[],
  raw: Buffer,
): Promise<void> => {
  log.count('Rejected');
  const now = clock.now();
  const at = now.getTime();
  const window = Math.floor(at / WINDOW_MS);
  const [n, roster] = await Promise.all([
    store.tally(`rejected-${window}`, (window + 2) * WINDOW_MS),
    store.roster(),
  ]);
  const hands = handsAt(roster, district.shifts, [], now);
  // An empty step is skipped: with no duty officer on shift the street leader hears of it.
  const to = n <= TEXTS_PER_WINDOW ? (hands.duty[0] ?? hands.street[0]) : undefined;
  const id = ids.ulid();
  const notices = to
    ? [{ id: `00.${id}`, to: to.id, kind: 'desk' as const, note: 'rejected' as const, at, round: 1 }]
    : [];
  const kept = {
    id,
    at,
    status,
    problems: problems.slice(0, MOST_PROBLEMS),
    body: keepable(raw),
    bytes: raw.length,
  };
  await store.reject(kept, notices);
  log.info('rejected', { rejected: id, status, told: notices.length });
  if (notices.length === 0) return;
  await queues
    .notices(jobsOf(REJECTS_OWNER, notices))
    // Owed in the table: reconcile sends it.
    .catch((error: unknown) => log.error('left-to-reconcile', error, { rejected: id }));
};
