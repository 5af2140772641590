/**
 * JSONata in the dialect of Step Functions: a *template* is any JSON value in which strings `{% … %}` are expressions.
 * Everything is compiled once per definition; what AWS refuses at creation is refused here too, with a sentence.
 */
import { createHash, randomUUID } from 'node:crypto';
import jsonata from 'jsonata';
import { StateFailure } from './failure.ts';

/** What an expression sees: `$states`, the workflow variables, and the instant (epoch ms) of `$millis()` and `$now()`. */
export interface Scope {
  states: { input: unknown; context: unknown; result?: unknown; errorOutput?: unknown };
  variables: Record<string, unknown>;
  at: number;
}

/** Which parts of `$states` a field may use; AWS refuses the others when the machine is created. */
export interface Reach {
  result?: boolean;
  errorOutput?: boolean;
}

/** A compiled template. Constant parts cost nothing at run time. */
export type Template =
  | { kind: 'constant'; value: unknown }
  | { kind: 'expression'; source: string; path: readonly string[] | undefined; compiled: jsonata.Expression }
  | { kind: 'list'; items: readonly Template[] }
  | { kind: 'object'; entries: readonly (readonly [string, Template])[] };

type Refuse = (problem: string) => never;

/** Whether a string is written as an expression (also when it is badly closed, which `compile` then refuses). */
export function isExpression(value: unknown): value is string {
  return typeof value === 'string' && value.startsWith('{%');
}

/** Compiles a JSON value; `refuse` is called with the problem when an expression cannot run on AWS. */
export function compile(value: unknown, reach: Reach, refuse: Refuse): Template {
  if (isExpression(value)) return expression(value, reach, refuse);
  if (typeof value === 'string' && value.endsWith('%}')) {
    return refuse(`${JSON.stringify(value)} ends with %} but does not start with {%`);
  }
  if (Array.isArray(value)) {
    const items = value.map((item) => compile(item, reach, refuse));
    return items.every((item) => item.kind === 'constant')
      ? { kind: 'constant', value }
      : { kind: 'list', items };
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([key, item]) => {
      if (key.endsWith('.$')) return refuse(`the key "${key}" belongs to JSONPath`);
      return [key, compile(item, reach, refuse)] as const;
    });
    return entries.every(([, item]) => item.kind === 'constant')
      ? { kind: 'constant', value }
      : { kind: 'object', entries };
  }
  return { kind: 'constant', value };
}

/**
 * Evaluates a template to plain JSON data.
 * @throws {StateFailure} States.QueryEvaluationError when an expression fails or yields nothing that JSON can say.
 */
export function evaluate(template: Template, scope: Scope): unknown {
  if (template.kind === 'constant') return template.value;
  if (template.kind === 'expression') return shortcut(template, scope) ?? evaluateExpression(template, scope);
  if (template.kind === 'list') return Promise.all(template.items.map((item) => evaluate(item, scope)));
  return Promise.all(
    template.entries.map(async ([key, item]) => [key, await evaluate(item, scope)] as const),
  ).then((entries) => Object.fromEntries(entries));
}

function expression(text: string, reach: Reach, refuse: Refuse): Template {
  if (!text.endsWith('%}')) return refuse(`${JSON.stringify(text)} starts with {% but does not end with %}`);
  const source = text.slice(2, -2).trim();
  let compiled: jsonata.Expression;
  try {
    compiled = jsonata(source);
  } catch (thrown) {
    return refuse(`${JSON.stringify(source)} is not JSONata: ${sentenceOf(thrown)}`);
  }
  inspect(compiled.ast(), reach, (problem) => refuse(`${JSON.stringify(source)} ${problem}`));
  const plain = /^\$[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*$/.test(source);
  return { kind: 'expression', source, path: plain ? source.slice(1).split('.') : undefined, compiled };
}

/**
 * Most expressions only name a value (`$states.context.Task.Token`): walking there is ~30 times cheaper than JSONata.
 * Undefined sends the caller to JSONata, which also knows arrays and failures.
 */
function shortcut(template: Template & { kind: 'expression' }, scope: Scope): unknown {
  if (template.path === undefined) return undefined;
  const [root = '', ...names] = template.path;
  let value: unknown = root === 'states' ? scope.states : own(scope.variables, root);
  for (const name of names) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    value = own(value, name);
  }
  // null must not be mistaken for "not found" by the caller's ??: leave it, and functions, to JSONata.
  return typeof value === 'function' || value === null ? undefined : value;
}

function own(holder: object, name: string): unknown {
  return Object.getOwnPropertyDescriptor(holder, name) === undefined ? undefined : Reflect.get(holder, name);
}

async function evaluateExpression(
  template: Template & { kind: 'expression' },
  scope: Scope,
): Promise<unknown> {
  const bindings = { ...functions, ...clock(scope.at), ...scope.variables, states: scope.states };
  let result: unknown;
  try {
    result = await template.compiled.evaluate(undefined, bindings);
  } catch (thrown) {
    throw unusable(template.source, sentenceOf(thrown));
  }
  // Through text: JSONata's sequences carry extra properties, and its functions hide inside objects.
  const json = JSON.stringify(result, (_key, value: unknown) => {
    if (isFunction(value)) throw unusable(template.source, 'it yields a function');
    return value;
  }) as string | undefined;
  if (json === undefined) throw unusable(template.source, 'it yields nothing');
  return typeof result === 'object' ? (JSON.parse(json) as unknown) : result;
}

