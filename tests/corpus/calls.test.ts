import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadDistrict } from '#shared/districts/load.ts';
import { classify } from '#shared/domain/classify.ts';
import { callSchema, callsOf, linesOf, seedsSchema } from '../../infra/commands/train/calls.ts';

const read = (name: string): string => readFileSync(join(import.meta.dirname, name), 'utf8');
const calls = read('calls.jsonl')
  .trimEnd()
  .split('\n')
  .map((line) => callSchema.parse(JSON.parse(line)));
const district = loadDistrict('xiaohe');

describe('our own calls', () => {
  test('are made from their seeds, byte for byte', () => {
    const seeds = seedsSchema.parse(JSON.parse(read('call-seeds.json')));
    expect(linesOf(callsOf(seeds)) === read('calls.jsonl')).toBe(true);
  });

  test('are thirty or more in each category, and no text stands twice', () => {
    const count = new Map<string, number>();
    for (const { category } of calls) count.set(category, (count.get(category) ?? 0) + 1);
    expect([...count.keys()].toSorted()).toEqual(district.categories.map(({ id }) => id).toSorted());
    expect([...count].filter(([, n]) => n < 30)).toEqual([]);
    expect(new Set(calls.map(({ text }) => text)).size).toBe(calls.length);
  });

  test('hold no number of a person and no open slot', () => {
    expect(calls.filter(({ text }) => /\d{5,}|[{}|]/u.test(text))).toEqual([]);
  });
});

describe('the rules on our own calls', () => {
  const seen = calls.map((call) => ({
    call,
    said: classify(district, { content: call.text, address: '' }).classification,
  }));
  const share = (rows: typeof seen, is: (row: (typeof seen)[number]) => boolean): number =>
    rows.filter(is).length / rows.length;

  test('police work never becomes a matter for civilians alone', () => {
    const missed = seen.filter(
      ({ call, said }) => call.disposition === 'police' && !['police', 'joint'].includes(said.disposition),
    );
    expect(missed.map(({ call }) => call.text)).toEqual([]);
  });

  // Floors a little below what was reached: a rule set that falls under one is not taken.
  test('category, urgency and risk stay as good as they were', () => {
    expect(share(seen, ({ call, said }) => call.category === said.category)).toBeGreaterThan(0.9);
    const urgent = seen.filter(({ call }) => call.urgency === 'P1');
    expect(share(urgent, ({ said }) => said.urgency === 'P1')).toBeGreaterThan(0.9);
    const ours = seen.filter(({ call }) => ['non-police', 'consult'].includes(call.disposition));
    expect(share(ours, ({ said }) => said.disposition === 'police')).toBeLessThan(0.02);
    expect(share(ours, ({ said }) => said.disposition === 'joint')).toBeLessThan(0.12);
    const risky = seen.filter(({ call }) => call.escalation_risk);
    expect(share(risky, ({ said }) => said.risk)).toBeGreaterThan(0.6);
  });
});
