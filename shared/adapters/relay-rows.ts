import { relayLane, relayRowSchema, type Relay, type RelayRow } from '../domain/relay.ts';
import type { RelayStepped } from '../ports/store.ts';
import type { Item, Key, Table, Value } from '../ports/table.ts';

/** The attributes by which owed work of an instant is found. */
export type OwedKey = (
  lane: 'alerts' | 'chatter',
  id: string,
  at: number,
) => Record<'owedPk' | 'owedAt', string>;

const keyOf = (owner: string, relay: Relay): Key => ({ pk: owner, sk: `RELAY#${relay.id}` });

/** A message to the 110 centre as it is first written, owed at once. */
export const relayItem = (owner: string, relay: Relay, owed: OwedKey): Item => ({
  ...keyOf(owner, relay),
  relay,
  state: 'owed',
  tries: 0,
  version: 0,
  ...owed(relayLane(relay.kind), `${owner}${relay.id}`, relay.at),
});

/** Reads and steps messages to the 110 centre. */
export const relayRows = (table: Table, owed: OwedKey) => ({
  async relays(owner: string): Promise<RelayRow[]> {
    const items = await table.query({ pk: owner, startsWith: 'RELAY#', consistent: true });
    return items.map((item) => relayRowSchema.parse(item));
  },

  async stepRelay(owner: string, row: RelayRow, step: RelayStepped): Promise<RelayRow | undefined> {
    const { owedAt, ...fields } = step;
    const set: Record<string, Value> = { ...fields, version: row.version + 1 };
    const written = await table.write([
      {
        patch: keyOf(owner, row.relay),
        set: {
          ...set,
          ...(typeof owedAt === 'number'
            ? owed(relayLane(row.relay.kind), `${owner}${row.relay.id}`, owedAt)
            : {}),
        },
        remove: owedAt === undefined ? ['owedPk', 'owedAt'] : [],
        if: { equals: { version: row.version } },
      },
    ]);
    if (!written.ok) return undefined;
    const { owedAt: before, ...kept } = row;
    const next = owedAt === 'same' ? before : owedAt;
    return { ...kept, ...fields, version: row.version + 1, ...(next === undefined ? {} : { owedAt: next }) };
  },
});
