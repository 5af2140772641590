import { OVER, isUnclassified } from '#shared/domain/incident.ts';
import { maskText } from '#shared/domain/mask.ts';
import { hearOpinion, type Opinion } from '#shared/domain/opinion.ts';
import { move, type Mover } from '#shared/ports/move.ts';
import type { SecondOpinion } from '#shared/ports/second-opinion.ts';

/** What asking for another opinion needs. Without one nothing is asked, and nothing leaves. */
export type Asker = Mover & { opinion?: SecondOpinion | undefined };

/** What a model wrote is shown to people: letters, digits and plain punctuation, and nobody's number or name. */
const plain = (opinion: Opinion): Opinion => ({
  ...opinion,
  reason: maskText(opinion.reason.replaceAll(/[^\p{L}\p{N}，。、；：！？“”（）,.]/gu, '')) || '没有说明理由',
});

/**
 * Asks for a second opinion on an incident that is dispatched, in masked words. It can only raise the urgency or propose to
 * the desk. Never throws, and a secret incident is never told to anybody.
 */
export const seekOpinion = async (asker: Asker, id: string): Promise<void> => {
  const { store, district, opinion, log } = asker;
  if (!opinion) return;
  try {
    const [loaded, content] = await Promise.all([store.load(id), store.content(id)]);
    if (!loaded || !content) return;
    const { incident } = loaded;
    const closed = isUnclassified(incident) || OVER.has(incident.state) || incident.state === 'joined';
    if (incident.secret || closed || incident.opinion) return;
    const { name, phone } = content.caller;
    const answered = await opinion.ask({
      text: maskText(content.content, [name, phone, content.address]),
      categories: district.categories.map((one) => ({ id: one.id, name: one.name })),
    });
    if (answered.kind !== 'opinion') {
      log.info('no-second-opinion', { incident: id, why: answered.kind });
      log.count('OpinionMissing');
      return;
    }
    const said = plain(answered.opinion);
    const moved = await move(asker, id, ({ incident: fresh, hands, now }) => {
      const change = fresh.secret ? undefined : hearOpinion(fresh, said, hands, now);
      return change ? { change, result: undefined } : { result: undefined };
    });
    if (moved.found && moved.changed) log.count('OpinionHeard');
  } catch (error) {
    log.error('second-opinion-failed', error, { incident: id });
  }
};
