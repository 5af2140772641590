import type { Vendor } from './channel.ts';
import { isConfidential, type Incident, type OUTCOMES } from './incident.ts';
import type { Choice } from './notice.ts';
import type { NoticeKind, DeskNote, Answer } from './notice-kind.ts';
import { ACTION_NAMES } from './moves.ts';
import { ROLE_NAMES, districtDay, type Role } from './roster.ts';
import { RUNG_NAMES, type Rung } from './rung.ts';
import {
  TEXT_PARAMS,
  isTemplateVendor,
  placeholders,
  type Template,
  type Texts,
  type TextParam,
  type Language,
} from './texts.ts';

/** What a text may say. The template picks what it needs; what is left out is worded by `missing`. */
export type NoticeFacts = {
  /** `shortNumber` of the incident, or of the rejected message; of a note about somebody his id in the roster. */
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
  /** When the notice was decided. */
  asked?: Date | undefined;
  /** Only for `desk`. */
  note?: DeskNote | undefined;
  /** Only for `choose` (the first three are shown), and for an answer that asks for words. */
  list?: readonly Choice[] | undefined;
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

/**
 * What a task is called in a list to choose from. A secret or dangerous one by the instant of its asking, as its first text had it: the number
 * of an incident is not shown before somebody is asked whom it concerns.
 */
export const taskName = (
  incident: Pick<Incident, 'id' | 'secret' | 'classification'>,
  asked: Date,
): string => (isConfidential(incident) ? clockTime(asked, asked) : shortNumber(incident.id));

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

const choiceOf = (choice: Choice | undefined, tongue: Tongue): string | undefined => {
  if (!choice) return undefined;
  const code = `${choice.number}回${choice.code}`;
  const whole = `${code}${tongue === 'en' ? '' : ACTION_NAMES[choice.action ?? 'accept']}`;
  // Rather no word than half a one.
  return whole.length <= TEXT_PARAMS.choice ? whole : code;
};

const VALUES: Record<TextParam, (facts: NoticeFacts, texts: Texts, tongue: Tongue) => string> = {
  // Letters and digits only: templates bar hyphens in what is spoken, and may in a number that is written.
  number: ({ number }) => number.replace(/[^0-9A-Za-z]/g, '').slice(-TEXT_PARAMS.number) || '0',
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
  asked: ({ at, asked = at }) => clockTime(asked, asked),
  rung: ({ rung }, texts, tongue) => {
    if (!rung) return missingIn(texts, tongue).rung;
    return tongue === 'en' ? rung : RUNG_NAMES[rung];
  },
  note: ({ note = 'other' }, { notes }, tongue) => (tongue === 'en' ? note : notes[note]),
  choice: ({ list = [] }, _texts, tongue) => choiceOf(list[0], tongue) ?? '…',
  choice2: ({ list = [] }, texts, tongue) =>
    choiceOf(list[1], tongue) ?? missingIn(texts, tongue)[list[0]?.action ? 'only' : 'choice2'],
  choice3: ({ list = [] }, texts, tongue) => choiceOf(list[2], tongue) ?? missingIn(texts, tongue).choice3,
  outcome: ({ answer = 'over', list = [] }, { outcomes }, tongue) =>
    tongue === 'en' ? answer : outcomes[answer].replace('#', list[0]?.code ?? ''),
  pin: ({ pin }) => pin ?? '000000',
  token: ({ token }) => token ?? '0',
  role: ({ role }, texts, tongue) => {
    if (!role) return missingIn(texts, tongue).role;
    return tongue === 'en' ? role : ROLE_NAMES[role];
  },
  result: ({ result = 'handed_on' }, { results }, tongue) => (tongue === 'en' ? result : results[result]),
};
