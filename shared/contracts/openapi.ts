import * as z from 'zod';
import { actionSchema } from './action.ts';
import { relayedAnswerSchema, relayedSchema } from './back-to-110.ts';
import { errorBodySchema, type ErrorCode } from './errors.ts';
import { pushDeviceViewSchema, pushRegistrationSchema, pushViewSchema, subscriptionSchema } from './push.ts';
import { API_VERSION, listQuerySchema, pageQuerySchema } from './queries.ts';
import { reportSchema } from './report.ts';
import { API_ROUTES, type ApiPath } from './routes.ts';
import { linkStateSchema, openedSchema, sessionRequestSchema } from './session.ts';
import {
  actionBodySchema,
  beatSchema,
  drillViewSchema,
  healthSchema,
  incidentBodySchema,
  incidentSummarySchema,
  pageOf,
  receivedSchema,
  rejectedSchema,
  rosterEntrySchema,
  unknownCodeSchema,
  unreachedListSchema,
  vendorListSchema,
} from './views.ts';

type Json = Record<string, unknown>;

/** Every schema of the document, by its name under `components`. */
const SCHEMAS = {
  Report: reportSchema,
  Received: receivedSchema,
  Beat: beatSchema,
  Action: actionSchema,
  ActionBody: actionBodySchema,
  IncidentBody: incidentBodySchema,
  IncidentPage: pageOf(incidentSummarySchema),
  RosterPage: pageOf(rosterEntrySchema),
  RejectedPage: pageOf(rejectedSchema),
  CodePage: pageOf(unknownCodeSchema),
  Drill: drillViewSchema,
  Relayed: relayedSchema,
  RelayedAnswer: relayedAnswerSchema,
  UnreachedList: unreachedListSchema,
  VendorList: vendorListSchema,
  Health: healthSchema,
  SessionRequest: sessionRequestSchema,
  Opened: openedSchema,
  LinkState: linkStateSchema,
  Push: pushViewSchema,
  PushDevice: pushDeviceViewSchema,
  PushRegistration: pushRegistrationSchema,
  PushSubscription: subscriptionSchema,
  Error: errorBodySchema,
} as const;

const ref = (name: keyof typeof SCHEMAS): Json => ({ $ref: `#/components/schemas/${name}` });
const json = (schema: Json): Json => ({ 'application/json': { schema } });
const answer = (description: string, name: keyof typeof SCHEMAS): Json => ({
  description,
  content: json(ref(name)),
});

/** Errors by status, each with the codes that it can carry. */
const ERRORS: Record<number, { description: string; codes: ErrorCode[] }> = {
  400: {
    description: 'Something in the request is wrong; `details` names each field.',
    codes: ['invalid', 'not_json'],
  },
  401: {
    description: 'Not known who is there: no, a wrong or an old signature or token.',
    codes: ['signature_missing', 'signature_wrong', 'signature_stale', 'unauthorized', 'token_expired'],
  },
  403: { description: "Somebody else's incident, or an action of the desk.", codes: ['forbidden'] },
  404: { description: 'No such incident or address.', codes: ['not_found'] },
  405: { description: 'The address exists, but not for this method.', codes: ['method_not_allowed'] },
  409: { description: 'Impossible in the present state; the sentence says why.', codes: ['impossible'] },
  413: { description: 'More than 65,536 raw bytes.', codes: ['too_large'] },
  500: { description: 'A defect of ours; logged.', codes: ['defect'] },
  503: { description: 'Overloaded for a moment; try again.', codes: ['busy'] },
};

const errors = (...statuses: (keyof typeof ERRORS)[]): Json =>
  Object.fromEntries(
    [...statuses, 500].map((status) => [
      String(status),
      {
        description: `${ERRORS[status]?.description ?? ''} Codes: ${ERRORS[status]?.codes.join(', ') ?? ''}.`,
        content: json(ref('Error')),
      },
    ]),
  );

