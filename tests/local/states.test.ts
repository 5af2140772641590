import { DynamoDBServiceException } from '@aws-sdk/client-dynamodb';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  SendTaskFailureCommand,
  SendTaskHeartbeatCommand,
  SendTaskSuccessCommand,
  SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import * as fc from '../properties.ts';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { StatesEngine, type Integration } from '../../infra/local/states/engine.ts';
import { compile, evaluate, type Scope } from '../../infra/local/states/expression.ts';
import { IntegrationError } from '../../infra/local/states/failure.ts';
import { statesHandler } from '../../infra/local/states/http.ts';
import { dynamodbFailure, lambdaIntegration } from '../../infra/local/states/integration.ts';
import { manualTimer, systemTimer } from '../../infra/local/states/timer.ts';

const machineArn = 'arn:aws:states:eu-west-1:000000000000:stateMachine:sample';
const start = Date.parse('2026-03-02T08:00:00.000Z');

const lambda = 'arn:aws:states:::lambda:invoke';
const park = 'arn:aws-cn:states:::aws-sdk:dynamodb:updateItem.waitForTaskToken';

function refuse(problem: string): never {
  throw new Error(problem);
}

/** What an opened test world has to put away. */
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

interface World {
  engine: StatesEngine;
  clock: { at: number };
  /** Calls made so far, oldest first. */
  calls: { key: string; args: unknown; token?: string }[];
  tokens: () => string[];
  /** Moves the frozen clock from due instant to due instant, letting everything settle in between. */
  jump: (to: number) => Promise<void>;
  run: (definition: object, input?: unknown) => Promise<Outcome>;
}

interface Outcome {
  arn: string;
  status: string;
  output: unknown;
  error: string | undefined;
  cause: string | undefined;
  types: string[];
}

function open(
  answers: Record<string, Integration> = {},
  {
    file = ':memory:',
    at = start,
    random = () => 0.5,
    log = () => {},
    keys = ['lambda:invoke', 'aws-sdk:dynamodb:updateItem'],
  }: {
    file?: string;
    at?: number;
    random?: () => number;
    log?: (line: string) => void;
    keys?: readonly string[];
  } = {},
): World {
  const clock = { at };
  const calls: World['calls'] = [];
  const noted = (key: string, answer: Integration | undefined): Integration => {
    return async (args, context) => {
      calls.push({ key, args, ...(context.token === undefined ? {} : { token: context.token }) });
      return answer?.(args, context);
    };
  };
  const engine = new StatesEngine({
    file,
    now: () => clock.at,
    timer: manualTimer,
    random,
    log,
    integrations: Object.fromEntries(keys.map((key) => [key, noted(key, answers[key])])),
  });
  cleanups.push(() => engine.stop());
  engine.resume();
  const jump = async (to: number): Promise<void> => {
    await engine.idle();
    for (let due = engine.nextDue(); due !== undefined && due <= to; due = engine.nextDue()) {
      clock.at = Math.max(clock.at, due);
      engine.tick();
      await engine.idle();
    }
    clock.at = to;
  };
  const run = async (definition: object, input: unknown = {}): Promise<Outcome> => {
    await engine.createStateMachine({ arn: machineArn, name: 'sample', definition });
    const { executionArn } = await engine.startExecution({
      stateMachineArn: machineArn,
      input: JSON.stringify(input),
    });
    await engine.idle();
    return outcome(engine, executionArn);
  };
  return { engine, clock, calls, tokens: () => calls.flatMap((call) => call.token ?? []), jump, run };
}

function outcome(engine: StatesEngine, arn: string): Outcome {
  const { status, output, error, cause } = engine.describeExecution({ executionArn: arn });
  return {
    arn,
    status,
    output: output === undefined ? undefined : JSON.parse(output),
    error,
    cause,
    types: engine.getExecutionHistory({ executionArn: arn }).events.map((event) => event.type),
  };
}

function arnOf(name: string): string {
  return `${machineArn.replace(':stateMachine:', ':execution:')}:${name}`;
}

/** A machine of one state, or of several that start at the first. */
function machine(states: Record<string, object>, more: object = {}): object {
  return { QueryLanguage: 'JSONata', StartAt: Object.keys(states)[0], States: states, ...more };
}

const done = { Type: 'Succeed' };
const token = '{% $states.context.Task.Token %}';

