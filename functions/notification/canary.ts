import * as z from 'zod';
import { CANARY, CANARY_ASKED_AFTER, canaryId, isCanary } from '#shared/domain/canary.ts';
import { vendorSchema, type Vendor } from '#shared/domain/channel.ts';
import { LEDGER_MS, charged, ledgerFor } from '#shared/domain/ledger.ts';
import { carries } from '#shared/domain/texts.ts';
import { renderNotice } from '#shared/domain/wording.ts';
import { priceOf } from '#shared/domain/vendors.ts';
import type { AskResult } from '#shared/ports/sender.ts';
import type { Deliverer } from './deliverer.ts';
import { signals } from './vendor-trouble.ts';

const HOUR_MS = 3_600_000;

/** What has to be known to ask about a canary that was sent. */
const sentSchema = z.object({ vendor: vendorSchema, sentAt: z.int(), vendorId: z.string() });

/**
 * Tries a vendor out: sends a message to the duty room's own telephone or account, and asks ten seconds later whether it has arrived, where
 * the vendor can be asked. What fails is a bad signal like that of any other message; three of them put the vendor off.
 * @param what a vendor's name, or the id of a canary that was sent
 */
export const canary = async (d: Deliverer, what: string): Promise<void> => {
  if (isCanary(what)) return findOut(d, what);
  const vendor = vendorSchema.parse(what);
  const to = d.district.canary?.[vendor];
  const is = d.vendors.vendors[vendor];
  const sender = (await d.senders())[vendor];
  // Taken out of the policy or of the secret meanwhile; or without approved words: that they are refused says nothing of the vendor.
  if (to === undefined || !is || !sender || is.channel === 'voice') return;
  if (!carries(d.texts, 'canary', vendor, d.approvedOnly)) return;
  const at = d.clock.now();
  const now = at.getTime();
  const { code, params, text } = renderNotice(d.texts, 'canary', { number: CANARY, at }, vendor);
  const attemptId = canaryId(vendor, now);
  const result = await sender.send({
    attemptId,
    to,
    message: {
      kind: 'canary',
      template: { code, params, order: d.texts.templates.canary.params },
      signName: d.texts.signName,
      text,
    },
  });
  await signals(d, vendor, result);
  if (result.kind !== 'accepted') return;
  await d.store.count({
    name: ledgerFor(now, CANARY),
    add: charged(vendor, priceOf(is, text.length + d.texts.signName.length + 2)),
    expires: now + LEDGER_MS,
  });
  if (!is.query) return;
  const value = { vendor, sentAt: now, vendorId: result.vendorId };
  await d.memos.write(attemptId, { version: 0, value, expires: now + HOUR_MS }, now);
  await d.queues.notices([{ owner: CANARY, noticeId: attemptId, lane: 'chatter' }], CANARY_ASKED_AFTER);
};

const findOut = async (d: Deliverer, attemptId: string): Promise<void> => {
  const memo = await d.memos.read(attemptId, d.clock.now().getTime());
  if (!memo) return;
  const { vendor, sentAt, vendorId } = sentSchema.parse(memo.value);
  const to = d.district.canary?.[vendor];
  const sender = (await d.senders())[vendor];
  if (to === undefined || !sender) return;
  const answer = await sender.ask({ attemptId, to, sentAt: new Date(sentAt), vendorId });
  if (came(answer)) return;
  d.log.info('canary-lost', { vendor, answer: answer.kind === 'known' ? answer.state : answer.kind });
  await lost(d, vendor);
};

/** Did it arrive, as far as the vendor can tell? */
const came = (answer: AskResult): boolean =>
  answer.kind === 'cannot' ||
  (answer.kind === 'known' && (answer.state === 'delivered' || answer.state === 'read'));

/** Accepted and not delivered is what a vendor's breakdown looks like from here. */
const lost = (d: Deliverer, vendor: Vendor): Promise<void> =>
  signals(d, vendor, { kind: 'unknown', sentence: '自检消息没有送达' });
