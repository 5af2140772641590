import * as z from 'zod';

const COUNT = 'count must be a whole number of at least 1';
const MODES = ['refuse', 'timeout', 'silent', 'none'] as const;

/** What faults have to know of a vendor. */
export interface Faulty {
  name: string;
  /** Calls that can be hit, the sending one first. */
  actions: readonly [string, ...string[]];
}

const faultSchema = z
  .strictObject({
    vendor: z.string({ error: 'vendor must be a name' }),
    mode: z.enum(MODES, { error: `mode must be one of ${MODES.join(', ')}` }),
    count: z.int({ error: COUNT }).nonnegative({ error: COUNT }).default(1),
    code: z
      .string()
      .regex(/^[\w.:-]{1,80}$/, { error: 'code must be a vendor code such as isv.BUSINESS_LIMIT_CONTROL' })
      .optional(),
    action: z.string({ error: 'action must be the name of one of the vendor’s calls' }).optional(),
    number: z
      .string()
      .regex(/^[^\s\p{Cc}]{1,500}$/u, { error: 'number must be a mobile number or a user id of the vendor' })
      .optional(),
    recorded: z.boolean({ error: 'recorded must be true or false' }).default(false),
  })
  .refine(({ mode, count }) => mode === 'none' || count >= 1, {
    error: COUNT,
    path: ['count'],
  });

/**
 * A failure that a vendor is to play.
 * refuse: answers with a temporary refusal, or `code` · timeout: never answers, and has no record either unless `recorded` ·
 * silent: accepts, never delivers, never tells · none: this vendor is back to normal, whatever `count` says.
 * `count` calls of `action` (the sending one if left out) are hit, 1 if left out, only those to `number` if given.
 */
export type Fault = z.infer<typeof faultSchema> & { action: string };

/** The failures in force. A second one for the same vendor, action and number replaces the first. */
export class Faults {
  readonly #active: Fault[] = [];
  readonly #vendors: ReadonlyMap<string, Faulty>;

  constructor(vendors: readonly Faulty[]) {
    this.#vendors = new Map(vendors.map((vendor) => [vendor.name, vendor]));
  }

  /** @throws FaultError with a sentence that lists what is allowed. */
  set(input: unknown): Fault[] {
    const parsed = faultSchema.safeParse(input);
    if (!parsed.success)
      throw this.#wrong(
        parsed.error.issues
          .map((i) =>
            i.path.length
              ? i.message
              : `the body must be an object with vendor, mode and count (${i.message})`,
          )
          .join('; '),
      );
    // Aliyun's texts came first: the bare name has stayed theirs.
    const name = parsed.data.vendor === 'aliyun' ? 'aliyun-sms' : parsed.data.vendor;
    const vendor = this.#vendors.get(name);
    if (!vendor) throw this.#wrong(`vendor must be one of ${[...this.#vendors.keys()].join(', ')}`);
    const { action = vendor.actions[0] } = parsed.data;
    if (!vendor.actions.includes(action))
      throw this.#wrong(`action must be one of ${vendor.actions.join(', ')}`);
    const fault = { ...parsed.data, vendor: name, action };
    const kept =
      fault.mode === 'none'
        ? this.#active.filter((f) => f.vendor !== name)
        : [
            ...this.#active.filter(
              (f) => f.vendor !== name || f.action !== action || f.number !== fault.number,
            ),
            fault,
          ];
    this.#active.splice(0, this.#active.length, ...kept);
    return this.list();
  }

  /** What is in force, with what is left of `count`. */
  list(): Fault[] {
    return this.#active.map((fault) => ({ ...fault }));
  }

  /** The failure that hits this call, if any, and one less of it. One meant for this number goes before one for all. */
  take(vendor: string, action: string, number: string): Fault | undefined {
    const fits = this.#active.filter((f) => f.vendor === vendor && f.action === action);
    const hit = fits.find((f) => f.number === number) ?? fits.find((f) => f.number === undefined);
    if (hit && --hit.count === 0) this.#active.splice(this.#active.indexOf(hit), 1);
    return hit;
  }

  #wrong(what: string): FaultError {
    return new FaultError(
      `${what}. Example: {"vendor":"aliyun-sms","mode":"refuse","count":1}; ` +
        `vendors: ${[...this.#vendors.keys()].join(', ')}; modes: ${MODES.join(', ')}.`,
    );
  }
}

/** A fault nobody knows; the sentence says which exist. */
export class FaultError extends Error {
  override name = 'FaultError';
}
