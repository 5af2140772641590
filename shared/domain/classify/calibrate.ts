import * as z from 'zod';

/** Steps of a rising curve: from a raw score on, the share of labelled texts for which the answer was right. */
const curveSchema = z
  .array(z.tuple([z.number(), z.number().min(0).max(1)]))
  .min(1)
  .refine(
    (steps) =>
      steps.every(([x, y], i) => i === 0 || (x > (steps[i - 1]?.[0] ?? x) && y >= (steps[i - 1]?.[1] ?? 0))),
    'a curve rises from step to step',
  );
/** A calibration curve, isotonic. */
export type Curve = z.output<typeof curveSchema>;

const shareSchema = z.number().min(0).max(1);

const thresholdsSchema = z.strictObject({
  /** From this share of police and joint together on, somebody with a uniform goes. */
  danger: shareSchema,
  /** From this share on the desk is asked, and until it answers the matter is joint. */
  ask: shareSchema,
  /** Below this share the whole text says that a danger sign is harmless, unless the sign is firm (danger.json). */
  dismiss: shareSchema,
  /** Share of police among police and joint from which a joint sign becomes police work. */
  police: shareSchema,
  /** From this share of P1 on a matter is P1: seconds lost are worse than seconds wasted. */
  p1: shareSchema,
  /** The same where somebody asks about it: who asks is as a rule not in the middle of it. */
  p1Asked: shareSchema,
  /** From this share on a dispute may turn criminal. */
  risk: shareSchema,
  /** The same where somebody with a uniform goes: what is dangerous already needs less. */
  riskDanger: shareSchema,
  /** A second category is named from this share on. */
  rival: shareSchema,
});
/** Where the lines are drawn; chosen on texts that the model had not seen. */
export type Thresholds = z.output<typeof thresholdsSchema>;

/** calibration.json: written by `npm run train -- --data DIR` from texts that the model had not seen; sums, no texts. */
export const calibrationSchema = z.strictObject({
  note: z.string(),
  version: z.string().min(1),
  category: curveSchema,
  disposition: curveSchema,
  p1: curveSchema,
  risk: curveSchema,
  thresholds: thresholdsSchema,
});
/** The calibration as parsed. */
export type Calibration = z.output<typeof calibrationSchema>;

/** The confidence that belongs to a raw score, between the steps in proportion; two decimals. */
export const read = (curve: Curve, score: number): number => {
  const after = curve.findIndex(([x]) => x > score);
  const [lowX, lowY] = curve[after < 0 ? curve.length - 1 : Math.max(0, after - 1)] ?? [0, 0];
  const [highX, highY] = curve[after < 0 ? curve.length - 1 : after] ?? [0, 0];
  const share = highX > lowX ? Math.min(1, Math.max(0, (score - lowX) / (highX - lowX))) : 0;
  return Math.round((lowY + share * (highY - lowY)) * 100) / 100;
};

/** Rows of a step at least: fewer prove nothing about the score that they happen to have. */
const POOL = 8;
/** A step holds no less than this share of the rows either, so that a curve stays short. */
const PART = 0.04;

/**
 * The rising steps nearest to what was seen (pool adjacent violators), each at the middle score of its rows. Each step
 * counts one right and one wrong more than it has seen (Laplace), and `doubt` is taken off: rules that were written with
 * these rows in sight are less right on others. `anchor` is what no score at all is worth.
 */
export const fit = (
  seen: readonly { score: number; right: boolean }[],
  { doubt = 0, anchor }: { doubt?: number; anchor?: number } = {},
): Curve => {
  const least = Math.max(POOL, PART * seen.length);
  const pools: { sum: number; n: number; right: number }[] = [];
  for (const { score, right } of seen.toSorted((a, b) => a.score - b.score)) {
    const last = pools.at(-1);
    if (last && last.sum === last.n * score) {
      last.sum += score;
      last.n += 1;
      last.right += right ? 1 : 0;
    } else pools.push({ sum: score, n: 1, right: right ? 1 : 0 });
    for (;;) {
      const [before, top] = [pools.at(-2), pools.at(-1)];
      if (!before || !top || (before.n >= least && before.right / before.n < top.right / top.n)) break;
      before.sum += top.sum;
      before.n += top.n;
      before.right += top.right;
      pools.pop();
    }
  }
  const three = (x: number): number => Math.round(x * 1000) / 1000;
  const curve: Curve = anchor === undefined ? [] : [[0, anchor]];
  for (const { sum, n, right } of pools) {
    const [x, y] = [three(sum / n), three(((right + 1) / (n + 2)) * (1 - doubt))];
    const last = curve.at(-1);
    if (!last || (x > last[0] && y >= last[1])) curve.push([x, y]);
  }
  return curve;
};
