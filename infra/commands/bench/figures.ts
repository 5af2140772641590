/** Percentile of a sample by the nearest-rank method; NaN for none. `p`: 0 to 100. */
export const percentile = (values: readonly number[], p: number): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((p / 100) * sorted.length) - 1)] ?? Number.NaN;
};

/** How a sample lies; same unit as its values. */
export interface Spread {
  n: number;
  p50: number;
  p99: number;
  max: number;
}

/** What is told of a sample. */
export const spreadOf = (values: readonly number[]): Spread => ({
  n: values.length,
  p50: percentile(values, 50),
  p99: percentile(values, 99),
  max: values.length === 0 ? Number.NaN : values.reduce((a, b) => Math.max(a, b)),
});

/** Milliseconds as they stand in the table. */
export const ms = (value: number): string =>
  // JSON writes NaN as null.
  !Number.isFinite(value)
    ? '–'
    : value < 10
      ? value.toFixed(1)
      : Math.round(value).toLocaleString('en', { useGrouping: true });
