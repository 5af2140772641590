import * as z from 'zod';
import { clausesOf, type Clauses } from './clauses.ts';
import { normalise, originalSpan, type Normalised } from './normalise.ts';

// One check per list instead of a schema per word: thousands of words are parsed at every cold start.
const wordsSchema = z.custom<string[]>(
  (value) => Array.isArray(value) && value.every((word) => typeof word === 'string' && word !== ''),
  'a list of words, none of them empty',
);

/** What can take a cue back, in its own clause only. */
export const CANCELS = ['negation', 'hypothesis', 'figure', 'report', 'abstract', 'cause'] as const;
/** 否定 · 假设 · 比喻 · 转述或虚构 · 泛泛而问 · 另有原因 (摔伤, 狗咬). */
export type Cancel = (typeof CANCELS)[number];

const guardSchema = z.strictObject({
  id: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,47}$/),
  name: z.string().min(1),
  /** The category an incident gets when this sign decides; absent: the sign changes the disposition only. */
  category: z.string().optional(),
  urgency: z.enum(['P1', 'P2', 'P3', 'P4']),
  /** Urgency when the words say that it happens now (正在打, 快来). */
  urgencyNow: z.enum(['P1', 'P2', 'P3', 'P4']).optional(),
  /** Cues: 菜刀 · 把…打伤 (at most 10 characters between, one clause) · 撞了~{人物} (4) · 儿子……不见 (24, one sentence) · {家人}…打我 (a group). */
  words: wordsSchema,
  /** Words that, standing in a gap of a cue, make it harmless (儿子的手机不见了). */
  notBetween: wordsSchema.default([]),
  /** What does not take these cues back: 要是再来，我就砍死你 is no hypothesis. */
  immune: z.array(z.enum(CANCELS)).default([]),
  /** Counts whatever the rest of the text is about: a blow told in a question of law is still a blow. */
  firm: z.boolean().default(false),
  /** Cues of a firm sign that are not firm: 塌了, 死亡 are told of houses and of inheritances too. */
  loose: wordsSchema.default([]),
  /** Harm that comes by chance: to worry about it (怕砸到人) is to say that it has not come. */
  chance: z.boolean().default(false),
  /** Harm that nobody did: one of `words` in the same clause and none of `void` (摔骨折了, but not 被推倒摔骨折了). */
  cause: z
    .strictObject({
      words: wordsSchema,
      void: wordsSchema,
      /** Only what stands after the cue counts: 撞死了一条狗 has its victim there, and the driver before it. */
      after: z.boolean().default(false),
    })
    .optional(),
  /** Below this age the sign stands; from it on it is the other sign (a child of 14 is looked for like an adult). */
  under: z.strictObject({ age: z.int(), otherwise: z.string() }).optional(),
});

/** danger.json: every word the guard knows. Written for a clerk; changed only with a test (tests/corpus/README.md). */
export const dangerFileSchema = z.strictObject({
  note: z.string(),
  version: z.string().min(1),
  /** Who goes (issue table): kind of danger → police (110) or joint (never a lone civilian). */
  send: z.record(z.string(), z.enum(['police', 'joint'])),
  groups: z.record(z.string(), wordsSchema),
  guards: z.array(guardSchema).nonempty(),
  /** Harmless phrases that contain a danger word (刀削面). */
  harmless: z.array(z.string().min(2)),
  /** Words that begin a new clause without a mark. */
  contrast: wordsSchema,
  negation: z.strictObject({
    before: wordsSchema,
    /** May stand between the negation and the cue (没有人受伤). */
    between: wordsSchema,
    after: wordsSchema,
    /** Before the negation they turn it: 有没有受伤, 不是没打人. */
    turned: wordsSchema,
    /** Somebody's denial is no negation: 他还说没打人. */
    denial: wordsSchema,
  }),
  hypothesis: z.strictObject({
    before: wordsSchema,
    after: wordsSchema,
    /** Fear of harm that comes by chance. */
    worry: wordsSchema,
    /** 要是…就: a threat. */ void: wordsSchema,
  }),
  figure: z.strictObject({
    before: wordsSchema,
    after: wordsSchema,
    /** Ends like a figure of speech, but somebody says what he hears or sees: 好像着火了. */
    void: wordsSchema,
  }),
  report: z.strictObject({ before: wordsSchema, anywhere: wordsSchema }),
  abstract: z.strictObject({ words: wordsSchema, /** Somebody real is meant. */ void: wordsSchema }),
  tense: z.strictObject({
    now: wordsSchema,
    /** Still or again: no past. */ again: wordsSchema,
    recent: wordsSchema,
    long: wordsSchema,
  }),
  handled: z.strictObject({
    police: wordsSchema,
    court: wordsSchema,
    insurer: wordsSchema,
    /** Between the words of a handling they make it a question: 法院会怎么判. */
    notBetween: wordsSchema,
    /** Said anywhere, nothing is handled: 报警不立案. */
    refused: wordsSchema,
    /** Said anywhere, harm goes on. */
    ongoing: wordsSchema,
  }),
  minors: wordsSchema,
  /** Cues taken out: each names the pair that shows why and two people. */
  removed: z
    .array(
      z.strictObject({
        guard: z.string(),
        word: z.string(),
        pair: z.string(),
        by: z
          .tuple([z.string().min(1), z.string().min(1)])
          .refine(([a, b]) => a !== b, 'two different people'),
      }),
    )
    .default([]),
});
/** danger.json, parsed. */
export type Danger = z.output<typeof dangerFileSchema>;

