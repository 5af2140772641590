import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { districtSecretSchema } from '../contracts/secret.ts';
import type { DistrictSecret } from '../contracts/secret.ts';

/** A webhook key of 32 random bytes, for a new district or as the next key of a rotation. */
export const newWebhookKey = (): `whsec_${string}` => `whsec_${randomBytes(32).toString('base64')}`;

/** A fresh ES256 key pair for tokens, named `kid`. */
export const newTokenKey = (kid: string): { kid: string; privateJwk: object; publicJwk: object } => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    kid,
    privateJwk: privateKey.export({ format: 'jwk' }),
    publicJwk: { ...publicKey.export({ format: 'jwk' }), kid },
  };
};

/** The sections of a secret that hold an account with a vendor. */
export type VendorAccounts = Pick<
  DistrictSecret,
  'tencentSms' | 'aliyunVoice' | 'sns' | 'webhook' | 'centre110' | 'wecom' | 'dingtalk' | 'jpush' | 'webpush'
>;

/** A district's first secret: everything random, the vendors' keys as given by the vendors. */
export const newDistrictSecret = (
  aliyunSms: DistrictSecret['aliyunSms'],
  others: VendorAccounts = {},
): DistrictSecret => {
  const { kid, privateJwk, publicJwk } = newTokenKey('t1');
  return districtSecretSchema.parse({
    webhookKeys: [newWebhookKey()],
    jwt: { kid, privateJwk, publicJwks: [publicJwk] },
    aliyunSms,
    ...others,
    receiptToken: randomBytes(24).toString('base64url'),
    dataKeys: { current: 'k1', keys: { k1: randomBytes(32).toString('base64') } },
    pepper: randomBytes(32).toString('base64'),
  });
};
