import { default as middy } from '@middy/core';
import type { Context } from 'aws-lambda';
import * as z from 'zod';
import type { Log } from '../ports/log.ts';

const eventSchema = z.union([
  z.object({ Records: z.array(z.unknown()).nonempty() }).transform(() => 'between' as const),
  z.object({ 'detail-type': z.string(), time: z.string() }).transform(() => 'minute' as const),
]);

/** `minute`: the schedule's own beat. `between`: a pass that the last beat asked for. */
export type Beat = z.output<typeof eventSchema>;

/** The schedule's door: a beat of the rule, or a delayed message in between. What is thrown is retried by AWS and alarms. */
export const scheduleDoor = (
  handle: (beat: Beat) => Promise<void>,
  { log }: { log: Log },
): ((event: unknown, context: Context) => Promise<void>) => {
  return middy<unknown, void>()
    .use({ onError: ({ error }) => log.error('schedule-defect', error) })
    .handler((event: unknown) => handle(eventSchema.parse(event)));
};
