import { invalid, problemsOf, refused, type Outcome, type Problem } from '#shared/contracts/errors.ts';
import {
  pushDeviceView,
  pushRegistrationSchema,
  type PushDeviceView,
  type Subscription,
} from '#shared/contracts/push.ts';
import { withPushDevice, type PushDevice } from '#shared/domain/push-device.ts';
import type { Member } from '#shared/domain/roster.ts';
import type { Clock } from '#shared/ports/clock.ts';
import { changeDevices, type PushDevices } from '#shared/ports/push-devices.ts';
import type { Secrets } from '#shared/ports/secrets.ts';
import type { Store } from '#shared/ports/store.ts';

/** What registering devices needs. */
export interface Registrar {
  store: Pick<Store, 'roster'>;
  pushDevices: PushDevices;
  secrets: Secrets;
  clock: Clock;
  /** Which part of a subscription cannot be used; undefined: it can. */
  subscriptionFault: (subscription: Subscription) => 'endpoint' | 'keys' | undefined;
}

const FAULTS: Record<'endpoint' | 'keys', Problem> = {
  endpoint: {
    field: 'webpush.endpoint',
    message: '应为浏览器推送服务（谷歌、火狐、苹果、微软）的 https 地址',
  },
  keys: { field: 'webpush.keys.p256dh', message: '不是浏览器给出的公钥' },
};

const NOT_ON_ROSTER = refused('forbidden', '您不在花名册上，不能登记接收推送的设备。');
const ID_LENGTH = 22;

const ownerOf = async ({ store }: Registrar, who: string): Promise<Member | undefined> =>
  (await store.roster()).find(({ id }) => id === who);

/**
 * `POST /api/push/devices`: from now on pushes to this person come to this device as well. Refused for whoever gets no notices, and for a
 * vendor that the district has no account with.
 */
export const registerDevice = async (
  registrar: Registrar,
  who: string,
  body: unknown,
): Promise<Outcome<PushDeviceView>> => {
  const parsed = pushRegistrationSchema.safeParse(body);
  if (!parsed.success) return invalid(problemsOf(parsed.error));
  const { webpush, jpush = '' } = parsed.data;
  const fault = webpush && registrar.subscriptionFault(webpush);
  if (fault) return invalid([FAULTS[fault]]);
  const member = await ownerOf(registrar, who);
  if (!member) return NOT_ON_ROSTER;
  const vendor = webpush ? 'webpush' : 'jpush';
  const [secret, vault] = await Promise.all([registrar.secrets.district(), registrar.secrets.vault()]);
  if (secret[vendor] === undefined)
    return refused(
      'impossible',
      `本街道没有开通${webpush ? '浏览器' : '极光'}推送，请联系管理员；通知照常用其他方式发给您。`,
    );
  const at = registrar.clock.now().getTime();
  const device: PushDevice = {
    // By what stays the same when a browser renews its keys.
    id: vault.hash('link', `${vendor} ${webpush?.endpoint ?? jpush}`).slice(0, ID_LENGTH),
    vendor,
    address: webpush ? JSON.stringify(webpush) : jpush,
    at,
  };
  await changeDevices(registrar.pushDevices, member, at, (devices) => withPushDevice(devices, device));
  return { kind: 'done', body: pushDeviceView(device) };
};

/** `DELETE /api/push/devices/{id}`: this device of his gets no pushes any more. Of anybody else's he learns nothing. */
export const removeDevice = async (
  registrar: Registrar,
  who: string,
  id: string,
): Promise<Outcome<{ removed: true }>> => {
  const member = await ownerOf(registrar, who);
  if (!member) return NOT_ON_ROSTER;
  const now = registrar.clock.now().getTime();
  const removed = await changeDevices(registrar.pushDevices, member, now, (devices) =>
    devices.some((device) => device.id === id) ? devices.filter((device) => device.id !== id) : undefined,
  );
  return removed
    ? { kind: 'done', body: { removed } }
    : refused('not_found', '您没有登记这台设备，或者它已经注销。');
};
