import { describe, expect, test } from 'vitest';
import { assignees, personOf } from '#shared/domain/incident.ts';
import { isAlive } from '#shared/domain/link.ts';
import { mootBecause } from '#shared/domain/wanted.ts';
import { DAY, dutyRoom, everybody, hand, outcome, type Setting } from './duty-room.ts';

const GOLDEN = ['0 a ask', '60 b ask', '90 leader ask', '120 duty ask', '180 street ask'];

describe('accept', () => {
  test('everything on time: one notice in all, and the workflow never has to ask', () => {
    const room = dutyRoom();
    room.at(20).member('a').accepts();
    room.at(100).member('a').departs();
    room.at(150).member('a').contacts();
    room.at(400).member('a').arrives();
    room.at(900).member('a').feedsBack();
    room.at(1800).member('a').closes();
    expect(room.incident).toMatchObject({ state: 'closed', lead: 'a', owed: ['revisit'] });
    expect(room.deadline('revisit')).toBe(1800 + 3 * DAY);
    room.at(2 * DAY);
    room.desk.revisits();
    expect(room.incident).toMatchObject({
      state: 'finished',
      owed: [],
      workflow: 'ended',
      revisit: 'satisfied',
    });
    expect(room.waitsAt).toBeUndefined();
    expect(room.wakes).toBe(0);
    room.hears('0 a ask');
    expect(room.lines('breach')).toEqual([]);
  });

  test('two accept at once: the first leads, the second helps and hears nothing more', () => {
    const room = dutyRoom();
    room.at(70);
    expect(outcome(room.member('b').accepts())).toBe('done');
    room.hears('0 a ask', '60 b ask', '70 a stand-down');
    expect(outcome(room.member('a').accepts())).toBe('done');
    expect(room.incident.lead).toBe('b');
    expect(room.lines('accepted', 'helper')).toEqual(['70 accepted accept', '70 helper accept']);
    expect(assignees(room.incident)).toEqual(['a', 'b']);
    expect(outcome(room.member('a').accepts())).toBe('repeat');
    expect(outcome(room.member('b').accepts())).toBe('repeat');
  });

  test('a late acceptance is normal in every state but closed and returned', () => {
    const room = dutyRoom();
    room.at(100).hears('0 a ask', '60 b ask', '90 leader ask');
    room.member('a').accepts();
    room.hears('100 b stand-down', '100 leader stand-down');
    room.desk.pauses(3600);
    expect(outcome(room.member('b').accepts())).toBe('done');
    room.at(200).member('a').arrives();
    expect(outcome(room.member('leader').accepts())).toBe('done');
    room.member('a').closes();
    expect(outcome(room.member('a').accepts())).toBe('repeat');
    expect(outcome(room.member('b').accepts())).toBe('repeat');
  });

  test('who was sent home is no assignee any more, and 409 follows only close, return and the own decline', () => {
    const room = dutyRoom();
    room.at(90).hears('0 a ask', '60 b ask', '90 leader ask');
    room.member('a').declines();
    room.hears('90 c ask');
    expect(outcome(room.member('a').accepts())).toBe('impossible');
    room.member('b').accepts();
    room.hears('90 leader stand-down', '90 c stand-down');
    expect(assignees(room.incident)).toEqual(['b']);
    room.desk.closes('cancelled');
    room.hears('90 b stand-down');
    expect(outcome(room.member('c').accepts())).toBe('impossible');
    const returned = dutyRoom();
    returned.desk.returns();
    returned.hears('0 a ask', '0 a stand-down', '0 duty returned');
    expect(outcome(returned.member('a').accepts())).toBe('impossible');
  });

  test('who may act: asked or told, others not; the desk on behalf is recorded', () => {
    const room = dutyRoom({ district: 'xinjie' });
    expect(outcome(room.member('b').accepts())).toBe('forbidden');
    expect(outcome(room.member('a').does('pause', { reason: '等' }))).toBe('forbidden');
    room.at(10).desk.does('accept', { member: 'a' });
    expect(room.trail.find((line) => line.kind === 'accepted')).toMatchObject({ by: 'duty', onBehalf: 'a' });
    room.at(360).hears('0 a ask', '300 a told', '360 leader climb');
    // Told, he may act like one asked; arriving he has accepted, too.
    expect(outcome(room.member('leader').arrives())).toBe('done');
    expect(room.lines('implied')).toEqual(['360 implied accept']);
    expect(room.incident).toMatchObject({ state: 'onsite', lead: 'a' });
    expect(personOf(room.incident, 'leader')?.accepted).toBeDefined();
  });

  test('the desk: its notes are its own, a rung is the lead’s, and whoever was never asked has to be reassigned', () => {
    const room = dutyRoom();
    room.member('a').accepts();
    room.desk.does('note', { text: '家属已到' });
    room.desk.does('depart');
    expect(room.trail.find((line) => line.kind === 'noted')).not.toHaveProperty('onBehalf');
    expect(room.trail.find((line) => line.kind === 'departed')).toMatchObject({ by: 'duty', onBehalf: 'a' });
    expect(outcome(room.desk.does('arrive', { member: 'c' }))).toBe('invalid');
    room.hears('0 a ask');
  });
});

