import { giveBack } from './assign.ts';
import type { Classification } from './classification.ts';
import { draft, finish, notify, write, type Change } from './draft.ts';
import { endTriage } from './escalate.ts';
import type { Hands } from './hands.ts';
import { OVER, owes, type Incident, type Instant } from './incident.ts';

/** How a further report of a known call number differs from the report before it. */
export interface Difference {
  address: boolean;
  danger: boolean;
  /** What the incident is with the report's danger signs; absent: it has none. Decides only where the desk has not yet. */
  found?: Classification;
  /** The call centre now asks for secrecy; it can be asked for later, but never be taken back. */
  secret: boolean;
}

/**
 * A further report of the same call number with other content (rules §1): recorded on the incident; the lead is told
 * when address or danger changes. As long as nobody leads, a changed danger is the duty officer's: somebody may be on
 * his way alone to what has become dangerous. It moves no clock; the state only where an incident was waiting for the desk:
 * danger does not wait, and a police sign returns it.
 */
export const addReport = (incident: Incident, difference: Difference, hands: Hands, now: Instant): Change => {
  const d = draft(incident, hands, now);
  d.incident.reports += 1;
  d.incident.secret ||= difference.secret;
  write(d, {
    kind: 'report',
    by: '110',
    facts: { report: d.incident.reports, address: difference.address, danger: difference.danger },
  });
  const told = (difference.address || difference.danger) && !OVER.has(incident.state);
  const [duty] = hands.duty;
  // Joined to another incident its lead was sent home: then it is the duty officer's, who may part them.
  const lead = incident.state === 'joined' ? undefined : incident.lead;
  if (told && lead !== undefined) notify(d, lead, 'changed');
  else if (told && difference.danger && duty) notify(d, duty.id, 'changed');
  const { found } = difference;
  if (difference.danger && found && owes(incident, 'triage')) {
    d.incident.classification = found;
    if (found.disposition === 'police') giveBack(d, 'system');
    else endTriage(d);
    return finish(d);
  }
  d.incident.version += 1;
  return { incident: d.incident, lines: d.lines, notices: d.notices };
};
