/** k of n, as a share with its 95 % interval. `value`, `low` and `high` are null when there was nothing to count. */
export interface Share {
  k: number;
  n: number;
  value: number | null;
  low: number | null;
  high: number | null;
}

/** The 97.5 % point of the normal distribution. */
const Z = 1.959963984540054;

const round = (x: number): number => Math.round(x * 10_000) / 10_000;

/** The share k/n with Wilson's 95 % interval, which stays honest for small n and for shares near 0 and 1. */
export const share = (k: number, n: number): Share => {
  if (n === 0) return { k, n, value: null, low: null, high: null };
  const p = k / n;
  const z2 = Z * Z;
  const middle = p + z2 / (2 * n);
  const half = Z * Math.sqrt((p * (1 - p)) / n + z2 / (4 * n * n));
  // Rounding errors must not push a bound over the value it bounds.
  const low = k === 0 ? 0 : (middle - half) / (1 + z2 / n);
  const high = k === n ? 1 : (middle + half) / (1 + z2 / n);
  return { k, n, value: round(p), low: round(low), high: round(high) };
};

/** The share of the rows that `is` holds for. */
export const shareOf = <T>(rows: readonly T[], is: (row: T) => boolean): Share =>
  share(rows.filter(is).length, rows.length);

/** A share as a person reads it: `12/14 = 86 % (60–96)`. */
export const inWords = ({ k, n, value, low, high }: Share): string =>
  value === null || low === null || high === null
    ? `${k}/${n}`
    : `${k}/${n} = ${Math.round(value * 100)} % (${Math.round(low * 100)}–${Math.round(high * 100)})`;