function isFunction(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return typeof value === 'function';
  return '_jsonata_lambda' in value || '_jsonata_function' in value;
}

function unusable(source: string, why: string): StateFailure {
  return new StateFailure('States.QueryEvaluationError', `The JSONata expression '${source}' failed: ${why}`);
}

function sentenceOf(thrown: unknown): string {
  if (typeof thrown !== 'object' || thrown === null) return String(thrown);
  const { code, message } = thrown as { code?: unknown; message?: unknown };
  return [code, message].filter((part) => typeof part === 'string').join(' ');
}

/** JSONata's own clock is the machine's; a workflow on a virtual clock must see the engine's. */
function clock(at: number): Record<string, unknown> {
  return {
    millis: () => at,
    now: (picture?: string, timezone?: string) =>
      picture === undefined
        ? new Date(at).toISOString()
        : formatted.evaluate(undefined, { at, picture, timezone }),
  };
}

const formatted = jsonata('$fromMillis($at, $picture, $timezone)');

const hashes: Record<string, string> = {
  MD5: 'md5',
  'SHA-1': 'sha1',
  'SHA-256': 'sha256',
  'SHA-384': 'sha384',
  'SHA-512': 'sha512',
};

/** The functions that Step Functions adds to JSONata. Seeded `$random` is refused: its numbers are AWS's own. */
const functions: Record<string, unknown> = {
  parse: (text: string) => JSON.parse(text) as unknown,
  uuid: () => randomUUID(),
  hash: (text: string, algorithm: string) => {
    const name = hashes[algorithm];
    if (name === undefined)
      throw new Error(`$hash knows ${Object.keys(hashes).join(', ')}, not ${algorithm}`);
    return createHash(name).update(text).digest('hex');
  },
  range: (first: number, last: number, step: number) => {
    const length = step === 0 ? 0 : Math.max(0, Math.floor((last - first) / step) + 1);
    if (length < 1 || length > 1_000) throw new Error('$range must yield 1 to 1,000 numbers');
    return Array.from({ length }, (_, index) => first + index * step);
  },
  partition: (list: unknown[], size: number) => {
    if (!Number.isInteger(size) || size < 1) throw new Error('$partition needs a size of at least 1');
    return Array.from({ length: Math.ceil(list.length / size) }, (_, part) =>
      list.slice(part * size, (part + 1) * size),
    );
  },
};

/** The parts of jsonata's syntax tree that are looked at; the typings leave most of them out. */
interface Node {
  type?: string;
  value?: unknown;
  steps?: Node[];
  procedure?: Node;
  arguments?: Node[];
  body?: Node;
}

/** Walks the tree and refuses what runs in JSONata but not in Step Functions. */
function inspect(node: Node, reach: Reach, refuse: Refuse): void {
  // There is no input document in Step Functions, so outside a path's steps there is nothing a bare name could mean.
  const visit = (current: unknown, top: boolean): void => {
    if (Array.isArray(current)) {
      for (const item of current) visit(item, top);
      return;
    }
    if (typeof current !== 'object' || current === null) return;
    const { type, value, steps, procedure } = current as Node;
    if (type === 'path' && steps !== undefined) {
      const [root, member] = steps;
      if (root?.type === 'variable' && root.value === 'states') checkStates(member, reach, refuse);
      steps.forEach((step, index) => visit(step, top && index === 0));
      for (const [key, child] of Object.entries(current)) if (key !== 'steps') visit(child, false);
      return;
    }
    if (top && type === 'name')
      refuse(`uses the bare name "${String(value)}": write $states.input.${String(value)}`);
    if (top && (type === 'wildcard' || type === 'descendant' || type === 'parent')) {
      refuse(
        `uses ${type === 'parent' ? '%' : type === 'wildcard' ? '*' : '**'} where there is no input document`,
      );
    }
    if (top && type === 'variable' && (value === '' || value === '$')) {
      refuse(`uses ${value === '' ? '$' : '$$'} at the top: write $states.input`);
    }
    if (type === 'function' && procedure?.type === 'variable') {
      if (procedure.value === 'eval') refuse('calls $eval, which Step Functions does not have');
      if (procedure.value === 'random' && ((current as Node).arguments?.length ?? 0) > 0) {
        refuse('calls $random with a seed, which this interpreter leaves out');
      }
    }
    for (const [key, child] of Object.entries(current)) {
      // Predicates and groupings look at the value they stand behind, not at an input document.
      visit(child, top && key !== 'predicate' && key !== 'stages' && key !== 'group');
    }
  };
  visit(node, true);
}

function checkStates(member: Node | undefined, reach: Reach, refuse: Refuse): void {
  if (member?.type !== 'name') return;
  const name = String(member.value);
  if (name === 'input' || name === 'context') return;
  if (name !== 'result' && name !== 'errorOutput') refuse(`uses $states.${name}, which does not exist`);
  if (name === 'result' && reach.result !== true)
    refuse('uses $states.result, which this field does not have');
  if (name === 'errorOutput' && reach.errorOutput !== true) {
    refuse('uses $states.errorOutput, which only Catch has');
  }
}
