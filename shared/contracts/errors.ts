import * as z from 'zod';

/** Everything that can be wrong with a request, by its code in the error body. Their HTTP statuses live in the door. */
export const ERROR_CODES = [
  'invalid',
  'not_json',
  'signature_missing',
  'signature_wrong',
  'signature_stale',
  'unauthorized',
  'token_expired',
  'forbidden',
  'not_found',
  'method_not_allowed',
  'impossible',
  'too_large',
  'busy',
  'defect',
] as const;
/** Parses an error code. */
export const errorCodeSchema = z.enum(ERROR_CODES);
/** Code of an error. */
export type ErrorCode = z.infer<typeof errorCodeSchema>;

/** What is wrong with one field. `from`: the name the sender gave it, where that is not ours. Never holds the value. */
export const problemSchema = z.object({
  field: z.string(),
  message: z.string(),
  from: z.string().optional(),
});
/** What is wrong with one field. */
export type Problem = z.infer<typeof problemSchema>;

/** The body of every error. */
export const errorBodySchema = z
  .object({
    error: z.object({
      code: errorCodeSchema.describe('A closed set; decide by this, not by the status alone.'),
      message: z.string().describe('A sentence for the person who has to do something about it.'),
      details: z.array(problemSchema).describe('One entry per field that is wrong; empty otherwise.'),
    }),
  })
  .meta({
    id: 'Error',
    description: 'Every error has this shape.',
    examples: [
      {
        error: {
          code: 'invalid',
          message: '请求中有 1 处不正确。',
          details: [{ field: 'callNo', message: '必填' }],
        },
      },
    ],
  });
/** The body of every error. */
export type ErrorBody = z.infer<typeof errorBodySchema>;

/**
 * What a use case answers to its door: done, taken over for later (`accepted`), or refused with a code and a sentence.
 * Anything thrown is a defect.
 */
export type Outcome<T = unknown> =
  | { kind: 'done'; body: T }
  | { kind: 'accepted'; body: T }
  | { kind: 'refused'; code: ErrorCode; message: string; details: Problem[] };

/** A refusal. */
export type Refused = Extract<Outcome, { kind: 'refused' }>;

/** Refuses with a code from the closed set and a sentence that a person understands. */
export const refused = (code: ErrorCode, message: string, details: Problem[] = []): Refused => ({
  kind: 'refused',
  code,
  message,
  details,
});

/** Refuses a body or query, naming each field that is wrong. */
export const invalid = (details: Problem[]): Refused =>
  refused(
    'invalid',
    `请求中有 ${details.length} 处不正确：${details.map((d) => d.field).join('、')}。`,
    details,
  );

/** The issues of a zod error as problems, one per field. */
export const problemsOf = (error: z.ZodError): Problem[] =>
  error.issues.map((issue) => ({
    field: issue.path.map(String).join('.') || 'body',
    message: issue.message,
  }));
