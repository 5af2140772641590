import type { Ladder } from '#shared/domain/ladder.ts';
import { LADDER_RUNGS } from '#shared/domain/ladder.ts';
import type { Rung } from '#shared/domain/rung.ts';

/** Names of things outside that the definition points at; CDK tokens in the stack, plain strings in tests. */
export interface LadderSurroundings {
  readonly partition: string;
  readonly tableName: string;
  /** The alias, so that a running incident meets one release of the function and not half of two. */
  readonly escalationArn: string;
}

/** Amazon States Language in the JSONata dialect. */
export type Definition = {
  readonly Comment: string;
  readonly QueryLanguage: 'JSONata';
  readonly StartAt: string;
  readonly States: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
};

/** `accept` → `Accept`. */
const stateOf = (rung: Rung): string => rung.charAt(0).toUpperCase() + rung.slice(1);

const JITTER = { BackoffRate: 2, JitterStrategy: 'FULL' };

/**
 * The table was busy, not unwilling. A transaction of ours on the same row (`TransactionConflict`) is the everyday case.
 * Names as the service reports them; those not yet seen on real AWS are listed in infra/README.md.
 */
const TABLE_BUSY = {
  ErrorEquals: [
    'DynamoDb.TransactionConflictException',
    'DynamoDb.ThrottlingException',
    'DynamoDb.ProvisionedThroughputExceededException',
    'DynamoDb.RequestLimitExceededException',
    'DynamoDb.InternalServerErrorException',
    'DynamoDb.DynamoDbException',
  ],
  IntervalSeconds: 1,
  MaxDelaySeconds: 2,
  MaxAttempts: 8,
  ...JITTER,
};

/** Hours of patience: an incident must outlive an outage. The alarms of the function call people long before. */
const PATIENCE = {
  ErrorEquals: ['States.ALL'],
  IntervalSeconds: 1,
  MaxDelaySeconds: 60,
  MaxAttempts: 300,
  ...JITTER,
};

/**
 * The rungs that an incident of the district walks, in order, over all its kinds and modes; a rung that an incident does
 * not owe lets it through. `reinforce` is not among them: it is due while `arrive` is still owed, so that whoever walked
 * on from it would leave the arrival unwatched. It stands aside and hands back to escalate.
 */
export const walkOf = (ladders: readonly Ladder[]): Rung[] =>
  LADDER_RUNGS.filter(
    (rung) => rung !== 'reinforce' && ladders.some((ladder) => ladder.some((r) => r.rung === rung)),
  );

/**
 * The escalation workflow of a district, one state per rung, so that the picture in the console is the ladder.
 * Each rung parks its token on the incident's row, under the condition that the rung is still owed in this round; the
 * table decides, the workflow only waits. Source: rules.md §3.
 */