describe('data flow', () => {
  const table: { what: string; definition: object; input?: unknown; output: unknown }[] = [
    {
      what: 'Pass hands its input on',
      definition: machine({ A: { Type: 'Pass', End: true } }),
      input: { a: [1, null, 'x'] },
      output: { a: [1, null, 'x'] },
    },
    {
      what: 'Assign and Output are evaluated with the old variables',
      definition: machine({
        A: { Type: 'Pass', Assign: { n: 1, list: [] }, Next: 'B' },
        B: { Type: 'Pass', Assign: { n: '{% $n + 1 %}', m: '{% $n %}' }, Output: '{% $n %}', Next: 'C' },
        C: {
          Type: 'Succeed',
          Output: { n: '{% $n %}', m: '{% $m %}', b: '{% $states.input %}', list: '{% $list %}' },
        },
      }),
      output: { n: 2, m: 1, b: 1, list: [] },
    },
    {
      what: 'a task passes on its result, unless Output says otherwise',
      definition: machine({
        A: { Type: 'Task', Resource: lambda, Arguments: { FunctionName: 'f', Payload: { x: 1 } }, Next: 'B' },
        B: {
          Type: 'Task',
          Resource: lambda,
          Arguments: '{% {"FunctionName": "g", "Payload": $states.input.Payload} %}',
          Output: {
            got: '{% $states.result.Payload.echo.echo.x + 1 %}',
            code: '{% $states.result.StatusCode %}',
          },
          End: true,
        },
      }),
      output: { got: 2, code: 200 },
    },
    {
      what: 'the first rule that holds is taken, with its own Assign and Output',
      definition: machine({
        A: {
          Type: 'Choice',
          Choices: [
            { Condition: '{% $states.input.n > 5 %}', Next: 'B' },
            {
              Condition: '{% $states.input.n > 2 %}',
              Assign: { way: 'second' },
              Output: 'chosen',
              Next: 'B',
            },
            { Condition: '{% $states.input.n > 1 %}', Next: 'B' },
          ],
          Default: 'B',
        },
        B: { Type: 'Succeed', Output: '{% $way & " " & $states.input %}' },
      }),
      input: { n: 3 },
      output: 'second chosen',
    },
    {
      what: 'Default uses the Assign of the state',
      definition: machine({
        A: {
          Type: 'Choice',
          Choices: [{ Condition: '{% false %}', Next: 'B' }],
          Default: 'B',
          Assign: { way: 'default' },
        },
        B: { Type: 'Succeed', Output: '{% $way %}' },
      }),
      output: 'default',
    },
    {
      what: 'the context tells execution, state and machine, on the clock of the engine',
      definition: machine({
        A: {
          Type: 'Succeed',
          Output: {
            id: '{% $states.context.Execution.Id ~> $contains(":execution:sample:") %}',
            input: '{% $states.context.Execution.Input.n %}',
            begun: '{% $states.context.Execution.StartTime %}',
            state: '{% $states.context.State %}',
            machine: '{% $states.context.StateMachine %}',
            millis: '{% $millis() %}',
            now: '{% $now() %}',
            day: "{% $now('[Y]/[M01]/[D01]') %}",
          },
        },
      }),
      input: { n: 7 },
      output: {
        id: true,
        input: 7,
        begun: '2026-03-02T08:00:00.000Z',
        state: { Name: 'A', EnteredTime: '2026-03-02T08:00:00.000Z', RetryCount: 0 },
        machine: { Id: machineArn, Name: 'sample' },
        millis: start,
        now: '2026-03-02T08:00:00.000Z',
        day: '2026/03/02',
      },
    },
    {
      what: 'the functions that Step Functions adds to JSONata',
      definition: machine({
        A: {
          Type: 'Succeed',
          Output: {
            parse: '{% $parse(\'{"a":[1]}\') %}',
            hash: "{% $hash('a', 'SHA-1') %}",
            range: '{% $range(1, 10, 4) %}',
            partition: '{% $partition([1, 2, 3], 2) %}',
            uuid: '{% $length($uuid()) %}',
          },
        },
      }),
      output: {
        parse: { a: [1] },
        hash: '86f7e437faa5a7fce15d1ddcb9eaeaea377667b8',
        range: [1, 5, 9],
        partition: [[1, 2], [3]],
        uuid: 36,
      },
    },
  ];
  test.each(table)('$what', async ({ definition, input, output }) => {
    const world = open(
      lambdaIntegration((_name, payload) => Promise.resolve({ payload: { echo: payload } })),
    );
    const result = await world.run(definition, input);
    expect(result).toMatchObject({ status: 'SUCCEEDED', output });
  });

  test('plain paths, which take a shortcut, mean what JSONata means by them', async () => {
    const names = fc.constantFrom('a', 'b', 'c');
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(names, fc.jsonValue({ maxDepth: 3 })),
        fc.array(names, { minLength: 1, maxLength: 4 }),
        async (variables, path) => {
          const scope: Scope = { states: { input: {}, context: {} }, variables, at: start };
          // Parentheses keep the second one from the shortcut.
          const [quick, slow] = await Promise.all(
            [`$${path.join('.')}`, `($${path.join('.')})`].map(async (source) => {
              const template = compile(`{% ${source} %}`, {}, refuse);
              return Promise.resolve(evaluate(template, scope)).then(
                (value) => JSON.stringify(value),
                () => 'failed',
              );
            }),
          );
          expect(quick).toBe(slow);
        },
      ),
      { numRuns: 300 },
    );
  });
});

/** A rung as the real workflow has it: parks its token, waits until a deadline, climbs when nobody came. */
const rung = machine({
  Accept: {
    Type: 'Task',
    Resource: park,
    Arguments: { Key: { pk: { S: 'x' } }, ExpressionAttributeValues: { ':token': { S: token } } },
    TimeoutSeconds: '{% $max([1, $ceil(($states.input.due - $millis()) / 1000)]) %}',
    Retry: [
      {
        ErrorEquals: ['DynamoDb.TransactionConflictException'],
        IntervalSeconds: 2,
        MaxAttempts: 2,
        BackoffRate: 1.5,
      },
    ],
    Catch: [
      { ErrorEquals: ['States.Timeout'], Assign: { why: 'timeout' }, Next: 'Climb' },
      { ErrorEquals: ['DynamoDb.ConditionalCheckFailedException'], Next: 'Done' },
      { ErrorEquals: ['Xiaonao.Rearm'], Assign: { why: '{% $states.errorOutput.Cause %}' }, Next: 'Climb' },
      { ErrorEquals: ['States.ALL'], Assign: { why: '{% $states.errorOutput.Error %}' }, Next: 'Climb' },
    ],
    Output: '{% $states.result.by %}',
    Next: 'Done',
  },
  Climb: { Type: 'Succeed', Output: '{% $why %}' },
  Done: { Type: 'Succeed', Output: { finished: '{% $states.input %}' } },
});

/** How sending with a token went: accepted, or the name of the refusal. */
async function attempt(send: () => Promise<void>): Promise<string> {
  try {
    await send();
    return 'accepted';
  } catch (thrown) {
    return thrown instanceof Error ? thrown.name : String(thrown);
  }
}