const BEARER = [{ bearer: [] }];
const SIGNED = [{ webhookId: [], webhookTimestamp: [], webhookSignature: [] }];

const inPath = (name: string, description: string): Json => ({
  name,
  in: 'path',
  required: true,
  description,
  schema: { type: 'string' },
});

/** Query parameters of an object schema. */
const inQuery = (schema: z.ZodObject): Json[] => {
  const { properties = {} } = z.toJSONSchema(schema, { io: 'input' });
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: 'query',
    required: false,
    ...(typeof property === 'object' && property.description ? { description: property.description } : {}),
    schema: property,
  }));
};

const OPERATIONS: Record<ApiPath, Json> = {
  '/webhooks/110': {
    operationId: 'takeReport',
    summary: 'A report of the 110 centre',
    description:
      'Standard Webhooks signature over the raw body (webhook-id, webhook-timestamp within 5 minutes, webhook-signature v1). Answered only after the commit. A signed message answered 400 or 413 is kept for the desk.',
    security: SIGNED,
    requestBody: { required: true, content: json(ref('Report')) },
    responses: {
      202: answer('A new incident, committed.', 'Received'),
      200: answer('The call number was known; other content was added to its incident.', 'Received'),
      ...errors(400, 401, 413),
    },
  },
  '/webhooks/110/heartbeat': {
    operationId: 'takeBeat',
    summary: "The 110 centre's sign of life",
    description:
      'Every 60 s, signed like a report; after three missed ones an alarm rings. The body does not matter.',
    security: SIGNED,
    responses: { 200: answer('Heard.', 'Beat'), ...errors(401, 413) },
  },
  '/receipts/{vendor}/{token}': {
    operationId: 'takeReceipts',
    summary: 'Delivery receipts of a vendor',
    description:
      'In the format of the vendor; the answer is what the vendor asks for. Unknown receipts are counted.',
    security: [],
    parameters: [
      inPath('vendor', 'Name of the vendor, for example `aliyun-sms`.'),
      inPath('token', "Unguessable; from the district's secret."),
    ],
    requestBody: { required: true, content: json({ type: 'array', items: { type: 'object' } }) },
    responses: {
      200: {
        description: "The vendor's acknowledgement.",
        content: json({ type: 'object', examples: [{ code: 0, msg: '接收成功' }] }),
      },
      ...errors(404),
    },
  },
  '/t/{token}': {
    operationId: 'showLink',
    summary: 'Where a link in a notice leads',
    description:
      'Changes nothing: programs that look at messages open every link in them. Whoever asks for `text/html` gets the page that does the rest.',
    security: [],
    parameters: [inPath('token', 'Eleven letters or digits, as in the notice.')],
    responses: {
      200: {
        description: 'The link is alive.',
        content: { ...json(ref('LinkState')), 'text/html': { schema: { type: 'string' } } },
      },
      ...errors(404),
    },
  },
  '/t/{token}/session': {
    operationId: 'openLink',
    summary: 'Exchanges a link for a session',
    description:
      'One incident, one device. The first device gets its session at once; another is answered 401, a code is sent to the member, and it asks again with the code. The link of a drill is answered by this.',
    security: [],
    parameters: [inPath('token', 'Eleven letters or digits, as in the notice.')],
    requestBody: { required: true, content: json(ref('SessionRequest')) },
    responses: {
      200: answer('The session, or that the drill is answered.', 'Opened'),
      ...errors(400, 401, 403, 404, 413, 503),
    },
  },
  '/api/incidents': {
    operationId: 'listIncidents',
    summary: 'Incidents, newest first',
    description: 'A member sees only those he was asked on or told of.',
    security: BEARER,
    parameters: inQuery(listQuerySchema),
    responses: { 200: answer('A page.', 'IncidentPage'), ...errors(400, 401, 403) },
  },
  '/api/incidents/{id}': {
    operationId: 'showIncident',
    summary: 'One incident with its trail and its plan',
    description: 'Callers are masked until the viewer has accepted, or the desk revealed them with a reason.',
    security: BEARER,
    parameters: [inPath('id', 'Id of the incident.')],
    responses: {
      200: answer('The incident as this viewer may see it.', 'IncidentBody'),
      ...errors(401, 403, 404),
    },
  },
  '/api/incidents/{id}/actions': {
    operationId: 'act',
    summary: 'What a person does',
    description:
      'A repeat is harmless: 200 and nothing changes. `accept` adds `role` and `lead` to the answer. An optional Idempotency-Key makes any request repeatable.',
    security: BEARER,
    parameters: [
      inPath('id', 'Id of the incident.'),
      { name: 'Idempotency-Key', in: 'header', required: false, schema: { type: 'string', maxLength: 128 } },
    ],
    requestBody: { required: true, content: json(ref('Action')) },
    responses: {
      200: answer('Done, or done before.', 'ActionBody'),
      ...errors(400, 401, 403, 404, 409, 413),
    },
  },
  '/api/roster': {
    operationId: 'showRoster',
    summary: 'The roster',
    description: 'All of it with phones for the desk; names and roles of the own squad for a member.',
    security: BEARER,
    responses: { 200: answer('The roster.', 'RosterPage'), ...errors(401) },
  },
  '/api/rejected': {
    operationId: 'listRejected',
    summary: 'Signed messages of 110 that could not be taken',
    description: 'Desk only, newest first.',
    security: BEARER,
    parameters: inQuery(pageQuerySchema),
    responses: { 200: answer('A page.', 'RejectedPage'), ...errors(400, 401, 403) },
  },
  '/api/codes': {
    operationId: 'listCodes',
    summary: 'Category codes of 110 that stand in no table',
    description: "Desk only, the latest first. A code is added in codes.json or the district's policy.",
    security: BEARER,
    responses: { 200: answer('All of them, at most 100.', 'CodePage'), ...errors(401, 403) },
  },
  '/api/unreached': {
    operationId: 'listUnreached',
    summary: 'Who has to act and is reached by no vendor, with numbers to telephone',
    description:
      'Desk only. `print` is the same as a list to print; whoever asks for `text/html` gets it as a page for the printer.',
    security: BEARER,
    responses: {
      200: {
        description: 'The list, oldest first.',
        content: { ...json(ref('UnreachedList')), 'text/html': { schema: { type: 'string' } } },
      },
      ...errors(401, 403),
    },
  },
  '/api/drill': {
    operationId: 'showDrill',
    summary: 'The latest reachability drill, person by person',
    description: 'Desk only. While its window is open whoever has not answered is `waiting`.',
    security: BEARER,
    responses: { 200: answer('The drill.', 'Drill'), ...errors(401, 403, 404) },
  },
  '/api/drill/answer': {
    operationId: 'answerDrill',
    summary: 'A member says that the drill has reached him',
    description: 'A repeat is harmless. By text `1` does the same, and by telephone the key 1.',
    security: BEARER,
    responses: { 200: { description: 'Written down.' }, ...errors(401, 409) },
  },
  '/api/push': {
    operationId: 'showPush',
    summary: 'How this person is reached by pushes: the key to subscribe with, and his own devices',
    security: BEARER,
    responses: {
      200: answer('Never anybody else’s devices, and no addresses.', 'Push'),
      ...errors(401, 403),
    },
  },
  '/api/push/devices': {
    operationId: 'registerDevice',
    summary: 'Registers the device that this request comes from, for pushes',
    description:
      'A browser or an app. A repeat is harmless, and keeps it for another 180 days: a page registers whenever it is opened. At most five devices; the oldest makes room. A device whose service says that it is gone is taken out.',
    security: BEARER,
    requestBody: { required: true, content: json(ref('PushRegistration')) },
    responses: { 200: answer('Registered.', 'PushDevice'), ...errors(400, 401, 403, 409, 413) },
  },
  '/api/push/devices/{id}': {
    operationId: 'removeDevice',
    summary: 'Takes one of his own devices out',
    description: 'Also when he signs out of a device that others use.',
    security: BEARER,
    parameters: [inPath('id', 'Id of the device.')],
    responses: { 200: { description: 'It gets nothing any more.' }, ...errors(401, 403, 404) },
  },
  '/api/vendors': {
    operationId: 'listVendors',
    summary: 'Who brings notices today, how well, and what it costs',
    description: 'Desk only.',
    security: BEARER,
    responses: { 200: answer('Every vendor of the table.', 'VendorList'), ...errors(401, 403) },
  },
  '/api/health': {
    operationId: 'showHealth',
    summary: 'Are we well, and what time is it here',
    security: [],
    responses: { 200: answer('Well.', 'Health'), ...errors() },
  },
  '/openapi.json': {
    operationId: 'showOpenApi',
    summary: 'This document',
    security: [],
    responses: {
      200: { description: 'OpenAPI 3.1.', content: json({ type: 'object' }) },
      ...errors(),
    },
  },
};

