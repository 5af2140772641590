import { describe, expect, it } from 'vitest';
import { percentile, spreadOf } from '../../infra/commands/bench/figures.ts';
import { indexUnits, itemSize } from '../../infra/commands/bench/meter.ts';
import { dollarsFor, PAID, PRICES } from '../../infra/commands/bench/prices.ts';

describe('the meter counts as the manual of DynamoDB does', () => {
  it('sizes an item by names and values, in UTF-8', () => {
    expect(itemSize(undefined)).toBe(0);
    expect(itemSize({ pk: { S: 'INC#1' }, 名: { S: '河' } })).toBe(2 + 5 + 3 + 3);
    // A number: a byte for two digits, and one more. A list or map: three bytes, and one for each element.
    expect(itemSize({ n: { N: '1234' } })).toBe(1 + 3);
    expect(itemSize({ l: { L: [{ BOOL: true }, { S: 'ab' }] } })).toBe(1 + 3 + (1 + 1) + (1 + 2));
    expect(itemSize({ m: { M: { k: { S: 'v' } } } })).toBe(1 + 3 + (1 + 1 + 1));
  });

  it('bills an index only for what changes in it', () => {
    const keys = ['pk', 'sk'];
    const index = { keys: ['owedPk', 'owedAt'] };
    const bare = { pk: { S: 'INC#1' }, sk: { S: 'INCIDENT' }, state: { S: 'received' } };
    const owed = { ...bare, owedPk: { S: 'OWED#1' }, owedAt: { S: '0001' } };
    expect(indexUnits(undefined, bare, keys, index)).toBe(0);
    expect(indexUnits(bare, owed, keys, index)).toBe(1);
    expect(indexUnits(owed, { ...owed, state: { S: 'asking' } }, keys, index)).toBe(0);
    expect(indexUnits(owed, { ...owed, owedAt: { S: '0002' } }, keys, index)).toBe(2);
    expect(indexUnits(owed, bare, keys, index)).toBe(1);
  });
});

describe('figures', () => {
  it('percentiles are values that occurred', () => {
    const hundred = Array.from({ length: 100 }, (_, i) => i + 1);
    expect(spreadOf(hundred)).toEqual({ n: 100, p50: 50, p99: 99, max: 100 });
    expect(percentile([7], 99)).toBe(7);
    expect(percentile([], 50)).toBeNaN();
  });

  it('every price says where it is from and when it was read', () => {
    for (const what of PAID) expect(PRICES[what]).toMatchObject({ source: /\./, read: /^20\d\d-\d\d/ });
    expect(dollarsFor('transitions', 1000 * 10)).toBeCloseTo(0.25);
  });
});
