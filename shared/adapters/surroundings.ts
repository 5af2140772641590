import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Memos } from '../ports/memos.ts';
import type { PushDevices } from '../ports/push-devices.ts';
import type { Secrets } from '../ports/secrets.ts';
import type { Store } from '../ports/store.ts';
import { dynamoTable } from './dynamo-table.ts';
import { jsonLog } from './log.ts';
import { tableMemos } from './memos.ts';
import { tablePushDevices } from './push-devices.ts';
import { awsSecrets } from './secrets.ts';
import { tableStore } from './store.ts';
import { systemClock } from './system.ts';

/** The SDK's own silent logger still has every request and answer copied without its secrets, a tenth of a call's work. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the SDK looks whether a method is there before it calls it
const NO_LOGGER = { trace() {}, debug() {}, warn() {} } as unknown as NonNullable<
  DynamoDBClientConfig['logger']
>;

/** A call inside the region answers in milliseconds: who hangs longer is tried again. Milliseconds. */
export const CALL_LIMITS = {
  requestHandler: { connectionTimeout: 1_000, requestTimeout: 4_000 },
  logger: NO_LOGGER,
};

/** What every function has around it: a clock, a log, the district's secret and its store. */
export interface Surroundings {
  clock: Clock;
  log: Log;
  secrets: Secrets;
  store: Store;
  memos: Memos;
  pushDevices: PushDevices;
}

/**
 * Builds the surroundings once per cold start and reads what every event needs, secret and roster, while nobody waits
 * yet: the first call of the night must not pay for it, and Lambda gives a starting function its full speed. A failure
 * here is none: the first event reads again, and says what is wrong. `verb`: the function's name, for its log lines.
 */
export const surroundings = async (
  env: { DISTRICT: string; STAGE: string; TABLE_NAME: string; SECRET_ID: string },
  verb: string,
): Promise<Surroundings> => {
  const clock = systemClock;
  const secrets = awsSecrets(new SecretsManagerClient(CALL_LIMITS), env.SECRET_ID, clock);
  const table = dynamoTable(new DynamoDBClient(CALL_LIMITS), env.TABLE_NAME);
  const store = tableStore(table, secrets);
  await Promise.allSettled([secrets.district(), store.roster()]);
  return {
    clock,
    log: jsonLog({ district: env.DISTRICT, stage: env.STAGE, verb }, clock),
    secrets,
    store,
    memos: tableMemos(table),
    pushDevices: tablePushDevices(table, secrets),
  };
};
