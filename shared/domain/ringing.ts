import type { Change } from './draft.ts';
import type { Incident } from './incident.ts';
import type { Attempt, Notice } from './notice.ts';
import type { Line } from './trail.ts';
import { mootBecause } from './wanted.ts';

/**
 * A call that has begun cannot be taken back: of each that a decision makes pointless while it rings, a line says so, because otherwise only
 * the order of lines would tell why somebody's phone rang after the matter had been taken.
 * @param rows the incident's notices as they stand before the commit
 */
export const stillRinging = (
  before: Incident,
  after: Incident,
  rows: readonly { notice: Notice; attempts: readonly Attempt[] }[],
): Omit<Line, 'at'>[] =>
  rows.flatMap(({ notice, attempts }) => {
    const why = mootBecause(after, notice);
    if (why === undefined || mootBecause(before, notice) !== undefined) return [];
    return attempts
      .filter(({ channel, state }) => channel === 'voice' && (state === 'sending' || state === 'sent'))
      .map(({ n, vendor }) => ({
        kind: 'ringing' as const,
        by: 'system',
        whom: notice.to,
        facts: { notice: notice.id, attempt: n, vendor, why },
      }));
  });

/** Adds those lines to a change. */
export const withRinging = (
  before: Incident,
  change: Change,
  rows: Parameters<typeof stillRinging>[2],
  at: Line['at'],
): Change => ({
  ...change,
  lines: [...change.lines, ...stillRinging(before, change.incident, rows).map((line) => ({ at, ...line }))],
});
