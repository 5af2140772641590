import * as z from 'zod';

const version = z.literal(1);

/** Message of the queue `reports`: an incident to classify. */
export const reportJobSchema = z.object({ v: version, incidentId: z.string().min(1) });

/** Message of the queue `links`: a dispatched incident to compare with others. */
export const linkJobSchema = z.object({ v: version, incidentId: z.string().min(1) });

/** Message of the queue `notices`: a notice to deliver. */
export const noticeJobSchema = z.object({
  v: version,
  owner: z.string().min(1),
  noticeId: z.string().min(1),
});

/** What the workflow hands to `escalation`. Running executions keep their definition, so older versions stay readable. */
export const escalationStepSchema = z.object({
  version,
  incidentId: z.string().min(1),
  round: z.int().positive(),
  /** The rung it waited at; the workflow may not have reached one yet. */
  rung: z.string().optional(),
  /** Why it stopped waiting: missed, rearm, done, error … For the log only: the row decides. */
  cause: z.string().optional(),
});
/** What the workflow hands to `escalation`. */
export type EscalationStep = z.infer<typeof escalationStepSchema>;
