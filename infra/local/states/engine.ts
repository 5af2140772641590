/**
 * A durable interpreter of Standard workflows in the JSONata dialect. One row per execution; a step is: load, evaluate,
 * write, and only then act on the world. After a crash every wait keeps its instant, every token stays good, and a call
 * whose answer was not written is made again, with the same arguments and token (at least once, like AWS's own retries).
 */
import { randomUUID } from 'node:crypto';
import {
  compileMachine,
  instant,
  longestSeconds,
  whole,
  type Machine,
  type State,
  type TaskState,
} from './definition.ts';
import { type Trouble, troubleWith } from '../disk.ts';
import { evaluate, type Scope, type Template } from './expression.ts';
import { IntegrationError, matches, StateFailure, StatesError, withinLimit } from './failure.ts';
import { historyLimit, tellHistory, type HistoryEvent, type StoredEvent } from './history.ts';
import { Store, WriteFailed, type ExecutionStatus, type Row } from './store.ts';
import { systemTimer, type Timer } from './timer.ts';
import { readToken, writeToken } from './token.ts';

/** A service the workflow may call, with the evaluated Arguments. `token` is there for `.waitForTaskToken`. Refusals are thrown as IntegrationError. */
export type Integration = (
  args: Record<string, unknown>,
  context: { token?: string; executionArn: string },
) => Promise<unknown>;

/** How an engine is set up. */
export interface StatesEngineOptions {
  /** SQLite file, or `:memory:`. */
  file: string;
  /** The clock, epoch ms; `$millis()`, waits and time-outs all follow it. */
  now: () => number;
  /** By resource: `lambda:invoke`, `aws-sdk:dynamodb:updateItem`. */
  integrations: Record<string, Integration>;
  /** Called when the number of steps in flight changed. */
  onActivity?: () => void;
  /** Default: Node's timers. `manualTimer` for a frozen clock that somebody else moves. */
  timer?: Timer;
  /** For jitter; default Math.random. */
  random?: () => number;
  /** Hears when the file cannot be written, and when it can be again. */
  log?: (line: string) => void;
}

/** What DescribeExecution tells; instants are epoch ms. */
export interface ExecutionDescription {
  executionArn: string;
  stateMachineArn: string;
  name: string;
  status: ExecutionStatus;
  startDate: number;
  stopDate?: number;
  input: string;
  output?: string;
  error?: string;
  cause?: string;
}

/** A failure that a test orders: the next `count` calls of that state or resource (or any) fail like this, uncalled. */
export interface InjectedFault {
  state?: string;
  /** `aws-sdk:dynamodb:updateItem`, without partition and suffix. */
  resource?: string;
  error: string;
  cause?: string;
  count: number;
}

/** Closed executions, and with them their names, are kept as long as AWS keeps them. */
const retention = 90 * 86_400_000;
const day = 86_400_000;
/** Real time between two tries of a file that could not be written. */
const recoveryMs = 1_000;

/** The engine. Everything that acknowledges a write returns a promise that waits for it to be durable. */
export class StatesEngine {
  readonly #store: Store;
  readonly #now: () => number;
  readonly #integrations: Record<string, Integration>;
  readonly #onActivity: () => void;
  readonly #timer: Timer;
  readonly #random: () => number;
  readonly #tokenKey: Buffer;
  readonly #machines = new Map<number, Machine>();
  /** Executions with a step in flight, and which step: an answer to any other step is stale. */
  readonly #busy = new Map<number, number>();
  readonly #faults: InjectedFault[] = [];
  #idlers: (() => void)[] = [];
  #cancelTimer: (() => void) | undefined;
  #armedFor = Infinity;
  #forgottenAt = -Infinity;
  /** The rows that steps in flight hold; those that were in hands when a write failed are none of them any more. */
  #live = new WeakSet<Row>();
  #recovery: NodeJS.Timeout | undefined;
  readonly #trouble: Trouble;
  #resumption: 'held' | 'ordered' | 'done' = 'held';
  #stopped = false;

