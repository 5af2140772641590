import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  randomBytes,
  timingSafeEqual,
  type KeyObject,
} from 'node:crypto';
import { sketchOf, sketchRuns } from '../domain/sketch.ts';
import { KeyErased, type Vault } from '../ports/vault.ts';

/** Data keys of a district: 32 bytes each in base64, by id; erasing one makes what it sealed unreadable for ever. */
export interface VaultKeys {
  dataKeys: { current: string; keys: Record<string, string> };
  /** Base64; the key of all history hashes. */
  pepper: string;
}

const IV_BYTES = 12;
const TAG_BYTES = 16;
const BLOCK_BYTES = 16;

const secretKey = (base64: string): KeyObject => createSecretKey(Buffer.from(base64, 'base64'));

/** A vault over the district's data keys (AES-256-GCM, random 96-bit nonce) and pepper (HMAC-SHA256). */
export const aesVault = ({ dataKeys, pepper }: VaultKeys): Vault => {
  // As key objects and not as bytes: making one takes Node four times as long as using it.
  const keys = new Map(Object.entries(dataKeys.keys).map(([id, text]) => [id, secretKey(text)]));
  const hashing = secretKey(pepper);
  const sketching = createSecretKey(createHmac('sha256', hashing).update('sketch').digest());
  const veiling = createSecretKey(createHmac('sha256', hashing).update('veil').digest());
  // The nonce is made from the text: the same text makes the same name, another text another nonce; and it proves the text (SIV).
  const nonceOf = (text: string): Buffer =>
    createHmac('sha256', hashing).update(`veil\n${text}`).digest().subarray(0, BLOCK_BYTES);
  const key = (id: string): KeyObject => {
    const found = keys.get(id);
    if (found === undefined)
      throw new KeyErased(`The data key '${id}' was erased: what it sealed cannot be read any more.`);
    return found;
  };
  return {
    seal(words, context) {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key(dataKeys.current), iv).setAAD(Buffer.from(context));
      const body = Buffer.concat([cipher.update(JSON.stringify(words), 'utf8'), cipher.final()]);
      return `${dataKeys.current}.${Buffer.concat([iv, body, cipher.getAuthTag()]).toString('base64')}`;
    },
    open(sealed, context) {
      const dot = sealed.indexOf('.');
      const bytes = Buffer.from(sealed.slice(dot + 1), 'base64');
      // Without a fixed length a cut-off tag of four bytes would pass for a whole one.
      const decipher = createDecipheriv(
        'aes-256-gcm',
        key(sealed.slice(0, dot)),
        bytes.subarray(0, IV_BYTES),
        { authTagLength: TAG_BYTES },
      )
        .setAAD(Buffer.from(context))
        .setAuthTag(bytes.subarray(-TAG_BYTES));
      const text = Buffer.concat([decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]);
      return JSON.parse(text.toString('utf8')) as unknown;
    },
    hash: (kind, value) => {
      // Spaces and case never make another person, but they do make another token.
      const exact = kind === 'link' || kind === 'pin';
      const plain = exact ? value : value.normalize('NFKC').replace(/\s+/gu, '').toLowerCase();
      return createHmac('sha256', hashing).update(`${kind}\n${plain}`).digest('base64url');
    },
    veil(text) {
      const nonce = nonceOf(text);
      const cipher = createCipheriv('aes-256-ctr', veiling, nonce);
      return Buffer.concat([nonce, cipher.update(text, 'utf8')]).toString('base64url');
    },
    unveil(veiled) {
      const bytes = Buffer.from(veiled, 'base64url');
      if (bytes.length <= BLOCK_BYTES) return undefined;
      const nonce = bytes.subarray(0, BLOCK_BYTES);
      const text = createDecipheriv('aes-256-ctr', veiling, nonce)
        .update(bytes.subarray(BLOCK_BYTES))
        .toString('utf8');
      return timingSafeEqual(nonce, nonceOf(text)) ? text : undefined;
    },
    sketch(text) {
      // AES as a keyed function of one block each: every run of characters becomes 16 bytes that nobody can turn back, all
      // in one call. A digest per run would take a thousand times as long.
      const runs = sketchRuns(text);
      const blocks = Buffer.alloc(runs.length * BLOCK_BYTES);
      for (const [i, run] of runs.entries()) blocks.writeUInt32LE(run, i * BLOCK_BYTES);
      const keyed = createCipheriv('aes-256-ecb', sketching, null).setAutoPadding(false).update(blocks);
      return sketchOf(Array.from(runs, (_, i) => keyed.readUInt32LE(i * BLOCK_BYTES)));
    },
  };
};
