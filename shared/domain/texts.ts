import * as z from 'zod';
import type { Vendor } from './channel.ts';
import { OUTCOMES } from './incident.ts';
import {
  NOTICE_KINDS,
  noticeKindSchema,
  CALLER_KINDS,
  DESK_NOTES,
  ANSWERS,
  type NoticeKind,
} from './notice-kind.ts';
import { RUNG_NAMES, RUNGS } from './rung.ts';

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
  /** When the notice was decided. Stands for the number of a secret matter, and makes each ask another text. */
  asked: 8,
  /** Name of the rung. */
  rung: Math.max(...RUNGS.map((rung) => Math.max(rung.length, RUNG_NAMES[rung].length))),
  /** One of the district's desk notes. */
  note: Math.max(14, ...DESK_NOTES.map((note) => note.length)),
  /**
   * A task with the code to text back: 8F3K2M回11接单. Three variables of their own, not one list: of a variable a vendor may take twelve
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
  'asked',
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
/** The names of the variables in a text, in their order. */
export const placeholders = (text: string): string[] =>
  [...text.matchAll(/\$\{(\w+)\}/g)].map((m) => m[1] ?? '');

/** Languages of the texts. Values that are names (roads) stay as they are. */
export const LANGUAGES = ['zh-CN', 'en'] as const;
/** A language of the texts. */
export type Language = (typeof LANGUAGES)[number];

/** Vendors that send approved templates only; the others take words. */
export const TEMPLATE_VENDORS = ['aliyun-sms', 'tencent-sms', 'aliyun-voice'] as const satisfies Vendor[];
/** A vendor that sends approved templates only. */
export type TemplateVendor = (typeof TEMPLATE_VENDORS)[number];
/** Does this vendor send approved templates only? */
export const isTemplateVendor = (vendor: Vendor): vendor is TemplateVendor =>
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
  /** Stands after the only task that somebody can report on. */
  only: z.string().min(1).max(TEXT_PARAMS.choice2),
  /** Stands where there is no third task. */
  choice3: z.string().min(1).max(TEXT_PARAMS.choice3),
});

/** Characters of one message with 【signature】, and of each part of a longer one. */
export const MESSAGE_LENGTH = { single: 70, part: 67 } as const;

/** Aliyun's rules for spoken templates (help.aliyun.com/document_detail/414170); two variables are those of its public mode. */
const SPOKEN = { most: 2, barred: /[#/:：%¥￥【】-]/u } as const;

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
    /** `#` in `no-words` stands for the code of the task, where there are several. */
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
        if (
          field === 'voice' &&
          (used.length > SPOKEN.most || SPOKEN.barred.test(text.replace(/\$\{\w+\}/g, '')))
        )
          fail(path, `'${kind}': spoken words have at most two variables, and none of # / : - % ¥ 【 】`);
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
