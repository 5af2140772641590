import type { Instant } from '../domain/incident.ts';

/** Something small that is remembered beside the incidents: a decision, a list of codes, where a link leads. */
export interface Memo {
  /** Never a name, a number or words of a caller: what stands here is not sealed. */
  value: unknown;
  /** Raised by every writing, from 1: the optimistic lock. */
  version: number;
}

/** Remembers small things by name, most of them for a time only. */
export interface Memos {
  /** Strongly consistent. Undefined: never written, or its time is over at `now`. */
  read(name: string, now: Instant): Promise<Memo | undefined>;
  /**
   * Writes if the memo still has the version that was read; 0: if there is none at `now`. `expires`: undefined for ever.
   * False: somebody else has written it.
   */
  write(name: string, memo: Memo & { expires?: Instant }, now: Instant): Promise<boolean>;
}