describe('a pair', () => {
  const joint: Setting['matter'] = { disposition: 'joint', danger: ['threat'] };
  test('two are asked together; stand-down goes out after the second', () => {
    const room = dutyRoom({ matter: joint });
    room.hears('0 a ask-secret', '0 b ask-secret');
    room.at(60).hears('60 c ask-secret');
    room.member('b').accepts();
    room.hears();
    room.at(61).member('a').accepts();
    room.hears('61 c stand-down');
    expect(room.incident.lead).toBe('b');
  });

  test('the second declines: another candidate, so that nobody goes alone', () => {
    const room = dutyRoom({ matter: joint });
    room.at(10).member('a').accepts();
    room.member('b').declines();
    room.hears('0 a ask-secret', '0 b ask-secret', '10 c ask-secret');
  });

  test('what is police work by its kind takes two as well, without a sign in the words', () => {
    const room = dutyRoom({ matter: { disposition: 'joint', grave: true } });
    room.hears('0 a ask-secret', '0 b ask-secret');
    expect(room.incident.pair).toBe(true);
  });

  test('with one candidate only, the next step is the second', () => {
    const room = dutyRoom({ matter: joint, hands: { candidates: [hand('a')] } });
    room.hears('0 a ask-secret', '0 leader ask-secret');
  });
});

describe('decline', () => {
  test('before the deadline: the next candidate at once, the deadline stands', () => {
    const room = dutyRoom();
    room.at(20).member('a').declines();
    expect(room.deadline('accept')).toBe(60);
    room.at(200).hears('0 a ask', '20 b ask', '60 c ask', '90 leader ask', '120 duty ask', '180 street ask');
  });

  test('shortly before it: the substitute has 30 s, and what follows is put off equally', () => {
    const room = dutyRoom();
    room.at(40).member('a').declines();
    room
      .at(500)
      .hears(
        '0 a ask',
        '40 b ask',
        '70 c ask',
        '100 leader ask',
        '130 duty ask',
        '190 street ask',
        '490 duty nag',
      );
  });

  test('in the middle of the climb', () => {
    const room = dutyRoom();
    room.at(70).member('b').declines();
    // The leader would come at 90, which gives the substitute 20 s only.
    room.at(200).hears('0 a ask', '60 b ask', '70 c ask', '100 leader ask', '130 duty ask', '190 street ask');
  });

  test('the last candidate: the next climb step at once', () => {
    const room = dutyRoom({ hands: { candidates: [hand('a')] } });
    room.at(50).member('a').declines();
    room.at(200).hears('0 a ask', '50 leader ask', '80 duty ask', '110 street ask');
  });

  test('needs a reason; a repeat is harmless; who was only told has nothing to decline', () => {
    const room = dutyRoom({ district: 'xinjie' });
    expect(outcome(room.member('a').declines(''))).toBe('invalid');
    room.member('a').declines();
    expect(outcome(room.member('a').declines())).toBe('repeat');
    room.member('b').accepts();
    room.at(360).hears('0 a ask', '0 b ask', '300 b told', '360 leader climb');
    expect(outcome(room.member('leader').declines())).toBe('impossible');
    room.member('b').arrives();
    expect(outcome(room.member('b').declines())).toBe('impossible');
  });

  test('the lead declines: accept is owed again from now, and the new lead’s own clock runs', () => {
    const room = dutyRoom();
    room.at(30).member('a').accepts();
    room.at(50).member('a').departs();
    room.at(100).member('a').declines();
    expect(room.deadline('accept')).toBe(160);
    expect(room.incident).toMatchObject({ state: 'asking', done: { depart: expect.any(Number) } });
    room.at(190).hears('0 a ask', '100 b ask', '160 c ask', '190 leader ask');
    room.at(200).member('c').accepts();
    room.hears('200 b stand-down', '200 leader stand-down');
    // contact: 200 + 60, and again after the late acceptance, to the new lead.
    room.at(330).hears('260 c told', '320 leader climb');
    room.member('c').arrives();
  });

  test('the lead declines after everybody was asked: the duty officer is nagged at once', () => {
    const room = dutyRoom();
    room.at(200).hears(...GOLDEN);
    room.member('leader').accepts();
    room.hears('200 a stand-down', '200 b stand-down', '200 duty stand-down', '200 street stand-down');
    room.at(210).member('leader').declines();
    room.hears('210 c ask');
    room.at(220).member('c').declines();
    room.hears('220 duty nag');
    room.at(600).hears('520 duty nag');
    // Sent home is not forbidden: whoever comes after all, leads.
    expect(outcome(room.member('b').accepts())).toBe('done');
    expect(room.incident.lead).toBe('b');
    room.at(601).member('b').arrives();
  });
});

