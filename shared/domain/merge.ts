import * as z from 'zod';
import { bare, containment, runsOf } from './likeness.ts';
import { metresBetween } from './place.ts';
import type { Point } from './roster.ts';

/** When calls tell of one event. Data that a clerk reads; shared by all districts. */
export const mergeRulesSchema = z.strictObject({
  version: z.string(),
  note: z.string().optional(),
  /** Calls further apart in time are two events. */
  minutes: z.number().positive(),
  /** Up to `join` a place is the same; beyond `propose` it is another one. */
  metres: z.strictObject({ join: z.number().positive(), propose: z.number().positive() }),
  /** Share of the shorter call's words that the other has: enough to join, enough to be worth a question. */
  likeness: z.strictObject({ join: z.number().min(0).max(1), propose: z.number().min(0).max(1) }),
  /** Words after a number that make it a door; two doors of one kind are two places. */
  doors: z.array(z.string().min(1)).nonempty(),
  /** Words of which one thing has only one: a white car is not the black one. */
  either: z.array(z.array(z.string().min(1)).min(2)),
});
/** See `mergeRulesSchema`. */
export type MergeRules = z.infer<typeof mergeRulesSchema>;

/** One call as far as it is compared. */
export interface Heard {
  callNo: string;
  /** Epoch milliseconds of its receipt. */
  at: number;
  point?: Point;
  address: string;
  content: string;
  category: string;
  /** The category's group. */
  group: string;
  /** Its own danger signs; they stay its own whatever it is joined to. */
  danger: readonly string[];
  /** Keyed hash of the caller's number; absent when the number is withheld. */
  caller?: string;
}

/** What a call is to another: part of it, perhaps part of it, beside it because of a danger, or nothing. */
export type Verdict = 'join' | 'propose' | 'link' | 'apart';

/** How a call stands to another, with the sentence for the desk. `metres` is absent when a place is unknown. */
export interface Judgement {
  verdict: Verdict;
  minutes: number;
  metres?: number;
  /** 0–1; 0 where time or place have decided already. */
  alike: number;
  sentence: string;
}

const MINUTE = 60_000;

/** Numbers of doors by kind: 3幢2单元 → 幢: 3, 单元: 2. */
const doorsOf = (text: string, kinds: readonly string[]): Map<string, Set<string>> => {
  const found = new Map<string, Set<string>>();
  const plain = text.normalize('NFKC');
  for (const match of plain.matchAll(/\d{1,5}/g)) {
    const kind = kinds.find((one) => plain.startsWith(one, match.index + match[0].length));
    if (kind !== undefined) found.set(kind, (found.get(kind) ?? new Set()).add(match[0]));
  }
  return found;
};

const isOtherDoor = (a: Heard, b: Heard, kinds: readonly string[]): boolean => {
  const [first, second] = [doorsOf(a.address, kinds), doorsOf(b.address, kinds)];
  return [...first].some(([kind, numbers]) => {
    const others = second.get(kind);
    return others !== undefined && [...numbers].every((number) => !others.has(number));
  });
};

/** Two words that one thing cannot both have, if the calls name them. */
const clash = (a: Heard, b: Heard, either: MergeRules['either']): [string, string] | undefined => {
  for (const words of either) {
    const [first, second] = [a, b].map(({ content }) => words.filter((word) => content.includes(word)));
    const [one] = first ?? [];
    const [other] = second ?? [];
    if (one !== undefined && other !== undefined && !first?.some((word) => second?.includes(word)))
      return [one, other];
  }
  return undefined;
};

const isSameAddress = (a: Heard, b: Heard): boolean => {
  const [first, second] = [bare(a.address), bare(b.address)];
  return first !== '' && second !== '' && (first.startsWith(second) || second.startsWith(first));
};

/**
 * Whether two calls tell of one event: near in time, near in place, one issue. Only a call without a danger sign about
 * the same door (or from the same phone) joins by itself; what may be one is proposed to the desk; what holds a danger
 * sign is linked, so that its own guard answers it.
 */
