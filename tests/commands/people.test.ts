import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tableMemos } from '#shared/adapters/memos.ts';
import { givenSecrets } from '#shared/adapters/secrets.ts';
import { verifyToken } from '#shared/adapters/tokens.ts';
import { TEXTLESS } from '#shared/domain/reply.ts';
import { roster } from '../../infra/commands/roster.ts';
import { token } from '../../infra/commands/token.ts';
import { rosterText, staffed } from '../domain/sample-district.ts';
import { keepIncident, openOffice, type Office } from './office.ts';

let folder: string;
let office: Office;
const { members } = staffed('xiaohe');
const [duty, street] = ['duty-1', 'street-1'];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'xiaonao-people-'));
  office = openOffice();
  await office.store.saveRoster(members, 1);
});
afterEach(() => rmSync(folder, { recursive: true }));

const file = (text: string | Uint8Array): string => {
  const path = join(folder, 'roster.csv');
  writeFileSync(path, text);
  return path;
};
const sample = rosterText('xiaohe');
const edited = (edit: (lines: string[]) => string[]): string => edit(sample.trimEnd().split('\n')).join('\n');

describe('roster', () => {
  it('tells all problems with their rows and loads nothing', async () => {
    const bad = edited((lines) =>
      lines.map((line, i) =>
        i === 2
          ? line.replace('19900000001', '12345')
          : i === 3
            ? line.replace(',early,', ',lunch,').replace(',late,', ',lunch,')
            : line,
      ),
    );
    for (const verb of ['check', 'load']) {
      const { code, out, err } = await office.run(roster, verb, file(bad), '--yes');
      expect(code).toBe(1);
      expect(out).toEqual([
        expect.stringMatching(/^第3行：电话/),
        expect.stringMatching(/^第4行：没有班次 lunch/),
      ]);
      expect(err).toEqual([expect.stringContaining('2 problems, nothing was loaded.')]);
    }
    expect(await office.store.roster()).toHaveLength(members.length);
  });

  it('says who wants no texts, to whoever may read the secret', async () => {
    const [one] = members;
    const hash = (await givenSecrets(office.secret()).vault()).hash('phone', one?.phone ?? '');
    await tableMemos(office.table).write(TEXTLESS, { version: 0, value: [hash] }, office.now.getTime());
    const said = `注意：${one?.id} ${one?.name}已退订短信，短信通知不到；本人回复“恢复”即可重新接收`;
    for (const args of [['show'], ['check', file(sample)]]) {
      const { code, err } = await office.run(roster, ...args);
      expect([code, err.filter((line) => line.includes('退订'))]).toEqual([0, [said]]);
    }
    office.secretText = undefined;
    expect((await office.run(roster, 'show')).err).toContain(
      'Some want no texts; who, only somebody can see who may read the secret of Xiaonao-xiaohe.',
    );
  });

  it('shows who comes, goes and changes, and loads it after a yes', async () => {
    const next = file(
      edited((lines) => [
        ...lines
          .filter((line) => !line.startsWith('leader-1,'))
          .map((line) => line.replace('19900000004', '16600009999')),
        'm-new,新来人,16600000001,member,patrol-1,patrol,,,,,',
      ]),
    );
    const { out } = await office.run(roster, 'check', next);
    expect(out).toEqual([
      expect.stringMatching(/^\+ m-new +member +新来人 {2}166\*\*\*\*0001/),
      expect.stringMatching(/^- leader-1 /),
      expect.stringMatching(/^~ street-1 +phone 199\*\*\*\*0004 → 166\*\*\*\*9999$/),
      `1 added, 1 removed, 1 changed; ${members.length} people then.`,
    ]);
    expect((await office.run(roster, 'load', next)).code).toBe(2); // nobody there to say yes
    office.answer = false;
    expect((await office.run(roster, 'load', next)).code).toBe(1);
    expect((await office.store.roster()).map(({ id }) => id)).toContain('leader-1');
    office.answer = true;
    expect((await office.run(roster, 'load', next)).code).toBe(0);
    const ids = (await office.store.roster()).map(({ id }) => id);
    expect(ids).toContain('m-new');
    expect(ids).not.toContain('leader-1');
    expect((await office.run(roster, 'load', next)).out.at(-1)).toBe(
      'Nothing to load: this roster is in force.',
    );
  });

  it('warns when somebody who leaves is still asked somewhere', async () => {
    const id = await keepIncident(office);
    const without = file(edited((lines) => lines.filter((line) => !line.startsWith('m-001,'))));
    const { err } = await office.run(roster, 'check', without);
    expect(err.join('\n')).toMatch(new RegExp(`m-001 .* is still asked in 1 open incidents \\(${id} …\\)`));
  });

  it('checks a file of a district without any running system', async () => {
    const { code, out } = await office.run(roster, 'check', file(sample), '--district', 'xiaohe');
    expect(code).toBe(0);
    expect(out.at(-1)).toMatch(new RegExp(`: ${members.length} people, no problems\\.$`));
  });

  it('says what to do with a file in the encoding of a Chinese Windows', async () => {
    const gbk = Uint8Array.from([...Buffer.from('id,name\nduty-1,'), 0xca, 0xa9, 0xc1, 0xd6, 0x0a]);
    const { code, err } = await office.run(roster, 'check', file(gbk));
    expect(code).toBe(2);
    expect(err[0]).toContain('CSV UTF-8');
  });

  it('shows everybody, with masked numbers', async () => {
    const { out, all } = await office.run(roster, 'show');
    expect(out).toHaveLength(members.length);
    expect(all).not.toMatch(/\d{11}/);
  });

  it.each([
    [['clear'], 'check, load or show'],
    [['load'], 'Which file?'],
    [['check', '/nowhere.csv'], 'cannot be read'],
    [['check', 'x.csv', '--district', 'nowhere'], "There is no district 'nowhere'"],
    [['load', 'x.csv', '--district', 'xiaohe'], '--district is for checking'],
  ])('answers %j with a sentence and exit code 2', async (args, sentence) => {
    const { code, err } = await office.run(roster, ...args);
    expect(code).toBe(2);
    expect(err[0]).toContain(sentence);
  });
});

