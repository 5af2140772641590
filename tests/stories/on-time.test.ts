import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadDistrict } from '#shared/districts/load.ts';
import type { Action } from '#shared/domain/moves.ts';
import { synthesize } from './assembly.ts';
import { CAST, DutyRoom } from './duty-room.ts';

let built: Awaited<ReturnType<typeof synthesize>>;
beforeAll(async () => {
  built = await synthesize();
});
afterAll(() => built.remove());

/** What a member who is never late does, and when. */
const DAY: Record<string, [Action, number, Record<string, unknown>?][]> = {
  donghu: [
    ['accept', 20],
    ['depart', 90],
    ['contact', 150],
    ['arrive', 400],
  ],
  linjiang: [
    ['accept', 20],
    ['contact', 150],
    ['arrive', 500],
  ],
  xinjie: [
    ['accept', 20],
    ['arrive', 250],
  ],
  xiaohe: [
    ['accept', 20],
    ['arrive', 170],
  ],
};

describe.each(Object.keys(DAY))('a day without a miss in %s', (district) => {
  it('rings one phone once, and ends its workflow after the call-back in at most ten transitions', async () => {
    const room = await DutyRoom.open({ assembly: built.assembly, district, roster: CAST('story', 'patrol') });
    const call = await room.call();
    expect(call).toMatchObject({ status: 202, body: { duplicate: false } });
    const id = call.body.incidentId ?? '';
    room.expectRings(['a', 'ask', 0]);

    for (const [action, second] of DAY[district] ?? []) {
      await room.at(second);
      expect(await room.act('a', id, action)).toMatchObject({ status: 200, body: { incident: { id } } });
    }
    await room.at(3000, { passes: 2 });
    await room.act('a', id, 'feedback', { text: '双方都在，正在谈。' });
    await room.at(7200, { passes: 2 });
    const closed = await room.act('a', id, 'close', {
      outcome: 'solved',
      text: '已谈妥，对方同意九点后不施工。',
    });
    expect(closed.body.incident?.state).toBe('closed');
    await room.at(90_000, { passes: 2 });
    const revisited = await room.act('desk', id, 'revisit', { outcome: 'satisfied' });
    expect(revisited.body.incident?.state).toBe('finished');

    const { incident, trail, plan } = await room.incident(id);
    expect(incident.assignees).toEqual(['a']);
    expect(plan).toEqual([]);
    const kinds = trail.map((line) => line.kind);
    expect(kinds).not.toContain('breach');
    expect(kinds).toEqual(
      expect.arrayContaining([
        'received',
        'classified',
        'picked',
        'asked',
        'accepted',
        'arrived',
        'feedback',
        'closed',
        'revisited',
      ]),
    );
    // Every rung of the district's ladder was done in its time.
    const promised = (
      loadDistrict(district).ladders.default?.[district === 'xiaohe' ? 'war' : 'peace'] ?? []
    ).map((r) => r.rung);
    expect(Object.keys(incident.done).toSorted()).toEqual(
      promised.filter((r) => r !== 'reinforce').toSorted(),
    );

    const machine = Object.values(room.cloud.refs).find((ref) => ref.includes(':stateMachine:')) ?? '';
    const [execution] = room.cloud.states.listExecutions({ stateMachineArn: machine }).executions;
    expect(execution).toMatchObject({ name: `${id}-1`, status: 'SUCCEEDED' });
    expect(room.cloud.states.transitions(execution?.executionArn)).toBeLessThanOrEqual(10);
    await room.leave();
  });
});
