import * as z from 'zod';
import { wordsSchema, type Place } from './words.ts';

/** concepts.json: words that mean much the same, so that one said seldom counts like one said often. A clerk may change it. */
export const conceptsSchema = z.strictObject({
  version: z.string().min(1),
  note: z.string(),
  /** Groups whose id begins with `_` only keep words from being taken for others (打电话 is no 打). */
  concepts: z.record(
    z.string(),
    z.strictObject({
      name: z.string().min(1),
      words: wordsSchema,
      /** How something is told (询问, 一再), which says nothing of what it is. */
      manner: z.literal(true).optional(),
    }),
  ),
});
/** The groups as parsed. */
export type Concepts = z.output<typeof conceptsSchema>;

type Index = { ids: ReadonlyMap<string, readonly string[]>; longest: number };
const indexes = new WeakMap<Concepts, Index>();

const indexOf = (concepts: Concepts): Index => {
  const known = indexes.get(concepts);
  if (known) return known;
  const ids = new Map<string, string[]>();
  let longest = 1;
  for (const [id, { words }] of Object.entries(concepts.concepts))
    for (const word of words) {
      const of = ids.get(word);
      if (of) of.push(id);
      else ids.set(word, [id]);
      longest = Math.max(longest, word.length);
    }
  const index = { ids, longest };
  indexes.set(concepts, index);
  return index;
};

/**
 * The words of each group that a text holds, each once, where it first stands. At each place the longest word counts
 * and hides what is inside it. Linear in the text.
 */
export const conceptsIn = (concepts: Concepts, text: string): Map<string, Place[]> => {
  const { ids, longest } = indexOf(concepts);
  const found = new Map<string, Place[]>();
  for (let start = 0; start < text.length;) {
    let end = start;
    for (let length = Math.min(longest, text.length - start); length > 0 && end === start; length -= 1) {
      const word = text.slice(start, start + length);
      for (const id of ids.get(word) ?? []) {
        end = start + length;
        if (id.startsWith('_')) continue;
        const places = found.get(id);
        if (!places) found.set(id, [{ word, start, end }]);
        else if (!places.some((place) => place.word === word)) places.push({ word, start, end });
      }
    }
    start = Math.max(end, start + 1);
  }
  return found;
};
