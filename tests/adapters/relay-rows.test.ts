import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Relay } from '#shared/domain/relay.ts';
import { draft, finish } from '#shared/domain/draft.ts';
import { NO_HANDS } from '#shared/domain/hands.ts';
import { ownerOf, type Store } from '#shared/ports/store.ts';
import { ENGINES, type Engine } from './engines.ts';
import { CONTENT, T0, anIncident, storeOn } from './fixtures.ts';

for (const name of ['memory', 'dynoxide'] as const) {
  describe(`messages to 110 on ${name}`, () => {
    let engine: Engine;
    let store: Store;
    beforeAll(async () => {
      engine = await ENGINES[name]();
      store = storeOn((await engine.fresh()).table);
    });
    afterAll(() => engine?.stop());

    /** An incident whose next commit owes 110 a message. */
    const owing = async (kind: Relay['kind']): Promise<{ owner: string; relay: Relay }> => {
      const incident = anIncident();
      await store.create(incident, { ...CONTENT, callNo: incident.callNo }, []);
      const change = finish(draft(incident, NO_HANDS, T0));
      const relay = { id: '110.00001', kind, sequence: 1, at: T0 };
      expect(await store.commit(change, { relay })).toBe(true);
      return { owner: ownerOf(incident.id), relay };
    };
    const owedTo = async (owner: string, before: number): Promise<unknown[]> =>
      (await store.owed(before)).filter((owed) => owed.kind === 'notice' && owed.owner === owner);

    test('are owed from their commit on, a return as an alert and a result as chatter', async () => {
      for (const [kind, lane] of [
        ['returned', 'alerts'],
        ['closed', 'chatter'],
      ] as const) {
        const { owner, relay } = await owing(kind);
        expect(await store.relays(owner)).toEqual([
          { relay, state: 'owed', tries: 0, version: 0, owedAt: T0 },
        ]);
        expect(await owedTo(owner, T0)).toEqual([
          { kind: 'notice', owner, noticeId: relay.id, lane, since: T0 },
        ]);
      }
    });

    test('are stepped by one at a time, and owed until they are done with', async () => {
      const { owner } = await owing('returned');
      const [row] = await store.relays(owner);
      if (!row) throw new Error('nothing is owed');
      const step = { state: 'sending', tries: 1, triedAt: T0, owedAt: T0 + 10_000 } as const;
      const both = await Promise.all([store.stepRelay(owner, row, step), store.stepRelay(owner, row, step)]);
      const [claimed] = both.filter((one) => one !== undefined);
      expect(both.filter((one) => one === undefined).length).toBe(1);
      // What a step gives back is what stands there.
      expect(await store.relays(owner)).toEqual([claimed]);
      expect(await owedTo(owner, T0 + 9_999)).toEqual([]);
      expect((await owedTo(owner, T0 + 10_000)).length).toBe(1);
      const told = claimed && (await store.stepRelay(owner, claimed, { deskTold: T0, owedAt: 'same' }));
      expect(await store.relays(owner)).toEqual([told]);
      expect((await owedTo(owner, T0 + 10_000)).length).toBe(1);
      const done = told && (await store.stepRelay(owner, told, { state: 'acknowledged' }));
      expect(done?.owedAt).toBeUndefined();
      expect(await store.relays(owner)).toEqual([done]);
      expect(await owedTo(owner, T0 + 99_999_999)).toEqual([]);
    });
  });
}