describe('callback tasks', () => {
  test('a token sent in time finishes the task, and the history tells it with the words of AWS', async () => {
    const world = open();
    const { arn, status, types } = await world.run(rung, { due: start + 60_000 });
    expect({ status, due: world.engine.nextDue() }).toEqual({ status: 'RUNNING', due: start + 60_000 });
    expect(world.calls[0]?.args).toEqual({
      Key: { pk: { S: 'x' } },
      ExpressionAttributeValues: { ':token': { S: world.tokens()[0] } },
    });
    expect(types).toEqual([
      'ExecutionStarted',
      'TaskStateEntered',
      'TaskScheduled',
      'TaskStarted',
      'TaskSubmitted',
    ]);
    await world.jump(start + 59_999);
    await world.engine.sendTaskSuccess({ taskToken: world.tokens()[0] ?? '', output: '{"by":"m1"}' });
    await world.engine.idle();
    const after = outcome(world.engine, arn);
    expect(after).toMatchObject({ status: 'SUCCEEDED', output: { finished: 'm1' } });
    expect(after.types.slice(5)).toEqual([
      'TaskSucceeded',
      'TaskStateExited',
      'SucceedStateEntered',
      'SucceedStateExited',
      'ExecutionSucceeded',
    ]);
    expect(world.engine.nextDue()).toBeUndefined();
    expect(world.engine.transitions(arn)).toBe(2);
  });

  test('the time-out fires at its instant, not before, and closes the token', async () => {
    const world = open();
    const { arn } = await world.run(rung, { due: start + 60_000 });
    await world.jump(start + 59_999);
    expect(outcome(world.engine, arn).status).toBe('RUNNING');
    await world.jump(start + 60_000);
    expect(outcome(world.engine, arn)).toMatchObject({ status: 'SUCCEEDED', output: 'timeout' });
    const late = world.engine.sendTaskSuccess({ taskToken: world.tokens()[0] ?? '', output: '{}' });
    await expect(late).rejects.toMatchObject({ name: 'TaskTimedOut' });
  });

  test('a token that comes at or after the deadline is late even when the timer has not fired yet', async () => {
    const world = open();
    const { arn } = await world.run(rung, { due: start + 60_000 });
    world.clock.at = start + 60_000;
    const late = world.engine.sendTaskSuccess({ taskToken: world.tokens()[0] ?? '', output: '{}' });
    await expect(late).rejects.toMatchObject({ name: 'TaskTimedOut' });
    await world.engine.idle();
    expect(outcome(world.engine, arn).output).toBe('timeout');
  });

  test('a time-out of years neither overflows the Node timer nor is forgotten', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    cleanups.push(() => vi.useRealTimers());
    const clock = { at: start };
    const engine = new StatesEngine({
      file: ':memory:',
      now: () => clock.at,
      timer: systemTimer(() => clock.at),
      integrations: { 'aws-sdk:dynamodb:updateItem': () => Promise.resolve({}) },
    });
    cleanups.push(() => engine.stop());
    await engine.createStateMachine({ arn: machineArn, name: 'sample', definition: rung });
    const due = start + 99_999_999_000;
    const { executionArn } = await engine.startExecution({
      stateMachineArn: machineArn,
      input: JSON.stringify({ due }),
    });
    await engine.idle();
    for (const at of [start + 60_000, due - 1]) {
      clock.at = at;
      vi.advanceTimersByTime(60_000);
      await engine.idle();
      expect(engine.describeExecution({ executionArn }).status).toBe('RUNNING');
    }
    clock.at = due;
    vi.advanceTimersByTime(60_000);
    await engine.idle();
    expect(outcome(engine, executionArn)).toMatchObject({ status: 'SUCCEEDED', output: 'timeout' });
  });

  test('an answer may come before the call that carries the token has returned', async () => {
    const gate = Promise.withResolvers<object>();
    const world = open({ 'aws-sdk:dynamodb:updateItem': () => gate.promise });
    await world.engine.createStateMachine({ arn: machineArn, name: 'sample', definition: rung });
    const { executionArn } = await world.engine.startExecution({
      stateMachineArn: machineArn,
      input: JSON.stringify({ due: start + 60_000 }),
    });
    while (world.calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(world.engine.inFlight).toBe(1);
    await world.engine.sendTaskSuccess({ taskToken: world.tokens()[0] ?? '', output: '{"by":"m1"}' });
    await world.engine.idle();
    expect(outcome(world.engine, executionArn)).toMatchObject({
      status: 'SUCCEEDED',
      output: { finished: 'm1' },
    });
    gate.resolve({});
    await new Promise((resolve) => setImmediate(resolve));
    expect(
      outcome(world.engine, executionArn).types.filter((type) => type === 'ExecutionSucceeded'),
    ).toHaveLength(1);
  });

  test.each([
    [
      'DynamoDb.ConditionalCheckFailedException',
      { finished: { Error: 'DynamoDb.ConditionalCheckFailedException', Cause: 'no' } },
    ],
    ['Xiaonao.Rearm', 'no'],
    ['States.Timeout', 'timeout'],
    ['DynamoDb.DynamoDbException', 'DynamoDb.DynamoDbException'],
  ])('an injected %s goes the way its Catch says', async (error, output) => {
    const world = open();
    world.engine.injectFault({ state: 'Accept', error, cause: 'no', count: 1 });
    expect(await world.run(rung, { due: start + 60_000 })).toMatchObject({ status: 'SUCCEEDED', output });
    expect(world.calls).toEqual([]);
    expect((await world.run(rung, { due: start + 60_000 })).status).toBe('RUNNING');
  });

  test('a failure sent with the token is an error like any other', async () => {
    const world = open();
    const { arn } = await world.run(rung, { due: start + 60_000 });
    await world.engine.sendTaskFailure({
      taskToken: world.tokens()[0] ?? '',
      error: 'Xiaonao.Rearm',
      cause: 'paused',
    });
    await world.engine.idle();
    expect(outcome(world.engine, arn).output).toBe('paused');
  });

  test('a retry waits its delay, gets a new token and a time-out of its own, and is billed', async () => {
    const world = open();
    world.engine.injectFault({
      resource: 'aws-sdk:dynamodb:updateItem',
      error: 'DynamoDb.TransactionConflictException',
      count: 2,
    });
    const { arn } = await world.run(rung, { due: start + 60_000 });
    expect(world.engine.nextDue()).toBe(start + 2_000);
    await world.jump(start + 2_000);
    expect(world.engine.nextDue()).toBe(start + 5_000);
    await world.jump(start + 5_000);
    expect(world.engine.nextDue()).toBe(start + 60_000);
    expect(world.engine.transitions(arn)).toBe(3);
    world.engine.injectFault({ error: 'DynamoDb.TransactionConflictException', count: 9 });
    const exhausted = await world.run(rung, { due: start + 90_000 });
    await world.jump(start + 11_000);
    expect(outcome(world.engine, exhausted.arn).output).toBe('DynamoDb.TransactionConflictException');
  });

  test('a heartbeat that stops ends the task, one that comes moves the end', async () => {
    const world = open();
    const { arn } = await world.run(
      machine({
        A: {
          Type: 'Task',
          Resource: park,
          Arguments: { t: token },
          HeartbeatSeconds: 10,
          TimeoutSeconds: 100,
          Catch: [
            { ErrorEquals: ['States.TaskFailed'], Next: 'Wrong' },
            { ErrorEquals: ['States.Timeout'], Next: 'B' },
          ],
          Next: 'Wrong',
        },
        Wrong: { Type: 'Fail' },
        B: { Type: 'Succeed', Output: '{% $states.input.Error %}' },
      }),
    );
    await world.jump(start + 9_000);
    await world.engine.sendTaskHeartbeat({ taskToken: world.tokens()[0] ?? '' });
    await world.jump(start + 18_999);
    expect(outcome(world.engine, arn).status).toBe('RUNNING');
    await world.jump(start + 19_000);
    expect(outcome(world.engine, arn).output).toBe('States.HeartbeatTimeout');
  });

  test('tokens that were never given out are told apart', async () => {
    const { engine } = open();
    const send = (taskToken: string) => engine.sendTaskHeartbeat({ taskToken });
    await expect(send('nonsense')).rejects.toMatchObject({ name: 'InvalidToken' });
    await expect(send(`xnt1.1.1.${'A'.repeat(43)}`)).rejects.toMatchObject({ name: 'TaskDoesNotExist' });
  });

  test('whatever the race of token, stop and time-out, exactly one outcome comes of it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.array(
          fc.record({
            at: fc.integer({ min: 0, max: 6_000 }),
            what: fc.constantFrom('success', 'failure', 'stop', 'restart'),
          }),
          {
            maxLength: 4,
          },
        ),
        async (seconds, moves) => {
          const directory = mkdtempSync(path.join(tmpdir(), 'states-'));
          const file = path.join(directory, 'states.sqlite');
          let world = open({}, { file });
          const { arn } = await world.run(rung, { due: start + seconds * 1_000 });
          const taskToken = world.tokens()[0] ?? '';
          let expected: string = 'timeout';
          const answers: [string, string][] = [];
          for (const { at, what } of moves.toSorted((a, b) => a.at - b.at)) {
            await world.jump(start + at);
            if (what === 'restart') {
              world.engine.stop();
              world = open({}, { file, at: start + at });
              await world.engine.idle();
            } else if (what === 'stop') {
              const before = outcome(world.engine, arn).status;
              await world.engine.stopExecution({ executionArn: arn });
              if (before === 'RUNNING') expected = 'stop';
            } else {
              const sent = await attempt(() =>
                what === 'success'
                  ? world.engine.sendTaskSuccess({ taskToken, output: '{"by":"success"}' })
                  : world.engine.sendTaskFailure({ taskToken, error: 'Sample', cause: '' }),
              );
              // Before the deadline the first one wins; from the deadline on nobody does.
              const open = expected === 'timeout' && at < seconds * 1_000;
              answers.push([sent, open ? 'accepted' : 'TaskTimedOut']);
              if (open) expected = what;
            }
          }
          await world.jump(start + 10_000);
          expect(answers.map(([sent]) => sent)).toEqual(answers.map(([, wanted]) => wanted));
          const { status, output, types } = outcome(world.engine, arn);
          const told = {
            timeout: 'timeout',
            success: { finished: 'success' },
            failure: 'Sample',
            stop: undefined,
          }[expected];
          expect({ status, output }).toEqual({
            status: expected === 'stop' ? 'ABORTED' : 'SUCCEEDED',
            output: told,
          });
          expect(
            types.filter((type) => /^Task(Succeeded|Failed|TimedOut)$|^ExecutionAborted$/.test(type)),
          ).toHaveLength(1);
          expect(types.filter((type) => type === 'ExecutionSucceeded').length).toBe(
            expected === 'stop' ? 0 : 1,
          );
          world.engine.stop();
          rmSync(directory, { recursive: true });
        },
      ),
      { numRuns: 40 },
    );
  });
});

