import * as z from 'zod';
import { PUSH_DEVICE_MS, isKept, pushDeviceSchema } from '../domain/push-device.ts';
import type { DeviceOwner, PushDevices } from '../ports/push-devices.ts';
import type { Secrets } from '../ports/secrets.ts';
import type { Key, Table } from '../ports/table.ts';
import { KeyErased, type Vault } from '../ports/vault.ts';

const devicesSchema = z.array(pushDeviceSchema);

const keyOf = (vault: Vault, { id, phone }: DeviceOwner): Key => ({
  pk: `PUSH#${vault.hash('person', `${id}/${phone}`)}`,
  sk: 'DEVICES',
});
const contextOf = ({ pk, sk }: Key): string => `${pk}/${sk}`;

/**
 * Devices in the district's table: one sealed item for each person, under the keyed hash of his id and number. The functions may not delete
 * items: what is taken out is overwritten, and the table itself removes the item when its last registration is over.
 */
export const tablePushDevices = (table: Table, secrets: Pick<Secrets, 'vault'>): PushDevices => ({
  async of(owner, now) {
    const vault = await secrets.vault();
    const key = keyOf(vault, owner);
    const item = await table.get(key);
    if (!item) return { devices: [], version: 0 };
    const version = z.int().parse(item.version);
    try {
      const devices = devicesSchema.parse(vault.open(z.string().parse(item.sealed), contextOf(key)));
      return { devices: devices.filter((device) => isKept(device, now)), version };
    } catch (error) {
      if (error instanceof KeyErased) return { devices: [], version };
      throw error;
    }
  },
  async save(owner, { devices, version }, now) {
    const vault = await secrets.vault();
    const key = keyOf(vault, owner);
    const last = Math.max(now, ...devices.map(({ at }) => at + PUSH_DEVICE_MS));
    const put = {
      ...key,
      sealed: vault.seal(devices, contextOf(key)),
      version: version + 1,
      expiresAt: Math.ceil(last / 1000),
    };
    return (await table.write([{ put, if: version === 0 ? { absent: true } : { equals: { version } } }])).ok;
  },
});
