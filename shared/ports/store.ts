import type { Change } from '../domain/draft.ts';
import type { Incident, Instant } from '../domain/incident.ts';
import type { AttemptState, Notice } from '../domain/notice.ts';
import type { Reason } from '../domain/classification.ts';
import type { Correction } from '../domain/correction.ts';
import type { Past } from '../domain/repeats.ts';
import type { Member, Point } from '../domain/roster.ts';
import type { Rung } from '../domain/rung.ts';
import type { Line, StoredLine } from '../domain/trail.ts';
import type { Parked } from './workflow.ts';

/** What 110 told us: personal, sealed at rest, shown masked. `location` in WGS-84 degrees. */
export interface Content {
  callNo: string;
  calledAt: Instant;
  caller: { name: string; phone: string };
  address: string;
  location?: Point;
  content: string;
  categoryCode?: string;
  level?: string;
  linkedCallNo?: string;
  receivedAt: Instant;
}

/** Why these people: kept beside the row, because the row stays small. */
export interface Picks {
  picked: { id: string; reason: string }[];
  rejected: { id: string; reason: string }[];
  /** How the place was found. */
  how: string;
}

/** An incident as loaded: the row, and the token if a workflow waits. */
export interface Loaded {
  incident: Incident;
  parked?: Parked;
}

/** One attempt to bring a notice to a phone. `at`: when it reached its state. */
export interface NoticeRow {
  notice: Notice;
  state: AttemptState;
  /** How often a vendor was called. */
  attempts: number;
  /** The latest attempt's id, as the vendor got it. */
  attemptId?: string;
  vendorId?: string;
  /** When the latest attempt was begun. */
  sentAt?: Instant;
  trail: { seq: number; head: string };
}

/** What a step of delivery changes on a notice. Conditional on the state it was in. */
export interface NoticeStep {
  from: readonly AttemptState[];
  /** Only if the latest attempt is still this one. */
  attemptId?: string;
  to: AttemptState;
  at: Instant;
  set?: { attemptId?: string; vendorId?: string; sentAt?: Instant; attempts?: number };
  /** When the notice is owed again; absent: it is done with. */
  owedAt?: Instant;
  facts?: Record<string, string | number | boolean>;
}

/** What the history keeps of a report: nothing that names anybody, and no text. */
export type Kept = Omit<Past, 'at' | 'keys'>;

/** Things to write in the same transaction as a change. */
export interface Beside {
  picks?: Picks;
  reasons?: readonly Reason[];
  /** A further report of the same call number. */
  report?: Content;
  /** Under which keys the incident is found again, and what is kept there of it. */
  history?: { keys: readonly string[]; kept: Kept };
  /** A person said that it is something else. */
  correction?: Correction;
  /** A key that makes the request that caused this change repeatable. */
  idempotencyKey?: string;
}

/** Something written as owed that nobody has done yet. */
export type Owed =
  | { kind: 'report'; incidentId: string; since: Instant }
  | { kind: 'workflow'; incidentId: string; since: Instant }
  /** An incident that is over, with others joined to it that are not. */
  | { kind: 'joins'; incidentId: string; since: Instant }
  | { kind: 'notice'; owner: string; noticeId: string; since: Instant };

/** A signed message that could not be taken, kept for the desk. */
export interface Rejected {
  id: string;
  at: Instant;
  status: 400 | 413;
  /** Which fields and why; sentences without the values. */
  problems: string[];
  /** The raw message, at most its first 64 KB. */
  body: string;
  bytes: number;
}

/** All that lies under one incident. */
export interface Dossier {
  incident: Incident;
  content?: Content;
  reports: Content[];
  /** Lines of all chains. */
  lines: { stored: StoredLine; text?: string }[];
  picks?: Picks;
  reasons: Reason[];
  notices: NoticeRow[];
}

/** A category code of 110 or the province that no table turns into one of our categories. */
export interface UnknownCode {
  code: string;
  times: number;
  lastAt: Instant;
}

/** One page of a listing, newest first; `next` goes into `before`. */
export interface Page<T> {
  items: T[];
  next?: string;
}

