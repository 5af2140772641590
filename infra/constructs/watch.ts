import { Aws, CfnOutput, Duration } from 'aws-cdk-lib';
import type { IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import { Alarm, ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { DistrictKey } from './district-key.ts';

/** One alarm. */
export interface Worry {
  readonly metric: IMetric;
  /** Who is hurt, in one sentence. It is the text that the person on call reads, and a heading of the runbook. */
  readonly impact: string;
  /** Rings at this value or above; default 1. */
  readonly from?: number;
  /** Rings below this value instead: for beats that must not stop. */
  readonly below?: number;
  /** Periods in a row; default 1. */
  readonly periods?: number;
}

/** The alarms and where they ring: one topic per district; the operator subscribes people to it. */
export class Watch extends Construct {
  readonly alarms: Alarm[] = [];
  readonly #action: SnsAction;

  constructor(scope: Construct, id: string, props: { key: DistrictKey }) {
    super(scope, id);
    const topic = new Topic(this, 'Topic', { masterKey: props.key.key, enforceSSL: true });
    // A topic with a policy of its own loses the default one, so that alarms must be let in by name.
    topic.addToResourcePolicy(
      new PolicyStatement({
        sid: 'AlarmsOfThisAccount',
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
      }),
    );
    this.#action = new SnsAction(topic);
    new CfnOutput(this, 'TopicArn', { key: 'AlarmTopicArn', value: topic.topicArn });
  }

  /** Rings when the worry comes true, and again when it is over. */
  over(id: string, worry: Worry): void {
    const beat = worry.below !== undefined;
    const alarm = new Alarm(this, id, {
      metric: worry.metric,
      alarmDescription: worry.impact,
      threshold: worry.below ?? worry.from ?? 1,
      comparisonOperator: beat
        ? ComparisonOperator.LESS_THAN_THRESHOLD
        : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: worry.periods ?? 1,
      // No data means silence: good news for an error count, bad news for a heartbeat.
      treatMissingData: beat ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(this.#action);
    alarm.addOkAction(this.#action);
    this.alarms.push(alarm);
  }
}

/** The period of every metric we look at. */
export const MINUTE = { period: Duration.minutes(1) };
