/** How the engine is woken. A virtual clock with a speed factor plugs in its own. */
export interface Timer {
  /**
   * Calls `wake` when the engine's clock reaches `at` (epoch ms of that clock). Too early is harmless (the engine looks
   * at its clock and asks again), never is not. May return a function that cancels.
   */
  schedule(at: number, wake: () => void): (() => void) | void;
}

/** Node's timers hold 24.8 days; a longer delay would fire at once. A shorter cap also follows a corrected clock. */
const longestDelay = 60_000;

/** Real time: one Node timer, capped, for a clock that runs at the machine's speed. */
export function systemTimer(now: () => number): Timer {
  return {
    schedule(at, wake) {
      const timeout = setTimeout(wake, Math.min(Math.max(at - now(), 0), longestDelay));
      return () => clearTimeout(timeout);
    },
  };
}

/** A clock that only moves when somebody moves it: whoever moves it calls `tick()`. */
export const manualTimer: Timer = { schedule: () => undefined };
