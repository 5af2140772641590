import { configureGlobal } from 'fast-check';

/**
 * Where every property of the tests gets fast-check from. `npm test` draws the same cases on every run, so that a failure is one on
 * every machine; `PROPERTY_SEED=random npm test` looks for new ones, `PROPERTY_SEED=<number>` finds again what such a run printed.
 */
const { PROPERTY_SEED: wanted = '110' } = process.env;
if (wanted !== 'random') configureGlobal({ seed: Number(wanted) });

export * from 'fast-check';
