import type { DistrictSecret } from '../contracts/secret.ts';
import type { Vault } from './vault.ts';

/** The district's secret, and the vault made from it; cached for five minutes so that a rotated key takes hold by itself. */
export interface Secrets {
  district(): Promise<DistrictSecret>;
  vault(): Promise<Vault>;
}
