import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Activity } from '../../infra/local/activity.ts';
import { createClock } from '../../infra/local/clock.ts';
import { buildWorker, LambdaHost } from '../../infra/local/lambda.ts';

test('who waits for an answer goes before a queue, alerts go before chatter, and chatter is told when there is room', async () => {
  const data = mkdtempSync(join(tmpdir(), 'xiaonao-lambda-'));
  const clock = createClock();
  const host = new LambdaHost({
    worker: await buildWorker(data),
    clock,
    activity: new Activity(),
    logs: join(data, 'logs'),
    compileCache: join(data, 'compiled'),
    log: () => {},
  });
  try {
    writeFileSync(join(data, 'index.mjs'), 'export const handler = (event) => event;');
    const arn = 'arn:aws:lambda:us-east-1:000000000000:function:Echo';
    host.add({
      name: 'Echo',
      arn,
      taskRoot: data,
      handler: 'index.handler',
      timeoutMs: 10_000,
      memoryMb: 128,
      behind: true,
      environment: {},
    });
    const order: string[] = [];
    const call = async (what: string, rank?: number): Promise<void> => {
      await host.invoke(arn, JSON.stringify(what), rank);
      order.push(what);
    };
    // Its one environment is still loading: all of them wait.
    const calls = [call('chatter', 2), call('alert', 20), call('further alert', 20), call('page')];
    const room = host.room(arn, 20).then(() => order.push('room for alerts'));
    await host.room(arn, 21);
    expect(order).toEqual([]);
    await Promise.all([...calls, room]);
    expect(order.filter((what) => !what.startsWith('room'))).toEqual([
      'page',
      'alert',
      'further alert',
      'chatter',
    ]);
    expect(order.indexOf('room for alerts')).toBeGreaterThan(order.indexOf('page'));
  } finally {
    await host.stop();
    clock.stop();
    rmSync(data, { recursive: true });
  }
});
