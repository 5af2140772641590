import { Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/**
 * Accepts one finding of cdk-nag on one resource, with the reason a reviewer is owed.
 * A test lists every exception of the whole app, so a new one is seen in review. Never put one on a stack.
 */
export const accept = (resource: IConstruct, finding: string, reason: string): void =>
  Validations.of(resource).acknowledge({ id: finding, reason });
