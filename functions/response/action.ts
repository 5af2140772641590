import { parseAction, toRequest } from '#shared/contracts/action.ts';
import { invalid, refused, type Outcome } from '#shared/contracts/errors.ts';
import type { Viewer } from '#shared/contracts/incident-view.ts';
import type { Actor, Request } from '#shared/domain/act.ts';
import { personOf, type Incident } from '#shared/domain/incident.ts';
import type { Point } from '#shared/domain/roster.ts';
import type { Mover } from '#shared/ports/move.ts';
import { look } from '#shared/ports/look.ts';
import { respond } from './response.ts';

/** Turns a point of the phone's coordinate system into WGS-84. */
export type ToWgs84 = (point: Point, system: 'wgs84' | 'gcj02' | 'bd09') => Point;

/** A longer key is no key but an attack on the table. */
const LONGEST_KEY = 128;

/** After an acceptance, also a repeated one, the phone shows at once whether its owner leads or helps. */
const standing = (incident: Incident, action: Request, who: string): object => {
  if (action.action !== 'accept' || incident.lead === undefined) return {};
  const accepted = personOf(incident, who)?.accepted !== undefined;
  return { lead: incident.lead, ...(accepted ? { role: incident.lead === who ? 'lead' : 'helper' } : {}) };
};

/** `POST /api/incidents/{id}/actions`: does it, and answers with the body of a GET. */
export const takeAction = async (
  mover: Mover & { toWgs84: ToWgs84 },
  request: { id: string; actor: Actor & Viewer; body: unknown; idempotencyKey: string | undefined },
): Promise<Outcome> => {
  const parsed = parseAction(request.body);
  if (!parsed.ok) return invalid(parsed.problems);
  const { location } = parsed.action;
  const action = toRequest(parsed.action, location && mover.toWgs84(location, location.system));
  const key = request.idempotencyKey;
  if (key !== undefined && (key === '' || key.length > LONGEST_KEY))
    return invalid([{ field: 'Idempotency-Key', message: `应为 1 到 ${LONGEST_KEY} 个字符` }]);
  const responded = await respond(mover, request.id, request.actor, action, key);
  if (responded.kind === 'unknown') return refused('not_found', '没有这起警情。');
  if (responded.kind === 'refused') {
    const { code, message, details } = responded.refusal;
    return refused(code, message, details ?? []);
  }
  const { incident } = responded;
  const view = await look(mover, request.id, request.actor);
  if (typeof view === 'string')
    throw new Error(`The incident ${request.id} was moved, and is now ${view} to its mover.`);
  const desk = personOf(incident, request.actor.id) === undefined && request.actor.kind === 'desk';
  const who =
    action.member ??
    (desk ? incident.people.find((p) => p.role === 'duty')?.id : undefined) ??
    request.actor.id;
  return { kind: 'done', body: { ...view, ...standing(incident, action, who) } };
};
