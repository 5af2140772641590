import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { newDistrictSecret, newTokenKey, newWebhookKey } from '#shared/adapters/new-district-secret.ts';
import {
  ACCOUNT_SECTIONS,
  accountSectionSchema,
  districtSecretSchema,
  type AccountSection,
  type DistrictSecret,
} from '#shared/contracts/secret.ts';
import { consent, main, text, type Call, type Command } from './command.ts';
import { completeSecret, readSecretText, type Installation } from './installation.ts';
import { Refused, WrongInput } from './refused.ts';
import {
  beginData,
  beginWebhook,
  cancelWebhook,
  eraseData,
  fieldsOf,
  finishData,
  finishWebhook,
  rotateTokens,
  settled,
  tokenKeyName,
} from './secret-rotation.ts';

const SECTIONS = accountSectionSchema.options.join(', ');

const opinionSchema = z.strictObject({ apiKey: z.string().min(1) });

/** Accounts whose vendors post to us what became of a message, and the last but one part of the path they post to. */
const POSTS: Partial<Record<AccountSection, string>> = {
  aliyunSms: 'aliyun-sms',
  tencentSms: 'tencent-sms',
  aliyunVoice: 'aliyun-voice',
};

/** What has to be done elsewhere for an account to be of use. */
const ALSO: Partial<Record<AccountSection, string>> = {
  sns: "The notifier also needs the right to send texts: 'deploy.snsTexts' in policy.json, then deploy.",
  centre110:
    "Where 110 takes our messages stands in policy.json, 'backTo110'. Give the 110 centre the first key, by a way that nobody else reads.",
};

/** What is lost with an account. */
const WITHOUT: Partial<Record<AccountSection, string>> = {
  centre110:
    "As long as policy.json names 'backTo110', the desk is told of every return after 30 seconds that it has to telephone.",
};

/** Which account is meant; the one that every district has unless another is named. */
const sectionOf = (call: Call): AccountSection => {
  const name = call.positionals[1] ?? 'aliyunSms';
  const found = accountSectionSchema.safeParse(name);
  if (!found.success) throw new WrongInput(`Which account: ${SECTIONS}? Not '${name}'.`);
  return found.data;
};

/** The field, and the form that it should have where the form has words of ours: a message with a value in it would end up in a log. */
const wrong = ({ path, code, message }: z.core.$ZodIssue): string => {
  const field = path.join('.') || 'a field';
  return code === 'custom' || code === 'invalid_format' ? `${field} (${message})` : field;
};

/** From a file, because what stands on a command line can be seen by everybody on the machine. */
const keysOf = <T>(call: Call, schema: z.ZodObject & z.ZodType<T>, what: string): T => {
  const shape = `{ ${Object.entries(schema.shape)
    .map(([name, is]) => {
      const value = is instanceof z.ZodArray ? '["…"]' : '…';
      return `"${name}": ${value}${is instanceof z.ZodOptional ? ' (may be left out)' : ''}`;
    })
    .join(', ')} }`;
  const file = text(call, 'vendor');
  if (file === undefined)
    throw new WrongInput(`--vendor FILE is needed: ${what} as JSON, ${shape}; - reads it from the input.`);
  let parsed;
  try {
    parsed = schema.safeParse(JSON.parse(readFileSync(file === '-' ? 0 : file, 'utf8')));
  } catch {
    throw new WrongInput(`${file} cannot be read as JSON; it should hold ${shape}.`);
  }
  if (!parsed.success)
    throw new WrongInput(
      `${file} should hold ${shape}, and no other fields; wrong: ${parsed.error.issues.map(wrong).join(', ')}.`,
    );
  return parsed.data;
};
const accountOf = (call: Call, section: AccountSection): Partial<DistrictSecret> => ({
  [section]: keysOf(call, z.strictObject(ACCOUNT_SECTIONS[section].shape), `the account ${section}`),
});

/** The whole is checked before it is put: no function may meet a secret that it cannot read. */
const put = async (installation: Installation, secret: DistrictSecret): Promise<void> =>
  installation.secret.write(JSON.stringify(districtSecretSchema.parse(secret)));

const changedAt = async ({ secret }: Installation): Promise<Date> =>
  (await secret.read())?.changedAt ?? new Date(0);

const showKey = (call: Call, key: string): void => {
  if (call.values['print'] === true) call.terminal.out(key);
  else
    call.terminal.err(
      'The new webhook key was not printed (no --print); it is the last of webhookKeys in Secrets Manager.',
    );
};

type Verb = (call: Call, installation: Installation) => Promise<void>;

