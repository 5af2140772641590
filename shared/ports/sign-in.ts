/** Who holds a valid token: a person of the roster, or the desk (id of the duty officer, or `desk`). */
export interface Bearer {
  kind: 'member' | 'desk';
  id: string;
  /** A session from a link: only this incident, only on the device whose secret has this hash. */
  only?: { incident: string; device: string };
}

/** How people are known. A port, because AWS China has no user pools. */
export interface SignIn {
  /** Whose token is this? A token of another district is `wrong`. Never throws for a bad token. */
  who(token: string): Promise<Bearer | 'expired' | 'wrong'>;
}
