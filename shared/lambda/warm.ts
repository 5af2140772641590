import type { Context } from 'aws-lambda';
import * as z from 'zod';

const wakeSchema = z.strictObject({ warm: z.literal(true) });

/**
 * A door that whoever knocks waits for with little patience: the schedule wakes the function in between (`{ "warm": true }`), so that one
 * environment is there, and `look` reads what the next caller needs and would else have to wait for. Its failure is none: the caller reads again.
 */
export const keptWarm =
  <T>(
    door: (event: unknown, context: Context) => Promise<T>,
    look: () => Promise<unknown>,
  ): ((event: unknown, context: Context) => Promise<T | undefined>) =>
  async (event, context) => {
    if (!wakeSchema.safeParse(event).success) return door(event, context);
    await Promise.allSettled([look()]);
    return undefined;
  };
