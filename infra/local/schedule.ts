// Schedules (AWS::Events::Rule with rate(...)) on the virtual clock.
import type { Clock } from './clock.ts';

const UNITS: Record<string, number> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/**
 * The period of a `rate(…)` expression in milliseconds.
 * @throws Error for anything else, cron among it.
 */
export function periodOf(expression: string): number {
  const [, amount = '', unit = ''] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  const period = Number(amount) * (UNITS[unit] ?? 0);
  if (period === 0) throw new Error(`The local cloud runs rate(…) schedules only, not ${expression}.`);
  return period;
}

/**
 * A sped-up clock must not turn a minute's work into a thousand a second: beats that would come closer together than this
 * in real time are left out. Four beats in a real second are as many as a machine with other work to do can serve.
 */
const LEAST_REAL_MS = 250;

/** A running schedule. */
export interface Schedule {
  /** When it fires next. */
  readonly next: number;
  /** Leaves out every firing up to and including this instant. */
  skipTo(instant: number): void;
  stop(): void;
}

/**
 * Fires at every whole multiple of the period since 1970, so that a restart keeps the beat. A clock that jumps over
 * several of them fires once, with the instant that was due last.
 */
export function startSchedule(clock: Clock, period: number, fire: (due: number) => void): Schedule {
  let next = after(clock.now());
  let cancel = arm();

  function after(instant: number): number {
    return (Math.floor(instant / period) + 1) * period;
  }
  function arm(): () => void {
    return clock.at(next, () => {
      const now = clock.now();
      const due = after(now) - period;
      next = after(now + Math.max(0, LEAST_REAL_MS * clock.speed - period));
      cancel = arm();
      fire(due);
    });
  }
  return {
    get next() {
      return next;
    },
    skipTo(instant) {
      cancel();
      next = Math.max(next, after(instant));
      cancel = arm();
    },
    stop: () => cancel(),
  };
}
