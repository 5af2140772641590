/**
 * From an Amazon States Language document to something that can run. Only the JSONata dialect is known, and every field
 * is either understood or refused with a sentence naming state and field: a local run must never pass what AWS would
 * refuse, nor quietly do less than AWS would.
 */
import { createRequire } from 'node:module';
import { StatesError } from './failure.ts';
import { compile, isExpression, type Reach, type Template } from './expression.ts';

/** A retrier with the defaults of AWS filled in; seconds. */
export interface Retrier {
  errorEquals: readonly string[];
  intervalSeconds: number;
  backoffRate: number;
  maxAttempts: number;
  maxDelaySeconds: number;
  jitter: boolean;
}

/** A catcher; `output` absent means the error itself ({ Error, Cause }). */
export interface Catcher {
  errorEquals: readonly string[];
  next: string;
  assign: Template | undefined;
  output: Template | undefined;
}

/** Where a state leads and what it leaves; `next` undefined ends the execution. */
export interface Leaving {
  next: string | undefined;
  assign: Template | undefined;
  output: Template | undefined;
}

/** A Task: `key` names the integration (`lambda:invoke`), `callback` the wait for a token. */
export interface TaskState extends Leaving {
  type: 'Task';
  name: string;
  resource: string;
  key: string;
  callback: boolean;
  arguments: Template | undefined;
  timeoutSeconds: Template | undefined;
  heartbeatSeconds: Template | undefined;
  retry: readonly Retrier[];
  catch: readonly Catcher[];
}

/** One branch of a Choice. */
export interface ChoiceRule extends Leaving {
  condition: Template;
}

/** The states this interpreter runs. */
export type State =
  | TaskState
  | (Leaving & { type: 'Wait'; name: string; seconds: Template | undefined; timestamp: Template | undefined })
  | { type: 'Choice'; name: string; rules: readonly ChoiceRule[]; otherwise: Leaving | undefined }
  | (Leaving & { type: 'Pass'; name: string })
  | (Leaving & { type: 'Succeed'; name: string })
  | { type: 'Fail'; name: string; error: Template | undefined; cause: Template | undefined };

/** A machine ready to run. `timeoutSeconds` is the time-out of a whole execution. */
export interface Machine {
  startAt: string;
  states: ReadonlyMap<string, State>;
  timeoutSeconds: number | undefined;
}

type Json = Record<string, unknown>;

const common = ['Type', 'Comment', 'QueryLanguage'];
const fields: Record<State['type'], readonly string[]> = {
  Task: [
    'Resource',
    'Arguments',
    'TimeoutSeconds',
    'HeartbeatSeconds',
    'Retry',
    'Catch',
    'Next',
    'End',
    'Output',
    'Assign',
  ],
  Wait: ['Seconds', 'Timestamp', 'Next', 'End', 'Output', 'Assign'],
  Choice: ['Choices', 'Default', 'Output', 'Assign'],
  Pass: ['Next', 'End', 'Output', 'Assign'],
  Succeed: ['Output'],
  Fail: ['Error', 'Cause'],
};
const machineFields = ['Comment', 'QueryLanguage', 'StartAt', 'States', 'TimeoutSeconds', 'Version'];
const retryFields = [
  'ErrorEquals',
  'IntervalSeconds',
  'BackoffRate',
  'MaxAttempts',
  'MaxDelaySeconds',
  'JitterStrategy',
  'Comment',
];
const catchFields = ['ErrorEquals', 'Next', 'Assign', 'Output', 'Comment'];
const ruleFields = ['Condition', 'Next', 'Assign', 'Output', 'Comment'];

/** Longest Wait, time-out and heartbeat of AWS, in seconds (3.2 years). */
export const longestSeconds = 99_999_999;

/**
 * Compiles a definition and refuses what it does not know.
 * @param knows whether an integration key such as `lambda:invoke` exists here
 * @param options.accepted it passed asl-validator earlier; do not load that again
 * @throws {StatesError} InvalidDefinition, with a sentence for the person who wrote the definition
 */
