import * as fc from '../properties.ts';
import { describe, expect, test } from 'vitest';
import { parseRoster } from '#shared/adapters/roster-csv.ts';
import { BEIJING_OFFSET, minuteOfDay, onShift } from '#shared/domain/roster.ts';
import type { Member } from '#shared/domain/roster.ts';
import { rosterText, staffed } from './sample-district.ts';

const { district, members } = staffed('xiaohe');
const [anybody] = members;
if (!anybody) throw new Error('the sample roster is empty');
const HEAD = 'id,name,phone,role,squad,team,shifts,grids,roads,lng,lat';
const GOOD = 'm-900,示例甲,19900009001,member,patrol-1,patrol,early;late,g-001,r-01,120.139,30.315';
const read = (...lines: string[]) => parseRoster([HEAD, ...lines].join('\n'), district);
/** A good line with one column changed. */
const withCell = (column: string, value: string): string =>
  GOOD.split(',')
    .map((cell, i) => (HEAD.split(',')[i] === column ? value : cell))
    .join(',');

describe('a roster file', () => {
  test('is read with lists, base and comments', () => {
    const {
      members: [one, two],
      problems,
    } = read('# 注释，逗号', GOOD, 'm-901,示例乙,19900009002,leader,grid-1,grid,,,,,');
    expect(problems).toEqual([]);
    expect(one).toMatchObject({
      id: 'm-900',
      shifts: ['early', 'late'],
      grids: ['g-001'],
      roads: ['r-01'],
      base: { lng: 120.139, lat: 30.315 },
    });
    expect(two).toMatchObject({ role: 'leader', shifts: [] });
    expect(two).not.toHaveProperty('base');
  });

  test('may name the system in which somebody works, by its https address', () => {
    const load = (address: string) => parseRoster(`${HEAD},webhook\n${GOOD},${address}`, district);
    expect(load('https://office.example/in').members).toMatchObject([
      { webhook: 'https://office.example/in' },
    ]);
    expect(load('').members[0]).not.toHaveProperty('webhook');
    for (const address of ['http://office.example/in', 'office'])
      expect(load(address).problems).toEqual(['第2行：对方系统网址 webhook（以 https:// 开头）填写不对']);
  });

  test('may come from a spreadsheet: BOM, quotes, CRLF, columns in another order, full-width list marks', () => {
    const text =
      '\uFEFFphone,id,"name",role,squad,team,shifts,grids,roads,lng,lat,备注\r\n19900009001,m-900,"示例甲",member,patrol-1,patrol,early；late,,,,,新来\r\n';
    expect(parseRoster(text, district)).toMatchObject({
      problems: [],
      members: [{ id: 'm-900', shifts: ['early', 'late'] }],
    });
  });

  test.each([
    ['id', 'M 900', '第3行：编号 id填写不对'],
    ['name', '', '第3行：姓名 name填写不对'],
    ['phone', '1990000', '第3行：电话 phone填写不对'],
    ['role', 'boss', '第3行：角色 role（应为 member、leader、duty 或 street）填写不对'],
    ['squad', 'patrol-9', '第3行：没有班组 patrol-9'],
    ['team', 'navy', '第3行：没有队伍 navy'],
    ['shifts', 'early;dawn', '第3行：没有班次 dawn'],
    ['grids', 'g-999', '第3行：没有网格 g-999'],
    ['roads', 'r-99', '第3行：没有道路 r-99'],
    ['lng', '', '第3行：坐标 lng、lat填写不对'],
    ['lat', 'north', '第3行：坐标 lng、lat填写不对'],
  ])('a bad %s (%j) stops the whole load with a sentence', (column, value, sentence) => {
    const bad = withCell(column, value).replace('m-900', 'm-902').replace('19900009001', '19900009003');
    expect(read(GOOD, bad)).toEqual({ members: [], problems: [sentence], warnings: [] });
  });

  test('an id or a number that stands twice is told with both lines, and never shows the number', () => {
    const { problems, members: loaded } = read(GOOD, GOOD);
    expect(loaded).toEqual([]);
    expect(problems).toEqual(['第3行：编号 m-900 与第2行重复', '第3行：电话号码与第2行重复']);
  });

  test('missing columns, no text and broken quotes are sentences, not crashes', () => {
    expect(parseRoster('id,name\n1,2', district).problems[0]).toContain('缺少这些列：phone');
    expect(parseRoster('', district).problems).toEqual(['花名册是空的：第一行应为列名']);
    expect(parseRoster(`${HEAD}\n"m-1,`, district).problems[0]).toContain('不是正确的 CSV');
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const { members: loaded, problems } = parseRoster(`${HEAD}\n${text}`, district);
        return loaded.length === 0 || problems.length === 0;
      }),
    );
  });

  test('gaps that a climb would skip are warnings, not refusals', () => {
    const without = rosterText('xiaohe')
      .split('\n')
      .filter((line) => !/^(duty-3|leader-3|head-001),/.test(line))
      .join('\n');
    const { members: loaded, warnings } = parseRoster(without, district);
    expect(loaded).toHaveLength(members.length - 3);
    expect(warnings).toContain('夜班没有值班员，督办升级会跳过值班台');
    expect(warnings).toContain('夜班共治一中队没有班组长，督办升级会跳过这一级');
    expect(warnings).toContain('塘河第1网格的网格长 head-001 不在花名册上');
  });
});

const { shifts } = district;
const person = (...own: string[]): Member => ({ ...anybody, shifts: own });
const nightIsOn = (time: string): boolean =>
  onShift(person('night'), shifts, new Date(`2026-03-02T${time}+08:00`));

describe('shifts', () => {
  test('the night shift holds over midnight, to the minute', () => {
    expect(['21:59:59', '22:00:00', '23:59:59', '00:00:00', '05:59:59', '06:00:00'].map(nightIsOn)).toEqual([
      false,
      true,
      true,
      true,
      true,
      false,
    ]);
  });

  test('at every instant exactly one of the three shifts is on, and people without shifts always are', () => {
    const instant = fc.date({
      min: new Date('1999-01-01'),
      max: new Date('2040-01-01'),
      noInvalidDate: true,
    });
    const covered = fc.property(instant, (at) => {
      const on = shifts.filter((s) => onShift(person(s.id), shifts, at));
      return on.length === 1 && onShift(person(), shifts, at) && minuteOfDay(at, BEIJING_OFFSET) < 1440;
    });
    expect(fc.check(covered)).toMatchObject({ failed: false });
  });
});
