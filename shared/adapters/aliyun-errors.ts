import * as z from 'zod';
import type { RefusalCause, SendResult } from '#shared/ports/sender.ts';
import { jsonOf, refusedBy, unreadable, type Reply } from './vendor-call.ts';

/**
 * Aliyun's answers to SendSms and IvrCall, sorted by who can put them right (help.aliyun.com «国内消息API错误码», 178344 «API错误码» of
 * the voice service, and the gateway's common codes).
 * Only `moment` passes by itself. Codes of the carrier's receipt are others and are not in this table.
 */
const ERRORS: Record<string, RefusalCause> = {
  'isp.SYSTEM_ERROR': 'moment',
  'isp.GATEWAY_ERROR': 'moment',
  'isp.UNKNOWN': 'moment',
  ServiceUnavailable: 'moment',
  InternalError: 'moment',
  // A used nonce or an old date belongs to this one call: the next attempt carries new ones.
  SignatureNonceUsed: 'moment',
  Throttling: 'moment',
  'Throttling.User': 'moment',
  'Throttling.Api': 'moment',

  'isv.MOBILE_NUMBER_ILLEGAL': 'number',
  'isv.PHONE_NUMBER_ILLEGAL': 'number',
  'isv.MOBILE_COUNT_OVER_LIMIT': 'number',
  'isv.DOMESTIC_NUMBER_NOT_SUPPORTED': 'number',
  'isv.BLACK_LIST': 'number',
  MOBILE_IN_BLACK: 'number',

  'isv.SMS_CONTENT_ILLEGAL': 'text',
  'isv.BLACK_KEY_CONTROL_LIMIT': 'text',
  'isv.TEMPLATE_PARAMS_ILLEGAL': 'text',
  'isv.TEMPLATE_MISSING_PARAMETERS': 'text',
  'isv.PARAM_LENGTH_LIMIT': 'text',
  'isv.PARAM_NOT_SUPPORT_URL': 'text',
  'isv.INVALID_JSON_PARAM': 'text',

  // Per number and template within 24 h: this channel is used up for this person, others are not.
  'isv.BUSINESS_LIMIT_CONTROL': 'limit',

  // Ceilings that the account's owner set in the console: nobody gets a text until they are raised.
  'isv.DAY_LIMIT_CONTROL': 'config',
  'isv.MONTH_LIMIT_CONTROL': 'config',
  'isv.SMS_SIGNATURE_ILLEGAL': 'config',
  'isv.SMS_SIGNATURE_SCENE_ILLEGAL': 'config',
  'isv.SMS_SIGN_ILLEGAL': 'config',
  'isv.SIGN_STATE_ILLEGAL': 'config',
  'isv.SIGN_NAME_ILLEGAL': 'config',
  'isv.SMS_TEMPLATE_ILLEGAL': 'config',
  'isv.TEMPLATE_STATE_ILLEGAL': 'config',
  'isv.INVALID_PARAMETERS': 'config',
  'isv.EXTEND_CODE_ERROR': 'config',
  'isv.DENY_IP_RANGE': 'config',
  'isv.PRODUCT_UN_SUBSCRIPT': 'config',
  'isv.PRODUCT_UNSUBSCRIBE': 'config',
  'isv.ACCOUNT_NOT_EXISTS': 'config',
  'isv.ACCOUNT_ABNORMAL': 'config',
  'isp.RAM_PERMISSION_DENY': 'config',
  SignatureDoesNotMatch: 'config',
  IncompleteSignature: 'config',
  'InvalidTimeStamp.Expired': 'config',
  'InvalidAccessKeyId.NotFound': 'config',
  'InvalidAccessKeyId.Inactive': 'config',
  Forbidden: 'config',
  'Forbidden.RAM': 'config',
  InvalidVersion: 'config',
  'InvalidAction.NotFound': 'config',
  MissingParameter: 'config',

  // Of calls.
  'isv.VOICE_CALL_FAIL': 'moment',
  'isv.COMPLAINT_REJECT': 'number',
  'isv.TTS_TEMPLATE_ILLEGAL': 'config',
  'isv.TEMPLATE_ILLEGAL': 'config',
  'isv.VOICE_FILE_ILLEGAL': 'config',
  'isv.DISPLAY_NUMBER_ILLEGAL': 'config',
  'isv.BILLID_NOT_EXIST': 'config',
  // The district's own ban on calls at certain hours, set in the console.
  'isv.VOICE_CALL_PERIOD_ERROR': 'config',

  'isv.OUT_OF_SERVICE': 'money',
  'isv.AMOUNT_NOT_ENOUGH': 'money',
  'isv.BILLING_DEDUCTION_ERROR': 'money',
};

/**
 * Sorts a refusal. Flow control says in its message how long it lasts («触发分钟级流控Permits:1», «触发天级流控Permits:50»):
 * only the one by the minute is worth another try. Codes not in the table: the vendor's own faults (isp.*, Throttling.*) pass, all others do not.
 */
const refusal = (code: string, message: string, platform: string): SendResult => {
  const cause = ERRORS[code] ?? (/^(isp\.|Throttling)/.test(code) ? 'moment' : 'config');
  const temporary = cause === 'moment' || (cause === 'limit' && message.includes('分钟级'));
  return refusedBy(platform, cause, code, temporary);
};

const answerSchema = z.object({ Code: z.string(), Message: z.string().default('') });

/** What is known of a message when Aliyun's answer holds no id. `platform`: the service in the words of the trail. */
export const notAccepted = ({ status, text }: Reply, platform: string): SendResult => {
  const answer = answerSchema.safeParse(jsonOf(text));
  // An «OK» without an id, a page from something in between, a crash behind the gateway: it may have gone out all the same.
  if (!answer.success || answer.data.Code === 'OK' || (status >= 500 && status !== 503))
    return unreadable(status, platform);
  return refusal(answer.data.Code, answer.data.Message, platform);
};
