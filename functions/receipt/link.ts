import { timingSafeEqual } from 'node:crypto';
import * as z from 'zod';
import { invalid, problemsOf, refused, type Outcome, type Refused } from '#shared/contracts/errors.ts';
import { LARGEST_BODY } from '#shared/contracts/routes.ts';
import {
  sessionRequestSchema,
  type LinkState,
  type OpenedView,
  type SessionView,
} from '#shared/contracts/session.ts';
import { isOpen } from '#shared/domain/drill.ts';
import { personOf, type Instant } from '#shared/domain/incident.ts';
import {
  LINK_MS,
  MOST_DEVICES,
  MOST_GUESSES,
  PIN_MS,
  isAlive,
  linkName,
  linkSchema,
  pinFrom,
  tokenSchema,
  type TaskLink,
} from '#shared/domain/link.ts';
import { isUntaken } from '#shared/domain/unreached.ts';
import { taskName } from '#shared/domain/wording.ts';
import { answerDrill, readDrill } from '#shared/ports/drills.ts';
import type { Memos } from '#shared/ports/memos.ts';
import { move, type Mover } from '#shared/ports/move.ts';
import type { Secrets } from '#shared/ports/secrets.ts';
import { ownerOf } from '#shared/ports/store.ts';
import { remark, saying } from './remark.ts';

/** Whom a session is made out for: one member, one incident, one device. */
export interface Session {
  member: string;
  incident: string;
  /** Hash of the device's own secret. */
  device: string;
  hours: number;
}

/** What opening links needs. */
export interface LinkOpener extends Mover {
  memos: Memos;
  secrets: Pick<Secrets, 'vault'>;
  /** Signs a session. */
  sign: (session: Session) => Promise<string>;
  /** Hash by which the door knows a device again. */
  deviceHash: (device: string) => string;
}

/** A shift, and a little more. */
const SESSION_HOURS = 12;
/** Tries of one link in a minute, and codes sent for it in an hour. */
const TRIES_PER_MINUTE = 10;
const PINS_PER_HOUR = 3;
const RACES = 5;

const DEAD = refused('not_found', '这个链接已经失效。');
const NEEDS_PIN = refused('unauthorized', '这个链接已在另一台设备上打开。请输入发到您手机上的六位验证码。', [
  { field: 'pin', message: '请输入验证码' },
]);

/** Not `busy`: the page would try that again by itself, for ever, and never show the sentence. */
const TOO_MANY_PINS = refused(
  'forbidden',
  '验证码一小时最多发三个。请用先前打开过的那台设备，或者打电话给值班台。',
  [{ field: 'pin', message: '验证码发得太多了' }],
);
/** The code has not gone out: he is told whom to ask instead of waiting for it. */
const unsent = ({ district }: LinkOpener): Refused =>
  refused(
    'unauthorized',
    `验证码还没有发出去，正在换别的方式发。等不到就用先前打开过的那台设备，或者打电话给值班台${district.links.desk ?? ''}。`,
    [{ field: 'sent', message: '验证码还没有发出去' }],
  );

/** Where a link leads, as it is kept. */
interface Found {
  link: TaskLink;
  /** What his text called it. */
  task: string;
  version: number;
  name: string;
}
/** A drill that somebody answers by opening its link. */
interface FoundDrill {
  drill: string;
  member: string;
  name: string;
}

const find = async (
  { memos, secrets, store }: Pick<LinkOpener, 'memos' | 'secrets' | 'store'>,
  token: string | undefined,
  now: Instant,
): Promise<Found | FoundDrill | undefined> => {
  const read = tokenSchema.safeParse(token);
  if (!read.success) return undefined;
  const name = linkName((await secrets.vault()).hash('link', read.data));
  const memo = await memos.read(name, now);
  if (!memo) return undefined;
  const link = linkSchema.parse(memo.value);
  if ('drill' in link) {
    const drill = await readDrill({ memos }, now, link.drill);
    return drill && isOpen(drill, link.member, now) ? { ...link, name } : undefined;
  }
  const incident = (await store.load(link.incident))?.incident;
  if (!incident || !isAlive(incident, link)) return undefined;
  const asked = personOf(incident, link.member)?.asked ?? incident.receivedAt;
  return { link, task: taskName(incident, new Date(asked)), version: memo.version, name };
};

/**
 * `GET /t/{token}`: does the link lead anywhere? Changes nothing and tells next to nothing, because programs that look at messages
 * open every link in them.
 */
export const showLink = async (
  opener: LinkOpener,
  token: string | undefined,
): Promise<Outcome<LinkState>> => {
  const found = await find(opener, token, opener.clock.now().getTime());
  if (!found) return DEAD;
  if ('drill' in found) return { kind: 'done', body: { number: found.drill, needsPin: false, drill: true } };
  return { kind: 'done', body: { number: found.task, needsPin: found.link.devices.length > 0 } };
};

/**
 * `POST /t/{token}/session`: exchanges the link for a session of this incident on this device. The first device gets it at once; another
 * one after a code that is sent to the member's own number. The link of a drill opens nothing: this is the answer to it, on whatever device.
 */
