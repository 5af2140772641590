import { firstWord } from './reclassify.ts';
import type { Incident, Instant } from './incident.ts';

/** k of n. */
export interface Count {
  k: number;
  n: number;
}

/** How classification did in one week, beside the four weeks before it. Numbers only, nothing about a caller. */
export interface Drift {
  /** Classified incidents of the week, and of the four weeks before. */
  incidents: number;
  before: number;
  /** Were not clear and waited for the desk; `byDesk`: of these the desk decided before the default went out. */
  triage: Count;
  byDesk: Count;
  /** A person said that it is something else. */
  corrected: Count;
  /** The guard saw a danger sign. */
  guard: Count;
  /** People found danger in what the machine had called non-police or advice: one is an alarm. */
  dangerFound: Count;
  alarm: boolean;
  /**
   * Total variation distance between the categories of the week and of the four weeks before, 0 (alike) to 1 (nothing in
   * common); null where one of them is empty. Of few incidents it is large by chance.
   */
  shift: number | null;
  /** Categories whose share moved most, in parts of the whole; at most five. */
  moved: { category: string; now: number; before: number }[];
  /** Rules, lexicon and model that decided in this week: more than one says that the week saw a release. */
  versions: string[];
}

const WEEK_MS = 7 * 86_400_000;
const WEEKS_BEFORE = 4;
/** China has one time zone; a week begins on Monday at midnight there. */
const BEIJING_MS = 8 * 3_600_000;
const MOVED = 5;

/** A span of time, `to` exclusive. */
export interface Span {
  from: Instant;
  to: Instant;
}

const mondayOf = (local: number): number => {
  const days = Math.floor(local / 86_400_000);
  // 1970-01-01 was a Thursday.
  return (days - ((days + 3) % 7)) * 86_400_000;
};

/** The week of an ISO name such as `2026-W47`, in Beijing; undefined when there is no such week. */
export const weekOf = (name: string): Span | undefined => {
  const [, year, week] = /^(\d{4})-W(\d{2})$/.exec(name) ?? [];
  if (year === undefined || week === undefined) return undefined;
  // The fourth of January is always in the first week.
  const monday = mondayOf(Date.UTC(Number(year), 0, 4)) + (Number(week) - 1) * WEEK_MS;
  const from = monday - BEIJING_MS;
  return weekName(from) === name ? { from, to: from + WEEK_MS } : undefined;
};

/** The ISO name of the week in which an instant lies, in Beijing. */
export const weekName = (at: Instant): string => {
  const monday = mondayOf(at + BEIJING_MS);
  // The year of a week is that of its Thursday.
  const year = new Date(monday + 3 * 86_400_000).getUTCFullYear();
  const n = Math.round((monday - mondayOf(Date.UTC(year, 0, 4))) / WEEK_MS) + 1;
  return `${year}-W${String(n).padStart(2, '0')}`;
};

/** The last week that is over at an instant. */
export const lastWeek = (now: Instant): string => weekName(now - WEEK_MS);

/** The four weeks that a week is compared with. */
export const weeksBefore = ({ from }: Span): Span => ({ from: from - WEEKS_BEFORE * WEEK_MS, to: from });

/** Shares of the machine's own first word: what people corrected would hide how it drifts. */
const sharesOf = (incidents: readonly Incident[]): Map<string, number> => {
  const shares = new Map<string, number>();
  for (const incident of incidents) {
    const category = firstWord(incident)?.category;
    if (category !== undefined) shares.set(category, (shares.get(category) ?? 0) + 1 / incidents.length);
  }
  return shares;
};

/** How the classification of one week compares with the weeks before it. What was never classified counts for nothing. */
export const driftOf = (week: readonly Incident[], before: readonly Incident[]): Drift => {
  const classified = (incident: Incident): boolean => incident.classification !== undefined;
  const now = week.filter(classified);
  const then = before.filter(classified);
  const count = (of: readonly Incident[], is: (incident: Incident) => boolean): Count => ({
    k: of.filter(is).length,
    n: of.length,
  });
  const shares = [sharesOf(now), sharesOf(then)] as const;
  const moved = [...new Set([...shares[0].keys(), ...shares[1].keys()])]
    .map((category) => ({
      category,
      now: shares[0].get(category) ?? 0,
      before: shares[1].get(category) ?? 0,
    }))
    .sort(
      (a, b) => Math.abs(b.now - b.before) - Math.abs(a.now - a.before) || (a.category < b.category ? -1 : 1),
    );
  const dangerFound = count(now, (incident) => incident.dangerFoundAt !== undefined);
  return {
    incidents: now.length,
    before: then.length,
    triage: count(now, (incident) => incident.triage !== undefined),
    byDesk: count(
      now.filter((incident) => incident.triage !== undefined),
      ({ triage }) => triage?.by !== undefined && triage.by !== 'system',
    ),
    corrected: count(now, (incident) => incident.corrected !== undefined),
    guard: count(now, ({ classification }) => (classification?.danger.length ?? 0) > 0),
    dangerFound,
    alarm: dangerFound.k > 0,
    shift:
      now.length === 0 || then.length === 0
        ? null
        : moved.reduce((sum, one) => sum + Math.abs(one.now - one.before), 0) / 2,
    moved: then.length === 0 ? [] : moved.slice(0, MOVED).filter((one) => one.now !== one.before),
    versions: [
      ...new Set(
        now.flatMap(({ classification }) =>
          classification ? [Object.values(classification.versions).join(' ')] : [],
        ),
      ),
    ].sort(),
  };
};
