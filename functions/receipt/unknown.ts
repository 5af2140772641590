import type { Clock } from '#shared/ports/clock.ts';
import type { Log } from '#shared/ports/log.ts';

/** Counts a receipt that concerns nothing of ours, or cannot be read. `facts`: of the latest one; never what the body said. */
export type CountUnknown = (facts: Record<string, string>) => void;

const MINUTE_MS = 60_000;
/** So many of a minute are told one by one; of more only each doubling, with the number of all since the last line. */
const SINGLY = 10;

/**
 * Tells of unknown receipts in one line each, and of a flood of them in a few: whoever has the address could fill the log otherwise.
 * What a flood leaves untold is told with the first of a later minute.
 */
export const countUnknown = ({ log, clock }: { log: Log; clock: Clock }): CountUnknown => {
  let minute = 0;
  let seen = 0;
  let told = 0;
  let next = 1;
  return (facts) => {
    const now = Math.floor(clock.now().getTime() / MINUTE_MS);
    if (now !== minute) {
      minute = now;
      // The rest of the minute before goes with this one.
      told -= seen;
      seen = 0;
      next = 1;
    }
    seen += 1;
    if (seen < next) return;
    next = seen < SINGLY ? seen + 1 : seen * 2;
    log.count('ReceiptUnknown', seen - told, facts);
    told = seen;
  };
};
