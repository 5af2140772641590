/**
 * Failures of the interpreter: of a state (they meet Retry and Catch), of an API call (they reach the caller), and the
 * rule which error name matches which.
 */

/** A state failed with an error name of the Amazon States Language, e.g. `States.QueryEvaluationError`. */
export class StateFailure extends Error {
  readonly error: string;
  override readonly cause: string;

  constructor(error: string, cause: string) {
    super(`${error}: ${cause}`);
    this.name = 'StateFailure';
    this.error = error;
    this.cause = cause;
  }
}

/** Thrown by an integration when the called service refused: `error` is the name that Retry and Catch see. */
export class IntegrationError extends Error {
  readonly error: string;
  override readonly cause: string;

  constructor({ error, cause = '' }: { error: string; cause?: string }) {
    super(cause === '' ? error : `${error}: ${cause}`);
    this.name = 'IntegrationError';
    this.error = error;
    this.cause = cause;
  }
}

/** The exceptions of the Step Functions API that this interpreter answers with. */
export type StatesErrorCode =
  | 'ExecutionAlreadyExists'
  | 'ExecutionDoesNotExist'
  | 'InvalidArn'
  | 'InvalidDefinition'
  | 'InvalidExecutionInput'
  | 'InvalidName'
  | 'InvalidOutput'
  | 'InvalidToken'
  | 'StateMachineDoesNotExist'
  | 'TaskDoesNotExist'
  | 'TaskTimedOut'
  | 'UnknownOperationException'
  | 'ValidationException';

/** An API call was refused. `name` is the exception name that `@aws-sdk/client-sfn` throws. */
export class StatesError extends Error {
  override readonly name: StatesErrorCode;

  constructor(name: StatesErrorCode, message: string) {
    super(message);
    this.name = name;
  }
}

/** Failures that no wildcard catches: the definition or the data is wrong, so trying again cannot help. */
const terminal = new Set(['States.Runtime', 'States.DataLimitExceeded']);

/**
 * Whether an `ErrorEquals` list matches an error, as AWS does it: `States.ALL` misses the terminal errors,
 * `States.TaskFailed` misses those and time-outs, `States.Timeout` also stands for a missed heartbeat.
 */
export function matches(errorEquals: readonly string[], error: string): boolean {
  const timedOut = error === 'States.Timeout' || error === 'States.HeartbeatTimeout';
  return errorEquals.some((wanted) => {
    if (wanted === error) return true;
    if (wanted === 'States.Timeout') return timedOut;
    if (wanted === 'States.ALL') return !terminal.has(error);
    if (wanted === 'States.TaskFailed') return !terminal.has(error) && !timedOut;
    return false;
  });
}

/** Payload limit of Step Functions: 256 KiB of UTF-8 per input, output, argument or assigned variable. */
export const payloadLimit = 262_144;

/** Refuses a payload above the limit with the terminal error of AWS; `what` names it in the sentence. */
export function withinLimit(json: string, what: string): string {
  // A UTF-16 unit takes at most three bytes: short texts, nearly all, need no counting.
  if (json.length * 3 > payloadLimit && Buffer.byteLength(json) > payloadLimit) {
    throw new StateFailure('States.DataLimitExceeded', `${what} is longer than ${payloadLimit} bytes`);
  }
  return json;
}
