import type { Clock } from '#shared/ports/clock.ts';
import type { Ids } from '#shared/ports/ids.ts';
import { acs3Headers, canonicalQuery } from './acs3-signature.ts';
import { callVendor, type Reply } from './vendor-call.ts';

/** An access key of an Aliyun account. */
export type AliyunKey = { accessKeyId: string; accessKeySecret: string };

/** Where Aliyun is called and what its signature needs. */
export type AliyunSurroundings = { endpoint: string; clock: Clock; ids: Pick<Ids, 'nonce'> };

/**
 * Calls actions of one RPC-style API of Aliyun, signed. Parameters go in the query: that is where the APIs' metadata puts them. The
 * returned function rejects on a time-out or a broken socket.
 */
export const aliyunCaller = (around: AliyunSurroundings, version: string) => {
  const endpoint = new URL(around.endpoint);
  return (
    key: AliyunKey,
    action: string,
    query: Record<string, string>,
    signal: AbortSignal,
  ): Promise<Reply> => {
    const headers = acs3Headers(
      {
        method: 'POST',
        host: endpoint.host,
        action,
        version,
        query,
        nonce: around.ids.nonce(),
        date: around.clock.now(),
      },
      key,
    );
    const url = `${endpoint.origin}${endpoint.pathname.replace(/\/$/, '')}/?${canonicalQuery(query)}`;
    return callVendor(url, { method: 'POST', headers, signal });
  };
};
