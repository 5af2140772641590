import { createHash, randomBytes } from 'node:crypto';
import * as z from 'zod';
import { reasonSchema } from '../domain/classification.ts';
import { correctionSchema } from '../domain/correction.ts';
import type { Change } from '../domain/draft.ts';
import { OVER, incidentSchema, isUnclassified, type Incident, type Instant } from '../domain/incident.ts';
import { ATTEMPT_STATES, attemptSchema, laneOf, noticeSchema, type Notice } from '../domain/notice.ts';
import { memberSchema, type Member } from '../domain/roster.ts';
import { storedLineSchema, type Line, type StoredLine } from '../domain/trail.ts';
import { rungSchema } from '../domain/rung.ts';
import type { Secrets } from '../ports/secrets.ts';
import {
  REJECTS_OWNER,
  incidentIdOf,
  ownerOf,
  type Beside,
  type Counting,
  type NoticeRow,
  type Owed,
  type Picks,
  type Rejected,
  type Store,
} from '../ports/store.ts';
import { relayItem, relayRows, type OwedKey } from './relay-rows.ts';
import { INDEX_KEYS, type Item, type Key, type Table, type Value, type Write } from '../ports/table.ts';
import { KeyErased, type Vault } from '../ports/vault.ts';
import { chainLines, lineContext } from './trail-chain.ts';

/** Partitions of the sparse indexes: one hot key would cap at 1,000 writes a second. */
const SHARDS = 4;
const DAY_MS = 86_400_000;
/** How long a request may be repeated under its Idempotency-Key. */
const KEY_DAYS = 2;
/** The listing looks so many months back. */
const MONTHS = 14;
/** A listing that finds little looks at so many rows and hands the rest to its next page. */
const MOST_LOOKED = 1_000;
/** Rows of one look when a filter may throw most of them away. */
const LOOK = 100;
/** How long a replaced roster is kept: a reader may be in the middle of it. */
const OLD_ROSTER_MS = DAY_MS;

const pad = (ms: number): string => String(ms).padStart(14, '0');
const month = (ms: number): string => new Date(ms).toISOString().slice(0, 7);
const shardOf = (text: string): number => (createHash('sha256').update(text).digest()[0] ?? 0) % SHARDS;
const shards = (name: string): string[] => Array.from({ length: SHARDS }, (_, i) => `${name}#${i}`);
const incidentKey = (id: string): Key => ({ pk: ownerOf(id), sk: 'INCIDENT' });
const contentKey = (id: string): Key => ({ pk: ownerOf(id), sk: 'CONTENT' });
const textOf = (item: Item, name: string): string => {
  const value = item[name];
  if (typeof value !== 'string') throw new Error(`The item ${item.pk}/${item.sk} has no text '${name}'.`);
  return value;
};
const seconds = (ms: number): number => Math.ceil(ms / 1000);

const FIELDS: readonly string[] = Object.keys(incidentSchema.shape);
/** Row attributes beside the incident's own fields. */
const INDEXED = ['owedPk', 'owedAt', 'openPk', 'openAt', 'monthPk', 'monthAt'] as const;

const parkedSchema = z.object({ wakeToken: z.string(), wakeRung: rungSchema });

const noticeRowSchema = z.object({
  notice: noticeSchema,
  state: z.enum(ATTEMPT_STATES),
  attempts: z.array(attemptSchema),
  louder: z.boolean(),
  over: z.string().optional(),
  owedAt: z.coerce.number().optional(),
  version: z.int(),
  trail: z.object({ seq: z.int(), head: z.string() }),
});

const contentSchema = z.object({
  callNo: z.string(),
  calledAt: z.int(),
  caller: z.object({ name: z.string(), phone: z.string() }),
  address: z.string(),
  location: z.object({ lng: z.number(), lat: z.number() }).optional(),
  content: z.string(),
  categoryCode: z.string().optional(),
  level: z.string().optional(),
  linkedCallNo: z.string().optional(),
  receivedAt: z.int(),
});

