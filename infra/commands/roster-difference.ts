import type { Member } from '#shared/domain/roster.ts';

/** What a new roster changes, by people. */
export interface RosterDifference {
  added: Member[];
  removed: Member[];
  changed: { member: Member; before: Member; fields: (keyof Member)[] }[];
}

const FIELDS = [
  'name',
  'phone',
  'role',
  'squad',
  'team',
  'shifts',
  'grids',
  'roads',
  'base',
  'wecom',
  'dingtalk',
  'webhook',
] as const;

const valueOf = (member: Member, field: (typeof FIELDS)[number]): string => {
  const value = member[field];
  // The order in which a person's shifts, grids and roads are written means nothing.
  return JSON.stringify(Array.isArray(value) ? value.toSorted() : (value ?? null));
};

/** Compares by id: a person with a new id is somebody else. */
export const differenceOf = (before: readonly Member[], after: readonly Member[]): RosterDifference => {
  const old = new Map(before.map((member) => [member.id, member]));
  const kept = new Set(after.map(({ id }) => id));
  return {
    added: after.filter(({ id }) => !old.has(id)),
    removed: before.filter(({ id }) => !kept.has(id)),
    changed: after.flatMap((member) => {
      const was = old.get(member.id);
      if (!was) return [];
      const fields = FIELDS.filter((field) => valueOf(was, field) !== valueOf(member, field));
      return fields.length > 0 ? [{ member, before: was, fields }] : [];
    }),
  };
};

/** Enough of a number to know it again: the rest is nobody's business on a screen. */
export const maskedPhone = (phone: string): string => `${phone.slice(0, 3)}****${phone.slice(-4)}`;

const shown = (member: Member, field: (typeof FIELDS)[number]): string => {
  if (field === 'phone') return maskedPhone(member.phone);
  const value = member[field];
  if (value === undefined) return '—';
  if (Array.isArray(value)) return value.length > 0 ? value.join(';') : '—';
  return typeof value === 'string' ? value : `${value.lng},${value.lat}`;
};

/** One person as a line. */
export const memberLine = (member: Member): string =>
  [
    member.id.padEnd(12),
    member.role.padEnd(7),
    member.name,
    maskedPhone(member.phone),
    `${member.squad}/${member.team}`,
    member.shifts.join(';') || 'always on',
  ].join('  ');

/** The difference as lines; `+` new, `-` gone, `~` changed. Empty: nothing changes. */
export const differenceLines = ({ added, removed, changed }: RosterDifference): string[] => [
  ...added.map((member) => `+ ${memberLine(member)}`),
  ...removed.map((member) => `- ${memberLine(member)}`),
  ...changed.map(
    ({ member, before, fields }) =>
      `~ ${member.id.padEnd(12)}  ${fields
        .map((field) => (field === 'id' ? '' : `${field} ${shown(before, field)} → ${shown(member, field)}`))
        .join(', ')}`,
  ),
];
