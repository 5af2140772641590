import { listLog } from '#shared/adapters/log.ts';
import { memoryTable } from '#shared/adapters/memory-table.ts';
import { tableMemos } from '#shared/adapters/memos.ts';
import { tablePushDevices } from '#shared/adapters/push-devices.ts';
import { givenSecrets } from '#shared/adapters/secrets.ts';
import { attemptIdOf, tableStore } from '#shared/adapters/store.ts';
import { verifyChains } from '#shared/adapters/trail-chain.ts';
import { loadTexts, loadVendors } from '#shared/districts/load.ts';
import { loadRelations } from '#shared/districts/load-relations.ts';
import { isCanary } from '#shared/domain/canary.ts';
import type { Vendor } from '#shared/domain/channel.ts';
import type { Request } from '#shared/domain/act.ts';
import type { Incident, Instant } from '#shared/domain/incident.ts';
import type { Rung } from '#shared/domain/rung.ts';
import type { LinkJob, NoticeJob, ReportJob } from '#shared/ports/queue.ts';
import type {
  AskRequest,
  AskResult,
  SendRequest,
  SendResult,
  Sender,
  Senders,
} from '#shared/ports/sender.ts';
import { ownerOf, type Content, type NoticeRow } from '#shared/ports/store.ts';
import type { Item, Table } from '#shared/ports/table.ts';
import { classifyIncident } from '../../functions/classification/classification.ts';
import { escalateIncident, type Onward } from '../../functions/escalation/escalation.ts';
import { link } from '../../functions/linking/linking.ts';
import { Overheard } from '../../functions/linking/overheard.ts';
import { deliver } from '../../functions/notification/notification.ts';
import { reconcile, type Restored } from '../../functions/reconcile/reconcile.ts';
import { respond, type Responded } from '../../functions/response/response.ts';
import { CONTENT, SECRET, T0, anIncident } from '../adapters/fixtures.ts';
import { staffed } from '../domain/sample-district.ts';

/** Where the sample incident is: words of the first road of the district, so that its crew is found. */
const ORDINARY = '楼上邻居半夜装修，声音太大，孩子睡不着，请来协调一下。';

/**
 * A street office on a table in memory, with a clock that stands still until it is moved, and doubles of what lies outside:
 * queues that only remember, a vendor that says what it is told to, a workflow that runs unless it is lost.
 */
export class Office {
  time: Instant = T0;
  readonly clock = { now: () => new Date(this.time) };
  readonly log = listLog();
  readonly items = new Map<string, { pk: string; sk: string }>();
  readonly table: Table;
  readonly store;
  readonly district;
  readonly members;

  /** What was put into the queues since somebody looked. */
  sent: {
    reports: ReportJob[];
    links: LinkJob[];
    notices: (NoticeJob & { delay: number })[];
    sweeps: number[];
  } = {
    reports: [],
    links: [],
    notices: [],
    sweeps: [],
  };
  /** Queues that take nothing at the moment. */
  broken = new Set<'reports' | 'links' | 'notices' | 'sweeps' | 'start' | 'wake' | 'runs'>();
  /** Executions by name, as long as they run. */
  readonly running = new Set<string>();
  /** What the workflow was told, in order. */
  told: string[] = [];
  late = false;
  /** What the vendor answers next; by default it takes everything. */
  script: { send: SendResult[]; ask: AskResult[] } = { send: [], ask: [] };
  readonly sends: SendRequest[] = [];
  readonly asks: AskRequest[] = [];
  /** The vendors called, in order. */
  readonly called: Vendor[] = [];
  /** The vendors that are configured; each answers by the one script, in order of the calls. */
  configured: Vendor[] = ['aliyun-sms'];
  readonly vendors = structuredClone(loadVendors());
  /** Called in the middle of every call of the vendor. */
  meanwhile: () => Promise<unknown> = async () => {};
  /** Called between a decision and its commit, once for each entry. */
  races: (() => Promise<unknown>)[] = [];
  readonly backoffs: number[] = [];

