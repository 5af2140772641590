import type { Instant } from '#shared/domain/incident.ts';
import type { Heard } from '#shared/domain/merge.ts';

/** So long a call is remembered as it was read, milliseconds: what the desk corrects meanwhile is compared anew after it. */
const REMEMBERED_MS = 60_000;
/** So many calls, the oldest reading goes first. */
const MOST = 500;

/**
 * Calls as they were told, kept by a warm environment: of a burst every call is the neighbour of two dozen others, and would be
 * read and opened for each of them. Only in memory.
 */
export class Overheard {
  readonly #calls = new Map<string, { heard: Heard; at: Instant }>();

  keep(id: string, heard: Heard, now: Instant): void {
    this.#calls.delete(id);
    this.#calls.set(id, { heard, at: now });
    for (const [oldest, { at }] of this.#calls) {
      // What is too old to be used is not held either: these are people's words.
      if (this.#calls.size <= MOST && Math.abs(now - at) < REMEMBERED_MS) return;
      this.#calls.delete(oldest);
    }
  }

  /** As it was read in the last minute; undefined: not read, or longer ago. */
  of(id: string, now: Instant): Heard | undefined {
    const call = this.#calls.get(id);
    return call && Math.abs(now - call.at) < REMEMBERED_MS ? call.heard : undefined;
  }
}
