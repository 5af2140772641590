// One process per data directory. The lock is an SQLite lock, which the kernel releases when its holder dies, even by
// SIGKILL: there is no stale lock to recognise and no race between two takers, as there would be with a pid file.
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** The data directory belongs to another running process. Its message names the process id. */
export class DataDirectoryInUse extends Error {
  override name = 'DataDirectoryInUse';
}

/** Nothing can be kept at this place: it is a file, or may not be written, or there can be no directory. */
export class DataDirectoryUnusable extends Error {
  override name = 'DataDirectoryUnusable';
}

/**
 * Takes a data directory for this process, making it when needed.
 * @returns the way to give it back.
 * @throws DataDirectoryInUse when a living process holds it, DataDirectoryUnusable when nothing can be kept there.
 */
export function lockDataDirectory(directory: string): () => void {
  const holder = join(directory, 'lock.pid');
  let database: DatabaseSync | undefined;
  try {
    makeDirectory(directory);
    database = new DatabaseSync(join(directory, 'lock.db'), { timeout: 0 });
    database.exec('BEGIN EXCLUSIVE');
    writeFileSync(holder, `${process.pid}\n`);
  } catch (error) {
    database?.close();
    const why = error instanceof Error ? error.message : String(error);
    if (/database is (locked|busy)/i.test(why)) {
      throw new DataDirectoryInUse(
        `The data directory ${directory} is in use by process ${readPid(holder)}. Stop that one first, or give this one its own with --data.`,
      );
    }
    throw new DataDirectoryUnusable(
      `Nothing can be kept in ${directory} (${why}). Name a directory that you may write to with --data.`,
    );
  }
  const held = database;
  return () => {
    if (held.isOpen) held.close();
  };
}

/** Not mkdir's own `recursive`: Node 24 tries for ever where the kernel denies that a parent exists, as in /proc. */
function makeDirectory(directory: string): void {
  const parent = dirname(directory);
  if (existsSync(directory)) {
    if (statSync(directory).isDirectory()) return;
    throw new Error('it is a file');
  }
  if (parent !== directory && !existsSync(parent)) makeDirectory(parent);
  mkdirSync(directory, { mode: 0o700 });
}

function readPid(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return 'unknown';
  }
}
