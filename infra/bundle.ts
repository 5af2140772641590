import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';
import * as z from 'zod';

const ROOT = resolve(import.meta.dirname, '..');
const CREDENTIALS = join(import.meta.dirname, 'function-credentials.ts');
const ENDPOINT_CACHE = join(import.meta.dirname, 'function-endpoint-cache.ts');
const EVENT_STREAMS = join(import.meta.dirname, 'function-event-streams.ts');

/** What to bundle; every field has the value of a deployment. */
export interface BundleOptions {
  /** Folder that holds functions/ and shared/; default: the repository. */
  readonly root?: string;
  /** Where the bundles go, one folder per verb; default `<root>/dist`. */
  readonly outdir?: string;
  /** The verbs; default: every folder functions/<verb> with a handler.ts. */
  readonly verbs?: readonly string[];
}

/** Files under a folder, sorted, so that every machine sees the same order. */
const filesUnder = async (folder: string): Promise<string[]> =>
  existsSync(folder)
    ? (await readdir(folder, { recursive: true, withFileTypes: true }))
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .sort()
    : [];

const verbsOf = async (root: string): Promise<string[]> =>
  (await filesUnder(join(root, 'functions')))
    .filter((file) => basename(file) === 'handler.ts')
    .map((file) => relative(join(root, 'functions'), join(file, '..')))
    .filter((verb) => !verb.includes('/'));

/** Districts as the functions read them: policies and maps. Rosters are people; they live in the table, not in a bundle. */
const isDistrictData = (file: string): boolean => file.endsWith('.json') || file.endsWith('.geojson');

/** What only the functions that read texts need: most of a megabyte that no other cold start should unpack. */
const READING: ReadonlySet<string> = new Set(['concepts.json', 'model.json']);
/** Intake reads what is told later of a call that still waits for the desk. */
const READERS: ReadonlySet<string> = new Set(['classification', 'intake']);

const fingerprint = async (root: string, verbs: readonly string[]): Promise<string> => {
  const hash = createHash('sha256').update(verbs.join(','));
  const sources = [
    ...(await filesUnder(join(root, 'functions'))),
    ...(await filesUnder(join(root, 'shared'))),
    join(root, 'package-lock.json'),
    import.meta.filename,
    CREDENTIALS,
    ENDPOINT_CACHE,
    EVENT_STREAMS,
  ];
  for (const file of sources.filter(existsSync))
    hash.update(relative(root, file)).update(await readFile(file));
  return hash.digest('hex');
};

/**
 * Bundles every function into `dist/<verb>/index.mjs` with the district data beside it, and does nothing when the
 * sources have not changed since the last time. Safe to call from several processes at once: one works, the others wait.
 * Throws esbuild's errors.
 */
export const bundle = async (options: BundleOptions = {}): Promise<void> => {
  const root = options.root ?? ROOT;
  const outdir = options.outdir ?? join(root, 'dist');
  const verbs = options.verbs ?? (await verbsOf(root));
  const seal = join(outdir, '.sources.sha256');
  const sources = await fingerprint(root, verbs);
  const fresh = async () => existsSync(seal) && (await readFile(seal, 'utf8')) === sources;
  if (await fresh()) return;

  await mkdir(join(outdir, '..'), { recursive: true });
  const unlock = await lock(`${outdir}.lock`);
  try {
    if (await fresh()) return;
    await make({ root, outdir, verbs });
    await writeFile(seal, sources);
  } finally {
    await unlock();
  }
};

const versionSchema = z.object({ version: z.string() });

/** Every client of the SDK takes its version from its whole package.json, scripts and all: two kilobytes each. */
const VERSION_ONLY: Plugin = {
  name: 'version-only',
  setup(bundling) {
    bundling.onLoad({ filter: /[/\\]@aws-sdk[/\\]client-[\w-]+[/\\]package\.json$/ }, async ({ path }) => ({
      contents: JSON.stringify(versionSchema.parse(JSON.parse(await readFile(path, 'utf8')))),
      loader: 'json',
    }));
  },
};

const contractSchema = z.object({
  openApiDocument: z.custom<() => unknown>((value) => typeof value === 'function'),
});

/**
 * Leaves out zod's writer of JSON Schemas, 19 KB of every bundle: functions parse, only the OpenAPI document describes, and
 * that is written here. Its names stay, because every schema points at them.
 */
const PARSE_ONLY: Plugin = {
  name: 'parse-only',
  setup(esbuild) {
    esbuild.onLoad(
      { filter: /zod[/\\]v4[/\\]core[/\\](json-schema-processors|to-json-schema)\.js$/ },
      async ({ path }) => {
        const source = await readFile(path, 'utf8');
        const names = [...source.matchAll(/^export (?:const|function) (\w+)/gm)].map(([, name]) => name);
        const empty = names.map((name) => `export const ${name} = none;`);
        return { contents: ['const none = () => {};', ...empty, 'export { none as process };'].join('\n') };
      },
    );
  },
};

const make = async ({ root, outdir, verbs }: Required<BundleOptions>): Promise<void> => {
  // Beside the final place and moved there whole, so that a start that reads dist/ meanwhile never sees half of it.
  const draft = `${outdir}.draft`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true });
  await build({
    absWorkingDir: root,
    entryPoints: Object.fromEntries(verbs.map((verb) => [`${verb}/index`, `functions/${verb}/handler.ts`])),
    outdir: draft,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    minify: true,
    mainFields: ['module', 'main'],
    alias: {
      '@aws-sdk/credential-provider-node': CREDENTIALS,
      '@aws-sdk/endpoint-cache': ENDPOINT_CACHE,
      '@smithy/core/event-streams': EVENT_STREAMS,
    },
    legalComments: 'none',
    // Chinese as it is: escaped, every character takes twice the room, and that is what a cold start parses.
    charset: 'utf8',
    plugins: [VERSION_ONLY, PARSE_ONLY],
    logLevel: 'silent',
  });
  const data = (await filesUnder(join(root, 'shared/districts'))).filter(isDistrictData);
  for (const verb of verbs)
    for (const file of data.filter((one) => READERS.has(verb) || !READING.has(basename(one))))
      await cp(file, join(draft, verb, 'districts', relative(join(root, 'shared/districts'), file)), {
        recursive: true,
      });
  // What a function serves as it is.
  for (const verb of verbs) {
    const page = join(root, 'functions', verb, 'page.html');
    if (existsSync(page)) await cp(page, join(draft, verb, 'page.html'));
  }
  const contract = join(root, 'shared/contracts/openapi.ts');
  if (verbs.includes('console') && existsSync(contract)) {
    const { openApiDocument } = contractSchema.parse(await import(pathToFileURL(contract).href));
    await writeFile(join(draft, 'console/openapi.json'), `${JSON.stringify(openApiDocument(), null, 2)}\n`);
  }
  await rm(outdir, { recursive: true, force: true });
  await rename(draft, outdir);
};

/** A lock file with the owner's pid; a dead owner's lock is taken over. Answers the function that lets go. */
const lock = async (file: string): Promise<() => Promise<void>> => {
  for (;;) {
    try {
      const handle = await open(file, 'wx');
      await handle.writeFile(String(process.pid));
      await handle.close();
      return () => rm(file, { force: true });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
      const owner = Number(await readFile(file, 'utf8').catch(() => ''));
      if (owner && !isAlive(owner)) await rm(file, { force: true });
      else await pause(50);
    }
  }
};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};
