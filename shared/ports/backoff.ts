/** Waits before trying again; chance and real time are kept out of the rules by it. `attempt` counts from 1. */
export type Backoff = (attempt: number) => Promise<void>;
