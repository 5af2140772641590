import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import type { Answered } from './measure.ts';

/** A run of so many characters that stands in a data file is that file's, not ours. */
const LONG = 8;
/** Of which so many Chinese ones: a date or a run of digits is nobody's wording. */
const CHINESE = 4;

const OURS = [
  'shared/districts/**/*.{json,csv,geojson,md}',
  'shared/domain/**/*.ts',
  'tests/**/*.{ts,jsonl,json,md}',
  'infra/commands/**/*.{ts,json,jsonl}',
];

/** Words of ours that a data file has as well: where they stand here, and in which data file. */
export interface Literal {
  words: string;
  ours: string;
  line: number;
  /** One past the last character of the words, in the line. */
  end: number;
  theirs: string;
}

const dataRowSchema = z.record(z.string(), z.unknown());

/** Everything somebody wrote in a data file: the free texts, not the labels. */
const textsOf = (content: string): string[] =>
  content.split('\n').flatMap((line) => {
    if (line.trim() === '') return [];
    const row = dataRowSchema.parse(JSON.parse(line));
    return ['text', 'reply', 'name'].flatMap((field) => {
      const value = row[field];
      return typeof value === 'string' ? [value] : [];
    });
  });

const isWording = (gram: string): boolean => (gram.match(/\p{Script=Han}/gu) ?? []).length >= CHINESE;

/**
 * Lists every run of eight characters or more that both a text of the data folder (its *.jsonl files) and one of our
 * rules, lexicons, corpora or tests hold; runs that follow one another are told as one. The same words in several
 * data files are told once.
 */
export const literalsIn = (root: string, data: string): Literal[] => {
  const ours = new Map<string, { ours: string; line: number; at: number }[]>();
  for (const file of OURS.flatMap((glob) => globSync(glob, { cwd: root })).toSorted())
    for (const [index, line] of readFileSync(join(root, file), 'utf8').split('\n').entries())
      for (let at = 0; at + LONG <= line.length; at += 1) {
        const gram = line.slice(at, at + LONG);
        if (!isWording(gram)) continue;
        const known = ours.get(gram);
        if (known) known.push({ ours: file, line: index + 1, at });
        else ours.set(gram, [{ ours: file, line: index + 1, at }]);
      }

  const theirs = new Map<string, string>();
  for (const file of globSync('*.jsonl', { cwd: data }).toSorted())
    for (const text of textsOf(readFileSync(join(data, file), 'utf8')))
      for (let at = 0; at + LONG <= text.length; at += 1) {
        const gram = text.slice(at, at + LONG);
        if (ours.has(gram) && !theirs.has(gram)) theirs.set(gram, file);
      }

  const found = [...theirs]
    .flatMap(([gram, file]) => (ours.get(gram) ?? []).map((place) => ({ gram, theirs: file, ...place })))
    .toSorted((a, b) => a.ours.localeCompare(b.ours) || a.line - b.line || a.at - b.at);
  const told: Literal[] = [];
  for (const { gram, ours: file, line, at, theirs: source } of found) {
    const last = told.at(-1);
    if (last && last.ours === file && last.line === line && at === last.end - LONG + 1) {
      last.words += gram.slice(-1);
      last.end += 1;
    } else told.push({ words: gram, ours: file, line, theirs: source, end: at + LONG });
  }
  return told;
};

/** How many rules, and how many quoted words, fired on exactly one row: a rule for one row is a row learnt by heart. */
export const firedOnce = (
  answered: readonly Answered[],
): { rules: { once: number; fired: number }; words: { once: number; fired: number } } => {
  const count = (namesOf: (one: Answered) => string[]) => {
    const rows = new Map<string, number>();
    for (const one of answered)
      for (const name of new Set(namesOf(one))) rows.set(name, (rows.get(name) ?? 0) + 1);
    return { once: [...rows.values()].filter((n) => n === 1).length, fired: rows.size };
  };
  return {
    rules: count(({ said }) => said.reasons.map(({ rule }) => rule)),
    words: count(({ row, said }) =>
      said.reasons.flatMap(({ rule, span }) => (span ? [`${rule}: ${row.text.slice(...span)}`] : [])),
    ),
  };
};
