import { givenSecrets, SECRET_CACHE_MS } from '#shared/adapters/secrets.ts';
import { tableStore } from '#shared/adapters/store.ts';
import { issueToken } from '#shared/adapters/tokens.ts';
import type { Member } from '#shared/domain/roster.ts';
import type { Bearer } from '#shared/ports/sign-in.ts';
import { main, text, type Command } from './command.ts';
import { completeSecret } from './installation.ts';
import { Refused, WrongInput } from './refused.ts';
import { MAX_TOKEN_HOURS, madeAt } from './secret-rotation.ts';

const DEFAULT_HOURS = 12;

/**
 * For whom a token is made out. Duty officers hold desk tokens and everybody else member tokens (rules §1); a duty
 * officer may ask for less. @throws Refused, with a sentence
 */
export const bearerOf = (
  roster: readonly Member[],
  wanted: { member?: string | undefined; role?: Bearer['kind'] | undefined },
): Bearer => {
  if (wanted.member === undefined) return { kind: 'desk', id: 'desk' };
  const member = roster.find(({ id }) => id === wanted.member);
  if (!member)
    throw new Refused(`${wanted.member} is not on the roster. 'npm run roster -- show' lists everybody.`);
  if (wanted.role === 'desk' && member.role !== 'duty')
    throw new Refused(`${member.id} is ${member.role}: only duty officers get a desk token.`);
  return { kind: wanted.role ?? (member.role === 'duty' ? 'desk' : 'member'), id: member.id };
};

/** `npm run token`: signs somebody in. */
export const token: Command = {
  name: 'token',
  about: 'Prints a bearer token for a person of the roster, or for the desk.',
  usage: [
    `--member ID [--hours ${DEFAULT_HOURS}] [--role desk|member] [--stack NAME | --data DIR]`,
    `--role desk [--hours ${DEFAULT_HOURS}] [--stack NAME | --data DIR]`,
  ],
  more: [
    `Duty officers get a desk token, all others a member token; it lives 1 to ${MAX_TOKEN_HOURS} hours and cannot be taken back alone`,
    "('npm run secret -- rotate-tokens --at-once' ends all). 'npm run -s token -- …' prints nothing but the token.",
    '',
  ],
  options: { member: { type: 'string' }, hours: { type: 'string' }, role: { type: 'string' } },
  async run(call) {
    const [extra] = call.positionals;
    if (extra !== undefined)
      throw new WrongInput(`'${extra}' is one word too many; name people by --member.`);
    const member = text(call, 'member');
    const role = text(call, 'role');
    if (role !== undefined && role !== 'desk' && role !== 'member')
      throw new WrongInput(`--role is desk or member, not '${role}'.`);
    if (member === undefined && role !== 'desk')
      throw new WrongInput('For whom? Name a person by --member, or the desk by --role desk.');
    const given = text(call, 'hours') ?? String(DEFAULT_HOURS);
    const hours = Number(given);
    if (!/^\d+(\.\d+)?$/.test(given) || hours < 1 || hours > MAX_TOKEN_HOURS)
      throw new WrongInput(`--hours takes a number from 1 to ${MAX_TOKEN_HOURS}, not '${given}'.`);
    const installation = await call.connect({ stack: text(call, 'stack'), data: text(call, 'data') });
    try {
      const secret = await completeSecret(installation);
      const people = await tableStore(installation.table, givenSecrets(secret)).roster();
      const { kind, id } = bearerOf(people, { member, role });
      const now = await installation.now();
      const { district } = installation;
      call.terminal.out(
        await issueToken(secret, { sub: id, role: kind, district, hours }, { now: () => now }),
      );
      const until = new Date(now.getTime() + hours * 3_600_000).toISOString();
      call.terminal.err(`A ${kind} token of ${district} for ${id}, until ${until}.`);
      const known = (madeAt(secret.jwt.kid)?.getTime() ?? 0) + SECRET_CACHE_MS;
      if (now.getTime() < known)
        call.terminal.err(
          `The signing key is new: the token works from ${new Date(known).toISOString()} on.`,
        );
    } finally {
      installation.close();
    }
  },
};

if (import.meta.main) await main(token);
