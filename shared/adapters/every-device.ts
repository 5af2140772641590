import * as z from 'zod';
import type { Sender, SendResult } from '../ports/sender.ts';

const listSchema = z.array(z.string().min(1)).min(1);

const devicesIn = (to: string): string[] => (to.startsWith('[') ? listSchema.parse(JSON.parse(to)) : [to]);

/** What is known of an attempt that called several devices: taken if one took it, and unsure before it is refused. */
const together = (results: readonly SendResult[]): SendResult => {
  const accepted = results.filter((result) => result.kind === 'accepted');
  if (accepted.length > 0)
    return {
      kind: 'accepted',
      vendorId: [...new Set(accepted.map(({ vendorId }) => vendorId))].join(','),
    };
  const best =
    results.find(({ kind }) => kind === 'unknown') ??
    results.find((result) => result.kind === 'refused' && result.temporary) ??
    // A device that is gone says less than one that was refused for another reason.
    results.find(({ gone }) => gone === undefined) ??
    results[0];
  if (!best) throw new Error('A push was sent to no device.');
  return best;
};

/** Brings a push to every device of a person as one attempt. `ask` gets the vendor's ids of all that were taken, with commas between. */
export const everyDevice = (sender: Sender): Sender => ({
  send: async (request) => {
    const devices = devicesIn(request.to);
    const results = await Promise.all(devices.map((to) => sender.send({ ...request, to })));
    const gone = results.flatMap((result) => result.gone ?? []);
    const { gone: _, ...best } = together(results);
    return { ...best, ...(gone.length > 0 ? { gone } : {}) };
  },
  ask: (request) => sender.ask(request),
});
