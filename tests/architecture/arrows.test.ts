import { readFileSync, globSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, relative, sep } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');

/** Who lives where; the first match counts, so that the exception stands before the rule. */
const ROOMS = [
  ['domain', /^shared\/domain\//],
  ['contracts', /^shared\/contracts\//],
  ['ports', /^shared\/ports\//],
  ['adapters', /^shared\/adapters\//],
  ['lambda', /^shared\/lambda\//],
  ['web', /^shared\/web\//],
  ['districts', /^shared\/districts\//],
  ['handlers', /^functions\/[^/]+\/handler\.ts$/],
  ['envs', /^functions\/[^/]+\/env\.ts$/],
  ['verbs', /^functions\/[^/]+\//],
  // What a construct has to know about its office lies beside the stack, but belongs to the constructs.
  ['constructs', /^infra\/(constructs\/|office\.ts$)/],
  ['commands', /^infra\/commands\//],
  ['front', /^infra\/local\/(main|demo)\.ts$/],
  ['engines', /^infra\/local\//],
  ['stack', /^infra\/[^/]+\.ts$/],
] as const;
type Room = (typeof ROOMS)[number][0];

const SHARED: Room[] = ['domain', 'contracts', 'ports', 'adapters', 'lambda', 'web', 'districts'];

/** The arrows of the design: a room may import itself and what stands here. `npm`: packages it may use; absent: any. */
const ARROWS: Record<Room, { rooms: Room[]; npm?: RegExp; node?: RegExp }> = {
  domain: { rooms: [], npm: /^zod$/, node: /^$/ },
  contracts: { rooms: ['domain'], npm: /^zod$/, node: /^$/ },
  ports: { rooms: ['domain', 'contracts'], npm: /^zod$/, node: /^$/ },
  adapters: { rooms: ['ports', 'contracts', 'domain'], npm: /^(?!aws-cdk|constructs|@middy)/ },
  lambda: { rooms: ['domain', 'ports', 'contracts'], npm: /^(@middy\/core|zod|aws-lambda)$/ },
  web: { rooms: ['domain', 'contracts'], npm: /^zod$/ },
  districts: { rooms: ['domain'], npm: /^zod$/ },
  handlers: {
    rooms: ['verbs', 'envs', 'adapters', 'districts', 'lambda', 'domain', 'ports', 'contracts', 'web'],
    // Wiring makes the clients that the adapters are given.
    npm: /^(zod|aws-lambda|@aws-sdk\/client-[a-z-]+)$/,
  },
  envs: { rooms: ['domain', 'ports', 'contracts'], npm: /^zod$/, node: /^$/ },
  verbs: { rooms: ['envs', 'domain', 'ports', 'contracts', 'web'], npm: /^(zod|standardwebhooks)$/ },
  constructs: { rooms: ['domain', 'districts', 'envs'], npm: /^(aws-cdk-lib|constructs|cdk-nag)(\/|$)/ },
  stack: { rooms: ['constructs', 'domain', 'districts', 'contracts', 'envs'] },
  // Knows nothing of ours: whatever it runs comes from the template.
  engines: { rooms: [], npm: /^(?!aws-cdk-lib|constructs)/ },
  front: { rooms: ['engines', 'stack', 'commands', 'contracts', 'districts', 'domain'] },
  commands: { rooms: [...SHARED, 'stack', 'constructs', 'engines', 'front'] },
};

const roomOf = (file: string): Room | undefined => ROOMS.find(([, where]) => where.test(file))?.[0];

/** Every module that a file names: `import … from`, `export … from`, bare and dynamic imports. */
const named = (source: string): string[] =>
  [
    ...source.matchAll(/^\s*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]/gm),
    ...source.matchAll(/^\s*import\s*['"]([^'"]+)['"]/gm),
    ...source.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g),
  ].map((match) => match[1] ?? '');

const ours = (file: string, module: string): string | undefined => {
  if (module.startsWith('#shared/')) return module.slice(1);
  if (!module.startsWith('.')) return undefined;
  return relative(root, join(root, dirname(file), module))
    .split(sep)
    .join('/');
};

/** What is wrong with one import, as a sentence; undefined when nothing is. */
const complaint = (file: string, module: string): string | undefined => {
  const from = roomOf(file);
  if (!from) return `${file} lies in no room of the design`;
  const { rooms, npm, node } = ARROWS[from];
  const target = ours(file, module);
  if (target === undefined) {
    if (isBuiltin(module))
      return node && !node.test(module) ? `${file} (${from}) must not use ${module}` : undefined;
    return npm && !npm.test(module) ? `${file} (${from}) must not use the package ${module}` : undefined;
  }
  const to = roomOf(target);
  if (!to) return `${file} imports ${target}, which lies in no room of the design`;
  const functionOf = (path: string) => /^functions\/([^/]+)\//.exec(path)?.[1];
  if (functionOf(file) && functionOf(target) && functionOf(file) !== functionOf(target))
    return `${file} imports another function: ${target}`;
  return to === from || rooms.includes(to)
    ? undefined
    : `${file} (${from}) must not import ${target} (${to})`;
};

const files = globSync('{infra,functions,shared}/**/*.ts', { cwd: root })
  .map((file) => file.split(sep).join('/'))
  .toSorted();

test('the arrows of the design hold', () => {
  const complaints = files.flatMap((file) =>
    named(readFileSync(join(root, file), 'utf8')).flatMap((module) => complaint(file, module) ?? []),
  );
  expect(complaints).toEqual([]);
});

test('the test sees every room and the imports in it', () => {
  expect(files.length).toBeGreaterThan(80);
  const seen = new Map<string, number>();
  for (const file of files) {
    const room = roomOf(file) ?? 'none';
    seen.set(room, (seen.get(room) ?? 0) + named(readFileSync(join(root, file), 'utf8')).length);
  }
  for (const room of [
    'domain',
    'contracts',
    'ports',
    'adapters',
    'lambda',
    'handlers',
    'verbs',
    'constructs',
    'engines',
  ])
    expect(seen.get(room), room).toBeGreaterThan(5);
});

test('it knows a wrong arrow, however it is written', () => {
  expect(
    named(`import * as z from 'zod';
import {
  a,
  type B,
} from '../one.ts';
export { c } from "./two.ts";
import './three.ts';
const d = await import('#shared/adapters/store.ts');
export const e = 'from "nowhere"';`),
  ).toEqual(['zod', '../one.ts', './two.ts', './three.ts', '#shared/adapters/store.ts']);
  expect(complaint('shared/domain/act.ts', '../ports/clock.ts')).toContain('shared/ports/clock.ts (ports)');
  expect(complaint('shared/domain/act.ts', 'node:fs')).toContain('node:fs');
  expect(complaint('functions/intake/intake.ts', '#shared/adapters/store.ts')).toContain('(adapters)');
  expect(complaint('functions/intake/handler.ts', '../console/console.ts')).toContain('another function');
  expect(complaint('infra/local/sqs.ts', '../../shared/domain/rung.ts')).toContain('(domain)');
  expect(complaint('functions/intake/handler.ts', '#shared/adapters/store.ts')).toBeUndefined();
  expect(complaint('infra/constructs/watch.ts', '../../functions/intake/env.ts')).toBeUndefined();
});