describe('token', () => {
  const who = (text: string | undefined, at = office.now) =>
    verifyToken(office.secret(), text ?? '', 'xiaohe', { now: () => at });

  it.each([
    [['--member', 'm-001'], { kind: 'member', id: 'm-001' }],
    [['--member', street], { kind: 'member', id: street }],
    [['--member', duty], { kind: 'desk', id: duty }],
    [['--member', duty, '--role', 'member'], { kind: 'member', id: duty }],
    [['--role', 'desk'], { kind: 'desk', id: 'desk' }],
  ])('makes out %j', async (args, bearer) => {
    const { code, out } = await office.run(token, ...args);
    expect(code).toBe(0);
    expect(out).toHaveLength(1);
    expect(await who(out[0])).toEqual(bearer);
  });

  it('lives as long as asked, on the clock of the system', async () => {
    const { out, err } = await office.run(token, '--member', 'm-001', '--hours', '2');
    expect(err[0]).toContain('2026-11-21T06:00:00.000Z');
    expect(await who(out[0], new Date('2026-11-21T05:59:59Z'))).toMatchObject({ id: 'm-001' });
    expect(await who(out[0], new Date('2026-11-21T06:00:00Z'))).toBe('expired');
  });

  it('refuses strangers, and a desk token for whoever is not on duty', async () => {
    for (const [args, sentence] of [
      [['--member', 'nobody'], /^nobody is not on the roster/],
      [['--member', street, '--role', 'desk'], /^street-1 is street: only duty officers/],
    ] as const) {
      const { code, out, err } = await office.run(token, ...args);
      expect({ code, out }).toEqual({ code: 1, out: [] });
      expect(err[0]).toMatch(sentence);
    }
  });

  it.each(['0', '0.5', '72.1', '73', '-1', 'ten', ''])('refuses %j hours', async (hours) => {
    const { code } = await office.run(token, '--member', 'm-001', `--hours=${hours}`);
    expect(code).toBe(2);
  });

  it('asks for whom', async () => {
    expect((await office.run(token)).err[0]).toContain('For whom?');
    expect((await office.run(token, 'm-001')).code).toBe(2);
    expect((await office.run(token, '--member', 'm-001', '--role', 'boss')).code).toBe(2);
  });
});