/** What the guard needs of a district. */
export type GuardedDistrict = {
  signs: Danger;
  /** Words of this district only, by kind of danger; they add to the shared ones. */
  dangerWords: Readonly<Record<string, readonly string[]>>;
  placeNames: readonly string[];
  roads: readonly { name: string; names: readonly string[] }[];
  grids: readonly { name: string; names: readonly string[] }[];
};

/** What took a cue back: the reason against it, quoted from the original. */
export type CancelledBy = { by: Cancel; span: [number, number]; words: string };

/** A danger cue in the text. Spans are UTF-16 offsets into the original text; `words` is what they slice to. */
export type GuardHit = {
  /** Id of the kind of danger: weapon, injury, fire … */
  kind: string;
  /** 凶器, 火情 … */
  name: string;
  span: [number, number];
  words: string;
  /** Who goes for this kind of danger. */
  send: 'police' | 'joint';
  category?: string;
  /** Counts whatever the rest of the text is about. */
  firm: boolean;
  /** After tense: what is long over is less urgent, but the same people go. */
  urgency: 'P1' | 'P2' | 'P3' | 'P4';
  /** `again`: still or again (又, 还在); `open`: nothing is said. */
  tense: 'now' | 'again' | 'recent' | 'long' | 'open';
  /** Present: the cue counts for nothing, and this is why. */
  cancelledBy?: CancelledBy;
};

/** What the guard saw in a text. */
export type GuardResult = {
  /** Cues that count and, marked `cancelledBy`, cues that were taken back; in order of the text. */
  hits: GuardHit[];
  /** Children are spoken of: a flag, never a danger of its own. */
  minors: boolean;
  /** Police, court or insurer are said to handle it, and nothing says that harm goes on. */
  handled?: { by: 'police' | 'court' | 'insurer'; span: [number, number]; words: string };
};

/** `…` in a cue: at most so many characters, in one clause. */
const GAP = 10;
/** `……` in a cue: at most so many characters, in one sentence. */
const WIDE_GAP = 24;
/** How far back a negation may stand, over the words that may stand between. */
const BACK = 8;
/** Evidence of one kind that is kept, each of counting and cancelled cues: a desk reads three lines, not three hundred. */
const KEPT = 6;

type Part = { words: ReadonlySet<string>; gap: number; wide: boolean };
type Cue = { guard: number; firm: boolean; parts: Part[] };
type Found = { start: number; end: number };

/** Words by their first two characters, so that a place in the text is compared with few of them. */
class Lexicon {
  readonly #words = new Map<string, string[]>();

  add(words: Iterable<string>): void {
    for (const word of words) {
      const key = word.slice(0, 2);
      const list = this.#words.get(key);
      if (!list) this.#words.set(key, [word]);
      else if (!list.includes(word)) list.push(word);
    }
  }

  at(text: string, index: number): string[] {
    const single = this.#words.get(text.charAt(index));
    const longer = this.#words
      .get(text.slice(index, index + 2))
      ?.filter((word) => text.startsWith(word, index));
    if (!longer || index + 1 >= text.length) return single ?? [];
    return single ? [...single, ...longer] : longer;
  }
}

const plainWord = (word: string): string => normalise(word).text;
const plainWords = (words: Iterable<string>): string[] => [...words].map(plainWord).filter((w) => w !== '');

