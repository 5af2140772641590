import * as z from 'zod';
import { bare, containment, eachShared, jaccard, runsOf, type Runs } from './likeness.ts';
import { sketchLikeness, type Sketch } from './sketch.ts';

/** Which texts tell of one matter, and what makes its third telling a conflict or a call for care. Data of the district. */
export const repeatRulesSchema = z.strictObject({
  version: z.string(),
  note: z.string().optional(),
  likeness: z.strictObject({
    /** Share of three-character runs that near-identical texts have in common. */
    nearJaccard: z.number().min(0).max(1),
    /** The same, of the shorter text, when one was told with more words. */
    nearContainment: z.number().min(0).max(1),
    /** A text with fewer runs is too short to be contained in another by more than chance. */
    nearLeast: z.int().positive(),
    /** Cosine of the words two texts share, rare ones weighing more, from which they tell of one issue at one place. */
    issue: z.number().min(0).max(1),
    /** The same when a keyed hash (person, phone, address, counter-party) is shared as well. */
    issueOfSameKey: z.number().min(0).max(1),
    /** A key that more reports have names nobody: a doorman's phone, an empty field that was hashed. */
    reportsPerKey: z.int().positive(),
    /** A name is a run of four characters that at most so large a share of all texts has. */
    nameShare: z.number().min(0).max(1),
    /** Likeness of two sketches from which two reports of one road, shop or address tell of one issue. */
    sketch: z.number().min(0).max(1),
  }),
  frequent: z.strictObject({
    times: z.int().min(2),
    days: z.int().positive(),
    /** Calls closer together than this are one time: whoever calls back while he waits has not come again. */
    minutesApart: z.number().nonnegative(),
  }),
  /** Categories that tell of two parties. */
  conflict: z.array(z.string()).nonempty(),
  /** Categories in which somebody who is alone calls for company or help. */
  care: z.array(z.string()).nonempty(),
});
/** See `repeatRulesSchema`. */
export type RepeatRules = z.infer<typeof repeatRulesSchema>;

/** One report as far as it is compared with others. Keys are keyed hashes with their kind in front: `phone:…`. */
export interface Telling {
  id: string;
  text: string;
  /** Keyed hashes of phone, person, address, counter-party; never the values themselves. */
  keys: readonly string[];
}

/** Why two reports are one matter. `alike` is the likeness that decided, 0–1. */
export interface Link {
  a: string;
  b: string;
  because: 'near-identical' | 'same place and same issue' | 'same party and same issue';
  alike: number;
}

/** What came of comparing. `compared` counts pairs of texts that were looked at: it grows with the texts, not their square. */
export interface Repeats {
  /** Groups of two or more ids, in the order of the reports. */
  groups: string[][];
  links: Link[];
  compared: number;
}

const NAME = 4;
/** A district's first days hold too few texts to tell rare words from common ones; so many unread ones are imagined. */
const UNREAD = 200;
/** Each text looks for its like under so many of its rarest names. */
const NAMES_PER_TEXT = 32;
/** A name that more texts have leads to too many pairs; who shares it shares rarer ones too, if the matter is one. */
const TEXTS_PER_NAME = 80;

type Read = {
  telling: Telling;
  runs: Runs;
  names: Runs;
  words: Runs;
};

const countTexts = (sets: readonly Runs[]): Map<number, number> => {
  const counts = new Map<number, number>();
  for (const set of sets) for (const one of set) counts.set(one, (counts.get(one) ?? 0) + 1);
  return counts;
};

/** Cosine over the words both have, weighted by rarity. */
const weighing = (all: readonly Read[]) => {
  const counts = countTexts(all.map(({ words }) => words));
  const weight = (word: number) => Math.log((all.length + UNREAD) / (counts.get(word) ?? 1)) ** 2;
  const norms = new Map<Read, number>();
  const norm = (one: Read): number => {
    const known = norms.get(one) ?? one.words.reduce((sum, word) => sum + weight(word), 0);
    norms.set(one, known);
    return known;
  };
  return (a: Read, b: Read): number => {
    let both = 0;
    eachShared(a.words, b.words, (word) => {
      both += weight(word);
    });
    return both === 0 ? 0 : both / Math.sqrt(norm(a) * norm(b));
  };
};

