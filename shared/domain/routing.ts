import type { Classification } from './classification.ts';
import { answeringWaves } from './district.ts';
import type { District } from './district.ts';
import { metresBetween } from './place.ts';
import type { Place } from './place.ts';
import { onShift } from './roster.ts';
import type { Member, Shift } from './roster.ts';

/** One person considered, and why he was picked or not: a sentence for the desk. */
export type Consideration = { id: string; reason: string };

/**
 * Who is asked, in this order, and who was not and why. Both lists are cut, `more` counts what was cut off, so that the
 * explanation of one incident stays small in a roster of thousands.
 */
export type Candidates = {
  picked: Consideration[];
  rejected: Consideration[];
  more: { picked: number; rejected: number };
};

/** Length of each list; a climb never needs more than a handful. */
const MOST = 40;

const TIERS = ['包干道路', '本网格', '片区班组', '队伍其他人员'] as const;

type Ranked = { member: Member; wave: number; tier: number; team: number; metres: number };

const asc = (a: Ranked, b: Ranked): number =>
  a.wave - b.wave ||
  a.tier - b.tier ||
  a.team - b.team ||
  a.metres - b.metres ||
  (a.member.id < b.member.id ? -1 : a.member.id > b.member.id ? 1 : 0);

const away = (metres: number): string =>
  !Number.isFinite(metres)
    ? ''
    : metres < 1000
      ? `，约${Math.round(metres / 10) * 10}米`
      : `，约${(metres / 1000).toFixed(1)}公里`;

/**
 * Who should be asked about a matter at an instant. Wave by wave of the answering teams: the road's own crew (包干), then the
 * people of its grid, then the squads of the place, then the rest, each nearest first. Only people on shift; leaders are climbed to and no candidates, except a grid head in his own grid. Deterministic.
 */
export const candidates = (
  district: District,
  members: readonly Member[],
  { place, classification, at }: { place: Place; classification: Pick<Classification, 'team'>; at: Date },
): Candidates => {
  const waves = answeringWaves(district, classification.team);
  const road = district.roads.find((r) => r.id === place.roadId);
  const grid = district.grids.find((g) => g.id === place.gridId);
  // Only a place without a grid is answered by every squad of its road: a long road has more than one.
  const squads = new Set([...(road?.squads ?? []), ...(grid?.squads ?? [])]);

  const on: Ranked[] = [];
  const rejected: (Ranked & { why: string })[] = [];
  for (const member of members) {
    const heads = grid !== undefined && grid.head === member.id;
    const isCandidate = member.role === 'member' || (member.role === 'leader' && heads);
    const inRoad = road !== undefined && member.roads.includes(road.id);
    const inGrid = grid !== undefined && (heads || member.grids.includes(grid.id));
    const wave = waves.findIndex((teams) => teams.includes(member.team));
    // People of the place are mentioned even when they cannot be asked; strangers to place and team are not.
    if (wave < 0 && !(isCandidate && (inRoad || inGrid))) continue;
    if (!isCandidate && !inRoad && !inGrid) continue;
    const tier = inRoad ? 0 : inGrid ? 1 : squads.has(member.squad) ? 2 : 3;
    const metres =
      place.point && member.base ? metresBetween(place.point, member.base) : Number.POSITIVE_INFINITY;
    const team = waves[wave]?.indexOf(member.team) ?? 0;
    // People who do not answer at all stand last among the rejected.
    const ranked: Ranked = { member, wave: wave < 0 ? waves.length : wave, tier, team, metres };
    if (!isCandidate) rejected.push({ ...ranked, why: '班组长，不首派，超时后督办' });
    else if (wave < 0)
      rejected.push({ ...ranked, why: `${district.teams[member.team] ?? member.team}不承办这类事项` });
    else if (!onShift(member, district.shifts, at)) rejected.push({ ...ranked, why: '不在班' });
    else on.push(ranked);
  }
  on.sort(asc);
  rejected.sort(asc);
  const nameOf = (tier: number): string =>
    (TIERS[tier] ?? '') + (tier === 0 && road ? road.name : tier === 1 && grid ? grid.name : '');
  return {
    picked: on
      .slice(0, MOST)
      .map(({ member, tier, metres }) => ({ id: member.id, reason: `${nameOf(tier)}${away(metres)}` })),
    rejected: rejected
      .slice(0, MOST)
      .map(({ member, tier, why }) => ({ id: member.id, reason: `${TIERS[tier] ?? ''}，${why}` })),
    more: { picked: Math.max(0, on.length - MOST), rejected: Math.max(0, rejected.length - MOST) },
  };
};

const onDutyAs = (
  members: readonly Member[],
  shifts: readonly Shift[],
  at: Date,
  role: Member['role'],
): Member[] =>
  members
    .filter((m) => m.role === role && onShift(m, shifts, at))
    .sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));

/** The leader of a squad at an instant: the one whose shift it is before one who is always on; undefined: an empty step. */
export const leaderOf = (
  district: District,
  members: readonly Member[],
  squad: string,
  at: Date,
): Member | undefined => {
  const own = onDutyAs(members, district.shifts, at, 'leader').filter((m) => m.squad === squad);
  return own.find((m) => m.shifts.length > 0) ?? own[0];
};

/** Duty officers (值班员) on shift, by id. */
export const dutyOfficers = (members: readonly Member[], shifts: readonly Shift[], at: Date): Member[] =>
  onDutyAs(members, shifts, at, 'duty');

/** Street leaders (街道领导) who can be called, by id. */
export const streetLeaders = (members: readonly Member[], shifts: readonly Shift[], at: Date): Member[] =>
  onDutyAs(members, shifts, at, 'street');