/** {家人}打我 → every word of the group followed by 打我; all in plain form. Throws for a group that does not exist. */
const expand = (part: string, groups: Danger['groups']): string[] => {
  const open = part.indexOf('{');
  if (open < 0) return [part];
  const close = part.indexOf('}', open);
  const name = part.slice(open + 1, close);
  const words = close < 0 ? undefined : groups[name];
  if (!words) throw new Error(`danger.json: the cue part '${part}' names no group`);
  return words.flatMap((word) => expand(part.slice(0, open) + word + part.slice(close + 1), groups));
};

/** `~` in a cue: at most so many characters, in one clause. */
const NARROW_GAP = 4;
const GAPS: Readonly<Record<string, number>> = { '~': NARROW_GAP, '…': GAP, '……': WIDE_GAP };

/** Compiles cues; a part that many cues share is expanded once. */
const cueCompiler = (groups: Danger['groups']): ((word: string, guard: number, firm?: boolean) => Cue) => {
  // The words of a group are brought into plain form once, not once for each cue that holds the group.
  const plainGroups = Object.fromEntries(
    Object.entries(groups).map(([name, words]) => [plainWord(name), plainWords(words)]),
  );
  const known = new Map<string, ReadonlySet<string>>();
  const wordsOf = (piece: string): ReadonlySet<string> => {
    const words = known.get(piece) ?? new Set(expand(plainWord(piece), plainGroups).filter((w) => w !== ''));
    known.set(piece, words);
    return words;
  };
  return (word, guard, firm = false) => {
    const parts: Part[] = [];
    let before = '…';
    for (const piece of word.split(/(……|…|~)/u)) {
      if (piece in GAPS) before = piece;
      else parts.push({ words: wordsOf(piece), gap: GAPS[before] ?? GAP, wide: before === '……' });
    }
    return { guard, firm, parts };
  };
};

type Role =
  | 'harmless'
  | 'now'
  | 'again'
  | 'recent'
  | 'long'
  | 'refused'
  | 'ongoing'
  | 'minor'
  | 'media'
  | 'real'
  | 'abstract';

type Compiled = {
  danger: Danger;
  lexicon: Lexicon;
  /** First word of a cue → the cues that begin with it. */
  beginning: ReadonlyMap<string, Cue[]>;
  handled: ReadonlyMap<string, Cue[]>;
  roles: ReadonlyMap<string, Role[]>;
  lists: Record<
    | 'negators'
    | 'fillers'
    | 'turned'
    | 'afterNegation'
    | 'denial'
    | 'hypothesis'
    | 'afterHypothesis'
    | 'voidHypothesis'
    | 'worry'
    | 'figure'
    | 'afterFigure'
    | 'voidFigure'
    | 'report',
    string[]
  >;
  notBetween: string[][];
};

const HANDLERS = ['police', 'court', 'insurer'] as const;

const compile = (district: GuardedDistrict): Compiled => {
  const danger = district.signs;
  const lexicon = new Lexicon();
  const compileCue = cueCompiler(danger.groups);
  const added = new Set<ReadonlySet<string>>();
  const index = (cues: readonly Cue[]): Map<string, Cue[]> => {
    const map = new Map<string, Cue[]>();
    for (const cue of cues) {
      for (const { words } of cue.parts)
        if (!added.has(words)) {
          added.add(words);
          lexicon.add(words);
        }
      for (const first of cue.parts[0]?.words ?? []) {
        const cuesOf = map.get(first);
        if (cuesOf) cuesOf.push(cue);
        else map.set(first, [cue]);
      }
    }
    return map;
  };
  const beginning = index(
    danger.guards.flatMap((guard, i) =>
      [...guard.words, ...(district.dangerWords[guard.id] ?? [])].map((w) =>
        compileCue(w, i, guard.firm && !guard.loose.includes(w)),
      ),
    ),
  );
  const handled = index(HANDLERS.flatMap((by, i) => danger.handled[by].map((w) => compileCue(w, i))));
  const roles = new Map<string, Role[]>();
  const role = (words: Iterable<string>, name: Role): void => {
    for (const word of plainWords(words)) {
      roles.set(word, [...(roles.get(word) ?? []), name]);
      lexicon.add([word]);
    }
  };
  role(
    [
      ...danger.harmless,
      ...district.placeNames,
      ...district.roads.flatMap((r) => [r.name, ...r.names]),
      ...district.grids.flatMap((g) => [g.name, ...g.names]),
    ],
    'harmless',
  );
  role(danger.tense.now, 'now');
  role(danger.tense.again, 'again');
  role(danger.tense.recent, 'recent');
  role(danger.tense.long, 'long');
  role(danger.handled.refused, 'refused');
  role(danger.handled.ongoing, 'ongoing');
  role(danger.minors, 'minor');
  role(danger.report.anywhere, 'media');
  role(danger.abstract.void, 'real');
  role(danger.abstract.words, 'abstract');
  return {
    danger,
    lexicon,
    beginning,
    handled,
    roles,
    lists: {
      negators: plainWords(danger.negation.before),
      fillers: plainWords(danger.negation.between),
      turned: plainWords(danger.negation.turned),
      afterNegation: plainWords(danger.negation.after),
      denial: plainWords(danger.negation.denial),
      hypothesis: plainWords(danger.hypothesis.before),
      afterHypothesis: plainWords(danger.hypothesis.after),
      voidHypothesis: plainWords(danger.hypothesis.void),
      worry: plainWords(danger.hypothesis.worry),
      figure: plainWords(danger.figure.before),
      afterFigure: plainWords(danger.figure.after),
      voidFigure: plainWords(danger.figure.void),
      report: plainWords(danger.report.before),
    },
    notBetween: danger.guards.map((g) => plainWords(g.notBetween)),
  };
};

