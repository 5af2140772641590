import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { synthesize } from './assembly.ts';
import { CAST, DutyRoom } from './duty-room.ts';
import { MISSES, missEverything } from './misses.ts';

let built: Awaited<ReturnType<typeof synthesize>>;
beforeAll(async () => {
  built = await synthesize();
});
afterAll(() => built.remove());

describe.each(Object.keys(MISSES))('every promise after the acceptance is broken in %s', (district) => {
  it('each miss is told by its own steps, before the next rung, to the second', async () => {
    const room = await DutyRoom.open({ assembly: built.assembly, district, roster: CAST('story', 'patrol') });
    const id = await missEverything(room);
    const { incident, trail } = await room.incident(id);
    expect(incident.state).toBe('finished');
    // Each miss stands in the trail once; calling reinforcement is no miss.
    const breaches = trail.filter((line) => line.kind === 'breach').map((line) => line.rung);
    expect(breaches).toEqual(
      ['depart', 'contact', 'arrive', 'feedback', 'close', 'revisit'].filter(
        (rung) => incident.deadlines[rung] !== undefined,
      ),
    );
    expect(room.cloud.states.nextDue()).toBeUndefined();
    await room.leave();
  });
});