/** State "A": a function call. */
function call(more: object): Record<string, object> {
  return { A: { Type: 'Task', Resource: lambda, Arguments: { FunctionName: 'f' }, End: true, ...more } };
}

function refusal(name: string): Error {
  return new DynamoDBServiceException({
    name,
    message: 'x',
    $fault: 'client',
    $metadata: { httpStatusCode: 400 },
  });
}

describe('failures', () => {
  const catchAll = [{ ErrorEquals: ['States.ALL'], Next: 'B' }];

  const table: { what: string; definition: object; status?: string; error?: string; output?: unknown }[] = [
    {
      what: 'Fail tells error and cause',
      definition: machine({ A: { Type: 'Fail', Error: 'Sample', Cause: '{% "c" %}' } }),
      status: 'FAILED',
      error: 'Sample',
    },
    {
      what: 'no rule and no Default',
      definition: machine({
        A: { Type: 'Choice', Choices: [{ Condition: '{% false %}', Next: 'B' }] },
        B: done,
      }),
      status: 'FAILED',
      error: 'States.NoChoiceMatched',
    },
    {
      what: 'a Condition that is no boolean',
      definition: machine({ A: { Type: 'Choice', Choices: [{ Condition: '{% 1 %}', Next: 'B' }] }, B: done }),
      status: 'FAILED',
      error: 'States.QueryEvaluationError',
    },
    {
      what: 'an expression that yields nothing',
      definition: machine({ A: { Type: 'Succeed', Output: { a: '{% $states.input.none %}' } } }),
      status: 'FAILED',
      error: 'States.QueryEvaluationError',
    },
    {
      what: 'an expression that yields a function',
      definition: machine({ A: { Type: 'Succeed', Output: '{% $sum %}' } }),
      status: 'FAILED',
      error: 'States.QueryEvaluationError',
    },
    ...['0', '-1', '1.5', '"5"', '1e9', 'null'].map((seconds) => ({
      what: `a time-out of ${seconds} seconds`,
      definition: machine({
        ...call({ TimeoutSeconds: `{% ${seconds} %}`, Catch: catchAll }),
        B: { Type: 'Succeed', Output: '{% $states.input.Error %}' },
      }),
      output: 'States.QueryEvaluationError',
    })),
    {
      what: 'a failing Output of a Task can be caught',
      definition: machine({
        ...call({ Output: '{% $error("x") %}', Catch: catchAll }),
        B: { Type: 'Succeed', Output: 'caught' },
      }),
      output: 'caught',
    },
    {
      what: 'a result above 256 KiB, which States.ALL does not catch',
      definition: machine({ ...call({ Arguments: { FunctionName: 'big' }, Catch: catchAll }), B: done }),
      status: 'FAILED',
      error: 'States.DataLimitExceeded',
    },
    {
      what: 'a defect of an integration, which may be caught',
      definition: machine({
        ...call({ Arguments: { FunctionName: 'broken' }, Catch: catchAll }),
        B: { Type: 'Succeed', Output: '{% $states.input.Error %}' },
      }),
      output: 'States.TaskFailed',
    },
    {
      what: "a function's own error",
      definition: machine(call({ Arguments: { FunctionName: 'throws' } })),
      status: 'FAILED',
      error: 'SampleError',
    },
    {
      what: 'a failing Assign of a Catch',
      definition: machine({
        ...call({
          Arguments: { FunctionName: 'throws' },
          Catch: [{ ErrorEquals: ['States.ALL'], Assign: { a: '{% $none %}' }, Next: 'B' }],
        }),
        B: done,
      }),
      status: 'FAILED',
      error: 'States.QueryEvaluationError',
    },
  ];
  test.each(table)('$what', async ({ definition, status = 'SUCCEEDED', error, output }) => {
    const world = open(
      lambdaIntegration((name) => {
        if (name === 'broken') throw new TypeError('sample defect');
        if (name === 'throws')
          return Promise.resolve({ payload: null, functionError: { errorType: 'SampleError' } });
        return Promise.resolve({ payload: name === 'big' ? 'x'.repeat(262_144) : 1 });
      }),
    );
    const result = await world.run(definition);
    expect({ status: result.status, error: result.error, output: result.output }).toEqual({
      status,
      error,
      output,
    });
  });

  test('a call that outlasts its time-out is caught, and its late answer dropped', async () => {
    const gate = Promise.withResolvers<unknown>();
    const world = open({ 'lambda:invoke': () => gate.promise });
    await world.engine.createStateMachine({
      arn: machineArn,
      name: 'sample',
      definition: machine({
        ...call({ TimeoutSeconds: 3, Catch: [{ ErrorEquals: ['States.Timeout'], Next: 'B' }] }),
        B: { Type: 'Wait', Seconds: 5, End: true },
      }),
    });
    const { executionArn } = await world.engine.startExecution({ stateMachineArn: machineArn });
    while (world.calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
    world.clock.at = start + 3_000;
    world.engine.tick();
    await world.engine.idle();
    gate.resolve({ Payload: 'late' });
    await world.jump(start + 8_000);
    expect(outcome(world.engine, executionArn)).toMatchObject({
      status: 'SUCCEEDED',
      output: { Error: 'States.Timeout', Cause: '' },
    });
  });

  test('jitter and the greatest delay shape the retries', async () => {
    const world = open({}, { random: () => 0.25 });
    world.engine.injectFault({ error: 'Sample', count: 3 });
    const retry = {
      ErrorEquals: ['States.TaskFailed'],
      IntervalSeconds: 4,
      BackoffRate: 3,
      MaxDelaySeconds: 10,
      JitterStrategy: 'FULL',
    };
    await world.run(machine(call({ Retry: [retry] })));
    const instants: number[] = [];
    for (let due = world.engine.nextDue(); due !== undefined; due = world.engine.nextDue()) {
      instants.push(due - start);
      await world.jump(due);
    }
    // 4 s, then 12 capped to 10, then 36 capped to 10; a quarter of each.
    expect(instants).toEqual([1_000, 3_500, 6_000]);
  });

  test('waits end on their instant and the machine has a time-out of its own', async () => {
    const world = open();
    const { arn } = await world.run(
      machine(
        {
          A: { Type: 'Wait', Timestamp: '{% $fromMillis($millis() + 30000) %}', Next: 'B' },
          B: { Type: 'Wait', Seconds: 40, End: true },
        },
        { TimeoutSeconds: 69 },
      ),
    );
    await world.jump(start + 30_000);
    expect(outcome(world.engine, arn).types.at(-1)).toBe('WaitStateEntered');
    await world.jump(start + 70_000);
    expect(outcome(world.engine, arn)).toMatchObject({ status: 'TIMED_OUT', error: 'States.Timeout' });
    expect(world.engine.nextDue()).toBeUndefined();
  });

  test('an endless loop ends where AWS ends it', async () => {
    const world = open();
    const result = await world.run(
      machine({
        A: { Type: 'Pass', Next: 'B' },
        B: { Type: 'Choice', Choices: [{ Condition: '{% true %}', Next: 'A' }], Default: 'C' },
        C: done,
      }),
    );
    expect(result).toMatchObject({ status: 'FAILED', error: 'States.Runtime' });
    expect(result.types.length).toBeLessThanOrEqual(25_005);
  });

  test.each([
    [refusal('ConditionalCheckFailedException'), 'DynamoDb.ConditionalCheckFailedException'],
    [refusal('InternalServerError'), 'DynamoDb.InternalServerErrorException'],
    [refusal('RequestLimitExceeded'), 'DynamoDb.RequestLimitExceededException'],
    [refusal('ThrottlingException'), 'DynamoDb.ThrottlingException'],
    [refusal('ValidationException'), 'DynamoDb.DynamoDbException'],
    [new Error('connect ECONNREFUSED'), 'DynamoDb.SdkClientException'],
  ])('DynamoDB: %s', (thrown, error) => {
    expect(dynamodbFailure(thrown)).toMatchObject({ constructor: IntegrationError, error });
  });
});

describe('refusals', () => {
  const pass = { Type: 'Pass', End: true };
  const task = { Type: 'Task', Resource: lambda, Arguments: { FunctionName: 'f' }, End: true };
  const table: [string, object, RegExp][] = [
    ['JSONPath by default', { StartAt: 'A', States: { A: pass } }, /State "A".*"QueryLanguage".*JSONPath/],
    [
      'a JSONPath field',
      machine({ A: { ...task, ResultPath: '$.x' } }),
      /State "A".*"ResultPath": is not implemented for a Task state/,
    ],
    [
      'a JSONPath key',
      machine({ A: { ...task, Arguments: { 'x.$': '$.y' } } }),
      /State "A".*"Arguments".*JSONPath/,
    ],
    [
      'Parallel',
      machine({ A: { Type: 'Parallel', Branches: [], End: true } }),
      /State "A".*"Type": "Parallel" is not implemented \(known: .*Task/,
    ],
    ['Map', machine({ A: { Type: 'Map', End: true } }), /State "A".*"Type": "Map" is not implemented/],
    [
      'an activity',
      machine({ A: { ...task, Resource: 'arn:aws:states:eu-west-1:0:activity:x' } }),
      /"Resource": "arn:aws:states:eu-west-1:0:activity:x" is not implemented/,
    ],
    [
      'a bare function ARN',
      machine({ A: { ...task, Resource: 'arn:aws:lambda:eu-west-1:0:function:f' } }),
      /"Resource".*is not implemented; a function is called through .*lambda:invoke/,
    ],
    [
      'an unknown integration',
      machine({ A: { ...task, Resource: 'arn:aws:states:::sqs:sendMessage' } }),
      /"Resource": the integration "sqs:sendMessage" is not implemented here/,
    ],
    [
      'an unknown pattern',
      machine({ A: { ...task, Resource: 'arn:aws:states:::lambda:invoke.sync' } }),
      /"Resource": the pattern "\.sync" is not implemented, only \.waitForTaskToken/,
    ],
    [
      'Credentials',
      machine({ A: { ...task, Credentials: {} } }),
      /"Credentials": is not implemented for a Task/,
    ],
    [
      'a machine field',
      machine({ A: pass }, { ProcessorConfig: {} }),
      /machine.*"ProcessorConfig" is not implemented/,
    ],
    ['a time-out of zero', machine({ A: { ...task, TimeoutSeconds: 0 } }), /"TimeoutSeconds"/],
    [
      'a heartbeat above the time-out',
      machine({ A: { ...task, TimeoutSeconds: 5, HeartbeatSeconds: 5 } }),
      /"HeartbeatSeconds"/,
    ],
    ['a Next that is no state', machine({ A: { Type: 'Pass', Next: 'Z' } }), /"Next".*"Z"/],
    ['Next and End', machine({ A: { ...pass, Next: 'A' } }), /"Next"/],
    [
      'States.ALL in company',
      machine({ A: { ...task, Retry: [{ ErrorEquals: ['States.ALL', 'X'] }] } }),
      /Retry\[0\].*alone/,
    ],
    [
      'States.ALL before others',
      machine({
        A: {
          ...task,
          Catch: [
            { ErrorEquals: ['States.ALL'], Next: 'B' },
            { ErrorEquals: ['X'], Next: 'B' },
          ],
        },
        B: pass,
      }),
      /Catch\[0\]/,
    ],
    [
      'a Catch with ResultPath',
      machine({ A: { ...task, Catch: [{ ErrorEquals: ['X'], Next: 'A', ResultPath: '$' }] } }),
      /"Catch\[0\]\.ResultPath": is not implemented in JSONata/,
    ],
    [
      'a rule in JSONPath',
      machine({ A: { Type: 'Choice', Choices: [{ Variable: '$.x', IsNull: true, Next: 'A' }] } }),
      /"Choices\[0\]\.Variable": is not implemented in JSONata/,
    ],
    ['bad JSONata', machine({ A: { ...pass, Output: '{% $( %}' } }), /"Output".*not JSONata/],
    ['an expression left open', machine({ A: { ...pass, Output: '{% 1' } }), /"Output".*does not end/],
    ['a bare name', machine({ A: { ...pass, Output: '{% input.x %}' } }), /bare name "input"/],
    ['the document', machine({ A: { ...pass, Output: '{% $.x %}' } }), /"Output".*\$/],
    ['$eval', machine({ A: { ...pass, Output: "{% $eval('1') %}" } }), /\$eval/],
    [
      'a result where there is none',
      machine({ A: { ...task, Arguments: { x: '{% $states.result.a %}' } } }),
      /\$states.result/,
    ],
    [
      'an error where there is none',
      machine({ A: { ...task, Output: '{% $states.errorOutput %}' } }),
      /errorOutput/,
    ],
    ['Assign of "states"', machine({ A: { ...pass, Assign: { states: 1 } } }), /"Assign.states"/],
    ['an unreachable state', machine({ A: pass, B: pass }), /asl-validator/],
  ];
  test.each(table)('%s', async (_what, definition, sentence) => {
    const { engine } = open();
    const create = () => engine.createStateMachine({ arn: machineArn, name: 'sample', definition });
    await expect(create()).rejects.toMatchObject({ name: 'InvalidDefinition' });
    await expect(create()).rejects.toThrow(sentence);
  });

  test('an integration that has gone since a definition was accepted fails the state that needs it, with its name', async () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'states-'));
    cleanups.push(() => rmSync(directory, { recursive: true }));
    const file = path.join(directory, 'states.db');
    const before = open({}, { file });
    const definition = machine({ A: { Type: 'Wait', Seconds: 10, Next: 'B' }, B: task });
    await before.engine.createStateMachine({ arn: machineArn, name: 'sample', definition });
    const { executionArn } = await before.engine.startExecution({ stateMachineArn: machineArn });
    await before.engine.idle();
    before.engine.stop();
    const after = open({}, { file, keys: [] });
    await after.jump(start + 11_000);
    expect(outcome(after.engine, executionArn)).toMatchObject({
      status: 'FAILED',
      error: 'States.Runtime',
      cause: 'The integration "lambda:invoke" is not implemented here',
    });
  });

  test('names inside predicates, steps and functions are not mistaken for bare ones', async () => {
    const world = open();
    const output = "{% $sum($states.input.rows[kind = 'a'].($n := n; $n + $.m)) ~> $string() %}";
    const input = {
      rows: [
        { kind: 'a', n: 1, m: 10 },
        { kind: 'b', n: 2, m: 20 },
        { kind: 'a', n: 3, m: 30 },
      ],
    };
    expect((await world.run(machine({ A: { Type: 'Succeed', Output: output } }), input)).output).toBe('44');
  });
});

