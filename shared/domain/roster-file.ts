import type { District } from './district.ts';
import { memberSchema, onShift } from './roster.ts';
import type { Member } from './roster.ts';

/** Columns that a roster file may leave out. */
export const OPTIONAL_COLUMNS: ReadonlySet<string> = new Set(['wecom', 'dingtalk', 'webhook']);

/** Columns of a roster file; lists are separated by `;`, an empty shift list means always on. */
export const ROSTER_COLUMNS = [
  'id',
  'name',
  'phone',
  'role',
  'squad',
  'team',
  'shifts',
  'grids',
  'roads',
  'lng',
  'lat',
  'wecom',
  'dingtalk',
  'webhook',
] as const;

/** One line of a roster file as text, and the number of that line in the file (1 is the first). */
export type RosterRow = { row: number; cells: Partial<Record<(typeof ROSTER_COLUMNS)[number], string>> };

/** All or nothing: with any problem `members` is empty. Warnings do not stop a load; they tell where nobody would answer. */
export type RosterReading = { members: Member[]; problems: string[]; warnings: string[] };

const list = (cell: string | undefined): string[] =>
  (cell ?? '')
    .split(/[;；]/)
    .map((item) => item.trim())
    .filter((item) => item !== '');

const FIELD_NAMES: Record<string, string> = {
  id: '编号 id',
  name: '姓名 name',
  phone: '电话 phone',
  role: '角色 role（应为 member、leader、duty 或 street）',
  squad: '班组 squad',
  team: '队伍 team',
  base: '坐标 lng、lat',
  wecom: '企业微信号 wecom',
  dingtalk: '钉钉号 dingtalk',
  webhook: '对方系统网址 webhook（以 https:// 开头）',
};

/** Instants of one day at which every shift of a district is on at least once: one per shift start. */
const shiftStarts = (district: District): { name: string; at: Date }[] =>
  // 2026-01-01 00:00 in Beijing is 16:00 UTC of the day before; any day does, shifts are the same every day.
  district.shifts.map((s) => ({ name: s.name, at: new Date(Date.UTC(2025, 11, 31, 16, s.from)) }));

const gaps = (district: District, members: readonly Member[]): string[] => {
  const warnings: string[] = [];
  for (const { name, at } of shiftStarts(district)) {
    const here = members.filter((m) => onShift(m, district.shifts, at));
    if (!here.some((m) => m.role === 'duty')) warnings.push(`${name}没有值班员，督办升级会跳过值班台`);
    if (!here.some((m) => m.role === 'street')) warnings.push(`${name}没有街道领导，督办升级会跳过这一级`);
    for (const squad of district.squads) {
      const own = members.filter((m) => m.squad === squad.id);
      if (!own.some((m) => m.role === 'member')) continue;
      if (!here.some((m) => m.squad === squad.id && m.role === 'leader'))
        warnings.push(`${name}${squad.name}没有班组长，督办升级会跳过这一级`);
    }
  }
  return warnings;
};

/**
 * Reads the lines of a roster file against a district. Every problem is a sentence with the line number, in the words of
 * the person who keeps the roster; nothing is loaded while there is one.
 */
export const readRoster = (rows: readonly RosterRow[], district: District): RosterReading => {
  const known = {
    squads: new Set(district.squads.map((s) => s.id)),
    teams: new Set(Object.keys(district.teams)),
    shifts: new Set(district.shifts.map((s) => s.id)),
    grids: new Set(district.grids.map((g) => g.id)),
    roads: new Set(district.roads.map((r) => r.id)),
  };
  const members: Member[] = [];
  const problems: string[] = [];
  const firstRow = { id: new Map<string, number>(), phone: new Map<string, number>() };

  for (const { row, cells } of rows) {
    const say = (sentence: string) => problems.push(`第${row}行：${sentence}`);
    const hasBase = (cells.lng ?? '') !== '' || (cells.lat ?? '') !== '';
    const parsed = memberSchema.safeParse({
      id: cells.id ?? '',
      name: cells.name ?? '',
      phone: cells.phone ?? '',
      role: cells.role ?? '',
      squad: cells.squad ?? '',
      team: cells.team ?? '',
      shifts: list(cells.shifts),
      grids: list(cells.grids),
      roads: list(cells.roads),
      // Number('') is 0, a point in the sea; NaN is refused by the schema.
      ...(hasBase
        ? { base: { lng: Number(cells.lng || Number.NaN), lat: Number(cells.lat || Number.NaN) } }
        : {}),
      ...(cells.wecom ? { wecom: cells.wecom } : {}),
      ...(cells.dingtalk ? { dingtalk: cells.dingtalk } : {}),
      ...(cells.webhook ? { webhook: cells.webhook } : {}),
    });
    if (!parsed.success) {
      for (const field of new Set(parsed.error.issues.map((issue) => String(issue.path[0]))))
        say(`${FIELD_NAMES[field] ?? field}填写不对`);
      continue;
    }
    const member = parsed.data;
    for (const key of ['id', 'phone'] as const) {
      const before = firstRow[key].get(member[key]);
      if (before === undefined) firstRow[key].set(member[key], row);
      else say(`${key === 'id' ? `编号 ${member.id} ` : '电话号码'}与第${before}行重复`);
    }
    // Without TLS no notice would ever be posted there.
    if (member.webhook !== undefined && !member.webhook.startsWith('https://'))
      say(`${FIELD_NAMES['webhook']}填写不对`);
    if (!known.squads.has(member.squad)) say(`没有班组 ${member.squad}`);
    if (!known.teams.has(member.team)) say(`没有队伍 ${member.team}`);
    for (const id of member.shifts) if (!known.shifts.has(id)) say(`没有班次 ${id}`);
    for (const id of member.grids) if (!known.grids.has(id)) say(`没有网格 ${id}`);
    for (const id of member.roads) if (!known.roads.has(id)) say(`没有道路 ${id}`);
    members.push(member);
  }
  if (problems.length > 0) return { members: [], problems, warnings: [] };

  const ids = new Set(members.map((m) => m.id));
  const headless = district.grids
    .filter((g) => !ids.has(g.head))
    .map((g) => `${g.name}的网格长 ${g.head} 不在花名册上`);
  return { members, problems: [], warnings: [...headless, ...gaps(district, members)] };
};