const init: Verb = async (call, installation) => {
  const { terminal } = call;
  const stored = readSecretText((await installation.secret.read())?.text);
  if (!stored.blank)
    throw new Refused(
      `${installation.name} has a secret already. It is never made anew: everything that was sealed with it would be lost.`,
    );
  const { aliyunSms } = districtSecretSchema.pick({ aliyunSms: true }).parse(accountOf(call, 'aliyunSms'));
  const secret = newDistrictSecret(aliyunSms);
  await put(installation, secret);
  terminal.err(`${installation.name} has a secret. Next:`);
  terminal.err('1. Give the webhook key to the 110 centre, by a way that nobody else reads.');
  terminal.err(
    '2. Give the vendor the address for receipts: <Url>/receipts/aliyun-sms/<receiptToken>, both from the stack and the secret.',
  );
  terminal.err("3. Load the people: 'npm run roster -- load file.csv'.");
  showKey(call, secret.webhookKeys[0] ?? '');
};

const rotateWebhook: Verb = async (call, installation) => {
  const { terminal, values } = call;
  const secret = await completeSecret(installation);
  if (values['finish'] === true) {
    const finished = finishWebhook(secret);
    settled(await changedAt(installation), await installation.now());
    await consent(
      call,
      'Does the 110 centre sign with the new key already? Messages with the old one will be refused.',
    );
    await put(installation, finished);
    return terminal.err('The old key is forgotten; within five minutes it is refused everywhere.');
  }
  if (values['cancel'] === true) {
    await put(installation, cancelWebhook(secret));
    return terminal.err('The new key is forgotten; the old one stays in force.');
  }
  const key = newWebhookKey();
  await put(installation, beginWebhook(secret, key));
  terminal.err('Both keys are accepted, the new one everywhere in five minutes. Next:');
  terminal.err(
    '1. Wait five minutes, then give the new key to the 110 centre; it may change at its own time.',
  );
  terminal.err(
    "2. When it signs with the new key: 'npm run secret -- rotate-webhook --finish' forgets the old one.",
  );
  showKey(call, key);
};

const rotateTokenKeys: Verb = async (call, installation) => {
  const atOnce = call.values['at-once'] === true;
  const secret = await completeSecret(installation);
  if (atOnce) await consent(call, 'Every token ends: all people have to be given a new one. Go on?');
  const now = await installation.now();
  await put(installation, rotateTokens(secret, newTokenKey(tokenKeyName(now)), now, { atOnce }));
  call.terminal.err(
    atOnce
      ? 'Tokens of before end within five minutes.'
      : 'Tokens of before stay good until they expire; their key is forgotten with the next rotation after that.',
  );
  call.terminal.err('New tokens work in five minutes, when all functions know the new key.');
};

const rotateData: Verb = async (call, installation) => {
  const secret = await completeSecret(installation);
  if (call.values['finish'] === true) {
    const finished = finishData(secret);
    settled(await changedAt(installation), await installation.now());
    await put(installation, finished);
    return call.terminal.err(
      `From now on ${finished.dataKeys.current} seals; older keys open what they sealed, until 'erase-data'.`,
    );
  }
  await put(installation, beginData(secret, randomBytes(32).toString('base64')));
  call.terminal.err('A new data key is there, not in use yet: first all functions have to know it. Next:');
  call.terminal.err("Wait five minutes, then 'npm run secret -- rotate-data --finish' seals with it.");
};

const eraseDataKey: Verb = async (call, installation) => {
  const id = call.positionals[1] ?? '';
  const secret = await completeSecret(installation);
  const erased = eraseData(secret, id);
  settled(await changedAt(installation), await installation.now());
  await consent(
    call,
    `Everything that ${id} sealed (callers, contents, words of the trail) becomes unreadable for ever; the trail stays valid. Erase it?`,
  );
  // Twice: Secrets Manager keeps the version before the last one under a name of its own.
  await put(installation, erased);
  await put(installation, erased);
  call.terminal.err(`${id} is erased; functions forget it within five minutes.`);
  call.terminal.err(
    'Secrets Manager removes versions without a name by itself, not before a day has passed; until then an administrator could still read it there.',
  );
};

const setVendor: Verb = async (call, installation) => {
  const section = sectionOf(call);
  const account = accountOf(call, section);
  const secret = await completeSecret(installation);
  const known = secret[section] !== undefined;
  await put(installation, { ...secret, ...account });
  call.terminal.err(
    known
      ? `The account ${section} is changed; keep the old keys valid there for five minutes.`
      : `The account ${section} is in use in five minutes.`,
  );
  const path = POSTS[section];
  if (!known && path !== undefined)
    call.terminal.err(
      `Give the vendor the address for receipts and answers: <Url>/receipts/${path}/<receiptToken>, both from the stack and the secret.`,
    );
  const also = ALSO[section];
  if (!known && also !== undefined) call.terminal.err(also);
};

