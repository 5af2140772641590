import { createHash } from 'node:crypto';
import { act, type Request } from '#shared/domain/act.ts';
import { tellCaller, tellOfCallerReply } from '#shared/domain/caller-notice.ts';
import type { Vendor } from '#shared/domain/channel.ts';
import type { Change } from '#shared/domain/draft.ts';
import { drillNoticeId } from '#shared/domain/drill.ts';
import { handsAt } from '#shared/domain/hands.ts';
import { OVER, personOf, type Incident, type Instant } from '#shared/domain/incident.ts';
import { FIRST_ASKS, type Notice } from '#shared/domain/notice.ts';
import {
  CODE_MS,
  callerMeaningOf,
  codesSchema,
  couldReport,
  decide,
  decisionSchema,
  isFromCaller,
  meaningOf,
  standingOf,
  TEXTLESS,
  callerStopName,
  textlessSchema,
  waitedFor,
  withCodes,
  type Codes,
  type Decision,
  type Task,
  type Texted,
  type Told,
} from '#shared/domain/reply.ts';
import { withRinging } from '#shared/domain/ringing.ts';
import { districtDay, type Member } from '#shared/domain/roster.ts';
import { allows } from '#shared/domain/moves.ts';
import { CALLER_KINDS } from '#shared/domain/notice-kind.ts';
import { taskName } from '#shared/domain/wording.ts';
import { answerDrill, readDrill } from '#shared/ports/drills.ts';
import { endJoined } from '#shared/ports/end-joined.ts';
import type { Memos } from '#shared/ports/memos.ts';
import { move, type Mover } from '#shared/ports/move.ts';
import { jobsOf } from '#shared/ports/queue.ts';
import type { Secrets } from '#shared/ports/secrets.ts';
import type { Inbound } from '#shared/ports/sender.ts';
import { REJECTS_OWNER, ownerOf } from '#shared/ports/store.ts';
import { remark, saying, type Said } from './remark.ts';

/** What somebody has texted back, or the keys he pressed. */
type Reply = Extract<Inbound, { kind: 'reply' }>;

/** What taking answers needs. */
export interface ReplyTaker extends Mover {
  /** Signature of texts to callers, if it is another one than the members'. */
  callersSign?: string | undefined;
  memos: Memos;
  secrets: Pick<Secrets, 'vault'>;
}

const DAY_MS = 86_400_000;
/** An answer that is older than this belongs to something that is long over. */
const STALE_MS = 3_600_000;
/** How far a vendor's clock may run before ours. */
const AHEAD_MS = 60_000;
/** Incidents of one member that are looked through; a task that waits is seldom older than his last few. */
const LOOK = 50;
/**
 * Answers to one number in a day: few to what means nothing, because a machine that answers machines must come to an end; more to what
 * means something, because whoever texts "1" and hears nothing thinks that he has the task.
 */
const MOST_ANSWERS = { unclear: 5, clear: 30 } as const;
/** A memo is lost to somebody else, seldom more than once. */
const RACES = 5;
/** A caller may rate for as long as his matter can be reopened. */
const RATE_MS = 30 * DAY_MS;

/** The last eleven digits: vendors put 86 or +86 before a number, or not. */
const numberOf = (from: string): string => from.replace(/\D/g, '').slice(-11);

/**
 * Takes one answer. What is to be done is decided once per message id and written down before it is done, by the state of things at
 * the vendor's time; a post that comes twice does the same once more, which changes nothing.
 */
export const takeReply = async (taker: ReplyTaker, vendor: Vendor, reply: Reply): Promise<void> => {
  const { clock, log, store, district, secrets } = taker;
  const now = clock.now().getTime();
  const at = Math.min(reply.at.getTime(), now);
  if (now - at > STALE_MS || reply.at.getTime() - now > AHEAD_MS)
    return log.info('reply-out-of-time', { vendor });
  const number = numberOf(reply.from);
  const hash = (await secrets.vault()).hash('phone', number);
  const key = createHash('sha256').update(`${vendor}\n${reply.messageId}`).digest('base64url');
  const members = (await store.roster()).filter((member) => member.phone === number);
  // The number says who somebody is, the extension only what he answers: carriers drop it, and Tencent carries none before it is asked to.
  // A member's "1" that comes to the callers' number is his yes, unless he was written to there himself.
  const toCallers = isFromCaller(district.replies, taker.callersSign, reply);
  if (members.length === 0 || toCallers) {
    const told = await toldAsCaller(taker, hash, at);
    if (members.length === 0 || told.length > 0)
      return takeCallerReply(taker, vendor, reply, told, { hash, key, at });
  }
  const decision = await decided(taker, vendor, reply, { hash, key, at, members });
  const people = members.map(({ id }) => id);
  const drilled = await answerDrill(taker, people, vendor === 'aliyun-voice' ? 'keys' : 'text', at);
  // Any sign of life answers a drill; whoever waits for nothing else is not told that his last task is over.
  if (drilled && (decision.do === 'tell' || decision.do === 'ignore')) return undefined;
  await carryOut(taker, vendor, decision, { hash, key, at, text: reply.text });
};

