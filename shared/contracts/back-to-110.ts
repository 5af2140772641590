import * as z from 'zod';
import { OUTCOMES } from '../domain/incident.ts';
import { RELAY_KINDS } from '../domain/relay.ts';
import { isoSchema } from './time.ts';

/** What the 110 centre is sent: a return, a result, or that a result does not hold any more. */
export const relayedSchema = z
  .strictObject({
    type: z.enum(RELAY_KINDS.map((kind) => `incident.${kind}` as const)),
    timestamp: isoSchema.describe('When it happened.'),
    data: z.strictObject({
      callNo: z.string().describe("110's own number of the call."),
      incidentId: z.string(),
      district: z.string(),
      sequence: z
        .int()
        .positive()
        .describe('Rises within an incident, with gaps: the higher one is the newer one.'),
      danger: z.array(z.string()).optional().describe('Of a return: our danger signs.'),
      outcome: z.enum(OUTCOMES).optional().describe('Of a close.'),
      text: z
        .string()
        .optional()
        .describe('Words of whoever returned or closed it; never of a secret matter.'),
    }),
  })
  .meta({ id: 'Relayed' });

/** What the 110 centre answers: the id of the message, so that no page of something in between passes for an acknowledgement. */
export const relayedAnswerSchema = z
  .object({ id: z.string().describe('The `webhook-id` of the message.') })
  .meta({ id: 'RelayedAnswer' });
