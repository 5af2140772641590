/** The services that a workflow calls, with the error names AWS gives their failures. */
import {
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
  DynamoDBServiceException as ServiceException,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import type { Integration } from './engine.ts';
import { IntegrationError } from './failure.ts';

/** What a function call came to. `functionError` is there when the function itself failed. */
export interface Invocation {
  payload: unknown;
  functionError?: { errorType?: string; errorMessage?: string; [detail: string]: unknown };
  executedVersion?: string;
}

/**
 * `lambda:invoke`. `invoke` gets the function's name or ARN (alias included) and the payload; it throws
 * IntegrationError for a failure of the service itself (`Lambda.TooManyRequestsException` …).
 */
export function lambdaIntegration(
  invoke: (functionName: string, payload: unknown) => Promise<Invocation>,
): Record<'lambda:invoke', Integration> {
  return {
    'lambda:invoke': async (args) => {
      const { FunctionName: functionName, Payload: payload = {}, ...rest } = args;
      const unknown = Object.keys(rest);
      if (typeof functionName !== 'string' || unknown.length > 0) {
        const cause =
          unknown.length > 0
            ? `lambda:invoke: ${unknown.join(', ')} is not implemented`
            : 'FunctionName is missing';
        throw new IntegrationError({ error: 'States.Runtime', cause });
      }
      const {
        payload: answer,
        functionError,
        executedVersion = '$LATEST',
      } = await invoke(functionName, payload);
      if (functionError !== undefined) {
        const error = functionError.errorType ?? 'Lambda.Unknown';
        throw new IntegrationError({ error, cause: JSON.stringify(functionError) });
      }
      return { ExecutedVersion: executedVersion, Payload: answer ?? null, StatusCode: 200 };
    },
  };
}

/** DynamoDB calls in the `aws-sdk:` form. The client should not retry (`maxAttempts: 1`): the workflow's Retry does. */
export function dynamodbIntegrations(
  client: DynamoDBClient,
): Record<`aws-sdk:dynamodb:${string}`, Integration> {
  return {
    'aws-sdk:dynamodb:getItem': command((args) => client.send(new GetItemCommand(args))),
    'aws-sdk:dynamodb:putItem': command((args) => client.send(new PutItemCommand(args))),
    'aws-sdk:dynamodb:updateItem': command((args) => client.send(new UpdateItemCommand(args))),
    'aws-sdk:dynamodb:deleteItem': command((args) => client.send(new DeleteItemCommand(args))),
    'aws-sdk:dynamodb:query': command((args) => client.send(new QueryCommand(args))),
  };
}

function command(call: (args: never) => Promise<{ $metadata: unknown }>): Integration {
  return async (args) => {
    try {
      // The definition is data: the service itself judges whether the arguments are right.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      const { $metadata: _metadata, ...output } = await call(args as never);
      return output;
    } catch (thrown) {
      throw dynamodbFailure(thrown);
    }
  };
}

/** Names that the service's model knows, as Step Functions tells them; all others are its general exception. */
const modelled = new Set([
  'ConditionalCheckFailedException',
  'InternalServerErrorException',
  'ItemCollectionSizeLimitExceededException',
  'ProvisionedThroughputExceededException',
  'ReplicatedWriteConflictException',
  'RequestLimitExceededException',
  'ResourceNotFoundException',
  'ThrottlingException',
  'TransactionCanceledException',
  'TransactionConflictException',
  'TransactionInProgressException',
]);

/** The name Step Functions gives a failure of the DynamoDB SDK (Java's exception names, so all end in Exception). */
export function dynamodbFailure(thrown: unknown): IntegrationError {
  const { name, message } = thrown instanceof Error ? thrown : { name: '', message: String(thrown) };
  const known = name.endsWith('Exception') ? name : `${name}Exception`;
  const answered = thrown instanceof ServiceException && thrown.$metadata.httpStatusCode !== undefined;
  const error = modelled.has(known) ? known : answered ? 'DynamoDbException' : 'SdkClientException';
  const cause = `${message} (Service: DynamoDb)`;
  return new IntegrationError({ error: `DynamoDb.${error}`, cause });
}
