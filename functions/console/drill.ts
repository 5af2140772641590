import { refused, type Outcome } from '#shared/contracts/errors.ts';
import { iso } from '#shared/contracts/time.ts';
import type { DrillView } from '#shared/contracts/views.ts';
import type { Clock } from '#shared/ports/clock.ts';
import { drillResults, readDrill, type DrillBook } from '#shared/ports/drills.ts';

/** The latest reachability drill, person by person. */
export const showDrill = async (book: DrillBook & { clock: Clock }): Promise<Outcome<DrillView>> => {
  const now = book.clock.now().getTime();
  const drill = await readDrill(book, now);
  if (!drill) return refused('not_found', '还没有做过通讯演练。');
  const items = await drillResults(book, drill, now);
  return {
    kind: 'done',
    body: { id: drill.id, startedAt: iso(drill.startedAt), until: iso(drill.until), items },
  };
};