interface Known {
  hash: string;
  key: string;
  at: Instant;
}

/** The decision on this message: the one that was written first, else a fresh one. */
const decided = async (
  taker: ReplyTaker,
  vendor: Vendor,
  reply: Reply,
  { hash, key, at, members }: Known & { members: readonly Member[] },
): Promise<Decision> => {
  const { memos, clock } = taker;
  const name = `REPLY-${key}`;
  const now = clock.now().getTime();
  const before = await memos.read(name, now);
  if (before) return decisionSchema.parse(before.value);
  const fresh = await decideNow(taker, vendor, reply, { hash, at, members });
  if (await memos.write(name, { version: 0, value: fresh, expires: now + DAY_MS }, now)) return fresh;
  // The same message, posted twice at once.
  const first = await memos.read(name, now);
  return first ? decisionSchema.parse(first.value) : fresh;
};

const decideNow = async (
  taker: ReplyTaker,
  vendor: Vendor,
  reply: Reply,
  { hash, at, members }: { hash: string; at: Instant; members: readonly Member[] },
): Promise<Decision> => {
  const meaning = meaningOf(reply.text);
  const known = (await Promise.all(members.map(async (member) => incidentsOf(taker, member.id)))).flat();
  const asked = known.flatMap(({ incident, member, asked: since }) =>
    since === undefined ? [] : [{ incident, member, asked: since }],
  );
  if (vendor === 'aliyun-voice') {
    // A key means 1 or 2, and the one call in which it was pressed: no question which.
    if (meaning.say !== 'accept' && meaning.say !== 'decline') return { do: 'ignore' };
    const call = reply.vendorId === undefined ? undefined : await calledFor(taker, reply.vendorId, known);
    if (call && !FIRST_ASKS.has(call.notice.kind)) return { do: 'ignore' };
    if (call) return { do: 'act', action: meaning.say, incident: call.incident, member: call.notice.to };
    // Asked by the drill, he has not said that he takes the task that waits as well.
    if (await wasDrillCall(taker, reply.vendorId, members)) return { do: 'ignore' };
  }
  const report = meaning.say === 'arrive' || meaning.say === 'close' ? meaning.say : undefined;
  const openAt = (then: Instant): typeof asked =>
    asked.filter(({ incident, member }) =>
      report ? couldReport(incident, member, report, then) : waitedFor(incident, member, then),
    );
  const then = openAt(at);
  // By the vendor's time nothing waited, but something does: whatever his clock says, he gets an answer, and nothing is done unasked.
  const early = then.length === 0;
  const open = early ? openAt(taker.clock.now().getTime()) : then;
  // What nobody has accepted is not what he has done.
  const taken = open.filter(({ incident, member }) => personOf(incident, member)?.accepted !== undefined);
  const waiting = (report === 'close' && taken.length > 0 ? taken : open)
    .toSorted((a, b) => a.asked - b.asked)
    // Two who share a number and were both asked: whoever was asked last has it in his hand.
    .filter((task, i, all) => !all.slice(i + 1).some((later) => later.incident.id === task.incident.id));
  const tasks = waiting.map(({ incident, member, asked: since }) => ({
    incident: incident.id,
    member,
    number: taskName(incident, new Date(since)),
    early,
  }));
  const codes = await codesFor(taker, hash, tasks.length > 1 ? tasks : []);
  const last = asked.filter((task) => task.asked <= at).at(-1);
  const latest = last && {
    incident: last.incident.id,
    member: last.member,
    standing: standingOf(last.incident, last.member, report),
  };
  return decide(meaning, tasks, codes, latest, members);
};

