import { moverAround } from '#shared/adapters/mover.ts';
import { surroundings } from '#shared/adapters/surroundings.ts';
import { loadDistrict, loadVendors } from '#shared/districts/load.ts';
import { scheduleDoor } from '#shared/lambda/schedule.ts';
import { envSchema } from './env.ts';
import { exportHeads } from './export-heads.ts';
import { canaryBySchedule } from './canary-by-schedule.ts';
import { drillBySchedule } from './drill-by-schedule.ts';
import { everyMinute, reconcile } from './reconcile.ts';
import { tellVendorsBack } from './vendors-back.ts';

const env = envSchema.parse(process.env);
const around = await surroundings(env, 'reconcile');
const reconciler = {
  ...moverAround(around, env, loadDistrict(env.DISTRICT), {
    reports: env.REPORTS_QUEUE_URL,
    links: env.LINKS_QUEUE_URL,
    sweeps: env.SWEEPS_QUEUE_URL,
  }),
  lately: new Map<string, number>(),
  vendors: loadVendors(),
};

/** Finds what was left undone and finishes it, four times a minute. */
export const handler = scheduleDoor(async (beat) => {
  await (beat === 'minute' ? everyMinute(reconciler) : reconcile(reconciler));
  if (beat !== 'minute') return;
  await exportHeads(around);
  await drillBySchedule(reconciler);
  await canaryBySchedule(reconciler);
  await tellVendorsBack(reconciler);
}, around);
