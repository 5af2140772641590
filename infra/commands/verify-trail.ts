import { readFileSync, writeFileSync } from 'node:fs';
import { ownerOf } from '#shared/ports/store.ts';
import { main, text, type Call, type Command } from './command.ts';
import { readHeads } from './heads-export.ts';
import { Refused, WrongInput } from './refused.ts';
import { copyOf, faultsAgainst, faultsOf, readCopy, trailOf, type Trail } from './trail-copy.ts';

/** A read of many items is not one instant: a commit in its middle looks like a fault, but not three times. */
const READS = 3;

const read = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw new WrongInput(`The file ${file} cannot be read.`);
  }
};

const fromTable = async (call: Call, incidentId: string): Promise<Trail> => {
  const installation = await call.connect({ stack: text(call, 'stack'), data: text(call, 'data') });
  try {
    for (let attempt = 1; ; attempt += 1) {
      // Straight from the table, not through the store: no key is needed, so a reader without the secret can check.
      const items = await installation.table.query({ pk: ownerOf(incidentId), consistent: true });
      const trail = trailOf(incidentId, items);
      if (!trail) throw new Refused(`${installation.name} has no incident ${incidentId}.`);
      if (attempt === READS || faultsOf(trail).length === 0) {
        const file = text(call, 'export');
        if (file !== undefined) {
          writeFileSync(file, copyOf(trail, await installation.now()), { mode: 0o600 });
          call.terminal.err(`The copy is in ${file}; --file checks it on any machine, without keys.`);
        }
        return trail;
      }
    }
  } finally {
    installation.close();
  }
};

/** `npm run verify-trail`: was anything in the trail of an incident changed, added or removed? */
export const verifyTrail: Command = {
  name: 'verify-trail',
  about: 'Checks that nothing in the trail of an incident was changed, added or removed.',
  usage: [
    '<incidentId> [--stack NAME | --data DIR] [--heads heads.jsonl] [--export copy.jsonl]',
    '--file copy.jsonl [--heads heads.jsonl]',
  ],
  more: [
    '--export writes a copy that others can check with --file: it needs no keys, and the words in it stay sealed.',
    "--heads compares with an earlier 'npm run heads': only that shows a trail that was written anew as a whole.",
    'Exit code 1: there are faults, each printed as a sentence.',
    '',
  ],
  options: { file: { type: 'string' }, export: { type: 'string' }, heads: { type: 'string' } },
  async run(call) {
    const [given, ...more] = call.positionals;
    const file = text(call, 'file');
    const id = given?.toUpperCase();
    if (more.length > 0) throw new WrongInput('One incident at a time, please.');
    if (id !== undefined && !/^[0-9A-HJKMNP-TV-Z]{26}$/.test(id))
      throw new WrongInput(
        `'${given}' is no incident id: those have 26 letters and digits, and stand in every list.`,
      );
    if (id === undefined && file === undefined) throw new WrongInput('Which incident is to be checked?');
    if (file !== undefined && text(call, 'export') !== undefined)
      throw new WrongInput('--export copies from a table; a file is a copy already.');
    const heads = text(call, 'heads') === undefined ? undefined : readHeads(read(text(call, 'heads') ?? ''));
    const trail = file === undefined ? await fromTable(call, id ?? '') : readCopy(read(file));
    if (id !== undefined && trail.incidentId !== id)
      throw new WrongInput(`${file} is the trail of ${trail.incidentId}, not of ${id}.`);
    const exported = heads?.heads.find(({ incidentId }) => incidentId === trail.incidentId);
    if (heads && !exported)
      throw new WrongInput(
        `The exported heads do not hold ${trail.incidentId}: take the day it was received.`,
      );
    const faults = [...faultsOf(trail), ...(exported ? faultsAgainst(trail, exported.chains) : [])];
    const { terminal } = call;
    for (const { chain, seq, sentence } of faults) terminal.out(`chain ${chain}, line ${seq}: ${sentence}`);
    const size = `${trail.lines.length} lines in ${Object.keys(trail.heads).length} chains`;
    if (faults.length > 0) {
      terminal.err(`The trail of ${trail.incidentId} (${size}) has ${faults.length} faults.`);
      return false;
    }
    terminal.out(
      `The trail of ${trail.incidentId} is whole: ${size}. The main chain ends with ${trail.heads['main']?.head}.`,
    );
    return true;
  },
};

if (import.meta.main) await main(verifyTrail);
