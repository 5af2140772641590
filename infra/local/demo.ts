/**
 * The demo on real input: 110 posts the incidents that the documents tell, members answer as told there, and the terminal
 * shows what happens. A client like any other: it knows the HTTP API and the texts on the phones, nothing else.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { Webhook } from 'standardwebhooks';
import * as z from 'zod';
import {
  actionBodySchema,
  incidentBodySchema,
  incidentSummarySchema,
  pageOf,
  receivedSchema,
  type IncidentBody,
  type IncidentView,
} from '#shared/contracts/views.ts';
import { loadDistrict, loadTexts } from '#shared/districts/load.ts';
import { isDangerous } from '#shared/domain/classification.ts';
import type { Clock } from './clock.ts';
import { callOf, loadStories, type Answer, type Step, type Story } from './demo/script.ts';
import { inWords, padded, painter, shortened, span, table, wallClock, type Tone } from './demo/timeline.ts';
import type { PhoneMessage, Phones } from './phones/phones.ts';

/** What the demo needs of the running system: what `ready.json` holds, the phones, the clock. */
export interface DemoOptions {
  url: string;
  phones: Pick<Phones, 'onMessage' | 'url'>;
  ready: {
    district: string;
    webhookSecret: string;
    tokens: Readonly<Record<string, string>>;
    members: readonly { id: string; name: string; role: string; phone: string }[];
  };
  clock: Pick<Clock, 'now' | 'at'>;
  log: (line: string) => void;
  /** How fast the clock may run, for the opening words only. Default 1. */
  speed?: number;
  /** Paint the lines; only where a person looks at a terminal. */
  colour?: boolean;
}

/** How one incident of the demo ended. */
export interface DemoResult {
  story: string;
  incidentId: string | undefined;
  /** Undefined: 110 could not post it. */
  state: IncidentView['state'] | undefined;
  over: boolean;
}

/** A running demo. */
export interface Demo {
  /** Requests under way; with `idle` a neighbour that `settle()` of a frozen system can wait for. */
  inFlight(): number;
  idle(): Promise<void>;
  /** Resolves when every story is over or the scripted day is, after the closing table; after `stop` as well. */
  done: Promise<DemoResult[]>;
  /** Says no more and does no more, at once. */
  stop(): void;
}

/** Call numbers of the demo begin so, and of nobody else. */
const CALL_PREFIX = 'SAMPLE-';
/** When the closing table comes at the latest, seconds after the last call. */
const DAY_SECONDS = 8 * 3600;
/** People do not tap twice within so many seconds. */
const BREATH_MS = 6_000;

const ROLES: Record<string, string> = {
  member: '队员',
  leader: '班组长',
  duty: '值班员',
  street: '街道领导',
};
const DISPOSITIONS: Record<string, string> = {
  police: '警务',
  joint: '联合处置',
  'non-police': '非警务',
  consult: '咨询',
};
const OUTCOMES: Record<string, string> = {
  solved: '已解决',
  by_phone: '电话办结',
  unfounded: '不属实',
  not_ours: '不归我们办',
  cancelled: '已撤销',
  handed_on: '已移交',
};
const STATES: Record<IncidentView['state'], string> = {
  received: '已接收',
  asking: '待接单',
  unanswered: '无人应答',
  accepted: '已接单',
  onsite: '已到场',
  paused: '已暂停',
  joined: '已并案',
  closed: '已办结，待回访',
  finished: '已回访',
  returned: '已退回110',
};
const VERBS: Record<string, string> = {
  accept: '接单',
  decline: '退单',
  depart: '出发',
  contact: '联系当事人',
  arrive: '到场',
  reinforce: '请求增援',
  feedback: '反馈',
  close: '办结',
  revisit: '回访',
  reassign: '改派',
  pause: '暂停计时',
  resume: '恢复计时',
  handback: '确认退回110',
  note: '备注',
};

const errorSchema = z.object({ error: z.object({ message: z.string() }) });

/** One story as it is being played. */
interface Play {
  story: Story;
  callNo: string;
  id?: string;
  receivedAt: number;
  view?: IncidentView;
  /** Who was asked, in the order in which phones rang. */
  asked: string[];
  helpers: string[];
  calledIn: number;
  reassignedTo?: string;
  declined: boolean;
  pausedUntil?: string;
  pending: Step[];
  over: boolean;
  /** One thing after the other, so that the timeline reads in order. */
  turn: Promise<void>;
}

