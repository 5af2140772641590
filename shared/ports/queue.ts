import type { Instant } from '../domain/incident.ts';
import { laneOf, type Lane, type Notice } from '../domain/notice.ts';
import { relayLane, type Relay } from '../domain/relay.ts';

/** A report to classify, by incident. */
export interface ReportJob {
  incidentId: string;
}
/** A dispatched incident to compare with others. */
export interface LinkJob {
  incidentId: string;
}
/** A notice to deliver: its owner's partition key, its id, and which of the two queues it goes through. */
export interface NoticeJob {
  owner: string;
  noticeId: string;
  lane: Lane;
}

/** The jobs of notices that were just written, and of a message to the 110 centre beside them. */
export const jobsOf = (
  owner: string,
  notices: readonly Pick<Notice, 'id' | 'kind'>[],
  relay?: Relay,
): NoticeJob[] => [
  ...notices.map(({ id, kind }) => ({ owner, noticeId: id, lane: laneOf(kind) })),
  ...(relay ? [{ owner, noticeId: relay.id, lane: relayLane(relay.kind) }] : []),
];

/** The longest delay of a queue in whole seconds (SQS); what is due later is found by reconcile. */
const LONGEST_DELAY = 900;
/** Whole seconds by which a job is delayed so that it comes at `until`, not before; undefined: no queue holds it that long. */
export const delayUntil = (until: Instant, now: Instant): number | undefined => {
  const seconds = Math.max(0, Math.ceil((until - now) / 1000));
  return seconds <= LONGEST_DELAY ? seconds : undefined;
};

/**
 * Hands work on at once. What is lost here is found again by reconcile, because it is also written as owed; all but a
 * comparison: a report is done only when its comparison is queued, and comes again until then.
 */
export interface Queues {
  reports(jobs: readonly ReportJob[]): Promise<void>;
  links(jobs: readonly LinkJob[]): Promise<void>;
  /** Each through the queue of its lane. @param delaySeconds whole seconds, 0–900 */
  notices(jobs: readonly NoticeJob[], delaySeconds?: number): Promise<void>;
  /** Asks for another reconcile pass after so many whole seconds. */
  sweeps(delaySeconds: readonly number[]): Promise<void>;
}
