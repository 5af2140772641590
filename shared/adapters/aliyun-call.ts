import * as z from 'zod';
import type { Clock } from '#shared/ports/clock.ts';
import type { Ids } from '#shared/ports/ids.ts';
import type { Inbound } from '#shared/ports/sender.ts';
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

/** Chinese time without an offset, as Aliyun writes it. */
export const chinaTimeSchema = z.string().regex(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);

/** The instant of such a time. */
export const chinaTime = (text: string): Date => new Date(`${text.replace(' ', 'T')}+08:00`);

/**
 * The readable entries of a posted JSON array. An unreadable one is handed on as a sentence that names fields and no values.
 * @throws z.ZodError or SyntaxError when the body is no JSON array at all.
 */
export const entriesOf = (
  body: string,
  schemaOf: (entry: unknown) => z.ZodType<Inbound | Inbound[]>,
  onUnreadable: (sentence: string) => void,
): Inbound[] =>
  z
    .array(z.unknown())
    .parse(JSON.parse(body))
    .flatMap((entry) => {
      const read = schemaOf(entry).safeParse(entry);
      if (read.success) return read.data;
      onUnreadable(read.error.issues.map((i) => `${i.path.join('.') || 'entry'}: ${i.message}`).join('; '));
      return [];
    });
