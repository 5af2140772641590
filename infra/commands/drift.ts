import { givenSecrets } from '#shared/adapters/secrets.ts';
import { tableStore } from '#shared/adapters/store.ts';
import { driftOf, lastWeek, weekOf, weeksBefore, type Drift } from '#shared/domain/drift.ts';
import { main, text, type Command } from './command.ts';
import { inWords, share } from './eval/share.ts';
import { completeSecret } from './installation.ts';
import { receivedWithin } from './received.ts';
import { WrongInput } from './refused.ts';

const percent = (x: number): string => `${Math.round(x * 100)} %`;

const linesOf = (district: string, week: string, drift: Drift): string[] => {
  const words = ({ k, n }: { k: number; n: number }): string => inWords(share(k, n));
  return [
    `${district}, ${week}: ${drift.incidents} incidents classified, ${drift.before} in the four weeks before`,
    `waited for the desk (triage)      ${words(drift.triage)}`,
    `  of these decided by the desk    ${words(drift.byDesk)}`,
    `corrected by people               ${words(drift.corrected)}`,
    `danger signs seen by the guard    ${words(drift.guard)}`,
    `danger found by people afterwards ${words(drift.dangerFound)}${drift.alarm ? '   ALARM' : ''}`,
    `shift of categories               ${drift.shift === null ? 'nothing to compare' : percent(drift.shift)}`,
    ...drift.moved.map((one) => `  ${one.category.padEnd(30)}  ${percent(one.before)} → ${percent(one.now)}`),
    `decided by                        ${drift.versions.join('; ') || '-'}`,
  ];
};

/** `npm run drift`: how classification did in a week, beside the four weeks before it. */
export const drift: Command = {
  name: 'drift',
  about:
    'Says how the classification of a week did: how much was unclear, corrected, dangerous, and how it shifted.',
  usage: ['[--week 2026-W47] [--json] [--stack NAME | --data DIR]'],
  more: [
    'The week is the one of receipt, in Beijing; default: the last one that is over. It fails (exit 1) when people found',
    'danger in one incident that the machine had called non-police or advice: read that incident, and add its',
    'phenomenon to the danger pairs.',
    '',
  ],
  options: { week: { type: 'string' }, json: { type: 'boolean' } },
  async run(call) {
    const wanted = text(call, 'week');
    if (wanted !== undefined && !weekOf(wanted))
      throw new WrongInput(`--week takes a week such as 2026-W47, not '${wanted}'.`);
    const installation = await call.connect({ stack: text(call, 'stack'), data: text(call, 'data') });
    try {
      const now = await installation.now();
      const week = wanted ?? lastWeek(now.getTime());
      const span = weekOf(week);
      if (!span || span.from > now.getTime()) throw new WrongInput(`The week ${week} has not begun yet.`);
      const store = tableStore(installation.table, givenSecrets(await completeSecret(installation)));
      const found = driftOf(
        await receivedWithin(store, span),
        await receivedWithin(store, weeksBefore(span)),
      );
      if (call.values['json'] === true)
        call.terminal.out(JSON.stringify({ v: 1, district: installation.district, week, ...found }));
      else for (const line of linesOf(installation.district, week, found)) call.terminal.out(line);
      return !found.alarm;
    } finally {
      installation.close();
    }
  },
};

if (import.meta.main) await main(drift);
