import * as z from 'zod';

const VENDOR = 'aliyun-sms';
const COUNT = 'count must be a whole number of at least 1';
const MODES = ['refuse', 'timeout', 'silent', 'none'] as const;

const faultSchema = z
  .strictObject({
    // Aliyun sends texts only here: its bare name is the same vendor.
    vendor: z
      .literal([VENDOR, 'aliyun'], { error: `vendor must be '${VENDOR}'` })
      .transform((): typeof VENDOR => VENDOR),
    mode: z.enum(MODES, { error: `mode must be one of ${MODES.join(', ')}` }),
    count: z.int({ error: COUNT }).nonnegative({ error: COUNT }).default(1),
    code: z
      .string()
      .regex(/^[\w.]{1,80}$/, { error: 'code must be a vendor code such as isv.BUSINESS_LIMIT_CONTROL' })
      .optional(),
    action: z
      .enum(['SendSms', 'QuerySendDetails'], { error: 'action must be SendSms or QuerySendDetails' })
      .default('SendSms'),
    number: z
      .string()
      .regex(/^1\d{10}$/, { error: 'number must be a mobile number of 11 digits' })
      .optional(),
    recorded: z.boolean({ error: 'recorded must be true or false' }).default(false),
  })
  .refine(({ mode, count }) => mode === 'none' || count >= 1, {
    error: COUNT,
    path: ['count'],
  });

/**
 * A failure the vendor is to play.
 * refuse: answers with a temporary refusal (isp.SYSTEM_ERROR, or `code`) · timeout: never answers, and has no record either unless `recorded` ·
 * silent: accepts, never delivers, never tells · none: back to normal, whatever `count` says. `count` calls of `action` are hit (1 if left out), only those to `number` if given.
 */
export type Fault = z.infer<typeof faultSchema>;

/** The failures in force. A second one for the same action and number replaces the first. */
export class Faults {
  readonly #active: Fault[] = [];

  /** @throws FaultError with a sentence that lists what is allowed. */
  set(input: unknown): Fault[] {
    const parsed = faultSchema.safeParse(input);
    if (!parsed.success)
      throw new FaultError(
        `${parsed.error.issues.map((i) => (i.path.length ? i.message : `the body must be an object with vendor, mode and count (${i.message})`)).join('; ')}. ` +
          `Example: {"vendor":"${VENDOR}","mode":"refuse","count":1}; vendors: ${VENDOR}; modes: ${MODES.join(', ')}.`,
      );
    const fault = parsed.data;
    const kept =
      fault.mode === 'none'
        ? []
        : [...this.#active.filter((f) => f.action !== fault.action || f.number !== fault.number), fault];
    this.#active.splice(0, this.#active.length, ...kept);
    return this.list();
  }

  /** What is in force, with what is left of `count`. */
  list(): Fault[] {
    return this.#active.map((fault) => ({ ...fault }));
  }

  /** The failure that hits this call, if any, and one less of it. One meant for this number goes before one for all. */
  take(action: Fault['action'], number: string): Fault | undefined {
    const hit =
      this.#active.find((f) => f.action === action && f.number === number) ??
      this.#active.find((f) => f.action === action && f.number === undefined);
    if (hit && --hit.count === 0) this.#active.splice(this.#active.indexOf(hit), 1);
    return hit;
  }
}

/** A fault nobody knows; the sentence says which exist. */
export class FaultError extends Error {
  override name = 'FaultError';
}
