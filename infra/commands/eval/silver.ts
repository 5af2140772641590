import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import type { Classifier, Prediction } from './prediction.ts';
import { shareOf, type Share } from './share.ts';

const silverSchema = z.object({ text: z.string(), labels: z.record(z.string(), z.unknown()).default({}) });
/** A text whose source says roughly what it is; nobody tunes by these rows. */
type Silver = z.infer<typeof silverSchema>;

/** What came of one silver set: `recall` of a danger that every text tells of, or `alarm` where hardly any does. */
export interface SilverMeasure {
  set: string;
  kind: 'recall' | 'alarm';
  police: Share;
  policeOrJoint: Share;
}

const VIOLENT =
  /故意杀人|故意伤害|抢劫|强奸|绑架|猥亵|聚众斗殴|寻衅滋事|非法拘禁|放火|爆炸|虐待|致人死亡|致人重伤/;
const THEFT = /盗窃(?!古)|抢夺/;
const charged =
  (which: RegExp) =>
  ({ labels: { charge } }: Silver) =>
    typeof charge === 'string' && which.test(charge);

const SETS: { set: string; file: string; kind: SilverMeasure['kind']; of: (row: Silver) => boolean }[] = [
  { set: 'violent charges', file: 'charge-facts.jsonl', kind: 'recall', of: charged(VIOLENT) },
  { set: 'theft charges', file: 'charge-facts.jsonl', kind: 'recall', of: charged(THEFT) },
  {
    set: 'fires in the news',
    file: 'accident-news.jsonl',
    kind: 'recall',
    of: (row) => row.labels['event'] === '火灾',
  },
  { set: 'statute questions', file: 'statute-questions.jsonl', kind: 'alarm', of: () => true },
  { set: 'citizen messages', file: 'citizen-messages-labelled.jsonl', kind: 'alarm', of: () => true },
];

const readSilver = (path: string): Silver[] =>
  existsSync(path)
    ? readFileSync(path, 'utf8')
        .split('\n')
        .filter((line) => line.trim() !== '')
        .map((line) => silverSchema.parse(JSON.parse(line)))
    : [];

/** Measures the silver sets of a data folder; sets whose file is not there are left out. Totals only, never texts. */
export const measureSilver = (data: string, classifier: Classifier): SilverMeasure[] =>
  SETS.flatMap(({ set, file, kind, of }) => {
    const said: Prediction[] = readSilver(join(data, file))
      .filter(of)
      .map(({ text }) => classifier(text));
    if (said.length === 0) return [];
    return [
      {
        set,
        kind,
        police: shareOf(said, ({ disposition }) => disposition === 'police'),
        policeOrJoint: shareOf(
          said,
          ({ disposition }) => disposition === 'police' || disposition === 'joint',
        ),
      },
    ];
  });
