import { SendMessageBatchCommand, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { LANES } from '../domain/notice.ts';
import type { Queues } from '../ports/queue.ts';

/** Queue URLs; a function has only those it sends to. */
export interface QueueUrls {
  reports?: string;
  links?: string;
  alerts?: string;
  chatter?: string;
  sweeps?: string;
}

const need = (url: string | undefined, name: string): string => {
  if (!url) throw new Error(`This function was given no URL of the queue '${name}'.`);
  return url;
};

/** The district's queues on SQS. Message bodies carry version 1. */
export const sqsQueues = (client: SQSClient, urls: QueueUrls): Queues => {
  const send = async (
    QueueUrl: string,
    bodies: readonly object[],
    delays: readonly number[],
  ): Promise<void> => {
    const entries = bodies.map((body, i) => ({
      MessageBody: JSON.stringify({ v: 1, ...body }),
      ...(delays[i] ? { DelaySeconds: delays[i] } : {}),
    }));
    const [only] = entries;
    if (entries.length === 1 && only) {
      await client.send(new SendMessageCommand({ QueueUrl, ...only }));
      return;
    }
    const refused: string[] = [];
    for (let i = 0; i < entries.length; i += 10) {
      const { Failed = [] } = await client.send(
        new SendMessageBatchCommand({
          QueueUrl,
          Entries: entries.slice(i, i + 10).map((entry, n) => ({ Id: String(n), ...entry })),
        }),
      );
      refused.push(...Failed.map(({ Code }) => Code ?? '?'));
    }
    // Told at the end, so that one refused message does not hold up those behind it.
    if (refused.length > 0) throw new Error(`SQS did not take ${refused.length} messages: ${refused[0]}`);
  };
  return {
    reports: (jobs) => send(need(urls.reports, 'reports'), jobs, []),
    links: (jobs) => send(need(urls.links, 'links'), jobs, []),
    async notices(jobs, delaySeconds = 0) {
      for (const lane of LANES) {
        const bodies = jobs
          .filter((job) => job.lane === lane)
          .map(({ owner, noticeId }) => ({ owner, noticeId }));
        if (bodies.length === 0) continue;
        await send(
          need(urls[lane], lane),
          bodies,
          bodies.map(() => delaySeconds),
        );
      }
    },
    sweeps: (delays) =>
      send(
        need(urls.sweeps, 'sweeps'),
        delays.map((after) => ({ after })),
        delays,
      ),
  };
};
