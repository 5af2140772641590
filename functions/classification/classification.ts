import { assign, type Finding } from '#shared/domain/assign.ts';
import { classify, type Statement } from '#shared/domain/classify.ts';
import { ladderFor } from '#shared/domain/district.ts';
import { handsAt } from '#shared/domain/hands.ts';
import { locate } from '#shared/domain/place.ts';
import { candidates } from '#shared/domain/routing.ts';
import { move, type Mover } from '#shared/ports/move.ts';
import type { Content, Picks } from '#shared/ports/store.ts';
import type { Secrets } from '#shared/ports/secrets.ts';

/** So many of those picked and rejected are kept with their reasons: enough for any climb, and a small item. */
const KEPT = 15;

const statementOf = (content: Content): Statement => ({
  content: content.content,
  address: content.address,
  ...(content.categoryCode === undefined ? {} : { categoryCode: content.categoryCode }),
  ...(content.level === undefined ? {} : { level: content.level }),
});

/**
 * Says what a received incident is, who answers and by when, and asks the first person. Doing it twice is harmless:
 * only a received incident is assigned.
 */
export const classifyIncident = async (mover: Mover & { secrets: Secrets }, id: string): Promise<void> => {
  const { store, district, secrets } = mover;
  const content = await store.content(id);
  if (!content) throw new Error(`The incident ${id} has no content.`);
  const { classification, reasons } = classify(district, statementOf(content));
  const place = locate(district, content);
  const vault = await secrets.vault();
  const { phone, name } = content.caller;
  const history = [
    ...(phone ? [vault.hash('phone', phone)] : []),
    ...(name && phone ? [vault.hash('person', `${name}/${phone}`)] : []),
    ...(content.address ? [vault.hash('address', content.address)] : []),
  ];

  await move(mover, id, ({ incident, members, now }) => {
    if (incident.state !== 'received') return { result: undefined };
    const at = new Date(now);
    const found = candidates(district, members, { place, classification, at });
    const picks: Picks = {
      picked: found.picked.slice(0, KEPT),
      rejected: found.rejected.slice(0, KEPT),
      how: place.how,
    };
    const finding: Finding = {
      classification,
      ladder: ladderFor(district, classification.category, incident.mode),
      place: {
        ...(place.gridId === undefined ? {} : { grid: place.gridId }),
        ...(place.roadId === undefined ? {} : { road: place.roadId }),
        name: place.name,
      },
      picks: {
        picked: found.picked.length + found.more.picked,
        rejected: found.rejected.length + found.more.rejected,
      },
    };
    const hands = handsAt(
      members,
      district.shifts,
      found.picked.map((pick) => pick.id),
      at,
    );
    return {
      change: assign(incident, finding, hands, now),
      beside: { picks, reasons, history },
      result: undefined,
    };
  });
};
