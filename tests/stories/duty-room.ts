import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { randomUUID } from 'node:crypto';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { expect } from 'vitest';
import * as z from 'zod';
import { dynamoTable } from '#shared/adapters/dynamo-table.ts';
import { givenSecrets } from '#shared/adapters/secrets.ts';
import { tableStore } from '#shared/adapters/store.ts';
import { issueToken } from '#shared/adapters/tokens.ts';
import { verifyChains } from '#shared/adapters/trail-chain.ts';
import { loadTexts } from '#shared/districts/load.ts';
import type { Action } from '#shared/domain/moves.ts';
import type { Member, Role } from '#shared/domain/roster.ts';
import { noticeKindSchema, type NoticeKind } from '#shared/domain/notice-kind.ts';
import type { Metric } from '#shared/ports/log.ts';
import { ownerOf, type Store } from '#shared/ports/store.ts';
import type { DistrictSecret } from '#shared/contracts/secret.ts';
import type { Cloud } from '../../infra/local/cloud.ts';
import type { Phones } from '../../infra/local/phones/phones.ts';
import { giveBack, stopMachine, takeMachine, type Machine, type MachineOptions } from './machine.ts';

/** A text that rang: who, what kind of notice, and seconds after the story's beginning. */
export type Ring = readonly [who: string, kind: NoticeKind, second: number];

/** What stories look at in an answer of the API; whatever else it says stays in it. */
const bodySchema = z.looseObject({
  error: z
    .object({
      code: z.string(),
      message: z.string(),
      details: z.array(z.looseObject({ field: z.string(), message: z.string() })),
    })
    .optional(),
  incidentId: z.string().optional(),
  duplicate: z.boolean().optional(),
  incident: z
    .looseObject({
      id: z.string(),
      state: z.string(),
      assignees: z.array(z.string()),
      deadlines: z.record(z.string(), z.string()),
      done: z.record(z.string(), z.string()),
      location: z.object({ lng: z.number(), lat: z.number() }).optional(),
    })
    .optional(),
  trail: z
    .array(
      z.looseObject({
        at: z.string(),
        kind: z.string(),
        by: z.string(),
        rung: z.string().optional(),
        whom: z.string().optional(),
      }),
    )
    .optional(),
  plan: z.array(z.looseObject({ at: z.string(), what: z.string(), whom: z.array(z.string()) })).optional(),
  items: z.array(z.record(z.string(), z.unknown())).optional(),
  role: z.string().optional(),
  lead: z.string().optional(),
});

/** An answer of the API. */
export interface Answer {
  status: number;
  body: z.infer<typeof bodySchema>;
}

/** A quiet Wednesday, ten in the morning in Beijing; every story begins here or whole weeks later unless it says otherwise. */
export const MORNING = Date.parse('2026-03-04T02:00:00.000Z');

/** Somebody of the story's roster; always on shift unless told otherwise. */
export const person = (id: string, role: Role = 'member', more: Partial<Member> = {}): Member => ({
  id: id.toLowerCase(),
  name: `样例${id}`,
  phone: `1990000${String(1000 + (Array.from(id).reduce((sum, c) => sum * 31 + c.charCodeAt(0), 7) % 9000))}`,
  role,
  squad: 'story',
  team: 'story',
  shifts: [],
  grids: [],
  roads: [],
  ...more,
});

/** The usual cast of a story: three members, their leader, a duty officer, a street leader. */
export const CAST = (squad: string, team: string): Member[] =>
  (
    [
      ['A', 'member'],
      ['B', 'member'],
      ['C', 'member'],
      ['Leader', 'leader'],
      ['Duty', 'duty'],
      ['Street', 'street'],
    ] as const
  ).map(([id, role]) => person(id, role, { squad, team }));

const KINDS = Object.entries(loadTexts().templates).flatMap(([kind, { text, chat, voice }]) =>
  [text, chat, voice].flatMap((words) =>
    words === undefined
      ? []
      : [
          {
            kind: noticeKindSchema.parse(kind),
            pattern: new RegExp(
              `^${words.replace(/[.*+?^()|[\]\\]/g, '\\$&').replace(/\$\{\w+\}/g, '.+?')}$`,
              'u',
            ),
          },
        ],
  ),
);

