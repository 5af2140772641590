import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { buildApp } from '../../infra/app.ts';
import { assemble } from '../../infra/local/main.ts';
import { endFile } from './machine.ts';

const ROOT = join(import.meta.dirname, '../..');

/** Settings of a district's policy that a story needs otherwise than the sample districts have them. */
export interface Otherwise {
  district: string;
  policy: Record<string, unknown>;
}

/** The stacks of all districts as they are; files share the worker and so its assembly. */
let asTheyAre: Promise<string> | undefined;

/**
 * The stacks of all districts, synthesized once for all files. With `otherwise` that one district alone, deployed with a changed policy,
 * in the stack and beside every function.
 */
export const synthesize = async (
  otherwise?: Otherwise,
): Promise<{ assembly: string; remove: () => Promise<void> }> => {
  asTheyAre ??= assemble();
  const shared = await asTheyAre;
  if (!otherwise) return { assembly: shared, remove: () => endFile() };
  const folder = mkdtempSync(join(tmpdir(), 'xiaonao-assembly-'));
  const assembly = join(folder, 'out');
  // The rules about templates have tests of their own; here they would only cost seconds.
  buildApp({
    outdir: assembly,
    districts: [otherwise.district],
    checks: false,
    ...changed(folder, otherwise),
  }).synth();
  const remove = async (): Promise<void> => {
    await endFile(assembly);
    rmSync(folder, { recursive: true, force: true });
  };
  return { assembly, remove };
};

const policySchema = z.record(z.string(), z.unknown());

const changed = (folder: string, { district, policy }: Otherwise) => {
  const assets = join(folder, 'dist');
  const districtData = join(folder, 'districts');
  cpSync(join(ROOT, 'dist'), assets, { recursive: true });
  cpSync(join(ROOT, 'shared/districts'), districtData, { recursive: true });
  const verbs = readdirSync(assets, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  for (const root of [districtData, ...verbs.map(({ name }) => join(assets, name, 'districts'))]) {
    const file = join(root, district, 'policy.json');
    const before = policySchema.parse(JSON.parse(readFileSync(file, 'utf8')));
    writeFileSync(file, JSON.stringify({ ...before, ...policy }));
  }
  return { assets, districtData };
};
