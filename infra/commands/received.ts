import type { Span } from '#shared/domain/drift.ts';
import type { Incident } from '#shared/domain/incident.ts';
import type { Store } from '#shared/ports/store.ts';

const PAGE = 100;

/** All incidents received within a span, newest first. */
export const receivedWithin = async (store: Pick<Store, 'list'>, { from, to }: Span): Promise<Incident[]> => {
  const found: Incident[] = [];
  let before: string | undefined;
  for (;;) {
    const page = await store.list({ now: to - 1, limit: PAGE, ...(before === undefined ? {} : { before }) });
    for (const incident of page.items) {
      if (incident.receivedAt < from) return found;
      if (incident.receivedAt < to) found.push(incident);
    }
    before = page.next;
    if (before === undefined) return found;
  }
};
