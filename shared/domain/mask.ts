/** Family names by which a name is recognised; rare ones that are everyday words (方, 高, 万, 路 …) stand in `CUED` only. */
const COMMON =
  '王李张刘陈杨赵黄周吴徐孙胡朱郭何罗郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘董袁余叶蒋杜苏魏程吕丁沈姚卢姜崔谭陆汪范廖贾韦侯邹熊孟秦邱尹薛闫阎段史陶贺顾郝龚邵钱汤樊殷施倪戚俞柳鲍';
const RARE = '方高万路马石白江常于向易严安林任田夏付毛金钟龙雷孔康武乔赖文庞岳齐梅葛伍华单车';
const CUED = COMMON + RARE;
/** Two-character family names. */
const DOUBLE = '欧阳|司马|上官|诸葛|东方|皇甫|尉迟|公孙|慕容|司徒|令狐|端木';
/** Characters of given names, for names that no cue announces. */
const GIVEN =
  '伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀英华慧巧美玲桂梅琳琴云莉萍红霞刚健峰斌鹏辉波宁飞亮凯浩宇轩欣怡佳嘉俊志建国庆德忠义福贵荣海燕兰凤洁雪婷倩颖琪瑶思雨梓涵子晨晓小文博彬毅卫东平生龙虎祥瑞永春林森鑫淼翠玉珍珠莲菊香月星旭阳光';

const SURNAME = `(?:${DOUBLE}|[${CUED}])`;
const HAN = '\\p{Script=Han}';
const NUMERAL = '[\\d０-９A-Za-z一二三四五六七八九十百零〇-]';
const PLATE = '京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼';

/**
 * What is replaced by what, in this order. Each pattern is bounded, so that any text takes linear time. A word too many
 * costs a training text a little; a name too few costs a person.
 */
const RULES: readonly (readonly [RegExp, string])[] = [
  [/[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,24}){1,3}/gu, '[邮箱]'],
  [/(微信号?|QQ号?|VX|账号|帐号|用户名)([是为:：\s]{0,3})[\w-]{5,32}/giu, '$1$2[账号]'],
  [new RegExp(`[${PLATE}][A-Za-z][·.\\s-]?[A-Za-z0-9]{4,6}[挂学警港澳]?`, 'gu'), '[车牌]'],
  [
    new RegExp(
      `(?:${NUMERAL}{1,8}(?:号楼|号院|号|栋|幢|座|单元|弄)|[\\d０-９]{1,5}(?:室|户|房|楼|层))(?:${NUMERAL}{1,8}(?:号楼|号院|号|栋|幢|座|单元|弄|室|户|房|楼|层)?){0,4}`,
      'gu',
    ),
    '[门牌]',
  ],
  // Identity cards, phones, bank cards, order numbers; also with blanks or hyphens, and as people say them.
  [/[\d０-９](?:[\s-]{0,2}[\d０-９]){4,29}[Xx]?/gu, '[号码]'],
  [/[零〇一二三四五六七八九幺两](?:\s{0,2}[零〇一二三四五六七八九幺两]){6,29}/gu, '[号码]'],
  [
    new RegExp(
      `(我叫|名叫|叫做|姓名|名字[叫是]|联系人|法人|户主|本人)([是为:：\\s]{0,2})${SURNAME}${HAN}{1,2}`,
      'gu',
    ),
    '$1$2[姓名]',
  ],
  [
    new RegExp(
      `(丈夫|老公|妻子|老婆|儿子|女儿|父亲|母亲|邻居|房东|租客|老板|对方|前夫|前妻|男友|女友|同事)${SURNAME}${HAN}{1,2}(?=[，。、；：！？,.;:!?\\s]|[在把将给对和与向跟说打骂欠要不来去拿又也]|$)`,
      'gu',
    ),
    '$1[姓名]',
  ],
  [
    new RegExp(
      `${SURNAME}(?:某{1,3}|${HAN}{0,2}?)(先生|女士|小姐|师傅|老师|医生|大爷|大妈|大姐|大哥|阿姨|叔叔|老太|经理|老板|主任|书记|律师|警官)`,
      'gu',
    ),
    '[姓名]$1',
  ],
  [new RegExp(`${SURNAME}某{1,3}`, 'gu'), '[姓名]'],
  [new RegExp(`(?:老|小|阿)[${COMMON}](?!${HAN}{0,1}[区孩])`, 'gu'), '[姓名]'],
  [new RegExp(`(?:${DOUBLE}|[${COMMON}])[${GIVEN}]{1,2}`, 'gu'), '[姓名]'],
];

/** A masked text is kept to its first so many characters: enough to learn from. */
export const LONGEST_MASKED = 2_000;

/**
 * A text without what names a person: numbers, plates, accounts, house numbers, names. `known`: words that are surely
 * personal here (the caller's name, phone and address); they go first, whatever they look like. Masking twice changes nothing.
 * Names that nothing announces are found by their characters only: the result is meant for people who are bound to secrecy,
 * not for publication.
 */
export const maskText = (text: string, known: readonly string[] = []): string => {
  let masked = text.toWellFormed().slice(0, LONGEST_MASKED).toWellFormed();
  for (const word of known.map((one) => one.trim()).toSorted((a, b) => b.length - a.length))
    // A single character would blank out half of the text.
    if (word.length > 1) masked = masked.replaceAll(word, '[某]');
  for (const [pattern, mark] of RULES) masked = masked.replace(pattern, mark);
  return masked;
};
