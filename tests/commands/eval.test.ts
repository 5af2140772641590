import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from '../properties.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { execute } from '../../infra/commands/command.ts';
import { evalCommand } from '../../infra/commands/eval.ts';
import { keywordVote } from '../../infra/commands/eval/keyword-vote.ts';
import { firedOnce, literalsIn } from '../../infra/commands/eval/literals.ts';
import { answer, measure, measureByStyle, missedDangers } from '../../infra/commands/eval/measure.ts';
import type { Classifier, Prediction } from '../../infra/commands/eval/prediction.ts';
import { bCubed } from '../../infra/commands/eval/repeat-groups.ts';
import { readRows, type Row } from '../../infra/commands/eval/rows.ts';
import { share } from '../../infra/commands/eval/share.ts';
import { sideOf } from '../../infra/commands/eval/split.ts';

const said = (more: Partial<Prediction> = {}): Prediction => ({
  category: 'other',
  disposition: 'non-police',
  urgency: 'P3',
  risk: false,
  triage: false,
  confidence: { category: 1, disposition: 1, p1: 0, risk: 0 },
  reasons: [],
  ...more,
});
const row = (more: Partial<Row> = {}): Row => ({
  id: 'sample',
  line: 1,
  text: '样例',
  disposition: 'non-police',
  category: 'other',
  alsoOk: [],
  urgency: 'P3',
  risk: false,
  style: 'call',
  ...more,
});

describe('shares', () => {
  it("has Wilson's interval, and no value when there was nothing to count", () => {
    expect(share(8, 10)).toEqual({ k: 8, n: 10, value: 0.8, low: 0.4902, high: 0.9433 });
    expect(share(0, 4)).toMatchObject({ value: 0, low: 0, high: 0.4899 });
    expect(share(4, 4)).toMatchObject({ value: 1, high: 1 });
    expect(share(0, 0)).toEqual({ k: 0, n: 0, value: null, low: null, high: null });
  });

  it('always holds its value', () => {
    fc.assert(
      fc.property(fc.nat(500), fc.integer({ min: 1, max: 500 }), (k, n) => {
        const { low, value, high } = share(Math.min(k, n), n);
        expect(low).toBeLessThanOrEqual(value ?? -1);
        expect(high).toBeGreaterThanOrEqual(value ?? 2);
      }),
    );
  });
});

describe('the split', () => {
  it('depends on the id alone, by the first eight hex digits of its SHA-256', () => {
    const ids = Array.from({ length: 500 }, (_, n) => `sample-${n}`);
    for (const id of ids) {
      const head = createHash('sha256').update(id).digest('hex').slice(0, 8);
      expect(sideOf(id)).toBe(Number(`0x${head}`) % 100 < 60 ? 'build' : 'sealed');
    }
    expect(ids.filter((id) => sideOf(id) === 'build').length).toBeGreaterThan(250);
  });
});

