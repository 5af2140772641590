/** Starts executions as fast as it can and tells its parent each acknowledged name, until it is killed. */
import { StatesEngine } from '../../infra/local/states/engine.ts';
import { manualTimer } from '../../infra/local/states/timer.ts';

const [file = '', start = ''] = process.argv.slice(2);
const stateMachineArn = 'arn:aws:states:eu-west-1:000000000000:stateMachine:sample';
const engine = new StatesEngine({
  file,
  now: () => Number(start),
  timer: manualTimer,
  integrations: { 'aws-sdk:dynamodb:updateItem': () => Promise.resolve({}) },
});
await engine.createStateMachine({
  arn: stateMachineArn,
  name: 'sample',
  definition: {
    QueryLanguage: 'JSONata',
    StartAt: 'Accept',
    States: {
      Accept: {
        Type: 'Task',
        Resource: 'arn:aws:states:::aws-sdk:dynamodb:updateItem.waitForTaskToken',
        Arguments: { token: '{% $states.context.Task.Token %}' },
        TimeoutSeconds: 60,
        Catch: [{ ErrorEquals: ['States.Timeout'], Next: 'Done' }],
        Next: 'Done',
      },
      Done: { Type: 'Succeed' },
    },
  },
});
for (let n = 0; ; n += 10) {
  const names = Array.from({ length: 10 }, (_, index) => `i-${n + index}`);
  await Promise.all(
    names.map(async (name) => {
      await engine.startExecution({ stateMachineArn, name });
      process.send?.(name);
    }),
  );
}
