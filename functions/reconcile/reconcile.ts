import { assignToDuty, type Finding } from '#shared/domain/assign.ts';
import type { Classification } from '#shared/domain/classification.ts';
import { ladderFor } from '#shared/domain/district.ts';
import { draft, finish, write, type Change } from '#shared/domain/draft.ts';
import { escalate } from '#shared/domain/escalate.ts';
import { handsAt, type Hands } from '#shared/domain/hands.ts';
import { isUnclassified, type Incident, type Instant } from '#shared/domain/incident.ts';
import { endJoined } from '#shared/ports/end-joined.ts';
import { move, type Mover } from '#shared/ports/move.ts';
import type { Queues } from '#shared/ports/queue.ts';
import type { Owed } from '#shared/ports/store.ts';

/** What reconcile needs beside moving incidents. */
export type Reconciler = Omit<Mover, 'queues'> & {
  queues: Queues;
  /** Notices that were queued again lately, and when; kept as long as the function lives. Without it every pass queues them again. */
  lately?: Map<string, Instant>;
};

/** Work younger than this is probably being done at this moment by the function that owes it. */
const GRACE_MS = 5_000;
/** What was queued again is left in peace for so long: a queue that is behind must not be filled by those who look after it. */
const PEACE_MS = 60_000;
/** An incident still `received` after this long gets the default ladder and the duty officer. */
const CLASSIFY_MS = 20_000;
/** Four passes a minute: the one of the schedule, and three that it asks for. */
const FURTHER_PASSES = [15, 30, 45];
/** The feeder beats every 60 s; three missed ones are an alarm. Off until first seen. */
const FEEDER_SILENT_MS = 180_000;

/** What one pass put right; all zero is the normal case. */
export interface Restored {
  reports: number;
  workflows: number;
  notices: number;
  overdue: number;
  joins: number;
}

/** One pass: finds what was left undone and finishes it. Every part is idempotent, and one failure stops no other. */
export const reconcile = async (r: Reconciler): Promise<Restored> => {
  const now = r.clock.now().getTime();
  const restored: Restored = { reports: 0, workflows: 0, notices: 0, overdue: 0, joins: 0 };
  const guard = async (what: keyof Restored, id: string, work: () => Promise<boolean>): Promise<void> => {
    try {
      if (await work()) restored[what] += 1;
    } catch (error) {
      r.log.error('reconcile-failed', error, { what, id });
    }
  };
  const found = await r.store.owed(now - GRACE_MS);
  // All in a few calls: after an outage of the vendor there are hundreds.
  const nameOf = (owed: Extract<Owed, { kind: 'notice' }>): string =>
    `${owed.owner}|${owed.noticeId}|${owed.since}`;
  for (const [name, at] of r.lately ?? []) if (now - at >= PEACE_MS) r.lately?.delete(name);
  const notices = found
    .filter((owed) => owed.kind === 'notice')
    .filter((owed) => !r.lately?.has(nameOf(owed)));
  await guard('notices', 'all', async () => {
    await r.queues.notices(notices.map(({ owner, noticeId, lane }) => ({ owner, noticeId, lane })));
    for (const owed of notices) r.lately?.set(nameOf(owed), now);
    restored.notices = notices.length;
    return false;
  });
  for (const owed of found) {
    if (owed.kind === 'workflow')
      await guard('workflows', owed.incidentId, () => startWorkflow(r, owed.incidentId));
    if (owed.kind === 'joins') await guard('joins', owed.incidentId, () => endJoined(r, owed.incidentId));
    if (owed.kind === 'report') await guard('reports', owed.incidentId, () => classifyAgain(r, owed, now));
  }
  for (const { incidentId } of await r.store.overdue(now - GRACE_MS))
    await guard('overdue', incidentId, () => climbAgain(r, incidentId));
  const last = await r.store.lastBeat();
  if (last !== undefined && now - last > FEEDER_SILENT_MS) r.log.count('FeederSilent');
  const total = restored.reports + restored.workflows + restored.notices + restored.overdue + restored.joins;
  if (total > 0) r.log.count('RestoredByReconcile', total);
  return restored;
};

