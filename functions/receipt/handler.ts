import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CALLBACKS } from '#shared/adapters/callbacks.ts';
import { moverAround } from '#shared/adapters/mover.ts';
import { surroundings } from '#shared/adapters/surroundings.ts';
import { wantsPage } from '#shared/contracts/page.ts';
import { issueToken } from '#shared/adapters/tokens.ts';
import { loadDistrict, loadTexts } from '#shared/districts/load.ts';
import { deviceHash, httpDoor } from '#shared/lambda/http.ts';
import { keptWarm } from '#shared/lambda/warm.ts';
import { envSchema } from './env.ts';
import { openLink, showLink, type Session } from './link.ts';
import { linkPage } from './page.ts';
import { takeReceipts } from './receipt.ts';
import { countUnknown } from './unknown.ts';

const env = envSchema.parse(process.env);
const around = await surroundings(env, 'receipt');
const taker = {
  ...moverAround(around, env, loadDistrict(env.DISTRICT)),
  vendors: CALLBACKS,
  unknown: countUnknown(around),
  callersSign: loadTexts(undefined, env.DISTRICT).callers?.signName,
};

const opener = {
  ...taker,
  deviceHash,
  sign: async ({ member, hours, ...only }: Session) =>
    issueToken(
      await around.secrets.district(),
      { sub: member, role: 'member', district: env.DISTRICT, hours, only },
      around.clock,
    ),
};

/** Beside the bundle, as it was written. */
const pageOf = linkPage(
  readFileSync(join(env.LAMBDA_TASK_ROOT, 'page.html'), 'utf8'),
  taker.district.links.desk,
);

const door = httpDoor(
  [
    {
      method: 'POST',
      path: '/receipts/{vendor}/{token}',
      auth: 'none',
      handle: ({ params, raw }) => takeReceipts(taker, params, raw),
    },
    {
      method: 'GET',
      path: '/t/{token}',
      auth: 'none',
      handle: async ({ params, headers }) => {
        const shown = await showLink(opener, params['token']);
        return wantsPage(headers) ? pageOf(shown) : shown;
      },
    },
    {
      method: 'POST',
      path: '/t/{token}/session',
      auth: 'none',
      handle: ({ params, raw }) => openLink(opener, params['token'], raw),
    },
  ],
  around,
);

/**
 * What the vendors post: whether a notice has arrived, and what its reader answers. Kept warm: the voice service waits 700 ms and comes
 * again after a minute, by which time the minute of whoever has pressed a key is over.
 */
export const handler = keptWarm(door, () => around.secrets.district());