const reasonsSchema = z.array(reasonSchema);
const packed = (numbers: readonly number[]): string =>
  Buffer.from(Uint32Array.from(numbers).buffer).toString('base64');
const unpacked = (text: string): number[] => {
  const bytes = Buffer.from(text, 'base64');
  return Array.from({ length: Math.floor(bytes.length / 4) }, (_, i) => bytes.readUInt32LE(i * 4));
};

const keptSchema = z.object({
  category: z.string(),
  risk: z.boolean(),
  danger: z.array(z.string()),
  /** Packed: 64 numbers as text would make the item twice as dear. */
  sketch: z.base64().transform(unpacked),
});
const pickSchema = z.array(z.object({ id: z.string(), reason: z.string() }));
const picksSchema = z.object({ picked: pickSchema, rejected: pickSchema, how: z.string() });
const rejectedSchema = z.object({
  id: z.string(),
  at: z.int(),
  status: z.union([z.literal(400), z.literal(413)]),
  problems: z.array(z.string()),
  body: z.string(),
  bytes: z.int(),
});

/** It is over, and what was joined to it is not yet. */
const leavesJoined = ({ state, joins = [] }: Pick<Incident, 'state' | 'joins'>): boolean =>
  OVER.has(state) && joins.length > 0;

/** Attributes of the row for an incident; the workflow's parked token is not among them and so is never overwritten. */
const rowOf = (incident: Incident, at: Instant): Record<string, Value | undefined> => {
  const unclassified = isUnclassified(incident);
  const owes = unclassified || incident.workflow === 'owed' || leavesJoined(incident);
  const due = incident.rung === undefined ? undefined : incident.due[incident.rung];
  return {
    ...incident,
    owed: incident.owed.length > 0 ? new Set<string>(incident.owed) : undefined,
    owedPk: owes ? `OWED#${shardOf(incident.id)}` : undefined,
    owedAt: owes ? pad(unclassified ? incident.receivedAt : at) : undefined,
    openPk: due === undefined ? undefined : `OPEN#${shardOf(incident.id)}`,
    openAt: due === undefined ? undefined : pad(due),
    monthPk: `MONTH#${month(incident.receivedAt)}`,
    monthAt: `${pad(incident.receivedAt)}#${incident.id}`,
  };
};

const parsedRow = (item: Item) =>
  incidentSchema.safeParse({ ...item, owed: item.owed instanceof Set ? [...item.owed] : [] });

const toIncident = (item: Item): Incident => {
  const parsed = parsedRow(item);
  if (parsed.success) return parsed.data;
  throw new Error(
    `The row of ${item.pk} does not parse: ${parsed.error.issues.map((i) => `${i.path.join('.')} ${i.message}`).join('; ')}`,
  );
};

const toLine = (item: Item, vault: Vault): { stored: StoredLine; text?: string } => {
  const stored = storedLineSchema.parse(item);
  if (stored.sealed === undefined) return { stored };
  try {
    return {
      stored,
      text: String(vault.open(stored.sealed, lineContext(item.pk, stored.chain, stored.seq))),
    };
  } catch {
    // Its key was erased, or somebody changed it, which `verifyChains` tells: one line must not hide the others.
    return { stored };
  }
};

const noticeItem = (owner: string, notice: Notice): Item => ({
  pk: owner,
  sk: `NOTICE#${notice.id}`,
  notice,
  state: 'pending',
  attempts: [],
  louder: false,
  version: 0,
  trail: { seq: 0, head: '' },
  ...owedKey(owner, notice, notice.at),
});

const owedIn: OwedKey = (lane, id, at) => ({
  owedPk: `${lane === 'chatter' ? 'CHATTER' : 'OWED'}#${shardOf(id)}`,
  owedAt: pad(at),
});

