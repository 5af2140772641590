import { nextEvent, type Event } from './climb.ts';
import { draft } from './draft.ts';
import { play } from './escalate.ts';
import type { Hands } from './hands.ts';
import type { Incident, Instant } from './incident.ts';
import { resumeIn } from './pause.ts';
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

const verbOf = (event: Event): Planned['what'] => {
  if (event.what === 'default') return 'ask';
  if (event.what !== 'step') return event.what;
  if (event.step === 'call') return 'reinforce';
  return event.rung === 'accept' || event.rung === 'handback' ? 'ask' : 'tell';
};

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
  let clock = now;
  for (let n = 0; n < MOST; n += 1) {
    if (copy.paused) {
      clock = Math.max(clock, copy.paused.until);
      const d = draft(copy, hands, clock);
      planned.push({ at: d.now, what: 'resume', whom: [] });
      resumeIn(d, 'system');
      copy = d.incident;
      continue;
    }
    const event = nextEvent(copy, hands);
    if (!event) break;
    // What is overdue happens as soon as the workflow wakes.
    clock = Math.max(clock, event.at);
    const whom = event.what === 'retry' ? [] : event.people.map((hand) => hand.id);
    planned.push({ at: clock, what: verbOf(event), rung: event.rung, whom });
    // Who comes on shift by then is not known now.
    if (event.what === 'retry') break;
    const d = draft(copy, hands, clock);
    play(d, event);
    copy = d.incident;
  }
  return planned.sort((a, b) => a.at - b.at);
};
