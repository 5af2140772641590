import { writeFileSync } from 'node:fs';
import { givenSecrets } from '#shared/adapters/secrets.ts';
import { tableStore } from '#shared/adapters/store.ts';
import { main, text, type Command } from './command.ts';
import { beijingDay, headsBetween, headsFile } from './heads-export.ts';
import { completeSecret } from './installation.ts';
import { WrongInput } from './refused.ts';

/** `npm run heads`: the ends of all chains of a day, with one digest that can be published. */
export const heads: Command = {
  name: 'heads',
  about: 'Exports where the trails of the incidents of a day end, with one digest over all of them.',
  usage: ['--day 2026-11-21 [--out heads.jsonl] [--stack NAME | --data DIR]'],
  more: [
    'The day is the one of receipt, in Beijing. Give the digest to somebody who cannot write into our table: from then',
    "on 'npm run verify-trail -- <incidentId> --heads heads.jsonl' shows any change of what had happened until now.",
    'A trail grows until its incident is finished: export the days of the last two weeks again.',
    '',
  ],
  options: { day: { type: 'string' }, out: { type: 'string' } },
  async run(call) {
    const day = text(call, 'day') ?? '';
    const span = beijingDay(day);
    if (!span) throw new WrongInput(`--day takes a date such as 2026-11-21, not '${day}'.`);
    const installation = await call.connect({ stack: text(call, 'stack'), data: text(call, 'data') });
    try {
      const exportedAt = await installation.now();
      if (exportedAt.getTime() < span.from) throw new WrongInput(`The day ${day} has not begun yet.`);
      const store = tableStore(installation.table, givenSecrets(await completeSecret(installation)));
      const found = await headsBetween(store, span);
      const { text: file, digest } = headsFile({ district: installation.district, day, exportedAt }, found);
      const out = text(call, 'out');
      if (out === undefined) call.terminal.out(file.trimEnd());
      else writeFileSync(out, file);
      call.terminal.err(`${found.length} incidents of ${day}. SHA-256 of the export: ${digest}`);
    } finally {
      installation.close();
    }
  },
};

if (import.meta.main) await main(heads);
