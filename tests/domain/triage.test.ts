import { describe, expect, test } from 'vitest';
import { mayWait } from '#shared/domain/triage.ts';
import { dutyRoom, everyday, outcome } from './duty-room.ts';

const unclear = { category: 'other', disposition: 'joint', urgency: 'P4', sure: false } as const;
const waiting = () => dutyRoom({ matter: unclear, triage: 15 });

describe('may it wait for the desk', () => {
  const matter = { ...everyday, ...unclear };
  test('only what is not clear and shows no danger', () => {
    expect(mayWait(matter, [{ rule: 'unsure' }])).toBe(true);
    expect(mayWait({ ...matter, sure: true }, [])).toBe(false);
    expect(mayWait({ ...matter, disposition: 'police' }, [])).toBe(false);
    expect(mayWait({ ...matter, danger: ['fire'] }, [])).toBe(false);
    expect(mayWait(matter, [{ rule: 'danger:weapon' }])).toBe(false);
    for (const urgency of ['P1', 'P2'] as const) expect(mayWait({ ...matter, urgency }, [])).toBe(false);
    expect(mayWait({ ...matter, confidence: { ...matter.confidence, p1: 0.2 } }, [])).toBe(false);
  });
});

describe('in triage', () => {
  test('nobody is asked before the desk has spoken; its clocks are those of the receipt', () => {
    const room = waiting().at(8);
    room.hears('0 duty desk');
    expect(room.incident).toMatchObject({
      state: 'received',
      owed: expect.arrayContaining(['triage', 'accept']),
    });
    expect(outcome(room.member('a').accepts())).toBe('forbidden');
    room.desk.says({ category: 'noise_nuisance' });
    room.hears('8 a ask');
    expect(room.incident).toMatchObject({
      state: 'asking',
      pair: false,
      triage: { by: 'duty' },
      corrected: { by: 'duty', was: { category: 'other', disposition: 'joint', urgency: 'P4' } },
    });
    expect([room.deadline('accept'), room.deadline('arrive')]).toEqual([60, 480]);
    expect(room.lines('triage', 'triaged', 'corrected')).toEqual(['0 triage triage', '8 triaged triage']);
    room.at(95).hears('60 b ask', '90 leader ask');
  });

  test('nobody decides: joint, a pair, the desk copied; the plan had said so', () => {
    const room = waiting();
    expect(room.plan()[0]).toBe('15 ask a b');
    room.at(89).hears('0 duty desk', '15 a ask', '15 b ask', '15 duty desk', '60 c ask');
    expect(room.incident.classification?.disposition).toBe('joint');
    expect(room.lines('breach')).toEqual(['60 breach accept']);
  });

  test('the desk agrees with the machine: a decision, and no correction', () => {
    const room = waiting().at(3);
    room.desk.says({ ...unclear, sure: true });
    room.hears('0 duty desk', '3 a ask');
    expect(room.incident.corrected).toBeUndefined();
  });

  test('the desk says danger: two are asked; the desk says police: nobody, it goes back', () => {
    const danger = waiting().at(5);
    danger.desk.says({ disposition: 'joint', urgency: 'P2' });
    danger.hears('0 duty desk', '5 a ask', '5 b ask');
    const police = waiting().at(5);
    police.desk.says({ category: 'violent_crime', disposition: 'police', urgency: 'P1' });
    police.hears('0 duty desk', '5 duty returned');
    expect(police.incident).toMatchObject({ state: 'returned', owed: ['handback'] });
    expect(police.waitsAt).toBe('handback');
    // The machine had not called it harmless, only unclear.
    expect(police.lines('danger-found')).toEqual([]);
  });

  test('returned by hand without a word about its kind', () => {
    const room = waiting().at(5);
    room.desk.returns();
    room.hears('0 duty desk', '5 duty returned');
    expect(room.waitsAt).toBe('handback');
  });
});

describe('a correction afterwards', () => {
  test('moves no clock and tells who is on it', () => {
    const room = dutyRoom().at(20);
    room.member('a').accepts();
    const { deadlines } = room.incident;
    room.at(30).desk.says({ category: 'noise_nuisance', urgency: 'P4' });
    room.hears('0 a ask', '30 a changed');
    expect(room.incident.deadlines).toEqual(deadlines);
    expect(room.incident).toMatchObject({
      state: 'accepted',
      classification: { category: 'noise_nuisance' },
    });
    // Said again it is a repeat.
    expect(outcome(room.desk.says({ category: 'noise_nuisance', urgency: 'P4' }))).toBe('repeat');
  });

  test('to police: handed back at once, whoever was on it is sent home, counted once as danger found', () => {
    const room = dutyRoom().at(20);
    room.member('a').accepts();
    room.at(40).desk.says({ category: 'violent_crime', disposition: 'police', urgency: 'P1' });
    room.hears('0 a ask', '40 a stand-down', '40 duty returned');
    expect(room.incident).toMatchObject({ state: 'returned', owed: ['handback'] });
    expect(room.lines('danger-found')).toEqual(['40 danger-found']);
    expect(outcome(room.desk.says({ disposition: 'non-police' }))).toBe('impossible');
  });

  test('returned by hand it is danger found as well; a matter that was joint is not', () => {
    const room = dutyRoom().at(20);
    room.desk.returns();
    room.hears('0 a ask', '20 a stand-down', '20 duty returned');
    expect(room.lines('danger-found')).toHaveLength(1);
    const joint = dutyRoom({ matter: { disposition: 'joint' } }).at(20);
    joint.desk.returns();
    joint.hears('0 a ask', '20 a stand-down', '20 duty returned');
    expect(joint.lines('danger-found')).toEqual([]);
  });

  test('to joint with danger: a second one is asked; back to harmless: he need not come', () => {
    const room = dutyRoom().at(20);
    room.member('a').accepts();
    room.at(40).desk.says({ disposition: 'joint', urgency: 'P1' });
    room.hears('0 a ask', '40 a changed', '40 b ask');
    expect(room.lines('danger-found')).toHaveLength(1);
    room.at(50).desk.says({ disposition: 'non-police' });
    room.hears('50 a changed', '50 b stand-down');
  });

  test('after the close only what needs nobody', () => {
    const room = dutyRoom().at(20);
    room.member('a').accepts();
    room.member('a').closes('by_phone');
    expect(outcome(room.desk.says({ disposition: 'police' }))).toBe('impossible');
    expect(outcome(room.desk.says({ category: 'noise_nuisance' }))).toBe('done');
    room.hears('0 a ask');
    expect(room.incident.state).toBe('closed');
  });
});
