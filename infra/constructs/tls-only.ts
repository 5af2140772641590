import { AnyPrincipal, Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { QueuePolicy } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { WorkQueue } from './work-queue.ts';

/**
 * Refuses whoever comes to a queue without TLS. One policy for all queues and their dead letters: one for each, as
 * `enforceSSL` makes them, would be twice as many resources as there are queues.
 */
export class TlsOnly extends Construct {
  constructor(scope: Construct, id: string, queues: readonly WorkQueue[]) {
    super(scope, id);
    const policy = new QueuePolicy(this, 'Policy', {
      queues: queues.flatMap(({ queue, dead }) => [queue, dead]),
    });
    policy.document.addStatements(
      new PolicyStatement({
        effect: Effect.DENY,
        principals: [new AnyPrincipal()],
        actions: ['sqs:*'],
        // In the policy of a queue this is the queue; SQS takes no statement that names several.
        resources: ['*'],
        conditions: { Bool: { 'aws:SecureTransport': 'false' } },
      }),
    );
  }
}
