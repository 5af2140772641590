// How soon a notice reaches a vendor, alone and behind ten thousand that can wait; how punctual the next channel is; what a storm loses.
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient, SendMessageBatchCommand } from '@aws-sdk/client-sqs';
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import * as z from 'zod';
import { outIdOf } from '#shared/adapters/aliyun-voice.ts';
import { dynamoTable } from '#shared/adapters/dynamo-table.ts';
import { givenSecrets } from '#shared/adapters/secrets.ts';
import { attemptIdOf, tableStore } from '#shared/adapters/store.ts';
import { aesVault } from '#shared/adapters/vault.ts';
import { districtSecretSchema } from '#shared/contracts/secret.ts';
import { loadDistrict, loadTexts } from '#shared/districts/load.ts';
import type { Attempt, Notice } from '#shared/domain/notice.ts';
import type { Member } from '#shared/domain/roster.ts';
import { REJECTS_OWNER, type NoticeRow, type Store } from '#shared/ports/store.ts';
import type { Table } from '#shared/ports/table.ts';
import type { Vault } from '#shared/ports/vault.ts';
import { assemble } from '../../local/main.ts';
import type { Faults } from '../../local/phones/faults.ts';
import { startPhones, type Phones } from '../../local/phones/phones.ts';
import { sampleAccounts } from '../../local/phones/sample-accounts.ts';
import { ms, spreadOf, type Spread } from './figures.ts';

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
  storm: Storm;
}

/** What a storm did to its notices. */
export interface Storm {
  notices: number;
  /** On no phone, and nobody will try again. */
  lost: number;
  /** On no phone yet when we stopped looking, and still owed. */
  owed: number;
  /** Attempts that one vendor brought to the phone twice: a vendor was called twice under one name. */
  repeated: number;
  /** Notices that one vendor brought twice, each time as an attempt of its own; by vendor. */
  sameVendor: Record<string, number>;
  /** Further messages of a notice that was on the phone already, by the reason for the further call. */
  doubled: Record<string, number>;
  kills: number;
  seconds: number;
}

/** How long a part may take beyond its own time, and the storm. */
const PATIENCE_MS = 60_000;
const STORM_MS = 300_000;
/** Of a hundred calls to vendors in the storm: refused; never taken and never answered; taken and never answered. */
const REFUSED = 14;
const SWALLOWED = 3;
const UNSAID = 3;
/** The process is killed when this share of the storm's notices is on the phones. */
const KILLED_AT = 0.2;
/** The storm is over when everything is on the phones and so long nothing more has come. */
const CALM_MS = 25_000;
/** The second channel follows after so many seconds without a receipt, and after so many without an action, as the plan has it. */
const GAP_MS = 15_000;
const UNACTED_MS = 20_000;
/** Of the storm; everybody gets several notices, as in life. */
const PEOPLE = 1_000;
const LOOK_MS = 250;
/** Whoever is measured from his place in the queue must not be queued by reconcile before. */
const AHEAD_MS = 120_000;
/** Notices before those that are measured. */
const WARM_UP = 500;

const VENDOR_KEY = { id: 'bench', secret: 'bench-secret' };
const LOCAL = { region: 'us-east-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };

const houseSchema = z.object({
  url: z.string(),
  table: z.object({ endpoint: z.string(), name: z.string() }),
  sqs: z.string(),
  refs: z.record(z.string(), z.string()),
  secret: districtSecretSchema,
});

/** A district's cloud in a process of its own, seen from outside. */
interface House {
  store: Store;
  vault: Vault;
  table: Table;
  send(lane: 'Alerts' | 'Chatter', notices: readonly Notice[]): Promise<void>;
  /** As a power cut would end it. */
  kill(): Promise<void>;
}

const openHouse = async (
  { assembly, district, phones }: { assembly: string; district: string; phones: Phones },
  data: string,
): Promise<House> => {
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, 'notices-cloud.ts'), assembly, district, data, `${phones.url}/vendors`],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const exited = once(child, 'exit');
  const stop = (): void => void child.kill('SIGKILL');
  process.once('exit', stop);
  const first = await createInterface(child.stdout)[Symbol.asyncIterator]().next();
  const house = houseSchema.parse(JSON.parse(first.value ?? 'null'));
  phones.setReceiptUrls((vendor) => `${house.url}/receipts/${vendor}/${house.secret.receiptToken}`);
  const dynamo = new DynamoDBClient({ ...LOCAL, endpoint: house.table.endpoint });
  const sqs = new SQSClient({ ...LOCAL, endpoint: house.sqs });
  const table = dynamoTable(dynamo, house.table.name);
  const queueUrl = (lane: string): string =>
    Object.entries(house.refs).find(([id]) => id.startsWith(`${lane}Queue`))?.[1] ?? '';
  return {
    table,
    store: tableStore(table, givenSecrets(house.secret)),
    vault: aesVault(house.secret),
    async send(lane, notices) {
      for (let i = 0; i < notices.length; i += 10)
        await sqs.send(
          new SendMessageBatchCommand({
            QueueUrl: queueUrl(lane),
            Entries: notices.slice(i, i + 10).map(({ id }, n) => ({
              Id: String(n),
              MessageBody: JSON.stringify({ v: 1, owner: REJECTS_OWNER, noticeId: id }),
            })),
          }),
        );
    },
    async kill() {
      stop();
      process.off('exit', stop);
      await exited;
      sqs.destroy();
      dynamo.destroy();
    },
  };
};

