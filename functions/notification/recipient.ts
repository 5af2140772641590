import { CALLER, callerBarred, callerMoot } from '#shared/domain/caller-notice.ts';
import type { District } from '#shared/domain/district.ts';
import { drillNoticeId, drillOfNotice } from '#shared/domain/drill.ts';
import type { Incident, Instant } from '#shared/domain/incident.ts';
import { LINK_MS, linkName, pinFrom, tokenFrom, type Link } from '#shared/domain/link.ts';
import type { Notice } from '#shared/domain/notice.ts';
import { TEXTLESS, callerStopName, textlessSchema } from '#shared/domain/reply.ts';
import type { Member } from '#shared/domain/roster.ts';
import { CALLER_KINDS } from '#shared/domain/notice-kind.ts';
import type { NoticeFacts } from '#shared/domain/wording.ts';
import { readDrill } from '#shared/ports/drills.ts';
import type { Memos } from '#shared/ports/memos.ts';
import type { Secrets } from '#shared/ports/secrets.ts';
import type { Store } from '#shared/ports/store.ts';

/** What finding out about a recipient needs. */
export interface Finder {
  store: Pick<Store, 'roster' | 'content' | 'reports'>;
  memos: Memos;
  secrets: Pick<Secrets, 'vault'>;
  district: District;
}

/** Who gets a notice, and what stands against it. */
export interface Recipient {
  /** Of the roster; or the caller, as far as a number makes him one. */
  member: Member | undefined;
  /** Wants no texts. */
  textless: boolean;
  /** Why he must not or need not be told. */
  barred?: string;
}

const NUMBER = /^1\d{10}$/;

const asMember = (phone: string): Member => ({
  id: CALLER,
  name: '',
  phone,
  role: 'member',
  squad: '',
  team: '',
  shifts: [],
  grids: [],
  roads: [],
});

/** Whoever has answered a drill over one channel has proved that he can be reached: the next one would only disturb him. */
const hasAnswered = async (memos: Memos, { id, to }: Notice, now: Instant): Promise<boolean> => {
  const drill = await readDrill({ memos }, now);
  return drill !== undefined && id === drillNoticeId(drill.id, to) && drill.answers[to] !== undefined;
};

/** Who gets this notice. A caller is looked at again each time, by all that he has said: immediately before the vendor is called. */
export const recipientOf = async (
  { store, memos, secrets, district }: Finder,
  incident: Incident | undefined,
  notice: Notice,
  now: Instant,
): Promise<Recipient> => {
  const hashOf = async (phone: string): Promise<string> => (await secrets.vault()).hash('phone', phone);
  if (!CALLER_KINDS.has(notice.kind)) {
    const [members, memo] = await Promise.all([store.roster(), memos.read(TEXTLESS, now)]);
    const member = members.find((one) => one.id === notice.to);
    const stopped = memo ? textlessSchema.parse(memo.value) : [];
    return {
      member,
      textless: member !== undefined && stopped.includes(await hashOf(member.phone)),
      ...(notice.kind === 'drill' && (await hasAnswered(memos, notice, now)) ? { barred: 'answered' } : {}),
    };
  }
  const nobody = (barred: string): Recipient => ({ member: undefined, textless: false, barred });
  if (!incident) return nobody('no-incident');
  const [content, reports] = await Promise.all([store.content(incident.id), store.reports(incident.id)]);
  if (!content || !NUMBER.test(content.caller.phone)) return nobody('no-number');
  const words = [content, ...reports].map((one) => one.content).join('\n');
  const said = { words, minors: district.signs.minors };
  const barred = callerMoot(incident, notice) ?? callerBarred(district.callerTold, incident, notice, said);
  if (barred !== undefined) return nobody(barred);
  const member = asMember(content.caller.phone);
  // For good: what a member may take back, a stranger need not ask for twice.
  return (await memos.read(callerStopName(await hashOf(member.phone)), now))
    ? nobody('stopped')
    : { member, textless: false };
};

/**
 * What only one person's message may hold: the token of his link, and the code that opens it on another device. Both are made from the
 * district's key, so that a second attempt says the same and nothing readable is kept.
 */
export const ownFacts = async (
  { memos, secrets, district }: Finder,
  owner: string,
  incident: Incident | undefined,
  { id, to, kind }: Notice,
  now: Instant,
): Promise<Pick<NoticeFacts, 'token' | 'pin'>> => {
  if (district.links.domain === undefined || CALLER_KINDS.has(kind)) return {};
  const drill = drillOfNotice(id);
  if (!incident && drill === undefined) return {};
  const vault = await secrets.vault();
  if (kind === 'pin') return { pin: pinFrom(vault.hash('pin', `${owner}/${id}`)) };
  const about = incident ? `${incident.id}/${incident.round}/${to}` : id;
  const token = tokenFrom(Buffer.from(vault.hash('link', about), 'base64url'));
  const name = linkName(vault.hash('link', token));
  const value: Link = incident
    ? { incident: incident.id, member: to, devices: [] }
    : { drill: drill ?? '', member: to };
  if (!(await memos.read(name, now)))
    await memos.write(name, { version: 0, value, expires: now + LINK_MS }, now);
  return { token };
};
