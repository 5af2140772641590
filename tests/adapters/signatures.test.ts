import { describe, expect, it } from 'vitest';
import { canonicalQuery } from '#shared/adapters/acs3-signature.ts';
import { aliyunVoice } from '#shared/adapters/aliyun-voice.ts';
import { awsFormHeaders } from '#shared/adapters/aws-signature.ts';
import { webhookHeaders } from '#shared/adapters/webhook-signature.ts';
import { tc3Headers } from '#shared/adapters/tc3-signature.ts';
import { verifyAcs3 } from '../../infra/local/phones/acs3.ts';
import { verifyAws4 } from '../../infra/local/phones/aws4.ts';
import { verifyTc3 } from '../../infra/local/phones/tc3.ts';
import { WebhookSystem } from '../../infra/local/phones/webhook.ts';
import type { NewMessage, StoredMessage } from '../../infra/local/phones/message-store.ts';

/**
 * Vectors that nobody here made: examples of the vendors' documents, and requests recorded from the vendors' own SDKs on 2026-11-22
 * (tencentcloud-sdk-nodejs-common 4.1.220, @aws-sdk/client-sns 3.1168.0, @alicloud/openapi-client 0.4.15) with a fixed clock against a server on
 * this machine; the SDKs themselves are no dependencies. Keys are the samples of those documents.
 */
const RECORDED_AT = Date.parse('2026-11-03T06:02:20Z');

describe('Tencent, TC3-HMAC-SHA256', () => {
  /** cloud.tencent.com document/api/362/4208: DescribeInstances, its secrets are starred in the document itself. */
  const secretId = `AKID${'*'.repeat(32)}`;
  const secretKey = '*'.repeat(32);
  const body = '{"Limit": 1, "Filters": [{"Values": ["\\u672a\\u547d\\u540d"], "Name": "instance-name"}]}';
  const published = `TC3-HMAC-SHA256 Credential=${secretId}/2019-02-25/cvm/tc3_request, SignedHeaders=content-type;host;x-tc-action, Signature=10b1a37a7301a02ca19a647ad722d5e43b4b3cff309d421d85b46093f6ab6c4f`;
  const at = new Date(1_551_113_065_000);

  it('our side makes the published example', () => {
    const headers = tc3Headers(
      {
        host: 'cvm.tencentcloudapi.com',
        service: 'cvm',
        action: 'DescribeInstances',
        version: '2017-03-12',
        region: 'ap-guangzhou',
        body,
        date: at,
      },
      { secretId, secretKey },
    );
    expect(headers).toMatchObject({ authorization: published, 'x-tc-timestamp': '1551113065' });
  });

  it('the emulated side takes it, and what their SDK signs', () => {
    const request = {
      method: 'POST',
      query: '',
      body: Buffer.from(body),
      headers: {
        host: 'cvm.tencentcloudapi.com',
        'content-type': 'application/json; charset=utf-8',
        'x-tc-action': 'DescribeInstances',
        'x-tc-timestamp': '1551113065',
        authorization: published,
      },
    };
    expect(verifyTc3(request, { [secretId]: secretKey }, 'cvm', at.getTime())).toEqual({
      ok: true,
      secretId,
      action: 'DescribeInstances',
    });
    expect(verifyTc3(request, { [secretId]: secretKey }, 'sms', at.getTime())).toMatchObject({ ok: false });
    const ofTheSdk = {
      method: 'POST',
      query: '',
      body: Buffer.from(
        '{"PhoneNumberSet":["+8619900000001"],"SmsSdkAppId":"1400006666","SignName":"小脑","TemplateId":"1110","TemplateParamSet":["8F3K2M","河清路"],"SessionContext":"attempt-1"}',
      ),
      headers: {
        host: 'sms.tencentcloudapi.com',
        'content-type': 'application/json',
        'x-tc-action': 'SendSms',
        'x-tc-timestamp': '1793685740',
        authorization:
          'TC3-HMAC-SHA256 Credential=sample-id/2026-11-03/sms/tc3_request, SignedHeaders=content-type;host, Signature=45cb81b444eca97d350bb8149007a689b8cf1a0ecee61a4f25abf567ac8598e8',
      },
    };
    expect(verifyTc3(ofTheSdk, { 'sample-id': 'sample-secret' }, 'sms', RECORDED_AT)).toMatchObject({
      ok: true,
    });
  });
});

