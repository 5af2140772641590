import { CALLER, tidings } from './caller-notice.ts';
import { endPromises, giveBack, limitMs, startRound, type Finding } from './assign.ts';
import {
  ask,
  draft,
  finish,
  fulfil,
  notify,
  owe,
  recordBreaches,
  standDown,
  write,
  type Change,
  type Draft,
} from './draft.ts';
import { askNext, play } from './escalate.ts';
import { CLIMBS, NOT_CLIMBED, eventOf, unasked } from './climb.ts';
import type { Hand, Hands } from './hands.ts';
import {
  OUTCOMES,
  REVISIT_OUTCOMES,
  isActive,
  isExpected,
  owes,
  personOf,
  type Incident,
  type Instant,
  type Person,
} from './incident.ts';
import { joinFault, joinIn, partFrom } from './join.ts';
import { ACTION_NAMES, DESK_ACTIONS, STATE_NAMES, allows, type Action } from './moves.ts';
import { LONGEST_PAUSE_MS, resumeIn } from './pause.ts';
import type { Judgement } from './judgement.ts';
import { differs, noteDanger, reclassify } from './reclassify.ts';
import type { Point } from './roster.ts';
import { RUNGS, type Rung } from './rung.ts';
import type { LineKind } from './trail.ts';

/** Who acts: somebody of the roster, or the desk (id of the duty officer, or `desk`). */
export interface Actor {
  kind: 'member' | 'desk';
  id: string;
}

/** What a person wants done. `member`: for reassign the new person, otherwise on whose behalf the desk acts. */
export interface Request {
  action: Action;
  reason?: string | undefined;
  text?: string | undefined;
  location?: Point | undefined;
  outcome?: string | undefined;
  member?: string | undefined;
  /** For join: id of the incident that this one becomes part of. */
  into?: string | undefined;
  /** For join and unjoin: that other incident as it stands. */
  main?: Incident | undefined;
  /** End of a pause. */
  until?: Instant | undefined;
  /** For classify: a category of the district, and what happens with the matter. */
  judgement?: Judgement | undefined;
  /** For classify: the same, completed from the district's data: who answers it, and by when. */
  decided?: Finding | undefined;
}

/** Why an action was refused: a closed set of codes, and a sentence that a person understands. */
export interface Refusal {
  code: 'forbidden' | 'impossible' | 'invalid';
  message: string;
  details?: { field: string; message: string }[];
}

/** What came of an action. A repeat changes nothing and is no error. */
export type Acted =
  { kind: 'done'; change: Change } | { kind: 'repeat' } | { kind: 'refused'; refusal: Refusal };

/** An equal note of the same person within this time is a repeat. */
export const NOTE_REPEAT_MS = 60_000;
/** How long after the close an incident can be reopened. */
export const REOPEN_MS = 30 * 86_400_000;

const refuse = (code: Refusal['code'], message: string): Acted => ({
  kind: 'refused',
  refusal: { code, message },
});
const missing = (field: string, message: string): Acted => ({
  kind: 'refused',
  refusal: { code: 'invalid', message, details: [{ field, message }] },
});

const REPEAT: Acted = { kind: 'repeat' };
type Outcome = Acted | 'done';

const DONE_KINDS = {
  depart: 'departed',
  contact: 'contacted',
  arrive: 'arrived',
  feedback: 'feedback',
} as const;
type Report = keyof typeof DONE_KINDS;

/** The actor as it stands in the trail: whoever is meant, and by whom it was tapped. */
const author = (actor: Actor, who: string): { by: string; onBehalf?: string } =>
  actor.kind === 'desk' && who !== actor.id ? { by: actor.id, onBehalf: who } : { by: who };

/** Makes a person the lead; whoever was asked and has not accepted is sent home. */
const lead = (d: Draft, person: Person): void => {
  const { incident } = d;
  person.asked ??= d.now;
  person.accepted ??= d.now;
  incident.lead = person.id;
  incident.acceptedAt = d.now;
  // Another lead, another span: what climbed under the one before begins anew, and nobody is told twice.
  incident.climbs = incident.climbs.reinforce ? { reinforce: incident.climbs.reinforce } : {};
  fulfil(d, 'accept');
  delete incident.unansweredSince;
  incident.state = incident.done.arrive === undefined ? 'accepted' : 'onsite';
  write(d, { kind: 'revealed', by: person.id, facts: { why: 'accepted' } });
  relieve(d);
};

