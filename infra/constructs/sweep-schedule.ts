import { Duration } from 'aws-cdk-lib';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import type { VerbFunction } from './verb-function.ts';

/**
 * Every minute the sweep begins; it sends itself three delayed messages for the seconds 15, 30 and 45, because rules
 * know no seconds and owed work is to be finished within 20. The same beat keeps `warm` from falling asleep.
 */
export class SweepSchedule extends Construct {
  constructor(scope: Construct, id: string, props: { reconcile: VerbFunction; warm: VerbFunction }) {
    super(scope, id);
    new Rule(this, 'EveryMinute', {
      description: 'Xiaonao: find what was left undone',
      schedule: Schedule.rate(Duration.minutes(1)),
      // A sweep that comes late is worth nothing: the next one does the same.
      targets: [
        new LambdaFunction(props.reconcile.live, { maxEventAge: Duration.minutes(1), retryAttempts: 1 }),
        new LambdaFunction(props.warm.live, {
          event: RuleTargetInput.fromObject({ warm: true }),
          maxEventAge: Duration.minutes(1),
          retryAttempts: 0,
        }),
      ],
    });
  }
}
