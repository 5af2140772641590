import * as fc from '../properties.ts';
import { describe, expect, test } from 'vitest';
import { loadDistrict } from '#shared/districts/load.ts';
import { classify } from '#shared/domain/classify.ts';
import { classificationSchema, reasonSchema } from '#shared/domain/classification.ts';

const district = loadDistrict('xiaohe');
const say = (content: string, more: { categoryCode?: string; level?: string } = {}) =>
  classify(district, { content, address: '', ...more });
const brief = (content: string, more = {}) => {
  const { category, disposition, team } = say(content, more).classification;
  return `${category} ${disposition} ${team}`;
};

describe('the stories of the documents, in our own words', () => {
  test.each([
    ['和儿子逛街，转个身儿子就不见了，七岁，穿蓝外套', 'missing_person police patrol'],
    ['早上骑车掉了一个包，里面有八万元现金，请帮我找', 'lost_property joint patrol'],
    ['我年纪大了，隔壁空调外机声音太大，夜里睡不着', 'noise_nuisance non-police patrol'],
    ['租的房子到期了，房东不肯退押金', 'rental_dispute non-police mediation'],
    ['干了三年活，老板还欠我十二万工资不给', 'wage_dispute non-police mediation'],
    ['市场出口排队，两个司机互不相让吵起来了', 'minor_traffic_dispute joint patrol'],
    ['保安看到业主慌慌张张问怎么扫码转账，怀疑被骗，已拦住', 'fraud police police'],
    ['二十名送货工人围在运输公司讨运费', 'debt_contract_dispute joint patrol'],
    ['网上找的工作，上班后工资和说好的不一样', 'wage_dispute non-police mediation'],
    ['古运路便利店的灭火器过期了', 'fire_gas_hazard non-police patrol'],
    ['有厂往河里排污水，河水发黑', 'pollution non-police patrol'],
    ['高速施工把农田涵管堵塞，排水不畅', 'public_facility_safety non-police patrol'],
    ['下雨打不到车，两位老人想回家', 'daily_help non-police patrol'],
  ])('%s → %s', (content, expected) => {
    expect(brief(content)).toBe(expected);
    expect(say(content).classification.sure).toBe(true);
  });
});

describe('danger', () => {
  test.each([
    ['楼道里有人拿着刀', 'weapon'],
    ['他头破了在流血', 'injury'],
    ['发短信说不想活了', 'self-harm'],
    ['看见有人把小孩拖上车', 'abduction'],
    ['女儿放学到现在没回来', 'missing-child'],
    ['老公又动手打我', 'domestic'],
    ['客服让我转账到安全账户', 'fraud-in-progress'],
    ['有人猥亵女乘客', 'sexual'],
    ['扬言要杀了我全家', 'death-threat'],
  ])('%s goes back to 110', (content, sign) => {
    const { classification, reasons } = say(content);
    expect(classification.disposition).toBe('police');
    expect(classification.danger).toContain(sign);
    expect(reasons.some((r) => r.rule === `danger:${sign}` && r.span)).toBe(true);
  });

  test.each([
    ['三楼厨房着火了', 'fire'],
    ['楼道里有很浓的煤气味', 'gas'],
    ['父亲有老年痴呆，早上出门现在还没回来', 'missing-person'],
    ['房东威胁要换锁', 'threat'],
    ['五十多个工人聚集在工地门口', 'crowd'],
  ])('%s is joint: never a lone person', (content, sign) => {
    expect(say(content).classification).toMatchObject({
      disposition: 'joint',
      danger: expect.arrayContaining([sign]),
    });
  });

  test('a knife in a dispute is no dispute, whatever code 110 gave it', () => {
    expect(brief('和邻居为漏水吵架，他回家拿了菜刀', { categoryCode: '100600' })).toBe(
      'violent_crime police police',
    );
  });

  test.each([
    '刀茅巷口占道摆摊',
    '在刀剪剑博物馆门口丢了钱包',
    '刀削面店里吃出异物',
    '两车剐蹭，没有人受伤',
    '孩子玩水枪打湿了我家窗户',
    '店家不让砍价',
  ])('%s: names of places and harmless phrases are no danger', (text) => {
    expect(say(text).classification.danger).toEqual([]);
  });

  test('a harmless phrase does not hide a danger elsewhere in the text', () => {
    expect(say('在刀茅巷口，他没受伤，但对方手里有刀').classification.disposition).toBe('police');
  });

  test("a child's lost phone is no lost child", () => {
    expect(say('我儿子的手机不见了').classification).toMatchObject({ category: 'lost_property', danger: [] });
  });
});