export const judge = (known: Heard, call: Heard, rules: MergeRules): Judgement => {
  const minutes = Math.round(Math.abs(call.at - known.at) / MINUTE);
  const metres = known.point && call.point ? Math.round(metresBetween(known.point, call.point)) : undefined;
  let alike = 0;
  const say = (verdict: Verdict, sentence: string): Judgement => ({
    verdict,
    minutes,
    ...(metres === undefined ? {} : { metres }),
    alike,
    sentence,
  });

  if (Math.abs(call.at - known.at) > rules.minutes * MINUTE)
    return say('apart', `相隔${minutes}分钟，当作两件事`);
  if (metres !== undefined && metres > rules.metres.propose)
    return say('apart', `相距${metres}米，当作两件事`);
  const sameAddress = isSameAddress(known, call);
  if (metres === undefined && !sameAddress) return say('apart', '地点不明，地址也不同，当作两件事');
  // The dear part, after what sets most calls apart.
  alike = Math.round(containment(runsOf(bare(known.content), 2), runsOf(bare(call.content), 2)) * 100) / 100;
  const where = `相隔${minutes}分钟、${metres === undefined ? '同一地址' : `${metres}米`}`;

  const sameDanger = call.danger.some((sign) => known.danger.includes(sign));
  const sameCaller = call.caller !== undefined && call.caller === known.caller;
  const sameCategory = call.category === known.category;
  const isIssue =
    sameDanger ||
    alike >= rules.likeness.propose ||
    (sameCaller && call.group === known.group) ||
    (sameCategory && sameAddress);
  // A quarrel and a knife at one door are one story, even when no word is the same: the desk must see both together.
  const isSudden =
    call.danger.length > 0 !== known.danger.length > 0 && sameAddress && alike >= rules.likeness.propose / 2;
  if (!isIssue && !isSudden) return say('apart', `${where}，但说的是两件事`);

  if (call.danger.length > 0 || known.danger.length > 0) {
    if (sameDanger || sameAddress || alike >= rules.likeness.propose)
      return say('link', `${where}，可能是同一件事；有危险信号，只关联，各按各的处置`);
    return say('apart', `${where}，但说的是两件事`);
  }
  const clashing = clash(known, call, rules.either);
  if (clashing) return say('apart', `${where}，但一个说“${clashing[0]}”，一个说“${clashing[1]}”，当作两件事`);
  if (isOtherDoor(known, call, rules.doors))
    return alike >= rules.likeness.join && sameCategory
      ? say('propose', `${where}，门牌不同但说法相近，请值班员看是不是同一件`)
      : say('apart', `${where}，但门牌不同，当作两件事`);
  if (sameCaller && sameCategory && (sameAddress || (metres ?? Infinity) <= rules.metres.join))
    return say('join', `同一电话${minutes}分钟内再次来电，说的是同一件事，并为一件`);
  const isHere = sameAddress || (metres !== undefined && metres <= rules.metres.join);
  if (sameCategory && isHere && alike >= rules.likeness.join)
    return say('join', `${where}，说法相近，并为一件`);
  return say('propose', `${where}，可能是同一件事，请值班员确认`);
};

/** Another event to be looked at together with this one: `propose` asks the desk for a decision, `link` does not. */
export interface Beside {
  /** A call number: the event that holds this call now is meant, whatever was joined since. */
  id: string;
  verdict: 'propose' | 'link';
  sentence: string;
}

/** One event: the calls that tell of it, in order of receipt, and what it stands beside. */
export interface Gathering {
  /** Call number of the first call that told of it. */
  id: string;
  calls: readonly Heard[];
  beside: readonly Beside[];
}

/** What was done with a call, or with an event that was joined by hand; enough to undo it. */
export interface Placing {
  verdict: 'new' | 'join' | 'propose' | 'link';
  /** Call number of the call, or the id of the event that was joined. */
  callNo: string;
  /** The numbers of all calls that were placed. */
  calls: readonly string[];
  /** The event the calls are in now. */
  into: string;
  /** What they stood or stand beside. */
  beside: readonly Beside[];
  sentence: string;
}

