import type { Past, RepeatRules } from '#shared/domain/repeats.ts';
import { kindOfKey, standingOf } from '#shared/domain/repeats.ts';
import { locate } from '#shared/domain/place.ts';
import { markRepeat } from '#shared/domain/mark-repeat.ts';
import type { Incident } from '#shared/domain/incident.ts';
import { move, type Mover } from '#shared/ports/move.ts';
import type { Secrets } from '#shared/ports/secrets.ts';
import type { Content } from '#shared/ports/store.ts';
import { historyOf } from './history.ts';

/** What looking for other calls needs. */
export type Linker = Mover & { secrets: Secrets; repeating: RepeatRules };

const DAY_MS = 86_400_000;

/**
 * Looks, once an incident is dispatched, whether the matter has come before. Dispatch never waits for this; doing it
 * twice is harmless.
 */
export const link = async (linker: Linker, id: string): Promise<void> => {
  const [loaded, content] = await Promise.all([linker.store.load(id), linker.store.content(id)]);
  if (!loaded?.incident.classification || !content) return;
  await findRepeats(linker, loaded.incident, content);
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
