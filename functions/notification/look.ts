import { CHANNELS, type Channel, type Vendor } from '#shared/domain/channel.ts';
import { TEXT_ONLY, planFor, type DeliveryPlan, type Facts, type Way } from '#shared/domain/delivery.ts';
import { byHealth, healthName, isPutOff, passedOver, type PassedOver } from '#shared/domain/health.ts';
import type { Incident, Instant } from '#shared/domain/incident.ts';
import { laneOf } from '#shared/domain/notice.ts';
import type { PushDevice } from '#shared/domain/push-device.ts';
import { withoutTexts } from '#shared/domain/reply.ts';
import { addressOf, type Member } from '#shared/domain/roster.ts';
import { carries, hasWords } from '#shared/domain/texts.ts';
import type { NoticeFacts } from '#shared/domain/wording.ts';
import {
  expiryOf,
  isOffDuty,
  isOutdated,
  mayBeOutdated,
  mootBecause,
  silentUntil,
} from '#shared/domain/wanted.ts';
import type { Senders } from '#shared/ports/sender.ts';
import { REJECTS_OWNER, type NoticeRow } from '#shared/ports/store.ts';
import type { Deliverer } from './deliverer.ts';
import { lately } from './lately.ts';
import { ownFacts, recipientOf } from './recipient.ts';
import { budgetsOf, withinBudget, againAt } from './spending.ts';
import { spokenOf } from './words.ts';

/** Everything that one step needs to know. */
export interface About {
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
  /** Vendors of the plan that could reach him, had his number any budget left with them. */
  spent: readonly Vendor[];
  /** Of the number or user id by vendor: what was sent there lately. */
  budgets: Readonly<Record<string, number>>;
}

/** Looks at everything that one step depends on, immediately before it is taken. */
export const lookAt = async (
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
  const spoken = spokenOf(notice.kind, incident);
  const ways: Way[] = [];
  // A quieter channel of the plan that has no budget left for this person: the next one stands in for it.
  let skipped: PassedOver | undefined;
  const spentInPlan: Vendor[] = [];
  for (const channel of CHANNELS) {
    const preferred = having(channel);
    const inOrder = await ordered(d, preferred, now);
    const spent = new Set<Vendor>();
    for (const vendor of inOrder) {
      const is = vendors.vendors[vendor];
      if (!is) continue;
      const called = row.attempts.some((attempt) => attempt.vendor === vendor);
      if (!hasWords(d.texts, notice.kind, vendor) || !carries(d.texts, spoken, vendor, d.approvedOnly))
        continue;
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
    if (planned) spentInPlan.push(...spent);
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
    spent: spentInPlan,
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
      ways: textless && !TEXT_ONLY.has(notice.kind) ? withoutTexts(ways, plan) : ways,
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

/** The list of what a person's quiet hours hold back until an instant. */
export const heldName = (until: Instant, whom: string): string => `HELD-${until}-${whom}`;

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