const STRENGTH: Record<Verdict, number> = { join: 3, link: 2, propose: 1, apart: 0 };

const strongest = (events: readonly Gathering[], call: Heard, rules: MergeRules) => {
  let best: { event: Gathering; judgement: Judgement } | undefined;
  for (const event of events)
    for (const known of event.calls) {
      const judgement = judge(known, call, rules);
      const [now, was] = [STRENGTH[judgement.verdict], STRENGTH[best?.judgement.verdict ?? 'apart']];
      if (now > was || (now === was && now > 0 && judgement.alike > (best?.judgement.alike ?? 0)))
        best = { event, judgement };
    }
  return best;
};

/**
 * Takes a call: joins it to the event it tells of, or opens an event of its own, beside the other one where there may
 * be one. No call is ever dropped, and every call keeps its number and its danger signs.
 */
export const hear = (
  events: readonly Gathering[],
  call: Heard,
  rules: MergeRules,
): { events: Gathering[]; placing: Placing } => {
  const best = strongest(events, call, rules);
  const { callNo } = call;
  if (best?.judgement.verdict === 'join') {
    const { id } = best.event;
    return {
      events: events.map((event) => (event.id === id ? { ...event, calls: [...event.calls, call] } : event)),
      placing: {
        verdict: 'join',
        callNo,
        calls: [callNo],
        into: id,
        beside: [],
        sentence: best.judgement.sentence,
      },
    };
  }
  const { verdict, sentence } = best?.judgement ?? { verdict: 'apart', sentence: '' };
  const beside: Beside[] =
    best && (verdict === 'propose' || verdict === 'link') ? [{ id: best.event.id, verdict, sentence }] : [];
  return {
    events: [...events, { id: callNo, calls: [call], beside }],
    placing: {
      verdict: beside[0]?.verdict ?? 'new',
      callNo,
      calls: [callNo],
      into: callNo,
      beside,
      sentence: beside[0]?.sentence ?? '没有相近的来电，作为新的一件',
    },
  };
};

/**
 * The desk confirms a proposal: the calls of the event become calls of the other. Undefined when there is no such
 * proposal, or when a call of either holds a danger sign: those stay linked, whoever asks.
 */
export const confirm = (
  events: readonly Gathering[],
  id: string,
): { events: Gathering[]; placing: Placing } | undefined => {
  const event = events.find((one) => one.id === id);
  const proposal = event?.beside.find(({ verdict }) => verdict === 'propose');
  const other = events.find(({ calls }) => calls.some(({ callNo }) => callNo === proposal?.id));
  if (!event || !other || other === event) return undefined;
  if ([...event.calls, ...other.calls].some(({ danger }) => danger.length > 0)) return undefined;
  const calls = [...other.calls, ...event.calls];
  return {
    events: events.flatMap((one) => (one === event ? [] : one === other ? [{ ...other, calls }] : [one])),
    placing: {
      verdict: 'join',
      callNo: id,
      calls: event.calls.map(({ callNo }) => callNo),
      into: other.id,
      beside: event.beside,
      sentence: '值班员确认是同一件事，并为一件',
    },
  };
};

/**
 * Takes a placing back: what was joined is an event of its own again, as it was, and what was beside it is no longer.
 * What was done since then stays. Undefined when the calls are no longer where the placing put them.
 */
export const undo = (events: readonly Gathering[], placing: Placing): Gathering[] | undefined => {
  const event = events.find((one) => one.id === placing.into);
  const moved = event?.calls.filter(({ callNo }) => placing.calls.includes(callNo)) ?? [];
  if (!event || moved.length !== placing.calls.length) return undefined;
  const gone = new Set(placing.beside.map(({ id }) => id));
  if (placing.verdict !== 'join')
    return events.map((one) =>
      one === event ? { ...one, beside: one.beside.filter(({ id }) => !gone.has(id)) } : one,
    );
  return [
    ...events.map((one) =>
      one === event ? { ...one, calls: one.calls.filter((other) => !moved.includes(other)) } : one,
    ),
    { id: placing.callNo, calls: moved, beside: placing.beside },
  ];
};
