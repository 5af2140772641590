import { default as middy } from '@middy/core';
import type { Context } from 'aws-lambda';
import { escalationStepSchema } from '../contracts/jobs.ts';
import type { EscalationStep } from '../contracts/jobs.ts';
import type { Instant } from '../domain/incident.ts';
import type { Rung } from '../domain/rung.ts';
import type { Log } from '../ports/log.ts';

/** Where the workflow waits next, and until when: epoch milliseconds per rung. */
export interface NextWait {
  next: Rung | 'finished';
  due: Partial<Record<Rung, Instant>>;
}

/** The workflow's door. What is thrown goes back to the workflow, which tries again. */
export const workflowDoor = (
  handle: (step: EscalationStep) => Promise<NextWait>,
  { log }: { log: Log },
): ((event: unknown, context: Context) => Promise<NextWait>) => {
  return middy<unknown, NextWait>()
    .use({ onError: ({ error }) => log.error('workflow-defect', error) })
    .handler((event: unknown) => handle(escalationStepSchema.parse(event)));
};
