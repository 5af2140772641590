import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { call } from '../../infra/commands/call.ts';
import { execute, type Command } from '../../infra/commands/command.ts';
import { heads } from '../../infra/commands/heads.ts';
import { connect, connectData, connectStack } from '../../infra/commands/installation.ts';
import { readyForCommands } from '../../infra/commands/ready.ts';
import { redriveCommand } from '../../infra/commands/redrive.ts';
import { roster } from '../../infra/commands/roster.ts';
import { secret } from '../../infra/commands/secret.ts';
import { token } from '../../infra/commands/token.ts';
import { verifyTrail } from '../../infra/commands/verify-trail.ts';

const refs = {
  ReportsQueue0A1B2C3D: 'http://127.0.0.1:1/q/reports',
  ReportsDead0A1B2C3D: 'http://127.0.0.1:1/q/reports-dead',
  LinksQueue0A1B2C3D: 'http://127.0.0.1:1/q/links',
  LinksDead0A1B2C3D: 'http://127.0.0.1:1/q/links-dead',
  AlertsQueue0A1B2C3D: 'http://127.0.0.1:1/q/alerts',
  AlertsDead0A1B2C3D: 'http://127.0.0.1:1/q/alerts-dead',
  ChatterQueue0A1B2C3D: 'http://127.0.0.1:1/q/chatter',
  ChatterDead0A1B2C3D: 'http://127.0.0.1:1/q/chatter-dead',
  SweepsQueue0A1B2C3D: 'http://127.0.0.1:1/q/sweeps',
  SweepsDead0A1B2C3D: 'http://127.0.0.1:1/q/sweeps-dead',
  Secret0A1B2C3D: 'arn:of:the:secret',
  WorkflowMachine0A1B2C3D: 'arn:of:the:machine',
  WorkflowMachineRole0A1B2C3D: 'a role',
};

const listen = async (server: Server): Promise<string> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://127.0.0.1:${address.port}`;
};

