import { ArnFormat, Aws, CfnOutput, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { DefinitionBody, LogLevel, StateMachine, StateMachineType } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { Office } from '../office.ts';
import type { DistrictKey } from './district-key.ts';
import { accept } from './exception.ts';
import type { IncidentTable } from './incident-table.ts';
import { ladderDefinition } from './ladder-definition.ts';
import type { VerbFunction } from './verb-function.ts';

/** The watch over promised deadlines: a Standard workflow, one execution per incident and round. */
export class EscalationWorkflow extends Construct {
  readonly machine: StateMachine;
  /** Fixed, because escalation points at the workflow that points at escalation: only a known name breaks the circle. */
  readonly #name: string;
  /** Who is hurt when executions fail. */
  readonly impact =
    'The watch over an incident has stopped: a missed deadline would call nobody until reconcile starts it again.';

  constructor(
    scope: Construct,
    id: string,
    props: { office: Office; key: DistrictKey; table: IncidentTable; escalation: VerbFunction },
  ) {
    super(scope, id);
    const { office, table, escalation } = props;
    this.#name = `${Stack.of(this).stackName}-escalation`;
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('states.amazonaws.com'),
      description: 'Xiaonao escalation workflow',
    });
    table.grantParking(role);
    role.addToPrincipalPolicy(
      new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [escalation.live.functionArn] }),
    );
    const definition = ladderDefinition(office, {
      partition: Aws.PARTITION,
      tableName: table.table.tableName,
      escalationArn: escalation.live.functionArn,
    });
    this.machine = new StateMachine(this, 'Machine', {
      stateMachineName: this.#name,
      stateMachineType: StateMachineType.STANDARD,
      definitionBody: DefinitionBody.fromString(Stack.of(this).toJsonString(definition)),
      role,
      logs: {
        // Every step, but no data: the events say when a rung was entered, and never whom it was about.
        level: LogLevel.ALL,
        includeExecutionData: false,
        destination: new LogGroup(this, 'Log', {
          // Groups outside /aws/vendedlogs each take a share of one small resource policy of the whole account.
          logGroupName: `/aws/vendedlogs/xiaonao/${Aws.STACK_NAME}/escalation`,
          encryptionKey: props.key.key,
          retention: RetentionDays.SIX_MONTHS,
          removalPolicy: office.production ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
        }),
      },
      tracingEnabled: office.deploy.xray,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    accept(
      role.node.findChild('DefaultPolicy'),
      'AwsSolutions-IAM5[Resource::*]',
      office.deploy.xray
        ? 'The log delivery actions of vended logs and the X-Ray actions have no resource type.'
        : 'The log delivery actions of vended logs have no resource type.',
    );
    if (!office.deploy.xray)
      accept(
        this.machine,
        'AwsSolutions-SF2',
        'The district has X-Ray switched off (policy.deploy.xray); the trail in the table holds every step.',
      );
    new CfnOutput(this, 'Arn', { key: 'StateMachineArn', value: this.machine.stateMachineArn });
  }

  /** Lets a function begin to watch an incident. */
  grantStart(fn: VerbFunction): void {
    this.#grant(fn, ['states:StartExecution'], this.#arn('stateMachine'));
  }

  /** Lets a function wake a waiting rung: done (success) or clock moved (failure `Xiaonao.Rearm`). */
  grantWake(fn: VerbFunction): void {
    this.#grant(fn, ['states:SendTaskFailure', 'states:SendTaskSuccess'], this.#arn('stateMachine'));
  }

  /** Lets a function ask whether an incident is still being watched. */
  grantLook(fn: VerbFunction): void {
    this.#grant(fn, ['states:DescribeExecution'], `${this.#arn('execution')}:*`);
    accept(
      fn.role.node.findChild('DefaultPolicy'),
      `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:${this.#name}:*]`,
      'Executions of this one workflow: each incident has its own, named when it begins.',
    );
  }

  #arn(resource: 'stateMachine' | 'execution'): string {
    const arnFormat = ArnFormat.COLON_RESOURCE_NAME;
    return Stack.of(this).formatArn({ service: 'states', resource, resourceName: this.#name, arnFormat });
  }

  #grant(fn: VerbFunction, actions: string[], resource: string): void {
    fn.role.addToPrincipalPolicy(new PolicyStatement({ actions, resources: [resource] }));
    fn.setting('STATE_MACHINE_ARN', this.#arn('stateMachine'));
  }
}
