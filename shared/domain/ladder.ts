import * as z from 'zod';
import type { Rung } from './rung.ts';

/** Rungs that a district may promise; `reinforce` belongs to war mode, `handback` is never in a ladder. */
export const LADDER_RUNGS = [
  'accept',
  'depart',
  'contact',
  'arrive',
  'reinforce',
  'feedback',
  'close',
  'revisit',
] as const satisfies readonly Rung[];

/** 平时 or 战时: two ladders of one district, switched by the desk. */
export const modeSchema = z.enum(['peace', 'war']);
/** 平时/战时. */
export type Mode = z.infer<typeof modeSchema>;

const ladderRungSchema = z.object({
  rung: z.enum(LADDER_RUNGS),
  /** Seconds from our receipt; for `revisit` seconds from close. */
  limit: z.int().positive(),
  /** `source`: the district's own published promise; `default`: ours, where the document is silent. */
  basis: z.enum(['source', 'default']),
});

/** A ladder (时限梯级): every rung with its limit in seconds. Frozen into an incident when it is classified. */
export const ladderSchema = z
  .array(ladderRungSchema)
  .nonempty()
  .superRefine((rungs, ctx) => {
    const names = rungs.map((r) => r.rung);
    for (const needed of ['accept', 'feedback', 'close', 'revisit'] as const)
      if (!names.includes(needed))
        ctx.addIssue({ code: 'custom', message: `the ladder has no rung '${needed}'` });
    if (new Set(names).size !== names.length)
      ctx.addIssue({ code: 'custom', message: `a rung stands twice in the ladder: ${names.join(', ')}` });
    rungs.forEach((rung, i) => {
      const before = rungs[i - 1];
      if (!before) return;
      if (LADDER_RUNGS.indexOf(rung.rung) < LADDER_RUNGS.indexOf(before.rung))
        ctx.addIssue({
          code: 'custom',
          path: [i],
          message: `'${rung.rung}' must not come after '${before.rung}'`,
        });
      // revisit counts from close, not from receipt, so it is not compared.
      if (rung.rung !== 'revisit' && rung.limit <= before.limit)
        ctx.addIssue({
          code: 'custom',
          path: [i, 'limit'],
          message: `the ladder does not rise: '${rung.rung}' at ${rung.limit} s comes after '${before.rung}' at ${before.limit} s`,
        });
    });
  });

/** A ladder: rungs in order, limits in seconds. */
export type Ladder = z.infer<typeof ladderSchema>;

/** The limit of one rung in seconds, or undefined where this ladder does not promise it. */
export const limitOf = (ladder: readonly Ladder[number][], rung: Rung): number | undefined =>
  ladder.find((r) => r.rung === rung)?.limit;

/**
 * A rung's own span in seconds: its limit minus that of the rung before it in the ladder (climb of a late acceptor).
 * The first rung's span is its limit.
 */
export const spanOf = (ladder: readonly Ladder[number][], rung: Rung): number => {
  const i = ladder.findIndex((r) => r.rung === rung);
  const own = ladder[i];
  if (!own) return 0;
  const before = ladder[i - 1];
  return before && own.rung !== 'revisit' ? own.limit - before.limit : own.limit;
};
