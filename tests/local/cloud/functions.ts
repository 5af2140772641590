// The functions of the small stack on which the local cloud is tested. They know nothing of being local.
import { DynamoDBClient, GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod';

const table = new DynamoDBClient({});
const queue = new SQSClient({});
const workflows = new SFNClient({});
const secrets = new SecretsManagerClient({});
const {
  TABLE_NAME: TableName = '',
  QUEUE_URL: QueueUrl = '',
  MACHINE_ARN: stateMachineArn = '',
  SECRET_ID: SecretId,
} = process.env;

const thingSchema = z.object({
  id: z.string(),
  mode: z.string().optional(),
  seconds: z.number().default(0),
  at: z.number().default(0),
});

interface HttpEvent {
  routeKey: string;
  body?: string;
  isBase64Encoded: boolean;
  pathParameters?: { id: string };
}

const answer = (statusCode: number, body: unknown) => ({
  statusCode,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

const count = (id: string, attribute: string, at = Date.now()) =>
  table.send(
    new UpdateItemCommand({
      TableName,
      Key: { pk: { S: id } },
      UpdateExpression: 'ADD #count :one SET #at = :at',
      ExpressionAttributeNames: { '#count': attribute, '#at': `${attribute}At` },
      ExpressionAttributeValues: { ':one': { N: '1' }, ':at': { N: `${at}` } },
    }),
  );

/** `POST /things`: stores, queues, answers. `GET /things/{id}`, `GET /clock`, `GET /secret`, `GET /slow`, and a 404 for the rest. */
export async function door(event: HttpEvent) {
  switch (event.routeKey) {
    case 'POST /things': {
      const thing = thingSchema.parse(JSON.parse(event.body ?? '{}'));
      await count(thing.id, 'stored');
      await queue.send(
        new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify({ ...thing, at: Date.now() }) }),
      );
      return answer(202, { id: thing.id });
    }
    case 'GET /things/{id}': {
      const { Item } = await table.send(
        new GetItemCommand({
          TableName,
          Key: { pk: { S: event.pathParameters?.id ?? '' } },
          ConsistentRead: true,
        }),
      );
      return answer(200, Item ?? null);
    }
    case 'GET /clock':
      return answer(200, {
        now: Date.now(),
        made: new Date().getTime(),
        fixed: new Date(0).toISOString(),
        isDate: new Date() instanceof Date,
        region: process.env['AWS_REGION'],
        home: process.env['HOME'] ?? null,
      });
    case 'GET /secret':
      return answer(
        200,
        JSON.parse((await secrets.send(new GetSecretValueCommand({ SecretId }))).SecretString ?? 'null'),
      );
    case 'GET /slow':
      return new Promise(() => {}); // never answers
    default:
      return answer(404, {
        error: { code: 'not_found', body: event.body ?? null, base64: event.isBase64Encoded },
      });
  }
}

/** Marks each thing done; `mode: fail` is reported as failed, `mode: watch` starts a workflow that waits `seconds` for a token. */
export async function worker(event: { Records: { messageId: string; body: string }[] }) {
  const failed: string[] = [];
  for (const { messageId, body } of event.Records) {
    const { id, mode, seconds, at } = thingSchema.parse(JSON.parse(body));
    if (mode === 'fail') {
      failed.push(messageId);
      continue;
    }
    await count(id, 'done');
    if (mode === 'watch') {
      // The same at every delivery, as the same name asks for.
      const input = JSON.stringify({ id, due: at + seconds * 1000 });
      await workflows.send(new StartExecutionCommand({ stateMachineArn, name: id, input }));
    }
  }
  return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
}

/** Called by the workflow when nobody sent the token in time, and by the schedule. */
export async function watch(event: { id: string; 'detail-type'?: string }) {
  const id = event['detail-type'] === 'Scheduled Event' ? 'beat' : event.id;
  await count(id, 'missed');
  return { told: id };
}
