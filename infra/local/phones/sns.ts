import { randomUUID } from 'node:crypto';
import { verifyAws4 } from './aws4.ts';
import type { EmulatedVendor, VendorAnswer, VendorRequest, VendorWorld } from './vendor.ts';

/** What the emulated account knows and allows. */
export interface SnsAccount {
  /** Access key id → secret access key. */
  keys: Record<string, string>;
  region: string;
  /** Numbers whose owners have opted out, E.164. */
  optedOut?: string[];
}

/**
 * Amazon SNS, version 2010-03-31, as far as its document describes Publish to a phone number: a form in, XML out. It never says whether a
 * text arrived; in service that stands in CloudWatch logs.
 */
export class SnsTexts implements EmulatedVendor {
  readonly name = 'sns';
  readonly channel = 'sms';
  readonly actions = ['Publish'] as const;
  readonly #account: SnsAccount;
  readonly #world: VendorWorld;

  constructor(account: SnsAccount, world: VendorWorld) {
    this.#account = account;
    this.#world = world;
  }

  answer(request: VendorRequest): VendorAnswer {
    const verdict = verifyAws4(request, this.#account.keys, 'sns', this.#world.now());
    if (!verdict.ok) return failed(403, verdict.code, verdict.message);
    if (verdict.region !== this.#account.region)
      return failed(403, 'SignatureDoesNotMatch', `Credential should be scoped to a valid region.`);
    if (request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') !== true)
      return failed(400, 'InvalidAction', 'Could not find the action.');
    const form = new URLSearchParams(request.body.toString('utf8'));
    if (form.get('Action') !== 'Publish' || form.get('Version') !== '2010-03-31')
      return failed(400, 'InvalidAction', 'Could not find operation for this version.');

    const number = form.get('PhoneNumber') ?? '';
    const text = form.get('Message') ?? '';
    const to = number.replace(/^\+86/, '');
    const fault = this.#world.fault('Publish', to);
    if (fault?.mode === 'refuse') {
      const code = fault.code ?? 'ServiceUnavailable';
      return failed(code === 'ServiceUnavailable' ? 503 : 400, code, 'The request was refused.');
    }
    if (fault?.mode === 'timeout' && !fault.recorded) return undefined;
    if (!/^\+[1-9]\d{6,14}$/.test(number))
      return failed(
        400,
        'InvalidParameter',
        'Invalid parameter: PhoneNumber Reason: not valid to publish to',
      );
    if (text === '') return failed(400, 'InvalidParameter', 'Invalid parameter: Empty message');
    if (Buffer.byteLength(text) > 1_600)
      return failed(400, 'InvalidParameterValue', 'Invalid parameter: Message too long');
    if (this.#account.optedOut?.includes(number))
      return failed(400, 'OptedOut', 'The phone number has opted out.');

    const now = this.#world.now();
    const vendorId = randomUUID();
    const silent = fault?.mode === 'silent';
    this.#world.take({
      to,
      at: now,
      text,
      template: '',
      vendorId,
      ours: '',
      state: silent ? 1 : 3,
      endedAt: silent ? 0 : now,
    });
    if (fault?.mode === 'timeout') return undefined;
    return xml(
      200,
      `<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>${vendorId}</MessageId></PublishResult>${metadata()}</PublishResponse>`,
    );
  }
}

const metadata = () => `<ResponseMetadata><RequestId>${randomUUID()}</RequestId></ResponseMetadata>`;

const failed = (status: number, code: string, message: string): VendorAnswer =>
  xml(
    status,
    `<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>${randomUUID()}</RequestId></ErrorResponse>`,
  );

const xml = (status: number, body: string): VendorAnswer => ({
  status,
  body,
  headers: { 'content-type': 'text/xml' },
});
