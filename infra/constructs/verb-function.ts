import { join } from 'node:path';
import { Aws, Duration, RemovalPolicy } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Code, Function as LambdaFunction, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import type { Alias } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { Office } from '../office.ts';
import type { DistrictKey } from './district-key.ts';
import type { FixedEgress } from './fixed-egress.ts';
import { accept } from './exception.ts';

/** What one verb needs to be told. */
export interface VerbFunctionProps {
  readonly office: Office;
  readonly key: DistrictKey;
  /** The folder under functions/, and under the asset root. */
  readonly verb: string;
  readonly timeout: Duration;
  /** MB; the CPU grows with it. */
  readonly memory?: number;
  /** Speaks to the outside from fixed addresses only. */
  readonly egress?: FixedEgress | undefined;
  /** Who is hurt when this fails: the text of its alarm and a heading of the runbook. */
  readonly impact: string;
}

/** One Lambda: one verb of the duty room, reached only through its alias `live`. */
export class VerbFunction extends Construct {
  readonly role: Role;
  readonly live: Alias;
  readonly impact: string;
  readonly verb: string;
  readonly fn: LambdaFunction;

  constructor(scope: Construct, id: string, props: VerbFunctionProps) {
    super(scope, id);
    const { office, verb } = props;
    this.impact = props.impact;
    this.verb = verb;
    const logGroup = new LogGroup(this, 'Log', {
      encryptionKey: props.key.key,
      retention: RetentionDays.SIX_MONTHS, // 180 days: the law asks for six months of logs
      removalPolicy: office.production ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    // An own role: AWS's managed policy would let every function write into every log group of the account.
    this.role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: `Xiaonao ${verb}`,
    });
    this.role.addToPrincipalPolicy(
      new PolicyStatement({
        actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        resources: [logGroup.logGroupArn],
      }),
    );
    this.fn = new LambdaFunction(this, 'Function', {
      description: `Xiaonao ${verb}`,
      runtime: Runtime.NODEJS_24_X,
      architecture: office.deploy.architecture === 'arm64' ? Architecture.ARM_64 : Architecture.X86_64,
      code: Code.fromAsset(join(office.assets, verb)),
      handler: 'index.handler',
      role: this.role,
      logGroup,
      memorySize: props.memory ?? 512,
      timeout: props.timeout,
      tracing: office.deploy.xray ? Tracing.ACTIVE : Tracing.DISABLED,
      environment: { DISTRICT: office.id, STAGE: office.deploy.stage },
      ...(props.egress ? { vpc: props.egress.vpc, securityGroups: [props.egress.securityGroup] } : {}),
    });
    if (props.egress) this.#plugInto();
    if (office.deploy.xray)
      accept(
        this.role.node.findChild('DefaultPolicy'),
        'AwsSolutions-IAM5[Resource::*]',
        'xray:PutTraceSegments and xray:PutTelemetryRecords have no resource type.',
      );
    this.live = this.fn.addAlias('live');
  }

  /** Lambda plugs the function into the network by the function's own role. */
  #plugInto(): void {
    this.role.addToPrincipalPolicy(
      new PolicyStatement({
        actions: [
          'ec2:AssignPrivateIpAddresses',
          'ec2:CreateNetworkInterface',
          'ec2:DeleteNetworkInterface',
          'ec2:DescribeNetworkInterfaces',
          'ec2:DescribeSubnets',
          'ec2:UnassignPrivateIpAddresses',
        ],
        resources: ['*'],
      }),
    );
    accept(
      this.role.node.findChild('DefaultPolicy'),
      'AwsSolutions-IAM5[Resource::*]',
      'X-Ray has no resource type; Lambda asks for the network interface actions of its own documentation on any resource.',
    );
  }

  /** May send texts by SNS: to telephones only, which have no ARN, and to no topic and no app of this or any other account. */
  grantTexts(): void {
    this.role.addToPrincipalPolicy(
      new PolicyStatement({ actions: ['sns:Publish'], notResources: [`arn:${Aws.PARTITION}:sns:*:*:*`] }),
    );
  }

  /** Gives the function one more environment variable; a function only gets the ones it needs. */
  setting(name: string, value: string): void {
    this.fn.addEnvironment(name, value);
  }
}
