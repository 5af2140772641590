import { expect, test } from 'vitest';
import { unreachedListSchema, vendorListSchema } from '#shared/contracts/views.ts';
import type { SendResult } from '#shared/ports/sender.ts';
import { ownerOf } from '#shared/ports/store.ts';
import { listUnreached, listVendors } from '../../functions/console/console.ts';
import { Office } from './office.ts';

const BUSY: SendResult = { kind: 'refused', temporary: true, cause: 'moment', code: 'busy', sentence: '' };

const bodyOf = (outcome: { kind: string; body?: unknown }): unknown => outcome.body;

test('whom no vendor reaches stands on the list with his number, until somebody takes his notice', async () => {
  const office = await Office.open();
  const list = async () => unreachedListSchema.parse(bodyOf(await listUnreached(office)));
  const id = await office.asks110();
  const [first = ''] = await office.asked(id);
  const { notice } = await office.notice(id, first);
  expect((await list()).items).toEqual([]);
  office.script.send = [BUSY];
  await office.deliver(ownerOf(id), notice.id);
  const { items, print } = await list();
  const member = office.members.find((one) => one.id === first);
  expect(items).toMatchObject([
    {
      incidentId: id,
      number: id.slice(-6),
      member: { id: first, phone: member?.phone },
      tries: 1,
      code: 'busy',
    },
  ]);
  expect(print.split('\n')).toEqual([
    `${office.district.name}电话通知单（1人）`,
    `□ 10:00:00  任务${id.slice(-6)}  队员 ${member?.name}  ${member?.phone}  请马上签收`,
  ]);
  await office.deliverAll();
  expect((await list()).items).toEqual([]);
});

test('the vendors of today: what they did, what it cost, who stands behind; what cannot be told is not known', async () => {
  const office = await Office.open();
  const list = async () => vendorListSchema.parse(bodyOf(await listVendors(office)));
  office.configured = ['aliyun-sms', 'tencent-sms'];
  office.script.send = [
    BUSY,
    { kind: 'accepted', vendorId: '1' },
    BUSY,
    { kind: 'accepted', vendorId: '2' },
    BUSY,
  ];
  for (let n = 0; n < 3; n += 1) {
    const id = await office.asks110();
    const [first = ''] = await office.asked(id);
    await office.deliver(ownerOf(id), (await office.notice(id, first)).notice.id);
  }
  const { items, milli, softCap } = await list();
  const of = (vendor: string) => items.find((one) => one.vendor === vendor);
  expect(of('aliyun-sms')).toMatchObject({ configured: true, putOff: true, today: { sent: 0, arrived: 0 } });
  expect(of('tencent-sms')).toMatchObject({ putOff: false, today: { sent: 3, milli: 150 } });
  expect(of('wecom')).toMatchObject({ configured: false, today: { arrived: null, fast: null } });
  expect([milli, softCap]).toEqual([150, office.district.delivery.softCap]);
  expect(office.log.counts.VendorSwitched).toBe(1);
});
