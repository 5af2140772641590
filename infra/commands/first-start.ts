/** What a street office needs before its first call, on one machine: a secret, a sample roster, tokens for its people. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { dynamoTable } from '#shared/adapters/dynamo-table.ts';
import { newDistrictSecret, type VendorAccounts } from '#shared/adapters/new-district-secret.ts';
import { parseRoster } from '#shared/adapters/roster-csv.ts';
import { givenSecrets } from '#shared/adapters/secrets.ts';
import { tableStore } from '#shared/adapters/store.ts';
import { issueToken } from '#shared/adapters/tokens.ts';
import type { DistrictSecret } from '#shared/contracts/secret.ts';
import { districtSecretSchema } from '#shared/contracts/secret.ts';
import { loadDistrict } from '#shared/districts/load.ts';
import { ROLE_NAMES, type Member } from '#shared/domain/roster.ts';

const DISTRICTS = join(import.meta.dirname, '../../shared/districts');

/** The first secret of a district; the vendor's keys as the vendor gave them. */
export const firstSecret = (
  aliyunSms: DistrictSecret['aliyunSms'],
  others: VendorAccounts = {},
): DistrictSecret => newDistrictSecret(aliyunSms, others);

/** Reads a stored secret. Throws when it does not fit the schema of today. */
export const readSecret = (stored: unknown): DistrictSecret => districtSecretSchema.parse(stored);

/**
 * The people of a district: those in its table, else the sample roster of the district's folder, which is stored then.
 * Throws the roster's problems, one per line.
 */
export const loadRoster = async (options: {
  client: DynamoDBClient;
  tableName: string;
  secret: DistrictSecret;
  district: string;
  /** Epoch ms at which the roster comes into force. */
  now: number;
}): Promise<Member[]> => {
  const store = tableStore(dynamoTable(options.client, options.tableName), givenSecrets(options.secret));
  const stored = await store.roster();
  if (stored.length > 0) return stored;
  const sample = join(DISTRICTS, options.district, 'roster.sample.csv');
  if (!existsSync(sample)) return [];
  const { members, problems } = parseRoster(readFileSync(sample, 'utf8'), loadDistrict(options.district));
  if (problems.length > 0) throw new Error(`${sample}:\n${problems.join('\n')}`);
  await store.saveRoster(members, options.now);
  return members;
};

/**
 * A token for each member, and one for the `desk`. Duty officers hold desk tokens (rules §1), all others member tokens.
 * @param options `hours`: how long the tokens live on the clock of `now` (epoch ms).
 */
export const issueTokens = async (
  secret: DistrictSecret,
  members: readonly Member[],
  options: { district: string; now: number; hours: number },
): Promise<Record<string, string>> => {
  const { district, hours } = options;
  const clock = { now: () => new Date(options.now) };
  const people = [
    { sub: 'desk', role: 'desk' as const },
    ...members.map(({ id, role }) => ({
      sub: id,
      role: role === 'duty' ? ('desk' as const) : ('member' as const),
    })),
  ];
  const token = async ({ sub, role }: (typeof people)[number]) =>
    [sub, await issueToken(secret, { sub, role, district, hours }, clock)] as const;
  return Object.fromEntries(await Promise.all(people.map(token)));
};

/** Whose phone it is, as the phones page shows it. */
export const phoneLabel = ({ name, role }: Member): string => `${name}（${ROLE_NAMES[role]}）`;
