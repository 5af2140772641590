import { backTo110 } from '#shared/adapters/back-to-110.ts';
import { moverAround } from '#shared/adapters/mover.ts';
import { configuredSenders } from '#shared/adapters/senders.ts';
import { attemptIdOf } from '#shared/adapters/store.ts';
import { surroundings } from '#shared/adapters/surroundings.ts';
import { systemIds } from '#shared/adapters/system.ts';
import { noticeJobSchema } from '#shared/contracts/jobs.ts';
import { loadDistrict, loadTexts, loadVendors } from '#shared/districts/load.ts';
import { CANARY } from '#shared/domain/canary.ts';
import { isRelay } from '#shared/domain/relay.ts';
import { queueDoor } from '#shared/lambda/queue.ts';
import { incidentIdOf } from '#shared/ports/store.ts';
import { canary } from './canary.ts';
import { envSchema } from './env.ts';
import { deliver } from './notification.ts';
import { relay } from './relay.ts';

const env = envSchema.parse(process.env);
const around = await surroundings(env, 'notification');
const district = loadDistrict(env.DISTRICT);
const deliverer = {
  ...moverAround(around, env, district),
  senders: configuredSenders({ ...around, ids: systemIds(around.clock), at: env.VENDORS_URL }),
  attemptId: attemptIdOf,
  texts: loadTexts(undefined, env.DISTRICT),
  approvedOnly: env.STAGE === 'production',
  vendors: loadVendors(),
  lately: new Map(),
  centre: backTo110({
    address: env.VENDORS_URL === 'real' ? (district.backTo110?.address ?? '') : `${env.VENDORS_URL}/back-110`,
    keys: async () => (await around.secrets.district()).centre110?.keys ?? [],
    clock: around.clock,
  }),
};

/** Delivers every notice of a batch, and tells 110 what it is owed, each alone. */
export const handler = queueDoor(
  noticeJobSchema,
  (job) => {
    if (job.owner === CANARY) return canary(deliverer, job.noticeId);
    return isRelay(job.noticeId)
      ? relay(deliverer, { incidentId: incidentIdOf(job.owner), relayId: job.noticeId })
      : deliver(deliverer, job);
  },
  around,
);
