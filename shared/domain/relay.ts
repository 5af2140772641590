import * as z from 'zod';
import type { Change } from './draft.ts';
import { instantSchema, owes, type Incident, type Instant } from './incident.ts';
import { maskText } from './mask.ts';
import type { Lane } from './notice.ts';

/**
 * What the 110 centre is told (回传110). returned: the matter is theirs again, and somebody may be in danger · closed: how it ended ·
 * reopened: the result told before does not hold any more.
 */
export const RELAY_KINDS = ['returned', 'closed', 'reopened'] as const;
/** What the 110 centre is told. */
export type RelayKind = (typeof RELAY_KINDS)[number];

/** One message to the 110 centre. Holds no words of anybody: it is worded when it is sent. */
export const relaySchema = z.object({
  /** Unique within the incident; begins with `110.`, which no notice's id does. */
  id: z.string(),
  kind: z.enum(RELAY_KINDS),
  /** Rises within the incident, with gaps: it is the version of the row that the message tells of. The higher one is the newer one. */
  sequence: z.int().positive(),
  at: instantSchema,
});
/** One message to the 110 centre. */
export type Relay = z.infer<typeof relaySchema>;

/** Open: owed, and `sending` while somebody is in the middle of a try. The others are ends. */
const RELAY_STATES = [
  'owed',
  'sending',
  'acknowledged',
  /** A newer message of the incident says what this one no longer can. */
  'superseded',
  /** Nobody needs it any more: the desk has handed the matter back by telephone. */
  'moot',
  'given-up',
] as const;

/** A message as it stands. */
export const relayRowSchema = z.object({
  relay: relaySchema,
  state: z.enum(RELAY_STATES),
  /** Tries so far, the present one included. */
  tries: z.int().nonnegative(),
  triedAt: instantSchema.optional(),
  /** What came of the latest try, in a word: `HTTP 503`, `TimeoutError`, … */
  code: z.string().optional(),
  /** When the desk was told to telephone. */
  deskTold: instantSchema.optional(),
  /** When it is owed again; absent once it is done with. */
  owedAt: z.coerce.number().optional(),
  /** Raised by every step: the optimistic lock. */
  version: z.int().nonnegative(),
});
/** A message as it stands. */
export type RelayRow = z.infer<typeof relayRowSchema>;

/** Does the 110 centre of this district want to be told, and of results as well? */
export const backTo110Schema = z.strictObject({
  /** Where the centre takes our messages. */
  address: z.url({ protocol: /^https$/ }),
  /** Returns are always told; results (办结、重启) only if the centre wants them. */
  results: z.boolean(),
});
/** How a district reports back. */
export type BackTo110 = z.infer<typeof backTo110Schema>;

/** Is this the id of a message to the 110 centre, and not of a notice? One queue carries both. */
export const isRelay = (id: string): boolean => id.startsWith('110.');

/** The message that a committed change owes to the 110 centre, if any. */
export const relayOf = (change: Change, wants: BackTo110 | undefined): Relay | undefined => {
  if (!wants) return undefined;
  const line = change.lines.findLast(({ kind }) => RELAY_KINDS.some((one) => one === kind));
  const kind = RELAY_KINDS.find((one) => one === line?.kind);
  if (!line || !kind || (kind !== 'returned' && !wants.results)) return undefined;
  const sequence = change.incident.version;
  return { id: `110.${String(sequence).padStart(5, '0')}`, kind, sequence, at: line.at };
};

/** A return is an alert: somebody may be in danger until 110 knows. A result is only good to know. */
export const relayLane = (kind: RelayKind): Lane => (kind === 'returned' ? 'alerts' : 'chatter');

