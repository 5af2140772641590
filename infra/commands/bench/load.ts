// Calls at a fixed rate, whatever the answers do (open loop), members who accept, and the count of what came of it.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { DatabaseSync } from 'node:sqlite';
import { Webhook } from 'standardwebhooks';
import * as z from 'zod';
import { aesVault } from '#shared/adapters/vault.ts';
import { completeSecret, connectData } from '../installation.ts';
import { spreadOf, type Spread } from './figures.ts';
import type { System, Workplace } from './workplace.ts';

/** What is asked of the system. */
export interface LoadPlan {
  district: string;
  /** Calls a second. */
  rate: number;
  /** How long they come, seconds. */
  seconds: number;
  /** Seconds of calls at up to 20 a second before the measurement; they are counted, not timed. */
  warmUp: number;
  /** Does anybody accept? Within ten seconds then. */
  accept: boolean;
  /** How long texts are heard after the last call, seconds; default: until every call has been answered. */
  listenSeconds?: number;
}

/** What came of it. Times in ms. */
export interface LoadResult {
  rate: number;
  calls: number;
  /** From the instant a call was due to its 202. */
  ack: Spread;
  /** From the instant a call was due to its arrival on the phone. */
  phone: Spread;
  /** From the instant a member meant to tap to his 200. */
  accept: Spread;
  /** From the last call to the last phone; NaN when some phone had not rung after five minutes. */
  drainMs: number;
  /** Answers other than 202 and 200, by what they were. */
  refused: Record<string, number>;
  /** Calls acknowledged that became no incident, or whose incident reached no phone. */
  lost: number;
  /** Second incidents of a call, second texts of a notice, and texts about no incident of ours. */
  doubled: number;
  /** Incidents that rang further phones although the first one meant to accept: too late for the deadline. */
  climbed: number;
  /** How the incidents stood in the end, by state. */
  states: Record<string, number>;
  /** Workflows that run. */
  workflows: number;
  /** Memory of all processes after it, and at most, MB. */
  memory: { now: number; most: number };
  /** Cores in use by the system while calls came. */
  cores: number;
  complaints: number;
}

/** A call as the bench follows it. */
export interface Followed {
  incidentId?: string;
  /** Epoch ms. */
  dueAt: number;
  ackedMs?: number;
  texts: { number: string; at: number; notice: string }[];
  acceptMs?: number;
  /** His tap was answered, or given up. */
  tapped?: boolean;
  warmUp: boolean;
}

/** How long the backlog of a run may take: more than a caller waits, so that nothing late is taken for lost. */
const DRAIN_LIMIT_MS = 300_000;
const ANSWER_LIMIT_MS = 60_000;
const LOOK_MS = 100;
const ACCEPT_EARLIEST_MS = 1_000;
const ACCEPT_LATEST_MS = 9_000;
const WARM_UP_RATE = 20;

/** Plain matters of patrol, grid and mediation, none of them dangerous: each rings exactly one phone. */
const MATTERS = [
  '楼上邻居晚上装修，声音太大，请来协调。',
  '有流动摊贩占道摆摊，行人走不过去。',
  '有车违停堵住车库，联系不上车主，请帮忙挪车。',
  '垃圾堆了几天没人清运，味道很大。',
  '井盖松动，路灯也不亮，晚上不安全。',
  '楼下广场舞音响扰民，老人睡不着。',
];

const placesSchema = z.object({
  features: z.array(
    z.object({ properties: z.object({ name: z.string(), names: z.array(z.string()).default([]) }) }),
  ),
});

/** A wall clock with fractions of a millisecond, in step with the clock of the processes beside us. */
const wallClock = () => {
  const lead = Date.now() - performance.now();
  return () => performance.now() + lead;
};

/** Bodies and signatures are made before the clock runs: the generator shares two cores with what it measures. */
const bodiesOf = (workplace: Workplace, plan: LoadPlan, count: number, tag: string): string[] => {
  const folder = join(workplace.directory, 'shared/districts', plan.district);
  const places = ['roads.geojson', 'grids.geojson'].flatMap((file) =>
    placesSchema
      .parse(JSON.parse(readFileSync(join(folder, file), 'utf8')))
      .features.flatMap(({ properties }) =>
        file.startsWith('roads') ? [properties.name] : properties.names,
      ),
  );
  return Array.from({ length: count }, (_, i) =>
    JSON.stringify({
      callNo: `BENCH-${tag}-${i}`,
      calledAt: new Date(Date.now() - 30_000).toISOString(),
      caller: { name: '样例来电人', phone: `1660000${String(i % 10_000).padStart(4, '0')}` },
      address: `${places[(i * 7) % places.length] ?? ''}${1 + (i % 98)}号`,
      content: MATTERS[i % MATTERS.length],
    }),
  );
};