/** A text as its words tell it. */
interface Heard {
  kind: string;
  said: Record<string, string>;
}

interface Tap {
  by: string;
  action: string;
  step?: Step | undefined;
  more?: Record<string, unknown>;
}

/** Starts the demo and returns at once. */
export function startDemo(options: DemoOptions): Demo {
  const { url, phones, ready, clock, log, speed = 1 } = options;
  const paint = painter(options.colour ?? false);
  const district = loadDistrict(ready.district);
  const texts = loadTexts();
  const kinds = Object.entries(texts.templates).map(([kind, { text }]) => ({
    kind,
    pattern: patternOf(text),
  }));
  const byPhone = new Map(ready.members.map((member) => [member.phone, member]));
  const byId = new Map(ready.members.map((member) => [member.id, member]));
  const begin = clock.now();
  const plays = loadStories().map((story): Play => ({
    story,
    // The millisecond keeps the calls of every start apart.
    callNo: `${CALL_PREFIX}${begin}-${story.id}`,
    receivedAt: begin + story.at * 1000,
    asked: [],
    helpers: [],
    calledIn: 0,
    declined: false,
    pending: [...story.steps],
    over: false,
    turn: Promise.resolve(),
  }));
  const byNumber = new Map<string, Play>();
  /** Texts about incidents whose 202 is still on its way to us: a phone may be faster than the answer. */
  let early: PhoneMessage[] = [];
  let rings = 0;
  const ended = new AbortController();
  const finished = Promise.withResolvers<DemoResult[]>();
  const timers = new Set<() => void>();
  let busy = 0;
  let waiting: (() => void)[] = [];

  const run = (work: () => Promise<void>, what: string): Promise<void> => {
    busy += 1;
    return work()
      .catch((error: unknown) => {
        if (!ended.signal.aborted)
          say('quiet', clock.now(), undefined, `演示没能做到“${what}”：${reasonOf(error)}`);
      })
      .finally(() => {
        busy -= 1;
        if (busy === 0) for (const wake of waiting.splice(0)) wake();
      });
  };
  /** In the order of one story; nothing of it runs after the end. */
  const inTurn = (play: Play, what: string, work: () => Promise<void>): void => {
    play.turn = run(async () => {
      await play.turn;
      if (!ended.signal.aborted) await work();
    }, `${play.story.title}：${what}`);
  };
  const at = (instant: number, fire: () => void): void => {
    if (ended.signal.aborted) return;
    const cancel = clock.at(instant, () => {
      timers.delete(cancel);
      if (!ended.signal.aborted) fire();
    });
    timers.add(cancel);
  };

  // ── the terminal ──────────────────────────────────────────────────────────────────────────────────────────────
  const write = (line: string): void => {
    if (!ended.signal.aborted) log(line);
  };
  const say = (tone: Tone, when: number, play: Play | undefined, text: string): void => {
    const number = play?.id?.slice(-6) ?? '------';
    const passed = play ? `+${span(when - play.receivedAt)}` : '';
    write(
      `${wallClock(when)}  ${number}  ${padded(play?.story.title ?? '', 14)}  ${padded(passed, 8)}  ${paint(tone, text)}`,
    );
  };
  const person = (id: string): string => {
    const member = byId.get(id);
    return member ? `${ROLES[member.role] ?? member.role} ${member.name}` : id === 'desk' ? '值班台' : id;
  };

  // ── the API ───────────────────────────────────────────────────────────────────────────────────────────────────
  const request = async (path: string, init: RequestInit): Promise<{ status: number; body: unknown }> => {
    for (let tries = 1; ; tries += 1) {
      try {
        const response = await fetch(`${url}${path}`, { ...init, signal: ended.signal });
        const text = await response.text();
        if ((response.status < 500 && response.status !== 429) || tries === 4)
          return { status: response.status, body: text === '' ? undefined : (JSON.parse(text) as unknown) };
      } catch (error) {
        if (ended.signal.aborted || tries === 4) throw error;
      }
      await wait(200 * tries, undefined, { signal: ended.signal });
    }
  };
  const authorised = (id: string): Record<string, string> => ({
    authorization: `Bearer ${ready.tokens[id] ?? ''}`,
    'content-type': 'application/json',
  });
  const look = async (play: Play): Promise<IncidentBody> => {
    const { status, body } = await request(`/api/incidents/${play.id ?? ''}`, {
      headers: authorised('desk'),
    });
    if (status !== 200) throw new Error(messageOf(body, status));
    const seen = incidentBodySchema.parse(body);
    remember(play, seen.incident);
    return seen;
  };
  const remember = (play: Play, view: IncidentView): void => {
    play.view = view;
    play.receivedAt = Date.parse(view.receivedAt);
  };
  const send = (id: string, by: string, body: Record<string, unknown>) =>
    request(`/api/incidents/${id}/actions`, {
      method: 'POST',
      headers: authorised(by),
      body: JSON.stringify(body),
    });

  // ── 110 ───────────────────────────────────────────────────────────────────────────────────────────────────────
  const post = async (play: Play): Promise<void> => {
    const { story, callNo } = play;
    const linkedCallNo = plays.find((other) => other.story.id === story.linked)?.callNo;
    const now = clock.now();
    const body = callOf(district, story, { callNo, linkedCallNo, now });
    const raw = JSON.stringify(body);
    const id = `msg_${randomUUID()}`;
    play.receivedAt = now;
    const answer = await request('/webhooks/110', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(now / 1000)),
        'webhook-signature': new Webhook(ready.webhookSecret).sign(id, new Date(now), raw),
      },
      body: raw,
    });
    if (answer.status !== 202 && answer.status !== 200) {
      say('refused', clock.now(), play, `110来电没有收下：${messageOf(answer.body, answer.status)}`);
      return end(play);
    }
    play.id = receivedSchema.parse(answer.body).incidentId;
    byNumber.set(play.id.slice(-6), play);
    say('call', now, play, `110来电：${shortened(story.content, 76)}`);
    const held = early;
    early = [];
    for (const message of held) ring(message);
  };

  // ── the phones ────────────────────────────────────────────────────────────────────────────────────────────────
  const ring = (message: PhoneMessage): void => {
    const heard = kinds.flatMap(({ kind, pattern }): Heard[] => {
      const found = pattern.exec(message.text);
      // What names no task is nobody's turn here, but for the ask that must not name it.
      return found && (kind === 'ask-secret' || found.groups?.['number'] !== undefined)
        ? [{ kind, said: found.groups ?? {} }]
        : [];
    })[0];
    const who = byPhone.get(message.number);
    if (!heard || !who) return;
    const { number } = heard.said;
    if (number !== undefined) return rang(message, heard, who, number);
    // Its reader opens the task to see which it is.
    void run(async () => rang(message, heard, who, await taskOf(who.id)), '打开任务');
  };

  /** The newest secret or dangerous task for which this person is asked, and whose text has not been heard yet. */
  const taskOf = async (id: string): Promise<string> => {
    const { body } = await request(`/api/incidents?member=${id}`, { headers: authorised('desk') });
    const { items } = pageOf(incidentSummarySchema).parse(body);
    const asked = items.find(
      (item) =>
        (item.secret || (item.classification && isDangerous(item.classification))) &&
        item.assignees.includes(id) &&
        !byNumber.get(item.id.slice(-6))?.asked.includes(id),
    );
    return asked?.id.slice(-6) ?? '';
  };

  const rang = (
    message: PhoneMessage,
    heard: Heard,
    who: (typeof ready.members)[number],
    number: string,
  ): void => {
    const play = byNumber.get(number);
    if (!play) {
      // Not of this demo, or of a call whose answer we have not read yet.
      if (plays.some((one) => one.id === undefined)) early = [...early.slice(-50), message];
      return;
    }
    rings += 1;
    const when = Date.parse(message.at);
    const { kind } = heard;
    const asking = kind === 'ask' || kind === 'ask-secret' || kind === 'reinforce' || kind === 'reopened';
    // Decided now, in the order of the ringing; told and done in turn.
    const before = play.asked.length;
    const answer = asking ? answerOf(play, who.id, kind) : undefined;
    if (asking && kind !== 'reinforce' && !play.asked.includes(who.id)) play.asked.push(who.id);
    inTurn(play, '手机响', async () => {
      if (before === 0 && (asking || kind === 'returned') && !play.view) await tellFinding(play);
      tellRing(play, who, kind, heard.said, when, before);
    });
    if (answer && answer.do !== 'none')
      at(when + answer.after * 1000, () =>
        tap(play, {
          by: who.id,
          action: answer.do,
          ...(answer.do === 'decline' ? { more: { reason: answer.reason } } : {}),
        }),
      );
    fire(play, `text:${kind}`, when);
    if (asking) fire(play, `ask:${who.role}`, when);
  };

  const answerOf = (play: Play, id: string, kind: string): Answer | undefined => {
    if (id === play.reassignedTo) return play.story.reassigned;
    if (kind !== 'reinforce') return play.story.answers[play.asked.length];
    play.calledIn += 1;
    return play.story.helpers[play.calledIn - 1];
  };

  const tellFinding = async (play: Play): Promise<void> => {
    const { incident, trail } = await look(play);
    const found = incident.classification;
    if (!found) return;
    const when = Date.parse(trail.find((line) => line.kind === 'classified')?.at ?? incident.receivedAt);
    const name = district.categories.find((category) => category.id === found.category)?.name ?? '';
    const what = `研判：${name}，${DISPOSITIONS[found.disposition] ?? ''}`;
    if (incident.state === 'returned')
      return say('quiet', when, play, `${what}，有危险信号，不派队员，立即退回110`);
    const first = trail.find((line) => line.kind === 'picked')?.picks?.picked[0];
    const pair = found.disposition === 'joint' && found.danger.length > 0 ? '，人多有风险，两人同去' : '';
    const why = first ? `；先派 ${person(first.id)}（${first.reason}）` : '';
    return say('quiet', when, play, `${what}${pair}${why}`);
  };

  const tellRing = (
    play: Play,
    who: { id: string; role: string },
    kind: string,
    said: Record<string, string>,
    when: number,
    before: number,
  ): void => {
    const name = person(who.id);
    const { danger = [], disposition } = play.view?.classification ?? {};
    const pair =
      disposition === 'joint' && danger.length > 0 && before < 2 && when - play.receivedAt < 10_000;
    switch (kind) {
      case 'ask':
      case 'ask-secret': {
        if (who.id === play.reassignedTo) return say('ring', when, play, `☎ ${name} 接到改派`);
        if (pair) return say('ring', when, play, `☎ ${name} 手机响：新任务，两人同去`);
        if (before === 0) return say('ring', when, play, `☎ ${name} 手机响：新任务`);
        if (play.declined) return say('ring', when, play, `☎ ${name} 手机响：前一位退单，改派给他`);
        return who.role === 'member'
          ? say('ring', when, play, `☎ ${name} 手机响：前一位没有接单，再派一位`)
          : say('late', when, play, `☎ 还是没人接单，督办升级：${name} 手机响`);
      }
      case 'reinforce':
        return say('ring', when, play, `☎ ${name} 手机响：请去增援`);
      case 'reopened':
        return say('ring', when, play, `☎ ${name} 手机响：重新办理`);
      case 'stand-down':
        return say('quiet', when, play, `☎ ${name} 收到：已有人负责，不用去了`);
      case 'reassigned':
        return say('quiet', when, play, `☎ ${name} 收到：任务已改派别人`);
      case 'told':
        return say('late', when, play, `☎ ${name} 收到提醒：“${said['rung'] ?? ''}”超时，请尽快`);
      case 'climb':
        return say('late', when, play, `☎ 督办：${name} 收到“${said['rung'] ?? ''}”超时，请过问`);
      case 'nag':
        return say('late', when, play, `☎ 催办：${name} 收到“还没有人接单”`);
      case 'returned':
        return say('ring', when, play, `☎ ${name} 收到：要退回110，一分钟内确认`);
      case 'handback':
        return say('late', when, play, `☎ 督办：${name} 收到“还没有人确认退回110”`);
      case 'desk':
        return say('quiet', when, play, `☎ ${name} 收到值班提醒：${said['note'] ?? ''}`);
      default:
        return say('quiet', when, play, `☎ ${name} 收到：情况有变化，请看任务`);
    }
  };

  // ── the people ────────────────────────────────────────────────────────────────────────────────────────────────
  const tap = (play: Play, { by, action, step, more }: Tap): void =>
    inTurn(play, VERBS[action] ?? action, async () => {
      const until =
        step?.for === undefined ? undefined : new Date(clock.now() + step.for * 1000).toISOString();
      const chosen = action === 'reassign' ? await nextCandidate(play) : undefined;
      if (action === 'reassign' && chosen === undefined)
        return say('refused', clock.now(), play, '没有人可以改派');
      // Known before the answer: his phone may ring first.
      if (chosen !== undefined) play.reassignedTo = chosen;
      const { status, body } = await send(play.id ?? '', by, {
        action,
        text: step?.text,
        reason: step?.reason,
        outcome: step?.outcome,
        until,
        member: chosen,
        ...more,
      });
      if (status !== 200)
        return say(
          'refused',
          clock.now(),
          play,
          `${person(by)} 想“${VERBS[action] ?? action}”：${messageOf(body, status)}`,
        );
      const { incident, trail, role } = actionBodySchema.parse(body);
      remember(play, incident);
      const own = trail.findLast((line) => line.by === by && line.chain === 'main');
      const when = Date.parse(own?.at ?? new Date(clock.now()).toISOString());
      const helping = action === 'accept' && role === 'helper';
      if (action === 'decline') play.declined = true;
      if (helping) play.helpers.push(by);
      tellTap(play, { by, action, step, more: { ...more, chosen } }, when, helping);
      if (action === 'pause' && until !== undefined) {
        play.pausedUntil = until;
        watchPause(play, step?.as ?? 'pause', until, 20);
      }
      if (action === 'resume') delete play.pausedUntil;
      fire(play, helping ? 'helper' : (step?.as ?? action), when);
      if (incident.state === 'finished' || action === 'handback') end(play);
    });

  const nextCandidate = async (play: Play): Promise<string | undefined> => {
    const { incident, trail } = await look(play);
    const known = new Set(incident.people.flatMap(({ id, asked }) => (asked === undefined ? [] : [id])));
    const picked = trail.find((line) => line.kind === 'picked')?.picks?.picked ?? [];
    return picked.find(({ id }) => !known.has(id))?.id;
  };

  const tellTap = (play: Play, { by, action, step, more }: Tap, when: number, helping: boolean): void => {
    const { view } = play;
    const name = person(by);
    const words = step?.text ?? step?.reason ?? more?.['reason'];
    const said = typeof words === 'string' ? `：${words}` : '';
    if (helping) return say('done', when, play, `✓ ${name} 接单，一起去`);
    switch (action) {
      case 'accept':
      case 'depart':
      case 'contact':
      case 'arrive':
      case 'feedback':
      case 'close':
      case 'handback': {
        const rung = action;
        const [due, did] = [Date.parse(view?.deadlines[rung] ?? ''), Date.parse(view?.done[rung] ?? '')];
        const outcome = action === 'close' ? `（${OUTCOMES[step?.outcome ?? ''] ?? ''}）` : '';
        const doing = `${name} ${VERBS[action] ?? action}${outcome}`;
        // Of several who arrive only the first one fulfils the promise.
        if (Number.isNaN(due) || Number.isNaN(did) || did !== when)
          return say('done', when, play, `✓ ${doing}${said}`);
        // The minute of a return begins with the return, that of somebody newly named with his naming.
        const renamed = rung === 'accept' && by === play.reassignedTo;
        const origin = rung === 'handback' || renamed ? due - 60_000 : play.receivedAt;
        const limit = `${renamed ? '改派后' : ''}限${inWords(due - origin)}`;
        return did <= due
          ? say('done', when, play, `✓ ${doing}，及时（${limit}）${said}`)
          : say('late', when, play, `⚠ ${doing}，晚了${inWords(did - due)}（${limit}）${said}`);
      }
      case 'decline':
        return say('refused', when, play, `✗ ${name} 退单${said}`);
      case 'reassign':
        return say('done', when, play, `→ ${name} 改派给 ${person(String(more?.['chosen']))}${said}`);
      case 'pause':
        return say(
          'quiet',
          when,
          play,
          `‖ ${name} 暂停计时${said}（最长${inWords((step?.for ?? 0) * 1000)}）`,
        );
      case 'reinforce':
        return say('ring', when, play, `! ${name} 请求增援${said}`);
      default:
        return say('done', when, play, `· ${name} ${VERBS[action] ?? action}${said}`);
    }
  };

  /** A pause that nobody ends, ends by itself: then the story goes on. */
  const watchPause = (play: Play, name: string, until: string, tries: number): void => {
    at(Date.parse(until) + 2_000, () =>
      inTurn(play, '看暂停到期没有', async () => {
        if (play.pausedUntil !== until) return;
        const { incident, trail } = await look(play);
        if (incident.state === 'paused') {
          if (tries > 0) at(clock.now() + 5_000, () => watchPause(play, name, until, tries - 1));
          return;
        }
        delete play.pausedUntil;
        const when = Date.parse(trail.findLast((line) => line.kind === 'resumed')?.at ?? until);
        say('quiet', when, play, '· 暂停到期，系统自动恢复计时');
        fire(play, `${name}-over`, when);
        fire(play, 'resume', when);
      }),
    );
  };

  /** Something happened: whoever waited for it acts, each at his time. */
  const fire = (play: Play, event: string, when: number): void => {
    const now = play.pending.filter((step) => step.on === event);
    play.pending = play.pending.filter((step) => step.on !== event);
    let earliest = when;
    for (const step of now) {
      const limit = play.view?.ladder.find(({ rung }) => rung === step.do)?.limit;
      // A district that does not promise these does not ask its members to tap them.
      if (limit === undefined && (step.do === 'depart' || step.do === 'contact')) continue;
      earliest += BREATH_MS;
      const due =
        step.share === undefined || limit === undefined
          ? when + (step.after ?? 0) * 1000
          : play.receivedAt + step.share * limit * 1000;
      at(Math.max(due, step.share === undefined ? due : earliest), () => {
        const by = step.who === 'desk' ? 'desk' : step.who === 'helper' ? play.helpers[0] : play.view?.lead;
        if (by !== undefined) tap(play, { by, action: step.do, step });
      });
    }
  };

  // ── the end ───────────────────────────────────────────────────────────────────────────────────────────────────
  const end = (play: Play): void => {
    if (play.over) return;
    play.over = true;
    if (plays.every((one) => one.over)) sumUp();
  };

  const cell = (play: Play, rung: 'accept' | 'arrive' | 'close'): string => {
    const { view } = play;
    if (!view || view.state === 'returned') return '—';
    const due = promised(play, view, rung);
    const did = Date.parse(view.done[rung] ?? '');
    if (Number.isNaN(did)) return '未完成';
    return `${did <= due ? '✓' : '⚠'} ${span(did - play.receivedAt)} / ${inWords(due - play.receivedAt)}`;
  };

  /** What the caller was promised: naming somebody else buys him time, but does not make the first minute kept. */
  const promised = (play: Play, view: IncidentView, rung: 'accept' | 'arrive' | 'close'): number => {
    const limit = view.ladder.find((one) => one.rung === rung)?.limit;
    return rung === 'accept' && limit !== undefined
      ? play.receivedAt + limit * 1000
      : Date.parse(view.deadlines[rung] ?? '');
  };

  const result = ({ view, over }: Play): string => {
    if (!view) return '没有收下';
    if (view.state === 'returned') {
      const did = Date.parse(view.done.handback ?? '');
      const due = Date.parse(view.deadlines.handback ?? '');
      return Number.isNaN(did) ? '待确认退回110' : `${did <= due ? '✓' : '⚠'} 已退回110`;
    }
    const outcome = OUTCOMES[view.closed?.outcome ?? ''];
    return `${outcome === undefined ? '' : `${outcome}，`}${STATES[view.state]}${over ? '' : '（还没完）'}`;
  };

  const sumUp = (): void => {
    const sent = plays.flatMap((play) => {
      const { view } = play;
      return view && view.state !== 'returned' ? [{ play, view }] : [];
    });
    const kept = (rung: 'accept' | 'arrive') =>
      sent.filter(({ play, view }) => Date.parse(view.done[rung] ?? '') <= promised(play, view, rung)).length;
    write('');
    write(
      paint('call', `演示结束：${plays.length} 起警情，${rings} 条短信。每格：用时 / 时限，从收到来电算起。`),
    );
    for (const line of table(
      ['编号', '事件', '接单', '到场', '办结', '结果'],
      plays.map((play) => [
        play.id?.slice(-6) ?? '—',
        play.story.title,
        cell(play, 'accept'),
        cell(play, 'arrive'),
        cell(play, 'close'),
        result(play),
      ]),
    ))
      write(line);
    write(
      `${sent.length} 起派给了队员：按时接单 ${kept('accept')} 起，按时到场 ${kept('arrive')} 起；晚了的都有人督办，见上面 ☎ 行。`,
    );
    write(`系统继续运行，短信都在 ${phones.url} ；按 Ctrl-C 停止。`);
    stop();
  };

  const stop = (): void => {
    if (!ended.signal.aborted) ended.abort();
    deaf();
    for (const cancel of timers) cancel();
    timers.clear();
    finished.resolve(
      plays.map(({ story, id, view, over }) => ({
        story: story.id,
        incidentId: id,
        state: view?.state,
        over,
      })),
    );
  };

  /** A demo that was cut off leaves open matters that nobody plays any more: the desk puts them away. */
  const tidy = async (): Promise<void> => {
    const left = [];
    let before: string | null = '';
    for (let pages = 0; pages < 20 && before !== null; pages += 1) {
      const query: string = before === '' ? '' : `?before=${encodeURIComponent(before)}`;
      const { status, body } = await request(`/api/incidents${query}`, { headers: authorised('desk') });
      if (status !== 200) return;
      const page = pageOf(incidentSummarySchema).parse(body);
      left.push(
        ...page.items.filter(
          ({ callNo, state, owed }) =>
            callNo.startsWith(CALL_PREFIX) &&
            !callNo.startsWith(`${CALL_PREFIX}${begin}`) &&
            (state === 'returned' ? owed.includes('handback') : state !== 'finished'),
        ),
      );
      before = page.next;
    }
    for (const { id, state } of left) {
      if (state === 'returned') await send(id, 'desk', { action: 'handback', text: '上次演示中断' });
      else {
        if (state !== 'closed')
          await send(id, 'desk', { action: 'close', outcome: 'cancelled', text: '上次演示中断' });
        await send(id, 'desk', { action: 'revisit', outcome: 'unreachable', text: '上次演示中断' });
      }
    }
    if (left.length > 0) write(`上次演示中断，留下 ${left.length} 起样例警情，值班台已经收尾。`);
  };

  const deaf = phones.onMessage(ring);
  write(
    paint(
      'call',
      `演示开始：${district.name}，${plays.length} 起样例警情，改写自公开报道；人名、号码、地点均为虚构。`,
    ),
  );
  write('☎ 有人手机响    ✓ 做到了，及时    ⚠ 超时    ✗ 退单    ‖ 暂停计时    + 收到来电后过了多久');
  if (speed > 1) write(`没事时钟走 ${speed} 倍，有事在办时和平常一样快：算的时间不会变成迟到。`);
  else write('按平常的时间走，一天约四小时；想快看：npm start -- --speed 60');
  write('');
  write(`时间      编号    ${padded('事件', 14)}  ${padded('过了', 8)}  发生了什么`);
  void run(tidy, '收拾上次演示');
  for (const play of plays) at(begin + play.story.at * 1000, () => inTurn(play, '110来电', () => post(play)));
  at(begin + (Math.max(...plays.map(({ story }) => story.at)) + DAY_SECONDS) * 1000, sumUp);

  return {
    inFlight: () => busy,
    idle: () =>
      busy === 0 ? Promise.resolve() : new Promise((resolve) => void (waiting = [...waiting, resolve])),
    done: finished.promise,
    stop,
  };
}

/** A template as a pattern whose groups are its variables. */
const patternOf = (text: string): RegExp =>
  new RegExp(
    `^【[^】]+】${text.replace(/[.*+?^()|[\]\\]/g, '\\$&').replace(/\$\{(\w+)\}/g, '(?<$1>.+?)')}$`,
    'u',
  );

const messageOf = (body: unknown, status: number): string => {
  const parsed = errorSchema.safeParse(body);
  return parsed.success ? parsed.data.error.message : `系统回答 ${status}`;
};

const reasonOf = (error: unknown): string => {
  if (error instanceof z.ZodError) return '系统的回答和约定的不一样';
  // What fetch throws when nobody listens.
  if (error instanceof TypeError && error.cause !== undefined) return '连不上系统';
  return error instanceof Error ? error.message : String(error);
};
