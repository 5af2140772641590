import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from '../properties.ts';
import { describe, expect, test } from 'vitest';
import { aesVault } from '#shared/adapters/vault.ts';
import { repeatRulesSchema, repeatsAmong, standingOf, type Past } from '#shared/domain/repeats.ts';
import { SECRET } from '../adapters/fixtures.ts';

const rules = repeatRulesSchema.parse(
  JSON.parse(readFileSync(join(import.meta.dirname, '../../shared/districts/repeats.json'), 'utf8')),
);
const vault = aesVault(SECRET);
const tell = (id: string, text: string, ...keys: string[]) => ({ id, sketch: vault.sketch(text), keys });

describe('the same matter', () => {
  const others = [
    tell('o1', '南塘路菜场门口的路灯坏了半个月，晚上走路看不见'),
    tell('o2', '学前街小学放学时接送车乱停，孩子过马路很危险'),
    tell('o3', '北苑路健身器材断了一根杆子，希望换新的'),
    tell('o4', '望江路垃圾桶总是满的，夏天味道很大'),
  ];
  const groupsOf = (...tellings: ReturnType<typeof tell>[]) =>
    repeatsAmong([...tellings, ...others], rules).groups;

  test('nearly the same text is a repeat, whoever sends it, and however it is typed', () => {
    const text = '石桥路十七号顶楼养了二十多只鸽子，羽毛和粪便落到我家阳台上，衣服都没法晒';
    expect(
      groupsOf(
        tell('a', text),
        tell('b', `${text.replace('二十多只', '三十只')}！！请尽快处理。`),
        tell('c', text.replaceAll('，', ' , ')),
      ),
    ).toEqual([['a', 'b', 'c']]);
  });

  test('one issue at one place in other words is a repeat; another issue there is not', () => {
    expect(
      groupsOf(
        tell('a', '青石巷豆腐坊凌晨三点开机器磨豆子，震得床都在抖', 'place:p'),
        tell('b', '又是青石巷豆腐坊，凌晨开机器磨豆子，全家睡不着', 'place:p'),
        tell('c', '青石巷豆腐坊门前台阶太高，轮椅上不去', 'place:p'),
      ),
    ).toEqual([['a', 'b']]);
  });

  test('one party with one issue needs fewer words; a number that everybody has is nobody', () => {
    const first = '对门邻居把鞋柜放在楼道里，说了也不听';
    const second = '鞋柜还在楼道里，对门邻居不搬';
    expect(groupsOf(tell('a', first), tell('b', second))).toEqual([]);
    expect(groupsOf(tell('a', first, 'phone:k'), tell('b', second, 'phone:k'))).toEqual([['a', 'b']]);
    const crowd = Array.from({ length: rules.likeness.reportsPerKey }, (_, n) =>
      tell(`n${n}`, `${n}`, 'phone:k'),
    );
    expect(
      repeatsAmong([tell('a', first, 'phone:k'), tell('b', second, 'phone:k'), ...crowd, ...others], rules)
        .groups,
    ).not.toContainEqual(expect.arrayContaining(['a', 'b']));
  });

  test('every link says why', () => {
    const { links } = repeatsAmong(
      [tell('a', '水管漏水没人修，已经三天了'), tell('b', '水管漏水没人修，已经三天了')],
      rules,
    );
    expect(links).toEqual([{ a: 'a', b: 'b', because: 'same words', alike: 1 }]);
  });

  test('ten times the texts are not a hundred times the comparisons', () => {
    const city = (n: number) =>
      Array.from({ length: n }, (_, i) =>
        tell(`t${i}`, `${(i * 7919) % 104_729}号院 ${i} 的路灯坏了，请来修一下`),
      );
    const [small, large] = [repeatsAmong(city(100), rules), repeatsAmong(city(1000), rules)];
    expect(large.compared).toBeLessThan(100 * Math.max(1000, small.compared));
    expect(large.compared).toBeLessThan((1000 * 999) / 2 / 4);
  });

  test('any texts: no id is in two groups, and nothing throws', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 60 }), { maxLength: 12 }), (texts) => {
        const { groups } = repeatsAmong(
          texts.map((text, n) => tell(`t${n}`, text)),
          rules,
        );
        const ids = groups.flat();
        expect(new Set(ids).size).toBe(ids.length);
        for (const group of groups) expect(group.length).toBeGreaterThan(1);
      }),
    );
  });
});

