import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Stack as CdkStack, Validations } from 'aws-cdk-lib';
import * as z from 'zod';
import { CfnLogGroup } from 'aws-cdk-lib/aws-logs';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { afterAll, describe, expect, it } from 'vitest';
import type { Metric } from '#shared/ports/log.ts';
import { buildApp } from '../../infra/app.ts';
import {
  at,
  copyOfDistricts,
  list,
  of,
  refs,
  stubAssets,
  synthesize,
  textOf,
  parseJson,
  temporary,
  VERBS,
  walk,
} from './template.ts';
import type { Stack, Value } from './template.ts';

const FUNCTIONS = join(import.meta.dirname, '../../functions');
const folder = temporary();
afterAll(folder.remove);
const assets = stubAssets(join(folder.path, 'assets'));

// Throws on any finding of CloudFormation's rules and of cdk-nag: that both are clean is the first thing proved here.
const { app, stacks } = synthesize({ outdir: join(folder.path, 'out'), assets });

/** IAM statements of every kind of policy in the stack. */
const statements = (stack: Stack): { owner: string; statement: Value }[] =>
  Object.entries(stack.resources).flatMap(([owner, { Properties }]) =>
    [Properties['PolicyDocument'], Properties['AssumeRolePolicyDocument'], Properties['KeyPolicy']]
      .flatMap((document) => list(at(document, 'Statement')))
      .map((statement) => ({ owner, statement })),
  );

const nameOf = (stack: Stack, functionId: string): string =>
  textOf(stack.resources[functionId]?.Properties['Description']).replace('Xiaonao ', '');

/** What the role of a verb may do, without what every function may. */
const rightsOf = (stack: Stack, verb: string): string[] => {
  const [fn] = of(stack, 'AWS::Lambda::Function').filter(([id]) => nameOf(stack, id) === verb);
  const roles = refs(fn?.[1].Properties['Role']);
  return of(stack, 'AWS::IAM::Policy')
    .filter(([, policy]) => refs(policy.Properties['Roles']).some((role) => roles.includes(role)))
    .flatMap(([, policy]) => list(at(policy.Properties['PolicyDocument'], 'Statement')))
    .flatMap((statement) => list(at(statement, 'Action')).map(textOf))
    .filter((action) => !/^(kms|logs|xray):/.test(action))
    .sort();
};