describe('measures', () => {
  const answers: Record<string, Prediction> = {
    // A police matter that nobody was sent to, a P1 that got a joint answer, a question that rang the alarm.
    missed: said(),
    fire: said({ category: 'fire_gas_emergency', disposition: 'joint', urgency: 'P1', triage: true }),
    question: said({ category: 'consult', disposition: 'police', urgency: 'P1', risk: true }),
    noise: said({ category: 'neighbor_dispute' }),
  };
  const byText: Classifier = (text) => answers[text] ?? said();
  const rows = [
    row({ text: 'missed', disposition: 'police', category: 'violent_crime', urgency: 'P2', risk: true }),
    row({ text: 'fire', disposition: 'joint', category: 'fire_gas_emergency', urgency: 'P1' }),
    row({ text: 'question', disposition: 'consult', category: 'consult', urgency: 'P4', style: 'question' }),
    row({ text: 'noise', category: 'noise_nuisance', alsoOk: ['neighbor_dispute'], risk: true }),
  ];

  it('counts what the issue names', () => {
    const answered = answer(rows, byText);
    expect(measure(answered)).toMatchObject({
      n: 4,
      category: { accuracy: { k: 2, n: 4 }, accuracyAlsoOk: { k: 3, n: 4 }, macroF1: null },
      disposition: { accuracy: { k: 2 }, confusion: { police: { 'non-police': 1 }, consult: { police: 1 } } },
      danger: { recall: { k: 1, n: 2 }, recallP1P2Police: { k: 0, n: 1 } },
      police: { recall: { k: 0, n: 1 } },
      p1: { recall: { k: 1, n: 1 }, precision: { k: 1, n: 2 } },
      falseAlarm: { police: { k: 1, n: 2 }, policeOrJoint: { k: 1, n: 2 } },
      urgency: { exact: { k: 2, n: 4 } },
      risk: { recall: { k: 0, n: 2 }, precision: { k: 0, n: 1 } },
      triage: { share: { k: 1, n: 4 } },
      // Category wrong once, disposition wrong twice, P1 denied once, risk denied twice; all with full confidence.
      brierParts: { category: 0.25, disposition: 0.5, p1: 0.25, risk: 0.5 },
      brier: 0.375,
    });
    expect(missedDangers(answered).map((one) => one.row.text)).toEqual(['missed']);
    const { byStyle } = measureByStyle(answered);
    expect(byStyle['question']).toMatchObject({ n: 1, falseAlarm: { police: { k: 1, n: 1 } } });
  });

  it('takes F1 over categories with five rows or more only', () => {
    const many = [
      ...Array.from({ length: 5 }, () => row({ text: 'noise', category: 'neighbor_dispute' })),
      row({ text: 'noise', category: 'consult' }),
    ];
    // Five of five found, six named: F1 = 2·5 / (5 + 6).
    expect(measure(answer(many, byText)).category).toMatchObject({ macroF1: 0.9091, macroF1Categories: 1 });
  });

  it('tells rules and words that fired on one row only', () => {
    const quoting: Classifier = (text) =>
      said({
        reasons: [
          { rule: 'keyword', sentence: '', span: [0, text.length] },
          { rule: 'code', sentence: '' },
        ],
      });
    const answered = answer([row({ text: '甲' }), row({ text: '甲' }), row({ text: '乙' })], quoting);
    expect(firedOnce(answered)).toEqual({ rules: { once: 0, fired: 2 }, words: { once: 1, fired: 2 } });
  });

  it('lets the first of equals win the naive vote, and other when nothing is found', () => {
    const category = (id: string, ...keywords: string[]) => ({
      id,
      keywords,
      disposition: 'joint' as const,
      urgency: 'P3',
    });
    const vote = keywordVote([category('a', '吵'), category('b', '漏水', '吵'), category('other')]);
    expect(['楼上吵', '漏水吵架', '您好'].map((text) => vote(text).category)).toEqual(['a', 'b', 'other']);
  });

  it('is B-cubed: two merged pairs are half pure, a split pair is half found', () => {
    const truth = new Map(['a', 'b', 'c', 'd'].map((id) => [id, id < 'c' ? 'x' : 'y']));
    const merged = new Map(['a', 'b', 'c', 'd'].map((id) => [id, 'one']));
    const split = new Map(['a', 'b', 'c', 'd'].map((id) => [id, id]));
    expect(bCubed(truth, merged)).toEqual({ rows: 4, precision: 0.5, recall: 1 });
    expect(bCubed(truth, split)).toEqual({ rows: 4, precision: 1, recall: 0.5 });
    expect(bCubed(truth, split, (id) => id === 'a').rows).toBe(1);
  });
});

