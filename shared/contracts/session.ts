import * as z from 'zod';

/** Body of `POST /t/{token}/session`. */
export const sessionRequestSchema = z
  .object(
    {
      device: z
        .string('必填')
        .regex(/^[\w-]{22,64}$/, '应为 22 到 64 个字母、数字、连字符或下划线')
        .describe(
          'A secret that this device made for itself by chance, and sends as X-Device with every request.',
        ),
      pin: z
        .string('应为文字')
        .regex(/^\d{6}$/, '应为六位数字')
        .optional()
        .describe('The code that was sent to the member, when the link was opened on another device before.'),
    },
    '应为一个 JSON 对象',
  )
  .meta({ id: 'SessionRequest', examples: [{ device: 'c29tZS1yYW5kb20tYnl0ZXM' }] });

/** What a link is exchanged for: a bearer token for one incident on one device. */
export const sessionSchema = z
  .object({ token: z.string(), incidentId: z.string(), member: z.string(), hours: z.number() })
  .meta({ id: 'Session' });
/** What a link is exchanged for. */
export type SessionView = z.infer<typeof sessionSchema>;

/** What the link of a drill is exchanged for: nothing is left to be done. */
export const drillAnsweredSchema = z.object({ answered: z.literal(true) }).meta({ id: 'DrillAnswered' });

/** Answer to `POST /t/{token}/session`. */
export const openedSchema = z.union([sessionSchema, drillAnsweredSchema]).meta({ id: 'Opened' });
/** Answer to `POST /t/{token}/session`. */
export type OpenedView = z.infer<typeof openedSchema>;

/** What a link tells before it is exchanged. */
export const linkStateSchema = z
  .object({
    number: z
      .string()
      .describe(
        'What the text called it: its short number, of a secret matter the time of asking; of a drill its name.',
      ),
    needsPin: z.boolean().describe('Opened on some device already: another one is asked for a code.'),
    drill: z.literal(true).optional().describe('A reachability drill: the exchange itself is the answer.'),
  })
  .meta({ id: 'LinkState' });
/** What a link tells before it is exchanged. */
export type LinkState = z.infer<typeof linkStateSchema>;
