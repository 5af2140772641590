// Reads a synthesized stack (cdk.out): which resources there are, what their properties say, where the assets lie.
// Every resource is run, or inert here for a reason that is printed, or an error: nothing is skipped silently.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as z from 'zod';

/** A CloudFormation value before or after its functions are resolved. */
export type Value = z.core.util.JSONType;

/** One resource of the template, properties still unresolved. */
export interface Resource {
  id: string;
  type: string;
  properties: Record<string, Value>;
}

/** A stack as synthesized. */
export interface Stack {
  name: string;
  resources: Map<string, Resource>;
  /** Directory of a file asset by the S3 key under which the deployed function would find it. */
  assets: Map<string, string>;
  parameters: Record<string, Value>;
  conditions: Record<string, Value>;
  mappings: Record<string, Record<string, Record<string, Value>>>;
}

/** The template cannot be run here; the message names the place. */
export class TemplateError extends Error {
  override name = 'TemplateError';
}

/** The account of the local cloud; it can be none of AWS's. */
export const ACCOUNT = '000000000000';

/** The types an engine of ours runs. */
const RUN = new Set([
  'AWS::ApiGatewayV2::Api',
  'AWS::ApiGatewayV2::Integration',
  'AWS::ApiGatewayV2::Route',
  'AWS::ApiGatewayV2::Stage',
  'AWS::DynamoDB::Table',
  'AWS::Events::Rule',
  'AWS::Lambda::Alias',
  'AWS::Lambda::EventSourceMapping',
  'AWS::Lambda::Function',
  'AWS::Lambda::Version',
  'AWS::SQS::Queue',
  'AWS::SecretsManager::Secret',
  'AWS::StepFunctions::StateMachine',
]);

/** The types that do nothing here, each with what that means for the one who runs it. */
const INERT: Record<string, string> = {
  'AWS::CDK::Metadata': 'a note for AWS about the CDK version',
  'AWS::CloudWatch::Alarm': 'no metrics are collected here',
  'AWS::CloudWatch::CompositeAlarm': 'no metrics are collected here',
  'AWS::CloudWatch::Dashboard': 'no metrics are collected here',
  'AWS::EC2::EIP': 'one machine has one address',
  'AWS::EC2::FlowLog': 'one machine has one address',
  'AWS::EC2::InternetGateway': 'one machine has one address',
  'AWS::EC2::NatGateway': 'one machine has one address',
  'AWS::EC2::Route': 'one machine has one address',
  'AWS::EC2::RouteTable': 'one machine has one address',
  'AWS::EC2::SecurityGroup': 'one machine has one address',
  'AWS::EC2::Subnet': 'one machine has one address',
  'AWS::EC2::SubnetRouteTableAssociation': 'one machine has one address',
  'AWS::EC2::VPC': 'one machine has one address',
  'AWS::EC2::VPCEndpoint': 'one machine has one address',
  'AWS::EC2::VPCGatewayAttachment': 'one machine has one address',
  'AWS::IAM::ManagedPolicy': 'permissions are not checked here',
  'AWS::IAM::Policy': 'permissions are not checked here',
  'AWS::IAM::Role': 'permissions are not checked here',
  'AWS::KMS::Alias': 'files of the data directory are not encrypted here',
  'AWS::KMS::Key': 'files of the data directory are not encrypted here',
  'AWS::Lambda::Permission': 'permissions are not checked here',
  'AWS::Logs::LogGroup': 'functions log to files of the data directory',
  'AWS::Logs::MetricFilter': 'no metrics are collected here',
  'AWS::Logs::ResourcePolicy': 'permissions are not checked here',
  'AWS::SNS::Subscription': 'alarms, the only senders to topics, do not ring here',
  'AWS::SNS::Topic': 'alarms, the only senders to topics, do not ring here',
  'AWS::SNS::TopicPolicy': 'permissions are not checked here',
  'AWS::SQS::QueuePolicy': 'permissions are not checked here',
  'AWS::SecretsManager::ResourcePolicy': 'permissions are not checked here',
};

