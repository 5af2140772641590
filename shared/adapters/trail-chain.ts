import { createHash } from 'node:crypto';
import { canonical, type Line, type StoredLine } from '../domain/trail.ts';
import type { Vault } from '../ports/vault.ts';

/** Where a chain stands: how many lines it has and the hash of the last. */
export interface ChainHead {
  seq: number;
  head: string;
}

const hashOf = (owner: string, line: Omit<StoredLine, 'hash'>): string =>
  createHash('sha256').update(canonical(owner, line)).digest('hex');

/** What a line's words are sealed for: moved to another line they do not open. */
export const lineContext = (owner: string, chain: string, seq: number): string => `${owner}/${chain}/${seq}`;

/**
 * Chains lines to what is there. Words are sealed first and the hash covers the sealed form, so that a chain stays
 * valid when a data key is erased.
 */
export const chainLines = (
  owner: string,
  chain: string,
  from: ChainHead,
  lines: readonly Line[],
  vault: Vault,
): { stored: StoredLine[]; head: ChainHead } => {
  let head = from;
  const stored = lines.map(({ text, ...line }) => {
    const seq = head.seq + 1;
    const sealed = text === undefined ? {} : { sealed: vault.seal(text, lineContext(owner, chain, seq)) };
    const linked = { ...line, ...sealed, chain, seq, prev: head.head };
    const hash = hashOf(owner, linked);
    head = { seq, head: hash };
    return { ...linked, hash };
  });
  return { stored, head };
};

/** One thing wrong with a chain, as a sentence. */
export interface ChainFault {
  chain: string;
  seq: number;
  sentence: string;
}

/**
 * Checks all chains of one incident against themselves and against the heads that their rows hold.
 * Needs no key: a copy can be checked by 110 or an auditor.
 */
export const verifyChains = (
  owner: string,
  lines: readonly StoredLine[],
  heads: Readonly<Record<string, ChainHead>>,
): ChainFault[] => {
  const faults: ChainFault[] = [];
  const chains = new Map<string, StoredLine[]>();
  for (const line of lines) chains.set(line.chain, [...(chains.get(line.chain) ?? []), line]);
  for (const chain of new Set([...chains.keys(), ...Object.keys(heads)])) {
    const links = (chains.get(chain) ?? []).sort((a, b) => a.seq - b.seq);
    let prev = '';
    links.forEach((line, i) => {
      const { hash, ...rest } = line;
      if (line.seq !== i + 1)
        faults.push({
          chain,
          seq: line.seq,
          sentence: `line ${i + 1} is missing: line ${line.seq} follows line ${i}`,
        });
      if (line.prev !== prev)
        faults.push({
          chain,
          seq: line.seq,
          sentence: 'does not follow the line before it: one was changed, added or removed',
        });
      if (hashOf(owner, rest) !== hash)
        faults.push({ chain, seq: line.seq, sentence: 'its content does not give its hash: it was changed' });
      prev = hash;
    });
    const head = heads[chain];
    if (!head)
      faults.push({ chain, seq: 0, sentence: 'has lines, but nothing in the table knows of this chain' });
    else if (head.seq !== links.length || head.head !== prev)
      faults.push({
        chain,
        seq: links.length,
        sentence: `ends at line ${links.length}, but the table says ${head.seq}: lines at the end were changed, added or removed`,
      });
  }
  return faults;
};
