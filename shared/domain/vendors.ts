import * as z from 'zod';
import { channelSchema, vendorSchema, type Channel, type Vendor } from './channel.ts';
import { partsOf } from './texts.ts';

/** What a limit is counted by: the number alone, the number and the template, or the number and equal words. */
export const LIMIT_PER = ['number', 'template', 'text'] as const;

const limitSchema = z.strictObject({
  per: z.enum(LIMIT_PER),
  /** Length of the window in seconds; it slides. At most a day: counters of two are read. */
  seconds: z.int().positive().max(86_400),
  /** Most messages in a window; the next one is refused, dropped or blocked. */
  most: z.int().positive(),
});
/** How many messages a vendor lets one person have. */
export type Limit = z.infer<typeof limitSchema>;

/**
 * One vendor's row of the capability table. Only what a document or the vendor's own test showed may be relied on: `verified` says what
 * was seen where, `unverified` what we assume. The pages say "not known" where a vendor cannot tell.
 */
const vendorFactsSchema = z.strictObject({
  channel: channelSchema,
  /** What this vendor can let us know about one message. `action`: the person can answer over it (keys, a text back). */
  tells: z.strictObject({
    accepted: z.boolean(),
    delivered: z.boolean(),
    read: z.boolean(),
    action: z.boolean(),
  }),
  /** Can it be asked what became of a message? */
  query: z.boolean(),
  /** Does it post receipts to us by itself? */
  callback: z.boolean(),
  /** Does a receipt bring back the id that we gave? Otherwise it is found by the vendor's own. */
  echoes: z.boolean().default(true),
  /** Seconds after sending at which it is asked because it posts nothing by itself; rising. */
  poll: z.array(z.int().positive()).default([]),
  /** The parameter that makes a repeated call harmless, if it has one. */
  dedup: z.string().min(1).nullable(),
  /** May a text hold a link? `template`: only one approved with the template. */
  links: z.enum(['yes', 'template', 'no']),
  limits: z.array(limitSchema),
  /** What the limits count: messages that were taken, or every try, so that one has to be booked before it is made. */
  counts: z.enum(['accepted', 'tries']).default('accepted'),
  /** 1/1000 CNY (厘) for each message, or for each segment of 70/67 characters, or for each answered minute. 0: free. */
  price: z.strictObject({ milli: z.int().nonnegative(), per: z.enum(['message', 'segment', 'minute']) }),
  verified: z.array(z.string().min(1)),
  unverified: z.array(z.string().min(1)),
});
/** One vendor's row of the capability table. */
export type VendorFacts = z.infer<typeof vendorFactsSchema>;

/** Parses `districts/vendors.json`. A vendor without a row is not used. */
export const vendorsSchema = z.strictObject({
  note: z.string(),
  /** When the documents were last looked at, yyyy-mm-dd. */
  checked: z.iso.date(),
  vendors: z.partialRecord(vendorSchema, vendorFactsSchema),
});
/** The capability table: what each vendor can do, may do and costs. */
export type Vendors = z.infer<typeof vendorsSchema>;

/** The vendors of a channel, in the order of the table. */
export const vendorsOf = ({ vendors }: Vendors, channel: Channel): Vendor[] =>
  vendorSchema.options.filter((vendor) => vendors[vendor]?.channel === channel);

/**
 * What one message costs, in 1/1000 CNY. `length`: UTF-16 units with 【signature】. A call is counted as one minute: longer than that nobody
 * listens to two sentences.
 */
export const priceOf = ({ price }: Pick<VendorFacts, 'price'>, length: number): number =>
  price.per === 'segment' ? price.milli * partsOf(length) : price.milli;
