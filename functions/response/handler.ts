import { SFNClient } from '@aws-sdk/client-sfn';
import { SQSClient } from '@aws-sdk/client-sqs';
import { toWgs84 } from '#shared/adapters/coordinates.ts';
import { sqsQueues } from '#shared/adapters/queues.ts';
import { CALL_LIMITS, surroundings } from '#shared/adapters/surroundings.ts';
import { jitter } from '#shared/adapters/system.ts';
import { tokenSignIn } from '#shared/adapters/tokens.ts';
import { sfnWorkflow } from '#shared/adapters/workflow.ts';
import { loadDistrict } from '#shared/districts/load.ts';
import { httpDoor } from '#shared/lambda/http.ts';
import { takeAction } from './action.ts';
import { takeDrillAnswer } from './drill-answer.ts';
import { envSchema } from './env.ts';

const env = envSchema.parse(process.env);
const around = await surroundings(env, 'response');
const mover = {
  ...around,
  queues: sqsQueues(new SQSClient(CALL_LIMITS), {
    alerts: env.ALERTS_QUEUE_URL,
    chatter: env.CHATTER_QUEUE_URL,
  }),
  workflow: sfnWorkflow(new SFNClient(CALL_LIMITS), env.STATE_MACHINE_ARN),
  backoff: jitter,
  district: loadDistrict(env.DISTRICT),
  toWgs84,
};

/** Takes what people do. */
export const handler = httpDoor(
  [
    {
      method: 'POST',
      path: '/api/incidents/{id}/actions',
      auth: 'any',
      json: true,
      handle: ({ params, headers, bearer }, body) =>
        takeAction(mover, {
          id: params['id'] ?? '',
          actor: bearer,
          body,
          idempotencyKey: headers['idempotency-key'],
        }),
    },
    {
      method: 'POST',
      path: '/api/drill/answer',
      auth: 'any',
      handle: ({ bearer }) => takeDrillAnswer(mover, bearer.id),
    },
  ],
  { log: around.log, signIn: tokenSignIn(around.secrets, env.DISTRICT, around.clock) },
);
