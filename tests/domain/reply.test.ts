import * as fc from '../properties.ts';
import { describe, expect, test } from 'vitest';
import {
  CODE_MS,
  callerMeaningOf,
  codeOf,
  couldReport,
  decide,
  isFromCaller,
  meaningOf,
  repliesSchema,
  waitedFor,
  withCodes,
  withoutTexts,
  type Codes,
} from '#shared/domain/reply.ts';
import { dutyRoom } from './duty-room.ts';

describe('what a member means', () => {
  test.each([
    ['1', { say: 'accept' }],
    [' １ ', { say: 'accept' }],
    ['1。', { say: 'accept' }],
    ['回1', { say: 'accept' }],
    ['回复 1 接单', { say: 'accept' }],
    ['2', { say: 'decline' }],
    ['２ 退单', { say: 'decline' }],
    ['21', { say: 'accept', which: 2 }],
    ['回21接单', { say: 'accept', which: 2 }],
    ['２ １', { say: 'accept', which: 2 }],
    ['32', { say: 'decline', which: 3 }],
    ['121', { say: 'accept', which: 12 }],
    ['0', { say: 'stop' }],
    ['td', { say: 'stop' }],
    ['Ｓｔｏｐ', { say: 'stop' }],
    ['退订', { say: 'stop' }],
    ['kt', { say: 'start' }],
    ['接单', { say: 'accept' }],
    ['退单。', { say: 'decline' }],
    ['3', { say: 'arrive' }],
    ['到场', { say: 'arrive' }],
    ['已到场了！', { say: 'arrive' }],
    ['回３到场', { say: 'arrive' }],
    ['2 3 到场', { say: 'arrive', which: 2 }],
    ['4', { say: 'close' }],
    ['已办结', { say: 'close' }],
    ['办结 双方谈妥，垃圾已清', { say: 'close', words: '双方谈妥，垃圾已清' }],
    ['回２４办结：水管4楼已修好。', { say: 'close', which: 2, words: '水管4楼已修好' }],
    ['“办结　已修好”', { say: 'close', words: '已修好' }],
    // What does not stand apart may be half of another word: he is told how to write it.
    ['办结不了', { say: 'close' }],
    // Nor does what takes it back, however far apart it stands.
    ['办结 不了', { say: 'close' }],
    ['24办结，还不行', { say: 'close', which: 2 }],
    ['办结。没解决', { say: 'close' }],
    ['办结：“未处理', { say: 'close' }],
    ['没办结', { say: 'unclear' }],
    ['快到场了', { say: 'unclear' }],
    ['到4楼', { say: 'unclear' }],
    ['4楼漏水', { say: 'unclear' }],
    ['24 已修好', { say: 'unclear' }],
    // The word and the digit do not agree.
    ['2接单', { say: 'unclear' }],
    ['1退单', { say: 'unclear' }],
    ['13办结 好了', { say: 'unclear' }],
    // A friendly word is no promise to come, and a number that names nothing is none either.
    ['收到', { say: 'unclear' }],
    ['好的', { say: 'unclear' }],
    ['5', { say: 'unclear' }],
    ['1211', { say: 'unclear' }],
    ['11点到', { say: 'unclear' }],
    ['', { say: 'unclear' }],
  ])('%j', (text, meaning) => {
    expect(meaningOf(text)).toEqual(meaning);
  });

  test('a text of any length is read at once', () => {
    const long = (one: string) => one.repeat(100_000);
    for (const one of [' ', '.', '　。']) expect(meaningOf(long(one))).toEqual({ say: 'unclear' });
    expect(meaningOf(`${long(' ')}24${' '.repeat(50)}办结 已清理`)).toEqual({
      say: 'close',
      which: 2,
      words: '已清理',
    });
    expect(meaningOf(`办结 已${long('.')}清`)).toEqual({ say: 'close', words: '已' });
    expect(meaningOf(`1${long(' ')}不去`)).toEqual({ say: 'unclear' });
  });

  test('blanks, width, case and stops never change it; nothing makes it throw', () => {
    const noise = fc.constantFrom('', ' ', '　', '。', '!', '\n', '，');
    fc.assert(
      fc.property(
        fc.constantFrom('1', '2', '21', '13', '24', '到场', '0', 'TD', 'KT'),
        noise,
        noise,
        (word, before, after) => {
          const wide = word.replace(/[!-~]/g, (c) => String.fromCharCode(c.charCodeAt(0) + 0xfee0));
          for (const said of [word, word.toLowerCase(), wide, Array.from(word).join(after)])
            expect(meaningOf(`${before}${said}${after}`)).toEqual(meaningOf(word));
        },
      ),
    );
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => void meaningOf(text)));
  });
});

