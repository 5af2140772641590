import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod';
import { dynamoTable } from '#shared/adapters/dynamo-table.ts';
import { districtSecretSchema, type DistrictSecret } from '#shared/contracts/secret.ts';
import type { Table } from '#shared/ports/table.ts';
import { readySchema } from './ready.ts';
import { Refused, WrongInput } from './refused.ts';

/** The queues that have a dead-letter queue. */
export const QUEUES = ['reports', 'links', 'alerts', 'chatter', 'sweeps'] as const;
/** One of them. */
export type QueueName = (typeof QUEUES)[number];

/** A stored secret: its text, and when that version was put. */
export interface StoredSecret {
  text: string;
  changedAt: Date;
}

/** A district as the command line reaches it: deployed, or running on this machine. */
export interface Installation {
  /** How people call it: the stack's name, or the data directory. */
  name: string;
  district: string;
  /** Where its doors are. */
  url: string;
  /** The time there; a local run may have a clock of its own. */
  now(): Promise<Date>;
  table: Table;
  /** The district's secret as text; undefined when nothing was ever put. */
  secret: { read(): Promise<StoredSecret | undefined>; write(text: string): Promise<void> };
  sqs: SQSClient;
  queues: Record<QueueName, { work: string; dead: string }>;
  close(): void;
}

/** Which district is meant. */
export interface Where {
  stack?: string | undefined;
  data?: string | undefined;
}

/** Reaches a district. @throws Refused with a sentence that says how to start or find one. */
export type Connect = (where: Where) => Promise<Installation>;

/** The options by which every command is told which district is meant. */
export const WHERE_OPTIONS = { stack: { type: 'string' }, data: { type: 'string' } } as const;

const DEFAULT_DATA = '.xiaonao';
const HEALTH_LIMIT_MS = 5_000;

/** The district's secret, complete. @throws Refused that names missing fields, never values. */
export const completeSecret = async (installation: Installation): Promise<DistrictSecret> => {
  const stored = await installation.secret.read();
  const reading = readSecretText(stored?.text);
  if (reading.secret) return reading.secret;
  throw new Refused(
    `The secret of ${installation.name} is not complete (${reading.problems.join(', ')}). See 'npm run secret -- show-fields' and 'npm run secret -- init'.`,
  );
};

/** Parses the text of a secret. `blank`: it holds no fields at all, as a fresh stack's random text. */
export const readSecretText = (
  text: string | undefined,
): { secret?: DistrictSecret; problems: string[]; blank: boolean } => {
  let value: unknown;
  try {
    value = JSON.parse(text ?? 'null');
  } catch {
    value = null;
  }
  if (typeof value !== 'object' || value === null)
    return { problems: ['it holds no fields yet'], blank: true };
  const parsed = districtSecretSchema.safeParse(value);
  if (parsed.success) return { secret: parsed.data, problems: [], blank: false };
  return {
    problems: parsed.error.issues.map(({ path }) => path.join('.') || 'the whole'),
    blank: Object.keys(value).length === 0,
  };
};

const secretAt = (client: SecretsManagerClient, SecretId: string): Installation['secret'] => ({
  async read() {
    try {
      const { SecretString, CreatedDate } = await client.send(new GetSecretValueCommand({ SecretId }));
      return SecretString === undefined
        ? undefined
        : { text: SecretString, changedAt: CreatedDate ?? new Date(0) };
    } catch (error) {
      // Also AWS's answer for a secret that exists and has no value.
      if (error instanceof ResourceNotFoundException) return undefined;
      throw error;
    }
  },
  async write(SecretString) {
    await client.send(new PutSecretValueCommand({ SecretId, SecretString }));
  },
});

const outputsSchema = z.object({
  Url: z.url(),
  TableName: z.string(),
  SecretArn: z.string(),
  ReportsQueueUrl: z.string(),
  ReportsDeadLetterQueueUrl: z.string(),
  LinksQueueUrl: z.string(),
  LinksDeadLetterQueueUrl: z.string(),
  AlertsQueueUrl: z.string(),
  AlertsDeadLetterQueueUrl: z.string(),
  ChatterQueueUrl: z.string(),
  ChatterDeadLetterQueueUrl: z.string(),
  SweepsQueueUrl: z.string(),
  SweepsDeadLetterQueueUrl: z.string(),
});