const call = (
  agent: Agent,
  url: URL,
  options: { method: string; headers: Record<string, string>; body?: string },
): Promise<{ status: number; text: string }> =>
  new Promise((done, fail) => {
    const { method, headers, body } = options;
    const sent = request(
      {
        agent,
        method,
        host: url.hostname,
        port: url.port,
        path: url.pathname + url.search,
        headers:
          body === undefined ? headers : { ...headers, 'content-length': String(Buffer.byteLength(body)) },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (text += chunk));
        response.on('end', () => done({ status: response.statusCode ?? 0, text }));
        response.on('error', fail);
      },
    );
    sent.on('error', fail);
    sent.setTimeout(ANSWER_LIMIT_MS, () => sent.destroy(new Error('no answer in a minute')));
    sent.end(body);
  });

const textSchema = z.object({ id: z.int(), number: z.string(), at: z.int(), out_id: z.string() });
const acceptedSchema = z.object({ incidentId: z.string(), duplicate: z.boolean() });
const pageSchema = z.object({
  items: z.array(z.object({ id: z.string(), callNo: z.string(), state: z.string() })),
  next: z.string().nullable(),
});

/** Every incident that the desk can list. */
const listAll = async (agent: Agent, system: System) => {
  const items: z.infer<typeof pageSchema>['items'] = [];
  let before: string | null = null;
  do {
    const url = new URL(`${system.url}/api/incidents?limit=100`);
    if (before !== null) url.searchParams.set('before', before);
    const { status, text } = await patiently(() =>
      call(agent, url, { method: 'GET', headers: bearer(system, 'desk') }),
    );
    if (status !== 200) throw new Error(`The list of incidents answers ${status}: ${text.slice(0, 200)}`);
    const page: z.infer<typeof pageSchema> = pageSchema.parse(JSON.parse(text));
    items.push(...page.items);
    before = page.next;
  } while (before !== null);
  return items;
};

/** After a run that was too much the system may still be catching up: the count must not fail for that. */
const patiently = async (ask: () => Promise<{ status: number; text: string }>) => {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await ask();
    if (answer.status === 200 || attempt === 5) return answer;
    await pause(2_000);
  }
};

const bearer = (system: System, who: string): Record<string, string> => ({
  authorization: `Bearer ${system.tokens[who] ?? ''}`,
  'content-type': 'application/json',
});

