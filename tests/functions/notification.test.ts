import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { spend } from '#shared/domain/budget.ts';
import { badSignal } from '#shared/domain/health.ts';
import { ledgersOf, sumOf } from '#shared/domain/ledger.ts';
import { districtDay } from '#shared/domain/roster.ts';
import type { SendResult } from '#shared/ports/sender.ts';
import { REJECTS_OWNER, ownerOf } from '#shared/ports/store.ts';
import { T0 } from '../adapters/fixtures.ts';
import { listUnreached } from '../../functions/console/console.ts';
import { Office } from './office.ts';

const BUSY: SendResult = {
  kind: 'refused',
  temporary: true,
  cause: 'moment',
  code: 'isp.SYSTEM_ERROR',
  sentence: '',
};
const BARRED: SendResult = {
  kind: 'refused',
  temporary: false,
  cause: 'number',
  code: 'isv.BLACK_LIST',
  sentence: '',
};
const SILENCE: SendResult = { kind: 'unknown', sentence: '没有答复' };

let office: Office;
let id: string;
let owner: string;
/** The first person asked, his notice, and the number his texts go to. */
let first: string;
let noticeId: string;
let phone: string;

beforeEach(async () => {
  office = await Office.open();
  id = await office.asks110();
  owner = ownerOf(id);
  [first = ''] = await office.asked(id);
  noticeId = (await office.notice(id, first)).notice.id;
  phone = office.members.find((member) => member.id === first)?.phone ?? '';
});

// Whatever the vendor does, the trail stays one that can be proved.
afterEach(async () => expect(await office.faults(id)).toEqual([]));

const deliver = (): Promise<void> => office.deliver(owner, noticeId);
const row = () => office.notice(id, first);
/** The states that the notice went through, as its own chain of the trail tells. */
const way = async (): Promise<unknown[]> =>
  (await office.store.lines(id)).flatMap(({ stored }) =>
    stored.chain === noticeId ? [stored.facts?.state] : [],
  );

test('a notice is sent once, in the approved words, however often the queue brings it', async () => {
  await deliver();
  await deliver();
  expect(office.sends).toEqual([
    {
      attemptId: office.attemptId(owner, noticeId, 1),
      to: phone,
      message: {
        kind: 'ask',
        template: {
          code: office.texts.templates.ask.code,
          params: { number: id.slice(-6), place: '和睦路', code: expect.any(String), limit: '10:01:00' },
          order: ['number', 'place', 'code', 'limit'],
        },
        signName: office.texts.signName,
        text: expect.stringContaining('和睦路'),
        extension: office.district.replies.members,
      },
    },
  ]);
  expect(await row()).toMatchObject({ state: 'sent', attempts: [{ n: 1, vendorId: 'v-1', milli: 45 }] });
  expect(await way()).toEqual(['sending', 'sent']);
  // What is owed now is the receipt, a minute later: then the vendor is asked once, and the silence is written down.
  expect(await office.store.owed(office.time + 59_999)).toEqual([]);
  expect(await office.store.owed(office.time + 60_000)).toHaveLength(1);
  office.time += 60_000;
  await deliver();
  expect(office.sends).toHaveLength(1);
  expect(await way()).toEqual(['sending', 'sent', 'sent']);
  expect(await office.store.owed(office.time + 3_600_000)).toEqual([]);
});

test('of two deliverers of the same message one calls the vendor', async () => {
  await Promise.all([deliver(), deliver(), deliver()]);
  expect(office.sends).toHaveLength(1);
  expect(await way()).toEqual(['sending', 'sent']);
});

test('a refusal that passes is tried again, later each time, until the minute is over; then it has expired', async () => {
  office.script.send = [BUSY, BUSY];
  await deliver();
  expect(office.looked().sent.notices).toEqual([{ owner, noticeId, lane: 'alerts', delay: 2 }]);
  // Should the queue lose it, reconcile finds it at the same time.
  expect(await office.store.owed(office.time + 1_999)).toEqual([]);
  expect(await office.store.owed(office.time + 2_000)).toHaveLength(1);
  // A message that comes too early calls nobody.
  await deliver();
  expect(office.sends).toHaveLength(1);
  office.time += 2_000;
  await deliver();
  await office.deliverAll();
  expect(await row()).toMatchObject({
    state: 'sent',
    attempts: [{}, {}, { id: office.attemptId(owner, noticeId, 3), n: 3 }],
  });
  expect(await way()).toEqual([
    'sending',
    'failed-temporary',
    'sending',
    'failed-temporary',
    'sending',
    'sent',
  ]);

  const other = await office.asks110();
  office.script.send = Array.from({ length: 20 }, () => BUSY);
  const before = office.time;
  await office.deliver(ownerOf(other), (await office.notice(other, first)).notice.id);
  await office.deliverAll();
  expect(await office.notice(other, first)).toMatchObject({
    state: 'expired',
    over: 'too-late',
    attempts: Array.from({ length: 8 }, () => ({})),
  });
  expect(office.time - before).toBe(60_000);
  // The desk knew at once that nobody takes his notices, and the climb goes on by itself.
  expect(office.log.counts).toMatchObject({ NoticeExpired: 1, VendorSwitched: 1 });
  expect(office.log.counts.Unreached).toBeGreaterThan(0);
  expect(office.log.counts.NoticeDoubled).toBeUndefined();
  const owed = await office.store.owed(office.time + 3_600_000);
  expect(owed.filter((one) => one.kind === 'notice' && one.owner === ownerOf(other))).toEqual([]);
});

