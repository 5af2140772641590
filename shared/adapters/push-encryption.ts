import { createCipheriv, createECDH, hkdfSync, randomBytes } from 'node:crypto';

/** Keys of a browser's subscription, base64url: its public key (65 bytes, uncompressed) and the secret it shares with us (16 bytes). */
export type SubscriptionKeys = { p256dh: string; auth: string };

/** What must be new for every message; given by tests that check a published example. */
export type Ephemeral = { privateKey: Buffer; salt: Buffer };

/** Size of a record; ours fit into one (4096 is what RFC 8291 §4 asks services to take). */
const RECORD = 4096;
/** Bytes of a message: a record without tag, end mark and the header before it. */
const MOST = RECORD - 16 - 1 - 86;

const derived = (secret: Buffer, salt: Buffer, info: Buffer | string, bytes: number): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, salt, info, bytes));

/**
 * Encrypts a push message for one browser: RFC 8291 over the content coding aes128gcm of RFC 8188. Written out because the library
 * `web-push` brings 116 KB into a function, sends to https only, and takes its time from no clock but the machine's.
 * @throws RangeError for a message of more than 3,993 bytes, or keys of the wrong size; an Error for a key that is no point of the curve.
 */
export const encryptPush = (text: string, keys: SubscriptionKeys, once?: Ephemeral): Buffer<ArrayBuffer> => {
  const browser = Buffer.from(keys.p256dh, 'base64url');
  const auth = Buffer.from(keys.auth, 'base64url');
  const plain = Buffer.from(text);
  if (browser.length !== 65 || auth.length !== 16) throw new RangeError('not the keys of a subscription');
  if (plain.length > MOST) throw new RangeError(`a push holds ${MOST} bytes`);

  const pair = createECDH('prime256v1');
  if (once) pair.setPrivateKey(once.privateKey);
  else pair.generateKeys();
  const ours = pair.getPublicKey();
  const salt = once?.salt ?? randomBytes(16);

  const info = Buffer.concat([Buffer.from('WebPush: info\0'), browser, ours]);
  const secret = derived(pair.computeSecret(browser), auth, info, 32);
  const key = derived(secret, salt, 'Content-Encoding: aes128gcm\0', 16);
  const nonce = derived(secret, salt, 'Content-Encoding: nonce\0', 12);
  const cipher = createCipheriv('aes-128-gcm', key, nonce);
  // 2: the last record.
  const sealed = [cipher.update(plain), cipher.update(Buffer.of(2)), cipher.final(), cipher.getAuthTag()];

  const size = Buffer.alloc(5);
  size.writeUInt32BE(RECORD);
  size.writeUInt8(ours.length, 4);
  return Buffer.concat([salt, size, ours, ...sealed]);
};
