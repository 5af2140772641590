import { draft, notify, write, type Change } from './draft.ts';
import { NO_HANDS } from './hands.ts';
import { OVER, type Incident, type Instant } from './incident.ts';

/** How a further report of a known call number differs from the report before it. */
export interface Difference {
  address: boolean;
  danger: boolean;
  /** The call centre now asks for secrecy; it can be asked for later, but never be taken back. */
  secret: boolean;
}

/**
 * A further report of the same call number with other content (rules §1): recorded on the incident; the lead is told
 * when address or danger changes. It moves no clock and no state.
 */
export const addReport = (incident: Incident, difference: Difference, now: Instant): Change => {
  const d = draft(incident, NO_HANDS, now);
  d.incident.reports += 1;
  d.incident.secret ||= difference.secret;
  write(d, {
    kind: 'report',
    by: '110',
    facts: { report: d.incident.reports, address: difference.address, danger: difference.danger },
  });
  const told = (difference.address || difference.danger) && !OVER.has(incident.state);
  if (told && incident.lead !== undefined) notify(d, incident.lead, 'changed');
  d.incident.version += 1;
  return { incident: d.incident, lines: d.lines, notices: d.notices };
};
