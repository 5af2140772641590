import { SQSClient } from '@aws-sdk/client-sqs';
import { CALLBACKS } from '#shared/adapters/callbacks.ts';
import { sqsQueues } from '#shared/adapters/queues.ts';
import { CALL_LIMITS, surroundings } from '#shared/adapters/surroundings.ts';
import { jitter } from '#shared/adapters/system.ts';
import { httpDoor } from '#shared/lambda/http.ts';
import { envSchema } from './env.ts';
import { takeReceipts } from './receipt.ts';

const env = envSchema.parse(process.env);
const around = await surroundings(env, 'receipt');
const taker = {
  ...around,
  queues: sqsQueues(new SQSClient(CALL_LIMITS), {
    alerts: env.ALERTS_QUEUE_URL,
    chatter: env.CHATTER_QUEUE_URL,
  }),
  backoff: jitter,
  vendors: CALLBACKS,
};

/** What the vendors of texts post: whether a text has arrived. */
export const handler = httpDoor(
  [
    {
      method: 'POST',
      path: '/receipts/{vendor}/{token}',
      auth: 'none',
      handle: ({ params, raw }) => takeReceipts(taker, params, raw),
    },
  ],
  around,
);
