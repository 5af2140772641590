import type { Context } from 'aws-lambda';
import { beforeEach, describe, expect, test } from 'vitest';
import { queueDoor } from '#shared/lambda/queue.ts';
import { reportJobSchema } from '#shared/contracts/jobs.ts';
import { ownerOf } from '#shared/ports/store.ts';
import { CONTENT } from '../adapters/fixtures.ts';
import { Office } from './office.ts';

/** What Lambda says of itself; the door asks none of it. */
const CONTEXT: Context = {
  callbackWaitsForEmptyEventLoop: false,
  functionName: 'classification',
  functionVersion: '1',
  invokedFunctionArn: 'sample',
  memoryLimitInMB: '256',
  awsRequestId: 'sample',
  logGroupName: 'sample',
  logStreamName: 'sample',
  getRemainingTimeInMillis: () => 10_000,
  done: () => {},
  fail: () => {},
  succeed: () => {},
};

let office: Office;
beforeEach(async () => {
  office = await Office.open();
});

test('says what it is, who answers and by when; asks the first one and starts the workflow, once', async () => {
  const id = await office.receives();
  await Promise.all([office.classify(id), office.classify(id)]);
  await office.classify(id);
  expect(await office.incident(id)).toMatchObject({
    state: 'asking',
    version: 1,
    workflow: 'started',
    classification: { category: 'noise_nuisance', disposition: 'non-police', sure: true },
    place: { road: 'r-03', name: '和睦路' },
    deadlines: { accept: office.time + 60_000, arrive: office.time + 180_000 },
  });
  const [first = ''] = await office.asked(id);
  const { notice } = await office.notice(id, first, 'ask');
  expect(office.sent.notices).toEqual([
    { owner: ownerOf(id), noticeId: notice.id, lane: 'alerts', delay: 0 },
  ]);
  expect(office.told).toEqual(['start 1']);
  expect(await office.store.owed(office.time)).toHaveLength(1);
});

describe('handed on to be compared', () => {
  const job = (id: string) => ({
    Records: [{ messageId: 'm1', body: JSON.stringify({ v: 1, incidentId: id }), attributes: {} }],
  });
  const handler = () => queueDoor(reportJobSchema, ({ incidentId }) => office.classify(incidentId), office);

  test('only when somebody is asked and the workflow runs', async () => {
    const id = await office.receives();
    let then: unknown;
    const { links } = office.queues;
    office.queues.links = async (jobs) => {
      const { state, workflow } = await office.incident(id);
      then = { state, workflow, notices: office.sent.notices.length, told: [...office.told] };
      return links(jobs);
    };
    await handler()(job(id), CONTEXT);
    expect(then).toEqual({ state: 'asking', workflow: 'started', notices: 1, told: ['start 1'] });
    expect(office.sent.links).toEqual([{ incidentId: id }]);
  });

  test('what could not be handed on, or died before, comes again as a report: nobody is asked twice', async () => {
    const id = await office.receives();
    office.broken.add('links');
    const reply = await handler()(job(id), CONTEXT);
    expect(reply.batchItemFailures).toEqual([{ itemIdentifier: 'm1' }]);
    const dispatched = await office.incident(id);
    expect(dispatched).toMatchObject({ state: 'asking', workflow: 'started' });
    const { sent } = office.looked();
    expect([sent.notices.length, sent.links]).toEqual([1, []]);
    office.broken.clear();
    expect((await handler()(job(id), CONTEXT)).batchItemFailures).toEqual([]);
    expect(office.looked()).toEqual({
      sent: { reports: [], links: [{ incidentId: id }], notices: [], sweeps: [] },
      told: [],
    });
    expect(await office.incident(id)).toEqual(dispatched);
  });
});

test('keeps why: reasons, picks and rejected candidates, and the hashes under which it is found again', async () => {
  const id = await office.asks110();
  const picks = await office.store.picks(id);
  expect(picks?.picked[0]).toEqual({
    id: (await office.asked(id))[0],
    reason: expect.stringContaining('和睦路'),
  });
  expect(picks?.rejected.length).toBeGreaterThan(0);
  expect(picks?.how).toContain('和睦路');
  expect((await office.store.reasons(id)).length).toBeGreaterThan(0);
  const vault = await office.secrets.vault();
  const { phone, name } = CONTENT.caller;
  for (const key of [
    `phone:${vault.hash('phone', phone)}`,
    `person:${vault.hash('person', `${name}/${phone}`)}`,
    `address:${vault.hash('address', CONTENT.address)}`,
  ])
    expect(await office.store.history(key, 0, 9)).toMatchObject([{ incidentId: id, at: office.time }]);
  expect(await office.store.history(`address:${vault.hash('address', phone)}`, 0, 9)).toEqual([]);
});

test('an anonymous caller leaves no hash under which strangers would be one person', async () => {
  const id = await office.asks110({ caller: { name: '', phone: '' }, address: '' });
  const items = await office.all();
  // A road is no person.
  const keys = items.filter((item) => item.pk.startsWith('HIST#') && !item.pk.startsWith('HIST#place:'));
  expect(keys).toEqual([]);
  expect(await office.incident(id)).toMatchObject({ state: 'asking' });
});

test('a weapon in the text goes back to 110 and to the duty officer; no civilian is asked', async () => {
  const id = await office.asks110({ content: '有人拿刀要砍人，快来。' });
  expect(await office.incident(id)).toMatchObject({ state: 'returned', owed: ['handback'] });
  expect(await office.asked(id)).toEqual(['duty-1']);
  expect(office.log.counts.Returned).toBe(1);
});

test('an incident that was returned by hand before it was classified stays returned', async () => {
  const id = await office.receives();
  await office.does('duty-1', id, { action: 'return', reason: '涉嫌违法' });
  const { version } = await office.incident(id);
  await office.classify(id);
  expect(await office.incident(id)).toMatchObject({ state: 'returned', version });
});

test('one bad message of a batch comes again alone; its neighbours are done', async () => {
  const [one, two] = [await office.receives(), await office.receives()];
  const handler = queueDoor(reportJobSchema, ({ incidentId }) => office.classify(incidentId), office);
  const record = (messageId: string, body: unknown) => ({
    messageId,
    body: JSON.stringify(body),
    attributes: {},
  });
  const reply = await handler(
    {
      Records: [
        record('m1', { v: 1, incidentId: one }),
        record('m2', { v: 1, incidentId: '01JSAMPLE0000000000000000A' }),
        record('m3', { v: 2 }),
        record('m4', { v: 1, incidentId: two }),
      ],
    },
    CONTEXT,
  );
  expect(reply.batchItemFailures.map((failure) => failure.itemIdentifier).sort()).toEqual(['m2', 'm3']);
  for (const id of [one, two]) expect(await office.incident(id)).toMatchObject({ state: 'asking' });
});
