import * as z from 'zod';
import { OVER, instantSchema, isExpected, personOf, type Incident, type Instant } from './incident.ts';
import type { Member } from './roster.ts';
import { choiceSchema, type Choice } from './notice.ts';
import type { Answer } from './notice-kind.ts';

/** Numbers behind our own by which the answers of members and of callers are told apart. */
export const repliesSchema = z
  .strictObject({
    members: z
      .string()
      .regex(/^\d{1,4}$/, 'an extension has 1 to 4 digits')
      .default('1'),
    callers: z
      .string()
      .regex(/^\d{1,4}$/, 'an extension has 1 to 4 digits')
      .default('2'),
  })
  .refine(({ members, callers }) => !members.endsWith(callers) && !callers.endsWith(members), {
    message: 'members and callers answer to different extensions, neither the end of the other',
  });
/** Numbers behind our own. */
export type Extensions = z.infer<typeof repliesSchema>;

/** What a member can do by text, with the digit that says so. */
export const TEXTED = { accept: '1', decline: '2', arrive: '3', close: '4' } as const;
/** What a member can do by text. */
export type Texted = keyof typeof TEXTED;

/** What a member means. `which`: the task's number in the list that he was sent; `words`: what he tells of a task that is done. */
export type Meaning =
  { say: Texted; which?: number; words?: string } | { say: 'stop' } | { say: 'start' } | { say: 'unclear' };

/** What a caller means. */
export type CallerMeaning = Rating | { say: 'stop' } | { say: 'unclear' };
/** How content a caller is, or that he wants it done again. */
export type Rating = { say: 'score'; score: number } | { say: 'again' };

/** Stands between words, or is typed by mistake. */
const NOISE = '[\\s.,;:!?\'"()。，、；：！？“”‘’（）~～-]';

/** As people type it on a phone: full width, any case, blanks and stops in between. */
const plain = (text: string): string =>
  text
    .normalize('NFKC')
    .replace(new RegExp(NOISE, 'gu'), '')
    .toUpperCase()
    .replace(/^(回复|回)/u, '');

const STOP = /^(0|00|000|0000|TD|T|N|STOP|退订)$/u;

/** The words of the buttons. */
const NAMED: readonly (readonly [RegExp, Texted])[] = [
  [/^(接单|签收)$/u, 'accept'],
  [/^退单$/u, 'decline'],
  [/^已?(到场|到达|到达现场|到现场)了?$/u, 'arrive'],
  [/^已?办结了?$/u, 'close'],
];
/** A close with what was done, which stands apart from it: "办结不了" closes nothing. */
const CLOSED_WITH = new RegExp(`^已?办结了?(?:${NOISE}+(\\S.*))?`, 'su');
/** "办结，还不行": words that begin like this may take the close back, and a matter is not closed on a guess. */
const TAKEN_BACK = /^[不没还未]/u;
/** As much of a text as is looked through for a close with words, in characters: nobody types more, and machines may send anything. */
const MOST_READ = 500;

/** Without what stands before the first word. */
const bare = (text: string): string => text.replace(new RegExp(`^${NOISE}+`, 'u'), '');

/** The digits before it and the words after it, if this is a close. Step by step, so that no text can make the pattern go back over it. */
const closeOf = (text: string): { digits: string; words: string } | undefined => {
  const [read = ''] = new RegExp(`^.{0,${MOST_READ}}`, 'su').exec(bare(text)) ?? [];
  const said = bare(read.replace(/^(回复|回)/u, ''));
  const [digits = ''] = /^\p{Nd}{0,3}/u.exec(said) ?? [];
  const closed = CLOSED_WITH.exec(bare(said.slice(digits.length)));
  const words = (closed?.[1] ?? '').replace(new RegExp(`${NOISE}+$`, 'u'), '');
  return closed
    ? { digits: digits.normalize('NFKC'), words: TAKEN_BACK.test(bare(words)) ? '' : words }
    : undefined;
};

/**
 * Reads what a member has texted, or the keys he pressed: digits and the words of the buttons, nothing else. A friendly "收到" is no promise
 * to come. A word that contradicts its digit ("2接单") means nothing.
 */
export const meaningOf = (text: string): Meaning => {
  const said = plain(text);
  if (STOP.test(said)) return { say: 'stop' };
  if (/^(KT|START|恢复)$/u.test(said)) return { say: 'start' };
  const closed = closeOf(text);
  const [, digits = '', label = ''] = closed
    ? ['', closed.digits, '办结']
    : (/^(\d{0,3})(\D*)$/u.exec(said) ?? []);
  const named = NAMED.find(([words]) => words.test(label))?.[1];
  const texted = (['accept', 'decline', 'arrive', 'close'] as const).find((one) =>
    digits === '' ? one === named : TEXTED[one] === digits.at(-1) && (label === '' || one === named),
  );
  if (!texted) return { say: 'unclear' };
  return {
    say: texted,
    ...(digits.length > 1 ? { which: Number(digits.slice(0, -1)) } : {}),
    ...(closed?.words ? { words: closed.words } : {}),
  };
};

