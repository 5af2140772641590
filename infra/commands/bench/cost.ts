// Plays incidents without a breach from the call to the call-back, on a clock that jumps, and counts what AWS would bill.
import { randomUUID } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { Webhook } from 'standardwebhooks';
import * as z from 'zod';
import { districtSecretSchema } from '#shared/contracts/secret.ts';
import { loadDistrict, loadTexts } from '#shared/districts/load.ts';
import { ladderFor } from '#shared/domain/district.ts';
import { createClock } from '../../local/clock.ts';
import { startCloud } from '../../local/cloud.ts';
import { assemble } from '../../local/main.ts';
import { startPhones } from '../../local/phones/phones.ts';
import { firstSecret, issueTokens, loadRoster } from '../first-start.ts';
import { type Bill, type Metered, meterTable } from './meter.ts';
import { dollarsFor, forAllPaid, PAID, type Paid } from './prices.ts';

/** What one incident uses on average, and what a thousand cost. */
export interface CostResult {
  district: string;
  incidents: number;
  /** Rungs done in each, in order. */
  rungs: string[];
  units: Record<Paid, number>;
  /** Of the writes: what the indexes cost. */
  indexWrites: number;
  /** API calls on the table by name. */
  calls: Record<string, number>;
  dollarsPerThousand: Record<Paid, number>;
  totalPerThousand: number;
}

/** A Wednesday morning in Beijing, so that shifts are the same every time. */
const BEGIN = Date.parse('2026-03-04T02:00:00.000Z');
/** Caches are filled and code is warm before counting. */
const WARM_UP = 2;
/** The share of its limit after which a rung is done. */
const IN_GOOD_TIME = 0.7;
/** Billed duration of a warm call of a function with 512 MB, seconds: assumed, because this machine is not AWS's. */
const BILLED_SECONDS = 0.03;
const MEMORY_GB = 0.5;
/** Sending, receiving and deleting; idle polling and batching left aside. */
const REQUESTS_PER_MESSAGE = 3;

const receivedSchema = z.object({ incidentId: z.string() });

