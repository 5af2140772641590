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
  /** Somebody asks, and nothing says that it happens now (urgency.ts). */
  asked: boolean;
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

/** Civilians alone: advice when the matter is advice, whatever else the words would say. */
const alone = (best: string, district: District): Disposition =>
  district.categories.find(({ id }) => id === best)?.disposition === 'consult' ? 'consult' : 'non-police';

const likeliest = (belief: Belief, among: readonly Disposition[]): Disposition =>
  among.reduce((a, b) => (shareOf(belief, b) > shareOf(belief, a) ? b : a));

/** For a sign that is as a rule a matter of seconds this part of the share is enough. */
const PART = 0.6;
/** Danger so likely that even a stated handling does not make it advice. */
const IN_SPITE = 0.85;

/** Who goes, by the table of the README: signs, then how likely danger is, then what the text is about. */
const whoGoes = (
  belief: Belief,
  seen: GuardResult,
  signs: readonly GuardHit[],
  doubtful: boolean,
  limits: Thresholds,
): { disposition: Disposition; sure: boolean } => {
  if (signs.some((hit) => hit.send === 'police')) return { disposition: 'police', sure: true };
  const danger = shareOf(belief, ...DANGEROUS);
  if (signs.length > 0) {
    const police = shareOf(belief, 'police') > limits.police * danger;
    return { disposition: police ? 'police' : 'joint', sure: true };
  }
  if (doubtful) return { disposition: 'joint', sure: false };
  if (danger < (seen.handled ? IN_SPITE : limits.ask))
    return { disposition: likeliest(belief, HARMLESS), sure: true };
  // Every sign was taken back (没打人, 像打仗): what is left of danger is a question for the desk.
  const takenBack = seen.hits.length > 0 && seen.hits.every((hit) => hit.cancelledBy);
  return danger >= limits.danger && !takenBack
    ? { disposition: likeliest(belief, DANGEROUS), sure: true }
    : { disposition: 'joint', sure: false };
};

const urgencyOf = (
  belief: Belief,
  disposition: Disposition,
  signs: readonly GuardHit[],
  asked: boolean,
  limits: Thresholds,
): Urgency => {
  if (disposition === 'consult') return 'P4';
  const seconds = signs.some((hit) => hit.urgency === 'P1');
  // 现在 in a question is not now (我现在该怎么办); a knife in it is as a rule a story, gas and despair are not.
  const now = !asked && signs.some((hit) => hit.tense === 'now' && hit.urgency === 'P1');
  const pressing = signs.some((hit) => hit.urgency === 'P1' && (hit.firm || !asked));
  if (now || belief.urgency.P1 >= (asked ? limits.p1Asked : limits.p1) * (pressing ? PART : 1)) return 'P1';
  const later = URGENCIES.slice(1);
  const told = later.reduce((a, b) => (belief.urgency[b] > belief.urgency[a] ? b : a));
  // Police work goes on as long as nobody says that it is over; what somebody asks about, or tells beside a date of
  // long ago, may be of any time.
  const dated = asked || signs.some(({ tense }) => tense === 'long');
  const goesOn = signs.some(
    ({ send, tense }) =>
      send === 'police' && (tense === 'now' || tense === 'again' || (tense === 'open' && !dated)),
  );
  // What is as a rule a matter of seconds can still turn at any time, and violence long past is no routine.
  if (seconds || goesOn) return told > 'P2' ? 'P2' : told;
  return signs.some((hit) => hit.firm) && told > 'P3' ? 'P3' : told;
};

/** Decides what a matter is. Pure; the thresholds are data (calibration.json). */
export const decide = (
  district: District,
  belief: Belief,
  { seen, coded, without, empty, asked }: Facts,
): Decision => {
  const { thresholds } = district.calibration;
  const danger = shareOf(without, ...DANGEROUS);
  const live = seen.hits.filter((hit) => !hit.cancelledBy);
  const counts = (hit: GuardHit): boolean => !seen.handled && (hit.firm || danger >= thresholds.dismiss);
  const signs = live.filter(counts);
  // A code is chosen in haste, before the story is told: words that point to the police make it doubtful.
  const contradicted =
    coded !== undefined && coded.disposition !== 'police' && shareOf(without, 'police') >= thresholds.danger;
  const doubtful = contradicted || (empty && !coded);
  const whom = whoGoes(belief, seen, signs, doubtful, thresholds);

  const categoryOf = (id: string): Category | undefined => district.categories.find((c) => c.id === id);
  const other = categoryOf('other') ?? district.categories[0];
  if (!other) throw new Error(`the district '${district.id}' has no categories`);
  // What a danger sign makes police work is no longer the quarrel that 110's code or the first words name.
  const isPolice = whom.disposition === 'police';
  const overruled = isPolice && shareOf(without, 'police') < thresholds.danger;
  const told = contradicted || isPolice ? without : belief;
  const fits = (category: string): boolean =>
    !overruled || DANGEROUS.includes(categoryOf(category)?.disposition ?? 'consult');
  // Words that would not have sent anybody with a uniform still say best what a sign that does is about.
  const likely = shareOf(told, ...DANGEROUS) >= thresholds.danger;
  const within = DANGEROUS.includes(whom.disposition) ? (likely ? DANGEROUS : undefined) : HARMLESS;
  const ranked = rankOf(told, within).filter(({ category }) => fits(category));
  const nothing = empty && !coded && signs.length === 0;
  const best = nothing ? other : (categoryOf(ranked[0]?.category ?? '') ?? other);
  // Words of danger were said only to be taken back, and nothing says what it is instead (没有刀，就是有事).
  const hollow = !coded && best === other && seen.hits.some((hit) => hit.cancelledBy);
  // A pair is what such a matter gets by its kind (两个司机吵起来了): nothing to ask the desk about.
  const byKind = !doubtful && whom.disposition === 'joint' && best.disposition === 'joint';
  const sure = (whom.sure || byKind) && !(hollow && within === HARMLESS);
  const disposition = within === HARMLESS ? (hollow ? 'joint' : alone(best.id, district)) : whom.disposition;
  const overall = rankOf(told);
  const share = overall.find(({ category }) => category === best.id)?.share ?? 0;
  const next = overall.find(({ category }) => category !== best.id);

  const urgency = urgencyOf(belief, disposition, signs, asked, thresholds);
  const known = nothing ? 0 : 1;
  return {
    category: best,
    runnerUp: known && next && next.share >= thresholds.rival ? categoryOf(next.category) : undefined,
    disposition,
    urgency,
    risk:
      disposition !== 'consult' &&
      belief.risk >= (DANGEROUS.includes(disposition) ? thresholds.riskDanger : thresholds.risk),
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
