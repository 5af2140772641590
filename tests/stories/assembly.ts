import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildApp } from '../../infra/app.ts';
import { bundle } from '../../infra/bundle.ts';

/** Synthesizes the stacks of all districts once for a test file; the bundles are shared by all files. */
export const synthesize = async (): Promise<{ assembly: string; remove: () => void }> => {
  await bundle();
  const assembly = mkdtempSync(join(tmpdir(), 'xiaonao-assembly-'));
  // The rules about templates have tests of their own; here they would only cost seconds.
  buildApp({ outdir: assembly, checks: false }).synth();
  return { assembly, remove: () => rmSync(assembly, { recursive: true, force: true }) };
};