describe('a local run', () => {
  let data: string;
  beforeEach(() => {
    data = mkdtempSync(join(tmpdir(), 'xiaonao-data-'));
  });
  afterEach(() => rmSync(data, { recursive: true }));

  const ready = (url: string): void =>
    writeFileSync(
      join(data, 'ready.json'),
      JSON.stringify({
        url,
        phonesUrl: url,
        district: 'xiaohe',
        ...readyForCommands({
          endpoints: { dynamodb: url, sqs: url, sfn: url, secretsmanager: url },
          table: { name: 'sample-table' },
          refs,
        }),
      }),
    );

  it('is found by its ready.json, with its own time', async () => {
    const server = createServer((request, response) => {
      response.end(request.url === '/api/health' ? '{"now":"2031-01-01T00:00:00.000Z"}' : '');
    });
    try {
      ready(await listen(server));
      const installation = await connect({ data });
      expect(installation).toMatchObject({
        district: 'xiaohe',
        queues: { alerts: { work: refs.AlertsQueue0A1B2C3D, dead: refs.AlertsDead0A1B2C3D } },
      });
      expect(await installation.now()).toEqual(new Date('2031-01-01T00:00:00.000Z'));
      installation.close();
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it('that was never started is answered with how to start one', async () => {
    await expect(connectData(join(data, 'none'))).rejects.toThrow(
      /^No district runs in .*none\. Start one with 'npm start', or name a deployed one with --stack/,
    );
  });

  it('that was killed is not taken for a running one', async () => {
    const server = createServer();
    const url = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    ready(url);
    await expect(connectData(data)).rejects.toThrow(/has stopped\. Start one with 'npm start'/);
  });

  it('of another version is named as such', async () => {
    writeFileSync(join(data, 'ready.json'), '{"url":"http://127.0.0.1:1"}');
    await expect(connectData(data)).rejects.toThrow(/was written by another version/);
  });
});

describe('a deployed stack', () => {
  const outputs: Record<string, string> = {
    Url: 'https://sample.execute-api.cn-north-1.amazonaws.com.cn',
    TableName: 'the table',
    SecretArn: 'the secret',
    ...Object.fromEntries(
      ['Reports', 'Links', 'Alerts', 'Chatter', 'Sweeps'].flatMap((name) => [
        [`${name}QueueUrl`, `the queue ${name}`],
        [`${name}DeadLetterQueueUrl`, `the dead ${name}`],
      ]),
    ),
  };
  const stack = (has: Record<string, string>) => {
    const cloudFormation = new CloudFormationClient({ region: 'cn-north-1' });
    mockClient(cloudFormation)
      .on(DescribeStacksCommand, { StackName: 'Xiaonao-sample' })
      .resolves({
        Stacks: [
          {
            StackName: 'Xiaonao-sample',
            CreationTime: new Date(0),
            StackStatus: 'UPDATE_COMPLETE',
            Tags: [{ Key: 'district', Value: 'sample' }],
            Outputs: Object.entries(has).map(([OutputKey, OutputValue]) => ({ OutputKey, OutputValue })),
          },
        ],
      })
      .on(DescribeStacksCommand, { StackName: 'Xiaonao-none' })
      .rejects(
        Object.assign(new Error('Stack with id Xiaonao-none does not exist'), { name: 'ValidationError' }),
      );
    return { cloudFormation };
  };

  it('is found by its outputs and its tag', async () => {
    const installation = await connectStack('Xiaonao-sample', stack(outputs));
    expect(installation).toMatchObject({
      name: 'Xiaonao-sample',
      district: 'sample',
      queues: {
        reports: { work: 'the queue Reports', dead: 'the dead Reports' },
        links: { work: 'the queue Links', dead: 'the dead Links' },
        sweeps: { work: 'the queue Sweeps', dead: 'the dead Sweeps' },
      },
    });
    installation.close();
  });

  it('that is missing, or not ours, is answered with a sentence', async () => {
    await expect(connectStack('Xiaonao-none', stack(outputs))).rejects.toThrow(
      /^There is no stack Xiaonao-none in this account and region\. Deploy it/,
    );
    await expect(
      connectStack('Xiaonao-sample', stack({ TableName: 'the table of somebody else' })),
    ).rejects.toThrow(/is not a stack of Xiaonao/);
  });
});

describe('every command', () => {
  const never = async (): Promise<never> => {
    throw new Error('a command line that cannot be followed must not reach for a district');
  };
  const run = async (command: Command, ...args: string[]) => {
    const said = { out: [] as string[], err: [] as string[] };
    const terminal = {
      out: (line: string) => void said.out.push(line),
      err: (line: string) => void said.err.push(line),
      confirm: async () => undefined,
    };
    return { code: await execute(command, args, terminal, never), ...said };
  };

  it.each([call, verifyTrail, roster, token, secret, redriveCommand, heads].map((command) => ({ command })))(
    '$command.name has help, and refuses options that it does not know',
    async ({ command }) => {
      const help = await run(command, '--help');
      expect({ code: help.code, err: help.err }).toEqual({ code: 0, err: [] });
      expect(help.out.join('\n')).toContain(`npm run ${command.name} -- ${command.usage[0]}`);
      for (const args of [['--nonsense'], ['--stack'], ['--data=']]) {
        const { code, err } = await run(command, ...args);
        expect({ args, code }).toEqual({ args, code: 2 });
        expect(err[0]).not.toMatch(/Error|undefined/);
      }
    },
  );

  it('is reached through npm, exit code and all', async () => {
    const cwd = join(import.meta.dirname, '../..');
    const { code, stderr } = await new Promise<{ code: unknown; stderr: string }>((resolve) => {
      execFile('npm', ['run', '--silent', 'redrive', '--', 'letters'], { cwd }, (error, _, stderr) =>
        resolve({ code: error?.code, stderr }),
      );
    });
    expect(code).toBe(2);
    expect(stderr).toContain("Which queue? One of reports, links, alerts, chatter, sweeps, not 'letters'.");
  });
});

it('takes only one of --stack and --data', async () => {
  await expect(connect({ stack: 'Xiaonao-sample', data: '.xiaonao' })).rejects.toThrow(/give only one/);
});
