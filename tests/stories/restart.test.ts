import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { loadTexts } from '#shared/districts/load.ts';
import { startPhones } from '../../infra/local/phones/phones.ts';
import { synthesize } from './assembly.ts';
import { CAST, DutyRoom, MORNING } from './duty-room.ts';

let built: Awaited<ReturnType<typeof synthesize>>;
beforeAll(async () => {
  built = await synthesize();
});
afterAll(() => built.remove());

const cast = CAST('story', 'patrol');
const open = (begin = MORNING): Promise<DutyRoom> =>
  DutyRoom.open({ assembly: built.assembly, district: 'donghu', roster: cast, begin, stops: true });
/** Stops the machine and starts it again when so many seconds have passed since the story's beginning. */
const restart = async (room: DutyRoom, second: number): Promise<DutyRoom> => {
  const data = await room.close();
  const { begin, district } = room;
  const again = await DutyRoom.open({
    assembly: built.assembly,
    district,
    roster: cast,
    begin,
    now: begin + second * 1000,
    data,
  });
  await again.cloud.settle();
  return again;
};
const called = async (room: DutyRoom): Promise<string> => (await room.call()).body.incidentId ?? '';

describe('the machine is restarted', () => {
  it('in the middle of a rung: the old deadlines hold to the second', async () => {
    let room = await open();
    const id = await called(room);
    await room.at(20);
    room.expectRings(['a', 'ask', 0]);
    room = await restart(room, 45);
    await room.at(59);
    room.expectRings();
    await room.at(75);
    room.expectRings(['b', 'ask', 60]);
    room = await restart(room, 80);
    await room.at(119);
    room.expectRings(['leader', 'ask', 90]);
    // What was parked before the restarts is still the token that an acceptance wakes.
    await room.act('a', id, 'accept');
    room.expectRings(['b', 'stand-down', 119], ['leader', 'stand-down', 119]);
    room = await restart(room, 125);
    await room.at(181);
    // A late acceptor has each rung's own span, or its deadline where that is later: depart 119 + 60, contact 180.
    room.expectRings(['a', 'told', 179], ['a', 'told', 180]);
    expect((await room.incident(id)).incident.state).toBe('accepted');
    await room.leave();
  });

  it('after deadlines have passed: everybody owed is asked at once, one nag stands for the missed ones', async () => {
    let room = await open();
    await called(room);
    await room.at(20);
    room.expectRings(['a', 'ask', 0]);
    room = await restart(room, 2000);
    expect(
      room
        .rang()
        .map(([who, kind, second]) => `${who} ${kind} ${Math.floor(second)}`)
        .toSorted(),
    ).toEqual(['b ask 2000', 'duty ask 2000', 'duty nag 2000', 'leader ask 2000', 'street ask 2000']);
    // The beat of the nags is kept: 180 + 300 n.
    await room.at(2300, { passes: 1 });
    room.expectRings(['duty', 'nag', 2280]);
    await room.leave();
  });

  it('while an incident is paused: it resumes by itself at the promised instant', async () => {
    let room = await open();
    const id = await called(room);
    await room.at(30);
    await room.act('a', id, 'accept');
    await room.at(60);
    const until = new Date(room.begin + 660_000).toISOString();
    await room.act('desk', id, 'pause', { reason: '等当事人回来', until });
    room = await restart(room, 300);
    expect((await room.incident(id)).incident.state).toBe('paused');
    await room.at(661);
    expect((await room.incident(id)).incident.state).toBe('accepted');
    await room.at(721);
    room.expectRings(['a', 'told', 720]);
    await room.leave();
  });
});

describe('the machine stands still while a pause ends', () => {
  it('the pause has ended at its own instant, and what fell due since then is told at once', async () => {
    let room = await open();
    const id = await called(room);
    await room.at(30);
    await room.act('a', id, 'accept');
    await room.at(60);
    const until = new Date(room.begin + 660_000).toISOString();
    await room.act('desk', id, 'pause', { reason: '等当事人回来', until });
    room = await restart(room, 730);
    expect((await room.incident(id)).incident).toMatchObject({
      state: 'accepted',
      deadlines: {
        depart: new Date(room.begin + 720_000).toISOString(),
        contact: new Date(room.begin + 780_000).toISOString(),
      },
    });
    room.expectRings(['a', 'told', 730]);
    await room.at(845);
    room.expectRings(['a', 'told', 780], ['leader', 'climb', 840]);
    await room.leave();
  });
});

