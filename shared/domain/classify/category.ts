import * as z from 'zod';
import { allPlacesOf, wordsSchema } from './words.ts';

const LEVELS = ['strong', 'clear', 'weak', 'against'] as const;
/** How much a word says about a category; `against` speaks against it. */
export type Level = (typeof LEVELS)[number];

/** lexicon.json: which words speak for or against which category, and how many points a level is worth. */
export const lexiconSchema = z.strictObject({
  version: z.string().min(1),
  note: z.string(),
  points: z.strictObject({
    strong: z.number().positive(),
    clear: z.number().positive(),
    weak: z.number().positive(),
    against: z.number().negative(),
  }),
  categories: z.record(
    z.string(),
    z.strictObject({
      strong: wordsSchema.optional(),
      clear: wordsSchema.optional(),
      weak: wordsSchema.optional(),
      against: wordsSchema.optional(),
    }),
  ),
});
/** The word list as parsed. */
export type Lexicon = z.output<typeof lexiconSchema>;

/** Word lists that speak for a category when one word of each stands close to the others, in this order or another. */
export const comboSchema = z.strictObject({
  id: z.string().min(1),
  category: z.string(),
  points: z.number().positive(),
  /** Greatest number of characters between two of the words. */
  within: z.int().positive(),
  all: z.array(wordsSchema).min(2),
  /** Words that, standing in or right beside the place, take it back. */
  none: wordsSchema.optional(),
});
/** One combination rule. */
export type Combo = z.output<typeof comboSchema>;

/** A word found in the text that was read: offsets are of that text. */
export type Found = {
  word: string;
  /** The level of a word, or the id of the combination. */
  by: Level | `combo:${string}`;
  start: number;
  end: number;
  points: number;
};
/** What speaks for one category. `points` may be negative. */
export type Score = { category: string; points: number; found: Found[] };

type Entry = { word: string; says: { category: string; level: Level; points: number }[] };

// By the first two characters: a text of n characters costs n look-ups, however long the word list is.
type Index = Map<string, Entry[]>;
const indexes = new WeakMap<Lexicon, Index>();

const indexOf = (lexicon: Lexicon): Index => {
  const known = indexes.get(lexicon);
  if (known) return known;
  const entries = new Map<string, Entry>();
  for (const [category, levels] of Object.entries(lexicon.categories))
    for (const level of LEVELS)
      for (const word of levels[level] ?? []) {
        const entry = entries.get(word) ?? { word, says: [] };
        entry.says.push({ category, level, points: lexicon.points[level] });
        entries.set(word, entry);
      }
  const index: Index = new Map();
  for (const entry of entries.values()) {
    const key = entry.word.slice(0, 2);
    index.set(key, [...(index.get(key) ?? []), entry]);
  }
  for (const list of index.values()) list.sort((a, b) => b.word.length - a.word.length);
  indexes.set(lexicon, index);
  return index;
};

/** Behind a word these make it a place: 小学旁边 is where, not what. */
const PLACES = [
  '旁边',
  '边上',
  '门口',
  '后门',
  '前门',
  '西门',
  '东门',
  '南门',
  '北门',
  '对面',
  '附近',
  '后头',
  '后面',
  '背后',
  '路口',
  '楼下的',
];
const PLACE = 0.25;

/** A caller says first what the matter is; what follows is the story. */
const FIRST = 1.5;
/** Each further word of a category counts less: a long letter must not win by its length. */
const FADE = 0.7;

/** End of the first sentence, or of the first 40 characters when nobody used a full stop. */
const firstSentence = (text: string): number => {
  const end = text.slice(0, 120).search(/[。！？!?；;\n]/u);
  return end > 0 ? end : 40;
};

const pointsOf = (found: readonly Found[]): number => {
  const sorted = found.map((hit) => hit.points).sort((a, b) => b - a);
  let weight = 1;
  let sum = 0;
  for (const points of sorted) {
    sum += points < 0 ? points : points * weight;
    if (points > 0) weight *= FADE;
  }
  return sum;
};

/** Places of a word that are looked at for a combination; more of the same say nothing new. */
const MOST = 12;

/** The first place where one word of each list stands close enough to the others. */
const placeOf = (text: string, combo: Combo): { start: number; end: number } | undefined => {
  const [firsts, ...others] = combo.all.map((words) =>
    words.flatMap((word) => allPlacesOf(text, word, MOST)).sort((a, b) => a.start - b.start),
  );
  if (others.some((places) => places.length === 0)) return undefined;
  for (const first of firsts ?? []) {
    let [start, end] = [first.start, first.end];
    const all = others.every((places) => {
      const near = places.find(
        (p) =>
          p.start - end <= combo.within &&
          start - p.end <= combo.within &&
          (p.end <= start || p.start >= end),
      );
      if (near) [start, end] = [Math.min(start, near.start), Math.max(end, near.end)];
      return near !== undefined;
    });
    if (!all) continue;
    const around = text.slice(Math.max(0, start - 4), end + 4);
    if (combo.none?.some((word) => around.includes(word))) continue;
    return { start, end };
  }
  return undefined;
};

/**
 * Points of every category that the text speaks for, best first; ties by the order of the word list. A word inside a
 * longer word found at the same place says nothing (打电话 is no 打). Linear in the text.
 */
export const scoreCategories = (lexicon: Lexicon, combos: readonly Combo[], text: string): Score[] => {
  const index = indexOf(lexicon);
  const first = firstSentence(text);
  const scores = new Map<string, Map<string, Found>>();
  let covered = 0;
  for (let at = 0; at < text.length; at += 1) {
    const entries = [
      ...(index.get(text.slice(at, at + 2)) ?? []),
      ...(index.get(text.slice(at, at + 1)) ?? []),
    ];
    let longest = at;
    for (const { word, says } of entries) {
      const end = at + word.length;
      if (end <= covered || end < longest || !text.startsWith(word, at)) continue;
      longest = Math.max(longest, end);
      for (const { category, level, points } of says) {
        const found = scores.get(category) ?? new Map<string, Found>();
        scores.set(category, found);
        // The longest word at a place is looked at first, and a word counts once.
        if (found.has(word)) continue;
        const isPlace = PLACES.some(
          (suffix) => text.startsWith(suffix, end) || text.startsWith(suffix, end + 1),
        );
        found.set(word, {
          word,
          by: level,
          start: at,
          end,
          points: points < 0 ? points : points * (at < first ? FIRST : 1) * (isPlace ? PLACE : 1),
        });
      }
    }
    covered = Math.max(covered, longest);
  }
  for (const combo of combos) {
    const place = placeOf(text, combo);
    if (!place) continue;
    const found = scores.get(combo.category) ?? new Map<string, Found>();
    scores.set(combo.category, found);
    const points = place.start < first ? combo.points * FIRST : combo.points;
    found.set(combo.id, {
      word: text.slice(place.start, place.end),
      by: `combo:${combo.id}`,
      ...place,
      points,
    });
  }
  const order = Object.keys(lexicon.categories);
  return [...scores]
    .map(([category, words]) => {
      const found = [...words.values()].filter(
        (hit, _, all) =>
          !all.some(
            (other) =>
              !hit.by.startsWith('combo:') &&
              !other.by.startsWith('combo:') &&
              other !== hit &&
              other.word.length > hit.word.length &&
              other.word.includes(hit.word),
          ),
      );
      return { category, points: pointsOf(found), found };
    })
    .sort((a, b) => b.points - a.points || order.indexOf(a.category) - order.indexOf(b.category));
};