  constructor(options: StatesEngineOptions) {
    this.#trouble = troubleWith(
      `The state of the workflows (${options.file})`,
      options.log ?? (() => undefined),
    );
    this.#store = new Store(options.file, {
      failed: (failure) => this.#writeFailed(failure),
      worked: () => this.#trouble.worked(),
    });
    this.#now = options.now;
    this.#integrations = options.integrations;
    this.#onActivity = options.onActivity ?? (() => undefined);
    this.#timer = options.timer ?? systemTimer(options.now);
    this.#random = options.random ?? Math.random;
    this.#tokenKey = this.#store.tokenKey();
  }

  /**
   * Creates a machine or, when its definition changed, a new revision. Running executions keep theirs. The first call
   * also takes up what a previous process left (see {@link resume}): whoever declares machines has the services ready.
   * @throws {StatesError} InvalidDefinition with a sentence naming state and field
   */
  async createStateMachine(machine: {
    arn: string;
    name: string;
    definition: string | object;
    /** asl-validator has passed this very definition before; it takes a second to load. */
    accepted?: boolean;
  }): Promise<void> {
    const { arn, name } = machine;
    if (!/^arn:[^:]+:states:[^:]*:[^:]*:stateMachine:[\w+=,.@-]{1,80}$/.test(arn)) {
      throw new StatesError('InvalidArn', `${arn} is no ARN of a state machine`);
    }
    const text =
      typeof machine.definition === 'string' ? machine.definition : JSON.stringify(machine.definition);
    if (this.#store.currentDefinition(arn)?.text !== text) {
      const definition = parse(text, 'InvalidDefinition', 'The definition');
      compileMachine(definition, (key) => this.#knows(key), { accepted: machine.accepted ?? false });
      this.#store.addDefinition(arn, name, text, this.#now());
    }
    this.resume();
    await this.#store.committed();
  }

  /**
   * Takes up, on the next turn of the event loop, the steps that a previous process left unfinished, and whatever came
   * due in between. Only once; later calls change nothing.
   */
  resume(): void {
    if (this.#resumption !== 'held' || this.#stopped) return;
    this.#resumption = 'ordered';
    setImmediate(() => this.#resume());
  }

  /**
   * Starts an execution; durable when the promise resolves. The same name with the same input while the first one runs
   * answers with the first one.
   */
  async startExecution(request: {
    stateMachineArn: string;
    name?: string;
    input?: string;
  }): Promise<{ executionArn: string; startDate: number }> {
    const { stateMachineArn, name = randomUUID(), input = '{}' } = request;
    const definition = this.#store.currentDefinition(stateMachineArn);
    if (definition === undefined) {
      throw new StatesError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${stateMachineArn}'`);
    }
    if (!/^[^\s<>{}[\]?*"#%\\^|~`$&,;:/\p{Cc}]{1,80}$/u.test(name)) {
      throw new StatesError('InvalidName', `Invalid Name: '${name}'`);
    }
    parse(input, 'InvalidExecutionInput', 'The input');
    if (Buffer.byteLength(input) > 262_144) {
      throw new StatesError('InvalidExecutionInput', 'The input is longer than 262144 bytes');
    }
    const at = this.#now();
    const arn = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
    this.#forgetOld(at);
    const existing = this.#store.byArn(arn);
    if (existing !== undefined) {
      if (existing.status !== 'RUNNING' || existing.input !== input) {
        throw new StatesError('ExecutionAlreadyExists', `Execution Already Exists: '${arn}'`);
      }
      await this.#store.committed();
      return { executionArn: arn, startDate: existing.startedAt };
    }
    const machine = this.#machine(definition.id);
    const expiresAt = machine.timeoutSeconds === undefined ? null : at + machine.timeoutSeconds * 1000;
    const row: Row = {
      id: 0,
      arn,
      machine: stateMachineArn,
      name,
      definition: definition.id,
      status: 'RUNNING',
      input,
      startedAt: at,
      expiresAt,
      state: machine.startAt,
      stateInput: input,
      variables: '{}',
      phase: 'enter',
      due: expiresAt,
      deadline: null,
      heartbeatAt: null,
      heartbeatSeconds: null,
      attempts: '[]',
      retryCount: 0,
      enteredAt: at,
      arguments: null,
      outcome: null,
      step: 1,
      tokenStep: null,
      events: 2,
      transitions: 1,
      output: null,
      error: null,
      cause: null,
      stoppedAt: null,
    };
    row.id = this.#store.add(row);
    this.#store.addHistory(row.id, 1, [
      event('ExecutionStarted', at, { input, inputDetails: { truncated: false } }),
      this.#entered(row, at),
    ]);
    this.#arm(row.due);
    this.#launch(row);
    await this.#store.committed();
    return { executionArn: arn, startDate: at };
  }

  /** @throws {StatesError} ExecutionDoesNotExist */
  describeExecution({ executionArn }: { executionArn: string }): ExecutionDescription {
    return describe(this.#execution(executionArn));
  }

  /** Newest first; `nextToken` continues where the last page ended. */
  listExecutions(request: {
    stateMachineArn: string;
    statusFilter?: ExecutionStatus;
    maxResults?: number;
    nextToken?: string;
  }): {
    executions: Omit<ExecutionDescription, 'input' | 'output' | 'error' | 'cause'>[];
    nextToken?: string;
  } {
    if (this.#store.currentDefinition(request.stateMachineArn) === undefined) {
      throw new StatesError(
        'StateMachineDoesNotExist',
        `State Machine Does Not Exist: '${request.stateMachineArn}'`,
      );
    }
    const limit = pageSize(request.maxResults);
    const offset = pageStart(request.nextToken);
    const rows = this.#store.list(request.stateMachineArn, request.statusFilter, limit + 1, offset);
    const executions = rows.slice(0, limit).map((row) => {
      const { input: _input, output: _output, error: _error, cause: _cause, ...rest } = describe(row);
      return rest;
    });
    return { executions, ...(rows.length > limit ? { nextToken: String(offset + limit) } : {}) };
  }

  /** What happened in an execution, with AWS's event types. */
  getExecutionHistory(request: {
    executionArn: string;
    maxResults?: number;
    nextToken?: string;
    reverseOrder?: boolean;
  }): { events: HistoryEvent[]; nextToken?: string } {
    const row = this.#execution(request.executionArn);
    const events = tellHistory(this.#store.history(row.id));
    if (request.reverseOrder === true) events.reverse();
    const limit = request.maxResults === undefined ? 1_000 : pageSize(request.maxResults);
    const start = pageStart(request.nextToken);
    return {
      events: events.slice(start, start + limit),
      ...(events.length > start + limit ? { nextToken: String(start + limit) } : {}),
    };
  }

  /** Ends an execution from outside; stopping a closed one changes nothing. */
  async stopExecution(request: {
    executionArn: string;
    error?: string;
    cause?: string;
  }): Promise<{ stopDate: number }> {
    const row = this.#execution(request.executionArn);
    const at = this.#now();
    if (row.status === 'RUNNING') {
      const error = request.error ?? null;
      const cause = request.cause ?? null;
      this.#close(row, 'ABORTED', at, { error, cause }, [
        event('ExecutionAborted', at, { error: error ?? undefined, cause: cause ?? undefined }),
      ]);
    }
    await this.#store.committed();
    return { stopDate: row.stoppedAt ?? at };
  }

  /**
   * The task behind a token succeeded; durable when the promise resolves.
   * @throws {StatesError} TaskTimedOut (closed), TaskDoesNotExist (never was), InvalidToken (no token), InvalidOutput
   */
  async sendTaskSuccess({ taskToken, output }: { taskToken: string; output: string }): Promise<void> {
    const row = this.#parked(taskToken);
    parse(output, 'InvalidOutput', 'The output');
    if (Buffer.byteLength(output) > 262_144)
      throw new StatesError('InvalidOutput', 'The output is longer than 262144 bytes');
    row.outcome = output;
    this.#park(row, 'done', [this.#taskEvent('TaskSucceeded', row, { output })]);
    this.#launch(row);
    await this.#store.committed();
  }

  /** The task behind a token failed with an error name that Retry and Catch understand. */
  async sendTaskFailure(request: { taskToken: string; error?: string; cause?: string }): Promise<void> {
    const row = this.#parked(request.taskToken);
    const { error = '', cause = '' } = request;
    row.outcome = JSON.stringify({ error, cause });
    this.#park(row, 'failed', [this.#taskEvent('TaskFailed', row, { error, cause })]);
    this.#launch(row);
    await this.#store.committed();
  }

  /** The task behind a token is alive: its heartbeat starts anew. */
  async sendTaskHeartbeat({ taskToken }: { taskToken: string }): Promise<void> {
    const row = this.#parked(taskToken);
    if (row.heartbeatSeconds !== null) {
      // Not a step: an answer of the running call stays good, so the counter must not move.
      row.heartbeatAt = this.#now() + row.heartbeatSeconds * 1000;
      row.due = dueOf(row);
      this.#store.save(row);
      this.#arm(row.due);
    }
    await this.#store.committed();
  }

  /** Nearest instant (epoch ms) at which something happens by itself. */
  nextDue(): number | undefined {
    return this.#store.nextDue();
  }

  /** Fires everything that is due at the clock's now: ends of waits, time-outs, heartbeats, retries. */
  tick(): void {
    if (this.#stopped) return;
    const now = this.#now();
    for (let rows = this.#store.due(now); rows.length > 0; rows = this.#store.due(now)) {
      for (const row of rows) this.#fire(row, now);
    }
    this.#arm(this.#store.nextDue() ?? null);
  }

  /** Resolves when no step is in flight and everything is durable. Parked executions do not count. */
  async idle(): Promise<void> {
    while (!this.#stopped && (this.inFlight > 0 || this.#store.pending)) {
      if (this.inFlight > 0) await new Promise<void>((resolve) => this.#idlers.push(resolve));
      else await this.#store.committed().catch(unlessFailedWrite);
    }
  }

  /** Steps in flight: evaluations and calls; a call that timed out is no longer counted. */
  get inFlight(): number {
    return this.#busy.size + (this.#resumption === 'ordered' ? 1 : 0);
  }

  /** Orders a failure, see InjectedFault. Several may be ordered; the first that fits is used up first. */
  injectFault(fault: InjectedFault): void {
    this.#faults.push({ ...fault });
  }

  /** Injected failures that have not struck yet. */
  get faultsWaiting(): number {
    return this.#faults.length;
  }

  /** State transitions as AWS bills them: entries of states and retries; of one execution, or of all stored. */
  transitions(executionArn?: string): number {
    return this.#store.transitions(executionArn);
  }

  /** Stops firing and closes the file. Answers of calls in flight are dropped; the next start makes those calls again. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#resumption = 'done';
    clearTimeout(this.#recovery);
    this.#cancelTimer?.();
    this.#busy.clear();
    this.#store.close();
    this.#changed();
  }

  #resume(): void {
    if (this.#stopped) return;
    this.#resumption = 'done';
    try {
      this.#forgetOld(this.#now());
      // First what came due while nobody was there: a call must not be repeated after its task's time-out.
      this.tick();
      for (const row of this.#store.unfinished()) if (!this.#busy.has(row.id)) this.#launch(row);
    } catch (thrown) {
      unlessFailedWrite(thrown); // which has ordered the next try
    }
    this.#changed();
  }

  /**
   * What was not written did not happen. As after a crash everything goes on from what the file holds, as soon as it
   * can be written again; until then nothing is acknowledged and no wait is lost.
   */
  #writeFailed(failure: WriteFailed): void {
    if (this.#stopped) return;
    this.#trouble.failed(failure);
    this.#live = new WeakSet();
    this.#busy.clear();
    this.#cancelTimer?.();
    this.#armedFor = Infinity;
    if (this.#resumption !== 'done') return;
    this.#resumption = 'ordered';
    this.#recovery = setTimeout(() => this.#resume(), recoveryMs);
  }

  #fire(row: Row, now: number): void {
    const deadline = row.deadline ?? Infinity;
    const heartbeatAt = row.heartbeatAt ?? Infinity;
    if (row.expiresAt !== null && row.expiresAt <= Math.min(deadline, heartbeatAt)) {
      this.#close(row, 'TIMED_OUT', now, { error: 'States.Timeout', cause: null }, [
        event('ExecutionTimedOut', now, { error: 'States.Timeout' }),
      ]);
      return;
    }
    if (row.phase === 'wait') {
      this.#park(row, 'waited', []);
    } else if (row.phase === 'retry') {
      this.#park(row, 'enter', []);
    } else {
      const error = heartbeatAt < deadline ? 'States.HeartbeatTimeout' : 'States.Timeout';
      row.outcome = JSON.stringify({ error, cause: '' });
      this.#park(row, 'failed', [this.#taskEvent('TaskTimedOut', row, { error })]);
    }
    this.#launch(row);
  }

  /** The running task behind a token. What is due at this very instant has already happened. */
  #parked(token: string): Row {
    const named = readToken(this.#tokenKey, token);
    if (named === undefined) throw new StatesError('InvalidToken', `Invalid Token: '${token.slice(0, 40)}'`);
    const row = named === 'forged' ? undefined : this.#store.byId(named.execution);
    if (named === 'forged' || row === undefined) {
      throw new StatesError(
        'TaskDoesNotExist',
        'Task Does Not Exist: no task was ever given this token here',
      );
    }
    const now = this.#now();
    const open =
      row.status === 'RUNNING' &&
      row.tokenStep === named.step &&
      (row.phase === 'task' || row.phase === 'token');
    if (open && row.due !== null && row.due <= now) this.#fire(row, now);
    else if (open) return row;
    throw new StatesError('TaskTimedOut', 'Task Timed Out: the task behind this token is already over');
  }

  /** Runs an execution until it parks or closes. */
  #launch(row: Row): void {
    this.#live.add(row);
    this.#busy.set(row.id, row.step);
    this.#onActivity();
    this.#drive(row).catch((thrown: unknown) => {
      if (thrown instanceof WriteFailed) return; // taken up again from the file
      // Neither a state's nor a service's failure but a defect of ours: hiding it would lose an execution silently.
      if (!this.#stopped)
        setImmediate(() => {
          throw thrown;
        });
    });
  }

  async #drive(row: Row): Promise<void> {
    while (this.#isCurrent(row)) {
      const state = this.#machine(row.definition).states.get(row.state);
      if (state === undefined) throw new Error(`No state "${row.state}" in the definition of ${row.arn}`);
      const parked = await this.#advance(row, state);
      if (parked && this.#isCurrent(row)) {
        this.#busy.delete(row.id);
        this.#changed();
      }
      if (parked) return;
    }
  }

  /** False for a continuation that a token, a time-out or a stop has overtaken. */
  #isCurrent(row: Row): boolean {
    return this.#live.has(row) && this.#busy.get(row.id) === row.step;
  }

  /** One step. True when the execution now waits for something, or is closed. */
  async #advance(row: Row, state: State): Promise<boolean> {
    switch (row.phase) {
      case 'enter':
        return this.#enter(row, state);
      case 'task':
        return this.#call(row, asTask(state));
      case 'done':
        return this.#leave(row, state, JSON.parse(row.outcome ?? 'null'));
      case 'waited':
        return this.#leave(row, state, undefined);
      case 'failed': {
        const { error, cause }: { error: string; cause: string } = JSON.parse(row.outcome ?? '{}');
        return this.#fail(row, state, new StateFailure(error, cause), []);
      }
      case 'token':
      case 'wait':
      case 'retry':
      case 'closed':
        break;
    }
    return true;
  }

  async #enter(row: Row, state: State): Promise<boolean> {
    const at = this.#now();
    const scope = this.#scope(row, at);
    try {
      switch (state.type) {
        case 'Task':
          return await this.#schedule(row, state, scope);
        case 'Wait': {
          const until = await waitUntil(state, scope);
          if (!this.#isCurrent(row)) return true;
          if (until <= at) return await this.#leave(row, state, undefined);
          row.deadline = until;
          this.#park(row, 'wait', []);
          return true;
        }
        case 'Choice': {
          for (const rule of state.rules) {
            const verdict = await evaluate(rule.condition, scope);
            if (typeof verdict !== 'boolean') {
              throw new StateFailure(
                'States.QueryEvaluationError',
                `A Condition of "${state.name}" is not a boolean`,
              );
            }
            if (verdict) return await this.#transit(row, state, rule, scope, scope.states.input, []);
          }
          if (state.otherwise === undefined) {
            throw new StateFailure(
              'States.NoChoiceMatched',
              `No rule of "${state.name}" matched and it has no Default`,
            );
          }
          return await this.#transit(row, state, state.otherwise, scope, scope.states.input, []);
        }
        case 'Pass':
        case 'Succeed':
          return await this.#leave(row, state, undefined);
        case 'Fail':
          break;
      }
      const error = await optionalText(state.error, scope);
      const cause = await optionalText(state.cause, scope);
      return this.#isCurrent(row) ? this.#abandon(row, at, error, cause, []) : true;
    } catch (thrown) {
      return this.#fail(row, state, asFailure(thrown), [this.#evaluationFailed(row, thrown)]);
    }
  }

  /** Evaluates a task's fields and writes down that it is about to be called. */
  async #schedule(row: Row, state: TaskState, scope: Scope): Promise<boolean> {
    const args = state.arguments === undefined ? {} : await evaluate(state.arguments, scope);
    if (typeof args !== 'object' || args === null || Array.isArray(args)) {
      throw new StateFailure('States.QueryEvaluationError', `The Arguments of "${state.name}" are no object`);
    }
    const timeout = await wholeSeconds(state.timeoutSeconds, scope, 1, 'TimeoutSeconds');
    const heartbeat = await wholeSeconds(state.heartbeatSeconds, scope, 1, 'HeartbeatSeconds');
    const json = withinLimit(JSON.stringify(args), `The arguments of "${state.name}"`);
    if (!this.#isCurrent(row)) return true;
    row.arguments = json;
    row.deadline = timeout === undefined ? null : scope.at + timeout * 1000;
    row.heartbeatSeconds = heartbeat ?? null;
    row.heartbeatAt = heartbeat === undefined ? null : scope.at + heartbeat * 1000;
    row.tokenStep = state.callback ? row.step + 1 : null;
    const region = row.arn.split(':')[3] ?? '';
    this.#park(row, 'task', [
      this.#taskEvent('TaskScheduled', row, {
        region,
        parameters: json,
        ...(timeout === undefined ? {} : { timeoutInSeconds: timeout }),
        ...(heartbeat === undefined ? {} : { heartbeatInSeconds: heartbeat }),
      }),
      this.#taskEvent('TaskStarted', row, {}),
    ]);
    return false;
  }

  async #call(row: Row, state: TaskState): Promise<boolean> {
    // The service must never hear of a task that a crash could still take back.
    await this.#store.committed();
    if (!this.#isCurrent(row)) return true;
    let result: unknown;
    try {
      this.#useFault(state);
      const integration = this.#integrations[state.key];
      if (integration === undefined) {
        throw new StateFailure('States.Runtime', `The integration "${state.key}" is not implemented here`);
      }
      const token =
        row.tokenStep === null ? {} : { token: writeToken(this.#tokenKey, row.id, row.tokenStep) };
      result = await integration(JSON.parse(row.arguments ?? '{}'), { executionArn: row.arn, ...token });
      withinLimit(JSON.stringify(result ?? null), `The result of "${state.name}"`);
    } catch (thrown) {
      if (!this.#isCurrent(row)) return true;
      const failure = asFailure(thrown);
      const type = state.callback ? 'TaskSubmitFailed' : 'TaskFailed';
      return this.#fail(row, state, failure, [
        this.#taskEvent(type, row, { error: failure.error, cause: failure.cause }),
      ]);
    }
    if (!this.#isCurrent(row)) return true;
    // A heartbeat may have come while the call was under way, written by somebody else's copy of this row.
    if (row.heartbeatSeconds !== null) row.heartbeatAt = this.#store.byId(row.id)?.heartbeatAt ?? null;
    const output = JSON.stringify(result ?? null);
    if (state.callback) {
      this.#park(row, 'token', [this.#taskEvent('TaskSubmitted', row, { output })]);
      return true;
    }
    return this.#leave(row, state, JSON.parse(output), [this.#taskEvent('TaskSucceeded', row, { output })]);
  }

  /** A state has its result: Assign and Output, then on. */
  async #leave(row: Row, state: State, result: unknown, before: StoredEvent[] = []): Promise<boolean> {
    if (state.type === 'Choice' || state.type === 'Fail')
      throw new Error(`A ${state.type} state has no result`);
    const scope = this.#scope(row, this.#now());
    if (state.type === 'Task') scope.states.result = result;
    try {
      return await this.#transit(
        row,
        state,
        state,
        scope,
        state.type === 'Task' ? result : scope.states.input,
        before,
      );
    } catch (thrown) {
      return this.#fail(row, state, asFailure(thrown), [...before, this.#evaluationFailed(row, thrown)]);
    }
  }

  /** Leaves a state along `way`. Assign and Output both see the old variables. */
  async #transit(
    row: Row,
    state: State,
    way: { next: string | undefined; assign: Template | undefined; output: Template | undefined },
    scope: Scope,
    otherwise: unknown,
    before: StoredEvent[],
  ): Promise<boolean> {
    const assigned = way.assign === undefined ? undefined : await evaluate(way.assign, scope);
    const output = way.output === undefined ? otherwise : await evaluate(way.output, scope);
    const json = withinLimit(JSON.stringify(output), `The output of "${state.name}"`);
    if (assigned !== undefined) withinLimit(JSON.stringify(assigned), `Assign of "${state.name}"`);
    if (!this.#isCurrent(row)) return true;
    const at = this.#now();
    if (assigned !== undefined) row.variables = JSON.stringify(Object.assign({}, scope.variables, assigned));
    const events = [...before, event(`${state.type}StateExited`, at, { name: state.name, output: json })];
    if (way.next === undefined) {
      this.#close(row, 'SUCCEEDED', at, { output: json }, [
        ...events,
        event('ExecutionSucceeded', at, { output: json }),
      ]);
      return true;
    }
    row.state = way.next;
    row.stateInput = json;
    row.attempts = '[]';
    row.retryCount = 0;
    row.enteredAt = at;
    row.transitions += 1;
    this.#park(row, 'enter', [...events, this.#entered(row, at)]);
    return false;
  }

  /** A state failed: Retry, then Catch, then the end. */
  async #fail(row: Row, state: State, failure: StateFailure, before: StoredEvent[]): Promise<boolean> {
    if (!this.#isCurrent(row)) return true;
    const at = this.#now();
    if (state.type !== 'Task') return this.#abandon(row, at, failure.error, failure.cause, before);
    const index = state.retry.findIndex((retrier) => matches(retrier.errorEquals, failure.error));
    const retrier = state.retry[index];
    const attempts: number[] = JSON.parse(row.attempts);
    const used = attempts[index] ?? 0;
    if (retrier !== undefined && used < retrier.maxAttempts) {
      for (let filled = attempts.length; filled <= index; filled += 1) attempts.push(0);
      attempts[index] = used + 1;
      row.attempts = JSON.stringify(attempts);
      row.retryCount += 1;
      row.transitions += 1;
      const seconds = Math.min(
        retrier.intervalSeconds * retrier.backoffRate ** used,
        retrier.maxDelaySeconds,
      );
      row.deadline = at + Math.max(1, Math.round(seconds * 1000 * (retrier.jitter ? this.#random() : 1)));
      this.#park(row, 'retry', before);
      return true;
    }
    const catcher = state.catch.find((candidate) => matches(candidate.errorEquals, failure.error));
    if (catcher === undefined) return this.#abandon(row, at, failure.error, failure.cause, before);
    const scope = this.#scope(row, at);
    scope.states.errorOutput = { Error: failure.error, Cause: failure.cause };
    try {
      return await this.#transit(row, state, catcher, scope, scope.states.errorOutput, before);
    } catch (thrown) {
      const second = asFailure(thrown);
      if (!this.#isCurrent(row)) return true;
      return this.#abandon(row, at, second.error, second.cause, [
        ...before,
        this.#evaluationFailed(row, thrown),
      ]);
    }
  }

  #abandon(row: Row, at: number, error: string | null, cause: string | null, before: StoredEvent[]): true {
    const details = { error: error ?? undefined, cause: cause ?? undefined };
    this.#close(row, 'FAILED', at, { error, cause }, [...before, event('ExecutionFailed', at, details)]);
    return true;
  }

  #close(
    row: Row,
    status: ExecutionStatus,
    at: number,
    end: { output?: string; error?: string | null; cause?: string | null },
    events: StoredEvent[],
  ): void {
    row.status = status;
    row.stoppedAt = at;
    row.output = end.output ?? null;
    row.error = end.error ?? null;
    row.cause = end.cause ?? null;
    this.#park(row, 'closed', events);
    this.#busy.delete(row.id);
    this.#changed();
  }

  /** Writes the next step of an execution: its phase, what it waits for, and the events that led here. */
  #park(row: Row, phase: Row['phase'], events: StoredEvent[]): void {
    row.phase = phase;
    row.step += 1;
    if (this.#busy.has(row.id)) this.#busy.set(row.id, row.step);
    if (phase !== 'task' && phase !== 'token') {
      row.heartbeatAt = null;
      row.heartbeatSeconds = null;
      row.tokenStep = null;
      row.arguments = null;
      if (phase !== 'wait' && phase !== 'retry') row.deadline = null;
    }
    if (phase !== 'done' && phase !== 'failed') row.outcome = null;
    row.due = dueOf(row);
    if (events.length > 0) {
      this.#store.addHistory(row.id, row.events + 1, events);
      row.events += events.length;
    }
    this.#store.save(row);
    this.#arm(row.due);
    if (row.events >= historyLimit && row.status === 'RUNNING') {
      const cause = `The execution reached the maximum number of history events (${historyLimit}).`;
      this.#abandon(row, this.#now(), 'States.Runtime', cause, []);
    }
  }

  #scope(row: Row, at: number): Scope {
    const parts = row.machine.split(':');
    const context = {
      Execution: {
        Id: row.arn,
        Name: row.name,
        StartTime: new Date(row.startedAt).toISOString(),
        get Input(): unknown {
          return JSON.parse(row.input);
        },
      },
      State: {
        Name: row.state,
        EnteredTime: new Date(row.enteredAt).toISOString(),
        RetryCount: row.retryCount,
      },
      StateMachine: { Id: row.machine, Name: parts[6] ?? '' },
      ...(row.phase === 'enter' && this.#waitsForToken(row)
        ? { Task: { Token: writeToken(this.#tokenKey, row.id, row.step + 1) } }
        : {}),
    };
    const variables: Record<string, unknown> = JSON.parse(row.variables);
    return { states: { input: JSON.parse(row.stateInput), context }, variables, at };
  }

  #waitsForToken(row: Row): boolean {
    const state = this.#machine(row.definition).states.get(row.state);
    return state?.type === 'Task' && state.callback;
  }

  #useFault(state: TaskState): void {
    const index = this.#faults.findIndex(
      (fault) => (fault.state ?? state.name) === state.name && (fault.resource ?? state.key) === state.key,
    );
    const fault = this.#faults[index];
    if (fault === undefined) return;
    fault.count -= 1;
    if (fault.count <= 0) this.#faults.splice(index, 1);
    throw new IntegrationError({
      error: fault.error,
      ...(fault.cause === undefined ? {} : { cause: fault.cause }),
    });
  }

  #machine(id: number): Machine {
    const known = this.#machines.get(id);
    if (known !== undefined) return known;
    const stored = this.#store.definition(id);
    if (stored === undefined) throw new Error(`No stored definition ${id}`);
    // It was accepted once; an integration that has gone since then fails the state that needs it, not the whole start.
    const machine = compileMachine(JSON.parse(stored.text), () => true, { accepted: true });
    this.#machines.set(id, machine);
    return machine;
  }

  #knows(key: string): boolean {
    return Object.hasOwn(this.#integrations, key);
  }

  #execution(arn: string): Row {
    const row = this.#store.byArn(arn);
    if (row === undefined)
      throw new StatesError('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);
    return row;
  }

  #forgetOld(now: number): void {
    if (now - this.#forgottenAt < day) return;
    this.#forgottenAt = now;
    this.#store.forget(now - retention);
  }

  #arm(at: number | null): void {
    if (at === null || at >= this.#armedFor || this.#stopped) return;
    this.#cancelTimer?.();
    this.#armedFor = at;
    this.#cancelTimer =
      this.#timer.schedule(at, () => {
        this.#armedFor = Infinity;
        try {
          this.tick();
        } catch (thrown) {
          unlessFailedWrite(thrown);
        }
      }) ?? undefined;
  }

  #changed(): void {
    this.#onActivity();
    if (this.inFlight > 0) return;
    const idlers = this.#idlers;
    this.#idlers = [];
    for (const resolve of idlers) resolve();
  }

  #entered(row: Row, at: number): StoredEvent {
    const state = this.#machine(row.definition).states.get(row.state);
    return event(`${state?.type ?? ''}StateEntered`, at, { name: row.state, input: row.stateInput });
  }

  #taskEvent(type: string, row: Row, details: Record<string, unknown>): StoredEvent {
    const state = asTask(this.#machine(row.definition).states.get(row.state));
    const service = state.key.split(':');
    const resource = `${service.at(-1) ?? ''}${state.callback ? '.waitForTaskToken' : ''}`;
    return event(type, this.#now(), { resourceType: service.slice(0, -1).join(':'), resource, ...details });
  }

  #evaluationFailed(row: Row, thrown: unknown): StoredEvent {
    const { error, cause } = asFailure(thrown);
    return event('EvaluationFailed', this.#now(), { error, cause, state: row.state });
  }
}