function waitThenTell(n: number): object {
  return machine({ A: { Type: 'Wait', Seconds: 10, Next: 'B' }, B: { Type: 'Succeed', Output: n } });
}

describe('names and pages', () => {
  test('a name is idempotent while it runs, taken for 90 days after, then free', async () => {
    const world = open();
    const wait = machine({ A: { Type: 'Wait', Seconds: 10, End: true } });
    await world.engine.createStateMachine({ arn: machineArn, name: 'sample', definition: wait });
    const begin = (input: string) =>
      world.engine.startExecution({ stateMachineArn: machineArn, name: 'i-1', input });
    const first = await begin('{"a":1}');
    world.clock.at += 1_000;
    expect(await begin('{"a":1}')).toEqual(first);
    await expect(begin('{"a": 1}')).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
    await world.jump(start + 20_000);
    await expect(begin('{"a":1}')).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
    world.clock.at = start + 91 * 86_400_000;
    expect((await begin('{"a":1}')).startDate).toBe(world.clock.at);
    await expect(
      world.engine.startExecution({ stateMachineArn: machineArn, name: 'no spaces' }),
    ).rejects.toMatchObject({
      name: 'InvalidName',
    });
  });

  test('an execution keeps the definition it was started with', async () => {
    const world = open();
    const old = await world.run(waitThenTell(1));
    const young = await world.run(waitThenTell(2));
    await world.jump(start + 10_000);
    expect([outcome(world.engine, old.arn).output, outcome(world.engine, young.arn).output]).toEqual([1, 2]);
  });
});

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string')
    throw new Error('The server does not listen on a port');
  return address.port;
}

