import * as z from 'zod';
import { isDangerous } from './classification.ts';
import { draft, notify, write, type Change } from './draft.ts';
import type { Hands } from './hands.ts';
import { personOf, type Incident, type Instant } from './incident.ts';
import type { Notice } from './notice.ts';
import type { Rating } from './reply.ts';
import type { NoticeKind } from './notice-kind.ts';
import { districtDay } from './roster.ts';

/** To whom notices about his own report go. No roster id can be this, because of the capital letter. */
export const CALLER = 'CALLER';

/** Is the caller told what becomes of his report? Off unless a district wants it. */
export const callerToldSchema = z.strictObject({
  on: z.boolean().default(false),
  /** Words by which somebody reports for others: telling him would tell of them. */
  thirdParty: z
    .array(z.string().min(2))
    .default([
      '路过',
      '路人',
      '看到有人',
      '看见有人',
      '听到有人',
      '听见有人',
      '发现有人',
      '发现对面',
      '看到对面',
      '看见对面',
      '对面楼',
      '帮别人',
      '帮朋友',
      '替别人',
      '替朋友',
      '替邻居',
      '帮邻居',
      '我妈',
      '我爸',
      '我母亲',
      '我父亲',
      '我奶奶',
      '我爷爷',
      '我外婆',
      '我外公',
      '我同事',
      '我朋友',
      '我同学',
      '我亲戚',
      '代为报警',
      '我是物业',
      '我是保安',
    ]),
  /** Words of minors and of what happens behind doors, beyond the danger signs and their words of minors (`minors` of danger.json). */
  never: z
    .array(z.string().min(2))
    .default([
      '未成年',
      '小学生',
      '中学生',
      '孩子被',
      '小孩被',
      '女儿',
      '儿子',
      '小学',
      '初中',
      '高中',
      '上学',
      '家暴',
      '老公打',
      '丈夫打',
      '老婆打',
      '妻子打',
      '打我',
      '打了我',
      '摸我',
      '猥亵',
      '性骚扰',
      '强奸',
      '偷拍',
    ]),
});
/** Is the caller told? */
export type CallerTold = z.infer<typeof callerToldSchema>;

/**
 * Why the caller must not be told, if so; asked when the notice is made and again immediately before it is sent. A text lies open on a
 * phone that somebody else may hold: never for police matters, danger, violence in families, minors, secret incidents, or somebody
 * who reported for others — unless the desk has released this one message.
 * @param said what the caller said, where it is at hand, and by which words the district knows minors
 */
export const callerBarred = (
  told: CallerTold,
  incident: Incident,
  notice: Pick<Notice, 'released'>,
  said?: { words: string; minors: readonly string[] },
): string | undefined => {
  if (notice.released) return undefined;
  if (!told.on) return 'not-wanted';
  const { classification } = incident;
  if (incident.secret) return 'secret';
  if (!classification || !classification.sure) return 'unsure';
  if (classification.disposition === 'police' || incident.state === 'returned') return 'police';
  if (isDangerous(classification)) return 'danger';
  if (!said) return undefined;
  // A telephone that rings is no blow.
  const words = said.words.normalize('NFKC').replace(/打我的?(?=电话|手机)/gu, '');
  const says = (word: string): boolean => words.includes(word);
  if (told.never.some(says) || said.minors.some(says) || UNDER_AGE.test(words)) return 'protected';
  return told.thirdParty.some(says) ? 'third-party' : undefined;
};

/** An age below eighteen: 十五岁, 9周岁, but not 二十五岁 or 65岁. */
const UNDER_AGE =
  /(?<![\d一二三四五六七八九十百])(1[0-7]|[1-9]|十[一二三四五六七]?|[一二两三四五六七八九])\s?周?岁/u;

/** Why a notice to the caller is not true any more. */
export const callerMoot = (incident: Incident, { kind }: Pick<Notice, 'kind'>): string | undefined => {
  if (kind === 'caller-result') return incident.closed ? undefined : 'reopened';
  if (incident.closed) return 'closed';
  // Its own people were sent home; who comes now comes for another call.
  if (incident.state === 'joined') return 'joined';
  if (kind === 'caller-coming' && incident.done.arrive !== undefined) return 'arrived';
  return incident.lead === undefined ? 'nobody-leads' : undefined;
};

/** What there is to tell a caller as things stand. */
export const tidings = ({ closed, done }: Incident): NoticeKind => {
  if (closed) return 'caller-result';
  return done.depart !== undefined && done.arrive === undefined ? 'caller-coming' : 'caller-accepted';
};

/** What a change means to the caller: the first acceptance, the first departure, the close. */
const meaningTo = (before: Incident, after: Incident): NoticeKind | undefined => {
  if (before.closed === undefined && after.closed !== undefined) return 'caller-result';
  // Who has arrived needs no announcement.
  if (before.done.depart === undefined && after.done.depart !== undefined && after.done.arrive === undefined)
    return 'caller-coming';
  return before.acceptedAt === undefined && after.acceptedAt !== undefined ? 'caller-accepted' : undefined;
};

/** Adds to a change what the caller is told of it, if he may be. He hears of each step once in a round. */
export const tellCaller = (told: CallerTold, before: Incident, change: Change, now: Instant): Change => {
  const { incident } = change;
  const kind = meaningTo(before, incident);
  if (kind === undefined || callerBarred(told, incident, {}) !== undefined) return change;
  const n = String(change.notices.length).padStart(2, '0');
  const id = `${String(incident.version).padStart(5, '0')}.${n}`;
  return {
    ...change,
    notices: [...change.notices, { id, to: CALLER, kind, at: now, round: incident.round }],
  };
};

/** What of a person a caller may know: what he is. */
export const roleOfLead = (incident: Incident): 'member' | 'leader' | 'duty' | 'street' | undefined =>
  incident.lead === undefined ? undefined : personOf(incident, incident.lead)?.role;

/** Below this somebody should call back. */
const CONTENT_FROM = 3;

/**
 * A caller rated, or wants it done again: written down; where he is not content the duty officer hears of it, or, with none on shift, the street
 * leader: once a day, however often he says so. Reopening is the desk's.
 * @param notices of this incident until now
 */
export const tellOfCallerReply = (
  incident: Incident,
  meaning: Rating,
  notices: readonly Notice[],
  hands: Hands,
  now: Instant,
): Change => {
  const d = draft(incident, hands, now);
  write(d, {
    kind: 'reply',
    by: 'caller',
    facts: meaning.say === 'score' ? { score: meaning.score } : { wants: 'reopen' },
  });
  const [desk] = [...hands.duty, ...hands.street];
  const told = notices.some(
    ({ note, at }) => note === 'caller-unsatisfied' && districtDay(at) === districtDay(now),
  );
  if (desk && !told && (meaning.say === 'again' || meaning.score < CONTENT_FROM))
    notify(d, desk.id, 'desk', undefined, 'caller-unsatisfied');
  d.incident.version += 1;
  return { incident: d.incident, lines: d.lines, notices: d.notices };
};
