import type { IncomingHttpHeaders } from 'node:http';
import type { Fault } from './faults.ts';
import type { NewMessage, StoredMessage } from './message-store.ts';

/** A request to a vendor as it came in, before anything in it is believed. */
export interface VendorRequest {
  method: string;
  /** Below `/vendors/<name>`; at least a slash, without the query. */
  path: string;
  /** Raw query string without `?`. */
  query: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** HTTP status and body (an object goes out as JSON, a string as it is); `undefined`: no answer at all, the connection stays open. */
export type VendorAnswer =
  { status: number; body: Record<string, unknown> | string; headers?: Record<string, string> } | undefined;

/** What a vendor posts to its customer. */
export interface Post {
  headers: Record<string, string>;
  body: string;
}

/** What somebody texts back. */
export interface PhoneReply {
  /** The vendor's id of this answer. */
  id: string;
  from: string;
  text: string;
  /** Digits behind the vendor's number that were answered to. */
  extension: string;
  /** Signature of the text that was answered to. */
  sign: string;
  /** Virtual ms since 1970. */
  at: number;
}

/** What somebody does with a phone that rings: presses a key, lets it ring, or has a machine answer it. */
export type CallEnd = { keys: string } | 'no-answer' | 'voicemail';

/** What the vendor's customer is told afterwards, and what has to be answered. */
export interface VendorPosts {
  /** Most messages in one post. */
  batch: number;
  /** Of messages that have reached a phone, or have failed. */
  receipts(messages: readonly StoredMessage[]): Post;
  reply?(reply: PhoneReply): Post;
  /** Was this answer the acknowledgement that the document asks for? If not the post is tried again. */
  took(status: number, body: string): boolean;
}

/**
 * One emulated vendor, mounted at `/vendors/<name>`. Written from the vendor's document, never from our adapter: it is there to
 * find out where the adapter has misread it.
 */
export interface EmulatedVendor {
  /** As in the system under test's list of vendors; faults are set by it. */
  readonly name: string;
  readonly channel: 'push' | 'chat' | 'sms' | 'voice';
  /** The calls that a failure can hit; the first is the one that sends, and is hit if a fault names none. */
  readonly actions: readonly [string, ...string[]];
  answer(request: VendorRequest): VendorAnswer | Promise<VendorAnswer>;
  /** Left out by vendors that never post anything. */
  readonly posts?: VendorPosts;
  /** Somebody has taken, or not taken, this call. Only of vendors whose messages ring. */
  hangUp?(call: StoredMessage, end: CallEnd): void;
  /** Time has passed: what ends by itself ends now. */
  pass?(): void;
}

/** What a vendor finds around it: time, memory, failures to play, and the phones. All of it is of this vendor only. */
export interface VendorWorld {
  /** Virtual ms since 1970, whole. */
  now(): number;
  /** The failure that hits this call to this address (a number, a user id, …), if any; it counts as played. */
  fault(action: string, to: string): Fault | undefined;
  /**
   * Writes a message that the vendor has taken over. One of state 3 is on its phone before this returns, and its receipt is on
   * its way if the vendor posts any; so is one of state 2 with `report`. `rings`: shown although its end is not known yet.
   */
  take(message: NewMessage): StoredMessage;
  /** How a message ended: of a call, or of one that was waiting. Posts its receipt. `more` is added to what is kept. */
  end(message: StoredMessage, state: 2 | 3, code: string, more?: Record<string, string>): StoredMessage;
  /** Keeps more about a message and posts nothing: that it was read, for vendors who are asked. */
  note(message: StoredMessage, more: Record<string, string>): StoredMessage;
  /** What was sent to an address within [from, to), newest first, arrived or not. */
  sentTo(to: string, from: number, until: number): StoredMessage[];
  /** What rings now. */
  ringing(): StoredMessage[];
  /** By the vendor's own id: several when one call had several receivers. */
  byVendorId(vendorId: string): StoredMessage[];
  /** How many of a template (or of one equal text, if that is what the vendor counts) went to an address after `since`. */
  count(to: string, by: { template: string } | { text: string }, since: number): number;
  /** False if this key has used the nonce within the last hour. */
  spendNonce(key: string, nonce: string): boolean;
}

/** Makes a vendor with its account; what it finds around it is handed in when it is mounted. */
export type VendorMaker = (world: VendorWorld) => EmulatedVendor;
