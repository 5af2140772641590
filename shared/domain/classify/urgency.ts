import * as z from 'zod';
import type { Urgency } from '../classification.ts';
import { placesOf, wordsSchema, type Place } from './words.ts';

/** rules.json `urgency`: words that make a matter more or less pressing. */
export const urgencyRulesSchema = z.strictObject({
  /** It happens now. */
  now: wordsSchema,
  /** It has just happened. */
  recent: wordsSchema,
  /** It is long over. */
  long: wordsSchema,
  /** Somebody asks about it rather than calls for help. */
  asking: wordsSchema,
  /** Somebody asks what law and insurance make of it: the fight is over. */
  advice: wordsSchema,
  /** Something that is no crime is hurting people, or can at any time. */
  harming: wordsSchema,
  harmingUrgency: z.enum(['P1', 'P2', 'P3']),
  /** Somebody should come and look today. */
  visit: wordsSchema,
  /** A wish or a complaint about how things are. */
  routine: wordsSchema,
});
/** The words of urgency. */
export type UrgencyRules = z.output<typeof urgencyRulesSchema>;

const ORDER: readonly Urgency[] = ['P1', 'P2', 'P3', 'P4'];
const soonerOf = (a: Urgency, b: Urgency): Urgency => (ORDER.indexOf(a) <= ORDER.indexOf(b) ? a : b);
const laterOf = (a: Urgency, b: Urgency): Urgency => (ORDER.indexOf(a) >= ORDER.indexOf(b) ? a : b);

/** Signs that no question makes calm: a knife, somebody who wants to die, a child that is gone, money on its way. */
const STANDING: ReadonlySet<string> = new Set([
  'weapon',
  'self-harm',
  'abduction',
  'missing-child',
  'fire',
  'gas',
  'fraud-in-progress',
]);

/** What urgency is judged by, beside the words. */
export type Matter = {
  /** The category's own urgency and who handles it. */
  base: Urgency;
  disposition: 'police' | 'joint' | 'non-police' | 'consult';
  /** It happens at home, between people who cannot leave each other. */
  home: boolean;
  /** The danger signs that count, their urgency already lowered where they are long over. */
  dangers: readonly { kind: string; urgency: Urgency; tense: string }[];
};

/** How urgent a matter is, with the words that say so. Danger signs decide; without one the kind of matter and its tense do. */
export const urgencyOf = (
  rules: UrgencyRules,
  text: string,
  { base, disposition, home, dangers }: Matter,
): { urgency: Urgency; because?: Place } => {
  if (disposition === 'consult') return { urgency: 'P4' };
  const [danger] = dangers.map((sign) => sign.urgency).toSorted();
  const has = (words: readonly string[]): Place | undefined => placesOf(text, words)[0];
  const now = has(rules.now) !== undefined || dangers.some((sign) => sign.tense === 'now');
  const asking = has(rules.asking) !== undefined;
  const advice = asking && has(rules.advice) !== undefined;
  const long = has(rules.long) !== undefined;

  if (disposition === 'police') {
    const over = dangers.length > 0 && dangers.every((sign) => sign.tense === 'long');
    // What is told as going on is as urgent as its kind; a blow at home is told while it goes on.
    const fresh: Urgency = home && danger ? 'P1' : base;
    const own: Urgency = over ? (danger ?? base) : danger ? soonerOf(danger, fresh) : base;
    if (now || dangers.some((sign) => STANDING.has(sign.kind))) return { urgency: own };
    // Who asks what law makes of a blow is not being beaten; at home it can begin again any time.
    const calm: Urgency = home
      ? asking || long
        ? 'P2'
        : own
      : advice || (asking && long)
        ? 'P3'
        : asking || long
          ? 'P2'
          : own;
    return { urgency: laterOf(own, calm) };
  }
  const harming = has(rules.harming);
  if (danger) return { urgency: soonerOf(danger, base) };
  if (harming) return { urgency: soonerOf(base, rules.harmingUrgency), because: harming };
  const visit = has(rules.visit);
  if (base === 'P4' && visit) return { urgency: 'P3', because: visit };
  if (base === 'P3' && !visit && !now && has(rules.routine)) return { urgency: 'P4' };
  return { urgency: base };
};
