import * as fc from '../properties.ts';
import { describe, expect, test } from 'vitest';
import districtCategories from '#shared/districts/categories.json' with { type: 'json' };
import districtTexts from '#shared/districts/texts.json' with { type: 'json' };
import { RUNGS } from '#shared/domain/rung.ts';
import { VENDORS, type Vendor } from '#shared/domain/channel.ts';
import { anIncident } from '../adapters/fixtures.ts';
import { discreetOf } from '#shared/domain/notice.ts';
import { meaningOf } from '#shared/domain/reply.ts';
import { DESK_NOTES, NOTICE_KINDS, type NoticeKind } from '#shared/domain/notice-kind.ts';
import {
  carries,
  LANGUAGES,
  TEXT_PARAMS,
  textsSchema,
  signOf,
  unready,
  type Language,
} from '#shared/domain/texts.ts';
import {
  clockTime,
  neutralCode,
  renderNotice,
  shortNumber,
  taskName,
  type NoticeFacts,
} from '#shared/domain/wording.ts';

const texts = textsSchema.parse(districtTexts);
const at = new Date('2026-11-03T06:02:20Z'); // 14:02:20 in China
const facts: NoticeFacts = {
  number: '8F3K2M',
  place: '河清路',
  code: 'B2',
  rung: 'contact',
  deadline: new Date('2026-11-03T06:03:20Z'),
  at,
  note: 'rejected',
};

/** The issues a changed texts file would be refused with. */
function refusals(change: (draft: typeof districtTexts) => void): string {
  const draft = structuredClone(districtTexts);
  change(draft);
  return textsSchema.safeParse(draft).error?.message ?? '';
}

