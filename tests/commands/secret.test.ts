import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newWebhookKey } from '#shared/adapters/new-district-secret.ts';
import { issueToken, verifyToken } from '#shared/adapters/tokens.ts';
import { districtSecretSchema, type DistrictSecret } from '#shared/contracts/secret.ts';
import { secret } from '../../infra/commands/secret.ts';
import { verifyTrail } from '../../infra/commands/verify-trail.ts';
import { VENDOR, keepIncident, openOffice, type Office } from './office.ts';

let folder: string;
let vendor: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'xiaonao-secret-'));
  vendor = join(folder, 'vendor.json');
  writeFileSync(vendor, JSON.stringify(VENDOR));
});
afterEach(() => rmSync(folder, { recursive: true }));

const later = (office: Office, seconds: number): void => {
  office.now = new Date(office.now.getTime() + seconds * 1000);
};

/** Every text in a value that must never be seen. */
const valuesOf = ({
  webhookKeys,
  jwt,
  aliyunSms,
  receiptToken,
  dataKeys,
  pepper,
}: DistrictSecret): string[] => [
  ...webhookKeys,
  jwt.privateJwk.d,
  ...Object.values(aliyunSms),
  receiptToken,
  ...Object.values(dataKeys.keys),
  pepper,
];

describe('secret init', () => {
  it.each([[undefined], ['x7!f(random text of a fresh stack'], ['{}']])(
    'fills a secret that holds %j',
    async (text) => {
      const office = openOffice(null);
      office.secretText = text;
      const { code, all } = await office.run(secret, 'init', '--vendor', vendor);
      expect(code).toBe(0);
      expect(office.secret().aliyunSms).toEqual(VENDOR);
      for (const value of valuesOf(office.secret())) expect(all).not.toContain(value);
    },
  );

  it('never replaces a secret, not even an incomplete one', async () => {
    const office = openOffice();
    const { pepper: _, ...incomplete } = office.secret();
    for (const text of [office.secretText, JSON.stringify(incomplete)]) {
      office.secretText = text;
      const { code, err } = await office.run(secret, 'init', '--vendor', vendor);
      expect(code).toBe(1);
      expect(err[0]).toContain('has a secret already');
    }
    expect(office.puts).toEqual([]);
  });

  it('prints the webhook key and nothing else on its output when asked', async () => {
    const office = openOffice(null);
    const { out } = await office.run(secret, 'init', '--vendor', vendor, '--print');
    expect(out).toEqual([office.secret().webhookKeys[0]]);
  });
});

describe('secret rotate-webhook', () => {
  it('accepts both keys until the old one is given up', async () => {
    const office = openOffice();
    office.answer = true;
    const [old] = office.secret().webhookKeys;
    const { out } = await office.run(secret, 'rotate-webhook', '--print');
    const [current, next, ...more] = office.secret().webhookKeys;
    expect([current, out, more]).toEqual([old, [next], []]);

    expect((await office.run(secret, 'rotate-webhook')).err[0]).toContain('under way already');
    later(office, 299);
    const early = await office.run(secret, 'rotate-webhook', '--finish');
    expect(early.code).toBe(1);
    expect(early.err[0]).toContain('Try again in 1 seconds.');
    later(office, 1);
    const done = await office.run(secret, 'rotate-webhook', '--finish');
    expect(done.code).toBe(0);
    expect(office.secret().webhookKeys).toEqual([next]);
  });

  it('asks before the old key is refused, and takes silence for a no', async () => {
    const office = openOffice();
    await office.run(secret, 'rotate-webhook');
    later(office, 600);
    expect((await office.run(secret, 'rotate-webhook', '--finish')).code).toBe(2);
    office.answer = false;
    expect((await office.run(secret, 'rotate-webhook', '--finish')).code).toBe(1);
    expect(office.secret().webhookKeys).toHaveLength(2);
    expect((await office.run(secret, 'rotate-webhook', '--finish', '--yes')).code).toBe(0);
    expect(office.secret().webhookKeys).toHaveLength(1);
  });

  it('can be called off', async () => {
    const office = openOffice();
    const before = office.secret();
    await office.run(secret, 'rotate-webhook');
    expect((await office.run(secret, 'rotate-webhook', '--cancel')).code).toBe(0);
    expect(office.secret()).toEqual(before);
  });
});

