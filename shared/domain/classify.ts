import type { Classification, Reason } from './classification.ts';
import type { Category, District, Guard } from './district.ts';

/** What a caller said, as far as it decides what the matter is. */
export type Statement = {
  /** Kept for a classifier that reads it; today it decides nothing, because street names are full of harmless knives. */
  address: string;
  content: string;
  categoryCode?: string;
  level?: string;
};

/** A hit in the content: what and where, in UTF-16 units. */
type Hit = { word: string; start: number; end: number };

/** Two danger lists mean danger when their words are at most so many characters apart. */
const NEAR = 20;
/** Keyword points (characters of distinct words found) below which a guess is not worth acting on alone. */
const ENOUGH = 2;

const occurrences = (text: string, word: string): Hit[] => {
  const hits: Hit[] = [];
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + word.length))
    hits.push({ word, start: at, end: at + word.length });
  return hits;
};

/**
 * Blanks names of places and harmless phrases with as many NULs, so that offsets stay: 刀茅巷 is an address and 刀削面 a
 * dish. A longer phrase goes first, because a shorter one may be part of it.
 */
const mask = (district: District, text: string): string => {
  const phrases = [
    ...district.harmless,
    ...district.placeNames,
    ...district.roads.flatMap((r) => [r.name, ...r.names]),
    ...district.grids.flatMap((g) => [g.name, ...g.names]),
  ].sort((a, b) => b.length - a.length);
  let masked = text;
  for (const phrase of phrases)
    if (masked.includes(phrase)) masked = masked.replaceAll(phrase, '\0'.repeat(phrase.length));
  return masked;
};

const nearHit = (text: string, guard: Guard): Hit | undefined => {
  const [first, second] = guard.near ?? [[], []];
  const longest = Math.max(0, ...second.map((word) => word.length));
  for (const one of first.flatMap((word) => occurrences(text, word))) {
    // Only the neighbourhood is searched: a hostile text of 4,000 characters must not cost its square.
    const from = Math.max(0, one.start - NEAR - longest);
    const around = text.slice(from, one.end + NEAR + longest);
    for (const other of second.flatMap((word) => occurrences(around, word))) {
      const [start, end] = [Math.min(one.start, from + other.start), Math.max(one.end, from + other.end)];
      const between = text.slice(
        Math.min(one.end, from + other.end),
        Math.max(one.start, from + other.start),
      );
      if (between.length > NEAR || guard.notBetween.some((word) => between.includes(word))) continue;
      return { word: text.slice(start, end), start, end };
    }
  }
  return undefined;
};

const patterns = new WeakMap<Guard, RegExp>();
const patternOf = (guard: Guard): RegExp | undefined => {
  if (guard.pattern === undefined) return undefined;
  const known = patterns.get(guard) ?? new RegExp(guard.pattern, 'u');
  patterns.set(guard, known);
  return known;
};

const dangerHit = (text: string, guard: Guard): Hit | undefined => {
  for (const word of guard.words) {
    const start = text.indexOf(word);
    if (start >= 0) return { word, start, end: start + word.length };
  }
  const matched = patternOf(guard)?.exec(text);
  if (matched && matched[0] !== '')
    return { word: matched[0], start: matched.index, end: matched.index + matched[0].length };
  return nearHit(text, guard);
};

type Scored = { category: Category; points: number; hits: Hit[] };

/** Keyword points per category: the length of each distinct word found; words inside a longer word found are not counted. */
const score = (text: string, category: Category): Scored => {
  const found = category.keywords.flatMap((word) => occurrences(text, word).slice(0, 1));
  const hits = found.filter(
    (hit) =>
      !found.some(
        (other) => other !== hit && other.word.length > hit.word.length && other.word.includes(hit.word),
      ),
  );
  return { category, points: hits.reduce((n, hit) => n + hit.word.length, 0), hits };
};

const quote = (rule: string, hit: Hit, sentence: string): Reason => ({
  rule,
  sentence,
  span: [hit.start, hit.end],
});

const DISPOSITION_NAMES = {
  police: '警务',
  joint: '联合处置',
  'non-police': '非警务',
  consult: '咨询',
} as const;

