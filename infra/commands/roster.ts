import { readFileSync } from 'node:fs';
import { parseRoster } from '#shared/adapters/roster-csv.ts';
import { tableMemos } from '#shared/adapters/memos.ts';
import { givenSecrets } from '#shared/adapters/secrets.ts';
import { tableStore } from '#shared/adapters/store.ts';
import { listDistricts, loadDistrict } from '#shared/districts/load.ts';
import { OVER, assignees } from '#shared/domain/incident.ts';
import { TEXTLESS, textlessSchema } from '#shared/domain/reply.ts';
import type { Member } from '#shared/domain/roster.ts';
import type { RosterReading } from '#shared/domain/roster-file.ts';
import type { Store } from '#shared/ports/store.ts';
import { consent, main, text, type Call, type Command } from './command.ts';
import { readSecretText, type Installation } from './installation.ts';
import { Refused, WrongInput } from './refused.ts';
import { differenceLines, differenceOf, memberLine } from './roster-difference.ts';

/** Enough to know whether a person is still needed somewhere. */
const LOOK_BACK = 50;

/** The roster is not sealed, so that it can be kept by somebody who may not read the district's secret. */
const storeOf = ({ table, name }: Installation): Store => {
  const none = async (): Promise<never> => {
    throw new Error(`The roster of ${name} needs no secret.`);
  };
  return tableStore(table, { district: none, vault: none });
};

const decode = (file: string): string => {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch {
    throw new WrongInput(`The file ${file} cannot be read.`);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    // What Excel writes on a Chinese Windows unless told otherwise.
    throw new WrongInput(
      `${file} is not UTF-8. In Excel choose "CSV UTF-8" when saving (另存为 → CSV UTF-8).`,
    );
  }
};

/** Reads a file against a district and says all that is wrong with it. @throws Refused when anything is. */
const readFile = (call: Call, file: string, district: string): Member[] => {
  const reading: RosterReading = parseRoster(decode(file), loadDistrict(district));
  for (const problem of reading.problems) call.terminal.out(problem);
  if (reading.problems.length > 0)
    throw new Refused(`${file}: ${reading.problems.length} problems, nothing was loaded.`);
  for (const warning of reading.warnings) call.terminal.err(`注意：${warning}`);
  if (reading.members.length === 0) throw new Refused(`${file} holds nobody; a district needs people.`);
  return reading.members;
};

const stillNeeded = async (store: Store, gone: readonly Member[], now: number): Promise<string[]> => {
  const sentences: string[] = [];
  for (const { id, name } of gone) {
    const { items } = await store.list({ now, member: id, limit: LOOK_BACK });
    const open = items.filter((incident) => !OVER.has(incident.state) && assignees(incident).includes(id));
    if (open.length > 0)
      sentences.push(
        `${id} ${name} is still asked in ${open.length} open incidents (${open[0]?.id} …): reassign them.`,
      );
  }
  return sentences;
};

/** Says who is reached by no text because he has answered STOP, and how he undoes it: a squad may rely on his number. */
const tellTextless = async (
  { terminal }: Call,
  installation: Installation,
  members: readonly Member[],
): Promise<void> => {
  const { table, name } = installation;
  const memo = await tableMemos(table).read(TEXTLESS, (await installation.now()).getTime());
  const hashes = new Set(memo ? textlessSchema.parse(memo.value) : []);
  if (hashes.size === 0) return;
  const stored = await installation.secret.read().catch(() => undefined);
  const { secret } = readSecretText(stored?.text);
  if (!secret)
    return terminal.err(`Some want no texts; who, only somebody can see who may read the secret of ${name}.`);
  const vault = await givenSecrets(secret).vault();
  for (const { id, name: person, phone } of members)
    if (hashes.has(vault.hash('phone', phone)))
      terminal.err(`注意：${id} ${person}已退订短信，短信通知不到；本人回复“恢复”即可重新接收`);
};

const compare = async (call: Call, installation: Installation, file: string) => {
  const { terminal } = call;
  const members = readFile(call, file, installation.district);
  const store = storeOf(installation);
  const difference = differenceOf(await store.roster(), members);
  const now = await installation.now();
  for (const line of differenceLines(difference)) terminal.out(line);
  for (const sentence of await stillNeeded(store, difference.removed, now.getTime())) terminal.err(sentence);
  await tellTextless(call, installation, members);
  const { added, removed, changed } = difference;
  const summary = `${added.length} added, ${removed.length} removed, ${changed.length} changed; ${members.length} people then.`;
  terminal.out(summary);
  return { members, store, now, changes: added.length + removed.length + changed.length };
};

const offline = (call: Call, file: string, district: string): void => {
  const known = listDistricts();
  if (!known.includes(district))
    throw new WrongInput(`There is no district '${district}'; known are ${known.join(', ')}.`);
  call.terminal.out(`${file}: ${readFile(call, file, district).length} people, no problems.`);
};

/** `npm run roster`: looks at a roster file, says what it would change, and loads it whole or not at all. */
export const roster: Command = {
  name: 'roster',
  about: 'Checks a roster file, shows what it changes, and loads it: all of it or nothing.',
  usage: [
    'check file.csv [--district ID | --stack NAME | --data DIR]',
    'load file.csv [--yes] [--stack NAME | --data DIR]',
    'show [--stack NAME | --data DIR]',
  ],
  more: [
    'Columns: id,name,phone,role,squad,team,shifts,grids,roads,lng,lat; lists are separated by ;. Every problem is told',
    'with its row. check --district needs no running system. The new roster holds from the next decision on.',
    '',
  ],
  options: { district: { type: 'string' }, yes: { type: 'boolean' } },
  async run(call) {
    const { terminal, positionals } = call;
    const [verb, file, ...more] = positionals;
    if (verb !== 'check' && verb !== 'load' && verb !== 'show')
      throw new WrongInput(`What is to be done: check, load or show${verb ? `, not '${verb}'` : ''}?`);
    if (more.length > 0 || (verb === 'show' && file !== undefined))
      throw new WrongInput(`'${positionals.at(-1)}' is one word too many.`);
    if (verb !== 'show' && file === undefined) throw new WrongInput('Which file?');
    const district = text(call, 'district');
    const where = { stack: text(call, 'stack'), data: text(call, 'data') };
    if (district !== undefined) {
      if (verb !== 'check' || where.stack !== undefined || where.data !== undefined)
        throw new WrongInput('--district is for checking a file without a running system.');
      return offline(call, file ?? '', district);
    }
    const installation = await call.connect(where);
    try {
      if (verb === 'show') {
        const members = await storeOf(installation).roster();
        for (const member of members) terminal.out(memberLine(member));
        await tellTextless(call, installation, members);
        terminal.err(`${members.length} people in ${installation.district}.`);
        return;
      }
      const { members, store, now, changes } = await compare(call, installation, file ?? '');
      if (verb === 'check') return;
      if (changes === 0) return terminal.out('Nothing to load: this roster is in force.');
      await consent(call, `Load this roster into ${installation.name}?`);
      await store.saveRoster(members, now.getTime());
      terminal.out('Loaded.');
    } finally {
      installation.close();
    }
  },
};

if (import.meta.main) await main(roster);