const membersOf = (n: number, district: string): Member[] => {
  const [squad] = loadDistrict(district).squads;
  return Array.from({ length: n }, (_, i) => ({
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
};

/** Writes notices, each to the next person, and queues none of them. `ahead`: reconcile does not look for them before that, ms. */
const announce = async (
  { store }: House,
  {
    name,
    n,
    people,
    kinds,
    ahead = 0,
  }: { name: string; n: number; people: number; kinds: readonly Notice['kind'][]; ahead?: number },
): Promise<Notice[]> => {
  const notices = Array.from({ length: n }, (_, i): Notice => ({
    id: `${name}${String(i).padStart(5, '0')}.00`,
    to: `p-${i % people}`,
    kind: kinds[i % kinds.length] ?? 'told',
    at: Date.now() + ahead,
    round: 1,
  }));
  // As notices of a message that could not be taken: ninety in one transaction.
  for (let i = 0; i < n; i += 90)
    await store.reject(
      { id: `${name}${i}`, at: Date.now(), status: 400, problems: [], body: '', bytes: 0 },
      notices.slice(i, i + 90),
    );
  return notices;
};

const messageSchema = z.object({ id: z.int(), out_id: z.string() });

/** More calls for one notice no storm here has time for. */
const MOST_CALLS = 40;

/** What lies on the phones, by the phones' own record: not what we believe. */
const phonesRecord = (directory: string, notices: readonly Notice[], vault: Vault) => {
  // A call carries a short name of its attempt only.
  const calls = new Map(
    notices.flatMap(({ id }) =>
      Array.from({ length: MOST_CALLS }, (_, i) => {
        const attempt = attemptIdOf(REJECTS_OWNER, id, i + 1);
        return [outIdOf(vault.veil(attempt)), attempt] as const;
      }),
    ),
  );
  const database = new DatabaseSync(join(directory, 'phones.sqlite'), { readOnly: true });
  const fresh = database.prepare('SELECT id, out_id FROM message WHERE shown = 1 AND id > ? ORDER BY id');
  let last = 0;
  /** How often each attempt came, by notice. */
  const rung = new Map<string, Map<string, number>>();
  return {
    rung,
    look(): void {
      for (const row of fresh.all(last)) {
        const { id, out_id: ours } = messageSchema.parse(row);
        const attempt = calls.get(ours) ?? vault.unveil(ours) ?? ours;
        last = id;
        const notice = attempt.slice(attempt.indexOf('.') + 1, attempt.lastIndexOf('.'));
        const attempts = rung.get(notice) ?? new Map<string, number>();
        attempts.set(attempt, (attempts.get(attempt) ?? 0) + 1);
        rung.set(notice, attempts);
      }
    },
    last: () => last,
    close: () => database.close(),
  };
};

const say = (sentence: string): void =>
  console.error(`${new Date().toISOString().slice(11, 19)} ${sentence}`);
const saySpread = (what: string, { n, p50, p99, max }: Spread): void =>
  say(`${what}: ${n}, p50 ${ms(p50)}, p99 ${ms(p99)}, max ${ms(max)} ms`);

/** Waits until it is so, or patience ends. */
const until = async (done: () => boolean, patience = PATIENCE_MS): Promise<void> => {
  for (const end = performance.now() + patience; performance.now() < end && !done();) await pause(LOOK_MS);
};

/** Notices at a fixed rate, each to another phone: from the instant it was due in the queue to the vendor's having it. */
const atRate = async (
  house: House,
  phones: Phones,
  {
    notices,
    rate,
    phoneOf,
  }: { notices: readonly Notice[]; rate: number; phoneOf: ReadonlyMap<string, string> },
): Promise<Spread> => {
  const sent = new Map<string, number>();
  const took: number[] = [];
  const stop = phones.onMessage(({ number, channel }) => {
    const at = sent.get(number);
    if (at === undefined || channel !== 'sms') return;
    sent.delete(number);
    took.push(performance.now() - at);
  });
  const began = performance.now();
  for (const [i, notice] of notices.entries()) {
    const due = began + (i * 1_000) / rate;
    if (due > performance.now()) await pause(due - performance.now());
    sent.set(phoneOf.get(notice.to) ?? '', due);
    void house.send('Alerts', [notice]);
  }
  await until(() => sent.size === 0);
  stop();
  return spreadOf(took);
};

/** From now on so many of all calls fail, each for itself. Returns the end of it. */
const badWeather = (faults: Faults): (() => void) => {
  const calm = faults.take.bind(faults);
  faults.take = (vendor, action) => {
    const luck = randomInt(100);
    if (luck >= REFUSED + SWALLOWED + UNSAID) return undefined;
    const mode = luck < REFUSED ? 'refuse' : 'timeout';
    return { vendor, action, count: 1, mode, recorded: luck >= REFUSED + SWALLOWED };
  };
  return () => {
    faults.take = calm;
  };
};

/** Why another call was made although this one had brought the notice to the phone. */
const causeOf = (before: Attempt, next: Attempt, killed: number): string => {
  if (before.never) return 'the vendor denied it';
  const arrived = before.state === 'delivered' || before.state === 'read';
  if (arrived && next.at - before.seen >= UNACTED_MS) return 'nobody acted (t2)';
  if (before.vendorId !== undefined) return 'no receipt (t1)';
  return before.at <= killed && before.at > killed - 5_000
    ? 'answer lost in the kill'
    : 'no answer of the vendor';
};

const told = (attempts: readonly Attempt[]): string =>
  attempts
    .map(
      ({ n, vendor, state, asked, at, seen }) =>
        `${n} ${vendor} ${state} at ${at} seen ${seen} asked ${asked}`,
    )
    .join('; ');

/** Ten thousand notices, failing vendors, and one kill of the whole process in the middle. */
const storm = async (
  open: () => Promise<House>,
  phones: Phones,
  directory: string,
  size: number,
  district: string,
): Promise<Storm> => {
  const first = await open();
  await first.store.saveRoster(membersOf(PEOPLE, district), Date.now());
  const notices = await announce(first, { name: 's', n: size, people: PEOPLE, kinds: ['returned', 'told'] });
  const record = phonesRecord(directory, notices, first.vault);
  const rung = (): number => notices.reduce((sum, { id }) => sum + (record.rung.has(id) ? 1 : 0), 0);
  const began = performance.now();
  const clear = badWeather(phones.faults);
  const sending = first.send('Alerts', notices).catch(() => undefined);
  await until(() => {
    record.look();
    return rung() >= size * KILLED_AT;
  }, STORM_MS);
  const killed = Date.now();
  say(`kill -9 with ${rung()} of ${size} on the phones`);
  await first.kill();
  await sending;
  const again = await open();
  try {
    await until(() => {
      record.look();
      return rung() === size;
    }, STORM_MS);
    say(`${rung()} of ${size} on the phones`);
    clear();
    let [seen, since] = [record.last(), performance.now()];
    await until(() => {
      record.look();
      if (record.last() !== seen) [seen, since] = [record.last(), performance.now()];
      return performance.now() - since >= CALM_MS;
    });
    const seconds = (performance.now() - began) / 1_000;
    const rows = new Map((await again.store.notices(REJECTS_OWNER)).map((row) => [row.notice.id, row]));
    const result: Storm = {
      notices: size,
      lost: 0,
      owed: 0,
      repeated: 0,
      sameVendor: {},
      doubled: {},
      kills: 1,
      seconds,
    };
    for (const { id } of notices) {
      const row = rows.get(id);
      const came = record.rung.get(id);
      if (!came) {
        if (row && row.over === undefined) result.owed += 1;
        else result.lost += 1;
        await explain(again.table, id, row);
        continue;
      }
      for (const times of came.values()) if (times > 1) result.repeated += 1;
      const brought = (row?.attempts ?? []).filter((attempt) => came.has(attempt.id));
      for (const vendor of new Set(brought.map((attempt) => attempt.vendor)))
        if (brought.filter((attempt) => attempt.vendor === vendor).length > 1)
          result.sameVendor[vendor] = (result.sameVendor[vendor] ?? 0) + 1;
      for (const [i, next] of brought.entries()) {
        const before = brought[i - 1];
        if (!before) continue;
        const cause = causeOf(before, next, killed);
        result.doubled[cause] = (result.doubled[cause] ?? 0) + 1;
      }
    }
    return result;
  } finally {
    record.close();
    await again.kill();
  }
};

/** What became of a notice that nobody got, for whoever looks for the reason. */
const explain = async (table: Table, id: string, row: NoticeRow | undefined): Promise<void> => {
  const lines = await table.query({ pk: REJECTS_OWNER, startsWith: `LINE#${id}#`, consistent: true });
  const facts = lines.map((line) => `\n  ${JSON.stringify(line.at)} ${JSON.stringify(line.facts)}`).join('');
  console.error(
    `lost: ${id} ${row?.notice.kind} ${row?.state} over ${row?.over}: ${told(row?.attempts ?? [])}${facts}`,
  );
};

/** @param directory everything lies below it @param sizes how many alerts, messages that can wait, notices of the storm */
export const measureNotices = async (
  directory: string,
  district: string,
  sizes: { rate: number; seconds: number; chatter: number; storm: number },
): Promise<NoticesResult> => {
  const assembly = await assemble(district);
  const texts = loadTexts();
  const phones = await startPhones({
    port: 0,
    data: directory,
    now: Date.now,
    templates: Object.values(texts.templates),
    keys: { [VENDOR_KEY.id]: VENDOR_KEY.secret },
    signName: texts.signName,
    vendors: sampleAccounts(texts).vendors,
  });
  const open = (name: string): Promise<House> =>
    openHouse({ assembly, district, phones }, join(directory, name));
  const calm = async (): Promise<Pick<NoticesResult, 'alone' | 'behind' | 'fallback'>> => {
    // Everybody has one notice at a time: when his phone shows it, it has arrived.
    const alerts = sizes.rate * sizes.seconds;
    const people = Math.max(alerts, PEOPLE);
    const members = membersOf(people, district);
    const phoneOf = new Map(members.map(({ id, phone }) => [id, phone]));
    const house = await open('calm');
    try {
      await house.store.saveRoster(members, Date.now());
      const heard = { sms: 0, voice: 0 };
      phones.onMessage(({ channel }) => {
        if (channel === 'sms' || channel === 'voice') heard[channel] += 1;
      });
      const kinds = ['returned'] as const;
      // Caches are filled and code is warm before counting.
      const warm = await announce(house, { name: 'w', n: WARM_UP, people, kinds: ['told'], ahead: AHEAD_MS });
      await atRate(house, phones, { notices: warm, rate: sizes.rate, phoneOf });
      const first = await announce(house, { name: 'a', n: alerts, people, kinds, ahead: AHEAD_MS });
      const alone = await atRate(house, phones, { notices: first, rate: sizes.rate, phoneOf });
      saySpread('alone', alone);
      // Nobody acts: the calls that follow twenty seconds later belong to no measurement.
      await until(() => heard.voice >= alerts);

      // A vendor that takes everything and brings nothing.
      for (const vendor of ['aliyun-sms', 'tencent-sms'])
        phones.faults.set({ vendor, mode: 'silent', count: 1_000_000 });
      const rungBefore = heard.voice;
      const late = await announce(house, { name: 'f', n: 50, people, kinds, ahead: AHEAD_MS });
      for (const notice of late) {
        void house.send('Alerts', [notice]);
        await pause(1_000 / sizes.rate);
      }
      await until(() => heard.voice >= rungBefore + late.length);
      for (const vendor of ['aliyun-sms', 'tencent-sms']) phones.faults.set({ vendor, mode: 'none' });
      const rows = await Promise.all(late.map(({ id }) => house.store.notice(REJECTS_OWNER, id)));
      const fallback = spreadOf(
        rows.flatMap((row) => {
          const [one, two] = row?.attempts ?? [];
          return one && two ? [two.at - one.at - GAP_MS] : [];
        }),
      );

      saySpread('next channel after its second', fallback);

      const waiting = await announce(house, {
        name: 'c',
        n: sizes.chatter,
        people,
        kinds: ['reassigned'],
        ahead: AHEAD_MS,
      });
      const ready = await announce(house, { name: 'b', n: alerts, people, kinds, ahead: AHEAD_MS });
      await house.send('Chatter', waiting);
      const behind = await atRate(house, phones, { notices: ready, rate: sizes.rate, phoneOf });
      saySpread('behind what can wait', behind);
      return { alone, behind, fallback };
    } finally {
      await house.kill();
    }
  };
  try {
    return {
      rate: sizes.rate,
      chatter: sizes.chatter,
      ...(await calm()),
      storm: await storm(() => open('storm'), phones, directory, sizes.storm, district),
    };
  } finally {
    await phones.stop();
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
