import { isExpected, owes, personOf, type Incident, type Instant } from './incident.ts';
import type { Rung } from './rung.ts';
import { askDeadline } from './wanted.ts';

/** What people on their way can keep; the rest is the desk's. */
const THEIRS = ['accept', 'depart', 'contact', 'arrive', 'feedback', 'close'] as const satisfies Rung[];

/**
 * The promise whose time runs out next for one person. Whoever was asked and has not answered has his own minute, also where the first
 * one is broken already; afterwards it is the earliest that is still owed. None while the clocks rest, and none for whoever was sent home.
 */
export const promiseOf = (incident: Incident, id: string): { rung: Rung; at: Instant } | undefined => {
  const person = personOf(incident, id);
  if (!person || incident.paused || (person.asked !== undefined && !isExpected(person))) return undefined;
  const waits = person.accepted === undefined && (owes(incident, 'accept') || person.called === true);
  if (person.asked !== undefined && waits)
    return { rung: 'accept', at: askDeadline(incident, { at: person.asked }) };
  return THEIRS.filter((rung) => owes(incident, rung))
    .flatMap((rung) => {
      const at = incident.deadlines[rung];
      return at === undefined ? [] : [{ rung, at }];
    })
    .sort((a, b) => a.at - b.at)[0];
};
