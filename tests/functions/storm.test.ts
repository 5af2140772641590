import { expect, test } from 'vitest';
import type { Vendor } from '#shared/domain/channel.ts';
import type { Notice } from '#shared/domain/notice.ts';
import type { AskResult, Callback, SendResult, Sender, Senders } from '#shared/ports/sender.ts';
import { REJECTS_OWNER } from '#shared/ports/store.ts';
import { deliver } from '../../functions/notification/notification.ts';
import { takeReceipts } from '../../functions/receipt/receipt.ts';
import { countUnknown } from '../../functions/receipt/unknown.ts';
import { T0 } from '../adapters/fixtures.ts';
import { Office } from './office.ts';

/** A small generator with a seed: the same storm every time. */
const dice = (seed: number) => (): number => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return seed / 2 ** 32;
};

const NOTICES = 400;
const VENDORS: Vendor[] = ['aliyun-sms', 'tencent-sms', 'aliyun-voice'];

/** What a vendor has really done: the truth that our rows are held against. */
interface Truth {
  noticeId: string;
  vendor: Vendor;
  attemptId: string;
}

test('four hundred notices through failing vendors, lost and doubled messages, and functions that die: none is lost', async () => {
  const office = await Office.open();
  const roll = dice(20_261_122);
  const rang: Truth[] = [];
  const receipts: { at: number; attemptId: string; vendor: Vendor }[] = [];
  const queue: { at: number; noticeId: string }[] = [];
  let deaths = 0;

  const vendorOf = (vendor: Vendor): Sender => ({
    async send({ attemptId }): Promise<SendResult> {
      const ours = (await secrets.vault()).unveil(attemptId) ?? '';
      const noticeId = ours.split('.').slice(1, -1).join('.');
      const luck = roll();
      const takes = (): void => {
        rang.push({ noticeId, vendor, attemptId });
        receipts.push({ at: office.time + Math.floor(roll() * 5_000), attemptId, vendor });
      };
      if (luck < 0.1)
        return { kind: 'refused', temporary: true, cause: 'moment', code: 'busy', sentence: '' };
      if (luck < 0.15) {
        // It may have gone out, or not: nobody hears.
        if (roll() < 0.5) takes();
        return { kind: 'unknown', sentence: '' };
      }
      if (luck < 0.2) {
        // The function dies in the call: before or after the vendor has it.
        if (roll() < 0.5) takes();
        deaths += 1;
        throw new Error('killed');
      }
      takes();
      return { kind: 'accepted', vendorId: `v-${attemptId}` };
    },
    async ask({ attemptId }): Promise<AskResult> {
      if (roll() < 0.3) return { kind: 'no-answer' };
      return rang.some((one) => one.attemptId === attemptId)
        ? { kind: 'known', state: 'waiting' }
        : { kind: 'no-record' };
    },
  });
  const senders: Senders = Object.fromEntries(VENDORS.map((vendor) => [vendor, vendorOf(vendor)]));
  // Their limits would end the storm: everything goes to a few numbers.
  for (const facts of Object.values(office.vendors.vendors)) facts.limits = [];
  const queues = {
    ...office.queues,
    notices: async (jobs: readonly { noticeId: string }[], delay = 0): Promise<void> => {
      // The queue loses one message in twenty, and brings one twice.
      for (const { noticeId } of jobs) {
        const luck = roll();
        if (luck > 0.05) queue.push({ at: office.time + delay * 1000, noticeId });
        if (luck > 0.95) queue.push({ at: office.time + delay * 1000 + 1, noticeId });
      }
    },
  };
  const { store, clock, log, secrets, workflow, backoff, district, memos, texts, vendors, attemptId } =
    office;
  const { pushDevices } = office;
  const around = { store, clock, log, secrets, workflow, backoff, district, memos, pushDevices, queues };
  const deliverer = { ...around, texts, vendors, attemptId, senders: async () => senders };
  /** A receipt here is the name of its attempt alone. */
  const callback: Callback = {
    parse: (body) => [{ kind: 'receipt', attemptId: body, state: 'delivered', code: 'OK' }],
    ack: {},
  };
  const taker = {
    ...around,
    vendors: Object.fromEntries(VENDORS.map((vendor) => [vendor, callback])),
    unknown: countUnknown(around),
  };
  const token = (await office.secrets.district()).receiptToken;

  const kinds: Notice['kind'][] = ['returned', 'told', 'nag'];
  const notices = Array.from({ length: NOTICES }, (_, i): Notice => ({
    id: `${String(i).padStart(5, '0')}.00`,
    to: office.members[i % office.members.length]?.id ?? '',
    kind: kinds[i % kinds.length] ?? 'told',
    at: T0,
    round: 1,
  }));
  await office.store.announce(notices);
  for (const { id } of notices) if (roll() > 0.05) queue.push({ at: T0, noticeId: id });

  const run = async (noticeId: string): Promise<void> => {
    try {
      await deliver(deliverer, { owner: REJECTS_OWNER, noticeId });
    } catch (error) {
      // SQS brings a failed message again when its visibility ends.
      if (!(error instanceof Error) || error.message !== 'killed') throw error;
      queue.push({ at: office.time + 180_000, noticeId });
    }
  };
  const end = T0 + 20 * 60_000;
  for (let sweep = T0; sweep < end; sweep += 15_000) {
    for (;;) {
      const next = Math.min(...queue.map(({ at }) => at), ...receipts.map(({ at }) => at));
      if (!(next < sweep)) break;
      office.time = Math.max(office.time, next);
      const due = queue.filter(({ at }) => at <= next);
      for (const job of due) queue.splice(queue.indexOf(job), 1);
      // Twins of one message run at the same time.
      await Promise.all(due.map(({ noticeId }) => run(noticeId)));
      const came = receipts.filter(({ at }) => at <= next);
      for (const one of came) {
        receipts.splice(receipts.indexOf(one), 1);
        // One receipt in ten is lost, one comes twice.
        const luck = roll();
        for (let n = 0; n < (luck < 0.1 ? 0 : luck > 0.9 ? 2 : 1); n += 1)
          await takeReceipts(taker, { vendor: one.vendor, token }, Buffer.from(one.attemptId));
      }
    }
    office.time = Math.max(office.time, sweep);
    for (const owed of await office.store.owed(office.time - 5_000))
      if (owed.kind === 'notice') queue.push({ at: office.time, noticeId: owed.noticeId });
  }

  const rows = await office.store.notices(REJECTS_OWNER);
  expect(rows).toHaveLength(NOTICES);
  const truth = new Map<string, Truth[]>();
  for (const one of rang) truth.set(one.noticeId, [...(truth.get(one.noticeId) ?? []), one]);
  // Lost: it never rang. None, though one call in five failed, and dozens of functions died in it.
  expect(
    rows.filter(({ notice }) => !truth.has(notice.id)).map(({ notice, state }) => [notice.id, state]),
  ).toEqual([]);
  expect(deaths).toBeGreaterThan(20);
  // Everything came to an end, and none says that it arrived where nothing had rung.
  expect(rows.filter(({ over }) => over === undefined)).toEqual([]);
  // Doubled at one vendor: only where it had been asked and was silent, or lied; each is in the trail.
  const doubled = rows.filter(({ notice }) => {
    const by = (truth.get(notice.id) ?? []).map(({ vendor }) => vendor);
    return new Set(by).size !== by.length;
  });
  for (const { attempts } of doubled)
    expect(
      attempts.some(({ state, asked }) => asked > 0 && (state === 'unknown' || state === 'delivered')),
    ).toBe(true);
  expect(doubled.length).toBeLessThan(NOTICES / 50);
});
