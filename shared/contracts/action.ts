import * as z from 'zod';
import type { Request } from '../domain/act.ts';
import { OUTCOMES, REVISIT_OUTCOMES } from '../domain/incident.ts';
import { dispositionSchema, urgencySchema } from '../domain/classification.ts';
import { ACTIONS } from '../domain/moves.ts';
import { problemsOf } from './errors.ts';
import type { Problem } from './errors.ts';

/** Longest free words of a person, in UTF-16 units. */
export const LONGEST_WORDS = 2_000;

const words = z
  .string('应为文字')
  .max(LONGEST_WORDS, `最多 ${LONGEST_WORDS} 个字`)
  .transform((text) => text.toWellFormed().trim());

/** The body of `POST /api/incidents/{id}/actions`. Which fields an action needs is told by the rules, not by this schema. */
export const actionSchema = z
  .object(
    {
      action: z
        .enum(ACTIONS, `应为其中之一：${ACTIONS.join('、')}`)
        .describe('What is done. A repeat is harmless.'),
      reason: words
        .optional()
        .describe('Why: for decline, pause, reopen, return, reassign, reveal, classify, join, unjoin, tell.'),
      text: words.optional().describe('What happened: for feedback, close, note.'),
      location: z
        .object(
          {
            lng: z.number('应为数字').min(-180, '超出范围').max(180, '超出范围'),
            lat: z.number('应为数字').min(-90, '超出范围').max(90, '超出范围'),
            system: z.enum(['wgs84', 'gcj02', 'bd09'], '应为 wgs84、gcj02 或 bd09').default('wgs84'),
          },
          '应为对象',
        )
        .optional()
        .describe('Where it was tapped, in degrees.'),
      outcome: z
        .string('应为文字')
        .max(32, '最多 32 个字')
        .optional()
        .describe(`Of close: ${OUTCOMES.join(', ')}. Of revisit: ${REVISIT_OUTCOMES.join(', ')}.`),
      member: z
        .string('应为文字')
        .max(32, '最多 32 个字')
        .optional()
        .describe('For reassign the new person; otherwise the member on whose behalf the desk acts.'),
      into: z
        .string('应为文字')
        .max(32, '最多 32 个字')
        .optional()
        .describe('For join: id of the incident that this one becomes part of.'),
      until: z.iso
        .datetime({ offset: true, error: '应为带时区的时间，例如 2026-03-01T14:03:20+08:00' })
        .optional()
        .describe('For pause: when it ends by itself, at most 7 days ahead.'),
      category: z
        .string('应为文字')
        .max(48, '最多 48 个字')
        .optional()
        .describe('For classify: id or name of the category.'),
      disposition: z
        .enum(dispositionSchema.options, `应为其中之一：${dispositionSchema.options.join('、')}`)
        .optional()
        .describe('For classify: police is returned to 110.'),
      urgency: z
        .enum(urgencySchema.options, `应为其中之一：${urgencySchema.options.join('、')}`)
        .optional()
        .describe('For classify; default: as it is, or that of the new category.'),
    },
    '应为一个 JSON 对象',
  )
  .meta({
    id: 'Action',
    examples: [
      { action: 'accept' },
      { action: 'decline', reason: '正在处理另一起警情' },
      { action: 'close', outcome: 'solved', text: '双方已谈妥，现场已清理。' },
      {
        action: 'classify',
        category: 'noise_nuisance',
        disposition: 'non-police',
        reason: '听录音是邻居噪音',
      },
      { action: 'pause', reason: '等待检测报告', until: '2026-03-03T09:00:00+08:00' },
    ],
  });

/** A person's request as it comes over the wire. `location` still in the phone's coordinate system. */
export type ActionBody = z.output<typeof actionSchema>;

/** Reads an action; every problem names its field, an unknown action is answered with those allowed. Never throws. */
export const parseAction = (
  body: unknown,
): { ok: true; action: ActionBody } | { ok: false; problems: Problem[] } => {
  const parsed = actionSchema.safeParse(body);
  return parsed.success
    ? { ok: true, action: parsed.data }
    : { ok: false, problems: problemsOf(parsed.error) };
};

/** The action as the rules take it; the point must be in WGS-84 by now. */
export const toRequest = (body: ActionBody, location: Request['location']): Request => ({
  action: body.action,
  reason: body.reason,
  text: body.text,
  outcome: body.outcome,
  member: body.member,
  into: body.into,
  location,
  judgement:
    body.category === undefined || body.disposition === undefined
      ? undefined
      : { category: body.category, disposition: body.disposition, urgency: body.urgency },
  until: body.until === undefined ? undefined : Date.parse(body.until),
});
