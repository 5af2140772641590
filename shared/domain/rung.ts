import * as z from 'zod';

/**
 * The promised steps of an incident (环节), in the order in which a finished one vouches for the earlier ones.
 * `triage` comes before anybody is asked: the desk's seconds to say what an unclear matter is. It is no part of a ladder.
 * `handback` stands apart: it is the only rung of an incident that was returned to 110.
 */
export const RUNGS = [
  'triage',
  'accept',
  'depart',
  'contact',
  'arrive',
  'reinforce',
  'feedback',
  'close',
  'revisit',
  'handback',
] as const;

/** One promised step. Names as in the duty room: 研判 接单 出发 联系当事人 到场 增援 初次反馈 办结 回访 回流110. */
export type Rung = (typeof RUNGS)[number];

/** Parses a rung name. */
export const rungSchema = z.enum(RUNGS);

/** What people call each rung (zh-CN). */
export const RUNG_NAMES: Record<Rung, string> = {
  triage: '研判',
  accept: '接单',
  depart: '出发',
  contact: '联系当事人',
  arrive: '到场',
  reinforce: '增援',
  feedback: '初次反馈',
  close: '办结',
  revisit: '回访',
  handback: '回流110',
};