/** Stand-down for who is not needed any more: after the first acceptance, of a pair after the second. */
const relieve = (d: Draft): void => {
  const accepted = d.incident.people.filter((p) => p.accepted !== undefined && isActive(p)).length;
  if (d.incident.pair && accepted < 2) return;
  // Reinforcement is additive: each of those called acknowledges for himself, whoever else has come.
  standDown(d, (p) => p.accepted !== undefined || p.called === true);
};

/** A further person accepts: he helps, and a reinforcement that was called for has been found. */
const help = (d: Draft, person: Person): void => {
  const { incident } = d;
  person.asked ??= d.now;
  person.accepted = d.now;
  write(d, { kind: 'revealed', by: person.id, facts: { why: 'accepted' } });
  if (owes(incident, 'reinforce') && incident.climbs.reinforce !== undefined) {
    fulfil(d, 'reinforce');
    write(d, { kind: 'reinforced', by: person.id, rung: 'reinforce' });
  }
  if (incident.pair) relieve(d);
};

const accept = (d: Draft, actor: Actor, person: Person): Outcome => {
  const { incident } = d;
  if (person.declined !== undefined)
    return refuse('impossible', '您已经退单，不能再接单。如需由您处置，请联系值班台改派。');
  if (incident.lead === person.id) return REPEAT;
  delete person.released;
  if (incident.lead === undefined) {
    write(d, { kind: 'accepted', ...author(actor, person.id), rung: 'accept' });
    lead(d, person);
    return 'done';
  }
  if (person.accepted !== undefined) return REPEAT;
  write(d, { kind: 'helper', ...author(actor, person.id), rung: 'accept' });
  help(d, person);
  return 'done';
};

const decline = (d: Draft, actor: Actor, person: Person, reason: string | undefined): Outcome => {
  const { incident } = d;
  if (person.declined !== undefined) return REPEAT;
  if (person.asked === undefined) return refuse('impossible', '这起警情没有请您接单，不需要退单。');
  if (!reason) return missing('reason', '退单请写明原因。');
  const wasLead = incident.lead === person.id;
  person.declined = d.now;
  delete person.accepted;
  write(d, { kind: 'declined', ...author(actor, person.id), rung: 'accept', text: reason });
  if (wasLead) {
    delete incident.lead;
    delete incident.acceptedAt;
    incident.state = 'asking';
    owe(d, 'accept', d.now + limitMs(incident, 'accept'));
    askNext(d);
  } else if (incident.lead === undefined) askNext(d);
  else replace(d, person);
  return 'done';
};

/** Somebody who was to help declines: another candidate for the second of a pair, or for a called reinforcement. */
export const replace = (d: Draft, gone: Person): void => {
  const { incident, hands } = d;
  const [next] = unasked(incident, hands.candidates);
  if (!next) return;
  if (gone.called && owes(incident, 'reinforce')) ask(d, next, 'reinforce', 'reinforce');
  else if (incident.pair && !gone.stood && incident.people.filter(isExpected).length < 2)
    ask(d, next, 'accept');
};

/** A later rung done vouches for the earlier ones — except for the arrival, which words cannot prove. */
const imply = (d: Draft, by: string, rung: Rung): void => {
  for (const earlier of RUNGS.slice(0, RUNGS.indexOf(rung))) {
    if (!owes(d.incident, earlier) || earlier === 'accept' || earlier === 'arrive' || earlier === 'reinforce')
      continue;
    fulfil(d, earlier);
    write(d, { kind: 'implied', by, rung: earlier });
  }
};

/** Whoever reports a rung has accepted, whatever he forgot to tap: as the lead, or beside him. */
const ensureAccepted = (d: Draft, person: Person): void => {
  if (person.accepted !== undefined && d.incident.lead !== undefined) return;
  write(d, { kind: 'implied', by: person.id, rung: 'accept' });
  if (d.incident.lead === undefined) lead(d, person);
  else help(d, person);
};

const RELEASED = '这起警情已改派给别人，您不用再办。如需由您处置，请先点“接单”或联系值班台。';

