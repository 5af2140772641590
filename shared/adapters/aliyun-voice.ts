import { createHash } from 'node:crypto';
import * as z from 'zod';
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

/** An account with Aliyun's voice service. */
export type AliyunVoiceKey = AliyunKey & {
  /** The bought number that the person called sees. */
  showNumber: string;
  /** Codes of the texts that are spoken after key 1 (I come) and key 2 (I cannot). */
  keyCodes?: { accept: string; decline: string } | undefined;
  /** Code of the text that is spoken at the end. */
  byeCode?: string | undefined;
};

/** What the adapter is built from. */
export type AliyunVoiceOptions = {
  /** `https://dyvmsapi.aliyuncs.com` in service. */
  endpoint: string;
  /** Asked before every call, so that a rotated key is taken up without a restart. */
  key: () => Promise<AliyunVoiceKey>;
  clock: Clock;
  ids: Pick<Ids, 'nonce'>;
  /** Milliseconds for one `send` and for one `ask`, in real time. */
  timeoutMs?: number;
};

const VERSION = '2017-05-25';
const PLATFORM = '语音平台';
/** Product «voice IVR» of QueryCallDetailByCallId. */
const IVR = '11000000300005';
/** Said three times; a key counts at any time of it. */
const PLAY_TIMES = '3';
/** Milliseconds in which a key may still be pressed after the last word. */
const KEY_MS = '10000';

const calledSchema = z.object({ Code: z.literal('OK'), CallId: z.string().min(1) });
const detailSchema = z.object({ Code: z.literal('OK'), Data: z.string().optional() });
const callSchema = z.object({ state: z.coerce.string(), duration: z.coerce.number().nonnegative() });

/** The name of an attempt at the vendor. The parameter holds 15 bytes and our ids are longer: enough to find a call in the vendor's console, not to match it by. */
export const outIdOf = (attemptId: string): string =>
  createHash('sha256').update(attemptId).digest('base64url').slice(0, 15);

/**
 * Calls with keys by Aliyun's voice service (Dyvms 2017-05-25: IvrCall, QueryCallDetailByCallId). Not idempotent. A call is asked
 * about by its CallId only, three to five minutes after its end; without one nobody can tell, and `ask` says `cannot`.
 * The template's code is that of a spoken text (TTS_…); what is spoken has no names.
 */
export const aliyunVoice = (options: AliyunVoiceOptions): Sender => {
  const timeoutMs = options.timeoutMs ?? 3_000;
  const call = aliyunCaller(options, VERSION);

  const send = async ({ attemptId, to, message }: SendRequest): Promise<SendResult> => {
    // Outside the try: a secret that cannot be read is a defect of ours, not an answer of the vendor's.
    const key = await options.key();
    let reply: Reply;
    try {
      reply = await call(
        key,
        'IvrCall',
        {
          CalledShowNumber: key.showNumber,
          CalledNumber: to,
          StartCode: message.template.code,
          StartTtsParams: JSON.stringify(message.template.params),
          PlayTimes: PLAY_TIMES,
          Timeout: KEY_MS,
          'MenuKeyMap.1.Key': '1',
          'MenuKeyMap.2.Key': '2',
          ...(key.keyCodes && {
            'MenuKeyMap.1.Code': key.keyCodes.accept,
            'MenuKeyMap.2.Code': key.keyCodes.decline,
          }),
          ...(key.byeCode === undefined ? {} : { ByeCode: key.byeCode }),
          OutId: outIdOf(attemptId),
        },
        AbortSignal.timeout(timeoutMs),
      );
    } catch (error) {
      return withoutAnswer(error, PLATFORM);
    }
    const called = calledSchema.safeParse(jsonOf(reply.text));
    return called.success ? { kind: 'accepted', vendorId: called.data.CallId } : notAccepted(reply, PLATFORM);
  };

  const ask = async ({ sentAt, vendorId }: AskRequest): Promise<AskResult> => {
    if (vendorId === undefined) return { kind: 'cannot' };
    const key = await options.key();
    try {
      const { text } = await call(
        key,
        'QueryCallDetailByCallId',
        { CallId: vendorId, ProdId: IVR, QueryDate: `${sentAt.getTime()}` },
        AbortSignal.timeout(timeoutMs),
      );
      const detail = detailSchema.safeParse(jsonOf(text));
      if (!detail.success) return { kind: 'no-answer' };
      const said = callSchema.safeParse(jsonOf(detail.data.Data ?? ''));
      // Not filed yet: it rings, is spoken, or has just ended.
      if (!said.success) return { kind: 'known', state: 'waiting' };
      const { state, duration } = said.data;
      return { kind: 'known', state: duration > 0 ? 'delivered' : 'failed', code: state };
    } catch {
      return { kind: 'no-answer' };
    }
  };

  return { send, ask };
};

/** The same key of the same call counts once, whichever report tells it first. */
const keysPressed = (callId: string, dtmf: string, from: string, at: Date): Inbound => ({
  kind: 'reply',
  messageId: `${callId}:${dtmf}`,
  from,
  text: dtmf,
  at,
  vendorId: callId,
});

/** VoiceReport: a call has ended. Somebody, or a machine, answered if it lasted; only a key says that it was a person. */
const endSchema = z
  .object({
    call_id: z.string().min(1),
    callee: z.string().default(''),
    status_code: z.coerce.string(),
    duration: z.coerce.number().nonnegative().default(0),
    end_time: z.string().default(''),
    originate_time: z.string().default(''),
    dtmf: z.string().default(''),
  })
  .transform((r): Inbound[] => {
    const time = chinaTimeSchema.safeParse(r.end_time === '' ? r.originate_time : r.end_time);
    const at = time.success ? chinaTime(time.data) : undefined;
    return [
      {
        kind: 'receipt',
        vendorId: r.call_id,
        state: r.duration > 0 || r.dtmf !== '' ? 'delivered' : 'failed',
        code: r.status_code,
      },
      ...(r.dtmf === '' || !at ? [] : [keysPressed(r.call_id, r.dtmf, r.callee, at)]),
    ];
  });

const PICKED_UP = '200102';
const KEY_PRESSED = '300000';

/** VoiceCallReport: a call is under way. */
const stageSchema = z
  .object({
    call_id: z.string().min(1),
    status_code: z.coerce.string(),
    status_time: chinaTimeSchema,
    dtmf: z.string().default(''),
  })
  .transform((r): Inbound[] => {
    if (r.status_code === PICKED_UP)
      return [{ kind: 'receipt', vendorId: r.call_id, state: 'delivered', code: r.status_code }];
    return r.status_code === KEY_PRESSED && r.dtmf !== ''
      ? [keysPressed(r.call_id, r.dtmf, '', chinaTime(r.status_time))]
      : [];
  });

/**
 * Reads what Aliyun posts about calls (VoiceReport at the end, VoiceCallReport in between): JSON arrays, told apart by their fields. The
 * vendor waits 700 ms for the acknowledgement and comes again after one, five and ten minutes.
 */
export const aliyunVoiceCallback: Callback = {
  parse: (body, onUnreadable) =>
    readEntries(
      arrayIn(body),
      (entry) =>
        typeof entry === 'object' && entry !== null && 'status_time' in entry ? stageSchema : endSchema,
      onUnreadable,
    ),
  ack: { code: 0, msg: '接收成功' },
};
