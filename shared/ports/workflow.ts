import type { Incident, Instant } from '../domain/incident.ts';
import type { Rung } from '../domain/rung.ts';

/** The token that a waiting workflow parked on the incident row. */
export interface Parked {
  token: string;
  rung: Rung;
}

/**
 * The timed escalation beside the table. The table decides; a token only wakes the workflow, so every call may be
 * late, doubled or lost: none of that is an error to a person.
 */
export interface Workflow {
  /** Starts the execution `<incidentId>-<round>`; a second start of the same name is the first one. */
  start(incident: Pick<Incident, 'id' | 'round'>): Promise<void>;
  /** The rung waited at is finished. `late`: the token was already closed. */
  finished(token: string, due: Partial<Record<Rung, Instant>>): Promise<'woken' | 'late'>;
  /** A clock was moved: the workflow re-reads the row and waits anew. */
  rearm(token: string): Promise<'woken' | 'late'>;
  /** Does the execution of this round run? Asked by reconcile only, never by a page. */
  runs(incident: Pick<Incident, 'id' | 'round'>): Promise<boolean>;
}