test('refused words: only who is asked hears of a new task, whoever is sent home that there is news', async () => {
  const words: SendResult = { ...BARRED, cause: 'text', code: 'isv.BLACK_KEY_CONTROL_LIMIT' };
  office.script.send = [words];
  await deliver();
  await office.does('duty-1', id, { action: 'close', outcome: 'cancelled', text: '来电撤销' });
  office.script.send = [words];
  await office.deliver(owner, (await office.notice(id, first, 'stand-down')).notice.id);
  expect(office.sends.map(({ message }) => message.text)).toEqual([
    expect.stringContaining('接单'),
    '您有新任务，请打开查看。',
    expect.stringContaining('不用再去'),
    '任务有消息（10:00:00），请打开查看。',
  ]);
});

test('in production a vendor without approved words is passed over: nobody waits for its refusal', async () => {
  office.configured = ['aliyun-sms', 'tencent-sms'];
  Object.assign(office, { approvedOnly: true });
  const approve = { state: 'approved', at: '2026-11-20' };
  Object.assign(office.texts.templates.ask.vendors['tencent-sms'] ?? {}, approve);
  await deliver();
  expect(office.called).toEqual(['tencent-sms']);
  expect(await way()).toEqual(['sending', 'sent']);
});

test('whom nobody can stand in for stays on the list with his number until it is done', async () => {
  await deliver();
  await office.does('duty-1', id, { action: 'return', reason: '有人持刀' });
  const [duty = ''] = (await office.asked(id)).slice(-1);
  const returned = (await office.notice(id, duty, 'returned')).notice;
  const list = async () => {
    const outcome = await listUnreached(office);
    return outcome.kind === 'done' ? outcome.body.items.map(({ member }) => member.id) : outcome;
  };
  office.script.send = [BARRED];
  await office.deliver(owner, returned.id);
  expect(await list()).toEqual([duty]);
  for (const minute of [1, 2]) {
    expect(office.sent.notices).toContainEqual({ owner, noticeId: returned.id, lane: 'alerts', delay: 60 });
    office.looked();
    office.time = returned.at + minute * 60_000;
    await office.deliver(owner, returned.id);
    expect(await list()).toEqual([duty]);
    expect(office.log.counts.Unreached).toBe(minute);
  }
  expect(office.sends.filter(({ message }) => message.kind === 'returned')).toHaveLength(1);
  await office.does('duty-1', id, { action: 'handback', text: '110已接' });
  office.time += 60_000;
  await office.deliver(owner, returned.id);
  expect(await list()).toEqual([]);
  expect(await office.notice(id, duty, 'returned')).toMatchObject({ over: 'handed-back' });
});

test('only who is asked for the first time is replaced when nothing reaches him', async () => {
  await deliver();
  const judgement = { category: 'wage_dispute', disposition: 'non-police' } as const;
  await office.does('duty-1', id, { action: 'classify', reason: '是工资的事', judgement });
  office.script.send = [BARRED];
  await office.deliver(owner, (await office.notice(id, first, 'changed')).notice.id);
  expect(await office.notice(id, first, 'changed')).toMatchObject({ over: 'unreachable' });
  expect(await office.asked(id)).toEqual([first]);
  expect(await office.trail(id)).not.toContain('unreached');
});

test('a refusal for good is not tried again', async () => {
  office.script.send = [BARRED];
  await deliver();
  await deliver();
  expect(office.sends).toHaveLength(1);
  expect(await row()).toMatchObject({ state: 'failed-permanent', over: 'unreachable' });
  expect(office.log.counts).toEqual({ NoticeFailed: 1 });
  // He has no channel that works: the next one is asked at once, not in a minute.
  const [, second = ''] = await office.asked(id);
  expect(await office.notice(id, second, 'ask')).toMatchObject({ notice: { at: office.time } });
  expect(await office.trail(id)).toContain('unreached');
});

