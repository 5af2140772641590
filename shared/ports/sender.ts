import type { RefusalCause, Vendor } from '../domain/channel.ts';
import type { NoticeKind } from '../domain/notice-kind.ts';

/** What is brought to a person. A vendor that takes approved templates only reads `template`, one that takes words reads `text`. */
export type Message = {
  kind: NoticeKind;
  /** The vendor's own code of the approved template, the values of its variables, and their order for vendors that count them. */
  template: { code: string; params: Record<string, string>; order: readonly string[] };
  /** The approved signature, without brackets: shown as 【signName】 before the text. */
  signName: string;
  /** The words as they shall be read (or spoken), without the signature. Neutral: never a category, a name or a house. */
  text: string;
  /** Opens the task; left out for vendors that refuse links. */
  link?: string;
  /** Digits behind our own number by which an answer of a member is told from one of a caller. */
  extension?: string;
};

/** One attempt to reach one person over one vendor. */
export type SendRequest = {
  /** Ours; the vendor carries it through to the receipt where it can (Aliyun: OutId), so a lost answer can still be matched. */
  attemptId: string;
  /**
   * Where: mobile number of 11 digits (sms, voice), user id (wecom, dingtalk), https address (webhook). Of pushes a device: registration id
   * (jpush), subscription as JSON (webpush); or a JSON list of devices, all of which are called.
   */
  to: string;
  message: Message;
};

export type { RefusalCause } from '../domain/channel.ts';

/**
 * What is known after one call.
 * - `accepted`: the vendor has taken it over; whether it arrived is told by a receipt.
 * - `refused`: it was surely not sent. `temporary`: the same call may pass in a moment; otherwise only another channel helps.
 * - `unknown`: no readable answer (time-out, broken socket). It may have been sent: `ask` before sending again, the vendor is not idempotent.
 *
 * `gone`: devices that the vendor says exist no more, as they were given in `to`; never to be called again.
 */
export type SendResult = (
  | { kind: 'accepted'; vendorId: string }
  | { kind: 'refused'; temporary: boolean; cause: RefusalCause; code: string; sentence: string }
  | { kind: 'unknown'; sentence: string }
) & { gone?: readonly string[] };

/** Which attempt is asked about. `sentAt`: when we called; vendors file by day. `vendorId`: as it was given, if an answer came. */
export type AskRequest = { attemptId: string; to: string; sentAt: Date; vendorId?: string };

/**
 * What a vendor says about an attempt. `no-record`: it states that it never got it, so sending again makes no double.
 * `no-answer`: it could not be asked within 3 s, or does not know yet. `cannot`: this vendor cannot tell (capability table), now or ever.
 */
export type AskResult =
  | { kind: 'known'; state: 'waiting' | 'delivered' | 'read' | 'failed'; code?: string }
  | { kind: 'no-record' }
  | { kind: 'no-answer' }
  | { kind: 'cannot' };

/** One vendor. Neither call rejects: every failure of the vendor is a result. */
export type Sender = {
  send(request: SendRequest): Promise<SendResult>;
  ask(request: AskRequest): Promise<AskResult>;
};

/** What a vendor posts back: what became of an attempt, or what a person answered. Nothing in it is believed unchecked. */
export type Inbound =
  | {
      kind: 'receipt';
      /** Ours, as we gave it; absent if the vendor lost it or cannot carry it. */
      attemptId?: string;
      vendorId?: string;
      state: 'delivered' | 'read' | 'failed';
      /** The carrier's code. */
      code: string;
    }
  | {
      /** A text back from a phone, or keys pressed in a call. */
      kind: 'reply';
      /** The vendor's id of this answer: counts once. */
      messageId: string;
      from: string;
      text: string;
      /** Number behind our own that was answered to, if the vendor says. */
      extension?: string;
      /** Signature of the text that was answered to, if the vendor says. */
      signature?: string;
      at: Date;
      /** Of the call in which keys were pressed. */
      vendorId?: string;
    };

/** How a vendor's posts are read, and what it wants to hear: anything else and it posts again. */
export type Callback = {
  /** @throws when the body holds no entries at all. Unreadable ones are handed over as sentences without personal data. */
  parse(body: string, onUnreadable: (sentence: string) => void): Inbound[];
  ack: unknown;
};

/** The vendors that are configured: those with a section in the district's secret. */
export type Senders = Partial<Record<Vendor, Sender>>;
