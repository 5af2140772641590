// How long it takes to read a call: in a process of its own, as a function reads its first one.
import { loadDistrict } from '#shared/districts/load.ts';
import { classify, warm } from '#shared/domain/classify.ts';
import { spreadOf, type Spread } from './figures.ts';

/** ms. `open`: model and indexes, once at the start of the function; `text`: 500 characters; `hostile`: what nobody writes. */
export interface ReadingResult {
  open: number;
  text: Spread;
  hostile: { what: string; ms: number }[];
}

const TEXTS = 500;
const LENGTH = 500;
/** Texts before the clock counts: a function that has read some is compiled. */
const FIRST = 200;

const HOSTILE: Record<string, string> = {
  'one character, 100 KB': '打'.repeat(34_000),
  'cue beginnings, 100 KB': '没有不要想拿刀'.repeat(4_900),
  'full width and control characters, 100 KB': 'ＡＢＣ\u0000\u200b，'.repeat(5_500),
  'emoji, 100 KB': '😡🔥'.repeat(12_500),
};

const msOf = (work: () => unknown): number => {
  const began = performance.now();
  work();
  return performance.now() - began;
};

/** Reads dense texts made of the district's own words: every one of them touches rules, guard and model. */
export const measureReading = (id: string): ReadingResult => {
  const district = loadDistrict(id);
  const open = msOf(() => warm(district));
  const words = district.categories.flatMap((category) => [category.name, ...category.keywords]);
  const texts = Array.from({ length: TEXTS + FIRST }, (_, i) => {
    let text = '';
    for (let at = i * 7; text.length < LENGTH; at += 11)
      text += `我这里${words[at % words.length]}，来看看。`;
    return text.slice(0, LENGTH);
  });
  const read = (content: string): number => msOf(() => classify(district, { content, address: '' }));
  const times = texts.map(read).slice(FIRST);
  return {
    open,
    text: spreadOf(times),
    hostile: Object.entries(HOSTILE).map(([what, content]) => ({ what, ms: read(content) })),
  };
};

if (import.meta.main) console.log(JSON.stringify(measureReading(process.argv[2] ?? '')));