describe('when the vendor gives no answer it is asked what became of the text', () => {
  beforeEach(() => {
    office.script.send = [SILENCE];
  });

  test.each([
    [{ kind: 'known', state: 'waiting' }, 'sent', undefined],
    [{ kind: 'known', state: 'delivered', code: 'DELIVERED' }, 'delivered', undefined],
    [{ kind: 'known', state: 'failed', code: 'MOBILE_NOT_ON_SERVICE' }, 'failed-permanent', 1],
  ] as const)('it knows: %j', async (answer, state, failed) => {
    office.script.ask = [answer];
    await deliver();
    await office.deliverAll();
    expect(office.sends.filter(({ to }) => to === phone)).toHaveLength(1);
    expect(office.asks).toEqual([
      { attemptId: office.attemptId(owner, noticeId, 1), to: phone, sentAt: new Date(office.time) },
    ]);
    expect(await row()).toMatchObject({ state });
    expect((await way()).slice(0, 3)).toEqual(['sending', 'unknown', state]);
    expect(office.log.counts.NoticeFailed).toBe(failed);
  });

  test('it states that it has no record: sent again at once, and that is no double', async () => {
    office.script.ask = [{ kind: 'no-record' }];
    await deliver();
    expect(office.sends.map((send) => send.attemptId)).toEqual(
      [1, 2].map((n) => office.attemptId(owner, noticeId, n)),
    );
    expect(await row()).toMatchObject({ state: 'sent', attempts: [{ never: true }, {}] });
    expect(office.log.counts.NoticeDoubled).toBeUndefined();
  });

  test('it cannot be asked either: sent again after a moment, and the possible double is counted', async () => {
    office.script.ask = [{ kind: 'no-answer' }];
    await deliver();
    // And in ten seconds somebody looks whether a vendor has it by then.
    expect(office.sent.notices.map(({ delay }) => delay)).toEqual([10, 2]);
    await office.deliverAll();
    expect(office.asks.filter(({ attemptId }) => attemptId.endsWith('.1'))).toHaveLength(3);
    expect(office.sends).toHaveLength(2);
    expect(await row()).toMatchObject({ state: 'sent' });
    expect(office.log.counts.NoticeDoubled).toBe(1);
  });

  test('all of them hang: by the tenth second somebody has to look, long before the third try', async () => {
    office.script.send = [SILENCE, SILENCE];
    office.meanwhile = async () => void (office.time += 3_000);
    office.configured = ['aliyun-sms', 'tencent-sms'];
    const begun = office.time;
    await deliver();
    // Six seconds are gone: the rest is another message's, so that no vendor holds a function until it is killed.
    expect([office.sends.length, office.asks.length, office.time - begun]).toEqual([2, 1, 6_000]);
    const jobs = office.looked().sent.notices.map(({ delay }) => delay);
    expect(jobs).toEqual([7, 0]);
    expect(office.log.counts.Unreached).toBeUndefined();
    office.time = begun + 10_000;
    await deliver();
    expect(office.log.counts.Unreached).toBe(1);
    // Once he has answered nobody has to be telephoned.
    await office.does(first, id, { action: 'accept' });
    await deliver();
    expect(office.log.counts.Unreached).toBe(1);
  });

  test('it stays silent: an end is made, loudly', async () => {
    office.script.send = Array.from({ length: 20 }, () => SILENCE);
    await deliver();
    await office.deliverAll();
    expect(await row()).toMatchObject({
      state: 'unknown',
      attempts: Array.from({ length: 7 }, () => ({})),
    });
    expect(office.log.counts).toMatchObject({ NoticeFailed: 1, NoticeDoubled: 6 });
  });
});

