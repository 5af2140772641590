import { simplified } from './traditional.ts';

/**
 * A text as the rules read it: NFKC, simplified, lower case, without zero-width and control characters, quotes, and the
 * blanks and dots that people put between the characters of one word (拿 刀, 自.杀).
 */
export type Normalised = {
  text: string;
  /** For each UTF-16 unit of `text`, where the character it comes from begins in the original. */
  starts: readonly number[];
  /** For each UTF-16 unit of `text`, where the character it comes from ends in the original. */
  ends: readonly number[];
  /** Indexes of `text` before which a blank stood that parts two phrases (他没动手 隔壁动手了): a clause ends there. */
  breaks: ReadonlySet<number>;
};

const isHan = (code: number): boolean =>
  (code >= 0x4e00 && code <= 0x9fff) || (code >= 0x3400 && code <= 0x4dbf);

/** What people and call centre systems put between characters; between two Chinese characters it means nothing. */
const GAPS = new Set(' \t.·•・-_~*+^|`/\\#=—–﹒‧∙⋅');
/** Quotation marks say that somebody speaks, not what is going on; left in, they would cut a word from its negation. */
const QUOTES = new Set('"\'“”‘’「」『』„‟');
const DROPPED = /^[\p{Cf}\p{Mn}\p{Me}\p{Variation_Selector}]$/u;

const normalForms = new Map<number, string>();
/** One character in its plain form; '' when it is to be dropped. */
const plain = (code: number): string => {
  const known = normalForms.get(code);
  if (known !== undefined) return known;
  const char = String.fromCodePoint(code);
  let form = '';
  if (code === 0x0a || code === 0x0d || code === 0x2028 || code === 0x2029) form = '\n';
  else if (code === 0x09) form = ' ';
  else if (code < 0x20 || (code >= 0x7f && code < 0xa0) || DROPPED.test(char)) form = '';
  else for (const unit of char.normalize('NFKC').toLowerCase()) form += simplified(unit) ?? unit;
  // Bounded: Chinese text knows a few thousand characters, a hostile one must not fill the memory of a warm function.
  if (normalForms.size < 20_000) normalForms.set(code, form);
  return form;
};

/** Brings a text into the form that the rules are written for. Any string is accepted; time is linear in its length. */
export const normalise = (original: string): Normalised => {
  const chars: string[] = [];
  const from: number[] = [];
  const to: number[] = [];
  for (let at = 0; at < original.length;) {
    const code = original.codePointAt(at) ?? 0;
    const end = at + (code > 0xffff ? 2 : 1);
    for (const char of plain(code)) {
      if (QUOTES.has(char)) continue;
      chars.push(char);
      from.push(at);
      to.push(end);
    }
    at = end;
  }

  const han = (i: number): boolean => isHan(chars[i]?.codePointAt(0) ?? 0);
  const kept: string[] = [];
  const starts: number[] = [];
  const ends: number[] = [];
  const breaks = new Set<number>();
  let length = 0;
  /** How many Chinese characters stand together before this place. */
  let run = 0;
  for (let i = 0; i < chars.length; i++) {
    const char = chars[i] ?? '';
    if (GAPS.has(char)) {
      let next = i;
      while (next < chars.length && GAPS.has(chars[next] ?? '')) next++;
      if (i > 0 && han(i - 1) && han(next)) {
        if (run >= 2 && han(next + 1)) breaks.add(length);
        run = 0;
        i = next - 1;
        continue;
      }
    }
    run = isHan(char.codePointAt(0) ?? 0) ? run + 1 : 0;
    kept.push(char);
    // A character beyond the first plane takes two units, both of which come from the same place.
    for (let unit = 0; unit < char.length; unit++) {
      starts.push(from[i] ?? 0);
      ends.push(to[i] ?? 0);
    }
    length += char.length;
  }
  return { text: kept.join(''), starts, ends, breaks };
};

/** The span of the original that [start, end) of the normalised text comes from. */
export const originalSpan = (n: Normalised, start: number, end: number): [number, number] => [
  n.starts[start] ?? 0,
  n.ends[end - 1] ?? 0,
];
