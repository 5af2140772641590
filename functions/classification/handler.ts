import { openAiCompatible } from '#shared/adapters/openai-compatible.ts';
import { moverAround } from '#shared/adapters/mover.ts';
import { surroundings } from '#shared/adapters/surroundings.ts';
import { reportJobSchema } from '#shared/contracts/jobs.ts';
import { loadDistrict } from '#shared/districts/load.ts';
import { warm } from '#shared/domain/classify.ts';
import { queueDoor } from '#shared/lambda/queue.ts';
import { classifyIncident } from './classification.ts';
import { envSchema } from './env.ts';
import { seekOpinion } from './second-opinion.ts';

const env = envSchema.parse(process.env);
const around = await surroundings(env, 'classification');
const district = loadDistrict(env.DISTRICT);
// Before the first call, not with it: the model and the indexes over all words are built once.
warm(district);
const mover = moverAround(around, env, district, { links: env.LINKS_QUEUE_URL });

const { secondOpinion } = district;
const asker = {
  ...mover,
  opinion:
    secondOpinion &&
    openAiCompatible({
      ...secondOpinion,
      key: async () => (await around.secrets.district()).secondOpinion?.apiKey,
    }),
};
/** Opinions asked for in this batch: no report waits behind somebody else's two seconds. */
const asking: Promise<void>[] = [];

const door = queueDoor(
  reportJobSchema,
  async ({ incidentId }) => {
    await classifyIncident(mover, incidentId);
    asking.push(seekOpinion(asker, incidentId));
  },
  around,
);

/** Classifies every report of a batch, each alone; then hears a second opinion where one is set. */
export const handler: typeof door = async (event, context) => {
  const reply = await door(event, context);
  await Promise.all(asking.splice(0));
  return reply;
};
