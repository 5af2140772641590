import * as z from 'zod';
import { instantSchema, type Instant } from './incident.ts';

/** Vendors whose addresses no roster knows: each device of a person registers its own. */
export const DEVICE_VENDORS = ['webpush', 'jpush'] as const;

/** One device that a person has registered for pushes. Its address is personal data. */
export const pushDeviceSchema = z.object({
  /** Made from the address: a device that is registered again is the same one. */
  id: z.string(),
  vendor: z.enum(DEVICE_VENDORS),
  /** Subscription of a browser as JSON (webpush), registration id of an app (jpush). */
  address: z.string(),
  /** When it was registered last. */
  at: instantSchema,
});
/** One device that a person has registered for pushes. */
export type PushDevice = z.infer<typeof pushDeviceSchema>;

/** Devices of one person: phone, tablet, computer, and what was forgotten. The oldest one makes room. */
export const MOST_PUSH_DEVICES = 5;
/** A page registers again whenever it is opened; a device that nobody opens it on is not kept for ever. Milliseconds. */
export const PUSH_DEVICE_MS = 180 * 86_400_000;

/** His devices with this one among them, oldest first, at most five. */
export const withPushDevice = (devices: readonly PushDevice[], fresh: PushDevice): PushDevice[] =>
  [...devices.filter(({ id }) => id !== fresh.id), fresh].slice(-MOST_PUSH_DEVICES);

/** Is this registration still good? */
export const isKept = ({ at }: Pick<PushDevice, 'at'>, now: Instant): boolean => now < at + PUSH_DEVICE_MS;