/** The pass of the minute: asks for the further ones, then does its own. */
export const everyMinute = async (r: Reconciler): Promise<Restored> => {
  try {
    await r.queues.sweeps(FURTHER_PASSES);
  } catch (error) {
    // One pass a minute is late, but better than none.
    r.log.error('reconcile-failed', error, { what: 'sweeps' });
  }
  return reconcile(r);
};

const startWorkflow = async (r: Reconciler, id: string): Promise<boolean> => {
  const loaded = await r.store.load(id);
  if (!loaded || loaded.incident.workflow !== 'owed') return false;
  await r.workflow.start(loaded.incident);
  await r.store.workflowStarted(id, loaded.incident.round);
  return true;
};

const UNKNOWN: Classification = {
  category: 'other',
  disposition: 'joint',
  urgency: 'P2',
  danger: [],
  line: 'grid',
  team: 'grid',
  sure: false,
  risk: false,
  confidence: { category: 0, disposition: 0, p1: 0, risk: 0 },
  versions: { rules: 'none', lexicon: 'none', model: 'none' },
};

const classifyAgain = async (
  r: Reconciler,
  owed: { incidentId: string; since: Instant },
  now: Instant,
): Promise<boolean> => {
  if (now - owed.since < CLASSIFY_MS) {
    await r.queues.reports([{ incidentId: owed.incidentId }]);
    return true;
  }
  const { district } = r;
  const other = district.categories.find((c) => c.id === 'other');
  const moved = await move<boolean>(r, owed.incidentId, ({ incident, members, now: at }) => {
    if (!isUnclassified(incident)) return { result: false };
    const finding: Finding = {
      classification: other ? { ...UNKNOWN, line: other.line, team: other.team } : UNKNOWN,
      ladder: ladderFor(district, 'other', incident.mode),
      place: { name: '地点待核' },
      picks: { picked: 0, rejected: 0 },
    };
    const hands = handsAt(members, district.shifts, [], new Date(at));
    return { change: assignToDuty(incident, finding, hands, at), result: true };
  });
  if (!moved.found || !moved.result) return false;
  // Its report may never have been queued, or lie among the dead letters.
  await r.queues.links([{ incidentId: owed.incidentId }]);
  return true;
};

/**
 * An incident whose next step is overdue: the wake was lost, or the workflow. The step is taken here and now, whether or
 * not the workflow can be reached; then it is woken, or, when none runs, started anew under a new round.
 */
const climbAgain = async (r: Reconciler, id: string): Promise<boolean> => {
  const stepped = await move(r, id, ({ incident, hands, now }) => {
    const change = escalate(incident, hands, now);
    return { ...(change ? { change } : {}), result: undefined };
  });
  if (!stepped.found) return false;
  const { incident } = stepped;
  // `owed`: the move above has just tried to start it.
  if (incident.rung === undefined || incident.workflow !== 'started') return stepped.changed;
  if (await r.workflow.runs(incident)) return stepped.changed;
  const restarted = await move<boolean>(r, id, ({ incident: lost, hands, now }) =>
    lost.round === incident.round && lost.workflow === 'started'
      ? { change: restart(lost, hands, now), result: true }
      : { result: false },
  );
  if (!restarted.found || !restarted.result) return stepped.changed;
  r.log.count('WorkflowLost');
  return true;
};

/** A new round for the workflow alone: people, deadlines and climbs stay as they are. */
const restart = (incident: Incident, hands: Hands, now: Instant): Change => {
  const d = draft(incident, hands, now);
  d.incident.round += 1;
  d.incident.workflow = 'owed';
  write(d, { kind: 'restarted', by: 'system', facts: { round: d.incident.round } });
  return finish(d);
};
