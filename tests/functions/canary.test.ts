import { describe, expect, it } from 'vitest';
import { isPutOff } from '#shared/domain/health.ts';
import { CANARY } from '#shared/domain/canary.ts';
import type { AskResult, SendResult } from '#shared/ports/sender.ts';
import { canary } from '../../functions/notification/canary.ts';
import { canaryBySchedule } from '../../functions/reconcile/canary-by-schedule.ts';
import { Office } from './office.ts';

const NUMBER = '19900009999';
/** An office whose duty room has a telephone for canaries. */
const open = async (): Promise<Office> => {
  const office = await Office.open();
  Object.assign(office.district, { canary: { 'aliyun-sms': NUMBER } });
  return office;
};
/** Minutes pass, with the beat of each; everything that is due is carried out. */
const minutes = async (office: Office, n: number): Promise<void> => {
  for (let i = 0; i < n; i += 1) {
    await canaryBySchedule(office);
    for (let job = office.sent.notices.shift(); job; job = office.sent.notices.shift())
      if (job.owner === CANARY) {
        office.time += job.delay * 1000;
        await canary(office, job.noticeId);
        office.time -= job.delay * 1000;
      }
    office.time += 60_000;
  }
};
const healthy = async (office: Office): Promise<boolean> =>
  !isPutOff(await office.store.counters('HEALTH-aliyun-sms'), office.time);

describe('a canary', () => {
  it('goes to the duty room after an hour without traffic, in words that name nothing, and is asked about', async () => {
    const office = await open();
    await minutes(office, 60);
    expect(office.sends).toEqual([]);
    office.script.ask.push({ kind: 'known', state: 'delivered' });
    await minutes(office, 1);
    expect(office.sends.map(({ to, message }) => [to, message.kind])).toEqual([[NUMBER, 'canary']]);
    expect(office.sends[0]?.message.text).toMatch(/^通道自检/);
    expect(office.asks.map(({ attemptId, vendorId }) => [attemptId, vendorId])).toEqual([
      [office.sends[0]?.attemptId, 'v-1'],
    ]);
    await minutes(office, 59);
    expect(office.sends.length).toBe(1);
    expect(await healthy(office)).toBe(true);
  });

  it('is none in words that the vendor has not approved: it would refuse them, and be put off for it', async () => {
    const office = await open();
    Object.assign(office, { approvedOnly: true });
    await minutes(office, 61);
    expect(office.sends).toEqual([]);
  });

  it('is none where a person was texted within the hour', async () => {
    const office = await open();
    await minutes(office, 40);
    await office.asks110();
    office.time += 1_000;
    const id = await office.receives();
    await office.classify(id);
    await office.deliverAll();
    const real = office.sends.length;
    expect(real).toBeGreaterThan(0);
    await minutes(office, 59);
    expect(office.sends.filter(({ message }) => message.kind === 'canary')).toEqual([]);
  });

  it.each<[string, SendResult[], AskResult[]]>([
    [
      'refused for want of money',
      [{ kind: 'refused', temporary: false, cause: 'money', code: 'x', sentence: '' }],
      [],
    ],
    ['unanswered', [{ kind: 'unknown', sentence: '' }], []],
    ['taken and not delivered', [], [{ kind: 'known', state: 'waiting' }]],
    ['taken and not known', [], [{ kind: 'no-record' }]],
  ])('%s is a bad signal; three of them put the vendor off', async (_, send, ask) => {
    const office = await open();
    await minutes(office, 1);
    for (let i = 0; i < 3; i += 1) {
      expect(await healthy(office)).toBe(true);
      office.script.send.push(...send);
      office.script.ask.push(...ask);
      await canary(office, 'aliyun-sms');
      const jobs = office.sent.notices.splice(0).filter((job) => job.owner === CANARY);
      for (const job of jobs) await canary(office, job.noticeId);
      office.time += 60_000;
    }
    expect(await healthy(office)).toBe(false);
  });

  it('is sent to nobody once its address is taken out of the policy', async () => {
    const office = await open();
    Object.assign(office.district, { canary: undefined });
    await canary(office, 'aliyun-sms');
    expect(office.sends).toEqual([]);
  });
});
