import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { memoryTable } from '#shared/adapters/memory-table.ts';
import { attemptIdOf } from '#shared/adapters/store.ts';
import { verifyChains, type ChainHead } from '#shared/adapters/trail-chain.ts';
import type { Correction } from '#shared/domain/correction.ts';
import type { Instant } from '#shared/domain/incident.ts';
import type { Member } from '#shared/domain/roster.ts';
import { REJECTS_OWNER, ownerOf, type NoticeRow, type Store } from '#shared/ports/store.ts';
import type { Item, Table } from '#shared/ports/table.ts';
import { ENGINES, type Engine } from './engines.ts';
import { CONTENT, SECRET, T0, anIncident, changed, reload, storeOn, takeIn } from './fixtures.ts';

const member = (id: string): Member => ({
  id,
  name: `样例${id}`,
  phone: '19900001111',
  role: 'member',
  squad: 's',
  team: 't',
  shifts: [],
  grids: [],
  roads: [],
});

/** What a history keeps; numbers of 32 bits, as a sketch has them. */
const KEPT = {
  category: 'noise_nuisance',
  risk: true,
  danger: ['threat'],
  sketch: [3, 70_000, 4_294_967_295],
};

/** All chains of an incident against the heads in its rows, as `verify-trail` checks them. */
const faults = async (store: Store, id: string) => {
  const owner = ownerOf(id);
  const heads: Record<string, ChainHead> = { main: (await reload(store, id)).trail };
  for (const { notice, trail } of await store.notices(owner)) heads[notice.id] = trail;
  const lines = (await store.lines(id)).map(({ stored }) => stored);
  return { faults: verifyChains(owner, lines, heads), lines, heads, owner };
};

const noticeOf = async (store: Store, owner: string, id: string): Promise<NoticeRow> => {
  const row = await store.notice(owner, id);
  if (!row) throw new Error(`There is no notice ${id}.`);
  return row;
};