describe('the HTTP face', () => {
  test('answers the official client', async () => {
    const world = open();
    await world.engine.createStateMachine({ arn: machineArn, name: 'sample', definition: rung });
    const server = createServer(statesHandler(world.engine)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = new SFNClient({
      endpoint: `http://127.0.0.1:${portOf(server)}`,
      region: 'eu-west-1',
      credentials: { accessKeyId: 'sample', secretAccessKey: 'sample' },
      maxAttempts: 1,
    });
    cleanups.push(
      () => server.close(),
      () => client.destroy(),
    );
    const input = JSON.stringify({ due: start + 60_000 });
    const begin = (name: string) =>
      client.send(new StartExecutionCommand({ stateMachineArn: machineArn, name, input }));
    const { executionArn, startDate } = await begin('i-1');
    expect({ executionArn, startDate }).toEqual({
      executionArn: 'arn:aws:states:eu-west-1:000000000000:execution:sample:i-1',
      startDate: new Date(start),
    });
    await begin('i-2');
    await world.engine.idle();
    const [first = '', second = ''] = world.tokens();
    await client.send(new SendTaskHeartbeatCommand({ taskToken: first }));
    await client.send(new SendTaskSuccessCommand({ taskToken: first, output: '{"by":"m1"}' }));
    await client.send(new SendTaskFailureCommand({ taskToken: second, error: 'Xiaonao.Rearm', cause: 'r' }));
    await world.engine.idle();
    expect(await client.send(new DescribeExecutionCommand({ executionArn }))).toMatchObject({
      status: 'SUCCEEDED',
      input,
      output: '{"finished":"m1"}',
      stopDate: new Date(start),
    });
    await begin('i-3');
    const third = arnOf('i-3');
    await client.send(new StopExecutionCommand({ executionArn: third, error: 'Sample', cause: 'c' }));
    const { executions, nextToken } = await client.send(
      new ListExecutionsCommand({ stateMachineArn: machineArn, maxResults: 2 }),
    );
    expect([executions?.map(({ name, status }) => [name, status]), nextToken]).toEqual([
      [
        ['i-3', 'ABORTED'],
        ['i-2', 'SUCCEEDED'],
      ],
      '2',
    ]);
    const { events } = await client.send(
      new GetExecutionHistoryCommand({ executionArn, reverseOrder: true }),
    );
    expect(events?.[0]).toMatchObject({
      type: 'ExecutionSucceeded',
      id: 10,
      previousEventId: 9,
      timestamp: new Date(start),
      executionSucceededEventDetails: { output: '{"finished":"m1"}' },
    });
    const refusals: [Promise<unknown>, string][] = [
      [begin('i-1'), 'ExecutionAlreadyExists'],
      [client.send(new SendTaskSuccessCommand({ taskToken: first, output: '{}' })), 'TaskTimedOut'],
      [client.send(new SendTaskSuccessCommand({ taskToken: 'x', output: '{}' })), 'InvalidToken'],
      [client.send(new DescribeExecutionCommand({ executionArn: `${third}9` })), 'ExecutionDoesNotExist'],
      [
        client.send(new StartExecutionCommand({ stateMachineArn: `${machineArn}9` })),
        'StateMachineDoesNotExist',
      ],
      [
        client.send(new StartExecutionCommand({ stateMachineArn: machineArn, input: '{' })),
        'InvalidExecutionInput',
      ],
    ];
    for (const [refused, name] of refusals) await expect(refused).rejects.toMatchObject({ name });
  });
});

describe('durability', () => {
  test('killed while starting: what was acknowledged is there and keeps its deadline and its token', async () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'states-'));
    cleanups.push(() => rmSync(directory, { recursive: true }));
    const file = path.join(directory, 'states.sqlite');
    const child = fork(path.join(import.meta.dirname, 'states-child.ts'), [file, String(start)], {
      execArgv: [],
    });
    const acknowledged: string[] = [];
    const enough = Promise.withResolvers<void>();
    child.on('message', (name: string) => {
      acknowledged.push(name);
      if (acknowledged.length === 400) {
        child.kill('SIGKILL');
        enough.resolve();
      }
    });
    const exited = once(child, 'exit');
    await enough.promise;
    expect((await exited)[1]).toBe('SIGKILL');

    const world = open({}, { file, at: start + 30_000 });
    await world.engine.idle();
    const statuses = acknowledged.map(
      (name) => world.engine.describeExecution({ executionArn: arnOf(name) }).status,
    );
    expect(new Set(statuses)).toEqual(new Set(['RUNNING']));
    // Deadlines of the old process, not of the restart: every task was entered at `start` with 60 s.
    expect(world.engine.nextDue()).toBe(start + 60_000);
    const last = world.calls.at(-1)?.token;
    if (last !== undefined) await world.engine.sendTaskSuccess({ taskToken: last, output: '{"by":"m1"}' });
    await world.jump(start + 60_000);
    const outputs = acknowledged.map((name) => outcome(world.engine, arnOf(name)));
    expect(outputs.every(({ status }) => status === 'SUCCEEDED')).toBe(true);
    const calls = outputs.flatMap(({ types }) =>
      types.filter((type) => /^Task(Succeeded|TimedOut)$/.test(type)),
    );
    expect(calls).toHaveLength(acknowledged.length);
  });

  test('a call whose answer was lost is made again with the same arguments and token', async () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'states-'));
    cleanups.push(() => rmSync(directory, { recursive: true }));
    const file = path.join(directory, 'states.sqlite');
    const before = open({ 'aws-sdk:dynamodb:updateItem': () => new Promise(() => undefined) }, { file });
    await before.engine.createStateMachine({ arn: machineArn, name: 'sample', definition: rung });
    await before.engine.startExecution({
      stateMachineArn: machineArn,
      input: JSON.stringify({ due: start + 60_000 }),
    });
    while (before.calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
    before.engine.stop();

    const after = open({}, { file, at: start + 10_000 });
    await after.engine.idle();
    expect(after.calls).toEqual(before.calls);
    expect(after.engine.nextDue()).toBe(start + 60_000);
    after.engine.stop();

    const late = open({}, { file, at: start + 61_000 });
    await late.engine.idle();
    expect(late.calls).toEqual([]);
    expect(late.engine.listExecutions({ stateMachineArn: machineArn }).executions[0]?.status).toBe(
      'SUCCEEDED',
    );
  });

  test('while the disk is full nothing is acknowledged; afterwards waits, tokens and names are as they were', async () => {
    const said: string[] = [];
    const world = open({}, { log: (line) => said.push(line) });
    const { engine, clock } = world;
    const waiting = await world.run(rung, { due: start + 60_000 });
    const parked = await world.run(rung, { due: start + 600_000 });
    const taskToken = world.tokens()[1] ?? '';
    const disk = { full: true };
    const exec = Reflect.get(DatabaseSync.prototype, 'exec');
    const spy = vi.spyOn(DatabaseSync.prototype, 'exec').mockImplementation(function (
      this: DatabaseSync,
      sql,
    ) {
      if (disk.full && sql === 'COMMIT')
        throw Object.assign(new Error('database or disk is full'), { code: 'ERR_SQLITE_ERROR', errcode: 13 });
      Reflect.apply(exec, this, [sql]);
    });
    cleanups.push(() => spy.mockRestore());

    const begin = { stateMachineArn: machineArn, name: 'refused', input: `{"due":${start + 600_000}}` };
    await expect(engine.startExecution(begin)).rejects.toMatchObject({ name: 'WriteFailed' });
    await expect(engine.sendTaskSuccess({ taskToken, output: '{}' })).rejects.toThrow('disk is full');
    clock.at = start + 60_000;
    engine.tick();
    await vi.waitUntil(() => spy.mock.calls.filter(([sql]) => sql === 'COMMIT').length >= 3);
    expect(outcome(engine, waiting.arn).status).toBe('RUNNING');

    disk.full = false;
    await engine.idle();
    expect(outcome(engine, waiting.arn)).toMatchObject({ status: 'SUCCEEDED', output: 'timeout' });
    await engine.sendTaskSuccess({ taskToken, output: '{}' });
    await engine.idle();
    expect(outcome(engine, parked.arn).status).toBe('SUCCEEDED');
    await engine.startExecution(begin);
    expect(said).toEqual([
      'The state of the workflows (:memory:) cannot be written: database or disk is full.',
      'The state of the workflows (:memory:) can be written again.',
    ]);
  });

  test('what came due while nobody was there is not called again first', async () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'states-'));
    cleanups.push(() => rmSync(directory, { recursive: true }));
    const file = path.join(directory, 'states.sqlite');
    const before = open({ 'aws-sdk:dynamodb:updateItem': () => new Promise(() => undefined) }, { file });
    await before.engine.createStateMachine({ arn: machineArn, name: 'sample', definition: rung });
    const { executionArn } = await before.engine.startExecution({
      stateMachineArn: machineArn,
      input: JSON.stringify({ due: start + 60_000 }),
    });
    while (before.calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
    before.engine.stop();

    const after = open({}, { file, at: start + 60_000 });
    await after.engine.idle();
    expect(after.calls).toEqual([]);
    expect(outcome(after.engine, executionArn).output).toBe('timeout');
  });
});
