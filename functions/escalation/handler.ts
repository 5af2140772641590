import { SFNClient } from '@aws-sdk/client-sfn';
import { SQSClient } from '@aws-sdk/client-sqs';
import { sqsQueues } from '#shared/adapters/queues.ts';
import { CALL_LIMITS, surroundings } from '#shared/adapters/surroundings.ts';
import { jitter } from '#shared/adapters/system.ts';
import { sfnWorkflow } from '#shared/adapters/workflow.ts';
import { loadDistrict } from '#shared/districts/load.ts';
import { workflowDoor } from '#shared/lambda/workflow.ts';
import { envSchema } from './env.ts';
import { escalateIncident } from './escalation.ts';

const env = envSchema.parse(process.env);
const around = await surroundings(env, 'escalation');
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

/** Asked by the workflow when a rung was missed or a clock was moved. */
export const handler = workflowDoor((step) => escalateIncident(mover, step), around);
