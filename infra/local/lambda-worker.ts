// Runs inside a worker thread: one Lambda execution environment. Loads the bundle once, then takes one event at a time.
import { existsSync, openSync, readlinkSync, writeSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { formatWithOptions } from 'node:util';
import { parentPort, workerData } from 'node:worker_threads';
import { realNow, sharedNow } from './shared-time.ts';

/** What a worker is started with. */
export interface WorkerSettings {
  taskRoot: string;
  /** `file.export`, as in the template. */
  handler: string;
  /** It yields the processor to other functions. */
  behind: boolean;
  clock: SharedArrayBuffer;
  logFile: string;
  compileCache: string;
  context: {
    functionName: string;
    functionVersion: string;
    invokedFunctionArn: string;
    memoryLimitInMB: string;
    logGroupName: string;
  };
}

/** Main thread to worker: one event. `deadline` is in real epoch milliseconds. */
export interface WorkerCall {
  requestId: string;
  event: string;
  deadline: number;
}

/** Worker to main thread. */
export type WorkerReply =
  | { kind: 'ready' }
  | { kind: 'result'; payload: string }
  | { kind: 'error'; phase: 'load' | 'invoke'; error: FunctionFailure };

/** An error as Lambda reports it. */
export interface FunctionFailure {
  errorType: string;
  errorMessage: string;
  trace: string[];
}

/** Niceness of who yields: a third of the processor that an equal would get. */
const BEHIND = 5;

type Handler = (event: unknown, context: object) => unknown;

const port = parentPort;
if (!port) throw new Error('lambda-worker.ts runs in a worker thread only.');
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- lambda.ts puts it there, typed
const settings = workerData as WorkerSettings;

shiftDate(sharedNow(settings.clock));
captureConsole();
if (settings.behind) yieldToOthers();
enableCompileCache(settings.compileCache);

try {
  const handler = await load();
  port.on('message', (call: WorkerCall) => void answer(handler, call));
  reply({ kind: 'ready' });
} catch (error) {
  reply({ kind: 'error', phase: 'load', error: failure(error) });
}

/**
 * Where Linux schedules threads by themselves: two cores then answer 110 and the members before they work off queues.
 * Elsewhere, and where it is forbidden, all threads are equal.
 */
function yieldToOthers(): void {
  try {
    setPriority(Number(readlinkSync('/proc/thread-self').split('/').at(-1)), BEHIND);
  } catch {
    // Only slower under load.
  }
}

function reply(message: WorkerReply): void {
  port?.postMessage(message);
}

async function load(): Promise<Handler> {
  const dot = settings.handler.lastIndexOf('.');
  const [file, name] = [settings.handler.slice(0, dot), settings.handler.slice(dot + 1)];
  const path = ['mjs', 'js', 'cjs']
    .map((ending) => join(settings.taskRoot, `${file}.${ending}`))
    .find((path) => existsSync(path));
  if (path === undefined) throw new Error(`Cannot find module ${file} in ${settings.taskRoot}`);
  const module: unknown = await import(pathToFileURL(path).href);
  const handler: unknown =
    typeof module === 'object' && module !== null ? Reflect.get(module, name) : undefined;
  if (typeof handler !== 'function') throw new Error(`${settings.handler} is undefined or not exported`);
  return (event, context) => Reflect.apply(handler, undefined, [event, context]) as unknown;
}

async function answer(handler: Handler, call: WorkerCall): Promise<void> {
  const context = {
    ...settings.context,
    awsRequestId: call.requestId,
    logStreamName: 'local',
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, call.deadline - realNow()),
  };
  try {
    const result = await handler(JSON.parse(call.event), context);
    reply({ kind: 'result', payload: JSON.stringify(result) ?? 'null' });
  } catch (error) {
    const told = failure(error);
    console.error(JSON.stringify({ level: 'ERROR', requestId: call.requestId, ...told }));
    reply({ kind: 'error', phase: 'invoke', error: told });
  }
}

function failure(error: unknown): FunctionFailure {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] };
  return { errorType: error.name, errorMessage: error.message, trace: (error.stack ?? '').split('\n') };
}

/** `new Date()`, `Date.now()` and `Date()` tell the virtual instant; a Date made from arguments is what it always was. */
function shiftDate(now: () => number): void {
  const RealDate = Date;
  const ShiftedDate = function (this: unknown, ...given: unknown[]): unknown {
    if (!new.target) return new RealDate(now()).toString();
    return Reflect.construct(RealDate, given.length === 0 ? [now()] : given, new.target);
  };
  Object.setPrototypeOf(ShiftedDate, RealDate); // parse, UTC
  Object.defineProperty(ShiftedDate, 'prototype', { value: RealDate.prototype, writable: false });
  Object.defineProperty(ShiftedDate, 'name', { value: 'Date' });
  Object.defineProperty(ShiftedDate, 'length', { value: RealDate.length });
  Object.defineProperty(ShiftedDate, 'now', { value: now, writable: true, configurable: true });
  Object.defineProperty(RealDate.prototype, 'constructor', {
    value: ShiftedDate,
    writable: true,
    configurable: true,
  });
  Object.defineProperty(globalThis, 'Date', { value: ShiftedDate, writable: true, configurable: true });
}

/** Writes console lines straight to the function's log: through the main thread's streams they would cost it a turn each. */
function captureConsole(): void {
  let file: number | undefined;
  const line = (...parts: unknown[]) => {
    try {
      file ??= openSync(settings.logFile, 'a', 0o600);
      writeSync(file, `${formatWithOptions({ colors: false }, ...parts)}\n`);
    } catch {
      // A full disk must cost the line only and not the call: CloudWatch takes none of them down either.
    }
  };
  for (const level of ['log', 'info', 'debug', 'warn', 'error', 'trace'] as const) console[level] = line;
}
