// The surroundings of a function without engines: a table in memory, a clock that stands, queues that remember.
import { readFileSync } from 'node:fs';
import { Webhook } from 'standardwebhooks';
import { memoryTable } from '#shared/adapters/memory-table.ts';
import { tableMemos } from '#shared/adapters/memos.ts';
import { listLog } from '#shared/adapters/log.ts';
import { newDistrictSecret } from '#shared/adapters/new-district-secret.ts';
import { parseRoster } from '#shared/adapters/roster-csv.ts';
import { tablePushDevices } from '#shared/adapters/push-devices.ts';
import { givenSecrets } from '#shared/adapters/secrets.ts';
import { tableStore } from '#shared/adapters/store.ts';
import { systemIds } from '#shared/adapters/system.ts';
import { issueToken, tokenSignIn } from '#shared/adapters/tokens.ts';
import { loadDistrict } from '#shared/districts/load.ts';
import { httpDoor, type HttpReply, type Route } from '#shared/lambda/http.ts';
import type { NoticeJob, ReportJob } from '#shared/ports/queue.ts';
import type { Bearer } from '#shared/ports/sign-in.ts';

/** An early shift of a weekday in 2026: 14:00 in Beijing. */
export const NOON = Date.parse('2026-03-02T14:00:00+08:00');

/** One HTTP exchange, as the gateway would have it. */
export interface Exchange {
  method?: string;
  path: string;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  body?: string | Buffer;
}

/** What came back, with its body read. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: any;
}

/** Everything around one function of one district. */
export const frontOffice = async (districtId = 'xiaohe') => {
  const time = { now: NOON };
  const clock = { now: () => new Date(time.now) };
  const secret = newDistrictSecret({ accessKeyId: 'sample', accessKeySecret: 'sample', signName: '小脑' });
  const secrets = givenSecrets(secret);
  const table = memoryTable();
  const store = tableStore(table, secrets);
  const district = loadDistrict(districtId);
  const log = listLog();
  const sent: { reports: ReportJob[]; notices: NoticeJob[] } = { reports: [], notices: [] };
  const csv = readFileSync(
    new URL(`../../shared/districts/${districtId}/roster.sample.csv`, import.meta.url),
    'utf8',
  );
  await store.saveRoster(parseRoster(csv, district).members, 0);
  const queues = {
    reports: async (jobs: readonly ReportJob[]) => void sent.reports.push(...jobs),
    links: async () => {},
    notices: async (jobs: readonly NoticeJob[]) => void sent.notices.push(...jobs),
    sweeps: async () => {},
  };
  return {
    time,
    clock,
    secret,
    secrets,
    store,
    memos: tableMemos(table),
    pushDevices: tablePushDevices(table, secrets),
    district,
    log,
    queues,
    sent,
    ids: systemIds(clock),
    backoff: async () => {},
    signIn: tokenSignIn(secrets, districtId, clock),
    bearer: async (sub: string, role: Bearer['kind'], hours = 1): Promise<Record<string, string>> => ({
      authorization: `Bearer ${await issueToken(secret, { sub, role, district: districtId, hours }, clock)}`,
    }),
    /** Headers of a message that 110 signed now. */
    signed: (raw: string | Buffer, at = time.now): Record<string, string> => ({
      'webhook-id': 'msg_sample',
      'webhook-timestamp': String(Math.floor(at / 1000)),
      'webhook-signature': new Webhook(secret.webhookKeys[0] ?? '').sign(
        'msg_sample',
        new Date(at),
        raw.toString(),
      ),
    }),
  };
};

/** The front office of a test. */
export type FrontOffice = Awaited<ReturnType<typeof frontOffice>>;

/** Sends one request through the real HTTP door. Bodies go as base64, as the gateway sends what is no text. */
export const call = async (
  routes: readonly Route[],
  office: Pick<FrontOffice, 'log' | 'signIn'>,
  { method = 'GET', path, query = {}, headers = {}, body }: Exchange,
): Promise<Answer> => {
  const event = {
    version: '2.0',
    rawPath: path,
    headers,
    queryStringParameters: query,
    requestContext: { http: { method, path } },
    ...(body === undefined ? {} : { body: Buffer.from(body).toString('base64'), isBase64Encoded: true }),
  };
  const context: any = {};
  const reply: HttpReply = await httpDoor(routes, office)(event, context);
  return { status: reply.statusCode, headers: reply.headers, body: JSON.parse(reply.body) };
};