/** Pairs worth comparing: they share one of their rarest names, or a keyed hash. */
const candidatePairs = (all: readonly Read[], nameCounts: ReadonlyMap<number, number>): [Read, Read][] => {
  const rooms = new Map<string, number[]>();
  const enter = (room: string, index: number) => {
    const there = rooms.get(room);
    if (!there) rooms.set(room, [index]);
    else if (there.length < TEXTS_PER_NAME) there.push(index);
  };
  for (const [index, { names, telling }] of all.entries()) {
    const rarest = [...names]
      .filter((name) => (nameCounts.get(name) ?? 0) > 1 && (nameCounts.get(name) ?? 0) <= TEXTS_PER_NAME)
      .sort((a, b) => (nameCounts.get(a) ?? 0) - (nameCounts.get(b) ?? 0) || a - b)
      // Spread over rare and less rare: the rarest alone would only find copies of the same sentence.
      .filter((_, at, list) => at % Math.max(1, Math.floor(list.length / NAMES_PER_TEXT)) === 0)
      .slice(0, NAMES_PER_TEXT);
    for (const name of rarest) enter(`n${name}`, index);
    for (const key of telling.keys) enter(`k${key}`, index);
  }
  const seen = new Set<number>();
  const pairs: [Read, Read][] = [];
  for (const there of rooms.values())
    for (const [at, second] of there.entries())
      for (const first of there.slice(0, at)) {
        const pair = first * all.length + second;
        const [a, b] = [all[first], all[second]];
        if (first === second || seen.has(pair) || !a || !b) continue;
        seen.add(pair);
        pairs.push([a, b]);
      }
  return pairs;
};

/**
 * Finds reports that tell of one matter: near-identical texts, one issue at one place, or one party with one issue.
 * Linear in the texts but for those that share rare names. Pure; the same reports give the same groups.
 */
export const repeatsAmong = (tellings: readonly Telling[], { likeness }: RepeatRules): Repeats => {
  const all: Read[] = tellings.map((telling) => {
    const text = bare(telling.text);
    return { telling, runs: runsOf(text, 3), names: runsOf(text, NAME), words: runsOf(text, 2) };
  });
  const nameCounts = countTexts(all.map(({ names }) => names));
  const cosine = weighing(all);
  const rare = Math.max(2, likeness.nameShare * all.length);
  const sharesName = (a: Read, b: Read) => {
    let found = false;
    eachShared(a.names, b.names, (name) => {
      found ||= (nameCounts.get(name) ?? 0) <= rare;
    });
    return found;
  };

  const keyCounts = new Map<string, number>();
  for (const { keys } of tellings) for (const key of keys) keyCounts.set(key, (keyCounts.get(key) ?? 0) + 1);
  const sharesKey = (a: Read, b: Read) =>
    a.telling.keys.some(
      (key) => b.telling.keys.includes(key) && (keyCounts.get(key) ?? 0) <= likeness.reportsPerKey,
    );

  const why = (a: Read, b: Read): Omit<Link, 'a' | 'b'> | undefined => {
    const whole = jaccard(a.runs, b.runs);
    const part =
      Math.min(a.runs.length, b.runs.length) >= likeness.nearLeast ? containment(a.runs, b.runs) : whole;
    if (whole >= likeness.nearJaccard || part >= likeness.nearContainment)
      return { because: 'near-identical', alike: Math.max(whole, part) };
    const alike = cosine(a, b);
    if (alike >= likeness.issueOfSameKey && sharesKey(a, b))
      return { because: 'same party and same issue', alike };
    if (alike >= likeness.issue && sharesName(a, b)) return { because: 'same place and same issue', alike };
    return undefined;
  };

  const pairs = candidatePairs(all, nameCounts);
  const links: Link[] = [];
  const head = new Map<string, string>(tellings.map(({ id }) => [id, id]));
  const headOf = (id: string): string => {
    let at = id;
    for (let up = head.get(at) ?? at; up !== at; up = head.get(at) ?? at) {
      head.set(at, head.get(up) ?? up);
      at = up;
    }
    return at;
  };
  for (const [first, second] of pairs) {
    const link = why(first, second);
    if (!link) continue;
    links.push({ a: first.telling.id, b: second.telling.id, ...link });
    head.set(headOf(second.telling.id), headOf(first.telling.id));
  }
  const groups = Map.groupBy(tellings, ({ id }) => headOf(id));
  return {
    groups: [...groups.values()]
      .filter((group) => group.length > 1)
      .map((group) => group.map(({ id }) => id)),
    links,
    compared: pairs.length,
  };
};

