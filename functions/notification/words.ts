import type { Channel, Vendor } from '#shared/domain/channel.ts';
import { isConfidential, type Incident, type Instant } from '#shared/domain/incident.ts';
import { discreetOf, genericOf } from '#shared/domain/notice.ts';
import { CALLER_KINDS, type NoticeKind } from '#shared/domain/notice-kind.ts';
import { signOf } from '#shared/domain/texts.ts';
import { renderNotice } from '#shared/domain/wording.ts';
import type { Message } from '#shared/ports/sender.ts';
import type { Deliverer } from './deliverer.ts';
import { factsFor } from './facts.ts';
import type { About } from './look.ts';

/** Whose words a kind of notice is written in when it is sent: a matter may have become dangerous since it was decided. */
export const spokenOf = (kind: NoticeKind, incident: Incident | undefined): NoticeKind =>
  incident && isConfidential(incident) ? discreetOf(kind) : kind;

/** What is said, in the words of the notice's kind, in those that a secret matter allows, or in the generic ones. */
export const wordsOf = (
  d: Deliverer,
  { row, incident, own, others = false }: Pick<About, 'row' | 'incident' | 'own'> & { others?: boolean },
  vendor: Vendor,
  now: Instant,
  generic = false,
): Message => {
  const { notice } = row;
  const caller = CALLER_KINDS.has(notice.kind);
  const kind =
    (generic ? genericOf(notice.kind) : undefined) ?? spokenOf(others ? 'summary' : notice.kind, incident);
  const facts = { ...factsFor(d.district, incident, notice, now), ...own };
  const { domain } = d.district.links;
  const link = domain !== undefined && own.token !== undefined && d.vendors.vendors[vendor]?.links === 'yes';
  const { code, params, text } = renderNotice(d.texts, kind, facts, vendor, d.district.language);
  return {
    kind,
    template: { code, params, order: d.texts.templates[kind].params.filter((name) => name in params) },
    signName: signOf(d.texts, notice.kind),
    text,
    extension: d.district.replies[caller ? 'callers' : 'members'],
    ...(link ? { link: `https://${domain}/t/${own.token}` } : {}),
  };
};

/** Characters as they are billed: with 【signature】, and with the link where it stands in the text. */
export const lengthOf = ({ text, signName, link }: Message, { channel }: { channel: Channel }): number =>
  text.length + signName.length + 2 + (channel === 'sms' && link !== undefined ? link.length + 1 : 0);
