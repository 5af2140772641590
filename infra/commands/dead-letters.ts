import {
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';

/** What came of sending dead letters again. `kept`: could not be sent, still in the dead-letter queue. */
export interface Redriven {
  sent: number;
  kept: { messageId: string; why: string }[];
}

const BATCH = 10;
/** A message that could not be sent comes back after this; long enough not to meet it again in the same run. Seconds. */
const HIDDEN_SECONDS = 120;
/** Long polling asks all of AWS's servers; a short one may find nothing although something is there. Seconds. */
const PATIENCE_SECONDS = 1;

/**
 * Moves messages from a dead-letter queue to its work queue: sends, then deletes what was sent, so that a crash between
 * the two doubles a message and loses none. Doubles are harmless: every consumer looks into the table first.
 * @param max most messages; by itself it ends when the dead-letter queue gives no more
 */
export const redrive = async (
  sqs: SQSClient,
  { dead, work }: { dead: string; work: string },
  max = Number.POSITIVE_INFINITY,
): Promise<Redriven> => {
  const done: Redriven = { sent: 0, kept: [] };
  while (done.sent + done.kept.length < max) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: dead,
        MaxNumberOfMessages: Math.min(BATCH, max - done.sent - done.kept.length),
        VisibilityTimeout: HIDDEN_SECONDS,
        WaitTimeSeconds: PATIENCE_SECONDS,
        MessageAttributeNames: ['All'],
      }),
    );
    if (Messages.length === 0) break;
    for (const { Body, MessageAttributes, MessageId = '?', ReceiptHandle } of Messages) {
      try {
        await sqs.send(new SendMessageCommand({ QueueUrl: work, MessageBody: Body, MessageAttributes }));
      } catch (error) {
        done.kept.push({ messageId: MessageId, why: error instanceof Error ? error.message : String(error) });
        continue;
      }
      await sqs.send(new DeleteMessageCommand({ QueueUrl: dead, ReceiptHandle }));
      done.sent += 1;
    }
  }
  return done;
};
