import type { Classifier, Prediction } from './prediction.ts';
import type { Row } from './rows.ts';
import { shareOf, type Share } from './share.ts';

/** A row and what was said about it. */
export interface Answered {
  row: Row;
  said: Prediction;
  /** Milliseconds the classifier took. */
  ms: number;
}

const DISPOSITIONS = ['police', 'joint', 'non-police', 'consult'] as const;
/** A category with fewer rows says nothing about a class, only about luck. */
const ENOUGH_ROWS = 5;

/** How well a set of rows was answered. Every share has its 95 % interval; `brier` is the mean of its four parts. */
export interface Measures {
  n: number;
  category: { accuracy: Share; accuracyAlsoOk: Share; macroF1: number | null; macroF1Categories: number };
  disposition: { accuracy: Share; confusion: Record<string, Record<string, number>> };
  danger: { recall: Share; recallP1P2Police: Share };
  police: { recall: Share };
  p1: { recall: Share; precision: Share };
  falseAlarm: { police: Share; policeOrJoint: Share };
  urgency: { exact: Share };
  risk: { recall: Share; precision: Share };
  brier: number | null;
  brierParts: { category: number; disposition: number; p1: number; risk: number } | null;
  triage: { share: Share };
  msPerText: { p50: number | null; p99: number | null };
}

/** Asks the classifier about every row. `clock` counts milliseconds. */
export const answer = (
  rows: readonly Row[],
  classifier: Classifier,
  clock: () => number = () => performance.now(),
): Answered[] => {
  // The first calls compile patterns; they say nothing about a text.
  for (const row of rows.slice(0, 5)) classifier(row.text);
  return rows.map((row) => {
    const from = clock();
    const said = classifier(row.text);
    return { row, said, ms: clock() - from };
  });
};

/** Somebody may come to harm: the row is for the police or P1. */
export const isDanger = ({ row }: Answered): boolean => row.disposition === 'police' || row.urgency === 'P1';
/** The police were called, or at least come along. */
export const isSent = ({ said }: Answered): boolean =>
  said.disposition === 'police' || said.disposition === 'joint';
/** Dangers for which nobody with a uniform would have come. */
export const missedDangers = (answered: readonly Answered[]): Answered[] =>
  answered.filter((one) => isDanger(one) && !isSent(one));

const fits = ({ row, said }: Answered): boolean =>
  said.category === row.category || row.alsoOk.includes(said.category);

const macroF1 = (answered: readonly Answered[]): { macroF1: number | null; macroF1Categories: number } => {
  const counted = Object.entries(Object.groupBy(answered, ({ row }) => row.category)).filter(
    ([, rows]) => (rows?.length ?? 0) >= ENOUGH_ROWS,
  );
  if (counted.length === 0) return { macroF1: null, macroF1Categories: 0 };
  const scores = counted.map(([category, rows = []]) => {
    const right = rows.filter(({ said }) => said.category === category).length;
    const named = answered.filter(({ said }) => said.category === category).length;
    return (2 * right) / (rows.length + named);
  });
  return {
    macroF1: Math.round((scores.reduce((a, b) => a + b, 0) / scores.length) * 10_000) / 10_000,
    macroF1Categories: counted.length,
  };
};

const confusion = (answered: readonly Answered[]): Record<string, Record<string, number>> =>
  Object.fromEntries(
    DISPOSITIONS.map((is) => [
      is,
      Object.fromEntries(
        DISPOSITIONS.map((said) => [
          said,
          answered.filter((one) => one.row.disposition === is && one.said.disposition === said).length,
        ]),
      ),
    ]),
  );

const brier = (answered: readonly Answered[]): Pick<Measures, 'brier' | 'brierParts'> => {
  if (answered.length === 0) return { brier: null, brierParts: null };
  const mean = (error: (one: Answered) => number): number =>
    Math.round((answered.reduce((sum, one) => sum + error(one) ** 2, 0) / answered.length) * 10_000) / 10_000;
  const parts = {
    category: mean((one) => one.said.confidence.category - Number(fits(one))),
    disposition: mean(
      ({ said, row }) => said.confidence.disposition - Number(said.disposition === row.disposition),
    ),
    p1: mean(({ said, row }) => said.confidence.p1 - Number(row.urgency === 'P1')),
    risk: mean(({ said, row }) => said.confidence.risk - Number(row.risk)),
  };
  const sum = parts.category + parts.disposition + parts.p1 + parts.risk;
  return { brier: Math.round((sum / 4) * 10_000) / 10_000, brierParts: parts };
};

/** The value that a share `q` of the sorted numbers does not exceed (nearest rank), in microsecond steps. */
const quantile = (sorted: readonly number[], q: number): number | null => {
  const value = sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)];
  return value === undefined ? null : Math.round(value * 1000) / 1000;
};

/** Counts how well rows were answered. */
export const measure = (answered: readonly Answered[]): Measures => {
  const times = answered.map(({ ms }) => ms).sort((a, b) => a - b);
  const harmless = answered.filter(
    ({ row }) => row.disposition === 'non-police' || row.disposition === 'consult',
  );
  return {
    n: answered.length,
    category: {
      accuracy: shareOf(answered, ({ row, said }) => said.category === row.category),
      accuracyAlsoOk: shareOf(answered, fits),
      ...macroF1(answered),
    },
    disposition: {
      accuracy: shareOf(answered, ({ row, said }) => said.disposition === row.disposition),
      confusion: confusion(answered),
    },
    danger: {
      recall: shareOf(answered.filter(isDanger), isSent),
      recallP1P2Police: shareOf(
        answered.filter(({ row }) => row.disposition === 'police' && /^P[12]$/.test(row.urgency)),
        isSent,
      ),
    },
    police: {
      recall: shareOf(
        answered.filter(({ row }) => row.disposition === 'police'),
        ({ said }) => said.disposition === 'police',
      ),
    },
    p1: {
      recall: shareOf(
        answered.filter(({ row }) => row.urgency === 'P1'),
        ({ said }) => said.urgency === 'P1',
      ),
      precision: shareOf(
        answered.filter(({ said }) => said.urgency === 'P1'),
        ({ row }) => row.urgency === 'P1',
      ),
    },
    falseAlarm: {
      police: shareOf(harmless, ({ said }) => said.disposition === 'police'),
      policeOrJoint: shareOf(harmless, isSent),
    },
    urgency: { exact: shareOf(answered, ({ row, said }) => said.urgency === row.urgency) },
    risk: {
      recall: shareOf(
        answered.filter(({ row }) => row.risk),
        ({ said }) => said.risk,
      ),
      precision: shareOf(
        answered.filter(({ said }) => said.risk),
        ({ row }) => row.risk,
      ),
    },
    ...brier(answered),
    triage: { share: shareOf(answered, ({ said }) => said.triage) },
    msPerText: { p50: quantile(times, 0.5), p99: quantile(times, 0.99) },
  };
};

/** The measures of all rows, and the same of every style on its own. */
export const measureByStyle = (
  answered: readonly Answered[],
): Measures & { byStyle: Record<string, Measures> } => ({
  ...measure(answered),
  byStyle: Object.fromEntries(
    Object.entries(Object.groupBy(answered, ({ row }) => row.style)).map(([style, rows = []]) => [
      style,
      measure(rows),
    ]),
  ),
});
