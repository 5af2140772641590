import { incidentView, mayRead, type Viewer } from '../contracts/incident-view.ts';
import type { IncidentBody } from '../contracts/views.ts';
import type { District } from '../domain/district.ts';
import type { Clock } from './clock.ts';
import { ownerOf, type Store } from './store.ts';

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
  const [loaded, lines] = await Promise.all([store.load(id), store.lines(id)]);
  if (!loaded) return 'unknown';
  const { incident } = loaded;
  if (!mayRead(incident, lines, viewer)) return 'forbidden';
  const [content, reports, picks, reasons, notices, roster] = await Promise.all([
    store.content(id),
    // Most incidents have one report only.
    incident.reports > 1 ? store.reports(id) : [],
    store.picks(id),
    store.reasons(id),
    store.notices(ownerOf(id)),
    store.roster(),
  ]);
  return incidentView({
    incident,
    content,
    reports,
    lines,
    picks,
    reasons,
    notices,
    roster,
    district,
    viewer,
    now: clock.now(),
  });
};
