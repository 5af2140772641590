import { SQSClient } from '@aws-sdk/client-sqs';
import { toWgs84 } from '#shared/adapters/coordinates.ts';
import { sqsQueues } from '#shared/adapters/queues.ts';
import { CALL_LIMITS, surroundings } from '#shared/adapters/surroundings.ts';
import { jitter, systemIds } from '#shared/adapters/system.ts';
import { loadDistrict } from '#shared/districts/load.ts';
import { httpDoor } from '#shared/lambda/http.ts';
import { envSchema } from './env.ts';
import { takeBeat } from './heartbeat.ts';
import { takeReport } from './intake.ts';

const env = envSchema.parse(process.env);
const around = await surroundings(env, 'intake');
const intake = {
  ...around,
  queues: sqsQueues(new SQSClient(CALL_LIMITS), {
    reports: env.REPORTS_QUEUE_URL,
    alerts: env.ALERTS_QUEUE_URL,
    chatter: env.CHATTER_QUEUE_URL,
  }),
  ids: systemIds(around.clock),
  backoff: jitter,
  district: loadDistrict(env.DISTRICT),
  toWgs84,
};

/** What the 110 centre posts: reports and heartbeats. */
export const handler = httpDoor(
  [
    { method: 'POST', path: '/webhooks/110', auth: 'none', handle: (request) => takeReport(intake, request) },
    {
      method: 'POST',
      path: '/webhooks/110/heartbeat',
      auth: 'none',
      handle: (request) => takeBeat(intake, request),
    },
  ],
  around,
);
