import { beforeEach, expect, test } from 'vitest';
import { beginDrill, drillNoticeId } from '#shared/domain/drill.ts';
import { ledgerFor } from '#shared/domain/ledger.ts';
import { answerDrill, drillResults, readDrill, startDrill } from '#shared/ports/drills.ts';
import { REJECTS_OWNER } from '#shared/ports/store.ts';
import { openLink, showLink } from '../../functions/receipt/link.ts';
import { takeReply } from '../../functions/receipt/reply.ts';
import { Office } from './office.ts';

const NAME = '20260302T0900';
let office: Office;
let task: string;
let who: string;
beforeEach(async () => {
  office = await Office.open();
  office.district.links.domain = 't.sample.example';
  office.district.delivery.plans.kinds.drill = [
    { channel: 'chat', after: 0 },
    { channel: 'voice', after: 15 },
  ];
  const people = office.members.map((member) => ({ ...member, wecom: `wx-${member.id}` }));
  await office.store.saveRoster(people, office.time);
  // A task waits for the same person: an answer to the drill must not take it.
  task = await office.asks110();
  [who = ''] = await office.asked(task);
  const fresh = beginDrill(NAME, people, office.district.shifts, 600, office.time);
  await startDrill(office, fresh, office.time);
});

const opener = () => ({
  store: office.store,
  queues: office.queues,
  workflow: office.workflow,
  clock: office.clock,
  log: office.log,
  backoff: office.backoff,
  district: office.district,
  memos: office.memos,
  secrets: office.secrets,
  deviceHash: (device: string) => device,
  sign: async () => {
    throw new Error('a drill opens nothing');
  },
});
/** Over what he has answered, if he has. */
const result = async () => {
  const drill = await readDrill(office, office.time);
  if (!drill) throw new Error('no drill');
  const all = await drillResults(office, drill, office.time);
  const one = all.find(({ member }) => member === who);
  return [one?.result, one?.over];
};

test('by its link: the page answers, once, on any device, and nothing is opened by it', async () => {
  office.configured = ['wecom'];
  await office.deliver(REJECTS_OWNER, drillNoticeId(NAME, who));
  const token = office.sends.at(-1)?.message.link?.slice(-11) ?? '';
  expect(await showLink(opener(), token)).toEqual({
    kind: 'done',
    body: { number: NAME, needsPin: false, drill: true },
  });
  expect(await result()).toEqual(['waiting', undefined]);
  const tap = (device: string) => openLink(opener(), token, Buffer.from(JSON.stringify({ device })));
  expect(await tap('a-first-device-of-his-own')).toEqual({ kind: 'done', body: { answered: true } });
  expect(await tap('a-second-one-bought-later')).toEqual({ kind: 'done', body: { answered: true } });
  expect(await result()).toEqual(['answered', 'page']);
  expect((await office.incident(task)).lead).toBeUndefined();
  office.time += 601_000;
  expect(await showLink(opener(), token)).toMatchObject({ code: 'not_found' });
  expect(await tap('a-first-device-of-his-own')).toMatchObject({ code: 'not_found' });
});

test('by a key: 1 in the call of the drill answers the drill and takes no task', async () => {
  office.configured = ['aliyun-voice'];
  await office.deliver(REJECTS_OWNER, drillNoticeId(NAME, who));
  const [attempt] = (await office.store.notice(REJECTS_OWNER, drillNoticeId(NAME, who)))?.attempts ?? [];
  expect(attempt?.vendor).toBe('aliyun-voice');
  office.time += 20_000;
  await takeReply(office, 'aliyun-voice', {
    kind: 'reply',
    messageId: 'call-1',
    from: office.members.find(({ id }) => id === who)?.phone ?? '',
    text: '1',
    at: new Date(office.time),
    ...(attempt?.vendorId === undefined ? {} : { vendorId: attempt.vendorId }),
  });
  expect(await result()).toEqual(['answered', 'keys']);
  expect((await office.incident(task)).lead).toBeUndefined();
});

test('whoever has answered over one channel is left in peace by the next; whoever has not is called', async () => {
  office.configured = ['aliyun-sms', 'aliyun-voice'];
  office.district.delivery.plans.kinds.drill = [
    { channel: 'sms', after: 0 },
    { channel: 'voice', after: 15 },
  ];
  const others = office.members.map(({ id }) => id).filter((id) => id !== who);
  const silent = others.find((id) =>
    office.sent.notices.some(({ noticeId }) => noticeId === drillNoticeId(NAME, id)),
  );
  if (silent === undefined) throw new Error('nobody else is on shift');
  for (const one of [who, silent]) await office.deliver(REJECTS_OWNER, drillNoticeId(NAME, one));
  await answerDrill(office, [who], 'page', office.time + 5_000);
  office.time += 15_000;
  for (const one of [who, silent]) await office.deliver(REJECTS_OWNER, drillNoticeId(NAME, one));
  const over = async (one: string) =>
    (await office.store.notice(REJECTS_OWNER, drillNoticeId(NAME, one)))?.attempts.map(
      ({ vendor }) => vendor,
    );
  expect([await over(who), await over(silent)]).toEqual([['aliyun-sms'], ['aliyun-sms', 'aliyun-voice']]);
});

test('above the soft cap of the day nothing is sent, and that is what the result says', async () => {
  office.configured = ['aliyun-sms'];
  office.district.delivery.plans.kinds.drill = [{ channel: 'sms', after: 0 }];
  const milli = office.district.delivery.softCap + 1;
  await office.store.count({ name: ledgerFor(office.time, who), add: { milli }, expires: office.time + 1e9 });
  await office.deliver(REJECTS_OWNER, drillNoticeId(NAME, who));
  office.time += 601_000;
  expect([office.called, await result()]).toEqual([[], ['not-sent', undefined]]);
});
