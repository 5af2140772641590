// Secrets Manager in one file of the data directory, readable by its owner only. AWS JSON 1.1, the calls our functions make.
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import * as z from 'zod';

const storedSchema = z.object({
  arn: z.string(),
  name: z.string(),
  createdAt: z.number(),
  versionId: z.string(),
  value: z.string(),
});
type Stored = z.infer<typeof storedSchema>;

/** An answer of the service; `status` 400 carries `__type`. */
export interface Answer {
  status: number;
  body: Record<string, unknown>;
}

/** The secrets of one stack. */
export class Secrets {
  readonly #file: string;
  readonly #now: () => number;
  readonly #stored: Stored[];

  /** @param now the clock that dates new versions. */
  constructor(file: string, now: () => number) {
    this.#file = file;
    this.#now = now;
    this.#stored = existsSync(file) ? storedSchema.array().parse(JSON.parse(readFileSync(file, 'utf8'))) : [];
  }

  /** Keeps the stored value, else stores the first one. Returns the text in force. */
  ensure(arn: string, name: string, first: () => string): string {
    const known = this.#stored.find((secret) => secret.arn === arn);
    if (known) return known.value;
    const value = first();
    this.#stored.push({ arn, name, createdAt: this.#now(), versionId: randomUUID(), value });
    this.#save();
    return value;
  }

  /** Does one call, `GetSecretValue`, `PutSecretValue` or `DescribeSecret`. */
  answer(action: string, input: Record<string, unknown>): Answer {
    const secret = this.#stored.find(
      ({ arn, name }) => input['SecretId'] === arn || input['SecretId'] === name,
    );
    if (!['GetSecretValue', 'PutSecretValue', 'DescribeSecret'].includes(action)) {
      return fault('UnknownOperationException', `The local cloud does not do ${action}.`);
    }
    if (!secret)
      return fault('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
    const head = { ARN: secret.arn, Name: secret.name };
    const CreatedDate = secret.createdAt / 1000;
    switch (action) {
      case 'GetSecretValue': {
        const { value: SecretString, versionId: VersionId } = secret;
        return {
          status: 200,
          body: { ...head, CreatedDate, SecretString, VersionId, VersionStages: ['AWSCURRENT'] },
        };
      }
      case 'PutSecretValue': {
        if (typeof input['SecretString'] !== 'string')
          return fault('InvalidParameterException', 'SecretString is needed.');
        secret.value = input['SecretString'];
        secret.versionId = randomUUID();
        secret.createdAt = this.#now();
        this.#save();
        return { status: 200, body: { ...head, VersionId: secret.versionId, VersionStages: ['AWSCURRENT'] } };
      }
      default:
        return {
          status: 200,
          body: { ...head, CreatedDate, VersionIdsToStages: { [secret.versionId]: ['AWSCURRENT'] } },
        };
    }
  }

  #save(): void {
    writeFileSync(`${this.#file}.new`, JSON.stringify(this.#stored), { mode: 0o600 });
    renameSync(`${this.#file}.new`, this.#file);
  }
}

function fault(type: string, message: string): Answer {
  return { status: 400, body: { __type: type, Message: message } };
}
