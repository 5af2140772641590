import type { Memos } from '../ports/memos.ts';
import type { Table } from '../ports/table.ts';

/** Memos in the district's table, each an item of its own that the table itself removes some time after it has expired. */
export const tableMemos = (table: Table): Memos => ({
  async read(name, now) {
    const item = await table.get({ pk: `MEMO#${name}`, sk: 'MEMO' });
    if (!item || (typeof item.until === 'number' && item.until <= now)) return undefined;
    if (typeof item.value !== 'string') throw new Error(`The memo ${name} has no value.`);
    return { value: JSON.parse(item.value), version: Number(item.version) };
  },
  async write(name, { version, value, expires }, now) {
    const put = {
      pk: `MEMO#${name}`,
      sk: 'MEMO',
      value: JSON.stringify(value),
      version: version + 1,
      ...(expires === undefined ? {} : { until: expires, expiresAt: Math.ceil(expires / 1000) }),
    };
    if (version > 0) return (await table.write([{ put, if: { equals: { version } } }])).ok;
    const written = await table.write([{ put, if: { absent: true } }]);
    if (written.ok) return true;
    // One whose time is over is as good as none, though the table has not removed it yet.
    const old = written.item;
    if (typeof old?.until !== 'number' || old.until > now || typeof old.version !== 'number') return false;
    return (await table.write([{ put, if: { equals: { version: old.version } } }])).ok;
  },
});
