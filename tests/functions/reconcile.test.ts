import { beforeEach, describe, expect, test } from 'vitest';
import { REJECTS_OWNER, ownerOf } from '#shared/ports/store.ts';
import { everyMinute, reconcile } from '../../functions/reconcile/reconcile.ts';
import { Office } from './office.ts';

const NOTHING = { reports: 0, workflows: 0, notices: 0, overdue: 0, joins: 0 };

let office: Office;
beforeEach(async () => {
  office = await Office.open();
});

/** Lets seconds pass. */
const wait = (seconds: number): void => {
  office.time += seconds * 1000;
};

test('where everything was done it finds nothing, and does nothing', async () => {
  const id = await office.asks110();
  const [first = ''] = await office.asked(id);
  await office.deliver(ownerOf(id), (await office.notice(id, first)).notice.id);
  wait(30);
  const { version } = await office.incident(id);
  expect(await office.sweep()).toEqual(NOTHING);
  expect(office.looked()).toEqual({ sent: { reports: [], links: [], notices: [], sweeps: [] }, told: [] });
  expect(await office.incident(id)).toMatchObject({ version });
  expect(office.log.counts).toEqual({});
});

describe('work whose function died right after the commit', () => {
  test('a report is queued again while it is young, and left alone while somebody is at it', async () => {
    const id = await office.receives();
    wait(4);
    expect(await office.sweep()).toEqual(NOTHING);
    wait(1);
    expect(await office.sweep()).toEqual({ ...NOTHING, reports: 1 });
    expect(office.sent.reports).toEqual([{ incidentId: id }]);
  });

  test('an incident still received after twenty seconds gets the default ladder and the duty officer', async () => {
    const id = await office.receives();
    wait(20);
    expect(await office.sweep()).toEqual({ ...NOTHING, reports: 1 });
    expect(await office.incident(id)).toMatchObject({
      state: 'asking',
      classification: { category: 'other', disposition: 'joint', sure: false },
      ladder: office.district.ladders.default?.war,
      deadlines: { accept: office.time + 40_000 },
      workflow: 'started',
    });
    expect(await office.asked(id)).toEqual(['duty-1']);
    // Its report may have been lost: who looks for the same event has to hear of it all the same.
    expect(office.looked().sent).toMatchObject({
      notices: [{ owner: ownerOf(id) }],
      links: [{ incidentId: id }],
    });
    // Classification that comes after all changes nothing, and the next pass has nothing to do for it.
    await office.classify(id);
    expect(await office.asked(id)).toEqual(['duty-1']);
    expect(await office.sweep()).toEqual(NOTHING);
    expect(await office.faults(id)).toEqual([]);
  });

  test('notices and workflow: sent and started; a second pass finds only what is still owed', async () => {
    const id = await office.receives();
    office.broken = new Set(['notices', 'start']);
    await office.classify(id);
    expect(await office.incident(id)).toMatchObject({ state: 'asking', workflow: 'owed' });
    office.broken.clear();
    wait(5);
    expect(await office.sweep()).toEqual({ ...NOTHING, workflows: 1, notices: 1 });
    expect(office.told).toEqual(['start 1']);
    expect(await office.incident(id)).toMatchObject({ workflow: 'started' });
    await office.deliverAll();
    expect(office.sends).toHaveLength(1);
    expect(await office.sweep()).toEqual(NOTHING);
    expect(office.log.counts.RestoredByReconcile).toBe(2);
  });
});

test('a queue that is behind is not filled by those who look after it: once a minute is enough', async () => {
  const notice = { id: '00001.00', to: 'duty-1', kind: 'desk' as const, at: office.time, round: 1 };
  await office.store.announce([notice]);
  wait(6);
  const { store, queues, workflow, clock, log, backoff, district } = office;
  const sweeper = {
    store,
    queues,
    workflow,
    clock,
    log,
    backoff,
    district,
    lately: new Map<string, number>(),
  };
  const pass = async (): Promise<number> => (await reconcile(sweeper)).notices;
  expect(await pass()).toBe(1);
  wait(15);
  expect(await pass()).toBe(0);
  // What got a step further and is owed anew is another matter.
  const row = await store.notice(REJECTS_OWNER, notice.id);
  if (!row) throw new Error('it was announced');
  await store.step(REJECTS_OWNER, row, { to: 'pending', at: office.time, owedAt: office.time });
  wait(6);
  expect(await pass()).toBe(1);
  wait(60);
  expect(await pass()).toBe(1);
  // A queue that took nothing is tried again at the next pass.
  wait(60);
  sweeper.queues = { ...queues, notices: () => Promise.reject(new Error('away')) };
  expect(await pass()).toBe(0);
  sweeper.queues = queues;
  wait(15);
  expect(await pass()).toBe(1);
});

