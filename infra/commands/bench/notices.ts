// How soon a notice reaches a vendor, alone and behind ten thousand that can wait; how punctual the next channel is; what a storm loses.
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient, SendMessageBatchCommand } from '@aws-sdk/client-sqs';
import { randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { dynamoTable } from '#shared/adapters/dynamo-table.ts';
import { newDistrictSecret } from '#shared/adapters/new-district-secret.ts';
import { givenSecrets } from '#shared/adapters/secrets.ts';
import { tableStore } from '#shared/adapters/store.ts';
import { districtSecretSchema } from '#shared/contracts/secret.ts';
import { loadDistrict, loadTexts } from '#shared/districts/load.ts';
import type { Notice } from '#shared/domain/notice.ts';
import type { Member } from '#shared/domain/roster.ts';
import { REJECTS_OWNER, type NoticeRow } from '#shared/ports/store.ts';
import { createClock } from '../../local/clock.ts';
import { startCloud } from '../../local/cloud.ts';
import { assemble } from '../../local/main.ts';
import { startPhones } from '../../local/phones/phones.ts';
import { sampleAccounts } from '../../local/phones/sample-accounts.ts';
import { spreadOf, type Spread } from './figures.ts';

/** What was measured; times in ms. */
export interface NoticesResult {
  rate: number;
  /** From the queue to the vendor's having it. */
  alone: Spread;
  behind: Spread;
  /** How many that can wait stood before them. */
  chatter: number;
  /** From the plan's second to the ringing of the next channel. */
  fallback: Spread;
  storm: {
    notices: number;
    /** No vendor is known to have taken them. */
    lost: number;
    /** One vendor brought them twice, by what the trail says of the first time. */
    doubled: Record<string, number>;
    kills: number;
    seconds: number;
  };
}

/** How long a part may take beyond its own time. */
const PATIENCE_MS = 240_000;
/** Calls of ten that fail in the storm: refused, or never answered. */
const REFUSED = 0.15;
const SILENT = 0.05;
/** When the function is killed after the storm has begun. */
const KILL_MS = 3_000;
/** The second channel follows after so many seconds without a receipt, as the default plan has it. */
const GAP_MS = 15_000;

/** @param directory everything lies below it @param sizes how many alerts, messages that can wait, notices of the storm */
export const measureNotices = async (
  directory: string,
  district: string,
  sizes: { rate: number; seconds: number; chatter: number; storm: number },
): Promise<NoticesResult> => {
  const assembly = await assemble(district);
  const texts = loadTexts();
  const policy = loadDistrict(district);
  const [squad] = policy.squads;
  const clock = createClock();
  const { vendors, secret: accounts } = sampleAccounts(texts);
  const key = { accessKeyId: 'bench', accessKeySecret: 'bench-secret', signName: texts.signName };
  const phones = await startPhones({
    port: 0,
    data: ':memory:',
    now: clock.now,
    templates: Object.values(texts.templates),
    keys: { [key.accessKeyId]: key.accessKeySecret },
    signName: texts.signName,
    vendors,
  });
  const cloud = await startCloud({
    assembly,
    stack: `Xiaonao-${district}`,
    data: directory,
    port: 0,
    clock,
    secret: newDistrictSecret(key, {
      tencentSms: accounts.tencentSms,
      aliyunVoice: accounts.aliyunVoice,
    }),
    env: { VENDORS_URL: `${phones.url}/vendors` },
  });
  const local = { region: 'us-east-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };
  const dynamo = new DynamoDBClient({ ...local, endpoint: cloud.table.endpoint });
  const sqs = new SQSClient({ ...local, endpoint: cloud.endpoints.sqs });
  try {
    const secret = districtSecretSchema.parse(cloud.secret);
    phones.setReceiptUrls((vendor) => `${cloud.url}/receipts/${vendor}/${secret.receiptToken}`);
    const store = tableStore(dynamoTable(dynamo, cloud.table.name), givenSecrets(secret));
    // Everybody has one notice of a kind: when his phone shows it, it has arrived.
    const people = Math.max(sizes.rate * sizes.seconds, 1_000);
    const members = Array.from({ length: people }, (_, i): Member => ({
      id: `p-${i}`,
      name: `样例${i}`,
      phone: `1660${String(1_000_000 + i)}`,
      role: 'duty',
      squad: squad?.id ?? '',
      team: squad?.team ?? '',
      shifts: [],
      grids: [],
      roads: [],
    }));
    await store.saveRoster(members, clock.now());
    let batch = 0;
    const announce = async (n: number, kind: Notice['kind']): Promise<Notice[]> => {
      batch += 1;
      const notices = Array.from({ length: n }, (_, i): Notice => ({
        id: `${batch}${String(i).padStart(5, '0')}.00`,
        to: `p-${i % people}`,
        kind,
        at: clock.now(),
        round: 1,
      }));
      for (let i = 0; i < n; i += 50)
        await Promise.all(notices.slice(i, i + 50).map((notice) => store.announce([notice])));
      return notices;
    };
    const queueUrl = (name: string): string =>
      Object.entries(cloud.refs).find(([id]) => id.startsWith(`${name}Queue`))?.[1] ?? '';
    const send = async (name: 'Alerts' | 'Chatter', notices: readonly Notice[]): Promise<void> => {
      for (let i = 0; i < notices.length; i += 10)
        await sqs.send(
          new SendMessageBatchCommand({
            QueueUrl: queueUrl(name),
            Entries: notices.slice(i, i + 10).map(({ id }, n) => ({
              Id: String(n),
              MessageBody: JSON.stringify({ v: 1, owner: REJECTS_OWNER, noticeId: id }),
            })),
          }),
        );
    };
    const phoneOf = new Map(members.map(({ id, phone }) => [id, phone]));
    const until = async (done: () => boolean | Promise<boolean>): Promise<void> => {
      for (const end = performance.now() + PATIENCE_MS; performance.now() < end && !(await done());)
        await pause(100);
    };

    /** Alerts at a fixed rate, each to another phone: from the queue to the phone. */
    const alerts = async (): Promise<Spread> => {
      const notices = await announce(sizes.rate * sizes.seconds, 'returned');
      const sent = new Map<string, number>();
      const took: number[] = [];
      const stop = phones.onMessage(({ number, vendor }) => {
        const at = sent.get(number);
        if (at === undefined || vendor !== 'aliyun-sms') return;
        sent.delete(number);
        took.push(performance.now() - at);
      });
      const began = performance.now();
      for (const [i, notice] of notices.entries()) {
        const due = began + (i * 1_000) / sizes.rate;
        if (due > performance.now()) await pause(due - performance.now());
        sent.set(phoneOf.get(notice.to) ?? '', due);
        void send('Alerts', [notice]);
      }
      await until(() => sent.size === 0);
      stop();
      return spreadOf(took);
    };
    const fault = (vendor: string, mode: string, count = 1): void =>
      void phones.faults.set({ vendor, mode, ...(mode === 'none' ? {} : { count }) });
    const rows = async (): Promise<NoticeRow[]> => store.notices(REJECTS_OWNER);

    // Caches are filled and code is warm before counting.
    await send('Alerts', await announce(50, 'told'));
    await cloud.settle();
    const alone = await alerts();
    const waiting = await announce(sizes.chatter, 'reassigned');
    void send('Chatter', waiting);
    await pause(1_000);
    const behind = await alerts();

    // A vendor that takes everything and brings nothing.
    fault('aliyun-sms', 'silent', 1_000_000);
    fault('tencent-sms', 'silent', 1_000_000);
    const late = new Set((await announce(50, 'returned')).map(({ id }) => id));
    const quiet = (await rows()).filter(({ notice }) => late.has(notice.id)).map(({ notice }) => notice);
    await send('Alerts', quiet);
    await until(async () => {
      await pause(1_000);
      return (await rows())
        .filter((row) => late.has(row.notice.id))
        .every(({ attempts }) => attempts.length > 1);
    });
    fault('aliyun-sms', 'none');
    fault('tencent-sms', 'none');
    const fallback = spreadOf(
      (await rows()).flatMap(({ notice, attempts }) => {
        const [first, second] = attempts;
        return late.has(notice.id) && first && second ? [second.at - first.at - GAP_MS] : [];
      }),
    );

    // A fifth of all calls fails, and the function is killed once in the middle of its calls.
    const began = performance.now();
    // Of what somebody has to act on nothing may be lost; what is only told is not rung twice for safety's sake.
    const storm = await announce(sizes.storm, 'returned');
    const names = new Set(storm.map(({ id }) => id));
    const weather = setInterval(() => {
      for (const vendor of ['aliyun-sms', 'tencent-sms']) {
        const luck = randomInt(1_000) / 1_000;
        if (luck < REFUSED) fault(vendor, 'refuse', 5);
        else if (luck < REFUSED + SILENT) fault(vendor, 'timeout', 2);
      }
    }, 50);
    let kills = 0;
    const killer = setTimeout(() => {
      cloud.injectFunctionCrash('Notification', { at: 'now' });
      kills += 1;
    }, KILL_MS);
    await send('Alerts', storm);
    const over = async (): Promise<boolean> =>
      (await rows()).filter(({ notice, over: end }) => names.has(notice.id) && end === undefined).length ===
      0;
    await until(async () => {
      await pause(2_000);
      return over();
    });
    clearInterval(weather);
    clearTimeout(killer);
    for (const vendor of ['aliyun-sms', 'tencent-sms']) fault(vendor, 'none');
    await until(over);
    const doubled: Record<string, number> = {};
    let lost = 0;
    for (const { notice, attempts } of await rows()) {
      if (!names.has(notice.id)) continue;
      const reached = attempts.filter(({ state }) => ['sent', 'delivered', 'read'].includes(state));
      if (reached.length === 0) lost += 1;
      if (reached.length > 1) {
        const why = attempts.find(({ asked }) => asked > 0)?.state ?? 'next-channel';
        doubled[why] = (doubled[why] ?? 0) + 1;
      }
    }
    const seconds = (performance.now() - began) / 1_000;
    return {
      rate: sizes.rate,
      alone,
      behind,
      chatter: sizes.chatter,
      fallback,
      storm: { notices: storm.length, lost, doubled, kills, seconds },
    };
  } finally {
    sqs.destroy();
    dynamo.destroy();
    await cloud.stop();
    await phones.stop();
    clock.stop();
  }
};

if (import.meta.main) {
  const [directory = '', district = '', rate = '50', seconds = '20', chatter = '10000', storm = '10000'] =
    process.argv.slice(2);
  const sizes = {
    rate: Number(rate),
    seconds: Number(seconds),
    chatter: Number(chatter),
    storm: Number(storm),
  };
  console.log(JSON.stringify(await measureNotices(directory, district, sizes)));
}
