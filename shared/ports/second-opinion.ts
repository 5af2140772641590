import type { Opinion } from '../domain/opinion.ts';

/** What a second opinion is asked about. Nothing in it names anybody. */
export interface Question {
  /** Masked words of the caller. */
  text: string;
  /** What there is to choose from. */
  categories: readonly { id: string; name: string }[];
}

/**
 * What came of asking. `late`: no answer in time; `unreadable`: an answer that is none of those allowed; `refused`: the
 * service said no; `failed`: it could not be reached.
 */
export type Answered =
  { kind: 'opinion'; opinion: Opinion } | { kind: 'late' | 'unreadable' | 'refused' | 'failed' };

/** Somebody else's opinion on a call, asked for after dispatch. Never throws: no opinion is the normal case. */
export interface SecondOpinion {
  ask(question: Question): Promise<Answered>;
}
