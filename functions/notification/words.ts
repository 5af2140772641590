import type { Channel, Vendor } from '#shared/domain/channel.ts';
import type { Instant } from '#shared/domain/incident.ts';
import { genericOf } from '#shared/domain/notice.ts';
import { CALLER_KINDS } from '#shared/domain/notice-kind.ts';
import { signOf } from '#shared/domain/texts.ts';
import { renderNotice } from '#shared/domain/wording.ts';
import type { Message } from '#shared/ports/sender.ts';
import type { Deliverer } from './deliverer.ts';
import { factsFor } from './facts.ts';
import type { About } from './look.ts';

/** What is said, in the words of the notice's kind or in the generic ones. */
export const wordsOf = (
  d: Deliverer,
  { row, incident, own, others = false }: Pick<About, 'row' | 'incident' | 'own'> & { others?: boolean },
  vendor: Vendor,
  now: Instant,
  generic = false,
): Message => {
  const { notice } = row;
  const caller = CALLER_KINDS.has(notice.kind);
  const kind = (generic ? genericOf(notice.kind) : undefined) ?? (others ? 'summary' : notice.kind);
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
