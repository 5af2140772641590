import {
  DescribeExecutionCommand,
  ExecutionAlreadyExists,
  ExecutionDoesNotExist,
  SendTaskFailureCommand,
  SendTaskSuccessCommand,
  StartExecutionCommand,
  TaskDoesNotExist,
  TaskTimedOut,
  type SFNClient,
} from '@aws-sdk/client-sfn';
import type { Workflow } from '../ports/workflow.ts';

const nameOf = (incident: { id: string; round: number }): string => `${incident.id}-${incident.round}`;

/** A closed or unknown token is what a late answer looks like: normal, and never an error to a person. */
const late = (error: unknown): 'late' => {
  if (error instanceof TaskTimedOut || error instanceof TaskDoesNotExist) return 'late';
  throw error;
};

/** The district's escalation on Step Functions. */
export const sfnWorkflow = (client: SFNClient, stateMachineArn: string): Workflow => ({
  async start(incident) {
    try {
      await client.send(
        new StartExecutionCommand({
          stateMachineArn,
          name: nameOf(incident),
          // Byte-identical on every try: only then is a second start the first one.
          input: JSON.stringify({ incidentId: incident.id, round: incident.round }),
        }),
      );
    } catch (error) {
      // The name is taken for 90 days after the end: whoever ends it early is found by `runs`.
      if (!(error instanceof ExecutionAlreadyExists)) throw error;
    }
  },
  finished: (taskToken, due) =>
    client
      .send(new SendTaskSuccessCommand({ taskToken, output: JSON.stringify({ due }) }))
      .then(() => 'woken' as const, late),
  rearm: (taskToken) =>
    client
      .send(new SendTaskFailureCommand({ taskToken, error: 'Xiaonao.Rearm', cause: 'a clock was moved' }))
      .then(() => 'woken' as const, late),
  async runs(incident) {
    try {
      const { status } = await client.send(
        new DescribeExecutionCommand({
          executionArn: `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${nameOf(incident)}`,
        }),
      );
      return status === 'RUNNING';
    } catch (error) {
      if (error instanceof ExecutionDoesNotExist) return false;
      throw error;
    }
  },
});
