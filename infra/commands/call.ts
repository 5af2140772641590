import { randomUUID } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { main, text, type Command } from './command.ts';
import { completeSecret } from './installation.ts';
import { WrongInput } from './refused.ts';

/** Posts one call as the 110 centre would, signed with the district's webhook key: to try a system, or to look at an answer. */
export const call: Command = {
  name: 'call',
  about: 'Posts one signed call, as the 110 centre would, and prints the answer.',
  usage: [
    "--content '楼上半夜装修' --address '文正街18号' [--code CATEGORY] [--number CALLNO] [--stack NAME | --data DIR]",
  ],
  more: ['The caller is an invented one. With the same --number twice, the second call is known.', ''],
  options: {
    content: { type: 'string' },
    address: { type: 'string' },
    code: { type: 'string' },
    number: { type: 'string' },
  },
  async run(given) {
    const content = text(given, 'content');
    if (!content) throw new WrongInput('What was told? Write it behind --content, in quotation marks.');
    const code = text(given, 'code');
    const installation = await given.connect({ stack: text(given, 'stack'), data: text(given, 'data') });
    try {
      const [key = ''] = (await completeSecret(installation)).webhookKeys;
      const now = await installation.now();
      const body = JSON.stringify({
        callNo: text(given, 'number') ?? `TRY-${randomUUID().slice(0, 8)}`,
        calledAt: now.toISOString(),
        caller: { name: '样例来电人', phone: '16600000001' },
        address: text(given, 'address') ?? '地址不详',
        content,
        ...(code === undefined ? {} : { categoryCode: code }),
      });
      const id = `msg_${randomUUID()}`;
      const answer = await fetch(`${installation.url}/webhooks/110`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'webhook-id': id,
          'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
          'webhook-signature': new Webhook(key).sign(id, now, body),
        },
        body,
      });
      given.terminal.out(await answer.text());
      if (!answer.ok) given.terminal.err(`${installation.url} answered ${answer.status}.`);
      return answer.ok;
    } finally {
      installation.close();
    }
  },
};

if (import.meta.main) await main(call);
