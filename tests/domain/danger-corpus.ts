import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { guard } from '#shared/domain/classify/guard.ts';
import type { GuardedDistrict, GuardHit } from '#shared/domain/classify/guard.ts';

const pairSchema = z.strictObject({
  id: z.string(),
  phenomenon: z.string(),
  danger: z.string().min(1),
  harmless: z.string().min(1),
  kind: z.string(),
  goes: z.enum(['police', 'joint']),
});
/** Two texts that differ in one thing: the first is danger, the second is not (or is over, or is being handled). */
export type DangerPair = z.output<typeof pairSchema>;

/** All pairs of tests/corpus/danger-pairs.jsonl; every text is invented. */
export const dangerPairs = (): DangerPair[] =>
  readFileSync(join(import.meta.dirname, '../corpus/danger-pairs.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => pairSchema.parse(JSON.parse(line)));

/** The cues of a text that count. */
export const counting = (hits: readonly GuardHit[]): GuardHit[] => hits.filter((hit) => !hit.cancelledBy);

/** Who goes for a text, by the guard alone. */
export const whoGoes = (hits: readonly GuardHit[]): 'police' | 'joint' | 'nobody' => {
  const sends = counting(hits).map((hit) => hit.send);
  if (sends.includes('police')) return 'police';
  return sends.length > 0 ? 'joint' : 'nobody';
};

const urgencyOf = (hits: readonly GuardHit[], kind: string): string =>
  counting(hits)
    .filter((hit) => hit.kind === kind)
    .map((hit) => hit.urgency)
    .sort()[0] ?? 'none';

/** What is wrong with a pair under these rules, or undefined when it holds. */
export const faultOf = (pair: DangerPair, district: GuardedDistrict): string | undefined => {
  const danger = guard(pair.danger, district);
  const harmless = guard(pair.harmless, district);
  if (!counting(danger.hits).some((hit) => hit.kind === pair.kind))
    return `${pair.id}: ${pair.kind} is missed`;
  if (whoGoes(danger.hits) !== pair.goes) return `${pair.id}: ${whoGoes(danger.hits)} goes, not ${pair.goes}`;
  if (pair.phenomenon === 'past') {
    if (whoGoes(harmless.hits) !== pair.goes) return `${pair.id}: the past changes who goes`;
    if (urgencyOf(danger.hits, pair.kind) >= urgencyOf(harmless.hits, pair.kind))
      return `${pair.id}: the past is as urgent as the present`;
    return undefined;
  }
  if (pair.phenomenon === 'handled') {
    if (danger.handled) return `${pair.id}: nobody handles it`;
    return harmless.handled ? undefined : `${pair.id}: somebody handles it`;
  }
  return whoGoes(harmless.hits) === 'nobody' ? undefined : `${pair.id}: a false alarm`;
};
