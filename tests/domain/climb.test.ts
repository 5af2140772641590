import { describe, expect, test } from 'vitest';
import { handsAt } from '#shared/domain/hands.ts';
import { ladderSchema } from '#shared/domain/ladder.ts';
import { DAY, dutyRoom, everybody, hand, ladderOf } from './duty-room.ts';

describe('nobody answers', () => {
  test('东湖, the golden row, to the second', () => {
    const room = dutyRoom({ hands: { candidates: [hand('a'), hand('b')] } });
    room
      .at(900)
      .hears(
        '0 a ask',
        '60 b ask',
        '90 leader ask',
        '120 duty ask',
        '180 street ask',
        '480 duty nag',
        '780 duty nag',
      );
    expect(room.lines('breach')).toEqual([
      '60 breach accept',
      // Later deadlines are written down when the clock next looks, and nobody is told.
      '120 breach depart',
      '180 breach contact',
      '480 breach arrive',
    ]);
    expect(room.incident.state).toBe('asking');
  });

  test('thirty nags, then the desk list, and silence', () => {
    const room = dutyRoom({ hands: { candidates: [hand('a'), hand('b')] } });
    room.at(180).hears('0 a ask', '60 b ask', '90 leader ask', '120 duty ask', '180 street ask');
    room.at(30 * DAY).hears(...Array.from({ length: 30 }, (_, i) => `${480 + i * 300} duty nag`));
    expect(room.lines('nags-over')).toEqual([`${480 + 29 * 300} nags-over accept`]);
  });

  test.for([
    ['donghu', 'peace'],
    ['xiaohe', 'peace'],
    ['xiaohe', 'war'],
    ['xinjie', 'peace'],
    ['linjiang', 'peace'],
  ] as const)('%s in %s climbs the same steps', ([district, mode]) => {
    const room = dutyRoom({ district, mode });
    room
      .at(480)
      .hears('0 a ask', '60 b ask', '90 leader ask', '120 duty ask', '180 street ask', '480 duty nag');
  });

  test('the row stays small', () => {
    const room = dutyRoom({ hands: { candidates: [hand('dh-patrol-001'), hand('dh-patrol-002')] } });
    room.at(780);
    expect(JSON.stringify(room.incident).length).toBeLessThanOrEqual(2048);
    expect(room.unheard()).toHaveLength(7);
    room.hears(...room.unheard());
  });
});

describe('an empty step is skipped at that same instant and later steps move up', () => {
  test('no second candidate', () => {
    const room = dutyRoom({ hands: { candidates: [hand('a')] } });
    room.at(500).hears('0 a ask', '60 leader ask', '90 duty ask', '120 street ask', '420 duty nag');
  });

  test('no leader on shift', () => {
    const room = dutyRoom({ hands: { leaders: [] } });
    room.at(300).hears('0 a ask', '60 b ask', '90 duty ask', '120 street ask');
    expect(room.lines('skipped')).toEqual(['90 skipped accept']);
  });

  test('only the street leader is there: asked at once, and nobody is nagged in his place', () => {
    const room = dutyRoom({ hands: { candidates: [], leaders: [], duty: [] } });
    room.at(300).hears('0 street ask');
  });

  test("the squad's own leader; another squad's only where it has none", () => {
    const leaders = [hand('other', 'leader', 'two'), hand('own', 'leader', 'one')];
    const room = dutyRoom({ hands: { leaders } });
    room.at(90).hears('0 a ask', '60 b ask', '90 own ask');
    const other = dutyRoom({ hands: { leaders: leaders.slice(0, 1) } });
    other.at(90).hears('0 a ask', '60 b ask', '90 other ask');
  });

  test('people who come on shift while it climbs are asked when their step comes', () => {
    const room = dutyRoom({ hands: { leaders: [], duty: [] } });
    room.at(70).hears('0 a ask', '60 b ask');
    room.hands = everybody();
    room.at(180).hears('90 leader ask', '120 duty ask', '180 street ask');
  });
});