describe('secret rotate-tokens', () => {
  const who = (office: Office, token: string) =>
    verifyToken(office.secret(), token, 'xiaohe', { now: () => office.now });
  const sign = (office: Office, hours: number) =>
    issueToken(
      office.secret(),
      { sub: 'm-001', role: 'member', district: 'xiaohe', hours },
      { now: () => office.now },
    );

  it('keeps every token good until it expires, however often it rotates', async () => {
    const office = openOffice();
    const tokens = [await sign(office, 72)];
    for (let n = 0; n < 3; n += 1) {
      later(office, 3600);
      expect((await office.run(secret, 'rotate-tokens')).code).toBe(0);
      tokens.push(await sign(office, 72));
    }
    later(office, 60 * 3600);
    for (const token of tokens) expect(await who(office, token)).toEqual({ kind: 'member', id: 'm-001' });
    // Three days after a key was given up no token of it is alive, and the key goes.
    later(office, 72 * 3600);
    await office.run(secret, 'rotate-tokens');
    expect(office.secret().jwt.publicJwks).toHaveLength(2);
  });

  it('ends every token at once when a key was stolen', async () => {
    const office = openOffice();
    const token = await sign(office, 12);
    await office.run(secret, 'rotate-tokens', '--at-once', '--yes');
    expect(await who(office, token)).toBe('wrong');
    expect(await who(office, await sign(office, 12))).toMatchObject({ id: 'm-001' });
  });
});

describe('secret rotate-data and erase-data', () => {
  it('seals with a new key only when everybody can open it, and leaves a valid trail when the old one is erased', async () => {
    const office = openOffice();
    const id = await keepIncident(office, 1);
    await office.run(secret, 'rotate-data');
    expect(office.secret().dataKeys).toMatchObject({ current: 'k1', keys: { k2: expect.any(String) } });
    expect((await office.run(secret, 'rotate-data', '--finish')).code).toBe(1);
    later(office, 300);
    expect((await office.run(secret, 'rotate-data', '--finish')).code).toBe(0);
    expect(office.secret().dataKeys.current).toBe('k2');
    expect((await office.store.content(id))?.content).toBe('示例内容');

    expect((await office.run(secret, 'erase-data', 'k2', '--yes')).err[0]).toContain(
      'is the data key in use',
    );
    later(office, 300);
    office.puts = [];
    expect((await office.run(secret, 'erase-data', 'k1', '--yes')).code).toBe(0);
    expect(Object.keys(office.secret().dataKeys.keys)).toEqual(['k2']);
    // The version before the last one keeps a name in Secrets Manager: it must not hold the key either.
    expect(
      office.puts.map((put) => Object.keys(districtSecretSchema.parse(JSON.parse(put)).dataKeys.keys)),
    ).toEqual([['k2'], ['k2']]);
    expect(await office.store.content(id)).toBeUndefined();
    expect((await office.run(verifyTrail, id)).code).toBe(0);
  });

  it('erases nothing without a yes, and nothing that is not there', async () => {
    const office = openOffice();
    await office.run(secret, 'rotate-data');
    later(office, 300);
    expect((await office.run(secret, 'erase-data', 'k2')).code).toBe(2);
    expect((await office.run(secret, 'erase-data', 'k7', '--yes')).err[0]).toBe(
      "There is no data key 'k7'; there are k1, k2.",
    );
    expect((await office.run(secret, 'erase-data', 'toString', '--yes')).code).toBe(1);
    expect(Object.keys(office.secret().dataKeys.keys)).toEqual(['k1', 'k2']);
  });
});