/**
 * Says what a matter is: danger words, then the code of the call centre, then keywords. Plain and safe: a police sign
 * goes back to 110, every other danger sign and everything unsure is joint, so that nobody is sent alone by a guess.
 * Never throws; spans are offsets into the content.
 */
export const classify = (
  district: District,
  { content, categoryCode, level }: Statement,
): { classification: Classification; reasons: Reason[] } => {
  const text = mask(district, content);
  const reasons: Reason[] = [];

  const dangers = district.guards.flatMap((guard) => {
    const hit = dangerHit(text, guard);
    return hit ? [{ guard, hit }] : [];
  });
  for (const { guard, hit } of dangers)
    reasons.push(
      quote(
        `danger:${guard.id}`,
        hit,
        `出现“${content.slice(hit.start, hit.end)}”，疑似${guard.name}，按${DISPOSITION_NAMES[guard.send]}处理`,
      ),
    );

  const scored = district.categories
    .map((category) => score(text, category))
    .filter((s) => s.points > 0)
    .sort((a, b) => b.points - a.points);
  const [best, second] = scored;
  const other = district.categories.find((c) => c.id === 'other') ?? district.categories[0];
  if (!other) throw new Error(`the district '${district.id}' has no categories`);

  const codedId = categoryCode === undefined ? undefined : district.codes[categoryCode];
  const coded = district.categories.find((c) => c.id === codedId);
  if (coded) reasons.push({ rule: 'code', sentence: `110类别代码${categoryCode}对应“${coded.name}”` });
  for (const hit of best?.hits ?? [])
    reasons.push(quote('keyword', hit, `出现“${hit.word}”，像“${best?.category.name ?? ''}”`));

  // A code wins over words, unless the words point to the police: the code is chosen in haste, before the story is told.
  const wordsSayPolice = best !== undefined && best.category.disposition === 'police';
  const guess = coded && !(wordsSayPolice && coded.disposition !== 'police') ? coded : best?.category;
  const clear =
    best !== undefined &&
    best.points >= ENOUGH &&
    best.points > (second?.points ?? 0) &&
    (!coded || best.category.id === coded.id);
  const sureOfGuess = coded !== undefined && guess === coded ? true : clear;

  const police = dangers.find(({ guard }) => guard.send === 'police');
  const joint = dangers.find(({ guard }) => guard.send === 'joint');
  const deciding = police ?? joint;
  const byDanger = district.categories.find((c) => c.id === deciding?.guard.category);
  // A sign without a category (threat, crowd) changes who goes, not what the matter is.
  const category = byDanger ?? guess ?? other;
  const sure = deciding?.guard.category !== undefined || (guess !== undefined && sureOfGuess);

  let disposition: Classification['disposition'] = category.disposition;
  if (police) disposition = 'police';
  else if (!sure) disposition = 'joint';
  else if (joint && disposition !== 'police') disposition = 'joint';
  if (!sure)
    reasons.push({
      rule: 'unsure',
      sentence: guess
        ? `“${guess.name}”不够肯定，按联合处置，请值班员核对`
        : '认不出是什么事，按联合处置，请值班员核对',
    });

  const urgencies = [category.urgency, ...dangers.map(({ guard }) => guard.urgency)];
  if (level !== undefined && /^(0?1|一级|特级|重大)$/.test(level.trim())) {
    urgencies.push('P1');
    reasons.push({ rule: 'level', sentence: `110警情等级为${level.trim()}` });
  }
  const [urgency = 'P3'] = urgencies.sort();
  // The joint team for a police kind of matter is the district's danger team: a police station is not on our roster.
  const dangerTeam = joint ? district.danger[joint.guard.id] : undefined;
  const team =
    disposition === 'police'
      ? category.team
      : (dangerTeam ?? (category.disposition === 'police' ? other.team : category.team));
  if (reasons.length === 0) reasons.push({ rule: 'none', sentence: `按“${category.name}”处理` });
  return {
    classification: {
      category: category.id,
      disposition,
      urgency,
      danger: dangers.map(({ guard }) => guard.id),
      line: category.line,
      team,
      sure,
    },
    reasons,
  };
};