/** What kind of notice a phone shows, whichever channel it came by: signed text, card or spoken words. */
export const kindOf = (shown: string): NoticeKind => {
  const words = [shown.replace(/^【[^】]+】/, ''), ...shown.split('\n')].map((line) =>
    // DingTalk takes equal words once a day: the adapter adds the time. SNS has no place of its own for a link.
    line.replace(/（\d\d:\d\d:\d\d）$| https:\S+$/, ''),
  );
  const found = KINDS.find(({ pattern }) => words.some((line) => pattern.test(line)));
  if (!found) throw new Error(`A phone shows a text of no known kind: ${shown}`);
  return found.kind;
};

const countsSchema = z.record(z.string(), z.unknown());

/** How long each log of a machine's functions is. */
const lengthsOf = (data: string): Map<string, number> =>
  new Map(
    readdirSync(join(data, 'logs')).map((name) => {
      const file = join(data, 'logs', name);
      return [file, statSync(file).size];
    }),
  );

/** How often the functions of a machine have counted something since their logs were so long. */
const countedIn = (data: string, before: ReadonlyMap<string, number>, metric: Metric): number => {
  let sum = 0;
  for (const file of lengthsOf(data).keys())
    for (const line of readFileSync(file).subarray(before.get(file)).toString('utf8').split('\n'))
      if (line.startsWith('{"_aws"')) {
        const n = countsSchema.parse(JSON.parse(line))[metric];
        if (typeof n === 'number') sum += n;
      }
  return sum;
};

/**
 * A duty room with the synthesized stack, phones and a clock that jumps. Every text that rings must be expected:
 * `leave` fails on one that nobody asked about.
 */
export class DutyRoom {
  readonly cloud: Cloud;
  readonly phones: Phones;
  readonly store: Store;
  readonly secret: DistrictSecret;
  readonly district: string;
  /** When the story begins: as asked for, or whole weeks later. */
  readonly begin: number;
  readonly #machine: Machine;
  readonly #table: DynamoDBClient;
  #roster: readonly Member[];
  #seen: number;
  #calls = 0;
  /** How long the functions' logs were before the story. */
  readonly #logs: ReadonlyMap<string, number>;

  private constructor(
    machine: Machine,
    parts: { table: DynamoDBClient; begin: number; roster: readonly Member[] },
  ) {
    this.#machine = machine;
    this.#table = parts.table;
    this.cloud = machine.cloud;
    this.phones = machine.phones;
    this.secret = machine.secret;
    this.district = machine.options.district;
    this.store = tableStore(dynamoTable(parts.table, machine.cloud.table.name), givenSecrets(machine.secret));
    this.begin = parts.begin;
    this.#roster = parts.roster;
    this.#seen = machine.seen;
    this.#logs = lengthsOf(machine.data);
  }