export function compileMachine(
  definition: unknown,
  knows: (key: string) => boolean,
  { accepted = false }: { accepted?: boolean } = {},
): Machine {
  const machine = record(definition, 'The definition');
  allowOnly(machine, machineFields, 'The machine');
  const states = record(machine['States'], 'The field States');
  const names = new Set(Object.keys(states));
  const compiled = new Map<string, State>();
  for (const [name, raw] of Object.entries(states)) {
    const reader = new StateReader(name, record(raw, `State "${name}"`), names);
    compiled.set(name, reader.read(machine['QueryLanguage'], knows));
  }
  const startAt = machine['StartAt'];
  if (typeof startAt !== 'string' || !names.has(startAt)) {
    throw invalid(`StartAt names ${JSON.stringify(startAt)}, which is no state`);
  }
  if (machine['Version'] !== undefined && machine['Version'] !== '1.0') {
    throw invalid(`Version is ${JSON.stringify(machine['Version'])}; only "1.0" exists`);
  }
  const timeoutSeconds = machine['TimeoutSeconds'];
  if (timeoutSeconds !== undefined && !whole(timeoutSeconds, 1, longestSeconds)) {
    throw invalid('TimeoutSeconds of the machine must be a whole number of seconds from 1');
  }
  if (!accepted) secondOpinion(machine);
  return { startAt, states: compiled, timeoutSeconds };
}

class StateReader {
  readonly #name: string;
  readonly #raw: Json;
  readonly #names: ReadonlySet<string>;

  constructor(name: string, raw: Json, names: ReadonlySet<string>) {
    this.#name = name;
    this.#raw = raw;
    this.#names = names;
  }

