import type { Instant } from '#shared/domain/incident.ts';
import type { Texts } from '#shared/domain/texts.ts';
import type { Vendors } from '#shared/domain/vendors.ts';
import type { Memos } from '#shared/ports/memos.ts';
import type { Mover } from '#shared/ports/move.ts';
import type { PushDevices } from '#shared/ports/push-devices.ts';
import type { Secrets } from '#shared/ports/secrets.ts';
import type { Senders } from '#shared/ports/sender.ts';

/** What delivering needs. */
export interface Deliverer extends Mover {
  senders(): Promise<Senders>;
  vendors: Vendors;
  secrets: Pick<Secrets, 'vault'>;
  memos: Memos;
  pushDevices: PushDevices;
  /** Names an attempt so that its receipt leads back to the notice. */
  attemptId(owner: string, noticeId: string, n: number): string;
  texts: Texts;
  /** Words and vendors that are not approved are passed over: a district for production. */
  approvedOnly?: boolean;
  /** Counters of all that were read a moment ago, by name; kept as long as the function lives. Without it every notice reads them. */
  lately?: Map<string, { at: Instant; counters: Promise<Readonly<Record<string, number>>> }>;
}
