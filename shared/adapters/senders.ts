import type { DistrictSecret } from '../contracts/secret.ts';
import type { Vendor } from '../domain/channel.ts';
import type { Clock } from '../ports/clock.ts';
import type { Ids } from '../ports/ids.ts';
import type { Secrets } from '../ports/secrets.ts';
import type { Sender, Senders } from '../ports/sender.ts';
import { aliyunSms } from './aliyun-sms.ts';

/** Where each vendor's API lives in service. */
const ENDPOINTS: Partial<Record<Vendor, string>> = {
  'aliyun-sms': 'https://dysmsapi.aliyuncs.com',
};

/** What every vendor's adapter is built from. */
export interface SendersOptions {
  secrets: Pick<Secrets, 'district'>;
  clock: Clock;
  ids: Pick<Ids, 'nonce'>;
  /** `real`, or an address below which every vendor has its own path: emulators, or a relay with a fixed mainland address. */
  at: string;
}

/** The vendors by the section of the secret that configures them. */
const SECTIONS: Partial<Record<Vendor, keyof DistrictSecret>> = {
  'aliyun-sms': 'aliyunSms',
};

/**
 * All vendors that the district's secret has a section for. Asked before every delivery, so that a section added to the secret is
 * in use five minutes later, and one taken out is not called any more.
 */
export const configuredSenders = ({ secrets, clock, ids, at }: SendersOptions): (() => Promise<Senders>) => {
  const endpoint = (vendor: Vendor): string =>
    at === 'real' ? (ENDPOINTS[vendor] ?? '') : `${at.replace(/\/$/, '')}/${vendor}`;
  const all: Partial<Record<Vendor, Sender>> = {
    'aliyun-sms': aliyunSms({
      endpoint: endpoint('aliyun-sms'),
      key: async () => (await secrets.district()).aliyunSms,
      clock,
      ids,
    }),
  };
  return async () => {
    const secret = await secrets.district();
    return Object.fromEntries(
      Object.entries(all).filter(([vendor]) => {
        const section = Object.entries(SECTIONS).find(([name]) => name === vendor)?.[1];
        return section !== undefined && secret[section] !== undefined;
      }),
    );
  };
};