const MINUTE = 60;
const HOUR = 60 * MINUTE;
/** Seconds from one try to the next. A return: dense, because somebody may be in danger; its last pause repeats until somebody has handed the matter back. */
const RETURN_PAUSES = [1, 2, 5, 5, 10, 15];
/** Seconds from one try to the next of a result: the schedule that the Standard Webhooks specification recommends. */
const RESULT_PAUSES = [
  5,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  24 * HOUR,
];
/** A return that is not acknowledged by then: the desk has to telephone. Milliseconds. */
export const UNACKNOWLEDGED_MS = 30_000;
/** A try that has not ended by then has died with its function. Milliseconds. */
export const TRY_MS = 10_000;

/** What is to be done about a message now. `until` and `at` are instants. */
export type RelayStep =
  | { do: 'send' }
  | { do: 'tell-desk' }
  | { do: 'wait'; until: Instant }
  | { do: 'end'; state: 'superseded' | 'moot' | 'given-up' }
  | { do: 'rest' };

/** Why a message helps nobody any more, if so; asked immediately before every try. */
const overtaken = (
  { relay }: RelayRow,
  incident: Incident,
  newest: number,
): 'superseded' | 'moot' | undefined => {
  if (newest > relay.sequence) return 'superseded';
  if (relay.kind === 'returned') return owes(incident, 'handback') ? undefined : 'moot';
  if (relay.kind === 'closed') return incident.closed?.at === relay.at ? undefined : 'moot';
  return incident.closed === undefined ? undefined : 'moot';
};

/** When the next try is due; undefined: there is none left. A slow answer does not push the next try further away. */
const nextTry = ({ relay, tries, triedAt }: RelayRow): Instant | undefined => {
  if (tries === 0 || triedAt === undefined) return relay.at;
  const pauses = relay.kind === 'returned' ? RETURN_PAUSES : RESULT_PAUSES;
  const pause = relay.kind === 'returned' ? (pauses[tries - 1] ?? pauses.at(-1)) : pauses[tries - 1];
  return pause === undefined ? undefined : triedAt + pause * 1000;
};

/**
 * What the 110 centre's message demands now. Pure; the function only carries it out.
 * @param newest the highest sequence of the incident's messages
 */
export const nextRelayStep = (row: RelayRow, incident: Incident, newest: number, now: Instant): RelayStep => {
  if (row.state !== 'owed' && row.state !== 'sending') return { do: 'rest' };
  const end = overtaken(row, incident, newest);
  if (end) return { do: 'end', state: end };
  const alarm =
    row.relay.kind === 'returned' && row.deskTold === undefined ? row.relay.at + UNACKNOWLEDGED_MS : Infinity;
  if (now >= alarm) return { do: 'tell-desk' };
  const died = (row.triedAt ?? 0) + TRY_MS;
  if (row.state === 'sending' && now < died) return { do: 'wait', until: Math.min(died, alarm) };
  const due = nextTry(row);
  if (due === undefined) return { do: 'end', state: 'given-up' };
  return now >= due ? { do: 'send' } : { do: 'wait', until: Math.min(due, alarm) };
};

/**
 * What 110 reads: ids of theirs and of ours, what happened, and the words that went with it, masked: whoever closes a matter writes names
 * of neighbours and their doors. No caller: 110 has him under `callNo`.
 * @param known words that are surely personal here: the caller's name, number and address
 */
export const relayWords = (
  { kind, sequence, at }: Relay,
  incident: Incident,
  text: string | undefined,
  known: readonly string[] = [],
): { type: string; timestamp: string; data: Record<string, unknown> } => ({
  type: `incident.${kind}`,
  timestamp: new Date(at).toISOString(),
  data: {
    callNo: incident.callNo,
    incidentId: incident.id,
    district: incident.district,
    sequence,
    ...(kind === 'returned' ? { danger: incident.classification?.danger ?? [] } : {}),
    ...(kind === 'closed' && incident.closed ? { outcome: incident.closed.outcome } : {}),
    // What was to be kept secret travels by telephone.
    ...(text === undefined || incident.secret ? {} : { text: maskText(text, known) }),
  },
});
