/** A price of AWS, US dollars, us-east-1, on demand, without the free tier. */
export interface Price {
  what: string;
  dollars: number;
  /** For so many. */
  per: number;
  unit: string;
  source: string;
  /** When the source was read or says it was. */
  read: string;
}

/** What an incident uses. China regions have other prices, in yuan; the ratio between the parts is alike. */
export const PRICES = {
  transitions: {
    what: 'Step Functions Standard, state transitions',
    dollars: 25,
    per: 1_000_000,
    unit: 'transitions',
    source: 'aws.amazon.com/step-functions/pricing',
    read: '2026-11',
  },
  writes: {
    what: 'DynamoDB on demand, writes',
    dollars: 0.625,
    per: 1_000_000,
    unit: 'write request units',
    source: 'airbyte.com/data-engineering-resources/dynamodb-pricing',
    read: '2026-11',
  },
  reads: {
    what: 'DynamoDB on demand, reads',
    dollars: 0.125,
    per: 1_000_000,
    unit: 'read request units',
    source: 'airbyte.com/data-engineering-resources/dynamodb-pricing',
    read: '2026-11',
  },
  http: {
    what: 'API Gateway, HTTP API',
    dollars: 1,
    per: 1_000_000,
    unit: 'requests',
    source: 'thegarnetwiki.pages.dev/finops/serverless-cost-engineering',
    read: '2026-11',
  },
  invocations: {
    what: 'Lambda, requests',
    dollars: 0.2,
    per: 1_000_000,
    unit: 'invocations',
    source: 'aws.amazon.com/lambda/pricing',
    read: '2026-09-20',
  },
  compute: {
    what: 'Lambda on arm64',
    dollars: 13.3334,
    per: 1_000_000,
    unit: 'GB-seconds',
    source: 'aws.amazon.com/lambda/pricing',
    read: '2026-09-20',
  },
  messages: {
    what: 'SQS standard',
    dollars: 0.4,
    per: 1_000_000,
    unit: 'requests',
    source: 'cloudburn.io/blog/amazon-sqs-pricing',
    read: '2026-03',
  },
  logs: {
    what: 'CloudWatch Logs, ingestion',
    dollars: 0.5,
    per: 1,
    unit: 'GB',
    source: 'duckbillgroup.com (CloudWatch Logs)',
    read: '2026-11',
  },
} as const satisfies Record<string, Price>;

/** Something that is paid for. */
export type Paid = keyof typeof PRICES;

/** Everything that is paid for, in the order of the table. */
export const PAID = [
  'transitions',
  'writes',
  'reads',
  'http',
  'invocations',
  'compute',
  'messages',
  'logs',
] as const satisfies readonly Paid[];

/** An amount for everything that is paid for. */
export const forAllPaid = (amount: (what: Paid) => number): Record<Paid, number> => ({
  transitions: amount('transitions'),
  writes: amount('writes'),
  reads: amount('reads'),
  http: amount('http'),
  invocations: amount('invocations'),
  compute: amount('compute'),
  messages: amount('messages'),
  logs: amount('logs'),
});

/** Dollars for so many units. */
export const dollarsFor = (what: Paid, units: number): number =>
  (units / PRICES[what].per) * PRICES[what].dollars;
