import * as z from 'zod';
import type { Clock } from '#shared/ports/clock.ts';
import { codeOf } from './vendor-call.ts';

/** What a vendor gives for the account's secret: a token, and for how many seconds it holds. */
export type Grant = { token: string; seconds: number };

const grantSchema = z
  .object({ errcode: z.literal(0), access_token: z.string().min(1), expires_in: z.int().positive() })
  .transform((given): Grant => ({ token: given.access_token, seconds: given.expires_in }));
/** The token in an answer to `gettoken`, which looks the same at WeCom and DingTalk; undefined if there is none. */
export const grantIn = (json: unknown): Grant | undefined => grantSchema.safeParse(json).data;

/** There was no token, so nothing was sent. `said`: the vendor itself refused it, with `code`; otherwise `code` is the socket's. */
export class NoToken extends Error {
  override name = 'NoToken';
  readonly code: string;
  readonly said: boolean;

  constructor(code: string, said: boolean) {
    super(`no access token (${code})`);
    this.code = code;
    this.said = said;
  }
}

/** Tokens of one account at a vendor that wants one with every call. */
export type AccessTokens<Account> = {
  /**
   * Calls with the token in force. An answer that says the token is dead has surely sent nothing: it is fetched anew and called again,
   * once. `signal` is of the whole; who joins a fetch under way shares its fate.
   * @throws NoToken, or whatever `call` rejects with.
   */
  use<Answer>(
    account: Account,
    signal: AbortSignal,
    call: (token: string) => Promise<Answer>,
    isDead: (answer: Answer) => boolean,
  ): Promise<Answer>;
};

/** A token is renewed this long before its end, so that none dies on its way. */
const EARLY_MS = 60_000;

/**
 * Keeps one account's token in this process and fetches it at most once at a time. Not shared over the table: both vendors that need one
 * (WeCom, DingTalk) give every asker the same token while it holds, so that several environments do not end each other's, and an
 * environment asks once in two hours.
 *
 * @param grant rejects with NoToken when the vendor refuses.
 */
export const accessTokens = <Account>(
  clock: Clock,
  grant: (account: Account, signal: AbortSignal) => Promise<Grant>,
): AccessTokens<Account> => {
  let held: { of: string; token: string; until: number } | undefined;
  let fetching: { of: string; token: Promise<string> } | undefined;

  async function fetched(account: Account, of: string, signal: AbortSignal): Promise<string> {
    try {
      const { token, seconds } = await grant(account, signal);
      held = { of, token, until: clock.now().getTime() + seconds * 1_000 - EARLY_MS };
      return token;
    } catch (error) {
      throw error instanceof NoToken ? error : new NoToken(codeOf(error), false);
    } finally {
      fetching = undefined;
    }
  }

  function current(account: Account, signal: AbortSignal): Promise<string> {
    // A rotated secret is another account.
    const of = JSON.stringify(account);
    if (held?.of === of && clock.now().getTime() < held.until) return Promise.resolve(held.token);
    if (fetching?.of !== of) fetching = { of, token: fetched(account, of, signal) };
    return fetching.token;
  }

  return {
    async use(account, signal, call, isDead) {
      const token = await current(account, signal);
      const answer = await call(token);
      if (!isDead(answer)) return answer;
      // Somebody else may have renewed it meanwhile.
      if (held?.token === token) held = undefined;
      return call(await current(account, signal));
    },
  };
};
