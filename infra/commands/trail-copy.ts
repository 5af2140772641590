import * as z from 'zod';
import { verifyChains, type ChainFault, type ChainHead } from '#shared/adapters/trail-chain.ts';
import { storedLineSchema, type StoredLine } from '#shared/domain/trail.ts';
import { ownerOf } from '#shared/ports/store.ts';
import type { Item } from '#shared/ports/table.ts';
import { WrongInput } from './refused.ts';

const headSchema = z.object({ seq: z.int().nonnegative(), head: z.string() });
const rowSchema = z.object({ trail: headSchema });

/** All chains of one incident as they are kept, words sealed. `faults`: what could not even be read. */
export interface Trail {
  incidentId: string;
  lines: StoredLine[];
  heads: Record<string, ChainHead>;
  faults: ChainFault[];
}

const unreadable = (chain: string, seq: number, sentence: string): ChainFault => ({ chain, seq, sentence });

/**
 * The trail among the items of an incident's partition; undefined without an incident row. No key is needed: the
 * hashes cover the sealed words.
 */
export const trailOf = (incidentId: string, items: readonly Item[]): Trail | undefined => {
  const trail: Trail = { incidentId, lines: [], heads: {}, faults: [] };
  let found = false;
  for (const item of items) {
    const [kind, name = '', number = ''] = item.sk.split('#');
    if (kind === 'INCIDENT' || kind === 'NOTICE') {
      found ||= kind === 'INCIDENT';
      const chain = kind === 'INCIDENT' ? 'main' : name;
      const row = rowSchema.safeParse(item);
      if (row.success) trail.heads[chain] = row.data.trail;
      else trail.faults.push(unreadable(chain, 0, 'its row does not say where the chain ends'));
    }
    if (kind !== 'LINE') continue;
    const line = storedLineSchema.safeParse(item);
    const seq = Number(number);
    if (!line.success)
      trail.faults.push(
        unreadable(name, seq, `cannot be read: ${line.error.issues[0]?.path.join('.')} is not what we write`),
      );
    else if (line.data.chain !== name || line.data.seq !== seq)
      trail.faults.push(
        unreadable(
          name,
          seq,
          `says that it is line ${line.data.seq} of chain ${line.data.chain}: it was moved`,
        ),
      );
    else trail.lines.push(line.data);
  }
  return found ? trail : undefined;
};

/** Everything that is wrong with a trail, against itself and the heads that came with it. */
export const faultsOf = (trail: Trail): ChainFault[] => [
  ...trail.faults,
  ...verifyChains(ownerOf(trail.incidentId), trail.lines, trail.heads),
];

/**
 * What differs from heads that were exported earlier: a line that was the last one then must still have its hash.
 * Catches what a trail alone cannot show, that all of it was written anew.
 */
export const faultsAgainst = (trail: Trail, exported: Readonly<Record<string, ChainHead>>): ChainFault[] =>
  Object.entries(exported).flatMap(([chain, { seq, head }]) => {
    if (seq === 0) return [];
    const line = trail.lines.find((one) => one.chain === chain && one.seq === seq);
    if (!line) return [unreadable(chain, seq, 'is in the exported heads, but not here: lines were removed')];
    return line.hash === head
      ? []
      : [unreadable(chain, seq, 'has another hash than in the exported heads: the chain was written anew')];
  });

const copyHeadSchema = z.object({
  v: z.literal(1),
  incidentId: z.string().min(1),
  copiedAt: z.iso.datetime(),
  heads: z.record(z.string(), headSchema),
});

/** A copy as JSON lines: the heads, then each line as kept. Whoever has it can check it; nobody can read the words. */
export const copyOf = (trail: Trail, at: Date): string =>
  [
    { v: 1, incidentId: trail.incidentId, copiedAt: at.toISOString(), heads: trail.heads },
    ...trail.lines.toSorted((a, b) => (a.chain === b.chain ? a.seq - b.seq : a.chain < b.chain ? -1 : 1)),
  ]
    .map((line) => `${JSON.stringify(line)}\n`)
    .join('');

/** Reads a copy. @throws WrongInput when it is not one; lines that do not read are faults of the trail. */
export const readCopy = (text: string): Trail => {
  const values = text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line): unknown => {
      try {
        return JSON.parse(line);
      } catch {
        return undefined;
      }
    });
  const head = copyHeadSchema.safeParse(values[0]);
  if (!head.success)
    throw new WrongInput('This file is no copy of a trail: its first line does not name the incident.');
  const { incidentId, heads } = head.data;
  const trail: Trail = { incidentId, lines: [], heads, faults: [] };
  values.slice(1).forEach((value, i) => {
    const line = storedLineSchema.safeParse(value);
    if (line.success) trail.lines.push(line.data);
    else trail.faults.push(unreadable('?', 0, `row ${i + 2} of the file is not a line of a trail`));
  });
  return trail;
};