/** Everything a district remembers. A change is committed together with its trail lines and notices, or not at all. */
export interface Store {
  /** A new incident with its content; or the incident that this call number already has. */
  create(
    incident: Incident,
    content: Content,
    lines: readonly Line[],
  ): Promise<{ created: boolean; incidentId: string }>;
  /** Strongly consistent. @throws when the row does not parse: a defect, never a 404. */
  load(id: string): Promise<Loaded | undefined>;
  /** Everything about an incident in one reading, for whoever shows it. Strongly consistent. */
  dossier(id: string): Promise<Dossier | undefined>;
  content(id: string): Promise<Content | undefined>;
  /** Latest content words of a person, to know a doubled note: the last lines of the trail. */
  lines(id: string): Promise<{ stored: StoredLine; text?: string }[]>;
  picks(id: string): Promise<Picks | undefined>;
  reasons(id: string): Promise<Reason[]>;
  reports(id: string): Promise<Content[]>;
  notices(owner: string): Promise<NoticeRow[]>;
  /** Was this request already carried out? */
  done(id: string, idempotencyKey: string): Promise<boolean>;
  /** Commits if the row still has the version the change was made from. False: reload and decide again. */
  commit(change: Change, beside?: Beside): Promise<boolean>;
  /** Commits two changes together or not at all; false: one of the rows has moved on. */
  commitBoth(first: Change, second: Change, beside?: Beside): Promise<boolean>;
  /** Incidents received since an instant with what was told, newest first, at most `limit`; eventually consistent. */
  recent(since: Instant, now: Instant, limit: number): Promise<{ incident: Incident; content: Content }[]>;
  /** The execution of this round is known to run. */
  workflowStarted(id: string, round: number): Promise<void>;
  notice(owner: string, id: string): Promise<NoticeRow | undefined>;
  /**
   * One step of delivery with its trail line. The row after it, ready for the next step; undefined: the notice was not in
   * one of the expected states, or somebody took a step since it was read.
   */
  step(owner: string, row: NoticeRow, step: NoticeStep): Promise<NoticeRow | undefined>;
  /** Finds a notice by the id of one of its attempts. */
  byAttempt(attemptId: string): Promise<{ owner: string; noticeId: string } | undefined>;
  /** Owed work written before this instant. */
  owed(before: Instant): Promise<Owed[]>;
  /** Open incidents whose next step was due before this instant. */
  overdue(before: Instant): Promise<{ incidentId: string; due: Instant }[]>;
  list(filter: {
    /** The listing begins here unless `before` says otherwise. */
    now: Instant;
    before?: string;
    state?: Incident['state'];
    member?: string;
    limit: number;
  }): Promise<Page<Incident>>;
  /**
   * Earlier incidents under a key (`phone:<keyed hash>`) since an instant, newest first, at most `limit`. `kept` is missing
   * when the key that sealed it was erased.
   */
  history(
    key: string,
    since: Instant,
    limit: number,
  ): Promise<{ incidentId: string; at: Instant; kept?: Kept }[]>;
  /** What people corrected in a month (`2026-11`, UTC), oldest first. Whose key was erased is left out. */
  corrections(month: string): Promise<Correction[]>;
  /** Keeps a rejected message and, with it, notices to the duty officer. */
  reject(rejected: Rejected, notices: readonly Notice[]): Promise<void>;
  rejected(before: string | undefined, limit: number): Promise<Page<Rejected>>;
  /** Adds one to a counter that expires, and gives its new value; limits floods. */
  tally(name: string, expires: Instant): Promise<number>;
  /** One more report with a category code that stands in no table. */
  countCode(code: string, at: Instant): Promise<void>;
  /** Codes that stood in no table when they came, the latest first, at most 100. */
  unknownCodes(): Promise<UnknownCode[]>;
  roster(): Promise<Member[]>;
  saveRoster(members: readonly Member[], at: Instant): Promise<void>;
  /** The feeder gave a sign of life. */
  beat(at: Instant): Promise<void>;
  lastBeat(): Promise<Instant | undefined>;
  /** Heads of the trails of incidents received in a month, for the daily export. */
  heads(month: string): Promise<{ incidentId: string; seq: number; head: string }[]>;
}

/** The partition that an incident's notices live in. */
export const ownerOf = (incidentId: string): string => `INC#${incidentId}`;
/** The partition of a rejected message's notices. */
export const REJECTS_OWNER = 'REJECTED';
/** Rung names in the row's `due`. */
export type Due = Partial<Record<Rung, Instant>>;
