import * as z from 'zod';

/** Base64 of at least so many bytes. */
const base64 = (bytes: number) =>
  z
    .string()
    .regex(/^[A-Za-z0-9+/]+={0,2}$/, 'base64')
    .refine((text) => Buffer.from(text, 'base64').length >= bytes, `at least ${bytes} bytes`);

/** An AES-256 key: base64 of exactly 32 bytes. */
const dataKey = base64(32).refine((text) => Buffer.from(text, 'base64').length === 32, 'exactly 32 bytes');

/** A key of Standard Webhooks: `whsec_` and base64 of 24–64 bytes. */
const WEBHOOK_KEY = 'a webhook key is whsec_ and base64 of 24 to 64 bytes';
const webhookKey = z.templateLiteral(['whsec_', z.string()], WEBHOOK_KEY).refine((key) => {
  const bytes = Buffer.from(key.slice('whsec_'.length), 'base64').length;
  return bytes >= 24 && bytes <= 64;
}, WEBHOOK_KEY);

const publicJwk = z.object({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string(),
  y: z.string(),
  kid: z.string().min(1),
});

/** An account's name at a vendor, its number, its key. */
const word = z.string().min(1).max(400);

/**
 * Accounts with those who are called from here: the vendors who bring notices, and 110. One section each; a vendor without a section is
 * not configured and is skipped. Only Aliyun's texts are never left out: no district starts without one sure channel.
 */
export const ACCOUNT_SECTIONS = {
  aliyunSms: z.object({ accessKeyId: word, accessKeySecret: word, signName: word }),
  /** `extensions`: their support has switched on that texts bear an ExtendCode of ours. */
  tencentSms: z.object({
    secretId: word,
    secretKey: word,
    sdkAppId: z.string().regex(/^\d+$/),
    extensions: z.boolean().optional(),
  }),
  /** `showNumber`: the bought number that is shown to the person called; the codes are of the texts spoken after a key and at the end. */
  aliyunVoice: z.object({
    accessKeyId: word,
    accessKeySecret: word,
    showNumber: z.string().regex(/^\d{5,20}$/),
    keyCodes: z.object({ accept: word, decline: word }).optional(),
    byeCode: word.optional(),
  }),
  /** No key: the function's own role signs. Not in the China partition, which has no texts over SNS. */
  sns: z.object({ region: z.string().regex(/^(?!cn-)[a-z]{2}(-[a-z]+)+-\d$/), senderId: word.optional() }),
  /** Signs what is posted to members' own systems. */
  webhook: z.object({ keys: z.array(webhookKey).min(1) }),
  /** Signs what is reported back to the 110 centre; the next key stands beside the current one while they are rotated. */
  centre110: z.object({ keys: z.array(webhookKey).min(1) }),
  wecom: z.object({ corpId: word, agentId: z.int().positive(), secret: word }),
  dingtalk: z.object({ appKey: word, appSecret: word, agentId: z.int().positive() }),
  jpush: z.object({ appKey: word, masterSecret: word }),
  /** VAPID; `subject`: mailto: or https: of whoever answers for the pushes. */
  webpush: z.object({ publicKey: word, privateKey: word, subject: z.url() }),
};

/** Parses the name of such a section. */
export const accountSectionSchema = z.keyof(z.object(ACCOUNT_SECTIONS));
/** The name of such a section. */
export type AccountSection = z.infer<typeof accountSectionSchema>;

/**
 * What one district keeps secret: one JSON document in Secrets Manager (rules §5). Rotation without downtime: a list
 * holds the current key first and the next one beside it, so that both sides can change at their own time.
 */
export const districtSecretSchema = z.object({
  /** Current, and while rotating the next; a webhook signed with either is taken. */
  webhookKeys: z.array(webhookKey).min(1),
  jwt: z.object({
    /** The key that signs; the others only verify, until their last token has expired. */
    kid: z.string().min(1),
    privateJwk: publicJwk.omit({ kid: true }).extend({ d: z.string() }),
    publicJwks: z.array(publicJwk).nonempty(),
  }),
  ...z.object(ACCOUNT_SECTIONS).partial().shape,
  aliyunSms: ACCOUNT_SECTIONS.aliyunSms,
  /** Of the service that gives a second opinion; absent where none is asked. */
  secondOpinion: z.object({ apiKey: z.string().min(1) }).optional(),
  /** The last part of the path that vendors post their receipts to. */
  receiptToken: z.string().regex(/^[\w-]{22,128}$/, 'at least 22 letters, digits, hyphens or underscores'),
  /** AES-256 keys by id; erasing one makes what it sealed unreadable for good. */
  dataKeys: z
    .object({ current: z.string().min(1), keys: z.record(z.string(), dataKey) })
    .refine((keys) => keys.keys[keys.current] !== undefined, 'the current data key is among the keys'),
  /** Of the keyed hashes under which persons and addresses are found again. */
  pepper: base64(16),
});
/** What one district keeps secret. */
export type DistrictSecret = z.infer<typeof districtSecretSchema>;
