import { existsSync, readFileSync } from 'node:fs';
import * as z from 'zod';
import { listDistricts, loadDistrict } from '#shared/districts/load.ts';
import type { Classification, Reason } from '#shared/domain/classification.ts';
import { classify as decide } from '#shared/domain/classify.ts';
import type { District } from '#shared/domain/district.ts';
import { main, text, type Command, type Terminal } from './command.ts';
import { WrongInput } from './refused.ts';

const DISPOSITIONS = { police: '警务', joint: '联合', 'non-police': '非警务', consult: '咨询' } as const;
/** Width of the progress bar, in characters. */
const BAR = 30;

const percent = (share: number): string => `${String(Math.round(share * 100))} %`;

const nameOf = (district: District, id: string): string =>
  district.categories.find((c) => c.id === id)?.name ?? id;

/** A decision in the words of the duty room, with what speaks for it and against it. */
const explain = (district: District, c: Classification, reasons: readonly Reason[]): string[] => {
  const line = district.lines[c.line] ?? district.teams[c.line] ?? c.line;
  const evidence = (against: boolean): string[] =>
    reasons
      .filter((reason) => (reason.against === true) === against)
      .map(
        ({ rule, sentence, span }) =>
          `  ${against ? '－' : '＋'} ${sentence}  (${rule}${span ? ` ${String(span[0])}–${String(span[1])}` : ''})`,
      );
  return [
    `${DISPOSITIONS[c.disposition]} · ${nameOf(district, c.category)} · ${c.urgency}${c.risk ? ' · 民转刑风险' : ''}${c.sure ? '' : ' · 请值班员核对'}`,
    `条线：${line}${c.runnerUp === undefined ? '' : `；其次像：${nameOf(district, c.runnerUp)}`}`,
    `把握：类别 ${percent(c.confidence.category)}，处置 ${percent(c.confidence.disposition)}，P1 ${percent(c.confidence.p1)}，民转刑 ${percent(c.confidence.risk)}`,
    '依据：',
    ...evidence(false),
    ...evidence(true),
    `版本：规则 ${c.versions.rules}，词表 ${c.versions.lexicon}，模型 ${c.versions.model === 'none' ? '无' : c.versions.model}`,
  ];
};

const callSchema = z.object({
  text: z.string(),
  id: z.string().optional(),
  categoryCode: z.string().optional(),
});

type Read = { calls: z.output<typeof callSchema>[]; faults: string[] };

const readCalls = (content: string): Read => {
  const read: Read = { calls: [], faults: [] };
  for (const [index, line] of content.split('\n').entries()) {
    if (line.trim() === '') continue;
    try {
      read.calls.push(callSchema.parse(JSON.parse(line)));
    } catch {
      read.faults.push(`Line ${String(index + 1)} is not a call: it needs {"text": …}.`);
    }
  }
  return read;
};

/** How many of each, most first. */
const tally = (values: readonly string[]): [string, number][] => {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].toSorted((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
};

const progress = (terminal: Terminal, done: number, all: number): void => {
  const full = Math.round((done / all) * BAR);
  terminal.err(`[${'█'.repeat(full)}${'·'.repeat(BAR - full)}] ${String(done)}/${String(all)}`);
};

const classifyFile = (district: District, file: string, terminal: Terminal): boolean => {
  if (!existsSync(file)) throw new WrongInput(`The file ${file} cannot be read.`);
  const { calls, faults } = readCalls(readFileSync(file, 'utf8'));
  const seen: { classification: Classification; reasons: Reason[]; ms: number }[] = [];
  for (const [index, { text: content, categoryCode }] of calls.entries()) {
    const start = performance.now();
    const result = decide(district, {
      content,
      address: '',
      ...(categoryCode === undefined ? {} : { categoryCode }),
    });
    seen.push({ ...result, ms: performance.now() - start });
    // A bar of ten steps: one line each, because a file of calls is read in a second.
    if (Math.floor(((index + 1) * 10) / calls.length) > Math.floor((index * 10) / calls.length))
      progress(terminal, index + 1, calls.length);
  }
  const all = seen.map(({ classification }) => classification);
  const rows = (title: string, counts: [string, number][]): void => {
    terminal.out(`${title}：`);
    for (const [what, n] of counts)
      terminal.out(`  ${String(n).padStart(6)}  ${percent(n / all.length).padStart(6)}  ${what}`);
  };
  terminal.out(`共 ${String(all.length)} 条`);
  if (all.length > 0) {
    rows('处置', tally(all.map((c) => DISPOSITIONS[c.disposition])));
    rows('紧急程度', tally(all.map((c) => c.urgency)));
    rows('类别', tally(all.map((c) => nameOf(district, c.category))));
    rows('危险信号', tally(all.flatMap((c) => c.danger)));
    const unknown = tally(
      seen.flatMap(({ reasons }, i) =>
        reasons.some(({ rule }) => rule === 'code-unknown') ? [calls[i]?.categoryCode ?? ''] : [],
      ),
    );
    if (unknown.length > 0) rows('不在对照表中的代码', unknown);
    const times = seen.map(({ ms }) => ms).toSorted((a, b) => a - b);
    terminal.out(
      `请值班员核对 ${String(all.filter((c) => !c.sure).length)} 条，民转刑风险 ${String(all.filter((c) => c.risk).length)} 条；` +
        `每条 ${(times[Math.floor(times.length / 2)] ?? 0).toFixed(2)} ms（中位数）`,
    );
  }
  for (const fault of faults) terminal.err(fault);
  return faults.length === 0;
};

/** Explains what one call would become, or reports on a file of them. Reads no incident and changes nothing. */
export const classify: Command = {
  name: 'classify',
  about: 'Says what a call is and why: one text with its evidence, or a file of calls as a report.',
  usage: ["'楼上半夜装修' [--code CATEGORY] [--district ID]", '--file calls.jsonl [--district ID]'],
  more: ['A file has one {"text": …, "categoryCode": …} a line. Nothing is sent or kept.', ''],
  options: {
    file: { type: 'string' },
    code: { type: 'string' },
    district: { type: 'string' },
  },
  run(call) {
    const district = loadDistrict(text(call, 'district') ?? listDistricts()[0] ?? '');
    const file = text(call, 'file');
    if (file !== undefined) return Promise.resolve(classifyFile(district, file, call.terminal));
    const [content] = call.positionals;
    if (content === undefined)
      throw new WrongInput('What was told? Write it in quotation marks, or name a --file.');
    const code = text(call, 'code');
    const { classification, reasons } = decide(district, {
      content,
      address: '',
      ...(code === undefined ? {} : { categoryCode: code }),
    });
    for (const line of explain(district, classification, reasons)) call.terminal.out(line);
    return Promise.resolve();
  },
};

if (import.meta.main) await main(classify);