export const openLink = async (
  opener: LinkOpener,
  token: string | undefined,
  raw: Buffer,
): Promise<Outcome<OpenedView>> => {
  const asked = bodyOf(raw);
  if ('kind' in asked) return asked;
  const device = opener.deviceHash(asked.device);
  for (let race = 1; race <= RACES; race += 1) {
    const now = opener.clock.now().getTime();
    const found = await find(opener, token, now);
    if (!found) return DEAD;
    if (race === 1) {
      const minute = Math.floor(now / 60_000);
      const tries = await opener.store.tally(`${found.name}-${minute}`, now + 120_000);
      if (tries > TRIES_PER_MINUTE) return refused('forbidden', '试得太多了，请一分钟后再试。');
    }
    if ('drill' in found) {
      const answered = await answerDrill(opener, [found.member], 'page', now);
      return answered ? { kind: 'done', body: { answered } } : DEAD;
    }
    const { link } = found;
    if (link.devices.includes(device)) return session(opener, link, device);
    if (link.devices.length === 0) {
      if (!(await keep(opener, found, { ...link, devices: [device] }, now))) continue;
      return session(opener, link, device);
    }
    if (link.devices.length >= MOST_DEVICES)
      return refused('forbidden', '打开这个链接的设备太多了，请联系值班台。');
    const { pin } = link;
    if (!pin || pin.until <= now) {
      const sent = await sendPin(opener, found, now);
      if (sent === 'raced') continue;
      return sent === 'too-many' ? TOO_MANY_PINS : NEEDS_PIN;
    }
    if (asked.pin === undefined) {
      const row = await opener.store.notice(ownerOf(link.incident), pin.notice);
      return row && isUntaken(row, now) ? unsent(opener) : NEEDS_PIN;
    }
    if (pin.tries >= MOST_GUESSES) return refused('forbidden', '验证码错得太多了，请五分钟后再试。');
    if (!(await isPin(opener, link, asked.pin))) {
      if (!(await keep(opener, found, { ...link, pin: { ...pin, tries: pin.tries + 1 } }, now))) continue;
      return invalid([{ field: 'pin', message: '验证码不对' }]);
    }
    const { pin: _, ...rest } = link;
    if (!(await keep(opener, found, { ...rest, devices: [...link.devices, device] }, now))) continue;
    return session(opener, link, device);
  }
  return refused('busy', '同时打开的人太多，请再试一次。');
};

const bodyOf = (
  raw: Buffer,
): z.infer<typeof sessionRequestSchema> | Extract<Outcome, { kind: 'refused' }> => {
  if (raw.length > LARGEST_BODY) return refused('too_large', '内容太大，最多 64 KB。');
  try {
    const parsed = sessionRequestSchema.safeParse(JSON.parse(raw.toString('utf8')));
    return parsed.success ? parsed.data : invalid(problemsOf(parsed.error));
  } catch {
    return refused('not_json', '内容不是 JSON。');
  }
};

const keep = (
  { memos }: LinkOpener,
  { name, version }: Found,
  value: TaskLink,
  now: Instant,
): Promise<boolean> => memos.write(name, { version, value, expires: now + LINK_MS }, now);

const session = async (
  { sign }: LinkOpener,
  { incident, member }: TaskLink,
  device: string,
): Promise<Outcome<SessionView>> => ({
  kind: 'done',
  body: {
    token: await sign({ member, incident, device, hours: SESSION_HOURS }),
    incidentId: incident,
    member,
    hours: SESSION_HOURS,
  },
});

const isPin = async (
  { secrets }: LinkOpener,
  { incident, pin }: TaskLink,
  said: string,
): Promise<boolean> => {
  const right = pinFrom((await secrets.vault()).hash('pin', `${ownerOf(incident)}/${pin?.notice ?? ''}`));
  return timingSafeEqual(Buffer.from(right), Buffer.from(said));
};

/** Sends a code to the member's own number. The notice is committed first: a code that nobody was sent opens nothing. */
const sendPin = async (
  opener: LinkOpener,
  found: Found,
  now: Instant,
): Promise<'sent' | 'raced' | 'too-many'> => {
  const { link, name } = found;
  const hour = Math.floor(now / 3_600_000);
  if ((await opener.store.tally(`${name}-pins-${hour}`, now + 7_200_000)) > PINS_PER_HOUR) return 'too-many';
  const moved = await move(opener, link.incident, ({ incident, now: at }) => {
    const change = saying(
      remark(incident, { kind: 'reply', by: link.member, facts: { over: 'link', did: 'second-device' } }, at),
      link.member,
      { kind: 'pin' },
      at,
    );
    return { change, result: change.notices.at(-1)?.id };
  });
  if (!moved.found || moved.result === undefined) return 'sent';
  const pin = { notice: moved.result, tries: 0, until: now + PIN_MS };
  return (await keep(opener, found, { ...link, pin }, now)) ? 'sent' : 'raced';
};
