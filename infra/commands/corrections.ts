import { writeFileSync } from 'node:fs';
import { givenSecrets } from '#shared/adapters/secrets.ts';
import { tableStore } from '#shared/adapters/store.ts';
import { patternsOf, type Correction, type Pattern } from '#shared/domain/correction.ts';
import { main, text, type Command } from './command.ts';
import { completeSecret } from './installation.ts';
import { WrongInput } from './refused.ts';

/** So many months are read unless `--months` says otherwise. */
const MONTHS = 6;
/** Masked texts per pattern in the export. */
const TEXTS = 20;

const monthsUntil = (now: Date, n: number): string[] =>
  Array.from({ length: n }, (_, i) =>
    new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - i, 1)).toISOString().slice(0, 7),
  ).toReversed();

const exported = ({ was, is, word, corrections, people }: Pattern): object => ({
  was,
  is,
  word,
  count: corrections.length,
  // How many, not who: training needs no names.
  people: people.length,
  examples: corrections
    .slice(0, TEXTS)
    .map(({ text: masked, why, is: judged }) => ({ text: masked, why, ...judged })),
});

/** `npm run corrections`: what the desk corrected, as far as two people agree on it. */
export const corrections: Command = {
  name: 'corrections',
  about: 'Exports what people corrected, for training: only patterns on which two different people agree.',
  usage: ['--out corrections.jsonl [--months 6] [--stack NAME | --data DIR]'],
  more: [
    'Two corrections share a pattern when they change the same category and disposition into the same others, by one same',
    "word: one that the machine had decided by, or a keyword of the new category. 'desk', the shared sign-in, is nobody: it",
    'never makes a second person. Everything else is only counted. Texts and reasons are masked; treat the file as confidential all the same.',
    '',
  ],
  options: { out: { type: 'string' }, months: { type: 'string' } },
  async run(call) {
    const out = text(call, 'out');
    if (out === undefined) throw new WrongInput('--out says which file to write.');
    const months = Number(text(call, 'months') ?? MONTHS);
    if (!Number.isInteger(months) || months < 1 || months > 60)
      throw new WrongInput('--months takes a whole number from 1 to 60.');
    const installation = await call.connect({ stack: text(call, 'stack'), data: text(call, 'data') });
    try {
      const store = tableStore(installation.table, givenSecrets(await completeSecret(installation)));
      const found: Correction[] = [];
      for (const month of monthsUntil(await installation.now(), months))
        found.push(...(await store.corrections(month)));
      const { agreed, lone } = patternsOf(found);
      writeFileSync(out, agreed.map((pattern) => `${JSON.stringify(exported(pattern))}\n`).join(''), {
        mode: 0o600,
      });
      call.terminal.out(
        `${found.length} corrections. ${agreed.length} patterns on which two people agree, written to ${out}; ${lone.corrections} corrections on which nobody agrees yet, not written.`,
      );
    } finally {
      installation.close();
    }
  },
};

if (import.meta.main) await main(corrections);
