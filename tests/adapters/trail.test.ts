import * as fc from '../properties.ts';
import { describe, expect, test } from 'vitest';
import { chainLines, verifyChains, type ChainHead } from '#shared/adapters/trail-chain.ts';
import { aesVault } from '#shared/adapters/vault.ts';
import { LINE_KINDS, type Line, type StoredLine } from '#shared/domain/trail.ts';
import { KeyErased } from '#shared/ports/vault.ts';
import { SECRET, T0 } from './fixtures.ts';

const OWNER = 'INC#01JSAMPLE0000000000000000A';
const vault = aesVault(SECRET);

const line: fc.Arbitrary<Line> = fc.record(
  {
    at: fc.integer({ min: T0, max: T0 + 1_000_000 }),
    kind: fc.constantFrom(...LINE_KINDS),
    by: fc.constantFrom('system', '110', 'm-001', 'desk'),
    onBehalf: fc.constant('m-002'),
    rung: fc.constantFrom('accept', 'arrive', 'close'),
    whom: fc.constantFrom('m-003', 'm-004'),
    facts: fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.oneof(fc.integer(), fc.boolean(), fc.string())),
    text: fc.string(),
  },
  { requiredKeys: ['at', 'kind', 'by'] },
);

interface Trail {
  lines: StoredLine[];
  heads: Record<string, ChainHead>;
}

/** The chains of one incident, as commits and steps of delivery leave them. */
const trail: fc.Arbitrary<Trail> = fc
  .tuple(fc.array(line, { minLength: 2, maxLength: 6 }), fc.array(line, { minLength: 1, maxLength: 3 }))
  .map(([main, notice]) => {
    const start = { seq: 0, head: '' };
    // Two commits, the second on the head of the first.
    const first = chainLines(OWNER, 'main', start, main.slice(0, 1), vault);
    const second = chainLines(OWNER, 'main', first.head, main.slice(1), vault);
    const attempts = chainLines(OWNER, '00003.00', start, notice, vault);
    return {
      lines: [...first.stored, ...second.stored, ...attempts.stored],
      heads: { main: second.head, '00003.00': attempts.head, '00004.00': start },
    };
  });

/** One way of changing each field that a line has or may have. */
const CHANGES: { [F in keyof StoredLine]-?: (line: StoredLine) => Pick<StoredLine, F> } = {
  at: ({ at }) => ({ at: at + 1 }),
  kind: ({ kind }) => ({ kind: kind === 'asked' ? 'told' : 'asked' }),
  by: ({ by }) => ({ by: `${by}x` }),
  onBehalf: ({ onBehalf }) => ({ onBehalf: onBehalf === undefined ? 'm-009' : undefined }),
  rung: ({ rung }) => ({ rung: rung === 'accept' ? undefined : 'accept' }),
  whom: ({ whom }) => ({ whom: whom === undefined ? '' : undefined }),
  facts: ({ facts }) => ({ facts: facts === undefined ? {} : { ...facts, z: 1 } }),
  sealed: ({ sealed }) => ({ sealed: sealed === undefined ? 'k1.AAAA' : undefined }),
  chain: ({ chain }) => ({ chain: chain === 'main' ? '00003.00' : 'main' }),
  seq: ({ seq }) => ({ seq: seq + 1 }),
  prev: ({ prev }) => ({ prev: `${prev}0` }),
  hash: ({ hash }) => ({ hash: hash.replace(/^./, (c) => (c === '0' ? '1' : '0')) }),
};

const check = ({ lines, heads }: Trail, others: readonly StoredLine[] = lines) =>
  verifyChains(OWNER, others, heads);

