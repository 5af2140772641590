import {
  budgetDays,
  budgetOf,
  fingerprint,
  freeAt,
  spend,
  triesOf,
  type Subject,
} from '#shared/domain/budget.ts';
import type { Vendor } from '#shared/domain/channel.ts';
import type { Way } from '#shared/domain/delivery.ts';
import type { Instant } from '#shared/domain/incident.ts';
import { LEDGER_MS, charged, ledgerFor, ledgersOf, low, passed, sumOf } from '#shared/domain/ledger.ts';
import { INSISTENT } from '#shared/domain/notice.ts';
import { CALLER_KINDS } from '#shared/domain/notice-kind.ts';
import { districtDay, type Member } from '#shared/domain/roster.ts';
import type { Message, SendResult } from '#shared/ports/sender.ts';
import type { Counting } from '#shared/ports/store.ts';
import type { Deliverer } from './deliverer.ts';
import { lately } from './lately.ts';
import type { About } from './look.ts';
import { wordsOf } from './words.ts';

const DAY_MS = 86_400_000;

/** Budgets are kept by number, under its keyed hash: two members may share one. */
const budgetName = async (d: Deliverer, member: Member, day: string): Promise<string> =>
  `BUDGET-${day}-${(await d.secrets.vault()).hash('phone', member.phone)}`;

/** What was sent to this number lately, by vendor and limit. */
export const budgetsOf = async (
  d: Deliverer,
  member: Member,
  now: Instant,
): Promise<Record<string, number>> => {
  const days = await Promise.all(
    budgetDays(now).map(async (day) => d.store.counters(await budgetName(d, member, day))),
  );
  return Object.assign({}, ...days);
};

const subjectOf = (message: Message): Subject => ({
  template: message.template.code,
  text: fingerprint(message.text),
});

/** A number on the vendor's white list has no limit by the day. */
const limitsOf = (d: Deliverer, member: Member | undefined, vendor: Vendor) => {
  const limits = d.vendors.vendors[vendor]?.limits ?? [];
  return member && d.district.delivery.whiteList.includes(member.id)
    ? limits.filter((limit) => limit.per !== 'template')
    : limits;
};

/** May this vendor be called for this number, as far as its limits go? The last fifth is kept for those whose minute runs, and for P1. */
export const withinBudget = (
  d: Deliverer,
  about: Pick<About, 'row' | 'incident' | 'member' | 'own' | 'budgets'>,
  vendor: Vendor,
  now: Instant,
): boolean => {
  const limits = limitsOf(d, about.member, vendor);
  if (limits.length === 0) return true;
  const { kind } = about.row.notice;
  const verdict = budgetOf(vendor, limits, subjectOf(wordsOf(d, about, vendor, now)), about.budgets, now);
  if (verdict === 'spent') return false;
  const first = INSISTENT.has(kind) || about.incident?.classification?.urgency === 'P1';
  return verdict !== 'reserved' || first;
};

/** From when on a vendor that counts every try may be called again for this number. */
export const againAt = (
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

/**
 * What one try uses up of the number's budget, booked before the vendor is called because it counts those that fail, too; and only if
 * nobody has booked one since the budget was read: of two calls to one number within a second it would block both.
 */
export const bookingOf = async (
  d: Deliverer,
  { member, budgets }: About,
  vendor: Vendor,
  message: Message,
  now: Instant,
): Promise<Counting | undefined> => {
  if (!member) return undefined;
  const day = districtDay(now);
  const tries = triesOf(vendor, day);
  return {
    name: await budgetName(d, member, day),
    add: { ...spend(vendor, limitsOf(d, member, vendor), subjectOf(message), now), [tries]: 1 },
    expires: now + 3 * DAY_MS,
    was: { key: tries, n: budgets[tries] ?? 0 },
  };
};

/** Has this message left less than a fifth of the number's budget? The log and the desk's list say whose and with whom, never the number. */
const isLow = (
  d: Deliverer,
  { member, budgets }: About,
  vendor: Vendor,
  message: Message,
  now: Instant,
): boolean => {
  const verdict = budgetOf(vendor, limitsOf(d, member, vendor), subjectOf(message), budgets, now);
  if (verdict === 'warn') {
    d.log.count('BudgetLow');
    d.log.info('budget-low', { vendor, member: member?.id ?? '' });
  }
  return (verdict === 'warn' || verdict === 'reserved') && !CALLER_KINDS.has(message.kind);
};

/** What an accepted message costs and uses up: the day's ledger, and the number's budget. */
export const countersOf = async (
  d: Deliverer,
  about: About,
  { vendor, instead }: Way,
  message: Message,
  result: SendResult,
  milli: number,
): Promise<Counting[]> => {
  const { member, row } = about;
  if (result.kind !== 'accepted' || !member) return [];
  const now = d.clock.now().getTime();
  const booked = d.vendors.vendors[vendor]?.counts === 'tries';
  const budget = booked ? {} : spend(vendor, limitsOf(d, member, vendor), subjectOf(message), now);
  return [
    {
      name: ledgerFor(now, row.notice.to),
      add: {
        ...charged(vendor, milli),
        ...(instead ? passed(instead.vendor) : {}),
        ...(isLow(d, about, vendor, message, now) ? low(vendor, member.id) : {}),
      },
      expires: now + LEDGER_MS,
    },
    ...(Object.keys(budget).length > 0
      ? [{ name: await budgetName(d, member, districtDay(now)), add: budget, expires: now + 3 * DAY_MS }]
      : []),
  ];
};

/** Has the day cost more than the district allows for what is only good to know? */
export const overCap = async (d: Deliverer, now: Instant): Promise<boolean> => {
  const parts = await Promise.all(ledgersOf(now).map((name) => lately(d, name, now)));
  const over = (sumOf(parts).milli ?? 0) >= d.district.delivery.softCap;
  if (over) d.log.count('ChatterStopped');
  return over;
};
