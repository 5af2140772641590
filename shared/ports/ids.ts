/** Where chance comes from. A port, so that a test can foresee every id. */
export type Ids = {
  /** A ULID: 26 characters, sorted by the time of its making. Names incidents, notices and attempts. */
  ulid(): string;
  /** Unguessable and never the same twice; what a vendor's signature asks for (`x-acs-signature-nonce`). */
  nonce(): string;
};
