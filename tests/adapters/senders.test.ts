import { describeSender } from './sender-contract.ts';
import { VENDORS_A } from './vendors-a.ts';
import { VENDORS_B } from './vendors-b.ts';

for (const vendor of [...VENDORS_A, ...VENDORS_B]) describeSender(vendor);