describe('a function that dies in the middle of the call', () => {
  beforeEach(async () => {
    office.meanwhile = () => Promise.reject(new Error('killed'));
    await expect(deliver()).rejects.toThrow('killed');
    office.meanwhile = async () => {};
    expect(await row()).toMatchObject({ state: 'sending', attempts: [{ state: 'sending' }] });
  });

  test('is not overtaken: the next one waits until the call must be over, then asks the vendor first', async () => {
    office.time += 4_000;
    await deliver();
    expect(office.looked().sent.notices).toEqual([{ owner, noticeId, lane: 'alerts', delay: 6 }]);
    expect(office.asks).toEqual([]);
    office.time += 6_000;
    office.script.ask = [{ kind: 'known', state: 'waiting' }];
    await deliver();
    expect(office.asks).toHaveLength(1);
    expect(office.sends).toHaveLength(1);
    expect(await row()).toMatchObject({ state: 'sent' });
    expect(office.log.counts.NoticeDoubled).toBeUndefined();
  });

  test('is found by reconcile, and the notice is on its way again within twenty seconds', async () => {
    const died = office.time;
    office.script.ask = [{ kind: 'no-record' }];
    // The least lucky rhythm: a pass just before the five seconds of grace are over.
    for (
      office.time = died + 4_999;
      office.sends.length < 2 && office.time < died + 60_000;
      office.time += 15_000
    ) {
      await office.sweep();
      const before = office.time;
      await office.deliverAll();
      expect(office.time - before).toBeLessThanOrEqual(10_000);
    }
    expect(office.sends).toHaveLength(2);
    expect((await row()).attempts.at(-1)?.at).toBeLessThanOrEqual(died + 20_000);
  });

  test('two who find it at once send one text between them', async () => {
    office.time += 10_000;
    office.script.ask = [{ kind: 'no-record' }, { kind: 'no-record' }];
    await Promise.all([deliver(), deliver()]);
    await office.deliverAll();
    expect(office.sends).toHaveLength(2);
    expect(await row()).toMatchObject({ state: 'sent', attempts: [{ never: true }, {}] });
  });

  test.each([
    // Ten seconds, and no vendor is known to have it: the desk telephones.
    [{ kind: 'no-answer' }, { NoticeDoubled: 1, Unreached: expect.any(Number) }],
    [{ kind: 'known', state: 'failed' }, { NoticeFailed: 1 }],
  ] as const)('two who hear %j at once count it once', async (answer, counts) => {
    office.time += 10_000;
    office.script.ask = [answer, answer];
    await Promise.all([deliver(), deliver()]);
    await office.deliverAll();
    expect(office.log.counts).toEqual(counts);
  });
});

describe('a notice that helps nobody any more is not sent', () => {
  test('he has accepted; he has declined; somebody else leads', async () => {
    await office.does(first, id, { action: 'accept' });
    await deliver();
    expect(await row()).toMatchObject({ state: 'suppressed' });

    const declined = await office.asks110();
    const [who = ''] = await office.asked(declined);
    await office.does(who, declined, { action: 'decline', reason: '在处置另一起' });
    const [, second = ''] = await office.asked(declined);
    await office.does(second, declined, { action: 'accept' });

    const led = await office.asks110();
    office.time += 60_000;
    await office.escalate(led);
    const [one = '', two = ''] = await office.asked(led);
    await office.does(one, led, { action: 'accept' });
    await office.deliverAll();
    expect(await office.notice(declined, who)).toMatchObject({ state: 'pending' });
    await office.deliver(ownerOf(declined), (await office.notice(declined, who)).notice.id);
    expect(await office.notice(declined, who)).toMatchObject({ state: 'suppressed' });
    expect(await office.notice(led, two, 'ask')).toMatchObject({ state: 'suppressed' });
    expect(await office.notice(led, two, 'stand-down')).toMatchObject({ state: 'sent' });
  });

  test('the matter is closed or returned; what is told about it is still told', async () => {
    await office.does('duty-1', id, { action: 'return', reason: '涉嫌违法' });
    await deliver();
    await office.deliverAll();
    expect(await row()).toMatchObject({ state: 'suppressed' });
    expect(await office.notice(id, 'duty-1')).toMatchObject({ state: 'sent', notice: { kind: 'returned' } });
  });

  test('what the duty officer was asked before is moot with the return, the return itself is not', async () => {
    for (const seconds of [60, 90, 120]) {
      office.time = (await office.incident(id)).receivedAt + seconds * 1000;
      await office.escalate(id);
    }
    const asked = await office.notice(id, 'duty-1', 'ask');
    await office.does('duty-1', id, { action: 'return', reason: '涉嫌违法' });
    await office.deliver(owner, asked.notice.id);
    await office.deliverAll();
    expect(await office.notice(id, 'duty-1', 'ask')).toMatchObject({ state: 'suppressed' });
    expect(await office.notice(id, 'duty-1', 'returned')).toMatchObject({ state: 'sent' });
  });

  test('it was reopened since; but a restarted workflow takes nothing back that was asked', async () => {
    await office.does('duty-1', id, { action: 'close', outcome: 'cancelled', text: '来电撤销' });
    office.time += 60_000;
    await office.does('duty-1', id, { action: 'reopen', reason: '又吵起来了' });
    expect(await office.incident(id)).toMatchObject({ round: 2, state: 'asking' });
    office.looked();
    await deliver();
    expect(await row()).toMatchObject({ state: 'suppressed' });

    const lost = await office.asks110();
    office.running.clear();
    office.time += 66_000;
    await office.sweep();
    expect(await office.incident(lost)).toMatchObject({ round: 2 });
    const [, second = ''] = await office.asked(lost);
    const { notice } = await office.notice(lost, second);
    expect(notice.round).toBe(1);
    await office.deliver(ownerOf(lost), notice.id);
    expect(await office.notice(lost, second)).toMatchObject({ state: 'sent' });
  });

  test('a nag, as soon as somebody leads, though a second one is still wanted', async () => {
    const pair = await office.asks110({ content: '厨房里煤气味很大，好像漏气了，楼里老人多。' });
    for (const seconds of [60, 90, 120, 180, 480]) {
      office.time = (await office.incident(pair)).receivedAt + seconds * 1000;
      await office.escalate(pair);
    }
    const nag = await office.notice(pair, 'duty-1', 'nag');
    await office.does((await office.asked(pair))[0] ?? '', pair, { action: 'accept' });
    expect(
      (await office.incident(pair)).people.find((person) => person.id === 'duty-1')?.stood,
    ).toBeUndefined();
    await office.deliver(ownerOf(pair), nag.notice.id);
    expect(await office.notice(pair, 'duty-1', 'nag')).toMatchObject({ state: 'suppressed' });
  });
});

