import type { Reading } from './reading.ts';
import { abstractQuestion, type Rules } from './rules.ts';
import { placesOf } from './words.ts';

/** Points of the word list above which a category is not more likely. */
const ENOUGH = 15;
const URGENCY_WORDS = ['now', 'recent', 'long', 'asking', 'advice', 'harming', 'visit', 'routine'] as const;
const RISK_WORDS = ['ties', 'triggers', 'never'] as const;

/**
 * What the rules saw, as numbers that the model weighs: danger signs that count (g, gs, gt) or were taken back (x), the
 * category words (l, t), meanings (c), words of urgency and 民转刑 (f), and the shape of the text (q, len).
 */
export const signalsOf = (rules: Rules, { seen, text, scores, concepts }: Reading): Map<string, number> => {
  const signals = new Map<string, number>();
  for (const { kind, send, tense, cancelledBy } of seen.hits)
    if (cancelledBy) signals.set(`x:${kind}`, 0.5);
    else {
      signals.set(`g:${kind}`, 2);
      signals.set(`gs:${send}`, 2);
      signals.set(`gt:${kind}:${tense}`, 0.5);
    }
  if (seen.minors) signals.set('f:minors', 1);
  if (seen.handled) signals.set(`f:handled:${seen.handled.by}`, 1);
  for (const name of URGENCY_WORDS)
    if (placesOf(text, rules.urgency[name]).length > 0) signals.set(`f:${name}`, 1);
  for (const name of RISK_WORDS) if (placesOf(text, rules.risk[name]).length > 0) signals.set(`f:${name}`, 1);
  if (abstractQuestion(rules.consult, text)) signals.set('f:abstract', 1);
  const [best] = scores;
  if (best && best.points > 0) signals.set(`t:${best.category}`, 0.7);
  for (const { category, points } of scores)
    if (points > 0) signals.set(`l:${category}`, (1.3 * Math.min(points, ENOUGH)) / 10);
  for (const [id, places] of concepts) signals.set(`c:${id}`, 0.7 * (1 + Math.log(places.length)));
  signals.set(`len:${String(Math.min(7, Math.floor(Math.log2(text.length + 1))))}`, 0.5);
  if (text.includes('?')) signals.set('q', 0.5);
  return signals;
};
