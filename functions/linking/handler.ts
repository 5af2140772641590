import { moverAround } from '#shared/adapters/mover.ts';
import { surroundings } from '#shared/adapters/surroundings.ts';
import { linkJobSchema } from '#shared/contracts/jobs.ts';
import { loadDistrict } from '#shared/districts/load.ts';
import { loadRelations } from '#shared/districts/load-relations.ts';
import { queueDoor } from '#shared/lambda/queue.ts';
import { envSchema } from './env.ts';
import { link } from './linking.ts';
import { Overheard } from './overheard.ts';

const env = envSchema.parse(process.env);
const around = await surroundings(env, 'linking');
const linker = {
  ...moverAround(around, env, loadDistrict(env.DISTRICT)),
  ...loadRelations(),
  overheard: new Overheard(),
};

/** Compares every dispatched call of a batch with others, each alone. */
export const handler = queueDoor(linkJobSchema, ({ incidentId }) => link(linker, incidentId), around);
