import { CfnOutput, RemovalPolicy } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { CfnSecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { DistrictKey } from './district-key.ts';
import { accept } from './exception.ts';
import type { VerbFunction } from './verb-function.ts';

/**
 * The district's one secret (schema: shared/contracts/secret.ts). The stack creates it with a random value that no
 * function accepts; the operator puts the real one, and from then on no deployment touches it.
 */
export class DistrictSecret extends Construct {
  readonly #secret: CfnSecret;
  readonly #key: DistrictKey;

  constructor(scope: Construct, id: string, props: { key: DistrictKey }) {
    super(scope, id);
    this.#key = props.key;
    // The plain resource: CDK's own construct writes wildcard actions into the key's policy.
    this.#secret = new CfnSecret(this, 'Secret', {
      description: 'Xiaonao: webhook keys, sign-in keys, vendor keys and data keys of one district',
      generateSecretString: {},
      kmsKeyId: props.key.key.keyArn,
    });
    this.#secret.applyRemovalPolicy(RemovalPolicy.RETAIN);
    accept(
      this.#secret,
      'AwsSolutions-SMG4',
      'Both ends must change together: the 110 centre and the SMS vendor hold the same keys, so that a rotation is a step agreed with them (current and next key overlap), not a timer of ours.',
    );
    new CfnOutput(this, 'Arn', { key: 'SecretArn', value: this.#secret.ref });
  }

  /** Lets a function read the secret. */
  grantRead(fn: VerbFunction): void {
    fn.role.addToPrincipalPolicy(
      new PolicyStatement({
        actions: ['secretsmanager:GetSecretValue'],
        resources: [this.#secret.ref],
      }),
    );
    this.#key.grantUse(fn.role);
    fn.setting('SECRET_ID', this.#secret.ref);
  }
}