describe('the third time in thirty days', () => {
  const DAY = 86_400_000;
  const now = Date.parse('2026-11-21T10:00:00Z');
  const past = (daysAgo: number, category: string, more: Partial<Past> = {}): Past => ({
    at: now - daysAgo * DAY,
    keys: ['phone:k'],
    category,
    risk: false,
    danger: [],
    sketch: [],
    ...more,
  });

  test.each<[string, Past, Past[], string, number]>([
    ['nothing before', past(0, 'noise_nuisance'), [], 'first', 1],
    ['twice', past(0, 'neighbor_dispute'), [past(5, 'neighbor_dispute')], 'again', 2],
    [
      'a quarrel for the third time',
      past(0, 'neighbor_dispute'),
      [past(5, 'neighbor_dispute'), past(9, 'noise_nuisance')],
      'conflict',
      3,
    ],
    [
      'a lonely caller for the third time',
      past(0, 'daily_help'),
      [past(5, 'elderly_help'), past(9, 'other')],
      'care',
      3,
    ],
    [
      'help, but once there was a threat: no matter for a lone visitor',
      past(0, 'daily_help'),
      [past(5, 'elderly_help'), past(9, 'other', { danger: ['threat'] })],
      'conflict',
      3,
    ],
    [
      'a risk of the past counts too',
      past(0, 'daily_help'),
      [past(5, 'elderly_help', { risk: true }), past(9, 'other')],
      'conflict',
      3,
    ],
    [
      'a hole in the road for the third time is neither',
      past(0, 'public_facility_safety'),
      [past(5, 'public_facility_safety'), past(9, 'public_facility_safety')],
      'again',
      3,
    ],
    [
      'thirty days ago is forgotten, and so is another caller',
      past(0, 'neighbor_dispute'),
      [
        past(30, 'neighbor_dispute'),
        past(1, 'neighbor_dispute', { keys: ['phone:other'] }),
        past(2, 'neighbor_dispute'),
      ],
      'again',
      2,
    ],
    [
      'the counter-party is enough',
      past(0, 'neighbor_dispute', { keys: ['phone:new', 'party:x'] }),
      [past(3, 'noise_nuisance', { keys: ['party:x'] }), past(4, 'neighbor_dispute', { keys: ['party:x'] })],
      'conflict',
      3,
    ],
    [
      'calling again while one waits is not coming again',
      past(0, 'neighbor_dispute'),
      [past(0.01, 'neighbor_dispute'), past(0.03, 'neighbor_dispute'), past(9, 'neighbor_dispute')],
      'again',
      2,
    ],
    [
      'one house with three different matters is no repeat',
      past(0, 'noise_nuisance', { keys: ['address:a'] }),
      [
        past(3, 'illegal_parking', { keys: ['address:a'] }),
        past(4, 'lost_property', { keys: ['address:a'] }),
      ],
      'first',
      1,
    ],
    [
      'one kind of matter at one address is, whoever calls',
      past(0, 'neighbor_dispute', { keys: ['address:a'] }),
      [
        past(3, 'neighbor_dispute', { keys: ['address:a'] }),
        past(4, 'neighbor_dispute', { keys: ['address:a'] }),
      ],
      'conflict',
      3,
    ],
    [
      'one road and the same words are one matter; other words there are not',
      past(0, 'noise_nuisance', { keys: ['place:p'], sketch: [1, 2, 3, 4] }),
      [
        past(3, 'pollution', { keys: ['place:p'], sketch: [1, 2, 3, 9] }),
        past(4, 'noise_nuisance', { keys: ['place:p'], sketch: [6, 7, 8, 9] }),
      ],
      'again',
      2,
    ],
    [
      'three households of one road with the same words are only counted',
      past(0, 'neighbor_dispute', { keys: ['place:p'], sketch: [1, 2, 3] }),
      [2, 4, 6].map((day) => past(day, 'neighbor_dispute', { keys: ['place:p'], sketch: [1, 2, 3] })),
      'again',
      4,
    ],
  ])('%s', (_, report, history, kind, times) => {
    const standing = standingOf(report, history, rules);
    expect(standing).toMatchObject({ kind, times });
    expect(standing.sentence).toContain('30天内');
  });
});
