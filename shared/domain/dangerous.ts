import type { Classification } from './classification.ts';
import { guard, type GuardHit, type GuardedDistrict } from './classify/guard.ts';
import type { District } from './district.ts';

/** The danger signs of a text that count. Needs the words alone, never the model: intake and the street read it alike. */
export const signsOf = (text: string, district: GuardedDistrict): GuardHit[] =>
  guard(text, district).hits.filter((hit) => !hit.cancelledBy);

/**
 * What a matter is once danger signs are told of it: police signs make it police work, all others a pair of the
 * district's danger team; never less urgent than before. Without signs it stays what it was.
 */
export const madeDangerous = (
  district: Pick<District, 'categories' | 'danger'>,
  was: Classification,
  signs: readonly GuardHit[],
): Classification => {
  const worst = signs.find((sign) => sign.send === 'police') ?? signs[0];
  if (!worst) return was;
  const named = district.categories.find((category) => category.id === worst.category);
  const team = worst.send === 'police' ? named?.team : district.danger[worst.kind];
  return {
    ...was,
    ...(named ? { category: named.id, line: named.line } : {}),
    ...(team === undefined ? {} : { team }),
    disposition: worst.send,
    danger: [...new Set(signs.map((sign) => sign.kind))],
    urgency: [was.urgency, ...signs.map((sign) => sign.urgency)].reduce((a, b) => (b < a ? b : a)),
    sure: true,
  };
};