const dropVendor: Verb = async (call, installation) => {
  const section = sectionOf(call);
  if (section === 'aliyunSms') throw new WrongInput('aliyunSms stays: a district without it reaches nobody.');
  const secret = await completeSecret(installation);
  if (secret[section] === undefined) throw new Refused(`There is no account ${section}.`);
  const { [section]: _, ...rest } = secret;
  await put(installation, { ...rest, aliyunSms: secret.aliyunSms });
  call.terminal.err(`The account ${section} is not called any more in five minutes.`);
  const without = WITHOUT[section];
  if (without !== undefined) call.terminal.err(without);
};

const setOpinion: Verb = async (call, installation) => {
  const { secondOpinion: _, ...secret } = await completeSecret(installation);
  if (call.values['cancel'] === true) {
    await put(installation, secret);
    return call.terminal.err('The key is forgotten; within five minutes nobody is asked any more.');
  }
  const secondOpinion = keysOf(call, opinionSchema, 'the key of the second opinion');
  await put(installation, { ...secret, secondOpinion });
  call.terminal.err("The key is set. Where and which model is asked stands in policy.json, 'secondOpinion'.");
};

const showFields: Verb = async (call, installation) => {
  const stored = await installation.secret.read();
  const { secret, problems } = readSecretText(stored?.text);
  if (!secret)
    throw new Refused(`The secret of ${installation.name} is not complete: ${problems.join(', ')}.`);
  for (const line of fieldsOf(secret)) call.terminal.out(line);
  call.terminal.err(`Last changed ${stored?.changedAt.toISOString()}.`);
};

const VERBS: Record<string, { run: Verb; options: readonly string[] }> = {
  init: { run: init, options: ['vendor', 'print'] },
  'rotate-webhook': { run: rotateWebhook, options: ['print', 'finish', 'cancel', 'yes'] },
  'rotate-tokens': { run: rotateTokenKeys, options: ['at-once', 'yes'] },
  'rotate-data': { run: rotateData, options: ['finish'] },
  'erase-data': { run: eraseDataKey, options: ['yes'] },
  'set-vendor': { run: setVendor, options: ['vendor'] },
  'drop-vendor': { run: dropVendor, options: [] },
  'set-opinion': { run: setOpinion, options: ['vendor', 'cancel'] },
  'show-fields': { run: showFields, options: [] },
};

/** Verbs with a name behind them. */
const WITH_NAME = new Set(['erase-data', 'set-vendor', 'drop-vendor']);
const OWN = ['vendor', 'print', 'finish', 'cancel', 'at-once', 'yes'];

/** `npm run secret`: makes the district's secret and renews its keys while everything runs. */
export const secret: Command = {
  name: 'secret',
  about: "Makes the district's secret and renews its keys while everything runs. Prints no values.",
  usage: [
    'init --vendor keys.json [--print]',
    'rotate-webhook [--print] | --finish [--yes] | --cancel',
    'rotate-tokens [--at-once [--yes]]',
    'rotate-data [--finish]',
    'erase-data KEYID [--yes]',
    'set-vendor [SECTION] --vendor keys.json',
    'drop-vendor SECTION',
    'set-opinion --vendor key.json | --cancel',
    'show-fields',
  ],
  more: [
    '--print shows a new webhook key, once; nothing else is ever shown. Functions read the secret again after five',
    'minutes, so every rotation has a pause of five minutes in it, and each step says what comes next.',
    `SECTION is an account: ${SECTIONS}; aliyunSms if left out.`,
    '',
  ],
  options: {
    vendor: { type: 'string' },
    print: { type: 'boolean' },
    finish: { type: 'boolean' },
    cancel: { type: 'boolean' },
    'at-once': { type: 'boolean' },
    yes: { type: 'boolean' },
  },
  async run(call) {
    const [verb = '', key, ...more] = call.positionals;
    const known = Object.hasOwn(VERBS, verb) ? VERBS[verb] : undefined;
    if (!known)
      throw new WrongInput(
        `What is to be done: ${Object.keys(VERBS).join(', ')}${verb ? `, not '${verb}'` : ''}?`,
      );
    if (more.length > 0 || (key !== undefined && !WITH_NAME.has(verb)))
      throw new WrongInput(`'${call.positionals.at(-1)}' is one word too many.`);
    if (verb === 'erase-data' && key === undefined)
      throw new WrongInput('Which data key? show-fields lists them.');
    if (verb === 'drop-vendor' && key === undefined) throw new WrongInput(`Which account: ${SECTIONS}?`);
    const strange = OWN.find((name) => call.values[name] !== undefined && !known.options.includes(name));
    if (strange) throw new WrongInput(`--${strange} means nothing to ${verb}.`);
    if (call.values['finish'] === true && (call.values['cancel'] === true || call.values['print'] === true))
      throw new WrongInput('--finish stands alone.');
    const installation = await call.connect({ stack: text(call, 'stack'), data: text(call, 'data') });
    try {
      await known.run(call, installation);
    } finally {
      installation.close();
    }
  },
};

if (import.meta.main) await main(secret);