describe('reassign', () => {
  test('the new person has the accept limit from now, the old lead is told, finished rungs stay', () => {
    const room = dutyRoom();
    room.at(20).member('a').accepts();
    room.at(300).hears('0 a ask', '120 a told', '180 a told', '240 leader climb', '300 duty climb');
    room.member('a').arrives();
    room.at(400).desk.reassigns('b');
    room.hears('400 a reassigned', '400 b ask');
    expect(room.deadline('accept')).toBe(460);
    expect(room.incident).toMatchObject({ state: 'asking' });
    expect(assignees(room.incident)).toEqual(['b']);
    expect(outcome(room.desk.reassigns('b'))).toBe('repeat');
    room.at(460).hears('460 c ask');
    room.member('b').accepts();
    room.hears('460 c stand-down');
    expect(room.incident).toMatchObject({ state: 'onsite', lead: 'b', done: { arrive: expect.any(Number) } });
  });

  test('who was asked before and has said nothing is sent home: his late tap takes nothing from the new one', () => {
    const room = dutyRoom();
    room.at(65).desk.reassigns('c');
    room.hears('0 a ask', '60 b ask', '65 a reassigned', '65 b reassigned', '65 c ask');
    expect(assignees(room.incident)).toEqual(['c']);
    for (const id of ['a', 'b'] as const) {
      expect(
        mootBecause(room.incident, { id: '', kind: 'ask', to: id, at: room.now - 60_000, round: 1 }),
      ).toBe('reassigned');
      expect(outcome(room.member(id).departs())).toBe('impossible');
    }
    room.member('c').accepts();
    expect(room.incident.lead).toBe('c');
    // Who helps or was called in addition goes on doing so, and of a pair the second is still looked for.
    const pair = dutyRoom({ matter: { disposition: 'joint', danger: ['fight'] } });
    pair.at(5).desk.reassigns('c');
    pair.hears('0 a ask-secret', '0 b ask-secret', '5 c ask-secret');
    const helped = dutyRoom().at(1);
    helped.member('a').accepts();
    helped.member('a').callsHelp();
    helped.member('b').accepts();
    helped.desk.reassigns('leader');
    helped.hears(
      '0 a ask',
      '1 b reinforce',
      '1 c reinforce',
      '1 leader reinforce',
      '1 a reassigned',
      '1 leader ask',
    );
    expect(assignees(helped.incident)).toEqual(['b', 'c', 'leader']);
  });

  test('after the climb: whoever was asked above the members is still there when the new one stays silent, or is late', () => {
    const room = dutyRoom().at(185);
    room.hears('0 a ask', '60 b ask', '90 leader ask', '120 duty ask', '180 street ask');
    room.desk.reassigns('c');
    room.hears('185 a reassigned', '185 b reassigned', '185 c ask');
    expect(assignees(room.incident)).toEqual(['leader', 'duty', 'street', 'c']);
    room.at(545).hears('545 duty nag');
    for (const member of ['leader', 'duty', 'street']) expect(isAlive(room.incident, { member })).toBe(true);
    expect(outcome(room.member('leader').accepts())).toBe('done');
    expect(room.incident.lead).toBe('leader');
    room.hears(...room.unheard());
  });

  test('from whom it was taken, he may act again once he is told of it or nagged; the desk tells itself nothing', () => {
    const room = dutyRoom().at(95);
    room.member('leader').accepts();
    room.desk.reassigns('c');
    room.hears(...room.unheard());
    expect(isAlive(room.incident, { member: 'leader' })).toBe(false);
    room.member('c').accepts();
    room.at(300).hears('155 c told', '180 c told', '240 leader climb', '300 duty climb');
    expect(isAlive(room.incident, { member: 'leader' })).toBe(true);
    const pin = { id: '', kind: 'pin', to: 'leader', at: room.now, round: 1 } as const;
    expect([pin, { ...pin, to: 'nobody' }].map((code) => mootBecause(room.incident, code))).toEqual([
      undefined,
      'not-his',
    ]);
    expect(outcome(room.member('leader').arrives())).toBe('done');

    const own = dutyRoom({ hands: { candidates: [hand('a')], leaders: [], street: [] } });
    own.at(60).hears('0 a ask', '60 duty ask');
    own.member('duty').accepts();
    own.desk.reassigns('a');
    own.hears('60 a stand-down', '60 a ask');
    expect(isAlive(own.incident, { member: 'duty' })).toBe(false);
    own.at(420).hears('420 duty nag');
    expect(isAlive(own.incident, { member: 'duty' })).toBe(true);
  });

  test('lifts a decline, and answers an unanswered incident', () => {
    const room = dutyRoom({ hands: { candidates: [hand('a')], leaders: [], duty: [], street: [] } });
    room.at(5).member('a').declines();
    expect(room.incident.state).toBe('unanswered');
    room.desk.reassigns('a');
    expect(outcome(room.member('a').accepts())).toBe('done');
    room.hears('0 a ask', '5 a ask');
    expect(room.incident.state).toBe('accepted');
  });

  test('a helper who is made the lead accepts anew', () => {
    const room = dutyRoom();
    room.at(70).member('a').accepts();
    room.member('b').accepts();
    room.desk.reassigns('b');
    room.hears('0 a ask', '60 b ask', '70 b stand-down', '70 a reassigned', '70 b ask');
    expect(personOf(room.incident, 'b')).not.toHaveProperty('accepted');
    expect(outcome(room.member('b').accepts())).toBe('done');
    expect(room.incident.lead).toBe('b');
  });

  test('an unknown person is refused by name', () => {
    const room = dutyRoom();
    expect(room.desk.reassigns('nobody')).toMatchObject({
      refusal: {
        code: 'invalid',
        details: [{ field: 'member', message: expect.stringContaining('nobody') }],
      },
    });
    room.hears('0 a ask');
  });

  test('the new lead of an overdue rung is told in his turn; who was told before is not told twice', () => {
    const room = dutyRoom({ district: 'xinjie' });
    room.at(10).member('a').accepts();
    room.at(420).hears('0 a ask', '300 a told', '360 leader climb', '420 duty climb');
    room.desk.reassigns('b');
    room.at(430).member('b').accepts();
    room.hears('420 a reassigned', '420 b ask');
    // arrive's own span is 240 s; leader and duty know already, so the street leader moves up to the leader's place.
    room.at(3000).hears('670 b told', '730 street climb');
  });
});

