import { beforeEach, describe, expect, test } from 'vitest';
import { CALLER, callerToldSchema } from '#shared/domain/caller-notice.ts';
import { joinFault } from '#shared/domain/join.ts';
import { neutralCode } from '#shared/domain/wording.ts';
import { ownerOf } from '#shared/ports/store.ts';
import { T0 } from '../adapters/fixtures.ts';
import { Office } from './office.ts';

/** Nobody can tell what it is about; the sample's address says where. */
const UNCLEAR = '喂，我姓名叫王小明，你们过来一趟吧，说不清楚';

let office: Office;
beforeEach(async () => {
  office = await Office.open();
});
const waits = (): Promise<string> => office.receives({ content: UNCLEAR });
const says = { action: 'classify', reason: '回拨问清，王小明说是楼上装修' } as const;

describe('an unclear call', () => {
  test('waits with its workflow started, and owes no report any more', async () => {
    const id = await waits();
    await office.classify(id);
    expect(await office.incident(id)).toMatchObject({
      state: 'received',
      rung: 'triage',
      workflow: 'started',
      due: { triage: T0 + 15_000 },
    });
    expect(office.told).toEqual(['start 1']);
    expect((await office.store.owed(T0 + 1)).map(({ kind }) => kind)).toEqual(['notice']);
    // The queue delivers at least once: the second time nothing happens.
    await office.classify(id);
    expect(office.told).toEqual(['start 1']);
    // The twenty seconds of the default ladder do not count for it.
    office.time += 26_000;
    await office.sweep();
    expect(await office.incident(id)).toMatchObject({ state: 'asking', triage: { by: 'system' } });
    expect(await office.asked(id)).toHaveLength(2);
  });

  test('classified late, it waits no longer than fifteen seconds from its receipt', async () => {
    const id = await waits();
    office.time += 15_000;
    await office.classify(id);
    expect(await office.incident(id)).toMatchObject({ state: 'asking', pair: true });
    expect(await office.asked(id)).toHaveLength(2);
  });

  test('an execution that looks at the end of triage is sent on to the accept', async () => {
    const id = await waits();
    await office.classify(id);
    office.time += 15_000;
    expect(await office.escalate(id)).toMatchObject({ next: 'accept', due: { accept: T0 + 60_000 } });
  });
});