const compiledOf = new WeakMap<GuardedDistrict, Compiled>();

/** Counts of one reading, for the test that time is linear in the length of the text. */
export type Effort = { steps: number };

type Reading = {
  n: Normalised;
  c: Clauses;
  /** Words of the lexicon by the place where they begin. */
  at: Map<number, string[]>;
  maskStart: Int32Array;
  maskEnd: Int32Array;
  /** Per clause: words of a role in it, as places. */
  inClause: (role: Role, clause: number) => readonly Found[];
  effort: Effort;
};

const read = (k: Compiled, text: string, effort: Effort): Reading => {
  const n = normalise(text);
  const c = clausesOf(n, k.danger.contrast);
  const at = new Map<number, string[]>();
  const maskStart = new Int32Array(n.text.length).fill(-1);
  const maskEnd = new Int32Array(n.text.length);
  const byRole = new Map<string, Found[]>();
  const mask = (start: number, end: number): void => {
    for (let i = start; i < end; i++) {
      const known = maskStart[i] ?? -1;
      // The longer phrase counts, because a shorter one may be part of it.
      if (known >= 0 && (maskEnd[i] ?? 0) - known >= end - start) continue;
      maskStart[i] = start;
      maskEnd[i] = end;
    }
  };
  let title = -1;
  for (let i = 0; i < n.text.length; i++) {
    effort.steps++;
    const char = n.text.charAt(i);
    if (char === '《') title = i;
    if (char === '》' && title >= 0 && i - title <= 24) mask(title, i + 1);
    const words = k.lexicon.at(n.text, i);
    if (words.length === 0) continue;
    at.set(i, words);
    for (const word of words)
      for (const role of k.roles.get(word) ?? []) {
        if (role === 'harmless') mask(i, i + word.length);
        const key = `${role}:${String(c.clauseAt[i] ?? 0)}`;
        const list = byRole.get(key);
        if (list) list.push({ start: i, end: i + word.length });
        else byRole.set(key, [{ start: i, end: i + word.length }]);
      }
  }
  return {
    n,
    c,
    at,
    maskStart,
    maskEnd,
    inClause: (role, clause) => byRole.get(`${role}:${String(clause)}`) ?? [],
    effort,
  };
};

/** Whether a harmless phrase or a place name covers a part of these words; a longer word that holds one is not covered. */
const isMasked = (r: Reading, { start, end }: Found): boolean => {
  for (let i = start; i < end; i++) {
    const from = r.maskStart[i] ?? -1;
    if (from < 0) continue;
    const to = r.maskEnd[i] ?? 0;
    if (!(from >= start && to <= end && to - from < end - start)) return true;
  }
  return false;
};

