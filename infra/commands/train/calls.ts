import * as z from 'zod';
import { dispositionSchema, urgencySchema } from '#shared/domain/classification.ts';
import { chance } from './chance.ts';

/** tests/corpus/call-seeds.json: hand-written invented calls with slots; behind `|` disposition, urgency and risk. */
export const seedsSchema = z.strictObject({
  note: z.string(),
  seed: z.int(),
  slots: z.record(z.string(), z.array(z.string()).min(2)),
  categories: z.record(
    z.string(),
    z.array(z.string().regex(/^[^|]+\|(police|joint|non-police|consult) P[1-4]( risk)?$/u)),
  ),
});
/** The seeds, parsed. */
export type Seeds = z.output<typeof seedsSchema>;

/** One invented call; `seed` says which hand-written sentence it comes from, so that folds do not leak. */
export const callSchema = z.strictObject({
  id: z.string(),
  text: z.string().min(2),
  category: z.string(),
  disposition: dispositionSchema,
  urgency: urgencySchema,
  escalation_risk: z.boolean(),
  style: z.literal('call'),
  seed: z.string(),
});
/** One invented call. */
export type Call = z.output<typeof callSchema>;

/** Variants of each hand-written sentence. */
const VARIANTS = 4;

/** What callers say and operators type instead: dialect, slips and shorthand. None of them changes what is meant. */
const SAID: readonly (readonly [string, readonly string[]])[] = [
  ['不知道', ['不晓得', '勿晓得', '不清楚']],
  ['没人', ['冇人', '没得人', '没人']],
  ['什么', ['啥', '么子', '什么']],
  ['小孩', ['细伢子', '娃儿', '小囡', '小孩']],
  ['老人', ['老人家', '老倌', '老人']],
  ['吵', ['吵', '闹', '吵']],
  ['我们', ['我们', '咱们', '阿拉', '我门']],
  ['怎么', ['咋', '怎么']],
  ['电动车', ['电驴', '电瓶车', '电动车']],
  ['要求', ['要求', '想叫你们']],
  ['已经', ['己经', '已经']],
  ['在', ['在', '在', '再']],
  ['，', ['，', '，', ' ', '，那个，']],
];

const slip = (text: string, next: () => number): string => {
  let said = text;
  for (const [plain, others] of SAID) {
    const at = said.indexOf(plain);
    if (at < 0 || next() > 0.4) continue;
    const other = others[Math.floor(next() * others.length)] ?? plain;
    said = said.slice(0, at) + other + said.slice(at + plain.length);
  }
  return said;
};

/** All calls of the seeds: each sentence with its slots filled several times, slips included; no text twice. */
export const callsOf = ({ seed, slots, categories }: Seeds): Call[] => {
  const next = chance(seed);
  const texts = new Set<string>();
  return Object.entries(categories).flatMap(([category, sentences]) =>
    sentences.flatMap((sentence, s) => {
      const [pattern = '', labels = ''] = sentence.split('|');
      const [disposition, urgency, risk] = labels.split(' ');
      const made: Call[] = [];
      // A sentence without slots has few variants; trying further would only find the same ones.
      for (let attempt = 0; attempt < 12 && made.length < VARIANTS; attempt += 1) {
        const filled = pattern.replaceAll(/\{(.)\}/gu, (whole, slot: string) => {
          const words = slots[slot];
          return words ? (words[Math.floor(next() * words.length)] ?? '') : whole;
        });
        const text = attempt === 0 ? filled : slip(filled, next);
        if (texts.has(text)) continue;
        texts.add(text);
        made.push(
          callSchema.parse({
            id: `call-${category}-${String(s + 1).padStart(2, '0')}${'abcd'[made.length] ?? ''}`,
            text,
            category,
            disposition,
            urgency,
            escalation_risk: risk === 'risk',
            style: 'call',
            seed: `${category}-${s + 1}`,
          }),
        );
      }
      return made;
    }),
  );
};

/** The corpus file's content: one call a line. */
export const linesOf = (calls: readonly Call[]): string =>
  calls.map((call) => `${JSON.stringify(call)}\n`).join('');
