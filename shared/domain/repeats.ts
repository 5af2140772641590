import * as z from 'zod';
import { sketchLikeness, type Sketch } from './sketch.ts';

/** Which reports tell of one matter, and what makes its third telling a conflict or a call for care. Data that a clerk reads. */
export const repeatRulesSchema = z.strictObject({
  version: z.string(),
  note: z.string().optional(),
  likeness: z.strictObject({
    /** Likeness of two sketches from which two reports tell of one matter, whoever sent them. */
    alone: z.number().min(0).max(1),
    /** The same when they share a key: a person, a door, a firm, a road. */
    withKey: z.number().min(0).max(1),
    /** A key that more reports have names nobody: a doorman's phone, a hotline. */
    reportsPerKey: z.int().positive(),
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
  sketch: Sketch;
  keys: readonly string[];
}

/** Why two reports are one matter. `alike` is the likeness of their words, 0–1. */
export interface Link {
  a: string;
  b: string;
  because: 'same words' | 'same key and like words';
  alike: number;
}

/** What came of comparing. `compared` counts pairs that were looked at: it grows with the reports, not their square. */
export interface Repeats {
  /** Groups of two or more ids, in the order of the reports. */
  groups: string[][];
  links: Link[];
  compared: number;
}

/** Alike texts have alike smallest numbers: two that are worth comparing share one of so many. */
const LOOKED_UNDER = 12;
/** A number that more reports have is an everyday word; who shares it shares rarer ones too, if the matter is one. */
const REPORTS_PER_NUMBER = 60;

/** Pairs worth comparing, by index, each once, the earlier first. */
const candidatePairs = (all: readonly Telling[]): [Telling, Telling][] => {
  const rooms = new Map<string | number, number[]>();
  for (const [index, { sketch, keys }] of all.entries())
    for (const room of [...sketch.slice(0, LOOKED_UNDER), ...keys]) {
      const there = rooms.get(room);
      if (there) there.push(index);
      else rooms.set(room, [index]);
    }
  const seen = new Set<number>();
  const pairs: [Telling, Telling][] = [];
  for (const there of rooms.values()) {
    if (there.length > REPORTS_PER_NUMBER) continue;
    for (const [at, second] of there.entries())
      for (const first of there.slice(0, at)) {
        const [a, b] = [all[first], all[second]];
        const pair = first * all.length + second;
        if (!a || !b || seen.has(pair)) continue;
        seen.add(pair);
        pairs.push([a, b]);
      }
  }
  return pairs;
};

/**
 * Finds reports that tell of one matter, by their sketches and keys alone: what is measured here is what is compared after
 * a dispatch. Linear in the reports but for those that share rare words. Pure; the same reports give the same groups.
 */
export const repeatsAmong = (tellings: readonly Telling[], { likeness }: RepeatRules): Repeats => {
  const counts = new Map<string, number>();
  for (const { keys } of tellings) for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  const sharesKey = (a: Telling, b: Telling) =>
    a.keys.some((key) => b.keys.includes(key) && (counts.get(key) ?? 0) <= likeness.reportsPerKey);
  const pairs = candidatePairs(tellings);
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
  for (const [a, b] of pairs) {
    const alike = sketchLikeness(a.sketch, b.sketch);
    const same = alike >= likeness.alone;
    if (!same && !(alike >= likeness.withKey && sharesKey(a, b))) continue;
    links.push({ a: a.id, b: b.id, because: same ? 'same words' : 'same key and like words', alike });
    head.set(headOf(b.id), headOf(a.id));
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
  if (sketchLikeness(past.sketch, now.sketch) < likeness.withKey) return undefined;
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
