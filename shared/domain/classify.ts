import type { Classification, Disposition, Reason, Urgency } from './classification.ts';
import { read } from './classify/calibrate.ts';
import { scoreCategories, type Found, type Score } from './classify/category.ts';
import { guard, type GuardHit, type GuardResult } from './classify/guard.ts';
import { normalise, originalSpan, type Normalised } from './classify/normalise.ts';
import { riskOf, type Risk } from './classify/risk.ts';
import { urgencyOf } from './classify/urgency.ts';
import { abstractQuestion, isHollow } from './classify/rules.ts';
import type { Category, District } from './district.ts';

/** What a caller said, as far as it decides what the matter is. */
export type Statement = {
  /** Kept for a classifier that reads it; today it decides nothing, because street names are full of harmless knives. */
  address: string;
  content: string;
  categoryCode?: string;
  level?: string;
};

/** The guard reads all of a text; what kind of matter it is stands at its beginning or its end. */
const HEAD = 1500;
const TAIL = 500;
/** Blanks between beginning and end, so that no combination of words reaches across. */
const SEAM = 60;
/** Points that a danger sign adds to its own category: as much as a first sentence that names it. */
const SIGN = 9;
/** Points that 110's code adds: a code is chosen in haste, but by somebody who heard the caller. */
const CODE = 14;
/** Points below which words say nothing about the category: a single weak word, or one clear word late in the text. */
const LEAST = 2;
/** Points that words alone need to make something police work: one that names it in the first sentence, or two. */
const NAMED = 8;
/** Confidence in the disposition from which words make police work of what has a sign that only asks for two. */
const LIKELY = 0.5;
/** Reasons of one kind that are told; a desk reads three lines, not thirty. */
const TOLD = 4;

const DISPOSITION_NAMES = {
  police: '警务',
  joint: '联合处置',
  'non-police': '非警务',
  consult: '咨询',
} as const;

const BACK_NAMES = {
  negation: '前后有否定',
  hypothesis: '只是假设',
  figure: '是比方',
  report: '是转述',
  abstract: '只是泛泛而问',
  cause: '另有原因',
} as const;

/** Taken back like this, the words do not even say what the matter is; 要是着火怎么办 still speaks of fire. */
const UNSAID: ReadonlySet<string> = new Set(['negation', 'figure']);

const HANDLERS = { police: '公安', court: '法院', insurer: '保险' } as const;

const NUL = '\0';

/** Names of places, longest first; a shorter one may be part of a longer one. */
const names = new WeakMap<District, string[]>();
const namesOf = (district: District): string[] => {
  const known =
    names.get(district) ??
    [
      ...district.placeNames,
      ...district.roads.flatMap((r) => [r.name, ...r.names]),
      ...district.grids.flatMap((g) => [g.name, ...g.names]),
    ]
      .map((name) => normalise(name).text)
      .filter((name) => name !== '')
      .sort((a, b) => b.length - a.length);
  names.set(district, known);
  return known;
};

/** The text that the category is read from, and where a place of it stands in the original. */
type Readable = { text: string; spanOf: (place: { start: number; end: number }) => [number, number] };

/**
 * What the category is read from: beginning and end, without names of places (学校路 is no school) and without danger
 * words that the guard took back (没有着火 is no fire). Offsets stay.
 */