/** What we send; nobody can ask for it. */
const WEBHOOKS: Json = {
  incident: {
    post: {
      operationId: 'takeRelayed',
      summary: 'To the 110 centre of a district that reports back: returns and results',
      description:
        'Standard Webhooks signature. `webhook-id` is the same for every try. A return is tried again after 1, 2, 5, 5, 10 s, then every 15 s until it is acknowledged or handed back by telephone; a result by the schedule of the specification.',
      security: SIGNED,
      requestBody: { required: true, content: json(ref('Relayed')) },
      responses: { 200: answer('Acknowledged. Any other answer is tried again.', 'RelayedAnswer') },
    },
  },
};

const documentSchema = z.record(z.string(), z.unknown());

/** Components from the schemas: what has an id of its own becomes a component too. */
const components = (): Json => {
  const schemas: Json = {};
  for (const [name, schema] of Object.entries(SCHEMAS)) {
    const { $schema: _, $defs = {}, ...root } = z.toJSONSchema(schema, { io: 'input' });
    // A schema with an id stands under its own name among the definitions, and the root only points to it.
    for (const [id, { id: _id, ...rest }] of Object.entries({ [name]: root, ...$defs })) schemas[id] = rest;
  }
  return documentSchema.parse(
    JSON.parse(JSON.stringify(schemas).replaceAll('#/$defs/', '#/components/schemas/')),
  );
};

