/** Task tokens: they name the execution and step they belong to and are signed, so no table of tokens is needed. */
import { createHmac, timingSafeEqual } from 'node:crypto';

const shape = /^xnt1\.([0-9a-z]{1,11})\.([0-9a-z]{1,11})\.([\w-]{43})$/;

/** Writes the token of one step of one execution. */
export function writeToken(key: Buffer, execution: number, step: number): string {
  const name = `xnt1.${execution.toString(36)}.${step.toString(36)}`;
  return `${name}.${sign(key, name)}`;
}

/** What a token names; `forged` when it has the shape but not our signature, undefined when it is no token at all. */
export function readToken(
  key: Buffer,
  token: string,
): { execution: number; step: number } | 'forged' | undefined {
  const found = shape.exec(token);
  if (found === null) return undefined;
  const [, execution = '', step = '', signature = ''] = found;
  const expected = sign(key, `xnt1.${execution}.${step}`);
  if (!timingSafeEqual(Buffer.from(signature), Buffer.from(expected))) return 'forged';
  return { execution: Number.parseInt(execution, 36), step: Number.parseInt(step, 36) };
}

function sign(key: Buffer, name: string): string {
  return createHmac('sha256', key).update(name).digest('base64url');
}
