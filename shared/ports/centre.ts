/** One message to the 110 centre, worded. `id`: stays the same however often it is sent. */
export interface ForCentre {
  id: string;
  body: string;
}

/**
 * What came of a try. `acknowledged`: an answer 2xx that names our id, so that no page of something in between passes for one.
 * Anything else, in a word without personal data: it is tried again, because a repeat is known by its id.
 */
export type CentreAnswer = { kind: 'acknowledged' } | { kind: 'not'; code: string };

/** The 110 centre as we report back to it. Never rejects. */
export interface Centre {
  tell(message: ForCentre): Promise<CentreAnswer>;
}
