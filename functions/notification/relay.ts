import { draft, finish, fulfil, notify, write, type Change } from '#shared/domain/draft.ts';
import { owes, type Incident } from '#shared/domain/incident.ts';
import {
  TRY_MS,
  nextRelayStep,
  relayLane,
  relayWords,
  type RelayRow,
  type RelayStep,
} from '#shared/domain/relay.ts';
import type { Centre } from '#shared/ports/centre.ts';
import { move, type Mover, type Situation } from '#shared/ports/move.ts';
import { delayUntil } from '#shared/ports/queue.ts';
import { ownerOf } from '#shared/ports/store.ts';

/** What reporting back needs. */
export interface Relayer extends Mover {
  centre: Centre;
}

/** A message to the 110 centre and its incident, as the queue names them. */
export interface RelayJob {
  incidentId: string;
  relayId: string;
}

/** Steps of one run: more would be a loop. */
const MOST_STEPS = 12;

/**
 * Tells the 110 centre what it is owed: load, decide, write `sending`, one try, write what came of it, decide again. The id stays
 * the same, so that a try that was repeated after a crash is known at the other end. Only an acknowledgement ends a return: it
 * fulfils `handback`.
 */
export const relay = async (r: Relayer, { incidentId, relayId }: RelayJob): Promise<void> => {
  const owner = ownerOf(incidentId);
  for (let n = 0; n < MOST_STEPS; n += 1) {
    const [rows, loaded] = await Promise.all([r.store.relays(owner), r.store.load(incidentId)]);
    const row = rows.find((one) => one.relay.id === relayId);
    if (!row || !loaded) throw new Error(`There is no message ${relayId} of ${incidentId}.`);
    const newest = Math.max(...rows.map((one) => one.relay.sequence));
    const now = r.clock.now().getTime();
    const step = nextRelayStep(row, loaded.incident, newest, now);
    if ((await take(r, loaded.incident, row, step)) === 'rest') return;
  }
  throw new Error(`The message ${relayId} of ${incidentId} took ${MOST_STEPS} steps in one run.`);
};

const take = async (
  r: Relayer,
  incident: Incident,
  row: RelayRow,
  step: RelayStep,
): Promise<'rest' | 'on'> => {
  const owner = ownerOf(incident.id);
  if (step.do === 'send') return send(r, incident, row);
  if (step.do === 'tell-desk') {
    r.log.count('CentreSilent');
    await note(r, incident.id, row, 'unacknowledged');
    await r.store.stepRelay(owner, row, { deskTold: r.clock.now().getTime(), owedAt: 'same' });
    return 'on';
  }
  if (step.do === 'end') {
    if (step.state === 'given-up') await note(r, incident.id, row, 'given-up');
    await r.store.stepRelay(owner, row, { state: step.state });
  }
  // Who finds it owed at that instant knows that somebody has asked to be woken for it.
  if (step.do !== 'wait' || row.owedAt === step.until) return 'rest';
  if (!(await r.store.stepRelay(owner, row, { owedAt: step.until }))) return 'on';
  const seconds = delayUntil(step.until, r.clock.now().getTime());
  if (seconds !== undefined)
    await r.queues.notices([{ owner, noticeId: row.relay.id, lane: relayLane(row.relay.kind) }], seconds);
  return 'rest';
};

/** One try. `sending` is written first, by one relayer only. */
const send = async (r: Relayer, incident: Incident, row: RelayRow): Promise<'rest' | 'on'> => {
  const owner = ownerOf(incident.id);
  const { relay: message } = row;
  const triedAt = r.clock.now().getTime();
  const claimed = await r.store.stepRelay(owner, row, {
    state: 'sending',
    tries: row.tries + 1,
    triedAt,
    owedAt: triedAt + TRY_MS,
  });
  // Somebody else holds it: SQS delivers at least once.
  if (!claimed) return 'rest';
  const lines = await r.store.lines(incident.id);
  const said = lines.findLast(({ stored }) => stored.kind === message.kind && stored.at === message.at);
  const content = said?.text === undefined ? undefined : await r.store.content(incident.id);
  const known = content ? [content.caller.name, content.caller.phone, content.address] : [];
  const answer = await r.centre.tell({
    id: `${incident.id}.${message.sequence}`,
    body: JSON.stringify(relayWords(message, incident, said?.text, known)),
  });
  if (answer.kind === 'acknowledged') {
    await note(r, incident.id, claimed, 'acknowledged');
    await settle(r, owner, claimed, { state: 'acknowledged' });
    return 'rest';
  }
  r.log.info('centre-silent', { incident: incident.id, code: answer.code, tries: claimed.tries });
  await settle(r, owner, claimed, { state: 'owed', code: answer.code, owedAt: triedAt });
  return 'on';
};

/** Writes what came of a try; meanwhile the desk may have been told, which raises the version and takes nothing back. */
const settle = async (
  r: Relayer,
  owner: string,
  claimed: RelayRow,
  what: Parameters<Relayer['store']['stepRelay']>[2],
): Promise<void> => {
  for (let row: RelayRow | undefined = claimed; row?.state === 'sending' && row.tries === claimed.tries;) {
    if (await r.store.stepRelay(owner, row, what)) return;
    row = (await r.store.relays(owner)).find(({ relay: one }) => one.id === claimed.relay.id);
  }
};

/** Writes into the trail, once, that 110 has acknowledged, has not in time, or never did. */
const note = async (
  r: Relayer,
  incidentId: string,
  row: RelayRow,
  what: 'acknowledged' | 'unacknowledged' | 'given-up',
): Promise<void> => {
  const idempotencyKey = `${row.relay.id}-${what}`;
  await move(r, incidentId, async (situation) => {
    if (await r.store.done(incidentId, idempotencyKey)) return { result: undefined };
    return { change: noted(situation, row, what), beside: { idempotencyKey }, result: undefined };
  });
};

const noted = (
  { incident, hands, now }: Situation,
  { relay: message, tries, code }: RelayRow,
  what: 'acknowledged' | 'unacknowledged' | 'given-up',
): Change => {
  const d = draft(incident, hands, now);
  const facts = { what: message.kind, sequence: message.sequence, tries, ...(code ? { code } : {}) };
  if (what === 'acknowledged' && message.kind === 'returned' && owes(d.incident, 'handback')) {
    fulfil(d, 'handback');
    write(d, { kind: 'handed-back', by: '110', rung: 'handback', facts });
  } else
    write(d, {
      kind: 'relayed',
      by: what === 'acknowledged' ? '110' : 'system',
      facts: { state: what, ...facts },
    });
  if (what === 'unacknowledged') {
    const [desk] = [...hands.duty, ...hands.street];
    if (desk) notify(d, desk.id, 'desk', 'handback', 'phone-110');
  }
  return finish(d);
};
