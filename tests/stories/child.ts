// Runs a district's machine on given data until somebody kills it. Tells where it listens and the key that 110 signs with.
import { districtSecretSchema } from '#shared/contracts/secret.ts';
import { createClock } from '../../infra/local/clock.ts';
import { startCloud } from '../../infra/local/cloud.ts';

const [assembly = '', data = '', at = '', vendor = ''] = process.argv.slice(2);
const cloud = await startCloud({
  assembly,
  stack: 'Xiaonao-donghu',
  data,
  port: 0,
  clock: createClock({ at: Number(at), speed: 0 }),
  coldStarts: true,
  accepted: true,
  secret: {},
  env: { VENDORS_URL: vendor },
});
const { webhookKeys } = districtSecretSchema.parse(cloud.secret);
console.log(JSON.stringify({ url: cloud.url, key: webhookKeys[0] }));
