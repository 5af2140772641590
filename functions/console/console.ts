import * as z from 'zod';
import { invalid, problemsOf, refused, type Outcome, type Problem } from '#shared/contracts/errors.ts';
import { incidentSummary, type Viewer } from '#shared/contracts/incident-view.ts';
import { iso } from '#shared/contracts/time.ts';
import { VENDOR_SECTIONS } from '#shared/contracts/vendor-sections.ts';
import { API_VERSION, listQuerySchema, pageQuerySchema } from '#shared/contracts/queries.ts';
import type {
  IncidentBody,
  IncidentSummary,
  RejectedView,
  RosterEntry,
  UnknownCodeView,
  UnreachedList,
  UnreachedView,
  VendorList,
  VendorView,
} from '#shared/contracts/views.ts';
import { VENDORS } from '#shared/domain/channel.ts';
import { backAt, healthName } from '#shared/domain/health.ts';
import { ledgersOf, lowOf, sumOf } from '#shared/domain/ledger.ts';
import { owes, type Instant } from '#shared/domain/incident.ts';
import { TEXTLESS, textlessSchema } from '#shared/domain/reply.ts';
import { ROLE_NAMES, onShift, type Member } from '#shared/domain/roster.ts';
import { clockTime, shortNumber } from '#shared/domain/wording.ts';
import { isUnreached } from '#shared/domain/unreached.ts';
import type { Vendors } from '#shared/domain/vendors.ts';
import { look, type Looker } from '#shared/ports/look.ts';
import type { Memos } from '#shared/ports/memos.ts';
import type { Secrets } from '#shared/ports/secrets.ts';
import { REJECTS_OWNER, incidentIdOf } from '#shared/ports/store.ts';
import type { Vault } from '#shared/ports/vault.ts';
import { errandOf } from './call-list.ts';

/** A page of a list as it goes over the wire. */
export interface Listed<T> {
  items: T[];
  next: string | null;
}

/** The feeder is silent after three missed heartbeats of 60 s each. Milliseconds. */
const SILENT_MS = 3 * 60_000;

const read = <T>(
  schema: z.ZodType<T>,
  query: unknown,
): { ok: true; value: T } | { ok: false; problems: Problem[] } => {
  const parsed = schema.safeParse(query);
  return parsed.success
    ? { ok: true, value: parsed.data }
    : { ok: false, problems: problemsOf(parsed.error) };
};

/** Store cursors hold a `#`, which cuts off a query that nobody encoded: on the wire they are base64url. */
const toWire = (cursor: string | undefined): string | null =>
  cursor === undefined ? null : Buffer.from(cursor).toString('base64url');

/** Incidents, newest first. A member lists only those he was asked on or told of. */
export const listIncidents = async (
  { store, clock }: Looker,
  viewer: Viewer,
  query: Record<string, string>,
): Promise<Outcome<Listed<IncidentSummary>>> => {
  const asked = read(listQuerySchema, query);
  if (!asked.ok) return invalid(asked.problems);
  const { state, before, limit } = asked.value;
  if (viewer.kind === 'member' && asked.value.member !== undefined && asked.value.member !== viewer.id)
    return refused('forbidden', '只能查看派给您本人的警情。');
  const member = viewer.kind === 'member' ? viewer.id : asked.value.member;
  const now = clock.now().getTime();
  const { items, next } = await store.list({
    now,
    limit,
    ...(state === undefined ? {} : { state }),
    ...(before === undefined ? {} : { before }),
    ...(member === undefined ? {} : { member }),
  });
  // The desk has seconds to decide: what the machine thinks, and why, stands in the list itself.
  const summaries = items.map(async (incident) => ({
    ...incidentSummary(incident, now),
    ...(viewer.kind === 'desk' && owes(incident, 'triage')
      ? { reasons: await store.reasons(incident.id) }
      : {}),
  }));
  return { kind: 'done', body: { items: await Promise.all(summaries), next: toWire(next) } };
};

/** One incident with its trail and its plan, as this viewer may see it. */
export const showIncident = async (
  looker: Looker,
  viewer: Viewer,
  id: string,
): Promise<Outcome<IncidentBody>> => {
  const seen = await look(looker, id, viewer);
  if (seen === 'unknown') return refused('not_found', '没有这起警情。');
  if (seen === 'forbidden') return refused('forbidden', '这起警情没有派给您，您不能查看或操作。');
  return { kind: 'done', body: seen };
};

/** Who wants no texts; one reading for the whole roster, because hardly anybody does. */
const wantNoTexts = async (
  roster: readonly Member[],
  memos: Memos,
  vault: Vault,
  now: Instant,
): Promise<Set<string>> => {
  const memo = await memos.read(TEXTLESS, now);
  const hashes = new Set(memo ? textlessSchema.parse(memo.value) : []);
  return new Set(roster.flatMap(({ id, phone }) => (hashes.has(vault.hash('phone', phone)) ? [id] : [])));
};

