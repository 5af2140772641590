import * as z from 'zod';

/** What this function is told by the stack. */
export const envSchema = z.object({
  DISTRICT: z.string(),
  STAGE: z.string(),
  TABLE_NAME: z.string(),
  SECRET_ID: z.string(),
  REPORTS_QUEUE_URL: z.url(),
  LINKS_QUEUE_URL: z.url(),
  ALERTS_QUEUE_URL: z.url(),
  CHATTER_QUEUE_URL: z.url(),
  SWEEPS_QUEUE_URL: z.url(),
  STATE_MACHINE_ARN: z.string(),
});
