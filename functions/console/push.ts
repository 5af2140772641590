import type { Outcome } from '#shared/contracts/errors.ts';
import { pushDeviceView, type PushView } from '#shared/contracts/push.ts';
import type { Clock } from '#shared/ports/clock.ts';
import type { PushDevices } from '#shared/ports/push-devices.ts';
import type { Secrets } from '#shared/ports/secrets.ts';
import type { Store } from '#shared/ports/store.ts';

/** What this person's pages need for pushes: the key to subscribe with, and the devices that he has registered. */
export const showPush = async (
  {
    store,
    pushDevices,
    secrets,
    clock,
  }: {
    store: Pick<Store, 'roster'>;
    pushDevices: PushDevices;
    secrets: Pick<Secrets, 'district'>;
    clock: Clock;
  },
  who: string,
): Promise<Outcome<PushView>> => {
  const [members, { webpush }] = await Promise.all([store.roster(), secrets.district()]);
  const member = members.find(({ id }) => id === who);
  const { devices } = member ? await pushDevices.of(member, clock.now().getTime()) : { devices: [] };
  return {
    kind: 'done',
    body: { publicKey: webpush?.publicKey ?? null, devices: devices.map(pushDeviceView) },
  };
};
