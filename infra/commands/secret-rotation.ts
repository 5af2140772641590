import { SECRET_CACHE_MS } from '#shared/adapters/secrets.ts';
import { accountSectionSchema, districtSecretSchema, type DistrictSecret } from '#shared/contracts/secret.ts';
import { Refused } from './refused.ts';

/** The longest a token may live: one long weekend. */
export const MAX_TOKEN_HOURS = 72;
const HOUR_MS = 3_600_000;

/**
 * A function reads the secret again after five minutes, so a key that others begin to use must have been there for so
 * long. @throws Refused that says until when to wait
 */
export const settled = (changedAt: Date, now: Date): void => {
  const from = changedAt.getTime() + SECRET_CACHE_MS;
  if (now.getTime() >= from) return;
  const left = Math.ceil((from - now.getTime()) / 1000);
  throw new Refused(
    `The secret was changed less than five minutes ago and is not known everywhere yet. Try again in ${left} seconds.`,
  );
};

/** Adds the next webhook key beside the current one: both are accepted. */
export const beginWebhook = (
  secret: DistrictSecret,
  next: DistrictSecret['webhookKeys'][number],
): DistrictSecret => {
  if (secret.webhookKeys.length > 1)
    throw new Refused('A rotation is under way already; end it with --finish or --cancel.');
  return { ...secret, webhookKeys: [...secret.webhookKeys, next] };
};

/** Forgets the current webhook key; the next one is the current one from now on. */
export const finishWebhook = (secret: DistrictSecret): DistrictSecret => {
  const [, ...rest] = secret.webhookKeys;
  if (rest.length === 0) throw new Refused('No rotation is under way.');
  return { ...secret, webhookKeys: rest };
};

/** Forgets the next webhook key again. */
export const cancelWebhook = (secret: DistrictSecret): DistrictSecret => {
  if (secret.webhookKeys.length < 2) throw new Refused('No rotation is under way.');
  return { ...secret, webhookKeys: secret.webhookKeys.slice(0, 1) };
};

/** Names a signing key by the second of its making, so that its age is known wherever its name is. */
export const tokenKeyName = (now: Date): string => `t${now.toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;

/** When a signing key was made; undefined for a district's first one. */
export const madeAt = (kid: string): Date | undefined => {
  const parts = /^t(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(kid);
  if (!parts) return undefined;
  const [, year, month, day, hour, minute, second] = parts.map(Number);
  return new Date(Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second));
};

/**
 * Signs with a new key. Older ones go on verifying for as long as a token of theirs may live; `atOnce` forgets them
 * now, and with them every token.
 */
export const rotateTokens = (
  secret: DistrictSecret,
  next: { kid: string; privateJwk: object; publicJwk: object },
  now: Date,
  { atOnce = false } = {},
): DistrictSecret => {
  const old = atOnce
    ? []
    : secret.jwt.publicJwks.filter((_, i) => {
        // Newest first: a key was in use until the one before it in the list was made.
        const successor = secret.jwt.publicJwks[i - 1];
        const endedAt = (successor && madeAt(successor.kid)) ?? now;
        return now.getTime() - endedAt.getTime() < MAX_TOKEN_HOURS * HOUR_MS;
      });
  if (old.some(({ kid }) => kid === next.kid))
    throw new Refused('The signing key was changed in this very second.');
  const { kid, privateJwk, publicJwk } = next;
  return districtSecretSchema.parse({ ...secret, jwt: { kid, privateJwk, publicJwks: [publicJwk, ...old] } });
};

const numberOf = (id: string): number => Number(/^k(\d+)$/.exec(id)?.[1] ?? 0);
const newest = ({ dataKeys }: DistrictSecret): string =>
  Object.keys(dataKeys.keys).toSorted((a, b) => numberOf(b) - numberOf(a))[0] ?? dataKeys.current;
const pendingKey = (secret: DistrictSecret): string | undefined =>
  numberOf(newest(secret)) > numberOf(secret.dataKeys.current) ? newest(secret) : undefined;

/** Adds a data key that is not used yet: whoever seals with it must be sure that everybody can open. */
export const beginData = (secret: DistrictSecret, key: string): DistrictSecret => {
  const pending = pendingKey(secret);
  if (pending !== undefined)
    throw new Refused(`The data key ${pending} waits to be used; go on with --finish.`);
  const id = `k${numberOf(newest(secret)) + 1}`;
  return { ...secret, dataKeys: { ...secret.dataKeys, keys: { ...secret.dataKeys.keys, [id]: key } } };
};

/** Seals with the newest data key from now on; older ones still open what they sealed. */
export const finishData = (secret: DistrictSecret): DistrictSecret => {
  const current = pendingKey(secret);
  if (current === undefined) throw new Refused('No data key waits to be used; begin with rotate-data alone.');
  return { ...secret, dataKeys: { ...secret.dataKeys, current } };
};

/** Forgets a data key, and with it for ever what it sealed. */
export const eraseData = (secret: DistrictSecret, id: string): DistrictSecret => {
  const { current, keys } = secret.dataKeys;
  if (!Object.hasOwn(keys, id))
    throw new Refused(`There is no data key '${id}'; there are ${Object.keys(keys).join(', ')}.`);
  if (id === current) throw new Refused(`${id} is the data key in use; rotate first, then erase it.`);
  return {
    ...secret,
    dataKeys: { current, keys: Object.fromEntries(Object.entries(keys).filter(([name]) => name !== id)) },
  };
};

/** What a secret holds: names, numbers and states, never a value. */
export const fieldsOf = (secret: DistrictSecret): string[] => {
  const { webhookKeys, jwt, dataKeys } = secret;
  const pending = pendingKey(secret);
  return [
    `webhookKeys   ${webhookKeys.length} (${webhookKeys.length > 1 ? 'a rotation is under way: current and next' : 'no rotation under way'})`,
    `jwt           signs with ${jwt.kid}; verifies ${jwt.publicJwks.map(({ kid }) => kid).join(', ')}`,
    ...accountSectionSchema.options.flatMap((section) => {
      const account = secret[section];
      return account ? [`${section.padEnd(13)} ${Object.keys(account).join(', ')}`] : [];
    }),
    `secondOpinion ${secret.secondOpinion ? 'apiKey' : 'not set: nobody is asked'}`,
    'receiptToken  set',
    `dataKeys      seals with ${dataKeys.current}; opens ${Object.keys(dataKeys.keys).join(', ')}${pending ? `; ${pending} waits to be used` : ''}`,
    'pepper        set',
  ];
};
