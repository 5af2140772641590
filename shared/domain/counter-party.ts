/** Somebody or something a call is about, as its words name it: a person or a car (`party`), or a shop or firm (`firm`). */
export interface CounterParty {
  kind: 'party' | 'firm';
  /** To be hashed at once, never stored. */
  value: string;
}

const PHONE = /(?<!\d)(?:1[3-9]\d{9}|0\d{2,3}-?\d{7,8})(?!\d)/g;
const PLATE =
  /[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-NP-Z][·•\s]?[A-HJ-NP-Z0-9]{5,6}(?![A-Z0-9])/g;
/** Only where the caller says that it is a name: a name list would take half of all words for people. */
const NAMED = /(?:名叫|名字叫|姓名是?|叫做)([\p{Script=Han}]{2,3})(?![\p{Script=Han}]{0,1}(?:路|街|店))/gu;
/** A flat of the same house: 302室, 六楼西边户. */
const FLAT = /([0-9]{3,4})(?:室|房|户)/g;
const FIRM =
  /([\p{Script=Han}A-Za-z0-9]{2,10}?)(公司|物业|工地|饭店|餐馆|烧烤店|超市|网吧|KTV|酒店|宾馆|工厂|幼儿园|培训班|健身房|理发店|足浴店)/gu;
/** What stands before a trade without naming anybody; cut off from the front until something is left that does. */
const NOBODY =
  /^(?:我们|我家|我|他们|他|她|小区|隔壁|楼下|楼上|对面|旁边|附近|门口|这家|那家|一家|有家|这个|那个|有个|一个|某|在|和|跟|被|去|到|从|给|投诉|举报|反映|要求|请|的|里|上|下)+/u;

/**
 * Whom a call is about beside its caller: phone numbers and plates it gives, people it names, flats of the same house,
 * firms. Few and sure rather than many: each one ties calls of strangers together. Pure; at most eight.
 * @param address of the call: a flat means one only together with its house
 * @param own     the caller's number, which is no counter-party
 */
export const counterParties = (content: string, address: string, own: string): CounterParty[] => {
  const text = content.normalize('NFKC');
  const found = new Map<string, CounterParty>();
  const add = (kind: CounterParty['kind'], value: string): void => {
    if (value !== '') found.set(`${kind}:${value}`, { kind, value });
  };
  for (const [phone] of text.matchAll(PHONE)) if (phone !== own) add('party', phone.replace('-', ''));
  for (const [plate] of text.matchAll(PLATE)) add('party', plate.replace(/[·•\s]/g, ''));
  for (const [, name = ''] of text.matchAll(NAMED)) add('party', name);
  const house = address.normalize('NFKC');
  if (house !== '')
    for (const [, flat = ''] of text.matchAll(FLAT))
      if (!house.includes(flat)) add('party', `${house.replace(/[0-9]{3,4}(?:室|房|户)?$/, '')}/${flat}`);
  for (const [, before = '', trade = ''] of text.matchAll(FIRM)) {
    const name = before.replace(NOBODY, '');
    if (name.length >= 2) add('firm', `${name}${trade}`);
  }
  return [...found.values()].slice(0, 8);
};