const readable = (district: District, n: Normalised, hits: readonly GuardHit[]): Readable => {
  const cut = n.text.length > HEAD + SEAM + TAIL;
  /** How much was left out behind the head. */
  const left = cut ? n.text.length - HEAD - TAIL : 0;
  let text = cut ? n.text.slice(0, HEAD) + NUL.repeat(SEAM) + n.text.slice(-TAIL) : n.text;
  for (const name of namesOf(district))
    if (text.includes(name)) text = text.replaceAll(name, NUL.repeat(name.length));
  const origin = (at: number): number => (!cut || at < HEAD + SEAM ? at : at + left - SEAM);
  const live = hits.filter((hit) => !hit.cancelledBy);
  for (const { span, cancelledBy } of hits) {
    if (!cancelledBy || !UNSAID.has(cancelledBy.by)) continue;
    if (live.some((hit) => hit.span[0] < span[1] && span[0] < hit.span[1])) continue;
    let kept = '';
    for (let at = 0; at < text.length; at += 1) {
      const inside = (n.starts[origin(at)] ?? 0) >= span[0] && (n.ends[origin(at)] ?? 0) <= span[1];
      kept += inside ? NUL : text.charAt(at);
    }
    text = kept;
  }
  return { text, spanOf: ({ start, end }) => originalSpan(n, origin(start), origin(end - 1) + 1) };
};

type Ranked = { category: Category; points: number; found: Found[] };

/** Categories by points: words, then what the danger signs and 110's code add. */
const rank = (
  district: District,
  scores: readonly Score[],
  signs: ReadonlyMap<string, number>,
  coded: Category | undefined,
): Ranked[] =>
  district.categories
    .map((category): Ranked => {
      const score = scores.find((s) => s.category === category.id);
      const points =
        Math.max(0, score?.points ?? 0) +
        (signs.get(category.id) ?? 0) +
        (coded?.id === category.id ? CODE : 0);
      return { category, points, found: score?.found ?? [] };
    })
    .filter((r) => r.points >= LEAST)
    .sort((a, b) => b.points - a.points);

/** The points of each category that a danger sign names: a second sign of a kind adds little. */
const signPoints = (dangers: readonly GuardHit[]): Map<string, number> => {
  const points = new Map<string, number>();
  for (const { category, send } of dangers)
    if (category !== undefined) {
      const sign = send === 'police' ? SIGN : SIGN - 1;
      points.set(category, points.has(category) ? (points.get(category) ?? 0) + 2 : sign);
    }
  return points;
};

const clip = (text: string): string => (text.length > 120 ? `${text.slice(0, 120)}…` : text);

/** What the calibration reads: points of the category and the disposition over their rivals, signs of P1 and of risk. */
export type Raw = { category: number; disposition: number; p1: number; risk: number };

/** What was decided, why, and the raw scores behind the confidence. */
export type Weighed = { classification: Classification; reasons: Reason[]; raw: Raw };

/** What a matter is and why. @see weigh */
export const classify = (
  district: District,
  statement: Statement,
): { classification: Classification; reasons: Reason[] } => {
  const { classification, reasons } = weigh(district, statement);
  return { classification, reasons };
};

/**
 * Says what a matter is: the danger signs of the whole text first, then 110's code and the words, and how sure that is.
 * A police sign goes back to 110, every other danger sign and everything unsure is joint, so that nobody is sent alone
 * by a guess. Never throws, whatever the text; spans are offsets into the content.
 */