  constructor(district = 'xiaohe') {
    const table = memoryTable();
    this.table = {
      ...table,
      write: async (writes) => {
        for (const write of writes) {
          const { pk, sk } = 'put' in write ? write.put : 'patch' in write ? write.patch : { pk: '', sk: '' };
          if (pk) this.items.set(`${pk}\n${sk}`, { pk, sk });
        }
        return table.write(writes);
      },
    };
    const store = tableStore(this.table, givenSecrets(SECRET));
    this.memos = tableMemos(this.table);
    this.pushDevices = tablePushDevices(this.table, givenSecrets(SECRET));
    this.store = {
      ...store,
      commit: async (...args: Parameters<typeof store.commit>) => {
        await this.races.shift()?.();
        return store.commit(...args);
      },
    };
    ({ district: this.district, members: this.members } = staffed(district));
  }

  static async open(district?: string): Promise<Office> {
    const office = new Office(district);
    await office.store.saveRoster(office.members, T0 - 86_400_000);
    return office;
  }

  #pass(what: 'reports' | 'links' | 'notices' | 'sweeps' | 'start' | 'wake' | 'runs'): void {
    if (this.broken.has(what)) throw new Error(`sample outage: ${what}`);
  }

  readonly queues = {
    reports: async (jobs: readonly ReportJob[]) => {
      this.#pass('reports');
      this.sent.reports.push(...jobs);
    },
    links: async (jobs: readonly LinkJob[]) => {
      this.#pass('links');
      this.sent.links.push(...jobs);
    },
    notices: async (jobs: readonly NoticeJob[], delay = 0) => {
      this.#pass('notices');
      this.sent.notices.push(...jobs.map((job) => ({ ...job, delay })));
    },
    sweeps: async (delays: readonly number[]) => {
      this.#pass('sweeps');
      this.sent.sweeps.push(...delays);
    },
  };

  readonly workflow = {
    start: async ({ id, round }: Pick<Incident, 'id' | 'round'>) => {
      this.#pass('start');
      this.running.add(`${id}-${round}`);
      this.told.push(`start ${round}`);
    },
    finished: async (token: string, due: Partial<Record<Rung, Instant>>) => {
      this.#pass('wake');
      this.told.push(`finished ${token} ${Object.keys(due).join(',')}`);
      return this.late ? ('late' as const) : ('woken' as const);
    },
    rearm: async (token: string) => {
      this.#pass('wake');
      this.told.push(`rearm ${token}`);
      return this.late ? ('late' as const) : ('woken' as const);
    },
    runs: async ({ id, round }: Pick<Incident, 'id' | 'round'>) => {
      this.#pass('runs');
      return this.running.has(`${id}-${round}`);
    },
  };

  readonly senders = async (): Promise<Senders> =>
    Object.fromEntries(this.configured.map((vendor) => [vendor, this.#sender(vendor)]));

  /** Vendors get our names veiled: what they got is remembered as what it means, and nothing may come unveiled. */
  readonly #plain = async ({ attemptId }: Pick<SendRequest, 'attemptId'>): Promise<string> =>
    isCanary(attemptId)
      ? attemptId
      : ((await this.secrets.vault()).unveil(attemptId) ?? `unveiled: ${attemptId}`);

  readonly #sender = (vendor: Vendor): Sender => ({
    send: async (request: SendRequest): Promise<SendResult> => {
      this.called.push(vendor);
      this.sends.push({ ...request, attemptId: await this.#plain(request) });
      const result = this.script.send.shift();
      await this.meanwhile();
      return result ?? { kind: 'accepted', vendorId: `v-${this.sends.length}` };
    },
    ask: async (request: AskRequest): Promise<AskResult> => {
      this.asks.push({ ...request, attemptId: await this.#plain(request) });
      return this.script.ask.shift() ?? { kind: 'no-answer' };
    },
  });

  readonly memos;
  readonly secrets = givenSecrets(SECRET);
  readonly pushDevices;
  readonly texts = loadTexts();
  readonly merging = loadRelations().merging;
  readonly repeating = loadRelations().repeating;
  readonly overheard = new Overheard();
  readonly attemptId = attemptIdOf;
  readonly backoff = async (attempt: number): Promise<void> => void this.backoffs.push(attempt);

  /** Takes in a call at this moment; it is not classified yet. */
  async receives(words: Partial<Content> = {}): Promise<string> {
    const incident = anIncident({ receivedAt: this.time, mode: this.district.mode });
    const content = {
      ...CONTENT,
      content: ORDINARY,
      ...words,
      callNo: incident.callNo,
      receivedAt: this.time,
    };
    await this.store.create(incident, content, [{ at: this.time, kind: 'received', by: '110' }]);
    return incident.id;
  }

  /** Takes in a call and classifies it; the queues are looked at, so that a test sees what it does itself. */
  async asks110(words: Partial<Content> = {}): Promise<string> {
    const id = await this.receives(words);
    await classifyIncident(this, id);
    this.looked();
    return id;
  }

  /** Takes in a call, classifies it, and looks at other calls, as the functions do. */
  async hears(words: Partial<Content> = {}): Promise<string> {
    const id = await this.asks110(words);
    await link(this, id);
    return id;
  }

  classify(id: string): Promise<void> {
    return classifyIncident(this, id);
  }

  deliver(owner: string, noticeId: string): Promise<void> {
    return deliver(this, { owner, noticeId });
  }

  /** Everything that the queue holds now is delivered, later additions too, delays passing at once. */
  async deliverAll(): Promise<void> {
    for (let job = this.sent.notices.shift(); job; job = this.sent.notices.shift()) {
      this.time += job.delay * 1000;
      await this.deliver(job.owner, job.noticeId);
    }
  }

  escalate(id: string, round = 1): Promise<Onward> {
    return escalateIncident(this, { incidentId: id, round });
  }

  /** One pass of reconcile at this moment. */
  sweep(): Promise<Restored> {
    return reconcile(this);
  }

  does(who: string, id: string, request: Request, key?: string): Promise<Responded> {
    const kind = this.members.find((member) => member.id === who)?.role === 'duty' ? 'desk' : 'member';
    return respond(this, id, { kind, id: who }, request, key);
  }

  async incident(id: string): Promise<Incident> {
    const loaded = await this.store.load(id);
    if (!loaded) throw new Error(`There is no incident ${id}.`);
    return loaded.incident;
  }

  /** The people asked, in the order in which they were. */
  async asked(id: string): Promise<string[]> {
    return (await this.incident(id)).people.flatMap((person) =>
      person.asked === undefined ? [] : [person.id],
    );
  }

  /** The notice of one person, the first of its kind. */
  async notice(id: string, to: string, kind?: string): Promise<NoticeRow> {
    const rows = await this.store.notices(ownerOf(id));
    const row = rows.find(({ notice }) => notice.to === to && (kind === undefined || notice.kind === kind));
    if (!row) throw new Error(`${to} has no ${kind ?? 'notice'} of ${id}.`);
    return row;
  }

  /** Kinds of all trail lines of the main chain. */
  async trail(id: string): Promise<string[]> {
    return (await this.store.lines(id)).flatMap(({ stored }) =>
      stored.chain === 'main' ? [stored.kind] : [],
    );
  }

  /** What is wrong with the chains of an incident; always nothing. */
  async faults(id: string): Promise<unknown[]> {
    const heads = { main: (await this.incident(id)).trail };
    const rows = await this.store.notices(ownerOf(id));
    for (const { notice, trail } of rows) Object.assign(heads, { [notice.id]: trail });
    return verifyChains(
      ownerOf(id),
      (await this.store.lines(id)).map(({ stored }) => stored),
      heads,
    );
  }

  /** The workflow parks its token, under its own condition. */
  async parks(id: string, token: string, rung: Rung, round = 1): Promise<void> {
    await this.table.write([
      {
        patch: { pk: ownerOf(id), sk: 'INCIDENT' },
        set: { wakeToken: token, wakeRung: rung },
        if: { equals: { round } },
      },
    ]);
  }

  /** Everything in the table. */
  all(): Promise<Item[]> {
    return this.table.getMany([...this.items.values()]);
  }

  /** What came since the last look: jobs and what the workflow was told. */
  looked(): { sent: Office['sent']; told: string[] } {
    const { sent, told } = this;
    this.sent = { reports: [], links: [], notices: [], sweeps: [] };
    this.told = [];
    return { sent, told };
  }
}