const report = (d: Draft, actor: Actor, person: Person, rung: Report, request: Request): Outcome => {
  const { incident } = d;
  if (person.declined !== undefined && incident.lead !== person.id)
    return refuse('impossible', '您已经退单。如需由您处置，请联系值班台改派。');
  if (person.released && incident.lead !== person.id) return refuse('impossible', RELEASED);
  if (rung === 'feedback' && !request.text) return missing('text', '反馈请写明情况。');
  if (person.did.includes(rung) && rung !== 'feedback') return REPEAT;
  const again = person.did.includes(rung);
  ensureAccepted(d, person);
  if (!again) person.did.push(rung);
  imply(d, person.id, rung);
  write(d, {
    kind: DONE_KINDS[rung] satisfies LineKind,
    ...author(actor, person.id),
    rung,
    ...(request.text ? { text: request.text } : {}),
    ...(request.location ? { facts: { lng: request.location.lng, lat: request.location.lat } } : {}),
  });
  fulfil(d, rung);
  if (rung === 'arrive') {
    incident.owed = incident.owed.filter((r) => r !== 'reinforce');
    if (incident.paused) incident.paused.was = 'onsite';
    else incident.state = 'onsite';
  }
  return 'done';
};

/** Reinforcement asked for by a person: the next two candidates and the leader, now, in addition. */
const reinforce = (d: Draft, actor: Actor, who: string, request: Request): Outcome => {
  const { incident } = d;
  if (incident.lead === undefined) return refuse('impossible', '还没有人接单，请先接单再请求增援。');
  if (owes(incident, 'reinforce') && incident.climbs.reinforce !== undefined) return REPEAT;
  owe(d, 'reinforce', d.now);
  incident.reinforceAskedAt = d.now;
  write(d, {
    kind: 'reinforcement',
    ...author(actor, who),
    rung: 'reinforce',
    ...((request.text ?? request.reason) ? { text: request.text ?? request.reason } : {}),
  });
  // The call is its first step, due now; with nobody left to call, the step after it.
  const event = eventOf(incident, d.hands, 'reinforce');
  if (event) play(d, event);
  else incident.climbs.reinforce = { ...NOT_CLIMBED, step: CLIMBS.reinforce.steps.length };
  return 'done';
};

const close = (d: Draft, actor: Actor, person: Person | undefined, request: Request): Outcome => {
  const { incident } = d;
  const outcome = OUTCOMES.find((o) => o === request.outcome);
  if (!outcome) return missing('outcome', `办结请选择结果：${OUTCOMES.join('、')}。`);
  if (!request.text) return missing('text', '办结请写明处理情况。');
  if (outcome === 'solved' && incident.done.arrive === undefined)
    return refuse('impossible', '还没有人到场，不能按“已解决”办结。请先点“到场”，或选择其他结果。');
  const who = person?.id ?? actor.id;
  if (person) {
    if (person.declined !== undefined && incident.lead !== person.id)
      return refuse('impossible', '您已经退单，不能办结。');
    if (person.released && incident.lead !== person.id) return refuse('impossible', RELEASED);
    ensureAccepted(d, person);
    person.did.push('close');
    if (outcome === 'solved' || outcome === 'by_phone') imply(d, person.id, 'close');
  }
  const keep = actor.kind === 'desk' && !person ? undefined : incident.lead;
  standDown(d, (p) => p.id === keep || (p.accepted !== undefined && p.id !== incident.lead));
  if (incident.paused) resumeIn(d, who);
  write(d, { kind: 'closed', ...author(actor, who), rung: 'close', facts: { outcome }, text: request.text });
  incident.state = 'closed';
  incident.closed = { at: d.now, outcome };
  delete incident.unansweredSince;
  endPromises(d);
  return 'done';
};