/** A deployed district, found by its stack's outputs and its tag `district`. */
export const connectStack = async (
  stack: string,
  clients: { cloudFormation?: CloudFormationClient } = {},
): Promise<Installation> => {
  const cloudFormation = clients.cloudFormation ?? new CloudFormationClient({});
  const { Stacks } = await cloudFormation
    .send(new DescribeStacksCommand({ StackName: stack }))
    .catch((error: Error) => {
      if (error.name === 'ValidationError' && error.message.includes('does not exist'))
        throw new Refused(
          `There is no stack ${stack} in this account and region. Deploy it with 'npx cdk deploy ${stack}', or check AWS_PROFILE and AWS_REGION.`,
        );
      throw error;
    })
    .finally(() => cloudFormation.destroy());
  const found = Stacks?.[0];
  const outputs = outputsSchema.safeParse(
    Object.fromEntries((found?.Outputs ?? []).map((o) => [o.OutputKey, o.OutputValue])),
  );
  const district = found?.Tags?.find((tag) => tag.Key === 'district')?.Value;
  if (!outputs.success || district === undefined)
    throw new Refused(
      `${stack} is not a stack of Xiaonao, or one of another version: its outputs or its tag 'district' are missing.`,
    );
  const is = outputs.data;
  const dynamo = new DynamoDBClient({});
  const secrets = new SecretsManagerClient({});
  const sqs = new SQSClient({});
  return {
    name: stack,
    district,
    url: is.Url,
    now: async () => new Date(),
    table: dynamoTable(dynamo, is.TableName),
    secret: secretAt(secrets, is.SecretArn),
    sqs,
    queues: {
      reports: { work: is.ReportsQueueUrl, dead: is.ReportsDeadLetterQueueUrl },
      links: { work: is.LinksQueueUrl, dead: is.LinksDeadLetterQueueUrl },
      alerts: { work: is.AlertsQueueUrl, dead: is.AlertsDeadLetterQueueUrl },
      chatter: { work: is.ChatterQueueUrl, dead: is.ChatterDeadLetterQueueUrl },
      sweeps: { work: is.SweepsQueueUrl, dead: is.SweepsDeadLetterQueueUrl },
    },
    close: () => [dynamo, secrets, sqs].forEach((client) => client.destroy()),
  };
};

const healthSchema = z.object({ now: z.iso.datetime() });

/** The district that runs on this machine, found by the `ready.json` of its data directory. */
export const connectData = async (data: string): Promise<Installation> => {
  const how = `Start one with 'npm start', or name a deployed one with --stack Xiaonao-<district>.`;
  const file = join(data, 'ready.json');
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw new Refused(`No district runs in ${data}. ${how}`);
  }
  let written: unknown;
  try {
    written = JSON.parse(text);
  } catch {
    written = undefined;
  }
  const parsed = readySchema.safeParse(written);
  if (!parsed.success)
    throw new Refused(`${file} was written by another version. Stop that system and start it again.`);
  const { url, district, endpoints, table, secretId, queues } = parsed.data;
  const health = async (): Promise<unknown> => {
    const answer = await fetch(`${url}/api/health`, { signal: AbortSignal.timeout(HEALTH_LIMIT_MS) }).catch(
      () => {
        // The file stays behind when a run is killed.
        throw new Refused(`The district in ${data} has stopped. ${how}`);
      },
    );
    return answer.json().catch(() => undefined);
  };
  await health();
  const local = {
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  };
  const dynamo = new DynamoDBClient({ ...local, endpoint: endpoints.dynamodb });
  const secrets = new SecretsManagerClient({ ...local, endpoint: endpoints.secretsmanager });
  const sqs = new SQSClient({ ...local, endpoint: endpoints.sqs });
  return {
    name: data,
    district,
    url,
    async now() {
      const answer = healthSchema.safeParse(await health());
      if (!answer.success) throw new Refused(`${url}/api/health does not tell the time there.`);
      return new Date(answer.data.now);
    },
    table: dynamoTable(dynamo, table),
    secret: secretAt(secrets, secretId),
    sqs,
    queues: {
      reports: { work: queues.reports, dead: queues.reportsDead },
      links: { work: queues.links, dead: queues.linksDead },
      alerts: { work: queues.alerts, dead: queues.alertsDead },
      chatter: { work: queues.chatter, dead: queues.chatterDead },
      sweeps: { work: queues.sweeps, dead: queues.sweepsDead },
    },
    close: () => [dynamo, secrets, sqs].forEach((client) => client.destroy()),
  };
};

/** Reaches the district that the command line names; without a name the one on this machine. */
export const connect: Connect = async ({ stack, data }) => {
  if (stack !== undefined && data !== undefined)
    throw new WrongInput('--stack means a deployed district, --data one on this machine: give only one.');
  return stack === undefined ? connectData(data ?? DEFAULT_DATA) : connectStack(stack);
};