for (const name of ['memory', 'dynoxide'] as const) {
  describe(`the store on ${name}`, () => {
    let engine: Engine;
    let table: Table;
    let all: () => Promise<Item[]>;
    let store: Store;
    beforeAll(async () => {
      engine = await ENGINES[name]();
    });
    afterAll(() => engine?.stop());
    beforeEach(async () => {
      ({ table, all } = await engine.fresh());
      store = storeOn(table);
    });

    test('the same call number is one incident, also when it comes eight times at the same moment', async () => {
      const calls = await Promise.all(
        Array.from({ length: 8 }, (_, i) =>
          store.create(anIncident({ callNo: 'SAME' }), { ...CONTENT, callNo: 'SAME', content: `第${i}次` }, [
            { at: T0, kind: 'received', by: '110' },
          ]),
        ),
      );
      const first = calls.findIndex((call) => call.created);
      expect(calls.filter((call) => call.created)).toHaveLength(1);
      const ids = new Set(calls.map((call) => call.incidentId));
      expect(ids.size).toBe(1);
      const [id = ''] = ids;
      expect((await store.content(id))?.content).toBe(`第${first}次`);
      expect((await store.lines(id)).map(({ stored }) => stored.kind)).toEqual(['received']);
      const again = await store.create(anIncident({ callNo: 'SAME' }), CONTENT, []);
      expect(again).toEqual({ created: false, incidentId: id });
      expect((await all()).filter((item) => item.sk === 'INCIDENT')).toHaveLength(1);
    });

    test('of commits from one version one is taken; who reloads gets his turn; nothing of a lost one stays', async () => {
      const first = await takeIn(store);
      const taken = await Promise.all(
        Array.from({ length: 8 }, (_, i) =>
          store.commit(
            changed(
              first,
              (copy) => (copy.reports = i + 2),
              [{ kind: 'noted', by: `m-${i}`, text: `记${i}` }],
              [`m-${i}`],
            ),
          ),
        ),
      );
      expect(taken.filter(Boolean)).toHaveLength(1);
      const winner = taken.indexOf(true);
      const after = await reload(store, first.id);
      expect(after).toMatchObject({ version: 1, reports: winner + 2 });
      expect((await store.notices(ownerOf(first.id))).map(({ notice }) => notice.to)).toEqual([
        `m-${winner}`,
      ]);
      await Promise.all(
        Array.from({ length: 6 }, async () => {
          while (
            !(await store.commit(changed(await reload(store, first.id), (copy) => (copy.reports += 1))))
          );
        }),
      );
      expect(await reload(store, first.id)).toMatchObject({ version: 7, reports: winner + 8 });
      // A change of the clocks alone writes no line; it too is taken from the latest version only.
      const late = await reload(store, first.id);
      expect(await store.commit(changed(late, (copy) => (copy.mode = 'war'), []))).toBe(true);
      expect(await store.commit(changed(late, (copy) => (copy.mode = 'peace'), []))).toBe(false);
      expect(await reload(store, first.id)).toMatchObject({ version: 8, mode: 'war' });
      const { faults: wrong, lines } = await faults(store, first.id);
      expect(wrong).toEqual([]);
      expect(lines.map((line) => line.kind)).toEqual([
        'received',
        ...Array.from({ length: 7 }, () => 'noted'),
      ]);
    });

    test('a commit takes away what the incident no longer has, and never the token that the workflow parked', async () => {
      const first = await takeIn(store);
      await store.commit(
        changed(first, (copy) => {
          Object.assign(copy, {
            state: 'accepted',
            lead: 'm-001',
            acceptedAt: T0,
            owed: ['arrive', 'close'],
          });
          Object.assign(copy, { deadlines: { arrive: T0 + 60_000 }, workflow: 'owed' });
        }),
      );
      // What the workflow itself writes (aws-sdk:dynamodb:updateItem), under its own condition.
      const key = { pk: ownerOf(first.id), sk: 'INCIDENT' };
      await table.write([
        { patch: key, set: { wakeToken: 'token', wakeRung: 'arrive' }, if: { equals: { round: 1 } } },
      ]);
      expect((await table.get(key))?.owed).toEqual(new Set(['arrive', 'close']));
      await store.commit(
        changed(await reload(store, first.id), (copy) => {
          copy.state = 'asking';
          delete copy.lead;
          delete copy.acceptedAt;
          copy.owed = [];
        }),
      );
      const loaded = await store.load(first.id);
      expect(loaded?.parked).toEqual({ token: 'token', rung: 'arrive' });
      expect(loaded?.incident.lead).toBeUndefined();
      expect(loaded?.incident.owed).toEqual([]);
      expect(Object.keys((await table.get(key)) ?? {})).not.toContain('owed');
      await expect(store.load('01JSAMPLE0000000000000000A')).resolves.toBeUndefined();
      await table.write([{ patch: key, set: { round: 0 } }]);
      await expect(store.load(first.id)).rejects.toThrow(/round/);
    });

    test('owed work is found until it is done, oldest first within its kind', async () => {
      const id = (await takeIn(store)).id;
      expect(await store.owed(T0)).toEqual([{ kind: 'report', incidentId: id, since: T0 }]);
      expect(await store.owed(T0 - 1)).toEqual([]);
      const at = T0 + 3_000;
      await store.commit(
        changed(
          await reload(store, id),
          (copy) =>
            Object.assign(copy, {
              state: 'asking',
              workflow: 'owed',
              owed: ['accept'],
              deadlines: { accept: T0 + 60_000 },
            }),
          [{ kind: 'classified', by: 'system' }],
          ['m-001'],
          at,
        ),
      );
      const owner = ownerOf(id);
      const [notice] = await store.notices(owner);
      const noticeId = notice?.notice.id ?? '';
      expect(await store.owed(at - 1)).toEqual([]);
      expect((await store.owed(at)).sort((a, b) => (a.kind < b.kind ? -1 : 1))).toEqual([
        { kind: 'notice', owner, noticeId, lane: 'alerts', since: at },
        { kind: 'workflow', incidentId: id, since: at },
      ]);
      // Starting the workflow raises no version, and counts for its own round only.
      await store.workflowStarted(id, 2);
      expect((await reload(store, id)).workflow).toBe('owed');
      await store.workflowStarted(id, 1);
      expect(await reload(store, id)).toMatchObject({ workflow: 'started', version: 1 });
      expect(await store.owed(at)).toEqual([{ kind: 'notice', owner, noticeId, lane: 'alerts', since: at }]);
      const row = await noticeOf(store, owner, noticeId);
      await store.step(owner, row, { to: 'failed-temporary', at, owedAt: at + 2_000, facts: {} });
      expect(await store.owed(at + 1_999)).toEqual([]);
      expect(await store.owed(at + 2_000)).toHaveLength(1);
      await store.step(owner, await noticeOf(store, owner, noticeId), {
        to: 'sent',
        at,
        facts: {},
      });
      expect(await store.owed(at + 90_000)).toEqual([]);
      // An index may lag behind: the row tells that the workflow is started.
      const lagging = { pk: owner, sk: 'INCIDENT', owedPk: 'OWED#0', owedAt: '0' };
      const behind = storeOn({ ...table, query: async () => [lagging] });
      expect(await behind.owed(at + 90_000)).toEqual([]);
      // Overdue is told by the rung that the workflow waits at.
      const { rung, due } = await reload(store, id);
      const next = due[rung ?? 'accept'] ?? 0;
      expect(await store.overdue(next - 1)).toEqual([]);
      expect(await store.overdue(next)).toEqual([{ incidentId: id, due: next }]);
      await store.commit(changed(await reload(store, id), (copy) => (copy.owed = [])));
      expect(await store.overdue(next + 90 * 86_400_000)).toEqual([]);
    });

    test('a listing goes back over the borders of months and neither repeats nor loses, whatever the page', async () => {
      const at = (text: string): number => Date.parse(`${text}Z`);
      const times = [
        ...Array.from({ length: 5 }, (_, i) => at(`2025-12-31T23:59:5${i}`)),
        at('2026-01-31T23:59:59.999'),
        at('2026-02-01T00:00:00.000'),
        // Two of the same millisecond.
        ...Array.from({ length: 6 }, (_, i) => at('2026-03-04T01:00:00') + Math.floor(i / 2)),
      ];
      const ids: string[] = [];
      for (const [i, receivedAt] of times.entries()) {
        const first = await takeIn(store, anIncident({ receivedAt }));
        ids.push(first.id);
        await store.commit(
          changed(first, (copy) => (copy.state = i % 3 === 0 ? 'unanswered' : 'asking'), [
            { kind: 'asked', by: 'system', whom: i % 2 === 0 ? 'm-even' : 'm-odd' },
          ]),
        );
      }
      const pages = async (filter: object, limit: number): Promise<string[]> => {
        const seen: string[] = [];
        let before: string | undefined;
        do {
          const page = await store.list({
            now: T0,
            limit,
            ...filter,
            ...(before === undefined ? {} : { before }),
          });
          expect(page.items.length).toBeLessThanOrEqual(limit);
          seen.push(...page.items.map((incident) => incident.id));
          before = page.next;
        } while (before !== undefined);
        return seen;
      };
      const newest = ids.toReversed();
      const every = (keep: (i: number) => boolean): string[] => ids.filter((_, i) => keep(i)).toReversed();
      // Ids of the same millisecond sort by their chance, which here counts up.
      for (const limit of [1, 2, 4, 13, 50]) expect(await pages({}, limit)).toEqual(newest);
      for (const limit of [1, 3, 50]) {
        expect(await pages({ state: 'unanswered' }, limit)).toEqual(every((i) => i % 3 === 0));
        expect(await pages({ member: 'm-odd' }, limit)).toEqual(every((i) => i % 2 === 1));
        expect(await pages({ member: 'm-even', state: 'asking' }, limit)).toEqual(
          every((i) => i % 2 === 0 && i % 3 !== 0),
        );
      }
      expect((await store.list({ now: T0, limit: 13 })).next).toBeUndefined();
      expect((await store.heads('2025-12')).map(({ incidentId }) => incidentId).sort()).toEqual(
        ids.slice(0, 5).sort(),
      );
      const head = (await reload(store, ids[0] ?? '')).trail;
      expect((await store.heads('2025-12'))[0]).toEqual({ incidentId: ids[0], ...head });
    });

    test('a roster is replaced in one moment: readers see the old one or the new one, whole; it is read once', async () => {
      const old = Array.from({ length: 120 }, (_, i) => member(`old-${i}`));
      const fresh = Array.from({ length: 130 }, (_, i) => member(`new-${i}`));
      expect(await store.roster()).toEqual([]);
      await store.saveRoster(old, T0);
      const running = { done: false };
      const saving = store.saveRoster(fresh, T0).finally(() => (running.done = true));
      const seen = new Set<string>();
      do {
        // A cold reader each time: a warm one has the roster in memory.
        const roster = await storeOn(table).roster();
        seen.add(`${roster.length} ${roster.every((one) => one.id.startsWith('old')) ? 'old' : 'new'}`);
      } while (!running.done);
      await saving;
      expect(new Set([...seen, '120 old', '130 new'])).toEqual(new Set(['120 old', '130 new']));
      expect((await store.roster()).map((one) => one.id).sort()).toEqual(fresh.map((one) => one.id).sort());
      expect((await store.roster())[0]).toMatchObject({
        name: expect.stringMatching(/^样例new/),
        phone: '19900001111',
      });
      // What was replaced goes by itself, a day later, when nobody can be reading it any more.
      const left = (await all()).filter((item) => item.sk.startsWith('MEMBER#old'));
      expect(left).toHaveLength(120);
      expect(new Set(left.map((item) => item.expiresAt))).toEqual(new Set([Math.ceil(T0 / 1000) + 86_400]));
      let queries = 0;
      const counted = storeOn({ ...table, query: (query) => ((queries += 1), table.query(query)) });
      await counted.roster();
      await counted.roster();
      expect(queries).toBe(1);
    });

    test('two rosters loaded at once: one is in force, the other is refused with a sentence, nobody is mixed in', async () => {
      const loads = await Promise.allSettled(
        ['x', 'y', 'z'].map((team) =>
          storeOn(table).saveRoster(
            Array.from({ length: 100 }, (_, i) => member(`${team}-${i}`)),
            T0,
          ),
        ),
      );
      const won = loads.findIndex((load) => load.status === 'fulfilled');
      expect(loads.filter((load) => load.status === 'fulfilled')).toHaveLength(1);
      for (const load of loads)
        if (load.status === 'rejected') expect(String(load.reason)).toMatch(/at the same time/);
      const teams = new Set((await store.roster()).map((one) => one.id[0]));
      expect(teams).toEqual(new Set([['x', 'y', 'z'][won]]));
      expect(await store.roster()).toHaveLength(100);
    });

    test('steps of delivery: only from the version that was read; what a step answers is what the table holds', async () => {
      const first = await takeIn(store);
      await store.commit(
        changed(first, () => {}, [{ kind: 'asked', by: 'system', whom: 'm-001' }], ['m-001', 'm-002']),
      );
      const owner = ownerOf(first.id);
      const [one, two] = (await store.notices(owner)).map(({ notice }) => notice.id);
      if (one === undefined || two === undefined) throw new Error('Two notices were written.');
      const id = attemptIdOf(owner, one, 1);
      expect(await store.byAttempt(id)).toEqual({ owner, noticeId: one });
      const at = T0 + 2_000;
      const pending = await noticeOf(store, owner, one);
      expect(pending).toMatchObject({
        state: 'pending',
        attempts: [],
        version: 0,
        trail: { seq: 0, head: '' },
      });
      const attempt = {
        id,
        n: 1,
        channel: 'sms',
        vendor: 'aliyun-sms',
        state: 'sending',
        at,
        seen: at,
        asked: 0,
        milli: 0,
      } as const;
      const counters = [
        { name: 'BUDGET-sample', add: { 'aliyun-sms|60|x|1': 1, b: 2 }, expires: at + 60_000 },
      ];
      const claim = {
        to: 'sending' as const,
        at,
        attempts: [attempt],
        louder: true,
        owedAt: at,
        facts: { attempt: 1 },
        counters,
      };
      // Two deliverers of the same message, from the same reading: one of them sends, and counts.
      const claimed = await Promise.all([
        store.step(owner, pending, claim),
        store.step(owner, pending, claim),
      ]);
      expect(claimed.filter((row) => row !== undefined)).toHaveLength(1);
      const sending = await noticeOf(store, owner, one);
      expect(claimed).toContainEqual(sending);
      expect(sending).toMatchObject({ state: 'sending', attempts: [attempt], louder: true, owedAt: at });
      expect(await store.counters('BUDGET-sample')).toEqual({ 'aliyun-sms|60|x|1': 1, b: 2 });
      await store.count({ name: 'BUDGET-sample', add: { b: 3 }, expires: at + 60_000 });
      expect(await store.counters('BUDGET-sample')).toEqual({ 'aliyun-sms|60|x|1': 1, b: 5 });
      expect(await store.counters('BUDGET-other')).toEqual({});
      // Put off without a line: it is owed at another time, and nothing else has changed.
      const later = await store.step(owner, sending, { to: 'sending', at, owedAt: at + 9_000 });
      expect(later).toMatchObject({ version: 2, owedAt: at + 9_000, trail: sending.trail });
      expect(later).toEqual(await noticeOf(store, owner, one));
      if (!later) throw new Error('nobody else was there');
      const receipt = { to: 'delivered' as const, at: at + 100, owedAt: 'same' as const, facts: {} };
      // From a reading that is out of date no step is taken.
      expect(await store.step(owner, sending, receipt)).toBeUndefined();
      const delivered = await store.step(owner, later, receipt);
      expect(delivered).toMatchObject({ state: 'delivered', owedAt: at + 9_000 });
      expect(delivered).toEqual(await noticeOf(store, owner, one));
      if (!delivered) throw new Error('nobody else was there');
      const over = await store.step(owner, delivered, { to: 'delivered', at, over: 'arrived' });
      expect(over).toEqual(await noticeOf(store, owner, one));
      expect(over?.owedAt).toBeUndefined();
      expect(
        (await store.owed(at + 90_000)).flatMap((owed) => (owed.kind === 'notice' ? [owed.noticeId] : [])),
      ).toEqual([two]);
      const { faults: wrong, lines } = await faults(store, first.id);
      expect(wrong).toEqual([]);
      expect(lines.filter((line) => line.chain === one).map((line) => line.facts?.state)).toEqual([
        'sending',
        'delivered',
      ]);
    });

    test('what is sealed opens in its own place only, and an erased key leaves the chains valid and the words gone', async () => {
      const first = await takeIn(store);
      const other = await takeIn(store, undefined, { ...CONTENT, content: '另一起' });
      await store.commit(
        changed(first, (copy) => (copy.reports = 2), [{ kind: 'noted', by: 'm-001', text: '机密的话' }]),
        {
          report: { ...CONTENT, content: '第二次来电' },
          picks: { picked: [{ id: 'm-001', reason: '路段负责人' }], rejected: [], how: '地址' },
          reasons: [{ rule: 'code', sentence: '代码' }],
        },
      );
      expect((await store.lines(first.id)).map(({ text }) => text)).toEqual([undefined, '机密的话']);
      expect((await store.reports(first.id)).map((report) => report.content)).toEqual(['第二次来电']);
      await store.reject(
        { id: 'r', at: T0, status: 400, problems: ['callNo'], body: '{原文}', bytes: 8 },
        [],
      );

      const rotated = structuredClone(SECRET);
      rotated.dataKeys.keys.k2 = Buffer.alloc(32, 7).toString('base64');
      rotated.dataKeys.current = 'k2';
      const both = storeOn(table, rotated);
      expect((await both.content(first.id))?.content).toBe(CONTENT.content);
      const second = await takeIn(both);
      const erased = structuredClone(rotated);
      delete erased.dataKeys.keys.k1;
      const later = storeOn(table, erased);
      expect(await later.content(first.id)).toBeUndefined();
      expect(await later.picks(first.id)).toBeUndefined();
      expect(await later.reasons(first.id)).toEqual([]);
      expect(await later.reports(first.id)).toEqual([]);
      expect((await later.rejected(undefined, 5)).items).toEqual([]);
      expect((await later.lines(first.id)).map(({ text }) => text)).toEqual([undefined, undefined]);
      expect((await faults(later, first.id)).faults).toEqual([]);
      expect(await later.commit(changed(await reload(later, first.id), () => {}))).toBe(true);
      expect((await faults(later, first.id)).faults).toEqual([]);
      expect(await later.content(second.id)).toMatchObject({ caller: CONTENT.caller });

      const sealed = await table.get({ pk: ownerOf(first.id), sk: 'CONTENT' });
      await table.write([
        { patch: { pk: ownerOf(other.id), sk: 'CONTENT' }, set: { sealed: sealed?.sealed } },
      ]);
      await expect(store.content(other.id)).rejects.toThrow();
    });

    test('rejected messages: newest first in pages, with their notices; attempts lead back to them', async () => {
      for (let i = 0; i < 7; i += 1) {
        const id = `01JSAMPLE000000000000000${i}A`;
        await store.reject(
          // Two of the same millisecond.
          {
            id,
            at: T0 + Math.floor(i / 2),
            status: i % 2 === 0 ? 400 : 413,
            problems: [`p${i}`],
            body: `b${i}`,
            bytes: 2,
          },
          i === 0 ? [{ id: `00.${id}`, to: 'duty-1', kind: 'desk', note: 'rejected', at: T0, round: 1 }] : [],
        );
      }
      const bodies: string[] = [];
      let before: string | undefined;
      do {
        const page = await store.rejected(before, 3);
        bodies.push(...page.items.map((item) => item.body));
        before = page.next;
      } while (before !== undefined);
      expect(bodies).toEqual(['b6', 'b5', 'b4', 'b3', 'b2', 'b1', 'b0']);
      expect((await store.rejected(undefined, 7)).next).toBeUndefined();
      const [notice] = await store.notices(REJECTS_OWNER);
      const noticeId = notice?.notice.id ?? '';
      expect(await store.owed(T0)).toEqual([
        { kind: 'notice', owner: REJECTS_OWNER, noticeId, lane: 'alerts', since: T0 },
      ]);
      expect(await store.byAttempt(attemptIdOf(REJECTS_OWNER, noticeId, 3))).toEqual({
        owner: REJECTS_OWNER,
        noticeId,
      });
      for (const strange of ['', 'x', 'REJECTED', '01JSAMPLE0000000000000000A', 'ROSTER.a.b.1'])
        expect(await store.byAttempt(strange)).toBeUndefined();
    });

    test('corrections: by month, oldest first, sealed, and never among the incidents', async () => {
      const first = await takeIn(store);
      const correction = (at: Instant, by: string): Correction => ({
        incidentId: first.id,
        at,
        stage: 'after',
        text: '楼上[姓名]装修',
        was: { category: 'other', disposition: 'joint', urgency: 'P4' },
        is: { category: 'noise_nuisance', disposition: 'non-police', urgency: 'P3' },
        by,
        why: '听录音',
        words: ['装修'],
      });
      const later = correction(T0 + 5_000, 'duty-2');
      const sooner = correction(T0 + 1_000, 'duty-1');
      await store.commit(
        changed(first, () => {}),
        { correction: later },
      );
      const { incident } = (await store.load(first.id)) ?? {};
      if (!incident) throw new Error('the incident is gone');
      await store.commit(
        changed(incident, () => {}),
        { correction: sooner },
      );
      expect(await store.corrections('2026-03')).toEqual([sooner, later]);
      expect(await store.corrections('2026-02')).toEqual([]);
      expect(
        (await store.list({ now: T0 + 1, limit: 50 })).items.filter(({ id }) => id === first.id),
      ).toHaveLength(1);
    });

    test('incidents of about one moment: the nearest before and after it', async () => {
      const [old, first] = [
        await takeIn(store, anIncident({ receivedAt: T0 - 3_600_000 })),
        await takeIn(store, anIncident({ receivedAt: T0 })),
      ];
      const last = await takeIn(store, anIncident({ receivedAt: T0 + 2_000 }));
      expect(await store.around(T0 + 2_000, 60_000, 9)).toEqual([last.id, first.id]);
      expect(await store.around(T0, 60_000, 9)).toEqual([last.id, first.id]);
      // However many have come since: whoever is compared late still meets his neighbours.
      const later = await takeIn(store, anIncident({ receivedAt: T0 + 3_000 }));
      expect(await store.around(T0 + 2_000, 60_000, 1)).toEqual([later.id, last.id]);
      expect(await store.around(T0 + 1_500, 600, 9)).toEqual([last.id]);
      expect(await store.around(T0, 3_600_000, 9)).toEqual([later.id, last.id, first.id, old.id]);
      expect(await store.around(T0, 3_599_999, 9)).not.toContain(old.id);
    });

    test('several incidents with what was told, in the order asked for; what is broken or not classified yet is left out', async () => {
      const [unclassified, first, broken, last] = [
        await takeIn(store),
        await takeIn(store),
        await takeIn(store),
        await takeIn(store),
      ];
      for (const one of [first, broken, last])
        await store.commit(changed(one, (copy) => (copy.state = 'unanswered')));
      await table.write([
        { patch: { pk: ownerOf(broken.id), sk: 'INCIDENT' }, set: { round: 0 }, if: { present: true } },
      ]);
      const found = await store.told([last.id, broken.id, unclassified.id, first.id]);
      expect(found.map(({ incident }) => incident.id)).toEqual([last.id, first.id]);
      expect(found[0]?.content.address).toBe(CONTENT.address);
      expect(await store.told([])).toEqual([]);
    });

    test('two incidents change together or not at all', async () => {
      const [one, other] = [await takeIn(store), await takeIn(store)];
      const first = changed(one, () => {});
      expect(
        await store.commitBoth(
          first,
          changed(other, () => {}),
        ),
      ).toBe(true);
      const [again, stale] = [changed(await reload(store, one.id), () => {}), changed(other, () => {})];
      expect(await store.commitBoth(again, stale)).toBe(false);
      expect((await reload(store, one.id)).version).toBe(first.incident.version);
      for (const id of [one.id, other.id]) expect((await faults(store, id)).faults).toEqual([]);
    });

    test('small things that are remembered: repeatable requests, history, counters, heartbeats', async () => {
      const first = await takeIn(store);
      expect(await store.done(first.id, 'm-001/key')).toBe(false);
      await store.commit(
        changed(first, () => {}),
        { idempotencyKey: 'm-001/key', history: { keys: ['h1', 'h2'], kept: KEPT } },
      );
      expect(await store.done(first.id, 'm-001/key')).toBe(true);
      expect(await store.done(first.id, 'm-002/key')).toBe(false);
      const older = await takeIn(store, anIncident({ receivedAt: T0 - 86_400_000 }));
      await store.commit(
        changed(older, () => {}),
        { history: { keys: ['h1'], kept: KEPT } },
      );
      expect(await store.history('h1', T0 - 2 * 86_400_000, 9)).toEqual([
        { incidentId: first.id, at: T0, kept: KEPT },
        { incidentId: older.id, at: T0 - 86_400_000, kept: KEPT },
      ]);
      expect(await store.history('h1', T0 - 2 * 86_400_000, 1)).toHaveLength(1);
      expect(await store.history('h1', T0, 9)).toHaveLength(1);
      expect(await store.history('h3', 0, 9)).toEqual([]);
      const tallies = await Promise.all(Array.from({ length: 6 }, () => store.tally('rejected', T0 + 1)));
      expect(Math.max(...tallies)).toBe(6);
      expect(await store.tally('rejected', T0 + 1)).toBe(7);
      expect(await store.lastBeat()).toBeUndefined();
      await store.beat(T0);
      await store.beat(T0 + 60_000);
      expect(await store.lastBeat()).toBe(T0 + 60_000);
    });
  });
}

test('a listing that finds little hands on after a thousand rows instead of reading fourteen months', async () => {
  const table = memoryTable();
  let reads = 0;
  const store = storeOn({ ...table, query: (query) => ((reads += 1), table.query(query)) });
  for (let i = 0; i < 1_150; i += 1) await takeIn(store, anIncident({ receivedAt: T0 - i * 60_000 }));
  reads = 0;
  const found = { items: 0, pages: 0 };
  let before: string | undefined;
  do {
    const page = await store.list({
      now: T0,
      limit: 20,
      state: 'closed',
      ...(before === undefined ? {} : { before }),
    });
    found.items += page.items.length;
    found.pages += 1;
    before = page.next;
  } while (before !== undefined);
  expect(found).toEqual({ items: 0, pages: 2 });
  expect(reads).toBeLessThan(50);
});