/** The roster: all of it for the desk; for a member the names and roles of his own squad. */
export const showRoster = async (
  { store, clock, district, memos, secrets }: Looker & { memos: Memos; secrets: Pick<Secrets, 'vault'> },
  viewer: Viewer,
): Promise<Outcome<Listed<RosterEntry>>> => {
  const roster = await store.roster();
  const at = clock.now();
  const desk = viewer.kind === 'desk';
  const stopped = desk ? await wantNoTexts(roster, memos, await secrets.vault(), at.getTime()) : new Set();
  const own = roster.find((member) => member.id === viewer.id)?.squad;
  const items = roster
    .filter((member) => desk || member.squad === own)
    .map((member) => ({
      id: member.id,
      name: member.name,
      role: member.role,
      squad: member.squad,
      team: member.team,
      onShift: onShift(member, district.shifts, at),
      ...(desk
        ? {
            phone: member.phone,
            shifts: member.shifts,
            grids: member.grids,
            roads: member.roads,
            ...(stopped.has(member.id) ? { textless: true } : {}),
          }
        : {}),
    }));
  return { kind: 'done', body: { items, next: null } };
};

/** Signed messages that could not be taken, newest first. */
export const listRejected = async (
  { store }: Looker,
  query: Record<string, string>,
): Promise<Outcome<Listed<RejectedView>>> => {
  const asked = read(pageQuerySchema, query);
  if (!asked.ok) return invalid(asked.problems);
  const { items, next } = await store.rejected(asked.value.before, asked.value.limit);
  return {
    kind: 'done',
    body: { items: items.map((item) => ({ ...item, at: iso(item.at) })), next: toWire(next) },
  };
};

/** Category codes that stand in no table, for whoever looks after the table. */
export const listCodes = async ({ store }: Looker): Promise<Outcome<Listed<UnknownCodeView>>> => {
  const items = await store.unknownCodes();
  return {
    kind: 'done',
    body: { items: items.map((item) => ({ ...item, lastAt: iso(item.lastAt) })), next: null },
  };
};

/** Who has to act and is reached by no vendor: for the desk to telephone, oldest first, and as a list to print. */
export const listUnreached = async ({ store, clock, district }: Looker): Promise<Outcome<UnreachedList>> => {
  const now = clock.now().getTime();
  const [open, roster] = await Promise.all([store.openAlerts(), store.roster()]);
  const items = open
    .filter(({ row }) => isUnreached(row, now))
    .sort((a, b) => a.row.notice.at - b.row.notice.at)
    .flatMap(({ owner, row }): UnreachedView[] => {
      const { notice, attempts } = row;
      const member = roster.find((one) => one.id === notice.to);
      if (!member) return [];
      const incidentId = owner === REJECTS_OWNER ? undefined : incidentIdOf(owner);
      const code = attempts.at(-1)?.code;
      return [
        {
          ...(incidentId === undefined ? {} : { incidentId }),
          number: shortNumber(incidentId ?? notice.id),
          member: { id: member.id, name: member.name, role: member.role, phone: member.phone },
          kind: notice.kind,
          since: iso(notice.at),
          tries: attempts.length,
          ...(code === undefined ? {} : { code }),
        },
      ];
    });
  const lines = items.map(
    ({ number, member, kind, since }) =>
      `□ ${clockTime(new Date(since), clock.now())}  任务${number}  ${ROLE_NAMES[member.role]} ${member.name}  ${member.phone}  ${errandOf(kind)}`,
  );
  const print = [`${district.name}电话通知单（${items.length}人）`, ...lines].join('\n');
  return { kind: 'done', body: { items, next: null, print } };
};

/** Who brings notices today, how well, and what it costs. */
export const listVendors = async ({
  store,
  clock,
  district,
  secrets,
  vendors: { vendors },
}: Looker & { secrets: Pick<Secrets, 'district'>; vendors: Vendors }): Promise<Outcome<VendorList>> => {
  const now = clock.now().getTime();
  const names = VENDORS.filter((vendor) => vendors[vendor] !== undefined);
  const [secret, day, ...health] = await Promise.all([
    secrets.district(),
    Promise.all(ledgersOf(now).map((name) => store.counters(name))).then(sumOf),
    ...names.map((vendor) => store.counters(healthName(vendor))),
  ]);
  const items = names.flatMap((vendor, i): VendorView[] => {
    const is = vendors[vendor];
    if (!is) return [];
    const count = (what: string): number => day[`${vendor}.${what}`] ?? 0;
    const { channel, tells } = is;
    const back = backAt(health[i] ?? {}, now);
    return [
      {
        vendor,
        channel,
        configured: secret[VENDOR_SECTIONS[vendor]] !== undefined,
        putOff: back !== undefined,
        ...(back === undefined ? {} : { backAt: iso(back) }),
        tells,
        today: {
          sent: count('n'),
          arrived: tells.delivered ? count('arrived') : null,
          fast: tells.delivered ? count('fast') : null,
          milli: count('milli'),
          passed: count('passed'),
          low: lowOf(vendor, day),
        },
      },
    ];
  });
  return {
    kind: 'done',
    body: { items, next: null, milli: day.milli ?? 0, softCap: district.delivery.softCap },
  };
};

/** Are we well, what time is it here, and is the 110 centre still heard? */
export const showHealth = async ({ store, clock, district }: Looker): Promise<Outcome> => {
  const [last, codes] = await Promise.all([store.lastBeat(), store.unknownCodes()]);
  const now = clock.now().getTime();
  return {
    kind: 'done',
    body: {
      ok: true,
      now: iso(now),
      district: district.id,
      feeder: {
        lastBeat: last === undefined ? null : iso(last),
        silent: last !== undefined && now - last > SILENT_MS,
      },
      // How many only: this door is open to everybody.
      unknownCodes: codes.length,
      version: API_VERSION,
    },
  };
};