export const ladderDefinition = (
  { ladders, triage }: { readonly ladders: readonly Ladder[]; readonly triage: boolean },
  around: LadderSurroundings,
): Definition => {
  // An incident that is clear begins at the rung its row names, and pays no transition for the triage that it does not owe.
  const walk: Rung[] = [...(triage ? ['triage' as const] : []), ...walkOf(ladders)];
  const first = walk[0];
  if (!first) throw new Error('a district without a rung has nothing to wait for');
  const integration = (name: string) => `arn:${around.partition}:states:::${name}`;
  const row = {
    TableName: around.tableName,
    Key: { pk: { S: "{% 'INC#' & $incidentId %}" }, sk: { S: 'INCIDENT' } },
  };

  /**
   * @param next where the rung leads when it is done, or not owed
   * @param returns the rung is an aside: escalate says where the incident goes on
   */
  const parking = (rung: Rung, next: string, returns = false) => {
    const leave = (cause: string, by = 'Escalate') => ({ Assign: { rung, cause }, Next: by });
    return {
      Type: 'Task',
      Resource: integration('aws-sdk:dynamodb:updateItem.waitForTaskToken'),
      Arguments: {
        ...row,
        UpdateExpression: 'SET wakeToken = :token, wakeRung = :rung',
        ConditionExpression: 'attribute_exists(pk) AND #round = :round AND contains(owed, :rung)',
        ExpressionAttributeNames: { '#round': 'round' },
        ExpressionAttributeValues: {
          ':token': { S: '{% $states.context.Task.Token %}' },
          ':rung': { S: rung },
          ':round': { N: '{% $string($turn) %}' },
        },
      },
      // Whole seconds, never early: a deadline that is past, or unknown, waits one second.
      TimeoutSeconds: `{% $max([1, $ceil(($lookup($due, '${rung}') - $millis()) / 1000)]) %}`,
      Retry: [TABLE_BUSY],
      Catch: [
        // First, because States.ALL would swallow it. Missed: somebody must be called.
        { ErrorEquals: ['States.Timeout'], ...leave('timeout') },
        // Not owed any more, or another round: the row has moved on, and so do we.
        {
          ErrorEquals: ['DynamoDb.ConditionalCheckFailedException'],
          ...(returns ? leave('done') : { Next: next }),
        },
        // A clock was moved (pause, resume, reassign, mode): take the new deadlines from the row.
        { ErrorEquals: ['Xiaonao.Rearm'], ...leave('rearm') },
        { ErrorEquals: ['States.ALL'], ...leave('error', 'Breathe') },
      ],
      Assign: {
        // A move may hand over deadlines that it changed (revisit counts from close).
        due: '{% $exists($states.result.due) ? $merge([$due, $states.result.due]) : $due %}',
        ...(returns && { rung, cause: 'done' }),
      },
      Output: {},
      Next: returns ? 'Escalate' : next,
    };
  };

  const line = walk.map((rung, i) => {
    const next = walk[i + 1];
    return [stateOf(rung), parking(rung, next ? stateOf(next) : 'Finished')] as const;
  });
  return {
    Comment:
      'Every promised deadline of one incident, one rung after another. The table decides; this only waits.',
    QueryLanguage: 'JSONata',
    StartAt: 'Load',
    States: {
      Load: {
        Type: 'Task',
        Comment:
          'Deadlines from the row: the input carries ids only, so that a start can be repeated byte for byte',
        Resource: integration('aws-sdk:dynamodb:getItem'),
        Arguments: {
          ...row,
          Key: { pk: { S: "{% 'INC#' & $states.input.incidentId %}" }, sk: { S: 'INCIDENT' } },
          ConsistentRead: true,
          ProjectionExpression: '#round, due, rung',
          ExpressionAttributeNames: { '#round': 'round' },
        },
        Retry: [PATIENCE],
        Assign: {
          incidentId: '{% $states.input.incidentId %}',
          // Not `round`: that is a function of JSONata.
          turn: '{% $states.input.round %}',
          due: '{% $merge($append([{}], $each($states.result.Item.due.M, function($at, $rung) { {$rung: $number($at.N)} }))) %}',
          // Another round has begun, or the row is gone: nothing to watch here. No rung named: from the top, finished
          // rungs let us through.
          next: `{% $number($states.result.Item.round.N) = $states.input.round ? ($exists($states.result.Item.rung.S) ? $states.result.Item.rung.S : '${first}') : 'finished' %}`,
        },
        Output: {},
        Next: 'Route',
      },
      Route: {
        Type: 'Choice',
        Choices: [
          ...[...walk, 'reinforce' as const, 'handback' as const].map((rung) => ({
            Condition: `{% $next = '${rung}' %}`,
            Next: stateOf(rung),
          })),
          { Condition: "{% $next = 'finished' %}", Next: 'Finished' },
        ],
        Default: 'Lost',
      },
      ...Object.fromEntries(line),
      Reinforce: parking('reinforce', 'Escalate', true),
      Handback: parking('handback', 'Finished'),
      Breathe: {
        Type: 'Wait',
        Comment:
          'An error that nobody knows and that stays would otherwise turn escalate and its rung in a fast circle',
        Seconds: 2,
        Next: 'Escalate',
      },
      Escalate: {
        Type: 'Task',
        Comment: 'Calls the next person, or only reads the new deadlines; answers where to wait now',
        Resource: integration('lambda:invoke'),
        Arguments: {
          FunctionName: around.escalationArn,
          Payload: {
            version: 1,
            incidentId: '{% $incidentId %}',
            round: '{% $turn %}',
            rung: '{% $rung %}',
            cause: '{% $cause %}',
          },
        },
        TimeoutSeconds: 30,
        Retry: [PATIENCE],
        Assign: {
          next: '{% $states.result.Payload.next %}',
          due: '{% $exists($states.result.Payload.due) ? $merge([$due, $states.result.Payload.due]) : $due %}',
        },
        Output: {},
        Next: 'Route',
      },
      Lost: {
        Type: 'Fail',
        Comment: 'Fails aloud: the alarm calls a person, and reconcile starts the next round',
        Error: 'Xiaonao.UnknownRung',
        Cause: "{% 'no state waits at the rung ' & $string($next) %}",
      },
      Finished: { Type: 'Succeed' },
    },
  };
};
