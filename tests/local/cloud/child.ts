// Runs the small stack until somebody kills it. Tells where it listens and which process group its engine is.
import { createClock } from '../../../infra/local/clock.ts';
import { startCloud } from '../../../infra/local/cloud.ts';

const [assembly = '', data = ''] = process.argv.slice(2);
const cloud = await startCloud({ assembly, stack: 'Small', data, port: 0, clock: createClock(), secret: {} });
console.log(JSON.stringify({ url: cloud.url, engine: cloud.enginePid }));
