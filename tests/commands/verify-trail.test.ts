import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { chainLines } from '#shared/adapters/trail-chain.ts';
import { givenSecrets } from '#shared/adapters/secrets.ts';
import { ownerOf } from '#shared/ports/store.ts';
import type { Item } from '#shared/ports/table.ts';
import { heads } from '../../infra/commands/heads.ts';
import { beijingDay } from '../../infra/commands/heads-export.ts';
import { verifyTrail } from '../../infra/commands/verify-trail.ts';
import { incidentId, keepIncident, openOffice, type Office } from './office.ts';

let folder: string;
let office: Office;
let id: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'xiaonao-trail-'));
  office = openOffice();
  id = await keepIncident(office);
});
afterEach(() => rmSync(folder, { recursive: true }));

const line = async (chain: string, seq: number): Promise<Item> => {
  const item = await office.table.get({
    pk: ownerOf(id),
    sk: `LINE#${chain}#${String(seq).padStart(6, '0')}`,
  });
  if (!item) throw new Error(`there is no line ${seq} in ${chain}`);
  return item;
};

describe('verify-trail', () => {
  it('says that an untouched trail is whole, without the keys', async () => {
    office.secretText = undefined;
    const { code, out, err } = await office.run(verifyTrail, id.toLowerCase());
    expect({ code, err }).toEqual({ code: 0, err: [] });
    const head = (await office.store.load(id))?.incident.trail.head;
    expect(out).toEqual([
      `The trail of ${id} is whole: 5 lines in 2 chains. The main chain ends with ${head}.`,
    ]);
  });

  it.each<
    [
      string,
      (items: { first: Item; last: Item; attempt: Item }) => Parameters<Office['table']['write']>[0],
      RegExp,
    ]
  >([
    [
      'a changed fact',
      ({ first }) => [{ put: { ...first, by: 'desk' } }],
      /chain main, line 1: its content does not give its hash/,
    ],
    [
      'a removed end',
      ({ last }) => [{ delete: last }],
      /chain main, line 2: ends at line 2, but the table says 3/,
    ],
    [
      'a changed attempt',
      ({ attempt }) => [{ put: { ...attempt, at: 1 } }],
      /chain 00001\.00, line 1: its content/,
    ],
    [
      'a line of no kind of ours',
      ({ first }) => [{ put: { ...first, kind: 'paid' } }],
      /chain main, line 1: cannot be read: kind/,
    ],
    [
      'a line put elsewhere',
      ({ first, last }) => [{ put: { ...last, sk: first.sk } }],
      /chain main, line 1: says that it is line 3/,
    ],
  ])('finds %s', async (_, forge, sentence) => {
    await office.table.write(
      forge({
        first: await line('main', 1),
        last: await line('main', 3),
        attempt: await line('00001.00', 1),
      }),
    );
    const { code, out } = await office.run(verifyTrail, id);
    expect(code).toBe(1);
    expect(out.join('\n')).toMatch(sentence);
  });

  it('writes a copy that others can check offline, sealed, and that shows one changed letter', async () => {
    const file = join(folder, 'copy.jsonl');
    expect((await office.run(verifyTrail, id, '--export', file)).code).toBe(0);
    const copy = readFileSync(file, 'utf8');
    expect(copy).not.toContain('示例备注');
    const elsewhere = openOffice(null);
    expect((await elsewhere.run(verifyTrail, '--file', file)).code).toBe(0);
    writeFileSync(file, copy.replace('"whom":"m-001"', '"whom":"m-002"'));
    const { code, out } = await elsewhere.run(verifyTrail, '--file', file);
    expect(code).toBe(1);
    expect(out[0]).toMatch(/its content does not give its hash/);
  });

  it('sees a trail that was written anew as a whole only against exported heads', async () => {
    const file = join(folder, 'heads.jsonl');
    expect((await office.run(heads, '--day', '2026-11-21', '--out', file)).code).toBe(0);
    const { incident } = (await office.store.load(id)) ?? {};
    const forged = (await office.store.lines(id))
      .filter(({ stored }) => stored.chain === 'main')
      .map(({ stored: { at, kind, by }, text }) => ({
        at: at + 60_000,
        kind,
        by,
        ...(text ? { text } : {}),
      }));
    const vault = await givenSecrets(office.secret()).vault();
    const { stored, head } = chainLines(ownerOf(id), 'main', { seq: 0, head: '' }, forged, vault);
    await office.table.write([
      ...stored.map((one) => ({
        put: { ...one, pk: ownerOf(id), sk: `LINE#main#${String(one.seq).padStart(6, '0')}` },
      })),
      { patch: { pk: ownerOf(id), sk: 'INCIDENT' }, set: { trail: { ...head } } },
    ]);
    expect(incident?.trail.seq).toBe(head.seq);
    expect((await office.run(verifyTrail, id)).code).toBe(0);
    const { code, out } = await office.run(verifyTrail, id, '--heads', file);
    expect(code).toBe(1);
    expect(out).toEqual([
      'chain main, line 3: has another hash than in the exported heads: the chain was written anew',
    ]);
  });

  it('still accepts a trail that has grown since its head was exported', async () => {
    const file = join(folder, 'heads.jsonl');
    await office.run(heads, '--day', '2026-11-21', '--out', file);
    const { incident } = (await office.store.load(id)) ?? {};
    if (!incident) throw new Error('gone');
    await office.store.commit({
      incident: { ...incident, version: 2 },
      lines: [{ at: 1, kind: 'noted', by: 'desk' }],
      notices: [],
    });
    expect((await office.run(verifyTrail, id, '--heads', file)).code).toBe(0);
  });

  it.each([
    [[], 'Which incident is to be checked?'],
    [['110-7'], "'110-7' is no incident id"],
    [['--file', '/nowhere/x'], 'cannot be read'],
    [[incidentId(1), '--heads', '/nowhere/x'], 'cannot be read'],
  ])('answers %j with a sentence and exit code 2', async (args, sentence) => {
    const { code, err } = await office.run(verifyTrail, ...args);
    expect(code).toBe(2);
    expect(err[0]).toContain(sentence);
    expect(err[1]).toMatch(/^Write: {2}npm run verify-trail -- /);
  });

  it('says that there is no such incident', async () => {
    const { code, err } = await office.run(verifyTrail, incidentId(9));
    expect(code).toBe(1);
    expect(err).toEqual([`Xiaonao-xiaohe has no incident ${incidentId(9)}.`]);
  });
});