const reassign = (d: Draft, actor: Actor, target: Hand | undefined, request: Request): Outcome => {
  const { incident } = d;
  if (!request.member) return missing('member', '改派请指明队员编号。');
  if (!target) return missing('member', `花名册里没有编号为 ${request.member} 的人。`);
  const known = personOf(incident, target.id);
  if (incident.lead === target.id) return REPEAT;
  if (
    incident.state === 'asking' &&
    incident.lead === undefined &&
    known?.asked !== undefined &&
    known.declined === undefined &&
    incident.deadlines.accept === known.asked + limitMs(incident, 'accept')
  )
    return REPEAT;
  const old = incident.lead;
  write(d, {
    kind: 'reassigned',
    by: actor.id,
    whom: target.id,
    ...(request.reason ? { text: request.reason } : {}),
  });
  if (old !== undefined) {
    const former = personOf(incident, old);
    if (former) {
      delete former.accepted;
      former.stood = true;
      former.released = true;
    }
    if (old !== actor.id) notify(d, old, 'reassigned');
  }
  // It is the new one's: who was asked before him and has not said yes must not take it from him with a late "1". Of a pair one of them is wanted,
  // and whoever the climb asked above them is still needed: the new one may stay silent too.
  if (!incident.pair) {
    const stays = (p: Person): boolean =>
      p.role !== 'member' ||
      p.id === target.id ||
      p.accepted !== undefined ||
      p.called === true ||
      !isActive(p);
    standDown(d, stays, 'reassigned');
    for (const p of incident.people) if (!stays(p)) p.released = true;
  }
  delete incident.lead;
  delete incident.acceptedAt;
  delete incident.unansweredSince;
  incident.state = 'asking';
  owe(d, 'accept', d.now + limitMs(incident, 'accept'));
  ask(d, target, 'accept');
  return 'done';
};

const pause = (d: Draft, actor: Actor, request: Request): Outcome => {
  const { incident } = d;
  if (!request.reason) return missing('reason', '暂停请写明原因。');
  if (request.until === undefined) return missing('until', '暂停请写明恢复时间。');
  if (request.until <= d.now) return missing('until', '恢复时间必须晚于现在。');
  if (request.until > d.now + LONGEST_PAUSE_MS) return missing('until', '一次暂停最长七天。');
  incident.paused = {
    at: d.now,
    until: request.until,
    was: incident.state === 'onsite' ? 'onsite' : 'accepted',
  };
  incident.state = 'paused';
  write(d, { kind: 'paused', by: actor.id, facts: { until: request.until }, text: request.reason });
  return 'done';
};

const revisit = (d: Draft, actor: Actor, request: Request): Outcome => {
  const outcome = REVISIT_OUTCOMES.find((o) => o === request.outcome);
  if (!outcome) return missing('outcome', `回访请选择结果：${REVISIT_OUTCOMES.join('、')}。`);
  d.incident.revisit = outcome;
  d.incident.state = 'finished';
  fulfil(d, 'revisit');
  write(d, {
    kind: 'revisited',
    by: actor.id,
    rung: 'revisit',
    facts: { outcome },
    ...(request.text ? { text: request.text } : {}),
  });
  return 'done';
};

/** When an action has already had its effect, per action; what is missing here is told by its words, or never repeated. */
const REPEATED: Partial<Record<Action, (i: Incident, r: Request, person: Person | undefined) => boolean>> = {
  accept: (i, _, person) =>
    person?.accepted !== undefined && person.declined === undefined && i.lead !== undefined,
  decline: (_i, _r, person) => person?.declined !== undefined,
  depart: (_i, _r, person) => person?.did.includes('depart') ?? false,
  contact: (_i, _r, person) => person?.did.includes('contact') ?? false,
  arrive: (_i, _r, person) => person?.did.includes('arrive') ?? false,
  close: (i, r) => i.closed !== undefined && i.closed.outcome === r.outcome,
  revisit: (i, r) => i.revisit !== undefined && i.revisit === r.outcome,
  reopen: (i) => i.reopenedAt !== undefined && i.closed === undefined,
  pause: (i, r) => i.paused !== undefined && i.paused.until === r.until,
  resume: (i) => i.paused === undefined && i.resumedAt !== undefined && allows(i.state, 'pause'),
  // In triage the same word as the machine's is a decision; afterwards it is nothing new.
  classify: (i, { decided }) =>
    decided !== undefined && !owes(i, 'triage') && !differs(i.classification, decided.classification),
  join: (i, r) => i.state === 'joined' && i.joined?.into === r.into,
  unjoin: (i) => i.state !== 'joined' && i.partedAt !== undefined,
  return: (i) => i.state === 'returned',
  handback: (i) => i.done.handback !== undefined,
};

/** Words of one's own that equal what the same person has just said. */
export interface Said {
  kind: LineKind;
  by: string;
  text: string | undefined;
  at: Instant;
}

