import { nextEvent } from './climb.ts';
import { escalate } from './escalate.ts';
import type { Hands } from './hands.ts';
import type { Incident, Instant } from './incident.ts';
import type { Rung } from './rung.ts';

/** One thing that will happen if nobody does anything. `whom`: ids of the people asked or told; empty for none. */
export interface Planned {
  at: Instant;
  what: 'ask' | 'tell' | 'nag' | 'reinforce' | 'retry' | 'resume' | 'deadline';
  rung?: Rung;
  whom: string[];
}

/** How far the plan looks: enough for the whole climb and the first nags. */
const MOST = 12;

/**
 * The future of an incident as the clock would play it: found by playing it on a copy, so that what the page shows and
 * what happens can never differ. Deadlines without anybody to tell are shown too.
 */
export const plan = (incident: Incident, hands: Hands, now: Instant): Planned[] => {
  const planned: Planned[] = incident.owed.flatMap((rung) => {
    const at = incident.deadlines[rung];
    return at !== undefined && at > now && rung !== 'reinforce' && !incident.paused
      ? [{ at, what: 'deadline' as const, rung, whom: [] }]
      : [];
  });
  let copy = incident;
  for (let n = 0; n < MOST; n += 1) {
    if (copy.paused) {
      const at = copy.paused.until;
      planned.push({ at, what: 'resume', whom: [] });
      copy = escalate(copy, hands, at)?.incident ?? copy;
      if (copy.paused) break;
      continue;
    }
    const event = nextEvent(copy, hands);
    if (!event) break;
    const what =
      event.what !== 'step'
        ? event.what
        : event.step === 'call'
          ? 'reinforce'
          : event.rung === 'accept' || event.rung === 'handback'
            ? 'ask'
            : 'tell';
    planned.push({
      at: event.at,
      what,
      rung: event.rung,
      whom: event.what === 'retry' ? [] : event.people.map((hand) => hand.id),
    });
    if (event.what === 'retry') break;
    const change = escalate(copy, hands, event.at);
    if (!change) break;
    copy = change.incident;
  }
  return planned.sort((a, b) => a.at - b.at);
};