describe('AWS, Signature Version 4', () => {
  it('our side makes post-x-www-form-urlencoded of AWS’s own test suite', () => {
    const headers = awsFormHeaders(
      {
        host: 'example.amazonaws.com',
        region: 'us-east-1',
        service: 'service',
        body: 'Param1=value1',
        date: new Date('2015-08-30T12:36:00Z'),
      },
      { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' },
    );
    expect(headers['authorization']).toBe(
      'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
    );
  });

  it('the emulated side takes what their SDK sends', () => {
    const body =
      'Action=Publish&Version=2010-03-31&Message=%E3%80%90%E5%B0%8F%E8%84%91%E3%80%91%E6%96%B0%E4%BB%BB%E5%8A%A18F3K2M%EF%BC%9A%E6%B2%B3%E6%B8%85%E8%B7%AF%E3%80%82~%2A%27%28%29%21&PhoneNumber=%2B8619900000001&MessageAttributes.entry.1.Name=AWS.SNS.SMS.SMSType&MessageAttributes.entry.1.Value.DataType=String&MessageAttributes.entry.1.Value.StringValue=Transactional&MessageAttributes.entry.2.Name=AWS.SNS.SMS.SenderID&MessageAttributes.entry.2.Value.DataType=String&MessageAttributes.entry.2.Value.StringValue=XIAONAO';
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': '510',
      'x-amz-user-agent': 'aws-sdk-js/3.1168.0',
      host: '127.0.0.1:36841',
      'amz-sdk-invocation-id': '75dcba1d-3b23-4b67-bc68-86cb4495e6e1',
      'amz-sdk-request': 'attempt=1; max=3',
      'x-amz-date': '20261103T060220Z',
      'x-amz-security-token': 'sample-token',
      'x-amz-content-sha256': '8903c63b06d36b988b79ebed3b5563abc81ee7c8aefd142c35bd08cdc3c24776',
      authorization:
        'AWS4-HMAC-SHA256 Credential=AKIDSAMPLE/20261103/ap-southeast-1/sns/aws4_request, SignedHeaders=amz-sdk-invocation-id;amz-sdk-request;content-length;content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token;x-amz-user-agent, Signature=218099cc6ecca1d89367d7cd1e4882e57f257c9267abeb5b3a512d2470ffc6fe',
    };
    const request = { method: 'POST', query: '', body: Buffer.from(body), headers };
    const keys = { AKIDSAMPLE: 'sample-secret' };
    expect(verifyAws4(request, keys, 'sns', RECORDED_AT)).toMatchObject({ ok: true });
    const changed = { ...request, body: Buffer.from(body.replace('XIAONAO', 'XIAONA0')) };
    expect(verifyAws4(changed, keys, 'sns', RECORDED_AT)).toMatchObject({ ok: false });
  });
});

