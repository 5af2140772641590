import * as z from 'zod';
import { REPORT_FIELDS } from '../domain/district.ts';
import type { District, ReportField } from '../domain/district.ts';
import type { Instant } from '../domain/incident.ts';
import type { Problem } from './errors.ts';

/** Longest content of a report, in characters as people count them. */
export const LONGEST_CONTENT = 4_000;

const characters = (text: string): number =>
  text.length <= LONGEST_CONTENT ? text.length : Array.from(text).length;

const must = (wanted: string) => ({
  error: (issue: { input?: unknown }) => (issue.input === undefined ? '必填' : `应为${wanted}`),
});

const degrees = (most: number) =>
  z
    .number(must('数字（度）'))
    .min(-most, `应在 -${most} 到 ${most} 度之间`)
    .max(most, `应在 -${most} 到 ${most} 度之间`);

const shortText = (most: number) => z.string(must('文字')).max(most, `最多 ${most} 个字`);

/** Letters, digits and marks that a number may be written with; nothing that a key of the table could not hold. */
const callNoSchema = z
  .string(must('文字'))
  .regex(/^[\p{L}\p{N}._:/()[\]#-]{1,64}$/u, '应为 1 到 64 个字母、数字或 . _ : / ( ) [ ] # -');

/** The body of `POST /webhooks/110` in our own names. Fields of a 接警单 are brought into this shape first. */
export const reportSchema = z
  .object({
    callNo: callNoSchema.describe(
      'Unique number of the call (接警编号). The same number again is the same incident.',
    ),
    calledAt: z.iso
      .datetime({
        offset: true,
        error: (issue) =>
          issue.input === undefined ? '必填' : '应为带时区的时间，例如 2026-03-01T14:03:20+08:00',
      })
      .describe("When the caller called, by 110's clock; ISO 8601 with offset."),
    caller: z
      .object(
        {
          name: shortText(200).default(''),
          phone: shortText(200).default(''),
        },
        must('对象'),
      )
      .prefault({})
      .describe('Who called; callers may be anonymous. Masked for everybody but who accepts.'),
    address: z
      .string(must('文字'))
      .max(500, '最多 500 个字')
      .refine((text) => text.trim() !== '', '不能为空')
      .describe('Where it is, in words.'),
    location: z
      .object(
        {
          lng: degrees(180),
          lat: degrees(90),
          system: z.enum(['wgs84', 'gcj02', 'bd09'], '应为 wgs84、gcj02 或 bd09').default('wgs84'),
        },
        must('对象'),
      )
      .optional()
      .describe('Where it is, in degrees; kept as WGS-84.'),
    content: z
      .string(must('文字'))
      .refine((text) => text.trim() !== '', '不能为空')
      .refine((text) => characters(text) <= LONGEST_CONTENT, `最多 ${LONGEST_CONTENT} 个字`)
      .meta({ description: 'What the caller told (报警内容).', maxLength: LONGEST_CONTENT }),
    categoryCode: shortText(64).optional().describe('Category code of the call centre (警情类别代码).'),
    level: shortText(64).optional().describe('Level given by the call centre.'),
    linkedCallNo: shortText(64).optional().describe('Number of a call on the same matter.'),
    secret: z
      .boolean(must('true 或 false'))
      .default(false)
      .describe('Content for the lead and the desk only.'),
  })
  .meta({
    id: 'Report',
    description:
      "One report of the call centre. Fields of a real 接警单 (jjbh, bjsj, bjrxm, lxdh, jqdz, bjnr, X, Y, sfbm …) are accepted as well, by the district's field map; unknown fields are ignored.",
    examples: [
      {
        callNo: '2026030100017',
        calledAt: '2026-03-01T14:03:20+08:00',
        caller: { name: '王小明', phone: '19900001234' },
        address: '清河路88号菜场门口',
        location: { lng: 120.139, lat: 30.315, system: 'wgs84' },
        content: '两辆车在菜场门口擦碰，双方争执不下，堵住了路口。',
        categoryCode: '101100',
      },
    ],
  });

/** A report, understood. `location` still in the sender's coordinate system. */
export type Report = Omit<z.output<typeof reportSchema>, 'calledAt'> & { calledAt: Instant };

/** What of a district decides how its 110 centre's reports are read. */
export type Receiving = Pick<District, 'fieldMap' | 'receiving'>;

type Fields = Record<string, unknown>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isBlank = (value: unknown): boolean =>
  value === undefined || value === null || (typeof value === 'string' && value.trim() === '');

/** The value under a dotted name: flat (`"a.b"`) or nested (`a: { b }`). Own fields only. */
const dig = (body: Fields, name: string): unknown => {
  if (Object.hasOwn(body, name)) return body[name];
  const dot = name.indexOf('.');
  if (dot < 0) return undefined;
  const outer = Object.hasOwn(body, name.slice(0, dot)) ? body[name.slice(0, dot)] : undefined;
  return isFields(outer) ? dig(outer, name.slice(dot + 1)) : undefined;
};

/**
 * Times of call centres come as `20260301140320`, `2026-03-01 14:03:20`, `2026/3/1 14:03` … without an offset: they mean
 * the district's. What is no time stays as it is, and the schema says so.
 */
const withOffset = (value: unknown, offset: string): unknown => {
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string') return value;
  const parts =
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?$/.exec(text.trim()) ??
    /^(\d{4})[-/](\d{1,2})[-/](\d{1,2})[T ](\d{1,2}):(\d\d)(?::(\d\d)(?:\.\d+)?)?$/.exec(text.trim());
  if (!parts) return text;
  const [year = '', ...rest] = parts.slice(1);
  const [month, day, hour, minute, second] = rest.map((part) => (part ?? '0').padStart(2, '0'));
  return `${year}-${month}-${day}T${hour}:${minute}:${second}${offset}`;
};

const YES: readonly unknown[] = [true, 1, '1', 'true', '是', 'Y', 'y'];
const NO: readonly unknown[] = [false, 0, '0', 'false', '否', 'N', 'n'];

const numeric = (value: unknown): unknown =>
  typeof value === 'string' && /^\s*[+-]?\d+(\.\d+)?\s*$/.test(value) ? Number(value) : value;

/** Brings a value into the shape of ours, as far as it can be understood; otherwise the schema names what is wrong. */
const understood = (field: ReportField, value: unknown, mapped: boolean, receiving: Receiving): unknown => {
  if (field === 'calledAt') return mapped ? withOffset(value, receiving.receiving.timeOffset) : value;
  if (field === 'location.lng' || field === 'location.lat') return numeric(value);
  if (field === 'secret') return YES.includes(value) ? true : NO.includes(value) ? false : value;
  if (typeof value === 'string')
    return field === 'content' ? value.toWellFormed() : value.toWellFormed().trim();
  // A number beyond 2^53 has lost digits: better refused than a wrong call number.
  return Number.isSafeInteger(value) ? String(value) : value;
};

/** Our names with what the sender gave, and the names he gave them. */
const gather = (body: Fields, receiving: Receiving): { ours: Fields; names: Map<string, string> } => {
  const names = new Map<string, string>();
  const found = new Map<ReportField, unknown>();
  for (const field of REPORT_FIELDS) {
    const own = dig(body, field);
    if (!isBlank(own)) {
      found.set(field, understood(field, own, false, receiving));
      continue;
    }
    const theirs = Object.entries(receiving.fieldMap).find(
      ([name, target]) => target === field && !isBlank(dig(body, name)),
    )?.[0];
    // An empty string is a missing value; the schema says which it needs.
    if (theirs === undefined) continue;
    names.set(field, theirs);
    found.set(field, understood(field, dig(body, theirs), true, receiving));
  }
  const [lng, lat] = [found.get('location.lng'), found.get('location.lat')];
  // Call centres send 0, 0 when they have no point.
  const located = !(lng === undefined && lat === undefined) && !(lng === 0 && lat === 0);
  const system = dig(body, 'location.system');
  const group = (name: 'caller' | 'location', fields: Fields, present: boolean): Fields => {
    const own = Object.hasOwn(body, name) ? body[name] : undefined;
    if (own !== undefined && own !== null && !isFields(own)) return { [name]: own };
    return present ? { [name]: fields } : {};
  };
  const ours: Fields = {
    ...Object.fromEntries([...found].filter(([field]) => !field.includes('.'))),
    ...group('caller', { name: found.get('caller.name'), phone: found.get('caller.phone') }, true),
    ...group(
      'location',
      {
        lng,
        lat,
        system: isBlank(system)
          ? names.has('location.lng')
            ? receiving.receiving.coordinateSystem
            : undefined
          : system,
      },
      located,
    ),
  };
  return { ours, names };
};

/**
 * Understands a report in our names, in the district's 接警单 names, or mixed; nested or flat. Never throws; every
 * problem names the field, and the sender's own name for it.
 */
export const parseReport = (
  receiving: Receiving,
  body: unknown,
): { ok: true; report: Report } | { ok: false; problems: Problem[] } => {
  if (!isFields(body)) return { ok: false, problems: [{ field: 'body', message: '应为一个 JSON 对象' }] };
  const { ours, names } = gather(body, receiving);
  const parsed = reportSchema.safeParse(ours);
  const at = parsed.success ? Date.parse(parsed.data.calledAt) : Number.NaN;
  if (parsed.success && at >= 0) return { ok: true, report: { ...parsed.data, calledAt: at } };
  const problems = parsed.success
    ? [{ field: 'calledAt', message: '时间太早' }]
    : parsed.error.issues.map((issue) => ({ field: issue.path.join('.'), message: issue.message }));
  return {
    ok: false,
    problems: problems.map((problem) => {
      const from = names.get(problem.field);
      return from === undefined ? problem : { ...problem, from };
    }),
  };
};
