import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';

/** What somebody does when his phone rings. Seconds of the virtual clock after the ring. */
const answerSchema = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('accept'), after: z.number().positive() }),
  z.strictObject({ do: z.literal('decline'), after: z.number().positive(), reason: z.string().min(1) }),
  z.strictObject({ do: z.literal('none') }),
]);
/** What somebody does when his phone rings. */
export type Answer = z.infer<typeof answerSchema>;

const stepSchema = z
  .strictObject({
    /**
     * What it waits for: an action that succeeded (`accept`: the first one, `helper`: a further one), `<name>-over`: a
     * pause that ended by itself, `text:<kind>`: such a text on any phone, `ask:<role>`: somebody of this role is asked.
     */
    on: z.string().min(1),
    /** Virtual seconds after that. */
    after: z.number().nonnegative().optional(),
    /** Instead: when this share of the rung's time from our receipt has passed; 1.2 is late. */
    share: z.number().positive().optional(),
    who: z.enum(['lead', 'helper', 'desk']).default('lead'),
    do: z.string().min(1),
    /** Another name for what happened, where a story does the same thing twice. */
    as: z.string().min(1).optional(),
    text: z.string().min(1).optional(),
    reason: z.string().min(1).optional(),
    outcome: z.string().min(1).optional(),
    /** Of a pause: its length in seconds. */
    for: z.number().positive().optional(),
  })
  .refine((step) => (step.after === undefined) !== (step.share === undefined), {
    message: 'a step has either after or share',
  });
/** One thing that somebody does in a story. */
export type Step = z.infer<typeof stepSchema>;

const storySchema = z.strictObject({
  id: z.string().regex(/^[a-z-]{3,20}$/),
  /** What the timeline calls it. */
  title: z.string().min(2).max(8),
  /** The document that tells it. */
  source: z.string(),
  /** Virtual seconds after the beginning. */
  at: z.number().positive(),
  /** Names and numbers are invented. */
  caller: z.strictObject({ name: z.string().min(1), phone: z.string().regex(/^16600001\d{3}$/) }),
  /** Names of roads, estates or grids that the district may have; without one any road of the district will do. */
  place: z.strictObject({ near: z.array(z.string().min(2)).min(1), text: z.string().min(1) }),
  content: z.string().min(1),
  /** Category code of 110; empty: none given. */
  code: z.string(),
  /** In which words 110 writes: ours, or those of a 接警单. */
  form: z.enum(['ours', 'jjd']).default('ours'),
  /** The earlier call this one is about. */
  linked: z.string().optional(),
  /** What classification has to find. */
  expect: z.strictObject({
    category: z.string(),
    disposition: z.enum(['police', 'joint', 'non-police', 'consult']),
    danger: z.array(z.string()),
  }),
  /** By order of being asked; who is asked beyond the list stays silent. */
  answers: z.array(answerSchema),
  /** The same for those called as reinforcement. */
  helpers: z.array(answerSchema).default([]),
  /** Whoever the desk names instead. */
  reassigned: answerSchema.optional(),
  steps: z.array(stepSchema).min(1),
  ends: z.enum(['finished', 'returned']),
});
/** One incident of the demo with everybody's part in it. */
export type Story = z.infer<typeof storySchema>;

const fileSchema = z.strictObject({ note: z.string().startsWith('SAMPLE'), stories: z.array(storySchema) });

/** The incidents of the demo, in order of their calls. Throws when the file breaks its schema. */
export const loadStories = (): Story[] =>
  fileSchema
    .parse(JSON.parse(readFileSync(join(import.meta.dirname, 'calls.json'), 'utf8')))
    .stories.toSorted((a, b) => a.at - b.at);

interface Named {
  name: string;
  names: readonly string[];
  centre: { lng: number; lat: number };
}

/** As much of a district as a demo call needs. */
export interface Streets {
  name: string;
  roads: readonly Named[];
  grids: readonly Named[];
  /** Their field → ours. */
  fieldMap: Readonly<Record<string, string>>;
}

/** A small number from a name, always the same: so that every district has its own, lasting addresses. */
const numberOf = (text: string): number =>
  Array.from(text).reduce((sum, c) => (sum * 31 + c.charCodeAt(0)) % 9973, 7);

/** An address of the district for a story: near one of the places it names if the district has one, else on any road. */
export const placeOf = (
  streets: Streets,
  { near, text }: Story['place'],
): { address: string; location: { lng: number; lat: number } } => {
  const all: readonly Named[] = [...streets.roads, ...streets.grids];
  const said = near.flatMap((hint) =>
    all.flatMap((place) => {
      const name = [place.name, ...place.names].find((known) => known.includes(hint));
      return name === undefined ? [] : [{ name, centre: place.centre }];
    }),
  )[0];
  const fallback = all[numberOf(near.join()) % (streets.roads.length || all.length)];
  const place = said ?? fallback;
  if (!place) throw new Error(`${streets.name} has neither roads nor grids`);
  const house = (numberOf(near.join() + place.name) % 180) + 2;
  return { address: `${streets.name}${place.name}${house}号${text}`, location: place.centre };
};

const beijing = (at: number): string => new Date(at + 8 * 3_600_000).toISOString().slice(0, 19);

/** The body that 110 posts for a story: in our words, or in those of a 接警单 as the district maps them. */
export const callOf = (
  streets: Streets,
  story: Story,
  { callNo, linkedCallNo, now }: { callNo: string; linkedCallNo?: string | undefined; now: number },
): Record<string, unknown> => {
  const { address, location } = placeOf(streets, story.place);
  // Somebody at 110 has listened and typed for a while.
  const at = now - 25_000;
  const ours = {
    callNo,
    address,
    content: story.content,
    ...(story.code === '' ? {} : { categoryCode: story.code }),
    ...(linkedCallNo === undefined ? {} : { linkedCallNo }),
  };
  if (story.form === 'ours')
    return {
      ...ours,
      calledAt: `${beijing(at)}+08:00`,
      caller: story.caller,
      location: { ...location, system: 'wgs84' },
    };
  const theirs = new Map(Object.entries(streets.fieldMap).map(([field, name]) => [name, field]));
  const flat = {
    ...ours,
    calledAt: beijing(at).replace('T', ' '),
    'caller.name': story.caller.name,
    'caller.phone': story.caller.phone,
  };
  return Object.fromEntries(Object.entries(flat).map(([name, value]) => [theirs.get(name) ?? name, value]));
};
