import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import * as z from 'zod';
import { Refused } from '../refused.ts';

/** How often the sealed rows may be looked at: every look makes the figure a little less honest. */
export const SEALED_RUNS = 5;

const runSchema = z.object({ run: z.int(), date: z.string(), commit: z.string(), figures: z.unknown() });

/** How many sealed runs have been made. @throws Refused when the log is damaged: an unreadable log counts no runs. */
export const sealedRuns = (log: string): number => {
  if (!existsSync(log)) return 0;
  const lines = readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '');
  for (const [index, line] of lines.entries()) {
    let json: unknown;
    try {
      json = JSON.parse(line);
    } catch {
      json = undefined;
    }
    if (!runSchema.safeParse(json).success)
      throw new Refused(`Line ${index + 1} of the log of sealed runs is damaged; restore it from git first.`);
  }
  return lines.length;
};

/** @throws Refused when all runs are used up. Asked before anything is measured. */
export const mayRunSealed = (log: string): number => {
  const done = sealedRuns(log);
  if (done >= SEALED_RUNS)
    throw new Refused(
      `The sealed rows have been measured ${done} times; a ${done + 1}th look would turn them into build rows. The figures are in the log.`,
    );
  return done + 1;
};

/** The commit that is measured; `+` when files differ from it, `unknown` outside a repository. */
export const commitOf = (folder: string): string => {
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no', '--', 'shared', 'infra') !== '';
    return git('rev-parse', '--short=12', 'HEAD') + (changed ? '+' : '');
  } catch {
    return 'unknown';
  }
};

/** Writes a run into the log, with its figures. */
export const logSealedRun = (
  log: string,
  run: { run: number; date: string; commit: string; figures: unknown },
): void => appendFileSync(log, `${JSON.stringify(run)}\n`);
