// How the clock's setting lies in shared memory. Its own file, and without imports: every worker thread loads it.

/** Size of the shared memory. */
export const SHARED_BYTES = 32;
// Layout: an Int32 sequence number (odd = being written), then three Float64.
const SEQUENCE = 0;
const VIRTUAL_BASE = 1;
const REAL_BASE = 2;
const SPEED = 3;

/** The system's own clock, taken before any worker replaces Date. */
export const realNow = Date.now.bind(Date);

/** Sets the virtual instant that is now, and how many virtual seconds a real one has. Only the clock's owner writes. */
export function writeShared(shared: SharedArrayBuffer, virtual: number, speed: number): void {
  const sequence = new Int32Array(shared);
  const cells = new Float64Array(shared);
  Atomics.add(sequence, SEQUENCE, 1);
  cells[VIRTUAL_BASE] = virtual;
  cells[REAL_BASE] = realNow();
  cells[SPEED] = speed;
  Atomics.add(sequence, SEQUENCE, 1);
}

/** Reads a clock through its shared memory; works in any thread. */
export function sharedNow(shared: SharedArrayBuffer): () => number {
  const sequence = new Int32Array(shared);
  const cells = new Float64Array(shared);
  return () => {
    for (;;) {
      const before = Atomics.load(sequence, SEQUENCE);
      const virtual = cells[VIRTUAL_BASE] ?? 0;
      const real = cells[REAL_BASE] ?? 0;
      const speed = cells[SPEED] ?? 1;
      // A writer was busy in between: read again rather than mix two settings.
      if (before % 2 === 0 && Atomics.load(sequence, SEQUENCE) === before) {
        return Math.floor(virtual + (realNow() - real) * speed);
      }
    }
  };
}
