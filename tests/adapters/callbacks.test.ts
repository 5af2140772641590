import { createServer } from 'node:http';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { aliyunSmsCallback } from '#shared/adapters/aliyun-sms.ts';
import { aliyunVoiceCallback } from '#shared/adapters/aliyun-voice.ts';
import { tencentSmsCallback } from '#shared/adapters/tencent-sms.ts';
import type { Callback, Inbound } from '#shared/ports/sender.ts';
import { AliyunVoice } from '../../infra/local/phones/aliyun-voice.ts';
import { startPhones } from '../../infra/local/phones/phones.ts';
import { TencentSms } from '../../infra/local/phones/tencent.ts';
import { ALIYUN } from './sender-contract.ts';
import { TENCENT, TEXT_AND_CALL_VENDORS, VOICE } from './text-and-call-vendors.ts';

const NUMBER = '19900000001';
const START = Date.parse('2026-11-03T06:02:20.000Z');

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const read = (callback: Callback, body: unknown): { inbound: Inbound[]; unreadable: string[] } => {
  const unreadable: string[] = [];
  const inbound = callback.parse(JSON.stringify(body), (sentence) => unreadable.push(sentence));
  return { inbound, unreadable };
};

describe('what the documents show is read', () => {
  it('Aliyun: a text that arrived, one that did not, and an answer, in one post', () => {
    const { inbound, unreadable } = read(aliyunSmsCallback, [
      {
        phone_number: '1381111****',
        send_time: '2017-01-01 00:00:00',
        report_time: '2017-01-01 00:00:00',
        success: true,
        err_code: 'DELIVERED',
        err_msg: '用户接收成功',
        sms_size: '1',
        biz_id: '12345',
        out_id: '67890',
      },
      // Nobody needs its time: a wrong one makes no receipt unreadable.
      { biz_id: '12346', success: false, err_code: 'MK:0001', report_time: 'soon' },
      { biz_id: '12347', success: 'perhaps', report_time: '2017-01-01 00:00:01' },
      {
        phone_number: '1381111****',
        content: '内容',
        send_time: '2017-09-01 00:00:00',
        dest_code: '1234',
        sequence_id: '1234567890',
      },
      // As older documents have it.
      {
        phone_number: '1381111****',
        send_time: '2017-09-01 00:00:00',
        content: '1',
        sign_name: '签名',
        dest_code: '1234',
        sequence_id: 1234567891,
      },
    ]);
    expect(inbound).toEqual([
      {
        kind: 'receipt',
        vendorId: '12345',
        attemptId: '67890',
        state: 'delivered',
        code: 'DELIVERED',
      },
      {
        kind: 'receipt',
        vendorId: '12346',
        state: 'failed',
        code: 'MK:0001',
      },
      {
        kind: 'reply',
        messageId: '1234567890',
        from: '1381111****',
        text: '内容',
        at: new Date('2017-08-31T16:00:00Z'),
      },
      expect.objectContaining({ kind: 'reply', messageId: '1234567891', text: '1', signature: '签名' }),
    ]);
    expect(unreadable).toEqual([expect.stringContaining('success')]);
  });

  it('Tencent: reports as an array, an answer as one object, which has no id of its own', () => {
    const report = {
      user_receive_time: '2015-10-17 08:03:04',
      nationcode: '86',
      mobile: '13xxxxxxxxx',
      report_status: 'SUCCESS',
      errmsg: 'DELIVRD',
      description: '用户短信送达成功',
      sid: 'xxxxxxx',
    };
    expect(
      read(tencentSmsCallback, [report, { ...report, report_status: 'FAIL', ext: 'ours' }]).inbound,
    ).toEqual([
      {
        kind: 'receipt',
        vendorId: 'xxxxxxx',
        state: 'delivered',
        code: 'DELIVRD',
      },
      expect.objectContaining({ attemptId: 'ours', state: 'failed' }),
    ]);
    const answer = {
      extend: '扩展码',
      mobile: '13xxxxxxxxx',
      nationcode: '86',
      sign: '短信签名',
      text: '用户回复的内容',
      time: 1457336869,
    };
    const id = (body: object) => {
      const [reply] = read(tencentSmsCallback, body).inbound;
      return reply?.kind === 'reply' ? reply.messageId : undefined;
    };
    expect(read(tencentSmsCallback, answer).inbound).toEqual([
      {
        kind: 'reply',
        messageId: expect.stringMatching(/^[\w-]{22}$/),
        from: '13xxxxxxxxx',
        text: '用户回复的内容',
        extension: '扩展码',
        signature: '短信签名',
        at: new Date(1_457_336_869_000),
      },
    ]);
    expect(id(answer)).toBe(id({ ...answer }));
    for (const other of [{ time: 1457336870 }, { text: '1' }, { mobile: '13xxxxxxxx1' }])
      expect(id({ ...answer, ...other })).not.toBe(id(answer));
    expect(tencentSmsCallback.ack).toEqual({ result: 0, errmsg: 'OK' });
  });

  it('Aliyun’s calls: keys are a person, an answer without keys may be a machine', () => {
    const ended = {
      status_code: '200000',
      callee: NUMBER,
      ring_time: '2021-04-28 10:02:40',
      duration: '10',
      voice_type: 'voice',
      originate_time: '2021-04-28 10:02:34',
      b_start_time: '2021-04-28 10:03:40',
      end_time: '2021-04-28 10:03:50',
      call_id: '122628733198^109422060000',
      caller: '057100001111',
      status_msg: '执行完成',
      out_id: 'PROD#20210428',
      dtmf: '1',
      toll_type: 'LOCAL',
    };
    const stage = { status_time: '2021-04-28 10:03:41', out_id: 'PROD#20210428', call_id: ended.call_id };
    const receipt = { kind: 'receipt', vendorId: ended.call_id };
    const pressed = {
      kind: 'reply',
      messageId: `${ended.call_id}:1`,
      text: '1',
      vendorId: ended.call_id,
    };
    const cases: [object, unknown[]][] = [
      [
        ended,
        [
          { ...receipt, state: 'delivered' },
          { ...pressed, from: NUMBER },
        ],
      ],
      [{ ...ended, dtmf: '' }, [{ ...receipt, state: 'delivered' }]],
      [{ ...ended, dtmf: '', duration: '0', status_code: '200003' }, [{ ...receipt, state: 'failed' }]],
      [{ ...stage, status_code: '200201' }, []],
      [{ ...stage, status_code: '200102' }, [{ ...receipt, state: 'delivered' }]],
      [{ ...stage, status_code: '300000', dtmf: '1' }, [pressed]],
    ];
    for (const [entry, expected] of cases)
      expect(read(aliyunVoiceCallback, [entry]).inbound).toMatchObject(expected);
  });

  it.each([
    ['aliyun-sms', aliyunSmsCallback],
    ['aliyun-voice', aliyunVoiceCallback],
    ['tencent-sms', tencentSmsCallback],
  ])('%s: a body that holds nothing of the kind throws', (_, callback) => {
    for (const body of ['not json', '"words"', '{"some":"thing"}', '7'])
      expect(() => callback.parse(body, () => undefined)).toThrow();
  });
});