/** The places of a cue that begins with these words: one [part, part …], or undefined. */
const follow = (r: Reading, cue: Cue, first: Found, notBetween: readonly string[]): Found[] | undefined => {
  const places = [first];
  for (const part of cue.parts.slice(1)) {
    const last = places.at(-1) ?? first;
    let next: Found | undefined;
    const limit = Math.min(r.n.text.length - 1, last.end + part.gap);
    for (let i = last.end; i <= limit && !next; i++) {
      r.effort.steps++;
      const same = part.wide
        ? r.c.sentenceAt[i] === r.c.sentenceAt[first.start]
        : r.c.clauseAt[i] === r.c.clauseAt[last.start];
      if (!same) break;
      for (const word of r.at.get(i) ?? [])
        if (part.words.has(word) && (!next || word.length > next.end - next.start)) {
          const place = { start: i, end: i + word.length };
          if (!isMasked(r, place)) next = place;
        }
    }
    if (!next) return undefined;
    const between = r.n.text.slice(last.end, next.start);
    if (notBetween.some((word) => between.includes(word))) return undefined;
    places.push(next);
  }
  return places;
};

const endsWithOne = (text: string, words: readonly string[]): string | undefined => {
  let longest: string | undefined;
  for (const word of words) if (text.endsWith(word) && word.length > (longest?.length ?? 0)) longest = word;
  return longest;
};
const startsWithOne = (text: string, words: readonly string[]): string | undefined => {
  let longest: string | undefined;
  for (const word of words) if (text.startsWith(word) && word.length > (longest?.length ?? 0)) longest = word;
  return longest;
};

/** The nearest word of a list in text[from, to), or undefined. Clauses without marks are read 40 characters back only. */
const lastOf = (text: string, from: number, to: number, words: readonly string[]): Found | undefined => {
  const start = Math.max(from, to - 40);
  const slice = text.slice(start, to);
  let best: Found | undefined;
  for (const word of words) {
    const at = slice.lastIndexOf(word);
    if (at >= 0 && start + at >= (best?.start ?? -1))
      best = { start: start + at, end: start + at + word.length };
  }
  return best;
};

const negated = (k: Compiled, r: Reading, place: Found): Found | undefined => {
  const { text } = r.n;
  const [from] = r.c.clauses[r.c.clauseAt[place.start] ?? 0] ?? [0, 0];
  const [, to] = r.c.clauses[r.c.clauseAt[place.end - 1] ?? 0] ?? [0, 0];
  let at = place.start;
  for (let steps = 0; steps < BACK && at > from; steps++) {
    r.effort.steps++;
    const before = text.slice(Math.max(from, at - 6), at);
    const negator = endsWithOne(before, k.lists.negators);
    if (negator) {
      const start = at - negator.length;
      const turned = endsWithOne(text.slice(Math.max(from, start - 6), start), k.lists.turned);
      if (turned || lastOf(text, from, start, k.lists.denial)) return undefined;
      return { start, end: at };
    }
    const filler = endsWithOne(before, k.lists.fillers);
    if (!filler) break;
    at -= filler.length;
  }
  const after = startsWithOne(text.slice(place.end, Math.min(to, place.end + 10)), k.lists.afterNegation);
  return after ? { start: place.end, end: place.end + after.length } : undefined;
};

/** What takes the cue back, or undefined. Looks at the clause of the cue's last part only. */
const cancelled = (
  k: Compiled,
  r: Reading,
  places: readonly Found[],
  { immune, cause, chance }: Danger['guards'][number],
): (Found & { by: Cancel }) | undefined => {
  const last = places.at(-1);
  if (!last) return undefined;
  const { text } = r.n;
  const clause = r.c.clauseAt[last.start] ?? 0;
  const [from, to] = r.c.clauses[clause] ?? [0, 0];
  // A cue that begins in this clause is judged by what stands before it, another one by what stands before its last part.
  const first = places.find((p) => p.start >= from) ?? last;
  const after = text.slice(last.end, Math.min(to, last.end + 10));
  const may = (by: Cancel): boolean => !immune.includes(by);

  if (may('negation'))
    for (const place of places) {
      const found = negated(k, r, place);
      if (found) return { by: 'negation', ...found };
    }
  if (may('hypothesis')) {
    const word = lastOf(text, from, first.start, k.lists.hypothesis);
    if (word && !k.lists.voidHypothesis.some((v) => text.slice(word.end, last.start).includes(v)))
      return { by: 'hypothesis', ...word };
    const worry = chance ? lastOf(text, from, first.start, k.lists.worry) : undefined;
    if (worry) return { by: 'hypothesis', ...worry };
    const suffix = startsWithOne(after, k.lists.afterHypothesis);
    if (suffix) return { by: 'hypothesis', start: last.end, end: last.end + suffix.length };
  }
  if (may('figure')) {
    const before = text.slice(Math.max(from, first.start - 8), first.start);
    const word = endsWithOne(before, k.lists.figure);
    if (word && !endsWithOne(before, k.lists.voidFigure))
      return { by: 'figure', start: first.start - word.length, end: first.start };
    const suffix = startsWithOne(after, k.lists.afterFigure);
    if (suffix) return { by: 'figure', start: last.end, end: last.end + suffix.length };
  }
  if (may('report')) {
    const word = lastOf(text, from, first.start, k.lists.report) ?? r.inClause('media', clause)[0];
    if (word) return { by: 'report', start: word.start, end: word.end };
  }
  if (may('abstract')) {
    const word = r.inClause('abstract', clause)[0];
    if (word && r.inClause('real', clause).length === 0)
      return { by: 'abstract', start: word.start, end: word.end };
  }
  if (cause) {
    const start = cause.after ? last.end : Math.max(from, first.start - 20);
    const end = Math.min(to, last.end + 10);
    const around = text.slice(start, end);
    const word = lastOf(text, start, end, cause.words);
    if (word && !cause.void.some((v) => around.includes(v)))
      return { by: 'cause', start: word.start, end: word.end };
  }
  return undefined;
};

