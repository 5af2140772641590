import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newWebhookKey } from '#shared/adapters/new-district-secret.ts';
import type { DistrictSecret } from '#shared/contracts/secret.ts';
import { Back110 } from '../../infra/local/phones/back-110.ts';
import { synthesize } from './assembly.ts';
import { CAST, DutyRoom } from './duty-room.ts';
import { putSecret } from './machine.ts';

let built: Awaited<ReturnType<typeof synthesize>>;
beforeAll(async () => {
  built = await synthesize();
});
afterAll(() => built.remove());

const put = async (room: DutyRoom, change: Partial<DistrictSecret>): Promise<void> => {
  Object.assign(room.secret, change);
  await putSecret(room.cloud, room.secret);
};

const KNIFE = '有人拿着刀在小区门口威胁邻居，说要砍人，快来。';

describe('a key that is not good any more', () => {
  it('of the SMS vendor: nobody is texted until the new one is put, and then everybody within five minutes', async () => {
    const keys: Record<string, string> = { story: 'story-secret' };
    const room = await DutyRoom.open({
      assembly: built.assembly,
      district: 'donghu',
      roster: CAST('story', 'patrol'),
      smsKeys: keys,
    });
    await room.call();
    room.expectRings(['a', 'ask', 0]);
    // Revoked at the vendor, who has given another one.
    delete keys['story'];
    keys['fresh'] = 'fresh-secret';
    await put(room, {
      aliyunSms: { ...room.secret.aliyunSms, accessKeyId: 'fresh', accessKeySecret: 'fresh-secret' },
    });
    // Whoever is named meanwhile is not reached: the functions still hold the old key.
    await room.at(295);
    room.expectRings();
    await room.at(301);
    room.rang();
    const id = (await room.call({ address: '样例路9号' })).body.incidentId ?? '';
    room.expectRings(['a', 'ask', 301]);
    expect((await room.incident(id)).incident.assignees).toEqual(['a']);
    await room.leave();
  });

  it('of 110: the desk is told to telephone, and the new key reaches 110 without a deployment', async () => {
    const old = newWebhookKey();
    const fresh = newWebhookKey();
    const centre = { keys: [fresh] };
    const room = await DutyRoom.open({
      assembly: built.assembly,
      district: 'xinjie',
      roster: CAST('story', 'patrol'),
      vendors: [(world) => new Back110(centre, world)],
      accounts: { centre110: { keys: [old] } },
    });
    const id = (await room.call({ content: KNIFE })).body.incidentId ?? '';
    await room.at(61);
    room.expectRings(['duty', 'returned', 0], ['duty', 'desk', 30], ['street', 'handback', 60]);
    await put(room, { centre110: { keys: [fresh, old] } });
    await room.at(320);
    const [handed] = (await room.incident(id)).trail.filter(({ kind }) => kind === 'handed-back');
    expect(handed).toMatchObject({ by: '110' });
    expect(room.messages().filter(({ vendor }) => vendor === 'back-110').length).toBe(1);
    room.rang();
    await room.leave();
  });

  it('of the 110 line, taken out after a rotation: good for five minutes more, then refused', async () => {
    const room = await DutyRoom.open({
      assembly: built.assembly,
      district: 'donghu',
      roster: CAST('story', 'patrol'),
    });
    const [current = '', next = ''] = room.secret.webhookKeys;
    const post = async (key: string): Promise<number> => {
      const raw = JSON.stringify(room.report());
      const { status } = await room.send('/webhooks/110', {
        method: 'POST',
        headers: room.signed(raw, { key }),
        body: raw,
      });
      await room.cloud.settle();
      return status;
    };
    expect(await post(current)).toBe(202);
    await put(room, { webhookKeys: room.secret.webhookKeys.slice(1) });
    expect(await post(next)).toBe(202);
    await room.at(301);
    expect(await post(current)).toBe(401);
    expect(await post(next)).toBe(202);
    room.rang();
    await room.leave();
  });
});