/** Sends the calls and follows each of them to the end. */
export const runLoad = async (
  workplace: Workplace,
  system: System,
  plan: LoadPlan,
): Promise<LoadResult & { followed: Followed[] }> => {
  const warmRate = Math.min(plan.rate, WARM_UP_RATE);
  const warmCalls = Math.round(warmRate * plan.warmUp);
  const count = warmCalls + Math.round(plan.rate * plan.seconds);
  const bodies = bodiesOf(workplace, plan, count, `${Date.now()}`);
  const webhook = new Webhook(system.webhookSecret);
  const signedAt = new Date();
  const headers = bodies.map((body) => {
    const id = `msg_${randomUUID()}`;
    return {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(signedAt.getTime() / 1000)),
      'webhook-signature': webhook.sign(id, signedAt, body),
    };
  });

  const now = wallClock();
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  const door = new URL(`${system.url}/webhooks/110`);
  const memberByPhone = new Map(system.members.map((member) => [member.phone, member]));
  const byIncident = new Map<string, Followed>();
  const strays: { owner: string }[] = [];
  const early = new Map<string, Followed['texts']>();
  const refused: Record<string, number> = {};
  const refuse = (what: string) => (refused[what] = (refused[what] ?? 0) + 1);
  const running = new Set<Promise<void>>();
  const track = (work: Promise<void>) => {
    running.add(work);
    void work.finally(() => running.delete(work));
  };

  // What the vendor calls a text by is ours to read.
  const installation = await connectData(system.data);
  const vault = aesVault(await completeSecret(installation));
  installation.close();
  const begin = now() + 200;
  const dueOf = (i: number) =>
    begin +
    (i < warmCalls ? (i / warmRate) * 1000 : plan.warmUp * 1000 + ((i - warmCalls) / plan.rate) * 1000);
  const followed = bodies.map((_, i): Followed => ({ dueAt: dueOf(i), texts: [], warmUp: i < warmCalls }));

  const post = async (i: number) => {
    const one = followed[i];
    const body = bodies[i];
    const head = headers[i];
    if (!one || body === undefined || !head) return;
    try {
      const { status, text } = await call(agent, door, { method: 'POST', headers: head, body });
      if (status !== 202) {
        refuse(`call ${status}`);
        return;
      }
      one.ackedMs = now() - one.dueAt;
      const { incidentId } = acceptedSchema.parse(JSON.parse(text));
      one.incidentId = incidentId;
      if (byIncident.has(incidentId)) refuse('one incident for two calls');
      byIncident.set(incidentId, one);
      // The phone may have rung before our answer was read.
      for (const arrived of early.get(incidentId) ?? []) hear(one, incidentId, arrived);
      early.delete(incidentId);
    } catch (error) {
      refuse(`call: ${error instanceof Error ? error.message : String(error)}`);
    }
  };

  const tap = async (one: Followed, incidentId: string, number: string) => {
    const member = memberByPhone.get(number);
    if (!member) return;
    const wait = ACCEPT_EARLIEST_MS + Math.random() * (ACCEPT_LATEST_MS - ACCEPT_EARLIEST_MS);
    const meant = now() + wait;
    await pause(wait);
    try {
      const url = new URL(`${system.url}/api/incidents/${incidentId}/actions`);
      const answer = await call(agent, url, {
        method: 'POST',
        headers: bearer(system, member.id),
        body: '{"action":"accept"}',
      });
      if (answer.status === 200) one.acceptMs = now() - meant;
      else refuse(`accept ${answer.status}`);
    } catch (error) {
      refuse(`accept: ${error instanceof Error ? error.message : String(error)}`);
    }
    one.tapped = true;
  };

  const hear = (one: Followed, incidentId: string, text: Followed['texts'][number]) => {
    one.texts.push(text);
    if (plan.accept && one.texts.length === 1) track(tap(one, incidentId, text.number));
  };

  // The vendor's own record of what lies on the phones, stamped by the emulator when it took each text.
  const record = new DatabaseSync(join(system.data, 'phones.sqlite'), { readOnly: true });
  const fresh = record.prepare(
    'SELECT id, number, at, out_id FROM message WHERE state = 3 AND id > ? ORDER BY id',
  );
  let seen = 0;
  const look = () => {
    for (const row of fresh.all(seen)) {
      const { id, number, at, out_id: veiled } = textSchema.parse(row);
      seen = id;
      const outId = vault.unveil(veiled) ?? veiled;
      const [owner = '', notice = ''] = outId.split('.', 1).concat(outId.slice(outId.indexOf('.') + 1));
      const text = { number, at, notice: notice.slice(0, notice.lastIndexOf('.')) };
      const one = byIncident.get(owner);
      if (one) hear(one, owner, text);
      else if (owner.length === 26) early.set(owner, [...(early.get(owner) ?? []), text]);
      else strays.push({ owner });
    }
  };
  const looking = setInterval(look, LOOK_MS);

  const cpuBefore = system.cpuSeconds();
  for (let i = 0; i < count;) {
    const due = followed[i]?.dueAt ?? 0;
    const left = due - now();
    if (left > 0) {
      await pause(left);
      continue;
    }
    track(post(i));
    i += 1;
  }
  const end = now();
  const cores = (system.cpuSeconds() - cpuBefore) / ((end - begin) / 1000);
  await pause(LOOK_MS);

  const complete = () => {
    look();
    return [...byIncident.values()].every(
      (one) => one.texts.length > 0 && (!plan.accept || one.tapped === true),
    );
  };
  while (now() < end + DRAIN_LIMIT_MS && (running.size > 0 || !complete())) await pause(LOOK_MS);
  // A double would come after its original.
  await pause(1_000);
  await pause(Math.max(0, end + (plan.listenSeconds ?? 0) * 1000 - now()));
  look();
  clearInterval(looking);
  record.close();

  const all = [...byIncident.values()];
  const listed = await listAll(agent, system);
  const known = new Set(listed.map(({ id }) => id));
  const states: Record<string, number> = {};
  for (const { state } of listed) states[state] = (states[state] ?? 0) + 1;
  agent.destroy();
  const texts = all.flatMap((one) => one.texts.map(({ notice }) => ({ one, notice })));
  const notices = new Set(texts.map(({ one, notice }) => `${one.incidentId}.${notice}`));
  const timed = all.filter((one) => !one.warmUp);
  const phones = all.flatMap((one) => one.texts.slice(0, 1).map(({ at }) => at));
  return {
    rate: plan.rate,
    calls: count,
    ack: spreadOf(timed.flatMap((one) => one.ackedMs ?? [])),
    phone: spreadOf(timed.flatMap((one) => one.texts.slice(0, 1).map(({ at }) => at - one.dueAt))),
    accept: spreadOf(timed.flatMap((one) => one.acceptMs ?? [])),
    drainMs:
      phones.length < all.length || phones.length === 0
        ? Number.NaN
        : Math.max(0, phones.reduce((a, b) => Math.max(a, b)) - end),
    refused,
    lost: all.filter((one) => !known.has(one.incidentId ?? '') || one.texts.length === 0).length,
    doubled:
      new Map(listed.map((item) => [item.id, item])).size -
      new Set(listed.map((item) => item.callNo)).size +
      (texts.length - notices.size) +
      strays.length,
    climbed: all.filter((one) => new Set(one.texts.map((text) => text.notice)).size > 1).length,
    states,
    workflows: workflowsRunning(system),
    memory: system.memory(),
    cores,
    complaints: system.complaints().length,
    followed,
  };
};

const countSchema = z.object({ n: z.int() });

const workflowsRunning = (system: System): number => {
  const states = new DatabaseSync(join(system.data, 'states.db'), { readOnly: true });
  const { n } = countSchema.parse(
    states.prepare("SELECT count(*) AS n FROM executions WHERE status = 'RUNNING'").get(),
  );
  states.close();
  return n;
};
