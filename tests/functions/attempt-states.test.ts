import { expect, test } from 'vitest';
import { ATTEMPT_STATES, type AttemptState } from '#shared/domain/notice.ts';
import type { SendResult } from '#shared/ports/sender.ts';
import { ownerOf } from '#shared/ports/store.ts';
import { showIncident } from '../../functions/console/console.ts';
import { Office } from './office.ts';

const BUSY: SendResult = {
  kind: 'refused',
  temporary: true,
  cause: 'moment',
  code: 'isp.SYSTEM_ERROR',
  sentence: '',
};
const WRONG: SendResult = { ...BUSY, temporary: false, cause: 'number', code: 'isv.BLACK_LIST' };
const SILENCE: SendResult = { kind: 'unknown', sentence: '没有答复' };

/** A street office in which one call was taken in and one person is asked. */
interface Scene {
  office: Office;
  id: string;
  /** Who is asked. */
  whom: string;
  /** Delivers his notice of a kind, as far as it goes at this moment. */
  deliver: (kind?: string) => Promise<void>;
}

const scene = async (): Promise<Scene> => {
  const office = await Office.open();
  const id = await office.asks110();
  const [whom = ''] = await office.asked(id);
  const deliver = async (kind = 'ask'): Promise<void> =>
    office.deliver(ownerOf(id), (await office.notice(id, whom, kind)).notice.id);
  return { office, id, whom, deliver };
};

/** The vendor does not answer the call, and says this when it is asked. */
const asked = async ({ office, deliver }: Scene, state: 'delivered' | 'read'): Promise<void> => {
  office.script.send = [SILENCE];
  office.script.ask = [{ kind: 'known', state, code: 'DELIVRD' }];
  await deliver();
};

/** How a notice comes to each state, and what its line in the trail says besides. */
const WAYS: Record<
  AttemptState,
  { kind?: string; comes: (scene: Scene) => Promise<unknown>; says: Record<string, unknown> }
> = {
  // Whoever was not woken for it hears of it in the morning; ten o'clock lies in the middle of the night here.
  pending: {
    kind: 'stand-down',
    comes: async ({ office, id, whom, deliver }) => {
      office.time += 60_000;
      await office.escalate(id);
      const [, second = ''] = await office.asked(id);
      await office.does(second, id, { action: 'accept' });
      office.time += 10 * 60_000;
      office.district.delivery.quiet = { from: 605, to: 660 };
      expect(whom).not.toBe(second);
      await deliver('stand-down');
    },
    says: { held: 'quiet-hours' },
  },
  sending: {
    comes: ({ deliver }) => deliver(),
    says: { attempt: 1, channel: 'sms', vendor: 'aliyun-sms' },
  },
  sent: { comes: ({ deliver }) => deliver(), says: { attempt: 1, vendor: 'aliyun-sms' } },
  delivered: { comes: (one) => asked(one, 'delivered'), says: { asked: true, code: 'DELIVRD' } },
  read: { comes: (one) => asked(one, 'read'), says: { asked: true, answer: 'read' } },
  'failed-temporary': {
    comes: async ({ office, deliver }) => {
      office.script.send = [BUSY];
      await deliver();
    },
    says: { cause: 'moment', code: 'isp.SYSTEM_ERROR' },
  },
  'failed-permanent': {
    comes: async ({ office, deliver }) => {
      office.script.send = [WRONG];
      await deliver();
    },
    says: { cause: 'number', code: 'isv.BLACK_LIST' },
  },
  bundled: {
    kind: 'reassigned',
    comes: async ({ office, id, whom, deliver }) => {
      await office.does(whom, id, { action: 'accept' });
      const other = office.members.find(({ id: one, role }) => role === 'member' && one !== whom)?.id ?? '';
      for (const member of [other, whom]) {
        office.time += 1_000;
        await office.does('duty-1', id, { action: 'reassign', member, reason: '换人' });
      }
      await deliver('reassigned');
    },
    says: { why: 'newer' },
  },
  suppressed: {
    comes: async ({ office, id, whom, deliver }) => {
      await office.does(whom, id, { action: 'accept' });
      await deliver();
    },
    says: { why: 'accepted' },
  },
  unknown: {
    comes: async ({ office, deliver }) => {
      office.script.send = [SILENCE];
      await deliver();
    },
    says: { attempt: 1, vendor: 'aliyun-sms' },
  },
  expired: {
    comes: async ({ office, deliver }) => {
      office.time += 60_000;
      await deliver();
    },
    says: { why: 'too-late' },
  },
  cancelled: {
    comes: async ({ office, id, whom, deliver }) => {
      office.script.send = [BUSY];
      await deliver();
      await office.does(whom, id, { action: 'accept' });
      await deliver();
    },
    says: { why: 'accepted' },
  },
};

test.each(ATTEMPT_STATES)(
  'a notice that is %s has a line in the trail that says so, and why',
  async (state) => {
    const { kind = 'ask', comes, says } = WAYS[state];
    const one = await scene();
    const { office, id, whom } = one;
    await comes(one);
    const chain = (await office.notice(id, whom, kind)).notice.id;
    const seen = await showIncident(office, { kind: 'desk', id: 'duty-1' }, id);
    const trail = seen.kind === 'done' ? seen.body.trail : [];
    expect(trail.filter((line) => line.chain === chain)).toContainEqual(
      expect.objectContaining({
        kind: 'notice',
        by: 'system',
        whom,
        facts: expect.objectContaining({ state, notice: kind, ...says }),
      }),
    );
    expect(await office.faults(id)).toEqual([]);
  },
);
