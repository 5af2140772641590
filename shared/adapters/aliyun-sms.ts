import * as z from 'zod';
import { districtDay } from '#shared/domain/roster.ts';
import type { Clock } from '#shared/ports/clock.ts';
import type { Ids } from '#shared/ports/ids.ts';
import type {
  AskRequest,
  AskResult,
  Callback,
  Inbound,
  Sender,
  SendRequest,
  SendResult,
} from '#shared/ports/sender.ts';
import { aliyunCaller, type AliyunKey } from './aliyun-call.ts';
import { notAccepted } from './aliyun-errors.ts';
import { arrayIn, chinaTime, chinaTimeSchema, readEntries } from './posted-entries.ts';
import { jsonOf, withoutAnswer, type Reply } from './vendor-call.ts';

/** What the adapter is built from. */
export type AliyunSmsOptions = {
  /** `https://dysmsapi.aliyuncs.com` in service. A path is allowed: it is called but, as in every RPC-style API, not signed. */
  endpoint: string;
  /** Asked before every call, so that a rotated key is taken up without a restart. */
  key: () => Promise<AliyunKey>;
  clock: Clock;
  ids: Pick<Ids, 'nonce'>;
  /** Milliseconds for one `send` and for one whole `ask`, in real time. */
  timeoutMs?: number;
};

const VERSION = '2017-05-25';
const PLATFORM = '短信平台';
const PAGE = 50;
/** A number gets ≤ 50 texts a day for each template: more pages than this are not a day's record any more. */
const PAGES = 20;
const DAY_MS = 86_400_000;

const sentSchema = z.object({ Code: z.literal('OK'), BizId: z.string().min(1) });
const detailsSchema = z.object({
  Code: z.literal('OK'),
  TotalCount: z.coerce.number().nonnegative(),
  SmsSendDetailDTOs: z
    .object({
      SmsSendDetailDTO: z
        .array(
          z.object({
            OutId: z.string().optional(),
            /** 1 waiting for the carrier's receipt · 2 failed · 3 delivered. */
            SendStatus: z.coerce.number(),
            ErrCode: z.string().optional(),
          }),
        )
        .default([]),
    })
    .default({ SmsSendDetailDTO: [] }),
});

/** The vendor files by Chinese calendar day, yyyyMMdd. */
const chineseDay = (at: Date) => districtDay(at.getTime()).replaceAll('-', '');

/**
 * Aliyun SMS (Dysms 2017-05-25: SendSms, QuerySendDetails), straight over fetch: their SDK would be heavier than the function.
 * Sends from mainland addresses only (isv.DENY_IP_RANGE elsewhere). Not idempotent: an `unknown` must be asked about. Bears no extension
 * of ours: the vendor makes one for each signature and takes no other («不支持自定义传入»), and a text that is refused for it is lost.
 */
export function aliyunSms(options: AliyunSmsOptions): Sender {
  const timeoutMs = options.timeoutMs ?? 3_000;
  const call = aliyunCaller(options, VERSION);

  async function send(request: SendRequest): Promise<SendResult> {
    // Outside the try: a secret that cannot be read is a defect of ours, not an answer of the vendor's.
    const key = await options.key();
    let reply: Reply;
    try {
      reply = await call(
        key,
        'SendSms',
        {
          PhoneNumbers: request.to,
          SignName: request.message.signName,
          TemplateCode: request.message.template.code,
          TemplateParam: JSON.stringify(request.message.template.params),
          OutId: request.attemptId,
        },
        AbortSignal.timeout(timeoutMs),
      );
    } catch (error) {
      return withoutAnswer(error, PLATFORM);
    }
    const sent = sentSchema.safeParse(jsonOf(reply.text));
    return sent.success ? { kind: 'accepted', vendorId: sent.data.BizId } : notAccepted(reply, PLATFORM);
  }

  async function ask({ attemptId, to, sentAt }: AskRequest): Promise<AskResult> {
    const key = await options.key();
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      // A call that hung over midnight is filed under the day on which the vendor took it.
      const days = new Set([chineseDay(sentAt)]);
      if (options.clock.now().getTime() - sentAt.getTime() < DAY_MS)
        days.add(chineseDay(options.clock.now()));
      for (const day of days) {
        for (let page = 1; page <= PAGES; page++) {
          const reply = await call(
            key,
            'QuerySendDetails',
            { PhoneNumber: to, SendDate: day, PageSize: `${PAGE}`, CurrentPage: `${page}` },
            signal,
          );
          const details = detailsSchema.safeParse(jsonOf(reply.text));
          if (!details.success) return { kind: 'no-answer' };
          const rows = details.data.SmsSendDetailDTOs.SmsSendDetailDTO;
          const row = rows.find((r) => r.OutId === attemptId);
          if (row) {
            const state = row.SendStatus === 3 ? 'delivered' : row.SendStatus === 2 ? 'failed' : 'waiting';
            return { kind: 'known', state, ...(row.ErrCode ? { code: row.ErrCode } : {}) };
          }
          if (rows.length === 0 || page * PAGE >= details.data.TotalCount) break;
        }
      }
      return { kind: 'no-record' };
    } catch {
      return { kind: 'no-answer' };
    }
  }

  return { send, ask };
}

const receiptSchema = z
  .object({
    biz_id: z.string(),
    out_id: z.string().optional(),
    success: z.boolean(),
    err_code: z.string().default(''),
  })
  .transform((r): Inbound => ({
    kind: 'receipt',
    vendorId: r.biz_id,
    ...(r.out_id ? { attemptId: r.out_id } : {}),
    state: r.success ? 'delivered' : 'failed',
    code: r.err_code,
  }));

const replySchema = z
  .object({
    phone_number: z.string().min(1),
    content: z.string(),
    send_time: chinaTimeSchema,
    /** The number behind dest_code is the vendor's own for this signature. */
    sign_name: z.string().default(''),
    sequence_id: z.coerce.string().min(1),
  })
  .transform((r): Inbound => ({
    kind: 'reply',
    messageId: r.sequence_id,
    from: r.phone_number,
    text: r.content,
    ...(r.sign_name === '' ? {} : { signature: r.sign_name }),
    at: chinaTime(r.send_time),
  }));

/**
 * Reads what Aliyun posts about texts (SmsReport: what became of ours; SmsUp: what people answered; «HTTP 批量推送»): JSON arrays, told
 * apart by their fields, so that both may go to one address. One unreadable entry does not take the others with it; it is handed on as
 * a sentence without the phone number. A body that is no array at all throws z.ZodError or SyntaxError.
 */
export const aliyunSmsCallback: Callback = {
  parse: (body, onUnreadable) =>
    readEntries(
      arrayIn(body),
      (entry) =>
        typeof entry === 'object' && entry !== null && 'content' in entry ? replySchema : receiptSchema,
      onUnreadable,
    ),
  /** Anything else and it sends the receipts again. */
  ack: { code: 0, msg: '接收成功' },
};
