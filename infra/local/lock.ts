// One process per data directory. The lock is an SQLite lock, which the kernel releases when its holder dies, even by
// SIGKILL: there is no stale lock to recognise and no race between two takers, as there would be with a pid file.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** The data directory belongs to another running process. Its message names the process id. */
export class DataDirectoryInUse extends Error {
  override name = 'DataDirectoryInUse';
}

/**
 * Takes a data directory for this process, making it when needed.
 * @returns the way to give it back.
 * @throws DataDirectoryInUse when a living process holds it.
 */
export function lockDataDirectory(directory: string): () => void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const holder = join(directory, 'lock.pid');
  const database = new DatabaseSync(join(directory, 'lock.db'), { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (!(error instanceof Error && /locked|busy/i.test(error.message))) throw error;
    throw new DataDirectoryInUse(
      `The data directory ${directory} is in use by process ${readPid(holder)}. Stop that one first, or give this one its own with --data.`,
    );
  }
  writeFileSync(holder, `${process.pid}\n`);
  return () => {
    if (database.isOpen) database.close();
  };
}

function readPid(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return 'unknown';
  }
}