/** Counts over so many incidents of a district. Everything lies below `directory`. */
export const measureCost = async (
  directory: string,
  district: string,
  incidents: number,
): Promise<CostResult> => {
  const assembly = await assemble(district);
  const policy = loadDistrict(district);
  const texts = loadTexts();
  const clock = createClock({ at: BEGIN, speed: 0 });
  const vendor = { accessKeyId: 'bench', accessKeySecret: 'bench-secret', signName: texts.signName };
  const phones = await startPhones({
    port: 0,
    data: directory,
    now: clock.now,
    templates: Object.values(texts.templates),
    keys: { [vendor.accessKeyId]: vendor.accessKeySecret },
    signName: texts.signName,
  });
  let meter: Metered | undefined;
  const cloud = await startCloud({
    assembly,
    stack: `Xiaonao-${district}`,
    data: directory,
    port: 0,
    clock,
    secret: firstSecret(vendor),
    env: { VENDORS_URL: `${phones.url}/vendors` },
    beforeTable: async (engine) => (meter = await meterTable(engine)),
  });
  try {
    if (!meter) throw new Error('The table has no meter.');
    const secret = districtSecretSchema.parse(cloud.secret);
    phones.setReceiptUrl(`${cloud.url}/receipts/aliyun-sms/${secret.receiptToken}`);
    cloud.addNeighbour(phones);
    const client = new DynamoDBClient({
      endpoint: cloud.table.endpoint,
      region: 'local',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });
    const members = await loadRoster({ client, tableName: cloud.table.name, secret, district, now: BEGIN });
    client.destroy();
    const tokens = await issueTokens(secret, members, { district, now: BEGIN, hours: 24 * 365 });
    const webhook = new Webhook(secret.webhookKeys[0] ?? '');
    const ladder = ladderFor(policy, 'noise_nuisance', policy.mode).filter((r) => r.rung !== 'reinforce');

    const post = async (path: string, headers: Record<string, string>, body: string, want: number) => {
      const response = await fetch(cloud.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body,
      });
      const text = await response.text();
      if (response.status !== want)
        throw new Error(`${path} answers ${response.status} to ${body}: ${text.slice(0, 300)}`);
      await cloud.settle();
      return text;
    };

    const play = async (n: number): Promise<number> => {
      const begin = clock.now();
      const heard = phones.messages().length;
      const id = `msg_${randomUUID()}`;
      const body = JSON.stringify({
        callNo: `BENCH-COST-${n}`,
        calledAt: new Date(begin - 30_000).toISOString(),
        caller: { name: '样例来电人', phone: '16600001234' },
        address: `${policy.roads[n % policy.roads.length]?.name ?? ''}${n + 1}号`,
        content: '楼上邻居晚上装修，声音太大，请来协调。',
      });
      const { incidentId } = receivedSchema.parse(
        JSON.parse(
          await post(
            '/webhooks/110',
            {
              'webhook-id': id,
              'webhook-timestamp': String(Math.floor(begin / 1000)),
              'webhook-signature': webhook.sign(id, new Date(begin), body),
            },
            body,
            202,
          ),
        ),
      );
      const asked = phones.messages()[heard];
      const member = members.find(({ phone }) => phone === asked?.number);
      if (!member) throw new Error('Nobody was asked.');
      let closedAt = begin;
      for (const { rung, limit } of ladder) {
        const from = rung === 'revisit' ? closedAt : begin;
        await cloud.advance(Math.max(clock.now(), from + limit * 1000 * IN_GOOD_TIME), { passes: 1 });
        const who = rung === 'revisit' ? 'desk' : member.id;
        await post(
          `/api/incidents/${incidentId}/actions`,
          { authorization: `Bearer ${tokens[who] ?? ''}` },
          JSON.stringify({
            action: rung,
            ...(rung === 'feedback' || rung === 'close' ? { text: '双方都在，已谈妥。' } : {}),
            ...(rung === 'close' ? { outcome: 'solved' } : {}),
            ...(rung === 'revisit' ? { outcome: 'satisfied' } : {}),
          }),
          200,
        );
        if (rung === 'close') closedAt = clock.now();
      }
      return phones.messages().length - heard;
    };

    for (let n = 0; n < WARM_UP; n += 1) await play(n);
    meter.take();
    const machine = Object.values(cloud.refs).find((ref) => ref.includes(':stateMachine:')) ?? '';
    const before = { transitions: cloud.states.transitions(), logs: logBytes(directory) };
    let notices = 0;
    for (let n = WARM_UP; n < WARM_UP + incidents; n += 1) notices += await play(n);
    const bill: Bill = meter.take();
    const [unfinished] = cloud.states.listExecutions({
      stateMachineArn: machine,
      statusFilter: 'RUNNING',
    }).executions;
    if (unfinished) throw new Error(`The workflow ${unfinished.name} has not ended.`);

    const each = (total: number) => total / incidents;
    const http = 1 + ladder.length + each(notices);
    const messages = 1 + each(notices);
    const units: Record<Paid, number> = {
      transitions: each(cloud.states.transitions() - before.transitions),
      writes: each(bill.writes),
      reads: each(bill.reads),
      http,
      invocations: http + messages,
      compute: (http + messages) * BILLED_SECONDS * MEMORY_GB,
      messages: messages * REQUESTS_PER_MESSAGE,
      logs: each(logBytes(directory) - before.logs) / 1e9,
    };
    const dollarsPerThousand = forAllPaid((what) => dollarsFor(what, units[what] * 1000));
    return {
      district,
      incidents,
      rungs: ladder.map(({ rung }) => rung),
      units,
      indexWrites: each(bill.indexWrites),
      calls: Object.fromEntries(Object.entries(bill.calls).map(([name, total]) => [name, each(total)])),
      dollarsPerThousand,
      totalPerThousand: PAID.reduce((sum, what) => sum + dollarsPerThousand[what], 0),
    };
  } finally {
    await cloud.stop();
    await phones.stop();
    clock.stop();
  }
};

/** What the functions wrote, but for reconcile, which runs by the minute and not by the incident. */
const logBytes = (directory: string): number =>
  readdirSync(join(directory, 'logs'))
    .filter((name) => !name.includes('Reconcile'))
    .reduce((n, name) => n + statSync(join(directory, 'logs', name)).size, 0);

if (import.meta.main) {
  process.env.TZ = 'UTC';
  const [directory = '', district = '', incidents = ''] = process.argv.slice(2);
  console.log(JSON.stringify(await measureCost(directory, district, Number(incidents))));
}
