/** Seals personal data and free words; hashes what must be found again without being kept readable. */
export interface Vault {
  /** AES-256-GCM with the current key: `<key id>.<base64>`. `context` is authenticated and must be given again to open. */
  seal(words: unknown, context: string): string;
  /** @throws when the key was erased, the context differs or a byte was changed. */
  open(sealed: string, context: string): unknown;
  /** Keyed hash of a phone, name or address, for history: equal inputs give equal hashes only under the same pepper. */
  hash(kind: 'phone' | 'person' | 'address', value: string): string;
}
