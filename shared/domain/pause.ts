import { baseOf } from './climb.ts';
import { write, type Draft } from './draft.ts';

/** Longest pause: seven days. */
export const LONGEST_PAUSE_MS = 7 * 86_400_000;

/** Resumes: everything still open is put off by the paused length, and the ledger gets its second line. */
export const resumeIn = (d: Draft, by: string): void => {
  const { incident } = d;
  const pause = incident.paused;
  if (!pause) return;
  // A pause that ended by itself ended at its own instant, however late the clock woke us.
  const end = Math.min(d.now, pause.until);
  const length = end - pause.at;
  const began = new Map(incident.owed.map((rung) => [rung, baseOf(incident, rung)]));
  for (const rung of incident.owed) {
    const deadline = incident.deadlines[rung];
    if (deadline !== undefined && !incident.breached.includes(rung))
      incident.deadlines[rung] = deadline + length;
  }
  // The span that a late acceptance bought was not used up while everything stood still.
  if (incident.acceptedAt !== undefined) incident.acceptedAt += length;
  // A deadline that had passed stays where it was; its climb is put off all the same, by what the lines above did not do.
  for (const [rung, base] of began) {
    const climb = incident.climbs[rung];
    if (climb) climb.shift += length - (baseOf(incident, rung) - base);
  }
  incident.state = pause.was;
  delete incident.paused;
  incident.resumedAt = d.now;
  write(d, { kind: 'resumed', by, facts: { pausedMs: length } });
};
