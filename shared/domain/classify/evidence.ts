import type { Classification, Reason } from '../classification.ts';
import type { Category, District } from '../district.ts';
import type { Decision } from './decide.ts';
import { speakFor, type Model, type Vector } from './model.ts';
import type { Reading } from './reading.ts';
import { placesOf, type Place } from './words.ts';

/** Words of one kind that are told; a desk reads a few lines, not thirty. */
const TOLD = 4;
/** Words of the model that are told beside words of the list. */
const LEARNT = 3;
/** Points below which a run of characters says too little to be told. */
const WORTH = 0.05;

const DISPOSITION_NAMES = {
  police: '警务',
  joint: '联合处置',
  'non-police': '非警务',
  consult: '咨询',
} as const;
const BACK_NAMES = {
  negation: '前后有否定',
  hypothesis: '只是假设',
  figure: '是比方',
  report: '是转述',
  abstract: '只是泛泛而问',
  cause: '另有原因',
} as const;
const HANDLERS = { police: '公安', court: '法院', insurer: '保险' } as const;

/** A text cut to what fits into a sentence. */
export const clip = (text: string): string => (text.length > 120 ? `${text.slice(0, 120)}…` : text);

/** Everything that the reasons are made from. */
export type Told = {
  district: District;
  content: string;
  reading: Reading;
  model: Model;
  vector: Vector;
  decision: Decision;
  code: { given: string | undefined; coded: Category | undefined };
  urgency: { urgency: Classification['urgency']; level: string | undefined };
};

/** A run of characters without the commas and blanks at its ends: what a person would call a word. */
const wordIn = (text: string, start: number, end: number): Place => {
  const run = text.slice(start, end);
  const word = run.replace(/^[^\p{L}\p{N}]+/u, '');
  const from = start + run.length - word.length;
  const bare = word.replace(/[^\p{L}\p{N}]+$/u, '');
  return { word: bare, start: from, end: from + bare.length };
};

/** Runs of characters of the model that stand in no word already told, neighbours joined into one. */
const learntWords = (told: Told, taken: readonly Place[]): Place[] => {
  const { model, vector, decision, reading } = told;
  const strong = speakFor(model.heads.category, vector, decision.category.id, decision.runnerUp?.id).filter(
    ({ points }) => points >= WORTH,
  );
  const chosen: Place[] = [];
  for (const { start, end } of strong) {
    const free = (place: Place): boolean => place.end <= start || end <= place.start;
    if (!taken.every(free)) continue;
    const near = chosen.find((place) => place.start <= end && start <= place.end);
    if (near) {
      near.start = Math.min(near.start, start);
      near.end = Math.max(near.end, end);
    } else if (chosen.length < LEARNT) chosen.push({ word: '', start, end });
  }
  return chosen
    .filter(
      (place, i) => !chosen.some((other, j) => j < i && place.start < other.end && other.start < place.end),
    )
    .map(({ start, end }) => wordIn(reading.text, start, end))
    .filter(({ word }) => word.length > 1);
};

/** Why it was decided so, in words a duty officer reads; every span slices the content to the words that are quoted. */
export const reasonsOf = (told: Told): Reason[] => {
  const { district, content, reading, decision, code, urgency } = told;
  const { category, runnerUp, disposition, signs, dismissed, sure } = decision;
  const { seen, spanOf, scores, text } = reading;
  const reasons: Reason[] = [];
  const quote = (
    rule: string,
    span: [number, number],
    say: (words: string) => string,
    against = false,
  ): void => {
    const words = content.slice(...span);
    if (words !== '')
      reasons.push({ rule, sentence: say(words), span, ...(against ? { against: true } : {}) });
  };

  for (const hit of signs)
    quote(
      `danger:${hit.kind}`,
      hit.span,
      (w) => `出现“${w}”，疑似${hit.name}，按${DISPOSITION_NAMES[hit.send]}处理`,
    );
  for (const hit of dismissed)
    quote(
      `danger:${hit.kind}`,
      hit.span,
      (w) => `出现“${w}”，但${seen.handled ? '已有人在处理' : '从全文看不是险情'}，不按${hit.name}处理`,
      true,
    );
  for (const { kind, name, span, cancelledBy } of seen.hits)
    if (cancelledBy)
      quote(
        `danger:${kind}`,
        span,
        (w) => `“${w}”${BACK_NAMES[cancelledBy.by]}（“${cancelledBy.words}”），不作${name}`,
        true,
      );

  const { given, coded } = code;
  if (coded) reasons.push({ rule: 'code', sentence: `110类别代码${given ?? ''}对应“${coded.name}”` });
  else if (given !== undefined && given.trim() !== '')
    reasons.push({ rule: 'code-unknown', sentence: `110类别代码${clip(given)}不在对照表中，已保留` });
  if (seen.handled)
    quote('handled', seen.handled.span, (w) => `“${w}”：${HANDLERS[seen.handled?.by ?? 'police']}已在处理`);

  const wordsOf = (of: Category) =>
    (scores.find((score) => score.category === of.id)?.found ?? []).toSorted((a, b) => b.points - a.points);
  const listed = wordsOf(category).slice(0, TOLD);
  for (const hit of listed) {
    const rule = hit.by.startsWith('combo:') ? hit.by : 'keyword';
    if (hit.points > 0) quote(rule, spanOf(hit), (w) => `出现“${clip(w)}”，像“${category.name}”`);
    else quote(rule, spanOf(hit), (w) => `出现“${clip(w)}”，不太像“${category.name}”`, true);
  }
  // Runs of characters are a poor sort of word: they are told where the list has too little to say.
  if (decision.raw.category > 0 && listed.length < 2)
    for (const place of learntWords(told, listed))
      quote('model', spanOf(place), (w) => `有像“${category.name}”的字眼：“${clip(w)}”`);
  const rival = runnerUp && wordsOf(runnerUp).find(({ points }) => points > 0);
  if (rival) quote('rival', spanOf(rival), (w) => `也出现“${clip(w)}”，或为“${runnerUp.name}”`, true);

  if (!sure)
    reasons.push({
      rule: 'unsure',
      sentence:
        decision.raw.category > 0
          ? `像“${category.name}”，但不能排除险情，按联合处置，请值班员核对`
          : '认不出是什么事，按联合处置，请值班员核对',
    });
  if (decision.risk) {
    const [trigger] = placesOf(text, district.rules.risk.triggers);
    reasons.push({
      rule: 'risk',
      sentence: `双方有牵连${trigger ? `，出现“${content.slice(...spanOf(trigger))}”` : ''}，有民转刑苗头`,
      ...(trigger ? { span: spanOf(trigger) } : {}),
    });
  }
  const [harming] = urgency.urgency < category.urgency ? placesOf(text, district.rules.urgency.harming) : [];
  if (harming && disposition !== 'police')
    quote('urgency', spanOf(harming), (w) => `出现“${w}”，随时可能伤人，按${urgency.urgency}办`);
  if (urgency.level !== undefined) reasons.push({ rule: 'level', sentence: `110警情等级为${urgency.level}` });
  if (seen.minors && signs.length > 0) reasons.push({ rule: 'minors', sentence: '说到未成年人，请留意保护' });
  if (reasons.length === 0) reasons.push({ rule: 'none', sentence: `按“${category.name}”处理` });
  return reasons;
};