describe('an incident whose next step is overdue', () => {
  test('the wake was lost: the step is taken, and the sleeping workflow is told', async () => {
    const id = await office.asks110();
    await office.parks(id, 'ASLEEP', 'accept');
    wait(64);
    expect(await office.sweep()).toEqual(expect.objectContaining({ overdue: 0 }));
    wait(1);
    office.looked();
    expect(await office.sweep()).toEqual(expect.objectContaining({ overdue: 1 }));
    expect(await office.asked(id)).toHaveLength(2);
    expect(office.looked().told).toEqual(['rearm ASLEEP']);
    expect(await office.incident(id)).toMatchObject({ round: 1 });
    expect(await office.sweep()).toEqual(expect.objectContaining({ overdue: 0 }));
    expect(office.log.counts.WorkflowLost).toBeUndefined();
  });

  test('the workflow was lost: started anew under a new round; people, deadlines and the climb stay', async () => {
    const id = await office.asks110();
    const before = await office.incident(id);
    office.running.clear();
    wait(66);
    expect(await office.sweep()).toEqual(expect.objectContaining({ overdue: 1 }));
    const after = await office.incident(id);
    expect(after).toMatchObject({ round: 2, workflow: 'started', deadlines: before.deadlines });
    expect(after.people.map((person) => person.id)).toEqual([before.people[0]?.id, expect.any(String)]);
    expect([...office.running]).toEqual([`${id}-2`]);
    expect(await office.trail(id)).toContain('restarted');
    expect(office.log.counts.WorkflowLost).toBe(1);
    // The climb goes on where it stood, in the new execution.
    expect(await office.escalate(id, 1)).toEqual({ next: 'finished', due: {} });
    expect(await office.escalate(id, 2)).toMatchObject({
      next: 'accept',
      due: { accept: before.receivedAt + 90_000 },
    });
    expect(await office.sweep()).toEqual(expect.objectContaining({ overdue: 0 }));
    expect(await office.faults(id)).toEqual([]);
  });

  test('Step Functions is away: the climb goes on all the same, and the workflow is started when it is back', async () => {
    const id = await office.receives();
    office.broken = new Set(['start', 'wake', 'runs']);
    await office.classify(id);
    const asked: number[] = [];
    for (const seconds of [66, 30, 30, 60]) {
      wait(seconds);
      await office.sweep();
      asked.push((await office.asked(id)).length);
    }
    expect(asked).toEqual([2, 3, 4, 5]);
    expect(await office.incident(id)).toMatchObject({ round: 1, workflow: 'owed' });
    office.broken.clear();
    wait(10);
    await office.sweep();
    expect(office.told).toContain('start 1');
    expect(await office.incident(id)).toMatchObject({ round: 1, workflow: 'started' });
  });

  test('it is not restarted twice, and a finished one is not restarted at all', async () => {
    const id = await office.asks110();
    office.running.clear();
    wait(66);
    await Promise.all([office.sweep(), office.sweep()]);
    expect(await office.incident(id)).toMatchObject({ round: 2 });
    expect(await office.asked(id)).toHaveLength(2);
    await office.does('duty-1', id, { action: 'close', outcome: 'cancelled', text: '来电撤销' });
    await office.does('duty-1', id, { action: 'revisit', outcome: 'satisfied' });
    office.running.clear();
    wait(400_000);
    expect(await office.sweep()).toEqual(expect.objectContaining({ overdue: 0 }));
    expect(await office.incident(id)).toMatchObject({ round: 2, workflow: 'ended' });
  });
});

test('one failure stops no other, and is told with its incident', async () => {
  const broken = await office.receives();
  await office.table.write([{ patch: { pk: ownerOf(broken), sk: 'INCIDENT' }, set: { round: -1 } }]);
  const lost = await office.asks110();
  office.running.clear();
  const young = await office.receives();
  office.broken.add('notices');
  wait(66);
  expect(await office.sweep()).toMatchObject({ reports: 1, notices: 0, overdue: 1 });
  expect(await office.asked(young)).toEqual(['duty-1']);
  expect(await office.incident(lost)).toMatchObject({ round: 2 });
  const failures = office.log.lines.filter((line) => line.code === 'reconcile-failed');
  expect(failures.map((line) => line.facts)).toEqual([
    { what: 'notices', id: 'all' },
    { what: 'reports', id: broken },
  ]);
});

test('the pass of the minute asks for three more, and does its own when that fails', async () => {
  const id = await office.receives();
  wait(5);
  expect(await everyMinute(office)).toMatchObject({ reports: 1 });
  expect(office.looked().sent).toMatchObject({ sweeps: [15, 30, 45], reports: [{ incidentId: id }] });
  office.broken.add('sweeps');
  expect(await everyMinute(office)).toMatchObject({ reports: 1 });
});

test('a feeder that was heard once and then fell silent is an alarm after three minutes', async () => {
  await office.sweep();
  wait(10_000);
  await office.sweep();
  await office.store.beat(office.time);
  wait(180);
  await office.sweep();
  expect(office.log.counts.FeederSilent).toBeUndefined();
  wait(1);
  await office.sweep();
  expect(office.log.counts.FeederSilent).toBe(1);
});