describe('the desk says what it is', () => {
  test('the right people are asked, the workflow is told, and the correction is kept without a name', async () => {
    const id = await waits();
    await office.classify(id);
    await office.parks(id, 'token', 'triage');
    office.looked();
    office.time += 8_000;
    const judgement = { category: 'wage_dispute', disposition: 'non-police' } as const;
    const said = await office.does('duty-1', id, { ...says, judgement });
    expect(said.kind).toBe('done');
    expect(office.told).toEqual([expect.stringMatching(/^finished token .*accept/)]);
    const incident = await office.incident(id);
    expect(incident).toMatchObject({
      state: 'asking',
      triage: { by: 'duty-1' },
      classification: { category: 'wage_dispute', disposition: 'non-police', sure: true },
      deadlines: { accept: T0 + 60_000 },
    });
    const [kept, ...others] = await office.store.corrections('2026-03');
    expect(others).toEqual([]);
    expect(kept).toMatchObject({
      incidentId: id,
      stage: 'triage',
      was: { category: 'other', disposition: 'joint' },
      is: { category: 'wage_dispute', disposition: 'non-police' },
      by: 'duty-1',
    });
    expect(JSON.stringify(kept)).not.toContain('王小明');
    // Nothing of it lies open in the table.
    expect(JSON.stringify(await office.all())).not.toContain('楼上装修');
  });

  test('by its Chinese name too; a category that is none is refused with a sentence', async () => {
    const id = await waits();
    await office.classify(id);
    const name = office.district.categories.find((c) => c.id === 'wage_dispute')?.name ?? '';
    const wrong = { category: 'no_such_thing', disposition: 'joint' } as const;
    expect(await office.does('duty-1', id, { ...says, judgement: wrong })).toMatchObject({
      kind: 'refused',
      refusal: { code: 'invalid', details: [{ field: 'category' }] },
    });
    const right = { category: name, disposition: 'non-police' } as const;
    expect((await office.does('duty-1', id, { ...says, judgement: right })).kind).toBe('done');
  });

  test('what it is not yet, a member, and a word without reason are refused', async () => {
    const id = await waits();
    const judgement = { category: 'other', disposition: 'joint' } as const;
    const refused = (code: string) => ({ kind: 'refused', refusal: { code } });
    expect(await office.does('duty-1', id, { ...says, judgement })).toMatchObject(refused('impossible'));
    await office.classify(id);
    office.time += 15_000;
    await office.escalate(id);
    const [member = ''] = await office.asked(id);
    expect(await office.does(member, id, { ...says, judgement })).toMatchObject(refused('forbidden'));
    expect(
      await office.does('duty-1', id, { action: 'classify', judgement: { ...judgement, urgency: 'P2' } }),
    ).toMatchObject({
      refusal: { details: [{ field: 'reason' }] },
    });
    expect(await office.does('duty-1', id, says)).toMatchObject({
      refusal: { details: [{ field: 'category' }] },
    });
  });

  test.each([
    ['police work by its category', { category: 'domestic_violence', disposition: 'joint', urgency: 'P3' }],
    ['joint and urgent', { category: 'neighbor_dispute', disposition: 'joint', urgency: 'P1' }],
  ] as const)('%s: dangerous without a sign, for members, leaders and the caller', async (_, judgement) => {
    office.district.callerTold = callerToldSchema.parse({ on: true });
    const id = await waits();
    await office.classify(id);
    office.looked();
    await office.does('duty-1', id, { ...says, judgement });
    const [member = '', second = ''] = await office.asked(id);
    await office.does(member, id, { action: 'accept' });
    await office.does(second, id, { action: 'accept' });
    const incident = await office.incident(id);
    expect(incident.classification).toMatchObject({ danger: [], grave: true });
    // A rung is overdue: its leader hears that there is something to open, and neither where nor what.
    office.time = T0 + 40 * 60_000;
    await office.escalate(id);
    const rows = await office.store.notices(ownerOf(id));
    expect(rows.map(({ notice }) => notice.kind)).toEqual(expect.arrayContaining(['ask-secret', 'climb']));
    expect(rows.filter(({ notice }) => notice.to === CALLER)).toEqual([]);
    for (const { notice } of rows) await office.deliver(ownerOf(id), notice.id);
    const { place } = incident;
    const code = neutralCode(office.district.categories, judgement.category);
    expect(office.sends.some(({ message }) => message.kind === 'climb')).toBe(true);
    for (const { message } of office.sends)
      for (const word of [place?.name, place?.road, code]) expect(message.text).not.toContain(word);
    const other = { ...incident, id: 'other' };
    expect(joinFault(other, incident)).toContain('各按各的处置');
    // What turns out to be harmless is an ordinary matter again.
    await office.does('duty-1', id, {
      ...says,
      judgement: { category: 'daily_help', disposition: 'non-police' },
    });
    expect((await office.incident(id)).classification?.grave).toBeUndefined();
  });

  test('danger in what was called harmless is counted, once', async () => {
    const id = await office.asks110();
    const judgement = { category: 'noise_nuisance', disposition: 'joint', urgency: 'P1' } as const;
    await office.does('duty-1', id, { ...says, judgement });
    await office.does('duty-1', id, { action: 'return', reason: '现场有人受伤' });
    expect(office.log.counts).toMatchObject({ DangerAfterNonPolice: 1, Corrected: 1, Returned: 1 });
    expect((await office.store.corrections('2026-03')).map(({ stage }) => stage)).toEqual(['after']);
  });
});