describe('reinforcement', () => {
  const war = {
    district: 'xiaohe',
    mode: 'war',
    hands: { candidates: ['a', 'b', 'c', 'd'].map((id) => hand(id)) },
  } as const;

  test('war: at 300 s if accepted and not on site; two candidates and the leader, in addition', () => {
    const room = dutyRoom({ ...war });
    room.at(20).member('a').accepts();
    room
      .at(300)
      .hears(
        '0 a ask',
        '180 a told',
        '240 leader climb',
        '300 b reinforce',
        '300 c reinforce',
        '300 leader reinforce',
      );
    expect(room.waitsAt).toBe('reinforce');
    room.at(700).hears('420 duty climb', '600 street climb');
    expect(room.incident.owed).toEqual(['arrive', 'reinforce', 'feedback', 'close']);
    expect(JSON.stringify(room.incident).length).toBeLessThanOrEqual(2048);
  });

  test('the first helper fulfils it, and the arrival’s climb does not begin anew', () => {
    const room = dutyRoom({ ...war });
    room.at(20).member('a').accepts();
    room
      .at(300)
      .hears(
        '0 a ask',
        '180 a told',
        '240 leader climb',
        '300 b reinforce',
        '300 c reinforce',
        '300 leader reinforce',
      );
    room.at(310).member('c').accepts();
    expect(room.lines('helper', 'reinforced')).toEqual(['310 helper accept', '310 reinforced reinforce']);
    expect(room.incident.owed).toEqual(['arrive', 'feedback', 'close']);
    // Each acknowledges alone.
    expect(outcome(room.member('b').accepts())).toBe('done');
    room.at(3599).hears();
  });

  test('arrival before 300 s removes it', () => {
    const room = dutyRoom({ ...war });
    room.at(20).member('a').accepts();
    room.at(170).member('a').arrives();
    room.at(3599).hears('0 a ask');
    expect(room.incident.done.reinforce).toBeUndefined();
  });

  test('nobody has accepted by 300 s: nobody is sent after him; later it comes at the acceptor’s own span', () => {
    const room = dutyRoom({ ...war });
    room.at(310).hears(...GOLDEN);
    room.member('b').accepts();
    room.hears('310 a stand-down', '310 leader stand-down', '310 duty stand-down', '310 street stand-down');
    room.at(440).hears('430 c reinforce', '430 d reinforce');
    room.member('b').arrives();
  });

  test('accepted late but before the limit: called at the limit all the same', () => {
    const room = dutyRoom({ ...war });
    room.at(250).hears(...GOLDEN);
    room.member('b').accepts();
    room.hears('250 a stand-down', '250 leader stand-down', '250 duty stand-down', '250 street stand-down');
    room.at(310).hears('300 c reinforce', '300 d reinforce');
    room.member('b').arrives();
  });

  test('asked for by hand, before and after the arrival, in a district without the rung', () => {
    const room = dutyRoom();
    expect(outcome(room.member('a').callsHelp())).toBe('impossible');
    room.at(20).member('a').accepts();
    room.at(30).member('a').callsHelp();
    room.hears('0 a ask', '30 b reinforce', '30 c reinforce', '30 leader reinforce');
    expect(outcome(room.member('a').callsHelp())).toBe('repeat');
    // It neither silences the other rungs nor waits for them.
    room.at(150).hears('120 a told', '150 duty climb');
    room.member('a').arrives();
    expect(room.incident.owed).toEqual(['feedback', 'close']);
    room.hands = { ...everybody(), candidates: ['a', 'b', 'c', 'd', 'e'].map((id) => hand(id)) };
    room.at(200).member('a').callsHelp();
    room.hears('200 d reinforce', '200 e reinforce');
    // The duty officer knows already that help is lacking.
    room.at(600).hears('320 street climb');
    expect(room.incident.state).toBe('onsite');
  });

  test('asked for early in war mode it does not silence the arrival', () => {
    const room = dutyRoom({ ...war });
    room.at(20).member('a').accepts();
    room.at(100).member('a').callsHelp();
    room.hears('0 a ask', '100 b reinforce', '100 c reinforce', '100 leader reinforce');
    room
      .at(490)
      .hears(
        '180 a told',
        '220 duty climb',
        '240 leader climb',
        '300 duty climb',
        '400 street climb',
        '480 street climb',
      );
  });

  test('with nobody left to call, the duty officer at once', () => {
    const room = dutyRoom({ hands: { candidates: [hand('a')], leaders: [] } });
    room.at(20).member('a').accepts();
    room.at(40).member('a').callsHelp();
    room.hears('0 a ask', '40 duty climb');
    room.at(110).member('a').arrives();
    room.at(3000).hears();
  });

  test('a called helper declines: the next candidate at once', () => {
    const room = dutyRoom({ ...war });
    room.at(20).member('a').accepts();
    room.at(100).member('a').callsHelp();
    room.at(110).member('b').declines();
    room.hears('0 a ask', '100 b reinforce', '100 c reinforce', '100 leader reinforce', '110 d reinforce');
    room.member('a').arrives();
  });

  test('the lead declines meanwhile: who was called is not sent home by the next acceptance', () => {
    const room = dutyRoom({ ...war });
    room.at(20).member('a').accepts();
    room.at(100).member('a').callsHelp();
    room.at(110).member('a').declines();
    room.hears('0 a ask', '100 b reinforce', '100 c reinforce', '100 leader reinforce', '110 d ask');
    room.at(120).member('b').accepts();
    room.hears('120 d stand-down');
    expect(room.incident.owed).toContain('reinforce');
    room.at(121).member('c').accepts();
    expect(room.incident.owed).not.toContain('reinforce');
    room.member('b').arrives();
  });
});

