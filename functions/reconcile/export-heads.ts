import { BEIJING_OFFSET, districtDay, minuteOfDay } from '#shared/domain/roster.ts';
import type { Clock } from '#shared/ports/clock.ts';
import type { Log } from '#shared/ports/log.ts';
import type { Store } from '#shared/ports/store.ts';

/** The export is tried in the first minutes of a Beijing day; whichever pass comes first does it. */
const WINDOW_MINUTES = 10;
const DAY_MS = 86_400_000;
/** A trail ends with the call-back, three days after the close: so long the month before is exported as well. */
const LAST_MONTH_DAYS = 4;
/** Heads in one log line; a line may hold 256 KB. */
const CHUNK = 100;

/**
 * Once a day, at midnight in Beijing, the ends of all trails go into the log, where nothing can be changed for 180 days:
 * whoever rewrites a trail as a whole in the table is found by comparing (rules §5). Ids and hashes only.
 * @returns how many trails; undefined when it is not the time, or was done already.
 */
export const exportHeads = async ({
  store,
  clock,
  log,
}: {
  store: Pick<Store, 'heads' | 'tally'>;
  clock: Clock;
  log: Log;
}): Promise<number | undefined> => {
  const now = clock.now();
  if (minuteOfDay(now, BEIJING_OFFSET) >= WINDOW_MINUTES) return undefined;
  const day = districtDay(now.getTime());
  if ((await store.tally(`heads-${day}`, now.getTime() + 2 * DAY_MS)) !== 1) return undefined;
  const months = new Set(
    [now.getTime(), now.getTime() - LAST_MONTH_DAYS * DAY_MS].map((at) =>
      new Date(at).toISOString().slice(0, 7),
    ),
  );
  const heads = (await Promise.all([...months].map((month) => store.heads(month)))).flat();
  for (let i = 0; i < heads.length; i += CHUNK)
    log.info('chain-heads', {
      day,
      heads: heads
        .slice(i, i + CHUNK)
        .map(({ incidentId, seq, head }) => `${incidentId} ${seq} ${head}`)
        .join('\n'),
    });
  log.info('chain-heads-done', { day, trails: heads.length });
  return heads.length;
};
