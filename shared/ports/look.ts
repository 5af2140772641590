import { incidentView, mayRead, type Viewer } from '../contracts/incident-view.ts';
import type { IncidentBody } from '../contracts/views.ts';
import type { District } from '../domain/district.ts';
import type { Clock } from './clock.ts';
import type { Store } from './store.ts';

/** What is needed to look at an incident. */
export interface Looker {
  store: Store;
  clock: Clock;
  district: District;
}

/**
 * The incident as this viewer may see it, strongly consistent: what he has just done is in it. It is the body of a GET
 * and of every action, so that a page never has to ask twice.
 */
export const look = async (
  { store, clock, district }: Looker,
  id: string,
  viewer: Viewer,
): Promise<IncidentBody | 'unknown' | 'forbidden'> => {
  // One reading of the whole partition costs less, in units and in time, than one of each part.
  const [dossier, roster] = await Promise.all([store.dossier(id), store.roster()]);
  if (!dossier) return 'unknown';
  if (!mayRead(dossier.incident, dossier.lines, viewer)) return 'forbidden';
  return incidentView({
    ...dossier,
    content: dossier.content,
    picks: dossier.picks,
    roster,
    district,
    viewer,
    now: clock.now(),
  });
};
