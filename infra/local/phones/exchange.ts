import type { Faults } from './faults.ts';
import type { MessageStore, StoredMessage } from './message-store.ts';
import { Posts } from './posts.ts';
import type { CallEnd, EmulatedVendor, VendorMaker, VendorWorld } from './vendor.ts';

/** What all vendors share. */
export interface Surroundings {
  store: MessageStore;
  now: () => number;
  /** Hears of every message that is seen on a phone, and of a call's end: before the sender has his answer. */
  seen: (message: StoredMessage, first: boolean) => void;
  log: (line: string) => void;
}

/** One vendor at its place: the emulation, what it has to post, and what people do with its messages. */
export class Exchange {
  readonly vendor: EmulatedVendor;
  readonly posts: Posts | undefined;
  readonly #around: Surroundings;

  /** @param faults asked lazily: which vendors there are is known only when all of them are made. */
  constructor(make: VendorMaker, around: Surroundings, faults: () => Faults) {
    this.#around = around;
    const { store } = around;
    const world: VendorWorld = {
      now: around.now,
      fault: (action, to) => faults().take(this.vendor.name, action, to),
      take: ({ code = '', more = {}, rings = false, report = false, ...m }) => {
        const { name: vendor, channel } = this.vendor;
        const owes = this.#owes(m.state === 3 || report);
        const shown = m.state === 3 || rings;
        const message = store.add({ ...m, code, more, shown, vendor, channel }, owes);
        if (owes) this.posts?.owe(message);
        if (shown) around.seen(message, true);
        return message;
      },
      end: (message, state, code, more = {}) => {
        const ended = {
          ...message,
          state,
          code,
          endedAt: around.now(),
          shown: message.shown || state === 3,
          more: { ...message.more, ...more },
        };
        const owes = this.#owes(true);
        store.change(ended, owes);
        if (owes) this.posts?.owe(ended);
        if (ended.shown) around.seen(ended, !message.shown);
        return ended;
      },
      note: (message, more) => store.change({ ...message, more: { ...message.more, ...more } }, false),
      sentTo: (to, from, until) => store.sentTo(this.vendor.name, to, from, until),
      ringing: () => store.ringing(this.vendor.name),
      byVendorId: (vendorId) => store.byVendorId(this.vendor.name, vendorId),
      count: (to, by, since) => store.count(this.vendor.name, to, by, since),
      spendNonce: (key, nonce) => store.spendNonce(`${this.vendor.name} ${key}`, nonce, around.now()),
    };
    this.vendor = make(world);
    const { name, posts } = this.vendor;
    this.posts = posts && new Posts(name, posts, store, around.log);
  }

  /** Somebody does something with the newest call that rings for this number. False: none does. */
  answerCall(number: string, end: CallEnd): boolean {
    const ringing = this.#around.store.ringing(this.vendor.name).findLast((call) => call.to === number);
    if (!ringing || !this.vendor.hangUp) return false;
    this.vendor.hangUp(ringing, end);
    return true;
  }

  #owes(told: boolean): boolean {
    return told && this.vendor.posts !== undefined;
  }
}
