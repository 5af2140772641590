import * as z from 'zod';
import type { Vendor } from './channel.ts';
import { ROLE_NAMES, districtDay, type Role } from './roster.ts';
import { OUTCOMES } from './incident.ts';
import { RUNG_NAMES, RUNGS, type Rung } from './rung.ts';

/**
 * Why somebody gets a text.
 * ask 派单 · ask-secret the same for secret or dangerous matters (no place) · reinforce asked to come as well · stand-down the lead was found ·
 * told the responsible member: your rung is overdue · climb leader, duty officer, street leader: a rung is overdue · nag nobody has accepted yet ·
 * reassigned the old lead is released · returned duty: hand this back to 110 · handback street leader: nobody handed it back ·
 * desk a note to the duty officer · changed address or danger changed · reopened the former lead is asked again ·
 * plain what is left of an ask whose words were refused · news the same of anything else · choose which of several tasks did you mean · answer what came of a text back ·
 * pin a link is opened on a second device · caller-accepted, caller-coming, caller-result to whoever had called ·
 * summary what quiet hours held back, in one · drill can you be reached? · canary does this vendor still work?
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
  'plain',
  'news',
  'choose',
  'answer',
  'pin',
  'caller-accepted',
  'caller-coming',
  'caller-result',
  'summary',
  'drill',
  'canary',
] as const;
/** Why somebody gets a text. */
export type NoticeKind = (typeof NOTICE_KINDS)[number];
/** Parses a notice kind. */
export const noticeKindSchema = z.enum(NOTICE_KINDS);

/** The kinds that go to whoever has called, in the order in which things happen. */
export const CALLER_KINDS: ReadonlySet<NoticeKind> = new Set([
  'caller-accepted',
  'caller-coming',
  'caller-result',
]);

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
  'phone-110',
  'decline',
  'frequent',
  'opinion',
  'sms-stopped',
  'unpaid',
  'caller-unsatisfied',
  'other',
] as const;
/** What a `desk` text is about. */
export type DeskNote = (typeof DESK_NOTES)[number];

/** What somebody is told who has texted back; a closed set, worded by the district. */
export const ANSWERS = ['lead', 'helper', 'declined', 'done', 'gone', 'over', 'late'] as const;
/** What somebody is told who has texted back. */
export type Answer = (typeof ANSWERS)[number];

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
  rung: Math.max(...RUNGS.map((rung) => Math.max(rung.length, RUNG_NAMES[rung].length))),
  /** One of the district's desk notes. */
  note: Math.max(14, ...DESK_NOTES.map((note) => note.length)),
  /**
   * A task with the code to text back: 8F3K2M回11. Three variables of their own, not one list: of a variable a vendor may take twelve
   * characters (Tencent, of accounts that are not an organisation's).
   */
  choice: 12,
  choice2: 12,
  choice3: 12,
  /** One of the answers. */
  outcome: 14,
  /** Six digits that open a link on a second device. */
  pin: 6,
  /** The path of a link behind the district's registered domain. */
  token: 11,
  /** What somebody is, never who: 队员. */
  role: 6,
  /** How the matter ended, in the district's neutral words. */
  result: 10,
} as const;
/** A variable of a template. */
export type TextParam = keyof typeof TEXT_PARAMS;
/** All variables. */
export const TEXT_PARAM_NAMES = [
  'number',
  'place',
  'code',
  'time',
  'limit',
  'now',
  'rung',
  'note',
  'choice',
  'choice2',
  'choice3',
  'outcome',
  'pin',
  'token',
  'role',
  'result',
] as const satisfies readonly TextParam[];

const paramSchema = z.enum(TEXT_PARAM_NAMES);
const placeholders = (text: string): string[] => [...text.matchAll(/\$\{(\w+)\}/g)].map((m) => m[1] ?? '');

/** Languages of the texts. Values that are names (roads) stay as they are. */
export const LANGUAGES = ['zh-CN', 'en'] as const;
/** A language of the texts. */
export type Language = (typeof LANGUAGES)[number];

