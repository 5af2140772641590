import { afterEach, describe, expect, it } from 'vitest';
import { newDistrictSecret } from '#shared/adapters/new-district-secret.ts';
import { configuredSenders } from '#shared/adapters/senders.ts';
import { loadTexts } from '#shared/districts/load.ts';
import { VENDORS } from '#shared/domain/channel.ts';
import { TEMPLATE_VENDORS, TEXT_PARAMS } from '#shared/domain/texts.ts';
import { startPhones, type Phones } from '../../infra/local/phones/phones.ts';
import { sampleAccounts } from '../../infra/local/phones/sample-accounts.ts';

const texts = loadTexts();
const NUMBER = '19900000001';
const NOW = Date.parse('2026-11-03T06:02:20.000Z');

let phones: Phones | undefined;
afterEach(() => phones?.stop());

const open = async () => {
  const { vendors, secret } = sampleAccounts(texts);
  phones = await startPhones({
    port: 0,
    data: ':memory:',
    now: () => NOW,
    templates: Object.values(texts.templates),
    keys: { 'sample-key-id': 'sample-key-secret' },
    signName: texts.signName,
    barredWords: texts.barred,
    vendors,
  });
  const district = newDistrictSecret(
    { accessKeyId: 'sample-key-id', accessKeySecret: 'sample-key-secret', signName: texts.signName },
    secret,
  );
  let nonces = 0;
  const senders = configuredSenders({
    secrets: { district: async () => district },
    clock: { now: () => new Date(NOW) },
    ids: { nonce: () => `nonce-${nonces++}` },
    at: `${phones.url}/vendors`,
    credentials: () => ({ accessKeyId: 'local', secretAccessKey: 'local' }),
  });
  return { phones, senders };
};

describe('the sample accounts', () => {
  it('are with every vendor, and open all of them', async () => {
    const { phones: all, senders } = await open();
    expect(Object.keys(all.endpoints).toSorted()).toEqual([...VENDORS, 'back-110'].toSorted());
    expect(Object.keys(await senders()).toSorted()).toEqual([...VENDORS].toSorted());
  });

  it.each(TEMPLATE_VENDORS)('%s takes every text that has a code with it, at its longest', async (vendor) => {
    const { phones: all, senders } = await open();
    const sender = (await senders())[vendor];
    const most = texts.variables[vendor]?.most ?? 0;
    const kinds = Object.entries(texts.templates).flatMap(([kind, template]) => {
      const code = template.vendors[vendor]?.code;
      return code === undefined ? [] : [{ ...template, kind, code }];
    });
    expect(kinds.length).toBeGreaterThan(10);
    for (const { kind, code, params, text, voice } of kinds) {
      const values = Object.fromEntries(
        params.map((name) => [name, '字'.repeat(Math.min(TEXT_PARAMS[name], most))]),
      );
      const sent = await sender?.send({
        attemptId: `attempt-${kind}`,
        to: NUMBER,
        message: {
          kind: 'ask',
          template: { code, params: values, order: params },
          signName: texts.signName,
          text: '',
        },
      });
      expect({ kind, ...sent }).toMatchObject({ kind: 'accepted' });
      const words = (vendor === 'aliyun-voice' ? (voice ?? '') : text).replaceAll(
        /\$\{(\w+)\}/g,
        (_, name: string) => values[name] ?? '',
      );
      const signed = vendor === 'aliyun-voice' ? words : `【${texts.signName}】${words}`;
      expect(all.messages().at(-1)?.text).toBe(signed);
    }
    expect(all.messages()).toHaveLength(kinds.length);
  });
});
