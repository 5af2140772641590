import { SFNClient } from '@aws-sdk/client-sfn';
import { SQSClient } from '@aws-sdk/client-sqs';
import { sqsQueues } from '#shared/adapters/queues.ts';
import { CALL_LIMITS, surroundings } from '#shared/adapters/surroundings.ts';
import { jitter } from '#shared/adapters/system.ts';
import { sfnWorkflow } from '#shared/adapters/workflow.ts';
import { reportJobSchema } from '#shared/contracts/jobs.ts';
import { loadDistrict } from '#shared/districts/load.ts';
import { queueDoor } from '#shared/lambda/queue.ts';
import { classifyIncident } from './classification.ts';
import { envSchema } from './env.ts';

const env = envSchema.parse(process.env);
const around = await surroundings(env, 'classification');
const mover = {
  ...around,
  queues: sqsQueues(new SQSClient(CALL_LIMITS), {
    alerts: env.ALERTS_QUEUE_URL,
    chatter: env.CHATTER_QUEUE_URL,
  }),
  workflow: sfnWorkflow(new SFNClient(CALL_LIMITS), env.STATE_MACHINE_ARN),
  backoff: jitter,
  district: loadDistrict(env.DISTRICT),
};

/** Classifies every report of a batch, each alone. */
export const handler = queueDoor(
  reportJobSchema,
  ({ incidentId }) => classifyIncident(mover, incidentId),
  around,
);
