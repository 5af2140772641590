import { loadTexts } from '#shared/districts/load.ts';
import { sampleAccounts } from '../../infra/local/phones/sample-accounts.ts';

/**
 * All emulated vendors beside Aliyun's texts, on every machine of the stories unless one brings its own; and the sections of a secret
 * that open them. A story names the sections it wants: a vendor nobody has a key for is never called.
 */
export const SAMPLE = sampleAccounts(loadTexts());
