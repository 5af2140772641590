// oxlint-disable typescript/no-unsafe-type-assertion -- node:sqlite knows no row types; every row here is of our own writing.
/**
 * The durable side of the interpreter: SQLite in WAL mode. A killed process loses nothing that was committed (only a
 * power cut could, which a development machine may). All writes of one turn of the event loop share one transaction, so
 * that hundreds of starts per second do not pay for hundreds of commits; whoever must not speak before his write is
 * durable waits for `committed()`.
 */
import { randomBytes } from 'node:crypto';
import { isDiskTrouble } from '../disk.ts';
import type { StoredEvent } from './history.ts';
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite';

/** AWS's words for how an execution stands. */
export type ExecutionStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';

/**
 * What happens next to a running execution. Parked, until `due`: wait, retry, token, and task (also until its call
 * returns). At once, and again after a restart: enter, task, done (a result came), failed (an error came), waited.
 */
export type Phase = 'enter' | 'task' | 'token' | 'wait' | 'retry' | 'done' | 'failed' | 'waited' | 'closed';

/** One execution. JSON columns stay text: most steps pass them on unread. Instants are epoch ms. */
export interface Row {
  id: number;
  arn: string;
  machine: string;
  name: string;
  definition: number;
  status: ExecutionStatus;
  input: string;
  startedAt: number;
  /** End of the machine's own time-out. */
  expiresAt: number | null;
  state: string;
  stateInput: string;
  variables: string;
  phase: Phase;
  /** Nearest of the waits below and expiresAt; what the timer looks at. */
  due: number | null;
  /** End of a Wait, a retry delay, or the task's time-out. */
  deadline: number | null;
  heartbeatAt: number | null;
  heartbeatSeconds: number | null;
  /** Attempts used per entry of Retry. */
  attempts: string;
  retryCount: number;
  enteredAt: number;
  /** Evaluated arguments of the running task, so that a restart repeats the very same call. */
  arguments: string | null;
  /** What done (a result) and failed ({ error, cause }) are about. */
  outcome: string | null;
  /** Grows with every step: a late answer to an earlier step is recognised and dropped. */
  step: number;
  /** The step whose token is out; older tokens are closed. */
  tokenStep: number | null;
  events: number;
  transitions: number;
  output: string | null;
  error: string | null;
  cause: string | null;
  stoppedAt: number | null;
}

const columns = [
  'arn',
  'machine',
  'name',
  'definition',
  'status',
  'input',
  'startedAt',
  'expiresAt',
  'state',
  'stateInput',
  'variables',
  'phase',
  'due',
  'deadline',
  'heartbeatAt',
  'heartbeatSeconds',
  'attempts',
  'retryCount',
  'enteredAt',
  'arguments',
  'outcome',
  'step',
  'tokenStep',
  'events',
  'transitions',
  'output',
  'error',
  'cause',
  'stoppedAt',
] as const satisfies readonly (keyof Row)[];

/** Written once at the start and never again. */
const fixed = new Set<keyof Row>(['arn', 'machine', 'name', 'definition', 'input', 'startedAt', 'expiresAt']);
const changing = columns.filter((column) => !fixed.has(column));

const schema = `
CREATE TABLE IF NOT EXISTS settings (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS definitions (
  id INTEGER PRIMARY KEY, machine TEXT NOT NULL, name TEXT NOT NULL, text TEXT NOT NULL, createdAt INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS definitionsByMachine ON definitions(machine, id);
CREATE TABLE IF NOT EXISTS executions (
  id INTEGER PRIMARY KEY, arn TEXT NOT NULL UNIQUE, machine TEXT NOT NULL, name TEXT NOT NULL,
  definition INTEGER NOT NULL, status TEXT NOT NULL, input TEXT NOT NULL, startedAt INTEGER NOT NULL,
  expiresAt INTEGER, state TEXT NOT NULL, stateInput TEXT NOT NULL, variables TEXT NOT NULL, phase TEXT NOT NULL,
  due INTEGER, deadline INTEGER, heartbeatAt INTEGER, heartbeatSeconds INTEGER, attempts TEXT NOT NULL,
  retryCount INTEGER NOT NULL, enteredAt INTEGER NOT NULL, arguments TEXT, outcome TEXT, step INTEGER NOT NULL,
  tokenStep INTEGER, events INTEGER NOT NULL, transitions INTEGER NOT NULL, output TEXT, error TEXT, cause TEXT,
  stoppedAt INTEGER);
CREATE INDEX IF NOT EXISTS executionsDue ON executions(due) WHERE due IS NOT NULL;
CREATE INDEX IF NOT EXISTS executionsStopped ON executions(stoppedAt) WHERE stoppedAt IS NOT NULL;
CREATE INDEX IF NOT EXISTS executionsByMachine ON executions(machine, startedAt);
CREATE TABLE IF NOT EXISTS history (
  execution INTEGER NOT NULL, first INTEGER NOT NULL, events TEXT NOT NULL, PRIMARY KEY (execution, first)) WITHOUT ROWID;
`;

