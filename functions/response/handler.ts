import { toWgs84 } from '#shared/adapters/coordinates.ts';
import { plainOriginsOf } from '#shared/adapters/outside-address.ts';
import { moverAround } from '#shared/adapters/mover.ts';
import { subscriptionFault } from '#shared/adapters/subscription-fault.ts';
import { surroundings } from '#shared/adapters/surroundings.ts';
import { tokenSignIn } from '#shared/adapters/tokens.ts';
import type { Subscription } from '#shared/contracts/push.ts';
import { loadDistrict } from '#shared/districts/load.ts';
import { httpDoor } from '#shared/lambda/http.ts';
import { takeAction } from './action.ts';
import { takeDrillAnswer } from './drill-answer.ts';
import { envSchema } from './env.ts';
import { registerDevice, removeDevice } from './push-device.ts';

const env = envSchema.parse(process.env);
const around = await surroundings(env, 'response');
const mover = {
  ...moverAround(around, env, loadDistrict(env.DISTRICT)),
  toWgs84,
};
const plainOrigins = plainOriginsOf(env.VENDORS_URL);
const registrar = {
  ...around,
  subscriptionFault: (subscription: Subscription) => subscriptionFault(subscription, plainOrigins),
};

/** Takes what people do. */
export const handler = httpDoor(
  [
    {
      method: 'POST',
      path: '/api/incidents/{id}/actions',
      auth: 'any',
      json: true,
      handle: ({ params, headers, bearer }, body) =>
        takeAction(mover, {
          id: params['id'] ?? '',
          actor: bearer,
          body,
          idempotencyKey: headers['idempotency-key'],
        }),
    },
    {
      method: 'POST',
      path: '/api/drill/answer',
      auth: 'any',
      handle: ({ bearer }) => takeDrillAnswer(mover, bearer.id),
    },
    {
      method: 'POST',
      path: '/api/push/devices',
      auth: 'any',
      json: true,
      handle: ({ bearer }, body) => registerDevice(registrar, bearer.id, body),
    },
    {
      method: 'DELETE',
      path: '/api/push/devices/{id}',
      auth: 'any',
      handle: ({ bearer, params }) => removeDevice(registrar, bearer.id, params['id'] ?? ''),
    },
  ],
  { log: around.log, signIn: tokenSignIn(around.secrets, env.DISTRICT, around.clock) },
);
