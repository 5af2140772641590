import { Aws, RemovalPolicy } from 'aws-cdk-lib';
import { AccountRootPrincipal, PolicyDocument, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IPrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';

/** What the account's administrators may do with the key; spelled out because the rule is "no `*` action", not even here. */
const ADMINISTRATION = [
  'CancelKeyDeletion',
  'CreateAlias',
  'CreateGrant',
  'DeleteAlias',
  'DescribeKey',
  'DisableKey',
  'DisableKeyRotation',
  'EnableKey',
  'EnableKeyRotation',
  'GetKeyPolicy',
  'GetKeyRotationStatus',
  'ListAliases',
  'ListGrants',
  'ListKeyPolicies',
  'ListKeyRotations',
  'ListResourceTags',
  'PutKeyPolicy',
  'RetireGrant',
  'RevokeGrant',
  'RotateKeyOnDemand',
  'ScheduleKeyDeletion',
  'TagResource',
  'UntagResource',
  'UpdateAlias',
  'UpdateKeyDescription',
].map((name) => `kms:${name}`);

/** What it takes to read and write through a service that encrypts with the key (DynamoDB, SQS, SNS, Secrets Manager). */
const USE = [
  'Decrypt',
  'DescribeKey',
  'Encrypt',
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
  'ReEncryptFrom',
  'ReEncryptTo',
].map((name) => `kms:${name}`);

// In a key policy `Resource: '*'` means "this key": the format has no other way to name it.
const statement = (sid: string, principal: IPrincipal, actions: string[], conditions = {}) =>
  new PolicyStatement({ sid, principals: [principal], actions, resources: ['*'], conditions });

/** One customer key per district, rotated every year: erasing it erases the district, and nobody else's data. */
export class DistrictKey extends Construct {
  readonly key: Key;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.key = new Key(this, 'Key', {
      alias: `alias/xiaonao/${Aws.STACK_NAME}`,
      description: 'Xiaonao: table, queues, secret, alarms and logs of one district',
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.RETAIN,
      policy: new PolicyDocument({
        statements: [
          // Delegates to IAM: a role of this account may use the key only when its own policy says so, too.
          statement('AccountDecidesByIam', new AccountRootPrincipal(), [...ADMINISTRATION, ...USE]),
          statement(
            'LogGroupsOfThisAccount',
            new ServicePrincipal(`logs.${Aws.REGION}.${Aws.URL_SUFFIX}`),
            [
              'kms:Decrypt',
              'kms:DescribeKey',
              'kms:Encrypt',
              'kms:GenerateDataKey',
              'kms:ReEncryptFrom',
              'kms:ReEncryptTo',
            ],
            {
              ArnLike: {
                'kms:EncryptionContext:aws:logs:arn': `arn:${Aws.PARTITION}:logs:${Aws.REGION}:${Aws.ACCOUNT_ID}:log-group:*`,
              },
            },
          ),
          // Without this an alarm changes its colour, and its message never leaves.
          statement(
            'AlarmsOfThisAccount',
            new ServicePrincipal('cloudwatch.amazonaws.com'),
            ['kms:Decrypt', 'kms:GenerateDataKey'],
            { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
          ),
        ],
      }),
    });
  }

  /** Lets a role read and write what this key encrypts, where it may reach the resource at all. */
  grantUse(role: { addToPrincipalPolicy(statement: PolicyStatement): unknown }): void {
    role.addToPrincipalPolicy(new PolicyStatement({ actions: USE, resources: [this.key.keyArn] }));
  }
}
