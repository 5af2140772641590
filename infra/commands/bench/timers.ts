// How late the interpreter's time-outs are: thousands of waits for a token, each against the instant it was due.
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { DatabaseSync } from 'node:sqlite';
import * as z from 'zod';
import { createClock } from '../../local/clock.ts';
import { StatesEngine } from '../../local/states/engine.ts';
import { spreadOf, type Spread } from './figures.ts';

/** How late so many deadlines were met, ms. `early`: how many came before their time, which must be none. */
export interface TimersResult {
  late: Spread;
  early: number;
  /** Starts of executions per second while they were all started. */
  startsPerSecond: number;
}

const MACHINE = 'arn:aws:states:us-east-1:000000000000:stateMachine:bench';
/** Deadlines begin so many seconds after the first start, when all have been started. */
const LEAD_SECONDS = 5;
const DEFINITION = {
  QueryLanguage: 'JSONata',
  StartAt: 'Accept',
  States: {
    // As the district's own rungs: parked by an update of the row, whole seconds, the time-out caught.
    Accept: {
      Type: 'Task',
      Resource: 'arn:aws:states:::aws-sdk:dynamodb:updateItem.waitForTaskToken',
      Arguments: { token: '{% $states.context.Task.Token %}' },
      TimeoutSeconds: '{% $states.input.seconds %}',
      Catch: [
        {
          ErrorEquals: ['States.Timeout'],
          Assign: { name: '{% $states.context.Execution.Name %}' },
          Next: 'Escalate',
        },
      ],
      Next: 'Done',
    },
    Escalate: {
      Type: 'Task',
      Resource: 'arn:aws:states:::lambda:invoke',
      Arguments: { FunctionName: 'bench', Payload: { name: '{% $name %}' } },
      Next: 'Done',
    },
    Done: { Type: 'Succeed' },
  },
};

const deadlineSchema = z.object({ name: z.string(), deadline: z.number() });
const payloadSchema = z.object({ Payload: z.object({ name: z.string() }) });

/** Spreads so many deadlines over so many seconds, on a file in `directory`. */
export const measureTimers = async (
  directory: string,
  count: number,
  seconds: number,
): Promise<TimersResult> => {
  const clock = createClock();
  const firedAt = new Map<string, number>();
  const file = join(directory, 'timers.db');
  const engine = new StatesEngine({
    file,
    now: clock.now,
    timer: { schedule: (instant, wake) => clock.at(instant, wake) },
    integrations: {
      'aws-sdk:dynamodb:updateItem': () => Promise.resolve({}),
      'lambda:invoke': (args) => {
        firedAt.set(payloadSchema.parse(args).Payload.name, Date.now());
        return Promise.resolve({ Payload: null, StatusCode: 200 });
      },
    },
  });
  await engine.createStateMachine({ arn: MACHINE, name: 'bench', definition: DEFINITION });

  const began = performance.now();
  for (let i = 0; i < count; i += 50)
    await Promise.all(
      Array.from({ length: Math.min(50, count - i) }, (_, n) =>
        engine.startExecution({
          stateMachineArn: MACHINE,
          name: `t-${i + n}`,
          input: JSON.stringify({ seconds: LEAD_SECONDS + ((i + n) % seconds) }),
        }),
      ),
    );
  const startsPerSecond = count / ((performance.now() - began) / 1000);
  await engine.idle();
  const record = new DatabaseSync(file, { readOnly: true });
  const deadlines = record
    .prepare("SELECT name, deadline FROM executions WHERE status = 'RUNNING' AND deadline IS NOT NULL")
    .all()
    .map((row) => deadlineSchema.parse(row));
  record.close();
  if (deadlines.length !== count)
    throw new Error(
      `${deadlines.length} of ${count} executions wait; the machine is too slow for this bench.`,
    );
  const limit = performance.now() + (LEAD_SECONDS + seconds + 30) * 1000;
  while (firedAt.size < count && performance.now() < limit) await pause(100);
  engine.stop();
  clock.stop();
  const late = deadlines.flatMap(({ name, deadline }) => {
    const at = firedAt.get(name);
    return at === undefined ? [] : [at - deadline];
  });
  if (late.length !== count) throw new Error(`${count - late.length} of ${count} deadlines were never met.`);
  return { late: spreadOf(late), early: late.filter((n) => n < 0).length, startsPerSecond };
};

if (import.meta.main) {
  const [directory = '', count = '', seconds = ''] = process.argv.slice(2);
  console.log(JSON.stringify(await measureTimers(directory, Number(count), Number(seconds))));
}
