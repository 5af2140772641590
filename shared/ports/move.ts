import type { District } from '../domain/district.ts';
import type { Change } from '../domain/draft.ts';
import { handsFor, type Hands } from '../domain/hands.ts';
import { isUnclassified, type Incident, type Instant } from '../domain/incident.ts';
import { relayOf, type Relay } from '../domain/relay.ts';
import type { Member } from '../domain/roster.ts';
import type { LineKind } from '../domain/trail.ts';
import type { Backoff } from './backoff.ts';
import type { Clock } from './clock.ts';
import type { Log, Metric } from './log.ts';
import { jobsOf, type Queues } from './queue.ts';
import { ownerOf, type Beside, type Loaded, type Store } from './store.ts';
import type { Workflow } from './workflow.ts';

/** What every verb needs that moves an incident. */
export interface Mover {
  store: Store;
  queues: Pick<Queues, 'notices'>;
  workflow: Workflow;
  clock: Clock;
  log: Log;
  backoff: Backoff;
  district: District;
}

/** What a decision may look at, and nothing else. */
export interface Situation {
  incident: Incident;
  hands: Hands;
  members: readonly Member[];
  now: Instant;
}

/** A decision: what to commit, if anything, and what to tell the one who asked for it. */
export interface Decision<R> {
  change?: Change;
  beside?: Beside;
  result: R;
  /** The workflow itself asks and waits at no rung: its old token is spent, and nobody need be woken. */
  awake?: true;
}

/** What a move came to. */
export type Moved<R> = { found: false } | { found: true; incident: Incident; result: R; changed: boolean };

/** So often a decision is made again when others were faster. */
export const TRIES = 5;

/** Trail lines that an alarm or the dashboard counts. */
const METRICS: Partial<Record<LineKind, Metric>> = {
  breach: 'Breach',
  unanswered: 'Unanswered',
  'nags-over': 'NagsOver',
  returned: 'Returned',
  triage: 'Triage',
  corrected: 'Corrected',
  'danger-found': 'DangerAfterNonPolice',
};

/**
 * Moves one incident: load, decide, commit, and carry out what follows. A version that somebody else raised meanwhile
 * means reload and decide again, at most five times; only the table of moves may ever refuse a person.
 * @throws when five commits in a row lost their race, or the table cannot be reached.
 */
export const move = async <R>(
  mover: Mover,
  id: string,
  decide: (situation: Situation) => Decision<R> | Promise<Decision<R>>,
): Promise<Moved<R>> => {
  const { store, district, clock } = mover;
  const [members, first] = await Promise.all([store.roster(), store.load(id)]);
  let loaded = first;
  let stored: string[] | undefined;
  for (let attempt = 1; ; attempt += 1) {
    if (!loaded) return { found: false };
    // Nobody has been picked for what has only been received; in triage somebody has.
    if (!isUnclassified(loaded.incident))
      stored ??= (await store.picks(id))?.picked.map((pick) => pick.id) ?? [];
    const at = clock.now();
    const { change, beside, result, awake } = await decide({
      incident: loaded.incident,
      hands: handsFor(district, members, loaded.incident, stored ?? [], at),
      members,
      now: at.getTime(),
    });
    if (!change) return { found: true, incident: loaded.incident, result, changed: false };
    const relay = relayOf(change, district.backTo110);
    if (await store.commit(change, relay ? { ...beside, relay } : beside)) {
      await carryOut(mover, loaded, change, relay, awake);
      return { found: true, incident: change.incident, result, changed: true };
    }
    if (attempt >= TRIES)
      throw new Error(`The incident ${id} was changed by others ${TRIES} times in a row.`);
    await mover.backoff(attempt);
    loaded = await store.load(id);
  }
};

/**
 * Does at once what a committed change made necessary: notices, workflow, waking. Everything here stands in the table as
 * owed, so a failure is logged and left to reconcile; the person who acted has his answer already.
 */
export const carryOut = async (
  mover: Mover,
  before: Loaded,
  change: Change,
  relay: Relay | undefined,
  awake = false,
): Promise<void> => {
  const { store, queues, workflow, log } = mover;
  const { incident, notices, lines } = change;
  for (const line of lines) {
    const metric = METRICS[line.kind];
    if (metric) log.count(metric);
  }
  const notify = async (): Promise<void> => {
    const jobs = jobsOf(ownerOf(incident.id), notices, relay);
    if (jobs.length > 0) await queues.notices(jobs);
  };
  const start = async (): Promise<void> => {
    if (incident.workflow !== 'owed') return;
    await workflow.start(incident);
    await store.workflowStarted(incident.id, incident.round);
  };
  const rouse = async (): Promise<void> => (awake ? undefined : wake(mover, before, incident));
  const results = await Promise.allSettled([notify(), start(), rouse()]);
  for (const result of results)
    if (result.status === 'rejected')
      log.error('left-to-reconcile', result.reason, { incident: incident.id });
};

/**
 * Wakes the workflow if what it waits for has changed: the rung is finished, or a clock was moved. The token is read
 * after the commit, because the workflow may have parked it in between.
 */
const wake = async ({ store, workflow, log }: Mover, before: Loaded, after: Incident): Promise<void> => {
  // `owed` may run already: whoever started it writes that down a moment later.
  if (before.incident.workflow === 'none' || before.incident.workflow === 'ended') return;
  const ofOldRound = before.incident.round !== after.round;
  // The execution of a new round may have parked its own token by now: the one to send home is that of before.
  const parked = ofOldRound ? before.parked : (await store.load(after.id))?.parked;
  if (!parked) return;
  const waitsUntil = before.incident.due[parked.rung];
  // A return stands outside the ladder: the workflow must not walk on from here, it has to be sent to `handback`.
  // So does one that became part of another: it has nowhere to walk to.
  const leftLadder =
    (after.owed.includes('handback') && parked.rung !== 'handback') || after.state === 'joined';
  const finished = !ofOldRound && !leftLadder && !after.owed.includes(parked.rung);
  const next = after.rung === undefined ? undefined : after.due[after.rung];
  if (!finished && !ofOldRound && !leftLadder && waitsUntil === next) return;
  const woken = finished
    ? await workflow.finished(parked.token, after.due)
    : await workflow.rearm(parked.token);
  if (woken === 'late') {
    log.info('token-late', { incident: after.id, rung: parked.rung });
    log.count('TokenLate');
  }
};
