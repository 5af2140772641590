/** Everything that is neither a letter nor a digit says nothing about what a text is about. */
const SILENT = /[^\p{L}\p{N}]+/gu;

/** What a text tells it tells at its beginning; a letter of many pages must not cost the time of many texts. */
const READ = 1500;

/** A text as it is compared: its first 1,500 characters in one width and one case, letters and digits only. */
export const bare = (text: string): string =>
  text.slice(0, READ).normalize('NFKC').toLowerCase().replace(SILENT, '');

/** Different runs of characters, each as a 32-bit number, ascending: comparing numbers is many times faster than texts. */
export type Runs = Uint32Array;

const FNV_START = 2_166_136_261;
const FNV_PRIME = 16_777_619;

/** All different runs of `size` characters of a bare text; a shorter text is one run by itself, an empty one has none. */
export const runsOf = (text: string, size: number): Runs => {
  const found = new Uint32Array(text === '' ? 0 : Math.max(1, text.length - size + 1));
  for (let at = 0; at < found.length; at += 1) {
    let hash = FNV_START;
    for (let i = at; i < Math.min(at + size, text.length); i += 1)
      hash = Math.imul(hash ^ text.charCodeAt(i), FNV_PRIME);
    found[at] = hash;
  }
  found.sort();
  let n = 0;
  for (const run of found) if (n === 0 || found[n - 1] !== run) found[n++] = run;
  return found.slice(0, n);
};

/** How many runs both have. */
const sharedRuns = (a: Runs, b: Runs): number => {
  let n = 0;
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    const [x = 0, y = 0] = [a[i], b[j]];
    if (x === y) n += 1;
    if (x <= y) i += 1;
    if (y <= x) j += 1;
  }
  return n;
};

/** Share of the shorter text's runs that the longer one has, 0–1: a text that was told again with more words. */
export const containment = (a: Runs, b: Runs): number => {
  const least = Math.min(a.length, b.length);
  return least === 0 ? 0 : sharedRuns(a, b) / least;
};
