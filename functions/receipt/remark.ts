import { draft, write, type Change } from '#shared/domain/draft.ts';
import { NO_HANDS } from '#shared/domain/hands.ts';
import type { Incident, Instant } from '#shared/domain/incident.ts';
import type { Notice } from '#shared/domain/notice.ts';
import type { Line } from '#shared/domain/trail.ts';

/** What is said to somebody who has answered, or who opens a link. */
export type Said = Pick<Notice, 'kind' | 'answer' | 'list'>;

/** A line in the trail that moves nothing. */
export const remark = (incident: Incident, line: Omit<Line, 'at'>, now: Instant): Change => {
  const d = draft(incident, NO_HANDS, now);
  write(d, line);
  d.incident.version += 1;
  return { incident: d.incident, lines: d.lines, notices: d.notices };
};

/** Adds what is said to a change, so that it is committed with what it tells of. */
export const saying = (change: Change, to: string, said: Said, at: Instant): Change => {
  const { incident, notices } = change;
  const id = `${String(incident.version).padStart(5, '0')}.${String(notices.length).padStart(2, '0')}`;
  return { ...change, notices: [...notices, { id, to, at, round: incident.round, ...said }] };
};