test('an acceptance in the middle of the call: the text goes out, everybody else is sent home', async () => {
  office.meanwhile = () => office.does(first, id, { action: 'accept' });
  await deliver();
  expect(await row()).toMatchObject({ state: 'sent' });
  expect(await office.incident(id)).toMatchObject({ state: 'accepted', lead: first });
});

/** The receipt comes while the vendor is still called, and nothing louder is left. */
const receiptEnds = async (): Promise<void> => {
  const now = await row();
  await office.store.step(owner, now, {
    to: 'delivered',
    at: office.time,
    attempts: now.attempts.map((one) => ({ ...one, state: 'delivered' as const })),
    over: 'arrived',
    facts: {},
  });
};

test("a receipt may overtake the vendor's own answer; delivered stays delivered", async () => {
  office.meanwhile = receiptEnds;
  await deliver();
  expect(await row()).toMatchObject({ state: 'delivered' });
  expect(await way()).toEqual(['sending', 'delivered']);
});

test('who has left the roster gets nothing, before the call and after a crash; the failure is counted', async () => {
  const crashed = await office.asks110();
  office.meanwhile = () => Promise.reject(new Error('killed'));
  const { notice } = await office.notice(crashed, first);
  await expect(office.deliver(ownerOf(crashed), notice.id)).rejects.toThrow('killed');
  await office.store.saveRoster(
    office.members.filter((member) => member.id !== first),
    office.time,
  );
  office.time += 10_000;
  await deliver();
  await office.deliver(ownerOf(crashed), notice.id);
  expect(office.sends).toHaveLength(1);
  expect(await row()).toMatchObject({ state: 'failed-permanent', attempts: [] });
  expect(await office.notice(crashed, first)).toMatchObject({ state: 'unknown', attempts: [{}] });
  expect(office.log.counts.NoticeFailed).toBe(2);
});

test('who is asked after the promise was broken is given his own minute', async () => {
  office.time += 60_000;
  await office.escalate(id);
  const [, second = ''] = await office.asked(id);
  await office.deliver(owner, (await office.notice(id, second)).notice.id);
  expect(office.sends[0]?.message.template.params.limit).toBe('10:02:00');
});

test('a dangerous matter is not described on a lock screen', async () => {
  const danger = await office.asks110({ content: '厨房里煤气味很大，好像漏气了，楼里老人多。' });
  expect((await office.incident(danger)).classification?.danger).not.toEqual([]);
  await office.deliver(
    ownerOf(danger),
    (await office.notice(danger, (await office.asked(danger))[0] ?? '')).notice.id,
  );
  expect(office.sends[0]?.message.template.code).toBe(office.texts.templates['ask-secret'].code);
  expect(JSON.stringify(office.sends)).not.toContain('和睦路');
});

test('the duty officer hears of a rejected message', async () => {
  const rejected = '01JSAMPLE0000000000000000A';
  await office.store.reject(
    { id: rejected, at: office.time, status: 400, problems: ['x'], body: '{}', bytes: 2 },
    [{ id: `00.${rejected}`, to: 'duty-1', kind: 'desk', note: 'rejected', at: office.time, round: 1 }],
  );
  await office.deliver(REJECTS_OWNER, `00.${rejected}`);
  expect(office.sends[0]?.message.template.params.note).toBe(office.texts.notes.rejected);
  expect(await office.store.notice(REJECTS_OWNER, `00.${rejected}`)).toMatchObject({ state: 'sent' });
});