describe('the trail', () => {
  test('is valid as written, in whatever order it is read, and from a copy in JSON', () => {
    fc.assert(
      fc.property(trail, (t) => {
        expect(check(t)).toEqual([]);
        const copy: StoredLine[] = JSON.parse(JSON.stringify(t.lines.toReversed()));
        expect(check(t, copy)).toEqual([]);
      }),
    );
  });

  test('tells of any single field of any line that was changed', () => {
    fc.assert(
      fc.property(trail, fc.nat(), fc.constantFrom(...Object.values(CHANGES)), (t, n, change) => {
        const at = n % t.lines.length;
        const lines = t.lines.map((one, i) => (i === at ? { ...one, ...change(one) } : one));
        expect(check(t, lines)).not.toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  test('tells of a line that was removed, doubled, appended by somebody, or put in the place of another', () => {
    fc.assert(
      fc.property(trail, fc.nat(), fc.nat(), line, (t, n, m, forged) => {
        const i = n % t.lines.length;
        const one = t.lines[i];
        const other = t.lines[m % t.lines.length];
        const head = one && t.heads[one.chain];
        if (!one || !other || !head) throw new Error('Every line is in a chain that has a head.');
        expect(check(t, t.lines.toSpliced(i, 1))).not.toEqual([]);
        expect(check(t, [...t.lines, one])).not.toEqual([]);
        // Rightly chained to the end, but the table does not know of it.
        const { stored } = chainLines(OWNER, one.chain, head, [forged], vault);
        expect(check(t, [...t.lines, ...stored])).not.toEqual([]);
        expect(
          check(t, [
            ...t.lines,
            ...chainLines(OWNER, 'forged', { seq: 0, head: '' }, [forged], vault).stored,
          ]),
        ).not.toEqual([]);
        if (one === other) return;
        const swapped = t.lines.map((each) =>
          each === one
            ? { ...other, chain: one.chain, seq: one.seq }
            : each === other
              ? { ...one, chain: other.chain, seq: other.seq }
              : each,
        );
        expect(check(t, swapped)).not.toEqual([]);
        // A chain that is gone altogether.
        expect(
          check(
            t,
            t.lines.filter((each) => each.chain !== one.chain),
          ),
        ).not.toEqual([]);
      }),
    );
  });

  test("is an incident's own: on another it is valid for nobody", () => {
    fc.assert(
      fc.property(trail, (t) => {
        expect(verifyChains('INC#01JSAMPLE0000000000000000B', t.lines, t.heads)).not.toEqual([]);
      }),
      { numRuns: 20 },
    );
  });
});

describe('the vault', () => {
  test('what it sealed opens in its own place only, unchanged only, and never looks alike twice', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string(), fc.string(), fc.nat(), (words, here, there, n) => {
        const sealed = vault.seal(words, here);
        expect(vault.open(sealed, here)).toEqual(JSON.parse(JSON.stringify(words)));
        expect(vault.seal(words, here)).not.toBe(sealed);
        if (there !== here) expect(() => vault.open(sealed, there)).toThrow();
        const bytes = Buffer.from(sealed.slice(3), 'base64');
        const i = n % bytes.length;
        bytes[i] = (bytes[i] ?? 0) ^ 1;
        expect(() => vault.open(`k1.${bytes.toString('base64')}`, here)).toThrow();
        const cut = bytes.subarray(0, n % bytes.length);
        expect(() => vault.open(`k1.${cut.toString('base64')}`, here)).toThrow();
      }),
    );
  });

  test('what it veiled only it can read; the same text is the same name, and nothing else is one of ours', () => {
    const other = aesVault({ ...SECRET, pepper: Buffer.alloc(32, 1).toString('base64') });
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), fc.string(), fc.nat(), (text, forged, n) => {
        const name = vault.veil(text);
        expect(name).toMatch(/^[\w-]+$/);
        expect([vault.veil(text), vault.unveil(name)]).toEqual([name, text.toWellFormed()]);
        expect([other.unveil(name), vault.unveil(forged)]).toEqual([undefined, undefined]);
        const bytes = Buffer.from(name, 'base64url');
        const i = n % bytes.length;
        bytes[i] = (bytes[i] ?? 0) ^ 1;
        expect(vault.unveil(bytes.toString('base64url'))).toBeUndefined();
      }),
    );
  });

  test('an erased key is told apart from a changed word', () => {
    const sealed = vault.seal('words', 'here');
    const { k1: _, ...keys } = SECRET.dataKeys.keys;
    const erased = aesVault({ ...SECRET, dataKeys: { current: 'k2', keys } });
    expect(() => erased.open(sealed, 'here')).toThrow(KeyErased);
    expect(() => vault.open(sealed, 'there')).not.toThrow(KeyErased);
  });

  test('hashes know a person again however he is written, and nobody without the pepper', () => {
    expect(vault.hash('address', '和睦路 987号')).toBe(vault.hash('address', '和睦路987号'));
    expect(vault.hash('phone', '１６６０００')).toBe(vault.hash('phone', '166000'));
    expect(vault.hash('phone', '166000')).not.toBe(vault.hash('address', '166000'));
    const other = aesVault({ ...SECRET, pepper: Buffer.alloc(32, 1).toString('base64') });
    expect(other.hash('phone', '166000')).not.toBe(vault.hash('phone', '166000'));
  });
});