describe('Aliyun, a call with keys', () => {
  const query =
    'CalledShowNumber=057100001111&CalledNumber=19900000001&StartCode=TTS_1&StartTtsParams=%7B%22number%22%3A%228F3K2M%22%7D&MenuKeyMap.1.Key=1&MenuKeyMap.1.Code=TTS_2&MenuKeyMap.2.Key=2&MenuKeyMap.2.Code=TTS_3&OutId=short';

  it('the emulated side takes what their SDK sends', () => {
    const verdict = verifyAcs3(
      {
        method: 'POST',
        query,
        body: Buffer.alloc(0),
        headers: {
          host: '127.0.0.1:36841',
          'x-acs-version': '2017-05-25',
          'x-acs-action': 'IvrCall',
          'x-acs-date': '2026-11-03T06:02:20Z',
          'x-acs-signature-nonce': '1654f82b2b58910ef4343bfcd6b1e26d',
          'x-acs-content-sha256': 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
          'x-acs-credentials-provider': 'static_ak',
          authorization:
            'ACS3-HMAC-SHA256 Credential=sample-id,SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-credentials-provider;x-acs-date;x-acs-signature-nonce;x-acs-version,Signature=b02cb316502f22499649730a443a3f8b76be1d01b3d9ce8fbed68730b7d490d1',
        },
      },
      { 'sample-id': 'sample-secret' },
      RECORDED_AT,
    );
    expect(verdict).toMatchObject({ ok: true, accessKeyId: 'sample-id' });
  });

  it('our side names the menu as their SDK does', async () => {
    const asked: URL[] = [];
    const real = globalThis.fetch;
    globalThis.fetch = async (input) => {
      asked.push(new URL(input instanceof Request ? input.url : input));
      return new Response('{}');
    };
    try {
      const sender = aliyunVoice({
        endpoint: 'https://dyvmsapi.aliyuncs.com',
        key: async () => ({
          accessKeyId: 'sample-id',
          accessKeySecret: 'sample-secret',
          showNumber: '057100001111',
          keyCodes: { accept: 'TTS_2', decline: 'TTS_3' },
        }),
        clock: { now: () => new Date(RECORDED_AT) },
        ids: { nonce: () => 'nonce' },
      });
      await sender.send({
        attemptId: 'INC.01JABCDEFGHJKMNPQRSTVWXYZ0.00001.00.1',
        to: '19900000001',
        message: {
          kind: 'ask',
          template: { code: 'TTS_1', params: { number: '8F3K2M' }, order: ['number'] },
          signName: '小脑',
          text: '',
        },
      });
    } finally {
      globalThis.fetch = real;
    }
    const ours = Object.fromEntries(asked[0]?.searchParams ?? []);
    const { OutId, PlayTimes, Timeout, ...same } = ours;
    const { OutId: _, ...theirs } = Object.fromEntries(new URLSearchParams(query));
    expect(same).toEqual(theirs);
    expect(Buffer.byteLength(OutId ?? '')).toBe(15);
    expect([PlayTimes, Timeout]).toEqual(['3', '10000']);
    expect(asked[0]?.search.slice(1)).toBe(canonicalQuery(ours));
  });
});

describe('Standard Webhooks', () => {
  /** The specification's own example, as its libraries test it. */
  const key = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
  const id = 'msg_p5jXN8AQM9LWM0D4loKWxJek';
  const body = '{"test": 2432232314}';
  const signature = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=';

  const listenAt = (now: number) => {
    const taken: NewMessage[] = [];
    const listener = new WebhookSystem(
      { keys: [key] },
      {
        now: () => now,
        fault: () => undefined,
        take: (message): StoredMessage => {
          taken.push(message);
          return { ...message, id: 1, vendor: 'webhook', channel: 'chat', code: '', shown: true, more: {} };
        },
        end: (message) => message,
        note: (message) => message,
        sentTo: () => [],
        ringing: () => [],
        byVendorId: () => [],
        count: () => 0,
        spendNonce: () => true,
      },
    );
    const post = (signed: string) =>
      listener.answer({
        method: 'POST',
        path: '/street-hall',
        query: '',
        body: Buffer.from(body),
        headers: { 'webhook-id': id, 'webhook-timestamp': '1614265330', 'webhook-signature': signed },
      });
    return { taken, post };
  };

  it('our side makes the published example, once for each key', () => {
    const headers = webhookHeaders({ id, at: new Date(1_614_265_330_999), body }, [key, key]);
    expect(headers).toMatchObject({
      'webhook-id': id,
      'webhook-timestamp': '1614265330',
      'webhook-signature': `${signature} ${signature}`,
    });
  });

  it('the emulated side knows the published signature from others', () => {
    const { post } = listenAt(1_614_265_330_000);
    // Signed well, and then no notice of ours: 400, not 401.
    expect(post(signature)).toMatchObject({ status: 400 });
    expect(post(`v1,${'A'.repeat(43)}= ${signature}`)).toMatchObject({ status: 400 });
    expect(post(signature.replace('g0', 'g1'))).toMatchObject({ status: 401 });
    expect(listenAt(1_614_265_330_000 + 301_000).post(signature)).toMatchObject({ status: 401 });
  });
});
