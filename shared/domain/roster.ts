import * as z from 'zod';
import type { Vendor } from './channel.ts';
import type { PushDevice } from './push-device.ts';

/** Roster roles. Duty holds a desk token, the others a member token; all have phones and may accept when asked. */
export const roleSchema = z.enum(['member', 'leader', 'duty', 'street']);
/** member 队员 · leader 班组长 · duty 值班员 · street 街道领导. */
export type Role = z.infer<typeof roleSchema>;

/** What people call the roles (zh-CN). */
export const ROLE_NAMES: Record<Role, string> = {
  member: '队员',
  leader: '班组长',
  duty: '值班员',
  street: '街道领导',
};

/** A point in WGS-84 degrees. */
export const pointSchema = z.object({ lng: z.number().min(-180).max(180), lat: z.number().min(-90).max(90) });
/** A point in WGS-84 degrees. */
export type Point = z.infer<typeof pointSchema>;

/** One person of the roster (花名册). `shifts` empty = always on; grids and roads by id. */
export const memberSchema = z.object({
  id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'an id is 1–32 small letters, digits or hyphens'),
  name: z.string().min(1).max(40),
  phone: z.string().regex(/^1\d{10}$/, 'a phone number has 11 digits and begins with 1'),
  role: roleSchema,
  squad: z.string().min(1),
  team: z.string().min(1),
  shifts: z.array(z.string()),
  grids: z.array(z.string()),
  roads: z.array(z.string()),
  /** Where the person usually stands; used for the nearest-first order. */
  base: pointSchema.optional(),
  /** User id of the person in the corporation's WeCom (企业微信). */
  wecom: z.string().min(1).max(64).optional(),
  /** User id of the person in the organisation's DingTalk (钉钉). */
  dingtalk: z.string().min(1).max(64).optional(),
  /** Address of the system in which the person works, if it takes signed posts. */
  webhook: z.url().max(500).optional(),
});
/** One person of the roster. */
export type Member = z.infer<typeof memberSchema>;

/** A shift of the day: minutes after midnight, district time; `to` may lie past midnight (to ≤ from). */
export const shiftSchema = z.object({
  id: z.string().min(1),
  name: z.string().min(1),
  from: z.int().min(0).max(1439),
  to: z.int().min(0).max(1440),
});
/** A shift (班次). */
export type Shift = z.infer<typeof shiftSchema>;

/** Minutes after midnight at an instant, in a fixed-offset zone such as 北京时间 (offset in minutes east of UTC). */
export const minuteOfDay = (at: Date, offsetMinutes: number): number =>
  Math.floor(((at.getTime() / 60_000 + offsetMinutes) % 1440) + 1440) % 1440;

/** China has one time zone and no summer time: UTC+8. */
export const BEIJING_OFFSET = 480;

/** The district's day at an instant, yyyy-mm-dd, from midnight to midnight there. */
export const districtDay = (at: number): string =>
  new Date(at + BEIJING_OFFSET * 60_000).toISOString().slice(0, 10);

/** Is this person on duty at this instant? People without shifts are always on. */
export const onShift = (member: Member, shifts: readonly Shift[], at: Date): boolean => {
  if (member.shifts.length === 0) return true;
  const minute = minuteOfDay(at, BEIJING_OFFSET);
  return shifts.some(
    (s) =>
      member.shifts.includes(s.id) &&
      (s.from < s.to ? minute >= s.from && minute < s.to : minute >= s.from || minute < s.to),
  );
};

/**
 * Where a vendor finds this person; undefined: over this vendor he cannot be reached. Of pushes: all devices that he has registered with it,
 * as a JSON list.
 */
export const addressOf = (
  member: Member,
  vendor: Vendor,
  devices: readonly PushDevice[],
): string | undefined => {
  switch (vendor) {
    case 'aliyun-sms':
    case 'tencent-sms':
    case 'sns':
    case 'aliyun-voice':
      return member.phone;
    case 'wecom':
      return member.wecom;
    case 'dingtalk':
      return member.dingtalk;
    case 'jpush':
    case 'webpush': {
      const own = devices.filter((device) => device.vendor === vendor).map(({ address }) => address);
      return own.length > 0 ? JSON.stringify(own) : undefined;
    }
    case 'webhook':
      return member.webhook;
    default:
      return vendor satisfies never;
  }
};
