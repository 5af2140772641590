import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { districtSecretSchema, type DistrictSecret } from '../contracts/secret.ts';
import type { Clock } from '../ports/clock.ts';
import type { Secrets } from '../ports/secrets.ts';
import type { Vault } from '../ports/vault.ts';
import { aesVault } from './vault.ts';

/** How long a read secret is used: a rotated key takes hold everywhere within this time. */
export const SECRET_CACHE_MS = 5 * 60_000;

/** JSON.parse quotes what it cannot read in its message, and messages are logged. */
const parsedJson = (text: string | undefined): unknown => {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return undefined;
  }
};

/** The district's secret from Secrets Manager, read once and again after five minutes. */
export const awsSecrets = (client: SecretsManagerClient, SecretId: string, clock: Clock): Secrets => {
  let held: { until: number; secret: DistrictSecret; vault: Vault } | undefined;
  const fresh = async () => {
    const now = clock.now().getTime();
    if (held && now < held.until && now >= held.until - SECRET_CACHE_MS) return held;
    const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId }));
    const parsed = districtSecretSchema.safeParse(parsedJson(SecretString));
    // The problem's path may be told, its value never.
    if (!parsed.success)
      throw new Error(
        `The district's secret is not complete: ${parsed.error.issues.map((i) => i.path.join('.') || 'all of it').join(', ')}. Run 'npm run secret -- init'.`,
      );
    held = { until: now + SECRET_CACHE_MS, secret: parsed.data, vault: aesVault(parsed.data) };
    return held;
  };
  return { district: async () => (await fresh()).secret, vault: async () => (await fresh()).vault };
};

/** A secret that is simply given, for tests and commands. */
export const givenSecrets = (secret: DistrictSecret): Secrets => ({
  district: async () => secret,
  vault: async () => aesVault(secret),
});