describe('budgets of a number', () => {
  const most = 50;
  /** So many texts of this kind have gone to this number today. */
  const spent = async (n: number, kind: 'ask' | 'stand-down' = 'ask'): Promise<void> => {
    const limits = [{ per: 'template' as const, seconds: 86_400, most }];
    const code = office.texts.templates[kind].vendors['aliyun-sms']?.code ?? '';
    const add = spend('aliyun-sms', limits, { template: code, text: '' }, office.time);
    const hash = (await office.secrets.vault()).hash('phone', phone);
    await office.store.count({
      name: `BUDGET-${districtDay(office.time)}-${hash}`,
      add: Object.fromEntries(Object.keys(add).map((key) => [key, n])),
      expires: office.time + 86_400_000,
    });
  };

  /** What the trail says of him whom nothing could reach: of his being passed over, and of his notice. */
  const passedOver = async (incident: string): Promise<unknown[]> =>
    (await office.store.lines(incident))
      .map(({ stored }) => stored)
      .filter(({ kind, whom, facts }) => whom === first && (kind === 'unreached' || facts?.why !== undefined))
      .sort((a, b) => (a.kind < b.kind ? 1 : -1))
      .map(({ facts }) => facts);

  test('spent with one vendor: the other one brings it; spent with all: the next person is asked at once', async () => {
    await spent(50);
    office.configured = ['aliyun-sms', 'tencent-sms'];
    await deliver();
    expect(office.called).toEqual(['tencent-sms']);
    const because = async (incident: string) =>
      (await office.store.lines(incident)).flatMap(({ stored: { facts } }) =>
        facts?.['instead'] ? [[facts['vendor'], facts['instead'], facts['because']]] : [],
      );
    expect(await because(id)).toEqual([['tencent-sms', 'aliyun-sms', 'budget']]);

    // With texts spent altogether the call says for what it stands in.
    office.configured = ['aliyun-sms', 'aliyun-voice'];
    const called = await office.asks110();
    await office.deliver(ownerOf(called), (await office.notice(called, first)).notice.id);
    expect(await because(called)).toEqual([['aliyun-voice', 'aliyun-sms', 'budget']]);
    office.called.splice(1);

    const alone = await office.asks110();
    office.configured = ['aliyun-sms'];
    await office.deliver(ownerOf(alone), (await office.notice(alone, first)).notice.id);
    expect(office.called).toEqual(['tencent-sms']);
    expect(await office.notice(alone, first)).toMatchObject({ state: 'failed-permanent', attempts: [] });
    expect(await office.asked(alone)).toHaveLength(2);
    expect(await passedOver(alone)).toMatchObject([
      { because: 'budget' },
      { state: 'failed-permanent', why: 'unreachable', because: 'budget', with: 'aliyun-sms' },
    ]);
  });

  test('who can only be called, and was called a moment ago, is passed over at once, and the trail says for what', async () => {
    office.configured = ['aliyun-voice'];
    await deliver();
    expect(office.called).toEqual(['aliyun-voice']);
    // One call in a minute, says the vendor.
    office.time += 30_000;
    const next = await office.asks110();
    await office.deliver(ownerOf(next), (await office.notice(next, first)).notice.id);
    expect(office.called).toHaveLength(1);
    expect(await office.asked(next)).toHaveLength(2);
    expect(await passedOver(next)).toMatchObject([
      { because: 'budget' },
      { why: 'unreachable', because: 'budget', with: 'aliyun-voice' },
    ]);
    // Whom no vendor can reach at all has no budget to blame.
    office.configured = ['wecom'];
    const third = await office.asks110();
    await office.deliver(ownerOf(third), (await office.notice(third, first)).notice.id);
    expect(await passedOver(third)).toEqual([undefined, expect.not.objectContaining({ because: 'budget' })]);
  });

  test('the last fifth is kept for those whose minute runs; 80 % is a warning', async () => {
    await spent(39);
    await deliver();
    expect(office.called).toHaveLength(1);
    expect(office.log.counts.BudgetLow).toBe(1);
    expect(office.log.lines.filter(({ code }) => code === 'budget-low')).toEqual([
      { code: 'budget-low', facts: { vendor: 'aliyun-sms', member: first } },
    ]);
    const next = await office.asks110();
    await office.deliver(ownerOf(next), (await office.notice(next, first)).notice.id);
    expect(office.called).toHaveLength(2);
    await spent(45, 'stand-down');
    office.time += 60_000;
    await office.escalate(next);
    const [, second = ''] = await office.asked(next);
    await office.does(second, next, { action: 'accept' });
    await office.deliver(ownerOf(next), (await office.notice(next, first, 'stand-down')).notice.id);
    expect(office.called).toHaveLength(2);
    expect(await office.notice(next, first, 'stand-down')).toMatchObject({ state: 'failed-permanent' });
  });

  describe('of a vendor that counts every try', () => {
    /** Two tasks of one member, who can only be called. */
    const both = async () => {
      office.configured = ['aliyun-voice'];
      const other = await office.asks110();
      const second = (await office.notice(other, first)).notice.id;
      return { other, second: () => office.deliver(ownerOf(other), second) };
    };

    test('two notices at once make one call: within a second the vendor would block both', async () => {
      const { other, second } = await both();
      await Promise.all([deliver(), second()]);
      expect(office.called).toEqual(['aliyun-voice']);
      const states = [await row(), await office.notice(other, first)].map(({ attempts }) => attempts.length);
      expect(states.toSorted((a, b) => a - b)).toEqual([0, 1]);
    });

    test('one that failed has used up the minute: neither it nor another notice calls again before', async () => {
      const { second } = await both();
      office.script.send = [BUSY];
      await deliver();
      await second();
      office.time += 30_000;
      await deliver();
      expect(office.called).toEqual(['aliyun-voice']);
      const third = await office.asks110();
      office.time += 33_000;
      await office.deliver(ownerOf(third), (await office.notice(third, first)).notice.id);
      expect(office.called).toEqual(['aliyun-voice', 'aliyun-voice']);
    });
  });

  test('a number on the white list has no limit by the day', async () => {
    await spent(50);
    office.district.delivery.whiteList.push(first);
    await deliver();
    expect(office.called).toEqual(['aliyun-sms']);
  });
});

