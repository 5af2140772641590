import type { Classification, Reason } from './classification.ts';
import { believe } from './classify/belief.ts';
import type { Concepts } from './classify/concepts.ts';
import { read } from './classify/calibrate.ts';
import { decide, type Decision } from './classify/decide.ts';
import { clip, reasonsOf } from './classify/evidence.ts';
import { vectorOf } from './classify/model.ts';
import { readingOf, type Reading } from './classify/reading.ts';
import { isHollow } from './classify/rules.ts';
import { signalsOf } from './classify/signals.ts';
import { isAsked } from './classify/urgency.ts';
import type { Category, District } from './district.ts';

/** What a caller said, as far as it decides what the matter is. */
export type Statement = {
  /** Kept for a classifier that reads it; today it decides nothing, because street names are full of harmless knives. */
  address: string;
  content: string;
  categoryCode?: string;
  level?: string;
};

/** 110's own highest level. */
const HIGHEST = /^(0?1|一级|特级|重大)$/;

/** Nothing in the text says what the matter is: no danger, no word of a list, no meaning, or only a greeting. */
const isEmpty = (
  district: District,
  meanings: Concepts,
  { seen, scores, concepts, text }: Reading,
): boolean => {
  const meant = [...concepts.keys()].some((id) => meanings.concepts[id]?.manner !== true);
  const named = scores.some(({ points }) => points > 0);
  return seen.hits.length === 0 && ((!meant && !named) || isHollow(district.rules.consult, text));
};

/** The team that is asked. A police station is not on our roster and the hotline sends no pair: the danger team goes. */
const teamOf = (district: District, { category, disposition, signs }: Decision): string => {
  if (disposition !== 'joint') return category.team;
  const [sign] = signs.filter((hit) => hit.send === 'joint');
  const danger = sign && district.danger[sign.kind];
  if (danger !== undefined) return danger;
  const ours = category.disposition === 'joint' || category.disposition === 'non-police';
  return ours ? category.team : (district.categories.find(({ id }) => id === 'other')?.team ?? category.team);
};

/** What was decided, why, and the raw shares behind the confidence. */
export type Weighed = { classification: Classification; reasons: Reason[]; raw: Decision['raw'] };

/** What a matter is and why. @see weigh */
export const classify = (
  district: District,
  statement: Statement,
): { classification: Classification; reasons: Reason[] } => {
  const { classification, reasons } = weigh(district, statement);
  return { classification, reasons };
};

/**
 * Says what a matter is: danger signs of the whole text, words and meanings, and what a trained model makes of all of
 * them, with 110's code where there is one. A sign goes back to 110 or is joint unless the whole text says that it is
 * harmless; what may be danger is joint with the desk asked. Never throws, whatever the text; spans are offsets into
 * the content.
 */
export const weigh = (district: District, { content, categoryCode, level }: Statement): Weighed => {
  const { rules, lexicon, calibration } = district;
  const { concepts, model } = district.learned();
  const reading = readingOf(district, concepts, content);
  const vector = vectorOf(model, reading.text, signalsOf(rules, reading));
  const codedId =
    categoryCode === undefined
      ? undefined
      : (district.codes[categoryCode] ?? district.sharedCodes[categoryCode]);
  const coded: Category | undefined = district.categories.find((c) => c.id === codedId);
  const without = believe(model, vector);
  const belief = coded
    ? believe(model, vector, { category: coded.id, disposition: coded.disposition })
    : without;
  const decision = decide(district, belief, {
    seen: reading.seen,
    coded,
    without,
    empty: isEmpty(district, concepts, reading),
    asked: isAsked(rules.urgency, reading.text),
  });
  const highest = level !== undefined && HIGHEST.test(level.trim());
  const urgency = highest ? 'P1' : decision.urgency;
  const reasons = reasonsOf({
    district,
    content,
    reading,
    model,
    vector,
    decision,
    code: { given: categoryCode === undefined ? undefined : clip(categoryCode), coded },
    urgency: { urgency, level: highest ? level.trim() : undefined },
  });
  const { category, runnerUp, raw } = decision;
  return {
    classification: {
      category: category.id,
      ...(runnerUp ? { runnerUp: runnerUp.id } : {}),
      disposition: decision.disposition,
      urgency,
      danger: [...new Set(decision.signs.map((hit) => hit.kind))],
      ...(category.disposition === 'police' ? { grave: true as const } : {}),
      line: category.line,
      team: teamOf(district, decision),
      sure: decision.sure,
      risk: decision.risk,
      confidence: {
        category: read(calibration.category, raw.category),
        disposition: read(calibration.disposition, raw.disposition),
        p1: read(calibration.p1, raw.p1),
        risk: read(calibration.risk, raw.risk),
      },
      versions: {
        rules: `${rules.version}/${district.signs.version}`,
        lexicon: `${lexicon.version}/${concepts.version}`,
        model: model.version,
      },
    },
    reasons,
    raw,
  };
};

/** Builds every index and opens the model, so that the first call does not pay for it. Call it once at cold start. */
export const warm = (district: District): void => {
  weigh(district, { content: '路口有人打架', address: '' });
};
