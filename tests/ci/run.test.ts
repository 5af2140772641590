import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

const RUN = join(import.meta.dirname, '../../.ci/run');
const report = (files: { status: string; tests: string[] }[]): string => {
  const tests = files.flatMap((file) => file.tests);
  return JSON.stringify({
    numPassedTests: tests.filter((status) => status === 'passed').length,
    numFailedTests: tests.filter((status) => status === 'failed').length,
    testResults: files.map((file) => ({
      status: file.status,
      assertionResults: file.tests.map((status) => ({ status })),
    })),
  });
};

let clone: string;
beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), 'xiaonao-ci-'));
  mkdirSync(join(clone, '.ci'));
  cpSync(RUN, join(clone, '.ci/run'));
  mkdirSync(join(clone, 'bin'));
});
afterEach(() => rmSync(clone, { recursive: true }));

/** Runs the script in a clone whose npm does what is written here; `$1` is npm's first word. */
const run = (npm: string, written?: string) => {
  writeFileSync(join(clone, 'given.json'), written ?? '');
  writeFileSync(join(clone, 'bin/npm'), `#!/bin/sh\necho "$*" >> calls\n${npm}\n`);
  chmodSync(join(clone, 'bin/npm'), 0o755);
  const { status, stdout, stderr } = spawnSync(join(clone, '.ci/run'), {
    cwd: tmpdir(), // it finds its clone by itself
    encoding: 'utf8',
    env: { ...process.env, PATH: `${join(clone, 'bin')}:${process.env['PATH']}` },
  });
  const calls = readFileSync(join(clone, 'calls'), 'utf8').trimEnd().split('\n');
  return { status, last: stdout.trimEnd().split('\n').at(-1), stderr, calls };
};
const WRITE = 'mkdir -p .test-results && cp given.json .test-results/vitest.json';
const good = report([{ status: 'passed', tests: ['passed', 'passed'] }]);

it('runs the command of the README and counts its tests', () => {
  expect(run(`[ "$1" = ci ] || { ${WRITE}; }`, good)).toMatchObject({
    status: 0,
    last: '2 passed, 0 failed',
    calls: ['ci', 'test'],
  });
});

it('fails with the tests, and counts a file that could not be loaded', () => {
  const bad = report([
    { status: 'failed', tests: ['passed', 'failed'] },
    { status: 'failed', tests: [] },
  ]);
  expect(run(`[ "$1" = ci ] || { ${WRITE}; exit 1; }`, bad)).toMatchObject({
    status: 1,
    last: '1 passed, 2 failed',
  });
  // Should the runner ever claim success, its own report is believed more.
  expect(run(`[ "$1" = ci ] || { ${WRITE}; }`, bad)).toMatchObject({ status: 1, last: '1 passed, 2 failed' });
});

it('does not take an old report for a new one when the installation fails', () => {
  mkdirSync(join(clone, '.test-results'));
  writeFileSync(join(clone, '.test-results/vitest.json'), good);
  const { status, last, stderr, calls } = run('exit 7');
  expect({ status, last, calls }).toEqual({ status: 7, last: '0 passed, 1 failed', calls: ['ci'] });
  expect(stderr).toContain('There is no report of the tests');
});

it('fails when the tests pass but their process does not, or when there is nothing to count', () => {
  expect(run(`[ "$1" = ci ] || { ${WRITE}; exit 3; }`, good)).toMatchObject({
    status: 3,
    last: '2 passed, 1 failed',
  });
  expect(run(`[ "$1" = ci ] || { ${WRITE}; }`, report([]))).toMatchObject({
    status: 1,
    last: '0 passed, 1 failed',
  });
});
