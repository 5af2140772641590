import { createRequire } from 'node:module';
import { join } from 'node:path';
import jsonata from 'jsonata';
import { afterAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { ladderDefinition } from '../../infra/constructs/ladder-definition.ts';
import type { Ladder } from '#shared/domain/ladder.ts';
import { loadDistrict } from '#shared/districts/load.ts';
import { at, definitionOf, list, stubAssets, synthesize, temporary, textOf } from './template.ts';
import type { Value } from './template.ts';

const folder = temporary();
afterAll(folder.remove);
const { stacks } = synthesize({
  outdir: join(folder.path, 'out'),
  assets: stubAssets(join(folder.path, 'assets')),
  checks: false,
});

const statesOf = (definition: Record<string, Value>): [string, Value][] =>
  Object.entries(z.record(z.string(), z.json()).parse(definition['States']));

const isParking = (state: Value): boolean => textOf(at(state, 'Resource')).endsWith('.waitForTaskToken');

/** The rungs in the order in which an incident that is always on time walks them. */
const pictureOf = (definition: Record<string, Value>, first = 'Accept'): string[] => {
  const states = Object.fromEntries(statesOf(definition));
  const picture: string[] = [];
  for (let name = first; name !== 'Finished'; name = textOf(at(states[name], 'Next'))) picture.push(name);
  return picture;
};

/** Evaluates one `{% … %}` of the definition as Step Functions would, at a given time. */
const evaluate = async (expression: Value | undefined, variables: object, now = 0): Promise<unknown> => {
  const inner = /^\{% (.*) %\}$/s.exec(textOf(expression))?.[1];
  if (inner === undefined) throw new Error(`not an expression: ${textOf(expression)}`);
  const compiled = jsonata(inner);
  compiled.registerFunction('millis', () => now);
  return compiled.evaluate(undefined, { ...variables });
};

const rung = (name: Ladder[number]['rung']) => ({ rung: name, limit: 60, basis: 'default' as const });

describe('the picture of the ladder', () => {
  it('is the district', () => {
    expect(
      Object.fromEntries(stacks.map((s) => [s.district, pictureOf(definitionOf(s)).join(' → ')])),
    ).toEqual({
      xiaohe: 'Accept → Arrive → Feedback → Close → Revisit',
      donghu: 'Accept → Depart → Contact → Arrive → Feedback → Close → Revisit',
      xinjie: 'Accept → Arrive → Feedback → Close → Revisit',
      linjiang: 'Accept → Contact → Arrive → Feedback → Close → Revisit',
    });
  });

  it('begins with the desk for what is not clear, where the district gives it seconds', () => {
    for (const stack of stacks)
      expect(pictureOf(definitionOf(stack), 'Triage').slice(0, 2)).toEqual(['Triage', 'Accept']);
    const around = { partition: 'aws', tableName: 't', escalationArn: 'f' };
    const { States } = ladderDefinition({ ladders: [[rung('accept')]], triage: false }, around);
    expect(Object.keys(States)).not.toContain('Triage');
  });

  it('costs at most ten transitions for an incident that breaks no promise', () => {
    // Load, Route, the rungs, Finished.
    for (const stack of stacks) expect(pictureOf(definitionOf(stack)).length + 3).toBeLessThanOrEqual(10);
  });

  it('shows the rungs of every kind and mode of a district', () => {
    const definition = ladderDefinition(
      {
        ladders: [
          [rung('accept'), rung('revisit')],
          [rung('accept'), rung('contact'), rung('revisit')],
        ],
        triage: false,
      },
      { partition: 'aws', tableName: 't', escalationArn: 'f' },
    );
    expect(pictureOf(z.record(z.string(), z.json()).parse(definition))).toEqual([
      'Accept',
      'Contact',
      'Revisit',
    ]);
  });
});

describe.each(stacks.map((stack) => ({ district: stack.district, definition: definitionOf(stack) })))(
  'the workflow of $district',
  ({ definition }) => {
    const states = statesOf(definition);
    const state = Object.fromEntries(states);

    it('passes asl-validator', () => {
      // The package has no typings.
      const validate = z
        .custom<(d: unknown, o: object) => unknown>((f) => typeof f === 'function')
        .parse(createRequire(import.meta.url)('asl-validator'));
      // It wants a real ARN where the template has a reference, and knows no partition but the first.
      const text = JSON.stringify(definition).replaceAll('arn:AWS::Partition:', 'arn:aws:');
      expect(validate(JSON.parse(text), { checkArn: false })).toMatchObject({ isValid: true, errors: [] });
    });

    it('waits at a deadline, with the four ways out in their order, and retries a busy table', () => {
      const parking = states.filter(([, s]) => isParking(s));
      expect(parking.map(([name]) => name)).toEqual(
        expect.arrayContaining(['Accept', 'Reinforce', 'Revisit', 'Handback']),
      );
      for (const [name, s] of parking) {
        expect(textOf(at(s, 'TimeoutSeconds'))).toMatch(/^\{% \$max\(\[1, \$ceil\(/);
        const next = at(s, 'Next') ?? null;
        expect(list(at(s, 'Catch')).map((way) => [textOf(at(way, 'ErrorEquals')), at(way, 'Next')])).toEqual([
          ['["States.Timeout"]', 'Escalate'],
          ['["DynamoDb.ConditionalCheckFailedException"]', next],
          ['["Xiaonao.Rearm"]', 'Escalate'],
          ['["States.ALL"]', 'Breathe'],
        ]);
        const [retry, ...more] = list(at(s, 'Retry'));
        expect(more).toEqual([]);
        expect(list(at(retry, 'ErrorEquals'))).toEqual(
          expect.arrayContaining([
            'DynamoDb.TransactionConflictException',
            'DynamoDb.InternalServerErrorException',
          ]),
        );
        expect(retry).toMatchObject({ IntervalSeconds: 1, MaxDelaySeconds: 2, JitterStrategy: 'FULL' });
        // A retried error must not be one that the row's own condition speaks with.
        expect(textOf(at(retry, 'ErrorEquals'))).not.toMatch(/Conditional|States\.|Xiaonao/);
        expect(s).toMatchObject({
          Arguments: {
            ConditionExpression: 'attribute_exists(pk) AND #round = :round AND contains(owed, :rung)',
            ExpressionAttributeValues: { ':rung': { S: name.toLowerCase() } },
          },
        });
      }
    });

    it('ends the ladder, comes back from reinforcement, and takes a breath after an error nobody knows', () => {
      const next = (name: string) => at(state[name], 'Next');
      expect(['Revisit', 'Handback', 'Reinforce', 'Breathe'].map(next)).toEqual([
        'Finished',
        'Finished',
        'Escalate',
        'Escalate',
      ]);
      expect(state['Breathe']).toMatchObject({ Type: 'Wait', Seconds: 2 });
    });

    it('finds a state for every rung that the table can name', async () => {
      const choices = list(at(state['Route'], 'Choices'));
      for (const [name] of states.filter(([, s]) => isParking(s))) {
        const taken = [];
        for (const choice of choices)
          if (await evaluate(at(choice, 'Condition'), { next: name.toLowerCase() }))
            taken.push(at(choice, 'Next'));
        expect(taken).toEqual([name]);
      }
      expect(at(state['Route'], 'Default')).toBe('Lost');
    });

    it('keeps trying when escalate or the table is away, for hours', () => {
      for (const name of ['Load', 'Escalate'])
        expect(list(at(state[name], 'Retry'))).toMatchObject([
          { ErrorEquals: ['States.ALL'], MaxDelaySeconds: 60, MaxAttempts: 300 },
        ]);
    });
  },
);

describe('the expressions', () => {
  const [stack] = stacks;
  if (!stack) throw new Error('no stack');
  const state = Object.fromEntries(statesOf(definitionOf(stack)));
  const load = (row: object | undefined, round = 2) => {
    const states = { input: { incidentId: 'i', round }, result: row === undefined ? {} : { Item: row } };
    const assign = (name: string) => evaluate(at(state['Load'], 'Assign', name), { states });
    return Promise.all([assign('next'), assign('due')]);
  };
  const row = {
    round: { N: '2' },
    rung: { S: 'arrive' },
    due: { M: { arrive: { N: '180000' }, close: { N: '9' } } },
  };

  const timeout = at(state['Accept'], 'TimeoutSeconds');
  const wait = (due: object, now: number) => evaluate(timeout, { due }, now);

  it('read the deadlines and the rung from the row', async () => {
    expect(await load(row)).toEqual(['arrive', { arrive: 180_000, close: 9 }]);
    expect(await load({ ...row, due: { M: { accept: { N: '60000' } } } })).toEqual([
      'arrive',
      { accept: 60_000 },
    ]);
  });

  it('begin at the top where the row names no rung, and end where there is nothing to watch', async () => {
    expect(await load({ round: { N: '2' }, due: { M: {} } })).toEqual(['triage', {}]);
    expect(await load({ round: { N: '2' } })).toEqual(['triage', {}]);
    expect((await load({ ...row, round: { N: '3' } }))[0]).toBe('finished');
    expect(await load(undefined)).toEqual(['finished', {}]);
  });

  it('wait whole seconds, never early, at least one', async () => {
    expect(await wait({ accept: 60_000 }, 0)).toBe(60);
    expect(await wait({ accept: 60_000 }, 1)).toBe(60);
    expect(await wait({ accept: 60_000 }, 999)).toBe(60);
    expect(await wait({ accept: 60_000 }, 1_000)).toBe(59);
    expect(await wait({ accept: 60_000 }, 60_000)).toBe(1);
    expect(await wait({ accept: 60_000 }, 90_000)).toBe(1);
    expect(await wait({}, 0)).toBe(1);
  });

  it('take over only the deadlines that a move or escalate hands over', async () => {
    const due = { close: 5, revisit: 9 };
    const wake = (result: unknown) =>
      evaluate(at(state['Close'], 'Assign', 'due'), { due, states: { result } });
    expect(await wake({ due: { revisit: 20 } })).toEqual({ close: 5, revisit: 20 });
    expect(await wake({})).toEqual(due);
    const escalated = (Payload: object) =>
      evaluate(at(state['Escalate'], 'Assign', 'due'), { due, states: { result: { Payload } } });
    expect(await escalated({ next: 'close', due: { close: 7 } })).toEqual({ close: 7, revisit: 9 });
    expect(await escalated({ next: 'finished' })).toEqual(due);
  });

  it('name every rung that any district promises', () => {
    for (const { district } of stacks) {
      const { ladders } = loadDistrict(district);
      const promised = Object.values(ladders).flatMap(({ peace, war }) => [...peace, ...(war ?? [])]);
      const [own] = stacks
        .filter((s) => s.district === district)
        .map((s) => Object.fromEntries(statesOf(definitionOf(s))));
      const missing = promised.filter(({ rung }) => !own?.[rung.charAt(0).toUpperCase() + rung.slice(1)]);
      expect(missing).toEqual([]);
    }
  });
});