/** Reads what a caller has texted: 1 to 5, or 6 for "do it again". */
export const callerMeaningOf = (text: string): CallerMeaning => {
  const said = plain(text).replace(/分$/u, '');
  if (STOP.test(said)) return { say: 'stop' };
  if (/^[1-5]$/.test(said)) return { say: 'score', score: Number(said) };
  if (/^(6|重办|没解决|未解决)$/u.test(said)) return { say: 'again' };
  return { say: 'unclear' };
};

/**
 * Did this come to the callers' number? By the signature that was answered, where callers have one of their own and the vendor tells it;
 * else by the extension. A vendor that tells neither has only members answering.
 * @param sign of texts to callers, if it is another one than the members'
 */
export const isFromCaller = (
  { callers }: Extensions,
  sign: string | undefined,
  { extension = '', signature = '' }: { extension?: string; signature?: string },
): boolean =>
  sign !== undefined && signature !== ''
    ? signature === sign
    : extension !== '' && extension.endsWith(callers);

/** The memo that says: never again a text to this caller. */
export const callerStopName = (phoneHash: string): string => `STOP-caller-${phoneHash}`;
/** The memo that lists the members' numbers, as keyed hashes, to which no texts are wanted: one, because there are few of them. */
export const TEXTLESS = 'STOP-members';
/** Parses that list. */
export const textlessSchema = z.array(z.string());

/** Vendors tell whole seconds: what happened within one may have been before or after. */
const SECOND_MS = 1_000;

/**
 * Did this incident wait for this member's answer at the instant he gave it? By the vendor's time, so that a post that comes twice, or
 * late, is read as the first one was.
 */
export const waitedFor = (incident: Incident, member: string, at: Instant): boolean => {
  const person = personOf(incident, member);
  if (person?.asked === undefined || person.asked >= at + SECOND_MS) return false;
  const before = (then: Instant | undefined): boolean => then !== undefined && then < at;
  if (before(person.accepted) || before(person.declined)) return false;
  if (person.stood || person.released) return false;
  return !OVER.has(incident.state) || !before(incident.closed?.at ?? 0);
};

/**
 * Is this task one of which the member could say, at the instant of his answer, that he has arrived, or that it is done? Whoever was asked and
 * has come without a word counts, as for a tap.
 */
export const couldReport = (
  incident: Incident,
  member: string,
  report: 'arrive' | 'close',
  at: Instant,
): boolean => {
  const person = personOf(incident, member);
  if (person?.asked === undefined || person.asked >= at + SECOND_MS) return false;
  const before = (then: Instant | undefined): boolean => then !== undefined && then < at;
  if (before(person.declined) || person.released || !(isExpected(person) || person.accepted !== undefined))
    return false;
  if (incident.state === 'joined') return false;
  if (report === 'arrive' && person.did.includes('arrive') && before(incident.done.arrive)) return false;
  return !OVER.has(incident.state) || !before(incident.closed?.at ?? 0);
};

/** One task of one member. Two members may share a number. */
export interface Task {
  incident: string;
  member: string;
}
/**
 * One that may be meant, as it is called in a list. `early`: his answer bears a time before he was asked, because the vendor's clock runs
 * behind ours, or because it was an answer to something else.
 */
export interface WaitingTask extends Task {
  number: string;
  early?: boolean;
}

/** Codes by which the tasks of one number are told apart, as they were sent to it. `at`: when it was last sent there. */
export const codesSchema = z.record(
  z.string().regex(/^\d{1,2}$/),
  // What an older release has kept says no instant: it is over.
  z.object({ incident: z.string(), member: z.string(), at: instantSchema.default(0) }),
);
/** Codes of one number. */
export type Codes = z.infer<typeof codesSchema>;

const same = (a: Task, b: Task): boolean => a.incident === b.incident && a.member === b.member;

/** More than this at once nobody can choose from on a phone. */
const MOST_CODES = 99;
/** How long a code keeps its task after it was last sent; then it is free for another one. Milliseconds. */
export const CODE_MS = 86_400_000;

/**
 * The codes that hold now, with one for every waiting task, which are about to be sent; a task that has one keeps it, because its owner may be
 * typing it at this moment.
 */
export const withCodes = (codes: Codes, waiting: readonly Task[], now: Instant): Codes => {
  const next = Object.fromEntries(Object.entries(codes).filter(([, { at }]) => now - at < CODE_MS));
  for (const { incident, member } of waiting) {
    const free = (): string | undefined =>
      Array.from({ length: MOST_CODES }, (_, n) => String(n + 1)).find((code) => next[code] === undefined);
    const code = codeOf(next, { incident, member }) ?? free();
    if (code !== undefined) next[code] = { incident, member, at: now };
  }
  return next;
};