describe('heads', () => {
  it('holds the incidents received on that day in Beijing, and no others', async () => {
    const at = (iso: string) => Date.parse(iso);
    await keepIncident(office, 2, at('2026-11-20T15:59:59.999Z'));
    const first = await keepIncident(office, 3, at('2026-11-20T16:00:00Z'));
    const last = await keepIncident(office, 4, at('2026-11-21T15:59:59.999Z'));
    await keepIncident(office, 5, at('2026-11-21T16:00:00Z'));
    const { code, out } = await office.run(heads, '--day', '2026-11-21');
    expect(code).toBe(0);
    const lines = out
      .join('\n')
      .split('\n')
      .map((text) => z.record(z.string(), z.unknown()).parse(JSON.parse(text)));
    expect(lines.map((one) => one['incidentId']).filter(Boolean)).toEqual([first, id, last]);
    expect(lines[0]).toMatchObject({ v: 1, district: 'xiaohe', day: '2026-11-21', incidents: 3 });
    expect(Object.keys(lines[1]?.['chains'] ?? {})).toEqual(['main', '00001.00']);
    expect(lines.at(-1)).toEqual({ sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
  });

  it('follows all pages of a busy day', async () => {
    const { from, to } = beijingDay('2026-11-21') ?? { from: 0, to: 0 };
    for (let n = 100; n < 220; n += 1) await keepIncident(office, n, from + n);
    for (let n = 220; n < 230; n += 1) await keepIncident(office, n, to + n);
    const { err } = await office.run(heads, '--day', '2026-11-21', '--out', join(folder, 'heads.jsonl'));
    expect(err.at(-1)).toMatch(/^121 incidents of 2026-11-21\./);
  });

  it('refuses an export that somebody has changed', async () => {
    const file = join(folder, 'heads.jsonl');
    await office.run(heads, '--day', '2026-11-21', '--out', file);
    writeFileSync(file, readFileSync(file, 'utf8').replace('"seq":3', '"seq":2'));
    const { code, err } = await office.run(verifyTrail, id, '--heads', file);
    expect(code).toBe(2);
    expect(err[0]).toBe('The export of heads was changed: its lines do not give its digest.');
  });

  it.each(['2026-02-30', '21.11.2026', '2026-11-23', ''])('refuses the day %j', async (day) => {
    const { code } = await office.run(heads, '--day', day);
    expect(code).toBe(2);
  });
});
