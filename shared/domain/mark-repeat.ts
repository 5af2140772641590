import { draft, notify, write, type Change } from './draft.ts';
import type { Hands } from './hands.ts';
import { OVER, type Incident, type Instant } from './incident.ts';
import type { Standing } from './repeats.ts';

/**
 * Notes that a matter has come before. A quarrel that comes too often can turn criminal: it is marked as a risk, and the
 * duty officer is told while somebody may be on his way alone. Care is for the list: nobody is in a hurry. It moves no
 * clock and no state. Undefined when there is nothing to note, or it stands there already.
 */
export const markRepeat = (
  incident: Incident,
  { kind, times, before, sentence }: Standing,
  hands: Hands,
  now: Instant,
): Change | undefined => {
  if (kind === 'first' || incident.repeat !== undefined) return undefined;
  const d = draft(incident, hands, now);
  d.incident.repeat = { kind, times, ...(before === undefined ? {} : { before }) };
  write(d, { kind: 'repeated', by: 'system', facts: { kind, times }, text: sentence });
  if (kind === 'conflict') {
    if (d.incident.classification) d.incident.classification.risk = true;
    const [duty] = hands.duty;
    if (duty && !OVER.has(incident.state)) notify(d, duty.id, 'desk', undefined, 'frequent');
  }
  d.incident.version += 1;
  return { incident: d.incident, lines: d.lines, notices: d.notices };
};