/** A failed write has been dealt with where it happened. */
function unlessFailedWrite(thrown: unknown): void {
  if (!(thrown instanceof WriteFailed)) throw thrown;
}

function asTask(state: State | undefined): TaskState {
  if (state?.type !== 'Task')
    throw new Error(`State "${state?.name ?? ''}" is no Task, yet a call of it is under way`);
  return state;
}

function event(type: string, at: number, details: Record<string, unknown>): StoredEvent {
  return { type, at, details };
}

function dueOf(row: Row): number | null {
  const parked =
    row.phase === 'wait' || row.phase === 'retry' || row.phase === 'task' || row.phase === 'token';
  const instants = [
    row.status === 'RUNNING' ? row.expiresAt : null,
    ...(parked ? [row.deadline, row.heartbeatAt] : []),
  ];
  const nearest = Math.min(...instants.map((at) => at ?? Infinity));
  return nearest === Infinity ? null : nearest;
}

async function waitUntil(state: State & { type: 'Wait' }, scope: Scope): Promise<number> {
  const seconds = await wholeSeconds(state.seconds, scope, 0, 'Seconds');
  if (seconds !== undefined) return scope.at + seconds * 1000;
  const timestamp = state.timestamp === undefined ? undefined : await evaluate(state.timestamp, scope);
  const until = instant(timestamp);
  if (until === undefined) {
    throw new StateFailure(
      'States.QueryEvaluationError',
      `Timestamp of "${state.name}" is no RFC 3339 instant`,
    );
  }
  return until;
}