/** Vendors that send approved templates only; the others take words. */
export const TEMPLATE_VENDORS = ['aliyun-sms', 'tencent-sms', 'aliyun-voice'] as const satisfies Vendor[];
/** A vendor that sends approved templates only. */
export type TemplateVendor = (typeof TEMPLATE_VENDORS)[number];
const isTemplateVendor = (vendor: Vendor): vendor is TemplateVendor =>
  TEMPLATE_VENDORS.some((one) => one === vendor);

/** What a vendor's template codes look like. */
const CODES: Record<TemplateVendor, RegExp> = {
  'aliyun-sms': /^SMS_\d+$/,
  'tencent-sms': /^\d+$/,
  'aliyun-voice': /^TTS_\d+$/,
};

/** `sample`: invented for trying out · `filed`: waits at the vendor · `refused`, `approved`: since the day beside it. */
const approvalSchema = z
  .strictObject({ state: z.enum(['sample', 'filed', 'refused', 'approved']), at: z.iso.date().optional() })
  .refine(({ state, at }) => state === 'sample' || at !== undefined, 'a state has its day (at), yyyy-mm-dd');
/** 实名制报备: the carriers drop what is signed by somebody who is not on their register. Ours to file, five to ten working days. */
const filingSchema = z
  .strictObject({ state: z.enum(['none', 'filed', 'registered']), at: z.iso.date().optional() })
  .refine(({ state, at }) => state === 'none' || at !== undefined, 'a state has its day (at), yyyy-mm-dd');
const registrationSchema = z.strictObject({ signature: approvalSchema, filing: filingSchema });

const vendorVariablesSchema = z.strictObject({
  /** Longest value of a variable, UTF-16 units; longer ones are cut. */
  most: z.int().positive(),
  /** What each variable is declared as when the template is handed in. */
  types: z.partialRecord(paramSchema, z.string().min(1)),
  /** Which document says so, and what no document showed. */
  from: z.string(),
  unverified: z.array(z.string()),
});

/**
 * The words of one kind. `text`: an SMS, which can be answered by text; `chat`: in a work app or a push, where a tap answers, if the
 * words differ; `voice`: spoken, answered by keys: never a place. `parts`: messages of 67 characters that the longest
 * values may fill, where one of 70 does not do; each is billed.
 */
const templateSchema = z
  .strictObject({
    text: z.string().min(1),
    chat: z.string().min(1).optional(),
    voice: z.string().min(1).optional(),
    en: z.string().min(1),
    parts: z.partialRecord(z.enum(LANGUAGES), z.int().min(2).max(4)).default({}),
    params: z.array(paramSchema),
    /** By vendor: the code it gave on approval, and how far the approval is. */
    vendors: z.strictObject({
      'aliyun-sms': approvalSchema.safeExtend({ code: z.string().regex(CODES['aliyun-sms']) }),
      'tencent-sms': approvalSchema.safeExtend({ code: z.string().regex(CODES['tencent-sms']) }).optional(),
      'aliyun-voice': approvalSchema.safeExtend({ code: z.string().regex(CODES['aliyun-voice']) }).optional(),
    }),
  })
  .transform((template) => ({ ...template, code: template.vendors['aliyun-sms'].code }));
/** The words of one kind. */
export type Template = z.infer<typeof templateSchema>;

const missingSchema = z.strictObject({
  place: z.string().min(1).max(TEXT_PARAMS.place),
  code: z.string().min(1).max(TEXT_PARAMS.code),
  time: z.string().min(1).max(TEXT_PARAMS.time),
  limit: z.string().min(1).max(TEXT_PARAMS.limit),
  rung: z.string().min(1).max(TEXT_PARAMS.rung),
  role: z.string().min(1).max(TEXT_PARAMS.role),
  /** Stands after the only task that somebody can choose: how he declines it. */
  choice2: z.string().min(1).max(TEXT_PARAMS.choice2),
  /** Stands where there is no third task. */
  choice3: z.string().min(1).max(TEXT_PARAMS.choice3),
});

/** Characters of one message with 【signature】, and of each part of a longer one. */
export const MESSAGE_LENGTH = { single: 70, part: 67 } as const;

