import {
  isJudgedDangerous,
  type Classification,
  type Disposition,
  type Reason,
  type Urgency,
} from './classification.ts';
import type { Correction } from './correction.ts';
import type { District } from './district.ts';
import type { Instant } from './incident.ts';
import { maskText } from './mask.ts';

/** What the desk says of a matter. Without an urgency it keeps the one it has, or gets that of its new category. */
export interface Judgement {
  /** Id or name of a category of the district. */
  category: string;
  disposition: Disposition;
  urgency?: Urgency | undefined;
}

/**
 * A person's judgement as a classification: line and team follow by the district's tables, as for the machine's own. What
 * the guard saw stays: a person may say that it means nothing, but not that it was not said.
 * @returns undefined when the district has no such category.
 */
export const judge = (
  district: District,
  was: Classification,
  { category: wanted, disposition, urgency }: Judgement,
): Classification | undefined => {
  const category = district.categories.find((c) => c.id === wanted || c.name === wanted);
  const other = district.categories.find((c) => c.id === 'other');
  if (!category) return undefined;
  const sign = was.danger.map((kind) => district.danger[kind]).find((team) => team !== undefined);
  // A police station is not on our roster, and the hotline sends nobody: what we answer ourselves needs a team of ours.
  const ours =
    category.disposition === disposition || category.disposition === 'non-police'
      ? category.team
      : (other?.team ?? category.team);
  const { runnerUp: _, grave: __, ...rest } = was;
  const soon = urgency ?? (category.id === was.category ? was.urgency : category.urgency);
  const grave = category.disposition === 'police' || isJudgedDangerous({ disposition, urgency: soon });
  return {
    ...rest,
    category: category.id,
    disposition,
    urgency: soon,
    ...(grave ? { grave } : {}),
    line: category.line,
    team:
      disposition === 'police' ? category.team : disposition === 'joint' && sign !== undefined ? sign : ours,
    sure: true,
  };
};

const judged = ({ category, disposition, urgency }: Classification): Correction['was'] => ({
  category,
  disposition,
  urgency,
});

/** The correction as it is kept. `known`: words that are surely personal here. */
export const correctionOf = (facts: {
  incidentId: string;
  at: Instant;
  stage: Correction['stage'];
  content: string;
  reasons: readonly Reason[];
  /** Keywords of the category that the person chose. */
  keywords: readonly string[];
  was: Classification;
  is: Classification;
  by: string;
  why: string;
  known: readonly string[];
}): Correction => {
  const { incidentId, at, stage, content, reasons, known } = facts;
  const quoted = reasons
    .flatMap(({ span, against }) => (span && !against ? [maskText(content.slice(...span), known)] : []))
    // Nothing but a mark decides nothing.
    .filter((word) => word.replace(/\[[^\]]*\]/gu, '').trim() !== '');
  return {
    incidentId,
    at,
    stage,
    text: maskText(content, known),
    was: judged(facts.was),
    is: judged(facts.is),
    by: facts.by,
    why: maskText(facts.why, known),
    words: [...new Set([...quoted, ...facts.keywords.filter((word) => content.includes(word))])].sort(),
  };
};