/** Which resources run and which do nothing, and why. */
export interface Classification {
  run: string[];
  inert: { type: string; count: number; why: string }[];
}

const artifactSchema = z.looseObject({
  stackName: z.string().optional(),
  templateFile: z.string().optional(),
  file: z.string().optional(),
});
const manifestSchema = z.object({
  artifacts: z
    .record(z.string(), z.object({ type: z.string(), properties: artifactSchema.default({}) }))
    .default({}),
});
const assetsSchema = z.object({
  files: z
    .record(
      z.string(),
      z.object({
        source: z.object({ path: z.string() }),
        destinations: z.record(z.string(), z.object({ objectKey: z.string() })),
      }),
    )
    .default({}),
});
const templateSchema = z.object({
  Resources: z
    .record(
      z.string(),
      z.object({
        Type: z.string(),
        Properties: z.record(z.string(), z.json()).default({}),
        Condition: z.string().optional(),
      }),
    )
    .default({}),
  Parameters: z.record(z.string(), z.object({ Default: z.json().optional() })).default({}),
  Conditions: z.record(z.string(), z.json()).default({}),
  Mappings: z.record(z.string(), z.record(z.string(), z.record(z.string(), z.json()))).default({}),
});

/**
 * Reads one stack of a cloud assembly.
 * @param assembly the directory CDK wrote.
 * @param name stack name or artifact id.
 * @throws TemplateError when it is not there.
 */
export function readStack(assembly: string, name: string): Stack {
  const manifest = readJson(join(assembly, 'manifest.json'), manifestSchema);
  const artifacts = Object.entries(manifest.artifacts);
  const stacks = artifacts.filter(([, artifact]) => artifact.type === 'aws:cloudformation:stack');
  const found = stacks.find(([id, artifact]) => id === name || artifact.properties.stackName === name);
  if (!found) {
    throw new TemplateError(
      `${assembly} holds no stack ${name}, only ${stacks.map(([id]) => id).join(', ') || 'none'}.`,
    );
  }
  const [id, artifact] = found;
  const template = readJson(
    join(assembly, artifact.properties.templateFile ?? `${id}.template.json`),
    templateSchema,
  );
  const assets = new Map<string, string>();
  for (const [, other] of artifacts) {
    if (other.type !== 'cdk:asset-manifest') continue;
    const { files } = readJson(join(assembly, other.properties.file ?? ''), assetsSchema);
    for (const { source, destinations } of Object.values(files)) {
      for (const { objectKey } of Object.values(destinations))
        assets.set(objectKey, resolve(assembly, source.path));
    }
  }
  const stack: Stack = {
    name: artifact.properties.stackName ?? id,
    resources: new Map(),
    assets,
    parameters: Object.fromEntries(
      Object.entries(template.Parameters).map(([key, { Default }]) => [key, Default ?? null]),
    ),
    conditions: template.Conditions,
    mappings: template.Mappings,
  };
  const judge = new Resolver(stack, new Map(), '');
  for (const [key, { Type, Properties, Condition }] of Object.entries(template.Resources)) {
    if (Condition !== undefined && !judge.condition(Condition, `${key}.Condition`)) continue;
    stack.resources.set(key, { id: key, type: Type, properties: Properties });
  }
  return stack;
}

