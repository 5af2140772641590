import type { Vendor } from '../domain/channel.ts';
import type { Memos } from './memos.ts';

const DAY_MS = 86_400_000;
/** Receipts come within minutes; a phone that was off gets its text within three days. */
const KEPT_MS = 3 * DAY_MS;

const nameOf = (vendor: Vendor, vendorId: string): string => `SENT-${vendor}-${vendorId}`;

/** Writes down whose message this is, for receipts of vendors that know it only by their own id (capability table: `echoes`). */
export const rememberSent = async (
  memos: Memos,
  sent: { vendor: Vendor; vendorId: string; attemptId: string },
  now: number,
): Promise<void> => {
  const { vendor, vendorId, attemptId: value } = sent;
  await memos.write(nameOf(vendor, vendorId), { version: 0, value, expires: now + KEPT_MS }, now);
};

/** Our attempt behind a vendor's id; undefined if none was written down. */
export const sentAs = async (
  memos: Memos,
  vendor: Vendor,
  vendorId: string,
  now: number,
): Promise<string | undefined> => {
  const value = (await memos.read(nameOf(vendor, vendorId), now))?.value;
  return typeof value === 'string' ? value : undefined;
};
