import * as fc from '../properties.ts';
import { describe, expect, it } from 'vitest';
import { draft, finish, fulfil } from '#shared/domain/draft.ts';
import { NO_HANDS } from '#shared/domain/hands.ts';
import type { Incident } from '#shared/domain/incident.ts';
import { nextRelayStep, relayOf, relayWords, type RelayRow } from '#shared/domain/relay.ts';
import { assign } from '#shared/domain/assign.ts';
import { relayedSchema } from '#shared/contracts/back-to-110.ts';
import { T0, anIncident } from '../adapters/fixtures.ts';
import { everyday } from './duty-room.ts';

const WANTS = { address: 'https://110.example/xiaonao', results: true };

/** A police matter as classification has just returned it. */
const returned = (): { incident: Incident; row: RelayRow } => {
  const change = assign(
    anIncident({ receivedAt: T0 }),
    {
      classification: {
        ...everyday,
        category: 'personal_threat',
        disposition: 'police',
        urgency: 'P1',
        danger: ['weapon'],
        line: 'police',
        team: 'police',
      },
      ladder: [],
      place: { name: '样例路' },
      picks: { picked: 0, rejected: 0 },
    },
    NO_HANDS,
    T0,
  );
  const relay = relayOf(change, WANTS);
  if (!relay) throw new Error('a return is owed to 110');
  return { incident: change.incident, row: { relay, state: 'owed', tries: 0, version: 0 } };
};

/** Plays a centre that is reached only from an instant on; which tries were made, and when the desk was told. Seconds. */
const play = (upAt: number, until: number): { tries: number[]; desk: number[]; acknowledged: boolean } => {
  const { incident, row: first } = returned();
  const log = { tries: [] as number[], desk: [] as number[], acknowledged: false };
  let row = first;
  for (let now = T0; now <= T0 + until * 1000;) {
    const step = nextRelayStep(row, incident, row.relay.sequence, now);
    switch (step.do) {
      case 'send':
        log.tries.push((now - T0) / 1000);
        row = { ...row, tries: row.tries + 1, triedAt: now };
        if (now >= T0 + upAt * 1000) return { ...log, acknowledged: true };
        break;
      case 'tell-desk':
        log.desk.push((now - T0) / 1000);
        row = { ...row, deskTold: now };
        break;
      case 'wait':
        expect(step.until).toBeGreaterThan(now);
        now = step.until;
        break;
      case 'end':
      case 'rest':
        throw new Error(`a return ended by itself: ${step.do}`);
    }
  }
  return log;
};

describe('a return that 110 does not acknowledge', () => {
  it('is tried again after 1, 2, 5, 5, 10 s, then every 15 s; at 30 s the desk is told, once', () => {
    expect(play(Infinity, 70)).toEqual({
      tries: [0, 1, 3, 8, 13, 23, 38, 53, 68],
      desk: [30],
      acknowledged: false,
    });
  });

  it('reaches a centre that comes back within 15 s, whenever that is', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3_600 }), (up) => {
        const { tries, acknowledged, desk } = play(up, up + 20);
        expect(acknowledged).toBe(true);
        expect((tries.at(-1) ?? 0) - up).toBeLessThan(15);
        expect(desk.length).toBe((tries.at(-1) ?? 0) > 30 ? 1 : 0);
      }),
    );
  });

  it('ends when the desk has handed the matter back, and when a newer message takes its place', () => {
    const { incident, row } = returned();
    const d = draft(incident, NO_HANDS, T0 + 5_000);
    fulfil(d, 'handback');
    const done = finish(d).incident;
    expect(nextRelayStep(row, done, row.relay.sequence, T0)).toEqual({ do: 'end', state: 'moot' });
    expect(nextRelayStep(row, incident, row.relay.sequence + 1, T0)).toEqual({
      do: 'end',
      state: 'superseded',
    });
  });

  it('is left alone by a twin while a try is under way, and taken over when that has died', () => {
    const { incident, row } = returned();
    const busy: RelayRow = { ...row, state: 'sending', tries: 1, triedAt: T0 };
    expect(nextRelayStep(busy, incident, row.relay.sequence, T0 + 4_000)).toEqual({
      do: 'wait',
      until: T0 + 10_000,
    });
    expect(nextRelayStep(busy, incident, row.relay.sequence, T0 + 10_000)).toEqual({ do: 'send' });
  });
});

describe('a result', () => {
  it('follows the schedule of Standard Webhooks and is given up after three days', () => {
    const closed: Incident = {
      ...returned().incident,
      state: 'closed',
      closed: { at: T0, outcome: 'solved' },
      owed: [],
    };
    let row: RelayRow = {
      relay: { id: '110.00007', kind: 'closed', sequence: 7, at: T0 },
      state: 'owed',
      tries: 0,
      version: 0,
    };
    const hours: number[] = [];
    for (let now = T0; ;) {
      const step = nextRelayStep(row, closed, 7, now);
      if (step.do === 'end') {
        expect(step.state).toBe('given-up');
        break;
      }
      if (step.do === 'wait') now = step.until;
      else {
        expect(step.do).toBe('send');
        hours.push(Math.round((now - T0) / 3_600) / 1_000);
        row = { ...row, tries: row.tries + 1, triedAt: now };
      }
    }
    expect(hours).toEqual([0, 0.001, 0.085, 0.585, 2.585, 7.585, 17.585, 31.585, 51.585, 75.585]);
    // A reopened matter has no result any more.
    const { closed: _, ...open } = closed;
    expect(nextRelayStep(row, { ...open, state: 'asking' }, 7, T0)).toEqual({ do: 'end', state: 'moot' });
  });
});

describe('what 110 reads', () => {
  it('is its own call number and our reasons; nothing of a secret matter', () => {
    const { incident, row } = returned();
    expect(relayWords(row.relay, incident, '现场有人持械')).toMatchObject({
      type: 'incident.returned',
      data: { callNo: incident.callNo, sequence: incident.version, danger: ['weapon'], text: '现场有人持械' },
    });
    expect(relayedSchema.safeParse(relayWords(row.relay, incident, '现场有人持械')).success).toBe(true);
    const secret = relayWords(row.relay, { ...incident, secret: true }, '现场有人持械');
    expect(JSON.stringify(secret)).not.toContain('持械');
  });

  it('is nothing where the district does not report back, and no result where 110 wants none', () => {
    const { incident } = returned();
    const line = { at: T0, kind: 'closed' as const, by: 'desk' };
    const change = { incident, lines: [line], notices: [] };
    expect(relayOf(change, undefined)).toBeUndefined();
    expect(relayOf(change, { ...WANTS, results: false })).toBeUndefined();
    expect(relayOf(change, WANTS)).toMatchObject({ kind: 'closed', sequence: incident.version });
  });
});