describe('a missed rung after the acceptance', () => {
  test('told step by step, strictly before the next rung begins', () => {
    const room = dutyRoom({ district: 'xinjie' });
    room.at(20).member('a').accepts();
    room.hears('0 a ask');
    // arrive at 300: the member, his leader, the duty officer and the street leader.
    room.at(3599).hears('300 a told', '360 leader climb', '420 duty climb', '600 street climb');
    room.at(DAY - 1).hears('3600 a told', '3660 leader climb', '3720 duty climb', '3900 street climb');
    expect(room.incident.owed).toEqual(['arrive', 'feedback', 'close']);
    expect(room.lines('breach')).toEqual(['300 breach arrive', '3600 breach feedback']);
  });

  test('东湖: depart has 60 s before contact begins, so the leader is not told of it', () => {
    const room = dutyRoom();
    room.at(30).member('a').accepts();
    room.at(479).hears(
      '0 a ask',
      '120 a told',
      // depart's leader at 180 would not be before 180.
      '180 a told',
      '240 leader climb',
      '300 duty climb',
    );
    expect(room.member('a').arrives()).toMatchObject({ kind: 'done' });
    expect(room.lines('implied')).toEqual(['479 implied depart', '479 implied contact']);
    room.at(3599).hears();
  });

  test('a climb that is over does not begin anew when the next rung is done out of turn', () => {
    const ladder = ladderSchema.parse(
      [
        ['accept', 60],
        ['arrive', 480],
        ['feedback', 600],
        ['close', DAY],
        ['revisit', 3 * DAY],
      ].map(([rung, limit]) => ({ rung, limit, basis: 'default' })),
    );
    const room = dutyRoom({ ladder });
    room.at(10).member('a').accepts();
    room.at(599).hears('0 a ask', '480 a told', '540 leader climb');
    room.member('a').feedsBack();
    room.at(DAY - 1).hears();
  });

  test('the leader who leads is told as the responsible one, and the others move up', () => {
    const room = dutyRoom({ district: 'xinjie', hands: { candidates: [] } });
    room.member('leader').accepts();
    room.at(3599).hears('0 leader ask', '300 leader told', '360 duty climb', '420 street climb');
  });

  test('each of the four ladders tells the responsible member at its own deadlines', () => {
    const first = (district: string, mode: 'peace' | 'war' = 'peace') => {
      const room = dutyRoom({ district, mode });
      room.at(10).member('a').accepts();
      room.at(DAY);
      const told = room.unheard().filter((line) => line.endsWith('a told'));
      room.hears(...room.unheard());
      return told.map((line) => Number(line.split(' ')[0]));
    };
    expect(first('donghu')).toEqual([120, 180, 480, 3600, DAY]);
    expect(first('xiaohe')).toEqual([600, 3600, DAY]);
    expect(first('xiaohe', 'war')).toEqual([180, 3600, DAY]);
    expect(first('xinjie')).toEqual([300, 3600, DAY]);
    expect(first('linjiang')).toEqual([180, 600, 3600, DAY]);
  });
});

describe('a late acceptor', () => {
  test('has each rung’s own span before it climbs; deadlines stay', () => {
    const room = dutyRoom();
    room.at(200).hears('0 a ask', '60 b ask', '90 leader ask', '120 duty ask', '180 street ask');
    room.member('b').accepts();
    room.hears('200 a stand-down', '200 leader stand-down', '200 duty stand-down', '200 street stand-down');
    expect(room.deadline('depart')).toBe(120);
    // contact 200 + 60; depart would begin at that same instant and is therefore silent; arrive 200 + 300.
    room
      .at(1000)
      .hears(
        '260 b told',
        '320 leader climb',
        '380 duty climb',
        '500 b told',
        '560 leader climb',
        '620 duty climb',
        '800 street climb',
      );
  });

  test('accepts one second late: recorded as a breach, and nobody further is called for it', () => {
    const room = dutyRoom();
    room.at(61).hears('0 a ask', '60 b ask');
    expect(room.member('a').accepts()).toMatchObject({ kind: 'done' });
    room.hears('61 b stand-down');
    expect(room.lines('breach', 'accepted')).toEqual(['60 breach accept', '61 accepted accept']);
    room.at(120).hears();
    room.at(121).hears('121 a told');
    room.hears();
  });
});

describe('bounds', () => {
  test('every told step lies strictly before the next deadline, in every ladder', () => {
    for (const [district, mode] of [
      ['donghu', 'peace'],
      ['linjiang', 'peace'],
      ['xiaohe', 'war'],
    ] as const) {
      const room = dutyRoom({ district, mode });
      room.at(1).member('a').accepts();
      room.at(2 * DAY);
      const told = room.trail.filter((line) => line.kind === 'told');
      expect(told.length).toBeGreaterThan(8);
      const ladder = ladderOf(district, mode);
      for (const line of told) {
        const next = ladder[ladder.findIndex((r) => r.rung === line.rung) + 1];
        const limit = next && next.rung !== 'revisit' ? next.limit : Number.POSITIVE_INFINITY;
        expect((line.at - Date.UTC(2026, 0, 5, 6)) / 1000, `${district} ${line.rung}`).toBeLessThan(limit);
      }
      room.hears(...room.unheard());
    }
  });
});

test('hands are who is on shift, candidates in routing’s order', () => {
  const shifts = [
    { id: 'day', name: '白班', from: 480, to: 1200 },
    { id: 'night', name: '夜班', from: 1200, to: 480 },
  ];
  const person = (id: string, role: 'member' | 'duty', on: string[]) => ({
    id,
    role,
    name: '样例',
    phone: '19900000001',
    squad: 'one',
    team: 'grid',
    shifts: on,
    grids: [],
    roads: [],
  });
  const members = [
    person('a', 'member', ['day']),
    person('b', 'member', ['night']),
    person('c', 'member', []),
    person('d', 'duty', ['night']),
  ];
  const at = (iso: string) => handsAt(members, shifts, ['c', 'gone', 'b', 'a'], new Date(iso));
  expect(at('2026-01-05T11:59:59+08:00').candidates.map((h) => h.id)).toEqual(['c', 'a']);
  expect(at('2026-01-05T20:00:00+08:00').candidates.map((h) => h.id)).toEqual(['c', 'b']);
  expect(at('2026-01-06T07:59:59+08:00').duty.map((h) => h.id)).toEqual(['d']);
  expect(at('2026-01-06T08:00:00+08:00').duty).toEqual([]);
});