describe.each(stacks)('the stack of $district', (stack) => {
  it('stays small enough to read', () => {
    expect(Object.keys(stack.resources).length).toBeGreaterThan(80);
    expect(Object.keys(stack.resources).length).toBeLessThanOrEqual(150);
  });

  it('uses only resource types that the local cloud knows', () => {
    const known = [
      'DynamoDB::Table',
      'SQS::Queue',
      'SQS::QueuePolicy',
      'Lambda::Function',
      'Lambda::Version',
      'Lambda::Alias',
      'Lambda::Permission',
      'Lambda::EventSourceMapping',
      'StepFunctions::StateMachine',
      'ApiGatewayV2::Api',
      'ApiGatewayV2::Integration',
      'ApiGatewayV2::Route',
      'ApiGatewayV2::Stage',
      'Events::Rule',
      'SecretsManager::Secret',
      'KMS::Key',
      'KMS::Alias',
      'Logs::LogGroup',
      'SNS::Topic',
      'SNS::TopicPolicy',
      'CloudWatch::Alarm',
      'CloudWatch::Dashboard',
      'IAM::Role',
      'IAM::Policy',
    ].map((type) => `AWS::${type}`);
    const used = new Set(Object.values(stack.resources).map(({ Type }) => Type));
    expect([...used].filter((type) => !known.includes(type))).toEqual([]);
  });

  it('names no partition, no account and no region', () => {
    expect(stack.text).not.toMatch(/arn:aws(-cn)?:/);
    expect(stack.text).not.toMatch(/\b\d{12}\b|\b(us|eu|ap|cn)-[a-z]+-\d\b/);
  });

  it('says in every tag whose it is', () => {
    const tags = of(stack, 'AWS::DynamoDB::Table')[0]?.[1].Properties['Tags'];
    expect(tags).toEqual([
      { Key: 'district', Value: stack.district },
      { Key: 'product', Value: 'xiaonao' },
      { Key: 'stage', Value: 'pilot' },
    ]);
  });

  it('keeps its table: retained, undeletable, recoverable, encrypted with a rotating key of its own', () => {
    const tables = of(stack, 'AWS::DynamoDB::Table');
    expect(tables).toHaveLength(1);
    for (const [, { Properties, DeletionPolicy }] of tables) {
      expect(DeletionPolicy).toBe('Retain');
      expect(Properties).toMatchObject({
        DeletionProtectionEnabled: true,
        BillingMode: 'PAY_PER_REQUEST',
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        SSESpecification: { SSEEnabled: true, SSEType: 'KMS' },
        TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
      });
      expect(Properties).not.toHaveProperty('StreamSpecification');
      const indexes = list(Properties['GlobalSecondaryIndexes']).map((index) => [
        at(index, 'IndexName'),
        ...list(at(index, 'KeySchema')).map((key) => at(key, 'AttributeName')),
        at(index, 'Projection', 'ProjectionType'),
      ]);
      expect(indexes).toEqual([
        ['owed', 'owedPk', 'owedAt', 'KEYS_ONLY'],
        ['open', 'openPk', 'openAt', 'KEYS_ONLY'],
        ['byMember', 'memberPk', 'memberAt', 'KEYS_ONLY'],
        ['byMonth', 'monthPk', 'monthAt', 'KEYS_ONLY'],
      ]);
    }
    const keys = of(stack, 'AWS::KMS::Key');
    expect(keys.map(([, key]) => [key.Properties['EnableKeyRotation'], key.DeletionPolicy])).toEqual([
      [true, 'Retain'],
    ]);
  });

  it('encrypts everything that holds data with the district key', () => {
    const [key] = of(stack, 'AWS::KMS::Key').map(([id]) => id);
    const holders = {
      'AWS::DynamoDB::Table': (p: Record<string, Value>) => at(p['SSESpecification'], 'KMSMasterKeyId'),
      'AWS::SQS::Queue': (p: Record<string, Value>) => p['KmsMasterKeyId'],
      'AWS::SecretsManager::Secret': (p: Record<string, Value>) => p['KmsKeyId'],
      'AWS::SNS::Topic': (p: Record<string, Value>) => p['KmsMasterKeyId'],
      'AWS::Logs::LogGroup': (p: Record<string, Value>) => p['KmsKeyId'],
    };
    const held = Object.entries(holders).flatMap(([type, keyOf]) =>
      of(stack, type).map(([id, { Properties }]) => [id, refs(keyOf(Properties))]),
    );
    expect(held.length).toBeGreaterThan(15);
    expect(held.filter(([, used]) => used?.[0] !== key)).toEqual([]);
  });

  it('loses no message: every queue of work has a dead-letter queue that keeps for 14 days and rings', () => {
    const queues = of(stack, 'AWS::SQS::Queue');
    const work = queues.filter(([, { Properties }]) => Properties['RedrivePolicy']);
    const dead = new Set(
      work.flatMap(([, { Properties }]) => refs(at(Properties['RedrivePolicy'], 'deadLetterTargetArn'))),
    );
    expect(work).toHaveLength(5);
    expect(dead.size).toBe(5);
    expect(queues.map(([id]) => id).sort()).toEqual([...work.map(([id]) => id), ...dead].sort());
    const spoken = of(stack, 'AWS::SQS::QueuePolicy').map(([, { Properties }]) => Properties);
    expect(spoken.flatMap((policy) => refs(policy['Queues'])).sort()).toEqual(
      queues.map(([id]) => id).sort(),
    );
    expect(spoken.flatMap((policy) => list(at(policy['PolicyDocument'], 'Statement')))).toMatchObject([
      { Effect: 'Deny', Principal: { AWS: '*' }, Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
    ]);
    const watched = of(stack, 'AWS::CloudWatch::Alarm')
      .filter(([, { Properties }]) => Properties['MetricName'] === 'ApproximateNumberOfMessagesVisible')
      .flatMap(([, { Properties }]) => refs(Properties['Dimensions']));
    for (const id of dead) {
      expect(stack.resources[id]?.Properties['MessageRetentionPeriod']).toBe(14 * 86_400);
      expect(watched).toContain(id);
    }
  });

  it('gives a message back only after its consumer has certainly stopped', () => {
    const mappings = of(stack, 'AWS::Lambda::EventSourceMapping');
    const consumers = mappings.map(([, { Properties }]) => {
      const [queue = ''] = refs(Properties['EventSourceArn']);
      const [alias = ''] = refs(Properties['FunctionName']);
      const [fn = ''] = refs(stack.resources[alias]?.Properties['FunctionName']);
      expect(stack.resources[alias]?.Type).toBe('AWS::Lambda::Alias');
      expect(Properties).toMatchObject({ BatchSize: 10, FunctionResponseTypes: ['ReportBatchItemFailures'] });
      expect(Number(stack.resources[queue]?.Properties['VisibilityTimeout'])).toBeGreaterThanOrEqual(
        6 * Number(stack.resources[fn]?.Properties['Timeout']),
      );
      return `${queue.replace(/Queue.*/, '')} → ${nameOf(stack, fn)}`;
    });
    expect(consumers.sort()).toEqual([
      'Alerts → notification',
      'Chatter → notification',
      'Links → linking',
      'Reports → classification',
      'Sweeps → reconcile',
    ]);
  });

  it('runs every function on Node 24 behind its alias, with half a year of logs and an alarm', () => {
    const functions = of(stack, 'AWS::Lambda::Function');
    expect(functions.map(([id]) => nameOf(stack, id)).sort()).toEqual([...VERBS].sort());
    const aliases = of(stack, 'AWS::Lambda::Alias');
    const alarms = of(stack, 'AWS::CloudWatch::Alarm');
    for (const [id, { Properties }] of functions) {
      expect(Properties).toMatchObject({ Runtime: 'nodejs24.x', Handler: 'index.handler' });
      const [log = ''] = refs(Properties['LoggingConfig']);
      expect(stack.resources[log]?.Properties['RetentionInDays']).toBe(180);
      const live = aliases.filter(([, alias]) => refs(alias.Properties['FunctionName']).includes(id));
      expect(live.map(([, alias]) => alias.Properties['Name'])).toEqual(['live']);
      const rings = alarms.filter(
        ([, alarm]) =>
          alarm.Properties['MetricName'] === 'Errors' && refs(alarm.Properties['Dimensions']).includes(id),
      );
      expect(rings).toHaveLength(1);
    }
    // Nobody calls a function past its alias, where a half-finished release would be met.
    const called = [
      ...of(stack, 'AWS::Lambda::Permission').map(([, r]) => r.Properties['FunctionName']),
      ...of(stack, 'AWS::ApiGatewayV2::Integration').map(([, r]) => r.Properties['IntegrationUri']),
      ...of(stack, 'AWS::Events::Rule').map(([, r]) => r.Properties['Targets']),
    ].flatMap(refs);
    // A permission and an integration for each of the four verbs with doors, and the schedule's.
    expect(called.length).toBeGreaterThanOrEqual(10);
    expect(called.filter((id) => stack.resources[id]?.Type !== 'AWS::Lambda::Alias')).toEqual([]);
  });

  it('beats every minute: the sweep, and a word for the one function that a vendor waits for only 700 ms', () => {
    const rules = of(stack, 'AWS::Events::Rule').map(([, { Properties }]) => Properties);
    expect(rules.map((rule) => rule['ScheduleExpression'])).toEqual(['rate(1 minute)']);
    const targets = rules
      .flatMap((rule) => list(rule['Targets']))
      .map((target) => {
        const [alias = ''] = refs(at(target, 'Arn'));
        const [fn = ''] = refs(stack.resources[alias]?.Properties['FunctionName']);
        return [nameOf(stack, fn), at(target, 'Input') ?? 'the beat'];
      });
    expect(targets).toEqual([
      ['reconcile', 'the beat'],
      ['receipt', '{"warm":true}'],
    ]);
  });

  it('tells with every alarm who is hurt, and rings when it begins and when it ends', () => {
    const alarms = of(stack, 'AWS::CloudWatch::Alarm');
    const [topic] = of(stack, 'AWS::SNS::Topic').map(([id]) => id);
    const sentences = alarms.map(([, { Properties }]) => textOf(Properties['AlarmDescription']));
    for (const [, { Properties }] of alarms) {
      expect(Properties['AlarmDescription']).toMatch(/^[A-Z].{40,}\.$/);
      expect(refs(Properties['AlarmActions'])).toEqual([topic]);
      expect(refs(Properties['OKActions'])).toEqual([topic]);
    }
    expect(new Set(sentences).size).toBe(sentences.length);
  });

  it('has the runbook say what every alarm says', () => {
    const runbook = readFileSync(join(import.meta.dirname, '../../infra/README.md'), 'utf8').replace(
      /\s+/g,
      ' ',
    );
    const missing = of(stack, 'AWS::CloudWatch::Alarm')
      .map(([, { Properties }]) => textOf(Properties['AlarmDescription']))
      .filter((sentence) => !runbook.includes(sentence));
    expect(missing).toEqual([]);
  });

  it('allows no action by wildcard, and every resource only where the service knows none', () => {
    const allowed = statements(stack).filter(({ statement }) => at(statement, 'Effect') === 'Allow');
    expect(allowed.length).toBeGreaterThan(30);
    const actions = allowed.flatMap(({ statement }) => list(at(statement, 'Action')).map(textOf));
    expect(actions.filter((action) => action.includes('*'))).toEqual([]);
    const everything = allowed
      .filter(({ statement }) => list(at(statement, 'Resource')).includes('*'))
      .filter(({ owner }) => stack.resources[owner]?.Type !== 'AWS::KMS::Key') // there it means "this key"
      .flatMap(({ statement }) => list(at(statement, 'Action')).map(textOf));
    expect(
      [...new Set(everything)].filter(
        (action) =>
          !/^xray:|^logs:(\w+LogDeliver(y|ies)|(Put|Describe)ResourcePolic(y|ies)|DescribeLogGroups)$/.test(
            action,
          ),
      ),
    ).toEqual([]);
    expect(
      of(stack, 'AWS::IAM::Role').flatMap(([, role]) => list(role.Properties['ManagedPolicyArns'])),
    ).toEqual([]);
  });

  it('lets every verb do its own work and no other', () => {
    const read = ['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:Query'];
    const commit = [...read, 'dynamodb:ConditionCheckItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'];
    const secret = 'secretsmanager:GetSecretValue';
    const send = 'sqs:SendMessage';
    const consume = [
      'sqs:ChangeMessageVisibility',
      'sqs:DeleteMessage',
      'sqs:GetQueueAttributes',
      'sqs:ReceiveMessage',
    ];
    const wake = ['states:SendTaskFailure', 'states:SendTaskSuccess'];
    const start = 'states:StartExecution';
    const rights = Object.fromEntries(VERBS.map((verb) => [verb, [...new Set(rightsOf(stack, verb))]]));
    expect(rights).toEqual({
      intake: [...commit, secret, send].sort(),
      classification: [...commit, secret, send, ...consume, start, ...wake].sort(),
      linking: [...commit, secret, send, ...consume, start, ...wake].sort(),
      escalation: [...commit, secret, send, start, ...wake].sort(),
      notification: [...commit, secret, send, ...consume, start, ...wake].sort(),
      // People answer by text and by key: it acts for them.
      receipt: [...commit, secret, send, start, ...wake].sort(),
      response: [...commit, secret, send, start, ...wake].sort(),
      console: [...read, secret].sort(),
      reconcile: [...commit, secret, send, ...consume, start, ...wake, 'states:DescribeExecution'].sort(),
    });
  });

  it('watches and shows only metrics that the functions report', () => {
    const metrics: readonly Metric[] = [
      'Received',
      'Triage',
      'Corrected',
      'DangerAfterNonPolice',
      'Repeat',
      'Joined',
      'Parted',
      'MergeProposed',
      'OpinionHeard',
      'OpinionMissing',
      'CodeUnknown',
      'Rejected',
      'Unsigned',
      'Unanswered',
      'NagsOver',
      'Returned',
      'Breach',
      'NoticeFailed',
      'NoticeDoubled',
      'NoticeExpired',
      'Unreached',
      'VendorTrouble',
      'VendorSwitched',
      'VendorBack',
      'Rerouted',
      'VendorUnpaid',
      'BudgetLow',
      'ChatterStopped',
      'ReceiptUnknown',
      'WorkflowLost',
      'TokenLate',
      'RestoredByReconcile',
      'CentreSilent',
      'FeederSilent',
    ];
    const alarms = of(stack, 'AWS::CloudWatch::Alarm').filter(
      ([, a]) => a.Properties['Namespace'] === 'Xiaonao',
    );
    const rung = alarms.map(([, alarm]) => textOf(alarm.Properties['MetricName']));
    expect(rung.sort()).toEqual([
      'CentreSilent',
      'DangerAfterNonPolice',
      'FeederSilent',
      'NagsOver',
      'NoticeFailed',
      'Unanswered',
      'Unreached',
      'VendorUnpaid',
      'WorkflowLost',
    ]);
    for (const [, { Properties }] of alarms)
      expect(Properties['Dimensions']).toEqual([
        { Name: 'District', Value: stack.district },
        { Name: 'Stage', Value: 'pilot' },
      ]);
    const page = textOf(of(stack, 'AWS::CloudWatch::Dashboard')[0]?.[1].Properties['DashboardBody']);
    const shown = [...page.matchAll(/\\"Xiaonao\\",\\"(\w+)\\"/g)].map(([, name]) => name);
    expect(new Set([...rung, ...shown])).toEqual(new Set(metrics));
  });

  it('gives every function the settings it needs and no other', () => {
    const settings = Object.fromEntries(
      of(stack, 'AWS::Lambda::Function').map(([id, { Properties }]) => [
        nameOf(stack, id),
        Object.keys(at(Properties['Environment'], 'Variables') ?? {})
          .filter((name) => !['DISTRICT', 'STAGE', 'TABLE_NAME', 'SECRET_ID'].includes(name))
          .sort(),
      ]),
    );
    expect(settings).toEqual({
      intake: ['ALERTS_QUEUE_URL', 'CHATTER_QUEUE_URL', 'REPORTS_QUEUE_URL'],
      classification: ['ALERTS_QUEUE_URL', 'CHATTER_QUEUE_URL', 'LINKS_QUEUE_URL', 'STATE_MACHINE_ARN'],
      linking: ['ALERTS_QUEUE_URL', 'CHATTER_QUEUE_URL', 'STATE_MACHINE_ARN'],
      escalation: ['ALERTS_QUEUE_URL', 'CHATTER_QUEUE_URL', 'STATE_MACHINE_ARN'],
      notification: ['ALERTS_QUEUE_URL', 'CHATTER_QUEUE_URL', 'STATE_MACHINE_ARN', 'VENDORS_URL'],
      receipt: ['ALERTS_QUEUE_URL', 'CHATTER_QUEUE_URL', 'STATE_MACHINE_ARN'],
      response: ['ALERTS_QUEUE_URL', 'CHATTER_QUEUE_URL', 'STATE_MACHINE_ARN', 'VENDORS_URL'],
      console: [],
      reconcile: [
        'ALERTS_QUEUE_URL',
        'CHATTER_QUEUE_URL',
        'LINKS_QUEUE_URL',
        'REPORTS_QUEUE_URL',
        'STATE_MACHINE_ARN',
        'SWEEPS_QUEUE_URL',
      ],
    });
  });

  it('can be created: nothing waits for itself', () => {
    const needs = (id: string): string[] => {
      const { Properties, DependsOn } = stack.resources[id] ?? {};
      const named = [...refs(Properties), ...list(DependsOn).map(textOf)];
      return [...new Set(named)].filter((other) => other in stack.resources);
    };
    const done = new Set<string>();
    const visit = (id: string, path: readonly string[]): void => {
      if (path.includes(id)) throw new Error(`a circle: ${[...path, id].join(' → ')}`);
      if (done.has(id)) return;
      for (const other of needs(id)) visit(other, [...path, id]);
      done.add(id);
    };
    for (const id of Object.keys(stack.resources)) visit(id, []);
    expect(done.size).toBe(Object.keys(stack.resources).length);
  });

  it('has exactly the doors of the contract, throttled, and logs no path', () => {
    const doors = of(stack, 'AWS::ApiGatewayV2::Route').map(([, { Properties }]) =>
      textOf(Properties['RouteKey']),
    );
    expect(doors.sort()).toEqual([
      '$default',
      'DELETE /api/push/devices/{id}',
      'GET /api/codes',
      'GET /api/drill',
      'GET /api/health',
      'GET /api/incidents',
      'GET /api/incidents/{id}',
      'GET /api/push',
      'GET /api/rejected',
      'GET /api/roster',
      'GET /api/unreached',
      'GET /api/vendors',
      'GET /openapi.json',
      'GET /t/{token}',
      'POST /api/drill/answer',
      'POST /api/incidents/{id}/actions',
      'POST /api/push/devices',
      'POST /receipts/{vendor}/{token}',
      'POST /t/{token}/session',
      'POST /webhooks/110',
      'POST /webhooks/110/heartbeat',
    ]);
    const [stage] = of(stack, 'AWS::ApiGatewayV2::Stage').map(([, { Properties }]) => Properties);
    expect(stage).toMatchObject({
      StageName: '$default',
      DefaultRouteSettings: { ThrottlingRateLimit: 500 },
    });
    const format = textOf(at(stage?.['AccessLogSettings'], 'Format'));
    expect(format).toContain('$context.routeKey');
    expect(format).not.toMatch(/\$context\.path|identity|authorizer/);
  });

  it('logs every step of the workflow, and none of its data', () => {
    const [machine] = of(stack, 'AWS::StepFunctions::StateMachine').map(([, { Properties }]) => Properties);
    expect(machine?.['StateMachineType'] ?? 'STANDARD').toBe('STANDARD');
    expect(machine?.['LoggingConfiguration']).toMatchObject({ Level: 'ALL', IncludeExecutionData: false });
  });
});

const acknowledged = z.record(z.string(), z.string());
const exceptions = app.node.findAll().flatMap((node) =>
  node.node.metadata
    .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
    .flatMap(({ data }) => Object.entries(acknowledged.parse(data)))
    .map(([finding, reason]) => ({ node, finding: finding.replace('Annotation::', ''), reason })),
);

describe('the exceptions from cdk-nag', () => {
  it('are these, each on its resource and with its reason', () => {
    expect(exceptions.filter(({ node }) => CdkStack.isStack(node))).toEqual([]);
    expect(exceptions.filter(({ reason }) => reason.length < 40)).toEqual([]);
    const shown = exceptions.map(
      ({ node, finding, reason }) => `${node.node.path.replace(/^Xiaonao-\w+\//, '')}: ${finding}: ${reason}`,
    );
    expect([...new Set(shown)].sort()).toMatchInlineSnapshot(`
      [
        "Classification/Role/DefaultPolicy: AwsSolutions-IAM5[Resource::*]: xray:PutTraceSegments and xray:PutTelemetryRecords have no resource type.",
        "Console/Role/DefaultPolicy: AwsSolutions-IAM5[Resource::*]: xray:PutTraceSegments and xray:PutTelemetryRecords have no resource type.",
        "Escalation/Role/DefaultPolicy: AwsSolutions-IAM5[Resource::*]: xray:PutTraceSegments and xray:PutTelemetryRecords have no resource type.",
        "Http/Default: AwsSolutions-APIG4: Nothing to protect: a description of the API, its health, or a 404.",
        "Http/DeleteApiPushDevicesId: AwsSolutions-APIG4: The function checks the ES256 bearer token itself, so that refusals keep the API's error shape and the keys rotate without a deployment.",
        "Http/GetApiCodes: AwsSolutions-APIG4: The function checks the ES256 bearer token itself, so that refusals keep the API's error shape and the keys rotate without a deployment.",
        "Http/GetApiDrill: AwsSolutions-APIG4: The function checks the ES256 bearer token itself, so that refusals keep the API's error shape and the keys rotate without a deployment.",
        "Http/GetApiHealth: AwsSolutions-APIG4: Nothing to protect: a description of the API, its health, or a 404.",
        "Http/GetApiIncidents: AwsSolutions-APIG4: The function checks the ES256 bearer token itself, so that refusals keep the API's error shape and the keys rotate without a deployment.",
        "Http/GetApiIncidentsId: AwsSolutions-APIG4: The function checks the ES256 bearer token itself, so that refusals keep the API's error shape and the keys rotate without a deployment.",
        "Http/GetApiPush: AwsSolutions-APIG4: The function checks the ES256 bearer token itself, so that refusals keep the API's error shape and the keys rotate without a deployment.",
        "Http/GetApiRejected: AwsSolutions-APIG4: The function checks the ES256 bearer token itself, so that refusals keep the API's error shape and the keys rotate without a deployment.",
        "Http/GetApiRoster: AwsSolutions-APIG4: The function checks the ES256 bearer token itself, so that refusals keep the API's error shape and the keys rotate without a deployment.",
        "Http/GetApiUnreached: AwsSolutions-APIG4: The function checks the ES256 bearer token itself, so that refusals keep the API's error shape and the keys rotate without a deployment.",
        "Http/GetApiVendors: AwsSolutions-APIG4: The function checks the ES256 bearer token itself, so that refusals keep the API's error shape and the keys rotate without a deployment.",
        "Http/GetOpenapiJson: AwsSolutions-APIG4: Nothing to protect: a description of the API, its health, or a 404.",
        "Http/GetTToken: AwsSolutions-APIG4: The vendor can present nothing but the address it was given: the function compares the unguessable token in the path.",
        "Http/PostApiDrillAnswer: AwsSolutions-APIG4: The function checks the ES256 bearer token itself, so that refusals keep the API's error shape and the keys rotate without a deployment.",
        "Http/PostApiIncidentsIdActions: AwsSolutions-APIG4: The function checks the ES256 bearer token itself, so that refusals keep the API's error shape and the keys rotate without a deployment.",
        "Http/PostApiPushDevices: AwsSolutions-APIG4: The function checks the ES256 bearer token itself, so that refusals keep the API's error shape and the keys rotate without a deployment.",
        "Http/PostReceiptsVendorToken: AwsSolutions-APIG4: The vendor can present nothing but the address it was given: the function compares the unguessable token in the path.",
        "Http/PostTTokenSession: AwsSolutions-APIG4: The vendor can present nothing but the address it was given: the function compares the unguessable token in the path.",
        "Http/PostWebhooks110: AwsSolutions-APIG4: The function checks the Standard Webhooks signature of the body, which no gateway authorizer can.",
        "Http/PostWebhooks110Heartbeat: AwsSolutions-APIG4: The function checks the Standard Webhooks signature of the body, which no gateway authorizer can.",
        "Intake/Role/DefaultPolicy: AwsSolutions-IAM5[Resource::*]: xray:PutTraceSegments and xray:PutTelemetryRecords have no resource type.",
        "Linking/Role/DefaultPolicy: AwsSolutions-IAM5[Resource::*]: xray:PutTraceSegments and xray:PutTelemetryRecords have no resource type.",
        "Notification/Role/DefaultPolicy: AwsSolutions-IAM5[Resource::*]: xray:PutTraceSegments and xray:PutTelemetryRecords have no resource type.",
        "Receipt/Role/DefaultPolicy: AwsSolutions-IAM5[Resource::*]: xray:PutTraceSegments and xray:PutTelemetryRecords have no resource type.",
        "Reconcile/Role/DefaultPolicy: AwsSolutions-IAM5[Resource::*]: xray:PutTraceSegments and xray:PutTelemetryRecords have no resource type.",
        "Reconcile/Role/DefaultPolicy: AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:Xiaonao-donghu-escalation:*]: Executions of this one workflow: each incident has its own, named when it begins.",
        "Reconcile/Role/DefaultPolicy: AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:Xiaonao-linjiang-escalation:*]: Executions of this one workflow: each incident has its own, named when it begins.",
        "Reconcile/Role/DefaultPolicy: AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:Xiaonao-xiaohe-escalation:*]: Executions of this one workflow: each incident has its own, named when it begins.",
        "Reconcile/Role/DefaultPolicy: AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:Xiaonao-xinjie-escalation:*]: Executions of this one workflow: each incident has its own, named when it begins.",
        "Response/Role/DefaultPolicy: AwsSolutions-IAM5[Resource::*]: xray:PutTraceSegments and xray:PutTelemetryRecords have no resource type.",
        "Secret/Secret: AwsSolutions-SMG4: Both ends must change together: the 110 centre and the SMS vendor hold the same keys, so that a rotation is a step agreed with them (current and next key overlap), not a timer of ours.",
        "Workflow/Machine: AwsSolutions-SF2: The district has X-Ray switched off (policy.deploy.xray); the trail in the table holds every step.",
        "Workflow/Role/DefaultPolicy: AwsSolutions-IAM5[Resource::*]: The log delivery actions of vended logs and the X-Ray actions have no resource type.",
        "Workflow/Role/DefaultPolicy: AwsSolutions-IAM5[Resource::*]: The log delivery actions of vended logs have no resource type.",
      ]
    `);
  });
});

describe('the functions', () => {
  const schemas = readdirSync(FUNCTIONS).filter((verb) => existsSync(join(FUNCTIONS, verb, 'env.ts')));

  it.each(schemas)('%s finds in its environment what it asks for', async (verb) => {
    const module: unknown = await import(join(FUNCTIONS, verb, 'env.ts'));
    const { envSchema } = z.object({ envSchema: z.instanceof(z.ZodObject) }).parse(module);
    for (const stack of stacks) {
      const [fn] = of(stack, 'AWS::Lambda::Function').filter(([id]) => nameOf(stack, id) === verb);
      const given = Object.keys(
        z.record(z.string(), z.json()).parse(at(fn?.[1].Properties['Environment'], 'Variables')),
      );
      // Lambda itself adds its own.
      const asked = Object.keys(envSchema.shape).filter((name) => !/^(AWS|LAMBDA)_/.test(name));
      expect(given.sort()).toEqual(asked.sort());
    }
  });
});

describe('the app', () => {
  it('runs the same bundles in every district', () => {
    const bundles = stacks.map((stack) =>
      of(stack, 'AWS::Lambda::Function').map(([id, { Properties }]) => [
        nameOf(stack, id),
        at(Properties['Code'], 'S3Key'),
      ]),
    );
    expect(bundles).toHaveLength(4);
    for (const other of bundles) expect(other).toEqual(bundles[0]);
  });

  it('gives the same template in process and under the CLI, time after time', () => {
    // What `cdk synth` hands over in the environment.
    process.env['CDK_CONTEXT_JSON'] = JSON.stringify({
      'aws:cdk:enable-path-metadata': true,
      'aws:cdk:enable-asset-metadata': true,
      'aws:cdk:version-reporting': true,
      'aws:cdk:bundling-stacks': ['**'],
    });
    try {
      const again = synthesize({ outdir: join(folder.path, 'again'), assets, checks: false });
      expect(again.stacks.map(({ text }) => text)).toEqual(stacks.map(({ text }) => text));
    } finally {
      delete process.env['CDK_CONTEXT_JSON'];
    }
  });

  it.each([
    ['cdk-nag', (stack: CdkStack) => void new Queue(stack, 'Bare'), 'AwsSolutions-SQS'],
    [
      'CloudFormation',
      (stack: CdkStack) => void new CfnLogGroup(stack, 'Odd', { logGroupName: 'not a name!' }),
      'LogGroupName',
    ],
  ])('fails synth on a finding of %s', (name, spoil, finding) => {
    const outdir = join(folder.path, `spoilt-${name}`);
    const spoilt = buildApp({ outdir, assets, districts: ['xinjie'] });
    const stack = spoilt.node.findChild('Xiaonao-xinjie');
    if (!CdkStack.isStack(stack)) throw new Error('not a stack');
    spoil(stack);
    expect(() => spoilt.synth()).toThrow(finding);
  });

  it('names the known districts when asked for another', () => {
    expect(() => buildApp({ assets, districts: ['atlantis'] })).toThrow(
      /atlantis.*donghu, linjiang, xiaohe, xinjie/,
    );
  });
});

const policySchema = z.record(z.string(), z.json());

/** A copy of the districts' data with 东湖's policy changed, ready to be built. */
const edit = (name: string, change: (policy: Record<string, Value>) => void) => {
  const districtData = copyOfDistricts(join(folder.path, name));
  const file = join(districtData, 'donghu/policy.json');
  const policy = policySchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  change(policy);
  writeFileSync(file, JSON.stringify(policy));
  return { districtData, assets, districts: ['donghu'], outdir: join(folder.path, `${name}.out`) };
};
/** Gives 东湖 texts of its own, with every approval that a production district needs. */
const approve = (districtData: string): void => {
  const approved = { state: 'approved', at: '2026-11-20' };
  const texts = textsFileSchema.parse(JSON.parse(readFileSync(join(districtData, 'texts.json'), 'utf8')));
  for (const one of Object.values(texts.registrations)) {
    Object.assign(one, { signature: approved, filing: { state: 'registered', at: '2026-11-20' } });
  }
  for (const { vendors } of Object.values(texts.templates))
    for (const one of Object.values(vendors)) Object.assign(one, approved);
  writeFileSync(join(districtData, 'donghu/texts.json'), JSON.stringify({ ...texts, sample: false }));
};
const textsFileSchema = z.looseObject({
  registrations: z.record(z.string(), z.looseObject({})),
  templates: z.record(z.string(), z.looseObject({ vendors: z.record(z.string(), z.looseObject({})) })),
});

describe('a district file', () => {
  const deploy = {
    stage: 'production',
    partition: 'aws-cn',
    region: 'cn-north-1',
    architecture: 'x86_64',
    webhookAuth: 'iam',
    xray: false,
  };

  it('fails synth with its own sentence when it breaks a rule', () => {
    const broken = edit('falling', (policy) => {
      policy['ladders'] = parseJson(textOf(policy['ladders']).replace('"limit":120', '"limit":59'));
    });
    expect(() => buildApp(broken)).toThrow(
      /donghu\/policy\.json ladders\.default\.peace\[1\]\.limit: the ladder does not rise/,
    );
  });

  it('fails synth when it asks for X-Ray in China, or for a region of the other partition', () => {
    const xray = edit('xray', (policy) => void (policy['deploy'] = { ...deploy, xray: true }));
    expect(() => buildApp(xray)).toThrow(
      'donghu/policy.json deploy.xray: Lambda has no X-Ray in the China partition',
    );
    const region = edit('region', (policy) => void (policy['deploy'] = { ...deploy, region: 'eu-west-1' }));
    expect(() => buildApp(region)).toThrow(
      "deploy.region: 'eu-west-1' is not a region of the partition 'aws-cn'",
    );
  });

  it('may send texts by SNS: the notifier alone, to telephones and to no topic; never in China', () => {
    const texts = edit('texts', (policy) => {
      policy['deploy'] = { ...deploy, partition: 'aws', region: 'eu-west-1', stage: 'pilot', snsTexts: true };
    });
    const [stack] = synthesize(texts).stacks;
    if (!stack) throw new Error('no stack');
    expect(VERBS.filter((verb) => rightsOf(stack, verb).includes('sns:Publish'))).toEqual(['notification']);
    const [right, ...more] = statements(stack)
      .map(({ statement }) => statement)
      .filter((statement) => list(at(statement, 'Action')).includes('sns:Publish'))
      .filter((statement) => at(statement, 'Principal') === undefined);
    expect(more).toEqual([]);
    expect(right).toEqual({
      Effect: 'Allow',
      Action: 'sns:Publish',
      // Every topic and every app has such a name; a telephone has none.
      NotResource: { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':sns:*:*:*']] },
    });
    const china = edit('texts-china', (policy) => void (policy['deploy'] = { ...deploy, snsTexts: true }));
    expect(() => buildApp(china)).toThrow(
      'donghu/policy.json deploy.snsTexts: SNS sends no texts in the China partition',
    );
  });

  it('fails synth when it is for production and nobody has approved its texts', () => {
    const unapproved = edit('unapproved', (policy) => void (policy['deploy'] = deploy));
    expect(() => buildApp(unapproved)).toThrow(
      /donghu\/policy\.json deploy\.stage: 'production' needs approved texts:\n {2}texts\.json: .*samples/,
    );
  });

  it('decides how the district is deployed', () => {
    const china = edit('china', (policy) => void (policy['deploy'] = deploy));
    approve(china.districtData);
    const {
      stacks: [stack],
    } = synthesize(china);
    if (!stack) throw new Error('no stack');
    expect(stack.terminationProtection).toBe(true);
    expect(of(stack, 'AWS::Logs::LogGroup').map(([, log]) => log.DeletionPolicy)).toEqual(
      Array(11).fill('Retain'),
    );
    for (const [, { Properties }] of of(stack, 'AWS::Lambda::Function')) {
      expect(Properties['Architectures']).toEqual(['x86_64']);
      expect(Properties).not.toHaveProperty('TracingConfig');
    }
    expect(
      [...walk(parseJson(stack.text))].filter((v) => typeof v === 'string' && v.startsWith('xray:')),
    ).toEqual([]);
    const doors = of(stack, 'AWS::ApiGatewayV2::Route').map(([, { Properties }]) => [
      textOf(Properties['RouteKey']),
      Properties['AuthorizationType'],
    ]);
    expect(
      doors
        .filter(([, type]) => type === 'AWS_IAM')
        .map(([key = '']) => textOf(key))
        .sort(),
    ).toEqual(['POST /webhooks/110', 'POST /webhooks/110/heartbeat']);
  });
});
