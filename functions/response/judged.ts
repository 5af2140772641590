import type { Actor, Refusal, Request } from '#shared/domain/act.ts';
import { findFor, type Found } from '#shared/domain/finding.ts';
import { owes } from '#shared/domain/incident.ts';
import { correctionOf, judge } from '#shared/domain/judgement.ts';
import { locate } from '#shared/domain/place.ts';
import { differs } from '#shared/domain/reclassify.ts';
import type { Mover, Situation } from '#shared/ports/move.ts';
import type { Beside } from '#shared/ports/store.ts';

/** A desk's judgement, completed: the request as the rules take it, who would be asked now, and what is kept of it. */
export interface Judged {
  request: Request;
  hands: Found['hands'];
  beside: Beside;
}

/** Completes what the desk says an incident is from the district's data and from what was told. Refuses what names no category. */
export const judged = async (
  { store, district }: Pick<Mover, 'store' | 'district'>,
  { incident, members, now }: Situation,
  actor: Actor,
  request: Request,
): Promise<Judged | Refusal | undefined> => {
  const { judgement } = request;
  const was = incident.classification;
  // The rules refuse both with their own sentence.
  if (!judgement || !was) return undefined;
  const is = judge(district, was, judgement);
  if (!is) {
    const message = `没有“${judgement.category}”这个类别，请填类别的编号或名称，例如 ${was.category}。`;
    return { code: 'invalid', message, details: [{ field: 'category', message }] };
  }
  const [content, reasons] = await Promise.all([store.content(incident.id), store.reasons(incident.id)]);
  if (!content) throw new Error(`The incident ${incident.id} has no content.`);
  const { finding, hands, picks } = findFor(district, members, {
    classification: is,
    place: locate(district, content),
    mode: incident.mode,
    at: new Date(now),
  });
  const waiting = owes(incident, 'triage');
  return {
    request: { ...request, decided: finding },
    hands,
    beside: {
      // Whom the next climb asks: the people of what it is, not of what it seemed to be.
      picks,
      ...(differs(was, is)
        ? {
            correction: correctionOf({
              incidentId: incident.id,
              at: now,
              stage: waiting ? 'triage' : 'after',
              content: content.content,
              reasons,
              keywords: district.categories.find(({ id }) => id === is.category)?.keywords ?? [],
              was,
              is,
              by: actor.id,
              why: request.reason ?? '',
              known: [content.caller.name, content.caller.phone, content.address],
            }),
          }
        : {}),
    },
  };
};