/** An incident with which a member has to do; `asked`: when he was asked to come, if he was. */
interface Concern {
  incident: Incident;
  member: string;
  asked: Instant | undefined;
}

/** His incidents of the last day, in the order of asking. */
const incidentsOf = async ({ store, clock }: ReplyTaker, member: string): Promise<Concern[]> => {
  const now = clock.now().getTime();
  const { items } = await store.list({ now, member, limit: LOOK });
  return items
    .flatMap((incident) => {
      const asked = personOf(incident, member)?.asked;
      return asked !== undefined && now - asked > DAY_MS ? [] : [{ incident, member, asked }];
    })
    .sort((a, b) => (a.asked ?? 0) - (b.asked ?? 0));
};

/** The notice that a call brought. */
const calledFor = async (
  { store }: ReplyTaker,
  vendorId: string,
  known: readonly Concern[],
): Promise<{ incident: string; notice: Notice } | undefined> => {
  for (const { incident, member } of known.toReversed()) {
    const row = (await store.notices(ownerOf(incident.id))).find(
      ({ notice, attempts }) =>
        notice.to === member && attempts.some((attempt) => attempt.vendorId === vendorId),
    );
    if (row) return { incident: incident.id, notice: row.notice };
  }
  return undefined;
};

/** Was it the call of the drill? */
const wasDrillCall = async (
  { memos, store, clock }: ReplyTaker,
  vendorId: string | undefined,
  members: readonly Member[],
): Promise<boolean> => {
  const drill = vendorId === undefined ? undefined : await readDrill({ memos }, clock.now().getTime());
  if (!drill) return false;
  const rows = await Promise.all(
    members.map(({ id }) => store.notice(REJECTS_OWNER, drillNoticeId(drill.id, id))),
  );
  return rows.some((row) => row?.attempts.some((attempt) => attempt.vendorId === vendorId));
};

/** The codes of a number that hold now, with one for each of these tasks; written before anybody is told of them. */
const codesFor = async (
  { memos, clock, backoff }: ReplyTaker,
  hash: string,
  tasks: readonly Task[],
): Promise<Codes> => {
  const name = `CODES-${hash}`;
  for (let attempt = 1; ; attempt += 1) {
    const now = clock.now().getTime();
    const memo = await memos.read(name, now);
    const codes = memo ? codesSchema.parse(memo.value) : {};
    const next = withCodes(codes, tasks, now);
    if (tasks.length === 0) return next;
    const version = memo?.version ?? 0;
    if (await memos.write(name, { version, value: next, expires: now + CODE_MS }, now)) return next;
    if (attempt >= RACES)
      throw new Error(`The codes of a number were changed by others ${RACES} times in a row.`);
    await backoff(attempt);
  }
};

const carryOut = async (
  taker: ReplyTaker,
  vendor: Vendor,
  decision: Decision,
  { text, ...known }: Known & { text: string },
): Promise<void> => {
  const { log } = taker;
  const what = meaningOf(text).say === 'unclear' ? 'unclear' : 'clear';
  switch (decision.do) {
    case 'act':
      return doAct(taker, vendor, decision, { ...known, text });
    case 'choose':
      return answer(taker, vendor, decision, { ...known, what }, { kind: 'choose', list: decision.list });
    case 'tell':
      return answer(
        taker,
        vendor,
        decision,
        { ...known, what },
        {
          kind: 'answer',
          answer: decision.answer,
          ...(decision.list ? { list: decision.list } : {}),
        },
      );
    case 'stop':
      return stopTexts(taker, decision.member, known);
    case 'start':
      return startTexts(taker, known);
    case 'ignore':
      return log.info('reply-unclear', { vendor });
  }
};

