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

/** calibration.json: written by `npm run train -- --data DIR` from the build rows of the gold set; sums, no texts. */
export const calibrationSchema = z.strictObject({
  note: z.string(),
  version: z.string().min(1),
  category: curveSchema,
  disposition: curveSchema,
  p1: curveSchema,
  risk: curveSchema,
  /** Below these the desk is asked: the matter goes out as joint. */
  ask: z.strictObject({ category: z.number().min(0).max(1), disposition: z.number().min(0).max(1) }),
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

/**
 * The rising steps nearest to what was seen (pool adjacent violators), each at the middle score of its rows. Each step
 * counts one right and one wrong more than it has seen (Laplace), and `doubt` is taken off: rules that were written with
 * these rows in sight are less right on others. `anchor` is what no score at all is worth.
 */
export const fit = (
  seen: readonly { score: number; right: boolean }[],
  { doubt = 0, anchor }: { doubt?: number; anchor?: number } = {},
): Curve => {
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
      if (!before || !top || (before.n >= POOL && before.right / before.n < top.right / top.n)) break;
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
