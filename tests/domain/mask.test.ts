import * as fc from '../properties.ts';
import { describe, expect, test } from 'vitest';
import { maskText } from '#shared/domain/mask.ts';

describe('a text without what names a person', () => {
  test.each([
    ['我叫王小明，电话19900001234，住3号楼2单元501室', '我叫[姓名]，电话[号码]，住[门牌]'],
    ['身份证 33010119900101123X 丢了', '身份证 [号码] 丢了'],
    ['浙A·12345 一直堵着门', '[车牌] 一直堵着门'],
    ['邻居张伟打我，李女士也看见了', '邻居[姓名]打我，[姓名]女士也看见了'],
    ['老王欠我五千块，陈某某作证', '[姓名]欠我五千块，[姓名]作证'],
    ['打 1 6 6 0 0 0 0 1 2 3 4 或者一六六零零零零一二三四', '打 [号码] 或者[号码]'],
    ['加我微信 sample_001，邮箱 a.b@example.com', '加我微信 [账号]，邮箱 [邮箱]'],
    ['孙丽华说物业不管', '[姓名]说物业不管'],
    ['幸福苑12-3-402号漏水', '幸福苑[门牌]漏水'],
  ])('%s', (text, masked) => {
    expect(maskText(text)).toBe(masked);
  });

  test('what it is about stays readable', () => {
    for (const text of [
      '楼上邻居晚上装修，声音太大，请来协调。',
      '一楼商铺油烟太大，三户人家都受不了',
      '老板欠薪三个月，工友们堵在门口',
      '小区里有老人走失，小孩在哭',
      '110来过，说归街道管',
    ])
      expect(maskText(text)).toBe(text);
  });

  test('what is known to be personal goes, whatever it looks like', () => {
    expect(maskText('阿古拉在样例路口等', ['阿古拉', '样例路口'])).toBe('[某]在[某]等');
  });

  test('never throws, is stable, leaves no number of five digits, and takes time in proportion', () => {
    const pieces = fc.constantFrom(
      '王',
      '小',
      '明',
      '老',
      '某',
      '先生',
      '1',
      '９',
      '-',
      ' ',
      '号',
      '楼',
      '浙A',
      '@',
      'a.b',
      '一',
      '零',
      '\uD83D',
      '微信',
      '：',
      '，',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary', maxLength: 300 }),
          fc.array(pieces, { maxLength: 80 }).map((all) => all.join('')),
        ),
        (text) => {
          const once = maskText(text);
          expect(maskText(once)).toBe(once);
          expect(once).not.toMatch(/[\d０-９]{5}/u);
        },
      ),
      { numRuns: 500 },
    );
    // A pattern that goes back over what it has read would take minutes here, and the test would not end in time.
    for (const bad of ['王', '1 ', 'a.', '一', '老', '3号', '浙A']) maskText(bad.repeat(50_000));
  });

  test('a sample name, number or plate inside any text is gone', () => {
    const personal = fc.constantFrom(
      '19900001234',
      '浙A12345',
      '陈建国',
      '33010119900101123X',
      '16600000001',
    );
    const around = fc.string({
      unit: fc.constantFrom('，', '。', '漏', '水', '吵', '了', '的', '来'),
      maxLength: 20,
    });
    fc.assert(
      fc.property(around, personal, around, (before, it, after) => {
        expect(maskText(`${before}，${it}，${after}`)).not.toContain(it);
      }),
      { numRuns: 300 },
    );
  });
});