describe('rungs done out of turn', () => {
  test('arriving vouches for accept, depart and contact', () => {
    const room = dutyRoom();
    room.at(50).member('a').arrives();
    expect(room.incident).toMatchObject({ state: 'onsite', lead: 'a', owed: ['feedback', 'close'] });
    expect(room.lines('implied')).toEqual(['50 implied accept', '50 implied depart', '50 implied contact']);
    expect(outcome(room.member('a').accepts())).toBe('repeat');
    expect(outcome(room.member('a').arrives())).toBe('repeat');
    room.hears('0 a ask');
  });

  test('words do not prove an arrival: close by solved needs it, the other outcomes do not', () => {
    const room = dutyRoom();
    room.at(50).member('a').feedsBack();
    expect(room.incident.owed).toEqual(['arrive', 'close']);
    expect(outcome(room.member('a').closes('solved'))).toBe('impossible');
    expect(outcome(room.member('a').closes('vanished'))).toBe('invalid');
    expect(outcome(room.member('a').closes('by_phone', ''))).toBe('invalid');
    expect(outcome(room.member('a').feedsBack(''))).toBe('invalid');
    expect(outcome(room.member('a').closes('by_phone'))).toBe('done');
    expect(outcome(room.member('a').closes('by_phone'))).toBe('repeat');
    expect(outcome(room.member('a').closes('solved'))).toBe('impossible');
    expect(room.incident).toMatchObject({
      state: 'closed',
      owed: ['revisit'],
      closed: { outcome: 'by_phone' },
    });
    room.hears('0 a ask');
  });

  test('an equal note within a minute is a repeat, a later one is not', () => {
    const room = dutyRoom();
    const said = [{ kind: 'noted' as const, by: 'a', text: '电梯坏了', at: room.now }];
    room.at(60);
    expect(outcome(room.member('a').notes('电梯坏了', said))).toBe('repeat');
    expect(outcome(room.member('a').notes('走楼梯', said))).toBe('done');
    room.at(61);
    expect(outcome(room.member('a').notes('电梯坏了', said))).toBe('done');
    room.hears('0 a ask', '60 b ask');
  });
});

