import { SFNClient } from '@aws-sdk/client-sfn';
import { SQSClient } from '@aws-sdk/client-sqs';
import { sqsQueues } from '#shared/adapters/queues.ts';
import { CALL_LIMITS, surroundings } from '#shared/adapters/surroundings.ts';
import { jitter } from '#shared/adapters/system.ts';
import { sfnWorkflow } from '#shared/adapters/workflow.ts';
import { loadDistrict, loadVendors } from '#shared/districts/load.ts';
import { scheduleDoor } from '#shared/lambda/schedule.ts';
import { envSchema } from './env.ts';
import { exportHeads } from './export-heads.ts';
import { canaryBySchedule } from './canary-by-schedule.ts';
import { drillBySchedule } from './drill-by-schedule.ts';
import { everyMinute, reconcile } from './reconcile.ts';
import { tellVendorsBack } from './vendors-back.ts';

const env = envSchema.parse(process.env);
const around = await surroundings(env, 'reconcile');
const reconciler = {
  ...around,
  queues: sqsQueues(new SQSClient(CALL_LIMITS), {
    reports: env.REPORTS_QUEUE_URL,
    links: env.LINKS_QUEUE_URL,
    alerts: env.ALERTS_QUEUE_URL,
    chatter: env.CHATTER_QUEUE_URL,
    sweeps: env.SWEEPS_QUEUE_URL,
  }),
  workflow: sfnWorkflow(new SFNClient(CALL_LIMITS), env.STATE_MACHINE_ARN),
  backoff: jitter,
  lately: new Map<string, number>(),
  district: loadDistrict(env.DISTRICT),
  vendors: loadVendors(),
};

/** Finds what was left undone and finishes it, four times a minute. */
export const handler = scheduleDoor(async (beat) => {
  await (beat === 'minute' ? everyMinute(reconciler) : reconcile(reconciler));
  if (beat !== 'minute') return;
  await exportHeads(around);
  await drillBySchedule(reconciler);
  await canaryBySchedule(reconciler);
  await tellVendorsBack(reconciler);
}, around);
