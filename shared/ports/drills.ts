import {
  drillNoticeId,
  drillNotices,
  drillResultOf,
  drillSchema,
  withAnswer,
  type AnsweredOver,
  type Drill,
  type DrillResult,
} from '../domain/drill.ts';
import type { Instant } from '../domain/incident.ts';
import type { Memos } from './memos.ts';
import { jobsOf, type Queues } from './queue.ts';
import { REJECTS_OWNER, type Store } from './store.ts';

/** What drills are kept in. */
export interface DrillBook {
  memos: Memos;
  store: Pick<Store, 'announce' | 'notice'>;
}

/** A year and a month: the yearly report looks back. */
const KEPT_MS = 400 * 86_400_000;
const TRIES = 20;
const LATEST = 'DRILL-LATEST';
const nameOf = (id: string): string => `DRILL-${id}`;

/** A drill as it is kept; without a name the latest. */
const held = async (
  memos: Memos,
  now: Instant,
  id?: string,
): Promise<{ drill: Drill; version: number } | undefined> => {
  const latest = id ?? (await memos.read(LATEST, now))?.value;
  if (typeof latest !== 'string') return undefined;
  const memo = await memos.read(nameOf(latest), now);
  return memo && { drill: drillSchema.parse(memo.value), version: memo.version };
};

/** A drill by its name; without one the latest. */
export const readDrill = async (
  { memos }: Pick<DrillBook, 'memos'>,
  now: Instant,
  id?: string,
): Promise<Drill | undefined> => (await held(memos, now, id))?.drill;

/**
 * Begins a drill. Begun twice, by a beat that came twice or after a crash, it is the first one, and only what was never written is sent.
 * @returns the drill as it stands.
 */
export const startDrill = async (
  { memos, store, queues }: DrillBook & { queues: Pick<Queues, 'notices'> },
  fresh: Drill,
  now: Instant,
): Promise<Drill> => {
  const expires = now + KEPT_MS;
  await memos.write(nameOf(fresh.id), { version: 0, value: fresh, expires }, now);
  const drill = (await readDrill({ memos }, now, fresh.id)) ?? fresh;
  const before = await memos.read(LATEST, now);
  if (before?.value === drill.id) return drill;
  const notices = drillNotices(drill);
  await store.announce(notices);
  // Last: as long as it does not stand here the next beat goes on where this one was stopped.
  await memos.write(LATEST, { version: before?.version ?? 0, value: drill.id, expires }, now);
  await queues.notices(jobsOf(REJECTS_OWNER, notices));
  return drill;
};

/** Writes down that these people have answered the drill under way. False: at that instant none of theirs was under way. */
export const answerDrill = async (
  { memos }: Pick<DrillBook, 'memos'>,
  members: readonly string[],
  over: AnsweredOver,
  at: Instant,
): Promise<boolean> => {
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const open = await held(memos, at);
    if (!open) return false;
    const { drill, version } = open;
    if (at < drill.startedAt || at > drill.until || !members.some((one) => drill.members.includes(one)))
      return false;
    const next = members.reduce((one, member) => withAnswer(one, member, over, at) ?? one, drill);
    // Said before: once is enough.
    if (next === drill) return true;
    // Somebody else's answer may have come in between.
    if (await memos.write(nameOf(drill.id), { version, value: next, expires: at + KEPT_MS }, at)) return true;
  }
  throw new Error(`An answer to the drill was overtaken ${TRIES} times in a row.`);
};

/** The result of a drill, person by person, in the order of asking. */
export const drillResults = async (
  { store }: Pick<DrillBook, 'store'>,
  drill: Drill,
  now: Instant,
): Promise<DrillResult[]> =>
  Promise.all(
    drill.members.map(async (member) => {
      const row = await store.notice(REJECTS_OWNER, drillNoticeId(drill.id, member));
      return drillResultOf(drill, member, row, now);
    }),
  );
