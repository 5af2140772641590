import type { Sketch } from '../domain/sketch.ts';

/**
 * What a matter is found again by. `phone`, `person` (name and phone) and `party` (somebody named, a car, a flat) mean one
 * person; `address`, `firm` and `place` (a road, else a grid) have matters of many people.
 */
export type HistoryKind = 'phone' | 'person' | 'party' | 'address' | 'firm' | 'place';

/** The key that sealed something was erased on purpose: its words are gone for good, which is no defect. */
export class KeyErased extends Error {
  override name = 'KeyErased';
}

/** Seals personal data and free words; hashes what must be found again without being kept readable. */
export interface Vault {
  /** AES-256-GCM with the current key: `<key id>.<base64>`. `context` is authenticated and must be given again to open. */
  seal(words: unknown, context: string): string;
  /** @throws KeyErased when its key is gone; another error when the context differs or a byte was changed: a defect. */
  open(sealed: string, context: string): unknown;
  /**
   * Keyed hash: equal inputs give equal hashes only under the same pepper. Of what a matter is found again by, for history, blanks and
   * case apart; of a link or a code exactly.
   */
  hash(kind: HistoryKind | 'link' | 'pin', value: string): string;
  /** A name that only we can read again: the same for the same text, url-safe, by a third and 22 characters longer. */
  veil(text: string): string;
  /** What was veiled; undefined: it is none of ours. */
  unveil(veiled: string): string | undefined;
  /** What is kept of a text to compare it with others (`sketch.ts`), keyed with the pepper. */
  sketch(text: string): Sketch;
}
