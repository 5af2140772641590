/** One text to one phone. */
export type SendRequest = {
  /** Ours; the vendor carries it through to the receipt (Aliyun: OutId), so a lost answer can still be matched. */
  attemptId: string;
  /** Mainland mobile number, 11 digits. */
  to: string;
  /** The approved template's code at the vendor and the values of its variables. */
  template: { code: string; params: Record<string, string> };
  /** The approved signature, without brackets: shown as 【signName】 before the text. */
  signName: string;
};

/**
 * Who has to move when a vendor refuses: nobody (`moment`, it passes by itself), the roster (`number`), whoever wrote the text
 * (`text`), the number's budget for a template (`limit`), the operator (`config`) or whoever pays (`money`).
 */
export type RefusalCause = 'moment' | 'number' | 'text' | 'limit' | 'config' | 'money';

/**
 * What is known after one call.
 * - `accepted`: the vendor has taken it over; whether it arrived is told by a receipt.
 * - `refused`: it was surely not sent. `temporary`: the same call may pass in a moment; otherwise only another channel helps.
 * - `unknown`: no readable answer (time-out, broken socket). It may have been sent: `ask` before sending again, the vendor is not idempotent.
 */
export type SendResult =
  | { kind: 'accepted'; vendorId: string }
  | { kind: 'refused'; temporary: boolean; cause: RefusalCause; code: string; sentence: string }
  | { kind: 'unknown'; sentence: string };

/** Which attempt is asked about. `sentAt`: when we called; the vendor files its records by day. */
export type AskRequest = { attemptId: string; to: string; sentAt: Date };

/**
 * What a vendor says about an attempt. `no-record`: it states that it never got it, so sending again makes no double.
 * `no-answer`: it could not be asked within 3 s.
 */
export type AskResult =
  | { kind: 'known'; state: 'waiting' | 'delivered' | 'failed'; code?: string }
  | { kind: 'no-record' }
  | { kind: 'no-answer' };

/** A vendor of text messages. Neither call rejects: every failure of the vendor is a result. */
export type Sender = {
  send(request: SendRequest): Promise<SendResult>;
  ask(request: AskRequest): Promise<AskResult>;
};
