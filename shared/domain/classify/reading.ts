import type { District } from '../district.ts';
import { scoreCategories, type Score } from './category.ts';
import { conceptsIn, type Concepts } from './concepts.ts';
import { guard, type GuardHit, type GuardResult } from './guard.ts';
import { normalise, originalSpan, type Normalised } from './normalise.ts';
import { placesOf, type Place } from './words.ts';

/** The guard reads all of a text; what kind of matter it is stands at its beginning or its end. */
const HEAD = 1500;
const TAIL = 500;
/** Blanks between beginning and end, so that no combination of words reaches across. */
const SEAM = 60;
/** Taken back like this, the words do not even say what the matter is; 要是着火怎么办 still speaks of fire. */
const UNSAID: ReadonlySet<string> = new Set(['negation', 'figure']);
const NUL = '\0';

/** Everything that is seen in a text before anything is decided. */
export type Reading = {
  /** What the guard saw in the whole text. */
  seen: GuardResult;
  /** The normalised beginning and end, without names of places. Offsets of `scores` and `concepts` are of this. */
  text: string;
  /** What speaks for which category, by the word list. */
  scores: readonly Score[];
  concepts: ReadonlyMap<string, readonly Place[]>;
  /** Where a place of `text` stands in the original. */
  spanOf: (place: { start: number; end: number }) => [number, number];
};

/** Names of places, longest first; a shorter one may be part of a longer one. */
const names = new WeakMap<District, string[]>();
const namesOf = (district: District): string[] => {
  const known =
    names.get(district) ??
    [
      ...district.placeNames,
      ...district.roads.flatMap((r) => [r.name, ...r.names]),
      ...district.grids.flatMap((g) => [g.name, ...g.names]),
    ]
      .map((name) => normalise(name).text)
      .filter((name) => name !== '')
      .sort((a, b) => b.length - a.length);
  names.set(district, known);
  return known;
};

/** The text with danger words blanked that the guard took back (没有着火 is no fire), unless a live one overlaps. */
const withoutUnsaid = (
  text: string,
  n: Normalised,
  hits: readonly GuardHit[],
  origin: (at: number) => number,
) => {
  let said = text;
  const live = hits.filter((hit) => !hit.cancelledBy);
  for (const { span, cancelledBy } of hits) {
    if (!cancelledBy || !UNSAID.has(cancelledBy.by)) continue;
    if (live.some((hit) => hit.span[0] < span[1] && span[0] < hit.span[1])) continue;
    let kept = '';
    for (let at = 0; at < said.length; at += 1) {
      const inside = (n.starts[origin(at)] ?? 0) >= span[0] && (n.ends[origin(at)] ?? 0) <= span[1];
      kept += inside ? NUL : said.charAt(at);
    }
    said = kept;
  }
  return said;
};

/**
 * Reads a text: danger signs in all of it, words and meanings in its beginning and end, where names of places (学校路 is
 * no school) are blanked. Never throws; time is linear in the length of the text.
 */
export const readingOf = (district: District, concepts: Concepts, content: string): Reading => {
  const { handled, ...signs } = guard(content, district);
  const n = normalise(content);
  const cut = n.text.length > HEAD + SEAM + TAIL;
  /** How much was left out behind the head. */
  const left = cut ? n.text.length - HEAD - TAIL : 0;
  const origin = (at: number): number => (!cut || at < HEAD + SEAM ? at : at + left - SEAM);
  let text = cut ? n.text.slice(0, HEAD) + NUL.repeat(SEAM) + n.text.slice(-TAIL) : n.text;
  for (const name of namesOf(district))
    if (text.includes(name)) text = text.replaceAll(name, NUL.repeat(name.length));
  // Handled is what somebody asks about (法院判了，怎么执行); a report that ends with an arrest is still a report.
  const asked = text.includes('?') || placesOf(text, district.rules.urgency.asking).length > 0;
  const seen = handled && asked ? { ...signs, handled } : signs;
  return {
    seen,
    text,
    scores: scoreCategories(
      district.lexicon,
      district.rules.combos,
      withoutUnsaid(text, n, seen.hits, origin),
    ),
    concepts: conceptsIn(concepts, text),
    spanOf: ({ start, end }) => originalSpan(n, origin(start), origin(end - 1) + 1),
  };
};
