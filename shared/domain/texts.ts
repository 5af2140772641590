import * as z from 'zod';
import { RUNG_NAMES, RUNGS, type Rung } from './rung.ts';

/**
 * Why somebody gets a text.
 * ask 派单 · ask-secret the same for secret or dangerous matters (no place) · reinforce asked to come as well · stand-down the lead was found ·
 * told the responsible member: your rung is overdue · climb leader, duty officer, street leader: a rung is overdue · nag nobody has accepted yet ·
 * reassigned the old lead is released · returned duty: hand this back to 110 · handback street leader: nobody handed it back ·
 * desk a note to the duty officer · changed address or danger changed · reopened the former lead is asked again.
 */
export const NOTICE_KINDS = [
  'ask',
  'ask-secret',
  'reinforce',
  'stand-down',
  'told',
  'climb',
  'nag',
  'reassigned',
  'returned',
  'handback',
  'desk',
  'changed',
  'reopened',
] as const;
/** Why somebody gets a text. */
export type NoticeKind = (typeof NOTICE_KINDS)[number];
/** Parses a notice kind. */
export const noticeKindSchema = z.enum(NOTICE_KINDS);

/** What a `desk` text can be about; a closed set, so that nothing a caller wrote gets into a text. */
export const DESK_NOTES = [
  'rejected',
  'unanswered',
  'unsure',
  'untriaged',
  'danger-found',
  'unsent',
  'stuck',
  'nags-spent',
  'feeder-silent',
  'decline',
  'frequent',
  'opinion',
  'other',
] as const;
/** What a `desk` text is about. */
export type DeskNote = (typeof DESK_NOTES)[number];

/**
 * The variables a template may use, with the longest value each can take, in UTF-16 units, as the vendor counts. No variable for names,
 * phones, house numbers or categories exists: a text lies open on a lock screen.
 */
export const TEXT_PARAMS = {
  /** Short incident number, see `shortNumber`. */
  number: 8,
  /** Road or grid, never a house. */
  place: 16,
  /** Neutral code of the matter, see `neutralCode`. */
  code: 4,
  /** A missed deadline: 14:03:20, 14:03 or 12月31日23:59. */
  time: 11,
  /** The same for a deadline to keep; once it has passed, a word that says so. */
  limit: 11,
  /** When the text was written. Makes each nag another text, which carriers would else drop as a repeat. */
  now: 8,
  /** Name of the rung. */
  rung: Math.max(...RUNGS.map((rung) => RUNG_NAMES[rung].length)),
  /** One of the district's desk notes. */
  note: 14,
} as const;
/** A variable of a template. */
export type TextParam = keyof typeof TEXT_PARAMS;

const paramSchema = z.enum([
  'number',
  'place',
  'code',
  'time',
  'limit',
  'now',
  'rung',
  'note',
] satisfies TextParam[]);
const placeholders = (text: string) => [...text.matchAll(/\$\{(\w+)\}/g)].map((m) => m[1] ?? '');

/** One approved template. `code` is given by the vendor on approval; the sample codes must be replaced by the account's own. */
const templateSchema = z.object({
  code: z.string().regex(/^SMS_\d+$/),
  text: z.string().min(1),
  params: z.array(paramSchema),
});

/**
 * The texts of a district: data, since every word is approved by the vendor beforehand. The schema refuses what the vendor or the law would:
 * longer than one message (70 characters with 【signName】 and the longest values; more is billed as several), barred words, a variable used twice,
 * and a variable for anything personal.
 */
export const textsSchema = z
  .object({
    /** Says that codes and signature are samples, not approved anywhere. */
    sample: z.boolean().default(false),
    /** Registered signature, 2 to 12 characters, without brackets. */
    signName: z.string().min(2).max(12),
    /** What stands where a fact is secret, forbidden or not known: no text waits for want of a word. */
    missing: z.strictObject({
      place: z.string().min(1).max(TEXT_PARAMS.place),
      code: z.string().min(1).max(TEXT_PARAMS.code),
      time: z.string().min(1).max(TEXT_PARAMS.time),
      limit: z.string().min(1).max(TEXT_PARAMS.limit),
      rung: z.string().min(1).max(TEXT_PARAMS.rung),
    }),
    /** Stands for a deadline to keep that has already passed, as for everybody whom a missed rung brings in. */
    passed: z.string().min(1).max(TEXT_PARAMS.limit),
    /** Words that make the vendor or a carrier drop a text. */
    barred: z.array(z.string().min(1)).nonempty(),
    notes: z.record(z.enum(DESK_NOTES), z.string().min(1).max(TEXT_PARAMS.note)),
    templates: z.record(noticeKindSchema, templateSchema),
  })
  .superRefine((texts, ctx) => {
    const fail = (path: (string | number)[], message: string) =>
      ctx.addIssue({ code: 'custom', path, message });
    const codes = new Map<string, string>();
    for (const [kind, template] of Object.entries(texts.templates)) {
      const path = ['templates', kind];
      const used = placeholders(template.text);
      for (const name of used)
        if (!template.params.some((param) => param === name))
          fail(path, `'${kind}': \${${name}} stands in the text but not in params`);
      for (const name of template.params)
        if (!used.includes(name)) fail(path, `'${kind}': '${name}' stands in params but not in the text`);
      if (new Set(used).size !== used.length)
        fail(path, `'${kind}': the vendor allows each variable only once in a text`);
      const longest =
        texts.signName.length +
        2 +
        template.text.replace(/\$\{\w+\}/g, '').length +
        template.params.reduce((sum, name) => sum + TEXT_PARAMS[name], 0);
      if (longest > 70)
        fail(path, `'${kind}': up to ${longest} characters with 【${texts.signName}】, one message holds 70`);
      const other = codes.get(template.code);
      if (other) fail(path, `'${kind}' and '${other}' have the same code ${template.code}`);
      codes.set(template.code, kind);
    }
    const written = [
      ...Object.entries(texts.templates).map(([kind, t]) => [['templates', kind], t.text] as const),
      ...Object.entries(texts.notes).map(([note, text]) => [['notes', note], text] as const),
      [['signName'], texts.signName] as const,
      [['passed'], texts.passed] as const,
      ...Object.entries(texts.missing).map(([name, text]) => [['missing', name], text] as const),
    ];
    for (const [path, text] of written)
      for (const word of texts.barred)
        if (text.includes(word)) fail([...path], `'${word}' is barred by the vendor`);
  });
