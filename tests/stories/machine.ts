// A district's machine with its phones, as stories find it.
import { BatchWriteItemCommand, DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { PurgeQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  newDistrictSecret,
  newWebhookKey,
  type VendorAccounts,
} from '#shared/adapters/new-district-secret.ts';
import { districtSecretSchema, type DistrictSecret } from '#shared/contracts/secret.ts';
import { loadTexts } from '#shared/districts/load.ts';
import { readyForCommands } from '../../infra/commands/ready.ts';
import { startCloud, type Cloud } from '../../infra/local/cloud.ts';
import { createClock } from '../../infra/local/clock.ts';
import { startPhones, type Phones } from '../../infra/local/phones/phones.ts';
import type { VendorMaker } from '../../infra/local/phones/vendor.ts';
import { SAMPLE } from './accounts.ts';

/** What a story wants of its machine. */
export interface MachineOptions {
  assembly: string;
  district: string;
  /** The instant to start at, virtual ms since 1970. */
  now: number;
  /** Of an earlier machine; absent: a new directory. */
  data?: string | undefined;
  /** The story stops it in the middle and goes on with its data. */
  stops?: boolean | undefined;
  /** Further emulated vendors (default: those of {@link SAMPLE}), and the sections of the secret that open them. */
  vendors?: readonly VendorMaker[] | undefined;
  accounts?: VendorAccounts | undefined;
  /** What Aliyun knows of our keys; a story that revokes one keeps it in hand. */
  smsKeys?: Record<string, string> | undefined;
  /** Something that stands between the functions and the vendors. */
  between?: ((vendorsUrl: string) => Promise<string>) | undefined;
}

/** A running district with phones. */
export interface Machine {
  options: MachineOptions;
  cloud: Cloud;
  phones: Phones;
  /** Without any account but that for Aliyun's texts. */
  first: DistrictSecret;
  /** With the story's accounts, and whatever it changes. */
  secret: DistrictSecret;
  data: string;
  /** Texts that had rung before the cloud began: what it finds overdue rings at once. */
  seen: number;
}

const CREDENTIALS = { accessKeyId: 'story', secretAccessKey: 'story' };
const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;

/** Machines in the hands of a story. */
const taken = new Set<Machine>();
/** Machines that a story has left in order, the latest last. */
const spare = new Set<Machine>();
/** Each holds some hundred megabytes: nine functions, each with one or two threads. One of each district, and one of the file's own. */
const MOST_SPARES = 5;

// The worker of the tests ends by a signal, with machines that wait for stories: engines end with it, their files would stay.
process.once('SIGTERM', () => {
  for (const machine of [...taken, ...spare]) rmSync(machine.data, { recursive: true, force: true });
  process.kill(process.pid, 'SIGTERM');
});

/**
 * A machine for a story. To start one costs two seconds of processor, nearly all for loading the functions, so one that a story has left
 * in order goes on to the next story, of whatever file: emptied, with that story's accounts, and whole weeks later, as a machine lives on
 * in service. Never where the story brings data, keys or something in between.
 */
export const takeMachine = async (options: MachineOptions): Promise<Machine> => {
  const found = plain(options)
    ? [...spare].find(
        ({ options: had }) =>
          had.assembly === options.assembly &&
          had.district === options.district &&
          had.vendors === options.vendors,
      )
    : undefined;
  if (found) return again(found, options);
  const machine = await start(options);
  taken.add(machine);
  return machine;
};

/** A day at least lies between two stories: functions hold a secret for five minutes, vendors count by days. */
const again = async (machine: Machine, options: MachineOptions): Promise<Machine> => {
  spare.delete(machine);
  taken.add(machine);
  const { cloud, phones, first } = machine;
  machine.options = options;
  machine.secret = districtSecretSchema.parse({ ...first, ...options.accounts });
  await putSecret(cloud, machine.secret);
  const weeks = Math.max(0, Math.ceil((cloud.clock.now() + DAY_MS - options.now) / WEEK_MS));
  await cloud.advance(options.now + weeks * WEEK_MS, { passes: 0 });
  machine.seen = phones.messages().length;
  return machine;
};

/** A story has ended well: its machine is emptied for the next one, or stopped if it was a special one, or a failure still lies in wait. */
export const giveBack = async (machine: Machine): Promise<void> => {
  if (!plain(machine.options) || machine.cloud.trapped) {
    await discard(machine);
    return;
  }
  const { cloud, phones } = machine;
  for (const { vendor } of phones.faults.list()) phones.faults.set({ vendor, mode: 'none' });
  // A story may have had receipts go astray.
  hear(machine);
  await stopExecutions(cloud);
  await cloud.settle();
  await purge(cloud);
  await empty(cloud);
  taken.delete(machine);
  spare.add(machine);
  for (const oldest of [...spare].slice(0, -MOST_SPARES)) await discard(oldest);
};

/** Stops a machine and keeps its data. */
export const stopMachine = async (machine: Machine): Promise<void> => {
  taken.delete(machine);
  spare.delete(machine);
  await machine.cloud.stop();
  await machine.phones.stop();
};

/** A file has ended: what a failed story has left behind ends, and all with vendors or an assembly that no other file has. */
export const endFile = async (assembly?: string): Promise<void> => {
  for (const machine of taken) await discard(machine);
  for (const machine of spare)
    if (machine.options.vendors !== undefined || machine.options.assembly === assembly)
      await discard(machine);
};

/** Puts a changed secret where all functions read it, as `npm run secret` does. */
export const putSecret = async (cloud: Cloud, secret: DistrictSecret): Promise<void> => {
  const client = new SecretsManagerClient({
    endpoint: cloud.endpoints.secretsmanager,
    region: 'us-east-1',
    credentials: CREDENTIALS,
  });
  const { secretId: SecretId } = readyForCommands(cloud);
  await client.send(new PutSecretValueCommand({ SecretId, SecretString: JSON.stringify(secret) }));
  client.destroy();
};

const discard = async (machine: Machine): Promise<void> => {
  await stopMachine(machine);
  rmSync(machine.data, { recursive: true, force: true });
};

/** May it have come from another story, and go on to the next one? */
const plain = ({ data, stops, smsKeys, between }: MachineOptions): boolean =>
  data === undefined && stops !== true && smsKeys === undefined && between === undefined;

/** What the vendors tell comes in. */
const hear = ({ cloud, phones, secret }: Pick<Machine, 'cloud' | 'phones' | 'secret'>): void =>
  phones.setReceiptUrls((vendor) => `${cloud.url}/receipts/${vendor}/${secret.receiptToken}`);

const start = async (options: MachineOptions): Promise<Machine> => {
  const data = options.data ?? mkdtempSync(join(tmpdir(), 'xiaonao-story-'));
  const texts = loadTexts();
  const clock = createClock({ at: options.now, speed: 0 });
  const first = newDistrictSecret({
    accessKeyId: 'story',
    accessKeySecret: 'story-secret',
    signName: texts.signName,
  });
  // A rotation is under way in every story: the next key is as good as the current one.
  first.webhookKeys.push(newWebhookKey());
  const phones = await startPhones({
    port: 0,
    data,
    now: clock.now,
    templates: Object.values(texts.templates),
    keys: options.smsKeys ?? { story: 'story-secret' },
    signName: texts.signName,
    barredWords: texts.barred,
    vendors: options.vendors ?? SAMPLE.vendors,
  });
  const seen = phones.messages().length;
  const vendorsUrl = `${phones.url}/vendors`;
  const cloud = await startCloud({
    assembly: options.assembly,
    stack: `Xiaonao-${options.district}`,
    data,
    port: 0,
    clock,
    // One that soon stops loads what it uses. Else all of them do now, so that no story finds a function cold whose vendor waits.
    coldStarts: options.stops === true || options.data !== undefined,
    // tests/infra/workflow.test.ts does.
    accepted: true,
    secret: { ...first, ...options.accounts },
    env: { VENDORS_URL: (await options.between?.(vendorsUrl)) ?? vendorsUrl },
  });
  const secret = districtSecretSchema.parse(cloud.secret);
  hear({ cloud, phones, secret });
  cloud.addNeighbour(phones);
  return { options, cloud, phones, first, secret, data, seen };
};

const stopExecutions = async ({ states, refs }: Cloud): Promise<void> => {
  for (const stateMachineArn of Object.values(refs).filter((ref) => ref.includes(':stateMachine:')))
    for (;;) {
      const { executions } = states.listExecutions({ stateMachineArn, statusFilter: 'RUNNING' });
      if (executions.length === 0) break;
      for (const { executionArn } of executions) await states.stopExecution({ executionArn });
    }
};

const purge = async (cloud: Cloud): Promise<void> => {
  const { refs, endpoints } = cloud;
  const sqs = new SQSClient({ endpoint: endpoints.sqs, region: 'us-east-1', credentials: CREDENTIALS });
  for (const [id, QueueUrl] of Object.entries(refs))
    if (QueueUrl.startsWith(endpoints.sqs)) {
      const { depth, delayed } = cloud.queue(id);
      if (depth + delayed > 0) await sqs.send(new PurgeQueueCommand({ QueueUrl }));
    }
  sqs.destroy();
};

const empty = async ({ table }: Cloud): Promise<void> => {
  const dynamo = new DynamoDBClient({
    endpoint: table.endpoint,
    region: 'us-east-1',
    credentials: CREDENTIALS,
  });
  for (;;) {
    const { Items = [] } = await dynamo.send(
      new ScanCommand({ TableName: table.name, ProjectionExpression: 'pk, sk' }),
    );
    if (Items.length === 0) break;
    for (let i = 0; i < Items.length; i += 25)
      await dynamo.send(
        new BatchWriteItemCommand({
          RequestItems: {
            [table.name]: Items.slice(i, i + 25).map((Key) => ({ DeleteRequest: { Key } })),
          },
        }),
      );
  }
  dynamo.destroy();
};