/** The signature under which a kind is sent. */
export const signOf = (
  { signName, callers }: Pick<Texts, 'signName' | 'callers'>,
  kind: NoticeKind,
): string => (CALLER_KINDS.has(kind) ? callers?.signName : undefined) ?? signName;

/** UTF-16 units of a text with the longest values and 【signature】. */
export const longestLength = (signName: string, text: string): number =>
  signName.length +
  2 +
  text.replace(/\$\{\w+\}/g, '').length +
  placeholders(text).reduce(
    (sum, name) =>
      sum + (TEXT_PARAM_NAMES.some((p) => p === name) ? TEXT_PARAMS[paramSchema.parse(name)] : 0),
    0,
  );

/** Messages that a text of this length is billed as. */
export const partsOf = (length: number): number =>
  length <= MESSAGE_LENGTH.single ? 1 : Math.ceil(length / MESSAGE_LENGTH.part);

/**
 * The texts of a district: data, since every word is approved by the vendor beforehand. The schema refuses what the vendor or the law would:
 * longer than the messages it is said to fill (one: 70 characters with 【signName】 and the longest values), barred words, a variable used
 * twice, and a variable for anything personal.
 */
export const textsSchema = z
  .strictObject({
    /** Says that codes and signature are samples, not approved anywhere. */
    sample: z.boolean().default(false),
    /** Registered signature, 2 to 12 characters, without brackets. */
    signName: z.string().min(2).max(12),
    /**
     * Under which callers are written to, if under another one. Vendors that make the numbers behind a signature themselves (Aliyun)
     * have another number for each, and so callers answer to another number than members.
     */
    callers: z
      .strictObject({
        signName: z.string().min(2).max(12),
        registrations: z.partialRecord(z.enum(TEMPLATE_VENDORS), registrationSchema),
      })
      .optional(),
    /** What stands where a fact is secret, forbidden or not known: no text waits for want of a word. */
    missing: missingSchema,
    /** Stands for a deadline to keep that has already passed, as for everybody whom a missed rung brings in. */
    passed: z.string().min(1).max(TEXT_PARAMS.limit),
    /** The same in English; whatever else comes from a closed set is shown there by its own code. */
    en: z.strictObject({ missing: missingSchema, passed: z.string().min(1).max(TEXT_PARAMS.limit) }),
    outcomes: z.record(z.enum(ANSWERS), z.string().min(1).max(TEXT_PARAMS.outcome)),
    results: z.record(z.enum(OUTCOMES), z.string().min(1).max(TEXT_PARAMS.result)),
    /** Words that make the vendor or a carrier drop a text, the day the documents were looked at, and which. */
    barred: z.array(z.string().min(1)).nonempty(),
    barredAsOf: z.iso.date(),
    barredFrom: z.array(z.string().min(1)).nonempty(),
    notes: z.record(z.enum(DESK_NOTES), z.string().min(1).max(TEXT_PARAMS.note)),
    /** Of the signature, by vendor. A vendor that does not stand here is not registered with, and not used in production. */
    registrations: z.partialRecord(z.enum(TEMPLATE_VENDORS), registrationSchema),
    variables: z.partialRecord(z.enum(TEMPLATE_VENDORS), vendorVariablesSchema),
    templates: z.record(noticeKindSchema, templateSchema),
  })
  .superRefine((texts, ctx) => {
    const fail = (path: (string | number)[], message: string) =>
      ctx.addIssue({ code: 'custom', path, message });
    const codes = new Map<string, string>();
    for (const [kind, template] of Object.entries(texts.templates)) {
      const path = ['templates', kind];
      const written = [
        ['text', template.text, template.parts['zh-CN']],
        ['chat', template.chat, 4],
        ['voice', template.voice, 4],
        ['en', template.en, template.parts.en],
      ] as const;
      for (const [field, text, parts = 1] of written) {
        if (text === undefined) continue;
        const used = placeholders(text);
        for (const name of used)
          if (!template.params.some((param) => param === name))
            fail(path, `'${kind}': \${${name}} stands in the ${field} but not in params`);
        if (new Set(used).size !== used.length)
          fail(path, `'${kind}': the vendor allows each variable only once in a text`);
        if (field === 'voice' && used.some((name) => name === 'place' || name === 'token'))
          fail(path, `'${kind}': what is spoken into any room names no place`);
        if (field === 'chat' || field === 'voice') continue;
        for (const name of template.params)
          if (!used.includes(name))
            fail(path, `'${kind}': '${name}' stands in params but not in the ${field}`);
        const sign = signOf(texts, noticeKindSchema.parse(kind));
        const longest = longestLength(sign, text);
        const holds = parts === 1 ? MESSAGE_LENGTH.single : parts * MESSAGE_LENGTH.part;
        if (longest > holds)
          fail(
            path,
            `'${kind}': up to ${longest} characters with 【${sign}】, ` +
              (parts === 1 ? 'one message holds 70' : `${parts} parts hold ${holds}`),
          );
      }
      for (const [vendor, { code }] of Object.entries(template.vendors)) {
        const other = codes.get(`${vendor} ${code}`);
        if (other) fail(path, `'${kind}' and '${other}' have the same code ${code}`);
        codes.set(`${vendor} ${code}`, kind);
      }
      if ((template.voice === undefined) !== (template.vendors['aliyun-voice'] === undefined))
        fail(path, `'${kind}': spoken words and the code of a spoken text belong together`);
    }
    if (texts.callers?.signName === texts.signName)
      fail(['callers', 'signName'], 'callers have another signature than members, or none of their own');
    const shown = [
      ...Object.entries(texts.templates).flatMap(([kind, t]) =>
        [t.text, t.chat, t.voice].flatMap((text) => (text ? [[['templates', kind], text] as const] : [])),
      ),
      ...Object.entries(texts.notes).map(([note, text]) => [['notes', note], text] as const),
      ...Object.entries(texts.outcomes).map(([name, text]) => [['outcomes', name], text] as const),
      ...Object.entries(texts.results).map(([name, text]) => [['results', name], text] as const),
      [['signName'], texts.signName] as const,
      ...(texts.callers ? [[['callers', 'signName'], texts.callers.signName] as const] : []),
      [['passed'], texts.passed] as const,
      ...Object.entries(texts.missing).map(([name, text]) => [['missing', name], text] as const),
    ];
    for (const [path, text] of shown)
      for (const word of texts.barred)
        if (text.includes(word)) fail([...path], `'${word}' is barred by the vendor`);
  });
