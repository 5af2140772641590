import { CfnOutput, Duration, RemovalPolicy } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { DistrictKey } from './district-key.ts';
import type { VerbFunction } from './verb-function.ts';

/** What a queue of work needs to be told. */
export interface WorkQueueProps {
  readonly key: DistrictKey;
  /** The environment variable by which functions know the queue, such as `REPORTS_QUEUE_URL`. */
  readonly variable: string;
  /** Six times the consumer's timeout is AWS's advice: sooner, a message could run twice while its first run still works. */
  readonly visibility: Duration;
  /** Tries before a message goes to the dead-letter queue. */
  readonly tries: number;
  /** Who is hurt when a message ends in the dead-letter queue. */
  readonly impact: string;
}

/**
 * A queue of work with its dead-letter queue (14 days): no message is ever dropped, a bad one fails alone and is seen. `TlsOnly` keeps both
 * from being spoken to in the clear.
 */
export class WorkQueue extends Construct {
  readonly queue: Queue;
  readonly dead: Queue;
  readonly impact: string;
  readonly #props: WorkQueueProps;

  constructor(scope: Construct, id: string, props: WorkQueueProps) {
    super(scope, id);
    this.#props = props;
    this.impact = props.impact;
    const encrypted = {
      encryption: QueueEncryption.KMS,
      encryptionMasterKey: props.key.key,
      removalPolicy: RemovalPolicy.DESTROY, // nothing lives only here: reconcile finds the same work in the table
    };
    this.dead = new Queue(this, 'Dead', { ...encrypted, retentionPeriod: Duration.days(14) });
    this.queue = new Queue(this, 'Queue', {
      ...encrypted,
      retentionPeriod: Duration.days(4),
      visibilityTimeout: props.visibility,
      deadLetterQueue: { queue: this.dead, maxReceiveCount: props.tries },
    });
    new CfnOutput(this, 'Url', { key: `${id}QueueUrl`, value: this.queue.queueUrl });
    new CfnOutput(this, 'DeadUrl', { key: `${id}DeadLetterQueueUrl`, value: this.dead.queueUrl });
  }

  /** Lets a function put work here. */
  grantSend(fn: VerbFunction): void {
    fn.role.addToPrincipalPolicy(
      new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [this.queue.queueArn] }),
    );
    this.#props.key.grantUse(fn.role);
    fn.setting(this.#props.variable, this.queue.queueUrl);
  }

  /**
   * Hands the work to a function, ten at a time; it reports which messages failed, so that one bad message does not
   * repeat the other nine.
   * @param parallel invocations at once: what the consumer's neighbours can bear
   */
  consumedBy(fn: VerbFunction, parallel: number): void {
    fn.role.addToPrincipalPolicy(
      new PolicyStatement({
        actions: [
          'sqs:ChangeMessageVisibility',
          'sqs:DeleteMessage',
          'sqs:GetQueueAttributes',
          'sqs:ReceiveMessage',
        ],
        resources: [this.queue.queueArn],
      }),
    );
    this.#props.key.grantUse(fn.role);
    const mapping = fn.live.addEventSourceMapping(`From${this.node.id}`, {
      eventSourceArn: this.queue.queueArn,
      batchSize: 10,
      reportBatchItemFailures: true,
      maxConcurrency: parallel,
    });
    // The mapping is refused while the role cannot read the queue yet.
    mapping.node.addDependency(fn.role);
  }
}
