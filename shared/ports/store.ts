import type { Change } from '../domain/draft.ts';
import type { Incident, Instant } from '../domain/incident.ts';
import type { Attempt, AttemptState, Lane, Notice } from '../domain/notice.ts';
import type { Reason } from '../domain/classification.ts';
import type { Correction } from '../domain/correction.ts';
import type { Past } from '../domain/repeats.ts';
import type { Member, Point } from '../domain/roster.ts';
import type { Relay, RelayRow } from '../domain/relay.ts';
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

/** A notice as it stands, with every call of a vendor made for it. */
export interface NoticeRow {
  notice: Notice;
  /** Where the notice stands: where the furthest of its attempts does, or how it ended. */
  state: AttemptState;
  attempts: readonly Attempt[];
  /** A louder channel is left: a receipt alone does not end its delivery. */
  louder: boolean;
  /** Why nothing more will be tried; absent while something may be. */
  over?: string;
  /** When it is owed again; absent once it is done with. */
  owedAt?: Instant;
  /** Raised by every step: the optimistic lock. */
  version: number;
  trail: { seq: number; head: string };
}

/** What a step of delivery changes on a notice. Conditional on the version that was read. */
export interface NoticeStep {
  to: AttemptState;
  at: Instant;
  attempts?: readonly Attempt[];
  louder?: boolean;
  over?: string;
  /** When the notice is owed again; absent: it is done with; `same`: as before. */
  owedAt?: Instant | 'same';
  /** The trail line's facts; without them the step is not worth a line. */
  facts?: Record<string, string | number | boolean>;
  /** Counters to raise in the same transaction, each in its own small item. */
  counters?: readonly Counting[];
}

/** What the history keeps of a report: nothing that names anybody, and no text. */
export type Kept = Omit<Past, 'at' | 'keys'>;

/** Amounts to add to the counters of one name, which expire together. */
export interface Counting {
  name: string;
  add: Readonly<Record<string, number>>;
  expires: Instant;
  /** Only if nobody has raised this one of them since it was read; 0: it was not there. */
  was?: { key: string; n: number };
}

/** What a step of a message to the 110 centre changes. Without `owedAt` it is done with; `same`: owed as before. */
export type RelayStepped = Partial<Pick<RelayRow, 'state' | 'tries' | 'triedAt' | 'code' | 'deskTold'>> & {
  owedAt?: Instant | 'same';
};

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
  /** What the 110 centre has to be told of it. */
  relay?: Relay;
  /** A key that makes the request that caused this change repeatable. */
  idempotencyKey?: string;
}

/** Something written as owed that nobody has done yet. */
export type Owed =
  | { kind: 'report'; incidentId: string; since: Instant }
  | { kind: 'workflow'; incidentId: string; since: Instant }
  /** An incident that is over, with others joined to it that are not. */
  | { kind: 'joins'; incidentId: string; since: Instant }
  /** Or a message to the 110 centre, whose ids are told apart by `isRelay`. */
  | { kind: 'notice'; owner: string; noticeId: string; lane: Lane; since: Instant };

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
  /** Commits two changes, each with what is beside it, together or not at all; false: one of the rows has moved on. */
  commitBoth(first: Change, second: Change, beside?: Beside, besideSecond?: Beside): Promise<boolean>;
  /**
   * Ids of the incidents received within `reach` ms of an instant, newest first: at most `limit` up to it, and as many after
   * it, the nearest ones; eventually consistent.
   */
  around(at: Instant, reach: number, limit: number): Promise<string[]>;
  /**
   * Classified incidents with what was told, in the order asked for; without those that cannot be read or are not classified
   * yet. Eventually consistent.
   */
  told(ids: readonly string[]): Promise<{ incident: Incident; content: Content }[]>;
  /** The execution of this round is known to run. */
  workflowStarted(id: string, round: number): Promise<void>;
  notice(owner: string, id: string): Promise<NoticeRow | undefined>;
  /**
   * One step of delivery with its trail line. The row after it, ready for the next step; undefined: somebody took a step
   * since it was read, or raised a counter that had to stand as it was.
   */
  step(owner: string, row: NoticeRow, step: NoticeStep): Promise<NoticeRow | undefined>;
  /** What the 110 centre is owed, or was told, about an incident; strongly consistent. */
  relays(owner: string): Promise<RelayRow[]>;
  /** One step of a message to the 110 centre. The row after it; undefined: somebody took a step since it was read. */
  stepRelay(owner: string, row: RelayRow, step: RelayStepped): Promise<RelayRow | undefined>;
  /** Finds a notice by the id of one of its attempts. */
  byAttempt(attemptId: string): Promise<{ owner: string; noticeId: string } | undefined>;
  /** Owed work written before this instant. */
  owed(before: Instant): Promise<Owed[]>;
  /** Alerts that are owed now or later: what no vendor has brought to a phone yet, and what a louder channel may still follow. */
  openAlerts(): Promise<{ owner: string; row: NoticeRow }[]>;
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
  /** Notices that concern no incident, owned by `REJECTS_OWNER`; known ones are left as they are. */
  announce(notices: readonly Notice[]): Promise<void>;
  /** Adds one to a counter that expires, and gives its new value; limits floods. */
  tally(name: string, expires: Instant): Promise<number>;
  /** One more report with a category code that stands in no table. */
  countCode(code: string, at: Instant): Promise<void>;
  /** Codes that stood in no table when they came, the latest first, at most 100. */
  unknownCodes(): Promise<UnknownCode[]>;
  /** Raises counters. Lost only with the table. */
  count(counting: Counting): Promise<void>;
  /** The counters of a name; empty when nothing was counted. */
  counters(name: string): Promise<Record<string, number>>;
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
/** The incident of such a partition. */
export const incidentIdOf = (owner: string): string => owner.slice(ownerOf('').length);
/** The partition of a rejected message's notices. */
export const REJECTS_OWNER = 'REJECTED';
