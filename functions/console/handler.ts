import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { surroundings } from '#shared/adapters/surroundings.ts';
import { tokenSignIn } from '#shared/adapters/tokens.ts';
import { loadDistrict, loadVendors } from '#shared/districts/load.ts';
import { wantsPage } from '#shared/contracts/page.ts';
import { httpDoor } from '#shared/lambda/http.ts';
import { callListPage } from './call-list.ts';
import {
  listCodes,
  listIncidents,
  listRejected,
  listUnreached,
  listVendors,
  showHealth,
  showIncident,
  showRoster,
} from './console.ts';
import { showDrill } from './drill.ts';
import { envSchema } from './env.ts';
import { showPush } from './push.ts';

const env = envSchema.parse(process.env);
const around = await surroundings(env, 'console');
const signIn = tokenSignIn(around.secrets, env.DISTRICT, around.clock);
const looker = { ...around, district: loadDistrict(env.DISTRICT) };
const vendors = loadVendors();
/** Written beside the bundle from the schemas. */
const openApi = (): unknown => JSON.parse(readFileSync(join(env.LAMBDA_TASK_ROOT, 'openapi.json'), 'utf8'));

/** What the desk and the members read; whatever has no route is answered 404 or 405 here. */
export const handler = httpDoor(
  [
    {
      method: 'GET',
      path: '/api/incidents',
      auth: 'any',
      handle: ({ bearer, query }) => listIncidents(looker, bearer, query),
    },
    {
      method: 'GET',
      path: '/api/incidents/{id}',
      auth: 'any',
      handle: ({ bearer, params }) => showIncident(looker, bearer, params['id'] ?? ''),
    },
    {
      method: 'GET',
      path: '/api/roster',
      auth: 'any',
      handle: ({ bearer }) => showRoster(looker, bearer),
    },
    {
      method: 'GET',
      path: '/api/rejected',
      auth: 'desk',
      handle: ({ query }) => listRejected(looker, query),
    },
    { method: 'GET', path: '/api/codes', auth: 'desk', handle: () => listCodes(looker) },
    { method: 'GET', path: '/api/vendors', auth: 'desk', handle: () => listVendors({ ...looker, vendors }) },
    {
      method: 'GET',
      path: '/api/unreached',
      auth: 'desk',
      handle: async ({ headers }) => {
        const list = await listUnreached(looker);
        return wantsPage(headers) && list.kind === 'done'
          ? callListPage(list.body, looker.district.name, looker.clock.now())
          : list;
      },
    },
    { method: 'GET', path: '/api/drill', auth: 'desk', handle: () => showDrill(looker) },
    { method: 'GET', path: '/api/push', auth: 'any', handle: ({ bearer }) => showPush(looker, bearer.id) },
    { method: 'GET', path: '/api/health', auth: 'none', handle: () => showHealth(looker) },
    {
      method: 'GET',
      path: '/openapi.json',
      auth: 'none',
      handle: async () => ({ kind: 'done', body: openApi() }),
    },
  ],
  { ...around, signIn },
);
