import { default as middy } from '@middy/core';
import type { Context } from 'aws-lambda';
import * as z from 'zod';
import type { Log } from '../ports/log.ts';

const eventSchema = z.object({
  Records: z.array(
    z.object({
      messageId: z.string(),
      body: z.string(),
      attributes: z.object({ ApproximateReceiveCount: z.coerce.number().default(1) }).prefault({}),
    }),
  ),
});

/** How often a message was handed to us, this time included. */
export interface Delivery {
  messageId: string;
  attempt: number;
}

/** Answer to SQS: the records that must come again. Whatever is not listed is done. */
export interface BatchReply {
  batchItemFailures: { itemIdentifier: string }[];
}

/** Records of one batch worked on at the same time: all of them, because one that waits for a silent vendor must hold up no other. */
const AT_ONCE = 10;

/**
 * The queue door: every record alone. One that does not parse or throws comes again and at last reaches the dead-letter
 * queue; its neighbours are not held up. SQS delivers at least once: `handle` must be idempotent.
 */
export const queueDoor = <T>(
  schema: z.ZodType<T>,
  handle: (job: T, delivery: Delivery) => Promise<void>,
  { log }: { log: Log },
): ((event: unknown, context: Context) => Promise<BatchReply>) => {
  return middy<unknown, BatchReply>().handler(async (event: unknown) => {
    const { Records } = eventSchema.parse(event);
    const failed: BatchReply['batchItemFailures'] = [];
    const waiting = Records.values();
    const worker = async (): Promise<void> => {
      for (const { messageId, body, attributes } of waiting) {
        const attempt = attributes.ApproximateReceiveCount;
        try {
          await handle(schema.parse(JSON.parse(body)), { messageId, attempt });
        } catch (error) {
          log.error('record-failed', error, { messageId, attempt });
          failed.push({ itemIdentifier: messageId });
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    return { batchItemFailures: failed };
  });
};
