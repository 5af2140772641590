import { expect, test } from 'vitest';
import { districtDay } from '#shared/domain/roster.ts';
import type { SendResult } from '#shared/ports/sender.ts';
import { REJECTS_OWNER, ownerOf } from '#shared/ports/store.ts';
import { Office } from './office.ts';

const UNPAID: SendResult = {
  kind: 'refused',
  temporary: false,
  cause: 'money',
  code: 'isv.OUT_OF_SERVICE',
  sentence: '',
};

test('a vendor that wants money: whoever has the desk hears of it once a day, by another one', async () => {
  const office = await Office.open();
  office.configured = ['aliyun-sms', 'tencent-sms'];
  const refused = async (): Promise<void> => {
    const id = await office.asks110();
    const [first = ''] = await office.asked(id);
    office.script.send = [UNPAID];
    await office.deliver(ownerOf(id), (await office.notice(id, first)).notice.id);
  };
  await refused();
  const queued = (): string[] =>
    office.looked().sent.notices.flatMap(({ noticeId }) => (noticeId.startsWith('UNPAID') ? [noticeId] : []));
  expect(queued()).toHaveLength(1);
  await refused();
  expect(queued()).toEqual([]);
  const told = async () => (await office.store.notices(REJECTS_OWNER)).map(({ notice }) => notice);
  const duty = office.members.find(({ role }) => role === 'duty')?.id;
  expect(await told()).toMatchObject([{ kind: 'desk', note: 'unpaid', to: duty }]);
  office.script.send = [UNPAID];
  await office.deliver(REJECTS_OWNER, (await told())[0]?.id ?? '');
  expect(office.called.slice(-2)).toEqual(['aliyun-sms', 'tencent-sms']);
  expect(office.sends.at(-1)?.message.text).toContain(office.texts.notes.unpaid);
  expect(office.log.counts.VendorUnpaid).toBe(3);
  // A day of the district: eight in the morning, midnight in Greenwich, begins no other one.
  const midnight = Date.parse(`${districtDay(office.time + 86_400_000)}T00:00:00+08:00`);
  office.time = midnight - 1_000;
  await refused();
  expect(await told()).toHaveLength(1);
  office.time = midnight;
  await refused();
  expect(await told()).toHaveLength(2);
});