test('what a day costs is counted; above the cap chatter stops, and nothing else does', async () => {
  await deliver();
  const day = async (): Promise<Record<string, number>> =>
    sumOf(await Promise.all(ledgersOf(office.time).map((name) => office.store.counters(name))));
  expect(await day()).toMatchObject({ milli: 45, 'aliyun-sms.n': 1, 'aliyun-sms.milli': 45 });
  office.district.delivery.softCap = 45;
  const other = await office.asks110();
  office.time += 60_000;
  await office.escalate(other);
  const [one = '', two = ''] = await office.asked(other);
  await office.does(one, other, { action: 'accept' });
  await office.deliverAll();
  expect(await office.notice(other, two, 'stand-down')).toMatchObject({
    state: 'suppressed',
    over: 'soft-cap',
  });
  const ask = await office.asks110();
  await office.deliver(ownerOf(ask), (await office.notice(ask, first)).notice.id);
  expect(await office.notice(ask, first)).toMatchObject({ state: 'sent' });
  expect(office.log.counts.ChatterStopped).toBe(1);

  // What costs nothing saves nothing either: by chat he hears that he may go home, and no text follows.
  office.configured = ['wecom', 'aliyun-sms'];
  await office.store.saveRoster(
    office.members.map((member) => ({ ...member, wecom: member.id })),
    office.time,
  );
  const wecom = office.vendors.vendors.wecom ?? expect.fail('a vendor without a row');
  // As one that tells whether it has arrived: then a text would follow.
  wecom.tells.delivered = true;
  const home = await office.asks110();
  const [whom = ''] = await office.asked(home);
  await office.does('duty-1', home, { action: 'close', outcome: 'cancelled', text: '来电撤销' });
  const { notice } = await office.notice(home, whom, 'stand-down');
  await office.deliver(ownerOf(home), notice.id);
  expect(office.called.at(-1)).toBe('wecom');
  expect(await office.notice(home, whom, 'stand-down')).toMatchObject({ state: 'sent' });
  office.time += 60_000;
  await office.deliver(ownerOf(home), notice.id);
  expect(await office.notice(home, whom, 'stand-down')).toMatchObject({ state: 'sent', over: 'soft-cap' });
  const calls = office.called.length;
  wecom.price.milli = 1;
  const dear = await office.asks110();
  await office.does('duty-1', dear, { action: 'close', outcome: 'cancelled', text: '来电撤销' });
  await office.deliver(ownerOf(dear), (await office.notice(dear, whom, 'stand-down')).notice.id);
  expect(office.called).toHaveLength(calls);
});

