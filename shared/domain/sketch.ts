import { bare, runsOf, type Runs } from './likeness.ts';

/**
 * What is kept of a text to compare it with others: keyed 32-bit numbers of its pairs of characters, the smallest ones,
 * ascending (a bottom-k sketch, a kind of minhash). The key is the district's pepper: without it no word can be looked up.
 */
export type Sketch = readonly number[];

/** A call seldom has more different pairs of characters; of a long text so many are drawn, from all alike texts the same ones. */
export const SKETCH_SIZE = 64;

/** What of a text goes into its sketch, before it is keyed. */
export const sketchRuns = (text: string): Runs => runsOf(bare(text), 2);

/** The sketch of numbers that have been keyed. */
export const sketchOf = (keyed: readonly number[]): Sketch =>
  [...new Set(keyed)].sort((a, b) => a - b).slice(0, SKETCH_SIZE);

/**
 * Share of the pairs of characters that two texts have in common, 0–1, estimated from what both would have kept of
 * their union; exact for short texts. Empty ones are not alike.
 */
export const sketchLikeness = (a: Sketch, b: Sketch): number => {
  let [both, drawn, i, j] = [0, 0, 0, 0];
  while (drawn < SKETCH_SIZE && (i < a.length || j < b.length)) {
    const [x, y] = [a[i] ?? Infinity, b[j] ?? Infinity];
    if (x === y) both += 1;
    if (x <= y) i += 1;
    if (y <= x) j += 1;
    drawn += 1;
  }
  return drawn === 0 ? 0 : both / drawn;
};