/** The texts of a district. */
export type Texts = z.infer<typeof textsSchema>;

/** Are there words of this kind that this vendor takes, approved or not? */
export const hasWords = (texts: Texts, kind: NoticeKind, vendor: Vendor): boolean =>
  !isTemplateVendor(vendor) || texts.templates[kind].vendors[vendor] !== undefined;

/**
 * Can this vendor bring this kind now? One that sends approved templates only needs one for it. Where only what is approved may be used (a
 * district for production) it also needs the approval, and a registration of who signs: it would refuse anything else, or drop it without
 * a word, and the notice would wait for it.
 */
export const carries = (texts: Texts, kind: NoticeKind, vendor: Vendor, approvedOnly = false): boolean => {
  if (!hasWords(texts, kind, vendor)) return false;
  if (!isTemplateVendor(vendor) || !approvedOnly) return true;
  const approved = texts.templates[kind].vendors[vendor]?.state === 'approved';
  return approved && texts.registrations[vendor] !== undefined;
};

/** What a signature still lacks at a vendor. */
const unsigned = (
  path: string,
  vendor: TemplateVendor,
  { signature, filing }: Partial<z.infer<typeof registrationSchema>> = {},
): string[] => [
  ...(vendor !== 'aliyun-voice' && signature?.state !== 'approved'
    ? [`texts.json ${path}.signature: the signature is ${signature?.state ?? 'unknown'}, not approved`]
    : []),
  ...(filing?.state === 'registered'
    ? []
    : [
        `texts.json ${path}.filing: 实名制报备 is '${filing?.state ?? 'none'}', not registered; ` +
          'file it ten working days ahead',
      ]),
];