/**
 * What a person's action does to an incident. Pure: the same incident, request and instant give the same result.
 * @param target for `reassign`, the new person as found in the roster
 * @param said   the actor's latest words on this incident, to know a doubled note
 */
export const act = (
  incident: Incident,
  actor: Actor,
  request: Request,
  hands: Hands,
  now: Instant,
  target?: Hand,
  said: readonly Said[] = [],
): Acted => {
  const { action } = request;
  if (actor.kind === 'member' && DESK_ACTIONS.has(action))
    return refuse('forbidden', `“${ACTION_NAMES[action]}”只有值班台可以操作。`);
  const who = subject(incident, actor, request);
  const person = who === undefined ? undefined : personOf(incident, who);
  if (actor.kind === 'member' && !person)
    return refuse('forbidden', '这起警情没有派给您，您不能查看或操作。');
  // Asked before the table of moves, because a repeat is harmless anywhere.
  if (REPEATED[action]?.(incident, request, person)) return REPEAT;
  if (!allows(incident.state, action)) return refuse('impossible', impossible(incident, action));
  const words = action === 'note' || action === 'feedback' ? request.text : undefined;
  const kind = action === 'note' ? 'noted' : 'feedback';
  if (
    words !== undefined &&
    said.some(
      (s) =>
        s.kind === kind &&
        s.by === (who ?? actor.id) &&
        s.text === words &&
        (kind === 'feedback' || now - s.at <= NOTE_REPEAT_MS),
    )
  )
    return REPEAT;

  const d = draft(incident, hands, now);
  recordBreaches(d);
  const outcome = DOINGS[action]({
    d,
    actor,
    request,
    who: who ?? actor.id,
    // The draft is a copy: the person must be the copy's.
    person: person && personOf(d.incident, person.id),
    target,
    text: request.text ?? request.reason,
  });
  return outcome === 'done' ? { kind: 'done', change: finish(d) } : outcome;
};

/** Whose action it is: a member's own; the desk's on behalf of `member`, of the lead, or of the duty officer asked. */
const subject = (incident: Incident, actor: Actor, request: Request): string | undefined => {
  if (actor.kind === 'member') return actor.id;
  if (request.action === 'reassign') return undefined;
  if (request.member !== undefined) return request.member;
  const duty = incident.people.find((p) => p.role === 'duty' && isActive(p));
  const own = personOf(incident, actor.id)?.id ?? duty?.id;
  if (request.action === 'accept' || request.action === 'decline') return own;
  // Notes, calls for reinforcement and closing are the desk's own unless it names somebody.
  return request.action in DONE_KINDS ? (incident.lead ?? own) : actor.id;
};

const impossible = (incident: Incident, action: Action): string => {
  const name = ACTION_NAMES[action];
  if (incident.state === 'returned' && action === 'classify')
    return '这起警情已退回110，不能再改由街道处置。110如转回，会作为新的警情登记。';
  if (incident.state === 'returned') return `这起警情已退回110，不能再“${name}”。`;
  if (incident.state === 'closed' || incident.state === 'finished')
    return `这起警情${STATE_NAMES[incident.state]}，不能再“${name}”。如有新情况请联系值班台。`;
  if (incident.state === 'received') return `这起警情还在研判，马上会派人，请稍候再“${name}”。`;
  if (incident.state === 'joined')
    return `这起警情已并入另一起，不能再“${name}”。请到那一起操作，或请值班台先“拆开”。`;
  if (action === 'unjoin') return '这起警情没有并入别的警情，不用拆开。';
  if (action === 'join') return `警情现在是“${STATE_NAMES[incident.state]}”，不能并案。`;
  if (action === 'decline') return '已经到场或暂停的警情不能退单，请联系值班台改派。';
  if (action === 'pause') return '还没有人接单，接单时限不能暂停。';
  return `警情现在是“${STATE_NAMES[incident.state]}”，不能“${name}”。`;
};

interface Doing {
  d: Draft;
  actor: Actor;
  request: Request;
  /** Whose action it is: of the roster, or the desk's own id. */
  who: string;
  /** The same as an entry of the incident, if he was asked or told. */
  person: Person | undefined;
  target: Hand | undefined;
  text: string | undefined;
}