  read(machineLanguage: unknown, knows: (key: string) => boolean): State {
    const raw = this.#raw;
    const name = this.#name;
    if (name.length === 0 || name.length > 80) this.#refuse('Name', 'a state name has 1 to 80 characters');
    const language = raw['QueryLanguage'] ?? machineLanguage ?? 'JSONPath';
    if (language !== 'JSONata') {
      this.#refuse(
        'QueryLanguage',
        `is ${JSON.stringify(language)}; only the JSONata dialect is implemented`,
      );
    }
    const type = raw['Type'];
    if (!isType(type)) {
      return this.#refuse(
        'Type',
        `${JSON.stringify(type)} is not implemented (known: ${Object.keys(fields).join(', ')})`,
      );
    }
    for (const field of Object.keys(raw)) {
      if (!common.includes(field) && !fields[type].includes(field)) {
        this.#refuse(field, `is not implemented for a ${type} state in JSONata`);
      }
    }
    switch (type) {
      case 'Task':
        return this.#task(knows);
      case 'Wait': {
        if ((raw['Seconds'] === undefined) === (raw['Timestamp'] === undefined)) {
          this.#refuse('Seconds', 'exactly one of Seconds and Timestamp is needed');
        }
        if (
          raw['Timestamp'] !== undefined &&
          !isExpression(raw['Timestamp']) &&
          instant(raw['Timestamp']) === undefined
        ) {
          this.#refuse('Timestamp', 'must be an RFC 3339 instant or an expression');
        }
        const seconds = this.#seconds('Seconds', 0);
        return { type, name, seconds, timestamp: this.#template('Timestamp', {}), ...this.#leaving({}) };
      }
      case 'Choice':
        return this.#choice();
      case 'Pass':
        return { type, name, ...this.#leaving({}) };
      case 'Succeed':
        return { type, name, next: undefined, assign: undefined, output: this.#template('Output', {}) };
      case 'Fail':
        break;
    }
    return { type, name, error: this.#template('Error', {}), cause: this.#template('Cause', {}) };
  }

  #task(knows: (key: string) => boolean): TaskState {
    const raw = this.#raw;
    const resource = raw['Resource'];
    const found = typeof resource === 'string' ? /^arn:[^:]+:states:::(.+?)(\.\w+)?$/.exec(resource) : null;
    if (found === null || typeof resource !== 'string') {
      return this.#refuse(
        'Resource',
        `${JSON.stringify(resource)} is not implemented; a function is called through arn:<partition>:states:::lambda:invoke`,
      );
    }
    const [, key = '', suffix] = found;
    if (suffix !== undefined && suffix !== '.waitForTaskToken') {
      this.#refuse('Resource', `the pattern "${suffix}" is not implemented, only .waitForTaskToken`);
    }
    if (!knows(key)) this.#refuse('Resource', `the integration "${key}" is not implemented here`);
    const timeout = raw['TimeoutSeconds'];
    const heartbeat = raw['HeartbeatSeconds'];
    if (typeof timeout === 'number' && typeof heartbeat === 'number' && heartbeat >= timeout) {
      this.#refuse('HeartbeatSeconds', 'must be smaller than TimeoutSeconds');
    }
    return {
      type: 'Task',
      name: this.#name,
      resource,
      key,
      callback: suffix !== undefined,
      arguments: this.#template('Arguments', {}),
      timeoutSeconds: this.#seconds('TimeoutSeconds', 1),
      heartbeatSeconds: this.#seconds('HeartbeatSeconds', 1),
      retry: this.#list('Retry').map((entry, index, all) => this.#retrier(entry, index, all.length)),
      catch: this.#list('Catch').map((entry, index, all) => this.#catcher(entry, index, all.length)),
      ...this.#leaving({ result: true }),
    };
  }

  #choice(): State {
    const raw = this.#raw;
    const rules = this.#list('Choices').map((entry, index): ChoiceRule => {
      const field = `Choices[${index}]`;
      this.#allow(entry, ruleFields, field);
      if (!isExpression(entry['Condition']) && typeof entry['Condition'] !== 'boolean') {
        this.#refuse(`${field}.Condition`, 'must be an expression {% … %}');
      }
      return {
        condition: this.#compile(entry['Condition'], `${field}.Condition`, {}),
        next: this.#target(entry['Next'], `${field}.Next`),
        assign: this.#assign(entry['Assign'], `${field}.Assign`, {}),
        output: this.#optional(entry['Output'], `${field}.Output`, {}),
      };
    });
    if (rules.length === 0) this.#refuse('Choices', 'at least one rule is needed');
    const assign = this.#assign(raw['Assign'], 'Assign', {});
    const output = this.#template('Output', {});
    const otherwise =
      raw['Default'] === undefined
        ? undefined
        : { next: this.#target(raw['Default'], 'Default'), assign, output };
    if (otherwise === undefined && (assign ?? output) !== undefined) {
      this.#refuse('Default', 'is missing, so Assign and Output of the state would never be used');
    }
    return { type: 'Choice', name: this.#name, rules, otherwise };
  }

  #retrier(entry: Json, index: number, count: number): Retrier {
    const field = `Retry[${index}]`;
    this.#allow(entry, retryFields, field);
    const number = (
      name: string,
      otherwise: number,
      good: (value: number) => boolean,
      rule: string,
    ): number => {
      const value = entry[name] ?? otherwise;
      return typeof value === 'number' && good(value) ? value : this.#refuse(`${field}.${name}`, rule);
    };
    const intervalSeconds = number(
      'IntervalSeconds',
      1,
      (value) => whole(value, 1, longestSeconds),
      'must be a whole number from 1',
    );
    const jitter = entry['JitterStrategy'] ?? 'NONE';
    if (jitter !== 'FULL' && jitter !== 'NONE')
      this.#refuse(`${field}.JitterStrategy`, 'must be FULL or NONE');
    return {
      errorEquals: this.#errors(entry, field, index === count - 1),
      intervalSeconds,
      backoffRate: number('BackoffRate', 2, (value) => value >= 1, 'must be at least 1'),
      maxAttempts: number(
        'MaxAttempts',
        3,
        (value) => whole(value, 0, longestSeconds),
        'must be a whole number from 0',
      ),
      maxDelaySeconds: number(
        'MaxDelaySeconds',
        Infinity,
        (value) => value === Infinity || (whole(value, 1, 31_622_400) && value > intervalSeconds),
        'must be a whole number above IntervalSeconds, at most 31,622,400',
      ),
      jitter: jitter === 'FULL',
    };
  }

  #catcher(entry: Json, index: number, count: number): Catcher {
    const field = `Catch[${index}]`;
    this.#allow(entry, catchFields, field);
    return {
      errorEquals: this.#errors(entry, field, index === count - 1),
      next: this.#target(entry['Next'], `${field}.Next`),
      assign: this.#assign(entry['Assign'], `${field}.Assign`, { errorOutput: true }),
      output: this.#optional(entry['Output'], `${field}.Output`, { errorOutput: true }),
    };
  }

  #errors(entry: Json, field: string, last: boolean): readonly string[] {
    const errors = entry['ErrorEquals'];
    if (
      !Array.isArray(errors) ||
      errors.length === 0 ||
      !errors.every((error) => typeof error === 'string')
    ) {
      return this.#refuse(`${field}.ErrorEquals`, 'must be a list of error names');
    }
    if (errors.includes('States.ALL') && (errors.length > 1 || !last)) {
      this.#refuse(`${field}.ErrorEquals`, 'States.ALL must stand alone and in the last entry');
    }
    return errors;
  }

  #leaving(reach: Reach): Leaving {
    const { Next: next, End: end } = this.#raw;
    if ((next === undefined) === (end === undefined))
      this.#refuse('Next', 'exactly one of Next and End is needed');
    if (end !== undefined && end !== true) this.#refuse('End', 'must be true');
    return {
      next: next === undefined ? undefined : this.#target(next, 'Next'),
      assign: this.#assign(this.#raw['Assign'], 'Assign', reach),
      output: this.#template('Output', reach),
    };
  }

  #seconds(field: string, least: number): Template | undefined {
    const value = this.#raw[field];
    if (value !== undefined && !isExpression(value) && !whole(value, least, longestSeconds)) {
      this.#refuse(field, `must be a whole number from ${least} to ${longestSeconds}, or an expression`);
    }
    return this.#template(field, {});
  }

  #assign(value: unknown, field: string, reach: Reach): Template | undefined {
    if (value === undefined) return undefined;
    const assigned = record(value, `State "${this.#name}": field "${field}"`);
    for (const name of Object.keys(assigned)) {
      if (name === 'states') this.#refuse(`${field}.${name}`, '"states" is a reserved variable');
      if (!/^[A-Za-z_]\w{0,79}$/.test(name)) this.#refuse(`${field}.${name}`, 'is no variable name');
    }
    return this.#compile(assigned, field, reach);
  }

  #template(field: string, reach: Reach): Template | undefined {
    return this.#optional(this.#raw[field], field, reach);
  }

  #optional(value: unknown, field: string, reach: Reach): Template | undefined {
    return value === undefined ? undefined : this.#compile(value, field, reach);
  }

  #compile(value: unknown, field: string, reach: Reach): Template {
    return compile(value, reach, (problem) => this.#refuse(field, problem));
  }

  #target(value: unknown, field: string): string {
    return typeof value === 'string' && this.#names.has(value)
      ? value
      : this.#refuse(field, `names ${JSON.stringify(value)}, which is no state`);
  }

  #list(field: string): Json[] {
    const value = this.#raw[field] ?? [];
    if (!Array.isArray(value)) return this.#refuse(field, 'must be a list');
    return value.map((entry, index) => record(entry, `State "${this.#name}": field "${field}[${index}]"`));
  }

  #allow(entry: Json, allowed: readonly string[], field: string): void {
    for (const key of Object.keys(entry)) {
      if (!allowed.includes(key)) this.#refuse(`${field}.${key}`, 'is not implemented in JSONata');
    }
  }

  #refuse(field: string, problem: string): never {
    throw invalid(`State "${this.#name}": field "${field}": ${problem}`);
  }
}

