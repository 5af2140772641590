import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { classify } from '../../infra/commands/classify.ts';
import { execute } from '../../infra/commands/command.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'xiaonao-classify-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const run = async (...args: string[]) => {
  const out: string[] = [];
  const err: string[] = [];
  const code = await execute(classify, args, {
    out: (line) => out.push(line),
    err: (line) => err.push(line),
    confirm: () => Promise.resolve(undefined),
  });
  return { code, out, err };
};

describe('classify', () => {
  it('explains one call with what speaks for it and against it', async () => {
    const { code, out } = await run('隔壁老王没受伤，但他拿菜刀砸门', '--district', 'xiaohe');
    expect(code).toBe(0);
    expect(out[0]).toMatch(/^警务 · .+ · P1 · 民转刑风险$/u);
    expect(out.some((line) => /＋ 出现“[^”]*刀[^”]*”/u.test(line))).toBe(true);
    expect(out.some((line) => line.startsWith('  － “受伤”前后有否定'))).toBe(true);
    expect(out.at(-1)).toMatch(/^版本：规则 .+，词表 .+，模型 \S+$/u);
  });

  it('reports on a file, with a bar, unknown codes and broken lines by number', async () => {
    const file = join(folder, 'calls.jsonl');
    writeFileSync(
      file,
      [
        JSON.stringify({ text: '楼上半夜装修吵得睡不着' }),
        'no json',
        JSON.stringify({ text: '路灯坏了', categoryCode: 'Z1' }),
      ].join('\n'),
    );
    const { code, out, err } = await run('--file', file, '--district', 'xiaohe');
    expect(code).toBe(1);
    expect(out[0]).toBe('共 2 条');
    expect(out).toContain('       1    50 %  噪音扰民');
    expect(out).toContain('       1    50 %  Z1');
    expect(err.at(-2)).toBe(`[${'█'.repeat(30)}] 2/2`);
    expect(err.at(-1)).toBe('Line 2 is not a call: it needs {"text": …}.');
  });

  it('asks for a text when there is none, and names a file that is not there', async () => {
    expect(await run()).toMatchObject({ code: 2, out: [] });
    const missing = await run('--file', join(folder, 'none.jsonl'));
    expect(missing.code).toBe(2);
    expect(missing.err[0]).toContain('none.jsonl cannot be read');
  });
});
