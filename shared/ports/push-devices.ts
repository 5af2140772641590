import type { Instant } from '../domain/incident.ts';
import type { PushDevice } from '../domain/push-device.ts';
import type { Member } from '../domain/roster.ts';

/** Whose devices: who gets another number, or another person's id, begins with none. */
export type DeviceOwner = Pick<Member, 'id' | 'phone'>;

/** What one person has registered, oldest first. */
export interface Registered {
  devices: PushDevice[];
  /** Raised by every writing, from 1: the optimistic lock. 0: never written. */
  version: number;
}

/** Remembers the devices that people have registered for pushes; sealed, because an address leads to a person. */
export interface PushDevices {
  /** Strongly consistent. Devices whose time is over at `now`, and those whose key was erased, are left out. */
  of(owner: DeviceOwner, now: Instant): Promise<Registered>;
  /** Replaces all of them, if nobody has since they were read. */
  save(owner: DeviceOwner, registered: Registered, now: Instant): Promise<boolean>;
}

const TRIES = 10;

/**
 * Changes what one person has registered. `change` may be called again, on what somebody else has written meanwhile; undefined: nothing to
 * change. @returns whether anything was.
 */
export const changeDevices = async (
  pushDevices: PushDevices,
  owner: DeviceOwner,
  now: Instant,
  change: (devices: readonly PushDevice[]) => PushDevice[] | undefined,
): Promise<boolean> => {
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const { devices, version } = await pushDevices.of(owner, now);
    const after = change(devices);
    if (!after) return false;
    if (await pushDevices.save(owner, { devices: after, version }, now)) return true;
  }
  throw new Error(`The devices of ${owner.id} were overtaken ${TRIES} times in a row.`);
};