test.each([
  ['5', { say: 'score', score: 5 }],
  ['３分', { say: 'score', score: 3 }],
  ['6', { say: 'again' }],
  ['没解决！', { say: 'again' }],
  ['TD', { say: 'stop' }],
  ['7', { say: 'unclear' }],
  ['谢谢', { say: 'unclear' }],
])('a caller who writes %j', (text, meaning) => {
  expect(callerMeaningOf(text)).toEqual(meaning);
});

test('members and callers are told apart by the number they answer to, not by who they are', () => {
  const extensions = repliesSchema.parse({});
  expect(isFromCaller(extensions, undefined, { extension: '2' })).toBe(true);
  expect(isFromCaller(extensions, undefined, { extension: '10690001232' })).toBe(true);
  expect(isFromCaller(extensions, undefined, { extension: '1' })).toBe(false);
  expect(isFromCaller(extensions, undefined, {})).toBe(false);
  // Where callers have a signature of their own, and the vendor tells which one was answered, nothing else counts.
  const by = (signature: string | undefined, extension?: string) =>
    isFromCaller(extensions, '示例回访', {
      ...(signature === undefined ? {} : { signature }),
      ...(extension === undefined ? {} : { extension }),
    });
  expect([by('示例回访'), by('示例值班', '2'), by(undefined, '2'), by(undefined)]).toEqual([
    true,
    false,
    true,
    false,
  ]);
  expect(repliesSchema.safeParse({ members: '12', callers: '2' }).success).toBe(false);
});

describe('which task is meant', () => {
  const task = (incident: string, member = 'a') => ({ incident, member, number: incident.toUpperCase() });
  const members = [{ id: 'a' }];
  const x = task('x');
  const y = task('y');

  test('one waits: a bare 1 counts', () => {
    expect(decide({ say: 'accept' }, [x], {}, undefined, members)).toEqual({
      do: 'act',
      action: 'accept',
      incident: 'x',
      member: 'a',
    });
  });

  test('two wait: nothing is done, and the answer lists the codes; with a code it is done', () => {
    const codes = withCodes({}, [x, y], 0);
    expect(decide({ say: 'accept' }, [x, y], codes, undefined, members)).toEqual({
      do: 'choose',
      incident: 'x',
      member: 'a',
      list: [
        { number: 'Y', code: '21' },
        { number: 'X', code: '11' },
      ],
    });
    expect(decide({ say: 'decline', which: 2 }, [x, y], codes, undefined, members)).toMatchObject({
      do: 'act',
      action: 'decline',
      incident: 'y',
    });
    // A code that was never given away chooses nothing.
    expect(decide({ say: 'accept', which: 7 }, [x, y], codes, undefined, members).do).toBe('choose');
  });

  test('two could be meant by an arrival or a close: the codes say what they do; a close without words is asked for them', () => {
    const codes = withCodes({}, [x, y], 0);
    expect(decide({ say: 'arrive' }, [x, y], codes, undefined, members)).toMatchObject({
      do: 'choose',
      list: [
        { number: 'Y', code: '23', action: 'arrive' },
        { number: 'X', code: '13', action: 'arrive' },
      ],
    });
    expect(decide({ say: 'close', words: '好了' }, [x, y], codes, undefined, members)).toMatchObject({
      do: 'choose',
      list: [{ code: '24', action: 'close' }, {}],
    });
    expect(decide({ say: 'close', which: 2 }, [x, y], codes, undefined, members)).toMatchObject({
      do: 'tell',
      incident: 'y',
      answer: 'no-words',
      list: [{ code: '24' }],
    });
    // What he has written is read again from the message, and lies nowhere in between.
    expect(decide({ say: 'close', words: '好了' }, [x], {}, undefined, members)).toEqual({
      do: 'act',
      action: 'close',
      incident: 'x',
      member: 'a',
    });
    expect(decide({ say: 'close' }, [x], {}, undefined, members)).toMatchObject({ answer: 'no-words' });
  });

  test('none waits: he hears what became of the last one; who means nothing hears nothing', () => {
    const latest = { ...x, standing: 'gone' as const };
    expect(decide({ say: 'accept' }, [], {}, latest, members)).toMatchObject({ do: 'tell', answer: 'gone' });
    expect(decide({ say: 'accept' }, [], {}, undefined, members)).toEqual({ do: 'ignore' });
    expect(decide({ say: 'unclear' }, [], {}, latest, members)).toEqual({ do: 'ignore' });
    expect(decide({ say: 'accept' }, [x], {}, undefined, [])).toEqual({ do: 'ignore' });
  });

  test('a code keeps its task however many come after it', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('x', 'y', 'z', 'u', 'v'), { maxLength: 12 }), (names) => {
        let codes: Codes = {};
        const given = new Map<string, string | undefined>();
        for (const name of names) {
          codes = withCodes(codes, [task(name)], 0);
          const code = codeOf(codes, task(name));
          expect(code).toBeDefined();
          expect(given.get(name) ?? code).toBe(code);
          given.set(name, code);
        }
        expect(new Set(given.values()).size).toBe(given.size);
      }),
    );
  });

  test('a code is free a day after it was last sent: they never run out, whatever is asked of him every day', () => {
    let codes: Codes = {};
    for (let day = 0; day < 120; day += 1) {
      const now = day * 20 * 3_600_000;
      codes = withCodes(codes, [task(`x${day}`), task(`y${day}`)], now);
      const held = [codeOf(codes, task(`x${day}`)), codeOf(codes, task(`y${day}`))];
      expect(held.every((code) => code !== undefined && Number(code) <= 4)).toBe(true);
    }
    // Sent once more, it holds from then.
    const sent = withCodes({}, [x, y], 0);
    const again = withCodes(sent, [y], CODE_MS - 1);
    expect(Object.keys(withCodes(again, [], CODE_MS))).toEqual(['2']);
  });

  test('of a time before he was asked: whatever waits now is listed, and nothing is done', () => {
    expect(decide({ say: 'accept' }, [{ ...x, early: true }], {}, undefined, members)).toEqual({
      do: 'choose',
      incident: 'x',
      member: 'a',
      list: [{ number: 'X', code: '1' }],
    });
  });
});

