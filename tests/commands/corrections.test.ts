import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Incident } from '#shared/domain/incident.ts';
import type { Correction } from '#shared/domain/correction.ts';
import { corrections } from '../../infra/commands/corrections.ts';
import { drift } from '../../infra/commands/drift.ts';
import { everyday } from '../domain/duty-room.ts';
import { keepIncident, openOffice, type Office } from './office.ts';

let office: Office;
let folder: string;
beforeEach(() => {
  office = openOffice();
  folder = mkdtempSync(join(tmpdir(), 'xiaonao-corrections-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Changes a kept incident, and keeps a correction of it. */
const keep = async (id: string, change: (incident: Incident) => void, by?: string): Promise<void> => {
  const { incident } = (await office.store.load(id)) ?? {};
  if (!incident) throw new Error('the incident was not kept');
  change(incident);
  const at = Date.parse('2026-11-20T02:00:00Z');
  const correction: Correction = {
    incidentId: id,
    at,
    stage: 'after',
    text: '楼上[姓名]半夜吵',
    was: { category: 'noise_nuisance', disposition: 'non-police', urgency: 'P3' },
    is: { category: 'neighbour_dispute', disposition: 'joint', urgency: 'P2' },
    by: by ?? '',
    why: '听录音',
    words: ['吵'],
  };
  await office.store.commit(
    { incident: { ...incident, version: incident.version + 1 }, lines: [], notices: [] },
    by === undefined ? {} : { correction },
  );
};

describe('corrections', () => {
  it('are exported when two different people agree; what one says alone is only counted', async () => {
    const file = join(folder, 'out.jsonl');
    await keep(await keepIncident(office, 1), () => {}, 'duty-1');
    await keep(await keepIncident(office, 2), () => {}, 'duty-1');
    const alone = await office.run(corrections, '--out', file);
    expect(alone).toMatchObject({ code: 0, out: [expect.stringContaining('2 corrections. 0 patterns')] });
    expect(readFileSync(file, 'utf8')).toBe('');
    await keep(await keepIncident(office, 3), () => {}, 'duty-2');
    expect((await office.run(corrections, '--out', file)).out[0]).toContain('3 corrections. 1 patterns');
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ word: '吵', count: 3, people: 2 });
    expect(lines[0]).not.toMatch(/duty|19900000001|示例/u);
    expect(statSync(file).mode & 0o077).toBe(0);
  });

  it('without --out writes nothing', async () => {
    expect((await office.run(corrections)).code).toBe(2);
    expect((await office.run(corrections, '--out', join(folder, 'x'), '--months', '0')).code).toBe(2);
  });
});

describe('drift', () => {
  it('compares the last week that is over with the four before it, and fails at one danger found', async () => {
    const within = Date.parse('2026-11-12T02:00:00Z');
    for (const [n, at] of [
      [1, within],
      [2, within],
      [3, within - 8 * 86_400_000],
      [4, Date.parse('2026-11-20T02:00:00Z')],
    ] as const)
      await keep(await keepIncident(office, n, at), (incident) => {
        incident.classification = { ...everyday, category: n === 1 ? 'noise_nuisance' : 'daily_help' };
      });
    const quiet = await office.run(drift, '--json');
    expect(quiet.code).toBe(0);
    expect(JSON.parse(quiet.out[0] ?? '')).toMatchObject({
      week: '2026-W46',
      incidents: 2,
      before: 1,
      shift: 0.5,
      alarm: false,
    });
    await keep('01TEST00000000000000000001', (incident) => {
      incident.dangerFoundAt = within;
    });
    const loud = await office.run(drift, '--week', '2026-W46');
    expect(loud.code).toBe(1);
    expect(loud.out.join('\n')).toContain('1/2 = 50 % (9–91)   ALARM');
  });

  it('says what is wrong with a week', async () => {
    for (const week of ['2026-W54', 'monday', '2027-W01'])
      expect((await office.run(drift, '--week', week)).code).toBe(2);
  });
});