/**
 * Why a district with these texts may not be deployed for production: one sentence for each approval or filing that is missing. Texts
 * that nobody has approved are refused by the vendor, and those of an unregistered signature are dropped without a word.
 */
export const unready = (texts: Texts, links: { domain?: string | undefined } = {}): string[] => {
  if (texts.sample) return ['texts.json: signature and codes are samples; put in those of your own account'];
  const sentences: string[] = [];
  for (const kind of NOTICE_KINDS)
    if (texts.templates[kind].params.includes('token') && links.domain === undefined)
      sentences.push(`texts.json templates.${kind}: holds a link, but the district has no links.domain`);
  const registered = TEMPLATE_VENDORS.filter((vendor) => texts.registrations[vendor] !== undefined);
  if (!registered.includes('aliyun-sms'))
    sentences.push('texts.json registrations: there is none with aliyun-sms, without which nothing is sent');
  for (const vendor of registered) {
    sentences.push(...unsigned(`registrations.${vendor}`, vendor, texts.registrations[vendor]));
    // Callers are not called.
    if (texts.callers && vendor !== 'aliyun-voice')
      sentences.push(
        ...unsigned(`callers.registrations.${vendor}`, vendor, texts.callers.registrations[vendor]),
      );
    for (const kind of NOTICE_KINDS) {
      const state = texts.templates[kind].vendors[vendor]?.state;
      if (state !== undefined && state !== 'approved')
        sentences.push(
          `texts.json templates.${kind}.vendors.${vendor}: the template is ${state}, not approved`,
        );
    }
  }
  return sentences;
};

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
  /** Only for `choose`: short numbers with their codes; the first three are shown. */
  list?: readonly { number: string; code: string }[] | undefined;
  /** Only for `answer`. */
  answer?: Answer | undefined;
  /** Only for `pin`. */
  pin?: string | undefined;
  /** Only where the words hold a link. */
  token?: string | undefined;
  /** Of who comes. */
  role?: Role | undefined;
  /** How it ended. */
  result?: (typeof OUTCOMES)[number] | undefined;
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
  const day =
    local.slice(0, 10) === districtDay(at.getTime())
      ? ''
      : `${Number(local.slice(5, 7))}月${Number(local.slice(8, 10))}日`;
  return day + local.slice(11, 16);
}

/** Where a house begins: digits before 号, 栋 … — but 12号网格 and 3号路 are names of grids and roads. */
const HOUSE =
  /[\d０-９A-Za-z一二三四五六七八九十百-]+(号楼|号院|号|栋|幢|座|单元|室|弄|楼|层|户)(?!网格|路|街|巷|线|桥|门|岗|村).*$/;

