import { CfnOutput, RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, BillingMode, ProjectionType, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb';
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { PolicyStatement as Statement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { DistrictKey } from './district-key.ts';
import type { VerbFunction } from './verb-function.ts';

/** Sparse indexes: partition attribute, sort attribute. KEYS_ONLY, because a page re-reads the rows it shows anyway. */
const INDEXES = {
  owed: ['owedPk', 'owedAt'],
  open: ['openPk', 'openAt'],
  byMember: ['memberPk', 'memberAt'],
  byMonth: ['monthPk', 'monthAt'],
} as const;

const READ = ['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:Query'];
// No DeleteItem: the trail is append-only, and what is no longer owed loses an attribute, not its row.
const COMMIT = ['dynamodb:ConditionCheckItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'];

/** The district's one table. It survives its stack, refuses deletion, and can be set back to any second of 35 days. */
export class IncidentTable extends Construct {
  readonly table: Table;
  readonly #key: DistrictKey;

  constructor(scope: Construct, id: string, props: { key: DistrictKey }) {
    super(scope, id);
    this.#key = props.key;
    // `Table`, not `TableV2`: a global table is missing in China, and the local cloud knows AWS::DynamoDB::Table.
    this.table = new Table(this, 'Table', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      encryption: TableEncryption.CUSTOMER_MANAGED,
      encryptionKey: props.key.key,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      timeToLiveAttribute: 'expiresAt',
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    for (const [indexName, [partition, sort]] of Object.entries(INDEXES))
      this.table.addGlobalSecondaryIndex({
        indexName,
        partitionKey: { name: partition, type: AttributeType.STRING },
        sortKey: { name: sort, type: AttributeType.STRING },
        projectionType: ProjectionType.KEYS_ONLY,
      });
    new CfnOutput(this, 'Name', { key: 'TableName', value: this.table.tableName });
  }

  /** Lets a function look at incidents and change nothing. */
  grantRead(fn: VerbFunction): void {
    this.#grant(fn, READ);
  }

  /** Lets a function commit moves: the incident row, its trail line and its notices in one transaction. */
  grantCommit(fn: VerbFunction): void {
    this.#grant(fn, [...READ, ...COMMIT]);
  }

  /** Lets the workflow read its row and park its token on it. */
  grantParking(role: { addToPrincipalPolicy(statement: PolicyStatement): unknown }): void {
    role.addToPrincipalPolicy(
      new Statement({
        actions: ['dynamodb:GetItem', 'dynamodb:UpdateItem'],
        resources: [this.table.tableArn],
      }),
    );
    this.#key.grantUse(role);
  }

  #grant(fn: VerbFunction, actions: string[]): void {
    // Index by index: `index/*` would be a wildcard for no gain.
    const indexes = Object.keys(INDEXES).map((name) => `${this.table.tableArn}/index/${name}`);
    fn.role.addToPrincipalPolicy(new Statement({ actions, resources: [this.table.tableArn, ...indexes] }));
    this.#key.grantUse(fn.role);
    fn.setting('TABLE_NAME', this.table.tableName);
  }
}
