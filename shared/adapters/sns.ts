import type { Clock } from '#shared/ports/clock.ts';
import type { RefusalCause, Sender, SendRequest, SendResult } from '#shared/ports/sender.ts';
import { awsFormHeaders, type AwsCredentials } from './aws-signature.ts';
import { callVendor, refusedBy, unreadable, withoutAnswer, type Reply } from './vendor-call.ts';

/**
 * Where texts leave, not in the China partition, which has none over SNS; and what the phone shows as sender, in countries that
 * allow one.
 */
export type SnsAccount = { region: string; senderId?: string | undefined };

/** What the adapter is built from. */
export type SnsOptions = {
  /** `https://sns.<region>.amazonaws.com` in service. */
  endpoint: (region: string) => string;
  /** Asked before every call. */
  account: () => Promise<SnsAccount>;
  /** The function's own role. Asked before every call. */
  credentials: () => AwsCredentials;
  clock: Clock;
  /** Milliseconds for one `send`, in real time. */
  timeoutMs?: number;
};

const VERSION = '2010-03-31';
const PLATFORM = 'AWS 短信';

/** Errors of Publish and those common to all actions (docs.aws.amazon.com sns/latest/api). Unknown ones need the operator. */
const ERRORS: Record<string, RefusalCause> = {
  InternalError: 'moment',
  InternalFailure: 'moment',
  ServiceUnavailable: 'moment',
  Throttled: 'moment',
  Throttling: 'moment',
  ThrottlingException: 'moment',
  RequestExpired: 'config',
  OptedOut: 'number',
  InvalidParameter: 'number',
  InvalidParameterValue: 'text',
};

/** SNS answers in XML; two of its elements matter, and neither can hold markup. */
const element = (xml: string, name: string): string | undefined =>
  new RegExp(`<${name}>([\\w.-]+)</${name}>`).exec(xml)?.[1];

const international = (number: string) => (number.startsWith('+') ? number : `+86${number}`);

/**
 * Texts over Amazon SNS (2010-03-31: Publish to a phone number), where the region has them. Not idempotent, posts no receipts and cannot
 * be asked: whether a text arrived stands in CloudWatch logs only, so it is never more than accepted.
 */
export const snsSms = (options: SnsOptions): Sender => {
  const timeoutMs = options.timeoutMs ?? 3_000;

  const send = async ({ to, message }: SendRequest): Promise<SendResult> => {
    const { region, senderId } = await options.account();
    const endpoint = new URL(options.endpoint(region));
    const attributes = [
      ['AWS.SNS.SMS.SMSType', 'Transactional'],
      ...(senderId === undefined ? [] : [['AWS.SNS.SMS.SenderID', senderId]]),
    ];
    const body = new URLSearchParams({
      Action: 'Publish',
      Version: VERSION,
      PhoneNumber: international(to),
      // Whatever brings no answers back has to lead to where one can answer.
      Message: `【${message.signName}】${message.text}${message.link === undefined ? '' : ` ${message.link}`}`,
      ...Object.fromEntries(
        attributes.flatMap(([name = '', value = ''], i) => [
          [`MessageAttributes.entry.${i + 1}.Name`, name],
          [`MessageAttributes.entry.${i + 1}.Value.DataType`, 'String'],
          [`MessageAttributes.entry.${i + 1}.Value.StringValue`, value],
        ]),
      ),
    }).toString();
    const headers = awsFormHeaders(
      { host: endpoint.host, region, service: 'sns', body, date: options.clock.now() },
      options.credentials(),
    );
    let reply: Reply;
    try {
      reply = await callVendor(endpoint, {
        method: 'POST',
        headers,
        body,
        signal: AbortSignal.timeout(timeoutMs),
      });
    } catch (error) {
      return withoutAnswer(error, PLATFORM);
    }
    const vendorId = element(reply.text, 'MessageId');
    if (reply.status === 200 && vendorId !== undefined) return { kind: 'accepted', vendorId };
    const code = element(reply.text, 'Code');
    if (code === undefined || reply.status < 400 || (reply.status >= 500 && reply.status !== 503))
      return unreadable(reply.status, PLATFORM);
    return refusedBy(PLATFORM, ERRORS[code] ?? 'config', code);
  };

  return { send, ask: async () => ({ kind: 'cannot' }) };
};