/** Acts as the member, through the same rules as a tap; the trail says over what. */
const doAct = async (
  taker: ReplyTaker,
  vendor: Vendor,
  { action, incident: id, member }: Extract<Decision, { do: 'act' }>,
  { key, text }: Known & { text: string },
): Promise<void> => {
  const over = vendor === 'aliyun-voice' ? 'voice' : 'sms';
  const idempotencyKey = `reply/${key}`;
  const request = requestFor(action, text);
  const moved = await move(taker, id, async ({ incident, hands, now }) => {
    if (await taker.store.done(id, idempotencyKey)) return { result: undefined };
    const person = personOf(incident, member);
    // A text on its way must not take back what the desk has given to somebody else; a tap on the page may.
    const gone = person?.released === true || person?.stood === true;
    const acted = gone ? undefined : act(incident, { kind: 'member', id: member }, request, hands, now);
    const told = outcomeOf(
      acted?.kind === 'done' ? acted.change.incident : incident,
      member,
      action,
      acted?.kind,
    );
    const change: Change =
      acted?.kind === 'done'
        ? {
            ...acted.change,
            lines: acted.change.lines.map((line) =>
              line.by === member ? { ...line, facts: { ...line.facts, over } } : line,
            ),
          }
        : remark(incident, { kind: 'reply', by: member, facts: { over, action, told } }, now);
    const rows = acted?.kind === 'done' ? await taker.store.notices(ownerOf(id)) : [];
    const tidings = tellCaller(taker.district.callerTold, incident, change, now);
    const whole = withRinging(incident, tidings, rows, now);
    return {
      change: saying(whole, member, { kind: 'answer', answer: told }, now),
      beside: { idempotencyKey },
      result: undefined,
    };
  });
  if (moved.found && OVER.has(moved.incident.state) && (moved.incident.joins ?? []).length > 0)
    // As after a tap: it stands on the row until it is done.
    await endJoined(taker, id).catch((error: unknown) =>
      taker.log.error('left-to-reconcile', error, { incident: id }),
    );
};

/** By text a matter can only be closed as solved: how else it ended is chosen on the page. */
const requestFor = (action: Texted, text: string): Request => {
  if (action === 'decline') return { action, reason: '短信退单' };
  if (action !== 'close') return { action };
  const meaning = meaningOf(text);
  return { action, outcome: 'solved', ...('words' in meaning ? { text: meaning.words } : {}) };
};

const TOLD = { decline: 'declined', arrive: 'arrived', close: 'closed' } as const;
const REFUSED = { accept: 'done', decline: 'late', arrive: 'refused', close: 'refused' } as const;

const outcomeOf = (
  incident: Incident,
  member: string,
  action: Texted,
  came: 'done' | 'repeat' | 'refused' | undefined,
): Told => {
  if (action !== 'accept' && (came === 'done' || came === 'repeat')) return TOLD[action];
  if (came === 'done') return incident.lead === member ? 'lead' : 'helper';
  const standing = standingOf(incident, member);
  // Where it cannot be closed at all, or not by him any more, an arrival would not help.
  const could = allows(incident.state, 'close') && personOf(incident, member)?.declined === undefined;
  if (action === 'close' && came === 'refused' && could && incident.done.arrive === undefined)
    return 'not-there';
  return standing === 'done' ? REFUSED[action] : standing;
};

/** Answers somebody whose text did nothing: at most so many times a day. */
const answer = async (
  taker: ReplyTaker,
  vendor: Vendor,
  { incident: id, member }: Task,
  { hash, key, what }: Known & { what: keyof typeof MOST_ANSWERS },
  said: Said,
): Promise<void> => {
  const { store, clock, log } = taker;
  const day = districtDay(clock.now().getTime());
  const idempotencyKey = `reply/${key}`;
  if (await store.done(id, idempotencyKey)) return;
  const before = await store.tally(`ANSWERS-${day}-${what}-${hash}`, clock.now().getTime() + 2 * DAY_MS);
  const enough = before > MOST_ANSWERS[what];
  if (enough) log.info('reply-unanswered', { vendor });
  await move(taker, id, async ({ incident, now }) => {
    if (await store.done(id, idempotencyKey)) return { result: undefined };
    const change = remark(
      incident,
      { kind: 'reply', by: member, facts: { over: 'sms', did: 'nothing' } },
      now,
    );
    return {
      change: enough ? change : saying(change, member, said, now),
      beside: { idempotencyKey },
      result: undefined,
    };
  });
};

/**
 * No more texts to this number; everything else goes on. The duty officer hears of it, because one way to this person is gone; with none
 * on shift, or if it is himself, the street leader does.
 */