describe('after the close', () => {
  const closed = () => {
    const room = dutyRoom();
    room.at(20).member('a').arrives();
    room.at(100).member('a').closes();
    room.hears('0 a ask');
    return room;
  };

  test('a missed call-back is the desk’s: the duty officer, the leader, the street leader', () => {
    const room = closed();
    const due = 100 + 3 * DAY;
    room.at(due + DAY).hears(`${due} duty told`, `${due + 60} leader climb`, `${due + 120} street climb`);
    expect(outcome(room.desk.revisits('unreachable'))).toBe('done');
    expect(outcome(room.desk.revisits('unreachable'))).toBe('repeat');
    expect(outcome(room.desk.revisits('satisfied'))).toBe('impossible');
    expect(room.incident.state).toBe('finished');
  });

  test('reopened: another round, deadlines from now, the former lead first', () => {
    const room = closed();
    room.at(DAY).desk.reopens();
    expect(outcome(room.desk.reopens())).toBe('repeat');
    expect(room.incident).toMatchObject({
      round: 2,
      state: 'asking',
      workflow: 'owed',
      done: {},
      breached: [],
    });
    expect(room.deadline('arrive')).toBe(DAY + 480);
    room.at(DAY + 60).hears(`${DAY} a reopened`, `${DAY + 60} b ask`);
    room.member('b').accepts();
    room.hears(`${DAY + 60} a stand-down`);
    room.member('b').arrives();
  });

  test('reopened while the former lead is off: the next candidate; who was asked before may still read and act', () => {
    const room = closed();
    room.desk.revisits('unsatisfied');
    room.hands = { ...everybody(), candidates: [hand('b')] };
    room.at(200).desk.reopens();
    room.hears('200 b ask');
    expect(outcome(room.member('a').notes('昨天是我去的'))).toBe('done');
    expect(assignees(room.incident)).toEqual(['b']);
  });

  test('a pair stays a pair: the former lead, and the first of the others with him', () => {
    const room = dutyRoom({ matter: { disposition: 'joint', danger: ['threat'] } });
    room.at(10).member('b').arrives();
    room.member('b').closes();
    room.hears('0 a ask-secret', '0 b ask-secret', '10 a stand-down');
    room.at(20).desk.reopens();
    room.hears('20 b reopened', '20 a ask-secret');
  });

  test('needs a reason and comes within thirty days', () => {
    const room = closed();
    expect(outcome(room.desk.reopens(''))).toBe('invalid');
    room.desk.revisits();
    room.at(100 + 30 * DAY + 1);
    expect(outcome(room.desk.reopens())).toBe('impossible');
  });
});

