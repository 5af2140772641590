import { escalate } from '#shared/domain/escalate.ts';
import type { Instant } from '#shared/domain/incident.ts';
import type { Rung } from '#shared/domain/rung.ts';
import { move, type Mover } from '#shared/ports/move.ts';

/** What the workflow is told: where to wait next, and until when, by rung. `finished` ends the execution. */
export interface Onward {
  next: Rung | 'finished';
  due: Partial<Record<Rung, Instant>>;
}

/**
 * Does what the clock demands of an incident and tells the workflow where to wait. Re-reads the row and never climbs
 * for a finished rung, so a lost or late wake is harmless. An execution of an older round is sent home.
 */
export const escalateIncident = async (
  mover: Mover,
  event: { incidentId: string; round: number },
): Promise<Onward> => {
  const moved = await move(mover, event.incidentId, ({ incident, hands, now }) => {
    if (incident.round !== event.round) return { result: undefined };
    const change = escalate(incident, hands, now);
    return change ? { change, result: undefined, awake: true } : { result: undefined };
  });
  if (!moved.found) throw new Error(`There is no incident ${event.incidentId}.`);
  const { incident } = moved;
  return incident.round === event.round && incident.rung !== undefined
    ? { next: incident.rung, due: incident.due }
    : { next: 'finished', due: {} };
};
