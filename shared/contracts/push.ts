import * as z from 'zod';
import { DEVICE_VENDORS, MOST_PUSH_DEVICES, type PushDevice } from '../domain/push-device.ts';
import { iso, isoSchema } from './time.ts';

/** Base64url of exactly so many bytes, as browsers write their keys. */
const key = (bytes: number) =>
  z
    .string('必填')
    .regex(/^[\w-]+={0,2}$/, '应为 base64url')
    .refine((text) => Buffer.from(text, 'base64url').length === bytes, `应为 ${bytes} 个字节`);

/** A `PushSubscription` as `toJSON()` of the browser gives it; what else it says is not kept. */
export const subscriptionSchema = z
  .object(
    {
      endpoint: z
        .string('必填')
        .max(1_000, '最多 1000 个字符')
        .describe('Of the push service of a browser (Google, Mozilla, Apple, Microsoft).'),
      keys: z.object(
        {
          p256dh: key(65).describe("The browser's public key: a point of P-256, uncompressed, base64url."),
          auth: key(16).describe('The secret that it shares with us, base64url.'),
        },
        '必填',
      ),
    },
    '应为浏览器 PushSubscription.toJSON() 给出的对象',
  )
  .meta({ id: 'PushSubscription' });
/** A browser's subscription. */
export type Subscription = z.infer<typeof subscriptionSchema>;

/** Body of `POST /api/push/devices`: a browser, or an app. */
export const pushRegistrationSchema = z
  .object(
    {
      webpush: subscriptionSchema.optional(),
      jpush: z
        .string('应为文字')
        .regex(/^[\w-]{8,64}$/, '应为极光推送的 Registration ID')
        .optional()
        .describe('The registration id that JPush gave to the app on this device.'),
    },
    '应为一个 JSON 对象',
  )
  .refine(({ webpush, jpush }) => (webpush === undefined) !== (jpush === undefined), {
    message: 'webpush 和 jpush 应填其中一项',
    path: ['webpush'],
  })
  .meta({ id: 'PushRegistration', examples: [{ jpush: '18071adc030sample01' }] });

/** A registered device, as its owner sees it. Its address is never told again. */
export const pushDeviceViewSchema = z
  .object({ id: z.string(), vendor: z.enum(DEVICE_VENDORS), registeredAt: isoSchema })
  .meta({ id: 'PushDevice' });
/** A registered device, as its owner sees it. */
export type PushDeviceView = z.infer<typeof pushDeviceViewSchema>;

/** Body of `GET /api/push`. */
export const pushViewSchema = z
  .object({
    publicKey: z
      .string()
      .nullable()
      .describe('`applicationServerKey` for `pushManager.subscribe`; null: no browser can be reached here.'),
    devices: z.array(pushDeviceViewSchema).max(MOST_PUSH_DEVICES),
  })
  .meta({ id: 'Push' });
/** Body of `GET /api/push`. */
export type PushView = z.infer<typeof pushViewSchema>;

/** Shows a device to its owner. */
export const pushDeviceView = ({ id, vendor, at }: PushDevice): PushDeviceView => ({
  id,
  vendor,
  registeredAt: iso(at),
});
