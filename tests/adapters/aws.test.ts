import {
  BatchGetItemCommand,
  GetItemCommand,
  DynamoDBClient,
  QueryCommand,
  TransactWriteItemsCommand,
  TransactionCanceledException,
  type CancellationReason,
} from '@aws-sdk/client-dynamodb';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import {
  DescribeExecutionCommand,
  ExecutionAlreadyExists,
  ExecutionDoesNotExist,
  InvalidToken,
  SFNClient,
  SendTaskFailureCommand,
  SendTaskSuccessCommand,
  StartExecutionCommand,
  TaskDoesNotExist,
  TaskTimedOut,
} from '@aws-sdk/client-sfn';
import { SQSClient, SendMessageBatchCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { dynamoTable } from '#shared/adapters/dynamo-table.ts';
import { sqsQueues } from '#shared/adapters/queues.ts';
import { SECRET_CACHE_MS, awsSecrets } from '#shared/adapters/secrets.ts';
import { sfnWorkflow } from '#shared/adapters/workflow.ts';
import { SECRET, T0 } from './fixtures.ts';

const said = (message: string) => ({ message, $metadata: {} });

describe('DynamoDB', () => {
  const dynamo = mockClient(DynamoDBClient);
  afterAll(() => dynamo.restore());
  const table = dynamoTable(new DynamoDBClient({}), 'sample-table');
  const cancelled = (...CancellationReasons: CancellationReason[]) =>
    new TransactionCanceledException({ ...said('cancelled'), CancellationReasons });
  const write = () => table.write([{ delete: { pk: 'P', sk: 'a' } }, { put: { pk: 'P', sk: 'b', n: 1 } }]);
  const writes = () => dynamo.commandCalls(TransactWriteItemsCommand);
  beforeEach(() => dynamo.reset());

  test.each(['TransactionConflict', 'ThrottlingError', 'ProvisionedThroughputExceeded'])(
    '%s passes by itself and is tried again with the same content',
    async (Code) => {
      dynamo
        .on(TransactWriteItemsCommand)
        .rejectsOnce(cancelled({ Code: 'None' }, { Code }))
        .rejectsOnce(cancelled({ Code }, { Code: 'None' }))
        .resolves({});
      expect(await write()).toEqual({ ok: true });
      expect(writes()).toHaveLength(3);
      // The same content each time; a cancelled transaction has written nothing.
      expect(new Set(writes().map((call) => JSON.stringify(call.args[0].input.TransactItems))).size).toBe(1);
    },
  );

  test('it is not tried for ever', async () => {
    dynamo.on(TransactWriteItemsCommand).rejects(cancelled({ Code: 'TransactionConflict' }));
    await expect(write()).rejects.toBeInstanceOf(TransactionCanceledException);
    expect(writes()).toHaveLength(6);
  });

  test('a failed condition is an answer, also beside a conflict: told at once, with the item in the way', async () => {
    dynamo
      .on(TransactWriteItemsCommand)
      .rejects(
        cancelled(
          { Code: 'TransactionConflict' },
          { Code: 'ConditionalCheckFailed', Item: { pk: { S: 'P' }, sk: { S: 'b' } } },
        ),
      );
    expect(await write()).toEqual({ ok: false, index: 1, item: { pk: 'P', sk: 'b' } });
    expect(writes()).toHaveLength(1);
  });

  test('anything else is a defect and is thrown', async () => {
    dynamo.on(TransactWriteItemsCommand).rejects(cancelled({ Code: 'ValidationError' }));
    await expect(write()).rejects.toBeInstanceOf(TransactionCanceledException);
    dynamo.reset();
    dynamo.on(TransactWriteItemsCommand).rejects(new Error('no route'));
    await expect(write()).rejects.toThrow('no route');
    expect(writes()).toHaveLength(1);
  });

  test('every name is a placeholder, so that no attribute can meet a reserved word', async () => {
    dynamo.on(TransactWriteItemsCommand).resolves({});
    await table.write([
      {
        patch: { pk: 'P', sk: 'a' },
        set: { state: 'x', skip: undefined },
        remove: ['data'],
        add: { count: 1 },
        if: { equals: { version: 3 }, oneOf: { status: ['a', 'b'] } },
      },
    ]);
    expect(writes()[0]?.args[0].input.TransactItems).toEqual([
      {
        Update: {
          TableName: 'sample-table',
          Key: { pk: { S: 'P' }, sk: { S: 'a' } },
          UpdateExpression: 'SET #state = :v3 REMOVE #data ADD #count :v4',
          ConditionExpression: '#version = :v0 AND #status IN (:v1, :v2)',
          ExpressionAttributeNames: {
            '#version': 'version',
            '#status': 'status',
            '#state': 'state',
            '#data': 'data',
            '#count': 'count',
          },
          ExpressionAttributeValues: {
            ':v0': { N: '3' },
            ':v1': { S: 'a' },
            ':v2': { S: 'b' },
            ':v3': { S: 'x' },
            ':v4': { N: '1' },
          },
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        },
      },
    ]);
  });

  test('pages are followed, and the limit shrinks with them', async () => {
    const key = { pk: { S: 'P' }, sk: { S: 'a' } };
    dynamo
      .on(QueryCommand)
      .resolvesOnce({ Items: [key, key], LastEvaluatedKey: key })
      .resolvesOnce({ Items: [], LastEvaluatedKey: key })
      .resolves({ Items: [key], LastEvaluatedKey: key });
    expect(await table.query({ index: 'owed', pk: 'OWED#0', to: '9', limit: 3 })).toHaveLength(3);
    expect(dynamo.commandCalls(QueryCommand).map((call) => call.args[0].input.Limit)).toEqual([3, 1, 1]);
  });

  test('keys that a batch left over are asked for again', async () => {
    const left = { 'sample-table': { Keys: [{ pk: { S: 'P' }, sk: { S: 'b' } }] } };
    const item = (sk: string) => ({ 'sample-table': [{ pk: { S: 'P' }, sk: { S: sk } }] });
    dynamo
      .on(BatchGetItemCommand)
      .resolvesOnce({ Responses: item('a'), UnprocessedKeys: left })
      .resolvesOnce({ Responses: item('b') });
    const keys = ['a', 'b'].map((sk) => ({ pk: 'P', sk }));
    expect(await table.getMany(keys)).toEqual(keys);
    expect(dynamo.commandCalls(BatchGetItemCommand)[1]?.args[0].input.RequestItems).toMatchObject(left);
  });

  test('single items asked for in one turn are one strongly consistent read; each asker gets his own answer', async () => {
    const found = { pk: { S: 'P' }, sk: { S: 'a' }, n: { N: '1' } };
    dynamo
      .on(BatchGetItemCommand)
      .resolvesOnce({ Responses: { 'sample-table': [found] } })
      .rejectsOnce(new Error('sample: throttled'))
      .on(GetItemCommand)
      .resolves({ Item: found });
    const ask = (sk: string) => table.get({ pk: 'P', sk });
    const [a, absent, again] = await Promise.all([ask('a'), ask('b'), ask('a')]);
    expect([a, absent, again]).toEqual([{ pk: 'P', sk: 'a', n: 1 }, undefined, a]);
    expect(again).not.toBe(a);
    const request = dynamo.commandCalls(BatchGetItemCommand)[0]?.args[0].input.RequestItems?.['sample-table'];
    expect(request).toEqual({
      Keys: ['a', 'b'].map((sk) => ({ pk: { S: 'P' }, sk: { S: sk } })),
      ConsistentRead: true,
    });
    await expect(Promise.allSettled([ask('a'), ask('b')])).resolves.toMatchObject([
      { status: 'rejected' },
      { status: 'rejected' },
    ]);
    // One after the other each is a read of its own.
    expect([await ask('a'), await ask('a')]).toEqual([a, a]);
    expect(dynamo.commandCalls(GetItemCommand).map((call) => call.args[0].input.ConsistentRead)).toEqual([
      true,
      true,
    ]);
  });
});

describe('Step Functions', () => {
  const sfn = mockClient(SFNClient);
  afterAll(() => sfn.restore());
  const machine = 'arn:aws-cn:states:cn-north-1:000000000000:stateMachine:sample';
  const workflow = sfnWorkflow(new SFNClient({}), machine);
  beforeEach(() => sfn.reset());

  test('a start is the same byte for byte each time, whatever else the row holds; one that is taken is no error', async () => {
    sfn
      .on(StartExecutionCommand)
      .resolvesOnce({})
      .rejects(new ExecutionAlreadyExists(said('taken')));
    await workflow.start({ id: 'I', round: 2 });
    const row = { round: 2, version: 9, id: 'I', due: { accept: T0 } };
    await workflow.start(row);
    const calls = sfn.commandCalls(StartExecutionCommand).map((call) => call.args[0].input);
    expect(calls[0]).toEqual({
      stateMachineArn: machine,
      name: 'I-2',
      input: '{"incidentId":"I","round":2}',
    });
    expect(calls[1]).toEqual(calls[0]);
    sfn.reset();
    sfn.on(StartExecutionCommand).rejects(new Error('no route'));
    await expect(workflow.start({ id: 'I', round: 2 })).rejects.toThrow('no route');
  });

  test('a finished rung sends the deadlines of now; a moved clock sends the one error the workflow catches for it', async () => {
    sfn.on(SendTaskSuccessCommand).resolves({}).on(SendTaskFailureCommand).resolves({});
    expect(await workflow.finished('T', { arrive: T0 })).toBe('woken');
    expect(await workflow.rearm('T')).toBe('woken');
    expect(sfn.commandCalls(SendTaskSuccessCommand)[0]?.args[0].input).toEqual({
      taskToken: 'T',
      output: `{"due":{"arrive":${T0}}}`,
    });
    expect(sfn.commandCalls(SendTaskFailureCommand)[0]?.args[0].input).toMatchObject({
      taskToken: 'T',
      error: 'Xiaonao.Rearm',
    });
  });

  test.each([new TaskTimedOut(said('closed')), new TaskDoesNotExist(said('unknown'))])(
    'a closed token ($name) is late, which is normal',
    async (error) => {
      sfn.on(SendTaskSuccessCommand).rejects(error).on(SendTaskFailureCommand).rejects(error);
      expect(await workflow.finished('T', {})).toBe('late');
      expect(await workflow.rearm('T')).toBe('late');
    },
  );

  test('a token that is none is a defect', async () => {
    sfn.on(SendTaskSuccessCommand).rejects(new InvalidToken(said('strange')));
    await expect(workflow.finished('T', {})).rejects.toBeInstanceOf(InvalidToken);
  });

  test('an execution runs or not; not to know is not to have lost it', async () => {
    sfn
      .on(DescribeExecutionCommand)
      .resolvesOnce({ status: 'RUNNING' })
      .resolvesOnce({ status: 'TIMED_OUT' })
      .rejectsOnce(new ExecutionDoesNotExist(said('none')))
      .rejects(new Error('no route'));
    const runs = () => workflow.runs({ id: 'I', round: 3 });
    expect([await runs(), await runs(), await runs()]).toEqual([true, false, false]);
    await expect(runs()).rejects.toThrow('no route');
    expect(sfn.commandCalls(DescribeExecutionCommand)[0]?.args[0].input.executionArn).toBe(
      'arn:aws-cn:states:cn-north-1:000000000000:execution:sample:I-3',
    );
  });
});

describe('SQS', () => {
  const sqs = mockClient(SQSClient);
  afterAll(() => sqs.restore());
  const queues = sqsQueues(new SQSClient({}), {
    links: 'https://sample.invalid/links',
    alerts: 'https://sample.invalid/alerts',
    chatter: 'https://sample.invalid/chatter',
    sweeps: 'https://sample.invalid/sweeps',
  });
  const jobs = (n: number) =>
    Array.from({ length: n }, (_, i) => ({
      owner: 'INC#I',
      noticeId: String(i),
      lane: 'alerts' as const,
    }));
  beforeEach(() => {
    sqs.reset();
    sqs.on(SendMessageCommand).resolves({}).on(SendMessageBatchCommand).resolves({});
  });

  test('one message alone, many by tens, none not at all; bodies carry version 1', async () => {
    await queues.notices([]);
    await queues.notices(jobs(1), 2);
    await queues.notices(jobs(23));
    expect(sqs.commandCalls(SendMessageCommand).map((call) => call.args[0].input)).toEqual([
      {
        QueueUrl: 'https://sample.invalid/alerts',
        MessageBody: '{"v":1,"owner":"INC#I","noticeId":"0"}',
        DelaySeconds: 2,
      },
    ]);
    const batches = sqs.commandCalls(SendMessageBatchCommand).map((call) => call.args[0].input.Entries ?? []);
    expect(batches.map((batch) => batch.length)).toEqual([10, 10, 3]);
    expect(batches[2]?.[2]).toEqual({ Id: '2', MessageBody: '{"v":1,"owner":"INC#I","noticeId":"22"}' });
  });

  test('each further pass has its own delay', async () => {
    await queues.sweeps([15, 30, 45]);
    const [call] = sqs.commandCalls(SendMessageBatchCommand);
    expect(call?.args[0].input.Entries?.map((entry) => entry.DelaySeconds)).toEqual([15, 30, 45]);
  });

  test('messages that were not taken are told, after all others were sent', async () => {
    sqs
      .on(SendMessageBatchCommand)
      .resolvesOnce({ Failed: [{ Id: '1', Code: 'InternalError', SenderFault: false }], Successful: [] })
      .resolves({});
    await expect(queues.notices(jobs(25))).rejects.toThrow('SQS did not take 1 messages: InternalError');
    expect(sqs.commandCalls(SendMessageBatchCommand)).toHaveLength(3);
  });

  test('a queue that this function was not given is a defect, not a loss in silence', async () => {
    await expect(async () => queues.reports([{ incidentId: 'I' }])).rejects.toThrow("'reports'");
  });
});

describe('the secret', () => {
  const manager = mockClient(SecretsManagerClient);
  afterAll(() => manager.restore());
  let now = T0;
  const secrets = () =>
    awsSecrets(new SecretsManagerClient({}), 'sample-secret', { now: () => new Date(now) });
  const reads = (): number => manager.commandCalls(GetSecretValueCommand).length;
  beforeEach(() => {
    now = T0;
    manager.reset();
    manager.on(GetSecretValueCommand).resolves({ SecretString: JSON.stringify(SECRET) });
  });

  test('is read once in five minutes, then again: a rotated key takes hold by itself', async () => {
    const held = secrets();
    expect((await held.district()).webhookKeys).toEqual(SECRET.webhookKeys);
    const sealed = (await held.vault()).seal('words', 'here');
    now += SECRET_CACHE_MS - 1;
    await held.vault();
    expect(reads()).toBe(1);
    const rotated = structuredClone(SECRET);
    rotated.dataKeys = {
      current: 'k2',
      keys: { ...rotated.dataKeys.keys, k2: Buffer.alloc(32, 9).toString('base64') },
    };
    manager.on(GetSecretValueCommand).resolves({ SecretString: JSON.stringify(rotated) });
    now += 1;
    const vault = await held.vault();
    expect(reads()).toBe(2);
    expect(vault.seal('words', 'here')).toMatch(/^k2\./);
    expect(vault.open(sealed, 'here')).toBe('words');
    expect(manager.commandCalls(GetSecretValueCommand)[0]?.args[0].input).toEqual({
      SecretId: 'sample-secret',
    });
  });

  test('a clock that goes back does not hold it for longer', async () => {
    const held = secrets();
    await held.district();
    now -= 3_600_000;
    await held.district();
    expect(reads()).toBe(2);
    now += SECRET_CACHE_MS;
    await held.district();
    expect(reads()).toBe(3);
  });

  test('one that is not complete, or no JSON, is told by its fields, never by its values', async () => {
    const private1 = 'do-not-tell-this';
    const { jwt: _, ...rest } = SECRET;
    for (const [text, named] of [
      [JSON.stringify({ ...rest, receiptToken: private1, aliyunSms: { accessKeyId: private1 } }), 'jwt'],
      [`{"receiptToken": "${private1}"`, 'all of it'],
      [private1, 'all of it'],
      [undefined, 'all of it'],
    ] as const) {
      manager.on(GetSecretValueCommand).resolves({ SecretString: text });
      const error = await secrets()
        .district()
        .then(
          () => new Error('It was taken.'),
          (thrown: Error) => thrown,
        );
      expect(String(error)).toContain(named);
      expect(JSON.stringify([String(error), error.stack, error.cause])).not.toContain(private1.slice(0, 6));
    }
  });
});