  /** Opens a duty room; with `data` of an earlier one it goes on where that one stopped. */
  static async open({
    begin = MORNING,
    now = begin,
    roster,
    ...options
  }: Omit<MachineOptions, 'now'> & {
    roster: readonly Member[];
    begin?: number;
    now?: number;
  }): Promise<DutyRoom> {
    const machine = await takeMachine({ ...options, now });
    const { cloud } = machine;
    const table = new DynamoDBClient({
      endpoint: cloud.table.endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'story', secretAccessKey: 'story' },
    });
    const room = new DutyRoom(machine, {
      table,
      begin: options.data === undefined ? cloud.clock.now() - (now - begin) : begin,
      roster,
    });
    if (options.data === undefined && roster.length > 0) await room.store.saveRoster(roster, room.begin);
    return room;
  }

  /** Jumps to so many seconds after the beginning, stopping at everything that is due. */
  async at(seconds: number, options?: { passes?: number }): Promise<void> {
    await this.cloud.advance(this.begin + seconds * 1000, options);
  }

  /** What 110 tells of a call; every one is another call unless `body` says otherwise. */
  report(body: Record<string, unknown> = {}): Record<string, unknown> {
    this.#calls += 1;
    return {
      callNo: `STORY-${this.#calls}`,
      calledAt: new Date(this.cloud.clock.now() - 30_000).toISOString(),
      caller: { name: '样例来电人', phone: '16600001234' },
      address: '样例路1号',
      content: '楼上邻居晚上装修，声音太大，请来协调。',
      ...body,
    };
  }

  /** 110 posts a call, signed. */
  async call(body: Record<string, unknown> = {}): Promise<Answer> {
    const answer = await this.post(this.report(body));
    await this.cloud.settle();
    return answer;
  }

  /** Posts any body, signed now with the district's key, without waiting for what follows. */
  async post(body: unknown, path = '/webhooks/110'): Promise<Answer> {
    const raw = typeof body === 'string' ? body : JSON.stringify(body);
    return this.send(path, { method: 'POST', headers: this.signed(raw), body: raw });
  }

  /** Headers of a signed message; `key`: default the district's current one, `late`: seconds since it was signed. */
  signed(
    raw: string,
    { key = this.secret.webhookKeys[0] ?? '', late = 0 }: { key?: string; late?: number } = {},
  ): Record<string, string> {
    const at = new Date(this.cloud.clock.now() - late * 1000);
    const id = `msg_${randomUUID()}`;
    return {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      'webhook-signature': new Webhook(key).sign(id, at, raw),
    };
  }

  /** Somebody acts, with his own token; `desk` is the desk. Everything that follows has happened when this returns. */
  async act(
    who: string,
    id: string,
    action: Action,
    more: Record<string, unknown> = {},
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const answer = await this.tap(who, id, action, more, headers);
    await this.cloud.settle();
    return answer;
  }

  /** Like `act`, but without waiting for what follows: for things that happen at once. */
  async tap(
    who: string,
    id: string,
    action: Action,
    more: Record<string, unknown> = {},
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    return this.send(`/api/incidents/${id}/actions`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${await this.token(who)}`,
        ...headers,
      },
      body: JSON.stringify({ action, ...more }),
    });
  }

  /** Reads as somebody; default the desk. */
  async get(path: string, who = 'desk'): Promise<Answer> {
    const answer = await this.send(path, { headers: { authorization: `Bearer ${await this.token(who)}` } });
    await this.cloud.settle();
    return answer;
  }

  /** The incident as the desk sees it. */
  async incident(id: string): Promise<Required<Pick<Answer['body'], 'incident' | 'trail' | 'plan'>>> {
    const { body } = await this.get(`/api/incidents/${id}`);
    if (!body.incident || !body.trail || !body.plan)
      throw new Error(`The desk cannot see ${id}: ${JSON.stringify(body)}`);
    return { incident: body.incident, trail: body.trail, plan: body.plan };
  }

  /** A token as `npm run token` issues it, by default of this district. */
  async token(who: string, more: { district?: string; hours?: number } = {}): Promise<string> {
    const desk = who === 'desk' || this.#roster.find((one) => one.id === who)?.role === 'duty';
    return issueToken(
      this.secret,
      { sub: who, role: desk ? 'desk' : 'member', district: this.district, hours: 12, ...more },
      { now: () => new Date(this.cloud.clock.now()) },
    );
  }

  /** Whose number or user id this is. */
  #who(number: string): string {
    const found = this.#roster.find((one) => [one.phone, one.wecom, one.dingtalk].includes(number));
    return found?.id ?? number;
  }

  /** Everything that has come to the phones since the machine was taken, in order of time. */
  messages(): ReturnType<Phones['messages']> {
    return this.phones.messages().slice(this.#machine.seen);
  }

  /** What rang since the last look, in order of time, then name, with the vendor who brought it. */
  channels(): [who: string, vendor: string, kind: NoticeKind, second: number][] {
    const fresh = this.phones.messages().slice(this.#seen);
    this.#seen += fresh.length;
    return fresh
      .map(({ number, vendor, text, at }): [string, string, NoticeKind, number] => [
        this.#who(number),
        vendor,
        kindOf(text),
        (Date.parse(at) - this.begin) / 1000,
      ])
      .toSorted(([a, , , at], [b, , , bt]) => at - bt || a.localeCompare(b));
  }

  /** What rang since the last look, in order of time, then name. */
  rang(): Ring[] {
    const fresh = this.phones.messages().slice(this.#seen);
    this.#seen += fresh.length;
    return fresh
      .filter(({ vendor }) => vendor !== 'back-110')
      .map(({ number, at, text }): Ring => {
        const who = this.#who(number);
        return [who, kindOf(text), (Date.parse(at) - this.begin) / 1000];
      })
      .sort((a, b) => a[2] - b[2] || (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : a[1] < b[1] ? -1 : 1));
  }

  /** Exactly these rang since the last look, each within a second after its time, and nothing else did. */
  expectRings(...expected: Ring[]): void {
    const rang = this.rang();
    const shown = (ring: Ring): string => `${ring[0]} ${ring[1]} @${ring[2]}`;
    const matched = rang.map((ring, i) => {
      const want = expected[i];
      const fits =
        want && want[0] === ring[0] && want[1] === ring[1] && ring[2] >= want[2] && ring[2] <= want[2] + 1;
      return fits ? shown(want) : shown(ring);
    });
    expect(matched).toEqual(expected.map(shown));
  }

  async loadRoster(members: readonly Member[]): Promise<void> {
    this.#roster = members;
    await this.store.saveRoster(members, this.cloud.clock.now());
  }

  /** Plays a failure of the vendor, as a person would who tries the system out. */
  async vendor(
    mode: 'refuse' | 'timeout' | 'silent' | 'none',
    more: {
      vendor?: string;
      count?: number;
      recorded?: boolean;
      number?: string;
      action?: string;
      code?: string;
    } = {},
  ): Promise<void> {
    const { status } = await fetch(`${this.phones.url}/faults`, {
      method: 'POST',
      body: JSON.stringify({ vendor: 'aliyun-sms', mode, ...more }),
    });
    expect(status).toBe(200);
  }

  /** How often the functions have counted something that an alarm or the dashboard watches. */
  counted(metric: Metric): number {
    return countedIn(this.#machine.data, this.#logs, metric);
  }

  /** Resolves when the next text has come to a phone: for what waits in real time, such as a vendor's refusal. */
  nextRing(): Promise<void> {
    return new Promise((resolve) => {
      const stop = this.phones.onMessage(() => {
        stop();
        resolve();
      });
    });
  }

  /** Every incident of the story, and what is wrong with its trail: changed, missing or foreign lines. */
  async #faults(): Promise<string[]> {
    const faults: string[] = [];
    for (let before: string | undefined; ;) {
      const page = await this.store.list({
        now: this.cloud.clock.now(),
        limit: 100,
        ...(before === undefined ? {} : { before }),
      });
      for (const { id, trail } of page.items) {
        const owner = ownerOf(id);
        const [lines, notices] = await Promise.all([this.store.lines(id), this.store.notices(owner)]);
        const heads = Object.fromEntries([
          ['main', trail],
          ...notices.filter((row) => row.trail.seq > 0).map((row) => [row.notice.id, row.trail] as const),
        ]);
        const stored = lines.map((line) => line.stored);
        faults.push(...verifyChains(owner, stored, heads).map((f) => `${id} ${f.chain}: ${f.sentence}`));
      }
      before = page.next;
      if (before === undefined) return faults;
    }
  }

  /** Ends the day: nothing rang unexpectedly, nothing lies in a dead-letter queue, and every trail is whole. */
  async leave(options: { dead?: number } = {}): Promise<void> {
    await this.cloud.settle();
    const rang = this.rang();
    const faults = await this.#faults();
    const dead = ['ReportsQueue', 'LinksQueue', 'AlertsQueue', 'ChatterQueue', 'SweepsQueue'].map(
      (name) => this.cloud.queue(name).dead,
    );
    expect(rang).toEqual([]);
    expect(faults).toEqual([]);
    expect(dead.reduce((sum, n) => sum + n, 0)).toBe(options.dead ?? 0);
    this.#table.destroy();
    await giveBack(this.#machine);
  }

  /** Stops the machine and keeps its data; `open` with them goes on. */
  async close(): Promise<string> {
    this.#table.destroy();
    await stopMachine(this.#machine);
    return this.#machine.data;
  }

  /** Any request, as it is. */
  async send(path: string, init: RequestInit): Promise<Answer> {
    const response = await fetch(`${this.cloud.url}${path}`, init);
    const text = await response.text();
    return { status: response.status, body: bodySchema.parse(text === '' ? {} : JSON.parse(text)) };
  }
}