/** The code of a task. */
export const codeOf = (codes: Codes, task: Task): string | undefined =>
  Object.entries(codes).find(([, one]) => same(one, task))?.[0];

/**
 * What is done about an answer. `act`: the one waiting task, or the one whose code was given; `choose`: nothing is done, the answer lists
 * the codes; `tell`: nothing waits any more, or words are missing, and he shall know; `ignore`: nobody can be helped by an answer. Never
 * holds his words: they are read anew from each post of the message.
 */
export const decisionSchema = z.discriminatedUnion('do', [
  z.object({
    do: z.literal('act'),
    action: z.enum(['accept', 'decline', 'arrive', 'close']),
    incident: z.string(),
    member: z.string(),
  }),
  z.object({
    do: z.literal('choose'),
    incident: z.string(),
    member: z.string(),
    list: z.array(choiceSchema),
  }),
  z.object({
    do: z.literal('tell'),
    incident: z.string(),
    member: z.string(),
    answer: z.enum(['done', 'gone', 'over', 'arrived', 'no-words']),
    /** Of `no-words`: the code that goes with them. */
    list: z.array(choiceSchema).optional(),
  }),
  z.object({ do: z.literal('stop'), member: z.string() }),
  z.object({ do: z.literal('start'), member: z.string() }),
  z.object({ do: z.literal('ignore') }),
]);
/** What is done about an answer. */
export type Decision = z.infer<typeof decisionSchema>;

/** How somebody whose answer came too late stands with a task; `report`: he meant to report this. */
export const standingOf = (
  incident: Incident,
  member: string,
  report?: 'arrive' | 'close',
): 'done' | 'gone' | 'over' | 'arrived' => {
  const person = personOf(incident, member);
  if (OVER.has(incident.state)) return 'over';
  if (person?.released || person?.stood) return 'gone';
  if (report === 'arrive' && person?.did.includes('arrive')) return 'arrived';
  return person?.accepted !== undefined ? 'done' : 'gone';
};

/** What an answer of a member's number means for the tasks that waited for it. Pure; `codes` already name every waiting task. */
export const decide = (
  meaning: Meaning,
  waiting: readonly WaitingTask[],
  codes: Codes,
  /** The latest task that was asked of this number, whatever became of it. */
  latest: (Task & { standing: ReturnType<typeof standingOf> }) | undefined,
  members: readonly Pick<Member, 'id'>[],
): Decision => {
  const [first] = members;
  if (!first) return { do: 'ignore' };
  if (meaning.say === 'stop' || meaning.say === 'start') return { do: meaning.say, member: first.id };
  const [only] = waiting;
  const texted = meaning.say === 'unclear' || meaning.say === 'decline' ? 'accept' : meaning.say;
  const listed = (task: WaitingTask): Choice => ({
    number: task.number,
    // Alone it needs no code.
    code: `${waiting.length > 1 ? (codeOf(codes, task) ?? '') : ''}${TEXTED[texted]}`,
    ...(texted === 'accept' ? {} : { action: texted }),
  });
  const choose: Decision = only
    ? {
        do: 'choose',
        incident: only.incident,
        member: only.member,
        // The latest first: it is the one that he has before his eyes.
        list: waiting.toReversed().map(listed),
      }
    : latest
      ? { do: 'tell', incident: latest.incident, member: latest.member, answer: latest.standing }
      : { do: 'ignore' };
  if (meaning.say === 'unclear') return only ? choose : { do: 'ignore' };
  const { which } = meaning;
  const sole = waiting.length === 1 && only?.early !== true ? only : undefined;
  const meant = which === undefined ? sole : codes[which];
  if (!meant) return choose;
  const { incident, member } = meant;
  if (meaning.say === 'close' && meaning.words === undefined)
    return {
      do: 'tell',
      incident,
      member,
      answer: 'no-words',
      ...(which === undefined
        ? {}
        : { list: [{ number: '', code: `${which}${TEXTED.close}`, action: 'close' }] }),
    };
  return { do: 'act', action: meaning.say, incident, member };
};

/**
 * The ways that are left to somebody who wants no texts. The last channel of the plan is never taken away, because an alarm has to arrive:
 * a telephone that this plan never rings is no way.
 */
export const withoutTexts = <T extends { channel: string }>(
  ways: readonly T[],
  plan: readonly { channel: string }[],
): readonly T[] => {
  const others = ways.filter(({ channel }) => channel !== 'sms');
  return others.some(({ channel }) => plan.some((step) => step.channel === channel)) ? others : ways;
};

/** What somebody is told of the outcome of his answer. */
export type Told = Exclude<Answer, 'no-words'>;
