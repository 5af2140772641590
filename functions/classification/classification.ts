import { assign, waitForDesk } from '#shared/domain/assign.ts';
import { classify, type Statement } from '#shared/domain/classify.ts';
import { findFor } from '#shared/domain/finding.ts';
import { isUnclassified } from '#shared/domain/incident.ts';
import { locate } from '#shared/domain/place.ts';
import { mayWait } from '#shared/domain/triage.ts';
import { historyOf } from '#shared/ports/history.ts';
import { move, type Mover } from '#shared/ports/move.ts';
import type { Queues } from '#shared/ports/queue.ts';
import type { Content } from '#shared/ports/store.ts';
import type { Secrets } from '#shared/ports/secrets.ts';

const statementOf = (content: Content): Statement => ({
  content: content.content,
  address: content.address,
  ...(content.categoryCode === undefined ? {} : { categoryCode: content.categoryCode }),
  ...(content.level === undefined ? {} : { level: content.level }),
});

/** What classifying needs. */
export type Classifier = Mover & { secrets: Secrets; queues: Pick<Queues, 'links'> };

/**
 * Says what a received incident is, who answers and by when, and asks the first person; what is not clear and shows no
 * danger waits some seconds for the desk. Then it is handed on to be compared with other calls. Doing it twice is harmless:
 * only what is not classified yet is assigned. @throws when it could not be handed on: the report has to come again.
 */
export const classifyIncident = async (mover: Classifier, id: string): Promise<void> => {
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
  // Only now, and in a queue of its own: nobody waits for what may be known from other calls.
  await mover.queues.links([{ incidentId: id }]);
};
