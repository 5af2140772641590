// A full disk is no reason to die: what cannot be written is refused or tried again, and said in one sentence.

/** SQLite's primary result codes for a file that cannot be written: READONLY, IOERR, FULL. */
const SQLITE_CODES = new Set([8, 10, 13]);
const SYSTEM_CODES = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EIO']);

/** Whether something failed because the disk takes no more, and not because of a defect. */
export function isDiskTrouble(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code: unknown = Reflect.get(error, 'code');
  const errcode: unknown = Reflect.get(error, 'errcode');
  if (code === 'ERR_SQLITE_ERROR') return typeof errcode === 'number' && SQLITE_CODES.has(errcode & 0xff);
  return typeof code === 'string' && SYSTEM_CODES.has(code);
}

/** Says when a trouble begins and when it is over, not at every try in between. */
export interface Trouble {
  failed(error: unknown): void;
  worked(): void;
}

/** @param what begins both sentences, such as `The log of intake`. */
export function troubleWith(what: string, log: (line: string) => void): Trouble {
  let told = false;
  return {
    failed(error) {
      if (told) return;
      told = true;
      log(`${what} cannot be written: ${error instanceof Error ? error.message : String(error)}.`);
    },
    worked() {
      if (told) log(`${what} can be written again.`);
      told = false;
    },
  };
}