const childSchema = z.object({ url: z.string(), key: z.string() });

/**
 * Another process runs the machine, and is killed the moment 110 has its answer and the vendor hangs with the text.
 * The phones are the outside world: they live on.
 */
const killed = async (
  recorded: boolean,
  content = '楼上邻居晚上装修，声音太大，请来协调。',
): Promise<DutyRoom> => {
  // Thirty-five seconds before the minute, so that reconcile looks twenty-five seconds after the call and ten of restart.
  const begin = MORNING + 25_000;
  const data = await (await open(begin)).close();
  const texts = loadTexts();
  const phones = await startPhones({
    port: 0,
    data,
    now: () => begin,
    templates: Object.values(texts.templates),
    keys: { story: 'story-secret' },
    signName: texts.signName,
    barredWords: texts.barred,
  });
  phones.faults.set({ vendor: 'aliyun-sms', mode: 'timeout', recorded });
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, 'child.ts'), built.assembly, data, String(begin), `${phones.url}/vendors`],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const exited = once(child, 'exit');
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const { url, key } = childSchema.parse(JSON.parse((await lines.next()).value ?? '{}'));
  const rings = new Promise<void>((resolve) => void phones.onMessage(() => resolve()));
  const raw = JSON.stringify({
    callNo: 'STORY-KILL',
    calledAt: new Date(begin).toISOString(),
    caller: { name: '样例来电人', phone: '16600001234' },
    address: '样例路1号',
    content,
  });
  const response = await fetch(`${url}/webhooks/110`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'webhook-id': 'msg_kill',
      'webhook-timestamp': String(Math.floor(begin / 1000)),
      'webhook-signature': new Webhook(key).sign('msg_kill', new Date(begin), raw),
    },
    body: raw,
  });
  expect(response.status).toBe(202);
  // The vendor has taken the text, but nobody heard him say so.
  if (recorded) await rings;
  child.kill('SIGKILL');
  await exited;
  await phones.stop();
  const room = await DutyRoom.open({
    assembly: built.assembly,
    district: 'donghu',
    roster: cast,
    begin,
    now: begin + 2_000,
    data,
  });
  await room.cloud.settle();
  return room;
};

describe('the machine is killed', () => {
  it('between the answer to 110 and the ring: the call still rings, once', async () => {
    const room = await killed(false);
    await room.at(59);
    const rang = room.rang();
    expect(rang.map(([who, kind]) => [who, kind])).toEqual([['a', 'ask']]);
    await room.at(61);
    room.expectRings(['b', 'ask', 60]);
    const [item] = (await room.get('/api/incidents')).body.items ?? [];
    expect(item).toMatchObject({ callNo: 'STORY-KILL', state: 'asking' });
    await room.leave();
  });

  it('while an unclear call waits for the desk: its default goes out at fifteen seconds all the same', async () => {
    const room = await killed(true, '喂，你们过来一趟吧，说不清楚');
    expect((await room.get('/api/incidents')).body.items).toMatchObject([{ state: 'received' }]);
    await room.at(14);
    room.expectRings();
    await room.at(16);
    room.expectRings(['a', 'ask', 15], ['b', 'ask', 15], ['duty', 'desk', 15]);
    await room.leave();
  });

  it('after the ring and before the vendor was heard: his receipt comes later, nothing rings twice', async () => {
    const room = await killed(true);
    await room.at(61);
    // The one ring was before the kill.
    room.expectRings(['b', 'ask', 60]);
    const { items = [] } = (await room.get('/api/incidents')).body;
    const { trail } = await room.incident(String(items[0]?.['id']));
    const deliveries = trail.filter((line) => line.kind === 'notice' && line.whom === 'a');
    expect(deliveries.map((line) => line['facts'])).toMatchObject([
      { state: 'sending', attempt: 1 },
      { state: 'delivered', receipt: true },
    ]);
    await room.leave();
  });
});
