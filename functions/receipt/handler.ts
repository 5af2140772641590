import { aliyunSmsCallback } from '#shared/adapters/aliyun-sms.ts';
import { surroundings } from '#shared/adapters/surroundings.ts';
import { jitter } from '#shared/adapters/system.ts';
import { httpDoor } from '#shared/lambda/http.ts';
import { envSchema } from './env.ts';
import { takeReceipts } from './receipt.ts';

const around = await surroundings(envSchema.parse(process.env), 'receipt');
const taker = {
  ...around,
  backoff: jitter,
  vendors: { 'aliyun-sms': aliyunSmsCallback },
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