describe('what a phone shows', () => {
  test('the first notice: number, road, neutral code and the time to the second', () => {
    expect(renderNotice(texts, 'ask', facts)).toEqual({
      code: texts.templates.ask.code,
      params: { number: '8F3K2M', place: '河清路', code: 'B2', limit: '14:03:20' },
      text: '新任务8F3K2M：河清路，类别B2。回1接单，回2退单，时限14:03:20。',
    });
  });

  test('a secret or dangerous matter says only that there is a task', () => {
    // New task, open, and the code without which nobody could answer: no number, no deadline, whatever is known. When he was asked stands
    // there so that of two such texts neither is dropped as a repeat, and a list of codes can say which it means.
    const shown = (['aliyun-sms', 'sns', 'wecom', 'webpush', 'aliyun-voice'] as const).map((vendor) =>
      renderNotice(texts, 'ask-secret', { ...facts, asked: new Date('2026-11-03T06:02:05Z') }, vendor),
    );
    expect(shown.map(({ text }) => text)).toEqual([
      '您有新任务（14:02:05），请打开。回1接单，回2退单。',
      '您有新任务（14:02:05），请打开。',
      '您有新任务（14:02:05），请打开。',
      '您有新任务（14:02:05），请打开。',
      '您好，这里是值班台。您有一个新任务。接单请按1，退单请按2。',
    ]);
    expect(new Set(shown.flatMap(({ params }) => Object.keys(params)))).toEqual(new Set(['asked']));
    expect(renderNotice(texts, 'ask-secret', facts, 'wecom', 'en').text).not.toMatch(/8F3K2M|14:03/);
  });

  test('what names no task is never the same text twice: WeCom drops an equal one within a minute, Tencent the third of a day', () => {
    const later = new Date(at.getTime() + 1_000);
    for (const kind of ['ask-secret', 'answer-secret', 'news'] as const)
      for (const vendor of ['aliyun-sms', 'tencent-sms', 'wecom', 'webpush'] as const) {
        const words = (when: Date) =>
          renderNotice(texts, kind, { number: '8F3K2M', at: when, asked: when }, vendor).text;
        expect(words(at), `${kind} ${vendor}`).not.toBe(words(later));
      }
  });

  test('a member reads nothing else of it either; who must telephone keeps the number', () => {
    // All kinds stand here: a new one has to be put somewhere.
    const spoken = Map.groupBy(NOTICE_KINDS, (kind) =>
      discreetOf(kind) === kind ? 'as ever' : discreetOf(kind),
    );
    expect(Object.fromEntries(spoken)).toEqual({
      'ask-secret': ['ask', 'reinforce', 'reopened'],
      'answer-secret': ['answer'],
      news: ['stand-down', 'told', 'reassigned', 'changed', 'plain', 'summary', 'drill'],
      'as ever': [
        'ask-secret',
        // Leaders, and whoever has the desk.
        'climb',
        'nag',
        'returned',
        'handback',
        'desk',
        // Who has just texted or tapped; callers, who hear of no secret matter; what is about no matter at all.
        'news',
        'choose',
        'answer-secret',
        'pin',
        'caller-accepted',
        'caller-coming',
        'caller-result',
        'canary',
      ],
    });
    expect(texts.templates.news.params).toEqual(['now']);
    expect(renderNotice(texts, 'answer-secret', { ...facts, answer: 'lead' }).text).toBe(
      '收到回复（14:02:20）：您负责，请打开，到场回3。',
    );
    expect(texts.templates.pin.params).toEqual(['pin']);
    const { place: _place, code: _code, rung: _rung, ...hidden } = facts;
    expect(renderNotice(texts, 'climb', hidden).text).toBe(
      '任务8F3K2M超时：地点见任务详情，该在14:03:20前完成“本环节”，请您过问。',
    );
  });

  test.each([
    ['河清路38号3栋502室', '河清路'],
    ['和平里12号楼', '和平里'],
    ['东湖八路', '东湖八路'],
    ['第12号网格', '第12号网格'],
    ['临江调解中心路', texts.missing.place],
    ['12栋', texts.missing.place],
    ['【假】${name}桥头', '假name桥头'],
    ['一条名字长得一条短信里放不下的道路', '一条名字长得一条短信里放不下的…'],
  ])('of the place %s it shows %s', (place, shown) => {
    expect(renderNotice(texts, 'changed', { ...facts, place }).params.place).toBe(shown);
  });

  test('who is brought in by a missed deadline is not asked to keep it', () => {
    const late = { ...facts, at: new Date('2026-11-03T06:03:20Z') };
    expect(renderNotice(texts, 'ask', late).text).toBe(
      '新任务8F3K2M：河清路，类别B2。回1接单，回2退单，时限已过。',
    );
    expect(renderNotice(texts, 'climb', late).text).toBe(
      '任务8F3K2M超时：河清路，该在14:03:20前完成“联系当事人”，请您过问。',
    );
    expect(renderNotice(texts, 'nag', late).text).toBe(
      '到14:03:20还没有人接任务8F3K2M：河清路，请马上安排人。',
    );
  });

  test.each(NOTICE_KINDS)(
    '%s needs nothing but a number and the time: no notice is stuck for want of a word',
    (kind) => {
      for (const vendor of VENDORS)
        for (const language of LANGUAGES) {
          const facts = { number: '01JABCDEFGHJKMNPQRSTVWXYZ0', at };
          const { text } = renderNotice(texts, kind, facts, vendor, language);
          if (texts.templates[kind].params.includes('number')) expect(text).toContain('STVWXYZ0');
          expect(text).not.toMatch(/undefined|\$\{|，，|：。/);
        }
    },
  );

  test('who can text back is told how, who taps is not, who hears it hears of keys and of no place', () => {
    const words = (vendor: Vendor, language?: Language) =>
      renderNotice(texts, 'ask', facts, vendor, language).text;
    expect(words('tencent-sms')).toContain('回1接单');
    expect(words('wecom')).toBe('新任务8F3K2M：河清路，类别B2。请打开接单，时限14:03:20。');
    expect(words('aliyun-voice')).toMatch(/按1.*按2/);
    expect(words('aliyun-voice')).not.toContain('河清路');
    expect(words('wecom', 'en')).toBe('Task 8F3K2M: 河清路, B2. 1 yes, 2 no, by 14:03:20');
    // A vendor of approved templates has the Chinese ones only.
    expect(words('aliyun-sms', 'en')).toBe(words('aliyun-sms'));
  });

  test("each vendor has its own code, and values are cut to that vendor's length", () => {
    const long = { ...facts, place: '东湖中路农贸市场西侧的一条路' };
    expect(renderNotice(texts, 'ask', long, 'aliyun-sms')).toMatchObject({
      code: 'SMS_990000001',
      params: { place: '东湖中路农贸市场西侧的一条路' },
    });
    expect(renderNotice(texts, 'ask', long, 'tencent-sms')).toMatchObject({
      code: '9900001',
      params: { place: '东湖中路农贸市场西侧的…' },
    });
    expect(renderNotice(texts, 'ask', long, 'aliyun-voice')).toMatchObject({
      code: 'TTS_990000001',
      params: { number: '8F3K2M' },
    });
    expect(carries(texts, 'stand-down', 'aliyun-voice')).toBe(false);
    expect(carries(texts, 'stand-down', 'wecom')).toBe(true);
  });

  test('of tasks to choose from the first three are shown, each whole, also where a variable holds twelve characters', () => {
    const tasks = [1, 2, 3, 4].map((n) => ({ number: `AAAAA${n}`, code: `${n}1` }));
    const shown = (list: NoticeFacts['list'], vendor: Vendor) =>
      renderNotice(texts, 'choose', { ...facts, list }, vendor).text;
    for (const vendor of ['aliyun-sms', 'tencent-sms', 'wecom'] as const) {
      expect(shown(tasks, vendor)).toBe(
        '请选一个任务回复数字：AAAAA1回11接单，AAAAA2回21接单，AAAAA3回31接单。',
      );
      expect(shown(tasks.slice(0, 2), vendor)).toContain('：AAAAA1回11接单，AAAAA2回21接单，谢谢。');
      expect(shown([{ number: 'AAAAA1', code: '1' }], vendor)).toContain('：AAAAA1回1接单，退单回2，谢谢。');
      const reports = tasks.map(({ number }, i) => ({ number, code: `${i + 1}4`, action: 'close' as const }));
      expect(shown(reports.slice(0, 2), vendor)).toContain('：AAAAA1回14办结，AAAAA2回24办结，谢谢。');
      expect(shown([{ ...reports[0], number: 'AAAAA1', code: '3', action: 'arrive' }], vendor)).toContain(
        '：AAAAA1回3到场，只有这一个，谢谢。',
      );
      // What he is told to send is what closes it: a bare 4 never does.
      const arrived = renderNotice(texts, 'answer', { ...facts, answer: 'arrived' }, vendor).text;
      expect(meaningOf(/“(.*)”/u.exec(arrived)?.[1] ?? '')).toEqual({ say: 'close', words: '情况' });
      const asked = { ...facts, answer: 'no-words' as const };
      expect(renderNotice(texts, 'answer', asked, vendor).text).toBe('任务8F3K2M：请回“办结 情况”。');
      expect(
        renderNotice(texts, 'answer', { ...asked, list: [{ number: '', code: '994' }] }, vendor).text,
      ).toBe('任务8F3K2M：请回“994办结 情况”。');
      // Secret ones have the instant of asking for a name; a word that would be cut is left away.
      const secret = { ...anIncident(), secret: true };
      const one = { number: taskName(secret, at), code: '1' };
      expect(shown([one], vendor)).toContain('：14:02:20回1接单，退单回2，谢谢。');
      expect(shown([{ ...one, code: '21' }, tasks[0] ?? one], vendor)).toContain(
        '：14:02:20回21，AAAAA1回11接单，谢谢。',
      );
    }
  });

  test('numbers people can say, codes that give nothing away', () => {
    expect(shortNumber('01JABCDEFGHJKMNPQRSTVWXYZ0')).toBe('VWXYZ0');
    const file = [
      { id: 'rent', group: 'dispute' },
      { id: 'stall', group: 'order' },
      { id: 'wages', group: 'dispute' },
    ];
    expect(file.map((c) => neutralCode(file, c.id))).toEqual(['A1', 'B1', 'A2']);
    expect(neutralCode(file, 'unknown')).toBeUndefined();
    const all = districtCategories.categories;
    const codes = new Set(all.map((c) => neutralCode(all, c.id)));
    expect(codes.size).toBe(all.length);
    expect([...codes].filter((code) => !code || code.length > TEXT_PARAMS.code)).toEqual([]);
  });

  test.each([
    ['2026-11-03T06:03:20Z', '14:03:20'],
    ['2026-11-03T07:02:20Z', '15:02'],
    ['2026-11-03T16:00:00Z', '11月4日00:00'],
    ['2026-11-06T06:02:20Z', '11月6日14:02'],
  ])('a deadline at %s reads %s', (deadline, shown) => {
    expect(clockTime(new Date(deadline), at)).toBe(shown);
  });

  test('across midnight a near deadline is still a plain clock time', () => {
    expect(clockTime(new Date('2026-11-03T16:00:30Z'), new Date('2026-11-03T15:59:30Z'))).toBe('00:00:30');
  });

  test('whatever the facts: one message of 70 characters, no barred word, values as long as declared', () => {
    const anyFacts = fc.record({
      number: fc.stringMatching(/^[0-9A-Z]{1,8}$/),
      place: fc.oneof(
        fc.string({ unit: 'grapheme', maxLength: 60 }),
        fc.constantFrom(...texts.barred).map((word) => `东${word}路`),
      ),
      code: fc.stringMatching(/^[0-9A-Z]{1,8}$/),
      rung: fc.constantFrom(...RUNGS),
      deadline: fc.date({ min: new Date('2026-01-01'), max: new Date('2036-01-01'), noInvalidDate: true }),
      at: fc.date({ min: new Date('2026-01-01'), max: new Date('2036-01-01'), noInvalidDate: true }),
      note: fc.constantFrom(...DESK_NOTES),
    });
    fc.assert(
      fc.property(fc.constantFrom(...NOTICE_KINDS), anyFacts, (kind, facts) => {
        for (const vendor of ['aliyun-sms', 'tencent-sms'] as const) {
          const { text } = renderNotice(texts, kind, facts, vendor);
          expect(`【${texts.signName}】${text}`.length).toBeLessThanOrEqual(70);
        }
        const { text, params } = renderNotice(texts, kind, facts);
        expect(texts.barred.filter((word) => text.includes(word))).toEqual([]);
        expect(text).not.toMatch(/[【】]|\$\{/);
        for (const [name, longest] of Object.entries(TEXT_PARAMS))
          expect((params[name] ?? '').length).toBeLessThanOrEqual(longest);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a texts file that breaks a rule is refused with the kind and the reason', () => {
  test('too long with the longest values', () => {
    expect(refusals((t) => (t.templates.ask.text += '收到请尽快动身，路上注意安全，到了再报。'))).toMatch(
      /'ask': up to 8\d characters with 【小脑】, one message holds 70/,
    );
    expect(
      refusals((t) => {
        t.templates.ask.text += '收到请尽快动身，路上注意安全，到了再报。';
        Object.assign(t.templates.ask, { parts: { 'zh-CN': 2 } });
      }),
    ).toBe('');
  });

  test.each(['赌博', '毒品', '暴力', '恐吓', '调解'])('the barred word %s', (word) => {
    expect(refusals((t) => (t.templates.nag.text += word))).toContain(`'${word}' is barred by the vendor`);
    expect(refusals((t) => (t.notes.stuck = word))).toContain(`'${word}' is barred by the vendor`);
  });

  test('a variable for something personal, one that is not declared, one used twice', () => {
    const params: string[] = ['number', 'callerPhone'];
    expect(refusals((t) => (t.templates.reassigned.params = params))).toMatch(
      /params.*expected one of .*number/s,
    );
    expect(refusals((t) => (t.templates.desk.text += '${place}'))).toContain(
      '${place} stands in the text but not in params',
    );
    expect(refusals((t) => (t.templates.ask.voice += '${place}'))).toContain('names no place');
    expect(refusals((t) => (t.templates.ask.voice += '24/7'))).toContain('none of # / :');
    const many = '${number}到${time}前，${rung}还没有做。';
    expect(refusals((t) => (t.templates.told.voice = many))).toContain('at most two variables');
    expect(refusals((t) => (t.templates.reassigned.text += '${number}'))).toContain('only once');
  });

  test('a kind without a text, two kinds with one code', () => {
    expect(refusals((t) => Reflect.deleteProperty(t.templates, 'nag'))).toContain('nag');
    expect(
      refusals(
        (t) => (t.templates.nag.vendors['aliyun-sms'].code = t.templates.ask.vendors['aliyun-sms'].code),
      ),
    ).toContain("'nag' and 'ask' have the same code");
  });
});

describe('a district for production', () => {
  const approved = { state: 'approved', at: '2026-11-20' };
  const ready = () => {
    const draft = structuredClone(districtTexts);
    draft.sample = false;
    for (const registration of Object.values(draft.registrations)) {
      registration.signature = approved;
      registration.filing = { state: 'registered', at: '2026-11-20' } as { state: string };
    }
    for (const { vendors } of Object.values(draft.templates))
      for (const one of Object.values(vendors)) Object.assign(one, approved);
    return draft;
  };

  test('may have neither samples nor anything that waits for approval: a sentence for each', () => {
    expect(unready(texts)).toEqual([expect.stringContaining('samples')]);
    expect(unready(textsSchema.parse(ready()))).toEqual([]);
    const waiting = ready();
    Object.assign(waiting.templates.nag.vendors['tencent-sms'], { state: 'filed', at: '2026-11-21' });
    Object.assign(waiting.registrations['aliyun-sms'], { filing: { state: 'filed', at: '2026-11-12' } });
    expect(unready(textsSchema.parse(waiting))).toEqual([
      expect.stringMatching(/aliyun-sms\.filing: 实名制报备 is 'filed', not registered/),
      expect.stringMatching(/templates\.nag\.vendors\.tencent-sms: the template is filed, not approved/),
    ]);
    // Who has no account with a vendor needs nothing approved by it.
    Reflect.deleteProperty(waiting.registrations, 'tencent-sms');
    expect(unready(textsSchema.parse(waiting))).toHaveLength(1);
  });

  test('calls no vendor that would refuse its words, or drop them; one for trying out calls all', () => {
    const carriers = (draft: ReturnType<typeof ready>, kind: NoticeKind = 'ask', approvedOnly = true) =>
      VENDORS.filter((vendor) => carries(textsSchema.parse(draft), kind, vendor, approvedOnly));
    const free = ['sns', 'wecom', 'dingtalk', 'jpush', 'webpush', 'webhook'];
    expect(carriers(ready())).toEqual([...VENDORS]);
    const partly = ready();
    Reflect.deleteProperty(partly.registrations, 'aliyun-voice');
    Object.assign(partly.templates.ask.vendors['tencent-sms'], { state: 'filed', at: '2026-11-21' });
    expect(carriers(partly)).toEqual(['aliyun-sms', ...free]);
    expect(carriers(partly, 'nag')).toEqual(['aliyun-sms', 'tencent-sms', ...free]);
    expect(carriers(partly, 'ask', false)).toEqual([...VENDORS]);
  });

  test('a signature for callers has to be another one, to fit their texts, and to be registered as well', () => {
    const registered = ready();
    const signed = (signName: string, registrations: object = {}) => ({
      ...ready(),
      callers: { signName, registrations },
    });
    expect(signOf(textsSchema.parse(registered), 'caller-result')).toBe(registered.signName);
    const parsed = textsSchema.parse(signed('示例回访'));
    expect([signOf(parsed, 'caller-result'), signOf(parsed, 'ask')]).toEqual(['示例回访', parsed.signName]);
    expect(unready(parsed)).toEqual(
      ['aliyun-sms', 'tencent-sms'].flatMap((vendor) => [
        expect.stringContaining(`callers.registrations.${vendor}.signature: the signature is unknown`),
        expect.stringContaining(`callers.registrations.${vendor}.filing`),
      ]),
    );
    expect(unready(textsSchema.parse(signed('示例回访', registered.registrations)))).toEqual([]);
    const refusal = (signName: string): string =>
      textsSchema.safeParse(signed(signName)).error?.message ?? '';
    expect(refusal(registered.signName)).toContain('another signature than members');
    expect(refusal('十二个字长的签名要算进去')).toContain('characters with 【十二个字长的签名要算进去】');
  });

  test('nor words with a link that leads nowhere', () => {
    const linked = ready();
    linked.templates.plain.text = '您有新任务，请打开 https://t.sample.example/t/${token} 查看。';
    linked.templates.plain.en += ' ${token}';
    Object.assign(linked.templates.plain, { params: ['token'] });
    const parsed = textsSchema.parse(linked);
    expect(unready(parsed)).toEqual([expect.stringContaining('no links.domain')]);
    expect(unready(parsed, { domain: 't.sample.example' })).toEqual([]);
    const token = 'AbCdEfGhIjK';
    expect(renderNotice(parsed, 'plain', { ...facts, token }).text).toContain(`/t/${token} `);
  });

  test('an approval without its day is refused', () => {
    const undated = ready();
    Reflect.deleteProperty(undated.templates.ask.vendors['aliyun-sms'], 'at');
    expect(textsSchema.safeParse(undated).error?.message).toContain('a state has its day');
  });
});
