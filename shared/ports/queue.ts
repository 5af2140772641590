/** A report to classify, by incident. */
export interface ReportJob {
  incidentId: string;
}
/** A notice to deliver: its owner's partition key and its id. */
export interface NoticeJob {
  owner: string;
  noticeId: string;
}

/** Hands work on at once. What is lost here is found again by reconcile, because it is also written as owed. */
export interface Queues {
  reports(jobs: readonly ReportJob[]): Promise<void>;
  /** @param delaySeconds whole seconds, 0–900 */
  notices(jobs: readonly NoticeJob[], delaySeconds?: number): Promise<void>;
  /** Asks for another reconcile pass after so many whole seconds. */
  sweeps(delaySeconds: readonly number[]): Promise<void>;
}
