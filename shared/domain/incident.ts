import * as z from 'zod';
import { classificationSchema, isDangerous, urgencySchema } from './classification.ts';
import { ladderSchema, modeSchema } from './ladder.ts';
import { stateSchema } from './moves.ts';
import { roleSchema } from './roster.ts';
import { rungSchema, type Rung } from './rung.ts';

/** An instant: whole milliseconds since 1970-01-01T00:00Z. The contracts write it as ISO 8601 in UTC. */
export const instantSchema = z.int().nonnegative();
/** An instant in milliseconds since 1970-01-01T00:00Z. */
export type Instant = z.infer<typeof instantSchema>;

/** How an incident can end. Only `solved` needs somebody to have been on site. */
export const OUTCOMES = ['solved', 'by_phone', 'unfounded', 'not_ours', 'cancelled', 'handed_on'] as const;
/** Result of the call-back. */
export const REVISIT_OUTCOMES = ['satisfied', 'unsatisfied', 'unreachable'] as const;

/** Another incident beside this one: `propose` waits for the desk's word whether both are one, `link` stays a link. */
export const relatedSchema = z.object({ id: z.string(), verdict: z.enum(['propose', 'link']) });
/** Another incident beside this one. */
export type Related = z.infer<typeof relatedSchema>;

/** A matter that has come before: only counted, or once too often as a quarrel, or as a call for help. */
export const REPEAT_KINDS = ['again', 'conflict', 'care'] as const;

/**
 * Somebody who has to do with an incident in this round. Asked = named as assignee and sent a first notice;
 * told = informed; both may read and act. `did` holds the rungs this person reported, so that a repeat is known.
 */
export const personSchema = z.object({
  id: z.string(),
  role: roleSchema,
  squad: z.string(),
  asked: instantSchema.optional(),
  accepted: instantSchema.optional(),
  declined: instantSchema.optional(),
  /** One stand-down notice per person and round. */
  stood: z.boolean().optional(),
  /** Asked to come in addition: wanted although somebody leads already. */
  called: z.boolean().optional(),
  /** No channel reached him: the next one was asked without waiting for his answer. */
  unreached: instantSchema.optional(),
  /** The desk gave the incident to somebody else: a stale tap must not take it back. */
  released: z.boolean().optional(),
  /** Rungs about whose miss this person was told. */
  told: z.array(rungSchema),
  did: z.array(rungSchema),
});
/** Somebody who has to do with an incident in this round. */
export type Person = z.infer<typeof personSchema>;

/**
 * How far a missed rung has climbed. `slot`: the next place in the list of seconds; `step`: the next kind of person;
 * `shift`: milliseconds by which a decline put the rest off; `from`: when a nag counts on from; `nags`: sent so far.
 */
export const climbSchema = z.object({
  slot: z.int().nonnegative(),
  step: z.int().nonnegative(),
  shift: z.int().nonnegative(),
  from: instantSchema.optional(),
  nags: z.int().nonnegative(),
});
/** How far a missed rung has climbed. */
export type Climb = z.infer<typeof climbSchema>;

const rungTimes = z.partialRecord(rungSchema, instantSchema);

/**
 * The incident row: everything the rules need, nothing that names a caller. Content, caller, candidates and reasons
 * live in sibling items, so that the row that every move rewrites stays small.
 */
