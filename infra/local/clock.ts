// The one clock of the local cloud. Workflow timers, schedules and the functions' Date all read it, so that a story can
// jump an hour and a demo can run sixty times faster. Delays of queues too; their visibility stays on real time (rules.md §4).
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import * as z from 'zod';
import { troubleWith } from './disk.ts';
import { realNow, sharedNow, SHARED_BYTES, writeShared } from './shared-time.ts';

/** Longest single wait of a Node timer here; Node fires at once above 24.8 days, and a suspended laptop should notice soon. */
const LONGEST_NODE_TIMER_MS = 60_000;

/** A clock that can run faster than real time, stand still, and jump forward. All instants are epoch milliseconds. */
export interface Clock {
  /** Shared memory from which worker threads compute the same instant, see {@link sharedNow}. */
  readonly shared: SharedArrayBuffer;
  /** Virtual seconds per real second; 0 stands still. */
  readonly speed: number;
  /** The virtual instant, whole milliseconds. */
  now: () => number;
  /** Changes the speed from this instant on. @throws RangeError below 0 or not finite. */
  setSpeed(speed: number): void;
  /** Moves forward to an instant and runs every timer due by then, earliest first. @throws RangeError when it lies in the past. */
  jumpTo(instant: number): void;
  /** Runs `fire` once when the instant has come; returns the way to take it back. An instant of the past fires on the next turn. */
  at(instant: number, fire: () => void): () => void;
  /** The earliest instant something waits for. */
  nextDue(): number | undefined;
  /** Drops all timers. */
  stop(): void;
}

function checkedSpeed(wanted: number): number {
  if (!Number.isFinite(wanted) || wanted < 0)
    throw new RangeError(`The speed must be 0 or more, not ${wanted}.`);
  return wanted;
}

/**
 * Makes a clock.
 * @param options `at`: the virtual instant now (default: real time); `speed`: virtual seconds per real second (default 1).
 */
export function createClock(options: { at?: number; speed?: number } = {}): Clock {
  const shared = new SharedArrayBuffer(SHARED_BYTES);
  const now = sharedNow(shared);
  const timers = new Set<{ instant: number; fire: () => void }>();
  let nodeTimer: NodeJS.Timeout | undefined;

  const set = (virtual: number, speed: number) => writeShared(shared, virtual, speed);
  let rate = checkedSpeed(options.speed ?? 1);
  const speed = () => rate;
  const earliest = () => {
    let first: { instant: number; fire: () => void } | undefined;
    for (const timer of timers) if (first === undefined || timer.instant < first.instant) first = timer;
    return first;
  };
  const fireDue = () => {
    for (let timer = earliest(); timer && timer.instant <= now(); timer = earliest()) {
      timers.delete(timer);
      timer.fire();
    }
    arm();
  };
  const arm = () => {
    clearTimeout(nodeTimer);
    const first = earliest();
    if (!first) return;
    const left = first.instant - now();
    if (left > 0 && speed() === 0) return;
    const real = left <= 0 ? 0 : Math.ceil(left / speed());
    nodeTimer = setTimeout(fireDue, Math.min(real, LONGEST_NODE_TIMER_MS));
  };

  set(options.at ?? realNow(), rate);
  return {
    shared,
    now,
    get speed() {
      return speed();
    },
    setSpeed(wanted) {
      const instant = now();
      rate = checkedSpeed(wanted);
      set(instant, rate);
      arm();
    },
    jumpTo(instant) {
      if (instant < now())
        throw new RangeError(`The clock cannot go back to ${new Date(instant).toISOString()}.`);
      set(instant, speed());
      fireDue();
    },
    at(instant, fire) {
      const timer = { instant, fire };
      timers.add(timer);
      arm();
      return () => {
        if (timers.delete(timer)) arm();
      };
    },
    nextDue: () => earliest()?.instant,
    stop() {
      timers.clear();
      clearTimeout(nodeTimer);
    },
  };
}

/** How far ahead of the last write a sped-up clock may have run when the process is killed. */
const RESERVE_MS = 1_000;

/**
 * A running clock whose lead over real time is kept in a file, so that time never runs backwards after a sped-up run.
 * While it is faster than real time the file holds the lead of one second later: a killed process restarts a little ahead, never behind.
 * A write that fails later than at the start is said to `log`, and time goes on.
 * @returns the clock and `close`, which writes the exact lead.
 */
export function openClock(
  file: string,
  speed: number,
  log: (line: string) => void = () => {},
): { clock: Clock; close: () => void } {
  const clock = createClock({ at: realNow() + readLead(file), speed });
  // Somebody may slow the clock down for a moment: what counts is how far it can run until the next write.
  const fastest = () => Math.max(speed, clock.speed);
  const save = (reserve: number) => {
    const lead = clock.now() - realNow() + Math.max(0, fastest() - 1) * reserve;
    writeFileSync(`${file}.new`, JSON.stringify({ leadMs: Math.max(0, Math.ceil(lead)) }));
    renameSync(`${file}.new`, file);
  };
  const trouble = troubleWith(`The clock's lead over real time (${file})`, log);
  const trySave = (reserve: number) => {
    try {
      save(reserve);
      trouble.worked();
    } catch (error) {
      trouble.failed(error);
    }
  };
  save(2 * RESERVE_MS);
  const saver = setInterval(() => {
    if (fastest() !== 1) trySave(2 * RESERVE_MS);
  }, RESERVE_MS).unref();
  return {
    clock,
    close() {
      clearInterval(saver);
      trySave(0);
      clock.stop();
    },
  };
}

const leadSchema = z.object({ leadMs: z.number() });

function readLead(file: string): number {
  if (!existsSync(file)) return 0;
  const lead = leadSchema.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  if (!lead.success) throw new Error(`${file} holds no lead of the clock; remove it.`);
  return lead.data.leadMs;
}
