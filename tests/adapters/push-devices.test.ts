import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { tablePushDevices } from '#shared/adapters/push-devices.ts';
import { givenSecrets } from '#shared/adapters/secrets.ts';
import { PUSH_DEVICE_MS, withPushDevice, type PushDevice } from '#shared/domain/push-device.ts';
import { changeDevices, type PushDevices } from '#shared/ports/push-devices.ts';
import type { Item, Table } from '#shared/ports/table.ts';
import { ENGINES, type Engine } from './engines.ts';
import { SECRET } from './fixtures.ts';

const NOW = Date.parse('2026-03-04T02:00:00.000Z');
const A = { id: 'm-001', phone: '19900000001' };
const device = (n: number, at = NOW): PushDevice => ({
  id: `device-${n}`,
  vendor: 'webpush',
  address: `address-${n}`,
  at,
});

for (const name of ['memory', 'dynoxide'] as const)
  describe(`push devices on ${name}`, () => {
    let engine: Engine;
    let devices: PushDevices;
    let table: Table;
    let all: () => Promise<Item[]>;
    beforeAll(async () => {
      engine = await ENGINES[name]();
    });
    afterAll(() => engine?.stop());
    beforeEach(async () => {
      ({ table, all } = await engine.fresh());
      devices = tablePushDevices(table, givenSecrets(SECRET));
    });
    const register = (n: number, at = NOW) =>
      changeDevices(devices, A, at, (before) => withPushDevice(before, device(n, at)));
    const idsOf = async (owner = A, at = NOW) => (await devices.of(owner, at)).devices.map(({ id }) => id);

    test('five are kept, the oldest makes room, and one registered again is the newest', async () => {
      for (const n of [1, 2, 3, 1, 4, 5, 6]) await register(n);
      expect(await idsOf()).toEqual(['device-3', 'device-1', 'device-4', 'device-5', 'device-6']);
      expect(await changeDevices(devices, A, NOW, () => undefined)).toBe(false);
      expect(await changeDevices(devices, A, NOW, () => [])).toBe(true);
      expect(await idsOf()).toEqual([]);
    });

    test('of those who write at once nothing is lost', async () => {
      await Promise.all([1, 2, 3, 4].map((n) => register(n)));
      expect((await idsOf()).toSorted()).toEqual(['device-1', 'device-2', 'device-3', 'device-4']);
    });

    test('nothing in the table can be read or led back to a person, and the table removes it itself', async () => {
      await register(1);
      const items = await all();
      expect(items).toHaveLength(1);
      expect(JSON.stringify(items)).not.toMatch(/address|device-1|m-001|1990000/);
      expect(items[0]?.expiresAt).toBe((NOW + PUSH_DEVICE_MS) / 1000);
      expect(await idsOf(A, NOW + PUSH_DEVICE_MS - 1)).toEqual(['device-1']);
      expect(await idsOf(A, NOW + PUSH_DEVICE_MS)).toEqual([]);
      // The next holder of his id, or he with a new number, begins with none.
      expect(await idsOf({ ...A, phone: '19900000002' })).toEqual([]);
    });

    test('a key that was erased takes them along, and he can register anew', async () => {
      await register(1);
      const dataKeys = { current: 'next', keys: { next: Buffer.alloc(32, 7).toString('base64') } };
      const later = tablePushDevices(table, givenSecrets({ ...SECRET, dataKeys }));
      expect(await later.of(A, NOW)).toEqual({ devices: [], version: 1 });
      await changeDevices(later, A, NOW, () => [device(2)]);
      expect((await later.of(A, NOW)).devices).toEqual([device(2)]);
    });
  });
