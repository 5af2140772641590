import { expect, test } from 'vitest';
import { vendorsSchema } from '#shared/domain/vendors.ts';
import { VENDORS } from '#shared/domain/channel.ts';
import table from '../../shared/districts/vendors.json' with { type: 'json' };
import { describeSender } from './sender-contract.ts';
import { TEXT_AND_CALL_VENDORS } from './text-and-call-vendors.ts';
import { CHAT_AND_PUSH_VENDORS } from './chat-and-push-vendors.ts';

const ALL = [...TEXT_AND_CALL_VENDORS, ...CHAT_AND_PUSH_VENDORS];

for (const vendor of ALL) describeSender(vendor);

test('every vendor is under test, and the table says of each what is shown here', () => {
  const { vendors } = vendorsSchema.parse(table);
  expect(ALL.map(({ vendor }) => vendor).toSorted()).toEqual([...VENDORS].toSorted());
  for (const { vendor, calls, afterwards } of ALL) {
    const can = afterwards.arrived.kind === 'known' ? afterwards.arrived.state : 'nothing';
    expect({ vendor, query: calls.ask !== undefined }).toEqual({ vendor, query: vendors[vendor]?.query });
    // Who can be asked has to know the end; the others may be told it, or never learn it.
    if (vendors[vendor]?.query) expect({ vendor, can }).toEqual({ vendor, can: 'delivered' });
  }
});
