import * as z from 'zod';
import { STATES } from '../domain/moves.ts';

/** Version of the API, as in package.json. */
export const API_VERSION = '0.1.0';

const MOST = 100;

/** The cursor of a page, as `next` of the page before gave it: base64url on the wire, the store's own form here. */
const cursorSchema = z
  .string()
  .transform((text) => Buffer.from(text, 'base64url').toString('utf8'))
  .refine((text) => /^\d{14}#[0-9A-Za-z.-]{1,64}$/.test(text), '应为上一页的 next');

const limitSchema = z.coerce
  .number('应为数字')
  .int('应为整数')
  .min(1, '至少 1')
  .max(MOST, `最多 ${MOST}`)
  .default(50);

/** Query of a page. */
export const pageQuerySchema = z.object({
  before: cursorSchema.optional().describe('`next` of the page before.'),
  limit: limitSchema.describe(`1 to ${MOST}; default 50.`),
});

/** Query of `GET /api/incidents`. */
export const listQuerySchema = pageQuerySchema.extend({
  state: z
    .enum(STATES, `应为其中之一：${STATES.join('、')}`)
    .optional()
    .describe('Only incidents in this state.'),
  member: z
    .string()
    .max(64, '最多 64 个字')
    .optional()
    .describe('Only incidents this member was asked on or told of; a member may name himself only.'),
});