describe('what the emulators post is read, and acknowledged', () => {
  const open = async () => {
    const clock = { now: START };
    const phones = await startPhones({
      port: 0,
      data: ':memory:',
      now: () => clock.now,
      templates: [{ code: 'SMS_1', text: '新任务${number}：${place}。' }],
      ...ALIYUN,
      vendors: [(world) => new TencentSms(TENCENT, world), (world) => new AliyunVoice(VOICE, world)],
    });
    cleanups.push(() => phones.stop());
    const callbacks: Record<string, Callback> = {
      'aliyun-sms': aliyunSmsCallback,
      'aliyun-voice': aliyunVoiceCallback,
      'tencent-sms': tencentSmsCallback,
    };
    const heard: [string, Inbound][] = [];
    let posts = 0;
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        posts += 1;
        const vendor = request.url?.slice(1) ?? '';
        const callback = callbacks[vendor];
        if (!callback) return response.writeHead(404).end();
        const entries = callback.parse(Buffer.concat(chunks).toString('utf8'), (sentence) => {
          throw new Error(sentence);
        });
        heard.push(...entries.map((entry): [string, Inbound] => [vendor, entry]));
        return response.end(JSON.stringify(callback.ack));
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    cleanups.push(() => {
      server.closeAllConnections();
      return server.close();
    });
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    phones.setReceiptUrls((vendor) => `http://127.0.0.1:${address.port}/${vendor}`);
    const send = async (vendor: string, more: { extension?: string } = {}) => {
      const row = TEXT_AND_CALL_VENDORS.find((one) => one.vendor === vendor);
      if (!row) throw new Error(`no ${vendor}`);
      const sent = await row
        .sender({
          base: phones.endpoints[vendor] ?? '',
          clock: { now: () => new Date(clock.now) },
          ids: { nonce: () => `${vendor}-${Math.random()}` },
          timeoutMs: 3_000,
          wrongKey: false,
        })
        .send({ attemptId: 'attempt-1', to: NUMBER, message: { ...row.message, ...more } });
      if (sent.kind !== 'accepted') throw new Error(`${vendor}: ${sent.sentence}`);
      return sent.vendorId;
    };
    return { clock, phones, heard, send, posts: () => posts };
  };

  it('a text arrives and is answered, over either vendor', async () => {
    const { phones, heard, send, posts } = await open();
    const first = await send('aliyun-sms');
    phones.reply({ number: NUMBER, text: '1' });
    await phones.idle();
    const second = await send('tencent-sms');
    phones.reply({ number: NUMBER, text: '回21接单' });
    await phones.idle();
    phones.reply({ number: NUMBER, text: '２', vendor: 'aliyun-sms' });
    await phones.idle();
    const at = new Date(START);
    expect(heard).toMatchObject([
      ['aliyun-sms', { kind: 'receipt', vendorId: first, attemptId: 'attempt-1', state: 'delivered' }],
      ['aliyun-sms', { kind: 'reply', from: NUMBER, text: '1', signature: ALIYUN.signName, at }],
      ['tencent-sms', { kind: 'receipt', vendorId: second, state: 'delivered' }],
      ['tencent-sms', { kind: 'reply', from: NUMBER, text: '回21接单', at }],
      ['aliyun-sms', { kind: 'reply', text: '２' }],
    ]);
    // Each acknowledged at once: nothing came twice.
    expect(posts()).toBe(5);
    expect(() => phones.reply({ number: '19900000009', text: '1' })).toThrow('Nobody takes an answer');
  });

  it('what is answered to a text of Tencent comes with its extension; Aliyun takes none of ours, and says the signature', async () => {
    const { phones, heard, send } = await open();
    for (const vendor of ['tencent-sms', 'aliyun-sms'])
      for (const extension of ['1', '2', undefined]) {
        await send(vendor, extension === undefined ? {} : { extension });
        phones.reply({ number: NUMBER, text: '1' });
        await phones.idle();
      }
    const said = heard.flatMap(([, entry]) =>
      entry.kind === 'reply' ? [[entry.extension, entry.signature]] : [],
    );
    expect(said).toEqual([
      ...['1', '2', undefined].map((extension) => [extension, TENCENT.signName]),
      ...Array.from({ length: 3 }, () => [undefined, ALIYUN.signName]),
    ]);
  });

  it.each([
    [{ keys: '1' } as const, ['delivered', '1'], 'keys 1'],
    ['voicemail' as const, ['delivered'], 'voicemail'],
    ['no-answer' as const, ['failed'], 'no-answer'],
  ])('a phone that rings: %j', async (end, told, call) => {
    const { phones, heard, send, posts } = await open();
    const callId = await send('aliyun-voice');
    expect(phones.messages()).toMatchObject([{ number: NUMBER, channel: 'voice', call: 'ringing' }]);
    const seen: string[] = [];
    phones.onMessage((message) => seen.push(message.text));
    phones.answerCall(NUMBER, end);
    await phones.idle();
    expect(heard.map(([, entry]) => (entry.kind === 'reply' ? entry.text : entry.state))).toEqual(told);
    expect(heard.every(([vendor, entry]) => vendor === 'aliyun-voice' && entry.vendorId === callId)).toBe(
      true,
    );
    expect(phones.messages()).toMatchObject([{ call }]);
    // It rang once; that it ended is no second ring.
    expect(seen).toEqual([]);
    expect(posts()).toBe(1);
    expect(() => phones.answerCall(NUMBER, end)).toThrow('does not ring');
  });

  it('a phone that nobody takes rings for a minute', async () => {
    const { phones, clock, heard, send } = await open();
    await send('aliyun-voice');
    clock.now += 59_999;
    await phones.idle();
    expect(phones.messages()).toMatchObject([{ call: 'ringing' }]);
    clock.now += 1;
    await phones.idle();
    expect(phones.messages()).toMatchObject([{ call: 'no-answer' }]);
    expect(heard).toMatchObject([['aliyun-voice', { kind: 'receipt', state: 'failed', code: '200003' }]]);
  });

  it('over HTTP, as the page does it', async () => {
    const { phones, heard, send } = await open();
    await send('aliyun-sms');
    await send('aliyun-voice');
    const page = await (await fetch(phones.url)).text();
    expect(page).toContain('正在响铃');
    const post = async (path: string, body: unknown) =>
      (await fetch(`${phones.url}${path}`, { method: 'POST', body: JSON.stringify(body) })).status;
    expect(await post('/phones/call', { number: NUMBER, end: { keys: '2' } })).toBe(200);
    expect(await post('/phones/call', { number: NUMBER, end: { keys: '2' } })).toBe(409);
    expect(await post('/phones/call', { number: NUMBER, end: 'shout' })).toBe(400);
    expect(await post('/phones/reply', { number: NUMBER, text: '1' })).toBe(200);
    expect(await post('/phones/reply', { number: '19900000009', text: '1' })).toBe(409);
    expect(await post('/phones/reply', { text: '1' })).toBe(400);
    await phones.idle();
    expect(heard.flatMap(([, entry]) => (entry.kind === 'reply' ? entry.text : []))).toEqual(['2', '1']);
    expect(await (await fetch(phones.url)).text()).toContain('接了，按了 2');
  });
});
