import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { App } from 'aws-cdk-lib';
import * as z from 'zod';
import { buildApp } from '../../infra/app.ts';

/** A value inside a template: plain JSON, with CloudFormation's functions as objects. */
export type Value = string | number | boolean | null | Value[] | { [key: string]: Value };

/** Reads JSON text. */
export const parseJson = (text: string): Value => z.json().parse(JSON.parse(text));

/** A value as text: strings as they are, anything else as JSON. */
export const textOf = (value: Value | undefined): string =>
  typeof value === 'string' ? value : JSON.stringify(value ?? null);

const resourceSchema = z.object({
  Type: z.string(),
  Properties: z.record(z.string(), z.json()).default({}),
  DeletionPolicy: z.string().optional(),
  DependsOn: z.json().optional(),
});
/** A resource as it stands in a template. */
export type Resource = z.infer<typeof resourceSchema>;

/** One district's synthesized stack. */
export interface Stack {
  readonly district: string;
  readonly text: string;
  readonly terminationProtection: boolean;
  readonly resources: Readonly<Record<string, Resource>>;
}

/** The functions of the brief, each with its trigger in the stack. */
export const VERBS = [
  'intake',
  'classification',
  'linking',
  'escalation',
  'notification',
  'receipt',
  'response',
  'console',
  'reconcile',
] as const;

/** A folder that is gone after the test file. */
export const temporary = (): { path: string; remove: () => void } => {
  const path = mkdtempSync(join(tmpdir(), 'xiaonao-infra-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
};

/** Bundles that do nothing: the template does not care what the functions do. */
export const stubAssets = (folder: string): string => {
  for (const verb of VERBS) {
    mkdirSync(join(folder, verb), { recursive: true });
    writeFileSync(join(folder, verb, 'index.mjs'), `export const handler = () => '${verb}';\n`);
  }
  return folder;
};

/** A copy of the districts' data that a test may break. */
export const copyOfDistricts = (folder: string): string => {
  cpSync(join(import.meta.dirname, '../../shared/districts'), folder, {
    recursive: true,
    filter: (file) => !file.endsWith('.ts') && !file.endsWith('.csv'),
  });
  return folder;
};

/** Synthesizes, with all checks unless told otherwise, and reads the templates back. */
export const synthesize = (options: Parameters<typeof buildApp>[0]): { app: App; stacks: Stack[] } => {
  const app = buildApp(options);
  const stacks = app.synth().stacks.map((artifact) => ({
    district: artifact.stackName.replace('Xiaonao-', ''),
    text: JSON.stringify(artifact.template),
    terminationProtection: artifact.terminationProtection ?? false,
    resources: z.record(z.string(), resourceSchema).parse(artifact.template.Resources),
  }));
  return { app, stacks };
};

/** All resources of a type, by logical id. */
export const of = (stack: Stack, type: string): [string, Resource][] =>
  Object.entries(stack.resources).filter(([, resource]) => resource.Type === type);

/** Every value in a tree, the tree itself first. */
export function* walk(value: Value | undefined): Generator<Value> {
  if (value === undefined) return;
  yield value;
  if (typeof value === 'object' && value !== null)
    for (const inner of Object.values(value)) yield* walk(inner);
}

/** Logical ids that a value points at, by Ref or Fn::GetAtt. */
export const refs = (value: Value | undefined): string[] =>
  [...walk(value)].flatMap((v) => {
    if (typeof v !== 'object' || v === null || Array.isArray(v)) return [];
    if (typeof v['Ref'] === 'string') return [v['Ref']];
    const attribute = v['Fn::GetAtt'];
    return Array.isArray(attribute) && typeof attribute[0] === 'string' ? [attribute[0]] : [];
  });

/** The list in a value; a single one counts as a list of one, as in IAM. */
export const list = (value: Value | undefined): Value[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];

/** One step into an object, undefined where there is nothing. */
export const at = (value: Value | undefined, ...path: string[]): Value | undefined =>
  path.reduce<Value | undefined>(
    (v, key) => (typeof v === 'object' && v !== null && !Array.isArray(v) ? v[key] : undefined),
    value,
  );

/** The escalation workflow's definition, with every token replaced by its logical id. */
export const definitionOf = (stack: Stack): Record<string, Value> => {
  const [machine] = of(stack, 'AWS::StepFunctions::StateMachine');
  const parts = at(machine?.[1].Properties, 'DefinitionString', 'Fn::Join');
  if (!Array.isArray(parts)) throw new Error('the definition is not a Fn::Join');
  const text = list(parts[1])
    .map((part) => (typeof part === 'string' ? part : refs(part).join()))
    .join('');
  return z.record(z.string(), z.json()).parse(JSON.parse(text));
};
