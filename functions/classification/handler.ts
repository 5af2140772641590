import { SFNClient } from '@aws-sdk/client-sfn';
import { SQSClient } from '@aws-sdk/client-sqs';
import { sqsQueues } from '#shared/adapters/queues.ts';
import { CALL_LIMITS, surroundings } from '#shared/adapters/surroundings.ts';
import { jitter } from '#shared/adapters/system.ts';
import { sfnWorkflow } from '#shared/adapters/workflow.ts';
import { reportJobSchema } from '#shared/contracts/jobs.ts';
import { loadDistrict } from '#shared/districts/load.ts';
import { warm } from '#shared/domain/classify.ts';
import { queueDoor } from '#shared/lambda/queue.ts';
import { classifyIncident } from './classification.ts';
import { envSchema } from './env.ts';

const env = envSchema.parse(process.env);
const around = await surroundings(env, 'classification');
const district = loadDistrict(env.DISTRICT);
// Before the first call, not with it: the model and the indexes over all words are built once.
warm(district);
const mover = {
  ...around,
  queues: sqsQueues(new SQSClient(CALL_LIMITS), { notices: env.NOTICES_QUEUE_URL }),
  workflow: sfnWorkflow(new SFNClient(CALL_LIMITS), env.STATE_MACHINE_ARN),
  backoff: jitter,
  district,
};

/** Classifies every report of a batch, each alone. */
export const handler = queueDoor(
  reportJobSchema,
  ({ incidentId }) => classifyIncident(mover, incidentId),
  around,
);
