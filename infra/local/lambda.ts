// The Lambda host: a pool of worker threads per function, each an execution environment that serves one event at a time.
import { randomUUID } from 'node:crypto';
import { appendFileSync, mkdirSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type EventLoopUtilization } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { build } from 'esbuild';
import type { Activity } from './activity.ts';
import type { Clock } from './clock.ts';
import { type Trouble, troubleWith } from './disk.ts';
import type { FunctionFailure, WorkerCall, WorkerReply, WorkerSettings } from './lambda-worker.ts';

/** A function of the template, resolved. */
export interface FunctionSettings {
  name: string;
  arn: string;
  /** Directory of the unpacked asset. */
  taskRoot: string;
  handler: string;
  timeoutMs: number;
  memoryMb: number;
  /** Its work waits in a queue, so that it yields the processor to those whose callers wait. */
  behind?: boolean;
  environment: Record<string, string>;
}

/** The function threw, died, ran out of time, or could not be loaded. Named as Lambda names it. */
export class FunctionError extends Error {
  override name = 'FunctionError';
  readonly errorType: string;
  readonly trace: string[];
  constructor({ errorType, errorMessage, trace }: FunctionFailure) {
    super(errorMessage);
    this.errorType = errorType;
    this.trace = trace;
  }
}

/** More calls wait than the function may hold; Lambda answers 429 and a gateway turns that into 503. */
export class TooManyRequests extends Error {
  override name = 'TooManyRequestsException';
}

/**
 * When an injected crash happens: before the code sees the event, after it has answered, before a named API call of it, or
 * at this moment to whoever is in the middle of a call.
 */
export type CrashAt = 'start' | 'end' | 'now' | { call: string };

/** Environments that a function gets as soon as calls wait: more of them than cores only take turns at computing. */
const WORKERS_AT_ONCE = Math.min(4, Math.max(2, availableParallelism()));
/** Further ones, for calls that wait for others (a vendor that does not answer) and leave the processor alone. */
const MOST_WORKERS = 10;
/** How often a queue of calls is looked at, and how busy its environments may be on average to get another one. */
const GROWTH_MS = 100;
const IDLE_ENOUGH = 0.5;
/**
 * Share of all cores that must have been idle for a further environment. On a busy machine environments wait for the
 * engines beside them, which looks idle; more of them would take from those engines what is left.
 */
const MACHINE_IDLE_ENOUGH = 0.25;
/** Calls that may wait for an environment. */
const MOST_WAITING = 2_000;

/** Nobody goes before somebody who waits for the answer himself. */
const FIRST = Infinity;

interface Call {
  requestId: string;
  event: string;
  /** Who goes first of those that wait: the higher one. */
  rank: number;
  resolve: (payload: string) => void;
  reject: (error: Error) => void;
}

interface Environment {
  id: string;
  worker: Worker;
  call?: Call;
  timer?: NodeJS.Timeout;
  /** Its load when last looked at. */
  looked?: EventLoopUtilization;
}

/**
 * Makes JavaScript of lambda-worker.ts. Node could run it as it is, but each thread would load its own type stripper,
 * which costs more than the rest of a thread's start.
 */
export async function buildWorker(directory: string): Promise<URL> {
  const outfile = join(directory, 'lambda-worker.mjs');
  const entry = join(import.meta.dirname, 'lambda-worker.ts');
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
  });
  return pathToFileURL(outfile);
}

/** Share of all cores that was idle since the last look of anybody here, or a moment before. */
const machineIdle = (() => {
  let last = { idle: 0, all: 0 };
  let share = 1;
  return (): number => {
    const times = cpus().map((core) => core.times);
    const idle = times.reduce((sum, time) => sum + time.idle, 0);
    const all = times.reduce((sum, t) => sum + t.user + t.nice + t.sys + t.irq + t.idle, 0);
    // Several functions ask at the same moment: between two ticks of the kernel's clock there is nothing to tell.
    if (all - last.all >= GROWTH_MS / 2) {
      share = (idle - last.idle) / (all - last.all);
      last = { idle, all };
    }
    return share;
  };
})();

/** What all functions share. */
export interface HostOptions {
  clock: Clock;
  /** What {@link buildWorker} made. */
  worker: URL;
  /** Directory of `<function>.log`. */
  logs: string;
  /** Directory where V8 keeps compiled bundles between starts. */
  compileCache: string;
  activity: Activity;
  /** Hears of every failure, one line each. */
  log: (line: string) => void;
}

