import * as z from 'zod';
import { drillResultSchema } from '../domain/drill.ts';
import { classificationSchema, reasonSchema, urgencySchema } from '../domain/classification.ts';
import { VENDORS, channelSchema } from '../domain/channel.ts';
import { OUTCOMES, REPEAT_KINDS, REVISIT_OUTCOMES, relatedSchema } from '../domain/incident.ts';
import { modeSchema } from '../domain/ladder.ts';
import { ACTIONS, stateSchema } from '../domain/moves.ts';
import { ATTEMPT_STATES } from '../domain/notice.ts';
import { pointSchema, roleSchema } from '../domain/roster.ts';
import { rungSchema } from '../domain/rung.ts';
import { noticeKindSchema } from '../domain/notice-kind.ts';
import { LINE_KINDS } from '../domain/trail.ts';
import { isoSchema } from './time.ts';

const rungTimes = z.partialRecord(rungSchema, isoSchema);
const id = z.string();

/** What a list shows of an incident: nothing that the caller told. */
export const incidentSummarySchema = z
  .object({
    id,
    callNo: z.string(),
    district: z.string(),
    state: stateSchema,
    round: z.int().describe('Raised by reopening.'),
    receivedAt: isoSchema.describe('Our receipt: the deadlines count from here.'),
    calledAt: isoSchema.describe("110's own time."),
    secret: z.boolean(),
    mode: modeSchema,
    classification: classificationSchema.optional(),
    place: z
      .object({ grid: z.string().optional(), road: z.string().optional(), name: z.string() })
      .optional()
      .describe('Grid and road, as far as they were found.'),
    lead: id.optional().describe('Member who leads: the first who accepted.'),
    assignees: z.array(id).describe('Everybody asked who has not declined.'),
    deadlines: rungTimes.describe(
      'Absolute; they move only by pause, decline of the lead, reassign, reopen, mode.',
    ),
    done: rungTimes,
    owed: z.array(rungSchema),
    triage: z
      .object({
        until: isoSchema,
        by: id
          .optional()
          .describe('Who decided; `system`: the default went out. Absent while the desk is asked.'),
      })
      .optional()
      .describe('It was not clear what this is: the desk had until then to say so.'),
    corrected: z
      .object({
        at: isoSchema,
        by: id,
        was: classificationSchema.pick({ category: true, disposition: true, urgency: true }),
      })
      .optional()
      .describe('A person corrected the classification; `was`: what the machine had said at first.'),
    reasons: z
      .array(reasonSchema)
      .optional()
      .describe('In a list: for the desk, of incidents that wait for its triage. Why the machine thinks so.'),
    overdue: z.array(rungSchema).describe('Derived now, never stored.'),
    closed: z.object({ at: isoSchema, outcome: z.enum(OUTCOMES) }).optional(),
    revisit: z.enum(REVISIT_OUTCOMES).optional(),
    paused: z.object({ at: isoSchema, until: isoSchema }).optional(),
    unansweredSince: isoSchema.optional(),
    joined: z
      .object({ into: id, at: isoSchema, by: z.string() })
      .optional()
      .describe('This call is part of that incident: its people were sent home, and it ends with it.'),
    joins: z.array(id).describe('Incidents that are part of this one.'),
    related: z
      .array(relatedSchema)
      .describe(
        'May be about the same event: `propose` waits for the desk (join), `link` is only looked at together.',
      ),
    opinion: z
      .object({ urgency: urgencySchema.optional(), category: z.string().optional() })
      .optional()
      .describe('What a second opinion raised, and the category that it proposes to the desk.'),
    repeat: z
      .object({ kind: z.enum(REPEAT_KINDS), times: z.int(), before: isoSchema.optional() })
      .optional()
      .describe(
        'It has come before within 30 days. From the third time: conflict (mediation leads) or care.',
      ),
    reports: z.int().describe('Reports of this call number.'),
  })
  .meta({ id: 'IncidentSummary' });
/** What a list shows of an incident. */
export type IncidentSummary = z.infer<typeof incidentSummarySchema>;

const picksSchema = z.object({
  how: z.string().describe('How the place was found.'),
  picked: z.array(z.object({ id, reason: z.string() })),
  rejected: z.array(z.object({ id, reason: z.string() })),
});

