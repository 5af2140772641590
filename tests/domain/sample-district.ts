import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseRoster } from '#shared/adapters/roster-csv.ts';
import { loadDistrict, sharedFiles } from '#shared/districts/load.ts';
import type { District, DistrictFiles } from '#shared/domain/district.ts';
import type { Member } from '#shared/domain/roster.ts';

/** Where the district files lie. */
export const DISTRICTS = join(import.meta.dirname, '../../shared/districts');

const read = (name: string): string => readFileSync(join(DISTRICTS, name), 'utf8');

/** The sample roster of a district as text. */
export const rosterText = (id: string): string => read(`${id}/roster.sample.csv`);

/** A district with its whole sample roster; fails when the roster has a problem. */
export const staffed = (id: string): { district: District; members: Member[] } => {
  const district = loadDistrict(id);
  const { members, problems } = parseRoster(rosterText(id), district);
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return { district, members };
};

/** A district's files as parsed JSON, fresh each time so that a test may break them. */
export const filesOf = (id: string): DistrictFiles => ({
  policy: JSON.parse(read(`${id}/policy.json`)),
  grids: JSON.parse(read(`${id}/grids.geojson`)),
  roads: JSON.parse(read(`${id}/roads.geojson`)),
  ...sharedFiles(),
});

/** The instant at which a shift begins, on a fixed day. */
export const startOf = (shift: { from: number }): Date => new Date(Date.UTC(2025, 11, 31, 16, shift.from));
