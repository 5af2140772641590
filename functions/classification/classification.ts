import { assign, waitForDesk } from '#shared/domain/assign.ts';
import { classify, type Statement } from '#shared/domain/classify.ts';
import { findFor } from '#shared/domain/finding.ts';
import { isUnclassified } from '#shared/domain/incident.ts';
import { locate } from '#shared/domain/place.ts';
import { mayWait } from '#shared/domain/triage.ts';
import { move, type Mover } from '#shared/ports/move.ts';
import type { Content } from '#shared/ports/store.ts';
import type { Secrets } from '#shared/ports/secrets.ts';
import { historyOf } from './history.ts';

const statementOf = (content: Content): Statement => ({
  content: content.content,
  address: content.address,
  ...(content.categoryCode === undefined ? {} : { categoryCode: content.categoryCode }),
  ...(content.level === undefined ? {} : { level: content.level }),
});

/**
 * Says what a received incident is, who answers and by when, and asks the first person; what is not clear and shows no
 * danger waits some seconds for the desk. Doing it twice is harmless: only what is not classified yet is assigned.
 */
export const classifyIncident = async (mover: Mover & { secrets: Secrets }, id: string): Promise<void> => {
  const { store, district, secrets } = mover;
  const content = await store.content(id);
  if (!content) throw new Error(`The incident ${id} has no content.`);
  const { classification, reasons } = classify(district, statementOf(content));
  const place = locate(district, content);
  const history = historyOf(await secrets.vault(), content, place, classification);

  await move(mover, id, ({ incident, members, now }) => {
    if (!isUnclassified(incident)) return { result: undefined };
    const { finding, hands, picks } = findFor(district, members, {
      classification,
      place,
      mode: incident.mode,
      at: new Date(now),
    });
    // From receipt, like every promise: a late classification leaves the desk less time, and never the caller.
    const until = incident.receivedAt + district.triage.limit * 1000;
    return {
      change:
        now < until && mayWait(classification, reasons)
          ? waitForDesk(incident, finding, hands, now, until)
          : assign(incident, finding, hands, now),
      beside: { picks, reasons, history },
      result: undefined,
    };
  });
};
