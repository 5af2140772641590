import type { Disposition, Urgency } from '../classification.ts';
import type { Category, District } from '../district.ts';
import { rankOf, shareOf, type Belief } from './belief.ts';
import type { Thresholds } from './calibrate.ts';
import type { GuardHit, GuardResult } from './guard.ts';

/** What is known beside the text's meaning. */
export type Facts = {
  seen: GuardResult;
  coded: Category | undefined;
  /** Words that the code contradicts: what they would be without it. */
  without: Belief;
  /** Nothing in the text says what the matter is. */
  empty: boolean;
};

/** What was decided. `signs` count, `dismissed` were seen and taken for harmless by the whole of the text. */
export type Decision = {
  category: Category;
  runnerUp: Category | undefined;
  disposition: Disposition;
  urgency: Urgency;
  risk: boolean;
  sure: boolean;
  signs: GuardHit[];
  dismissed: GuardHit[];
  /** Raw shares behind the confidence. */
  raw: { category: number; disposition: number; p1: number; risk: number };
};

const DANGEROUS: readonly Disposition[] = ['police', 'joint'];
const HARMLESS: readonly Disposition[] = ['non-police', 'consult'];
const URGENCIES: readonly Urgency[] = ['P1', 'P2', 'P3', 'P4'];
/** How many times likelier a danger sign that counts makes its own category. */
const SIGN = 3;

/** Civilians alone: advice when the matter is advice, whatever else the words would say. */
const alone = (best: string, district: District): Disposition =>
  district.categories.find(({ id }) => id === best)?.disposition === 'consult' ? 'consult' : 'non-police';

const likeliest = (belief: Belief, among: readonly Disposition[]): Disposition =>
  among.reduce((a, b) => (shareOf(belief, b) > shareOf(belief, a) ? b : a));

/** Who goes, by the table of the README: signs, then how likely danger is, then what the text is about. */
const whoGoes = (
  belief: Belief,
  signs: readonly GuardHit[],
  contradicted: boolean,
  empty: boolean,
  limits: Thresholds,
): { disposition: Disposition; sure: boolean } => {
  if (signs.some((hit) => hit.send === 'police')) return { disposition: 'police', sure: true };
  const danger = shareOf(belief, ...DANGEROUS);
  if (signs.length > 0) {
    const police = shareOf(belief, 'police') > limits.police * danger;
    return { disposition: police ? 'police' : 'joint', sure: true };
  }
  if (empty || contradicted) return { disposition: 'joint', sure: false };
  if (danger >= limits.danger) return { disposition: likeliest(belief, DANGEROUS), sure: true };
  if (danger >= limits.ask) return { disposition: 'joint', sure: false };
  return { disposition: likeliest(belief, HARMLESS), sure: true };
};

const urgencyOf = (
  belief: Belief,
  disposition: Disposition,
  signs: readonly GuardHit[],
  limits: Thresholds,
): Urgency => {
  if (disposition === 'consult') return 'P4';
  const now = signs.some((hit) => hit.tense === 'now' && hit.urgency === 'P1');
  if (now || belief.urgency.P1 >= limits.p1) return 'P1';
  const later = URGENCIES.slice(1);
  const told = later.reduce((a, b) => (belief.urgency[b] > belief.urgency[a] ? b : a));
  // What is as a rule a matter of seconds can still turn at any time.
  return signs.some((hit) => hit.urgency === 'P1') ? 'P2' : told;
};

/** Decides what a matter is. Pure; the thresholds are data (calibration.json). */
export const decide = (
  district: District,
  belief: Belief,
  { seen, coded, without, empty }: Facts,
): Decision => {
  const { thresholds } = district.calibration;
  const danger = shareOf(without, ...DANGEROUS);
  const live = seen.hits.filter((hit) => !hit.cancelledBy);
  const counts = (hit: GuardHit): boolean =>
    !seen.handled && danger >= (hit.firm ? thresholds.dismissFirm : thresholds.dismiss);
  const signs = live.filter(counts);
  // A code is chosen in haste, before the story is told: words that point to the police make it doubtful.
  const contradicted =
    coded !== undefined && coded.disposition !== 'police' && shareOf(without, 'police') >= thresholds.danger;
  const whom = whoGoes(belief, signs, contradicted, empty && !coded, thresholds);

  const categoryOf = (id: string): Category | undefined => district.categories.find((c) => c.id === id);
  const other = categoryOf('other') ?? district.categories[0];
  if (!other) throw new Error(`the district '${district.id}' has no categories`);
  const told = contradicted ? without : belief;
  const named = new Set(signs.map((hit) => hit.category));
  const within = !whom.sure ? undefined : DANGEROUS.includes(whom.disposition) ? DANGEROUS : HARMLESS;
  const ranked = rankOf(told, within)
    .map(({ category, share }) => ({ category, share: share * (named.has(category) ? SIGN : 1) }))
    .toSorted((a, b) => b.share - a.share);
  const nothing = empty && !coded && signs.length === 0;
  const best = nothing ? other : (categoryOf(ranked[0]?.category ?? '') ?? other);
  const { sure } = whom;
  const disposition = within === HARMLESS ? alone(best.id, district) : whom.disposition;
  const overall = rankOf(told);
  const share = overall.find(({ category }) => category === best.id)?.share ?? 0;
  const next = overall.find(({ category }) => category !== best.id);

  const urgency = urgencyOf(belief, disposition, signs, thresholds);
  const known = nothing ? 0 : 1;
  return {
    category: best,
    runnerUp: known && next && next.share >= thresholds.rival ? categoryOf(next.category) : undefined,
    disposition,
    urgency,
    risk: disposition !== 'consult' && belief.risk >= thresholds.risk,
    sure,
    signs,
    dismissed: live.filter((hit) => !counts(hit)),
    raw: {
      category: known * share,
      disposition: known * shareOf(belief, disposition),
      p1: belief.urgency.P1,
      risk: belief.risk,
    },
  };
};
