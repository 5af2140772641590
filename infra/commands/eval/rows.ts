import { dispositionSchema } from '#shared/domain/classification.ts';
import * as z from 'zod';

const URGENCIES = ['P1', 'P2', 'P3', 'P4'] as const;
/** P1 … P4. */
export type Urgency = (typeof URGENCIES)[number];

const lineSchema = z.object({
  id: z.string().optional(),
  text: z.string(),
  disposition: z.string(),
  category: z.string(),
  also_ok: z.array(z.string()).optional(),
  urgency: z.string(),
  escalation_risk: z.boolean(),
  style: z.string().optional(),
});

/** A text with the labels a person gave it. */
export interface Row {
  id: string;
  /** Line in the file, from 1. */
  line: number;
  text: string;
  disposition: z.infer<typeof dispositionSchema>;
  category: string;
  alsoOk: readonly string[];
  urgency: Urgency;
  risk: boolean;
  style: string;
}

/** What a file holds: rows that can be measured, and a sentence per line or label that cannot. */
export interface Rows {
  rows: Row[];
  faults: string[];
}

const jsonOf = (line: string): unknown => {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
};

const isUrgency = (x: string): x is Urgency => (URGENCIES as readonly string[]).includes(x);

/**
 * Reads labelled JSON lines. Nothing in a file is fatal: a broken line is named by its number, a row with an unknown
 * disposition or urgency is left out and named, a row with an unknown category is kept (its danger still counts) and
 * named. The sentences never hold texts.
 */
export const readRows = (content: string, categories: ReadonlySet<string>): Rows => {
  const rows: Row[] = [];
  const faults: string[] = [];
  for (const [index, raw] of content.split('\n').entries()) {
    const line = index + 1;
    if (raw.trim() === '') continue;
    const json = jsonOf(raw);
    if (json === undefined) {
      faults.push(`Line ${line} is not JSON.`);
      continue;
    }
    const parsed = lineSchema.safeParse(json);
    if (!parsed.success) {
      const where = [...new Set(parsed.error.issues.map((issue) => issue.path.join('.') || 'row'))].join(
        ', ',
      );
      faults.push(`Line ${line} is not a labelled text: ${where}.`);
      continue;
    }
    const { id, text, also_ok: alsoOk = [], urgency, escalation_risk: risk, style } = parsed.data;
    const disposition = dispositionSchema.safeParse(parsed.data.disposition);
    if (!disposition.success || !isUrgency(urgency)) {
      const what = disposition.success ? `urgency '${urgency}'` : `disposition '${parsed.data.disposition}'`;
      faults.push(`Line ${line} has an unknown ${what}; it is left out.`);
      continue;
    }
    for (const category of [parsed.data.category, ...alsoOk])
      if (!categories.has(category)) faults.push(`Line ${line} has an unknown category '${category}'.`);
    rows.push({
      id: id ?? `line-${line}`,
      line,
      text,
      disposition: disposition.data,
      category: parsed.data.category,
      alsoOk,
      urgency,
      risk,
      style: style ?? 'unknown',
    });
  }
  return { rows, faults };
};
