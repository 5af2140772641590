// The SQS engine: fauxqs, embedded, on disk. Consumers take messages from its store directly, producers come over HTTP.
import { mkdirSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { buildApp } from 'fauxqs';
import type { Activity } from './activity.ts';
import type { Clock } from './clock.ts';
import { isDiskTrouble, type Trouble, troubleWith } from './disk.ts';

type Stores = NonNullable<NonNullable<Parameters<typeof buildApp>[0]>['stores']>;
type SqsStore = Stores['sqsStore'];
type Queue = NonNullable<ReturnType<SqsStore['getQueueByName']>>;
type Message = Queue['messages'][number];

/** One message as a consumer gets it. */
export interface Received {
  messageId: string;
  receiptHandle: string;
  body: string;
  md5OfBody: string;
  sentAt: number;
  firstReceivedAt: number;
  receiveCount: number;
  messageAttributes: Record<string, { StringValue?: string; BinaryValue?: string; DataType: string }>;
}

/** How a queue is drained. */
export interface Consumer {
  /** Most messages per call, at most 10. */
  batchSize: number;
  /** Most calls at the same time. */
  concurrency: number;
  /**
   * Resolves when there is somebody to take a batch. Until then messages stay in the queue, where a batch grows: AWS starts further
   * environments, one machine has no more of them than cores.
   */
  room?: () => Promise<void>;
  /** Gets 1..batchSize messages; returns the ids of those that failed. A rejection fails them all. */
  handle(messages: Received[]): Promise<Set<string>>;
}

/** A running SQS engine on 127.0.0.1. */
export interface Sqs {
  readonly endpoint: string;
  /**
   * Makes a queue, or gives a stored one today's attributes; its messages stay. `realDelays`: its delays pass in real time, as its
   * visibility does, because nobody jumps for its sake.
   */
  ensureQueue(queue: {
    name: string;
    arn: string;
    attributes: Record<string, string>;
    realDelays?: boolean;
  }): void;
  consume(arn: string, consumer: Consumer): void;
  /** Messages waiting, in hands and delayed. @throws Error for an unknown queue. */
  depth(name: string): { ready: number; inFlight: number; delayed: number };
  /** Called before every request with its action and the caller's user agent; true drops the request without an answer. */
  onRequest(hook: (action: string, userAgent: string) => boolean): void;
  /** Hands out no more messages; those handed out may still be finished. */
  pause(): void;
  stop(): Promise<void>;
}

/** A failed message comes back after this, whatever the queue's visibility timeout: nobody here waits three minutes for a retry. */
const RETRY_SECONDS = 1;

/** How long an idle consumer sleeps when nothing wakes it. */
const LONG_POLL_SECONDS = 20;

/** Starts the engine on its data directory. Port 0 takes any. */
export async function startSqs(options: {
  data: string;
  port?: number;
  region: string;
  activity: Activity;
  /** Delays of messages pass by this clock; without one in real time. */
  clock?: Pick<Clock, 'now' | 'at'>;
  /** Hears when the queues' file cannot be written, and when it can be again. */
  log?: (line: string) => void;
}): Promise<Sqs> {
  mkdirSync(options.data, { recursive: true });
  const trouble = troubleWith(`The file of the queues (${options.data})`, options.log ?? (() => {}));
  const { app, store, database, persistence } = await open(options.data, options.region);
  const torn = keepWorkingUnwritten(persistence, trouble);
  let drop: ((action: string, userAgent: string) => boolean) | undefined;
  app.addHook('onRequest', (request, reply, next) => {
    const action = String(request.headers['x-amz-target'] ?? '');
    if (drop?.(action, request.headers['user-agent'] ?? '')) {
      reply.hijack();
      request.raw.destroy();
      return;
    }
    next();
  });
  const endpoint = await app.listen({ host: '127.0.0.1', port: options.port ?? 0 });
  const consumed = new Map<string, Queue>();
  let paused = false;
  let closed = false;

  options.activity.alsoBusy(() => {
    for (const queue of consumed.values())
      if (queue.messages.length > 0 || queue.inflightMessages.size > 0) return true;
    return false;
  });

  const inOneCommit = <T>(work: () => T): T => {
    database.exec('BEGIN');
    torn.begin();
    try {
      return work();
    } finally {
      keep();
    }
  };

  /**
   * fauxqs has changed its memory already: keeping both alike is worth more than undoing the file. But where it took a
   * part only, an older file is the better one: what is done then comes again after a restart, nothing is lost.
   */
  const keep = (): void => {
    try {
      if (torn.end()) return;
      database.exec('COMMIT');
      trouble.worked();
    } catch (error) {
      if (!isDiskTrouble(error)) throw error;
      trouble.failed(error);
    } finally {
      if (database.isTransaction) database.exec('ROLLBACK');
    }
  };

  const take = (queue: Queue, most: number): Received[] =>
    inOneCommit(() => queue.dequeue(most, undefined, (arn) => store.getQueueByArn(arn))).map((message) => {
      const held = queue.inflightMessages.get(message.ReceiptHandle)?.message;
      return {
        messageId: message.MessageId,
        receiptHandle: message.ReceiptHandle,
        body: message.Body,
        md5OfBody: message.MD5OfBody,
        sentAt: held?.sentTimestamp ?? Date.now(),
        firstReceivedAt: held?.approximateFirstReceiveTimestamp ?? Date.now(),
        receiveCount: held?.approximateReceiveCount ?? 1,
        messageAttributes: message.MessageAttributes ?? {},
      };
    });

  const work = async (queue: Queue, consumer: Consumer, batch: Received[]): Promise<void> => {
    const end = options.activity.begin();
    try {
      const failed = await consumer
        .handle(batch)
        .catch(() => new Set(batch.map((message) => message.messageId)));
      if (closed) return;
      inOneCommit(() => {
        for (const { messageId, receiptHandle } of batch) {
          if (!failed.has(messageId)) queue.deleteMessage(receiptHandle);
          else queue.changeVisibility(receiptHandle, RETRY_SECONDS);
        }
      });
    } finally {
      end();
    }
  };

  const drain = async (queue: Queue, consumer: Consumer): Promise<void> => {
    let running = 0;
    let freed: (() => void) | undefined;
    for (;;) {
      if (paused) return;
      if (running >= consumer.concurrency) {
        await new Promise<void>((resolve) => (freed = resolve));
        continue;
      }
      if (consumer.room && hasWork(queue)) await consumer.room();
      if (paused) return;
      const batch = hasWork(queue) ? take(queue, consumer.batchSize) : [];
      if (batch.length === 0) {
        // What moved to the dead-letter queue just now may have been the last thing to wait for.
        options.activity.check();
        await queue.waitForMessages(LONG_POLL_SECONDS);
        continue;
      }
      running += 1;
      void work(queue, consumer, batch).finally(() => {
        running -= 1;
        freed?.();
      });
    }
  };

  return {
    endpoint,
    ensureQueue({ name, arn, attributes, realDelays = false }) {
      // createQueue replaces the stored row and its messages with it, so only for a queue that is not there yet.
      const stored = store.getQueueByName(name);
      const queue =
        stored ?? store.createQueue(name, `${endpoint}/${arn.split(':')[4]}/${name}`, arn, attributes);
      if (stored) stored.setAttributes(attributes);
      const change = queue.changeVisibility.bind(queue);
      // fauxqs 2.4.1 loses a message whose visibility is set to 0 while it persists.
      queue.changeVisibility = (handle, seconds) => change(handle, Math.max(RETRY_SECONDS, seconds));
      if (options.clock && !realDelays) delayBy(queue, options.clock);
    },
    consume(arn, consumer) {
      const queue = store.getQueueByArn(arn);
      if (!queue) throw new Error(`There is no queue ${arn} to consume.`);
      consumed.set(arn, queue);
      void drain(queue, consumer);
    },
    depth(name) {
      const queue = store.getQueueByName(name);
      if (!queue) throw new Error(`There is no queue ${name}.`);
      queue.processTimers();
      return {
        ready: queue.messages.length,
        inFlight: queue.inflightMessages.size,
        delayed: queue.delayedMessages.length,
      };
    },
    onRequest(hook) {
      drop = hook;
    },
    pause() {
      paused = true;
      store.shutdown();
    },
    async stop() {
      paused = true;
      closed = true;
      store.shutdown();
      await app.close();
    },
  };
}

/**
 * Lets a queue's delays pass by a clock that can jump. A message keeps the instant it is due at, in the clock's time, in memory and on
 * disk; fauxqs would compare it with real time, so its own look at delayed messages is replaced. Visibility stays real time.
 */
function delayBy(queue: Queue, clock: Pick<Clock, 'now' | 'at'>): void {
  const enqueue = queue.enqueue.bind(queue);
  const processTimers = queue.processTimers.bind(queue);
  const waits = (message: Message): boolean =>
    message.delayUntil !== undefined &&
    message.approximateReceiveCount === 0 &&
    message.delayUntil > clock.now();
  const arm = (message: Message): void => {
    if (message.delayUntil !== undefined) clock.at(message.delayUntil, () => queue.processTimers());
  };
  queue.processTimers = () => {
    const all = queue.delayedMessages;
    queue.delayedMessages = [];
    processTimers();
    const due = all.filter((message) => !waits(message));
    queue.delayedMessages = all.filter(waits);
    if (due.length === 0) return;
    queue.messages.push(...due);
    queue.cancelWaiters();
  };
  queue.enqueue = (message) => {
    if (message.delayUntil === undefined || message.approximateReceiveCount > 0)
      return enqueue({ ...message, delayUntil: undefined });
    const held = { ...message, delayUntil: clock.now() + message.delayUntil - message.sentTimestamp };
    queue.persistence?.insertMessage(queue.name, held);
    queue.delayedMessages.push(held);
    arm(held);
  };
  // Of an earlier run: fauxqs has sorted them by real time.
  const stored = [...queue.messages, ...queue.delayedMessages];
  queue.messages = stored.filter((message) => !waits(message));
  queue.delayedMessages = stored.filter(waits);
  for (const message of queue.delayedMessages) arm(message);
}

/** dequeue costs a commit even when it finds nothing; long polling wakes often. */
function hasWork(queue: Queue): boolean {
  queue.processTimers();
  return queue.messages.length > 0;
}

/**
 * Consumers go on from memory while the file takes nothing; a producer is refused, because nobody else has his message.
 * @returns brackets for what consumers do: `end` tells whether a write was left out since `begin`.
 */
function keepWorkingUnwritten(
  persistence: Persistence,
  trouble: Trouble,
): { begin: () => void; end: () => boolean } {
  let consuming = false;
  let left = false;
  const guarded =
    <A extends unknown[]>(write: (...args: A) => void) =>
    (...args: A): void => {
      try {
        write(...args);
      } catch (error) {
        if (!isDiskTrouble(error)) throw error;
        trouble.failed(error);
        if (!consuming) throw error;
        left = true;
      }
    };
  persistence.insertMessage = guarded(persistence.insertMessage.bind(persistence));
  persistence.deleteMessage = guarded(persistence.deleteMessage.bind(persistence));
  persistence.updateMessageInflight = guarded(persistence.updateMessageInflight.bind(persistence));
  return {
    begin() {
      consuming = true;
      left = false;
    },
    end() {
      consuming = false;
      return left;
    },
  };
}

type Persistence = NonNullable<SqsStore['persistence']>;

/** A module inside fauxqs 2.4.1, which exports its app only. */
async function part<T>(path: string): Promise<T> {
  const module: unknown = await import(
    new URL(`../../node_modules/fauxqs/dist/${path}`, import.meta.url).href
  );
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the version is pinned and the tests run through it
  return module as T;
}

/**
 * Puts fauxqs together from its parts. Its own start function cannot be used: it listens on all interfaces, and it
 * commits every message with an fsync, which guards against a power cut and not against a kill.
 */
async function open(data: string, region: string) {
  const { SqsStore } = await part<{ SqsStore: new () => SqsStore }>('sqs/sqsStore.js');
  const { SnsStore } = await part<{ SnsStore: new () => Stores['snsStore'] }>('sns/snsStore.js');
  const { S3Store } = await part<{ S3Store: new () => Stores['s3Store'] }>('s3/s3Store.js');
  const { PersistenceManager } = await part<{ PersistenceManager: new (directory: string) => Persistence }>(
    'persistence.js',
  );
  const stores: Stores = { sqsStore: new SqsStore(), snsStore: new SnsStore(), s3Store: new S3Store() };
  const store = stores.sqsStore;
  store.region = region;
  const persistence = new PersistenceManager(data);
  const database: unknown = Reflect.get(persistence, 'db'); // private to TypeScript only
  if (!(database instanceof DatabaseSync)) throw new Error('fauxqs keeps its database elsewhere now.');
  database.exec('PRAGMA synchronous = NORMAL');
  // Whoever had messages in his hands died with the last process: give them back now, not when their visibility ends.
  database.exec('UPDATE sqs_messages SET receipt_handle = NULL, visibility_deadline = NULL');
  // Loading before the store knows its file: otherwise each loaded queue is written again, which deletes its messages.
  persistence.loadSqsAndSns(store, stores.snsStore);
  store.persistence = persistence;
  for (const queue of store.allQueues()) queue.persistence = persistence;
  const app = buildApp({ logger: false, defaultRegion: region, stores });
  app.addHook('onClose', (_, done) => {
    persistence.close();
    done();
  });
  return { app, store, database, persistence };
}
