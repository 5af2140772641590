import { SQSClient } from '@aws-sdk/client-sqs';
import { memoryTable } from '#shared/adapters/memory-table.ts';
import { newDistrictSecret } from '#shared/adapters/new-district-secret.ts';
import { givenSecrets } from '#shared/adapters/secrets.ts';
import { tableStore } from '#shared/adapters/store.ts';
import type { DistrictSecret } from '#shared/contracts/secret.ts';
import { districtSecretSchema } from '#shared/contracts/secret.ts';
import { receive } from '#shared/domain/incident.ts';
import { ownerOf, type NoticeRow, type Store } from '#shared/ports/store.ts';
import type { Table } from '#shared/ports/table.ts';
import { execute, type Command } from '../../infra/commands/command.ts';
import type { Installation } from '../../infra/commands/installation.ts';

/** Vendor keys of a sample district. */
export const VENDOR = {
  accessKeyId: 'sample-id',
  accessKeySecret: 'sample-vendor-secret',
  signName: '示例街道',
};

/** A district in memory with a clock that is set by hand, and a terminal that remembers. */
export interface Office {
  table: Table;
  store: Store;
  /** The text in Secrets Manager. */
  secretText: string | undefined;
  /** Every text that was ever put there. */
  puts: string[];
  secret(): DistrictSecret;
  now: Date;
  sqs: SQSClient;
  queues: Installation['queues'];
  /** What a person at the keyboard answers; undefined: nobody is there. */
  answer: boolean | undefined;
  /** Runs a command line. */
  run(
    command: Command,
    ...args: string[]
  ): Promise<{ code: number; out: string[]; err: string[]; all: string }>;
}

/** @param secret the stored secret; null: none was ever put */
export const openOffice = (secret: DistrictSecret | null = newDistrictSecret(VENDOR)): Office => {
  const table = memoryTable();
  let changedAt = new Date('2026-11-01T00:00:00Z');
  const url = (name: string) => ({
    work: `http://127.0.0.1/q/${name}`,
    dead: `http://127.0.0.1/q/${name}-dead`,
  });
  const office: Office = {
    table,
    store: tableStore(table, {
      district: async () => office.secret(),
      vault: async () => givenSecrets(office.secret()).vault(),
    }),
    secretText: secret === null ? undefined : JSON.stringify(secret),
    puts: [],
    secret: () => districtSecretSchema.parse(JSON.parse(office.secretText ?? 'null')),
    now: new Date('2026-11-21T04:00:00Z'),
    sqs: new SQSClient({ region: 'local' }),
    queues: {
      reports: url('reports'),
      links: url('links'),
      alerts: url('alerts'),
      chatter: url('chatter'),
      sweeps: url('sweeps'),
    },
    answer: undefined,
    async run(command, ...args) {
      const out: string[] = [];
      const err: string[] = [];
      const terminal = {
        out: (line: string) => void out.push(line),
        err: (line: string) => void err.push(line),
        confirm: async () => office.answer,
      };
      const code = await execute(command, args, terminal, async () => ({
        name: 'Xiaonao-xiaohe',
        district: 'xiaohe',
        url: 'http://127.0.0.1:1',
        now: async () => office.now,
        table,
        secret: {
          read: async () =>
            office.secretText === undefined ? undefined : { text: office.secretText, changedAt },
          write: async (text) => {
            office.secretText = text;
            office.puts.push(text);
            changedAt = office.now;
          },
        },
        sqs: office.sqs,
        queues: office.queues,
        close: () => {},
      }));
      return { code, out, err, all: [...out, ...err].join('\n') };
    },
  };
  return office;
};

/** Ids in the form of ULIDs; `n` tells them apart. */
export const incidentId = (n: number): string => `01TEST${String(n).padStart(20, '0')}`;

/** An incident with three lines in its main chain and two in that of its one notice. Words are sealed. */
export const keepIncident = async (
  { store }: Pick<Office, 'store'>,
  n = 1,
  receivedAt = Date.parse('2026-11-21T02:00:00Z'),
): Promise<string> => {
  const id = incidentId(n);
  const fresh = receive({
    id,
    callNo: `sample-${n}`,
    district: 'xiaohe',
    receivedAt,
    calledAt: receivedAt,
    secret: false,
    mode: 'peace',
  });
  const content = {
    callNo: fresh.callNo,
    calledAt: receivedAt,
    caller: { name: '示例', phone: '19900000001' },
    address: '示例路1号',
    content: '示例内容',
    receivedAt,
  };
  await store.create(fresh, content, [{ at: receivedAt, kind: 'received', by: '110' }]);
  const { incident } = (await store.load(id)) ?? {};
  if (!incident) throw new Error('the incident was not kept');
  const notice = { id: '00001.00', to: 'm-001', kind: 'ask' as const, at: receivedAt, round: 1 };
  await store.commit({
    incident: {
      ...incident,
      version: 1,
      state: 'asking',
      workflow: 'started',
      people: [{ id: 'm-001', role: 'member', squad: 'patrol-1', asked: receivedAt, told: [], did: [] }],
    },
    lines: [
      { at: receivedAt, kind: 'asked', by: 'system', whom: 'm-001', rung: 'accept' },
      { at: receivedAt + 1000, kind: 'noted', by: 'desk', text: '示例备注' },
    ],
    notices: [notice],
  });
  const row = async (): Promise<NoticeRow> => {
    const found = await store.notice(ownerOf(id), notice.id);
    if (!found) throw new Error('the notice was not kept');
    return found;
  };
  await store.step(ownerOf(id), await row(), { to: 'sending', at: receivedAt + 100, facts: {} });
  await store.step(ownerOf(id), await row(), { to: 'sent', at: receivedAt + 200, facts: {} });
  return id;
};
