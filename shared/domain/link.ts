import * as z from 'zod';
import { OVER, personOf, type Incident } from './incident.ts';

/** Links of a district: a registered domain of its own, or none. */
export const linksSchema = z
  .strictObject({
    /** Registered (ICP) and approved by the vendors, such as t.example.gov.cn. Absent: texts hold no links, only codes to reply. */
    domain: z
      .string()
      .regex(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/, 'a domain looks like t.example.gov.cn')
      .optional(),
    /** Whom somebody telephones whose link is dead: the desk, as it may stand on a page that anybody can open. */
    desk: z
      .string()
      .regex(/^\d[\d-]{2,15}$/, 'a telephone number has digits and hyphens')
      .optional(),
  })
  .prefault({});

/** Digits of a token: 62 to the power of 11 is 65 bits. */
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const LENGTH = 11;
/** What a token looks like. */
export const tokenSchema = z.string().regex(/^[0-9A-Za-z]{11}$/);

/**
 * A path token of 65 bits, ≤ 12 characters. Made from at least 16 keyed or random bytes: made from a keyed hash it is the same every
 * time the notice is worded, and nobody without the key can foresee it.
 */
export const tokenFrom = (bytes: Uint8Array): string => {
  let rest = BigInt(`0x${Buffer.from(bytes.subarray(0, 16)).toString('hex')}`);
  let token = '';
  for (let i = 0; i < LENGTH; i += 1) {
    token += DIGITS[Number(rest % 62n)] ?? '0';
    rest /= 62n;
  }
  return token;
};

/** The memo that tells where a link leads: under the token's keyed hash, so that nobody who reads the table can open it. */
export const linkName = (tokenHash: string): string => `LINK-${tokenHash}`;

/** Six digits from a keyed hash (base64url). */
export const pinFrom = (hash: string): string =>
  String(Buffer.from(hash, 'base64url').readUIntBE(0, 6) % 1_000_000).padStart(6, '0');

/** What stands behind a task's link, under the token's hash. Devices by the hash of the secret that each made for itself. */
const taskLinkSchema = z.object({
  incident: z.string(),
  member: z.string(),
  devices: z.array(z.string()),
  /** For a further device: the notice that brought its code, how often it was guessed, and until when it holds. */
  pin: z.object({ notice: z.string(), tries: z.int(), until: z.int() }).optional(),
});
/** What stands behind a task's link. */
export type TaskLink = z.infer<typeof taskLinkSchema>;
/** What stands behind the link of a drill: nothing but that it has reached this person. */
const drillLinkSchema = z.object({ drill: z.string(), member: z.string() });
/** What stands behind a link. */
export const linkSchema = z.union([taskLinkSchema, drillLinkSchema]);
/** What stands behind a link. */
export type Link = z.infer<typeof linkSchema>;

/**
 * Does the link still lead anywhere? It is dead as soon as the incident is over, or given to somebody else. Reopened, it is alive again for
 * whoever is asked or told once more: everybody else stays in the list of people, but has nothing to do with it.
 */
export const isAlive = (incident: Incident | undefined, { member }: Pick<TaskLink, 'member'>): boolean => {
  if (!incident || OVER.has(incident.state)) return false;
  const person = personOf(incident, member);
  if (!person || person.released) return false;
  return person.asked !== undefined || person.told.length > 0;
};

/** How long a link is kept, at most: it is dead at the close in any case. Milliseconds. */
export const LINK_MS = 30 * 86_400_000;
/** Guesses of one code. */
export const MOST_GUESSES = 5;
/** How long a code holds. Milliseconds. */
export const PIN_MS = 300_000;
/** Devices of one link: a phone and its replacement, not a whole office. */
export const MOST_DEVICES = 3;