export const weigh = (district: District, { content, categoryCode, level }: Statement): Weighed => {
  const { rules, lexicon, calibration } = district;
  const seen: GuardResult = guard(content, district);
  const n = normalise(content);
  const { text, spanOf } = readable(district, n, seen.hits);
  const reasons: Reason[] = [];
  const quote = (rule: string, span: [number, number], say: (words: string) => string, against = false) => {
    const words = content.slice(...span);
    if (words !== '')
      reasons.push({ rule, sentence: say(words), span, ...(against ? { against: true } : {}) });
  };

  const dangers = seen.hits.filter((hit) => !hit.cancelledBy);
  for (const hit of dangers)
    quote(
      `danger:${hit.kind}`,
      hit.span,
      (w) => `出现“${w}”，疑似${hit.name}，按${DISPOSITION_NAMES[hit.send]}处理`,
    );
  for (const hit of seen.hits)
    if (hit.cancelledBy) {
      const { by, words } = hit.cancelledBy;
      quote(
        `danger:${hit.kind}`,
        hit.span,
        (w) => `“${w}”${BACK_NAMES[by]}（“${words}”），不作${hit.name}`,
        true,
      );
    }

  const codedId =
    categoryCode === undefined
      ? undefined
      : (district.codes[categoryCode] ?? district.sharedCodes[categoryCode]);
  const coded = district.categories.find((c) => c.id === codedId);
  if (coded) reasons.push({ rule: 'code', sentence: `110类别代码${categoryCode}对应“${coded.name}”` });
  else if (categoryCode !== undefined && categoryCode.trim() !== '')
    reasons.push({ rule: 'code-unknown', sentence: `110类别代码${clip(categoryCode)}不在对照表中，已保留` });

  const police = dangers.filter((hit) => hit.send === 'police');
  const joint = dangers.filter((hit) => hit.send === 'joint');
  const consult = district.categories.find((c) => c.disposition === 'consult');
  const question = dangers.length === 0 ? abstractQuestion(rules.consult, text) : undefined;
  const extra = signPoints(dangers);
  if (question && consult) extra.set(consult.id, rules.consult.points);
  const scores = scoreCategories(lexicon, rules.combos, text);
  const [byWords] = rank(district, scores, extra, undefined);
  // A code wins over words, unless the words point to the police: the code is chosen in haste, before the story is told.
  const contradicted =
    coded !== undefined && coded.disposition !== 'police' && byWords?.category.disposition === 'police';
  const ranked = rank(district, scores, extra, contradicted ? undefined : coded);
  const other = district.categories.find((c) => c.id === 'other') ?? district.categories[0];
  if (!other) throw new Error(`the district '${district.id}' has no categories`);

  // Only what somebody already handles may become advice, and never while a sign says that it goes on.
  const { handled } = seen;
  const allowed = ranked.filter(({ category }) =>
    police.length > 0 && !handled
      ? category.disposition !== 'consult'
      : handled
        ? category.disposition !== 'police'
        : true,
  );
  const [first] = allowed;
  const toldPolice = ranked[0]?.category.disposition === 'police' || police.length > 0;
  const best =
    handled && toldPolice && consult ? { category: consult, points: SIGN, found: [] } : (first ?? undefined);
  // A police sign is police work, whatever the quarrel is about.
  const byPolice =
    police.length > 0 && !handled && best?.category.disposition !== 'police'
      ? (ranked.find((r) => r.category.disposition === 'police') ?? best)
      : best;
  const category = byPolice?.category ?? other;
  const runnerUp = ranked.find((r) => r.category.id !== category.id);
  const points = byPolice?.points ?? 0;
  const rival = ranked.find((r) => r.category.disposition !== category.disposition);

  if (handled) quote('handled', handled.span, (w) => `“${w}”：${HANDLERS[handled.by]}已在处理，只是问结果`);
  for (const hit of (byPolice?.found ?? []).toSorted((a, b) => b.points - a.points).slice(0, TOLD)) {
    const span = spanOf(hit);
    const rule = hit.by.startsWith('combo:') ? hit.by : 'keyword';
    if (hit.points > 0) quote(rule, span, (w) => `出现“${clip(w)}”，像“${category.name}”`);
    else quote(rule, span, (w) => `出现“${clip(w)}”，不太像“${category.name}”`, true);
  }
  if (question && category === consult)
    quote('question', spanOf(question), (w) => `只是在问（“${w}”），没有说到谁出了事`);
  const [strongest] = (runnerUp?.found ?? []).toSorted((a, b) => b.points - a.points);
  if (strongest && runnerUp)
    quote('rival', spanOf(strongest), (w) => `也出现“${clip(w)}”，或为“${runnerUp.category.name}”`, true);

  // Without any sign the scores are 0, and the curves say how little that is worth.
  const gap = points - 0.6 * (runnerUp?.points ?? 0);
  const certainSign = police.length > 0 && !handled;
  const dispositionGap = (certainSign ? SIGN : 0) + points - 0.6 * (rival?.points ?? 0);
  const confidence = {
    category: read(calibration.category, gap),
    disposition: read(calibration.disposition, dispositionGap),
  };
  // Police work by its words alone takes more than one of them: the guard has seen nothing.
  const enough =
    byPolice !== undefined &&
    // A greeting is no request for advice, whatever words it is made of.
    (category.disposition !== 'consult' ||
      handled !== undefined ||
      coded === category ||
      !isHollow(rules.consult, text)) &&
    (category.disposition !== 'police' || points >= NAMED) &&
    confidence.category >= calibration.ask.category &&
    confidence.disposition >= calibration.ask.disposition;
  const sure = certainSign || (enough && !contradicted);

  let disposition: Disposition = category.disposition;
  if (certainSign) disposition = 'police';
  else if (!sure) disposition = 'joint';
  // A quarrel with a threat in it is not police work because the threat is its strongest word (邻居威胁我).
  else if (joint.length > 0 && disposition === 'police' && !handled && confidence.disposition < LIKELY)
    disposition = 'joint';
  else if (joint.length > 0 && disposition !== 'police' && !handled) disposition = 'joint';
  if (!sure)
    reasons.push({
      rule: 'unsure',
      sentence: byPolice
        ? `“${category.name}”不够肯定，按联合处置，请值班员核对`
        : '认不出是什么事，按联合处置，请值班员核对',
    });

  const risk: Risk = riskOf(rules.risk, text, {
    category: category.id,
    consult: disposition === 'consult',
    dangers: dangers.map((hit) => hit.kind),
  });
  const trigger = risk.trigger;
  if (risk.risk)
    reasons.push({
      rule: 'risk',
      sentence: `双方有牵连${trigger ? `，出现“${content.slice(...spanOf(trigger))}”` : ''}，有民转刑苗头`,
      ...(trigger ? { span: spanOf(trigger) } : {}),
    });

  const judged = urgencyOf(rules.urgency, text, {
    base: category.urgency,
    disposition,
    home: category.id === 'domestic_violence',
    dangers,
  });
  let urgency: Urgency = judged.urgency;
  const { because } = judged;
  if (because) quote('urgency', spanOf(because), (w) => `出现“${w}”，随时可能伤人，按${urgency}办`);
  if (level !== undefined && /^(0?1|一级|特级|重大)$/.test(level.trim())) {
    urgency = 'P1';
    reasons.push({ rule: 'level', sentence: `110警情等级为${level.trim()}` });
  }
  if (seen.minors && dangers.length > 0)
    reasons.push({ rule: 'minors', sentence: '说到未成年人，请留意保护' });

  const p1 = urgency !== 'P1' ? (urgency === 'P2' ? 1 : 0) : dangers.length > 1 ? 3 : 2;
  // The joint team for a police kind of matter is the district's danger team: a police station is not on our roster,
  // and the hotline sends no pair.
  const dangerTeam = joint[0] ? district.danger[joint[0].kind] : undefined;
  const team =
    disposition === 'police'
      ? category.team
      : disposition === 'joint'
        ? (dangerTeam ??
          (category.disposition === disposition || category.disposition === 'non-police'
            ? category.team
            : other.team))
        : category.team;
  if (reasons.length === 0) reasons.push({ rule: 'none', sentence: `按“${category.name}”处理` });
  return {
    classification: {
      category: category.id,
      ...(runnerUp ? { runnerUp: runnerUp.category.id } : {}),
      disposition,
      urgency,
      danger: [...new Set(dangers.map((hit) => hit.kind))],
      line: category.line,
      team,
      sure,
      risk: risk.risk,
      confidence: {
        ...confidence,
        p1: read(calibration.p1, p1),
        risk: read(calibration.risk, risk.points),
      },
      versions: {
        rules: `${rules.version}/${district.signs.version}`,
        lexicon: lexicon.version,
        model: 'none',
      },
    },
    reasons,
    raw: { category: gap, disposition: dispositionGap, p1, risk: risk.points },
  };
};