describe('quiet hours', () => {
  // Ten in the morning in Beijing lies in the middle of them here.
  const asleep = async (): Promise<[string, string]> => {
    const calm = await office.asks110();
    office.time += 60_000;
    await office.escalate(calm);
    const [one = '', two = ''] = await office.asked(calm);
    await office.does(one, calm, { action: 'accept' });
    return [calm, two];
  };
  beforeEach(() => {
    office.district.delivery.quiet = { from: 605, to: 660 };
  });

  test('hold chatter back and bring it as one message; alerts ring', async () => {
    const [a, who] = await asleep();
    const [b] = await asleep();
    await office.deliver(ownerOf(a), (await office.notice(a, first)).notice.id);
    office.looked();
    office.time = T0 + 10 * 60_000;
    const before = office.sends.length;
    for (const id of [a, b]) {
      const { notice } = await office.notice(id, who, 'stand-down');
      await office.deliver(ownerOf(id), notice.id);
      expect(await office.notice(id, who, 'stand-down')).toMatchObject({
        state: 'pending',
        owedAt: T0 + 3_600_000,
      });
    }
    expect(office.sends).toHaveLength(before);
    office.time = T0 + 3_600_000;
    for (const id of [a, b])
      await office.deliver(ownerOf(id), (await office.notice(id, who, 'stand-down')).notice.id);
    expect(await office.notice(a, who, 'stand-down')).toMatchObject({ state: 'bundled', attempts: [] });
    expect(await office.notice(b, who, 'stand-down')).toMatchObject({ state: 'sent' });
    expect(office.sends.slice(before).map(({ message }) => message.kind)).toEqual(['summary']);
  });
});

test('a vendor that posts nothing is asked; where no vendor has a person the trail says so', async () => {
  office.configured = ['dingtalk'];
  await office.store.saveRoster(
    office.members.map((one) => (one.id === first ? { ...one, dingtalk: 'ding-1' } : one)),
    office.time,
  );
  await deliver();
  expect(office.sends).toMatchObject([{ to: 'ding-1' }]);
  expect(await row()).toMatchObject({ state: 'sent', owedAt: office.time + 3_000 });
  office.time += 3_000;
  office.script.ask = [{ kind: 'known', state: 'read' }];
  await deliver();
  expect(await row()).toMatchObject({ state: 'read', attempts: [{ asked: 1 }] });
  const other = await office.asks110();
  office.time += 60_000;
  await office.escalate(other);
  const [, second = ''] = await office.asked(other);
  await office.deliver(ownerOf(other), (await office.notice(other, second)).notice.id);
  expect(await office.notice(other, second)).toMatchObject({
    state: 'failed-permanent',
    over: 'unreachable',
  });
  expect(await office.asked(other)).toHaveLength(3);
});

test('whoever works in a system of his own has it posted there at once; without an answer of his the text follows', async () => {
  office.configured = ['webhook', 'aliyun-sms'];
  const webhook = 'https://office.example/in';
  await office.store.saveRoster(
    office.members.map((one) => (one.id === first ? { ...one, webhook } : one)),
    office.time,
  );
  await deliver();
  expect(office.sends).toMatchObject([{ to: webhook, message: { kind: 'ask' } }]);
  expect(await row()).toMatchObject({ state: 'sent', attempts: [{ channel: 'chat', vendor: 'webhook' }] });
  office.time += 15_000;
  await deliver();
  expect(office.called).toEqual(['webhook', 'aliyun-sms']);
  expect(office.sends.at(-1)?.to).toBe(phone);
});

test('a vendor whose receipts do not come stands in doubt; what it says no to and brings all the same has arrived', async () => {
  office.configured = ['aliyun-sms', 'aliyun-voice'];
  await deliver();
  office.time += 15_000;
  office.meanwhile = async () => {
    const now = await row();
    const attempts = now.attempts.map((one) =>
      one.vendor === 'aliyun-voice' ? { ...one, state: 'delivered' as const } : one,
    );
    await office.store.step(owner, now, {
      to: 'delivered',
      at: office.time,
      attempts,
      owedAt: 'same',
      facts: {},
    });
  };
  office.script.send = [BARRED];
  await deliver();
  expect(office.called).toEqual(['aliyun-sms', 'aliyun-voice']);
  expect(await office.store.counters('HEALTH-aliyun-sms')).toEqual({ [badSignal(office.time)]: 1 });
  expect(office.log.counts).toMatchObject({ VendorTrouble: 1 });
  expect(await row()).toMatchObject({
    state: 'delivered',
    attempts: [{ state: 'sent' }, { state: 'delivered' }],
  });
});

test('a receipt that ends the notice before the vendor has answered: what was sent is counted all the same', async () => {
  office.configured = ['aliyun-sms'];
  office.meanwhile = receiptEnds;
  await deliver();
  expect(await row()).toMatchObject({
    state: 'delivered',
    over: 'arrived',
    attempts: [{ state: 'delivered', vendorId: 'v-1', milli: 45 }],
  });
  expect((await row()).owedAt).toBeUndefined();
  const day = await Promise.all(ledgersOf(office.time).map((name) => office.store.counters(name)));
  expect(sumOf(day)).toMatchObject({ milli: 45, 'aliyun-sms.n': 1 });
  const hash = (await office.secrets.vault()).hash('phone', phone);
  const budget = await office.store.counters(`BUDGET-${districtDay(office.time)}-${hash}`);
  expect(Object.values(budget)).toEqual([1]);
});