/** Cut to so many UTF-16 units, with a sign that something is missing. */
const cut = (text: string, most: number): string =>
  // Half a character outside the basic plane would be cut away as well.
  text.length <= most ? text : `${text.slice(0, most - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;

/** The part of a place that may stand on a lock screen; empty if nothing is left. */
const openPlace = (place: string): string =>
  // Brackets are reserved for the signature, ${ } for variables.
  cut(place.replace(/[【】[\]{}$\s]/g, '').replace(HOUSE, ''), TEXT_PARAMS.place);

/** A notice in the words of one vendor. */
export type Rendered = {
  /** The vendor's own code; empty for a vendor that takes words. */
  code: string;
  params: Record<string, string>;
  /** What the phone will show after the signature, or what is spoken. */
  text: string;
};

/** How each vendor's messages are taken in: read and answered by text, heard and answered by keys, or tapped. */
const TAKEN_IN: Record<Vendor, 'text' | 'voice' | 'chat'> = {
  'aliyun-sms': 'text',
  'tencent-sms': 'text',
  // Nobody hears what is texted back: "reply 1" would be a promise that nobody keeps.
  sns: 'chat',
  'aliyun-voice': 'voice',
  wecom: 'chat',
  dingtalk: 'chat',
  jpush: 'chat',
  webpush: 'chat',
  webhook: 'chat',
};

/** Which of a kind's words a vendor shows. Only the Chinese words are approved as templates. */
const wordsFor = (template: Template, vendor: Vendor, language: Language): string =>
  language === 'en' && !isTemplateVendor(vendor)
    ? template.en
    : (template[TAKEN_IN[vendor]] ?? template.text);

/**
 * The text of a notice: what the vendor is given (`code`, `params`) and what the phone will show after the signature (`text`).
 * Never fails: a notice that could not be worded would be a notice that nobody gets.
 */
export function renderNotice(
  texts: Texts,
  kind: NoticeKind,
  facts: NoticeFacts,
  vendor: Vendor = 'aliyun-sms',
  language: Language = 'zh-CN',
): Rendered {
  const template = texts.templates[kind];
  const words = wordsFor(template, vendor, language);
  const known = isTemplateVendor(vendor) ? texts.variables[vendor]?.most : undefined;
  const tongue: Tongue = language === 'en' && !isTemplateVendor(vendor) ? 'en' : 'zh-CN';
  const used = placeholders(words);
  const params = Object.fromEntries(
    template.params
      .filter((name) => used.includes(name))
      .map((name) => {
        const most = Math.min(TEXT_PARAMS[name], known ?? Infinity);
        return [name, cut(VALUES[name](facts, texts, tongue), most)];
      }),
  );
  return {
    code: isTemplateVendor(vendor) ? (template.vendors[vendor]?.code ?? '') : '',
    params,
    text: words.replace(/\$\{(\w+)\}/g, (_, name: string) => params[name] ?? ''),
  };
}

type Tongue = Language;
const missingIn = (texts: Texts, tongue: Tongue): Texts['missing'] =>
  tongue === 'en' ? texts.en.missing : texts.missing;

const choiceOf = (choice: { number: string; code: string } | undefined): string | undefined =>
  choice && `${choice.number}回${choice.code}`;

const VALUES: Record<TextParam, (facts: NoticeFacts, texts: Texts, tongue: Tongue) => string> = {
  number: ({ number }) => number.slice(-TEXT_PARAMS.number) || '0',
  place: (facts, texts, tongue) => {
    const place = openPlace(facts.place ?? '');
    // A road may be named after an office whose trade is a barred word; rather no place than no text.
    return place && !texts.barred.some((word) => place.includes(word))
      ? place
      : missingIn(texts, tongue).place;
  },
  code: ({ code }, texts, tongue) =>
    code && code.length <= TEXT_PARAMS.code ? code : missingIn(texts, tongue).code,
  time: ({ deadline, at }, texts, tongue) =>
    deadline ? clockTime(deadline, at) : missingIn(texts, tongue).time,
  limit: ({ deadline, at }, texts, tongue) => {
    if (!deadline) return missingIn(texts, tongue).limit;
    if (deadline.getTime() <= at.getTime()) return tongue === 'en' ? texts.en.passed : texts.passed;
    return clockTime(deadline, at);
  },
  now: ({ at }) => clockTime(at, at),
  rung: ({ rung }, texts, tongue) => {
    if (!rung) return missingIn(texts, tongue).rung;
    return tongue === 'en' ? rung : RUNG_NAMES[rung];
  },
  note: ({ note = 'other' }, { notes }, tongue) => (tongue === 'en' ? note : notes[note]),
  choice: ({ list = [] }) => choiceOf(list[0]) ?? '…',
  choice2: ({ list = [] }, texts, tongue) => choiceOf(list[1]) ?? missingIn(texts, tongue).choice2,
  choice3: ({ list = [] }, texts, tongue) => choiceOf(list[2]) ?? missingIn(texts, tongue).choice3,
  outcome: ({ answer = 'over' }, { outcomes }, tongue) => (tongue === 'en' ? answer : outcomes[answer]),
  pin: ({ pin }) => pin ?? '000000',
  token: ({ token }) => token ?? '0',
  role: ({ role }, texts, tongue) => {
    if (!role) return missingIn(texts, tongue).role;
    return tongue === 'en' ? role : ROLE_NAMES[role];
  },
  result: ({ result = 'handed_on' }, { results }, tongue) => (tongue === 'en' ? result : results[result]),
};