const inHeader = (name: string, description: string): Json => ({
  type: 'apiKey',
  in: 'header',
  name,
  description,
});

/** The whole API as an OpenAPI 3.1 document, made from the schemas that the doors parse with. */
export const openApiDocument = (): Json => {
  const paths: Record<string, Json> = {};
  for (const { method, path } of API_ROUTES)
    paths[path] = { ...paths[path], [method.toLowerCase()]: OPERATIONS[path] };
  return {
    openapi: '3.1.0',
    info: {
      title: 'Xiaonao 小脑',
      version: API_VERSION,
      description:
        "Incidents that are not police work: from the 110 centre to a person moving, a ladder watched, a closed incident. Times are ISO 8601 in UTC with milliseconds. Every error of ours has one shape; 429, 503 and oversized requests refused by the gateway itself keep the gateway's.",
    },
    servers: [{ url: '/' }],
    paths,
    webhooks: WEBHOOKS,
    components: {
      schemas: components(),
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'ES256; subject is the member or the desk, audience the district.',
        },
        webhookId: inHeader('webhook-id', 'Unique id of the message.'),
        webhookTimestamp: inHeader('webhook-timestamp', 'Seconds since 1970, within 5 minutes of our clock.'),
        webhookSignature: inHeader(
          'webhook-signature',
          'Space-separated `v1,<base64>`: HMAC-SHA256 of `id.timestamp.body`.',
        ),
      },
    },
  };
};
