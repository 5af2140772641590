// A district's machine with its phones, as stories find it.
import { BatchWriteItemCommand, DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
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
import { startCloud, type Cloud } from '../../infra/local/cloud.ts';
import { createClock } from '../../infra/local/clock.ts';
import { startPhones, type Phones } from '../../infra/local/phones/phones.ts';
import type { VendorMaker } from '../../infra/local/phones/vendor.ts';

/** What a story wants of its machine. */
export interface MachineOptions {
  assembly: string;
  district: string;
  /** The instant to start at, virtual ms since 1970. */
  now: number;
  /** Of an earlier machine; absent: a new directory. */
  data?: string | undefined;
  /** Further emulated vendors, and the sections of the secret that open them. */
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
  secret: DistrictSecret;
  data: string;
  /** Texts that had rung before the cloud began: what it finds overdue rings at once. */
  seen: number;
}

const CREDENTIALS = { accessKeyId: 'story', secretAccessKey: 'story' };
const WEEK_MS = 7 * 86_400_000;

/** Machines that a story has left in order. */
const spare = new Set<Machine>();

/**
 * A machine for a story. To start one costs two seconds of processor, nearly all for loading the functions, so one that a story of the same
 * file has left in order goes on to the next story: emptied, and whole weeks later, as a machine lives on in service. Never where the story
 * brings data, keys or something in between.
 */
export const takeMachine = async (options: MachineOptions): Promise<Machine> => {
  const found = plain(options)
    ? [...spare].find(
        ({ options: had }) =>
          had.assembly === options.assembly &&
          had.district === options.district &&
          had.vendors === options.vendors &&
          JSON.stringify(had.accounts) === JSON.stringify(options.accounts),
      )
    : undefined;
  if (!found) return start(options);
  spare.delete(found);
  const { clock } = found.cloud;
  const weeks = Math.max(0, Math.ceil((clock.now() - options.now) / WEEK_MS));
  await found.cloud.advance(options.now + weeks * WEEK_MS, { passes: 0 });
  found.seen = found.phones.messages().length;
  return found;
};

/** A story has ended well: its machine is emptied for the next one, or stopped if it was a special one, or a failure still lies in wait. */
export const giveBack = async (machine: Machine): Promise<void> => {
  if (!plain(machine.options) || machine.cloud.trapped) {
    await stopMachine(machine);
    rmSync(machine.data, { recursive: true, force: true });
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
  spare.add(machine);
};

/** Stops a machine and keeps its data. */
export const stopMachine = async ({ cloud, phones }: Machine): Promise<void> => {
  await cloud.stop();
  await phones.stop();
};

/** Stops all that wait for another story. */
export const stopSpares = async (): Promise<void> => {
  const all = [...spare];
  spare.clear();
  for (const machine of all) {
    await stopMachine(machine);
    rmSync(machine.data, { recursive: true, force: true });
  }
};

const plain = ({ data, smsKeys, between }: MachineOptions): boolean =>
  data === undefined && smsKeys === undefined && between === undefined;

/** What the vendors tell comes in. */
const hear = ({ cloud, phones, secret }: Pick<Machine, 'cloud' | 'phones' | 'secret'>): void =>
  phones.setReceiptUrls((vendor) => `${cloud.url}/receipts/${vendor}/${secret.receiptToken}`);

const start = async (options: MachineOptions): Promise<Machine> => {
  const data = options.data ?? mkdtempSync(join(tmpdir(), 'xiaonao-story-'));
  const texts = loadTexts();
  const clock = createClock({ at: options.now, speed: 0 });
  const first = newDistrictSecret(
    { accessKeyId: 'story', accessKeySecret: 'story-secret', signName: texts.signName },
    options.accounts,
  );
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
    ...(options.vendors ? { vendors: options.vendors } : {}),
  });
  const seen = phones.messages().length;
  const vendorsUrl = `${phones.url}/vendors`;
  const cloud = await startCloud({
    assembly: options.assembly,
    stack: `Xiaonao-${options.district}`,
    data,
    port: 0,
    clock,
    secret: first,
    env: { VENDORS_URL: (await options.between?.(vendorsUrl)) ?? vendorsUrl },
  });
  const secret = districtSecretSchema.parse(cloud.secret);
  hear({ cloud, phones, secret });
  cloud.addNeighbour(phones);
  return { options: { ...options, data: options.data }, cloud, phones, secret, data, seen };
};

const stopExecutions = async ({ states, refs }: Cloud): Promise<void> => {
  for (const stateMachineArn of Object.values(refs).filter((ref) => ref.includes(':stateMachine:')))
    for (;;) {
      const { executions } = states.listExecutions({ stateMachineArn, statusFilter: 'RUNNING' });
      if (executions.length === 0) break;
      for (const { executionArn } of executions) await states.stopExecution({ executionArn });
    }
};

const purge = async ({ refs, endpoints }: Cloud): Promise<void> => {
  const sqs = new SQSClient({ endpoint: endpoints.sqs, region: 'us-east-1', credentials: CREDENTIALS });
  for (const QueueUrl of Object.values(refs).filter((ref) => ref.startsWith(endpoints.sqs)))
    await sqs.send(new PurgeQueueCommand({ QueueUrl }));
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
