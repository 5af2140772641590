import { expect, test } from 'vitest';
import { unreachedListSchema, vendorListSchema } from '#shared/contracts/views.ts';
import type { SendResult } from '#shared/ports/sender.ts';
import { ownerOf } from '#shared/ports/store.ts';
import { callListPage } from '../../functions/console/call-list.ts';
import { listUnreached, listVendors, showIncident } from '../../functions/console/console.ts';
import { tellVendorsBack } from '../../functions/reconcile/vendors-back.ts';
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
    `□ 10:00:00  任务${id.slice(-6)}  队员 ${member?.name}  ${member?.phone}  请马上接单`,
  ]);
  // On paper the same; a name out of an alphabet of its own stays a name.
  const odd = items.map((item) => ({ ...item, member: { ...item.member, name: '<img src=x>&"样例"' } }));
  const { status, html, runs } = callListPage(
    { items: [...items, ...odd], next: null, print },
    office.district.name,
    new Date(office.time),
  );
  expect([status, runs.script]).toEqual([200, undefined]);
  expect(html).toContain(`<style>${runs.style}</style>`);
  expect(html).toContain(
    `<td>10:00:00</td><td>${id.slice(-6)}</td><td>队员 ${member?.name}</td><td class="n">${member?.phone}</td><td>请马上接单</td>`,
  );
  expect(html).toContain('队员 &lt;img src=x&gt;&amp;&quot;样例&quot;');
  expect(html).not.toContain('<img');
  await office.deliverAll();
  const empty = await list();
  expect(empty.items).toEqual([]);
  expect(callListPage(empty, office.district.name, new Date(office.time)).html).toContain(
    '现在没有联系不上的人。',
  );
});

test('what the notices of an incident have cost stands in it, for the desk alone', async () => {
  const office = await Office.open();
  const id = await office.asks110();
  const [first = ''] = await office.asked(id);
  const spent = async (kind: 'desk' | 'member', viewer: string) => {
    const outcome = await showIncident(office, { kind, id: viewer }, id);
    return outcome.kind === 'done' ? outcome.body.incident.spentMilli : outcome;
  };
  expect(await spent('desk', 'duty-1')).toBe(0);
  office.script.send = [BUSY];
  await office.deliverAll();
  await office.deliver(ownerOf(id), (await office.notice(id, first)).notice.id);
  await office.deliverAll();
  const { attempts } = await office.notice(id, first);
  expect(attempts.length).toBeGreaterThan(1);
  // Only what was taken costs anything.
  expect(await spent('desk', 'duty-1')).toBe(45);
  expect(await spent('member', first)).toBeUndefined();
});

test('a day is the district’s: what is sent at half past seven in the morning belongs to it', async () => {
  const office = await Office.open();
  // 23:30 UTC of the day before is 07:30 in Beijing.
  office.time = Date.parse('2026-03-03T23:30:00.000Z');
  const id = await office.asks110();
  const [first = ''] = await office.asked(id);
  await office.deliver(ownerOf(id), (await office.notice(id, first)).notice.id);
  const milli = async () => vendorListSchema.parse(bodyOf(await listVendors(office))).milli;
  office.time = Date.parse('2026-03-04T15:59:59.000Z');
  expect(await milli()).toBe(45);
  office.time += 1_000;
  expect(await milli()).toBe(0);
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
  expect(of('aliyun-sms')).toMatchObject({
    configured: true,
    putOff: true,
    backAt: '2026-03-04T02:11:00.000Z',
    today: { sent: 0, arrived: 0, passed: 0 },
  });
  expect(of('tencent-sms')).toMatchObject({ putOff: false, today: { sent: 3, milli: 150 } });
  expect(of('wecom')).toMatchObject({ configured: false, today: { arrived: null, fast: null } });
  expect([milli, softCap]).toEqual([150, office.district.delivery.softCap]);
  expect(office.log.counts.VendorSwitched).toBe(1);

  // The next one goes the other way at once: the trail of its notice says so, the vendor's day, and a metric.
  office.script.send = [];
  const id = await office.asks110();
  const [who = ''] = await office.asked(id);
  await office.deliver(ownerOf(id), (await office.notice(id, who)).notice.id);
  const begun = (await office.store.lines(id)).map(({ stored }) => stored.facts);
  expect(begun.filter((facts) => facts?.['state'] === 'sending')).toMatchObject([
    { vendor: 'tencent-sms', instead: 'aliyun-sms', because: 'put-off' },
  ]);
  const aliyun = async () => (await list()).items.find((one) => one.vendor === 'aliyun-sms');
  expect((await aliyun())?.today.passed).toBe(1);
  expect(office.log.counts.Rerouted).toBe(1);
  // Ten good minutes: it is called first again, and that is seen as well.
  for (let minute = 0; minute < 15; minute += 1) {
    office.time += 60_000;
    await tellVendorsBack(office);
  }
  expect(await aliyun()).toMatchObject({ putOff: false });
  expect((await aliyun())?.backAt).toBeUndefined();
  expect(office.log.counts.VendorBack).toBe(1);
});
