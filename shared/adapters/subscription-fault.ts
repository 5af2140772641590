import { ECDH } from 'node:crypto';
import type { Subscription } from '../contracts/push.ts';
import { outsideAddress } from './outside-address.ts';

/**
 * Which part of a browser's subscription cannot be used, if any: an address that is no push service's outside (`endpoint`), or a key that is
 * no point of the curve (`keys`). A name that leads inside is stopped by TLS: nobody inside can prove that it is his.
 */
export const subscriptionFault = (
  { endpoint, keys }: Subscription,
  plainOrigins: readonly string[],
): 'endpoint' | 'keys' | undefined => {
  if (!outsideAddress(endpoint, plainOrigins)) return 'endpoint';
  try {
    ECDH.convertKey(keys.p256dh, 'prime256v1', 'base64url', 'hex', 'compressed');
    return undefined;
  } catch {
    return 'keys';
  }
};
