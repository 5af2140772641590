import type { Answered, Measures } from './measure.ts';
import type { SilverMeasure } from './silver.ts';
import { inWords } from './share.ts';

/** The measures as lines that a person reads; `title` says of what. */
export const printMeasures = (title: string, m: Measures): string[] => [
  `${title}: ${m.n} texts`,
  `  category            ${inWords(m.category.accuracy)}; with also_ok ${inWords(m.category.accuracyAlsoOk)}`,
  `  macro F1            ${m.category.macroF1 ?? '–'} over ${m.category.macroF1Categories} categories with 5 rows or more`,
  `  disposition         ${inWords(m.disposition.accuracy)}`,
  `  danger              ${inWords(m.danger.recall)} answered by police or joint; P1 or P2 police ${inWords(m.danger.recallP1P2Police)}`,
  `  police              ${inWords(m.police.recall)}`,
  `  P1                  recall ${inWords(m.p1.recall)}, precision ${inWords(m.p1.precision)}`,
  `  false alarms        police ${inWords(m.falseAlarm.police)}, police or joint ${inWords(m.falseAlarm.policeOrJoint)}`,
  `  urgency             ${inWords(m.urgency.exact)}`,
  `  risk                recall ${inWords(m.risk.recall)}, precision ${inWords(m.risk.precision)}`,
  `  Brier               ${m.brier ?? '–'}`,
  `  desk is asked       ${inWords(m.triage.share)}`,
  `  ms per text         p50 ${m.msPerText.p50 ?? '–'}, p99 ${m.msPerText.p99 ?? '–'}`,
];

/** Who was meant and who would have come: rows are meant, columns are said. */
export const printConfusion = ({ disposition: { confusion } }: Measures): string[] => {
  const names = Object.keys(confusion);
  return [
    `  ${'is \\ said'.padEnd(12)}${names.map((name) => name.padStart(12)).join('')}`,
    ...names.map(
      (is) =>
        `  ${is.padEnd(12)}${names.map((said) => String(confusion[is]?.[said] ?? 0).padStart(12)).join('')}`,
    ),
  ];
};

/** A danger nobody with a uniform would have come to, with its words: never called for sealed rows. */
export const printMissed = ({ row, said }: Answered): string =>
  `  MISSED ${row.id} (line ${row.line}, ${row.style}): is ${row.disposition} ${row.category} ${row.urgency}, said ${said.disposition} ${said.category} ${said.urgency}: ${row.text.length > 120 ? `${row.text.slice(0, 120)}…` : row.text}`;

/** A silver set as one line. */
export const printSilver = ({ set, kind, police, policeOrJoint }: SilverMeasure): string =>
  `  ${kind === 'recall' ? 'recall' : 'alarms'} ${set}: police ${inWords(police)}, police or joint ${inWords(policeOrJoint)}`;