describe('back to 110', () => {
  test('a police sign: no civilian is asked, the duty officer at once, the street leader after a minute', () => {
    const desk = [hand('duty', 'duty', 'desk'), hand('second', 'duty', 'desk')];
    const room = dutyRoom({
      matter: { disposition: 'police', danger: ['weapon'] },
      delay: 3,
      hands: { duty: desk },
    });
    expect(room.incident).toMatchObject({ state: 'returned', owed: ['handback'], workflow: 'owed' });
    room.at(3600).hears('3 duty returned', '63 street handback');
    room.desk.handsBack();
    expect(room.incident).toMatchObject({ state: 'returned', owed: [], workflow: 'ended' });
    expect(outcome(room.desk.handsBack())).toBe('repeat');
    expect(room.waitsAt).toBeUndefined();
  });

  test('by hand after the whole climb: who was asked goes home, and the street leader is asked again if it is missed', () => {
    const room = dutyRoom();
    room.at(200).hears(...GOLDEN);
    room.desk.returns();
    room.hears('200 a stand-down', '200 b stand-down', '200 leader stand-down', '200 duty returned');
    expect(room.waitsAt).toBe('handback');
    room.at(DAY).hears('260 street handback');
  });

  test('the empty desk: the street leader at once, and nobody twice', () => {
    const room = dutyRoom({ matter: { disposition: 'police' }, hands: { duty: [] } });
    room.at(3600).hears('0 street handback');
  });

  test('nobody at all: whoever comes on shift next is asked', () => {
    const room = dutyRoom({ matter: { disposition: 'police' }, hands: { duty: [], street: [] } });
    room.at(300).hears();
    room.hands = everybody();
    room.at(1300);
    expect(room.unheard().map((line) => line.slice(line.indexOf(' ') + 1))).toEqual([
      'duty returned',
      'street handback',
    ]);
    room.hears(...room.unheard());
  });

  test('return needs a reason and is the desk’s', () => {
    const room = dutyRoom();
    expect(outcome(room.desk.returns(''))).toBe('invalid');
    expect(outcome(room.member('a').does('return', { reason: '有刀' }))).toBe('forbidden');
    room.hears('0 a ask');
  });
});

test('what the classifier is not sure of, the desk sees at once', () => {
  const room = dutyRoom({ matter: { sure: false } });
  room.hears('0 a ask', '0 duty desk');
});

test('a secret matter says only that there is a task', () => {
  const room = dutyRoom({ secret: true });
  room.at(60).hears('0 a ask-secret', '60 b ask-secret');
});
