import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newWebhookKey } from '#shared/adapters/new-district-secret.ts';
import { Back110 } from '../../infra/local/phones/back-110.ts';
import type { VendorMaker } from '../../infra/local/phones/vendor.ts';
import { synthesize } from './assembly.ts';
import { CAST, DutyRoom } from './duty-room.ts';

let built: Awaited<ReturnType<typeof synthesize>>;
beforeAll(async () => {
  built = await synthesize();
});
afterAll(() => built.remove());

const KNIFE = '有人拿着刀在小区门口威胁邻居，说要砍人，快来。';
const key = newWebhookKey();
let centre110: Back110;
const VENDORS: VendorMaker[] = [(world) => (centre110 = new Back110({ keys: [key] }, world))];
/** A district that reports back to 110. */
const open = (more: { data?: string; begin?: number; now?: number } = {}): Promise<DutyRoom> =>
  DutyRoom.open({
    assembly: built.assembly,
    district: 'xinjie',
    roster: CAST('story', 'patrol'),
    vendors: VENDORS,
    accounts: { centre110: { keys: [key] } },
    ...more,
  });
/** What has come to the 110 centre: what, of which call, when in seconds. */
const at110 = (room: DutyRoom): unknown[] =>
  room.phones
    .messages()
    .filter(({ vendor, at }) => vendor === 'back-110' && Date.parse(at) >= room.begin)
    .map(({ text, at }) => [...text.split(' '), (Date.parse(at) - room.begin) / 1000]);
const centre = (room: DutyRoom, mode: 'refuse' | 'timeout' | 'silent' | 'none', count = 99): Promise<void> =>
  room.vendor(mode, { vendor: 'back-110', ...(mode === 'none' ? {} : { count }) });
const ofReturn = async (room: DutyRoom, id: string): Promise<unknown[]> =>
  (await room.incident(id)).trail
    .filter(({ kind }) => kind === 'relayed' || kind === 'handed-back')
    .map(({ kind, by, at }) => [kind, by, (Date.parse(at) - room.begin) / 1000]);

describe('a return for danger', () => {
  it('is acknowledged by 110 at once: nobody has to hand it back, nobody climbs', async () => {
    const room = await open();
    const id = (await room.call({ content: KNIFE })).body.incidentId ?? '';
    expect(at110(room)).toEqual([['incident.returned', 'STORY-1', 0]]);
    expect(await ofReturn(room, id)).toEqual([['handed-back', '110', 0]]);
    const rang = room.rang();
    // The duty officer may have been told before 110 answered; nobody else ever is.
    expect(rang.filter(([who, kind]) => who !== 'duty' || kind !== 'returned')).toEqual([]);
    await room.at(130);
    room.expectRings();
    expect((await room.incident(id)).incident).toMatchObject({ state: 'returned' });
    await room.leave();
  });

  it('that 110 does not take: tried again until it does, the desk told at 30 s, the rung stays until then', async () => {
    const room = await open();
    await centre(room, 'refuse');
    const id = (await room.call({ content: KNIFE })).body.incidentId ?? '';
    room.expectRings(['duty', 'returned', 0]);
    await room.at(29);
    room.expectRings();
    await room.at(31);
    room.expectRings(['duty', 'desk', 30]);
    await room.at(61);
    room.expectRings(['street', 'handback', 60]);
    await centre(room, 'none');
    await room.at(70);
    expect(at110(room)).toMatchObject([['incident.returned', 'STORY-1', 68]]);
    expect(await ofReturn(room, id)).toMatchObject([
      ['relayed', 'system', 30],
      ['handed-back', '110', 68],
    ]);
    await room.at(180);
    room.expectRings();
    await room.leave();
  });

  it('that only a proxy has answered is not acknowledged; what the desk telephones ends the tries', async () => {
    const room = await open();
    await centre(room, 'silent');
    const id = (await room.call({ content: KNIFE })).body.incidentId ?? '';
    await room.at(10);
    await room.act('desk', id, 'handback', { text: '已电话告知110' });
    await centre(room, 'none');
    await room.at(120);
    expect(at110(room)).toEqual([]);
    room.expectRings(['duty', 'returned', 0]);
    await room.leave();
  });

  it('survives a stop of the machine: the next start tells 110, under the same id', async () => {
    const room = await open();
    await centre(room, 'refuse');
    const id = (await room.call({ content: KNIFE })).body.incidentId ?? '';
    await room.at(9);
    room.expectRings(['duty', 'returned', 0]);
    const [row] = await room.store.relays(`INC#${id}`);
    const data = await room.close();
    const again = await open({ data, begin: room.begin, now: room.begin + 20_000 });
    await again.at(40);
    expect(at110(again)).toMatchObject([['incident.returned', 'STORY-1', expect.any(Number)]]);
    expect((await again.store.relays(`INC#${id}`)).map(({ relay, state }) => [relay.id, state])).toEqual([
      [row?.relay.id, 'acknowledged'],
    ]);
    expect(again.rang()).toEqual([]);
    await again.leave();
  });
});

describe('a result', () => {
  it('comes five seconds after 110 has said nothing, in the words of the close and with nobody’s name', async () => {
    const room = await open();
    const id = (await room.call()).body.incidentId ?? '';
    await room.act('a', id, 'accept');
    await centre(room, 'timeout', 1);
    await room.act('a', id, 'close', { outcome: 'by_phone', text: '已电话答复，对方停止施工。' });
    room.rang();
    await room.at(7);
    expect(at110(room)).toMatchObject([['incident.closed', 'STORY-1', expect.any(Number)]]);
    expect(centre110.taken.map(({ type, data }) => [type, data])).toEqual([
      [
        'incident.closed',
        {
          callNo: 'STORY-1',
          incidentId: id,
          district: 'xinjie',
          sequence: expect.any(Number),
          outcome: 'by_phone',
          text: '已电话答复，对方停止施工。',
        },
      ],
    ]);
    expect(await ofReturn(room, id)).toMatchObject([['relayed', '110', expect.any(Number)]]);
    room.rang();
    await room.leave();
  });
});