/** The texts of a district. */
export type Texts = z.infer<typeof textsSchema>;

/** What a text may say. The template picks what it needs; what is left out is worded by `missing`. */
export type NoticeFacts = {
  /** `shortNumber` of the incident, or of the rejected message. */
  number: string;
  /** Road or grid of the incident. House and flat numbers are cut off; leave it out for secret matters. */
  place?: string | undefined;
  /** See `neutralCode`. */
  code?: string | undefined;
  rung?: Rung | undefined;
  /** The deadline of the rung spoken of. */
  deadline?: Date | undefined;
  /** When the text is written. */
  at: Date;
  /** Only for `desk`. */
  note?: DeskNote | undefined;
};

/**
 * A code for a category that tells a member what to expect and a passer-by nothing: a letter for the group, a number within it (B2), both by the
 * order of the district's category file. `undefined` for a category that is not in the file.
 */
export function neutralCode(
  categories: readonly { id: string; group: string }[],
  category: string,
): string | undefined {
  const group = categories.find((c) => c.id === category)?.group;
  if (group === undefined) return undefined;
  const groups = [...new Set(categories.map((c) => c.group))];
  const within = categories.filter((c) => c.group === group).findIndex((c) => c.id === category);
  return `${String.fromCharCode(65 + groups.indexOf(group))}${within + 1}`;
}

/** The last six characters of a ULID: what people say on the phone. Not unique for ever, but within a district's day. */
export const shortNumber = (id: string) => id.slice(-6);

const CHINA_MS = 8 * 3_600_000;
const SOON_MS = 10 * 60_000;

/**
 * A deadline as a Chinese clock time: with seconds when it is less than ten minutes away (there they count), with the day when it is not today.
 */
export function clockTime(deadline: Date, at: Date): string {
  const local = new Date(deadline.getTime() + CHINA_MS).toISOString();
  if (Math.abs(deadline.getTime() - at.getTime()) < SOON_MS) return local.slice(11, 19);
  const today = new Date(at.getTime() + CHINA_MS).toISOString().slice(0, 10);
  const day =
    local.slice(0, 10) === today ? '' : `${Number(local.slice(5, 7))}月${Number(local.slice(8, 10))}日`;
  return day + local.slice(11, 16);
}

/** Where a house begins: digits before 号, 栋 … — but 12号网格 and 3号路 are names of grids and roads. */
const HOUSE =
  /[\d０-９A-Za-z一二三四五六七八九十百-]+(号楼|号院|号|栋|幢|座|单元|室|弄|楼|层|户)(?!网格|路|街|巷|线|桥|门|岗|村).*$/;

/** The part of a place that may stand on a lock screen; empty if nothing is left. */
function openPlace(place: string): string {
  // Brackets are reserved for the signature, ${ } for variables.
  const plain = place.replace(/[【】[\]{}$\s]/g, '').replace(HOUSE, '');
  if (plain.length <= TEXT_PARAMS.place) return plain;
  // Half a character outside the basic plane would be cut away as well.
  return `${plain.slice(0, TEXT_PARAMS.place - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

/**
 * The text of a notice: what the vendor is given (`code`, `params`) and what the phone will show after the signature (`text`).
 * Never fails: a notice that could not be worded would be a notice that nobody gets.
 */
export function renderNotice(
  texts: Texts,
  kind: NoticeKind,
  facts: NoticeFacts,
): { code: string; params: Record<string, string>; text: string } {
  const template = texts.templates[kind];
  const params = Object.fromEntries(template.params.map((name) => [name, VALUES[name](facts, texts)]));
  return {
    code: template.code,
    params,
    text: template.text.replace(/\$\{(\w+)\}/g, (_, name: string) => params[name] ?? ''),
  };
}

const VALUES: Record<TextParam, (facts: NoticeFacts, texts: Texts) => string> = {
  number: ({ number }) => number.slice(-TEXT_PARAMS.number) || '0',
  place: (facts, { missing, barred }) => {
    const place = openPlace(facts.place ?? '');
    // A road may be named after an office whose trade is a barred word; rather no place than no text.
    return place && !barred.some((word) => place.includes(word)) ? place : missing.place;
  },
  code: ({ code }, { missing }) => (code && code.length <= TEXT_PARAMS.code ? code : missing.code),
  time: ({ deadline, at }, { missing }) => (deadline ? clockTime(deadline, at) : missing.time),
  limit: ({ deadline, at }, { missing, passed }) => {
    if (!deadline) return missing.limit;
    return deadline.getTime() <= at.getTime() ? passed : clockTime(deadline, at);
  },
  now: ({ at }) => clockTime(at, at),
  rung: ({ rung }, { missing }) => (rung ? RUNG_NAMES[rung] : missing.rung),
  note: ({ note }, { notes }) => notes[note ?? 'other'],
};
