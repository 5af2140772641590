import { SFNClient } from '@aws-sdk/client-sfn';
import { SQSClient } from '@aws-sdk/client-sqs';
import { sqsQueues } from '#shared/adapters/queues.ts';
import { CALL_LIMITS, surroundings } from '#shared/adapters/surroundings.ts';
import { jitter } from '#shared/adapters/system.ts';
import { sfnWorkflow } from '#shared/adapters/workflow.ts';
import { linkJobSchema } from '#shared/contracts/jobs.ts';
import { loadDistrict } from '#shared/districts/load.ts';
import { loadRelations } from '#shared/districts/load-relations.ts';
import { queueDoor } from '#shared/lambda/queue.ts';
import { envSchema } from './env.ts';
import { link } from './linking.ts';

const env = envSchema.parse(process.env);
const around = await surroundings(env, 'linking');
const linker = {
  ...around,
  queues: sqsQueues(new SQSClient(CALL_LIMITS), {
    alerts: env.ALERTS_QUEUE_URL,
    chatter: env.CHATTER_QUEUE_URL,
  }),
  workflow: sfnWorkflow(new SFNClient(CALL_LIMITS), env.STATE_MACHINE_ARN),
  backoff: jitter,
  district: loadDistrict(env.DISTRICT),
  ...loadRelations(),
};

/** Compares every dispatched call of a batch with others, each alone. */
export const handler = queueDoor(linkJobSchema, ({ incidentId }) => link(linker, incidentId), around);
