import { SQSClient } from '@aws-sdk/client-sqs';
import { aliyunSms } from '#shared/adapters/aliyun-sms.ts';
import { sqsQueues } from '#shared/adapters/queues.ts';
import { attemptIdOf } from '#shared/adapters/store.ts';
import { CALL_LIMITS, surroundings } from '#shared/adapters/surroundings.ts';
import { systemIds } from '#shared/adapters/system.ts';
import { noticeJobSchema } from '#shared/contracts/jobs.ts';
import { loadDistrict, loadTexts } from '#shared/districts/load.ts';
import { queueDoor } from '#shared/lambda/queue.ts';
import { envSchema } from './env.ts';
import { deliver } from './notification.ts';

const env = envSchema.parse(process.env);
const around = await surroundings(env, 'notification');
const deliverer = {
  ...around,
  queues: sqsQueues(new SQSClient(CALL_LIMITS), { notices: env.NOTICES_QUEUE_URL }),
  sender: aliyunSms({
    endpoint: env.ALIYUN_SMS_ENDPOINT,
    key: async () => (await around.secrets.district()).aliyunSms,
    clock: around.clock,
    ids: systemIds(around.clock),
  }),
  attemptId: attemptIdOf,
  district: loadDistrict(env.DISTRICT),
  texts: loadTexts(),
};

/** Delivers every notice of a batch, each alone. */
export const handler = queueDoor(noticeJobSchema, (job) => deliver(deliverer, job), around);
