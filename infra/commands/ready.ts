import * as z from 'zod';

/** What the commands read of a local run's `ready.json`; the engines' ports change with every start. */
export const readySchema = z.object({
  url: z.url(),
  district: z.string(),
  endpoints: z.object({ dynamodb: z.url(), sqs: z.url(), sfn: z.url(), secretsmanager: z.url() }),
  table: z.string(),
  secretId: z.string(),
  stateMachine: z.string(),
  queues: z.object({
    reports: z.url(),
    links: z.url(),
    alerts: z.url(),
    chatter: z.url(),
    sweeps: z.url(),
    reportsDead: z.url(),
    linksDead: z.url(),
    alertsDead: z.url(),
    chatterDead: z.url(),
    sweepsDead: z.url(),
  }),
});

/** The fields of `ready.json` that commands need beside `url` and `district`. */
export type ReadyForCommands = Omit<z.infer<typeof readySchema>, 'url' | 'district'>;

/**
 * Those fields of a running cloud. Resources are found by the beginning of their logical ids, which are the names of
 * the constructs. @throws when the stack lacks one.
 */
export const readyForCommands = (cloud: {
  endpoints: ReadyForCommands['endpoints'];
  table: { name: string };
  refs: Record<string, string>;
}): ReadyForCommands => {
  const ref = (pattern: RegExp): string => {
    const [found] = Object.entries(cloud.refs).filter(([id]) => pattern.test(id));
    if (!found) throw new Error(`The stack has no resource whose logical id matches ${pattern.source}.`);
    return found[1];
  };
  return {
    endpoints: cloud.endpoints,
    table: cloud.table.name,
    secretId: ref(/^Secret[0-9A-F]{8}$/),
    stateMachine: ref(/^WorkflowMachine[0-9A-F]{8}$/),
    queues: {
      reports: ref(/^ReportsQueue[0-9A-F]{8}$/),
      links: ref(/^LinksQueue[0-9A-F]{8}$/),
      alerts: ref(/^AlertsQueue[0-9A-F]{8}$/),
      chatter: ref(/^ChatterQueue[0-9A-F]{8}$/),
      sweeps: ref(/^SweepsQueue[0-9A-F]{8}$/),
      reportsDead: ref(/^ReportsDead[0-9A-F]{8}$/),
      linksDead: ref(/^LinksDead[0-9A-F]{8}$/),
      alertsDead: ref(/^AlertsDead[0-9A-F]{8}$/),
      chatterDead: ref(/^ChatterDead[0-9A-F]{8}$/),
      sweepsDead: ref(/^SweepsDead[0-9A-F]{8}$/),
    },
  };
};
