import { ECDH } from 'node:crypto';
import type { Subscription } from '../contracts/push.ts';
import { pushServiceAddress } from './push-service-address.ts';

/**
 * Which part of a browser's subscription cannot be used, if any: an address that is no push service's (`endpoint`), or a key that is no point
 * of the curve (`keys`).
 */
export const subscriptionFault = (
  { endpoint, keys }: Subscription,
  plainOrigins: readonly string[],
): 'endpoint' | 'keys' | undefined => {
  if (!pushServiceAddress(endpoint, plainOrigins)) return 'endpoint';
  try {
    ECDH.convertKey(keys.p256dh, 'prime256v1', 'base64url', 'hex', 'compressed');
    return undefined;
  } catch {
    return 'keys';
  }
};