test('an incident waits for who was asked and has neither answered nor been sent home, by the time of his answer', () => {
  const room = dutyRoom();
  const begin = room.incident.receivedAt;
  expect(waitedFor(room.incident, 'a', begin)).toBe(true);
  expect(waitedFor(room.incident, 'a', begin - 1_000)).toBe(false);
  expect(waitedFor(room.incident, 'b', begin)).toBe(false);
  room.at(10).member('a').accepts();
  // The same post again, a moment later: read as it was the first time.
  expect(waitedFor(room.incident, 'a', begin + 9_000)).toBe(true);
  expect(waitedFor(room.incident, 'a', begin + 11_000)).toBe(false);
  room.hears(...room.unheard());
});

test('an arrival or a close can be meant of what he has in hand, by the time of his answer', () => {
  const room = dutyRoom();
  const begin = room.incident.receivedAt;
  const could = (who: string, report: 'arrive' | 'close', second: number): boolean =>
    couldReport(room.incident, who, report, begin + second * 1000);
  // He may have come without a word.
  expect([could('a', 'arrive', 5), could('a', 'close', 5), could('b', 'arrive', 5)]).toEqual([
    true,
    true,
    false,
  ]);
  room.at(10).member('a').accepts();
  room.at(100).member('a').arrives();
  expect([could('a', 'arrive', 99), could('a', 'arrive', 101), could('a', 'close', 101)]).toEqual([
    true,
    false,
    true,
  ]);
  room.at(200).member('a').closes();
  expect([could('a', 'close', 199), could('a', 'close', 201), could('a', 'arrive', 201)]).toEqual([
    true,
    false,
    false,
  ]);
  room.hears(...room.unheard());
});

test('STOP takes texts away, but never the last channel', () => {
  const ways = (...channels: string[]) => channels.map((channel) => ({ channel }));
  const loud = ways('chat', 'sms', 'voice');
  expect(withoutTexts(loud, loud)).toEqual(ways('chat', 'voice'));
  expect(withoutTexts(ways('sms'), loud)).toEqual(ways('sms'));
  expect(withoutTexts([], loud)).toEqual([]);
  // He has a telephone, but nobody rings it for this.
  expect(withoutTexts(ways('sms', 'voice'), ways('chat', 'sms'))).toEqual(ways('sms', 'voice'));
});
