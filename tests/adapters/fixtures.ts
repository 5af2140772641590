import { newDistrictSecret } from '#shared/adapters/new-district-secret.ts';
import { givenSecrets } from '#shared/adapters/secrets.ts';
import { tableStore } from '#shared/adapters/store.ts';
import { ulidAt } from '#shared/adapters/system.ts';
import { draft, finish, notify, write, type Change } from '#shared/domain/draft.ts';
import { NO_HANDS } from '#shared/domain/hands.ts';
import { receive, type Incident, type Instant } from '#shared/domain/incident.ts';
import type { Line } from '#shared/domain/trail.ts';
import type { Content, Store } from '#shared/ports/store.ts';
import type { Item, Table } from '#shared/ports/table.ts';

/** A quiet morning in Beijing; everything here happens after it. */
export const T0: Instant = Date.parse('2026-03-04T02:00:00.000Z');

/** A sample district's secret. */
export const SECRET = newDistrictSecret({
  accessKeyId: 'sample',
  accessKeySecret: 'sample',
  signName: '样例',
});

/** The store as the functions have it, over a given table. */
export const storeOn = (table: Table, secret = SECRET): Store => tableStore(table, givenSecrets(secret));

let made = 0;
/** An id as intake gives it. */
export const anId = (at: Instant = T0): string => {
  made += 1;
  return ulidAt(at, Buffer.from(made.toString(16).padStart(20, '0'), 'hex'));
};

/** What a caller said; every word of it is invented, and none of it may ever be readable in the table. */
export const CONTENT: Content = {
  callNo: 'SAMPLE-1',
  calledAt: T0 - 30_000,
  caller: { name: '欧阳样例', phone: '16600001234' },
  address: '和睦路987号6幢302室',
  location: { lng: 120.139, lat: 30.315 },
  content: '楼上邻居半夜装修，孩子睡不着，请来协调一下。',
  receivedAt: T0,
};

/** Parts of CONTENT that must not be found anywhere. */
export const PERSONAL = ['欧阳样例', '16600001234', '987号', '302室', '半夜装修', '孩子睡不着'];

/** A received incident. */
export const anIncident = (
  more: Partial<Pick<Incident, 'id' | 'callNo' | 'receivedAt' | 'mode'>> = {},
): Incident => {
  const receivedAt = more.receivedAt ?? T0;
  const id = more.id ?? anId(receivedAt);
  return receive({
    id,
    callNo: more.callNo ?? `SAMPLE-${id}`,
    district: 'xiaohe',
    receivedAt,
    calledAt: receivedAt - 30_000,
    secret: false,
    mode: more.mode ?? 'peace',
  });
};

/** Takes an incident in, as intake does, and gives it back as loaded. */
export const takeIn = async (store: Store, incident = anIncident(), content = CONTENT): Promise<Incident> => {
  await store.create(incident, { ...content, callNo: incident.callNo }, [
    { at: incident.receivedAt, kind: 'received', by: '110' },
  ]);
  return reload(store, incident.id);
};

/** The incident as it stands now. */
export const reload = async (store: Store, id: string): Promise<Incident> => {
  const loaded = await store.load(id);
  if (!loaded) throw new Error(`There is no incident ${id}.`);
  return loaded.incident;
};

/** Any change of an incident: `alter` works on a copy, lines and notices as given. */
export const changed = (
  incident: Incident,
  alter: (copy: Incident) => void,
  lines: readonly Omit<Line, 'at'>[] = [{ kind: 'noted', by: 'm-001' }],
  told: readonly string[] = [],
  at: Instant = T0 + 1_000,
): Change => {
  const d = draft(incident, NO_HANDS, at);
  alter(d.incident);
  for (const line of lines) write(d, line);
  for (const to of told) notify(d, to, 'ask', 'accept');
  return finish(d);
};

/** Size of an item as DynamoDB counts it: names, values, and three bytes and one per element for a list or map. Bytes. */
export const sizeOf = (item: Item): number => fields(item);
const fields = (map: object): number =>
  Object.entries(map).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + valueSize(value), 0);
const valueSize = (value: unknown): number => {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (typeof value === 'number') return Math.ceil(String(value).replace(/\D/g, '').length / 2) + 1;
  if (value instanceof Set) return [...value].reduce<number>((sum, one) => sum + valueSize(one), 3);
  if (Array.isArray(value)) return value.reduce<number>((sum, one) => sum + 1 + valueSize(one), 3);
  if (typeof value === 'object' && value !== null) return 3 + Object.keys(value).length + fields(value);
  return 1;
};