/** Hosts all functions of one stack. */
export class LambdaHost {
  readonly #options: HostOptions;
  readonly #pools = new Map<string, Pool>();

  constructor(options: HostOptions) {
    this.#options = options;
    // New threads begin with so many megabytes for young objects: from V8's one megabyte a loading function is collected a dozen
    // times, a sixth of its start.
    setFlagsFromString('--min-semi-space-size=4');
    mkdirSync(options.logs, { recursive: true, mode: 0o700 });
    mkdirSync(options.compileCache, { recursive: true });
  }

  /** Adds a function. */
  add(settings: FunctionSettings): void {
    this.#pools.set(settings.arn, new Pool(settings, this.#options));
  }

  /** Resolves when every function has one environment, or has failed to load it. Without this the first call starts it, as in AWS. */
  async warm(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.warm()));
  }

  /**
   * Calls a function by its ARN (without version or alias) with a JSON text.
   * @param rank who goes first of those that wait: the higher one; without it before all that have one
   * @returns its answer as JSON text.
   * @throws FunctionError, TooManyRequests.
   */
  invoke(arn: string, event: string, rank = FIRST): Promise<string> {
    const pool = this.#pools.get(arn);
    if (!pool) return Promise.reject(new Error(`There is no function ${arn}.`));
    return pool.invoke(event, rank);
  }

  /** Resolves when no call of this rank or a higher one waits for an environment: work is better left in its queue until then. */
  async room(arn: string, rank: number): Promise<void> {
    await this.#pools.get(arn)?.room(rank);
  }

  /** The next `count` calls of a function die as a killed machine would. */
  injectCrash(arn: string, at: CrashAt, count: number): void {
    const pool = this.#pools.get(arn);
    if (!pool) throw new Error(`There is no function ${arn}.`);
    if (at === 'now') pool.strikeNow();
    else for (let i = 0; i < count; i += 1) pool.crashes.push(at);
  }

  /** Lets an injected crash strike before an API call; true when the caller is dead now and the call must not be done. */
  struckBefore(call: string, userAgent: string): boolean {
    if (!this.crashesWaiting) return false;
    for (const pool of this.#pools.values()) if (pool.struckBefore(call, userAgent)) return true;
    return false;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.stop()));
  }

  /** Is an injected crash still to strike? */
  get crashesWaiting(): boolean {
    for (const pool of this.#pools.values()) if (pool.crashes.length > 0) return true;
    return false;
  }
}

class Pool {
  readonly crashes: CrashAt[] = [];
  /** Settles when the first environment has loaded or failed. */
  readonly #loaded: Promise<void>;
  readonly #settings: FunctionSettings;
  readonly #options: HostOptions;
  readonly #logFile: string;
  readonly #logTrouble: Trouble;
  readonly #all = new Set<Environment>();
  readonly #idle: Environment[] = [];
  readonly #waiting: Call[] = [];
  #makingRoom: (() => void)[] = [];
  #loading = 0;
  #growth: NodeJS.Timeout | undefined;
  #started = 0;
  #stopped = false;
  #firstLoaded: () => void = () => {};

  constructor(settings: FunctionSettings, options: HostOptions) {
    this.#settings = settings;
    this.#options = options;
    this.#logFile = join(options.logs, `${settings.name}.log`);
    this.#logTrouble = troubleWith(`The log of ${settings.name}`, options.log);
    this.#loaded = new Promise((resolve) => (this.#firstLoaded = resolve));
  }

