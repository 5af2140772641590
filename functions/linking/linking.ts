import { OVER, type Incident } from '#shared/domain/incident.ts';
import { joinFault, joinIn, relate, takeIn } from '#shared/domain/join.ts';
import { signsOf } from '#shared/domain/dangerous.ts';
import { draft, finish } from '#shared/domain/draft.ts';
import { judge, type Heard, type Judgement, type MergeRules, type Verdict } from '#shared/domain/merge.ts';
import { markRepeat } from '#shared/domain/mark-repeat.ts';
import { locate } from '#shared/domain/place.ts';
import { kindOfKey, standingOf, type Past, type RepeatRules } from '#shared/domain/repeats.ts';
import { historyOf } from '#shared/ports/history.ts';
import { move, type Mover } from '#shared/ports/move.ts';
import { moveTwo } from '#shared/ports/move-two.ts';
import type { Secrets } from '#shared/ports/secrets.ts';
import type { Content } from '#shared/ports/store.ts';
import type { Vault } from '#shared/ports/vault.ts';
import type { Overheard } from './overheard.ts';
import { countUnknownCode } from './unknown-code.ts';

/** What looking for other calls needs. */
export type Linker = Mover & {
  secrets: Secrets;
  merging: MergeRules;
  repeating: RepeatRules;
  overheard: Overheard;
};

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** So many calls before and after are compared: two queries and one read of many, whatever a district gets. */
const COMPARED = 12;
/** Many callers of one second meet at one row; nobody waits for this, so everybody may have his turn. */
const PATIENCE = 20;

/**
 * Looks, once an incident is dispatched, whether another call tells of the same event, and whether the matter has come
 * before. Dispatch never waits for this; doing it twice is harmless. @throws when the table cannot be reached.
 */
export const link = async (linker: Linker, id: string): Promise<void> => {
  const [loaded, content] = await Promise.all([linker.store.load(id), linker.store.content(id)]);
  if (!loaded?.incident.classification || !content) return;
  await countUnknownCode(linker, content.categoryCode, loaded.incident.receivedAt);
  // Who calls about what somebody has just told of has not come again.
  if ((await findSameEvent(linker, loaded.incident, content)) === 'joined') return;
  await findRepeats(linker, loaded.incident, content);
};

const STRENGTH: Record<Verdict, number> = { join: 3, link: 2, propose: 1, apart: 0 };

const heardOf = (linker: Linker, vault: Vault, incident: Incident, content: Content): Heard => {
  const { category = 'other', danger = [], grave } = incident.classification ?? {};
  // Also a sign that the whole text made look harmless: by itself nothing is joined that only perhaps is harmless.
  const signs = signsOf(content.content, linker.district).map(({ kind }) => kind);
  const { phone } = content.caller;
  return {
    callNo: incident.callNo,
    at: incident.receivedAt,
    // Only what was given with the call: the middle of a grid is near to everything in it.
    ...(content.location ? { point: content.location } : {}),
    address: content.address,
    content: content.content,
    category,
    group: linker.district.categories.find((one) => one.id === category)?.group ?? category,
    // So is what is dangerous by its kind or by the desk's word: a sign of its own for each kind.
    danger: [...new Set([...danger, ...signs, ...(grave ? [category] : [])])],
    ...(phone ? { caller: vault.hash('phone', phone) } : {}),
  };
};

/** The later of two calls: what came first stays what the other may become part of. */
const inOrder = (a: Incident, b: Incident): [Incident, Incident] =>
  a.receivedAt < b.receivedAt || (a.receivedAt === b.receivedAt && a.id < b.id) ? [a, b] : [b, a];

/** A call that may be about the same event. */
interface Match {
  other: Incident;
  judgement: Judgement;
  sameAddress: boolean;
}

/**
 * Compares a call with its neighbours. Both orders happen: two calls of one second are classified side by side, and whichever
 * is looked at last finds the other. So each of those that tell of the same event is joined, not the likest alone: a later
 * one may have been looked at when this call was not classified yet, and is not looked at again.
 */
const findSameEvent = async (
  linker: Linker,
  incident: Incident,
  content: Content,
): Promise<'joined' | undefined> => {
  const { store, secrets, merging, overheard } = linker;
  if (incident.state === 'joined') return 'joined';
  const [vault, near] = await Promise.all([
    secrets.vault(),
    // Its neighbours in time, and not the latest of all: it may have waited behind others.
    store.around(incident.receivedAt, merging.minutes * MINUTE_MS, COMPARED),
  ]);
  const own = heardOf(linker, vault, incident, content);
  const now = linker.clock.now().getTime();
  // What is remembered only rules out; whoever may be alike is read as he is now.
  const toRead = near.filter((other) => {
    const heard = overheard.of(other, now);
    return other !== incident.id && (!heard || judge(heard, own, merging).verdict !== 'apart');
  });
  // What is not classified yet is neither compared nor remembered: whoever is looked at last finds the other one.
  const matches = (await store.told(toRead))
    .map((one): Match => {
      const heard = heardOf(linker, vault, one.incident, one.content);
      overheard.keep(one.incident.id, heard, now);
      return {
        other: one.incident,
        judgement: judge(heard, own, merging),
        sameAddress: one.content.address === content.address,
      };
    })
    .filter(({ judgement }) => judgement.verdict !== 'apart')
    // Of equals the earliest is meant, so that many calls gather around one.
    .toSorted(
      (a, b) =>
        STRENGTH[b.judgement.verdict] - STRENGTH[a.judgement.verdict] ||
        b.judgement.alike - a.judgement.alike ||
        (inOrder(a.other, b.other)[0] === a.other ? -1 : 1),
    );
  const alike = matches.filter(({ judgement }) => judgement.verdict === 'join');
  const mine = alike.find(({ other }) => inOrder(incident, other)[1] === incident);
  const isJoined =
    mine !== undefined &&
    mayJoin(incident) &&
    (await join(linker, incident.id, mine.other, mine.judgement, !mine.sameAddress));
  // After it, so that they go where it has gone.
  let hasJoined = false;
  for (const { other, judgement, sameAddress } of alike) {
    if (inOrder(incident, other)[1] === incident || !mayJoin(other)) continue;
    hasJoined = (await join(linker, other.id, incident, judgement, !sameAddress)) || hasJoined;
  }
  if (isJoined) return 'joined';
  const asked = mine ?? (hasJoined ? undefined : matches[0]);
  if (!asked) return undefined;
  const [first, later] = inOrder(incident, asked.other);
  const main = first.joined && first.state === 'joined' ? first.joined.into : first.id;
  await note(linker, later.id, main, asked.judgement);
  return undefined;
};