/** A definition as stored; executions point to the one they were started with. */
export interface StoredDefinition {
  id: number;
  machine: string;
  name: string;
  text: string;
}

/** The disk took none of this turn's writes: it is as if none of them had been tried. */
export class WriteFailed extends Error {
  override name = 'WriteFailed';
}

/** Whoever writes through a store. */
export interface StoreListener {
  /** A turn's writes are undone: whatever memory made of them is void. */
  failed(failure: WriteFailed): void;
  /** A turn's writes are in the file. */
  worked(): void;
}

/** The tables of the interpreter. One process at a time (the data directory is locked by its owner). */
export class Store {
  readonly #db: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #update: StatementSync;
  readonly #byId: StatementSync;
  readonly #byArn: StatementSync;
  readonly #nextDue: StatementSync;
  readonly #allDue: StatementSync;
  readonly #addHistory: StatementSync;
  readonly #definitionById: StatementSync;
  readonly #definitionOf: StatementSync;
  #open = false;
  #closed = false;
  #commit: PromiseWithResolvers<void> | undefined;
  #after: (() => void)[] = [];
  #broken: Error | undefined;
  readonly #told: StoreListener;

  /**
   * @param file path of the SQLite file, or `:memory:`
   * @param told hears what becomes of the writes.
   */
  constructor(file: string, told: StoreListener) {
    const db = new DatabaseSync(file);
    this.#db = db;
    this.#told = told;
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000;');
    db.exec(schema);
    this.#insert = db.prepare(
      `INSERT INTO executions (${columns.join(', ')}) VALUES (${columns.map((column) => `:${column}`).join(', ')})`,
    );
    this.#update = db.prepare(
      `UPDATE executions SET ${changing.map((column) => `${column} = :${column}`).join(', ')} WHERE id = :id`,
    );
    this.#byId = db.prepare('SELECT * FROM executions WHERE id = ?');
    this.#byArn = db.prepare('SELECT * FROM executions WHERE arn = ?');
    this.#nextDue = db.prepare('SELECT MIN(due) AS due FROM executions WHERE due IS NOT NULL');
    this.#allDue = db.prepare('SELECT * FROM executions WHERE due <= ? ORDER BY due, id LIMIT 500');
    this.#addHistory = db.prepare('INSERT INTO history (execution, first, events) VALUES (?, ?, ?)');
    this.#definitionById = db.prepare('SELECT * FROM definitions WHERE id = ?');
    this.#definitionOf = db.prepare('SELECT * FROM definitions WHERE machine = ? ORDER BY id DESC LIMIT 1');
  }

  /** The key that signs tokens, made once per file: a token survives a restart and none can be guessed. */
  tokenKey(): Buffer {
    const found = this.#db.prepare("SELECT value FROM settings WHERE key = 'tokenKey'").get();
    if (found !== undefined) return Buffer.from(found['value'] as Uint8Array);
    const key = randomBytes(32);
    this.#db.prepare("INSERT INTO settings (key, value) VALUES ('tokenKey', ?)").run(key);
    return key;
  }

  /** Definition that a new execution of this machine gets. */
  currentDefinition(machine: string): StoredDefinition | undefined {
    return this.#definitionOf.get(machine) as StoredDefinition | undefined;
  }

  definition(id: number): StoredDefinition | undefined {
    return this.#definitionById.get(id) as StoredDefinition | undefined;
  }

  addDefinition(machine: string, name: string, text: string, at: number): void {
    this.#write(() =>
      this.#db
        .prepare('INSERT INTO definitions (machine, name, text, createdAt) VALUES (?, ?, ?, ?)')
        .run(machine, name, text, at),
    );
  }

  add(row: Omit<Row, 'id'>): number {
    return this.#write(() => Number(this.#insert.run(values(row, columns)).lastInsertRowid));
  }

  save(row: Row): void {
    this.#write(() => this.#update.run({ id: row.id, ...values(row, changing) }));
  }

  byId(id: number): Row | undefined {
    return this.#byId.get(id) as Row | undefined;
  }

  byArn(arn: string): Row | undefined {
    return this.#byArn.get(arn) as Row | undefined;
  }

  /** Executions of a machine, newest first. */
  list(machine: string, status: ExecutionStatus | undefined, limit: number, offset: number): Row[] {
    const rows = this.#db
      .prepare(
        `SELECT * FROM executions WHERE machine = :machine AND (:status IS NULL OR status = :status)
         ORDER BY startedAt DESC, id DESC LIMIT :limit OFFSET :offset`,
      )
      .all({ machine, status: status ?? null, limit, offset });
    return rows as unknown as Row[];
  }

  /** Executions that a restart must take up: those that were in the middle of a step. */
  unfinished(): Row[] {
    const rows = this.#db
      .prepare(
        "SELECT * FROM executions WHERE status = 'RUNNING' AND phase IN ('enter', 'task', 'done', 'failed', 'waited')",
      )
      .all();
    return rows as unknown as Row[];
  }

  nextDue(): number | undefined {
    return (this.#nextDue.get() as { due: number | null }).due ?? undefined;
  }

  /** Up to 500 executions whose instant has come, earliest first. */
  due(now: number): Row[] {
    return this.#allDue.all(now) as unknown as Row[];
  }

  /** Appends history events; `first` is the number of the first one. */
  addHistory(execution: number, first: number, events: readonly StoredEvent[]): void {
    this.#write(() => this.#addHistory.run(execution, first, JSON.stringify(events)));
  }

  history(execution: number): StoredEvent[] {
    const chunks = this.#db
      .prepare('SELECT events FROM history WHERE execution = ? ORDER BY first')
      .all(execution);
    return chunks.flatMap((chunk) => JSON.parse(chunk['events'] as string) as StoredEvent[]);
  }

  /** Billed transitions of one execution, or of all that are stored. */
  transitions(arn: string | undefined): number {
    const sum = this.#db
      .prepare('SELECT COALESCE(SUM(transitions), 0) AS n FROM executions WHERE :arn IS NULL OR arn = :arn')
      .get({ arn: arn ?? null });
    return sum?.['n'] as number;
  }

  /** Forgets executions closed before an instant. */
  forget(before: number): void {
    this.#write(() => {
      this.#db
        .prepare('DELETE FROM history WHERE execution IN (SELECT id FROM executions WHERE stoppedAt < ?)')
        .run(before);
      this.#db.prepare('DELETE FROM executions WHERE stoppedAt < ?').run(before);
    });
  }

  /** Resolves when everything written so far is durable. @throws WriteFailed when all of it is undone. */
  committed(): Promise<void> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    return this.#commit?.promise ?? Promise.resolve();
  }

  /** Calls back once everything written so far is durable: the world may only see what a crash cannot take back. */
  afterCommit(callback: () => void): void {
    if (this.#open) this.#after.push(callback);
    else queueMicrotask(callback);
  }

  get pending(): boolean {
    return this.#open;
  }

  /** Commits what is open and closes the file. */
  close(): void {
    if (this.#closed) return;
    this.#finish();
    this.#closed = true;
    this.#db.close();
  }

  /** @throws WriteFailed */
  #write<T>(work: () => T): T {
    try {
      this.#begin();
      return work();
    } catch (thrown) {
      if (!isDiskTrouble(thrown)) throw thrown;
      throw this.#undo(thrown);
    }
  }

  /** SQLite may have undone the transaction by itself already, and other writes of this turn with it: so all goes. */
  #undo(thrown: unknown): WriteFailed {
    const failure = new WriteFailed(thrown instanceof Error ? thrown.message : String(thrown));
    const commit = this.#commit;
    this.#open = false;
    this.#commit = undefined;
    this.#after = [];
    if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
    commit?.reject(failure);
    this.#told.failed(failure);
    return failure;
  }

  #begin(): void {
    if (this.#broken !== undefined) throw this.#broken;
    if (this.#open) return;
    this.#db.exec('BEGIN IMMEDIATE');
    this.#open = true;
    this.#commit = Promise.withResolvers();
    // Nobody may be waiting; a failed commit is still thrown in #finish.
    this.#commit.promise.catch(() => undefined);
    setImmediate(() => this.#finish());
  }

  #finish(): void {
    if (!this.#open || this.#closed) return;
    const commit = this.#commit;
    const after = this.#after;
    try {
      this.#db.exec('COMMIT');
      this.#open = false;
      this.#commit = undefined;
      this.#after = [];
    } catch (thrown) {
      if (isDiskTrouble(thrown)) return void this.#undo(thrown);
      this.#open = false;
      // Memory and file no longer agree: nothing may be acknowledged any more, and the process must not go on.
      this.#broken = thrown instanceof Error ? thrown : new Error(String(thrown));
      commit?.reject(this.#broken);
      throw this.#broken;
    }
    this.#told.worked();
    commit?.resolve();
    for (const callback of after) callback();
  }
}

function values(row: Partial<Row>, names: readonly (keyof Row)[]): Record<string, SQLInputValue> {
  const picked: Record<string, SQLInputValue> = {};
  for (const name of names) picked[name] = (row[name] ?? null) as SQLOutputValue;
  return picked;
}
