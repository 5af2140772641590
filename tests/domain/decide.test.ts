import { describe, expect, test } from 'vitest';
import { loadDistrict } from '#shared/districts/load.ts';
import type { Belief } from '#shared/domain/classify/belief.ts';
import { decide, type Decision } from '#shared/domain/classify/decide.ts';
import { guard } from '#shared/domain/classify/guard.ts';
import { normalise } from '#shared/domain/classify/normalise.ts';
import { isAsked } from '#shared/domain/classify/urgency.ts';

const district = loadDistrict('xiaohe');

/** A model that is sure of one thing, whatever the text. */
const always = (category: string, disposition: string): Belief => ({
  categories: [category],
  dispositions: [disposition],
  together: new Float64Array([1]),
  urgency: { P1: 0, P2: 0, P3: 0, P4: 1 },
  risk: 0,
});
const decided = (text: string, belief: Belief): Decision =>
  decide(district, belief, {
    seen: guard(text, district),
    coded: undefined,
    without: belief,
    empty: false,
    asked: isAsked(district.rules.urgency, normalise(text).text),
  });

describe('a model that finds everything harmless', () => {
  const harmless = always('noise_nuisance', 'non-police');

  test.each([
    '我妈突然昏倒了，没反应',
    '老人心梗了，快不行了',
    '有人触电倒地了',
    '我爸心脏病犯了，喘不上气',
    '孩子从二楼掉下来了',
    '有人掉进窨井了',
    '老人触电以后怎么叫不答应',
  ])('cannot take back that a life is at risk: %s', (text) => {
    expect(decided(text, harmless)).toMatchObject({ disposition: 'joint', sure: true });
  });

  test.each(['老屋塌了一角，想原址翻建', '父亲死亡，房子怎么过户', '手机从楼上掉下来，想找物业看监控'])(
    'may take back what houses and papers are told in: %s',
    (text) => {
      expect(decided(text, harmless)).toMatchObject({ disposition: 'non-police', signs: [] });
    },
  );
});

describe('a model that finds everything routine', () => {
  const routine = always('personal_threat', 'police');

  test.each([
    '邻居说要弄死我全家',
    '派出所处理过了，但他今天又来打我',
    '物业保安打人，停车费的事没说清',
    '有个男的一直跟着我，从地铁口跟到小区',
    '讨装修款，工头说要打断我的腿',
    '他上个月打过我，刚才又动手了，请问怎么办',
  ])('police work that goes on is at least P2: %s', (text) => {
    expect(decided(text, routine).urgency <= 'P2').toBe(true);
  });

  test.each([
    '邻居前年说要弄死我全家',
    '他去年打过我，因为晾衣杆那点事',
    '2016年冬天，我表舅被车撞死，肇事的喝过酒',
    '昨天跟物业保安打架，停车费的事没说清',
    '两家人为停车打架，双方都有轻伤，请问会怎么处罚',
    '跟人在饭店打架，动手的一方会不会坐牢，赔钱行吗？',
  ])('what is over or only asked about stays routine: %s', (text) => {
    expect(decided(text, routine).urgency > 'P2').toBe(true);
  });
});