const forPerson =
  (then: (doing: Doing, person: Person) => Outcome) =>
  (doing: Doing): Outcome =>
    doing.person
      ? then(doing, doing.person)
      : missing('member', '请指明替哪位已派的队员操作（member）；要派给新的人，请用“改派”。');
const reporting = (rung: Report) =>
  forPerson(({ d, actor, request }, person) => report(d, actor, person, rung, request));

/** What each action does; complete at compile time. */
const DOINGS: Record<Action, (doing: Doing) => Outcome> = {
  accept: forPerson(({ d, actor }, person) => accept(d, actor, person)),
  decline: forPerson(({ d, actor, text }, person) => decline(d, actor, person, text)),
  depart: reporting('depart'),
  contact: reporting('contact'),
  arrive: reporting('arrive'),
  feedback: reporting('feedback'),
  reinforce: ({ d, actor, who, request }) => reinforce(d, actor, who, request),
  // The desk closes in its own name unless it names the member.
  close: ({ d, actor, person, request }) =>
    close(d, actor, actor.kind === 'desk' && request.member === undefined ? undefined : person, request),
  reassign: ({ d, actor, target, request }) => reassign(d, actor, target, request),
  pause: ({ d, actor, request }) => pause(d, actor, request),
  resume: ({ d, actor }) => {
    resumeIn(d, actor.id);
    return 'done';
  },
  revisit: ({ d, actor, request }) => revisit(d, actor, request),
  reopen: ({ d, actor, text }) => {
    if (d.now - (d.incident.closed?.at ?? 0) > REOPEN_MS)
      return refuse('impossible', '办结已超过三十天，不能重启，请作为新的警情登记。');
    if (!text) return missing('reason', '重启请写明原因。');
    startRound(d, actor.id, text);
    return 'done';
  },
  classify: ({ d, actor, request: { decided, reason } }) => {
    if (d.incident.classification === undefined)
      return refuse('impossible', impossible(d.incident, 'classify'));
    if (!decided) return missing('category', '研判请写明类别（category）和处置方式（disposition）。');
    if (!reason) return missing('reason', '研判请写明理由。');
    if (decided.classification.disposition === 'police' && d.incident.closed !== undefined)
      return refuse('impossible', '这起警情已办结。如属警务，请先“重启”，再更正为警务退回110。');
    reclassify(d, actor.id, decided, reason);
    return 'done';
  },
  join: ({ d, actor, request: { main, reason } }) => {
    if (!main) return missing('into', '并案请写明并入哪一起警情的编号（into），这个编号要查得到。');
    if (!reason) return missing('reason', '并案请写明理由。');
    const fault = joinFault(d.incident, main);
    if (fault !== undefined) return refuse('impossible', fault);
    joinIn(d, main, { by: actor.id, sentence: reason });
    return 'done';
  },
  unjoin: ({ d, actor, request: { reason } }) => {
    if (!reason) return missing('reason', '拆开请写明理由。');
    partFrom(d, { by: actor.id, sentence: reason });
    return 'done';
  },
  return: ({ d, actor, text }) => {
    if (!text) return missing('reason', '退回110请写明原因。');
    noteDanger(d, actor.id, { disposition: 'police' });
    giveBack(d, actor.id, text);
    return 'done';
  },
  handback: ({ d, actor, text }) => {
    fulfil(d, 'handback');
    write(d, { kind: 'handed-back', by: actor.id, rung: 'handback', ...(text ? { text } : {}) });
    return 'done';
  },
  reveal: ({ d, actor, text }) => {
    if (!text) return missing('reason', '查看当事人信息请写明原因。');
    write(d, { kind: 'revealed', by: actor.id, text });
    return 'done';
  },
  tell: ({ d, actor, text }) => {
    if (!text) return missing('reason', '放行告知来电人的短信请写明原因。');
    const kind = tidings(d.incident);
    notify(d, CALLER, kind);
    for (const notice of d.notices.slice(-1)) notice.released = true;
    write(d, { kind: 'caller-told', by: actor.id, facts: { kind }, text });
    return 'done';
  },
  note: ({ d, actor, who, text }) => {
    if (!text) return missing('text', '备注不能为空。');
    write(d, { kind: 'noted', ...author(actor, who), text });
    return 'done';
  },
};