describe('secret', () => {
  it('shows names and states, never values, whatever is asked', async () => {
    const office = openOffice();
    let all = '';
    for (const args of [
      ['show-fields'],
      ['rotate-webhook'],
      ['rotate-tokens'],
      ['rotate-data'],
      ['set-vendor', '--vendor', vendor],
      ['show-fields'],
    ]) {
      const said = await office.run(secret, ...args);
      expect(said.code).toBe(0);
      all += said.all;
    }
    expect(all).toContain('seals with k1; opens k1, k2; k2 waits to be used');
    for (const value of valuesOf(office.secret())) expect(all).not.toContain(value);
  });

  it('sets and forgets the key of the second opinion, and leaves the rest alone', async () => {
    const office = openOffice();
    const before = office.secret();
    const key = join(folder, 'opinion.json');
    writeFileSync(key, '{ "apiKey": "sample-only-here" }');
    const set = await office.run(secret, 'set-opinion', '--vendor', key);
    expect(set.all).not.toContain('sample-only-here');
    expect(office.secret()).toEqual({ ...before, secondOpinion: { apiKey: 'sample-only-here' } });
    expect((await office.run(secret, 'set-opinion', '--cancel')).code).toBe(0);
    expect(office.secret()).toEqual(before);
    expect((await office.run(secret, 'set-opinion', '--vendor', vendor)).code).toBe(2);
  });

  it('takes an account with a further vendor, and takes it out again', async () => {
    const office = openOffice();
    const file = join(folder, 'tencent.json');
    const tencentSms = { secretId: 'sample-id', secretKey: 'sample-secret-key', sdkAppId: '1400000000' };
    writeFileSync(file, JSON.stringify(tencentSms));
    const set = await office.run(secret, 'set-vendor', 'tencentSms', '--vendor', file);
    expect([set.code, set.all]).toEqual([0, expect.stringContaining('/receipts/tencent-sms/<receiptToken>')]);
    expect(office.secret().tencentSms).toEqual(tencentSms);
    const shown = await office.run(secret, 'show-fields');
    expect(shown.all).toContain('tencentSms    secretId, secretKey, sdkAppId');
    expect(shown.all).not.toContain('sample-secret-key');
    // One account's keys are not another's, and what is wrong is named without its value.
    writeFileSync(file, JSON.stringify({ ...tencentSms, sdkAppId: 'mine' }));
    for (const section of ['tencentSms', 'wecom']) {
      const { code, all } = await office.run(secret, 'set-vendor', section, '--vendor', file);
      expect([section, code]).toEqual([section, 2]);
      expect(all).not.toMatch(/mine|sample-secret-key/);
    }
    expect((await office.run(secret, 'drop-vendor', 'tencentSms')).code).toBe(0);
    expect(office.secret().tencentSms).toBeUndefined();
    expect((await office.run(secret, 'drop-vendor', 'tencentSms')).code).toBe(1);
  });

  it('takes the keys of the 110 centre, changes them, and takes them out again, each with what comes next', async () => {
    const office = openOffice();
    const file = join(folder, 'centre.json');
    const [one, two] = [newWebhookKey(), newWebhookKey()];
    const set = (value: unknown) => {
      writeFileSync(file, JSON.stringify(value));
      return office.run(secret, 'set-vendor', 'centre110', '--vendor', file);
    };
    const first = await set({ keys: [one] });
    expect([first.code, first.err]).toEqual([
      0,
      [
        'The account centre110 is in use in five minutes.',
        expect.stringContaining("policy.json, 'backTo110'"),
      ],
    ]);
    // While both sides change, the next key beside the current one.
    const both = await set({ keys: [two, one] });
    expect(both.err).toEqual([expect.stringContaining('is changed; keep the old keys valid')]);
    expect(office.secret().centre110).toEqual({ keys: [two, one] });
    expect((await office.run(secret, 'show-fields')).all).toContain('centre110');

    const form = 'a webhook key is whsec_ and base64 of 24 to 64 bytes';
    for (const [value, sentence] of [
      [{ keys: ['sample-plain-key'] }, `wrong: keys.0 (${form}).`],
      [{ keys: ['whsec_c2hvcnQ='] }, `wrong: keys.0 (${form}).`],
      [{ keys: [] }, 'wrong: keys.'],
      [{ keys: one }, 'should hold { "keys": ["…"] }, and no other fields; wrong: keys.'],
      [{ key: one }, 'wrong: keys, a field.'],
    ] as const) {
      const { code, all } = await set(value);
      expect([code, all]).toEqual([2, expect.stringContaining(sentence)]);
      for (const key of [one, 'sample-plain-key', 'c2hvcnQ']) expect(all).not.toContain(key);
    }
    expect(office.secret().centre110).toEqual({ keys: [two, one] });

    const dropped = await office.run(secret, 'drop-vendor', 'centre110');
    expect([dropped.code, dropped.err[1]]).toEqual([0, expect.stringContaining('it has to telephone')]);
    expect(office.secret().centre110).toBeUndefined();
    expect((await office.run(secret, 'drop-vendor', 'centre110')).err[0]).toBe(
      'There is no account centre110.',
    );
    expect((await office.run(secret, 'drop-vendor', 'centre')).err[0]).toContain("Not 'centre'.");
  });

  it('names what is missing and not what is there', async () => {
    const office = openOffice();
    office.secretText = JSON.stringify({ ...office.secret(), pepper: 'short-but-mine' });
    const { code, all } = await office.run(secret, 'show-fields');
    expect(code).toBe(1);
    expect(all).toContain('pepper');
    expect(all).not.toContain('short-but-mine');
  });

  it.each([
    [[], 'What is to be done'],
    [['constructor'], "not 'constructor'"],
    [['init'], '--vendor FILE is needed'],
    [['erase-data'], 'Which data key?'],
    [['set-vendor', 'pigeon'], "Not 'pigeon'"],
    [['drop-vendor'], 'Which account'],
    [['drop-vendor', 'aliyunSms'], 'aliyunSms stays'],
    [['show-fields', '--print'], '--print means nothing to show-fields.'],
    [['rotate-webhook', '--finish', '--cancel'], '--finish stands alone.'],
    [['rotate-data', 'k2'], "'k2' is one word too many."],
  ])('answers %j with a sentence and exit code 2', async (args, sentence) => {
    const { code, err } = await openOffice(null).run(secret, ...args);
    expect(code).toBe(2);
    expect(err[0]).toContain(sentence);
  });
});
