/** A log line is a code and a sentence with small facts; never a name, number, address or words of a caller. */
export interface Log {
  info(code: string, facts?: Record<string, string | number | boolean>): void;
  /** Something that a person has to look at. */
  error(code: string, error: unknown, facts?: Record<string, string | number | boolean>): void;
  /** Counts something that an alarm or a dashboard watches. Unit: count. `facts` stand in the same line. */
  count(metric: Metric, n?: number, facts?: Record<string, string>): void;
}

/** Metrics of the duty room, each watched by an alarm or shown on the dashboard. */
export type Metric =
  | 'Received'
  | 'Rejected'
  | 'Unsigned'
  | 'Unanswered'
  | 'NagsOver'
  | 'Returned'
  | 'Triage'
  | 'Corrected'
  | 'DangerAfterNonPolice'
  | 'Breach'
  | 'NoticeFailed'
  | 'NoticeDoubled'
  | 'NoticeExpired'
  | 'Unreached'
  | 'VendorTrouble'
  | 'VendorSwitched'
  | 'VendorBack'
  | 'Rerouted'
  | 'VendorUnpaid'
  | 'BudgetLow'
  | 'ChatterStopped'
  | 'ReceiptUnknown'
  | 'WorkflowLost'
  | 'TokenLate'
  | 'RestoredByReconcile'
  | 'CentreSilent'
  | 'FeederSilent'
  | 'Repeat'
  | 'Joined'
  | 'Parted'
  | 'MergeProposed'
  | 'CodeUnknown'
  | 'OpinionHeard'
  | 'OpinionMissing';