/** A report of the past as the history keeps it: no text, no name. */
export interface Past {
  /** Epoch milliseconds of its receipt. */
  at: number;
  /** Keyed hashes with their kind in front; of a past report those that were asked for. */
  keys: readonly string[];
  category: string;
  /** It may turn from a civil dispute into a crime. */
  risk: boolean;
  /** Its danger signs. */
  danger: readonly string[];
  /** What can be compared of its words; empty when they are not kept any more. */
  sketch: Sketch;
}

/** What a report is in the light of those before it, with the sentence for the desk. */
export interface Standing {
  kind: 'first' | 'again' | 'conflict' | 'care';
  /** How many reports of the days looked at belong together, this one included. */
  times: number;
  /** When the one before was received, epoch milliseconds. */
  before?: number;
  sentence: string;
}

const MINUTE = 60_000;
const DAY = 86_400_000;

/** Kinds of keys that mean one person or one car; a road, a door or a shop has matters of many people. */
const NAMES_ONE: ReadonlySet<string> = new Set(['phone', 'person', 'party']);
/** The kind of a key: what stands before its colon. */
export const kindOfKey = (key: string): string => key.slice(0, key.indexOf(':'));

/**
 * How an earlier report belongs to this one: `same` people, door or firm, or only the same words on one `road`, where
 * many people live who all say that it is too loud upstairs.
 */
const relationOf = (now: Past, past: Past, { likeness }: RepeatRules): 'same' | 'road' | undefined => {
  const shared = past.keys.filter((key) => now.keys.includes(key)).map(kindOfKey);
  if (shared.length === 0) return undefined;
  if (shared.some((kind) => NAMES_ONE.has(kind))) return 'same';
  if (shared.includes('address') && past.category === now.category) return 'same';
  if (sketchLikeness(past.sketch, now.sketch) < likeness.sketch) return undefined;
  return shared.every((kind) => kind === 'place') ? 'road' : 'same';
};

/** Reports that count as times of their own, newest first: those close to a later one are the same time. */
const apart = (now: Past, related: readonly Past[], minutes: number): Past[] => {
  const counted: Past[] = [];
  let later = now.at;
  for (const past of related.toSorted((a, b) => b.at - a.at)) {
    if (later - past.at >= minutes * MINUTE) counted.push(past);
    later = past.at;
  }
  return counted;
};

/**
 * Whether a report is one too many: the third in 30 days of the same people, door or firm. Two parties, a
 * danger sign or a risk make it a conflict (mediation leads, and nobody goes alone); somebody who only seeks help or
 * company needs care. What is neither is only counted. Reports later than `now.at` are not history.
 */
export const standingOf = (now: Past, history: readonly Past[], rules: RepeatRules): Standing => {
  const { times: enough, days, minutesApart } = rules.frequent;
  const near = history.filter((past) => past.at <= now.at && now.at - past.at < days * DAY);
  const same = apart(
    now,
    near.filter((past) => relationOf(now, past, rules) === 'same'),
    minutesApart,
  );
  const any = apart(
    now,
    near.filter((past) => relationOf(now, past, rules) !== undefined),
    minutesApart,
  );
  // Words on a road make nobody a quarreller: without a person, a door or a firm it is only counted.
  const related = same.length + 1 >= enough ? same : any;
  const times = related.length + 1;
  const before = related[0] === undefined ? {} : { before: related[0].at };
  const again: Standing = {
    kind: 'again',
    times,
    ...before,
    sentence: `${days}天内第${times}次反映，请看上次处理结果`,
  };
  if (times === 1) return { kind: 'first', times, sentence: `${days}天内第一次反映` };
  if (related !== same) return again;
  const all = [...related, now];
  const isConflict = (one: Past) =>
    one.risk || one.danger.length > 0 || rules.conflict.includes(one.category);
  // Two calls of a lonely person about a noise upstairs are no quarrel yet; one about a threat is.
  const conflicts = all.filter(isConflict).length;
  if (isConflict(now) || conflicts * 2 >= times || all.some((one) => one.risk || one.danger.length > 0))
    return {
      kind: 'conflict',
      times,
      ...before,
      sentence: `${days}天内第${times}次反映，其中${conflicts}次是纠纷或有危险，请调解队牵头，不要一个人去`,
    };
  if (all.filter((one) => rules.care.includes(one.category)).length * 2 > times)
    return {
      kind: 'care',
      times,
      ...before,
      sentence: `${days}天内第${times}次求助，没有纠纷，可能需要陪伴，请网格员上门看看并联系家人`,
    };
  return again;
};
