import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDistrict } from '#shared/domain/district.ts';
import type { District, SHARED_FILES } from '#shared/domain/district.ts';
import { openLearned, type Learned } from '#shared/domain/classify/learned.ts';
import { textsSchema, type Texts } from '#shared/domain/texts.ts';
import { vendorsSchema, type Vendors } from '#shared/domain/vendors.ts';

/** Where the district files lie: beside this file, or in a bundled function under its task root. */
export const defaultRoot = (): string => {
  const task = process.env['LAMBDA_TASK_ROOT'];
  return task ? join(task, 'districts') : import.meta.dirname;
};

/** One file as parsed JSON. @throws Error with its name. */
export const readJson = (root: string, name: string): unknown => {
  let text;
  try {
    text = readFileSync(join(root, name), 'utf8');
  } catch (cause) {
    throw new Error(`${name}: the file cannot be read`, { cause });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(
      `${name}: the file is not JSON (${cause instanceof Error ? cause.message : String(cause)})`,
      { cause },
    );
  }
};

/** Ids of all districts under a root, in alphabetical order. */
export const listDistricts = (root = defaultRoot()): string[] =>
  readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(root, entry.name, 'policy.json')))
    .map((entry) => entry.name)
    .sort();

/** The files that all districts share, as parsed JSON. @throws Error for the first that cannot be read. */
export const sharedFiles = (root = defaultRoot()): Record<(typeof SHARED_FILES)[number], unknown> => ({
  categories: readJson(root, 'categories.json'),
  danger: readJson(root, 'danger.json'),
  lexicon: readJson(root, 'lexicon.json'),
  rules: readJson(root, 'rules.json'),
  codes: readJson(root, 'codes.json'),
  calibration: readJson(root, 'calibration.json'),
});

/** What reading texts needs, by root: all districts of a process share it, and it is opened when it is first needed. */
const learned = new Map<string, Learned>();
const learnedFrom = (root: string) => (): Learned => {
  const known =
    learned.get(root) ??
    openLearned({ concepts: readJson(root, 'concepts.json'), model: readJson(root, 'model.json') });
  learned.set(root, known);
  return known;
};

/** Reads and parses one district; throws the sentence of `parseDistrict`, or one that lists the known districts. */
export const loadDistrict = (id: string, root = defaultRoot()): District => {
  const known = listDistricts(root);
  if (!known.includes(id)) throw new Error(`there is no district '${id}'; known are ${known.join(', ')}`);
  const district = parseDistrict(id, {
    policy: readJson(root, `${id}/policy.json`),
    grids: readJson(root, `${id}/grids.geojson`),
    roads: readJson(root, `${id}/roads.geojson`),
    ...sharedFiles(root),
  });
  return { ...district, learned: learnedFrom(root) };
};

/**
 * The texts of all notices; throws when one is too long or says what a vendor bars. A district with accounts of its own has its own
 * file `<district>/texts.json` with its signature and codes; the others share one.
 */
export const loadTexts = (root = defaultRoot(), district?: string): Texts => {
  const own = district === undefined ? undefined : `${district}/texts.json`;
  return textsSchema.parse(
    readJson(root, own !== undefined && existsSync(join(root, own)) ? own : 'texts.json'),
  );
};

/** What each vendor can do, may do and costs; the same for all districts. */
export const loadVendors = (root = defaultRoot()): Vendors =>
  vendorsSchema.parse(readJson(root, 'vendors.json'));
