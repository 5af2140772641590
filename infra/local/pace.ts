/**
 * A sped-up clock would let a minute's promise pass while a function starts: what takes 0.2 s of computing would take 12 s
 * of the story at speed 60. So the clock runs fast only while nothing goes on, and as fast as life while something does.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from './clock.ts';

/** Longest stretch between two looks, virtual ms: so late may the clock learn that something has begun. */
const STRETCH_MS = 1_000;
/** A message that is retried later must not hold the day up, real ms. */
const LONGEST_HOLD_MS = 3_000;

/**
 * Lets the clock run at a speed above 1 as long as `settle` resolves at once, at 1 until it does.
 * @returns stops it; the clock goes on at its full speed.
 */
export function keepPace(
  clock: Pick<Clock, 'setSpeed'>,
  settle: () => Promise<void>,
  speed: number,
): () => void {
  const ended = new AbortController();
  const { signal } = ended;
  const stretch = Math.max(1, Math.floor(STRETCH_MS / speed));
  void (async () => {
    while (!signal.aborted) {
      clock.setSpeed(speed);
      await wait(stretch, undefined, { signal });
      clock.setSpeed(1);
      const held = new AbortController();
      const longest = wait(LONGEST_HOLD_MS, undefined, { signal: AbortSignal.any([signal, held.signal]) });
      await Promise.race([settle(), longest]).finally(() => held.abort());
    }
  })().catch(() => {
    // Stopped in the middle of a wait, or the system is gone: there is nothing left to pace.
    if (!signal.aborted) clock.setSpeed(speed);
  });
  return () => {
    if (signal.aborted) return;
    ended.abort();
    clock.setSpeed(speed);
  };
}
