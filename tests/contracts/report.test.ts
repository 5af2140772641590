import * as fc from '../properties.ts';
import { describe, expect, test } from 'vitest';
import { parseReport, type Report } from '#shared/contracts/report.ts';
import { REPORT_FIELDS } from '#shared/domain/district.ts';
import { listDistricts, loadDistrict } from '#shared/districts/load.ts';

const xiaohe = loadDistrict('xiaohe');
const OURS = {
  callNo: 'SAMPLE-1',
  calledAt: '2026-03-01T14:03:20+08:00',
  caller: { name: '王小明', phone: '19900001234' },
  address: '清河路88号',
  content: '两辆车擦碰，争执不下。',
};

const understood = (body: unknown): Report => {
  const parsed = parseReport(xiaohe, body);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.report;
};
const problems = (body: unknown): Record<string, string> => {
  const parsed = parseReport(xiaohe, body);
  return parsed.ok ? {} : Object.fromEntries(parsed.problems.map((p) => [p.field, p.message]));
};

describe('a report in our names', () => {
  test('is understood, its time as an instant', () => {
    expect(understood(OURS)).toEqual({
      ...OURS,
      calledAt: Date.parse('2026-03-01T06:03:20Z'),
      secret: false,
    });
  });

  test('may come flat, and callers may be anonymous', () => {
    const { caller: _, ...rest } = OURS;
    expect(understood({ ...rest, 'caller.phone': '19900001234' }).caller).toEqual({
      name: '',
      phone: '19900001234',
    });
    expect(understood({ ...OURS, caller: null }).caller).toEqual({ name: '', phone: '' });
  });

  test('ignores what it does not know, also names of JavaScript', () => {
    const body: unknown = JSON.parse(
      JSON.stringify(OURS).replace('{', '{"__proto__":{"secret":true},"constructor":1,"x":[1],'),
    );
    expect(understood(body).secret).toBe(false);
  });

  test('holds 4,000 characters as people count them, and not one more', () => {
    expect(understood({ ...OURS, content: '😀'.repeat(4_000) }).content).toHaveLength(8_000);
    expect(problems({ ...OURS, content: '汉'.repeat(4_001) })).toEqual({ content: '最多 4000 个字' });
  });

  test('is refused naming every field that is wrong', () => {
    expect(problems({})).toEqual({ callNo: '必填', calledAt: '必填', address: '必填', content: '必填' });
    expect(
      Object.keys(
        problems({
          callNo: 'a\u0000b',
          calledAt: '2026-02-30T10:00:00+08:00',
          caller: 'anonymous',
          address: 7.5,
          location: { lng: 181, lat: '31', system: 'mars' },
          content: [[]],
          level: {},
          secret: 'perhaps',
        }),
      ).sort(),
    ).toEqual([
      'address',
      'callNo',
      'calledAt',
      'caller',
      'content',
      'level',
      'location.lng',
      'location.system',
      'secret',
    ]);
  });

  test('needs the offset of a time in our names: nobody knows what else it means', () => {
    expect(Object.keys(problems({ ...OURS, calledAt: '2026-03-01 14:03:20' }))).toEqual(['calledAt']);
  });
});

describe("a 接警单 in the district's names", () => {
  test.each(listDistricts())('%s: every mapped field arrives', (id) => {
    const district = loadDistrict(id);
    const form = {
      jjbh: 20260301000017,
      bjsj: '20260301140320',
      bjrxm: '王小明',
      lxdh: '19900001234',
      jqdz: '清河路88号',
      X: '120.139',
      Y: '30.315',
      bjnr: '两辆车擦碰，争执不下。',
      jqlbdm: '101100',
      jqdjdm: '3',
      glzjjdbh: '20260301000016',
      sfbm: '1',
    };
    expect(new Set(Object.keys(form).map((name) => district.fieldMap[name]))).toEqual(new Set(REPORT_FIELDS));
    expect(parseReport(district, form)).toEqual({
      ok: true,
      report: {
        callNo: '20260301000017',
        calledAt: Date.parse('2026-03-01T06:03:20Z'),
        caller: { name: '王小明', phone: '19900001234' },
        address: '清河路88号',
        location: { lng: 120.139, lat: 30.315, system: district.receiving.coordinateSystem },
        content: '两辆车擦碰，争执不下。',
        categoryCode: '101100',
        level: '3',
        linkedCallNo: '20260301000016',
        secret: true,
      },
    });
  });

  const FORM = { jjbh: 'J1', bjsj: '2026-03-01 14:03:20', jqdz: '某路', bjnr: '某事' };

  test.each([
    '20260301140320',
    '202603011403',
    '2026-03-01 14:03',
    '2026/3/1 14:03:20',
    '2026-03-01T06:03:20Z',
  ])('the time %s is read, without an offset as the time of the district', (bjsj) => {
    const at = understood({ ...FORM, bjsj }).calledAt;
    expect(at - (at % 60_000)).toBe(Date.parse('2026-03-01T06:03:00Z'));
  });

  test('the first of two fields for the same thing counts, an empty one does not', () => {
    const both = { ...FORM, bjsj: '', jjsj: '2026-03-01 15:00:00' };
    expect(understood(both).calledAt).toBe(Date.parse('2026-03-01T07:00:00Z'));
    expect(understood({ ...both, bjsj: '2026-03-01 14:59:00' }).calledAt).toBe(
      Date.parse('2026-03-01T06:59:00Z'),
    );
  });

  test('0, 0 and empty strings are no point', () => {
    expect(understood({ ...FORM, X: '0', Y: 0 }).location).toBeUndefined();
    expect(understood({ ...FORM, X: '', Y: ' ' }).location).toBeUndefined();
  });

  test("a problem tells our name and the sender's own", () => {
    const parsed = parseReport(xiaohe, { ...FORM, bjsj: 'yesterday', X: 361, Y: 30 });
    expect(parsed.ok ? [] : parsed.problems.map(({ field, from }) => [field, from])).toEqual([
      ['calledAt', 'bjsj'],
      ['location.lng', 'X'],
    ]);
  });
});

describe('whatever comes', () => {
  const names = [...REPORT_FIELDS, 'caller', 'location', ...Object.keys(xiaohe.fieldMap)];
  const bodies = fc.oneof(
    fc.jsonValue(),
    fc.dictionary(fc.constantFrom(...names), fc.jsonValue()),
    fc.dictionary(
      fc.constantFrom(...names),
      fc.constantFrom('', '0', '1', 1e308, -1, 'x', null, true, '\ud800'),
    ),
  );

  test('nothing makes it throw, and every problem names a field', () => {
    fc.assert(
      fc.property(bodies, (body) => {
        const parsed = parseReport(xiaohe, body);
        if (parsed.ok) return expect(Number.isInteger(parsed.report.calledAt)).toBe(true);
        expect(parsed.problems.length).toBeGreaterThan(0);
        for (const { field, message } of parsed.problems) {
          expect(['body', 'caller', 'location', 'location.system', ...REPORT_FIELDS]).toContain(field);
          expect(message).not.toBe('');
        }
        return undefined;
      }),
      { numRuns: 500 },
    );
  });

  test('a good report with any one field spoilt names just that field or takes it', () => {
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(OURS)), fc.jsonValue(), (name, value) => {
        const parsed = parseReport(xiaohe, { ...OURS, [name]: value });
        if (!parsed.ok) for (const { field } of parsed.problems) expect(field.split('.')[0]).toBe(name);
      }),
    );
  });
});