/** Epoch ms of an RFC 3339 instant, undefined when it is none. */
export function instant(value: unknown): number | undefined {
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(value)) {
    return undefined;
  }
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : at;
}

/** A whole number within bounds. */
export function whole(value: unknown, least: number, most: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;
}

/** The part of asl-validator that is used; the package has no typings. */
type Validate = (
  definition: unknown,
  options: { checkPaths: boolean; checkArn: boolean },
) => { isValid: boolean; errorsText: (separator: string) => string };

/** Definitions that passed in this process: one look costs ~70 ms, and a test run opens hundreds of engines. */
const passed = new Set<string>();

/**
 * asl-validator finds what a state-by-state reading does not: unreachable states, machines that cannot end. It is fed a
 * softened copy, because it marks the document (writes QueryLanguage into states) and refuses three things that AWS
 * takes: line breaks inside an expression, empty strings, and an Output or Arguments that is a plain value. Its check of
 * resource ARNs is off: ours is stricter (a CDK function ARN as `Resource` is refused above; inside Arguments it is data).
 */
function secondOpinion(machine: Json): void {
  const softened = soften(machine, false);
  const text = JSON.stringify(softened);
  if (passed.has(text)) return;
  // Loaded on demand: it takes most of a second, and a definition that is already stored has passed it.
  const validate: Validate = createRequire(import.meta.url)('asl-validator');
  const { isValid, errorsText } = validate(softened, {
    checkPaths: true,
    checkArn: false,
  });
  if (!isValid) throw invalid(`asl-validator: ${errorsText('; ')}`);
  passed.add(text);
}

function soften(value: unknown, data: boolean): unknown {
  if (typeof value === 'string') {
    if (isExpression(value)) return '{% $states %}';
    return data ? 'text' : value;
  }
  if (Array.isArray(value)) return data ? [] : value.map((item) => soften(item, data));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      const payload = data || key === 'Arguments' || key === 'Output' || key === 'Assign';
      const plain = payload && !data && (typeof item !== 'object' || item === null || Array.isArray(item));
      return [key, plain && !isExpression(item) ? {} : soften(item, payload)];
    }),
  );
}

function record(value: unknown, what: string): Json {
  if (!isRecord(value)) throw invalid(`${what} must be an object`);
  return value;
}

function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isType(value: unknown): value is State['type'] {
  return typeof value === 'string' && Object.hasOwn(fields, value);
}

function allowOnly(value: Json, allowed: readonly string[], what: string): void {
  for (const key of Object.keys(value)) {
    if (!allowed.includes(key)) throw invalid(`${what}: field "${key}" is not implemented in JSONata`);
  }
}

function invalid(sentence: string): StatesError {
  return new StatesError('InvalidDefinition', sentence);
}
