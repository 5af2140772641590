import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { mkdtempSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadTexts } from '#shared/districts/load.ts';
import type { Member } from '#shared/domain/roster.ts';
import { VENDORS } from '#shared/domain/channel.ts';
import { sampleAccounts } from '../../infra/local/phones/sample-accounts.ts';
import { WebPushService } from '../../infra/local/phones/webpush.ts';
import { synthesize } from './assembly.ts';
import { CAST, DutyRoom } from './duty-room.ts';
import { Wire } from './wire.ts';

let built: Awaited<ReturnType<typeof synthesize>>;
beforeAll(async () => {
  // Every channel there is, one after the other, and 110 hears of everything.
  const alerts = [
    { channel: 'push', after: 0 },
    { channel: 'chat', after: 5 },
    { channel: 'sms', after: 15 },
    { channel: 'voice', after: 30 },
  ];
  built = await synthesize({
    district: 'donghu',
    policy: {
      links: { domain: 't.sample.example' },
      delivery: { plans: { alerts } },
      backTo110: { address: 'https://110.example/xiaonao', results: true },
    },
  });
});
afterAll(() => built.remove());

/** Everything that a text may be wrapped in on its way. */
const unwrapped = (text: string): string => {
  const plain = text.replaceAll('+', ' ').replace(/(?:%[0-9A-Fa-f]{2})+/g, (part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
  const points = plain.replace(/\\u([0-9a-fA-F]{4})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return `${text}\n${points}`;
};

const filesUnder = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((file) => statSync(file).isFile());

const NAMES = ['欧阳样例', '上官样例'] as const;
const CALLER = '16600004321';
const OTHER_PARTY = '16600008765';
const ADDRESS = ['18号', '3幢', '502室', '77弄', '9号楼'] as const;
const WORDS = ['水漏到我家', '孩子睡不着', '样例密语'] as const;

/** The first one is found by every channel; `at`: where the vendors are. */
const people = (at: string): Member[] =>
  CAST('story', 'patrol').map((one) =>
    one.id === 'a' ? { ...one, wecom: 'wx-1', dingtalk: 'dt-1', webhook: `${at}/webhook/a` } : one,
  );

/** What lies in the dead-letter queue of reports, with all that was said of it. */
const deadLetter = async ({ cloud }: DutyRoom): Promise<string> => {
  const credentials = { accessKeyId: 'story', secretAccessKey: 'story' };
  const sqs = new SQSClient({ endpoint: cloud.endpoints.sqs, region: 'us-east-1', credentials });
  const QueueUrl = Object.entries(cloud.refs).find(([name]) => name.startsWith('ReportsDead'))?.[1];
  const { Messages } = await sqs.send(
    new ReceiveMessageCommand({
      QueueUrl,
      VisibilityTimeout: 0,
      MessageSystemAttributeNames: ['All'],
      MessageAttributeNames: ['All'],
    }),
  );
  sqs.destroy();
  return JSON.stringify(Messages);
};

it('names, numbers, addresses and words of callers reach no vendor, no log, no queue and no dead letter', async () => {
  const { vendors, secret } = sampleAccounts(loadTexts());
  const ear = new Wire();
  let at = 'https://vendors.example';
  let browsers: WebPushService | undefined;
  const data = mkdtempSync(join(tmpdir(), 'xiaonao-privacy-'));
  const room = await DutyRoom.open({
    assembly: built.assembly,
    district: 'donghu',
    roster: [],
    vendors: vendors.map((make) => (world) => {
      const vendor = make(world);
      if (vendor instanceof WebPushService) browsers = vendor;
      return vendor;
    }),
    accounts: secret,
    between: async (vendorsUrl) => (at = await ear.between(vendorsUrl)),
    data,
  });
  const roster = people(at);
  await room.loadRoster(roster);
  const registers = async (body: object): Promise<void> => {
    const authorization = `Bearer ${await room.token('a')}`;
    const init = { method: 'POST', headers: { authorization, 'content-type': 'application/json' } };
    const { status } = await room.send('/api/push/devices', { ...init, body: JSON.stringify(body) });
    expect(status).toBe(200);
  };
  await registers({ jpush: 'sample-device-1' });
  const browser = browsers?.subscribe('a', `${at}/webpush`, secret.webpush.publicKey);
  await registers({ webpush: { ...browser, expirationTime: null } });
  const matter = {
    caller: { name: NAMES[0], phone: CALLER },
    address: `东湖中路${ADDRESS[0]}${ADDRESS[1]}${ADDRESS[2]}`,
    content: `楼上漏水，${WORDS[0]}，${WORDS[1]}，邻居${NAMES[1]}不肯修，电话${OTHER_PARTY}，请来协调。${WORDS[2]}`,
  };
  const a = roster.find(({ id }) => id === 'a')?.phone ?? '';

  // Every channel and every kind of failure: the words refused, no answer, silence, the second vendor, the call, the climb.
  for (const vendor of ['jpush', 'wecom', 'dingtalk', 'tencent-sms'])
    await room.vendor('refuse', { vendor, count: 1 });
  await room.vendor('refuse', { code: 'isv.SMS_CONTENT_ILLEGAL', count: 2 });
  const first = (await room.call(matter)).body.incidentId ?? '';
  await room.at(45);
  await room.vendor('timeout', { count: 1 });
  await room.at(130);
  // The same call again with another address; a message that cannot be read; receipts and answers of strangers.
  await room.post({
    ...room.report(matter),
    callNo: 'STORY-1',
    address: `东湖中路${ADDRESS[3]}${ADDRESS[4]}`,
  });
  await room.post({ callNo: '', caller: matter.caller, content: matter.content });
  await room.cloud.settle();
  for (const content of ['1', WORDS[2], '']) {
    const body = JSON.stringify([
      {
        phone_number: CALLER,
        content,
        send_time: content === '' ? NAMES[0] : '2026-03-04 10:02:00',
        dest_code: content === '1' ? '1' : '2',
        sequence_id: `s-${content.length}`,
      },
    ]);
    await room.send(`/receipts/aliyun-sms/${room.secret.receiptToken}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
  }
  const texts = async (text: string): Promise<void> => {
    room.phones.reply({ number: a, text, vendor: 'aliyun-sms', extension: '1' });
    await room.phones.idle();
    await room.cloud.settle();
  };
  await texts('1');
  await room.act('a', first, 'feedback', { text: `${NAMES[1]}答应明天修，${WORDS[2]}` });
  await room.act('a', first, 'close', { outcome: 'by_phone', text: `${NAMES[0]}已同意，${ADDRESS[2]}` });
  // A secret one: not even the road, and to whoever leads or has the desk alone its number.
  const before = room.phones.messages().length;
  const { incidentId: hidden = '' } = (await room.call({ ...matter, callNo: 'STORY-SECRET', secret: true }))
    .body;
  // Its link is opened, as a browser does and as the page does.
  const tokens = room.phones.messages().flatMap(({ link }) => (link === undefined ? [] : [link.slice(-11)]));
  const pages: string[] = [];
  for (const token of new Set(tokens)) {
    const page = await fetch(`${room.cloud.url}/t/${token}`, { headers: { accept: 'text/html' } });
    pages.push(await page.text());
    // The second device is asked for a code.
    for (const device of ['a-device-with-its-secret', 'a-second-one-of-the-same'])
      await room.send(`/t/${token}/session`, { method: 'POST', body: JSON.stringify({ device }) });
  }
  await room.cloud.settle();
  // What cannot be read is answered with a code, and the code counts.
  await texts('收到');
  // One that no function can read: it dies five times, and its message lies among the dead.
  room.cloud.injectFunctionCrash('Classification', { count: 5 });
  const { incidentId: lost = '' } = (
    await room.call({ ...matter, callNo: 'STORY-LOST', address: `西溪路${ADDRESS[0]}` })
  ).body;
  expect(room.cloud.queue('ReportsQueue').dead).toBe(1);
  const dead = await deadLetter(room);
  expect(dead).toContain(lost);
  await room.at(200);
  await texts('1');
  expect((await room.incident(hidden)).incident['lead']).toBe('a');
  const chiefs = roster.flatMap(({ role, phone }) => (role === 'member' ? [] : [phone]));
  const members = room.phones
    .messages()
    .slice(before)
    .flatMap(({ number, text }) => (chiefs.includes(number) ? [] : [text]));
  const said = ['您有新任务（', '打开任务的验证码', '请选一个任务回复数字：', '收到回复（', '任务有消息（'];
  expect(said.filter((words) => !members.join('\n').includes(words))).toEqual([]);
  const called = new Set(ear.heard.map((request) => /^\/vendors\/([\w-]+)/.exec(request)?.[1]));
  expect(called).toEqual(new Set([...VENDORS, 'back-110']));
  // 110 has the words of the close, without those that are somebody's.
  expect(ear.heard.join('')).toContain('[某]已同意，[门牌]');
  room.rang();

  const queues = filesUnder(join(data, 'sqs')).map((file) => readFileSync(file).toString('utf8'));
  const logs = filesUnder(join(data, 'logs')).map((file) => readFileSync(file, 'utf8'));
  expect(ear.heard.length).toBeGreaterThan(6);
  expect(logs.join('').length).toBeGreaterThan(1_000);
  expect(queues.join('')).toContain(first);
  const shown = room.phones.messages().map(({ text }) => text);
  const personal = [...NAMES, CALLER, OTHER_PARTY, ...ADDRESS, ...WORDS, ...roster.map(({ name }) => name)];
  const found = (where: string, texts: readonly string[], words: readonly string[]): string[] =>
    words.flatMap((word) =>
      texts.some((text) => unwrapped(text).includes(word)) ? [`${where}: ${word}`] : [],
    );
  expect([
    ...found('vendor', ear.heard, personal),
    // 110 is told which of its calls it is about; nobody else learns an incident's id.
    ...found(
      'vendor',
      ear.heard.filter((request) => !request.startsWith('/vendors/back-110')),
      [first, hidden],
    ),
    // What is encrypted on the wire.
    ...found('phone', shown, personal),
    ...found('log', logs, [...personal, ...roster.map(({ phone }) => phone)]),
    ...found('queue', queues, [...personal, ...roster.map(({ phone }) => phone)]),
    ...found('dead letter', [dead], [...personal, ...roster.map(({ phone }) => phone)]),
    ...found('member', members, [hidden.slice(-6), '东湖中路']),
    // Programs of the vendors look behind every link.
    ...found('page', pages, [hidden.slice(-6), '东湖中路']),
    ...found('log', logs, tokens),
    ...found('queue', queues, tokens),
  ]).toEqual([]);
  expect(tokens.length).toBeGreaterThan(0);
  expect(pages.join('')).toMatch(/data-link="task" data-number="\d\d:\d\d:\d\d"/);
  // The scan itself can see: the road of an everyday matter is told to members, and only to them.
  expect(found('vendor', ear.heard, ['东湖中路'])).toEqual(['vendor: 东湖中路']);
  expect(found('log', logs, ['东湖中路'])).toEqual([]);
  await room.leave({ dead: 1 });
  ear.stop();
});
