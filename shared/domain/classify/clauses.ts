import type { Normalised } from './normalise.ts';

/** Where clauses and sentences lie: for each UTF-16 unit of the normalised text the clause and sentence it is in. */
export type Clauses = {
  clauseAt: Uint32Array;
  sentenceAt: Uint32Array;
  /** [start, end) of each clause, marks included. */
  clauses: readonly (readonly [number, number])[];
};

const SENTENCE_ENDS = new Set('。!?;\n');
const CLAUSE_ENDS = new Set(',:()[]{}<>');

/**
 * Cuts a text into clauses: at marks, at blanks that part phrases and before words of contrast (但, 却 …), because a
 * negation before them says nothing about what comes after. Time is linear in the length of the text.
 */
export const clausesOf = (n: Normalised, contrast: readonly string[]): Clauses => {
  const { text } = n;
  const clauseAt = new Uint32Array(text.length);
  const sentenceAt = new Uint32Array(text.length);
  const clauses: [number, number][] = [];
  const beginnings = new Set(contrast.map((word) => word.charAt(0)));
  let [start, sentence] = [0, 0];
  const cut = (end: number): void => {
    if (end > start) {
      clauseAt.fill(clauses.length, start, end);
      sentenceAt.fill(sentence, start, end);
      clauses.push([start, end]);
    }
    start = end;
  };
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i);
    if (n.breaks.has(i) || (beginnings.has(char) && contrast.some((word) => text.startsWith(word, i))))
      cut(i);
    if (SENTENCE_ENDS.has(char)) {
      cut(i + 1);
      sentence++;
    } else if (CLAUSE_ENDS.has(char)) cut(i + 1);
  }
  cut(text.length);
  return { clauseAt, sentenceAt, clauses };
};