function readJson<T>(file: string, schema: z.ZodType<T>): T {
  try {
    return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    throw new TemplateError(
      `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** A value that can stand in a text. @throws TemplateError naming the place */
function textOf(value: Value | undefined, place: string): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return String(value);
  throw new TemplateError(`${place}: a text is needed, not ${JSON.stringify(value)}.`);
}

/**
 * Tells what runs here and what does not.
 * @throws TemplateError naming every resource of a type that is on neither list.
 */
export function classify(stack: Stack): Classification {
  const run: string[] = [];
  const counts = new Map<string, number>();
  const unknown: string[] = [];
  for (const { id, type } of stack.resources.values()) {
    if (RUN.has(type)) run.push(`${type} ${id}`);
    else if (INERT[type] !== undefined) counts.set(type, (counts.get(type) ?? 0) + 1);
    else unknown.push(`${id} (${type})`);
  }
  if (unknown.length > 0) {
    throw new TemplateError(
      `The local cloud neither runs nor knowingly leaves out: ${unknown.join(', ')}. ` +
        'Teach infra/local to run the type, or put it on the inert list of infra/local/template.ts with the reason.',
    );
  }
  const inert = [...counts].map(([type, count]) => ({ type, count, why: INERT[type] ?? '' }));
  return { run: run.sort(), inert: inert.sort((a, b) => a.type.localeCompare(b.type)) };
}

/** What Ref and Fn::GetAtt give for a resource. */
export interface Identity {
  ref: string;
  attributes: Record<string, string>;
}

/** Resolves CloudFormation functions against the identities that resources have here. */
export class Resolver {
  readonly #stack: Stack;
  readonly #identities: Map<string, Identity>;
  readonly #pseudo: Record<string, string>;

  constructor(stack: Stack, identities: Map<string, Identity>, region: string) {
    this.#stack = stack;
    this.#identities = identities;
    this.#pseudo = {
      'AWS::AccountId': ACCOUNT,
      'AWS::Partition': 'aws',
      'AWS::Region': region,
      'AWS::StackId': `arn:aws:cloudformation:${region}:${ACCOUNT}:stack/${stack.name}/local`,
      'AWS::StackName': stack.name,
      'AWS::URLSuffix': 'amazonaws.com',
    };
  }

  /** All properties of a resource, resolved; `AWS::NoValue` ones are left out. */
  properties(resource: Resource): Record<string, Value> {
    return this.#object(resource.properties, resource.id);
  }

  /** Whether a named condition of the template holds. */
  condition(name: string, place: string): boolean {
    const condition = this.#stack.conditions[name];
    if (condition === undefined)
      throw new TemplateError(`${place} names the condition ${name}, which the template lacks.`);
    return this.#value(condition, `condition ${name}`) === true;
  }

  #value(value: Value, place: string): Value | undefined {
    if (Array.isArray(value)) return this.#array(value, place);
    if (typeof value !== 'object' || value === null) return value;
    const [only, more] = Object.entries(value);
    if (only && !more && isFunction(...only)) return this.#call(only[0], only[1], place);
    return this.#object(value, place);
  }

  #array(items: Value[], place: string): Value[] {
    return items
      .map((item, index) => this.#value(item, `${place}[${index}]`))
      .filter((item) => item !== undefined);
  }

  #object(fields: Record<string, Value>, place: string): Record<string, Value> {
    const result: Record<string, Value> = {};
    for (const [key, item] of Object.entries(fields)) {
      const resolved = this.#value(item, `${place}.${key}`);
      if (resolved !== undefined) result[key] = resolved;
    }
    return result;
  }

  #call(name: string, argument: Value, place: string): Value | undefined {
    const list = (value: Value | undefined = argument) => {
      const resolved = value === undefined ? undefined : this.#value(value, place);
      if (!Array.isArray(resolved)) throw new TemplateError(`${place}: ${name} needs a list.`);
      return resolved;
    };
    switch (name) {
      case 'Ref':
        return argument === 'AWS::NoValue' ? undefined : this.#ref(textOf(argument, place), place);
      case 'Condition':
        return this.condition(textOf(argument, place), place);
      case 'Fn::GetAtt': {
        const dotted = Array.isArray(argument)
          ? argument.map((part) => textOf(part, place)).join('.')
          : argument;
        return this.#attribute(textOf(dotted, place), place);
      }
      case 'Fn::Join': {
        const [separator, parts] = list();
        return list(parts)
          .map((part) => textOf(part, place))
          .join(textOf(separator, place));
      }
      case 'Fn::Split': {
        const [separator, text] = list();
        return textOf(text, place).split(textOf(separator, place));
      }
      case 'Fn::Select': {
        const [index, items] = list();
        return list(items)[Number(index)] ?? null;
      }
      case 'Fn::Sub': {
        const [text, own] = Array.isArray(argument) ? argument : [argument];
        return this.#substitute(textOf(text, place), z.record(z.string(), z.json()).parse(own ?? {}), place);
      }
      case 'Fn::If': {
        const [condition, yes = null, no = null] = Array.isArray(argument) ? argument : [];
        return this.#value(this.condition(textOf(condition, place), place) ? yes : no, place);
      }
      case 'Fn::Equals': {
        const [left, right] = list();
        return JSON.stringify(left) === JSON.stringify(right);
      }
      case 'Fn::Not':
        return list()[0] !== true;
      case 'Fn::And':
        return list().every((item) => item === true);
      case 'Fn::Or':
        return list().some((item) => item === true);
      case 'Fn::FindInMap': {
        const [map = '', first = '', second = ''] = list().map((item) => textOf(item, place));
        const found = this.#stack.mappings[map]?.[first]?.[second];
        if (found === undefined)
          throw new TemplateError(`${place}: the mapping ${map} has no ${first}.${second}.`);
        return found;
      }
      default:
        throw new TemplateError(`${place} uses ${name}, which the local cloud does not resolve.`);
    }
  }

  #substitute(text: string, own: Record<string, Value>, place: string): string {
    const names = this.#object(own, place);
    return text.replace(/\$\{(!?)([^}]+)\}/g, (_, literal: string, key: string) => {
      if (literal) return `\${${key}}`;
      if (names[key] !== undefined) return textOf(names[key], place);
      return key.includes('.') ? this.#attribute(key, place) : textOf(this.#ref(key, place), place);
    });
  }

  #ref(id: string, place: string): Value {
    const found = this.#pseudo[id] ?? this.#identities.get(id)?.ref ?? this.#stack.parameters[id];
    if (found === undefined || found === null)
      throw new TemplateError(`${place} refers to ${id}, which has no value here.`);
    return found;
  }

  #attribute(dotted: string, place: string): string {
    const [id = '', ...path] = dotted.split('.');
    const found = this.#identities.get(id)?.attributes[path.join('.')];
    if (found !== undefined) return found;
    const type = this.#stack.resources.get(id)?.type ?? 'not in the template';
    throw new TemplateError(
      `${place} asks for ${path.join('.')} of ${id} (${type}), which has no value here.`,
    );
  }
}

/** `Condition` with an object beside it is a part of a policy statement, not the function. */
function isFunction(key: string, argument: Value): boolean {
  return key === 'Ref' || key.startsWith('Fn::') || (key === 'Condition' && typeof argument === 'string');
}

/** The addresses that only exist once the engines listen. */
export interface Addresses {
  region: string;
  /** Base of every queue URL, `http://127.0.0.1:<port>`. */
  sqs: string;
}

/** Gives every resource its name here: the one the template asks for, else stack and logical id, the same at every start. */
export function identities(stack: Stack, { region, sqs }: Addresses): Map<string, Identity> {
  const result = new Map<string, Identity>();
  const resolver = new Resolver(stack, result, region);
  const pending = new Set(stack.resources.values());
  // A name may be built from another resource's name (alias from its function): take what can be named, until nothing is left.
  while (pending.size > 0) {
    const before = pending.size;
    let failure: unknown;
    for (const resource of pending) {
      try {
        result.set(resource.id, identity(stack, resource, resolver, region, sqs));
        pending.delete(resource);
      } catch (error) {
        failure = error;
      }
    }
    if (pending.size === before) throw failure;
  }
  return result;
}

const simple = (ref: string, Arn = ref): Identity => ({ ref, attributes: { Arn } });

function identity(
  stack: Stack,
  resource: Resource,
  resolver: Resolver,
  region: string,
  sqs: string,
): Identity {
  const only = (key: string) =>
    resolver.properties({ ...resource, properties: { [key]: resource.properties[key] ?? null } });
  const text = (key: string) => textOf(only(key)[key], `${resource.id}.${key}`);
  const named = (key: string) =>
    textOf(only(key)[key] ?? `${stack.name}-${resource.id}`, `${resource.id}.${key}`);
  const arn = (service: string, rest: string) => `arn:aws:${service}:${region}:${ACCOUNT}:${rest}`;
  switch (resource.type) {
    case 'AWS::DynamoDB::Table': {
      const name = named('TableName');
      return simple(name, arn('dynamodb', `table/${name}`));
    }
    case 'AWS::SQS::Queue': {
      const name = named('QueueName');
      const url = `${sqs}/${ACCOUNT}/${name}`;
      return { ref: url, attributes: { Arn: arn('sqs', name), QueueName: name, QueueUrl: url } };
    }
    case 'AWS::Lambda::Function': {
      const name = named('FunctionName');
      return simple(name, arn('lambda', `function:${name}`));
    }
    case 'AWS::Lambda::Version': {
      const version = `${functionArn(text('FunctionName'), region)}:1`;
      return { ref: version, attributes: { Version: '1', FunctionArn: version } };
    }
    case 'AWS::Lambda::Alias': {
      return { ref: `${functionArn(text('FunctionName'), region)}:${text('Name')}`, attributes: {} };
    }
    case 'AWS::StepFunctions::StateMachine': {
      const name = named('StateMachineName');
      const ref = arn('states', `stateMachine:${name}`);
      return { ref, attributes: { Arn: ref, Name: name, StateMachineRevisionId: '1' } };
    }
    case 'AWS::SecretsManager::Secret': {
      // Six characters follow the name in a real ARN, and code may cut them off.
      const ref = arn('secretsmanager', `secret:${named('Name')}-local0`);
      return { ref, attributes: { Id: ref } };
    }
    case 'AWS::ApiGatewayV2::Api':
      return {
        ref: resource.id,
        attributes: {
          ApiId: resource.id,
          ApiEndpoint: `https://${resource.id}.execute-api.${region}.amazonaws.com`,
        },
      };
    case 'AWS::Events::Rule':
      return simple(named('Name'), arn('events', `rule/${named('Name')}`));
    case 'AWS::Logs::LogGroup': {
      const name = named('LogGroupName');
      return simple(name, arn('logs', `log-group:${name}:*`));
    }
    case 'AWS::KMS::Key':
      return { ref: resource.id, attributes: { Arn: arn('kms', `key/${resource.id}`), KeyId: resource.id } };
    case 'AWS::SNS::Topic': {
      const ref = arn('sns', named('TopicName'));
      return { ref, attributes: { TopicArn: ref, TopicName: named('TopicName') } };
    }
    case 'AWS::IAM::Role':
      return {
        ref: named('RoleName'),
        attributes: { Arn: `arn:aws:iam::${ACCOUNT}:role/${named('RoleName')}`, RoleId: resource.id },
      };
    case 'AWS::CloudWatch::Alarm':
    case 'AWS::CloudWatch::CompositeAlarm':
      return simple(named('AlarmName'), arn('cloudwatch', `alarm:${named('AlarmName')}`));
    default:
      return { ref: resource.id, attributes: {} };
  }
}

/** A function's ARN without version or alias, from a name or any of its ARNs. */
export function functionArn(nameOrArn: string, region: string): string {
  if (!nameOrArn.startsWith('arn:'))
    return `arn:aws:lambda:${region}:${ACCOUNT}:function:${nameOrArn.split(':')[0]}`;
  return nameOrArn.split(':').slice(0, 7).join(':');
}

/** The function ARN inside the URI by which an API calls it, or the ARN itself. */
export function integratedFunction(uri: string, region: string): string {
  const inside = /functions\/(arn:[^/]+)\/invocations$/.exec(uri);
  return functionArn(inside?.[1] ?? uri, region);
}