/** Chatter is owed in partitions of its own, so that what is left undone of it never stands before an alert. */
const owedKey = (owner: string, notice: Notice, at: Instant): { owedPk: string; owedAt: string } =>
  owedIn(laneOf(notice.kind), `${owner}${notice.id}`, at);

/** Counters that expire: of a flood, a budget, a day's spending, a vendor's health. */
const counterWrite = ({ name, add, expires, was }: Counting): Write => ({
  patch: { pk: `COUNT#${name}`, sk: 'COUNT' },
  set: { expiresAt: seconds(expires) },
  add: { ...add },
  ...(was ? { if: was.n === 0 ? { lacks: [was.key] } : { equals: { [was.key]: was.n } } } : {}),
});

const lineItem = (owner: string, line: StoredLine): Item => ({
  pk: owner,
  sk: `LINE#${line.chain}#${String(line.seq).padStart(6, '0')}`,
  ...line,
});

/**
 * Names an attempt so that its receipt leads back without another index: incident (or REJECTED), notice, number.
 * The vendor carries it through, veiled, as OutId.
 */
export const attemptIdOf = (owner: string, noticeId: string, n: number): string =>
  `${owner === REJECTS_OWNER ? owner : incidentIdOf(owner)}.${noticeId}.${n}`;

/** The store over any table. Seals what is personal, chains the trail, keeps the sparse indexes. */
export const tableStore = (table: Table, secrets: Secrets): Store => {
  let cached: { version: string; members: Member[] } | undefined;

  /** What an item sealed, or undefined when its key was erased. @throws when it was changed or moved here. */
  const unsealed = <T>(vault: Vault, schema: z.ZodType<T>, item: Item): T | undefined => {
    try {
      return schema.parse(vault.open(textOf(item, 'sealed'), `${item.pk}/${item.sk}`));
    } catch (error) {
      if (error instanceof KeyErased) return undefined;
      throw error;
    }
  };
  const open = async <T>(schema: z.ZodType<T>, key: Key): Promise<T | undefined> => {
    const [item, vault] = await Promise.all([table.get(key), secrets.vault()]);
    return item && unsealed(vault, schema, item);
  };
  const sealedItem = (vault: Vault, key: Key, words: unknown): Item => ({
    ...key,
    sealed: vault.seal(words, `${key.pk}/${key.sk}`),
  });

  const linesOf = (
    incident: Incident,
    lines: readonly Line[],
    vault: Vault,
  ): { items: Write[]; incident: Incident } => {
    const owner = ownerOf(incident.id);
    const { stored, head } = chainLines(owner, 'main', incident.trail, lines, vault);
    return {
      items: stored.map((line) => ({ put: lineItem(owner, line), if: { absent: true } })),
      incident: { ...incident, trail: head },
    };
  };

  /** All writes of one change: they are part of one transaction. */
  const writesOf = async (change: Change, beside: Beside = {}): Promise<Write[]> => {
    const vault = await secrets.vault();
    const { items, incident } = linesOf(change.incident, change.lines, vault);
    const owner = ownerOf(incident.id);
    const at = change.lines[0]?.at ?? incident.receivedAt;
    const row = rowOf(incident, at);
    const remove = [...FIELDS, ...INDEXED].filter((name) => row[name] === undefined);
    const touched = new Set(
      change.lines.flatMap((line) => (['asked', 'told'].includes(line.kind) && line.whom ? [line.whom] : [])),
    );
    for (const notice of change.notices) touched.add(notice.to);
    return [
      {
        patch: incidentKey(incident.id),
        set: row,
        remove,
        if: { equals: { version: incident.version - 1 } },
      },
      ...items,
      ...change.notices.map((notice) => ({
        put: noticeItem(owner, notice),
        if: { absent: true as const },
      })),
      ...(beside.relay
        ? [{ put: relayItem(owner, beside.relay, owedIn), if: { absent: true as const } }]
        : []),
      ...[...touched].map((id) => ({
        put: {
          pk: owner,
          sk: `MEMBER#${id}`,
          memberPk: `MEMBER#${id}`,
          memberAt: `${pad(incident.receivedAt)}#${incident.id}`,
        },
      })),
      ...(beside.picks
        ? [{ put: sealedItem(vault, { pk: owner, sk: 'PICKS' }, beside.picks satisfies Picks) }]
        : []),
      ...(beside.reasons ? [{ put: sealedItem(vault, { pk: owner, sk: 'REASONS' }, beside.reasons) }] : []),
      ...(beside.report
        ? [
            {
              put: sealedItem(
                vault,
                { pk: owner, sk: `REPORT#${String(incident.reports).padStart(4, '0')}` },
                beside.report,
              ),
            },
          ]
        : []),
      ...(beside.history?.keys ?? []).map((key) => ({
        put: sealedItem(
          vault,
          { pk: `HIST#${key}`, sk: `${pad(incident.receivedAt)}#${incident.id}` },
          { ...beside.history?.kept, sketch: packed(beside.history?.kept.sketch ?? []) },
        ),
      })),
      ...(beside.correction
        ? [
            {
              put: {
                ...sealedItem(
                  vault,
                  { pk: owner, sk: `CORRECTION#${pad(beside.correction.at)}` },
                  beside.correction,
                ),
                monthPk: `CORRECTIONS#${month(beside.correction.at)}`,
                monthAt: `${pad(beside.correction.at)}#${incident.id}`,
              },
            },
          ]
        : []),
      ...(beside.idempotencyKey
        ? [
            {
              put: {
                pk: owner,
                sk: `KEY#${beside.idempotencyKey}`,
                expiresAt: seconds(at + KEY_DAYS * DAY_MS),
              },
            },
          ]
        : []),
    ];
  };

  const rows = async (keys: readonly Item[]): Promise<Incident[]> =>
    (await table.getMany(keys.map((key) => ({ pk: key.pk, sk: 'INCIDENT' })))).map(toIncident);

  return {
    async create(fresh, content, lines) {
      const vault = await secrets.vault();
      const { items, incident } = linesOf(fresh, lines, vault);
      const written = await table.write([
        { put: { pk: `CALL#${incident.callNo}`, sk: 'CALL', incidentId: incident.id }, if: { absent: true } },
        {
          put: { ...incidentKey(incident.id), ...rowOf(incident, incident.receivedAt) },
          if: { absent: true },
        },
        { put: sealedItem(vault, contentKey(incident.id), content) },
        ...items,
      ]);
      if (written.ok) return { created: true, incidentId: incident.id };
      const first = written.item?.incidentId;
      if (written.index !== 0 || typeof first !== 'string')
        throw new Error(`The incident ${incident.id} exists already.`);
      return { created: false, incidentId: first };
    },

    async load(id) {
      const item = await table.get(incidentKey(id));
      if (!item) return undefined;
      const parked = parkedSchema.safeParse(item);
      return {
        incident: toIncident(item),
        ...(parked.success ? { parked: { token: parked.data.wakeToken, rung: parked.data.wakeRung } } : {}),
      };
    },

    async dossier(id) {
      const [items, vault] = await Promise.all([
        table.query({ pk: ownerOf(id), consistent: true }),
        secrets.vault(),
      ]);
      const row = items.find(({ sk }) => sk === 'INCIDENT');
      if (!row) return undefined;
      const part = <T>(sk: string, schema: z.ZodType<T>): T | undefined => {
        const item = items.find((one) => one.sk === sk);
        return item && unsealed(vault, schema, item);
      };
      const all = (prefix: string): Item[] => items.filter(({ sk }) => sk.startsWith(prefix));
      const content = part('CONTENT', contentSchema);
      const picks = part('PICKS', picksSchema);
      return {
        incident: toIncident(row),
        ...(content ? { content } : {}),
        reports: all('REPORT#').flatMap((item) => unsealed(vault, contentSchema, item) ?? []),
        lines: all('LINE#').map((item) => toLine(item, vault)),
        ...(picks ? { picks } : {}),
        reasons: part('REASONS', reasonsSchema) ?? [],
        notices: all('NOTICE#').map((item) => noticeRowSchema.parse(item)),
      };
    },

    content: (id) => open(contentSchema, contentKey(id)),
    picks: (id) => open(picksSchema, { pk: ownerOf(id), sk: 'PICKS' }),
    reasons: async (id) => (await open(reasonsSchema, { pk: ownerOf(id), sk: 'REASONS' })) ?? [],

    async reports(id) {
      const vault = await secrets.vault();
      const items = await table.query({ pk: ownerOf(id), startsWith: 'REPORT#', consistent: true });
      return items.flatMap((item) => unsealed(vault, contentSchema, item) ?? []);
    },

    async lines(id) {
      const vault = await secrets.vault();
      const items = await table.query({ pk: ownerOf(id), startsWith: 'LINE#', consistent: true });
      return items.map((item) => toLine(item, vault));
    },

    async notices(owner) {
      const items = await table.query({ pk: owner, startsWith: 'NOTICE#', consistent: true });
      return items.map((item) => noticeRowSchema.parse(item));
    },

    async done(id, idempotencyKey) {
      return (await table.get({ pk: ownerOf(id), sk: `KEY#${idempotencyKey}` })) !== undefined;
    },

    async commit(change, beside) {
      return (await table.write(await writesOf(change, beside))).ok;
    },

    async commitBoth(first, second, beside, besideSecond) {
      const writes = await Promise.all([writesOf(first, beside), writesOf(second, besideSecond)]);
      return (await table.write(writes.flat())).ok;
    },

    async around(at, reach, limit) {
      /** The first `limit` of two bounds on the way from `at`, whatever month they lie in. */
      const towards = async (end: Instant, from: string, to: string): Promise<Item[]> => {
        const months = [...new Set([month(at), month(end)])];
        const found = await Promise.all(
          months.map((of) =>
            table.query({ index: 'byMonth', pk: `MONTH#${of}`, from, to, descending: end < at, limit }),
          ),
        );
        return found.flat().slice(0, limit);
      };
      // Behind every id of that millisecond.
      const here = `${pad(at)}~`;
      const [before, after] = await Promise.all([
        towards(at - reach, pad(at - reach), here),
        towards(at + reach, here, `${pad(at + reach)}~`),
      ]);
      return [...after.toReversed(), ...before].map(({ pk }) => pk.slice('INC#'.length));
    },

    async told(ids) {
      if (ids.length === 0) return [];
      const keys = ids.map((id) => [incidentKey(id), contentKey(id)] as const);
      const [items, vault] = await Promise.all([table.getMany(keys.flat()), secrets.vault()]);
      const found = new Map(items.map((item) => [`${item.pk}/${item.sk}`, item]));
      return keys.flatMap(([rowKey, sealedKey]) => {
        const row = found.get(`${rowKey.pk}/${rowKey.sk}`);
        const sealed = found.get(`${sealedKey.pk}/${sealedKey.sk}`);
        // A row that is broken is somebody's to mend, but not of whoever looks at others.
        const incident = row && parsedRow(row);
        if (!incident?.success || !sealed || isUnclassified(incident.data)) return [];
        const content = unsealed(vault, contentSchema, sealed);
        return content ? [{ incident: incident.data, content }] : [];
      });
    },

    async workflowStarted(id, round) {
      // Beside the version: starting a workflow decides nothing, and must not make a person's tap decide again.
      await table.write([
        {
          patch: incidentKey(id),
          set: { workflow: 'started' },
          remove: ['owedPk', 'owedAt'],
          if: { equals: { round, workflow: 'owed' } },
        },
      ]);
    },

    async notice(owner, id) {
      const item = await table.get({ pk: owner, sk: `NOTICE#${id}` });
      return item ? noticeRowSchema.parse(item) : undefined;
    },

    async step(owner, row, step) {
      const lines: Line[] = step.facts
        ? [
            {
              at: step.at,
              kind: 'notice',
              by: 'system',
              whom: row.notice.to,
              facts: { state: step.to, notice: row.notice.kind, ...step.facts },
              ...(row.notice.rung ? { rung: row.notice.rung } : {}),
            },
          ]
        : [];
      const { stored, head } = chainLines(owner, row.notice.id, row.trail, lines, await secrets.vault());
      const after: NoticeRow = {
        ...row,
        state: step.to,
        version: row.version + 1,
        trail: { seq: head.seq, head: head.head },
        ...(step.attempts ? { attempts: step.attempts } : {}),
        ...(step.louder === undefined ? {} : { louder: step.louder }),
        ...(step.over === undefined ? {} : { over: step.over }),
      };
      if (step.owedAt === undefined) delete after.owedAt;
      else if (typeof step.owedAt === 'number') after.owedAt = step.owedAt;
      const { notice, owedAt: _, ...fields } = after;
      const written = await table.write([
        {
          patch: { pk: owner, sk: `NOTICE#${notice.id}` },
          set: {
            ...fields,
            ...(typeof step.owedAt === 'number' ? owedKey(owner, notice, step.owedAt) : {}),
          },
          remove: step.owedAt === undefined ? ['owedPk', 'owedAt'] : [],
          if: { equals: { version: row.version } },
        },
        ...stored.map((one) => ({ put: lineItem(owner, one), if: { absent: true as const } })),
        ...(step.counters ?? []).map(counterWrite),
      ]);
      return written.ok ? after : undefined;
    },

    ...relayRows(table, owedIn),

    async byAttempt(attemptId) {
      const parts = /^([0-9A-Z]{26}|REJECTED)\.(.+)\.\d+$/.exec(attemptId);
      const [, id, noticeId] = parts ?? [];
      return id && noticeId ? { owner: id === REJECTS_OWNER ? id : ownerOf(id), noticeId } : undefined;
    },

    async owed(before) {
      const found = await Promise.all(
        [...shards('OWED'), ...shards('CHATTER')].map((pk) =>
          table.query({ index: 'owed', pk, to: pad(before), limit: 200 }),
        ),
      );
      const items: Owed[] = [];
      for (const key of found.flat()) {
        const since = Number(key.owedAt);
        if (key.sk.startsWith('NOTICE#') || key.sk.startsWith('RELAY#'))
          items.push({
            kind: 'notice',
            owner: key.pk,
            noticeId: key.sk.slice(key.sk.indexOf('#') + 1),
            lane: textOf(key, 'owedPk').startsWith('CHATTER#') ? 'chatter' : 'alerts',
            since,
          });
        else {
          // An index may lag behind; the row says what is owed now.
          const item = await table.get({ pk: key.pk, sk: key.sk });
          if (!item?.owedPk) continue;
          const incidentId = incidentIdOf(key.pk);
          // In triage it is received as well, but what it owes then is a workflow.
          if (item.state === 'received' && item.classification === undefined)
            items.push({ kind: 'report', incidentId, since });
          else if (item.workflow === 'owed') items.push({ kind: 'workflow', incidentId, since });
          // Looked at as it lies there: a row that is broken must not hide what others owe.
          else if (Array.isArray(item.joins) && item.joins.length > 0)
            items.push({ kind: 'joins', incidentId, since });
        }
      }
      return items;
    },

    async openAlerts() {
      const found = await Promise.all(
        shards('OWED').map((pk) => table.query({ index: 'owed', pk, limit: 200 })),
      );
      const keys = found.flat().filter(({ sk }) => sk.startsWith('NOTICE#'));
      return (await table.getMany(keys)).flatMap((item) => {
        // An index may lag behind: the row says whether it is still owed.
        const row = item.owedPk === undefined ? undefined : noticeRowSchema.safeParse(item).data;
        return row ? [{ owner: item.pk, row }] : [];
      });
    },

    async overdue(before) {
      const found = await Promise.all(
        shards('OPEN').map((pk) => table.query({ index: 'open', pk, to: pad(before), limit: 200 })),
      );
      return found.flat().map((key) => ({ incidentId: incidentIdOf(key.pk), due: Number(key.openAt) }));
    },

    async list({ now, before, state, member, limit }) {
      const items: Incident[] = [];
      let looked = 0;
      const index = member === undefined ? 'byMonth' : 'byMember';
      const cursorOf = (key: Item): string => textOf(key, INDEX_KEYS[index].sk);
      const atOnce = (state === undefined ? limit : Math.max(limit, LOOK)) + 1;
      const partitions =
        member !== undefined
          ? [`MEMBER#${member}`]
          : Array.from({ length: MONTHS }, (_, i) => {
              const from = before === undefined ? now : Number(before.split('#')[0]);
              const first = new Date(from);
              return `MONTH#${month(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() - i, 1))}`;
            });
      let to = before;
      for (const pk of partitions) {
        for (;;) {
          const page = await table.query({
            index,
            pk,
            ...(to === undefined ? {} : { to }),
            descending: true,
            limit: atOnce,
          });
          const last = page.at(-1);
          const keys = page.filter((key) => cursorOf(key) !== to);
          for (const incident of await rows(keys)) {
            if (state !== undefined && incident.state !== state) continue;
            const full = items.at(-1);
            if (items.length === limit && full) return { items, next: `${pad(full.receivedAt)}#${full.id}` };
            items.push(incident);
          }
          if (page.length < atOnce || !last) break;
          to = cursorOf(last);
          looked += page.length;
          if (looked >= MOST_LOOKED) return { items, next: to };
        }
      }
      return { items };
    },

    async history(key, since, limit) {
      const [items, vault] = await Promise.all([
        table.query({ pk: `HIST#${key}`, from: pad(since), descending: true, limit }),
        secrets.vault(),
      ]);
      return items.map((item) => {
        const kept = unsealed(vault, keptSchema, item);
        return {
          incidentId: String(item.sk.split('#')[1]),
          at: Number(item.sk.split('#')[0]),
          ...(kept === undefined ? {} : { kept }),
        };
      });
    },

    async corrections(of) {
      const [keys, vault] = await Promise.all([
        table.query({ index: 'byMonth', pk: `CORRECTIONS#${of}` }),
        secrets.vault(),
      ]);
      const items = await table.getMany(keys.map(({ pk, sk }) => ({ pk, sk })));
      return items.flatMap((item) => unsealed(vault, correctionSchema, item) ?? []);
    },

    async reject(rejected, notices) {
      const vault = await secrets.vault();
      const key = { pk: REJECTS_OWNER, sk: `MESSAGE#${pad(rejected.at)}#${rejected.id}` };
      await table.write([
        { put: sealedItem(vault, key, rejected satisfies Rejected) },
        ...notices.map((notice) => ({ put: noticeItem(REJECTS_OWNER, notice) })),
      ]);
    },

    async announce(notices) {
      for (const notice of notices)
        await table.write([{ put: noticeItem(REJECTS_OWNER, notice), if: { absent: true } }]);
    },

    async rejected(before, limit) {
      const vault = await secrets.vault();
      const prefix = 'MESSAGE#';
      const page = await table.query({
        pk: REJECTS_OWNER,
        from: prefix,
        to: before === undefined ? `${prefix}~` : `${prefix}${before}`,
        descending: true,
        limit: limit + 2,
      });
      const items = page.filter((item) => item.sk !== `${prefix}${before}`).slice(0, limit + 1);
      const last = items[limit - 1];
      return {
        items: items.slice(0, limit).flatMap((item) => unsealed(vault, rejectedSchema, item) ?? []),
        ...(items.length > limit && last ? { next: last.sk.slice(prefix.length) } : {}),
      };
    },

    async tally(name, expires) {
      await table.write([counterWrite({ name, add: { n: 1 }, expires })]);
      return Number((await table.get({ pk: `COUNT#${name}`, sk: 'COUNT' }))?.n ?? 1);
    },

    async count(counting) {
      await table.write([counterWrite(counting)]);
    },

    async counters(name) {
      const item = await table.get({ pk: `COUNT#${name}`, sk: 'COUNT' });
      return Object.fromEntries(
        Object.entries(item ?? {}).flatMap(([key, n]) =>
          typeof n === 'number' && key !== 'expiresAt' ? [[key, n]] : [],
        ),
      );
    },

    async countCode(code, at) {
      await table.write([{ patch: { pk: 'CODES', sk: `CODE#${code}` }, set: { lastAt: at }, add: { n: 1 } }]);
    },

    async unknownCodes() {
      const items = await table.query({ pk: 'CODES', limit: MOST_LOOKED });
      return items
        .map(({ sk, n, lastAt }) => ({
          code: sk.slice('CODE#'.length),
          times: Number(n),
          lastAt: Number(lastAt),
        }))
        .sort((a, b) => b.lastAt - a.lastAt || (a.code < b.code ? -1 : 1))
        .slice(0, 100);
    },

    async roster() {
      const current = await table.get({ pk: 'ROSTER', sk: 'CURRENT' });
      const version = typeof current?.version === 'string' ? current.version : undefined;
      if (version === undefined) return [];
      if (cached?.version !== version) {
        const items = await table.query({ pk: `ROSTER#${version}`, consistent: true });
        cached = { version, members: items.map((item) => memberSchema.parse(item.member)) };
      }
      return cached.members;
    },

    async saveRoster(members, at) {
      const before = (await table.get({ pk: 'ROSTER', sk: 'CURRENT' }))?.version;
      // Two that are loaded at the same instant must not be written into each other.
      const version = `${pad(at)}-${randomBytes(4).toString('hex')}`;
      for (let i = 0; i < members.length; i += 90)
        await table.write(
          members.slice(i, i + 90).map((member) => ({
            put: { pk: `ROSTER#${version}`, sk: `MEMBER#${member.id}`, member },
          })),
        );
      // Expired, not deleted: whoever has just read the old version still finds all of it.
      const expire = async (old: string): Promise<void> => {
        const keys = await table.query({ pk: `ROSTER#${old}`, consistent: true });
        for (let i = 0; i < keys.length; i += 90)
          await table.write(
            keys.slice(i, i + 90).map(({ pk, sk }) => ({
              patch: { pk, sk },
              set: { expiresAt: seconds(at + OLD_ROSTER_MS) },
              if: { present: true },
            })),
          );
      };
      // The switch is one write: before it everybody sees the old roster, after it everybody the new one.
      const switched = await table.write([
        {
          put: { pk: 'ROSTER', sk: 'CURRENT', version },
          if: typeof before === 'string' ? { equals: { version: before } } : { absent: true },
        },
      ]);
      if (!switched.ok) {
        await expire(version);
        throw new Error('Somebody else loaded a roster at the same time; look at theirs and try again.');
      }
      if (typeof before === 'string') await expire(before);
    },

    async beat(at) {
      await table.write([{ put: { pk: 'FEEDER', sk: 'BEAT', at } }]);
    },

    async lastBeat() {
      const item = await table.get({ pk: 'FEEDER', sk: 'BEAT' });
      return typeof item?.at === 'number' ? item.at : undefined;
    },

    async heads(of) {
      const keys = await table.query({ index: 'byMonth', pk: `MONTH#${of}` });
      return (await rows(keys)).map(({ id, trail }) => ({
        incidentId: id,
        seq: trail.seq,
        head: trail.head,
      }));
    },
  };
};
