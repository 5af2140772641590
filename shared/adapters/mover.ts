import { SFNClient } from '@aws-sdk/client-sfn';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { District } from '../domain/district.ts';
import type { Mover } from '../ports/move.ts';
import type { Queues } from '../ports/queue.ts';
import { sqsQueues, type QueueUrls } from './queues.ts';
import { CALL_LIMITS, type Surroundings } from './surroundings.ts';
import { jitter } from './system.ts';
import { sfnWorkflow } from './workflow.ts';

/** What the stack tells every function that moves incidents. */
export interface MoverSettings {
  ALERTS_QUEUE_URL: string;
  CHATTER_QUEUE_URL: string;
  STATE_MACHINE_ARN: string;
}

/**
 * All that moving an incident needs, beside its surroundings: the queues of its notices, its workflow, its district. Built once per cold
 * start. `more`: further queues that the function sends to.
 */
export const moverAround = (
  around: Surroundings,
  env: MoverSettings,
  district: District,
  more: QueueUrls = {},
): Surroundings & Mover & { queues: Queues } => ({
  ...around,
  queues: sqsQueues(new SQSClient(CALL_LIMITS), {
    ...more,
    alerts: env.ALERTS_QUEUE_URL,
    chatter: env.CHATTER_QUEUE_URL,
  }),
  workflow: sfnWorkflow(new SFNClient(CALL_LIMITS), env.STATE_MACHINE_ARN),
  backoff: jitter,
  district,
});
