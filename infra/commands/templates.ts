import { join } from 'node:path';
import { listDistricts, loadDistrict, loadTexts, loadVendors } from '#shared/districts/load.ts';
import { vendorSchema, type Vendor } from '#shared/domain/channel.ts';
import type { District } from '#shared/domain/district.ts';
import { NOTICE_KINDS, noticeKindSchema, type NoticeKind } from '#shared/domain/notice-kind.ts';
import {
  LANGUAGES,
  MESSAGE_LENGTH,
  TEMPLATE_VENDORS,
  TEXT_PARAMS,
  hasWords,
  partsOf,
  signOf,
  unready,
  type Language,
  type Texts,
} from '#shared/domain/texts.ts';
import { renderNotice, type NoticeFacts } from '#shared/domain/wording.ts';
import { priceOf, type Vendors } from '#shared/domain/vendors.ts';
import { main, text, type Command } from './command.ts';
import { WrongInput } from './refused.ts';

/** Everything that is looked at: the texts of one district, and what the vendors take. */
interface Stock {
  texts: Texts;
  vendors: Vendors;
  /** Of the district whose texts they are. */
  links?: District['links'];
}

/** Facts that give every variable its longest value, so that a preview shows the worst that can come. */
const LONGEST: NoticeFacts = {
  number: '8F3K2M9X',
  place: '东'.repeat(TEXT_PARAMS.place),
  code: 'B12',
  rung: 'contact',
  // Further away than today: with the day.
  deadline: new Date('2026-12-31T15:59:00Z'),
  at: new Date('2026-11-03T06:02:20Z'),
  note: 'rejected',
  list: [1, 2, 3].map((n) => ({ number: `8F3K2${n}`, code: `9${n}1` })),
  answer: 'lead',
  pin: '483920',
  token: 'AbCdEfGhIjK',
  role: 'street',
  result: 'unfounded',
};

/** One text as a vendor would bring it, with its length and price. `length`: with 【signature】. */
interface Shown {
  kind: NoticeKind;
  vendor: Vendor;
  language: Language;
  code: string;
  text: string;
  length: number;
  parts: number;
  milli: number;
}

const show = (
  { texts, vendors }: Stock,
  kind: NoticeKind,
  vendor: Vendor,
  language: Language,
): Shown | undefined => {
  const facts = vendors.vendors[vendor];
  if (!facts || !hasWords(texts, kind, vendor)) return undefined;
  if (language === 'en' && TEMPLATE_VENDORS.some((one) => one === vendor)) return undefined;
  const { code, text: words } = renderNotice(texts, kind, LONGEST, vendor, language);
  const length = words.length + (facts.channel === 'sms' ? signOf(texts, kind).length + 2 : 0);
  const parts = facts.channel === 'sms' ? partsOf(length) : 1;
  return { kind, vendor, language, code, text: words, length, parts, milli: priceOf(facts, length) };
};

const yuan = (milli: number): string => (milli === 0 ? 'free' : `¥${(milli / 1000).toFixed(3)}`);

const lineOf = ({ kind, vendor, language, code, text: words, length, parts, milli }: Shown): string =>
  `${kind}  ${vendor}${language === 'en' ? ' (en)' : ''}${code === '' ? '' : `  ${code}`}  ` +
  `${length} characters${parts > 1 ? `, MULTI-PART: ${parts} messages` : ''}, ${yuan(milli)}\n    ${words}`;

/** What has to be put right before this district may be deployed for production, and which texts cost more than one message. */
export const checkTexts = ({ texts, vendors, links }: Stock): { faults: string[]; remarks: string[] } => {
  const remarks: string[] = [];
  for (const kind of NOTICE_KINDS)
    for (const vendor of Object.keys(vendors.vendors))
      for (const language of LANGUAGES) {
        const shown = show({ texts, vendors }, kind, vendorSchema.parse(vendor), language);
        if (shown && shown.parts > 1)
          remarks.push(
            `${kind} over ${vendor}: up to ${shown.length} characters (one message holds ${MESSAGE_LENGTH.single}): ` +
              `${shown.parts} messages, ${yuan(shown.milli)}`,
          );
      }
  return { faults: unready(texts, links), remarks };
};

const kindsOf = (wanted: string | undefined): readonly NoticeKind[] => {
  if (wanted === undefined) return NOTICE_KINDS;
  const kind = noticeKindSchema.safeParse(wanted);
  if (!kind.success) throw new WrongInput(`--kind takes one of ${NOTICE_KINDS.join(', ')}, not '${wanted}'.`);
  return [kind.data];
};

const vendorsOf = (wanted: string | undefined, { vendors }: Stock): Vendor[] => {
  const known = vendorSchema.options.filter((vendor) => vendors.vendors[vendor]);
  if (wanted === undefined) return known;
  const vendor = known.find((one) => one === wanted);
  if (!vendor) throw new WrongInput(`--vendor takes one of ${known.join(', ')}, not '${wanted}'.`);
  return [vendor];
};

/** `npm run templates`: are the texts fit to be sent, and what do they look like? */
export const templates: Command = {
  name: 'templates',
  about: 'Checks the texts of a district, or shows them as each vendor brings them with the longest values.',
  usage: ['check [--district ID]', 'preview [--kind KIND] [--vendor VENDOR] [--district ID]'],
  more: [
    "Rules that every texts file has to keep (length, barred words, variables) are checked by reading it; 'check' also tells",
    'what a district for production still lacks: approvals of templates and signature, and 实名制报备.',
    '',
  ],
  options: {
    kind: { type: 'string' },
    vendor: { type: 'string' },
    district: { type: 'string' },
    districts: { type: 'string' },
  },
  async run(call) {
    const [what, ...rest] = call.positionals;
    if ((what !== 'check' && what !== 'preview') || rest.length > 0)
      throw new WrongInput("Say what to do: 'check' or 'preview'.");
    const folder = text(call, 'districts');
    const root = folder ?? join(import.meta.dirname, '../../shared/districts');
    const district = text(call, 'district');
    const known = listDistricts(root);
    // A district without texts of its own has the common ones; one that does not exist would pass for it.
    if (district !== undefined && !known.includes(district))
      throw new WrongInput(`There is no district '${district}'; there are ${known.join(', ')}.`);
    const stock: Stock = {
      texts: loadTexts(root, district),
      vendors: loadVendors(root),
      ...(district === undefined ? {} : { links: loadDistrict(district, root).links }),
    };
    const { terminal } = call;
    if (what === 'preview') {
      for (const kind of kindsOf(text(call, 'kind')))
        for (const vendor of vendorsOf(text(call, 'vendor'), stock))
          for (const language of LANGUAGES) {
            const shown = show(stock, kind, vendor, language);
            if (shown) terminal.out(lineOf(shown));
          }
      return true;
    }
    const { faults, remarks } = checkTexts(stock);
    for (const remark of remarks) terminal.out(`! ${remark}`);
    for (const fault of faults) terminal.out(`✗ ${fault}`);
    const { barred, barredAsOf } = stock.texts;
    terminal.err(
      `${NOTICE_KINDS.length} kinds of texts, ${barred.length} barred words as of ${barredAsOf}: ` +
        (faults.length === 0
          ? 'ready for production.'
          : `${faults.length} ${faults.length === 1 ? 'thing is' : 'things are'} missing for production.`),
    );
    // Samples are what a district for trying out is meant to have.
    return faults.length === 0 || stock.texts.sample;
  },
};

if (import.meta.main) await main(templates);
