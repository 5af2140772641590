import type { Disposition, Urgency } from '../classification.ts';
import { ask, type Model, type Vector } from './model.ts';

/** How much what usually goes with a category counts beside what the text says of the disposition. */
const USUAL = 0.5;
/** How much the text itself says of urgency; the rest is what usually goes with category and disposition. */
const TOLD = 0.6;
/** How much what usually goes with category and disposition counts for 民转刑 beside what the text says. */
const RISKY = 0.2;
/** How many times likelier 110's code makes its category, and what that category usually is. */
const CODE = 200;

/** How likely each category is together with each disposition, each urgency, and that the matter turns criminal. */
export type Belief = {
  categories: readonly string[];
  dispositions: readonly string[];
  /** By category × dispositions + disposition; adds up to 1. */
  together: Float64Array;
  urgency: Readonly<Record<Urgency, number>>;
  risk: number;
};

/** What the model makes of a text, with 110's code when it has one. */
export const believe = (
  model: Model,
  vector: Vector,
  coded?: { category: string; disposition: Disposition },
): Belief => {
  const { heads, dispositionOf, urgencyOf, riskOf } = model;
  const category = ask(heads.category, vector);
  const disposition = ask(heads.disposition, vector);
  const told = ask(heads.urgency, vector);
  const [categories, dispositions] = [heads.category.labels, heads.disposition.labels];

  const together = new Float64Array(category.length * disposition.length);
  let sum = 0;
  for (let c = 0; c < category.length; c += 1)
    for (let d = 0; d < disposition.length; d += 1) {
      sum += together[c * disposition.length + d] =
        (category[c] ?? 0) *
        (disposition[d] ?? 0) *
        (dispositionOf[c]?.[d] ?? 0) ** USUAL *
        (coded && coded.category === categories[c]
          ? CODE * (coded.disposition === dispositions[d] ? CODE : 1)
          : 1);
    }
  const usual = new Float64Array(told.length);
  let usualRisk = 0;
  for (let k = 0; k < together.length; k += 1) {
    together[k] = (together[k] ?? 0) / sum;
    usualRisk += (together[k] ?? 0) * (riskOf[k] ?? 0);
    for (let u = 0; u < told.length; u += 1)
      usual[u] = (usual[u] ?? 0) + (together[k] ?? 0) * (urgencyOf[k]?.[u] ?? 0);
  }
  const mixed = told.map((share, u) => share ** TOLD * (usual[u] ?? 0) ** (1 - TOLD));
  const all = mixed.reduce((a, b) => a + b, 0);
  const toldRisk = ask(heads.risk, vector)[heads.risk.labels.indexOf('yes')] ?? 0;
  const risky = toldRisk ** (1 - RISKY) * usualRisk ** RISKY;
  const harmless = (1 - toldRisk) ** (1 - RISKY) * (1 - usualRisk) ** RISKY;
  const urgencyShare = (name: Urgency): number => (mixed[heads.urgency.labels.indexOf(name)] ?? 0) / all;
  return {
    categories,
    dispositions,
    together,
    urgency: {
      P1: urgencyShare('P1'),
      P2: urgencyShare('P2'),
      P3: urgencyShare('P3'),
      P4: urgencyShare('P4'),
    },
    risk: risky / (risky + harmless),
  };
};

/** The share of a disposition, or of several, over all categories. */
export const shareOf = (belief: Belief, ...names: readonly Disposition[]): number =>
  names.reduce((sum, name) => {
    const [d, step] = [belief.dispositions.indexOf(name), belief.dispositions.length];
    const share = belief.categories.reduce((of, _, c) => of + (belief.together[c * step + d] ?? 0), 0);
    return sum + share;
  }, 0);

/** Categories by their share, most likely first; counted within some dispositions only when they are given. */
export const rankOf = (
  belief: Belief,
  within: readonly string[] = belief.dispositions,
): { category: string; share: number }[] => {
  const n = belief.dispositions.length;
  return belief.categories
    .map((category, c) => ({
      category,
      share: belief.dispositions.reduce(
        (sum, name, d) => sum + (within.includes(name) ? (belief.together[c * n + d] ?? 0) : 0),
        0,
      ),
    }))
    .toSorted((a, b) => b.share - a.share);
};