  async warm(): Promise<void> {
    if (this.#all.size === 0) this.#start();
    await this.#loaded;
  }

  async room(rank: number): Promise<void> {
    while (!this.#stopped && this.#waiting.some((call) => call.rank >= rank))
      await new Promise<void>((resolve) => this.#makingRoom.push(resolve));
  }

  invoke(event: string, rank: number): Promise<string> {
    if (this.#stopped) return Promise.reject(new TooManyRequests('The local cloud is stopping.'));
    if (this.#waiting.length >= MOST_WAITING) return Promise.reject(new TooManyRequests('Rate Exceeded.'));
    const end = this.#options.activity.begin();
    return new Promise<string>((resolve, reject) => {
      const behind = this.#waiting.findIndex((call) => call.rank < rank);
      const call = { requestId: randomUUID(), event, rank, resolve, reject };
      this.#waiting.splice(behind === -1 ? this.#waiting.length : behind, 0, call);
      this.#next();
    }).finally(end);
  }

  struckBefore(call: string, userAgent: string): boolean {
    const index = this.crashes.findIndex((crash) => typeof crash === 'object' && crash.call === call);
    if (index === -1) return false;
    const victim = [...this.#all].find((environment) => userAgent.includes(`app/${environment.id}`));
    if (!victim) return false;
    this.crashes.splice(index, 1);
    this.#kill(victim, {
      errorType: 'Runtime.ExitError',
      errorMessage: `Injected crash before ${call}`,
      trace: [],
    });
    return true;
  }

  strikeNow(): void {
    for (const environment of this.#all)
      if (environment.call)
        this.#kill(environment, {
          errorType: 'Runtime.ExitError',
          errorMessage: 'Injected crash in the middle of a call',
          trace: [],
        });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#growth);
    this.#firstLoaded();
    for (const call of this.#waiting.splice(0))
      call.reject(new TooManyRequests('The local cloud is stopping.'));
    this.#tellRoom();
    const all = [...this.#all];
    for (const environment of all) {
      this.#finish(environment)?.reject(new TooManyRequests('The local cloud is stopping.'));
    }
    await Promise.all(all.map(({ worker }) => worker.terminate()));
  }

  #next(): void {
    while (this.#waiting.length > 0) {
      const environment = this.#idle.pop();
      if (!environment) {
        // One at a time: a burst is served sooner by warm environments than by six cold ones fighting for two cores.
        // A batch is worked on by many hands within one environment, so that draining a queue needs one alone.
        const atOnce = this.#settings.behind === true ? 1 : WORKERS_AT_ONCE;
        if (this.#loading === 0 && this.#all.size < atOnce) this.#start();
        this.#watchQueue();
        return;
      }
      const call = this.#waiting.shift();
      if (call) this.#run(environment, call);
      this.#tellRoom();
    }
  }

  /** Fewer wait now: whoever has work for this function looks again. */
  #tellRoom(): void {
    for (const look of this.#makingRoom.splice(0)) look();
  }

  /** While calls wait: one more environment as long as those there are idle for the most part. */
  #watchQueue(): void {
    this.#growth ??= setTimeout(() => {
      this.#growth = undefined;
      if (this.#waiting.length === 0 || this.#stopped) return;
      const loads = [...this.#all].map((environment) => {
        const now = environment.worker.performance.eventLoopUtilization();
        const { utilization } = environment.worker.performance.eventLoopUtilization(now, environment.looked);
        environment.looked = now;
        return utilization;
      });
      const mean = loads.reduce((sum, load) => sum + load, 0) / loads.length;
      const wanted = this.#loading === 0 && this.#all.size < MOST_WORKERS && mean < IDLE_ENOUGH;
      if (wanted && machineIdle() >= MACHINE_IDLE_ENOUGH) this.#start();
      this.#watchQueue();
    }, GROWTH_MS);
  }

  #run(environment: Environment, call: Call): void {
    environment.call = call;
    if (this.#strikes('start')) {
      this.#kill(environment, {
        errorType: 'Runtime.ExitError',
        errorMessage: 'Injected crash at the start',
        trace: [],
      });
      return;
    }
    const { timeoutMs } = this.#settings;
    environment.timer = setTimeout(() => {
      const seconds = (timeoutMs / 1000).toFixed(2);
      const errorMessage = `${new Date().toISOString()} ${call.requestId} Task timed out after ${seconds} seconds`;
      this.#kill(environment, { errorType: 'Sandbox.Timedout', errorMessage, trace: [] });
    }, timeoutMs);
    const message: WorkerCall = {
      requestId: call.requestId,
      event: call.event,
      deadline: Date.now() + timeoutMs,
    };
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    environment.worker.postMessage(message);
  }

  #strikes(at: 'start' | 'end'): boolean {
    if (this.crashes[0] !== at) return false;
    this.crashes.shift();
    return true;
  }

  #start(): void {
    const { name, arn, taskRoot, handler, memoryMb, behind, environment: own } = this.#settings;
    this.#loading += 1;
    this.#started += 1;
    const id = `${name.slice(0, 40)}.${this.#started}`;
    const settings: WorkerSettings = {
      taskRoot,
      handler,
      behind: behind === true,
      clock: this.#options.clock.shared,
      logFile: this.#logFile,
      compileCache: this.#options.compileCache,
      context: {
        functionName: name,
        functionVersion: '1',
        invokedFunctionArn: arn,
        memoryLimitInMB: `${memoryMb}`,
        logGroupName: `/aws/lambda/${name}`,
      },
    };
    const worker = new Worker(this.#options.worker, {
      workerData: settings,
      name: id,
      execArgv: [],
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: memoryMb },
      env: {
        ...own,
        AWS_LAMBDA_FUNCTION_NAME: name,
        AWS_LAMBDA_FUNCTION_VERSION: '1',
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: `${memoryMb}`,
        LAMBDA_TASK_ROOT: taskRoot,
        _HANDLER: handler,
        // Goes into the SDK's user agent: so we know which environment an API call comes from.
        AWS_SDK_UA_APP_ID: id,
      },
    });
    const environment: Environment = { id, worker };
    this.#all.add(environment);
    for (const stream of [worker.stdout, worker.stderr])
      stream.on('data', (chunk: Buffer) => this.#write(chunk));
    worker.on('message', (reply: WorkerReply) => this.#hear(environment, reply));
    worker.on('error', (error) => {
      const trace = error instanceof Error ? (error.stack ?? '').split('\n') : [];
      this.#lose(environment, {
        errorType: 'Runtime.ExitError',
        errorMessage: `Runtime exited with error: ${String(error)}`,
        trace,
      });
    });
    worker.on('exit', (code) => {
      this.#lose(environment, {
        errorType: 'Runtime.ExitError',
        errorMessage: `Runtime exited with code ${code}`,
        trace: [],
      });
    });
    environment.timer = setTimeout(() => {
      this.#kill(environment, {
        errorType: 'Sandbox.Timedout',
        errorMessage: `${name} did not load within 10 seconds`,
        trace: [],
      });
    }, 10_000);
  }

  #hear(environment: Environment, reply: WorkerReply): void {
    if (!this.#all.has(environment)) return;
    if (reply.kind === 'ready') {
      clearTimeout(environment.timer);
      this.#loading -= 1;
      this.#firstLoaded();
      this.#idle.push(environment);
      this.#next();
      return;
    }
    if (reply.kind === 'error' && reply.phase === 'load') {
      this.#kill(environment, {
        ...reply.error,
        errorMessage: `${this.#settings.name} cannot be loaded: ${reply.error.errorMessage}`,
      });
      return;
    }
    if (this.#strikes('end')) {
      this.#kill(environment, {
        errorType: 'Runtime.ExitError',
        errorMessage: 'Injected crash at the end',
        trace: [],
      });
      return;
    }
    const call = this.#finish(environment);
    this.#idle.push(environment);
    if (reply.kind === 'result') call?.resolve(reply.payload);
    else call?.reject(new FunctionError(reply.error));
    this.#next();
  }

  #finish(environment: Environment): Call | undefined {
    clearTimeout(environment.timer);
    const { call } = environment;
    environment.call = undefined;
    return call;
  }

  /** A log that cannot be written must not end what it tells of. */
  #write(text: string | Buffer): void {
    try {
      appendFileSync(this.#logFile, text);
      this.#logTrouble.worked();
    } catch (error) {
      this.#logTrouble.failed(error);
    }
  }

  #kill(environment: Environment, failure: FunctionFailure): void {
    this.#lose(environment, failure);
    void environment.worker.terminate();
  }

  /** An environment is gone: its call fails; one that never got ready fails the first caller, as a failed init does. */
  #lose(environment: Environment, failure: FunctionFailure): void {
    if (!this.#all.delete(environment) || this.#stopped) return;
    const idle = this.#idle.indexOf(environment);
    if (idle !== -1) this.#idle.splice(idle, 1);
    const wasRunning = environment.call !== undefined;
    let call = this.#finish(environment);
    if (!wasRunning && idle === -1) {
      this.#loading -= 1;
      this.#firstLoaded();
      call = this.#waiting.shift();
      this.#tellRoom();
    }
    this.#write(`${JSON.stringify({ level: 'ERROR', ...failure })}\n`);
    this.#options.log(`${this.#settings.name}: ${failure.errorMessage}`);
    call?.reject(new FunctionError(failure));
    this.#next();
  }
}
