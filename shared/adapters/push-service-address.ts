import { isPushService } from '../domain/push-service.ts';
import { outsideAddress } from './outside-address.ts';

/**
 * The address of a browser's subscription, if it may be posted to: https at a push service's own name and port, and nothing else, because
 * whoever is signed in can say what he likes. `plainOrigins`: emulations, where all vendors are some; none in service.
 */
export const pushServiceAddress = (endpoint: string, plainOrigins: readonly string[]): URL | undefined => {
  const url = outsideAddress(endpoint, plainOrigins);
  if (!url || plainOrigins.includes(url.origin)) return url;
  return url.port === '' && isPushService(url.hostname) ? url : undefined;
};