const stopTexts = async (taker: ReplyTaker, member: string, { hash, key }: Known): Promise<void> => {
  const { store, clock, district, queues, log } = taker;
  if ((await textless(taker)).hashes.includes(hash)) return;
  const at = clock.now();
  const hands = handsAt(await store.roster(), district.shifts, [], at);
  const desk = [...hands.duty, ...hands.street].find(({ id }) => id !== member);
  const notices: Notice[] = desk
    ? [
        {
          id: `STOP-${key.slice(0, 22)}`,
          to: desk.id,
          kind: 'desk',
          note: 'sms-stopped',
          about: member,
          at: at.getTime(),
          round: 1,
        },
      ]
    : [];
  // Told first: a stop that nobody knows of would be worse than a warning that comes twice.
  await store.announce(notices);
  await relist(taker, (hashes) => [...hashes.filter((one) => one !== hash), hash]);
  log.info('texts-stopped', { member });
  await queues
    .notices(jobsOf(REJECTS_OWNER, notices))
    .catch((error: unknown) => log.error('left-to-reconcile', error));
};

const startTexts = async (taker: ReplyTaker, { hash }: Known): Promise<void> => {
  await relist(taker, (hashes) => hashes.filter((one) => one !== hash));
  taker.log.info('texts-resumed');
};

const textless = async ({ memos, clock }: ReplyTaker): Promise<{ hashes: string[]; version: number }> => {
  const memo = await memos.read(TEXTLESS, clock.now().getTime());
  return { hashes: memo ? textlessSchema.parse(memo.value) : [], version: memo?.version ?? 0 };
};

const relist = async (taker: ReplyTaker, change: (hashes: string[]) => string[]): Promise<void> => {
  for (let attempt = 1; attempt <= RACES; attempt += 1) {
    const { hashes, version } = await textless(taker);
    const now = taker.clock.now().getTime();
    if (await taker.memos.write(TEXTLESS, { version, value: change(hashes) }, now)) return;
    await taker.backoff(attempt);
  }
  throw new Error(`The list of those without texts was changed by others ${RACES} times in a row.`);
};

/** The incidents of which this number was told something as whoever had called, and, if so, when it was told how it ended. */
const toldAsCaller = async (
  { store }: ReplyTaker,
  hash: string,
  at: Instant,
): Promise<{ incidentId: string; result: Instant | undefined }[]> => {
  const own = await store.history(`phone:${hash}`, at - RATE_MS, LOOK);
  const told = own.map(async ({ incidentId }) => {
    // What was written and, for good reasons, never sent told him nothing.
    const sent = (await store.notices(ownerOf(incidentId))).flatMap(({ notice, attempts }) =>
      CALLER_KINDS.has(notice.kind) && notice.at <= at && attempts.length > 0 ? [notice] : [],
    );
    const result = sent.findLast(({ kind }) => kind === 'caller-result')?.at;
    return sent.length > 0 ? [{ incidentId, result }] : [];
  });
  return (await Promise.all(told)).flat();
};

/** A caller's answer ends nothing and moves nothing: it is written down, and the duty officer is told where he should act. */
const takeCallerReply = async (
  taker: ReplyTaker,
  vendor: Vendor,
  reply: Reply,
  told: Awaited<ReturnType<typeof toldAsCaller>>,
  { hash, key, at }: Known,
): Promise<void> => {
  const { store, memos, log } = taker;
  const meaning = callerMeaningOf(reply.text);
  if (meaning.say === 'stop') {
    const name = callerStopName(hash);
    if (!(await memos.read(name, at))) await memos.write(name, { version: 0, value: { since: at } }, at);
    return log.info('caller-stopped');
  }
  if (told.length === 0) return log.info('reply-of-a-stranger', { vendor });
  if (meaning.say === 'unclear') return log.info('caller-unclear');
  // What he was told last is what he has before his eyes.
  const rated = told.reduce<(typeof told)[number] | undefined>(
    (last, one) => ((one.result ?? -1) > (last?.result ?? -1) ? one : last),
    undefined,
  );
  if (!rated) return log.info('caller-unknown');
  const idempotencyKey = `reply/${key}`;
  await move(taker, rated.incidentId, async ({ incident, hands, now }) => {
    if (await store.done(rated.incidentId, idempotencyKey)) return { result: undefined };
    const notices = (await store.notices(ownerOf(incident.id))).map(({ notice }) => notice);
    return {
      change: tellOfCallerReply(incident, meaning, notices, hands, now),
      beside: { idempotencyKey },
      result: undefined,
    };
  });
};