/** An incident as one viewer may see it. */
export const incidentSchema = incidentSummarySchema
  .extend({
    caller: z
      .object({ name: z.string(), phone: z.string(), revealed: z.boolean() })
      .optional()
      .describe('Masked (王*, 199****1234) until this viewer has accepted, or as the desk revealed it.'),
    address: z.string().optional().describe('Absent in secret incidents for all but the lead and the desk.'),
    location: pointSchema.optional().describe('WGS-84 degrees. Absent where the address is.'),
    content: z.string().optional().describe('Absent in secret incidents for all but the lead and the desk.'),
    further: z
      .array(z.object({ receivedAt: isoSchema, address: z.string(), content: z.string() }))
      .describe('Later reports of the same call number with other content; empty where content is hidden.'),
    pauses: z
      .array(
        z.object({
          at: isoSchema,
          by: z.string(),
          until: isoSchema.optional(),
          reason: z.string().optional(),
          resumedAt: isoSchema.optional(),
          resumedBy: z.string().optional(),
        }),
      )
      .describe('The ledger of pauses: who stopped the clocks, why, and when they went on.'),
    categoryCode: z.string().optional(),
    level: z.string().optional(),
    linkedCallNo: z.string().optional(),
    reasons: z.array(reasonSchema).describe('Why it was classified so; empty where content is hidden.'),
    ladder: z
      .array(z.object({ rung: rungSchema, limit: z.int(), basis: z.enum(['source', 'default']) }))
      .describe('Seconds from receipt (revisit: from close), frozen when classified.'),
    people: z.array(
      z.object({
        id,
        name: z.string(),
        role: roleSchema,
        squad: z.string(),
        asked: isoSchema.optional(),
        accepted: isoSchema.optional(),
        declined: isoSchema.optional(),
        unreached: isoSchema.optional().describe('No channel reached him; the next one was asked.'),
        stoodDown: z.boolean(),
      }),
    ),
    notices: z.array(
      z.object({
        id,
        to: id,
        kind: noticeKindSchema,
        rung: rungSchema.optional(),
        at: isoSchema,
        state: z.enum(ATTEMPT_STATES),
        attempts: z.int(),
      }),
    ),
    spentMilli: z
      .int()
      .optional()
      .describe('What its notices have cost so far, in 1/1000 CNY by the price table; for the desk.'),
    role: z.enum(['lead', 'helper']).optional().describe('Of this viewer, once he has accepted.'),
    offers: z.array(z.enum(ACTIONS)).describe('What this viewer can do now.'),
    headline: z
      .object({
        code: z.string().optional().describe('As in the notices: B2.'),
        matter: z.string().optional().describe('Absent where the content is.'),
        road: z.string().optional(),
        grid: z.string().optional(),
      })
      .describe('In words: what it is, and the road and grid where it is.'),
    promise: z
      .object({ rung: rungSchema, at: isoSchema })
      .optional()
      .describe('Whose time runs out next for this viewer; what he can keep, not what the desk has to.'),
  })
  .meta({ id: 'Incident' });
/** An incident as one viewer may see it. */
export type IncidentView = z.infer<typeof incidentSchema>;

/** One line of the trail. */
export const trailLineSchema = z
  .object({
    at: isoSchema,
    kind: z.enum(LINE_KINDS),
    by: z.string().describe('Member id, `desk`, `110` or `system`.'),
    onBehalf: z.string().optional(),
    rung: rungSchema.optional(),
    whom: z.string().optional(),
    text: z.string().optional().describe('Words of a person; absent where content is hidden.'),
    facts: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
    picks: picksSchema.optional().describe('With kind `picked`: who was picked and who was not, and why.'),
    reasons: z.array(reasonSchema).optional().describe('With kind `classified`.'),
    chain: z.string().describe('`main`, or the id of the notice whose attempts are told.'),
    seq: z.int(),
    hash: z.string().describe('Covers this line and the one before it in its chain.'),
  })
  .meta({ id: 'TrailLine' });
/** One line of the trail. */
export type TrailLine = z.infer<typeof trailLineSchema>;

/** One thing that will happen if nobody does anything. */
export const plannedSchema = z
  .object({
    at: isoSchema,
    what: z.enum(['ask', 'tell', 'nag', 'reinforce', 'retry', 'resume', 'deadline']),
    rung: rungSchema.optional(),
    whom: z.array(id),
  })
  .meta({ id: 'Planned' });
/** One thing that will happen if nobody does anything. */
export type PlannedView = z.infer<typeof plannedSchema>;

/** Body of `GET /api/incidents/{id}` and of every action. */
export const incidentBodySchema = z
  .object({
    incident: incidentSchema,
    trail: z.array(trailLineSchema),
    plan: z.array(plannedSchema),
    now: isoSchema.describe('Our clock: what counts down counts from here.'),
  })
  .meta({ id: 'IncidentBody' });
/** Body of `GET /api/incidents/{id}` and of every action. */
export type IncidentBody = z.infer<typeof incidentBodySchema>;

/** Body of an action. Accept adds who leads and what the acceptor is. */
export const actionBodySchema = incidentBodySchema
  .extend({ role: z.enum(['lead', 'helper']).optional(), lead: id.optional() })
  .meta({ id: 'ActionBody' });

/** A person of the roster. Phones and shifts are for the desk. */
export const rosterEntrySchema = z
  .object({
    id,
    name: z.string(),
    role: roleSchema,
    squad: z.string(),
    team: z.string(),
    onShift: z.boolean(),
    phone: z.string().optional(),
    textless: z.boolean().optional().describe('Wants no texts (STOP): other channels come first.'),
    shifts: z.array(z.string()).optional(),
    grids: z.array(z.string()).optional(),
    roads: z.array(z.string()).optional(),
  })
  .meta({ id: 'RosterEntry' });
/** A person of the roster. */
export type RosterEntry = z.infer<typeof rosterEntrySchema>;