/** Nobody has accepted it, nobody need keep it secret, and the desk has not parted it: nothing is joined again behind its back. */
const mayJoin = ({ state, lead, partedAt, secret }: Incident): boolean =>
  (state === 'asking' || state === 'unanswered') && lead === undefined && partedAt === undefined && !secret;

/** What was joined may have been joined to what is joined itself by now: so far its way is followed. */
const HOPS = 4;

/** Joins by itself only what nobody has accepted yet and nobody need keep secret; everything else is for the desk to say. */
const join = async (
  linker: Linker,
  laterId: string,
  first: Incident,
  { sentence }: Judgement,
  otherAddress: boolean,
): Promise<boolean> => {
  const because = { by: 'system', sentence };
  let mainId = first.id;
  for (let hop = 0; hop < HOPS; hop += 1) {
    const moved = await moveTwo<boolean | { further: string }>(
      linker,
      laterId,
      mainId,
      (one, main) => {
        const later = one.incident;
        if (later.state === 'joined') return { result: true };
        if (main?.incident.state === 'joined' && main.incident.joined)
          return { result: { further: main.incident.joined.into } };
        if (!main || !mayJoin(later) || main.incident.secret) return { result: false };
        if (joinFault(later, main.incident) !== undefined) return { result: false };
        const d = draft(later, one.hands, one.now);
        joinIn(d, main.incident, because);
        return {
          changes: [finish(d), takeIn(main.incident, later, because, otherAddress, main.hands, main.now)],
          result: true,
        };
      },
      PATIENCE,
    );
    if (!moved.found) return false;
    if (moved.changed) linker.log.count('Joined');
    if (typeof moved.result === 'boolean') return moved.result;
    mainId = moved.result.further;
  }
  return false;
};

/** Writes into both trails that the other one is there; a question to the desk as long as both are open. */
const note = async (
  linker: Linker,
  laterId: string,
  firstId: string,
  { verdict, minutes, metres, alike, sentence }: Judgement,
): Promise<void> => {
  const facts = { minutes, alike, ...(metres === undefined ? {} : { metres }) };
  const moved = await moveTwo<boolean>(
    linker,
    laterId,
    firstId,
    (one, other) => {
      if (!other || other.incident.id === one.incident.id) return { result: false };
      const open = !OVER.has(one.incident.state) && !OVER.has(other.incident.state);
      const kept = verdict === 'link' || !open ? 'link' : 'propose';
      const changes = [
        relate(one.incident, other.incident, kept, facts, sentence, one.now),
        relate(other.incident, one.incident, kept, facts, sentence, other.now),
      ] as const;
      return changes[0] && changes[1]
        ? { changes: [changes[0], changes[1]], result: kept === 'propose' }
        : { result: false };
    },
    PATIENCE,
  );
  if (moved.found && moved.changed && moved.result) linker.log.count('MergeProposed');
};

/** The third time in 30 days, by keyed hashes and sketches alone: no earlier text is opened. */
const findRepeats = async (linker: Linker, incident: Incident, content: Content): Promise<void> => {
  const { store, district, secrets, repeating, log } = linker;
  const { classification } = incident;
  if (!classification || incident.repeat !== undefined) return;
  const { keys, kept } = historyOf(await secrets.vault(), content, locate(district, content), classification);
  const since = incident.receivedAt - repeating.frequent.days * DAY_MS;
  const most = repeating.likeness.reportsPerKey;
  const found = await Promise.all(
    keys.map(async (key) => ({ key, items: await store.history(key, since, most + 1) })),
  );
  const history = new Map<string, Past & { keys: string[] }>();
  for (const { key, items } of found) {
    // A number that so many reports have is a doorman's or a hotline's; a person or a road stays what it is.
    if (items.length > most && ['phone', 'address', 'firm'].includes(kindOfKey(key))) continue;
    for (const { incidentId, at, kept: past } of items) {
      if (incidentId === incident.id) continue;
      const known = history.get(incidentId);
      if (known) known.keys.push(key);
      else
        history.set(incidentId, {
          at,
          keys: [key],
          ...(past ?? { category: 'other', risk: false, danger: [], sketch: [] }),
        });
    }
  }
  const now: Past = { at: incident.receivedAt, keys, ...kept };
  const standing = standingOf(now, [...history.values()], repeating);
  if (standing.kind === 'first') return;
  const moved = await move(linker, incident.id, ({ incident: fresh, hands, now: instant }) => {
    const change = markRepeat(fresh, standing, hands, instant);
    return change ? { change, result: undefined } : { result: undefined };
  });
  if (moved.found && moved.changed && standing.kind !== 'again') log.count('Repeat');
};