async function wholeSeconds(
  template: Template | undefined,
  scope: Scope,
  least: number,
  field: string,
): Promise<number | undefined> {
  if (template === undefined) return undefined;
  const value = await evaluate(template, scope);
  if (whole(value, least, longestSeconds)) return value;
  throw new StateFailure(
    'States.QueryEvaluationError',
    `${field} is ${JSON.stringify(value)}: it must be a whole number from ${least} to ${longestSeconds}`,
  );
}

async function optionalText(template: Template | undefined, scope: Scope): Promise<string | null> {
  if (template === undefined) return null;
  const value = await evaluate(template, scope);
  if (typeof value === 'string') return value;
  throw new StateFailure('States.QueryEvaluationError', 'Error and Cause of a Fail state must be strings');
}

function asFailure(thrown: unknown): StateFailure {
  if (thrown instanceof StateFailure) return thrown;
  if (thrown instanceof IntegrationError) return new StateFailure(thrown.error, thrown.cause);
  // A defect in an integration. It may be caught and retried: an execution must not be lost to an unforeseen exception
  // of a local engine. The stack stays readable in the history.
  return new StateFailure(
    'States.TaskFailed',
    thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown),
  );
}

function describe(row: Row): ExecutionDescription {
  return {
    executionArn: row.arn,
    stateMachineArn: row.machine,
    name: row.name,
    status: row.status,
    startDate: row.startedAt,
    input: row.input,
    ...(row.stoppedAt === null ? {} : { stopDate: row.stoppedAt }),
    ...(row.output === null ? {} : { output: row.output }),
    ...(row.error === null ? {} : { error: row.error }),
    ...(row.cause === null ? {} : { cause: row.cause }),
  };
}

function parse(
  text: string,
  code: 'InvalidDefinition' | 'InvalidExecutionInput' | 'InvalidOutput',
  what: string,
): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new StatesError(code, `${what} is not JSON`);
  }
}

function pageSize(wanted: number | undefined): number {
  if (wanted === undefined || wanted === 0) return 100;
  if (whole(wanted, 1, 1_000)) return wanted;
  throw new StatesError('ValidationException', 'maxResults must be a whole number from 0 to 1000');
}

function pageStart(token: string | undefined): number {
  if (token === undefined) return 0;
  if (/^\d{1,9}$/.test(token)) return Number(token);
  throw new StatesError('InvalidToken', `Invalid Token: '${token}'`);
}