/** A reachability drill, person by person. */
export const drillViewSchema = z
  .object({
    id: z.string().describe('Day and minute at which it began, district time.'),
    startedAt: isoSchema,
    until: isoSchema.describe('Answers count until then.'),
    items: z.array(drillResultSchema),
  })
  .meta({ id: 'Drill' });
/** A reachability drill, person by person. */
export type DrillView = z.infer<typeof drillViewSchema>;

/** A signed message of 110 that could not be taken. */
export const rejectedSchema = z
  .object({
    id,
    at: isoSchema,
    status: z.union([z.literal(400), z.literal(413)]),
    problems: z.array(z.string()),
    body: z
      .string()
      .describe('The raw message, at most its first 64 KB; what is no text comes as a base64 data URL.'),
    bytes: z.int().describe('Its full length.'),
  })
  .meta({ id: 'Rejected' });
/** A signed message of 110 that could not be taken. */
export type RejectedView = z.infer<typeof rejectedSchema>;

/** A category code of 110 that stands in no table: it is kept with its report, and counts for nothing. */
export const unknownCodeSchema = z
  .object({ code: z.string(), times: z.int(), lastAt: isoSchema })
  .meta({ id: 'UnknownCode' });
/** A category code of 110 that stands in no table. */
export type UnknownCodeView = z.infer<typeof unknownCodeSchema>;

/** Somebody whom no vendor reaches and whom the desk has to telephone. */
export const unreachedSchema = z
  .object({
    incidentId: id.optional(),
    number: z.string().describe('Short number of the incident, as people say it.'),
    member: z.object({ id, name: z.string(), role: roleSchema, phone: z.string() }),
    kind: noticeKindSchema,
    since: isoSchema,
    tries: z.int(),
    code: z.string().optional().describe('What the last vendor said.'),
  })
  .meta({ id: 'Unreached' });
/** Somebody whom the desk has to telephone. */
export type UnreachedView = z.infer<typeof unreachedSchema>;

/** All of them, and the same as a list to print. */
export const unreachedListSchema = z
  .object({ items: z.array(unreachedSchema), next: z.null(), print: z.string() })
  .meta({ id: 'UnreachedList' });
/** All of them, and the same as a list to print. */
export type UnreachedList = z.infer<typeof unreachedListSchema>;

/** One vendor today: what it can tell, what it did, whether it stands behind the others. */
export const vendorViewSchema = z
  .object({
    vendor: z.enum(VENDORS),
    channel: channelSchema,
    configured: z.boolean().describe('The district has an account with it.'),
    putOff: z.boolean().describe('Three bad signals in ten minutes: the others of its channel go first.'),
    backAt: isoSchema
      .optional()
      .describe('When it is called first again, if nothing more goes wrong. Absent unless it is put off.'),
    tells: z
      .object({ accepted: z.boolean(), delivered: z.boolean(), read: z.boolean(), action: z.boolean() })
      .describe('What it cannot tell is not known: never shown as delivered.'),
    today: z.object({
      sent: z.int(),
      arrived: z.int().nullable().describe('Null where the vendor cannot tell.'),
      fast: z.int().nullable().describe('Within ten seconds.'),
      milli: z.int().describe('1/1000 CNY.'),
      passed: z
        .int()
        .describe('Brought by another one because this one was put off or its budget was spent.'),
      low: z
        .array(id)
        .describe(
          'Members who had less than a fifth of what it takes for them left: chatter goes another way.',
        ),
    }),
  })
  .meta({ id: 'Vendor' });
/** One vendor today. */
export type VendorView = z.infer<typeof vendorViewSchema>;

/** All vendors, and what the day has cost so far. */
export const vendorListSchema = z
  .object({
    items: z.array(vendorViewSchema),
    next: z.null(),
    milli: z.int().describe('The day so far, 1/1000 CNY; days of the district.'),
    softCap: z.int().describe('Above it what is only good to know is not sent.'),
  })
  .meta({ id: 'VendorList' });
/** All vendors, and what the day has cost so far. */
export type VendorList = z.infer<typeof vendorListSchema>;

/** Answer to a report. */
export const receivedSchema = z
  .object({ incidentId: id, duplicate: z.boolean().describe('The call number was known.') })
  .meta({ id: 'Received', examples: [{ incidentId: '01JQ8Z6V5N4K3H2G1F0E9D8C7B', duplicate: false }] });

/** Answer to a heartbeat. */
export const beatSchema = z.object({ now: isoSchema }).meta({ id: 'Beat' });

/** Body of `GET /api/health`. */
export const healthSchema = z
  .object({
    ok: z.boolean(),
    now: isoSchema.describe('Our clock. A sender to a sped-up system signs with it.'),
    district: z.string(),
    feeder: z.object({
      lastBeat: isoSchema.nullable().describe('Null until the first heartbeat.'),
      silent: z.boolean().describe('Three heartbeats missed; never true before the first.'),
    }),
    unknownCodes: z
      .int()
      .describe('Different category codes of 110 that no table knows, at most 100; see /api/codes.'),
    version: z.string(),
  })
  .meta({ id: 'Health' });

/** A page of a list, newest first. `next` goes into `before`; null on the last page. */
export const pageOf = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), next: z.string().nullable() });
