import { moverAround } from '#shared/adapters/mover.ts';
import { surroundings } from '#shared/adapters/surroundings.ts';
import { loadDistrict } from '#shared/districts/load.ts';
import { workflowDoor } from '#shared/lambda/workflow.ts';
import { envSchema } from './env.ts';
import { escalateIncident } from './escalation.ts';

const env = envSchema.parse(process.env);
const around = await surroundings(env, 'escalation');
const mover = moverAround(around, env, loadDistrict(env.DISTRICT));

/** Asked by the workflow when a rung was missed or a clock was moved. */
export const handler = workflowDoor((step) => escalateIncident(mover, step), around);