/** When it happens, by the words of the cue's own clause or of a short clause right before it (去年三月，他打断了我的腿). */
const tenseOf = (r: Reading, place: Found): GuardHit['tense'] => {
  const clause = r.c.clauseAt[place.start] ?? 0;
  if (r.inClause('now', clause).length > 0) return 'now';
  if (r.inClause('again', clause).length > 0) return 'again';
  const near = (role: Role): boolean => {
    if (r.inClause(role, clause).length > 0) return true;
    const [from, to] = r.c.clauses[clause - 1] ?? [0, 99];
    const [start] = r.c.clauses[clause] ?? [0];
    return (
      to - from <= 10 &&
      r.c.sentenceAt[from] === r.c.sentenceAt[start] &&
      r.inClause(role, clause - 1).length > 0
    );
  };
  if (near('long')) return 'long';
  if (near('recent')) return 'recent';
  return 'open';
};

const urgencyOf = (
  { urgency, urgencyNow }: Danger['guards'][number],
  tense: GuardHit['tense'],
): GuardHit['urgency'] => {
  if (tense === 'now') return urgencyNow ?? urgency;
  if (tense === 'long') return urgency === 'P4' ? 'P4' : 'P3';
  if (tense === 'recent' && urgency === 'P1') return 'P2';
  return urgency;
};

const DIGITS = '零一二三四五六七八九';
/** The number that ends right before a place, in digits or Chinese, up to 99; undefined when there is none. */
const numberBefore = (text: string, end: number): number | undefined => {
  const tail = text.slice(Math.max(0, end - 3), end).replaceAll('两', '二');
  const digits = /\d{1,3}$/.exec(tail)?.[0];
  if (digits !== undefined) return Number(digits);
  const chinese = /[零一二三四五六七八九十]{1,3}$/.exec(tail)?.[0];
  if (chinese === undefined) return undefined;
  const [tens, ones] = chinese.split('十');
  if (ones === undefined) return DIGITS.indexOf(chinese.slice(-1));
  return (
    (tens === '' ? 1 : DIGITS.indexOf(tens?.slice(-1) ?? '')) * 10 + (ones === '' ? 0 : DIGITS.indexOf(ones))
  );
};

/** The greatest age said within 40 characters of a place: 九岁的弟弟带着五岁的妹妹 are both children. */
const ageNear = (r: Reading, place: Found): number | undefined => {
  let age: number | undefined;
  const to = Math.min(r.n.text.length, place.end + 40);
  for (let i = Math.max(0, place.start - 40); i < to; i++)
    if (r.n.text.charAt(i) === '岁') {
      let end = i;
      while (end > 0 && '周多来几'.includes(r.n.text.charAt(end - 1))) end--;
      const said = numberBefore(r.n.text, end);
      if (said !== undefined && said > (age ?? -1)) age = said;
    }
  return age;
};

const GROWN = ['高中', '大学', '成年人', '职高', '技校'];

