import { roleOfLead } from '#shared/domain/caller-notice.ts';
import type { District } from '#shared/domain/district.ts';
import { isConfidential, type Incident, type Instant } from '#shared/domain/incident.ts';
import { FIRST_ASKS, type Notice } from '#shared/domain/notice.ts';
import { neutralCode, shortNumber, type NoticeFacts } from '#shared/domain/wording.ts';
import { askDeadline } from '#shared/domain/wanted.ts';

/** What a text may say about an incident now. Of a secret or dangerous one neither place nor category nor rung. */
export const factsFor = (
  district: District,
  incident: Incident | undefined,
  notice: Notice,
  now: Instant,
): NoticeFacts => {
  const at = new Date(now);
  const asked = new Date(notice.at);
  if (!incident) return { number: notice.about ?? shortNumber(notice.id), note: notice.note, at, asked };
  // Who is asked when the promise is already broken has his own minute; "too late" would only discourage him.
  const deadline = FIRST_ASKS.has(notice.kind)
    ? askDeadline(incident, notice)
    : incident.deadlines[notice.rung ?? 'accept'];
  const hidden = isConfidential(incident);
  return {
    number: shortNumber(incident.id),
    place: hidden ? undefined : incident.place?.name,
    code: hidden ? undefined : neutralCode(district.categories, incident.classification?.category ?? ''),
    rung: hidden ? undefined : notice.rung,
    deadline: deadline === undefined ? undefined : new Date(deadline),
    note: notice.note,
    answer: notice.answer,
    list: notice.list,
    role: roleOfLead(incident),
    result: incident.closed?.main ?? incident.closed?.outcome,
    at,
    asked,
  };
};
