import { describeSender } from './sender-contract.ts';
import { VENDORS_A } from './vendors-a.ts';

for (const vendor of VENDORS_A) describeSender(vendor);