describe('rows of a file', () => {
  it('names broken lines and unknown labels, and goes on', () => {
    const good = {
      text: '样例',
      disposition: 'joint',
      category: 'noise_nuisance',
      urgency: 'P3',
      escalation_risk: false,
    };
    const { rows, faults } = readRows(
      [
        JSON.stringify(good),
        '{broken',
        JSON.stringify({ ...good, text: 7 }),
        JSON.stringify({ ...good, urgency: 'P9' }),
        '',
        JSON.stringify({ ...good, category: 'dragons' }),
      ].join('\n'),
      new Set(['noise_nuisance']),
    );
    expect(rows.map(({ id, category, alsoOk, style }) => ({ id, category, alsoOk, style }))).toEqual([
      { id: 'line-1', category: 'noise_nuisance', alsoOk: [], style: 'unknown' },
      { id: 'line-6', category: 'dragons', alsoOk: [], style: 'unknown' },
    ]);
    expect(faults).toEqual([
      'Line 2 is not JSON.',
      'Line 3 is not a labelled text: text.',
      "Line 4 has an unknown urgency 'P9'; it is left out.",
      "Line 6 has an unknown category 'dragons'.",
    ]);
  });
});

describe('the command', () => {
  let folder: string;
  const run = async (...args: string[]) => {
    const [out, err]: string[][] = [[], []];
    const code = await execute(
      evalCommand({
        root: folder,
        corpus: join(folder, 'calls.jsonl'),
        sealedLog: join(folder, 'sealed-runs.jsonl'),
      }),
      args,
      {
        out: (line) => out?.push(line),
        err: (line) => err?.push(line),
        confirm: async () => undefined,
      },
      () => {
        throw new Error('eval asks no installation');
      },
    );
    return { code, out: (out ?? []).join('\n'), err: (err ?? []).join('\n') };
  };
  const labelled = (id: string, text: string, more = {}) =>
    JSON.stringify({
      id,
      text,
      disposition: 'non-police',
      category: 'noise_nuisance',
      urgency: 'P3',
      escalation_risk: false,
      style: 'letter',
      ...more,
    });
  const idOn = (side: 'build' | 'sealed') => {
    for (let n = 0; ; n += 1) if (sideOf(`sample-${n}`) === side) return `sample-${n}`;
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'xiaonao-eval-'));
    mkdirSync(join(folder, 'data'));
    writeFileSync(
      join(folder, 'data', 'gold-dev.jsonl'),
      [
        labelled(idOn('build'), '甲说的话', { disposition: 'police', category: 'fraud', urgency: 'P2' }),
        labelled(idOn('sealed'), '乙说的话', { disposition: 'police', category: 'fraud', urgency: 'P2' }),
      ].join('\n'),
    );
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const countsSchema = z.object({ n: z.number() });
  it('measures the build rows of the gold set and never shows a sealed one, by whatever option', async () => {
    copyFileSync(join(folder, 'data', 'gold-dev.jsonl'), join(folder, 'copy.jsonl'));
    for (const args of [
      ['--data', join(folder, 'data')],
      ['--data', join(folder, 'data'), '--file', join(folder, 'copy.jsonl')],
      ['--file', join(folder, 'data', 'gold-dev.jsonl')],
    ]) {
      const text = await run(...args);
      expect(text.code).toBe(0);
      expect(text.out + text.err).not.toContain('乙');
      expect(text.err).toContain('1 sealed rows were left out.');
      const json = await run(...args, '--json');
      expect(countsSchema.parse(JSON.parse(json.out))).toEqual({ n: 1 });
    }
  });

  it('gives every figure of the issue in JSON, over all and by style', async () => {
    writeFileSync(join(folder, 'any.jsonl'), `${labelled('x', '楼上装修太吵')}\nbroken`);
    const { code, out, err } = await run('--file', join(folder, 'any.jsonl'), '--json');
    expect({ code, err }).toEqual({ code: 0, err: 'Line 2 is not JSON.' });
    const shared = z.strictObject({
      k: z.int(),
      n: z.int(),
      value: z.number().nullable(),
      low: z.number().nullable(),
      high: z.number().nullable(),
    });
    const measures = z.object({
      n: z.literal(1),
      category: z.object({
        accuracy: shared,
        accuracyAlsoOk: shared,
        macroF1: z.number().nullable(),
      }),
      disposition: z.object({ confusion: z.record(z.string(), z.record(z.string(), z.int())) }),
      danger: z.object({ recall: shared }),
      police: z.object({ recall: shared }),
      p1: z.object({ recall: shared, precision: shared }),
      falseAlarm: z.object({ police: shared, policeOrJoint: shared }),
      urgency: z.object({ exact: shared }),
      risk: z.object({ recall: shared, precision: shared }),
      brier: z.number(),
      triage: z.object({ share: shared }),
      msPerText: z.object({ p50: z.number(), p99: z.number() }),
    });
    const report = measures.extend({ byStyle: z.strictObject({ letter: measures }), keywordVote: measures });
    expect(() => report.parse(JSON.parse(out))).not.toThrow();
  });

  it('looks at the sealed rows five times: totals only, each look logged; the sixth is refused', async () => {
    for (let look = 1; look <= 5; look += 1) {
      const { code, out, err } = await run('--data', join(folder, 'data'), '--sealed');
      expect({ code, err }).toEqual({ code: 0, err: `Sealed run ${look} of 5, logged.` });
      expect(out).toContain('sealed rows of gold-dev.jsonl: 1 texts');
      expect(out).not.toMatch(/MISSED|说的话/);
    }
    const sixth = await run('--data', join(folder, 'data'), '--sealed', '--json');
    expect(sixth.code).toBe(1);
    expect(sixth.err).toContain('5 times');
    const log = readFileSync(join(folder, 'sealed-runs.jsonl'), 'utf8').trim().split('\n');
    expect(log).toHaveLength(5);
    expect(JSON.parse(log[4] ?? '')).toMatchObject({
      run: 5,
      date: expect.stringMatching(/^\d{4}-/),
      commit: expect.any(String),
      figures: { ours: { n: 1 } },
    });
    expect(log.join('')).not.toContain('说的话');
  });

  it('prints a missed danger with its words', async () => {
    writeFileSync(
      join(folder, 'any.jsonl'),
      labelled('x', '公园里的花开得很好看', {
        disposition: 'police',
        category: 'violent_crime',
        urgency: 'P2',
      }),
    );
    const { out } = await run('--file', join(folder, 'any.jsonl'), '--json');
    const { missedDangers: missed, danger } = z
      .object({
        missedDangers: z.array(z.object({ id: z.string() })),
        danger: z.object({ recall: z.object({ k: z.int() }) }),
      })
      .parse(JSON.parse(out));
    const printed = (await run('--file', join(folder, 'any.jsonl'))).out;
    // Whether it is missed is the classifier's affair; that a miss is shown is ours.
    expect(missed).toHaveLength(1 - danger.recall.k);
    expect(printed.includes('公园里的花开得很好看')).toBe(danger.recall.k === 0);
  });

  it('lists words that a rule or a test shares with a data file, and fails', async () => {
    mkdirSync(join(folder, 'tests'));
    writeFileSync(
      join(folder, 'tests', 'a.ts'),
      "const x = '昨天夜里三点楼上还在唱歌';\nconst y = '没有人知道';\n",
    );
    writeFileSync(
      join(folder, 'data', 'b.jsonl'),
      JSON.stringify({ text: '昨天夜里三点楼上还在打牌，没有人知道' }),
    );
    const found = literalsIn(folder, join(folder, 'data'));
    expect(found).toMatchObject([
      { ours: 'tests/a.ts', line: 1, words: '昨天夜里三点楼上还在', theirs: 'b.jsonl' },
    ]);
    const { code, out } = await run('--data', join(folder, 'data'), '--literals');
    expect({ code, out }).toEqual({
      code: 1,
      out: 'tests/a.ts:1 “昨天夜里三点楼上还在” also stands in b.jsonl',
    });
  });

  it('says what to write when an option is missing', async () => {
    expect((await run('--sealed')).code).toBe(2);
    expect((await run('--repeats')).code).toBe(2);
    expect((await run('--file', join(folder, 'none.jsonl'))).code).toBe(1);
  });
});