describe('code, words and doubt', () => {
  test('a known code decides, with its reason', () => {
    const { classification, reasons } = say('来个人看看', { categoryCode: '40100' });
    expect(classification).toMatchObject({
      category: 'illegal_parking',
      disposition: 'non-police',
      sure: true,
    });
    expect(reasons[0]).toMatchObject({ rule: 'code' });
  });

  test('words that point to the police make a harmless code doubtful', () => {
    expect(say('二楼在赌钱', { categoryCode: '40500' }).classification).toMatchObject({
      disposition: 'joint',
      sure: false,
    });
  });

  test.each([
    '',
    '你好',
    '喂？',
    '🙂',
    '来个人',
    '喂？喂？',
    '喂？在吗？听得到吗？',
    '12345678901',
    '？？？？？？？',
    '吗吗吗吗吗吗',
    '阿斯蒂芬噶啥',
    'Hello, is anyone there? Where are you?',
  ])('nothing to go by (%j) is joint and unsure, and says so', (content) => {
    const { classification, reasons } = say(content);
    expect(classification).toMatchObject({
      category: 'other',
      disposition: 'joint',
      sure: false,
      team: 'patrol',
    });
    expect(reasons.at(-1)?.rule).toBe('unsure');
  });

  test.each(['请问', '你好，请问有人吗？'])(
    'a greeting (%s) asks nothing: a pair, and the desk',
    (content) => {
      const { classification, reasons } = say(content);
      expect(classification).toMatchObject({ disposition: 'joint', sure: false, team: 'patrol' });
      expect(reasons.at(-1)?.rule).toBe('unsure');
    },
  );

  test('a quarrel with a threat in it is joint, a threat alone is police work', () => {
    expect(brief('楼上邻居说再投诉就砸了我家门')).toBe('neighbor_dispute joint mediation');
    expect(brief('有人威胁我')).toBe('personal_threat police police');
  });

  test('the highest level of the call centre makes it urgent', () => {
    expect(say('小区门口井盖没了', { level: '1' }).classification.urgency).toBe('P1');
    expect(say('小区门口井盖没了', { level: '4' }).classification.urgency).toBe('P3');
  });
});

test('never throws; spans slice the original content; unsure is never a lone civilian; police signs are never ours', () => {
  const words = district.signs.guards
    .flatMap((g) => g.words.filter((word) => !/[…{]/u.test(word)))
    .concat(
      district.categories.flatMap((c) => c.keywords),
      district.signs.harmless,
      district.roads.map((r) => r.name),
    );
  const spoken = fc
    .array(fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(...words)), { maxLength: 8 })
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(
      spoken,
      fc.option(fc.oneof(fc.string(), fc.constantFrom(...Object.keys(district.codes))), { nil: undefined }),
      fc.option(fc.string(), { nil: undefined }),
      (content, categoryCode, level) => {
        const { classification, reasons } = classify(district, {
          content,
          address: content,
          ...(categoryCode === undefined ? {} : { categoryCode }),
          ...(level === undefined ? {} : { level }),
        });
        classificationSchema.parse(classification);
        for (const reason of reasons) {
          reasonSchema.parse(reason);
          if (!reason.span) continue;
          const quoted = content.slice(...reason.span);
          expect(quoted).not.toBe('');
          expect(reason.sentence).toContain(quoted);
        }
        const sends = classification.danger.map((kind) => district.signs.send[kind]);
        const alone = ['non-police', 'consult'].includes(classification.disposition);
        expect({ alone: alone && (!classification.sure || sends.length > 0) }).toEqual({ alone: false });
        expect(classification.disposition === 'police' || !sends.includes('police')).toBe(true);
        // What is police work by its kind stays dangerous where only a pair is asked, because nobody is sure.
        const kind = district.categories.find(({ id }) => id === classification.category);
        expect(classification.grave === true).toBe(kind?.disposition === 'police');
      },
    ),
    { numRuns: 500 },
  );
});
