// oxlint-disable no-new -- a construct attaches itself to its scope
// A small stack with one of everything the local cloud runs, synthesized as a real one is.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Duration, RemovalPolicy, SecretValue, Stack } from 'aws-cdk-lib';
import { CfnStage, HttpApi, HttpMethod, HttpRoute, HttpRouteKey } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { AttributeType, BillingMode, Table } from 'aws-cdk-lib/aws-dynamodb';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Code, Function as LambdaFunctionResource, Runtime } from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { CfnStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { build } from 'esbuild';

/** A directory that is gone when the test is. */
export async function temporaryDirectory(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'cloud-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** Synthesizes the stack `Small` below `directory`; `extend` may add to it. Returns the assembly. */
export async function synthesize(
  directory: string,
  extend: (stack: Stack) => void = () => {},
): Promise<string> {
  const bundle = join(directory, 'bundle');
  await build({
    entryPoints: [join(import.meta.dirname, 'functions.ts')],
    outfile: join(bundle, 'index.mjs'),
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
  });
  const outdir = join(directory, 'cdk.out');
  const app = new App({ outdir, analyticsReporting: false });
  const stack = new Stack(app, 'Small');

  const table = new Table(stack, 'Table', {
    partitionKey: { name: 'pk', type: AttributeType.STRING },
    billingMode: BillingMode.PAY_PER_REQUEST,
    timeToLiveAttribute: 'expiresAt',
    removalPolicy: RemovalPolicy.DESTROY,
  });
  const secret = new Secret(stack, 'Secret', { secretStringValue: SecretValue.unsafePlainText('replaced') });
  const queue = new Queue(stack, 'Work', {
    deadLetterQueue: { queue: new Queue(stack, 'Dead'), maxReceiveCount: 2 },
  });
  const code = Code.fromAsset(bundle);
  const functionOf = (id: string, handler: string) =>
    new LambdaFunctionResource(stack, id, {
      code,
      handler: `index.${handler}`,
      runtime: Runtime.NODEJS_24_X,
      timeout: Duration.seconds(3),
      memorySize: 256,
      environment: { TABLE_NAME: table.tableName, QUEUE_URL: queue.queueUrl, SECRET_ID: secret.secretArn },
    });
  const door = functionOf('Door', 'door').addAlias('live');
  const worker = functionOf('Worker', 'worker');
  const watch = functionOf('Watch', 'watch').addAlias('live');
  const machine = new CfnStateMachine(stack, 'Machine', {
    roleArn: 'arn:aws:iam::000000000000:role/unused',
    definitionString: stack.toJsonString({
      QueryLanguage: 'JSONata',
      StartAt: 'Park',
      States: {
        Park: {
          Type: 'Task',
          Resource: `arn:${stack.partition}:states:::aws-sdk:dynamodb:updateItem.waitForTaskToken`,
          Arguments: {
            TableName: table.tableName,
            Key: { pk: { S: '{% $states.input.id %}' } },
            UpdateExpression: 'SET #token = :token',
            ExpressionAttributeNames: { '#token': 'token' },
            ExpressionAttributeValues: { ':token': { S: '{% $states.context.Task.Token %}' } },
          },
          TimeoutSeconds: '{% $max([1, $ceil(($states.input.due - $millis()) / 1000)]) %}',
          Catch: [{ ErrorEquals: ['States.Timeout'], Next: 'Missed', Output: '{% $states.input %}' }],
          Next: 'Done',
        },
        Missed: {
          Type: 'Task',
          Resource: `arn:${stack.partition}:states:::lambda:invoke`,
          Arguments: { FunctionName: watch.functionArn, Payload: { id: '{% $states.input.id %}' } },
          Next: 'Done',
        },
        Done: { Type: 'Succeed' },
      },
    }),
  });
  worker.addEnvironment('MACHINE_ARN', machine.attrArn);
  worker.addEventSource(new SqsEventSource(queue, { batchSize: 10, reportBatchItemFailures: true }));
  new Rule(stack, 'Beat', {
    schedule: Schedule.rate(Duration.minutes(1)),
    targets: [new LambdaFunction(watch)],
  });

  const api = new HttpApi(stack, 'Api');
  const integration = new HttpLambdaIntegration('ToDoor', door);
  for (const [method, ...paths] of [
    [HttpMethod.GET, '/clock', '/secret', '/slow', '/things/{id}'],
    [HttpMethod.POST, '/things'],
    [HttpMethod.PUT, '/limited'],
  ] as const) {
    for (const path of paths) api.addRoutes({ path, methods: [method], integration });
  }
  new HttpRoute(stack, 'Default', { httpApi: api, routeKey: HttpRouteKey.DEFAULT, integration });
  const stage = api.defaultStage?.node.defaultChild;
  if (!(stage instanceof CfnStage)) throw new Error('The API has no stage.');
  stage.addPropertyOverride('RouteSettings', {
    'PUT /limited': { ThrottlingRateLimit: 0.001, ThrottlingBurstLimit: 2 },
  });

  extend(stack);
  app.synth();
  return outdir;
}
