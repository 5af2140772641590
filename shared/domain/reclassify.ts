import { giveBack, needsPair, promise, writePicks, type Finding } from './assign.ts';
import { isJudgedDangerous, type Classification } from './classification.ts';
import { fulfil, notify, standDown, write, type Draft } from './draft.ts';
import { askFirst, askSecond } from './escalate.ts';
import { OVER, isActive, isExpected, owes, type Incident } from './incident.ts';

type Judged = Pick<Classification, 'category' | 'disposition' | 'urgency'>;

/** Does a person say something else than what stands there? */
export const differs = (was: Judged | undefined, is: Judged): boolean =>
  was?.category !== is.category || was.disposition !== is.disposition || was.urgency !== is.urgency;

/** What the machine had said at first, before any correction. */
export const firstWord = ({ corrected, classification }: Incident): Judged | undefined =>
  corrected?.was ?? classification;

/**
 * People find danger in what the machine had called non-police or advice: the worst of its mistakes. Written once per
 * incident, counted, and told to the duty officer where the decision does not ask him anyway.
 */
export const noteDanger = (d: Draft, by: string, is: Pick<Judged, 'disposition'> & Partial<Judged>): void => {
  const { incident, hands } = d;
  const was = firstWord(incident)?.disposition;
  if (
    (was !== 'non-police' && was !== 'consult') ||
    !isJudgedDangerous(is) ||
    incident.dangerFoundAt !== undefined
  )
    return;
  incident.dangerFoundAt = d.now;
  write(d, { kind: 'danger-found', by, facts: { was, disposition: is.disposition } });
  const duty = hands.duty.find((hand) => hand.id !== by);
  if (duty && is.disposition !== 'police') notify(d, duty.id, 'desk', undefined, 'danger-found');
};

/** Joint with danger as a person judges it, or by the signs that the guard saw: a lone civilian is not to be sent. */
const isPair = (classification: Classification): boolean =>
  needsPair(classification) || isJudgedDangerous(classification);

/**
 * The desk says what an incident is. In triage it decides, and the right people are asked at once; afterwards it corrects:
 * no clock moves, whoever is on it is told, a second one is asked where it is too dangerous for one. Police work goes
 * back to 110 (rules §1).
 */
export const reclassify = (d: Draft, by: string, decided: Finding, reason: string): void => {
  const { incident } = d;
  const { classification, ladder, place, picks } = decided;
  const was = incident.classification;
  if (!was) return;
  const waiting = owes(incident, 'triage');
  const { category, disposition, urgency } = classification;
  write(d, {
    kind: waiting ? 'triaged' : 'corrected',
    by,
    ...(waiting ? { rung: 'triage' as const } : {}),
    facts: {
      category,
      disposition,
      urgency,
      wasCategory: was.category,
      wasDisposition: was.disposition,
      wasUrgency: was.urgency,
    },
    text: reason,
  });
  if (differs(was, classification)) {
    const { category: first, disposition: how, urgency: soon } = firstWord(incident) ?? was;
    incident.corrected = { at: d.now, by, was: { category: first, disposition: how, urgency: soon } };
  }
  noteDanger(d, by, classification);
  incident.classification = { ...classification };
  if (waiting) fulfil(d, 'triage');
  if (waiting && incident.triage) incident.triage.by = by;
  if (disposition === 'police') {
    giveBack(d, by);
    return;
  }
  if (waiting) {
    incident.ladder = ladder;
    incident.pair = isPair(classification);
    incident.state = 'asking';
    writePicks(d, { picks, place });
    incident.owed = [];
    // The clocks of the receipt, as for everything that was clear at once.
    const breached = [...incident.breached];
    promise(d, incident.receivedAt);
    // A miss that stands in the trail already is not written a second time.
    incident.breached = breached;
    askFirst(d);
    return;
  }
  if (OVER.has(incident.state)) return;
  const pair = incident.pair;
  incident.pair = isPair(classification);
  for (const person of incident.people)
    if (isExpected(person) && (person.accepted !== undefined || incident.lead === undefined))
      notify(d, person.id, 'changed');
  if (incident.pair && !pair && incident.people.filter(isExpected).length < 2) askSecond(d);
  // Where one is enough after all, whoever has not said yes need not come.
  if (pair && !incident.pair && incident.lead !== undefined)
    standDown(d, (person) => !isActive(person) || person.accepted !== undefined || person.called === true);
};
