import * as z from 'zod';

/** Words as a clerk writes them: separated by spaces. Small letters, as the normalised text has them. */
export const wordsSchema = z.string().transform((line) =>
  line
    .toLowerCase()
    .split(/\s+/u)
    .filter((word) => word !== ''),
);

/** A place of a text: [start, end) in UTF-16 units. */
export type Place = { word: string; start: number; end: number };

/** The places of the words of a list, the first place of each; in the order of the list. */
export const placesOf = (text: string, words: readonly string[]): Place[] =>
  words.flatMap((word) => {
    const start = text.indexOf(word);
    return start < 0 ? [] : [{ word, start, end: start + word.length }];
  });

/** All places of a word that do not overlap, at most so many: a hostile text may repeat a word ten thousand times. */
export const allPlacesOf = (text: string, word: string, most: number): Place[] => {
  const places: Place[] = [];
  for (
    let at = text.indexOf(word);
    at >= 0 && places.length < most;
    at = text.indexOf(word, at + word.length)
  )
    places.push({ word, start: at, end: at + word.length });
  return places;
};
