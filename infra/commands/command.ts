import { createInterface } from 'node:readline/promises';
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import { connect, WHERE_OPTIONS, type Connect } from './installation.ts';
import { Refused, WrongInput } from './refused.ts';

/** Who sits in front of a command: a person, a pipe or a test. */
export interface Terminal {
  /** What was asked for. */
  out(line: string): void;
  /** What is said about it: progress, warnings, faults. */
  err(line: string): void;
  /** Asks a yes-or-no question. Undefined: nobody is there to be asked. */
  confirm(question: string): Promise<boolean | undefined>;
}

/** What a command has been given, and what it works with. */
export interface Call {
  values: Record<string, string | boolean | undefined>;
  positionals: string[];
  terminal: Terminal;
  connect: Connect;
}

/** One command of the command line. */
export interface Command {
  name: string;
  /** One sentence: what it is for. */
  about: string;
  /** How to write it, one line per form. */
  usage: readonly string[];
  /** What else a person should know. */
  more?: readonly string[];
  options: ParseArgsOptionsConfig;
  /** Does what was asked; false when it found what it was looking for faults for. */
  run(call: Call): Promise<boolean | void>;
}

/** The option as text, if given. */
export const text = ({ values }: Call, name: string): string | undefined => {
  const value = values[name];
  return typeof value === 'string' ? value : undefined;
};

/** The person has to say yes, at the keyboard or by `--yes`. @throws Refused, or WrongInput when nobody can be asked. */
export const consent = async ({ values, terminal }: Call, question: string): Promise<void> => {
  if (values['yes'] === true) return;
  const answer = await terminal.confirm(question);
  if (answer === undefined)
    throw new WrongInput(`${question} Nobody is here to be asked: add --yes if that is meant.`);
  if (!answer) throw new Refused('Nothing was changed.');
};

const help = (command: Command): string[] => [
  command.about,
  '',
  ...command.usage.map((line) => `  npm run ${command.name} -- ${line}`),
  '',
  ...(command.more ?? []),
  '--stack NAME asks a deployed district (credentials and region from your AWS settings); --data DIR the one that',
  'runs on this machine (default .xiaonao).',
];

const FAILURES: Record<string, string> = {
  CredentialsProviderError: 'There are no AWS credentials here; set AWS_PROFILE, or sign in.',
  AccessDeniedException: 'Your AWS credentials may not do this',
  ExpiredTokenException: 'Your AWS credentials have expired; sign in again.',
};

const sentenceOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  if (error.message === 'Region is missing') return 'No AWS region is set; set AWS_REGION.';
  if (error instanceof Refused || error.name === 'Error') return error.message;
  const known = FAILURES[error.name];
  return known?.endsWith('.') ? known : `${known ?? error.name}: ${error.message}`;
};

/** Carries out a command line. @returns the exit code: 0 done, 1 failed or faults found, 2 not understood. */
export const execute = async (
  command: Command,
  args: string[],
  terminal: Terminal,
  connectTo: Connect = connect,
): Promise<number> => {
  try {
    let parsed;
    try {
      parsed = parseArgs({
        args,
        strict: true,
        allowPositionals: true,
        options: { ...WHERE_OPTIONS, help: { type: 'boolean', short: 'h' }, ...command.options },
      });
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      throw new WrongInput(`${said.split('. ')[0]?.replace(/\.$/, '')}.`);
    }
    if (parsed.values['help'] === true) {
      for (const line of help(command)) terminal.out(line);
      return 0;
    }
    const values = parsed.values as Call['values'];
    const fine = await command.run({ values, positionals: parsed.positionals, terminal, connect: connectTo });
    return fine === false ? 1 : 0;
  } catch (error) {
    if (!(error instanceof WrongInput)) {
      terminal.err(sentenceOf(error));
      return 1;
    }
    terminal.err(error.message);
    terminal.err(
      `Write:  ${command.usage.map((line) => `npm run ${command.name} -- ${line}`).join('\n   or:  ')}`,
    );
    return 2;
  }
};

const keyboard: Terminal = {
  out: (line) => console.log(line),
  err: (line) => console.error(line),
  async confirm(question) {
    if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined;
    const lines = createInterface({ input: process.stdin, output: process.stderr });
    try {
      return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `)).trim());
    } finally {
      lines.close();
    }
  },
};

/** The last line of every command file: runs it when the file was started, and not when a test reads it. */
export const main = async (command: Command): Promise<void> => {
  process.exitCode = await execute(command, process.argv.slice(2), keyboard);
};