export const incidentSchema = z
  .object({
    id: z.string(),
    callNo: z.string(),
    district: z.string(),
    state: stateSchema,
    /** Raised by reopening and by restarting a lost workflow; part of the execution's name. */
    round: z.int().positive(),
    /** Raised by every commit: the optimistic lock. */
    version: z.int().nonnegative(),
    /** Our receipt: the clocks count from here. 110's own time is `calledAt`. */
    receivedAt: instantSchema,
    calledAt: instantSchema,
    secret: z.boolean(),
    mode: modeSchema,
    /** Frozen when classified: a later edit of the district touches new incidents only. */
    ladder: ladderSchema.optional(),
    classification: classificationSchema.optional(),
    place: z
      .object({ grid: z.string().optional(), road: z.string().optional(), name: z.string() })
      .optional(),
    /** Two are asked together: joint with danger. */
    pair: z.boolean(),
    lead: z.string().optional(),
    /** When the present lead accepted; buys a late acceptor the next rung's own span. */
    acceptedAt: instantSchema.optional(),
    people: z.array(personSchema),
    deadlines: rungTimes,
    done: rungTimes,
    /** Rungs whose miss stands in the trail. */
    breached: z.array(rungSchema),
    owed: z.array(rungSchema),
    climbs: z.partialRecord(rungSchema, climbSchema),
    paused: z
      .object({ at: instantSchema, until: instantSchema, was: z.enum(['accepted', 'onsite']) })
      .optional(),
    /** `main`: of a joined call, how the incident that it was part of has ended: that is what its caller is told. */
    closed: z
      .object({ at: instantSchema, outcome: z.enum(OUTCOMES), main: z.enum(OUTCOMES).optional() })
      .optional(),
    /** The latest pause ended then; a second resume is a repeat. */
    resumedAt: instantSchema.optional(),
    /** A person asked for reinforcement: due from then on, not from the ladder's limit. */
    reinforceAskedAt: instantSchema.optional(),
    reopenedAt: instantSchema.optional(),
    revisit: z.enum(REVISIT_OUTCOMES).optional(),
    /** It was not clear what this is: the desk had until `until` to say so. `by`: who did, or `system` for the default. */
    triage: z.object({ until: instantSchema, by: z.string().optional() }).optional(),
    /** A person corrected the classification; `was` keeps what the machine had said at first. */
    corrected: z
      .object({
        at: instantSchema,
        by: z.string(),
        was: classificationSchema.pick({ category: true, disposition: true, urgency: true }),
      })
      .optional(),
    /** People found danger in what the machine had called non-police or advice; since then. */
    dangerFoundAt: instantSchema.optional(),
    /** This call is part of another incident. `was`, `owed`, `stood` (who was sent home for it): to take it back. */
    joined: z
      .object({
        into: z.string(),
        at: instantSchema,
        by: z.string(),
        was: z.enum(['asking', 'unanswered', 'accepted', 'onsite']),
        owed: z.array(rungSchema),
        stood: z.array(z.string()),
      })
      .optional(),
    /** Incidents that are part of this one now. */
    joins: z.array(z.string()).optional(),
    /** It was part of another one until then; a second parting is a repeat. */
    partedAt: instantSchema.optional(),
    /** Other incidents that may be about the same event; the latest few. */
    related: z.array(relatedSchema).optional(),
    /** What a second opinion added: a raised urgency, another category that is proposed to the desk. */
    opinion: z.object({ urgency: urgencySchema.optional(), category: z.string().optional() }).optional(),
    /** The same people or the same issue have come before (`standingOf`). */
    repeat: z
      .object({ kind: z.enum(REPEAT_KINDS), times: z.int().min(2), before: instantSchema.optional() })
      .optional(),
    /** Nobody at all could be asked since this instant; retried until somebody comes on shift. */
    unansweredSince: instantSchema.optional(),
    /** The rung at which the workflow has to wait now. */
    rung: rungSchema.optional(),
    /** When something next happens if the workflow waits at this rung. */
    due: rungTimes,
    /** `owed`: the execution of this round is not known to run yet. */
    workflow: z.enum(['none', 'owed', 'started', 'ended']),
    /** Length and last hash of the trail's main chain. */
    trail: z.object({ seq: z.int().nonnegative(), head: z.string() }),
    /** Reports of the same call number after the first. */
    reports: z.int().positive(),
  })
  .refine((i) => !['accepted', 'onsite'].includes(i.state) || i.lead !== undefined, {
    message: 'an accepted incident has a lead',
  })
  .refine((i) => (i.state === 'paused') === (i.paused !== undefined), {
    message: 'a pause belongs to the state paused, and to no other',
  })
  .refine((i) => i.state !== 'joined' || i.joined !== undefined, {
    message: 'a joined incident says into which one',
  });

/** The incident row, parsed. */
export type Incident = z.infer<typeof incidentSchema>;

/** States in which the incident is over, or out of our hands. */
export const OVER: ReadonlySet<Incident['state']> = new Set(['closed', 'finished', 'returned']);

/** Secret or dangerous: what lies open on a member's phone says only that there is a task, or news of one. */
export const isConfidential = ({
  secret,
  classification,
}: Pick<Incident, 'secret' | 'classification'>): boolean =>
  secret || (classification !== undefined && isDangerous(classification));

/** The person's entry in this round, if he was asked or told. */
export const personOf = (incident: Incident, id: string): Person | undefined =>
  incident.people.find((p) => p.id === id);

/** Asked in this round, and not gone since. */
export const isActive = (person: Person): boolean =>
  person.asked !== undefined && person.declined === undefined;

/** Asked, and neither declined nor sent home: somebody from whom an answer may still come. */
export const isExpected = (person: Person): boolean =>
  isActive(person) && (!person.stood || person.accepted !== undefined);

/** Everybody who is named as assignee: asked, not declined, and not sent home unless he came all the same. */
export const assignees = (incident: Incident): string[] =>
  incident.people.filter(isExpected).map((person) => person.id);

/** Is this rung still owed? */
export const owes = (incident: Incident, rung: Rung): boolean => incident.owed.includes(rung);

/** Received and not classified yet. An incident in triage is `received` too, but somebody has looked at it. */
export const isUnclassified = (incident: Pick<Incident, 'state' | 'classification'>): boolean =>
  incident.state === 'received' && incident.classification === undefined;

/** A fresh incident, as intake writes it. */
export const receive = (facts: {
  id: string;
  callNo: string;
  district: string;
  receivedAt: Instant;
  calledAt: Instant;
  secret: boolean;
  mode: Incident['mode'];
}): Incident => ({
  ...facts,
  state: 'received',
  round: 1,
  version: 0,
  pair: false,
  people: [],
  deadlines: {},
  done: {},
  breached: [],
  owed: [],
  climbs: {},
  due: {},
  workflow: 'none',
  trail: { seq: 0, head: '' },
  reports: 1,
});
