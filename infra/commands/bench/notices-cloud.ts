// A district's cloud in a process of its own, so that it can be killed; the vendors and everybody's phones live on elsewhere.
import { newDistrictSecret } from '#shared/adapters/new-district-secret.ts';
import { loadTexts } from '#shared/districts/load.ts';
import { createClock } from '../../local/clock.ts';
import { startCloud } from '../../local/cloud.ts';
import { sampleAccounts } from '../../local/phones/sample-accounts.ts';

const [assembly = '', district = '', data = '', vendors = ''] = process.argv.slice(2);
const texts = loadTexts();
const { secret } = sampleAccounts(texts);
const cloud = await startCloud({
  assembly,
  stack: `Xiaonao-${district}`,
  data,
  port: 0,
  clock: createClock(),
  // Of a second start on the same data the stored one counts.
  secret: newDistrictSecret(
    { accessKeyId: 'bench', accessKeySecret: 'bench-secret', signName: texts.signName },
    { tencentSms: secret.tencentSms, aliyunVoice: secret.aliyunVoice },
  ),
  env: { VENDORS_URL: vendors },
  log: (line) => console.error(line),
});
const { url, table, endpoints, refs } = cloud;
console.log(JSON.stringify({ url, table, sqs: endpoints.sqs, refs, secret: cloud.secret }));
