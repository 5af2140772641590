import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { templates } from '../../infra/commands/templates.ts';
import { execute } from '../../infra/commands/command.ts';

const run = async (...args: string[]) => {
  const out: string[] = [];
  const err: string[] = [];
  const terminal = {
    out: (line: string) => void out.push(line),
    err: (line: string) => void err.push(line),
    confirm: async () => undefined,
  };
  return { code: await execute(templates, args, terminal), out: out.join('\n'), err: err.join('\n') };
};

describe('npm run templates', () => {
  it('preview shows what each vendor would bring, with the longest values, its length and its price', async () => {
    const { code, out } = await run('preview', '--kind', 'ask', '--vendor', 'aliyun-sms');
    expect(code).toBe(0);
    expect(out).toBe(
      'ask  aliyun-sms  SMS_990000001  63 characters, ¥0.045\n' +
        `    新任务8F3K2M9X：${'东'.repeat(16)}，类别B12。回1接单，回2退单，时限12月31日23:59。`,
    );
    expect((await run('preview', '--kind', 'ask', '--vendor', 'aliyun-voice')).out).not.toContain('东');
    expect((await run('preview', '--kind', 'reinforce', '--vendor', 'sns')).out).toContain(
      'MULTI-PART: 2 messages, ¥0.600',
    );
  });

  it('check tells what costs more than one message, and what a production district lacks', async () => {
    const { code, out, err } = await run('check');
    expect(code).toBe(0);
    expect(out).toContain('✗ texts.json: signature and codes are samples');
    expect(err).toMatch(/barred words as of 2026-11-22/);
  });

  it('check knows whether the district has a domain for the links in its texts, as the deployment does', async () => {
    const root = mkdtempSync(join(tmpdir(), 'xiaonao-templates-'));
    try {
      cpSync(join(import.meta.dirname, '../../shared/districts'), root, { recursive: true });
      const file = join(root, 'texts.json');
      const changed = readFileSync(file, 'utf8')
        .replace('"sample": true', '"sample": false')
        .replace('"drill": {\n      "text": "', '"drill": {\n      "text": "${token}')
        .replace('"en": "Drill ', '"en": "${token} Drill ')
        .replace(/("en": "\$\{token\} Drill [^\n]*\n\s*"params": \["now")/, '$1, "token"');
      writeFileSync(file, changed);
      const check = async () => (await run('check', '--districts', root, '--district', 'donghu')).out;
      expect(await check()).toContain('drill: holds a link, but the district has no links.domain');
      const policy = join(root, 'donghu/policy.json');
      const links = '{ "links": { "domain": "t.sample.example" },';
      writeFileSync(policy, readFileSync(policy, 'utf8').replace('{', links));
      expect(await check()).toContain(
        'texts.json templates.drill.vendors.aliyun-sms: the template is sample',
      );
      expect(await check()).not.toContain('links.domain');
    } finally {
      rmSync(root, { recursive: true });
    }
  });

  it('names what it knows when asked for something else', async () => {
    expect(await run('preview', '--kind', 'hello')).toMatchObject({
      code: 2,
      err: expect.stringContaining('--kind takes one of ask'),
    });
    expect((await run('preview', '--vendor', 'pigeon')).err).toContain('--vendor takes one of aliyun-sms');
    expect((await run('check', '--district', 'nowhere')).err).toContain(
      "There is no district 'nowhere'; there are donghu",
    );
    expect((await run('burn')).code).toBe(2);
  });
});