const handledIn = (
  k: Compiled,
  r: Reading,
  text: string,
  hits: readonly GuardHit[],
): GuardResult['handled'] => {
  const said = (role: Role): boolean => r.c.clauses.some((_, i) => r.inClause(role, i).length > 0);
  if (said('refused') || said('ongoing')) return undefined;
  if (hits.some((h) => h.cancelledBy === undefined && (h.tense === 'now' || h.tense === 'again')))
    return undefined;
  for (const [start, words] of r.at)
    for (const word of words)
      for (const cue of k.handled.get(word) ?? []) {
        const first = { start, end: start + word.length };
        const places = isMasked(r, first) ? undefined : follow(r, cue, first, k.danger.handled.notBetween);
        if (!places || places.some((p) => negated(k, r, p))) continue;
        if (lastOf(r.n.text, r.c.clauses[r.c.clauseAt[start] ?? 0]?.[0] ?? 0, start, k.lists.hypothesis))
          continue;
        const span = originalSpan(r.n, start, places.at(-1)?.end ?? first.end);
        return { by: HANDLERS[cue.guard] ?? 'police', span, words: text.slice(...span) };
      }
  return undefined;
};

/**
 * Looks for danger in the whole of a text, tuned so that nothing is missed. Never throws, whatever the text; time is
 * linear in its length. A cue is taken back only by words of its own clause. `effort` counts steps for the test of that.
 */
export const guard = (
  text: string,
  district: GuardedDistrict,
  effort: Effort = { steps: 0 },
): GuardResult => {
  let k = compiledOf.get(district);
  if (!k) compiledOf.set(district, (k = compile(district)));
  const r = read(k, text, effort);

  const hits: (GuardHit & Found)[] = [];
  const count = new Map<string, number>();
  const keep = (hit: GuardHit & Found): void => {
    const key = `${hit.kind}:${String(hit.cancelledBy !== undefined)}`;
    const same = hits.findIndex(
      (h) =>
        h.kind === hit.kind &&
        h.start <= hit.start &&
        h.end >= hit.end &&
        // 有人触电倒地 may be dismissed, 触电 in it may not.
        (h.firm || !hit.firm) &&
        !h.cancelledBy === !hit.cancelledBy,
    );
    if (same >= 0) return;
    const n = count.get(key) ?? 0;
    if (n >= KEPT) return;
    count.set(key, n + 1);
    hits.push(hit);
  };

  for (const [start, words] of r.at)
    // Longest first, so that 砍死 is told once and not as 砍 again.
    for (const word of words.toSorted((a, b) => b.length - a.length)) {
      const cues = k.beginning.get(word);
      if (!cues) continue;
      const first = { start, end: start + word.length };
      if (isMasked(r, first)) continue;
      for (const cue of cues) {
        let g = k.danger.guards[cue.guard];
        if (!g) continue;
        if ((count.get(`${g.id}:false`) ?? 0) >= KEPT) continue;
        const places = follow(r, cue, first, k.notBetween[cue.guard] ?? []);
        if (!places) continue;
        const end = places.at(-1)?.end ?? first.end;
        if (g.under) {
          const age = ageNear(r, { start, end });
          const grown =
            age === undefined
              ? GROWN.some((w) => r.n.text.slice(Math.max(0, start - 20), end + 20).includes(w))
              : age >= g.under.age;
          const { otherwise } = g.under;
          if (grown) g = k.danger.guards.find((other) => other.id === otherwise) ?? g;
        }
        const back = cancelled(k, r, places, g);
        const tense = tenseOf(r, places.at(-1) ?? first);
        const span = originalSpan(r.n, start, end);
        const backSpan = back && originalSpan(r.n, back.start, back.end);
        keep({
          kind: g.id,
          name: g.name,
          span,
          words: text.slice(...span),
          send: k.danger.send[g.id] ?? 'joint',
          firm: cue.firm,
          ...(g.category === undefined ? {} : { category: g.category }),
          urgency: urgencyOf(g, tense),
          tense,
          ...(back && backSpan
            ? { cancelledBy: { by: back.by, span: backSpan, words: text.slice(...backSpan) } }
            : {}),
          start,
          end,
        });
      }
    }

  const seen = hits.map(({ start: _start, end: _end, ...hit }): GuardHit => hit);
  const handled = handledIn(k, r, text, seen);
  return {
    hits: seen,
    minors: r.c.clauses.some((_, i) => r.inClause('minor', i).length > 0),
    ...(handled ? { handled } : {}),
  };
};
