import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { ChainHead } from '#shared/adapters/trail-chain.ts';
import { ownerOf, type Store } from '#shared/ports/store.ts';
import { WrongInput } from './refused.ts';

const DAY_MS = 86_400_000;
const PAGE = 100;
/** China has one time zone: a day begins at 16:00 UTC of the day before. */
const BEIJING_MS = 8 * 3_600_000;

/** The ends of the chains of one incident. */
export interface HeadsOf {
  incidentId: string;
  receivedAt: string;
  /** By chain: `main`, and one per notice. */
  chains: Record<string, ChainHead>;
}

/** A day in Beijing as instants, `to` exclusive. Undefined: there is no such day. */
export const beijingDay = (day: string): { from: number; to: number } | undefined => {
  const midnight = /^\d{4}-\d{2}-\d{2}$/.test(day) ? Date.parse(`${day}T00:00:00.000Z`) : Number.NaN;
  if (Number.isNaN(midnight) || new Date(midnight).toISOString().slice(0, 10) !== day) return undefined;
  return { from: midnight - BEIJING_MS, to: midnight - BEIJING_MS + DAY_MS };
};

/** Heads of all incidents received within a time, oldest first. Their trails may grow on: the heads say how far they were. */
export const headsBetween = async (
  store: Pick<Store, 'list' | 'notices'>,
  { from, to }: { from: number; to: number },
): Promise<HeadsOf[]> => {
  const found: HeadsOf[] = [];
  let before: string | undefined;
  for (;;) {
    const page = await store.list({ now: to - 1, limit: PAGE, ...(before === undefined ? {} : { before }) });
    for (const { id, receivedAt, trail } of page.items) {
      if (receivedAt < from) return found.toReversed();
      if (receivedAt >= to) continue;
      const notices = await store.notices(ownerOf(id));
      found.push({
        incidentId: id,
        receivedAt: new Date(receivedAt).toISOString(),
        chains: Object.fromEntries([['main', trail], ...notices.map((row) => [row.notice.id, row.trail])]),
      });
    }
    before = page.next;
    if (before === undefined) return found.toReversed();
  }
};

const digestOf = (body: string): string => createHash('sha256').update(body).digest('hex');

/** The export: what it is, one line per incident, and at the end the SHA-256 of all lines before, line ends included. */
export const headsFile = (
  about: { district: string; day: string; exportedAt: Date },
  heads: readonly HeadsOf[],
): { text: string; digest: string } => {
  const body = [{ v: 1, ...about, incidents: heads.length }, ...heads]
    .map((line) => `${JSON.stringify(line)}\n`)
    .join('');
  const digest = digestOf(body);
  return { text: `${body}${JSON.stringify({ sha256: digest })}\n`, digest };
};

const lineSchema = z.object({
  incidentId: z.string(),
  receivedAt: z.string(),
  chains: z.record(z.string(), z.object({ seq: z.int().nonnegative(), head: z.string() })),
});
const lastSchema = z.object({ sha256: z.string() });

/** Reads an export. @throws WrongInput when it is none, or when its digest does not fit. */
export const readHeads = (text: string): { heads: HeadsOf[]; digest: string } => {
  const cut = text.trimEnd().lastIndexOf('\n') + 1;
  const body = text.slice(0, cut);
  try {
    const { sha256 } = lastSchema.parse(JSON.parse(text.slice(cut)));
    if (digestOf(body) !== sha256)
      throw new WrongInput('The export of heads was changed: its lines do not give its digest.');
    const lines = body.trimEnd().split('\n').slice(1);
    return { heads: lines.map((line) => lineSchema.parse(JSON.parse(line))), digest: sha256 };
  } catch (error) {
    if (error instanceof WrongInput) throw error;
    throw new WrongInput('This file is no export of heads.', { cause: error });
  }
};
