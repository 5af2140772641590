import { tableMemos } from '#shared/adapters/memos.ts';
import { sqsQueues } from '#shared/adapters/queues.ts';
import { tableStore } from '#shared/adapters/store.ts';
import { loadDistrict } from '#shared/districts/load.ts';
import { beginDrill, drillIdAt, type DrillResult } from '#shared/domain/drill.ts';
import { drillResults, readDrill, startDrill } from '#shared/ports/drills.ts';
import { main, text, type Call, type Command } from './command.ts';
import type { Installation } from './installation.ts';
import { Refused, WrongInput } from './refused.ts';

const DEFAULT_WINDOW = 600;

/** Neither the roster nor a drill is sealed, so that a drill needs no secret. */
const bookOf = ({ table, name }: Installation) => {
  const none = async (): Promise<never> => {
    throw new Error(`A drill of ${name} needs no secret.`);
  };
  return { store: tableStore(table, { district: none, vault: none }), memos: tableMemos(table) };
};

const start = async (call: Call, installation: Installation): Promise<void> => {
  const given = text(call, 'window');
  const window = Number(given ?? DEFAULT_WINDOW);
  if (given !== undefined && (!/^\d{2,4}$/.test(given) || window < 60 || window > 3600))
    throw new WrongInput(`--window takes whole seconds from 60 to 3600, not '${given}'.`);
  const { store, memos } = bookOf(installation);
  const now = (await installation.now()).getTime();
  const before = await readDrill({ memos }, now);
  if (before && now < before.until)
    throw new Refused(`The drill ${before.id} is under way until ${new Date(before.until).toISOString()}.`);
  const { shifts } = loadDistrict(installation.district);
  const fresh = beginDrill(drillIdAt(now), await store.roster(), shifts, window, now);
  if (fresh.members.length === 0) throw new Refused('Nobody is on shift: there is nobody to try.');
  const { sqs, queues: urls } = installation;
  const queues = sqsQueues(sqs, { alerts: urls.alerts.work, chatter: urls.chatter.work });
  const drill = await startDrill({ store, memos, queues }, fresh, now);
  call.terminal.out(
    `${drill.id}: ${drill.members.length} people, until ${new Date(drill.until).toISOString()}`,
  );
};

const line = ({ member, result, over, seconds, channels }: DrillResult): string =>
  [
    member,
    over === undefined ? result : `${result} by ${over} after ${seconds} s`,
    channels.map(({ channel, vendor, state }) => `${channel} ${vendor} ${state}`).join(', ') || 'no channel',
  ].join('\t');

const result = async (call: Call, installation: Installation, id: string | undefined): Promise<boolean> => {
  const book = bookOf(installation);
  const now = (await installation.now()).getTime();
  const drill = await readDrill(book, now, id);
  if (!drill) throw new Refused(id ? `There is no drill ${id}.` : 'There was no drill yet.');
  const results = await drillResults(book, drill, now);
  for (const one of results) call.terminal.out(line(one));
  const count = (...what: DrillResult['result'][]): number =>
    results.filter((one) => what.includes(one.result)).length;
  call.terminal.err(
    `${drill.id}: ${count('answered')} of ${results.length} answered, ${count('read', 'delivered')} reached without an answer, ` +
      `${count('not-known')} not known, ${count('unreachable')} unreachable, ${count('not-sent')} not sent, ` +
      `${count('waiting')} still waited for.`,
  );
  return count('unreachable', 'not-sent') === 0;
};

/** `npm run drill`: tries out whom the district can reach (通讯演练). */
export const drillCommand: Command = {
  name: 'drill',
  about: 'Tries out whom the district can reach, and shows what came of it, person by person.',
  usage: [
    `start [--window ${DEFAULT_WINDOW}] [--stack NAME | --data DIR]`,
    'result [20260304T0900] [--stack NAME | --data DIR]',
  ],
  more: [
    'Everybody on shift gets a message and answers 1, or on his page. The policy of a district may hold a schedule:',
    '"drill": { "days": [1], "at": 540, "window": 600 } is Monday at nine. result fails when somebody was unreachable,',
    'or was not tried: in the quiet hours, or above the soft cap of the day, nothing of the kind is sent.',
    '',
  ],
  options: { window: { type: 'string' } },
  async run(call) {
    const [verb, id, ...more] = call.positionals;
    if ((verb !== 'start' && verb !== 'result') || more.length > 0 || (verb === 'start' && id !== undefined))
      throw new WrongInput(
        `What is to be done: start or result${verb ? `, not '${call.positionals.join(' ')}'` : ''}?`,
      );
    if (verb === 'result' && text(call, 'window') !== undefined)
      throw new WrongInput('--window means nothing to result.');
    const installation = await call.connect({ stack: text(call, 'stack'), data: text(call, 'data') });
    try {
      if (verb === 'result') return await result(call, installation, id);
      await start(call, installation);
      return true;
    } finally {
      installation.close();
    }
  },
};

if (import.meta.main) await main(drillCommand);
