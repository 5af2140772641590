import { main, text, type Command } from './command.ts';
import { redrive } from './dead-letters.ts';
import { QUEUES } from './installation.ts';
import { WrongInput } from './refused.ts';

/** `npm run redrive`: gives dead letters another try. AWS's own command for this is missing in China. */
export const redriveCommand: Command = {
  name: 'redrive',
  about: 'Sends the messages of a dead-letter queue to their work queue again.',
  usage: [`<${QUEUES.join('|')}> [--max N] [--stack NAME | --data DIR]`],
  more: ['Mend what made them fail first. Sending a message twice does no harm.', ''],
  options: { max: { type: 'string' } },
  async run(call) {
    const [given, ...more] = call.positionals;
    const name = QUEUES.find((queue) => queue === given);
    if (!name || more.length > 0)
      throw new WrongInput(
        `Which queue? One of ${QUEUES.join(', ')}${given ? `, not '${call.positionals.join(' ')}'` : ''}.`,
      );
    const max = text(call, 'max');
    if (max !== undefined && !/^[1-9]\d{0,6}$/.test(max))
      throw new WrongInput(`--max takes a whole number from 1, not '${max}'.`);
    const installation = await call.connect({ stack: text(call, 'stack'), data: text(call, 'data') });
    try {
      const { sqs, queues } = installation;
      const { sent, kept } = await redrive(sqs, queues[name], max === undefined ? undefined : Number(max));
      for (const { messageId, why } of kept) call.terminal.err(`${messageId} stays where it is: ${why}`);
      call.terminal.out(
        sent + kept.length === 0
          ? `The dead-letter queue of ${name} is empty.`
          : `${sent} of ${sent + kept.length} messages were sent to ${name} again.`,
      );
      return kept.length === 0;
    } finally {
      installation.close();
    }
  },
};

if (import.meta.main) await main(redriveCommand);
